//! The outermost layer of every request: its id, the log, the counters, problems in full, and the headers by which
//! browsers protect the page.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::app::AppState;
use crate::connection::{Peer, Transport};
use crate::problem::Problem;
use crate::surface::Surface;

/// What lets the page of this one answer add styles.
#[derive(Clone, Debug)]
pub struct Nonce(String);

impl Nonce {
    fn generate() -> Self {
        // 122 random bits, in base64 as the policy wants it.
        Self(STANDARD_NO_PAD.encode(Uuid::new_v4().as_bytes()))
    }

    /// The nonce as the policy and the page have it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What finds a request in the server's log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Gives the request an id and a nonce, and the answer its headers.
pub async fn edge(
    Extension(app): Extension<AppState>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = Uuid::now_v7().to_string();
    let nonce = Nonce::generate();
    let method = request.method().clone();
    // Without what follows `?`, which may hold what a user searches for.
    let path = request.uri().path().to_owned();
    let surface = Surface::of(&path);
    let has_credentials = request.headers().contains_key(AUTHORIZATION);
    let may_keep_unread = request.version() < Version::HTTP_2 && has_body(request.headers());
    request.extensions_mut().insert(nonce.clone());
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", id);
    let response = next.run(request).instrument(span).await;

    let status = response.status();
    let mut response = match response.extensions().get::<Problem>().cloned() {
        Some(problem) => with_headers_of(response, surface.render(problem, &id, has_credentials)),
        // An answer of a library, which says nothing but its status.
        None if surface.is_for_programs() && (status.is_client_error() || status.is_server_error()) => {
            with_headers_of(response, surface.render(Problem::of_status(status), &id, has_credentials))
        }
        None => response,
    };
    let counter = match response.status().as_u16() {
        0..400 => &app.metrics.requests_ok,
        400..500 => &app.metrics.requests_refused,
        500.. => &app.metrics.requests_failed,
    };
    counter.increment();
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(%method, path, status = response.status().as_u16(), elapsed_ms, address = %peer.address, id, "answered");

    if may_keep_unread && comes_before_the_body(response.status()) {
        // A body that nobody reads ends the connection. Said beforehand, no next call is sent on it and lost.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    protect(response.headers_mut(), peer, &nonce);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if surface.is_for_programs() && !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != b"0")
}

/// Whether a call may get this answer without its body being read.
fn comes_before_the_body(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403..=405 | 411 | 413 | 415 | 421 | 429 | 503)
}

/// The problem's answer, with what else the first answer said: `Allow`, cookies.
fn with_headers_of(first: Response<Body>, mut rendered: Response) -> Response {
    for (name, value) in first.headers() {
        if !rendered.headers().contains_key(name) && *name != CONTENT_TYPE && name != "content-length" {
            rendered.headers_mut().append(name, value.clone());
        }
    }
    rendered
}

fn protect(headers: &mut HeaderMap, peer: Peer, nonce: &Nonce) {
    let policy = format!(
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src-elem 'self' 'nonce-{}'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
        nonce.text()
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    match peer.transport {
        Transport::Tls => {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        Transport::Loopback => {}
    }
}
