//! The queries of the public documentation with the rows that the original engine gave for them.
//!
//! The file is not part of the project; `KQL_CONFORMANCE` names it. A query is either answered as the original does
//! or refused as not supported: whatever binds must be right. Of the queries that are in scope (see
//! [`out_of_scope`]), so many percent must be answered.

use std::collections::BTreeMap;

use fim_query::QueryError;
use serde_json::Value as Json;

use crate::support::{NoTables, as_json, engine, run};

#[test]
fn every_query_that_runs_answers_as_the_original() {
    let Some(path) = std::env::var_os("KQL_CONFORMANCE") else {
        fim_testkit::skip(
            "KQL_CONFORMANCE does not name the file of queries and rows of the original engine",
        );
        return;
    };
    let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let engine = engine();
    let (mut right, mut refused, mut left_out) = (0, Vec::new(), BTreeMap::<&str, usize>::new());
    let mut wrong = Vec::new();
    let mut in_scope = 0;
    for case in file["cases"].as_array().unwrap() {
        let (id, query) = (case["id"].as_str().unwrap(), case["kql"].as_str().unwrap());
        let reason = out_of_scope(query);
        if let Some(reason) = reason {
            *left_out.entry(reason).or_default() += 1;
        }
        if reason == Some(UNREPEATABLE) {
            continue;
        }
        in_scope += usize::from(reason.is_none());
        match run(&engine, &NoTables, query) {
            Err(QueryError::Language(diagnostics)) => {
                let why = diagnostics.first().map(ToString::to_string).unwrap_or_default();
                if reason.is_none() {
                    refused.push(format!("{id}: {why}"));
                }
            }
            Err(error) => wrong.push(format!("{id}\n{query}\n  error {error}")),
            Ok(rows) => match difference(case, &as_json(&rows)) {
                None => right += usize::from(reason.is_none()),
                Some(difference) => wrong.push(format!("{id}\n{query}\n{difference}")),
            },
        }
    }
    if std::env::var_os("KQL_CONFORMANCE_REFUSED").is_some() {
        refused.iter().for_each(|line| eprintln!("refused {line}"));
    }
    let known = KNOWN_DIFFERENCES.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    let (known, wrong): (Vec<String>, Vec<String>) =
        wrong.into_iter().partition(|text| text.lines().next().is_some_and(|id| known.contains(&id)));
    let percentage =
        100.0 * f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(in_scope).unwrap());
    eprintln!(
        "conformance: {right} of {in_scope} in scope right ({percentage:.1} %), {} wrong, {} known differences, \
         {} refused; out of scope: {left_out:?}",
        wrong.len(),
        known.len(),
        refused.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(known.len(), KNOWN_DIFFERENCES.len(), "a known difference is gone: {known:?}");
    assert!(percentage >= LEAST_PERCENTAGE, "{percentage:.1} % of the queries in scope are right");
}

/// Why a query does not count: it needs a part of the language that the product does not aim at, or its answer is
/// another one each time.
fn out_of_scope(query: &str) -> Option<&'static str> {
    let words: Vec<&str> = query
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
        .filter(|word| !word.is_empty())
        .collect();
    let has_word = |wanted: &str| words.contains(&wanted);
    let is_plugin = words.windows(2).any(|pair| {
        pair[0] == "evaluate" && !PLUGINS_IN_SCOPE.contains(&pair[1]) && !pair[1].starts_with("hint")
    });
    match () {
        () if words.iter().any(|word| word.starts_with("geo_")) => Some("geo"),
        () if words.iter().any(|word| word.contains("graph")) => Some("graph"),
        () if has_word("scan") => Some("scan"),
        () if is_plugin => Some("plugins"),
        () if UNREPEATABLE_CALLS.iter().any(|call| query.contains(call)) => Some(UNREPEATABLE),
        () => None,
    }
}

/// The plugins that the product aims at.
const PLUGINS_IN_SCOPE: &[&str] = &["narrow", "pivot", "bag_unpack"];
const UNREPEATABLE: &str = "not repeatable";
const UNREPEATABLE_CALLS: &[&str] = &["now(", "ago(", "rand(", "new_guid(", "current_", "| sample "];
/// How many percent of the queries in scope are answered at least.
const LEAST_PERCENTAGE: f64 = 95.0;

