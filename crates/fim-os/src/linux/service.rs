//! The agent as a service: on Linux that is the matter of systemd and of packages.

use std::ffi::OsString;

use crate::service::{InstalledService, RemovedService, ServiceError};

/// Makes the agent a service that runs the program with these arguments.
///
/// # Errors
///
/// Fails: the system's packages do that.
pub fn install_service(_arguments: Vec<OsString>) -> Result<InstalledService, ServiceError> {
    Err(ServiceError::NotHere)
}

/// Stops and removes the service.
///
/// # Errors
///
/// Fails: the system's packages do that.
pub fn remove_service() -> Result<RemovedService, ServiceError> {
    Err(ServiceError::NotHere)
}
