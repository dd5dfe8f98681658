//! All integration tests in one binary, because linking the engine takes longer than running them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do, and the lints know only functions that are tests themselves"
)]

mod answers;
mod conformance;
mod coverage;
mod field;
mod functions;
mod limits;
mod memory;
mod provider;
mod support;
mod workspaces;
mod writers;
