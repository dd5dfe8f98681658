//! Merging, retention and the removal of files, with a crash between any two steps.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use fim_store::{JobKind, Observer, Retention, Step, Store, StoreOptions};
use futures::executor::block_on;
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

use crate::support::{
    CHANGES, COVERAGE, Hand, WORKSPACE, all_rows, change_ids, changes, copy, expected_changes, expected_gaps,
    gap_ids, ingest, origin, quiet,
};

/// Merges days that are over, and today's never.
fn options(hand: &Hand) -> StoreOptions {
    StoreOptions {
        file_bytes: 1 << 20,
        merge_files: usize::MAX,
        keep_departed: Duration::from_secs(3_600),
        clock: hand.clock(),
        ..quiet()
    }
}

fn parquet_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![directory.join("tables")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet")
                && !path.components().any(|part| part.as_os_str() == "_delta_log")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Batches of one day, each in a file of its own.
fn fill(store: &Store, batches: impl IntoIterator<Item = u64>) {
    for batch in batches {
        ingest(store, batch).unwrap();
        store.flush().unwrap();
    }
}

#[test]
fn files_of_a_day_that_is_over_become_one_in_order_with_the_same_rows() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    fill(&store, 1..=9);
    assert_eq!(store.tables(WORKSPACE)[0].files, 9);
    hand.set(1);
    store.maintain().unwrap();
    let info = &store.tables(WORKSPACE)[0];
    assert_eq!((info.files, info.rows), (1, 18));
    assert!(info.departed_bytes > 0, "the nine stay for an hour");
    assert_eq!(change_ids(&store), expected_changes(1..=9));
    let done = store.maintenance();
    assert_eq!((done.merges, done.files_merged, done.files_made, done.running), (2, 18, 2, None));
    let rows = all_rows(&store.snapshot(WORKSPACE, CHANGES).unwrap()).remove(0);
    let computers = rows.column_by_name("Computer").unwrap().as_string::<i32>();
    let times = rows.column_by_name("TimeGenerated").unwrap().as_primitive::<TimestampMicrosecondType>();
    let keys: Vec<_> = (0..rows.num_rows()).map(|row| (computers.value(row), times.value(row))).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let file = &store.snapshot(WORKSPACE, CHANGES).unwrap().files[0];
    assert_eq!(file.min_time, *times.values().iter().min().unwrap());
    assert_eq!(file.max_time, *times.values().iter().max().unwrap());
    drop(store);
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    assert_eq!(store.recovery().orphans, 0, "files that have left are no orphans");
    assert_eq!(change_ids(&store), expected_changes(1..=9));
    assert_eq!(gap_ids(&store), expected_gaps(1..=9));
}

#[test]
fn many_rows_of_many_machines_are_merged_into_files_of_the_size_asked_for() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let store =
        Store::open(directory.path(), StoreOptions { file_bytes: 200 << 10, ..options(&hand) }).unwrap();
    for batch in 0..6 {
        // Two machines in turn, each batch over all hours of some days, so that the inputs are interleaved.
        block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(batch, 3_000))], origin(batch + 1))).unwrap();
        store.flush().unwrap();
    }
    let before = change_ids(&store);
    hand.set(400);
    store.maintain().unwrap();
    assert_eq!(change_ids(&store), before);
    for batch in all_rows(&store.snapshot(WORKSPACE, CHANGES).unwrap()) {
        let computers = batch.column_by_name("Computer").unwrap().as_string::<i32>();
        assert!((1..computers.len()).all(|row| computers.value(row - 1) <= computers.value(row)));
    }
    assert_eq!(store.maintenance().last_failure, None);
}