/// Where we answer otherwise, and why.
const KNOWN_DIFFERENCES: &[(&str, &str)] = &[
    ("datetime-diff-function-00", "a moment is kept to the microsecond, so that 700 nanoseconds are none"),
    ("datetime-part-function-00", "a moment is kept to the microsecond, so that it has no nanoseconds"),
    (
        "join-innerunique-03",
        "which of the left rows with one key takes part is not fixed; the engine filters them before it picks one",
    ),
];

fn difference(case: &Json, (columns, rows): &(String, Vec<Vec<Json>>)) -> Option<String> {
    let expected = &case["expected"];
    let names = texts(&expected["columns"]);
    let types = texts(&expected["column_types"]);
    let expected_columns: Vec<String> =
        names.iter().zip(&types).map(|(name, ty)| format!("{name}:{}", type_name(ty))).collect();
    let expected_columns = expected_columns.join(", ");
    if *columns != expected_columns {
        return Some(format!("  expected {expected_columns}\n  found    {columns}"));
    }
    let mut wanted: Vec<Vec<Json>> =
        expected["rows"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect();
    let mut found = rows.clone();
    let query = case["kql"].as_str().unwrap();
    if !["sort by", "order by", "top "].iter().any(|operator| query.contains(operator)) {
        let text = |row: &Vec<Json>| row.iter().map(sort_text).collect::<Vec<_>>();
        wanted.sort_by_key(text);
        found.sort_by_key(text);
    }
    let is_same = wanted.len() == found.len()
        && wanted.iter().zip(&found).all(|(wanted, found)| {
            wanted.len() == found.len()
                && wanted.iter().zip(found).zip(&types).all(|((wanted, found), ty)| same(wanted, found, ty))
        });
    (!is_same).then(|| format!("  expected {}\n  found    {}", Json::from(wanted), Json::from(found)))
}

fn texts(value: &Json) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn type_name(clr: &str) -> &str {
    match clr {
        "SByte" => "bool",
        "Int32" => "int",
        "Int64" => "long",
        "Double" => "real",
        "String" => "string",
        "DateTime" => "datetime",
        "TimeSpan" => "timespan",
        "Guid" => "guid",
        "Object" => "dynamic",
        "SqlDecimal" => "decimal",
        other => other,
    }
}

fn sort_text(value: &Json) -> String {
    match value.as_f64() {
        Some(number) => format!("{number:.6}"),
        None => value.to_string().trim_end_matches(['0', 'Z', '"', '.']).to_owned(),
    }
}

fn same(wanted: &Json, found: &Json, ty: &str) -> bool {
    match (wanted, found) {
        (Json::Number(wanted), Json::Number(found)) => {
            let (wanted, found) = (wanted.as_f64().unwrap(), found.as_f64().unwrap());
            wanted == found || (wanted - found).abs() <= 1e-9 * wanted.abs().max(found.abs())
        }
        (Json::Array(wanted), Json::Array(found)) => {
            wanted.len() == found.len()
                && wanted.iter().zip(found).all(|(wanted, found)| same(wanted, found, ty))
        }
        (Json::Object(wanted), Json::Object(found)) => {
            wanted.len() == found.len()
                && wanted
                    .iter()
                    .all(|(name, value)| found.get(name).is_some_and(|found| same(value, found, ty)))
        }
        // A moment is kept to the microsecond; the original writes seven digits or leaves zeros out.
        (Json::String(wanted), Json::String(found)) if ty == "DateTime" => {
            to_micros(wanted) == to_micros(found)
        }
        _ => wanted == found,
    }
}

fn to_micros(moment: &str) -> String {
    let moment = moment.trim_end_matches('Z');
    let (seconds, fraction) = moment.split_once('.').unwrap_or((moment, ""));
    format!("{seconds}.{}", &format!("{fraction:0<7}")[..6])
}
