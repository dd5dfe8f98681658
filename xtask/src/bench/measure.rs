//! What a command costs.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub user_seconds: f64,
    pub system_seconds: f64,
    pub wall_seconds: f64,
    pub peak_kib: u64,
}

impl Run {
    pub fn cpu_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}

/// Runs a command with its output to a file, and checks that it ends as it should.
pub fn measure(command: &[String], output: &Path, expected: i32) -> anyhow::Result<Run> {
    let figures = output.with_extension("figures");
    let file = File::create(output).with_context(|| format!("cannot create {}", output.display()))?;
    let started = Instant::now();
    let status = Command::new(GNU_TIME)
        .args(["--quiet", "--format", "%U %S %M", "--output"])
        .arg(&figures)
        .arg("--")
        .args(command)
        .stdin(Stdio::null())
        .stderr(file.try_clone()?)
        .stdout(file)
        .status()
        .with_context(|| format!("cannot run {GNU_TIME}; install the package `time`"))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    ensure!(
        status.code() == Some(expected),
        "{} ended with {status}, not {expected}:\n{}",
        command.join(" "),
        std::fs::read_to_string(output).unwrap_or_default()
    );
    let text =
        std::fs::read_to_string(&figures).with_context(|| format!("cannot read {}", figures.display()))?;
    let mut fields = text.split_whitespace();
    let mut field = || fields.next().with_context(|| format!("{GNU_TIME} wrote {text:?}"));
    Ok(Run {
        user_seconds: field()?.parse()?,
        system_seconds: field()?.parse()?,
        wall_seconds,
        peak_kib: field()?.parse()?,
    })
}

/// The kernel's own account of a process and its children, to a hundredth of a second.
const GNU_TIME: &str = "/usr/bin/time";
