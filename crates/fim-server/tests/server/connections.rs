//! Connections as a caller drives them byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::running::{PATIENCE, Running};

/// A connection with TLS that nobody drives but the test.
struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    fn open(running: &Running) -> std::io::Result<Self> {
        let address = running.server().address();
        let authority = CertificateDer::from_pem_slice(running.server().ca_pem().as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(authority).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::from(address.ip());
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(StreamOwned::new(session, socket)))
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// All that comes until the server closes.
    fn read_to_end(&mut self) -> std::io::Result<String> {
        let mut text = String::new();
        self.0.read_to_string(&mut text)?;
        Ok(text)
    }
}

#[test]
fn who_sends_a_body_that_is_refused_and_reads_afterwards_gets_the_answer() {
    let running = Running::start();
    let token = running.owner_token();
    let body = vec![b'a'; 4 << 20];
    let credentials = format!("authorization: Bearer {token}\r\n");
    for (credentials, status, detail) in
        [(credentials.as_str(), "413", "send less at a time"), ("", "401", "sign in")]
    {
        let head = format!(
            "POST /api/v1/workspaces/default/query HTTP/1.1\r\nhost: localhost\r\n{credentials}\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        for time in 1..=20 {
            let mut connection = Connection::open(&running).unwrap();
            let sent = connection.send(head.as_bytes()).and_then(|()| connection.send(&body));
            let answer = sent.and_then(|()| connection.read_to_end());
            let answer = answer.unwrap_or_else(|error| panic!("{status}, time {time}: {error}"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            assert!(answer.contains(detail), "{answer}");
        }
    }
}
