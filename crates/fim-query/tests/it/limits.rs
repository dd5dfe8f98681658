//! What a query may use, and what it is told when that is not enough.

use std::sync::Arc;
use std::time::Duration;

use fim_query::{EngineOptions, QueryEngine, QueryError, QueryOptions, Truncation};

use crate::support::{NoTables, as_json, engine, options, run, wait};

/// A query that computes for longer than any test waits.
const ENDLESS: &str = "range x from 1 to 1000000000000 step 1 | where x % 7 == 8 | count";

#[test]
fn a_result_with_too_many_rows_is_cut_and_says_so() {
    let limited = QueryOptions { max_rows: 10, ..options() };
    let rows =
        wait(engine().run(Arc::new(NoTables), "range x from 1 to 1000000000 step 1", &limited)).unwrap();
    assert_eq!(rows.len(), 10);
    assert_eq!(rows.truncated, Some(Truncation::Rows(10)));
    assert!(rows.truncated.unwrap().to_string().contains("10 rows"));
    let rows = wait(engine().run(Arc::new(NoTables), "range x from 1 to 10 step 1", &limited)).unwrap();
    assert_eq!((rows.len(), rows.truncated), (10, None));
}

#[test]
fn a_result_with_too_many_bytes_is_cut_and_says_so() {
    let limited = QueryOptions { max_bytes: 1 << 20, ..options() };
    let query =
        "range x from 1 to 1000000000 step 1 | extend text = strcat('a long text, the same in all rows ', x)";
    let rows = wait(engine().run(Arc::new(NoTables), query, &limited)).unwrap();
    assert_eq!(rows.truncated, Some(Truncation::Bytes(1 << 20)));
    assert!(!rows.is_empty() && rows.len() < 50_000, "{}", rows.len());
}

#[test]
fn a_query_that_takes_too_long_is_stopped() {
    let limited = QueryOptions { deadline: Duration::from_millis(300), ..options() };
    let error = wait(engine().run(Arc::new(NoTables), ENDLESS, &limited)).unwrap_err();
    assert!(matches!(error, QueryError::Deadline { .. }), "{error}");
    assert!(error.to_string().contains("0.3 s"), "{error}");
}

#[test]
fn a_query_that_needs_too_much_memory_is_stopped() {
    let engine =
        QueryEngine::new(EngineOptions { threads: 1, memory_bytes: 4 << 20, ..EngineOptions::default() });
    let query = "range x from 1 to 10000000 step 1 | summarize count() by x, strcat('group ', x)";
    let error = run(&engine.unwrap(), &NoTables, query).unwrap_err();
    assert!(matches!(error, QueryError::Memory { limit } if limit == 4 << 20), "{error}");
}

#[test]
fn one_query_too_many_is_told_that_the_engine_is_busy() {
    let one = EngineOptions {
        threads: 2,
        max_running: 1,
        max_wait: Duration::from_millis(50),
        ..EngineOptions::default()
    };
    let engine = QueryEngine::new(one).unwrap();
    wait(async {
        let first = QueryOptions { deadline: Duration::from_secs(60), ..options() };
        let endless = engine.run(Arc::new(NoTables), ENDLESS, &first);
        tokio::pin!(endless);
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut endless).await.is_err());
        let busy = engine.run(Arc::new(NoTables), "print 1", &first).await.unwrap_err();
        assert!(matches!(busy, QueryError::Busy { running: 1 }), "{busy}");
    });
    // The first was dropped, which stopped it and gave its place back.
    wait(async {
        let rows = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                match engine.run(Arc::new(NoTables), "print 1", &options()).await {
                    Ok(rows) => return rows,
                    Err(QueryError::Busy { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        });
        assert_eq!(rows.await.unwrap().len(), 1);
    });
}

#[test]
fn a_mistake_in_a_query_is_told_with_its_place() {
    let error = run(&engine(), &NoTables, "print x = 1\n| where y > 1").unwrap_err();
    let QueryError::Language(diagnostics) = error else { panic!("{error}") };
    assert_eq!((diagnostics[0].line, diagnostics[0].column), (2, 9));
    let error = run(&engine(), &NoTables, "print d = decimal(1.5) + decimal(2)").unwrap_err();
    assert!(error.to_string().contains("not supported"), "{error}");
}

#[test]
fn a_first_row_is_found_by_order_although_a_filter_is_between() {
    // Without its order kept below the filter, `take` would give any five rows to the count.
    let query = "range x from 1 to 100000 step 1 | sort by x desc | where x % 2 == 1 | take 5 | summarize min(x), max(x)";
    let rows = run(&engine(), &NoTables, query).unwrap();
    assert_eq!(as_json(&rows).1, [[serde_json::json!(99_991), serde_json::json!(99_999)]]);
}

#[test]
fn a_query_tells_what_it_cost() {
    let rows = run(&engine(), &NoTables, "datatable(x: long) [1, 2, 3, 4] | where x > 2").unwrap();
    assert_eq!((rows.stats.rows, rows.stats.scanned_rows), (2, 4));
    assert!(rows.stats.elapsed > Duration::ZERO);
}

#[test]
fn a_query_that_is_long_to_understand_is_refused_or_answered_and_stops_nobody() {
    let chain = |length: usize| {
        (0..length).fold("print a = 'x'".to_owned(), |query, _| query + " | extend a = strcat(a, a), b = a")
    };
    let error = run(&engine(), &NoTables, &chain(1000)).unwrap_err();
    assert!(error.to_string().contains("more than 200 operators"), "{error}");
    // Understanding is part of the time that a query may take, and the caller's own thread is not kept by it.
    let limited = QueryOptions { deadline: Duration::from_millis(1), ..options() };
    let error = wait(engine().run(Arc::new(NoTables), &chain(150), &limited)).unwrap_err();
    assert!(matches!(error, QueryError::Deadline { .. }), "{error}");
}
