//! The store's promises, checked from outside.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do, and the lints know only functions that are tests themselves"
)]

mod concurrency;
mod directory;
mod disk_reader;
mod kill_points;
mod layout;
mod log_model;
mod losses;
mod maintain;
mod power_loss;
mod readers;
mod record;
mod rows;
mod store;
mod support;
