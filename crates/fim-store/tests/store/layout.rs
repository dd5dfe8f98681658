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
