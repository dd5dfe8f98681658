//! Connections as a caller drives them byte by byte.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::Client;
use crate::machine::{added, joined, send};
use crate::metrics::figure;
use crate::running::{PATIENCE, Running};

/// A connection with TLS that nobody drives but the test.
struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    fn open(running: &Running) -> std::io::Result<Self> {
        let address = running.server().address();
        let authority = CertificateDer::from_pem_slice(running.server().ca_pem().as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::from(address.ip());
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(StreamOwned::new(session, socket)))
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// A connection on which somebody who proves nothing gets an answer; `None` if the server closes it before.
    fn as_stranger(running: &Running) -> Option<Self> {
        let mut connection = Self::open(running).ok()?;
        connection.is_answered().ok().map(|()| connection)
    }

    fn is_answered(&mut self) -> std::io::Result<()> {
        self.get("/healthz", "")
    }

    /// Gets what is there, and reads the answer. The connection can be used again.
    fn get(&mut self, path: &str, headers: &str) -> std::io::Result<()> {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes())?;
        let mut answer = Vec::new();
        let head = loop {
            self.read_byte(&mut answer)?;
            if answer.ends_with(b"\r\n\r\n") {
                break String::from_utf8(answer.clone()).unwrap().to_lowercase();
            }
        };
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        for _ in 0..length.unwrap_or_else(|| panic!("no length in {head}")).parse::<usize>().unwrap() {
            self.read_byte(&mut answer)?;
        }
        Ok(())
    }

    fn read_byte(&mut self, to: &mut Vec<u8>) -> std::io::Result<()> {
        let mut byte = [0];
        self.0.read_exact(&mut byte)?;
        to.extend(byte);
        Ok(())
    }

    /// All that comes until the server closes.
    fn read_to_end(&mut self) -> std::io::Result<String> {
        let mut text = String::new();
        self.0.read_to_string(&mut text)?;
        Ok(text)
    }
}

#[test]
fn who_sends_a_body_that_is_refused_and_reads_afterwards_gets_the_answer() {
    let running = Running::start();
    let token = running.owner_token();
    let body = vec![b'a'; 4 << 20];
    let credentials = format!("authorization: Bearer {token}\r\n");
    for (credentials, status, detail) in
        [(credentials.as_str(), "413", "send less at a time"), ("", "401", "sign in")]
    {
        let head = format!(
            "POST /api/v1/workspaces/default/query HTTP/1.1\r\nhost: localhost\r\n{credentials}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        for time in 1..=20 {
            let mut connection = Connection::open(&running).unwrap();
            let sent = connection.send(head.as_bytes()).and_then(|()| connection.send(&body));
            let answer = sent.and_then(|()| connection.read_to_end());
            let answer = answer.unwrap_or_else(|error| panic!("{status}, time {time}: {error}"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains(detail), "{answer}");
        }
    }
}

#[test]
fn strangers_who_hold_all_that_they_may_keep_neither_machines_nor_those_who_sign_in_out() {
    let running = Running::start_with(|config| config.limits.connections = 64);
    let (_, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let mut owner = Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
    assert_eq!(owner.call("GET", "/api/v1/workspaces", &[], None).unwrap().status, 200);

    // The one on which the machine enrolled may still count.
    let mut kept: Vec<Connection> = Vec::new();
    while let Some(connection) = Connection::as_stranger(&running) {
        kept.push(connection);
        assert!(kept.len() <= 8, "strangers take more than an eighth");
    }
    assert!(kept.len() >= 7, "strangers found {} places only", kept.len());

    // Connections that are there go on, those who prove who they are get in, and what goes on is told.
    kept[0].is_answered().unwrap();
    let batch = added(1, &["/etc/a"]);
    send(&running, &mut machine.client(&running), &machine, &batch);
    assert_eq!(figure(&mut owner, "connections_limit"), 64);
    assert!(figure(&mut owner, "connections") > kept.len());
    assert!(figure(&mut owner, "connections_refused_total") >= 1);

    // On one of them somebody signs in: it is no stranger's any more, and there is a place for another.
    let credentials = format!("authorization: Bearer {token}\r\n");
    kept[0].get("/api/v1/workspaces", &credentials).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while kept.len() < 9 {
        kept.extend(Connection::as_stranger(&running));
        assert!(Instant::now() < deadline, "no place became free");
    }
    assert!(Connection::as_stranger(&running).is_none());
}

/// Keeps connections open on which nothing is said, each of them opened again as it is closed, until it is told to stop.
fn keep_silent(from: Ipv4Addr, to: SocketAddr, stop: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let connect = || {
        let stream = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::from((from, 0)))?;
            socket.connect(to).await?.into_std()
        })?;
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_millis(5)))?;
        Ok::<_, std::io::Error>(stream)
    };
    let mut silent = VecDeque::new();
    while !stop.load(Ordering::Relaxed) {
        silent.extend((silent.len()..32).filter_map(|_| connect().ok()));
        let Some(mut oldest) = silent.pop_front() else { continue };
        let waits =
            |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        if oldest.read(&mut [0]).is_err_and(|error| waits(&error)) {
            silent.push_back(oldest);
        }
    }
}

/// Tells it to all who look, also when a test fails.
struct StopsAtEnd<'a>(&'a AtomicBool);

impl Drop for StopsAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn silent_handshakes_of_eight_addresses_keep_neither_machines_nor_the_own_machine_out() {
    let running = Running::start_with(|config| config.limits.connections = 256);
    let (_, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let owner = || Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
    let address = running.server().address();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = StopsAtEnd(&stop);
        for last in 2..10 {
            let stop = &stop;
            scope.spawn(move || keep_silent(Ipv4Addr::new(127, 0, 0, last), address, stop));
        }
        let mut known = owner();
        let deadline = Instant::now() + PATIENCE;
        while figure(&mut known, "connections_refused_total") < 64 {
            assert!(Instant::now() < deadline, "no handshake had to give way");
        }
        for sequence in 1..=10 {
            send(&running, &mut machine.client(&running), &machine, &added(sequence, &["/etc/a"]));
            assert_eq!(owner().call("GET", "/api/v1/workspaces", &[], None).unwrap().status, 200);
            let mut page = Client::new(&running.browser_url(), running.server().ca_pem(), None);
            assert_eq!(page.call("GET", "/healthz", &[], None).unwrap().status, 200);
        }
    });
}
