//! The calls that a sensor makes to its server, and what each can answer.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use fim_core::NoText;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};

use crate::identity::Identity;
use crate::settings::Settings;
use crate::tls;

/// A server as a sensor calls it: the trusted authority, our certificate if we have one, and the address.
pub(crate) struct ServerClient {
    agent: Agent,
    server: String,
}

/// Calls that another thread can break off.
#[derive(Debug)]
pub(crate) struct Breakable(Agent);

impl Breakable {
    /// Has the call under way fail at once, and all later ones of its client.
    pub fn break_off(self) {
        self.0.shutdown();
    }
}

/// Why a call had no success.
#[derive(Debug, Error)]
pub enum CallError {
    /// The address cannot be one of a server.
    #[error("`{server}` is no server's address: {why}; an example is https://fim.example.org:8443")]
    BadAddress {
        /// The address as given.
        server: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The server did not answer.
    #[error("cannot reach the server {server}")]
    Unreachable {
        /// The server's address.
        server: String,
        /// The system's answer.
        source: io::Error,
    },
    /// What answered is not, or not provably, the server.
    #[error("the server {server} is not trusted: {why}")]
    Untrusted {
        /// The server's address.
        server: String,
        /// What is wrong with its certificate, and what to do.
        why: String,
    },
    /// The server does not accept this agent's certificate.
    #[error("the server {server} does not accept this agent's certificate ({why}); enrol this machine again")]
    OwnCertificate {
        /// The server's address.
        server: String,
        /// The server's answer.
        why: String,
    },
    /// The server has no time now, and says when to come back.
    #[error("the server {server} is busy (status {status})")]
    Busy {
        /// The server's address.
        server: String,
        /// The HTTP status: 429 or 503.
        status: u16,
        /// How long the server wants us to wait, if it said so.
        retry_after: Option<Duration>,
    },
    /// The server refused what was asked.
    #[error("the server {server} refused (status {status}): {detail}")]
    Refused {
        /// The server's address.
        server: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        detail: String,
    },
    /// The server's answer makes no sense to this version.
    #[error("the server {server} gave an answer that this version does not understand: {why}")]
    BadAnswer {
        /// The server's address.
        server: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What a machine says of itself when it enrols.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnrollRequest<'a> {
    pub token: &'a str,
    pub machine_name: &'a str,
    pub os_type: &'a str,
    pub os_name: &'a str,
    pub agent_version: &'a str,
    pub csr_pem: &'a str,
}

/// What the server makes of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnrollAnswer {
    pub machine_id: uuid::Uuid,
    pub workspace_id: uuid::Uuid,
    pub workspace_name: String,
    pub certificate_pem: String,
    pub ca_pem: String,
}

/// The sign of life.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Heartbeat {
    pub agent_version: String,
    pub os_name: String,
    pub state: &'static str,
    pub progress: Option<HeartbeatProgress>,
    pub last_scan_end: Option<String>,
    pub next_scan: Option<String>,
    pub spool_records: u64,
    pub oldest_unsent_seconds: u64,
    pub open_gaps: u64,
    pub provider: String,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeartbeatProgress {
    pub files_done: u64,
    pub bytes_done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
}

/// What the server answers to a sign of life.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeartbeatAnswer {
    /// The revision of the settings in force; a number or a text, which only has to be equal or not.
    pub settings_revision: serde_json::Value,
    pub heartbeat_seconds: u64,
}

impl ServerClient {
    /// A client with what enrolment gave.
    pub fn of(identity: &Identity) -> Result<Self, CallError> {
        let authority = Certificate::from_pem(identity.ca_pem.as_bytes()).map_err(|error| {
            let why = format!("the kept authority is no PEM: {error}");
            CallError::BadAnswer { server: identity.server.clone(), why }
        })?;
        Self::new(&identity.server, authority, Some((&identity.certificate_pem, &identity.key_pem)))
    }

