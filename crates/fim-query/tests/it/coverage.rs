//! The table of gaps: one row for each, whatever has been stored of it.

use fim_query::TimeRange;
use serde_json::{Value, json};

use crate::support::{FixedStore, as_json, engine, moment, options, run, wait};

const HEADER: &[&str] =
    &["TimeGenerated", "SourceComputerId", "Computer", "Scope", "Cause", "StartTime", "EndTime", "Detail"];

/// One gap that opened and ended, the end in memory and the opening in a file; one that goes on; and the same of
/// another machine of that name.
fn gaps() -> FixedStore {
    let fixed = FixedStore::empty();
    fixed.ingest_into(
        "Coverage",
        HEADER,
        &[
            "2026-11-01\t1\tweb\t*\tAgentNotReporting\t2026-11-01\t-\tsilent",
            "2026-11-02\t1\tweb\t/srv/x\tUnreadable\t2026-11-02\t-\tpermission denied",
            "2026-11-02\t2\tweb\t/srv/x\tUnreadable\t2026-11-02\t-\tpermission denied",
        ],
    );
    fixed.store.flush().unwrap();
    let end = "2026-11-05\t1\tweb\t*\tAgentNotReporting\t2026-11-01\t2026-11-05\theard again";
    fixed.ingest_into("Coverage", HEADER, &[end, end]);
    fixed
}

fn rows(fixed: &FixedStore, query: &str) -> Vec<Vec<Value>> {
    as_json(&run(&engine(), &fixed.tables, query).unwrap()).1
}

#[test]
fn a_gap_is_one_row_with_its_end_once_it_has_ended() {
    let fixed = gaps();
    assert_eq!(
        rows(
            &fixed,
            "Coverage | order by StartTime asc, SourceComputerId asc | project SourceComputerId, Scope, EndTime, Detail"
        ),
        [
            vec![json!("1"), json!("*"), json!("2026-11-05T00:00:00.0000000Z"), json!("heard again")],
            vec![json!("1"), json!("/srv/x"), Value::Null, json!("permission denied")],
            vec![json!("2"), json!("/srv/x"), Value::Null, json!("permission denied")],
        ]
    );
    assert_eq!(rows(&fixed, "Coverage | count"), [[json!(3)]]);
    assert_eq!(rows(&fixed, "Coverage | where isnull(EndTime) | count"), [[json!(2)]]);
    assert_eq!(rows(&fixed, "Coverage | where Computer == 'web' and Scope == '*' | count"), [[json!(1)]]);
}

#[test]
fn gaps_of_two_lists_at_the_same_time_are_two() {
    let fixed = FixedStore::empty();
    let lost = |list| format!("2026-11-02\t1\tweb\t*\t{list}\tStateLost\t2026-11-01\t2026-11-02");
    let rows_of = ["Daemons", "Software", "Software"].map(lost);
    let header = [
        "TimeGenerated",
        "SourceComputerId",
        "Computer",
        "Scope",
        "ConfigChangeType",
        "Cause",
        "StartTime",
        "EndTime",
    ];
    fixed.ingest_into("Coverage", &header, &rows_of.each_ref().map(String::as_str));
    let told = rows(&fixed, "Coverage | order by ConfigChangeType asc | project ConfigChangeType");
    assert_eq!(told, [[json!("Daemons")], [json!("Software")]]);
}

#[test]
fn a_gap_has_the_columns_of_the_table_in_their_order() {
    let fixed = gaps();
    let (columns, rows) = as_json(&run(&engine(), &fixed.tables, "Coverage | take 1").unwrap());
    let stored: Vec<String> = fim_store::schema::table("Coverage")
        .unwrap()
        .columns
        .iter()
        .map(|column| format!("{}:{}", column.name, column.column_type))
        .collect();
    assert_eq!(columns, stored.join(", "));
    let of_type = stored.iter().position(|column| column == "Type:string").unwrap();
    assert_eq!(rows[0][of_type], "Coverage");
}

#[test]
fn a_gap_that_ended_after_the_time_range_does_not_seem_open_in_it() {
    let fixed = gaps();
    let range = TimeRange { start: moment("2026-10-31"), end: moment("2026-11-03") };
    let options = fim_query::QueryOptions { timespan: Some(range), ..options() };
    let rows = wait(engine().run(
        std::sync::Arc::new(fixed.tables.clone()),
        "Coverage | where Scope == '*'",
        &options,
    ))
    .unwrap();
    assert!(rows.is_empty());
}
