//! Rows, stores and readers for the tests.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use fim_core::Timestamp;
use fim_store::{
    Accepted, Clock, IngestError, LostRows, Origin, Store, StoreOptions, TableBuilder, TableSnapshot,
};
use futures::executor::block_on;
use object_store::ObjectStoreExt as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use uuid::Uuid;

pub const CHANGES: &str = "ConfigurationChange";
pub const COVERAGE: &str = "Coverage";
pub const WORKSPACE: Uuid = Uuid::from_u128(0x5eed);
/// 2026-11-22T00:00:00Z.
pub const DAY: Timestamp = Timestamp(1_795_305_600_000_000_000);
const HOUR_NANOS: i64 = 3_600_000_000_000;
const DAY_NANOS: i64 = 24 * HOUR_NANOS;

/// A clock that a test sets.
#[derive(Clone)]
pub struct Hand(Arc<AtomicI64>);

impl Hand {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(DAY.0)))
    }

    /// So many days after the first day of the records.
    pub fn set(&self, days: i64) {
        self.0.store(DAY.0 + days * DAY_NANOS, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let hand = Arc::clone(&self.0);
        Clock::new(move || Timestamp(hand.load(Ordering::SeqCst)))
    }
}

/// Options under which nothing is flushed unless a test asks for it, one table after the other, and nothing is merged.
pub fn quiet() -> StoreOptions {
    StoreOptions {
        flush_interval: Duration::from_secs(86_400),
        flush_bytes: u64::MAX,
        flush_tables_at_once: 1,
        file_bytes: 0,
        ..StoreOptions::default()
    }
}

pub fn open(directory: &Path) -> Store {
    Store::open(directory, quiet()).unwrap()
}

/// Changes whose ids are `batch/0`, `batch/1`, …, an hour apart, from two machines in turn.
pub fn changes(batch: u64, rows: u64) -> RecordBatch {
    let mut builder = TableBuilder::new(CHANGES, WORKSPACE).unwrap();
    for index in 0..rows {
        let mut row = builder.row();
        let time = DAY.plus_nanos(HOUR_NANOS * (batch + index) as i64);
        row.set("TimeGenerated", time).unwrap();
        row.set("Computer", if index % 2 == 0 { "web2" } else { "web1" }).unwrap();
        row.set("ChangeId", format!("{batch}/{index}")).unwrap();
        row.set("FileSystemPath", "/etc/passwd").unwrap();
        row.set("Size", 42).unwrap();
        row.push().unwrap();
    }
    builder.finish().unwrap()
}

/// A gap whose detail is `batch/0`, and so on.
pub fn gaps(batch: u64, rows: u64) -> RecordBatch {
    let mut builder = TableBuilder::new(COVERAGE, WORKSPACE).unwrap();
    for index in 0..rows {
        let mut row = builder.row();
        row.set("TimeGenerated", DAY).unwrap();
        row.set("Computer", "web1").unwrap();
        row.set("Detail", format!("{batch}/{index}")).unwrap();
        row.push().unwrap();
    }
    builder.finish().unwrap()
}

pub fn origin(sequence: u64) -> Origin {
    Origin { source: [1; 16], epoch: [2; 16], sequence }
}

/// Two changes and a gap in one call, numbered as the batch.
pub fn ingest(store: &Store, batch: u64) -> Result<Accepted, IngestError> {
    let rows = vec![(CHANGES, changes(batch, 2)), (COVERAGE, gaps(batch, 1))];
    block_on(store.ingest(WORKSPACE, rows, origin(batch)))
}

/// The ids of all changes of the workspace, sorted.
pub fn change_ids(store: &Store) -> Vec<String> {
    texts(&store.snapshot(WORKSPACE, CHANGES).unwrap(), "ChangeId")
}

/// The details of all gaps of the workspace, sorted.
pub fn gap_ids(store: &Store) -> Vec<String> {
    texts(&store.snapshot(WORKSPACE, COVERAGE).unwrap(), "Detail")
}

/// The ids that [`ingest`] of these batches brings, sorted.
pub fn expected_changes(batches: impl IntoIterator<Item = u64>) -> Vec<String> {
    let mut ids: Vec<_> =
        batches.into_iter().flat_map(|batch| [format!("{batch}/0"), format!("{batch}/1")]).collect();
    ids.sort();
    ids
}

/// The details that [`ingest`] of these batches brings, sorted.
pub fn expected_gaps(batches: impl IntoIterator<Item = u64>) -> Vec<String> {
    let mut ids: Vec<_> = batches.into_iter().map(|batch| format!("{batch}/0")).collect();
    ids.sort();
    ids
}

/// What the opening of the store found to be lost.
pub fn lost(store: &Store) -> Vec<&LostRows> {
    store.recovery().lost.iter().map(|loss| &loss.rows).collect()
}

/// All values of a text column, sorted, of buffered rows and of data files.
pub fn texts(snapshot: &TableSnapshot, column: &str) -> Vec<String> {
    let mut values: Vec<String> = all_rows(snapshot)
        .iter()
        .flat_map(|batch| {
            let strings = batch.column_by_name(column).unwrap().as_string::<i32>();
            (0..strings.len()).map(|row| strings.value(row).to_owned()).collect::<Vec<_>>()
        })
        .collect();
    values.sort();
    values
}

pub fn all_rows(snapshot: &TableSnapshot) -> Vec<RecordBatch> {
    let mut batches = snapshot.buffered.clone();
    for file in snapshot.files.iter() {
        let bytes =
            block_on(async { snapshot.object_store.get(&file.path).await.unwrap().bytes().await.unwrap() });
        assert_eq!(bytes.len() as u64, file.size);
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let rows: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert_eq!(rows.iter().map(|rows| rows.num_rows() as u64).sum::<u64>(), file.rows);
        batches.extend(rows);
    }
    batches
}

/// A copy of a directory as it is now: what a crash of the program would leave.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
