//! Renewal of the agent's certificate, before it expires and under the same machine id.

use fim_core::Timestamp;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use thiserror::Error;

use crate::client::{CallError, ServerClient};
use crate::enroll::certificate_request;
use crate::identity::{DataDir, Identity, IdentityError, certificate_expiry, certificate_start};

/// Why the certificate was not renewed. The one that is there goes on to be used.
#[derive(Debug, Error)]
pub(crate) enum RenewError {
    /// What is kept of the identity could not be read, or not be replaced.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key could not be made.
    #[error("cannot make a key for this machine")]
    Key(#[source] rcgen::Error),
    /// The server did not give a certificate.
    #[error("cannot renew the certificate")]
    Call(#[source] CallError),
    /// The server gave something that is no certificate.
    #[error("the server gave a certificate that cannot be read")]
    BadCertificate,
}

/// When the certificate should be renewed: two thirds through its life, so that a server that is away for months is
/// no trouble. Nothing if the certificate cannot be read.
pub(crate) fn renewal_due(certificate_pem: &str) -> Option<Timestamp> {
    let (start, end) = (certificate_start(certificate_pem)?, certificate_expiry(certificate_pem)?);
    Some(start.plus_nanos(end.nanos_since(start).max(0) / 3 * 2))
}

/// Asks the server for a new certificate for a new key, and keeps both in the place of the old ones.
///
/// The old certificate stays valid until it expires, so that a crash at any moment leaves one that can be used.
pub(crate) fn renew(dir: &DataDir, client: &ServerClient) -> Result<Identity, RenewError> {
    let identity = dir.identity()?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(RenewError::Key)?;
    let request = certificate_request(&key, &identity.machine_id.to_string()).map_err(RenewError::Key)?;
    let certificate_pem = client.renew(&request).map_err(RenewError::Call)?;
    if certificate_expiry(&certificate_pem).is_none() {
        return Err(RenewError::BadCertificate);
    }
    let renewed = Identity { certificate_pem, key_pem: key.serialize_pem(), ..identity };
    dir.keep_identity(&renewed)?;
    Ok(renewed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, date_time_ymd};

    #[test]
    fn a_certificate_is_renewed_two_thirds_through_its_life() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 1, 31);
        let pem = params.self_signed(&key).unwrap().pem();
        let due = date_time_ymd(2026, 1, 21).unix_timestamp();
        assert_eq!(renewal_due(&pem), Some(Timestamp(due * 1_000_000_000)));
        assert_eq!(renewal_due("nonsense"), None);
    }
}
