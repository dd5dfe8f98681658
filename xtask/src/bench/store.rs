//! `bench ingest` and `bench query`: the log store, fed with records of a fleet's shape.
//!
//! Two examples do the work, `ingest` of the store and `queries` of the engine, and print JSON; here it becomes a page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::report::{machine, median};
use super::{Directory, USAGE};

/// What to measure.
#[derive(Debug)]
pub struct Options {
    records: u64,
    repetitions: usize,
    output: Option<PathBuf>,
}

impl Options {
    pub fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { records: 1_000_000, repetitions: 3, output: None };
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{option} needs a value\n\n{USAGE}"));
            match option.as_str() {
                "--records" => options.records = value()?.parse().context("--records")?,
                "--reps" => options.repetitions = value()?.parse().context("--reps")?,
                "--output" => options.output = Some(value()?.into()),
                _ => bail!("unknown option {option}\n\n{USAGE}"),
            }
        }
        ensure!(options.repetitions > 0 && options.records >= 1_000, "--reps needs 1, --records 1000");
        Ok(options)
    }

    fn write(&self, root: &Path, name: &str, page: &str) -> anyhow::Result<()> {
        let path = self.output.clone().unwrap_or_else(|| root.join("docs/benchmarks").join(name));
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{page}\nwritten to {}", path.display());
        Ok(())
    }
}

/// Feeds the store, and writes what that took.
pub fn ingest(root: &Path, options: &Options) -> anyhow::Result<()> {
    let program = build_example(root, "ingest")?;
    let directory = Directory::create()?;
    let mut runs = Vec::new();
    for repetition in 0..options.repetitions {
        let data = directory.0.join("data");
        let run = run_json(Command::new(&program).arg(&data).arg(options.records.to_string()))?;
        eprintln!("{repetition}: {:.0} records/s", number(&run, "/large/recordsPerSecond"));
        std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
        runs.push(run);
    }
    options.write(root, "ingest.md", &ingest_page(&runs))
}

/// Fills a store once, and asks our engine and DuckDB in turn.
pub fn query(root: &Path, options: &Options) -> anyhow::Result<()> {
    let (feeder, asker) = (build_example(root, "ingest")?, build_example(root, "queries")?);
    let python = readers_python().context("no Python with DuckDB; scripts/setup test installs it")?;
    let directory = Directory::create()?;
    let data = directory.0.join("data");
    let fed = run_json(Command::new(feeder).arg(&data).arg(options.records.to_string()))?;
    let answers = directory.0.join("answers.json");
    let script = root.join("xtask/src/bench/with_duckdb.py");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for repetition in 0..options.repetitions {
        eprintln!("round {repetition}");
        let answered = run_json(Command::new(&asker).arg(&data))?;
        std::fs::write(&answers, answered.to_string()).context("cannot write the answers")?;
        theirs.push(run_json(Command::new(&python).arg(&script).arg(&answers))?);
        ours.push(answered);
    }
    for query in queries(&ours[0]) {
        let rows = |runs: &[Value]| figures(runs, query, "rows").next();
        ensure!(rows(&ours) == rows(&theirs), "{query}: {:?} rows, DuckDB {:?}", rows(&ours), rows(&theirs));
    }
    options.write(root, "query.md", &query_page(&fed, &ours, &theirs))
}

fn ingest_page(runs: &[Value]) -> String {
    let middle = |path: &str| median(runs.iter().map(|run| number(run, path)));
    let mut page = String::from(INGEST_HEAD);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "* Machine: {}", machine());
    let _ = writeln!(page, "* {PROFILE}");
    let _ = writeln!(
        page,
        "* {} records, besides {} that came alone or few at a time; {} runs, of which the medians are shown.",
        number(&runs[0], "/records"),
        number(&runs[0], "/rows") - number(&runs[0], "/records"),
        runs.len()
    );
    page.push_str("\n## Acknowledged: durable, and seen by the next query\n\n");
    page.push_str("| calls | records/s | calls/s | p50 | p99 | greatest |\n|---|---|---|---|---|---|\n");
    for (what, part) in [
        ("10 records, one call at a time", "alone"),
        ("10 records, 16 calls at a time", "small"),
        ("1,000 records, 16 calls at a time", "large"),
    ] {
        let figure = |name: &str| middle(&format!("/{part}/{name}"));
        let _ = writeln!(
            page,
            "| {what} | {:.0} | {:.0} | {:.1} ms | {:.1} ms | {:.1} ms |",
            figure("recordsPerSecond"),
            figure("batchesPerSecond"),
            figure("p50Millis"),
            figure("p99Millis"),
            figure("maxMillis")
        );
    }
    let per_million = |path: &str| middle(path) / middle("/records") * 1e6;
    let _ = writeln!(
        page,
        "\nA million records in calls of 1,000 take {:.1} processor seconds until they are acknowledged and {:.1} until they \
         are in merged data files. Peak memory: {:.0} MiB.",
        per_million("/largeCpuSeconds"),
        per_million("/settledCpuSeconds"),
        middle("/peakKib") / 1024.0
    );
    let _ = writeln!(
        page,
        "\n## Stored\n\n{:.1} bytes a record in {:.0} data files; ten million are {:.0} MB. By column:\n\n\
         | column | bytes a record |\n|---|---|",
        middle("/bytesPerRow"),
        middle("/files"),
        middle("/bytesPerRow") * 10.0
    );
    for column in runs[0].pointer("/columns").and_then(Value::as_array).into_iter().flatten() {
        let name = column.pointer("/0").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(page, "| {name} | {:.2} |", number(column, "/1"));
    }
    page
}

