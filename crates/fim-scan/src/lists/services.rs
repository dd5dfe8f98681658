//! The services and drivers of Windows, as the registry has them.
//!
//! The registry tells what will run, also of what the manager of services was told to hide. What runs, and what a service
//! is called in the language of the system, only that manager knows.

use std::collections::BTreeMap;

use fim_core::{Daemon, DaemonState, StartupType};

use super::CollectError;
use super::registry::{Key, shown};
use crate::tree::{FileTree, ServiceStatus, TreeError};

/// Reads all services.
pub(super) fn read<T: FileTree>(tree: &T) -> Result<Vec<Daemon>, CollectError> {
    let Some(key) = Key::open(tree, SERVICES)? else { return Ok(Vec::new()) };
    let told = tree
        .services()
        .map_err(|source| CollectError { path: "what the manager of services tells".to_owned(), source })?;
    // Names of services are the same in any case.
    let told: BTreeMap<String, ServiceStatus> =
        told.into_iter().flatten().map(|one| (one.name.to_lowercase(), one)).collect();
    let mut services = Vec::new();
    for name in key.names()? {
        if let Some(service) = service(&key, &name)? {
            services.push(match told.get(&service.name.to_lowercase()) {
                Some(status) => with(service, status),
                None => service,
            });
        }
    }
    Ok(services)
}

/// The service whose key is of that name; nothing if it is none, or one that comes and goes with a user who signs in.
fn service<T: FileTree>(key: &Key<'_, T>, name: &[u8]) -> Result<Option<Daemon>, CollectError> {
    let Some(kind) = key.number(name, "Type")? else { return Ok(None) };
    if kind & ANY_KIND == 0 || kind & OF_ONE_USER != 0 {
        return Ok(None);
    }
    let command = key.text(name, "ImagePath")?;
    let account = key.text(name, "ObjectName")?;
    let is_program = kind & PROGRAM != 0;
    let path = match library(key, name) {
        // One program runs the libraries of many services.
        Ok(library) => Some([command, library].into_iter().flatten().collect::<Vec<_>>().join("; ")),
        // What is kept from us there is not known, and the rest of the service is.
        Err(CollectError { source: TreeError::PermissionDenied, .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(Some(Daemon {
        name: shown(name),
        display_name: key.text(name, "DisplayName")?,
        state: None,
        startup: key.number(name, "Start")?.and_then(startup),
        path: path.filter(|path| !path.is_empty()),
        account: account.or_else(|| is_program.then(|| NOBODY_NAMED.to_owned())),
        run_levels: None,
        controller: None,
    }))
}

/// The library that a service is in which a program of the system runs.
fn library<T: FileTree>(key: &Key<'_, T>, name: &[u8]) -> Result<Option<String>, CollectError> {
    let Some(service) = key.enter(name)? else { return Ok(None) };
    match service.text(b"Parameters", LIBRARY)? {
        Some(library) => Ok(Some(library)),
        None => key.text(name, LIBRARY),
    }
}

fn with(service: Daemon, status: &ServiceStatus) -> Daemon {
    let display_name = Some(status.display_name.clone()).filter(|name| !name.is_empty());
    Daemon {
        display_name: display_name.or(service.display_name),
        state: Some(if status.is_running { DaemonState::Running } else { DaemonState::Stopped }),
        ..service
    }
}

/// The numbers that `CreateService` documents.
fn startup(number: u32) -> Option<StartupType> {
    match number {
        0 => Some(StartupType::Boot),
        1 => Some(StartupType::System),
        2 => Some(StartupType::Auto),
        3 => Some(StartupType::Manual),
        4 => Some(StartupType::Disabled),
        _ => None,
    }
}

const SERVICES: &str = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services";
const LIBRARY: &str = "ServiceDll";
/// Drivers of the kernel, of file systems and for adapters, what recognises file systems, and programs.
const ANY_KIND: u32 = 0x1 | 0x2 | 0x4 | 0x8 | PROGRAM;
/// A process of its own, or one that is shared.
const PROGRAM: u32 = 0x10 | 0x20;
/// What is made of a template for one user who is signed in.
const OF_ONE_USER: u32 = 0x80;
/// Whom the system takes where no account is named.
const NOBODY_NAMED: &str = "LocalSystem";
