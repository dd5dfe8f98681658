//! `bench scan`: our stand-alone mode beside AIDE, on the same trees and with the same attributes. `bench ingest` and
//! `bench query`: the log store. `bench realtime`: the agent in real time.
//!
//! Processor seconds are what counts: they do not depend on what else the machine does, as the time on the wall does.
//! Tools take turns within each repetition, so that a busy minute meets all of them.

mod measure;
mod realtime;
mod report;
mod store;
mod tools;
mod workload;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use measure::{Run, measure};
use report::Table;
use tools::{Phase, Tool};
use workload::{Sizes, Workload};

/// Runs `cargo xtask bench ARGUMENTS`.
pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [what, options @ ..] = arguments else { bail!("{USAGE}") };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
    match what.as_str() {
        "scan" => scan(root, options),
        "ingest" => store::ingest(root, &store::Options::parse(options)?),
        "query" => store::query(root, &store::Options::parse(options)?),
        "realtime" => realtime::run(root, &realtime::Options::parse(options)?),
        _ => bail!("there is no benchmark {what:?}\n\n{USAGE}"),
    }
}

fn scan(root: &Path, options: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(options)?;
    let agent = match &options.agent {
        Some(agent) => agent.clone(),
        None => build_agent(root)?,
    };
    let tools = tools::find(&agent)?;
    let directory = Directory::create()?;
    let mut tables = Vec::new();
    for workload in Workload::all() {
        eprintln!("making {}", workload.name());
        let tree = directory.0.join("trees").join(workload.name());
        let made = workload.make(&tree, &options.sizes)?;
        for phase in Phase::ALL {
            let runs = run_phase(&tools, &tree, &directory.0, phase, options.repetitions)?;
            tables.push(Table { workload: workload.name(), made: made.clone(), phase, runs });
        }
        std::fs::remove_dir_all(&tree).with_context(|| format!("cannot remove {}", tree.display()))?;
    }
    let text = report::markdown(&tools, &tables, options.repetitions);
    println!("{}", report::summary(&tables));
    let page = options.output.unwrap_or_else(|| root.join("docs/benchmarks.md"));
    std::fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))?;
    println!("written to {}", page.display());
    Ok(())
}

/// Lets each tool do the phase in turn, again and again. The first round fills the page cache and is not counted.
fn run_phase(
    tools: &[Tool],
    tree: &Path,
    directory: &Path,
    phase: Phase,
    repetitions: usize,
) -> anyhow::Result<Vec<Vec<Run>>> {
    let mut runs = vec![Vec::new(); tools.len()];
    for repetition in 0..=repetitions {
        for (tool, runs) in tools.iter().zip(&mut runs) {
            let run = tool.run(phase, tree, directory, measure)?;
            eprintln!(
                "  {:<24} {:<6} {repetition}: {:.2} s, {} KiB",
                tool.name,
                phase.name(),
                run.cpu_seconds(),
                run.peak_kib
            );
            if repetition > 0 {
                runs.push(run);
            }
        }
    }
    Ok(runs)
}

fn build_agent(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", "fim-agent"])
        .current_dir(root)
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "the agent does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/steadfast-agent"))
}

#[derive(Debug)]
struct Options {
    sizes: Sizes,
    repetitions: usize,
    agent: Option<PathBuf>,
    output: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { sizes: Sizes::MODERATE, repetitions: 3, agent: None, output: None };
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{option} needs a value\n\n{USAGE}"));
            match option.as_str() {
                "--full" => options.sizes = Sizes::FULL,
                "--small-files" => options.sizes.small_files = value()?.parse().context("--small-files")?,
                "--big-mib" => options.sizes.big_file_mib = value()?.parse().context("--big-mib")?,
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

/// A directory for the trees and the tools' files, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn create() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("steadfast-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("warning: cannot remove {}: {error}", self.0.display());
        }
    }
}

const USAGE: &str = "usage: cargo xtask bench scan|ingest|query|realtime [OPTIONS]

scan runs `steadfast-agent baseline` and `check` beside Debian's AIDE, and a newer one if AIDE names its program.

  --full              trees of the published sizes (needs some 15 GB and an hour)
  --small-files N     how many small files
  --big-mib N         how large each big file is, in MiB
  --reps N            how often each is measured (3)
  --agent FILE        this program instead of a new release build
  --output FILE       write there instead of docs/benchmarks.md

ingest feeds the log store with records of a fleet's shape; query asks the same of our engine and of DuckDB over the same
files. Both build with the development profile, which is what `make run` builds.

  --records N         how many records (1000000)
  --reps N            how often it is measured (3)
  --output FILE       write there instead of docs/benchmarks/ingest.md or query.md

realtime measures the agent while files change: how long a change takes to be told, a storm, what others pay, and what it
takes at rest. It is for a machine that does nothing else.

  --operations N      how many operations the storm has (50000)
  --entities N,N      how many files are monitored when memory is measured, in turn (200000,1000000)
  --reps N            how often it is measured (3)
  --agent FILE        this program instead of the one that is built
  --output FILE       write there instead of docs/benchmarks/realtime.md";
