//! Who may depend on whom: the table of ARCHITECTURE.md.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What one crate may use, and must never see.
struct Allowance {
    name: &'static str,
    /// Crates of ours that it may use.
    may_use: &'static [&'static str],
    /// Third parties that it must never see, by the beginning of their names.
    never: &'static [&'static str],
}

/// Checks every crate's own dependencies; development dependencies are free.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(breaches(&serde_json::from_slice(&output.stdout)?))
}

fn breaches(metadata: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(allowance) = TABLE.iter().find(|allowance| allowance.name == name) else {
            breaches.push(format!("{name}: a crate that the table of dependencies does not have"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let used = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"] == "dev" {
                continue;
            }
            if used.starts_with("fim-") && !allowance.may_use.contains(&used) {
                breaches.push(format!("{name}: may not depend on {used}"));
            }
            if allowance.never.iter().any(|never| used.starts_with(never)) {
                breaches.push(format!("{name}: must never see {used}"));
            }
        }
    }
    breaches
}

const IO: &[&str] = &["tokio", "rustix", "libc", "ureq", "axum", "sqlx", "datafusion", "arrow", "futures"];
const SERVER: &[&str] = &["axum", "sqlx", "datafusion", "arrow", "parquet", "deltalake", "tokio"];

const TABLE: &[Allowance] = &[
    Allowance { name: "fim-core", may_use: &[], never: IO },
    Allowance { name: "fim-kql", may_use: &[], never: IO },
    Allowance { name: "fim-wire", may_use: &["fim-core"], never: IO },
    Allowance { name: "fim-log", may_use: &[], never: SERVER },
    Allowance {
        name: "fim-scan",
        may_use: &["fim-core"],
        never: &["tokio", "rustix", "libc", "ureq", "axum"],
    },
    Allowance { name: "fim-os", may_use: &["fim-core", "fim-scan"], never: &["ureq", "tokio", "axum"] },
    Allowance {
        name: "fim-sensor",
        may_use: &["fim-core", "fim-log", "fim-scan", "fim-wire"],
        never: SERVER,
    },
    Allowance {
        name: "fim-agent",
        may_use: &["fim-core", "fim-log", "fim-os", "fim-scan", "fim-sensor"],
        never: SERVER,
    },
    Allowance {
        name: "fim-store",
        may_use: &["fim-core", "fim-log"],
        never: &["axum", "hyper", "datafusion"],
    },
    Allowance { name: "fim-query", may_use: &["fim-kql", "fim-store"], never: &["axum", "hyper", "sqlx"] },
    Allowance {
        name: "fim-server",
        may_use: &["fim-core", "fim-kql", "fim-log", "fim-query", "fim-store", "fim-wire"],
        never: &["clap"],
    },
    Allowance {
        name: "fim-cli",
        may_use: &["fim-core", "fim-os", "fim-query", "fim-scan", "fim-sensor", "fim-server"],
        never: &[],
    },
    Allowance { name: "fim-testkit", may_use: &["fim-core", "fim-log", "fim-scan"], never: SERVER },
    Allowance {
        name: "fim-fuzz",
        may_use: &["fim-core", "fim-kql", "fim-log", "fim-sensor", "fim-store", "fim-testkit", "fim-wire"],
        never: SERVER,
    },
    Allowance { name: "xtask", may_use: &[], never: SERVER },
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_dependency_against_the_direction_is_a_breach() {
        let metadata = json!({"packages": [
            {"name": "fim-core", "dependencies": [{"name": "fim-os", "kind": null}, {"name": "tokio", "kind": "dev"}]},
            {"name": "fim-utils", "dependencies": []},
        ]});
        assert_eq!(
            breaches(&metadata),
            [
                "fim-core: may not depend on fim-os",
                "fim-utils: a crate that the table of dependencies does not have"
            ]
        );
    }
}
