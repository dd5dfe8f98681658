//! What somebody has taken from the store's directory while it was closed.

use std::fs;
use std::path::{Path, PathBuf};

use fim_store::{LostRows, Retention, Store, StoreOptions};
use tempfile::{TempDir, tempdir};

use crate::support::{
    CHANGES, COVERAGE, DAY, Hand, WORKSPACE, change_ids, copy, expected_changes, expected_gaps, gap_ids,
    ingest, lost, open, quiet,
};

/// A closed store of which each of so many batches is in a data file of its own.
fn closed(batches: u64) -> TempDir {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    for batch in 1..=batches {
        ingest(&store, batch).unwrap();
        store.flush().unwrap();
    }
    store.close().unwrap();
    directory
}

fn table(directory: &Path, name: &str) -> PathBuf {
    directory.join("tables").join(WORKSPACE.to_string()).join(name)
}

/// The data files of the table of changes, oldest first.
fn data_files(directory: &Path) -> Vec<PathBuf> {
    let day = table(directory, CHANGES).join("day=2026-11-22");
    let mut files: Vec<_> = fs::read_dir(day).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn table_of(name: &str) -> LostRows {
    LostRows::Table(name.to_owned())
}

fn file_of_two_changes() -> LostRows {
    LostRows::File { table: CHANGES.to_owned(), rows: 2 }
}

#[test]
fn a_table_that_was_removed_is_told_until_it_is_known_to_be_told_and_the_others_are_there() {
    let directory = closed(2);
    fs::remove_dir_all(table(directory.path(), CHANGES)).unwrap();
    let store = open(directory.path());
    assert_eq!(lost(&store), [&table_of(CHANGES)]);
    assert_eq!(store.recovery().lost[0].workspace, Some(WORKSPACE));
    assert_eq!(gap_ids(&store), expected_gaps([1, 2]));
    // A table of that name is made again, and what is in tables is recorded anew.
    ingest(&store, 3).unwrap();
    store.flush().unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(lost(&store), [&table_of(CHANGES)]);
    store.losses_told().unwrap();
    drop(store);
    let store = open(directory.path());
    assert!(lost(&store).is_empty());
    assert_eq!(change_ids(&store), expected_changes([3]));
}

#[test]
fn every_table_of_a_workspace_that_was_removed_is_told() {
    let directory = closed(1);
    fs::remove_dir_all(directory.path().join("tables").join(WORKSPACE.to_string())).unwrap();
    assert_eq!(lost(&open(directory.path())), [&table_of(CHANGES), &table_of(COVERAGE)]);
}

#[test]
fn a_table_without_its_delta_log_is_told() {
    let directory = closed(1);
    fs::remove_dir_all(table(directory.path(), CHANGES).join("_delta_log")).unwrap();
    assert_eq!(lost(&open(directory.path())), [&table_of(CHANGES)]);
}

#[test]
fn a_workspace_that_was_dropped_is_no_loss() {
    let directory = closed(1);
    let store = open(directory.path());
    store.drop_workspace(WORKSPACE).unwrap();
    drop(store);
    assert!(lost(&open(directory.path())).is_empty());
}

#[test]
fn a_data_file_that_is_gone_is_told_with_its_times_until_it_is_back_and_the_other_rows_can_be_read() {
    let directory = closed(3);
    let gone = data_files(directory.path()).swap_remove(1);
    let bytes = fs::read(&gone).unwrap();
    fs::remove_file(&gone).unwrap();
    for _ in 0..2 {
        let store = open(directory.path());
        let [loss] = &store.recovery().lost[..] else { panic!("{:?}", store.recovery()) };
        assert_eq!((&loss.rows, loss.workspace), (&file_of_two_changes(), Some(WORKSPACE)));
        let hours = |time: fim_core::Timestamp| (time.0 - DAY.0) as f64 / 3.6e12;
        let (first, last) = (hours(loss.after.unwrap()), hours(loss.before.unwrap()));
        assert!((1.999..=2.0).contains(&first) && (3.0..=3.001).contains(&last), "{first} to {last}");
        assert_eq!(change_ids(&store), expected_changes([1, 3]));
        store.losses_told().unwrap();
    }
    fs::write(&gone, bytes).unwrap();
    let store = open(directory.path());
    assert!(lost(&store).is_empty());
    assert_eq!(change_ids(&store), expected_changes(1..=3));
}

#[test]
fn a_data_file_that_was_cut_short_is_told() {
    let directory = closed(2);
    let file = data_files(directory.path()).remove(0);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let store = open(directory.path());
    assert_eq!(lost(&store), [&file_of_two_changes()]);
    assert_eq!(change_ids(&store), expected_changes([2]));
}

#[test]
fn a_table_that_lacks_a_file_takes_rows_and_merges_and_lets_the_lost_ones_go_with_their_day() {
    let directory = closed(3);
    fs::remove_file(&data_files(directory.path())[1]).unwrap();
    let hand = Hand::new();
    let options = StoreOptions { file_bytes: 1 << 20, clock: hand.clock(), ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    ingest(&store, 4).unwrap();
    store.flush().unwrap();
    hand.set(1);
    store.maintain().unwrap();
    assert_eq!(store.maintenance().last_failure, None);
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    assert_eq!((snapshot.files.len(), change_ids(&store)), (1, expected_changes([1, 3, 4])));
    drop(snapshot);
    let mut retention = Retention::default();
    retention.set(WORKSPACE, CHANGES, 1);
    store.set_retention(retention);
    hand.set(9);
    store.maintain().unwrap();
    assert_eq!(store.maintenance().last_failure, None);
    drop(store);
    let store = open(directory.path());
    assert!(lost(&store).is_empty(), "its day is over");
    assert_eq!(change_ids(&store), [""; 0]);
}

#[test]
fn a_table_whose_delta_log_is_older_than_it_was_is_told_and_keeps_the_files_that_it_does_not_name() {
    let directory = closed(1);
    let log = table(directory.path(), CHANGES).join("_delta_log");
    let backup = tempdir().unwrap();
    copy(&log, backup.path());
    let store = open(directory.path());
    ingest(&store, 2).unwrap();
    store.close().unwrap();
    drop(store);
    let newer = data_files(directory.path()).swap_remove(1);
    let bytes = fs::read(&newer).unwrap();
    fs::remove_dir_all(&log).unwrap();
    copy(backup.path(), &log);

    let store = open(directory.path());
    let [loss] = &store.recovery().lost[..] else { panic!("{:?}", store.recovery()) };
    assert_eq!(loss.rows, LostRows::Commits(CHANGES.to_owned()));
    assert!(loss.after.is_some() && loss.before.is_none(), "{loss:?}");
    assert_eq!(change_ids(&store), expected_changes([1]));
    store.losses_told().unwrap();
    ingest(&store, 3).unwrap();
    store.close().unwrap();
    drop(store);
    let store = open(directory.path());
    assert!(lost(&store).is_empty());
    assert_eq!(change_ids(&store), expected_changes([1, 3]));
    let aside = PathBuf::from(format!("{}.unnamed", newer.display()));
    assert_eq!(fs::read(aside).unwrap(), bytes);
}

#[test]
fn a_store_whose_record_of_what_is_in_tables_is_gone_is_refused() {
    let directory = closed(1);
    fs::remove_file(directory.path().join("flushed.json")).unwrap();
    let refused = Store::open(directory.path(), quiet()).unwrap_err();
    assert!(refused.to_string().contains("flushed.json is damaged (it is missing"), "{refused}");
}
