//! Medians and ratios as a page.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::measure::Run;
use super::tools::{AIDE_ATTRIBUTES, OURS, Phase, REFERENCE, Tool};

/// What the tools cost in one phase on one tree; the runs are in the tools' order.
pub struct Table {
    pub workload: &'static str,
    pub made: String,
    pub phase: Phase,
    pub runs: Vec<Vec<Run>>,
}

/// The page for `docs/`.
pub fn markdown(tools: &[Tool], tables: &[Table], repetitions: usize) -> String {
    let mut page = String::from(HEAD);
    let mut add = |line: String| {
        page.push_str(&line);
        page.push('\n');
    };
    add(format!("* Machine: {}", machine()));
    for tool in tools {
        add(format!("* {}: {}", tool.name, tool.version));
    }
    add(format!(
        "* AIDE records `{AIDE_ATTRIBUTES}`; Steadfast records all of its aspects, which include these."
    ));
    add(format!("* {repetitions} repetitions, after one that is not counted; the page cache is warm."));
    add("* Commands:\n".to_owned());
    for tool in tools {
        for phase in Phase::ALL {
            let file = if tool.name.starts_with("aide") { "aide.conf" } else { "base.db" };
            let [program, arguments @ ..] = &tool.command(phase, Path::new(file), Path::new("TREE"))[..]
            else {
                continue;
            };
            // Where the program lies is of this machine.
            let program = Path::new(program).file_name().unwrap_or_default().display();
            add(format!("      {program} {}", arguments.join(" ")));
        }
    }
    add(format!(
        "\n## Summary\n\nProcessor seconds of Steadfast as a part of those of {REFERENCE}: the target is 0.2.\n"
    ));
    add("| tree | phase | ratio | peak memory |\n|---|---|---|---|".to_owned());
    for table in tables {
        let (ratio, peak) = outcome(tools, table);
        add(format!("| {} | {} | {ratio:.3} | {peak:.1} MiB |", table.workload, table.phase.name()));
    }
    for table in tables {
        add(format!("\n## {}, {}\n\nThe tree is {}.\n", table.workload, table.phase.name(), table.made));
        add(format!(
            "| tool | cpu s (user + system) | ratio to {REFERENCE} | peak memory | wall s |\n|---|---|---|---|---|"
        ));
        for (tool, runs) in tools.iter().zip(&table.runs) {
            add(format!(
                "| {} | {:.2} ({:.2} + {:.2}) | {:.3} | {:.1} MiB | {:.2} |",
                tool.name,
                median(runs.iter().map(Run::cpu_seconds)),
                median(runs.iter().map(|run| run.user_seconds)),
                median(runs.iter().map(|run| run.system_seconds)),
                ratio(runs, reference(tools, table)),
                peak_mib(runs),
                median(runs.iter().map(|run| run.wall_seconds)),
            ));
        }
    }
    page
}

/// A line for each table, for the terminal.
pub fn summary(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        let [ours, _, reference, ..] = &table.runs[..] else { continue };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<12} {:<6} {:.3} of the processor seconds of {REFERENCE}, {:.1} MiB",
            table.workload,
            table.phase.name(),
            ratio(ours, reference),
            peak_mib(ours)
        );
    }
    text
}

fn outcome(tools: &[Tool], table: &Table) -> (f64, f64) {
    let ours = runs_of(tools, table, OURS);
    (ratio(ours, reference(tools, table)), peak_mib(ours))
}

fn reference<'t>(tools: &[Tool], table: &'t Table) -> &'t [Run] {
    runs_of(tools, table, REFERENCE)
}

fn runs_of<'t>(tools: &[Tool], table: &'t Table, name: &str) -> &'t [Run] {
    let position = tools.iter().position(|tool| tool.name == name);
    position.and_then(|position| table.runs.get(position)).map_or(&[], Vec::as_slice)
}

/// The median of the ratios of runs that took turns.
fn ratio(runs: &[Run], reference: &[Run]) -> f64 {
    median(runs.iter().zip(reference).map(|(run, reference)| run.cpu_seconds() / reference.cpu_seconds()))
}

fn peak_mib(runs: &[Run]) -> f64 {
    runs.iter().map(|run| run.peak_kib).max().unwrap_or(0) as f64 / 1024.0
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once([':', '='])
            .map(|(_, value)| value.trim().trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    let info = read("/proc/cpuinfo");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = Command::new("uname").args(["-sr"]).output().map(|output| output.stdout).unwrap_or_default();
    let has_sha =
        if field(&info, "flags").split(' ').any(|flag| flag == "sha_ni") { "with" } else { "without" };
    format!(
        "{cores} cores of {}, {has_sha} SHA instructions; {}; {}; load {} at the end",
        field(&info, "model name"),
        field(&read("/etc/os-release"), "PRETTY_NAME"),
        String::from_utf8_lossy(&kernel).trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or_default()
    )
}

const HEAD: &str = "<!-- Written by `cargo xtask bench scan`; change that, not this. -->
# Benchmarks

What a scan costs, beside AIDE on the same trees and with the same attributes. Processor seconds and memory are the
figures to compare; the time on the wall depends on what else the machine did.

What the log store costs is in [ingest](benchmarks/ingest.md) and [queries](benchmarks/query.md), what real time takes in
[real time](benchmarks/realtime.md).

";

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(seconds: &[f64]) -> Vec<Run> {
        let run = |&user_seconds: &f64| Run {
            user_seconds,
            system_seconds: 0.0,
            wall_seconds: 0.0,
            peak_kib: 2048,
        };
        seconds.iter().map(run).collect()
    }

    #[test]
    fn ratios_are_of_runs_that_took_turns() {
        assert!((ratio(&runs(&[1.0, 9.0, 2.0]), &runs(&[10.0, 30.0, 10.0])) - 0.2).abs() < 1e-9);
        assert!((peak_mib(&runs(&[1.0])) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_an_even_count_lies_between() {
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median(std::iter::empty()).is_nan());
    }
}
