//! The live machine: its file tree, its notices of changes, and what is known of the host.
//!
//! Each platform's module exports the same names, so that the compiler checks that they keep one contract.

mod event_log;
mod host;
#[cfg(target_os = "linux")]
mod linux;
mod privacy;
mod service;
#[cfg(target_os = "windows")]
mod windows;

#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "windows")]
use windows as platform;

pub use event_log::{EVENT_SOURCE, Event, Severity};
pub use host::HostFacts;
pub use platform::{
    KEEP_PRIVATE, LiveTree, OS_NAME, PROVIDERS, StopRequests, as_stored, best_watcher, check_private,
    default_data_dir, install_service, is_private, keep_little_memory, keep_private, list_watcher,
    lower_priority, raise_open_files, remove_service, report_event,
};
pub use privacy::PrivacyError;
pub use service::{InstalledService, RemovedService, SERVICE_NAME, ServiceError};
