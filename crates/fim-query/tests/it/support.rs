//! An engine, a small fixed table, and results as JSON.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fim_core::Timestamp;
use fim_kql::{Catalog, DateTime, ScalarType, Schema, TableName, value_from_text};
use fim_query::{EngineOptions, QueryEngine, QueryError, QueryOptions, QueryRows, Tables, WorkspaceTables};
use fim_store::{SnapshotError, Store, StoreOptions, TableBuilder, TableSnapshot, Value};
use serde_json::Value as Json;
use tempfile::TempDir;
use uuid::Uuid;

/// `now()` in every test.
pub const NOW: &str = "2026-11-22T12:00:00Z";

pub const WORKSPACE: Uuid = Uuid::from_u128(0x7a11);

pub fn engine() -> QueryEngine {
    QueryEngine::new(EngineOptions { threads: 2, ..EngineOptions::default() }).unwrap()
}

pub fn options() -> QueryOptions {
    QueryOptions { deadline: Duration::from_secs(60), ..QueryOptions::at(moment(NOW)) }
}

pub fn moment(text: &str) -> DateTime {
    match value_from_text(ScalarType::DateTime, text) {
        Some(fim_kql::Value::DateTime(moment)) => moment,
        other => panic!("{text} is no moment but {other:?}"),
    }
}

/// Waits for a future on a small runtime, as a caller in another program would.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn run<T: Tables + Clone + 'static>(
    engine: &QueryEngine,
    tables: &T,
    query: &str,
) -> Result<QueryRows, QueryError> {
    wait(engine.run(Arc::new(tables.clone()), query, &options()))
}

/// The columns as `name:type, …` and the rows as JSON values.
pub fn as_json(rows: &QueryRows) -> (String, Vec<Vec<Json>>) {
    let columns: Vec<String> =
        rows.columns.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
    (columns.join(", "), fim_query::json_rows(rows).collect())
}

/// No tables at all, for queries that bring their own rows.
#[derive(Clone)]
pub struct NoTables;

impl Catalog for NoTables {
    fn table(&self, _name: &str) -> Option<Schema> {
        None
    }

    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Tables for NoTables {
    fn snapshots(&self, tables: &[&TableName]) -> Result<Vec<Vec<TableSnapshot>>, SnapshotError> {
        match tables.first() {
            Some(name) => Err(SnapshotError::UnknownTable { name: name.table.clone() }),
            None => Ok(Vec::new()),
        }
    }
}

/// A real store with the rows of `answers/configuration_change.tsv`: the first half in data files, the rest in memory.
pub struct FixedStore {
    pub tables: WorkspaceTables,
    pub store: Arc<Store>,
    _directory: TempDir,
}

impl FixedStore {
    pub fn open() -> Self {
        let fixed = Self::empty();
        let lines: Vec<&str> = include_str!("../answers/configuration_change.tsv").lines().collect();
        let header: Vec<&str> = lines[0].split('\t').collect();
        let (flushed, kept) = lines[1..].split_at((lines.len() - 1) / 2);
        fixed.ingest(&header, flushed);
        fixed.store.flush().unwrap();
        fixed.ingest(&header, kept);
        fixed
    }

    pub fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions { flush_interval: Duration::from_secs(86_400), ..StoreOptions::default() };
        let store = Arc::new(Store::open(directory.path(), options).unwrap());
        Self { tables: WorkspaceTables::new(Arc::clone(&store), WORKSPACE), store, _directory: directory }
    }

    /// Stores rows of `ConfigurationChange`; a cell `-` is not set.
    pub fn ingest(&self, header: &[&str], lines: &[&str]) {
        self.ingest_into("ConfigurationChange", header, lines);
    }

    /// Stores rows of a table; a cell `-` is not set.
    pub fn ingest_into(&self, table: &str, header: &[&str], lines: &[&str]) {
        self.ingest_of(WORKSPACE, table, header, lines);
    }

    /// The same of any workspace.
    pub fn ingest_of(&self, workspace: Uuid, table: &str, header: &[&str], lines: &[&str]) {
        let mut builder = TableBuilder::new(table, workspace).unwrap();
        for line in lines {
            let mut row = builder.row();
            for (column, cell) in header.iter().zip(line.split('\t')).filter(|(_, cell)| *cell != "-") {
                let value = match *column {
                    "TimeGenerated" | "DateModified" | "StartTime" | "EndTime" => {
                        Value::Time(Timestamp(moment(cell).0 * 100))
                    }
                    "Size" | "PreviousSize" => Value::Number(cell.parse().unwrap()),
                    _ => Value::Text(cell),
                };
                row.set(column, value).unwrap();
            }
            row.push().unwrap();
        }
        wait(self.store.ingest_own(workspace, vec![(table, builder.finish().unwrap())])).unwrap();
    }
}

impl Drop for FixedStore {
    fn drop(&mut self) {
        self.store.close().unwrap();
    }
}
