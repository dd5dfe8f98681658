//! Measures queries over what the example `ingest` of the store has left in a directory, and prints one JSON object.
//!
//! `queries DIRECTORY`: each query once to warm up, then so often that the kernel's hundredths of a second are precise
//! enough. The object says too which files the table has and what the queries looked for, so that another program can
//! answer the same over the same.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use fim_kql::{DateTime, ScalarType, value_from_text};
use fim_query::{EngineOptions, QueryEngine, QueryOptions, QueryRows, WorkspaceTables, json_rows};
use fim_store::{Store, StoreOptions};
use serde_json::{Value, json};
use uuid::Uuid;

const TABLE: &str = "ConfigurationChange";
/// That of the example `ingest`.
const WORKSPACE: Uuid = Uuid::from_u128(0x7e0c_3f5a);
/// A query is repeated until it has taken so much of a processor.
const MEASURED_SECONDS: f64 = 0.5;
const MOST_REPEATS: u32 = 200;

fn main() {
    let Some(directory) = env::args().nth(1) else { panic!("usage: queries DIRECTORY") };
    // Nothing is merged or removed while it is measured.
    let options = StoreOptions { file_bytes: 0, ..StoreOptions::default() };
    let store = Arc::new(Store::open(Path::new(&directory), options).unwrap());
    let snapshot = store.snapshot(WORKSPACE, TABLE).unwrap();
    let newest = snapshot.files.iter().map(|file| file.max_time).max().unwrap();
    let files: Vec<String> = snapshot.files.iter().map(|file| format!("/{}", file.path)).collect();
    let bench = Bench::new(&store, newest);
    let find = |query: &str| -> String {
        let rows: Vec<Vec<Value>> = json_rows(&bench.run(query)).collect();
        rows[0][0].as_str().unwrap().to_owned()
    };
    let digest =
        find("ConfigurationChange | where FileContentChecksum != '' | take 1 | project FileContentChecksum");
    let machine = find("ConfigurationChange | take 1 | project Computer");
    let measured: Vec<Value> =
        queries(&machine, &digest).into_iter().map(|(name, text)| bench.measure(name, &text)).collect();
    println!(
        "{}",
        json!({
            "rows": snapshot.rows(),
            "files": files,
            "newestMicroseconds": newest,
            "machine": machine,
            "digest": digest,
            "queries": measured,
        })
    );
}

/// The queries, by name.
fn queries(machine: &str, digest: &str) -> Vec<(&'static str, String)> {
    let of_table = |rest: &str| format!("{TABLE} | {rest}");
    let last_days = |days: u32, rest: &str| of_table(&format!("where TimeGenerated > ago({days}d) | {rest}"));
    vec![
        ("rows", of_table("count")),
        (
            "files and registry of 14 days by machine",
            last_days(
                14,
                "where ConfigChangeType in ('Registry', 'Files') | summarize count() by Computer, ConfigChangeType",
            ),
        ),
        ("rows by machine", of_table("summarize count() by Computer")),
        (
            "registry of 14 days in order",
            last_days(
                14,
                "where ConfigChangeType == 'Registry' | order by Computer asc, RegistryKey asc | take 30000 \
                 | project TimeGenerated, Computer, RegistryKey, ValueName, ValueType, ValueData, PreviousValueData, ChangeCategory",
            ),
        ),
        (
            "one day by type and category",
            last_days(1, "summarize count() by ConfigChangeType, ChangeCategory"),
        ),
        ("machines by type, approximately", of_table("summarize dcount(Computer) by ConfigChangeType")),
        (
            "machines by type, exactly",
            of_table("distinct ConfigChangeType, Computer | summarize count() by ConfigChangeType"),
        ),
        ("ten busiest machines", of_table("summarize Rows = count() by Computer | top 10 by Rows")),
        ("part of a path", of_table("where FileSystemPath contains 'APP1' | count")),
        ("days by type", of_table("summarize count() by bin(TimeGenerated, 1d), ConfigChangeType")),
        (
            "one machine, all columns",
            of_table(&format!("where Computer == '{machine}' | top 100 by TimeGenerated")),
        ),
        (
            "one digest",
            of_table(&format!("where FileContentChecksum == '{digest}' | project Computer, FileSystemPath")),
        ),
        (
            "last change of each machine",
            of_table("summarize arg_max(TimeGenerated, FileSystemPath, ChangeCategory) by Computer"),
        ),
    ]
}

struct Bench {
    engine: QueryEngine,
    tables: Arc<WorkspaceTables>,
    options: QueryOptions,
    waiter: tokio::runtime::Runtime,
}

impl Bench {
    /// `newest` is what the queries take for the present, in microseconds since the Unix epoch.
    fn new(store: &Arc<Store>, newest: i64) -> Self {
        let text = chrono::DateTime::from_timestamp_micros(newest).unwrap().to_rfc3339();
        let Some(fim_kql::Value::DateTime(now)) = value_from_text(ScalarType::DateTime, &text) else {
            panic!("{text} is a moment")
        };
        Self {
            engine: QueryEngine::new(EngineOptions { threads: 2, ..EngineOptions::default() }).unwrap(),
            tables: Arc::new(WorkspaceTables::new(Arc::clone(store), WORKSPACE)),
            options: Self::options(now),
            waiter: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    fn options(now: DateTime) -> QueryOptions {
        QueryOptions { deadline: Duration::from_secs(300), max_bytes: 1 << 30, ..QueryOptions::at(now) }
    }

    fn run(&self, text: &str) -> QueryRows {
        let run = self.engine.run(Arc::clone(&self.tables) as Arc<_>, text, &self.options);
        self.waiter.block_on(run).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn measure(&self, name: &str, text: &str) -> Value {
        let rows = self.run(text).stats.rows;
        let (cpu, started) = (cpu_seconds(), Instant::now());
        let mut repeats = 0;
        while repeats < MOST_REPEATS && (repeats < 3 || cpu_seconds() - cpu < MEASURED_SECONDS) {
            self.run(text);
            repeats += 1;
        }
        let millis = |seconds: f64| seconds * 1e3 / f64::from(repeats);
        json!({
            "name": name,
            "kql": text,
            "rows": rows,
            "cpuMillis": millis(cpu_seconds() - cpu),
            "wallMillis": millis(started.elapsed().as_secs_f64()),
        })
    }
}

/// Processor seconds of this process, by the kernel's hundredths.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}
