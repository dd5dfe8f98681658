//! Ingest, control plane, authorisation, HTTP API and the web page.
//!
//! ```text
//! connection ─ TLS, limits, who is there
//!   edge ─ id, log, headers, problems in full
//!     auth ─ who calls, may they?            ingest ─ agents, by certificate
//!       api ─ one handler for each operation    batch → columns → rows → store → feed
//!       clients ─ the published interfaces      records → rows ↗
//!         report ─ figures by KQL ─ queries ─ fim-query
//!         control ─ what the server is told: SQLite
//! ```
//!
//! Handlers never compute long: queries run on the engine's own threads, passwords and decoding on workers.

mod answer_body;
pub mod api;
mod app;
mod auth;
mod authz;
mod clients;
mod clock;
mod config;
mod connection;
mod content;
mod control;
mod data_dir;
mod edge;
mod health;
mod ingest;
mod metrics;
mod nearest;
mod network;
mod passwords;
mod pki;
mod problem;
mod queries;
mod query_log;
mod report;
mod server;
mod shares;
mod surface;
mod throttle;
mod web;

pub use api::LONGEST_ENROLLMENT_SECONDS;
pub use clock::{Clock, Moment};
pub use config::{
    LONGEST_COLLECTION_SECONDS, Limits, MAX_SCAN_INTERVAL_SECONDS, OptionNames, ReadConfigError,
    SHORTEST_COLLECTION_SECONDS, ServerConfig, StoreConfig, TlsConfig,
};
pub use data_dir::{OpenDataDirError, write_secret};
pub use problem::Problem;
pub use server::{MakeSecretError, RunningServer, Server, ServerFailure, StartError, StopError};
