//! `bench realtime`: the agent in real time. An example of the agent does the work and prints JSON; here it becomes a page.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::report::{machine, median};
use super::store::{build_example, number, run_json};
use super::{Directory, USAGE, build_agent};

/// What to measure.
#[derive(Debug)]
pub struct Options {
    operations: u64,
    /// How many files are monitored when memory is measured, in turn.
    entities: Vec<u64>,
    repetitions: usize,
    agent: Option<PathBuf>,
    output: Option<PathBuf>,
}

impl Options {
    pub fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            operations: 50_000,
            entities: vec![200_000, 1_000_000],
            repetitions: 3,
            agent: None,
            output: None,
        };
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{option} needs a value\n\n{USAGE}"));
            match option.as_str() {
                "--operations" => options.operations = value()?.parse().context("--operations")?,
                "--entities" => {
                    let numbers = value()?.split(',').map(str::parse).collect::<Result<_, _>>();
                    options.entities = numbers.context("--entities takes numbers such as 200000,1000000")?;
                }
                "--reps" => options.repetitions = value()?.parse().context("--reps")?,
                "--agent" => options.agent = Some(value()?.into()),
                "--output" => options.output = Some(value()?.into()),
                _ => bail!("unknown option {option}\n\n{USAGE}"),
            }
        }
        ensure!(options.repetitions > 0, "--reps needs at least 1");
        Ok(options)
    }
}

/// Measures, and writes the page.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let program = build_example(root, "real_time")?;
    let agent = match &options.agent {
        Some(agent) => agent.clone(),
        None => build_agent(root)?,
    };
    ensure!(agent.exists(), "{} is missing", agent.display());
    let entities: Vec<String> = options.entities.iter().map(u64::to_string).collect();
    let directory = Directory::create()?;
    let mut runs = Vec::new();
    for repetition in 0..options.repetitions {
        let folder = directory.0.join("run");
        let run = run_json(
            Command::new(&program)
                .arg(&agent)
                .arg(&folder)
                .args([options.operations.to_string(), entities.join(",")]),
        )?;
        eprintln!("{repetition}: storm p50 {:.0} ms", number(&run, "/storm/observedMillis/p50"));
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        runs.push(run);
    }
    let page = page(&runs);
    let path = options.output.clone().unwrap_or_else(|| root.join("docs/benchmarks/realtime.md"));
    std::fs::write(&path, &page).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{page}\nwritten to {}", path.display());
    Ok(())
}

fn page(runs: &[Value]) -> String {
    let middle = |path: &str| median(runs.iter().map(|run| number(run, path)));
    let mut page = String::from(HEAD);
    // Writing to a string cannot fail.
    let _ = writeln!(page, "* Machine: {}; {:.1} at the beginning", machine(), loads(runs));
    page.push_str("* The agent is built for release.\n");
    let _ = writeln!(page, "* {} runs, of which the medians are shown.", runs.len());
    page.push_str("\n## How long a change takes to be told\n\n");
    page.push_str("| from the write to | p50 | p99 | greatest |\n|---|---|---|---|\n");
    for (what, part) in [
        ("the agent's record, on a machine that is idle", "/idle/observedMillis"),
        ("the server's having it, on a machine that is idle", "/idle/arrivedMillis"),
        ("the agent's record, in the storm", "/storm/observedMillis"),
        ("a line of inotifywait, which only prints names, in the storm", "/inotifywait/observedMillis"),
    ] {
        let figure = |name: &str| millis(middle(&format!("{part}/{name}")));
        let _ = writeln!(page, "| {what} | {} | {} | {} |", figure("p50"), figure("p99"), figure("most"));
    }
    let _ = writeln!(
        page,
        "\nA record waits until its place has been quiet for 200 ms, so that what belongs together is one change.\n\n\
         ## The storm\n\n{} operations on as many files in 200 folders, {:.0} in a second: made, written, appended to, \
         renamed, removed, rights changed.\n\n\
         | | missed | gaps | processor s | peak memory |\n|---|---|---|---|---|\n\
         | steadfast-agent | {:.0} | {:.0} | {:.2} | {:.1} MiB |",
        number(&runs[0], "/storm/operations"),
        middle("/storm/operationsPerSecond"),
        middle("/storm/missed"),
        middle("/storm/gaps"),
        middle("/storm/cpuSeconds"),
        middle("/storm/peakKib") / 1024.0
    );
    if middle("/inotifywait/cpuSeconds").is_finite() {
        let missed = middle("/inotifywait/missed");
        let _ = writeln!(
            page,
            "| inotifywait | {missed:.0} | – | {:.2} | – |",
            middle("/inotifywait/cpuSeconds")
        );
    }
    page.push_str(&overhead(runs));
    page.push_str(&at_rest(runs));
    page
}

/// What the agent takes when nothing happens.
fn at_rest(runs: &[Value]) -> String {
    let mut text = String::from(
        "\n## At rest\n\nAfter the baseline, when nothing happens. Of what is resident, 10 MiB are the rings in which the \
         kernel tells, counted twice as they are mapped twice.\n\n\
         | files monitored | resident | peak | of a core |\n|---|---|---|---|\n",
    );
    let sizes = runs[0].pointer("/memory").and_then(Value::as_array).map_or(0, Vec::len);
    for at in 0..sizes {
        let middle = |name: &str| median(runs.iter().map(|run| number(run, &format!("/memory/{at}/{name}"))));
        let _ = writeln!(
            text,
            "| {:.0} | {:.1} MiB | {:.1} MiB | {:.2} % |",
            middle("entities"),
            middle("residentKib") / 1024.0,
            middle("peakKib") / 1024.0,
            middle("idlePercentOfACore")
        );
    }
    text
}

/// What it costs others that the agent watches.
fn overhead(runs: &[Value]) -> String {
    let middle = |name: &str| {
        let path = format!("/overhead/microsPerFile/{name}");
        let values = runs.iter().filter_map(|run| run.pointer(&path)?.as_array());
        median(values.flatten().filter_map(Value::as_f64))
    };
    let alone = middle("alone");
    let mut text = format!(
        "\n## What it costs others\n\nMaking, writing, renaming and removing {} files, in microseconds of a processor a \
         file, {} rounds in turn in each run. The agent's own part is spent at the lowest priority.\n\n\
         | | who does it | ratio | the agent |\n|---|---|---|---|\n| no agent | {alone:.1} | 1.00 | – |\n",
        number(&runs[0], "/overhead/files"),
        number(&runs[0], "/overhead/rounds"),
    );
    for (what, name, agent) in [
        ("on the same file system, not monitored", "beside", "agentBeside"),
        ("monitored", "watched", "agentWatched"),
    ] {
        let figure = middle(name);
        let _ = writeln!(text, "| {what} | {figure:.1} | {:.2} | {:.1} |", figure / alone, middle(agent));
    }
    text
}

fn loads(runs: &[Value]) -> f64 {
    median(runs.iter().filter_map(|run| run.pointer("/load")?.as_str()?.parse().ok()))
}

fn millis(value: f64) -> String {
    if value.is_finite() { format!("{value:.0} ms") } else { "–".to_owned() }
}

const HEAD: &str = "<!-- Written by `cargo xtask bench realtime`; change that, not this. -->
# Real time

What it takes to be told of changes when they happen, on the machine's own file system with the provider
`fanotify+ebpf`. A record is counted from when the agent made it: `observed`.

";