#[test]
fn a_file_that_a_snapshot_names_stays_until_the_snapshot_is_gone() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let store =
        Store::open(directory.path(), StoreOptions { keep_departed: Duration::ZERO, ..options(&hand) })
            .unwrap();
    fill(&store, 1..=3);
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    hand.set(1);
    store.maintain().unwrap();
    // Of the other table nobody has a snapshot, so only its merged file is left.
    assert_eq!(parquet_files(directory.path()).len(), 3 + 1 + 1);
    let rows: usize = all_rows(&snapshot).iter().map(|rows| rows.num_rows()).sum();
    assert_eq!(rows, 6, "the old snapshot can be read as before");
    // A reader that has only the object store left, as a running query has.
    let reader = Arc::clone(&snapshot.object_store);
    drop(snapshot);
    store.maintain().unwrap();
    assert_eq!(parquet_files(directory.path()).len(), 3 + 1 + 1);
    drop(reader);
    store.maintain().unwrap();
    assert_eq!(parquet_files(directory.path()).len(), 2);
    assert_eq!(change_ids(&store), expected_changes(1..=3));
}

#[test]
fn files_that_left_stay_for_other_programs_for_a_while_also_over_a_restart() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    fill(&store, 1..=3);
    hand.set(1);
    store.maintain().unwrap();
    drop(store);
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    store.maintain().unwrap();
    assert_eq!(parquet_files(directory.path()).len(), 6 + 2);
    hand.set(2);
    store.maintain().unwrap();
    assert_eq!(parquet_files(directory.path()).len(), 2);
    assert_eq!(change_ids(&store), expected_changes(1..=3));
}

#[test]
fn days_older_than_the_retention_of_their_table_go_and_others_stay() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let other = Uuid::from_u128(7);
    let store = Store::open(directory.path(), StoreOptions { file_bytes: 0, ..options(&hand) }).unwrap();
    for batch in [0, 24, 48] {
        ingest(&store, batch + 1).unwrap();
        block_on(store.ingest(other, vec![(CHANGES, changes(batch + 1, 2))], origin(batch + 1))).unwrap();
    }
    store.flush().unwrap();
    let mut retention = Retention::default();
    retention.set(WORKSPACE, CHANGES, 2);
    hand.set(30);
    store.maintain().unwrap();
    assert_eq!(change_ids(&store), expected_changes([1, 25, 49]), "until it is said, all stay");
    hand.set(3);
    store.set_retention(retention);
    store.maintain().unwrap();
    assert_eq!(change_ids(&store), expected_changes([25, 49]));
    assert_eq!(gap_ids(&store), expected_gaps([1, 25, 49]), "the other table says nothing");
    assert_eq!(store.snapshot(other, CHANGES).unwrap().rows(), 6, "nor does the other workspace");
    assert_eq!(store.maintenance().files_expired, 1);
    let again = ingest(&store, 1).unwrap();
    assert!(again.duplicate, "a batch is known also when its rows are gone");
    drop(store);
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    assert_eq!(change_ids(&store), expected_changes([25, 49]));
}

#[test]
fn a_damaged_file_is_left_as_it_is_and_the_failure_told() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    fill(&store, 1..=3);
    let files = parquet_files(directory.path());
    let damaged = files.iter().find(|path| path.to_string_lossy().contains(CHANGES)).unwrap();
    let bytes = fs::read(damaged).unwrap();
    fs::write(damaged, &bytes[..bytes.len() / 2]).unwrap();
    hand.set(1);
    store.maintain().unwrap();
    let failure = store.maintenance().last_failure.expect("it failed");
    let name = damaged.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!((failure.workspace, failure.table), (WORKSPACE, CHANGES));
    assert!(failure.reason.contains(&name), "{}", failure.reason);
    let tables = store.tables(WORKSPACE);
    assert_eq!(
        tables.iter().map(|info| (info.name, info.files)).collect::<Vec<_>>(),
        [(CHANGES, 3), (COVERAGE, 1)]
    );
    store.maintain().unwrap();
    assert_eq!(store.maintenance().merges, 1, "it is not tried again and again");
}

