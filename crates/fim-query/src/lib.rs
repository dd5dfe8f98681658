//! A typed plan to DataFusion to rows, within limits.
//!
//! ```text
//! text ─ fim-kql ─▶ bound plan ─ lower ─▶ DataFusion plan ─ engine ─▶ rows ─▶ JSON, CSV, NDJSON, Parquet, Arrow, table
//!                                  ▲                         ▲
//!                       functions, aggregates          scan of a snapshot
//! ```
//!
//! The language is not SQL: a null equals nothing and differs from everything, a text is never null, integers wrap,
//! terms are searched. Where the two differ, [`lower`](self) calls a function of our own, named `kql_…`; where they
//! agree, it uses the engine's operator, which statistics and indexes can answer. How values are represented is told
//! in `values`.

pub mod aggregates;
pub mod functions;
pub mod windows;

mod lower;

mod digest;
mod engine;
mod error;
mod rows;
mod scan;
mod tables;
mod values;

pub use engine::{EngineOptions, QueryEngine, QueryOptions, StartEngineError, TimeRange};
pub use error::QueryError;
pub use rows::{
    Cell, CsvOptions, QueryRows, QueryStats, Truncation, json_rows, json_value, write_arrow, write_csv,
    write_json_rows, write_ndjson, write_parquet, write_table,
};
pub use tables::{Tables, WorkspaceTables, table_schema};
pub use values::arrow_type;
