//! Whom the sensor trusts: the one certificate authority that its fingerprint or its file names.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use ureq::http::Uri;

use crate::client::CallError;
use crate::fingerprint::Fingerprint;
use crate::time::rfc3339;

/// The cryptography that the sensor uses, named so that no other is picked by a feature of some crate.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Greets the server and returns its certificate authority, which must have the pinned fingerprint.
///
/// The server's certificate must be valid now, for the server's name, and signed by that authority; the server has
/// to send the authority's certificate in its chain.
pub(crate) fn fetch_authority(
    server: &str,
    pin: Fingerprint,
    timeout: Duration,
) -> Result<CertificateDer<'static>, CallError> {
    let unreachable = |source: io::Error| call_error(server, source);
    let (host, port) = host_and_port(server)?;
    let name = ServerName::try_from(host.clone())
        .map_err(|_| CallError::BadAddress { server: server.to_owned(), why: "the host is no valid name" })?;
    let verifier = Arc::new(PinnedVerifier { pin, provider: provider(), authority: Mutex::new(None) });
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(io::Error::other(error)))?
        .dangerous()
        .with_custom_certificate_verifier(verifier.clone())
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| unreachable(io::Error::other(error)))?;
    let mut socket = connect(&host, port, timeout).map_err(unreachable)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket).map_err(unreachable)?;
    }
    connection.send_close_notify();
    let _ = connection.complete_io(&mut socket);
    let authority = verifier.authority.lock().unwrap_or_else(PoisonError::into_inner).take();
    authority.ok_or_else(|| unreachable(io::Error::other("the server showed no certificate")))
}

/// Says what is wrong with the server's certificate, where that is why a connection failed.
pub(crate) fn call_error(server: &str, error: io::Error) -> CallError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => tls_error(server, tls),
        None => CallError::Unreachable { server: server.to_owned(), source: error },
    }
}

/// Says what is wrong with the server's certificate, or with ours.
pub(crate) fn tls_error(server: &str, error: &rustls::Error) -> CallError {
    use rustls::{AlertDescription, Error};
    let server = server.to_owned();
    let why = match error {
        Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => {
            let expired = rfc3339(timestamp(*not_after));
            format!(
                "its certificate expired on {expired}; renew it on the server, or check this machine's clock"
            )
        }
        Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
            let valid = rfc3339(timestamp(*not_before));
            format!("its certificate is valid only from {valid}; check this machine's clock")
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            "its certificate is not for this name; use the name or address that the certificate was made for"
                .into()
        }
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            match other.0.downcast_ref::<NotPinned>() {
                Some(not_pinned) => not_pinned.to_string(),
                None => error.to_string(),
            }
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "its certificate is not signed by the certificate authority that this agent trusts".into()
        }
        Error::AlertReceived(
            AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateRequired,
        ) => return CallError::OwnCertificate { server, why: error.to_string() },
        other => other.to_string(),
    };
    CallError::Untrusted { server, why }
}

/// The host and the port of the server's address, which must be `https://HOST[:PORT]`.
pub(crate) fn host_and_port(server: &str) -> Result<(String, u16), CallError> {
    let bad = |why| CallError::BadAddress { server: server.to_owned(), why };
    let uri: Uri = server.parse().map_err(|_| bad("it is no address"))?;
    if uri.scheme_str() != Some("https") {
        return Err(bad("it must begin with https://"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(bad("it must end after the host and the port"));
    }
    let host = uri.host().ok_or_else(|| bad("it has no host"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok((host, uri.port_u16().unwrap_or(443)))
}

fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(socket) => {
                socket.set_read_timeout(Some(timeout))?;
                socket.set_write_timeout(Some(timeout))?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn timestamp(time: UnixTime) -> fim_core::Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    fim_core::Timestamp(seconds.saturating_mul(1_000_000_000))
}

/// Trusts a chain that has the certificate with the pinned fingerprint, and is valid with that one as its root.
#[derive(Debug)]
struct PinnedVerifier {
    pin: Fingerprint,
    provider: Arc<CryptoProvider>,
    authority: Mutex<Option<CertificateDer<'static>>>,
}

/// Why a chain does not match the pin.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "none of the certificates it showed has the fingerprint {pin}; its last one has {shown}. Either the fingerprint \
     is of another server, or somebody is between this machine and the server"
)]
struct NotPinned {
    pin: Fingerprint,
    shown: Fingerprint,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = || std::iter::once(end_entity).chain(intermediates);
        let Some(authority) = chain().find(|certificate| Fingerprint::of(certificate) == self.pin) else {
            let shown = Fingerprint::of(intermediates.last().unwrap_or(end_entity));
            let why = Arc::new(NotPinned { pin: self.pin, shown });
            return Err(CertificateError::Other(rustls::OtherError(why)).into());
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verified = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        *self.authority.lock().unwrap_or_else(PoisonError::into_inner) = Some(authority.clone().into_owned());
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
