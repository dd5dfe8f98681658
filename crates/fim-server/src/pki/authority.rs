//! The certificate authority and what it signs.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fim_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
    SerialNumber,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::clock::seconds_to_nanos;
use crate::data_dir::{private_folder, write_secret};

/// Why the authority cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenAuthorityError {
    /// Its folder cannot be made.
    #[error("cannot create {path}")]
    Create {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate is there without its key, or the reverse.
    #[error(
        "{path} is missing although its counterpart is there; restore it from a backup, since agents trust this authority"
    )]
    Half {
        /// What is missing.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{path} is damaged: {reason}; restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A certificate or key cannot be made.
    #[error("cannot make a certificate")]
    Make(#[source] rcgen::Error),
}

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The signing request is not one.
    #[error("the certificate signing request is not one: {0}")]
    BadRequest(String),
    /// Signing failed.
    #[error("cannot sign the certificate")]
    Sign(#[source] rcgen::Error),
}

/// A certificate for an agent.
#[derive(Clone, Debug)]
pub struct IssuedCertificate {
    /// The certificate.
    pub pem: String,
    /// When it is good no more.
    pub not_after: Timestamp,
}

/// The server's certificate authority.
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A certificate with its chain and its key.
pub(super) struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    pub not_after: Timestamp,
}

impl Authority {
    /// Opens the authority in `folder`, making it if there is none.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, OpenAuthorityError> {
        private_folder(folder)
            .map_err(|source| OpenAuthorityError::Create { path: folder.to_owned(), source })?;
        let certificate_path = folder.join("ca.pem");
        let key_path = folder.join("ca.key");
        match (certificate_path.exists(), key_path.exists()) {
            (true, true) => {}
            // The key is written first, so a lone key is a first start that was cut short.
            (false, _) => make_authority(&certificate_path, &key_path, now)?,
            (true, false) => return Err(OpenAuthorityError::Half { path: key_path }),
        }
        let pem = read(&certificate_path)?;
        let key = Zeroizing::new(read(&key_path)?);
        let damaged = |path: &Path, error: &dyn std::fmt::Display| OpenAuthorityError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let key = KeyPair::from_pem(&key).map_err(|error| damaged(&key_path, &error))?;
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| damaged(&certificate_path, &error))?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)
            .map_err(|error| damaged(&certificate_path, &error))?;
        Ok(Self { folder: folder.to_owned(), issuer, certificate })
    }

    /// The authority's certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs a certificate by which a machine proves that it is `machine`. Only the public key of the request is
    /// taken: what else it asks for, names above all, is not for it to say.
    pub fn issue(
        &self,
        csr_pem: &str,
        machine: Uuid,
        now: Timestamp,
    ) -> Result<IssuedCertificate, IssueError> {
        let request = CertificateSigningRequestParams::from_pem(csr_pem)
            .map_err(|error| IssueError::BadRequest(error.to_string()))?;
        let not_after = now.plus_nanos(seconds_to_nanos(AGENT_SECONDS));
        let mut params = params(&machine.to_string(), now, not_after);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&request.public_key, &self.issuer).map_err(IssueError::Sign)?;
        Ok(IssuedCertificate { pem: certificate.pem(), not_after })
    }

    /// The server's own certificate: the one that is there if it is good for a while yet and for all of `names`, or a
    /// new one.
    pub(super) fn server_identity(
        &self,
        names: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<Identity, OpenAuthorityError> {
        let certificate_path = self.folder.join("server.pem");
        let key_path = self.folder.join("server.key");
        if let Some(identity) = self.kept_identity(&certificate_path, &key_path, names, now) {
            return Ok(identity);
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(OpenAuthorityError::Make)?;
        let not_after = now.plus_nanos(seconds_to_nanos(SERVER_SECONDS));
        let mut params = params("Steadfast server", now, not_after);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.subject_alt_names = names.iter().filter_map(|name| alternative_name(name)).collect();
        let certificate = params.signed_by(&key, &self.issuer).map_err(OpenAuthorityError::Make)?;
        let write = |path: &Path, text: &str| {
            write_secret(path, text.as_bytes())
                .map_err(|source| OpenAuthorityError::Write { path: path.to_owned(), source })
        };
        write(&key_path, &Zeroizing::new(key.serialize_pem()))?;
        write(&certificate_path, &certificate.pem())?;
        tracing::info!(names = ?names, "made a certificate for this server");
        let key = PrivateKeyDer::try_from(key.serialize_der())
            .map_err(|reason| OpenAuthorityError::Damaged { path: key_path, reason: reason.to_owned() })?;
        Ok(Identity { chain: vec![certificate.der().clone(), self.certificate.clone()], key, not_after })
    }

    /// The certificate on disk, unless it is missing, damaged, old, for other names or by another authority.
    fn kept_identity(
        &self,
        certificate_path: &Path,
        key_path: &Path,
        names: &BTreeSet<String>,
        now: Timestamp,
    ) -> Option<Identity> {
        let der = CertificateDer::from_pem_file(certificate_path).ok()?;
        let key = PrivateKeyDer::from_pem_file(key_path).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let (_, authority) = X509Certificate::from_der(&self.certificate).ok()?;
        certificate.verify_signature(Some(authority.public_key())).ok()?;
        let not_after = Timestamp(certificate.validity().not_after.timestamp().saturating_mul(1_000_000_000));
        let is_fresh = not_after.nanos_since(now) > seconds_to_nanos(RENEW_SECONDS)
            && certificate.validity().not_before.timestamp() <= now.0 / 1_000_000_000;
        let covered = covered_names(&certificate)?;
        (is_fresh && names.is_subset(&covered)).then(|| Identity {
            chain: vec![der.clone(), self.certificate.clone()],
            key,
            not_after,
        })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &fingerprint_of(&self.certificate))
            .finish_non_exhaustive()
    }
}