    /// A client that trusts only `authority`, and shows `identity` (certificate and key, as PEM) if there is one.
    pub fn new(
        server: &str,
        authority: Certificate<'static>,
        identity: Option<(&str, &str)>,
    ) -> Result<Self, CallError> {
        tls::host_and_port(server)?;
        let pem = |error: ureq::Error| CallError::BadAnswer {
            server: server.to_owned(),
            why: format!("a certificate or key is no PEM: {error}"),
        };
        let mut config = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(tls::provider())
            .root_certs(RootCerts::new_with_certs(&[authority]));
        if let Some((certificate, key)) = identity {
            let certificate = Certificate::from_pem(certificate.as_bytes()).map_err(pem)?;
            let key = PrivateKey::from_pem(key.as_bytes()).map_err(pem)?;
            config = config.client_cert(Some(ClientCert::new_with_certs(&[certificate], key)));
        }
        let agent = Agent::config_builder()
            .tls_config(config.build())
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("steadfast-agent/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(CALL_PATIENCE))
            .build()
            .new_agent();
        Ok(Self { agent, server: server.trim_end_matches('/').to_owned() })
    }

    /// What another thread breaks the calls of this client off with.
    pub fn breakable(&self) -> Breakable {
        Breakable(self.agent.clone())
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Exchanges a token and a certificate request for a certificate.
    pub fn enroll(&self, request: &EnrollRequest<'_>) -> Result<EnrollAnswer, CallError> {
        self.json(self.agent.post(self.url("/agent/v1/enroll")).send_json(request))
    }

    /// Exchanges a certificate request for a new certificate of this machine.
    pub fn renew(&self, csr_pem: &str) -> Result<String, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            certificate_pem: String,
        }
        let request = serde_json::json!({ "csrPem": csr_pem });
        self.json::<Answer>(self.agent.post(self.url("/agent/v1/certificate")).send_json(request))
            .map(|answer| answer.certificate_pem)
    }

