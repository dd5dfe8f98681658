//! The rows of a result, and how they are written for programs and people.

mod cell;
mod columnar;
mod csv;
mod json;
mod table;

use std::time::Duration;

use arrow::record_batch::RecordBatch;
use fim_kql::{Column, Render};

pub use cell::Cell;
pub(crate) use cell::real_text;
pub use columnar::{write_arrow, write_parquet};
pub use csv::{CsvOptions, write_csv};
pub use json::{json_rows, json_value, write_json_rows, write_ndjson};
pub use table::write_table;

/// The result of a query.
///
/// In the batches a `datetime` is a timestamp in microseconds, a `timespan` a number of 100 ns ticks, a `guid` its
/// text and a `dynamic` its JSON text; [`QueryRows::cells`] reads them by the type of their column.
#[derive(Clone, Debug)]
pub struct QueryRows {
    /// Names and types, in the order of the batches' columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// What the query cost.
    pub stats: QueryStats,
    /// Why there are fewer rows than the query found; `None` if all are here.
    pub truncated: Option<Truncation>,
    /// How the query wants its rows to be shown, if it says so.
    pub render: Option<Render>,
}

/// What a query cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QueryStats {
    /// Rows in the result.
    pub rows: u64,
    /// From the arrival of the text to the last row, waiting included.
    pub elapsed: Duration,
    /// Rows that the sources of the plan handed on, after files, pages and rows that cannot match were left out.
    pub scanned_rows: u64,
    /// Data files that were opened.
    pub opened_files: u64,
    /// Data files that the tables of the query have.
    pub table_files: u64,
}

/// The limit that cut a result short.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truncation {
    /// The result has more rows than this.
    Rows(u64),
    /// The result is larger than this, in bytes of memory.
    Bytes(u64),
}

impl std::fmt::Display for Truncation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rows(limit) => write!(
                f,
                "the result has more than {limit} rows and was cut there; \
                 filter or summarize further, or raise the limit of rows"
            ),
            Self::Bytes(limit) => write!(
                f,
                "the result is larger than {limit} bytes and was cut there; \
                 project fewer columns, filter further, or raise the limit of bytes"
            ),
        }
    }
}

impl QueryRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values, row by row.
    pub fn cells(&self) -> impl Iterator<Item = Vec<Cell<'_>>> {
        self.batches.iter().flat_map(move |batch| {
            (0..batch.num_rows()).map(move |row| {
                self.columns
                    .iter()
                    .zip(batch.columns())
                    .map(|(column, values)| Cell::read(values, column.ty, row))
                    .collect()
            })
        })
    }
}
