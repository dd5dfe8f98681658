//! The store stopped between every two steps.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use fim_store::{Observer, OpenStoreError, Step, Store, StoreOptions, TableError};
use tempfile::{TempDir, tempdir};

use crate::support::{
    CHANGES, WORKSPACE, change_ids, copy, expected_changes, expected_gaps, gap_ids, ingest, open, quiet,
};

/// The directory as a crash would have left it right after a step.
struct Picture {
    step: Step,
    directory: TempDir,
    /// The batches that had been acknowledged.
    acknowledged: BTreeSet<u64>,
}

/// The script: three batches, a flush, two more with a repeat, a flush, one more.
fn pictures() -> Vec<Picture> {
    let directory = tempdir().unwrap();
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let pictures = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let (root, acknowledged, pictures) =
            (directory.path().to_owned(), Arc::clone(&acknowledged), Arc::clone(&pictures));
        Observer::new(move |step| {
            let picture = tempdir().unwrap();
            let acknowledged = acknowledged.lock().unwrap().clone();
            copy(&root, picture.path());
            pictures.lock().unwrap().push(Picture { step, directory: picture, acknowledged });
        })
    };
    // A segment for every record or two, so that the removal of segments is seen.
    let log = fim_log::LogOptions { segment_bytes: 2_048, max_bytes: 1 << 20 };
    let store = Store::open(directory.path(), StoreOptions { observer, log, ..quiet() }).unwrap();
    let deliver = |batch| {
        ingest(&store, batch).unwrap();
        acknowledged.lock().unwrap().insert(batch);
    };
    for batch in [1, 2, 3] {
        deliver(batch);
    }
    store.flush().unwrap();
    for batch in [4, 3, 5, 5] {
        deliver(batch);
    }
    store.flush().unwrap();
    deliver(6);
    drop(store);
    Arc::try_unwrap(pictures).unwrap_or_else(|_| panic!("the store is gone")).into_inner().unwrap()
}

/// Every acknowledged row once, no row twice; and then the sensor delivers again what it does not know to be stored.
fn check(picture: &Picture, directory: &Path, context: &str) {
    let store = open(directory);
    let changes = change_ids(&store);
    let unique: BTreeSet<_> = changes.iter().cloned().collect();
    assert_eq!(changes.len(), unique.len(), "{context}: {changes:?}");
    for id in expected_changes(picture.acknowledged.iter().copied()) {
        assert!(unique.contains(&id), "{context}: {id} is lost");
    }
    assert!(store.recovery().lost.is_empty(), "{context}");
    for batch in 1..=7 {
        ingest(&store, batch).unwrap();
    }
    assert_eq!(change_ids(&store), expected_changes(1..=7), "{context}: after all were delivered again");
    assert_eq!(gap_ids(&store), expected_gaps(1..=7), "{context}");
    store.close().unwrap();
    drop(store);
    let store = open(directory);
    assert_eq!(change_ids(&store), expected_changes(1..=7), "{context}: after the next restart");
    assert_eq!(gap_ids(&store), expected_gaps(1..=7), "{context}");
}

fn last_commit(directory: &Path) -> Option<PathBuf> {
    let log = directory.join("tables").join(WORKSPACE.to_string()).join(CHANGES).join("_delta_log");
    let names = fs::read_dir(log).ok()?.map(|entry| entry.unwrap().path());
    names.filter(|path| path.extension().is_some_and(|extension| extension == "json")).max()
}

#[test]
fn after_a_crash_between_any_two_steps_each_acknowledged_row_is_there_once() {
    let pictures = pictures();
    let steps: BTreeSet<_> = pictures.iter().map(|picture| picture.step).collect();
    assert_eq!(steps.len(), 8, "every step of a flush was seen: {steps:?}");
    for (index, picture) in pictures.iter().enumerate() {
        check(picture, picture.directory.path(), &format!("picture {index}, after {:?}", picture.step));
    }
}

#[test]
fn a_commit_that_a_power_loss_tore_is_made_again_from_the_log() {
    let pictures = pictures();
    // The first commit with rows of the table, not recorded yet: the making of the table is version 0.
    let picture = pictures.iter().find(|picture| {
        picture.step == Step::TableCommitted
            && last_commit(picture.directory.path())
                .is_some_and(|path| path.ends_with("00000000000000000001.json"))
    });
    let picture = picture.unwrap();
    let path = last_commit(picture.directory.path()).unwrap();
    let whole = fs::read(&path).unwrap();
    let line_ends = (0..whole.len()).filter(|&at| whole[at] == b'\n');
    let cuts: Vec<usize> = [0, 1, whole.len() / 2, whole.len() - 1].into_iter().chain(line_ends).collect();
    for cut in cuts {
        let torn = tempdir().unwrap();
        copy(picture.directory.path(), torn.path());
        fs::write(last_commit(torn.path()).unwrap(), &whole[..cut]).unwrap();
        let store = open(torn.path());
        assert_eq!(store.recovery().torn_commits, 1, "cut at {cut}");
        drop(store);
        check(picture, torn.path(), &format!("cut at {cut}"));
    }
    // The making of the table can be torn as well.
    let created = pictures.iter().find(|picture| {
        picture.step == Step::TableCreated && last_commit(picture.directory.path()).is_some()
    });
    let created = created.unwrap();
    fs::write(last_commit(created.directory.path()).unwrap(), b"").unwrap();
    check(created, created.directory.path(), "the table's making was torn");
}

#[test]
fn a_damaged_commit_whose_rows_have_left_the_log_is_not_dropped_in_silence() {
    let pictures = pictures();
    let picture = pictures.iter().find(|picture| picture.step == Step::PositionRecorded).unwrap();
    fs::write(last_commit(picture.directory.path()).unwrap(), b"{").unwrap();
    let refused = Store::open(picture.directory.path(), quiet()).unwrap_err();
    assert!(matches!(refused, OpenStoreError::Table(TableError::DamagedCommit { .. })), "{refused}");
}

#[test]
fn files_that_were_never_committed_are_not_seen() {
    let pictures = pictures();
    let picture = pictures.iter().find(|picture| picture.step == Step::FilesWritten).unwrap();
    let store = open(picture.directory.path());
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    assert_eq!((snapshot.files.len(), snapshot.rows()), (0, 6));
}