    /// Hands over a batch; returns the sequence up to which the server has everything durably.
    pub fn send_batch(&self, compressed: &[u8]) -> Result<u64, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            acknowledged: u64,
        }
        let call = self
            .agent
            .post(self.url("/agent/v1/batches"))
            .header("Content-Type", "application/cbor")
            .header("Content-Encoding", "zstd")
            .send(compressed);
        self.json::<Answer>(call).map(|answer| answer.acknowledged)
    }

    /// Which of the contents, by their digests, the server has not the text of.
    pub fn missing_contents(&self, digests: &[[u8; 32]]) -> Result<HashSet<[u8; 32]>, CallError> {
        #[derive(Deserialize)]
        struct Answer {
            digests: HashSet<String>,
        }
        let asked: Vec<String> = digests.iter().map(|digest| hex(digest)).collect();
        let request = serde_json::json!({ "digests": asked });
        let answer: Answer =
            self.json(self.agent.post(self.url("/agent/v1/contents/missing")).send_json(request))?;
        Ok(digests.iter().filter(|digest| answer.digests.contains(&hex(&digest[..]))).copied().collect())
    }

    /// Hands over the text of a content.
    pub fn put_content(&self, digest: &[u8; 32], text: &str) -> Result<(), CallError> {
        let compressed = zstd::bulk::compress(text.as_bytes(), 3)
            .map_err(|source| CallError::Unreachable { server: self.server.clone(), source })?;
        let call = self
            .agent
            .put(self.url(&format!("/agent/v1/contents/{}", hex(digest))))
            .header("Content-Type", "text/plain")
            .header("Content-Encoding", "zstd")
            .send(&compressed[..]);
        self.checked(call).map(drop)
    }

    /// Tells why a content has no text.
    pub fn put_no_content(&self, digest: &[u8; 32], why: NoText) -> Result<(), CallError> {
        let request = serde_json::json!({ "why": why.word() });
        let path = format!("/agent/v1/contents/{}/reason", hex(digest));
        self.checked(self.agent.put(self.url(&path)).send_json(request)).map(drop)
    }

    /// The settings, unless they still have the revision that we know. The server may `wait` so long for others.
    pub fn settings(
        &self,
        known: Option<&str>,
        wait: Option<Duration>,
    ) -> Result<Option<Settings>, CallError> {
        let mut call = self.agent.get(self.url("/agent/v1/settings"));
        if let Some(revision) = known {
            call = call.header("If-None-Match", revision);
        }
        if let Some(wait) = wait {
            call = call.header("Prefer", format!("wait={}", wait.as_secs()));
            call = call.config().timeout_global(Some(CALL_PATIENCE + wait)).build();
        }
        let response = self.checked(call.call())?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        self.parse(response).map(Some)
    }

    /// Gives the sign of life.
    pub fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatAnswer, CallError> {
        self.json(self.agent.post(self.url("/agent/v1/heartbeat")).send_json(heartbeat))
    }

    /// How far the server's clock is ahead of ours in seconds, where it tells the time.
    pub fn clock_ahead_seconds(&self) -> Result<Option<i64>, CallError> {
        let response = self.checked(self.agent.get(self.url("/healthz")).call())?;
        let header = response.headers().get("date").and_then(|date| date.to_str().ok());
        let theirs = header.and_then(|date| httpdate::parse_http_date(date).ok());
        let ours = std::time::SystemTime::now();
        Ok(theirs.map(|theirs| match theirs.duration_since(ours) {
            Ok(ahead) => i64::try_from(ahead.as_secs()).unwrap_or(i64::MAX),
            Err(behind) => -i64::try_from(behind.duration().as_secs()).unwrap_or(i64::MAX),
        }))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    fn json<T: DeserializeOwned>(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<T, CallError> {
        let response = self.checked(answer)?;
        self.parse(response)
    }

    fn parse<T: DeserializeOwned>(&self, mut response: Response<Body>) -> Result<T, CallError> {
        response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_json()
            .map_err(|error| self.bad_answer(error))
    }

    /// The response, if its status says that all is well.
    fn checked(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, CallError> {
        let mut response = answer.map_err(|error| self.transport_error(error))?;
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let server = self.server.clone();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return Err(CallError::Busy {
                server,
                status: status.as_u16(),
                retry_after: retry_after(&response),
            });
        }
        let body =
            response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_vec().unwrap_or_default();
        Err(CallError::Refused { server, status: status.as_u16(), detail: problem_detail(status, &body) })
    }

    fn transport_error(&self, error: ureq::Error) -> CallError {
        match error {
            ureq::Error::Io(source) => tls::call_error(&self.server, source),
            ureq::Error::Rustls(error) => tls::tls_error(&self.server, &error),
            ureq::Error::Protocol(error) => self.bad_answer(ureq::Error::Protocol(error)),
            other => {
                let source = io::Error::other(other.to_string());
                CallError::Unreachable { server: self.server.clone(), source }
            }
        }
    }

    fn bad_answer(&self, error: ureq::Error) -> CallError {
        match error {
            // The connection broke while the answer was read.
            ureq::Error::Io(source) if source.get_ref().is_none() => {
                CallError::Unreachable { server: self.server.clone(), source }
            }
            other => CallError::BadAnswer { server: self.server.clone(), why: other.to_string() },
        }
    }
}

/// The wait that a busy server asks for: seconds or a date.
fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let text = response.headers().get("retry-after")?.to_str().ok()?;
    match text.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let until = httpdate::parse_http_date(text).ok()?;
            Some(until.duration_since(std::time::SystemTime::now()).unwrap_or_default())
        }
    }
}

/// The server's own words, from a problem document (RFC 9457) if it sent one.
fn problem_detail(status: StatusCode, body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        title: Option<String>,
        detail: Option<String>,
    }
    let from_problem =
        serde_json::from_slice::<Problem>(body).ok().and_then(|problem| problem.detail.or(problem.title));
    from_problem.unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason given").to_owned())
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long a call may take.
const CALL_PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read; settings with many rules are the largest.
const MAX_ANSWER_BYTES: u64 = 16 << 20;
