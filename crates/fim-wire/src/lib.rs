//! Core values to bytes and back, between sensor and server, versioned.
//!
//! The bytes are CBOR. Every value is a map with numbers as keys; keys that a reader does not know are skipped, so that
//! a newer writer may add to them. A number is never used again for something else, and what has no default stays
//! required for ever. A change that an older reader could not survive makes a new [`BATCH_VERSION`], which an older
//! reader refuses as a whole.
//!
//! Everything read here may come from an enemy: sizes and counts are bounded before memory is given, depth is bounded by
//! the types, and every refusal names what is wrong.

mod batch;
mod entity;
mod error;
mod listed;
mod memory;
mod report;
mod who;

pub use batch::{BATCH_VERSION, Batch, Limits, decode_batch, encode_batch};
pub use entity::{append_entity, decode_entity, encode_entity, take_entity};
pub use error::WireError;
pub use listed::{decode_lists, encode_lists};
pub use memory::{decode_memory, encode_memory};
pub use report::{Inventory, Report, Seen, decode_report, encode_report};
