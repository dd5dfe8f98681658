//! What a table has at one moment.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use object_store::ObjectStore;
use thiserror::Error;

use crate::delta::DataFile;
use crate::schema::Table;
use crate::state::{TableState, bytes_of};

/// Why there is no snapshot of a table.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum SnapshotError {
    /// There is no such table.
    #[error("there is no table {name}")]
    UnknownTable {
        /// The name.
        name: String,
    },
}

/// All rows of one table of one workspace at one moment: those of `buffered` and those of `files`, each once.
#[derive(Clone, Debug)]
pub struct TableSnapshot {
    /// The table.
    pub table: &'static Table,
    /// The schema of all rows. A data file may lack columns that are newer than it; they are null there.
    pub schema: SchemaRef,
    /// Rows that are in memory.
    pub buffered: Vec<RecordBatch>,
    /// Files of rows, each sorted by the table's order.
    pub files: Arc<Vec<DataFile>>,
    /// Where the files are. They stay there as long as this is held, also when the table has merged them or let them go.
    pub object_store: Arc<dyn ObjectStore>,
}

/// How much a table of a workspace has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableInfo {
    /// The table's name.
    pub name: &'static str,
    /// How many rows, in memory and in files.
    pub rows: u64,
    /// How many of them are in memory.
    pub buffered_rows: u64,
    /// How much memory these take, in bytes.
    pub buffered_bytes: u64,
    /// How many data files.
    pub files: u64,
    /// How many bytes these have.
    pub file_bytes: u64,
    /// The first and the last day of their rows.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// How many bytes have left the table and wait to be removed from the disk.
    pub departed_bytes: u64,
}

impl TableSnapshot {
    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        count(&self.buffered) + self.files.iter().map(|file| file.rows).sum::<u64>()
    }
}

impl TableInfo {
    /// That of a table of that name.
    pub(crate) fn of(name: &'static str, table: &TableState, departed_bytes: u64) -> Self {
        let buffered = table.buffered();
        let buffered_rows = count(&buffered);
        let days = || table.files.iter().map(|file| file.day);
        Self {
            name,
            rows: buffered_rows + table.files.iter().map(|file| file.rows).sum::<u64>(),
            buffered_rows,
            buffered_bytes: bytes_of(&buffered),
            files: table.files.len() as u64,
            file_bytes: table.files.iter().map(|file| file.size).sum(),
            days: days().min().zip(days().max()),
            departed_bytes,
        }
    }
}

fn count(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}
