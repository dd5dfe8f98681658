//! The official parser beside ours: the same verdict and the same result columns for every query of the corpus.
//!
//! It runs where `npm ci` was done in `tests/oracle`, and says so where it was not.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by failing")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{CorpusCatalog, TABLES, WORKSPACES, corpus, folder, options};
use fim_kql::{Code, compile, parse};

/// Where we differ on purpose: the start of a query, and why.
const DIFFERENCES: [(&str, &str); 19] = [
    ("workspace(\"x\") |", "a workspace is no table, and saying so helps"),
    ("workspace().", "a workspace is named"),
    (
        "Mixed | where s matches regex \"[\"",
        "a text that is no regular expression matches nothing, and saying so helps",
    ),
    (
        "Mixed | extend a = extract(\"a(\"",
        "a text that is no regular expression matches nothing, and saying so helps",
    ),
    ("Mixed | evaluate bag_unpack(s)", "the service checks the arguments of plugins, the editor does not"),
    (
        "Mixed | evaluate bag_unpack(x, columnsConflict",
        "the service checks the arguments of plugins, the editor does not",
    ),
    (
        "Mixed | extend startofday(d)",
        "the engine gives a part of a moment as a long, the official parser says int",
    ),
    ("set notruncation", "request options are not supported yet, and saying so beats ignoring them"),
    (
        "ConfigurationChange | take 1; ConfigurationChange",
        "several queries in one text are not supported yet",
    ),
    ("print ['a b'] = 1, kind", "the editor wants brackets around 'kind', the service does not"),
    ("let x = 1;", "a text without a query has no result"),
    ("ConfigurationChange | summarize (first, who)", "the editor wants brackets around 'first'"),
    (
        "Mixed | extend p = prev(s) | where row_number",
        "the service refuses rows without an order, the editor does not",
    ),
    ("union kind=inner", "the documentation says that only common columns are kept; the editor shows all"),
    (
        "ConfigurationChange | take -1",
        "the official parser leaves a negative count to the engine, which refuses it",
    ),
    (
        "Mixed | make-series count() on d from",
        "the official parser leaves the length of a step and of a series to the engine, which refuses both",
    ),
    ("print assert(1 > 2", "the engine refuses what is asserted and false, the editor does not"),
    ("Mixed | top-nested 2 of x", "the engine groups by no dynamic value, and the editor does not say so"),
    ("Mixed | top-nested 2 of s by make_list", "an array has no order"),
];

/// Where the text of published queries is judged otherwise: the start of its name, and why.
const SYNTAX_DIFFERENCES: [(&str, &str); 2] = [
    ("Defender for Endpoint/Device-ASRAudit.kql", "a single '=' in where is a mistake, and saying so helps"),
    (
        "Defender for Cloud Apps/DCA-ExtractPhoneNumber.kql",
        "datetime(\"Insert date\") is no moment, and saying so helps",
    ),
];

#[test]
fn the_official_parser_agrees_about_the_text_of_published_queries() {
    let Some(path) = std::env::var_os("KQL_QUERIES") else {
        fim_testkit::skip("KQL_QUERIES does not name a file with an object of name and q in each line");
        return;
    };
    let text = std::fs::read_to_string(path).expect("the file that KQL_QUERIES names");
    let objects = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let named: Vec<(String, String)> = objects
        .map(|object| {
            let text = |name: &str| object[name].as_str().expect("a text").to_owned();
            (text("name"), text("q"))
        })
        .collect();
    let queries: Vec<&str> = named.iter().map(|(_, query)| query.as_str()).collect();
    let request = serde_json::json!({ "tables": TABLES, "workspaces": WORKSPACES, "queries": queries, "syntaxOnly": true });
    let Some(answers) = ask(&request) else { return };
    let mut disagreements = Vec::new();
    let mut refused = 0;
    for ((name, query), answer) in named.iter().zip(&answers) {
        if SYNTAX_DIFFERENCES.iter().any(|(start, _)| name.starts_with(start)) {
            continue;
        }
        let (_, found) = parse(query);
        let is_refused_by_choice = found.iter().any(|diagnostic| diagnostic.code == Code::NotSupported);
        refused += usize::from(is_refused_by_choice);
        let theirs = answer["errors"].as_array().expect("a list");
        if found.is_empty() != theirs.is_empty() && !is_refused_by_choice {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            disagreements.push(format!("{name}\n  ours   {found:?}\n  theirs {theirs:?}"));
        }
    }
    eprintln!("{} texts, {} differ, {refused} refused by choice", named.len(), disagreements.len());
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n\n"));
}

/// What the official parser answers; none, with a word why, where it is not installed.
fn ask(request: &serde_json::Value) -> Option<Vec<serde_json::Value>> {
    let oracle = folder().join("oracle");
    if !oracle.join("node_modules").is_dir() {
        fim_testkit::skip(&format!("run `npm ci` in {}", oracle.display()));
        return None;
    }
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
    Some(answers.as_array().expect("a list").clone())
}

#[test]
fn the_official_parser_agrees_about_the_corpus() {
    let queries: Vec<String> = corpus().into_iter().flat_map(|(_, queries)| queries).collect();
    // The language itself has databases only; that a workspace is one is an addition of log workspaces.
    let asked: Vec<String> = queries.iter().map(|query| query.replace("workspace(", "database(")).collect();
    let request = serde_json::json!({ "tables": TABLES, "workspaces": WORKSPACES, "queries": asked });
    let Some(answers) = ask(&request) else { return };

    let mut disagreements = Vec::new();
    for (query, answer) in queries.iter().zip(&answers) {
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
