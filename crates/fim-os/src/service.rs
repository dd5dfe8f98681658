//! The agent as a service: what the system starts by itself, and starts again when it fails.

use std::io;
use std::path::PathBuf;

/// What the service is called.
pub const SERVICE_NAME: &str = "steadfast-agent";

/// A service that was installed, and runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InstalledService {
    /// The program that the system starts.
    pub program: PathBuf,
    /// What the service can not be set to on this system, as `be given a description`; nothing if all is as it should be.
    pub refused: Vec<&'static str>,
}

/// What removing a service has done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemovedService {
    /// There was a service.
    pub was_there: bool,
    /// The program, if it is still there: the one that runs cannot be removed.
    pub left: Option<PathBuf>,
}

/// Why the agent could not be made a service, or be one no longer.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The system has services of another kind.
    #[error(
        "services of this system are units of systemd, and its packages of the agent bring one: \
         `systemctl enable --now {SERVICE_NAME}`"
    )]
    NotHere,
    /// The manager of services does not let us.
    #[error("cannot ask the system's manager of services; run this as an administrator")]
    Manager {
        /// Why not.
        source: io::Error,
    },
    /// The manager refuses something.
    #[error("cannot {doing} the service {SERVICE_NAME}")]
    Manage {
        /// What was to be done with the service.
        doing: &'static str,
        /// Why it was not.
        source: io::Error,
    },
    /// The service does not become what it was asked to.
    #[error("the service {SERVICE_NAME} is not {wanted} after {seconds} s")]
    TakesTooLong {
        /// What it was asked to become.
        wanted: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The service ended as soon as it began.
    #[error("the service {SERVICE_NAME} has ended at its start, with exit code {code}")]
    EndedAtStart {
        /// The exit code of the program.
        code: u32,
    },
    /// The program cannot be put where the system starts it from.
    #[error("cannot put the program to {}", path.display())]
    Program {
        /// Where it belongs.
        path: PathBuf,
        /// Why it cannot be there.
        source: io::Error,
    },
}
