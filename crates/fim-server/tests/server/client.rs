//! Callers: with a token, with a browser's cookies, with a machine's certificate, or with nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, http};

use crate::running::PATIENCE;

/// A caller.
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
    pub cookie: Option<String>,
    pub session_key: Option<String>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }
}

impl Client {
    /// A caller that trusts `ca_pem`, and shows `identity` (certificate and key as PEM) if there is one.
    pub fn new(base: &str, ca_pem: &str, identity: Option<(&str, &str)>) -> Self {
        let authority = Certificate::from_pem(ca_pem.as_bytes()).unwrap();
        let mut tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[authority]));
        if let Some((certificate, key)) = identity {
            let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
            let key = PrivateKey::from_pem(key.as_bytes()).unwrap();
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&[certificate], key)));
        }
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .new_agent();
        Self { agent, base: base.to_owned(), token: None, cookie: None, session_key: None }
    }

    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Calls; the error is that of the connection.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, ureq::Error> {
        let request = self.request(method, path, headers);
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap())?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let (parts, mut body) = response.into_parts();
        let text = body.with_config().limit(64 << 20).read_to_string()?;
        self.remember(&parts.headers, &text);
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, text })
    }

    /// A request with what the caller proves itself by.
    fn request(&self, method: &str, path: &str, headers: &[(String, String)]) -> http::request::Builder {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        let mut own = Vec::new();
        own.extend(self.token.as_ref().map(|token| ("authorization", format!("Bearer {token}"))));
        own.extend(self.cookie.as_ref().map(|cookie| ("cookie", cookie.clone())));
        own.extend(self.session_key.as_ref().map(|key| ("steadfast-session-key", key.clone())));
        for (name, value) in own {
            if !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)) {
                request = request.header(name, value);
            }
        }
        // An empty value leaves the caller's own header out.
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        request
    }

    /// Posts a batch and hangs up without waiting for the answer, which comes in time only if it is a refusal.
    pub fn send_and_hang_up(&self, path: &str, bytes: &[u8]) {
        let request = self
            .agent
            .post(format!("{}{path}", self.base))
            .config()
            .timeout_recv_response(Some(Duration::from_millis(1)))
            .build()
            .header("content-type", "application/cbor");
        let answer = request.send(bytes);
        let answered = answer.as_ref().is_ok_and(|answer| !answer.status().is_success());
        assert!(answered || matches!(answer, Err(ureq::Error::Timeout(_))), "{answer:?}");
    }

    /// Posts what comes as the reader gives it; the status. The reader is asked first when the server wants the body.
    pub fn send_slowly(
        &self,
        path: &str,
        headers: &[(String, String)],
        length: u64,
        body: impl std::io::Read + 'static,
    ) -> Result<u16, ureq::Error> {
        let request = self
            .request("POST", path, headers)
            .header("content-length", length)
            .header("expect", "100-continue")
            .body(ureq::SendBody::from_owned_reader(body))
            .unwrap();
        let request = self.agent.configure_request(request).timeout_await_100(Some(PATIENCE)).build();
        Ok(self.agent.run(request)?.status().as_u16())
    }

    /// A response whose body is read by the caller.
    pub fn open(&self, path: &str, headers: &[(String, String)]) -> ureq::BodyReader<'static> {
        let response = self.agent.run(self.request("GET", path, headers).body(()).unwrap()).unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.into_body().into_reader()
    }

    /// Keeps a session as a browser and our page do.
    fn remember(&mut self, headers: &http::HeaderMap, text: &str) {
        if let Some(cookie) = headers.get("set-cookie").and_then(|value| value.to_str().ok()) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let session: Option<Value> = serde_json::from_str(text).ok();
        if let Some(key) = session.as_ref().and_then(|session| session["sessionKey"].as_str()) {
            self.session_key = Some(key.to_owned());
        }
    }
}
