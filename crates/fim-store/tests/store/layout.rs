//! What is in the files, for the sake of the queries over them and of other programs.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use fim_store::schema::KQL_TYPE_KEY;
use futures::executor::block_on;
use object_store::ObjectStoreExt as _;
use parquet::basic::Compression;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use tempfile::tempdir;

use crate::support::{CHANGES, WORKSPACE, all_rows, changes, ingest, open, origin};

#[test]
fn a_data_file_is_sorted_and_has_what_makes_searches_quick() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(0, 20))], origin(1))).unwrap();
    store.flush().unwrap();
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    let [file] = snapshot.files.as_slice() else { panic!("one day is one file") };
    let rows = all_rows(&snapshot).remove(0);
    let computers = rows.column_by_name("Computer").unwrap().as_string::<i32>();
    let times = rows.column_by_name("TimeGenerated").unwrap().as_primitive::<TimestampMicrosecondType>();
    let keys: Vec<_> = (0..rows.num_rows()).map(|row| (computers.value(row), times.value(row))).collect();
    assert!(keys.is_sorted());
    let within = |time: &i64| (file.min_time..=file.max_time).contains(time);
    assert!(times.values().iter().all(within));
    assert_eq!(rows.schema().field_with_name("Size").unwrap().metadata()[KQL_TYPE_KEY], "long");

    let bytes: Bytes =
        block_on(async { snapshot.object_store.get(&file.path).await.unwrap().bytes().await.unwrap() });
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&bytes)
        .unwrap();
    let group = metadata.row_group(0);
    for column in group.columns() {
        let name = column.column_path().string();
        assert!(matches!(column.compression(), Compression::ZSTD(_)), "{name}");
        let has_filter = ["Computer", "FileSystemPath", "FileContentChecksum"].contains(&&*name);
        assert_eq!(column.bloom_filter_offset().is_some(), has_filter, "{name}");
    }
    assert!(metadata.column_index().is_some() && metadata.offset_index().is_some());
}

#[test]
fn times_of_files_hold_after_a_restart() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    ingest(&store, 1).unwrap();
    store.flush().unwrap();
    let before = store.snapshot(WORKSPACE, CHANGES).unwrap().files[0].clone();
    store.close().unwrap();
    drop(store);
    let after = open(directory.path()).snapshot(WORKSPACE, CHANGES).unwrap().files[0].clone();
    assert_eq!(
        (&after.path, after.size, after.rows, after.day),
        (&before.path, before.size, before.rows, before.day)
    );
    assert!(after.min_time <= before.min_time && before.max_time <= after.max_time);
    assert!(before.min_time - after.min_time <= 1_000 && after.max_time - before.max_time <= 1_000);
}

#[test]
fn a_table_goes_on_through_checkpoints() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    for batch in 1..=102 {
        block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(batch, 1))], origin(batch))).unwrap();
        store.flush().unwrap();
    }
    drop(store);
    let log = directory.path().join("tables").join(WORKSPACE.to_string()).join(CHANGES).join("_delta_log");
    let names: Vec<_> = std::fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.iter().any(|name| name.ends_with(".checkpoint.parquet")), "{names:?}");
    let store = open(directory.path());
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    assert_eq!((snapshot.files.len(), snapshot.rows()), (102, 102));
    block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(103, 1))], origin(103))).unwrap();
    store.close().unwrap();
    assert_eq!(store.snapshot(WORKSPACE, CHANGES).unwrap().rows(), 103);
}

/// The last commit of a table that says which columns it has, and its number.
fn last_metadata(log: &std::path::Path) -> (String, serde_json::Value) {
    let mut names: Vec<_> = std::fs::read_dir(log)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let found = names.into_iter().rev().filter(|name| name.ends_with(".json")).find_map(|name| {
        let text = std::fs::read_to_string(log.join(&name)).unwrap();
        let actions = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let metadata = actions.filter_map(|action| action.get("metaData").cloned()).next()?;
        Some((name, metadata))
    });
    found.unwrap()
}

fn columns_of(metadata: &serde_json::Value) -> Vec<String> {
    let schema: serde_json::Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let fields = schema["fields"].as_array().unwrap().iter();
    fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_table_that_an_older_version_made_gets_the_new_columns_once_and_keeps_its_rows() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    ingest(&store, 1).unwrap();
    store.close().unwrap();
    drop(store);
    // As an older version would have made it: without a column, and with none of the settings.
    let log = directory.path().join("tables").join(WORKSPACE.to_string()).join(CHANGES).join("_delta_log");
    let first = log.join("00000000000000000000.json");
    let text = std::fs::read_to_string(&first).unwrap();
    let lines = text.lines().map(|line| {
        let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(metadata) = action.get_mut("metaData") {
            let mut schema: serde_json::Value =
                serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
            schema["fields"].as_array_mut().unwrap().retain(|field| field["name"] != "RuleName");
            metadata["schemaString"] = schema.to_string().into();
            metadata["configuration"] = serde_json::json!({});
        }
        action.to_string()
    });
    let lines: Vec<_> = lines.collect();
    std::fs::write(&first, lines.join("\n")).unwrap();

    let store = open(directory.path());
    let (name, metadata) = last_metadata(&log);
    assert_eq!(name, "00000000000000000002.json");
    let columns = columns_of(&metadata);
    let mut expected: Vec<_> = fim_store::schema::table(CHANGES)
        .unwrap()
        .columns
        .iter()
        .map(|column| column.name.to_owned())
        .collect();
    expected.push("day".to_owned());
    assert_eq!(columns, expected);
    assert_eq!(metadata["configuration"]["delta.logRetentionDuration"], "interval 2 days");
    assert_eq!(metadata["partitionColumns"], serde_json::json!(["day"]));
    ingest(&store, 2).unwrap();
    store.close().unwrap();
    assert_eq!(store.snapshot(WORKSPACE, CHANGES).unwrap().rows(), 4);
    drop(store);
    drop(open(directory.path()));
    assert_eq!(last_metadata(&log).0, name, "the columns are changed once");
}
