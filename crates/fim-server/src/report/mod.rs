//! The page's figures, computed by KQL over the same tables that a user can ask: one road.
//!
//! Every text from outside enters a query as a literal made by [`literal`]; nothing else is ever put together.

pub mod changes;
pub mod coverage;
pub mod detail;
pub mod figures;
pub mod literal;
mod table;
pub mod timespan;
pub mod watched;

pub use table::Table;
