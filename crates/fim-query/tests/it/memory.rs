//! Queries that make much of little: what they may have is an answer or an error, and never the server's memory.

use std::sync::Arc;
use std::time::Duration;

use fim_query::{EngineOptions, QueryEngine, QueryError, QueryOptions};
use serde_json::json;

use crate::support::{NoTables, as_json, engine, options, run, wait};

/// Twice the memory of a query: what is in the hands of a function comes to what is reserved.
const MOST_BYTES: u64 = 1 << 30;

/// Checks the most memory that this process ever had, which other tests of the same process have a part in.
fn check_peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    match peak.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()) {
        Some(kilobytes) => assert!(kilobytes << 10 < MOST_BYTES, "{kilobytes} kB"),
        None => eprintln!("skipped: this system does not tell how much memory a process had"),
    }
}

#[test]
fn texts_of_megabytes_are_made_for_as_many_rows_at_a_time_as_there_is_room_for() {
    let query = "range i from 1 to 400 step 1
        | extend x = strcat(strrep(tostring(i), 1024), strrep(tostring(i), 1024))
        | extend y = strcat(x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x)
        | extend z = strcat(y, y, y, y, y, y, y, y, y, y, y, y, y, y, y, y)
        | summarize max(strlen(z))";
    let rows = run(&engine(), &NoTables, query).unwrap();
    assert_eq!(as_json(&rows).1, [[json!(3 * 2 * 1024 * 256)]]);
    check_peak();
}

#[test]
fn rows_of_long_arrays_are_made_a_few_at_a_time() {
    let limited = QueryOptions { deadline: Duration::from_secs(5), ..options() };
    let query = "print a = range(1, 1000000, 1) | mv-expand a
        | extend b = range(1, 100000, 1) | mv-expand b | count";
    let error = wait(engine().run(Arc::new(NoTables), query, &limited)).unwrap_err();
    assert!(matches!(error, QueryError::Deadline { .. } | QueryError::Memory { .. }), "{error}");
    check_peak();
}

#[test]
fn a_long_array_makes_all_its_rows_beside_many_columns() {
    let columns: Vec<String> = (0..100).map(|number| format!("c{number} = i + {number}")).collect();
    let query = format!(
        "range i from 1 to 2 step 1 | extend {} | extend a = range(1, 300000, 1) | mv-expand with_itemindex = at a
         | summarize count(), max(tolong(a)), max(at), sum(c0), sum(c99)",
        columns.join(", ")
    );
    let rows = run(&engine(), &NoTables, &query).unwrap();
    let expected = [[json!(600_000), json!(300_000), json!(299_999), json!(900_000), json!(60_300_000)]];
    assert_eq!(as_json(&rows).1, expected);
    check_peak();
}

#[test]
fn arrays_of_several_lengths_become_rows_together_however_long_they_are() {
    let query = "print a = range(1, 3000, 1), b = range(1, 1500, 1), c = dynamic([])
        | mv-expand with_itemindex = at a, b, c
        | summarize count(), countif(isnull(b)), countif(isnull(c)), countif(tolong(a) != at + 1)";
    let rows = run(&engine(), &NoTables, query).unwrap();
    assert_eq!(as_json(&rows).1, [[json!(3000), json!(1500), json!(3000), json!(0)]]);
}

/// Makes a text of `a` with as many characters as two to the power of this.
fn doubled(times: usize) -> String {
    (0..times).fold("print t = 'a'".to_owned(), |query, _| query + " | extend t = strcat(t, t)")
}

#[test]
fn a_text_longer_than_one_may_be_is_refused_by_whatever_would_make_it() {
    let long = doubled(20);
    let array = "array = range(1, 100000, 1)";
    let cases = [
        doubled(60),
        format!("{long} | extend r = replace_string(t, 'a', t)"),
        format!("{long} | extend r = replace_regex(t, 'a', t)"),
        format!("{long} | extend r = replace_regex(t, '(a+)', strrep(@'\\1', 1000))"),
        format!("{long} | extend r = replace_strings(t, dynamic(['a']), pack_array(t))"),
        format!("{long} | extend r = strrep(t, 1024)"),
        format!("{long} | extend r = strcat_delim(t, t, t, t, t, t, t, t, t, t, t, t)"),
        format!("{long} | extend {array} | extend r = strcat_array(array, t)"),
        format!("{long} | extend r = repeat(t, 1000000)"),
        format!("{long} | extend {array} | extend r = array_iff(array, t, t)"),
        format!("{long} | extend {array} | extend r = array_shift_left(array, 100000, t)"),
        format!(
            "{long} | extend r = extract_all('(a+)', range(0, 0, 1), t) | extend r = pack_array({})",
            vec!["t"; 40].join(", ")
        ),
        format!("{long} | extend r = extract_all('(a+)', repeat(1, 100), t)"),
        format!(
            "{long} | extend r = bag_pack({})",
            (0..40).map(|at| format!("'k{at}', t")).collect::<Vec<_>>().join(", ")
        ),
    ];
    for case in cases {
        let error = run(&engine(), &NoTables, &case).expect_err(&case);
        assert!(error.to_string().contains("one text may have 16777216"), "{case}: {error}");
    }
    let parts = format!("{} | extend r = split(t, 'a')", doubled(21));
    let error = run(&engine(), &NoTables, &parts).unwrap_err();
    assert!(error.to_string().contains("2097152 parts"), "{error}");
    check_peak();
}

#[test]
fn a_large_constant_is_there_once_however_many_columns_and_rows_have_it() {
    let columns: Vec<String> = (0..60).map(|number| format!("c{number} = t")).collect();
    let query = format!(
        "range i from 1 to 200 step 1 | extend t = strrep(strrep('abcdefgh', 1024), 1024) | extend {}
         | summarize sum(strlen(c0)), max(strlen(c59)), countif(c7 == c9)",
        columns.join(", ")
    );
    let error = match run(&engine(), &NoTables, &query) {
        Ok(rows) => return assert_eq!(as_json(&rows).1[0][1], json!(8 << 20)),
        Err(error) => error,
    };
    assert!(matches!(error, QueryError::Memory { .. } | QueryError::Deadline { .. }), "{error}");
    check_peak();
}

#[test]
fn functions_over_all_rows_have_as_many_rows_as_the_query_has_memory_for() {
    let limits = EngineOptions { threads: 2, memory_bytes: 32 << 20, ..EngineOptions::default() };
    let engine = QueryEngine::new(limits).unwrap();
    let over = |rows: u64| {
        let query = format!(
            "range i from 1 to {rows} step 1 | serialize | extend p = prev(i) | summarize count(), sum(i - p)"
        );
        run(&engine, &NoTables, &query)
    };
    assert_eq!(as_json(&over(100_000).unwrap()).1, [[json!(100_000), json!(99_999)]]);
    let error = over(100_000_000).unwrap_err();
    assert!(matches!(error, QueryError::Memory { limit } if limit == 32 << 20), "{error}");
    check_peak();
}
