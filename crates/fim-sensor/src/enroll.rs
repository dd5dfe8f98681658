//! Enrolment: a token and a new key become an identity.

use std::io::ErrorKind;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use thiserror::Error;
use ureq::tls::Certificate;

use crate::client::{CallError, EnrollRequest, ServerClient};
use crate::fingerprint::Fingerprint;
use crate::identity::{DataDir, Identity, IdentityError, certificate_expiry};
use crate::tls;

/// How the server's certificate authority is known beforehand. One of them is needed: whoever enrols without would
/// trust whoever answers.
#[derive(Clone, Debug)]
pub enum TrustAnchor {
    /// Its SHA-256 fingerprint, which the server shows at its start and in its enrolment command.
    Fingerprint(Fingerprint),
    /// Its certificate as PEM.
    Certificate(String),
}

/// What a machine enrols with.
#[derive(Clone, Debug)]
pub struct Enrollment {
    /// The server's address, `https://HOST:PORT`.
    pub server: String,
    /// The token, good for one machine once.
    pub token: Token,
    /// How the server is known.
    pub trust: TrustAnchor,
    /// The machine's name.
    pub machine_name: String,
    /// Which system it is: `Linux` or `Windows`.
    pub os_type: &'static str,
    /// The operating system's name and version, for people.
    pub os_name: String,
    /// The version of the program that enrols.
    pub agent_version: String,
}

/// A secret text that no log shows.
#[derive(Clone, Eq, PartialEq)]
pub struct Token(String);

/// Why a machine could not be enrolled. Nothing is changed then.
#[derive(Debug, Error)]
pub enum EnrollError {
    /// The call had no success.
    #[error("cannot enrol this machine")]
    Call(#[source] CallError),
    /// Nobody is there.
    #[error(
        "cannot enrol this machine: nothing listens at {server}; is the server running, and can this machine reach it? \
         Its own machine prints the address with `steadfast machine enroll-token`"
    )]
    NothingListens {
        /// The server's address.
        server: String,
    },
    /// The token is not one that the server takes.
    #[error("the server {server} refused the token: {detail}")]
    Token {
        /// The server's address.
        server: String,
        /// The server's words.
        detail: String,
    },
    /// The key could not be made.
    #[error("cannot make a key for this machine")]
    Key(#[source] rcgen::Error),
    /// The file given as the authority has no certificate.
    #[error("the authority's file has no certificate in PEM form")]
    BadAuthority,
    /// The server gave another authority than the one it proved.
    #[error(
        "the server {server} gave the certificate authority {given}, but {expected} was asked for; ask its administrator"
    )]
    OtherAuthority {
        /// The server's address.
        server: String,
        /// The fingerprint of what it gave.
        given: Fingerprint,
        /// The fingerprint that was pinned.
        expected: Fingerprint,
    },
    /// The server's answer cannot be used.
    #[error("the server {server} gave a certificate that cannot be read")]
    BadCertificate {
        /// The server's address.
        server: String,
    },
    /// The identity could not be kept.
    #[error(transparent)]
    Keep(#[from] IdentityError),
}

impl Token {
    /// The token in that text, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// True if it has no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, to be sent to the server and nowhere else.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Enrols the machine, and keeps the identity in `dir`, replacing one that is there.
///
/// The server is proved by the trust anchor before the token is sent. The private key is made here and stays here.
pub fn enroll(dir: &DataDir, enrollment: &Enrollment) -> Result<Identity, EnrollError> {
    let _lock = dir.lock()?;
    let server = enrollment.server.trim_end_matches('/');
    let authority = authority(server, &enrollment.trust)?;
    let pin = Fingerprint::of(&authority);
    let trusted = Certificate::from_der(&authority).to_owned();
    let client = ServerClient::new(server, trusted, None).map_err(EnrollError::Call)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(EnrollError::Key)?;
    let request = certificate_request(&key, &enrollment.machine_name).map_err(EnrollError::Key)?;
    let answer = client
        .enroll(&EnrollRequest {
            token: enrollment.token.reveal(),
            machine_name: &enrollment.machine_name,
            os_type: enrollment.os_type,
            os_name: &enrollment.os_name,
            agent_version: &enrollment.agent_version,
            csr_pem: &request,
        })
        .map_err(enroll_error)?;
    let given = CertificateDer::from_pem_slice(answer.ca_pem.as_bytes())
        .map_err(|_| EnrollError::BadCertificate { server: server.to_owned() })?;
    if Fingerprint::of(&given) != pin {
        let (server, given) = (server.to_owned(), Fingerprint::of(&given));
        return Err(EnrollError::OtherAuthority { server, given, expected: pin });
    }
    if certificate_expiry(&answer.certificate_pem).is_none() {
        return Err(EnrollError::BadCertificate { server: server.to_owned() });
    }
    let identity = Identity {
        server: server.to_owned(),
        machine_id: answer.machine_id,
        workspace_id: answer.workspace_id,
        workspace_name: answer.workspace_name,
        ca_fingerprint: pin.to_string(),
        ca_pem: answer.ca_pem,
        certificate_pem: answer.certificate_pem,
        key_pem: key.serialize_pem(),
    };
    dir.keep_identity(&identity)?;
    Ok(identity)
}

/// The identity in `dir`, if it is one with that server and no other: the address is the same, and so is the authority,
/// since an address may be anybody's.
///
/// # Errors
///
/// Fails if the trust anchor is a text without a certificate.
pub fn enrolled_with(
    dir: &DataDir,
    server: &str,
    trust: &TrustAnchor,
) -> Result<Option<Identity>, EnrollError> {
    let pin = match trust {
        TrustAnchor::Fingerprint(pin) => *pin,
        TrustAnchor::Certificate(pem) => Fingerprint::of(&certificate(pem)?),
    };
    let is_with = |identity: &Identity| {
        identity.server == server.trim_end_matches('/') && identity.ca_fingerprint == pin.to_string()
    };
    Ok(dir.identity().ok().filter(is_with))
}

fn authority(server: &str, trust: &TrustAnchor) -> Result<CertificateDer<'static>, EnrollError> {
    match trust {
        TrustAnchor::Fingerprint(pin) => {
            tls::fetch_authority(server, *pin, HANDSHAKE_TIMEOUT).map_err(enroll_error)
        }
        TrustAnchor::Certificate(pem) => certificate(pem),
    }
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, EnrollError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| EnrollError::BadAuthority)
}

/// The request for a certificate. The server decides what the certificate says; the name in here is for its logs.
pub(crate) fn certificate_request(key: &KeyPair, machine_name: &str) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, machine_name);
    params.serialize_request(key)?.pem()
}

fn enroll_error(error: CallError) -> EnrollError {
    match error {
        CallError::Refused { server, status: 401, detail } => EnrollError::Token { server, detail },
        CallError::Unreachable { server, source } if source.kind() == ErrorKind::ConnectionRefused => {
            EnrollError::NothingListens { server }
        }
        other => EnrollError::Call(other),
    }
}

/// The name in that text, without the white space around it, if the server takes it as a machine's.
pub fn machine_name(text: &str) -> Option<String> {
    let name = text.trim();
    let is_name =
        !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(fim_core::is_hidden);
    is_name.then(|| name.to_owned())
}

/// Characters of a machine's name at most, as the server takes it.
pub const LONGEST_NAME: usize = 255;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
