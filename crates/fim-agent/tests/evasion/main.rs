//! The ways to change something without being seen, tried on the real agent: each ends in a record of the right path,
//! made by the right process where the provider promises that, or in a gap that names the path and the time.
//! `docs/evasion.md` lists them all with their answers.
#![cfg(target_os = "linux")]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do, and the lints know only functions that are tests themselves"
)]

#[path = "../../../fim-os/tests/acts/mod.rs"]
mod acts;
mod attributes;
mod hiding;
mod lists;
mod names;
mod places;
mod stage;
mod storage;
#[path = "../../../fim-sensor/tests/support/mod.rs"]
#[allow(dead_code, reason = "the server can fail in more ways than are wanted here")]
mod support;
mod tampering;
mod writing;
