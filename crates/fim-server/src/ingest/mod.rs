//! From an agent's bytes to rows that are durable.
//!
//! ```text
//! enrollment ─ once: a token and a signing request become a machine and its certificate
//! settings, heartbeat, batches ─ by that certificate:
//! bytes → batch → columns → rows → store → live feed → acknowledged
//! ```

pub mod agent;
pub mod columns;
pub mod contents;
pub mod enrollment;
pub mod event_columns;
pub mod feed;
pub mod gaps;
pub mod heartbeat;
pub mod inventory;
pub mod listed;
pub mod losses;
pub mod places;
pub mod provider;
pub mod rows;
pub mod settings;
pub mod silence;
pub mod troubles;
pub mod usage;
pub mod waits;
pub mod who;
