//! The server's own certificate authority, its certificate, and those of the agents.
//!
//! The authority is made at the first start and lives as long as the data directory. Agents pin it by the SHA-256 of
//! its certificate; it signs nothing but this server's certificate and the agents'.

mod authority;
mod tls;

pub use authority::{Authority, IssueError, IssuedCertificate, OpenAuthorityError};
pub use tls::{CertifiedMachine, MakeTlsError, ServerTls, host_name, machine_of};
