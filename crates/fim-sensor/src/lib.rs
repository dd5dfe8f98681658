//! The engine every sensor runs: baseline, tracking, spool, uplink, schedule.
//!
//! ```text
//! settings ─┐ (the poll fetches them)           ┌─ state (what was last known of each entity)
//! FileTree ─┼─ engine (owner of the Tracker) ───┤
//! Watcher  ─┘                                   └─ spool ─ uplink ─ server
//! ```
//!
//! A change goes to the spool, durably, before the state takes it up, and leaves the spool when the server has it and
//! the state contains it: a crash at any point loses nothing and repeats nothing.

mod alive;
mod backoff;
mod client;
mod clocks;
mod contents;
mod doctor;
mod engine;
mod enroll;
mod fingerprint;
mod identity;
mod inbox;
mod list_store;
mod list_watch;
mod machine_path;
mod overlay;
mod pace;
mod preview;
mod real_time;
mod renew;
mod sensor;
mod settings;
mod settings_poll;
mod shared_spool;
mod spool;
pub mod standalone;
pub mod state_file;
mod state_store;
mod status;
mod time;
mod tls;
mod uplink;
mod vigil;

pub use client::CallError;
pub use doctor::{Check, Outcome, Privacy, SettingsSource, current_settings, diagnose};
pub use enroll::{
    EnrollError, Enrollment, LONGEST_NAME, Token, TrustAnchor, enroll, enrolled_with, machine_name,
};
pub use fim_log::LogOptions;
pub use fim_scan::{FileTree, ScanControl, ScanOptions, WatcherChoice};
pub use fingerprint::{Fingerprint, ParseFingerprintError};
pub use identity::{DataDir, DataDirLock, Identity, IdentityError, expiry_advice};
pub use preview::{Preview, RuleCost, UnreadablePlace, preview};
pub use real_time::MakeWatcher;
pub use sensor::{RunningSensor, Sensor, SensorConfig, StartSensorError, ThreadFailed};
pub use settings::{RuleSetting, RulesHere, Settings};
pub use spool::{BatchError, BatchLimits, LedgerError, OpenSpoolError, Outgoing, Spool, SpoolError};
pub use state_store::{KeepStateError, OpenStateError};
pub use status::{ScanProgress, ScanSummary, SensorState, Status};
