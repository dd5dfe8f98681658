//! What came of it, for people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::guest::{Outcome, Test};

/// Writes `docs/kernels.md`.
pub fn write(root: &Path, outcomes: &[Outcome]) -> Result<()> {
    let mut text = HEAD.to_owned();
    for outcome in outcomes {
        text.push_str(&of_kernel(outcome));
    }
    let path = root.join("docs/kernels.md");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// What came of the trials on one kernel.
pub fn of_kernel(outcome: &Outcome) -> String {
    let mut text = format!(
        "\n## Linux {}\n\n| By | Test | Outcome | Told in real time on | Who was named |\n|---|---|---|---|---|\n",
        outcome.release
    );
    for test in &outcome.tests {
        let name = test.name.rsplit("::").next().unwrap_or_default();
        let outcome = if test.is_passed { "passed" } else { "**failed**" };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "| `{}` | `{name}` | {outcome} | {} | {} |",
            test.noticed_by.first().map_or("nothing", |by| by),
            places(test),
            programs(test)
        );
    }
    let untried: BTreeSet<&str> =
        outcome.tests.iter().flat_map(|test| &test.untried).map(|why| why_of(why)).collect();
    if !untried.is_empty() {
        text.push_str("\nNot tried there:\n\n");
        for why in untried {
            let _ = writeln!(text, "- {why}");
        }
    }
    text
}

/// The places on which something was told, with how much.
fn places(test: &Test) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, _) in &test.told {
        *counts.entry(place).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|(place, count)| format!("{place} ({count})")).collect();
    if told.is_empty() { "–".to_owned() } else { told.join(", ") }
}

/// The programs that were named, without numbers, which say nothing after the guest.
fn programs(test: &Test) -> String {
    let by = test.told.iter().filter_map(|(_, what)| what.rsplit_once("by ").map(|(_, by)| by));
    let programs: BTreeSet<String> = by
        .flat_map(|by| by.split(", "))
        .filter_map(|actor| actor.split(' ').next())
        .filter_map(|path| path.rsplit('/').next().map(|name| format!("`{name}`")))
        .collect();
    let programs: Vec<String> = programs.into_iter().collect();
    if programs.is_empty() { "–".to_owned() } else { programs.join(", ") }
}

/// A reason without the test that gave it.
fn why_of(untried: &str) -> &str {
    untried.split_once(": ").map_or(untried, |(_, why)| why)
}

const HEAD: &str = "<!-- Written by `cargo xtask kernels`. -->

# Kernels

The real agent on Debian's kernels, each in a guest of QEMU whose processor is emulated. The tests are those of the
[evasion suite](evasion.md), limited to one provider; the suite itself holds that each record names the very process, and
nobody else. That both are named who change a file at once is not tried: an emulated processor comes too late for that, a
[known limitation](known-limitations.md). `tests` is the suite's own program. `own` is the folder for temporary files, on the guest's disk of ext4.
Marks and stores are promised on btrfs by the next scan only.
";
