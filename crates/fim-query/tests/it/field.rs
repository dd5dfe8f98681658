//! Queries that people run in the field, over tables of the published shape.
//!
//! The queries are not part of the project; `KQL_FIELD_QUERIES` names their folder. Each must run, or name a column
//! that does not exist.

use fim_kql::Code;
use fim_query::QueryError;

use crate::support::{FixedStore, engine, run};

#[test]
fn every_query_of_the_field_runs() {
    let Some(folder) = std::env::var_os("KQL_FIELD_QUERIES") else {
        fim_testkit::skip("KQL_FIELD_QUERIES does not name a folder of queries");
        return;
    };
    let store = FixedStore::open();
    let engine = engine();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kql"))
        .collect();
    files.sort();
    let (mut ran, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for path in &files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let query = with_values(&std::fs::read_to_string(path).unwrap());
        match run(&engine, &store.tables, &query) {
            Ok(_) => ran += 1,
            Err(QueryError::Language(diagnostics)) => {
                let text: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
                let names_a_column = diagnostics
                    .iter()
                    .all(|found| matches!(found.code, Code::UnknownName | Code::NotSupported));
                let list = if names_a_column { &mut refused } else { &mut wrong };
                list.push(format!("{name}: {}", text.join("; ")));
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    eprintln!("{} queries: {ran} ran, {} refused", files.len(), refused.len());
    refused.iter().for_each(|line| eprintln!("refused {line}"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The query with a value for each token of a workbook or dashboard.
fn with_values(text: &str) -> String {
    const VALUES: [(&str, &str); 13] = [
        ("{Computer}", "'srv01'"),
        ("{OSFilter}", "All"),
        ("{IncidentWindow}", "2h"),
        ("{ExcludePattern}", "tmp"),
        ("{IncidentTime}", "now()"),
        ("{ExcludeMachines}", "'x'"),
        ("{ExcludePublishers}", "'x'"),
        ("{ExcludeChangeTypes}", "'x'"),
        ("{Publisher}", "'Microsoft'"),
        ("{Application}", "'app'"),
        ("${Computer}", "srv01"),
        ("${TimeGenerated}", "2026-11-22T12:00:00Z"),
        ("$__timeFilter(TimeGenerated)", "TimeGenerated > ago(1d)"),
    ];
    let mut text = text.to_owned();
    for (token, value) in VALUES.iter().rev() {
        text = text.replace(token, value);
    }
    text
}
