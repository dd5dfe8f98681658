//! The queries of the public documentation with the rows that the original engine gave for them.
//!
//! The file is not part of the project; `KQL_CONFORMANCE` names it. A query is either answered as the original does
//! or refused as not supported: whatever binds must be right.

use fim_query::QueryError;
use serde_json::Value as Json;

use crate::support::{NoTables, as_json, engine, run};

#[test]
fn every_query_that_runs_answers_as_the_original() {
    let Some(path) = std::env::var_os("KQL_CONFORMANCE") else {
        eprintln!(
            "skipped: KQL_CONFORMANCE does not name the file of queries and rows of the original engine"
        );
        return;
    };
    let file: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let engine = engine();
    let (mut right, mut refused, mut skipped) = (0, Vec::new(), 0);
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let (id, query) = (case["id"].as_str().unwrap(), case["kql"].as_str().unwrap());
        if UNREPEATABLE.iter().any(|call| query.contains(call)) {
            skipped += 1;
            continue;
        }
        match run(&engine, &NoTables, query) {
            Err(QueryError::Language(diagnostics)) => {
                refused.push(format!(
                    "{id}: {}",
                    diagnostics.first().map(ToString::to_string).unwrap_or_default()
                ));
            }
            Err(error) => wrong.push(format!("{id}\n{query}\n  error {error}")),
            Ok(rows) => match difference(case, &as_json(&rows)) {
                None => right += 1,
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
    eprintln!(
        "conformance: {right} right, {} wrong, {} known differences, {} refused, {skipped} not repeatable",
        wrong.len(),
        known.len(),
        refused.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert_eq!(known.len(), KNOWN_DIFFERENCES.len(), "a known difference is gone: {known:?}");
}

/// Queries whose answer is another one each time.
const UNREPEATABLE: &[&str] = &["now(", "ago(", "rand(", "new_guid(", "current_", "| sample "];

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
