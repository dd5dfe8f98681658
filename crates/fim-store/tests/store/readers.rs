//! The tables, opened by programs that are not ours.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use fim_store::schema;
use futures::executor::block_on;
use serde_json::Value;
use tempfile::tempdir;

use crate::support::{CHANGES, WORKSPACE, changes, open, origin, quiet};

/// The Python that has the readers: that of `STEADFAST_READERS`, or the one that `make test` installs.
fn python() -> Option<PathBuf> {
    let cache = || env::var_os("STEADFAST_CACHE").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/steadfast"));
    let folder = env::var_os("STEADFAST_READERS").map(PathBuf::from);
    let folder = folder.or_else(|| cache().or_else(home).map(|cache| cache.join("readers")))?;
    Some(folder.join("bin/python")).filter(|python| python.exists())
}

#[test]
fn readers_of_the_format_that_are_not_ours_see_the_same_rows_and_columns() {
    let Some(python) = python() else {
        return fim_testkit::skip("there is no Python with the readers; scripts/setup test installs it");
    };
    let directory = tempdir().unwrap();
    let options = fim_store::StoreOptions { file_bytes: 1 << 20, ..quiet() };
    let store = fim_store::Store::open(directory.path(), options).unwrap();
    // Files of several days, merged and not, and one that has left.
    for batch in 1..=6 {
        block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(batch * 20, 50))], origin(batch))).unwrap();
        store.flush().unwrap();
        if batch == 4 {
            store.maintain().unwrap();
        }
    }
    store.close().unwrap();
    drop(store);
    let rows = open(directory.path()).snapshot(WORKSPACE, CHANGES).unwrap().rows();
    assert_eq!(rows, 300);

    let table = directory.path().join("tables").join(WORKSPACE.to_string()).join(CHANGES);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers/count.py");
    let output = Command::new(python).arg(script).arg(&table).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(seen.len(), 3);
    for seen in seen {
        let reader = seen["reader"].as_str().unwrap();
        let figures = (seen["rows"].as_u64(), seen["machines"].as_u64(), seen["size"].as_u64());
        assert_eq!(figures, (Some(300), Some(2), Some(300 * 42)), "{reader}");
        assert_eq!(seen["last"], "80/9", "{reader}");
        let columns: Vec<_> = seen["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for column in schema::table(CHANGES).unwrap().columns {
            assert!(columns.contains(&column.name), "{reader} does not see {}", column.name);
        }
    }
}
