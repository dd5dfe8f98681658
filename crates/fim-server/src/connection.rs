//! Accepting connections: TLS, limits, and who is at the other end.

mod handshakes;
mod linger;
mod places;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use self::linger::Lingering;
pub use self::places::{ConnectionPlace, ConnectionPlaces, Full};
use crate::app::{App, AppState, stopped};
use crate::pki::{CertifiedMachine, machine_of};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The address.
    pub address: SocketAddr,
    /// How the bytes travel.
    pub transport: Transport,
    /// The machine that the verified client certificate names.
    pub machine: Option<CertifiedMachine>,
}

/// How the bytes travel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// TLS on the one port.
    Tls,
    /// Plain HTTP on loopback, for a browser on the same machine.
    Loopback,
}

/// Accepts connections until the server stops, then lets the open ones finish for a while.
pub async fn serve(
    app: AppState,
    listener: TcpListener,
    router: Router,
    transport: Transport,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        // A full server leaves further connections in the system's queue.
        let place = tokio::select! {
            place = app.connection_places.next() => place,
            () = stopped(&mut stop) => break,
        };
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, say: waiting is all that helps.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = stopped(&mut stop) => break,
        };
        let place = match app.connection_places.admit(place, address, transport) {
            Ok(place) => Arc::new(place),
            Err(full) => {
                refuse(&app, address, full);
                continue;
            }
        };
        let (app, router, stop) = (AppState::clone(&app), router.clone(), stop.clone());
        connections.spawn(async move {
            match transport {
                Transport::Tls => over_tls(app, stream, place, router, stop).await,
                Transport::Loopback => {
                    let peer = Peer { address, transport, machine: None };
                    speak(&app, stream, peer, place, router, stop).await;
                }
            }
        });
        // Those that have ended are taken out, so that the set does not grow.
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FINISH, finish).await.is_err() {
        tracing::warn!("some connections did not finish in time and were cut");
    }
    connections.shutdown().await;
}

/// Closes the connection at once: whoever is told why has taken the place that he is not to have.
fn refuse(app: &App, address: SocketAddr, full: Full) {
    app.metrics.connections_refused.increment();
    app.connection_places.say_refused(address, full);
}

async fn over_tls(
    app: AppState,
    stream: TcpStream,
    place: Arc<ConnectionPlace>,
    router: Router,
    stop: watch::Receiver<bool>,
) {
    let address = place.address();
    let acceptor = TlsAcceptor::from(app.tls.config());
    let patience = Duration::from_secs(app.config.limits.handshake_seconds);
    let handshake = tokio::select! {
        handshake = tokio::time::timeout(patience, acceptor.accept(stream)) => handshake,
        () = place.gives_way() => return refuse(&app, address, Full::Handshakes),
    };
    let stream = match handshake {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            app.metrics.handshakes_failed.increment();
            tracing::debug!(%address, %error, "a TLS handshake failed");
            return;
        }
        Err(_) => {
            app.metrics.handshakes_failed.increment();
            tracing::debug!(%address, "a TLS handshake took too long");
            return;
        }
    };
    // The verifier has checked chain, time and purpose; a certificate of ours names a machine.
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let machine = certificate.and_then(machine_of);
    let peer = Peer { address, transport: Transport::Tls, machine };
    if let Err(full) = place.settle(peer.machine.map(|machine| machine.id)) {
        return refuse(&app, peer.address, full);
    }
    speak(&app, stream, peer, place, router, stop).await;
}

async fn speak(
    app: &AppState,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    place: Arc<ConnectionPlace>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        let (router, place) = (router.clone(), Arc::clone(&place));
        async move {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(place);
            match router.oneshot(request).await {
                Ok(response) => Ok::<_, Infallible>(response),
                Err(never) => match never {},
            }
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(app.config.limits.header_seconds))
        .max_headers(100)
        .serve_connection(TokioIo::new(Lingering::new(stream, stop.clone())), service);
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(address = %peer.address, %error, "a connection ended badly");
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long open connections may go on after the server is told to stop.
const FINISH: Duration = Duration::from_secs(8);
