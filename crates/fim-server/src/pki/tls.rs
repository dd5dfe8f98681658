//! TLS as the server speaks it: 1.2 and 1.3 by ring, with a client certificate if the caller has one.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fim_core::Timestamp;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig as RustlsConfig};
use uuid::Uuid;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::authority::{Authority, Identity, OpenAuthorityError};
use crate::clock::Clock;
use crate::config::{ServerConfig, TlsConfig};

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum MakeTlsError {
    /// The server's own certificate cannot be had.
    #[error("cannot make this server's certificate")]
    Own(#[from] OpenAuthorityError),
    /// The configured certificate or key cannot be read.
    #[error("cannot read {path}; it must be a PEM file that this user may read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::pki_types::pem::Error,
    },
    /// The configured certificate and key are not a pair, or of a kind that is not known.
    #[error("the certificate {path} and its key do not work together")]
    Mismatch {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The library refuses the configuration.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
    /// The library refuses the authority.
    #[error("cannot set up the check of agents' certificates")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

/// TLS with a certificate that can be renewed while the server runs.
#[derive(Debug)]
pub struct ServerTls {
    config: Arc<RustlsConfig>,
    current: Arc<CurrentCertificate>,
    names: BTreeSet<String>,
    /// When the server's own certificate ends; `None` for a configured one, which its owner renews.
    not_after: RwLock<Option<Timestamp>>,
    trust_pem: String,
    fingerprint: String,
    provider: Arc<CryptoProvider>,
}

impl ServerTls {
    /// Makes it from the configuration; `authority` signs what is not configured.
    pub fn new(authority: &Authority, config: &ServerConfig, clock: &Clock) -> Result<Self, MakeTlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let names = certificate_names(config);
        let (key, not_after) = match configured(&config.tls, &provider)? {
            Some(key) => (key, None),
            None => {
                let identity = authority.server_identity(&names, clock.now())?;
                let not_after = identity.not_after;
                (certified(identity, &provider)?, Some(not_after))
            }
        };
        // The chain ends with what callers are to trust: our authority, or the root of the configured certificate.
        let anchor = key.cert.last().cloned().unwrap_or_else(|| authority.certificate().clone());
        let current = Arc::new(CurrentCertificate(RwLock::new(Arc::new(key))));
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().clone()).map_err(MakeTlsError::Setup)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(MakeTlsError::Verifier)?;
        let time = Arc::new(ClockTime(clock.clone()));
        let mut tls = RustlsConfig::builder_with_details(Arc::clone(&provider), time)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(MakeTlsError::Setup)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session would carry the certificate of its first handshake past its end.
        tls.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        tls.send_tls13_tickets = 0;
        Ok(Self {
            config: Arc::new(tls),
            current,
            names,
            not_after: RwLock::new(not_after),
            trust_pem: to_pem(&anchor),
            fingerprint: super::authority::fingerprint_of(&anchor),
            provider,
        })
    }

    /// What connections are accepted with.
    pub fn config(&self) -> Arc<RustlsConfig> {
        Arc::clone(&self.config)
    }

    /// The certificate that callers are to trust, as PEM.
    pub fn trust_pem(&self) -> &str {
        &self.trust_pem
    }

    /// The SHA-256 of that certificate, in lower-case hex: what agents pin.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Makes the server's own certificate anew if its end is near.
    pub fn renew(&self, authority: &Authority, now: Timestamp) -> Result<(), MakeTlsError> {
        if self.not_after.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Ok(());
        }
        let identity = authority.server_identity(&self.names, now)?;
        let not_after = identity.not_after;
        let key = certified(identity, &self.provider)?;
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        *self.not_after.write().unwrap_or_else(PoisonError::into_inner) = Some(not_after);
        Ok(())
    }
}

/// A machine as a verified certificate names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CertifiedMachine {
    /// The machine.
    pub id: Uuid,
    /// When the certificate ends: a connection may stay open for longer.
    pub until: Timestamp,
}

/// The machine that a verified certificate names.
pub fn machine_of(certificate: &CertificateDer<'_>) -> Option<CertifiedMachine> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    let until = certificate.validity().not_after.timestamp().saturating_mul(1_000_000_000);
    Some(CertifiedMachine { id: Uuid::parse_str(name).ok()?, until: Timestamp(until) })
}

/// The names that the server's own certificate must be good for.
fn certificate_names(config: &ServerConfig) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if let Some(host) = host_name() {
        names.insert(host);
    }
    if !config.listen.ip().is_unspecified() {
        names.insert(config.listen.ip().to_string());
    }
    names.extend(config.names.iter().cloned());
    names
}

/// The machine's name, if it is one that a certificate can carry.
pub fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_ascii_lowercase();
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.split('.').all(is_plain).then_some(name)
}

/// The configured certificate with its chain and its key.
fn configured(config: &TlsConfig, provider: &CryptoProvider) -> Result<Option<CertifiedKey>, MakeTlsError> {
    let (Some(certificate_path), Some(key_path)) = (&config.certificate, &config.key) else {
        return Ok(None);
    };
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| MakeTlsError::Read { path, source }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate_path)
        .map_err(read(certificate_path))?
        .collect::<Result<_, _>>()
        .map_err(read(certificate_path))?;
    let key = PrivateKeyDer::from_pem_file(key_path).map_err(read(key_path))?;
    CertifiedKey::from_der(chain, key, provider)
        .map(Some)
        .map_err(|source| MakeTlsError::Mismatch { path: certificate_path.clone(), source })
}

fn certified(identity: Identity, provider: &CryptoProvider) -> Result<CertifiedKey, MakeTlsError> {
    CertifiedKey::from_der(identity.chain, identity.key, provider).map_err(MakeTlsError::Setup)
}

fn to_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// The certificate that is in use.
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for CurrentCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentCertificate")
    }
}

/// The server's clock as certificates are judged by.
#[derive(Debug)]
struct ClockTime(Clock);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().0)
            .ok()
            .map(|nanos| UnixTime::since_unix_epoch(Duration::from_nanos(nanos)))
    }
}
