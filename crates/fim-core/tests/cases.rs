//! Every text in `cases/` is what the tracker does: steps, and after each what it demands.
//!
//! After a change that is meant, read what it does to the cases, then accept it with `ACCEPT_CASES=1`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/script.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod script;

use std::fs;
use std::path::Path;

#[test]
fn the_tracker_does_what_the_cases_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10, "the cases are there");
    let mut wrong = Vec::new();
    for path in paths {
        let expected = fs::read_to_string(&path).unwrap();
        let told = script::run(&expected);
        if told != expected && std::env::var_os("ACCEPT_CASES").is_some() {
            fs::write(&path, &told).unwrap();
        } else if told != expected {
            wrong.push(format!("{} is really:\n{told}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}
