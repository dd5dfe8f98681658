//! The live machine: its file tree, its notices of changes, and what is known of the host.
//!
//! Each platform's module exports the same names, so that the compiler checks that they keep one contract.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{HostFacts, LiveTree, PROVIDERS, best_watcher, lower_priority, raise_open_files};
