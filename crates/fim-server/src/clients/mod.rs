//! The published interfaces that clients of others speak: log queries, log ingestion, Kusto, and OAuth 2.0 for their
//! tokens. Each only translates; what is asked and stored goes the same way as through our own API.

pub mod batch;
pub mod ingestion;
pub mod kusto;
pub mod log_query;
pub mod management;
mod preferences;
pub mod resource_query;
pub mod sign_in;
mod streams;
