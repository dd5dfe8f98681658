//! A small TLS server that speaks the agents' part of the API, with its own certificate authority, and fails on demand.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fim_wire::{Batch, Limits, Report, decode_batch};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What the server does with a batch, before it goes on to store what comes.
#[derive(Clone, Copy, Debug)]
pub enum Mishap {
    /// Answers with that status, and asks for a pause of so many seconds if there are any.
    Refuse(u16, Option<u64>),
    /// Stores the batch, and closes the connection without an answer.
    StoreUnheard,
    /// Stores the batch, and answers only once [`Ledger::is_released`].
    Hold,
}

/// What the server has seen, and what it shall do.
#[derive(Default)]
pub struct Ledger {
    /// Mishaps for the batches that come next.
    pub mishaps: VecDeque<Mishap>,
    /// Answers that are held may go.
    pub is_released: bool,
    /// A call for the settings that may wait is held until there are others.
    pub holds_settings: bool,
    /// Calls that were held.
    pub held: u64,
    /// Seconds between heartbeats.
    pub heartbeat_seconds: u64,
    /// Settings are answered with that status.
    pub settings_refusal: Option<u16>,
    /// A batch with a report of this name in it is refused for good.
    pub poison: Option<String>,
    /// The settings.
    pub settings: serde_json::Value,
    /// Requests by their path.
    pub requests: Vec<String>,
    /// Bodies of enrolments.
    pub enrolments: Vec<String>,
    /// Heartbeats.
    pub heartbeats: Vec<serde_json::Value>,
    /// Reports, as stored.
    pub reports: Vec<Report>,
    /// How many batches came that were stored before.
    pub repeats: u64,
    highest: BTreeMap<[u8; 16], u64>,
    /// How long certificates are valid that are given out: until that year.
    pub certificate_year: i32,
}

/// The server. It ends when it is dropped.
pub struct TestServer {
    address: String,
    ledger: Arc<(Mutex<Ledger>, Condvar)>,
    is_stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

pub const MACHINE: &str = "6f1c2f3e-0000-4000-8000-000000000007";

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    pub fn der(&self) -> &CertificateDer<'static> {
        self.issuer.der()
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn server_certificate(&self, until_year: i32) -> (CertificateDer<'static>, KeyPair) {
        let mut params =
            CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until_year, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().der().clone(), key)
    }

    fn sign_request(&self, pem: &str, until_year: i32) -> String {
        let mut request = CertificateSigningRequestParams::from_pem(pem).unwrap();
        request.params.distinguished_name = rcgen::DistinguishedName::new();
        request.params.distinguished_name.push(DnType::CommonName, MACHINE);
        request.params.not_before = date_time_ymd(2020, 1, 1);
        request.params.not_after = date_time_ymd(until_year, 1, 1);
        request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        request.signed_by(&self.issuer).unwrap().pem()
    }
}