#[test]
fn a_dropped_workspace_leaves_nothing_to_maintain() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let store = Store::open(directory.path(), options(&hand)).unwrap();
    fill(&store, 1..=3);
    hand.set(1);
    store.maintain().unwrap();
    store.drop_workspace(WORKSPACE).unwrap();
    hand.set(2);
    store.maintain().unwrap();
    assert_eq!(parquet_files(directory.path()), Vec::<PathBuf>::new());
    assert_eq!(store.maintenance().last_failure, None);
}

struct Picture {
    step: Step,
    directory: TempDir,
}

/// What a crash would leave after each step of this: four batches in files of their own and one in the log, a merge, the
/// removal of what left, and an expiry.
fn pictures() -> Vec<Picture> {
    let directory = tempdir().unwrap();
    let pictures = Arc::new(Mutex::new(Vec::new()));
    let hand = Hand::new();
    let is_on = Arc::new(AtomicI64::new(0));
    let observer = {
        let (root, pictures, is_on) =
            (directory.path().to_owned(), Arc::clone(&pictures), Arc::clone(&is_on));
        Observer::new(move |step| {
            if is_on.load(Ordering::SeqCst) == 1 {
                let picture = tempdir().unwrap();
                copy(&root, picture.path());
                pictures.lock().unwrap().push(Picture { step, directory: picture });
            }
        })
    };
    let store = Store::open(directory.path(), StoreOptions { observer, ..options(&hand) }).unwrap();
    fill(&store, 1..=4);
    ingest(&store, 5).unwrap();
    is_on.store(1, Ordering::SeqCst);
    hand.set(1);
    store.maintain().unwrap();
    hand.set(2);
    store.maintain().unwrap();
    let mut retention = Retention::default();
    retention.set(WORKSPACE, COVERAGE, 1);
    store.set_retention(retention);
    store.maintain().unwrap();
    is_on.store(0, Ordering::SeqCst);
    drop(store);
    Arc::try_unwrap(pictures).unwrap_or_else(|_| panic!("the store is gone")).into_inner().unwrap()
}

/// All changes once; the gaps of the files are there or all gone; and after the next maintenance no file is left over.
fn check(directory: &Path, context: &str) {
    let hand = Hand::new();
    hand.set(2);
    let store = Store::open(directory, options(&hand)).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(change_ids(&store), expected_changes(1..=5), "{context}");
    let gaps = gap_ids(&store);
    let are_whole = gaps == expected_gaps(1..=5) || gaps == expected_gaps([5]);
    assert!(are_whole, "{context}: {gaps:?}");
    for batch in 1..=5 {
        assert!(ingest(&store, batch).unwrap().duplicate, "{context}: batch {batch}");
    }
    hand.set(4);
    store.flush().unwrap();
    for _ in 0..2 {
        store.maintain().unwrap();
        hand.set(8);
    }
    assert_eq!(store.maintenance().last_failure, None, "{context}");
    let known: u64 = store.tables(WORKSPACE).iter().map(|info| info.files).sum();
    assert_eq!(parquet_files(directory).len() as u64, known, "{context}: files are left over");
    store.close().unwrap();
    drop(store);
    let store = Store::open(directory, options(&hand)).unwrap();
    assert_eq!(change_ids(&store), expected_changes(1..=5), "{context}: after the next restart");
    assert_eq!(gap_ids(&store), gaps, "{context}: after the next restart");
}

#[test]
fn a_crash_between_any_two_steps_of_the_maintenance_costs_no_row_and_leaves_no_file() {
    let pictures = pictures();
    let steps: BTreeSet<_> = pictures.iter().map(|picture| picture.step).collect();
    let expected =
        [Step::RewriteWritten, Step::RewriteCommitted, Step::RewritePublished, Step::DepartedRemoved];
    assert_eq!(steps, BTreeSet::from(expected));
    for (index, picture) in pictures.iter().enumerate() {
        check(picture.directory.path(), &format!("picture {index}, after {:?}", picture.step));
    }
}

