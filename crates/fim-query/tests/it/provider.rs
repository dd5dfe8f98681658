//! Snapshots over real Parquet files and rows in memory.

use std::sync::Arc;

use crate::support::{FixedStore, as_json, engine, options, run, wait};
use fim_query::TimeRange;
use serde_json::json;

use crate::support::moment;

const HEADER: &[&str] = &["TimeGenerated", "Computer", "ConfigChangeType", "FileSystemPath", "Size"];

/// Four files, one a day, and rows of the fifth day in memory.
fn five_days() -> FixedStore {
    let fixed = FixedStore::empty();
    for day in 1..=5 {
        let lines: Vec<String> = (0..1000)
            .map(|row| {
                format!(
                    "2026-11-0{day}T12:{:02}:00Z\tweb-{}\tFiles\t/etc/file-{row}\t{row}",
                    row % 60,
                    row % 7
                )
            })
            .collect();
        fixed.ingest(HEADER, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        if day < 5 {
            fixed.store.flush().unwrap();
        }
    }
    fixed
}

#[test]
fn rows_in_files_and_in_memory_are_one_table() {
    let fixed = five_days();
    let rows = run(&engine(), &fixed.tables, "ConfigurationChange | count").unwrap();
    assert_eq!(as_json(&rows), ("Count:long".into(), vec![vec![json!(5000)]]));
    let query =
        "ConfigurationChange | summarize count() by bin(TimeGenerated, 1d) | sort by TimeGenerated asc";
    let rows = run(&engine(), &fixed.tables, query).unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!((rows.stats.table_files, rows.stats.opened_files), (4, 4));
    assert_eq!(rows.stats.scanned_rows, 5000);
}

#[test]
fn files_of_other_days_are_not_opened() {
    let fixed = five_days();
    let count = |query: &str| {
        let rows = run(&engine(), &fixed.tables, query).unwrap();
        (as_json(&rows).1[0][0].clone(), rows.stats.opened_files)
    };
    let from = |moment: &str| format!("ConfigurationChange | where TimeGenerated > datetime({moment})");
    assert_eq!(count(&format!("{} | where Size >= 0 | count", from("2026-11-04"))), (json!(2000), 1));
    assert_eq!(count(&format!("{} | where Size >= 0 | count", from("2026-11-05"))), (json!(1000), 0));
    let between =
        "ConfigurationChange | where TimeGenerated between (datetime(2026-11-02) .. datetime(2026-11-03))";
    assert_eq!(count(&format!("{between} | where Size >= 0 | count")), (json!(1000), 1));
    // A column that was computed from the time, and a condition that is not about the time, leave files out too.
    let renamed = "ConfigurationChange | extend t = TimeGenerated | where Computer has 'web' and t < datetime(2026-11-02)";
    assert_eq!(count(&format!("{renamed} | count")), (json!(1000), 1));
}

#[test]
fn the_timespan_of_the_request_leaves_files_out() {
    let fixed = five_days();
    let range = TimeRange { start: moment("2026-11-02"), end: moment("2026-11-02T23:59:59.999999Z") };
    let options = fim_query::QueryOptions { timespan: Some(range), ..options() };
    let rows = wait(engine().run(
        Arc::new(fixed.tables.clone()),
        "ConfigurationChange | where Size > 989 | count",
        &options,
    ))
    .unwrap();
    assert_eq!(as_json(&rows).1, [[json!(10)]]);
    assert_eq!(rows.stats.opened_files, 1);
}

#[test]
fn a_value_that_no_file_has_reads_no_row() {
    let fixed = five_days();
    fixed.store.flush().unwrap();
    let query = "ConfigurationChange | where Computer == 'mail-1' and TimeGenerated < datetime(2026-11-05)";
    let rows = run(&engine(), &fixed.tables, query).unwrap();
    assert!(rows.is_empty());
    assert_eq!((rows.stats.table_files, rows.stats.scanned_rows), (5, 0));
}

#[test]
fn only_matching_rows_leave_the_files() {
    let fixed = five_days();
    let query =
        "ConfigurationChange | where FileSystemPath endswith 'file-77' | project Computer, FileSystemPath";
    let rows = run(&engine(), &fixed.tables, query).unwrap();
    assert_eq!(rows.len(), 5);
    // Of the four files only their four rows; what is in memory is filtered behind the scan.
    assert_eq!(rows.stats.scanned_rows, 4 + 1000);
}

#[test]
fn a_workspace_without_rows_answers_with_none() {
    let fixed = FixedStore::empty();
    let rows = run(&engine(), &fixed.tables, "ConfigurationChange | where Size > 1").unwrap();
    assert!(rows.is_empty());
    assert_eq!(rows.columns.len(), fim_store::schema::table("ConfigurationChange").unwrap().columns.len());
    let rows =
        run(&engine(), &fixed.tables, "ConfigurationChange | summarize count(), max(TimeGenerated)").unwrap();
    assert_eq!(as_json(&rows).1, [[json!(0), json!(null)]]);
}

#[test]
fn the_plan_is_a_plain_parquet_scan() {
    let fixed = five_days();
    let query = "ConfigurationChange | where Computer == 'web-1' | take 5";
    let plan = wait(engine().explain(Arc::new(fixed.tables.clone()), query, &options())).unwrap();
    assert!(plan.contains("file_type=parquet"), "{plan}");
    assert!(plan.contains("UnionExec"), "{plan}");
    assert!(plan.contains("pruning_predicate"), "{plan}");
    assert!(!plan.to_lowercase().contains("delta"), "{plan}");
}
