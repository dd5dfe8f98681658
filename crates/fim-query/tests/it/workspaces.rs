//! Queries of several workspaces, and of one resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use fim_query::{QueryOptions, TimeRange, WorkspaceTables};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{FixedStore, WORKSPACE, as_json, engine, moment, options, wait};

const OTHER: Uuid = Uuid::from_u128(2);
const HEADER: &[&str] = &["TimeGenerated", "Computer", "FileSystemPath", "_ResourceId"];

/// Two changes of one workspace, one of them in a file, and one of another.
fn store() -> FixedStore {
    let fixed = FixedStore::empty();
    fixed.ingest(HEADER, &["2026-11-01\tweb1\t/etc/a\t/subscriptions/s/resourcegroups/one/x/web1"]);
    fixed.store.flush().unwrap();
    fixed.ingest(HEADER, &["2026-11-02\tweb10\t/etc/b\t/subscriptions/s/resourcegroups/one/x/web10"]);
    fixed.ingest_of(
        OTHER,
        "ConfigurationChange",
        HEADER,
        &["2026-11-03\tdb1\t/etc/c\t/subscriptions/s/resourceGroups/Two/x/db1"],
    );
    fixed
}

fn rows(fixed: &FixedStore, asked: &[Uuid], options: &QueryOptions, query: &str) -> Vec<Vec<Value>> {
    let named = BTreeMap::from([("other".to_owned(), OTHER)]);
    let tables = WorkspaceTables::of(Arc::clone(&fixed.store), asked.to_vec(), named);
    as_json(&wait(engine().run(Arc::new(tables), query, options)).unwrap()).1
}

#[test]
fn a_table_has_the_rows_of_all_workspaces_that_are_asked() {
    let fixed = store();
    let computers = "ConfigurationChange | order by TimeGenerated asc | project Computer";
    let of = |asked: &[Uuid]| rows(&fixed, asked, &options(), computers);
    assert_eq!(of(&[WORKSPACE]), [[json!("web1")], [json!("web10")]]);
    assert_eq!(of(&[WORKSPACE, OTHER]), [[json!("web1")], [json!("web10")], [json!("db1")]]);
    // One that never had a row has none.
    assert_eq!(of(&[OTHER, Uuid::from_u128(3)]), [[json!("db1")]]);
    let count = "ConfigurationChange | summarize count(), dcount(Computer)";
    assert_eq!(rows(&fixed, &[WORKSPACE, OTHER], &options(), count), [[json!(3), json!(3)]]);
}

#[test]
fn a_table_of_a_named_workspace_has_its_rows_only() {
    let fixed = store();
    let of = |query: &str| rows(&fixed, &[WORKSPACE], &options(), query);
    assert_eq!(of("workspace('other').ConfigurationChange | project Computer"), [[json!("db1")]]);
    assert_eq!(of("union workspace('other').ConfigurationChange, ConfigurationChange | count"), [[json!(3)]]);
    let joined = "ConfigurationChange | extend k = 1 \
                  | join kind=inner (database('other').ConfigurationChange | extend k = 1) on k | count";
    assert_eq!(of(joined), [[json!(2)]]);
}

#[test]
fn of_a_resource_only_its_rows_and_those_below_it_are_read() {
    let fixed = store();
    let of = |resource: &str| {
        let options = QueryOptions { resource: Some(resource.to_owned()), ..options() };
        let query = "ConfigurationChange | order by Computer asc | project Computer";
        rows(&fixed, &[WORKSPACE, OTHER], &options, query)
    };
    assert_eq!(of("/subscriptions/s/resourcegroups/one/x/web1"), [[json!("web1")]]);
    assert_eq!(of("/subscriptions/s/resourcegroups/two"), [[json!("db1")]]);
    assert_eq!(of("/subscriptions/s").len(), 3);
    assert!(of("/subscriptions/s/resourcegroups/o").is_empty());
}

#[test]
fn a_time_range_holds_in_each_workspace() {
    let fixed = store();
    let range = TimeRange { start: moment("2026-11-02"), end: moment("2026-11-03") };
    let options = QueryOptions { timespan: Some(range), ..options() };
    let query = "union ConfigurationChange, workspace('other').ConfigurationChange | count";
    assert_eq!(rows(&fixed, &[WORKSPACE], &options, query), [[json!(2)]]);
}
