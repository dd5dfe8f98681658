//! The official parser beside ours: the same verdict and the same result columns for every query of the corpus.
//!
//! It runs where `npm ci` was done in `tests/oracle`, and says so where it was not.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by failing")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{CorpusCatalog, TABLES, corpus, folder, options};
use fim_kql::{Code, compile};

/// Where we differ on purpose: the start of a query, and why.
const DIFFERENCES: [(&str, &str); 6] = [
    ("set notruncation", "request options are not supported yet, and saying so beats ignoring them"),
    (
        "ConfigurationChange | take 1; ConfigurationChange",
        "several queries in one text are not supported yet",
    ),
    ("print ['a b'] = 1, kind", "the editor wants brackets around 'kind', the service does not"),
    ("let x = 1;", "a text without a query has no result"),
    ("ConfigurationChange | summarize (first, who)", "the editor wants brackets around 'first'"),
    (
        "ConfigurationChange | take -1",
        "the official parser leaves a negative count to the engine, which refuses it",
    ),
];

#[test]
fn the_official_parser_agrees_about_the_corpus() {
    let oracle = folder().join("oracle");
    if !oracle.join("node_modules").is_dir() {
        eprintln!(
            "SKIPPED the_official_parser_agrees_about_the_corpus: run `npm ci` in {}",
            oracle.display()
        );
        return;
    }
    let queries: Vec<String> = corpus().into_iter().flat_map(|(_, queries)| queries).collect();
    let request = serde_json::json!({ "tables": TABLES, "queries": queries });
    let mut child = Command::new("node")
        .arg(oracle.join("oracle.js"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts, since node_modules is there");
    child.stdin.take().expect("a pipe").write_all(request.to_string().as_bytes()).expect("node reads");
    let output = child.wait_with_output().expect("node ends");
    assert!(output.status.success());
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let mut disagreements = Vec::new();
    for (query, answer) in queries.iter().zip(answers.as_array().expect("a list")) {
        if DIFFERENCES.iter().any(|(start, _)| query.starts_with(start)) {
            continue;
        }
        let errors = answer["errors"].as_array().expect("a list");
        match compile(query, &CorpusCatalog, &options()) {
            Ok(plan) => {
                let columns = plan.schema().columns.iter();
                let ours: Vec<String> =
                    columns.map(|column| format!("{}:{}", column.name, column.ty)).collect();
                let theirs = answer["columns"].as_array().expect("columns");
                let theirs: Vec<&str> = theirs.iter().filter_map(|column| column.as_str()).collect();
                if !errors.is_empty() || ours != theirs {
                    disagreements.push(format!("{query}\n  ours   {ours:?}\n  theirs {theirs:?} {errors:?}"));
                }
            }
            Err(found) => {
                let is_refused_by_choice =
                    found.iter().all(|diagnostic| diagnostic.code == Code::NotSupported);
                if errors.is_empty() && !is_refused_by_choice {
                    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                    disagreements.push(format!("{query}\n  ours   {found:?}\n  theirs accepts it"));
                }
            }
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n\n"));
}