impl TestServer {
    /// Starts a server whose certificate is valid until that year.
    pub fn start(authority: Authority, until_year: i32) -> Self {
        let (certificate, key) = authority.server_certificate(until_year);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(
                vec![certificate, authority.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Ledger { certificate_year: 2099, heartbeat_seconds: 1, ..Ledger::default() };
        let ledger = Arc::new((Mutex::new(ledger), Condvar::new()));
        let is_stopping = Arc::new(AtomicBool::new(false));
        let accepting = {
            let (ledger, is_stopping) = (Arc::clone(&ledger), Arc::clone(&is_stopping));
            let authority = Arc::new(authority);
            std::thread::spawn(move || {
                for socket in listener.incoming() {
                    if is_stopping.load(Ordering::SeqCst) {
                        return;
                    }
                    let (ledger, config, authority) =
                        (Arc::clone(&ledger), Arc::clone(&config), Arc::clone(&authority));
                    std::thread::spawn(move || {
                        let _ = serve(socket.unwrap(), config, &authority, &ledger);
                    });
                }
            })
        };
        Self {
            address: format!("https://127.0.0.1:{}", address.port()),
            ledger,
            is_stopping,
            accepting: Some(accepting),
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Lets the answers go that are held.
    pub fn release(&self) {
        self.ledger().is_released = true;
        self.ledger.1.notify_all();
    }

    /// Has other settings from now on, and answers the calls with them that are held.
    pub fn set_settings(&self, settings: serde_json::Value) {
        self.ledger().settings = settings;
        self.ledger.1.notify_all();
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.0.lock().unwrap()
    }

    /// Waits until what the server has seen fulfils the condition.
    pub fn wait_for(&self, what: &str, is_fulfilled: impl Fn(&Ledger) -> bool) -> MutexGuard<'_, Ledger> {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut ledger = self.ledger();
        while !is_fulfilled(&ledger) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited in vain for {what}; has {:?} after {:?}",
                ledger.reports,
                ledger.heartbeats.last()
            );
            ledger = self.ledger.1.wait_timeout(ledger, left).unwrap().0;
        }
        ledger
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address.trim_start_matches("https://"));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

struct Request {
    line: String,
    known_revision: Option<String>,
    may_wait: bool,
    body: Vec<u8>,
    shows_certificate: bool,
}

/// The status, more headers, and the body; nothing if the connection shall be closed without an answer.
type Answer = Option<(u16, String, Vec<u8>)>;

fn serve(
    socket: TcpStream,
    config: Arc<ServerConfig>,
    authority: &Authority,
    ledger: &(Mutex<Ledger>, Condvar),
) -> io::Result<()> {
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, socket));
    while let Some(request) = read_request(&mut stream)? {
        let answer = {
            let mut seen = ledger.0.lock().unwrap();
            let path = request.line.split(' ').nth(1).unwrap_or_default().to_owned();
            seen.requests.push(path.clone());
            let is_known =
                |seen: &Ledger| request.known_revision == Some(seen.settings["revision"].to_string());
            if path == "/agent/v1/settings" && seen.holds_settings && request.may_wait && is_known(&seen) {
                seen.held += 1;
                ledger.1.notify_all();
                while is_known(&seen) {
                    seen = ledger.1.wait(seen).unwrap();
                }
            }
            let is_held = path == "/agent/v1/batches" && matches!(seen.mishaps.front(), Some(Mishap::Hold));
            let answer = answer(&path, &request, authority, &mut seen);
            ledger.1.notify_all();
            while is_held && !seen.is_released {
                seen = ledger.1.wait(seen).unwrap();
            }
            answer
        };
        let Some((status, headers, body)) = answer else { return Ok(()) };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(&body)?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

fn read_request(
    stream: &mut BufReader<StreamOwned<ServerConnection, TcpStream>>,
) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    let mut known_revision = None;
    let mut may_wait = false;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "if-none-match" => known_revision = Some(value.trim().to_owned()),
            "prefer" => may_wait = value.trim().starts_with("wait="),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let shows_certificate = stream.get_ref().conn.peer_certificates().is_some();
    Ok(Some(Request { line, known_revision, may_wait, body, shows_certificate }))
}

fn answer(path: &str, request: &Request, authority: &Authority, seen: &mut Ledger) -> Answer {
    let json =
        |status, value: serde_json::Value| Some((status, String::new(), value.to_string().into_bytes()));
    if path == "/agent/v1/enroll" {
        return enroll(request, authority, seen);
    }
    if !request.shows_certificate {
        return json(401, serde_json::json!({"detail": "a client certificate is needed"}));
    }
    match path {
        "/agent/v1/settings" => {
            if let Some(status) = seen.settings_refusal {
                return json(status, serde_json::json!({"detail": "no settings today"}));
            }
            if request.known_revision == Some(seen.settings["revision"].to_string()) {
                return Some((304, String::new(), Vec::new()));
            }
            json(200, seen.settings.clone())
        }
        "/agent/v1/heartbeat" => {
            seen.heartbeats.push(serde_json::from_slice(&request.body).unwrap());
            json(
                200,
                serde_json::json!({
                    "settingsRevision": seen.settings["revision"],
                    "heartbeatSeconds": seen.heartbeat_seconds,
                }),
            )
        }
        "/agent/v1/certificate" => {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let certificate = authority.sign_request(body["csrPem"].as_str().unwrap(), seen.certificate_year);
            json(200, serde_json::json!({"certificatePem": certificate}))
        }
        "/agent/v1/batches" => take_batch(request, seen),
        _ => json(404, serde_json::json!({})),
    }
}

fn enroll(request: &Request, authority: &Authority, seen: &mut Ledger) -> Answer {
    let text = String::from_utf8(request.body.clone()).unwrap();
    let body: serde_json::Value = serde_json::from_str(&text).unwrap();
    seen.enrolments.push(text);
    let (status, answer) = if body["token"] == "good" {
        let certificate = authority.sign_request(body["csrPem"].as_str().unwrap(), seen.certificate_year);
        let answer = serde_json::json!({
            "machineId": MACHINE,
            "workspaceId": "11111111-0000-4000-8000-000000000001",
            "workspaceName": "default",
            "certificatePem": certificate,
            "caPem": authority.pem(),
            "notAfter": "2099-01-01T00:00:00Z",
        });
        (200, answer)
    } else {
        (401, serde_json::json!({"title": "not allowed", "detail": "the token has expired"}))
    };
    Some((status, String::new(), answer.to_string().into_bytes()))
}

fn take_batch(request: &Request, seen: &mut Ledger) -> Answer {
    let refuse = |status: u16, pause: Option<u64>| {
        let header = pause.map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
        Some((status, header, br#"{"detail":"not now"}"#.to_vec()))
    };
    let mishap = seen.mishaps.pop_front();
    if let Some(Mishap::Refuse(status, pause)) = mishap {
        return refuse(status, pause);
    }
    let plain = zstd::decode_all(&request.body[..]).unwrap();
    let batch: Batch = decode_batch(&plain, &Limits::default()).unwrap();
    let poison = seen.poison.clone();
    if poison.is_some_and(|poison| batch.events.iter().any(|report| path_of(report) == poison)) {
        return refuse(400, None);
    }
    let highest = seen.highest.entry(batch.epoch).or_default();
    if batch.sequence > *highest {
        *highest = batch.sequence;
        seen.reports.extend(batch.events);
    } else {
        seen.repeats += 1;
    }
    match mishap {
        Some(Mishap::StoreUnheard) => None,
        Some(Mishap::Refuse(..) | Mishap::Hold) | None => {
            let answer = serde_json::json!({"acknowledged": batch.sequence});
            Some((200, String::new(), answer.to_string().into_bytes()))
        }
    }
}

/// The path of the entity that changed; empty for a gap.
pub fn path_of(report: &Report) -> String {
    match report {
        Report::Change(event) => event.change.key.path().to_string(),
        Report::Gap(_) | Report::Listed(_) | Report::Inventory(_) => String::new(),
    }
}
