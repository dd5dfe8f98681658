//! Checks of the layout that the compiler does not make.

mod dependencies;
mod documents;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Prints every breach and fails if there is one.
pub fn run(root: &Path) -> Result<()> {
    let files = tracked_files(root)?;
    let mut breaches = dependencies::check(root, &fs::read_to_string(root.join(dependencies::MAP))?)?;
    let mut tests = BTreeMap::<String, usize>::new();
    let mut evasions = Vec::new();
    for path in &files {
        let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
        let name = path.to_string_lossy();
        for test in documents::tests(&name, &text) {
            if name.starts_with(documents::EVASION_TESTS) {
                evasions.push(test.clone());
            }
            *tests.entry(test).or_default() += 1;
        }
        breaches.extend(sources::check(&name, &text));
        breaches.extend(documents::check(&name, &text, |named| root.join(named).exists()));
    }
    let count = |test: &str| tests.get(test).copied().unwrap_or(0);
    for document in [documents::SPECIFICATION, documents::EVASION] {
        let text =
            fs::read_to_string(root.join(document)).with_context(|| format!("cannot read {document}"))?;
        breaches.extend(documents::check_promises(document, &text, count));
        if document == documents::SPECIFICATION {
            breaches.extend(documents::check_numbers(&text));
        }
        if document == documents::EVASION {
            breaches.extend(documents::check_evasion(&text, evasions.iter().map(String::as_str)));
        }
    }
    for breach in &breaches {
        eprintln!("{breach}");
    }
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("{} breaches of the layout", breaches.len())
}

/// The files that git tracks or would, relative to the root.
fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    Ok(names.split_terminator('\0').map(PathBuf::from).collect())
}
