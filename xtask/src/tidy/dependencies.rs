//! Who may depend on whom: the table of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The document that the table stands in.
pub const MAP: &str = "ARCHITECTURE.md";

/// Checks every crate's own dependencies by the table in the text of the map; development dependencies are free.
pub fn check(root: &Path, map: &str) -> Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(breaches(&serde_json::from_slice(&output.stdout)?, &table(map)))
}

/// The crates of the table, with those of ours that each may use: rows of name, sentence and names without `fim-`.
fn table(map: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = map.lines().skip_while(|line| !line.starts_with("| Crate |")).skip(2);
    let cells =
        rows.map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")).map(|row| row.split(" | "));
    cells
        .filter_map(|mut row| {
            let (name, uses) = (row.next()?, row.nth(1)?);
            let name = if name == "fuzz" { "fim-fuzz" } else { name };
            let uses = uses.split(", ").filter(|used| *used != "–").map(|used| format!("fim-{used}"));
            Some((name.to_owned(), uses.collect()))
        })
        .collect()
}

fn breaches(metadata: &Value, table: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowed) = table.get(name) else {
            breaches.push(format!("{name}: a crate that the table of {MAP} does not have"));
            continue;
        };
        let never = NEVER.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, never)| never);
        let mut unused = allowed.clone();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"] == "dev" {
                continue;
            }
            unused.remove(used);
            if used.starts_with("fim-") && !allowed.contains(used) {
                breaches.push(format!("{name}: may not depend on {used} by the table of {MAP}"));
            }
            if never.iter().any(|never| used.starts_with(never)) {
                breaches.push(format!("{name}: must never see {used}"));
            }
        }
        let unused = unused.iter().map(|used| format!("{MAP}: {name} does not use {used}; leave it out"));
        breaches.extend(unused);
    }
    breaches
}

const IO: &[&str] = &["tokio", "rustix", "libc", "ureq", "axum", "sqlx", "datafusion", "arrow", "futures"];
const SERVER: &[&str] = &["axum", "sqlx", "datafusion", "arrow", "parquet", "deltalake", "tokio"];

/// Third parties that a crate must never see, by the beginning of their names.
const NEVER: &[(&str, &[&str])] = &[
    ("fim-core", IO),
    ("fim-kql", IO),
    ("fim-wire", IO),
    ("fim-log", SERVER),
    ("fim-scan", &["tokio", "rustix", "libc", "ureq", "axum"]),
    ("fim-bpf", SERVER),
    ("fim-os", &["ureq", "tokio", "axum"]),
    ("fim-sensor", SERVER),
    ("fim-agent", SERVER),
    ("fim-store", &["axum", "hyper", "datafusion"]),
    ("fim-query", &["axum", "hyper", "sqlx"]),
    ("fim-server", &["clap"]),
    ("fim-testkit", SERVER),
    ("fim-fuzz", SERVER),
    ("xtask", SERVER),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dependency_against_the_direction_is_a_breach() {
        let metadata = json!({"packages": [
            {"name": "fim-core", "dependencies": [{"name": "fim-os", "kind": null}, {"name": "tokio", "kind": "dev"}]},
            {"name": "fim-os", "dependencies": [{"name": "fim-core", "kind": null}, {"name": "tokio", "kind": null}]},
            {"name": "fim-utils", "dependencies": []},
        ]});
        let map = "| Crate | What | May use |\n|---|---|---|\n| fim-core | a | – |\n| fim-os | b | core, scan |\n\n\
                   | fim-utils | in another table | core |\n";
        assert_eq!(
            breaches(&metadata, &table(map)),
            [
                "fim-core: may not depend on fim-os by the table of ARCHITECTURE.md",
                "fim-os: must never see tokio",
                "ARCHITECTURE.md: fim-os does not use fim-scan; leave it out",
                "fim-utils: a crate that the table of ARCHITECTURE.md does not have"
            ]
        );
    }
}
