//! The live machine: its file tree and what is known of the host.
//!
//! Each platform's module exports the same names, so that the compiler checks that they keep one contract.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{HostFacts, LiveTree, lower_priority};
