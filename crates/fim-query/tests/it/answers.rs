//! Queries and their answers, as text files that a person can review.
//!
//! A file is a row of cases:
//!
//! ```text
//! === A null is not equal to five
//! rule: where the language says so
//! query:
//! print a = long(null) == 5
//! answer: a:bool
//! [false]
//! ```
//!
//! `answer:` gives the columns, then the rows as JSON, one a line, in this order; after `answer in any order:` the
//! order does not matter. `error:` gives the message of the first diagnostic instead.

use fim_query::{QueryEngine, QueryError, Tables};
use serde_json::Value as Json;

use crate::support::{FixedStore, NoTables, as_json, engine, run};

#[test]
fn arithmetic_answers_as_the_language_says() {
    check(include_str!("../answers/arithmetic.txt"), &NoTables);
}

#[test]
fn nulls_answer_as_the_language_says() {
    check(include_str!("../answers/nulls.txt"), &NoTables);
}

#[test]
fn texts_answer_as_the_language_says() {
    check(include_str!("../answers/texts.txt"), &NoTables);
}

#[test]
fn times_answer_as_the_language_says() {
    check(include_str!("../answers/times.txt"), &NoTables);
}

#[test]
fn conversions_answer_as_the_language_says() {
    check(include_str!("../answers/conversions.txt"), &NoTables);
}

#[test]
fn aggregates_answer_as_the_language_says() {
    check(include_str!("../answers/aggregates.txt"), &NoTables);
}

#[test]
fn operators_answer_as_the_language_says() {
    check(include_str!("../answers/operators.txt"), &NoTables);
}

#[test]
fn joins_and_functions_answer_as_the_language_says() {
    check(include_str!("../answers/joins.txt"), &NoTables);
}

#[test]
fn rows_in_order_answer_as_the_language_says() {
    check(include_str!("../answers/rows_in_order.txt"), &NoTables);
}

#[test]
fn what_is_known_before_rows_and_what_is_estimated_answers_as_the_language_says() {
    check(include_str!("../answers/known_and_estimated.txt"), &NoTables);
}

#[test]
fn groups_answer_as_the_language_says() {
    check(include_str!("../answers/groups.txt"), &NoTables);
}

#[test]
fn arrays_and_bags_answer_as_the_language_says() {
    check(include_str!("../answers/arrays_and_bags.txt"), &NoTables);
}

#[test]
fn addresses_and_codes_answer_as_the_language_says() {
    check(include_str!("../answers/addresses_and_codes.txt"), &NoTables);
}

#[test]
fn collections_and_spreads_answer_as_the_language_says() {
    check(include_str!("../answers/collections_and_spreads.txt"), &NoTables);
}

#[test]
fn values_that_are_taken_apart_answer_as_the_language_says() {
    check(include_str!("../answers/shapes.txt"), &NoTables);
}

#[test]
fn dynamic_values_answer_as_the_language_says() {
    check(include_str!("../answers/dynamic.txt"), &NoTables);
}

#[test]
fn changes_of_a_workspace_are_found_in_files_and_in_memory() {
    check(include_str!("../answers/changes.txt"), &FixedStore::open().tables);
}

struct Case {
    name: String,
    query: String,
    expected: Expected,
}

enum Expected {
    Rows { columns: String, rows: Vec<String>, in_order: bool },
    Error(String),
}

fn check<T: Tables + Clone + 'static>(text: &str, tables: &T) {
    let engine = engine();
    let failures: Vec<String> =
        cases(text).iter().filter_map(|case| failure(&engine, tables, case)).collect();
    assert!(failures.is_empty(), "{} cases failed\n\n{}", failures.len(), failures.join("\n\n"));
}

fn cases(text: &str) -> Vec<Case> {
    text.split("=== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (name, rest) = text.split_once('\n').unwrap();
    let (_, rest) = rest.split_once("query:\n").unwrap_or_else(|| panic!("{name}: no query"));
    if let Some((query, error)) = rest.split_once("\nerror: ") {
        return Case {
            name: name.into(),
            query: query.into(),
            expected: Expected::Error(error.trim().into()),
        };
    }
    let (in_order, split) = match rest.split_once("\nanswer in any order:") {
        Some(split) => (false, split),
        None => (true, rest.split_once("\nanswer:").unwrap_or_else(|| panic!("{name}: no answer"))),
    };
    let (query, answer) = split;
    let mut lines = answer.lines().map(str::trim);
    let columns = lines.next().unwrap_or_default().to_owned();
    let rows = lines.filter(|line| !line.is_empty()).map(normal).collect();
    Case { name: name.into(), query: query.into(), expected: Expected::Rows { columns, rows, in_order } }
}

/// The row as JSON is written here, so that spaces do not matter.
fn normal(row: &str) -> String {
    serde_json::from_str::<Json>(row).unwrap_or_else(|error| panic!("{row}: {error}")).to_string()
}

fn failure<T: Tables + Clone + 'static>(engine: &QueryEngine, tables: &T, case: &Case) -> Option<String> {
    let outcome = run(engine, tables, &case.query);
    let tell = |expected: &str, found: &str| {
        Some(format!("{}\n{}\n  expected {expected}\n  found    {found}", case.name, case.query.trim()))
    };
    match (&case.expected, outcome) {
        (Expected::Rows { columns, rows, in_order }, Ok(found)) => {
            let (found_columns, found) = as_json(&found);
            let mut found: Vec<String> = found.into_iter().map(|row| Json::from(row).to_string()).collect();
            let mut rows = rows.clone();
            if !in_order {
                found.sort();
                rows.sort();
            }
            if *columns == found_columns && rows == found {
                return None;
            }
            tell(&format!("{columns} {rows:?}"), &format!("{found_columns} {found:?}"))
        }
        (Expected::Error(message), Err(QueryError::Language(diagnostics))) => {
            let found = diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
            if found == *message { None } else { tell(message, &found) }
        }
        (Expected::Error(message), Err(QueryError::Stopped(found))) => {
            if found == *message {
                None
            } else {
                tell(message, &found)
            }
        }
        (Expected::Error(message), outcome) => tell(message, &format!("{outcome:?}")),
        (Expected::Rows { columns, .. }, Err(error)) => tell(columns, &error.to_string()),
    }
}
