//! The HTTP client of the API: one server, one token, its certificate authority.

use std::io::{BufReader, ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, BodyReader, Timeout};

use crate::address::Address;
use crate::failure::Failure;
use crate::problem::Problem;
use crate::profile::Profile;

/// Which file has what proves a server.
pub const WHICH_CA: &str =
    "pki/ca.pem in the server's data directory; of a server with a certificate of yours, that of its root";

/// The certificates in a text of PEM form, of which there is at least one; or why there is none.
pub fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, String> {
    let items =
        parse_pem(pem.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let found: Vec<_> = items
        .into_iter()
        .filter_map(|item| if let PemItem::Certificate(found) = item { Some(found) } else { None })
        .collect();
    if found.is_empty() { Err("it has no certificate".to_owned()) } else { Ok(found) }
}

/// A connection to one server's API.
pub struct Client {
    agent: Agent,
    profile: Profile,
    /// How long a stream of events may be silent.
    silence: Duration,
}

impl Client {
    /// A client of the profile's server, which proves itself by its CA alone: those that the system trusts vouch for other
    /// servers.
    pub fn new(profile: Profile) -> Result<Self, Failure> {
        let Some(pem) = &profile.ca_pem else {
            return Err(Failure::Usage(format!(
                "the CA of {} is not known; name it with --ca or STEADFAST_CA: {WHICH_CA}",
                profile.server
            )));
        };
        let trusted = certificates(pem).map_err(|why| {
            Failure::Local(format!(
                "the profile's CA certificate cannot be read: {why}; run 'steadfast up' again, or name it with --ca"
            ))
        })?;
        Ok(Self { agent: agent(&profile.server, &trusted), profile, silence: MOST_SILENCE })
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        self.profile.server.trim_end_matches('/')
    }

    /// True if the server is reached by a loopback address, and so is on this machine.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.profile.server)
    }

    /// Gets a document.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.read(self.agent.get(self.url(path)).header("authorization", self.bearer()).call())
    }

    /// Deletes a resource.
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        self.check(self.agent.delete(self.url(path)).header("authorization", self.bearer()).call()).map(drop)
    }

    /// Posts a document and reads the answer.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        self.read(self.send(path, body))
    }

    /// Changes a resource in part and reads the answer.
    pub fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let request = self.agent.patch(self.url(path)).header("authorization", self.bearer());
        self.read(request.send_json(body))
    }

    /// Puts a document in the place of another and reads the answer.
    pub fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let request = self.agent.put(self.url(path)).header("authorization", self.bearer());
        self.read(request.send_json(body))
    }

    /// Posts a document and hands on the answer's bytes as they come, and whether the server cut them short.
    pub fn post_stream<T: Serialize>(
        &self,
        path: &str,
        body: &T,
    ) -> Result<(impl Read + use<T>, bool), Failure> {
        let answer = self.check(self.send(path, body))?;
        let is_truncated = answer.headers().get("steadfast-truncated").is_some_and(|value| value == "true");
        Ok((answer.into_body().into_reader(), is_truncated))
    }

    /// Opens a stream of server-sent events. One that is silent for longer than a server that lives ends with an error:
    /// nothing else tells of a connection that is dead without having been ended.
    pub fn events(&self, path: &str) -> Result<BufReader<BodyReader<'static>>, Failure> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        let request = request.config().timeout_per_read(Some(self.silence)).build();
        let response = self.check(request.header("accept", "text/event-stream").call())?;
        Ok(BufReader::new(response.into_body().into_reader()))
    }

    fn send(&self, path: &str, body: &impl Serialize) -> Result<Response<Body>, ureq::Error> {
        self.agent.post(self.url(path)).header("authorization", self.bearer()).send_json(body)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server())
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.profile.token)
    }

    fn read<T: DeserializeOwned>(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<T, Failure> {
        let mut body = self.check(answer)?.into_body();
        body.with_config().limit(ANSWER_LIMIT_BYTES).read_json().map_err(|error| Failure::Unreachable {
            server: self.profile.server.clone(),
            reason: format!("its answer cannot be read: {error}"),
            is_cut: is_cut(&error),
        })
    }

    /// Turns a refusal into the failure that says why.
    fn check(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Failure> {
        let mut response = answer.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.body_mut().with_config().limit(PROBLEM_LIMIT_BYTES).read_to_string();
        let mut problem: Problem =
            text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        if problem.title.is_empty() && problem.detail.is_empty() {
            problem.detail = format!("the server answered {status}");
        }
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::NotAllowed(Box::new(problem)),
            _ => Failure::Refused(Box::new(problem)),
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        unreachable(&self.profile.server, error)
    }
}

/// Fails if nothing answers at the address, or nothing that speaks TLS: then a token or a certificate for it would be of
/// no use. As nobody's certificate is trusted, nothing is told to whoever answers.
pub fn reach(server: &str) -> Result<(), Failure> {
    match agent(server, &[]).get(format!("{}/healthz", server.trim_end_matches('/'))).call() {
        Err(error) if is_of_certificate(&error) => Ok(()),
        Err(error) => Err(unreachable(server, &error)),
        Ok(_) => Ok(()),
    }
}

/// What talks to the server, which has to prove itself by one of these certificates.
fn agent(server: &str, trusted: &[Certificate<'static>]) -> Agent {
    let roots = RootCerts::new_with_certs(trusted);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
    let mut config = Agent::config_builder();
    // A proxy is another machine, on which the same address is another server.
    if is_loopback(server) {
        config = config.proxy(None);
    }
    config
        .tls_config(tls)
        .http_status_as_error(false)
        .https_only(true)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_per_read(Some(LONGEST_WAIT))
        .user_agent(concat!("steadfast/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent()
}

fn unreachable(server: &str, error: &ureq::Error) -> Failure {
    let reason = match error {
        error if is_not_tls(error) => SPEAKS_NO_TLS.to_owned(),
        ureq::Error::Rustls(tls) => not_trusted(tls),
        // What fails in the handshake comes as bytes that are not as they should be.
        ureq::Error::Io(io) if io.kind() == ErrorKind::InvalidData => not_trusted(io),
        ureq::Error::Io(io) if io.kind() == ErrorKind::ConnectionRefused => {
            "nothing listens there; is 'steadfast up' running?".to_owned()
        }
        ureq::Error::Timeout(Timeout::PerRead) => "it is silent; is the network there?".to_owned(),
        other => other.to_string(),
    };
    Failure::Unreachable { server: server.to_owned(), reason, is_cut: is_cut(error) }
}

fn is_loopback(server: &str) -> bool {
    Address::parse(server).is_ok_and(|address| address.is_loopback())
}

/// True if the server was there and ended the connection, as one does that is about to stop or start.
fn is_cut(error: &ureq::Error) -> bool {
    let ureq::Error::Io(error) = error else { return false };
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof
    )
}

/// True if what answered speaks no TLS, as the page's port for browsers of its own machine.
fn is_not_tls(error: &ureq::Error) -> bool {
    matches!(of_tls(error), Some(rustls::Error::InvalidMessage(_)))
}

/// True if what answered showed a certificate, which is not trusted.
fn is_of_certificate(error: &ureq::Error) -> bool {
    matches!(of_tls(error), Some(rustls::Error::InvalidCertificate(_)))
}

fn of_tls(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(tls) => Some(tls),
        ureq::Error::Io(io) => io.get_ref().and_then(|cause| cause.downcast_ref()),
        _ => None,
    }
}

fn not_trusted(error: &dyn std::error::Error) -> String {
    format!(
        "its certificate is not trusted ({error}); name the CA certificate of that very server with --ca, or, if it was \
         made anew, run 'steadfast up' again on its machine"
    )
}

/// One segment of a path, so that any name is one segment.
pub fn segment(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

const SPEAKS_NO_TLS: &str = "what answers does not speak TLS there; the server's port is the one after 'API, agents' in \
    what 'steadfast up' says";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The server gives a sign of life every 15 seconds: three of them are missing then.
const MOST_SILENCE: Duration = Duration::from_secs(45);
/// More than the server gives a query, three minutes and the wait for a place, where nobody has set it to more.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// The server caps a query's rows at 64 MB of values; JSON's quotes and escapes may double them.
const ANSWER_LIMIT_BYTES: u64 = 256 * 1024 * 1024;
const PROBLEM_LIMIT_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;

    use fim_server::{Server, ServerConfig};

    use super::*;

    #[test]
    fn a_stream_that_is_silent_for_longer_than_a_server_that_lives_ends_with_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let config = ServerConfig {
            data_dir: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            ..ServerConfig::default()
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(Server::start(config)).unwrap();
        let profile = Profile {
            server: format!("https://{}", server.address()),
            ca_pem: Some(server.ca_pem().to_owned()),
            token: runtime.block_on(server.issue_owner_token()).unwrap(),
        };
        // A server that lives is silent for longer than that, as one is for good that is behind a dead connection.
        let impatient = Client { silence: Duration::from_secs(3), ..Client::new(profile).unwrap() };
        let lines = impatient.events("/workspaces/default/changes/stream").unwrap().lines();
        let first_error = lines.filter_map(Result::err).next();
        let cause = first_error.as_ref().and_then(|error| error.get_ref()?.downcast_ref());
        assert!(matches!(cause, Some(ureq::Error::Timeout(Timeout::PerRead))), "{first_error:?}");
        runtime.block_on(server.stop()).unwrap();
    }

    #[test]
    fn every_certificate_of_a_file_is_trusted_and_nothing_else_in_it() {
        let block = |label: &str, content: &str| {
            format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n")
        };
        let (first, second) = (block("CERTIFICATE", "AQID"), block("CERTIFICATE", "BAUG"));
        let key = block("PRIVATE KEY", "BwgJ");
        let found = certificates(&format!("a comment\n{first}{key}{second}")).unwrap();
        let contents: Vec<&[u8]> = found.iter().map(Certificate::der).collect();
        assert_eq!(contents, [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(certificates(&key).unwrap_err(), "it has no certificate");
        assert_eq!(certificates("").unwrap_err(), "it has no certificate");
    }

    #[test]
    fn any_name_is_one_segment_of_a_path() {
        assert_eq!(segment("web/../x?y=1 é"), "web%2F..%2Fx%3Fy%3D1%20%C3%A9");
        assert_eq!(segment("web-1_2.conf~"), "web-1_2.conf~");
    }
}