fn make_authority(
    certificate_path: &Path,
    key_path: &Path,
    now: Timestamp,
) -> Result<(), OpenAuthorityError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(OpenAuthorityError::Make)?;
    let mut params = params("Steadfast CA", now, now.plus_nanos(seconds_to_nanos(AUTHORITY_SECONDS)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Two servers' authorities must not be taken for each other.
    params.distinguished_name.push(DnType::OrganizationalUnitName, Uuid::new_v4().to_string());
    let certificate = params.self_signed(&key).map_err(OpenAuthorityError::Make)?;
    let write = |path: &Path, text: &str| {
        write_secret(path, text.as_bytes())
            .map_err(|source| OpenAuthorityError::Write { path: path.to_owned(), source })
    };
    write(key_path, &Zeroizing::new(key.serialize_pem()))?;
    write(certificate_path, &certificate.pem())
}

fn params(common_name: &str, now: Timestamp, not_after: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    let moment = |time: Timestamp| {
        rcgen::date_time_ymd(1970, 1, 1)
            + Duration::from_secs(u64::try_from(time.0 / 1_000_000_000).unwrap_or(0))
    };
    // An hour back, for machines whose clocks are behind.
    params.not_before = moment(now.plus_nanos(-seconds_to_nanos(3600)));
    params.not_after = moment(not_after);
    params.serial_number = Some(SerialNumber::from_slice(Uuid::new_v4().as_bytes()));
    params.use_authority_key_identifier_extension = true;
    params
}

fn alternative_name(name: &str) -> Option<SanType> {
    match name.parse::<IpAddr>() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => name.to_owned().try_into().ok().map(SanType::DnsName),
    }
}

fn covered_names(certificate: &X509Certificate<'_>) -> Option<BTreeSet<String>> {
    let names = certificate.subject_alternative_name().ok()??;
    let name_text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|octets| IpAddr::from(octets).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|octets| IpAddr::from(octets).to_string()),
            _ => None,
        },
        _ => None,
    };
    Some(names.value.general_names.iter().filter_map(name_text).collect())
}

fn read(path: &Path) -> Result<String, OpenAuthorityError> {
    fs::read_to_string(path).map_err(|source| OpenAuthorityError::Read { path: path.to_owned(), source })
}

/// A certificate's SHA-256 in lower-case hex.
pub(super) fn fingerprint_of(certificate: &[u8]) -> String {
    hex::encode(Sha256::digest(certificate))
}

/// 20 years.
const AUTHORITY_SECONDS: u64 = 20 * 365 * 24 * 3600;
/// A year.
const SERVER_SECONDS: u64 = 365 * 24 * 3600;
/// 30 days before its end the server's certificate is made anew.
const RENEW_SECONDS: u64 = 30 * 24 * 3600;
/// A year.
const AGENT_SECONDS: u64 = 365 * 24 * 3600;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);

    #[test]
    fn the_authority_stays_the_same_and_its_key_is_secret() {
        let dir = tempfile::tempdir().unwrap();
        let first = Authority::open(dir.path(), NOW).unwrap().certificate().clone();
        assert_eq!(Authority::open(dir.path(), NOW).unwrap().certificate().clone(), first);
        for secret in ["ca.key", "ca.pem"] {
            let mode = fs::metadata(dir.path().join(secret)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{secret}");
        }
    }

    #[test]
    fn a_lost_key_is_not_replaced_in_silence() {
        let dir = tempfile::tempdir().unwrap();
        Authority::open(dir.path(), NOW).unwrap();
        fs::remove_file(dir.path().join("ca.key")).unwrap();
        assert!(matches!(Authority::open(dir.path(), NOW), Err(OpenAuthorityError::Half { .. })));
    }

    #[test]
    fn the_server_s_certificate_is_kept_until_it_is_old_or_lacks_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path(), NOW).unwrap();
        let names = |extra: &[&str]| {
            ["localhost", "127.0.0.1", "::1"]
                .iter()
                .chain(extra)
                .map(ToString::to_string)
                .collect::<BTreeSet<_>>()
        };
        let leaf =
            |names: &BTreeSet<String>, now| authority.server_identity(names, now).unwrap().chain[0].clone();
        let first = leaf(&names(&[]), NOW);
        assert_eq!(leaf(&names(&[]), NOW), first);
        let named = leaf(&names(&["fim.example.org"]), NOW);
        assert_ne!(named, first);
        assert_eq!(leaf(&names(&[]), NOW), named);
        let nearly_a_year = NOW.plus_nanos(seconds_to_nanos(340 * 24 * 3600));
        assert_ne!(leaf(&names(&[]), nearly_a_year), named);
    }

    #[test]
    fn an_agent_is_called_what_the_server_says_and_not_what_it_asks_for() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path(), NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut asked = CertificateParams::new(vec!["evil.example".to_owned()]).unwrap();
        asked.distinguished_name.push(DnType::CommonName, "00000000-0000-0000-0000-000000000001");
        asked.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let csr = asked.serialize_request(&key).unwrap().pem().unwrap();
        let machine = Uuid::from_u128(7);
        let issued = authority.issue(&csr, machine, NOW).unwrap();
        let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
        assert_eq!(super::super::machine_of(&der).map(|certified| certified.id), Some(machine));
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        assert!(certificate.subject_alternative_name().unwrap().is_none());
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth);
    }

    #[test]
    fn garbage_is_no_signing_request() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path(), NOW).unwrap();
        for garbage in
            ["", "hello", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
        {
            assert!(matches!(authority.issue(garbage, Uuid::nil(), NOW), Err(IssueError::BadRequest(_))));
        }
    }
}