fn query_page(fed: &Value, ours: &[Value], theirs: &[Value]) -> String {
    let mut page = String::from(QUERY_HEAD);
    let _ = writeln!(page, "* Machine: {}", machine());
    let _ = writeln!(page, "* {PROFILE}");
    let version = theirs[0].pointer("/version").and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(
        page,
        "* DuckDB {version} from its Python package, fully optimised, with two threads as ours."
    );
    let _ = writeln!(
        page,
        "* {} records in {} data files of {:.1} bytes a record; {} rounds in turn, of which the medians are shown.",
        number(&ours[0], "/rows"),
        number(fed, "/files"),
        number(fed, "/bytesPerRow"),
        ours.len()
    );
    page.push_str("\n| query | rows | ours, cpu ms | DuckDB, cpu ms | ratio | ours, wall ms |\n|---|---|---|---|---|---|\n");
    let mut logarithms = Vec::new();
    for query in queries(&ours[0]) {
        let cpu = |runs: &[Value]| median(figures(runs, query, "cpuMillis"));
        let ratio = median(
            figures(ours, query, "cpuMillis")
                .zip(figures(theirs, query, "cpuMillis"))
                .map(|(our, their)| our / their),
        );
        logarithms.push(ratio.ln());
        let _ = writeln!(
            page,
            "| {query} | {:.0} | {:.1} | {:.1} | {ratio:.2} | {:.1} |",
            median(figures(ours, query, "rows")),
            cpu(ours),
            cpu(theirs),
            median(figures(ours, query, "wallMillis"))
        );
    }
    let mean = (logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp();
    let _ = writeln!(
        page,
        "\nThe geometric mean of the ratios is {mean:.2}; the target is 1.0, and 1.5 for each."
    );
    page.push_str("\n## The queries\n\n```text\n");
    for query in ours[0].pointer("/queries").and_then(Value::as_array).into_iter().flatten() {
        let _ = writeln!(page, "{}", query.get("kql").and_then(Value::as_str).unwrap_or_default());
    }
    page.push_str("```\n");
    page
}

fn queries(run: &Value) -> impl Iterator<Item = &str> {
    let queries = run.pointer("/queries").and_then(Value::as_array).into_iter().flatten();
    queries.filter_map(|query| query.get("name")?.as_str())
}

/// A figure of a query in each run.
fn figures<'r>(runs: &'r [Value], query: &'r str, figure: &'r str) -> impl Iterator<Item = f64> {
    runs.iter().filter_map(move |run| {
        let queries = run.pointer("/queries")?.as_array()?;
        queries
            .iter()
            .find(|found| found.get("name").and_then(Value::as_str) == Some(query))?
            .get(figure)?
            .as_f64()
    })
}

pub(super) fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Builds with the whole workspace selected, so that the engine is built with the features that everything else has.
pub(super) fn build_example(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--workspace", "--example", name])
        .current_dir(root)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the example {name} does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("debug/examples").join(name))
}

pub(super) fn run_json(command: &mut Command) -> anyhow::Result<Value> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}:\n{told}", output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("{command:?} printed no JSON"))
}

/// The Python that has the readers of the tables, as the store's tests look for it.
fn readers_python() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("STEADFAST_CACHE").or_else(|| Some(variable("HOME")?.join(".cache/steadfast")));
    let folder = variable("STEADFAST_READERS").or_else(|| Some(cache?.join("readers")))?;
    Some(folder.join("bin/python")).filter(|python| python.exists())
}

pub(super) const PROFILE: &str = "Built with the development profile, as `make run` builds: our crates are not optimised, the engine's lightly.";
const INGEST_HEAD: &str = "<!-- Written by `cargo xtask bench ingest`; change that, not this. -->
# Ingest

What it takes to have change records accepted, and what they take on the disk. The records have a fleet's shape: 20,000
machines, some busier than others, ten million records in 90 days, two thirds of them of files, each with digests of its
own, which do not compress.

";
const QUERY_HEAD: &str = "<!-- Written by `cargo xtask bench query`; change that, not this. -->
# Queries

What queries cost over the store's own data files, beside DuckDB over the same files. Processor time is the figure to
compare; the time on the wall depends on what else the machine did.

";