#[test]
fn a_rewrite_that_a_power_loss_tore_is_as_if_it_had_not_been() {
    let pictures = pictures();
    for (before, after) in pictures.iter().zip(&pictures[1..]) {
        if (before.step, after.step) != (Step::RewriteWritten, Step::RewriteCommitted) {
            continue;
        }
        let commits = |picture: &Picture, table: &str| {
            let log = Path::new("tables").join(WORKSPACE.to_string()).join(table).join("_delta_log");
            let names = fs::read_dir(picture.directory.path().join(&log)).unwrap();
            names.map(|entry| log.join(entry.unwrap().file_name())).collect::<BTreeSet<PathBuf>>()
        };
        let new: Vec<PathBuf> = [CHANGES, COVERAGE]
            .iter()
            .flat_map(|table| &commits(after, table) - &commits(before, table))
            .collect();
        let [commit] = new.as_slice() else { panic!("one commit is new: {new:?}") };
        let whole = fs::read(after.directory.path().join(commit)).unwrap();
        let line_ends = (0..whole.len()).filter(|&at| whole[at] == b'\n').flat_map(|at| [at, at + 1]);
        for cut in [0, 1, whole.len() / 2, whole.len() - 1].into_iter().chain(line_ends) {
            let torn = tempdir().unwrap();
            copy(before.directory.path(), torn.path());
            fs::write(torn.path().join(commit), &whole[..cut]).unwrap();
            check(torn.path(), &format!("{} cut at {cut}", commit.display()));
        }
    }
}

#[test]
fn queries_see_every_row_once_while_files_are_merged_and_removed() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    hand.set(3);
    let options = StoreOptions { keep_departed: Duration::ZERO, ..options(&hand) };
    let store = Store::open(directory.path(), options).unwrap();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for batch in 1..=40 {
                ingest(&store, batch).unwrap();
                store.flush().unwrap();
            }
            store.maintain().unwrap();
            is_done.store(true, Ordering::SeqCst);
        });
        let mut seen = 0;
        while !is_done.load(Ordering::SeqCst) {
            // Reads the files themselves: one that was removed too early would fail here.
            let ids = change_ids(&store);
            let unique: BTreeSet<_> = ids.iter().collect();
            assert_eq!(unique.len(), ids.len());
            assert!(ids.len() >= seen, "rows never vanish");
            seen = ids.len();
        }
    });
    assert_eq!(change_ids(&store), expected_changes(1..=40));
    assert!(store.maintenance().merges > 0);
    assert_eq!(store.maintenance().last_failure, None);
}

#[test]
fn a_job_says_what_it_does_while_it_runs() {
    let directory = tempdir().unwrap();
    let hand = Hand::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let store: Arc<Mutex<Option<Arc<Store>>>> = Arc::default();
    let observer = {
        let (seen, store) = (Arc::clone(&seen), Arc::clone(&store));
        Observer::new(move |step| {
            let store = store.lock().unwrap();
            if step == Step::RewriteWritten
                && let Some(store) = &*store
            {
                seen.lock().unwrap().extend(store.maintenance().running);
            }
        })
    };
    let opened =
        Arc::new(Store::open(directory.path(), StoreOptions { observer, ..options(&hand) }).unwrap());
    fill(&opened, 1..=3);
    *store.lock().unwrap() = Some(Arc::clone(&opened));
    hand.set(1);
    opened.maintain().unwrap();
    *store.lock().unwrap() = None;
    let seen = seen.lock().unwrap();
    let jobs: Vec<_> =
        seen.iter().map(|job| (job.table, job.kind, job.files, job.rows, job.rows_done)).collect();
    assert_eq!(jobs, [(CHANGES, JobKind::Merge, 3, 6, 6), (COVERAGE, JobKind::Merge, 3, 3, 3)]);
}
