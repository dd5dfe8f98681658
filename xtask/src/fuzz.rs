//! `fuzz`: runs the targets of `fuzz/`, each for a bounded number of inputs.
//!
//! The flags are those with which `cargo fuzz` compiles. A sanitizer needs a nightly compiler, so there is none
//! here: what is looked for are panics and laws that do not hold. `cargo +nightly fuzz run TARGET` adds one.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// Runs `cargo xtask fuzz ARGUMENTS` for the workspace in `root`.
pub fn run(root: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(arguments)?;
    let home = root.join("fuzz");
    let known = targets(&home)?;
    let chosen = if options.targets.is_empty() {
        known.iter().filter(|target| options.with_server || *target != SERVER_TARGET).cloned().collect()
    } else {
        options.targets.clone()
    };
    for target in &chosen {
        ensure!(known.contains(target), "there is no target {target:?}: it is one of {}", known.join(", "));
    }
    for target in &chosen {
        fuzz(&home, target, options.runs).with_context(|| format!("fuzzing {target}"))?;
    }
    Ok(())
}

/// The one that compiles the storage engine: only when it is asked for.
const SERVER_TARGET: &str = "ingest_record";

/// Gives every branch a counter and every comparison a hook, and turns wrong arithmetic into a panic.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing -Cdebug-assertions -Coverflow-checks \
    -Ccodegen-units=1";

/// The platform that this was compiled for.
const HOST: &str = env!("HOST");

struct Options {
    runs: u64,
    with_server: bool,
    targets: Vec<String>,
}

impl Options {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { runs: 20_000, with_server: false, targets: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--runs" => {
                    let runs = arguments.next().context("--runs needs a number")?;
                    options.runs = runs.parse().with_context(|| format!("{runs:?} is no number of runs"))?;
                }
                "--server" => options.with_server = true,
                option if option.starts_with('-') => bail!("there is no option {option:?}\n\n{USAGE}"),
                target => options.targets.push(target.to_owned()),
            }
        }
        Ok(options)
    }
}

/// The names of the targets, sorted.
fn targets(home: &Path) -> anyhow::Result<Vec<String>> {
    let folder = home.join("fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn fuzz(home: &Path, target: &str, runs: u64) -> anyhow::Result<()> {
    eprintln!("fuzzing {target}: {runs} inputs");
    let corpus = home.join("corpus").join(target);
    let artifacts = home.join("artifacts").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    fs::create_dir_all(&artifacts).with_context(|| format!("cannot make {}", artifacts.display()))?;
    let mut command = Command::new("cargo");
    command
        .current_dir(home)
        // With a target named, the flags are not for build scripts and macros, which run in the compiler.
        .env("RUSTFLAGS", FLAGS)
        .args(["run", "--locked", "--quiet", "--profile", "fuzz", "--target", HOST, "--target-dir", "target"])
        .args(["--package", "fim-fuzz", "--bin", target]);
    // A folder of its own beside the one of `make`, whose crates other flags would throw out.
    match env::var_os("STEADFAST_CACHE") {
        Some(cache) => command.env("CARGO_BUILD_BUILD_DIR", Path::new(&cache).join("fuzz")),
        None => command.env_remove("CARGO_BUILD_BUILD_DIR"),
    };
    if target == SERVER_TARGET {
        command.args(["--features", "server"]);
    }
    command.arg("--").arg(&corpus);
    command.args(seeds(home, target).iter().filter(|folder| folder.is_dir()));
    command.arg(format!("-runs={runs}")).arg(format!("-artifact_prefix={}/", artifacts.display()));
    // The same inputs each time, so that a failure is a change's; memory and time bound a hostile input.
    command.args(["-seed=1", "-timeout=10", "-rss_limit_mb=1024"]);
    let output = command.output().context("cannot start cargo")?;
    if !output.status.success() {
        io::stderr().write_all(&output.stderr)?;
        bail!("an input breaks it, see above; it is kept in {}", artifacts.display());
    }
    Ok(())
}

/// Folders of inputs to begin with: committed ones, and the corpus of the language's tests.
fn seeds(home: &Path, target: &str) -> Vec<PathBuf> {
    let mut folders = vec![home.join("seeds").join(target)];
    if target == "kql" {
        folders.push(home.join("../crates/fim-kql/tests/corpus"));
    }
    folders
}

const USAGE: &str = "usage: cargo xtask fuzz [--runs N] [--server] [TARGET…]";
