//! The life of a store.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fim_store::{IngestError, LostRows, Origin, SnapshotError, Store, StoreOptions};
use futures::executor::block_on;
use tempfile::tempdir;
use uuid::Uuid;

use crate::support::{
    CHANGES, COVERAGE, WORKSPACE, change_ids, changes, copy, expected_changes, expected_gaps, gap_ids, gaps,
    ingest, lost, open, origin, quiet, texts,
};

#[test]
fn an_accepted_row_is_visible_at_once_and_stays_through_flush_and_restart() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(change_ids(&store), [""; 0]);
    ingest(&store, 1).unwrap();
    assert_eq!(change_ids(&store), expected_changes([1]));
    store.flush().unwrap();
    assert_eq!(store.snapshot(WORKSPACE, CHANGES).unwrap().buffered.len(), 0);
    assert_eq!(change_ids(&store), expected_changes([1]));
    ingest(&store, 2).unwrap();
    assert_eq!(change_ids(&store), expected_changes([1, 2]));
    store.close().unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.recovery().replayed, 0, "a clean close flushes");
    assert_eq!(change_ids(&store), expected_changes([1, 2]));
    assert_eq!(gap_ids(&store), expected_gaps([1, 2]));
}

#[test]
fn what_was_not_flushed_comes_back_from_the_log() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    for batch in 1..=3 {
        ingest(&store, batch).unwrap();
    }
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.recovery().replayed, 3);
    assert_eq!(change_ids(&store), expected_changes(1..=3));
    assert_eq!(gap_ids(&store), expected_gaps(1..=3));
}

#[test]
fn a_batch_delivered_twice_is_stored_once_before_and_after_flush_and_restart() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    assert!(!ingest(&store, 1).unwrap().duplicate);
    assert!(ingest(&store, 1).unwrap().duplicate);
    store.flush().unwrap();
    assert!(ingest(&store, 1).unwrap().duplicate);
    assert!(!ingest(&store, 2).unwrap().duplicate);
    drop(store);
    let store = open(directory.path());
    assert!(ingest(&store, 1).unwrap().duplicate, "known from what was recorded at the flush");
    assert!(ingest(&store, 2).unwrap().duplicate, "known from the log");
    store.close().unwrap();
    drop(store);
    let store = open(directory.path());
    assert!(ingest(&store, 2).unwrap().duplicate);
    assert_eq!(change_ids(&store), expected_changes([1, 2]));
}

#[test]
fn the_same_number_of_another_source_epoch_or_workspace_is_another_batch() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let origins = [
        Origin { source: [1; 16], epoch: [1; 16], sequence: 5 },
        Origin { source: [2; 16], epoch: [1; 16], sequence: 5 },
        Origin { source: [1; 16], epoch: [2; 16], sequence: 5 },
    ];
    for origin in origins {
        for workspace in [WORKSPACE, Uuid::from_u128(9)] {
            let accepted = block_on(store.ingest(workspace, vec![(CHANGES, changes(1, 1))], origin)).unwrap();
            assert!(!accepted.duplicate, "{origin:?}");
        }
    }
    assert_eq!(store.snapshot(WORKSPACE, CHANGES).unwrap().rows(), 3);
}

#[test]
fn own_rows_need_no_number_and_are_each_stored() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    for _ in 0..2 {
        block_on(store.ingest_own(WORKSPACE, vec![(COVERAGE, gaps(1, 1))])).unwrap();
    }
    drop(store);
    assert_eq!(gap_ids(&open(directory.path())), ["1/0", "1/0"]);
}

#[test]
fn a_batch_without_rows_is_remembered() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    assert!(!block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(1, 0))], origin(1))).unwrap().duplicate);
    assert!(ingest(&store, 1).unwrap().duplicate);
    assert!(store.workspaces().is_empty());
    store.close().unwrap();
}

#[test]
fn rows_that_are_not_the_tables_are_refused_as_a_whole() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let rows = vec![(CHANGES, changes(1, 1)), (COVERAGE, changes(1, 1))];
    let refused = block_on(store.ingest(WORKSPACE, rows, origin(1))).unwrap_err();
    assert!(matches!(refused, IngestError::Schema(_)), "{refused}");
    let refused = block_on(store.ingest(WORKSPACE, vec![("Nope", changes(1, 1))], origin(1))).unwrap_err();
    assert_eq!(refused.to_string(), "there is no table Nope");
    assert_eq!(change_ids(&store), [""; 0]);
    assert_eq!(
        store.snapshot(WORKSPACE, "Nope").unwrap_err(),
        SnapshotError::UnknownTable { name: "Nope".to_owned() }
    );
}

#[test]
fn late_and_early_rows_go_to_the_files_of_their_days() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    // From hour 0, 20 and 48 of the first day, in another order.
    for batch in [48, 0, 20] {
        let rows = vec![(CHANGES, changes(batch, 8))];
        block_on(store.ingest(WORKSPACE, rows, Origin { source: [batch as u8; 16], ..origin(1) })).unwrap();
    }
    store.flush().unwrap();
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    let mut days: Vec<_> = snapshot.files.iter().map(|file| (file.day.to_string(), file.rows)).collect();
    days.sort();
    let expected = [("2026-11-22", 12), ("2026-11-23", 4), ("2026-11-24", 8)];
    assert_eq!(days, expected.map(|(day, rows)| (day.to_owned(), rows)));
    assert_eq!(texts(&snapshot, "ChangeId").len(), 24);
}

#[test]
fn rows_are_flushed_when_they_are_many_without_anyone_asking() {
    let directory = tempdir().unwrap();
    let (flushed, wait) = std::sync::mpsc::channel();
    let observer = fim_store::Observer::new(move |step| {
        if step == fim_store::Step::SegmentsRemoved {
            let _ = flushed.send(());
        }
    });
    let store = Store::open(directory.path(), StoreOptions { flush_bytes: 1, observer, ..quiet() }).unwrap();
    ingest(&store, 1).unwrap();
    wait.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(change_ids(&store), expected_changes([1]));
}

#[test]
fn rows_are_flushed_after_the_interval_without_anyone_asking() {
    let directory = tempdir().unwrap();
    let (flushed, wait) = std::sync::mpsc::channel();
    let observer = fim_store::Observer::new(move |step| {
        if step == fim_store::Step::SegmentsRemoved {
            let _ = flushed.send(());
        }
    });
    let options = StoreOptions { flush_interval: Duration::from_millis(5), observer, ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    ingest(&store, 1).unwrap();
    wait.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(store.tables(WORKSPACE)[0].files, 1);
}

#[test]
fn a_store_without_room_says_busy_and_takes_rows_again_after_a_flush() {
    let directory = tempdir().unwrap();
    let one = changes(1, 2).get_array_memory_size() + gaps(1, 1).get_array_memory_size();
    let options = StoreOptions { max_buffer_bytes: one as u64 * 3 / 2, ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    ingest(&store, 1).unwrap();
    let busy = ingest(&store, 2).unwrap_err();
    assert!(matches!(busy, IngestError::Busy { retry_after } if retry_after > Duration::ZERO), "{busy}");
    assert_eq!(change_ids(&store), expected_changes([1]));
    store.flush().unwrap();
    ingest(&store, 2).unwrap();
    assert_eq!(change_ids(&store), expected_changes([1, 2]));
    let large = block_on(store.ingest(WORKSPACE, vec![(CHANGES, changes(3, 5_000))], origin(3))).unwrap_err();
    assert!(matches!(large, IngestError::TooLarge { .. }), "{large}");
}

#[test]
fn a_full_log_says_busy_and_takes_rows_again_after_a_flush() {
    let directory = tempdir().unwrap();
    let log = fim_log::LogOptions { segment_bytes: 4 << 10, max_bytes: 16 << 10 };
    let store = Store::open(directory.path(), StoreOptions { log, ..quiet() }).unwrap();
    let mut batch = 0;
    let refused = loop {
        batch += 1;
        match ingest(&store, batch) {
            Ok(_) => assert!(batch < 1_000, "the log is never full"),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, IngestError::Busy { .. }), "{refused}");
    store.flush().unwrap();
    ingest(&store, batch).unwrap();
    assert_eq!(change_ids(&store), expected_changes(1..=batch));
}

#[test]
fn many_workspaces_keep_their_rows_apart() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let workspaces: Vec<_> = (1..=12).map(Uuid::from_u128).collect();
    for (index, &workspace) in workspaces.iter().enumerate() {
        let rows = vec![(CHANGES, changes(index as u64, index as u64 + 1))];
        block_on(store.ingest(workspace, rows, origin(1))).unwrap();
    }
    store.close().unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(store.workspaces(), workspaces);
    for (index, &workspace) in workspaces.iter().enumerate() {
        let info = &store.tables(workspace)[0];
        assert_eq!((info.name, info.rows, info.buffered_rows), (CHANGES, index as u64 + 1, 0));
        assert!(info.file_bytes > 0);
    }
}

#[test]
fn a_dropped_workspace_stays_gone_and_takes_nothing() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let other = Uuid::from_u128(2);
    block_on(store.ingest(other, vec![(CHANGES, changes(1, 1))], origin(1))).unwrap();
    ingest(&store, 1).unwrap();
    store.flush().unwrap();
    ingest(&store, 2).unwrap();
    store.drop_workspace(WORKSPACE).unwrap();
    assert_eq!(store.workspaces(), [other]);
    assert!(matches!(ingest(&store, 3), Err(IngestError::WorkspaceDropped { .. })));
    assert!(!directory.path().join("tables").join(WORKSPACE.to_string()).exists());
    let after_crash = tempdir().unwrap();
    copy(directory.path(), after_crash.path());
    for path in [directory.path(), after_crash.path()] {
        if path == directory.path() {
            store.close().unwrap();
        }
        let store = open(path);
        assert_eq!(store.workspaces(), [other], "rows of it are still in the log, and not replayed");
        assert!(matches!(ingest(&store, 4), Err(IngestError::WorkspaceDropped { .. })));
    }
}

#[test]
fn a_closed_store_takes_nothing_and_can_be_closed_again() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    store.close().unwrap();
    store.close().unwrap();
    assert!(matches!(ingest(&store, 1), Err(IngestError::Closed)));
    assert!(store.flush().is_err());
}

#[test]
fn a_store_can_be_used_and_closed_inside_a_runtime() {
    let directory = tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = open(directory.path());
        store.ingest(WORKSPACE, vec![(CHANGES, changes(1, 1))], origin(1)).await.unwrap();
        store.close().unwrap();
    });
}

#[test]
fn a_log_that_was_removed_is_told_and_costs_nothing_that_was_in_tables() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    for batch in 1..=3 {
        ingest(&store, batch).unwrap();
    }
    store.close().unwrap();
    drop(store);
    fs::remove_dir_all(directory.path().join("log")).unwrap();
    let store = open(directory.path());
    assert_eq!(lost(&store), [&LostRows::Log]);
    assert!(ingest(&store, 3).unwrap().duplicate);
    ingest(&store, 4).unwrap();
    store.flush().unwrap();
    drop(store);
    let store = open(directory.path());
    assert_eq!(lost(&store), [&LostRows::Log], "until it is told");
    store.losses_told().unwrap();
    drop(store);
    for _ in 0..2 {
        let store = open(directory.path());
        assert_eq!(lost(&store), [&LostRows::Log; 0]);
        assert_eq!(change_ids(&store), expected_changes(1..=4));
        store.close().unwrap();
    }
}

#[test]
fn a_record_that_the_medium_has_damaged_is_told_with_its_neighbours_and_the_others_are_there() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let mut starts = Vec::new();
    for batch in 1..=3 {
        starts.push(log_bytes(directory.path()).len());
        ingest(&store, batch).unwrap();
    }
    drop(store);
    flip_byte(directory.path(), starts[1] + 100);
    let store = open(directory.path());
    let [loss] = &store.recovery().lost[..] else { panic!("{:?}", store.recovery()) };
    assert_eq!((&loss.rows, loss.after.is_some()), (&LostRows::Calls(2..=2), true));
    assert!(loss.after < loss.before, "{loss:?}");
    assert_eq!(change_ids(&store), expected_changes([1, 3]));
}

#[test]
fn a_torn_end_of_the_log_is_told_in_bytes() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    ingest(&store, 1).unwrap();
    let whole = log_bytes(directory.path()).len();
    ingest(&store, 2).unwrap();
    drop(store);
    let torn = log_bytes(directory.path()).len() - whole;
    flip_byte(directory.path(), whole + 100);
    let store = open(directory.path());
    assert_eq!((store.recovery().torn_bytes, store.recovery().lost.len()), (torn as u64, 0));
    assert_eq!(change_ids(&store), expected_changes([1]));
}

/// The bytes of the log's only segment.
fn log_bytes(directory: &Path) -> Vec<u8> {
    fs::read(segment(directory)).unwrap()
}

fn flip_byte(directory: &Path, at: usize) {
    let mut bytes = log_bytes(directory);
    bytes[at] ^= 1;
    fs::write(segment(directory), bytes).unwrap();
}

fn segment(directory: &Path) -> PathBuf {
    let mut segments = fs::read_dir(directory.join("log")).unwrap();
    segments.next().unwrap().unwrap().path()
}

#[test]
fn many_small_calls_take_little_memory() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    for batch in 1..=200 {
        ingest(&store, batch).unwrap();
    }
    let snapshot = store.snapshot(WORKSPACE, CHANGES).unwrap();
    assert!(snapshot.buffered.len() <= 10, "{} batches", snapshot.buffered.len());
    let info = &store.tables(WORKSPACE)[0];
    let per_row = info.buffered_bytes / info.buffered_rows;
    assert!(per_row < 1_500, "{per_row} bytes a row");
    assert_eq!(change_ids(&store), expected_changes(1..=200));
}

#[test]
fn a_table_that_cannot_be_written_holds_up_no_other_and_follows_later() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    ingest(&store, 1).unwrap();
    store.flush().unwrap();
    // A file where a table's directory should be, for a workspace that comes new.
    let other = Uuid::from_u128(3);
    let tables = directory.path().join("tables");
    fs::write(tables.join(other.to_string()), "in the way").unwrap();
    block_on(store.ingest(other, vec![(CHANGES, changes(7, 2))], origin(1))).unwrap();
    for batch in 2..=4 {
        ingest(&store, batch).unwrap();
        let failure = store.flush().unwrap_err();
        assert!(failure.to_string().contains(&other.to_string()), "{failure}");
    }
    assert_eq!(store.snapshot(WORKSPACE, CHANGES).unwrap().buffered.len(), 0, "the others are in files");
    block_on(store.ingest(other, vec![(CHANGES, changes(8, 2))], origin(2))).unwrap();
    assert_eq!(store.snapshot(other, CHANGES).unwrap().rows(), 4, "and its rows are not lost");
    // A crash now: all that the stuck table has is in the log.
    let crashed = tempdir().unwrap();
    copy(directory.path(), crashed.path());
    for path in [directory.path(), crashed.path()] {
        fs::remove_file(path.join("tables").join(other.to_string())).unwrap();
    }
    let after_crash = open(crashed.path());
    for store in [&store, &after_crash] {
        store.flush().unwrap();
        assert_eq!(change_ids(store), expected_changes(1..=4));
        let snapshot = store.snapshot(other, CHANGES).unwrap();
        assert_eq!((snapshot.rows(), snapshot.buffered.len()), (4, 0));
        assert_eq!(texts(&snapshot, "ChangeId"), ["7/0", "7/1", "8/0", "8/1"]);
    }
    drop(after_crash);
    let again = open(crashed.path());
    assert_eq!(again.recovery().replayed, 0, "the log has given its records back");
}

#[test]
fn what_was_stored_is_metered_once_through_flush_crash_and_repeats() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let metered = |store: &Store| {
        let tables = store.metered(WORKSPACE);
        tables.into_iter().map(|(name, metered)| (name, metered.rows)).collect::<Vec<_>>()
    };
    let bytes =
        |store: &Store| store.metered(WORKSPACE).iter().map(|(_, metered)| metered.billed_bytes).sum::<f64>();
    for batch in [1, 2, 2] {
        ingest(&store, batch).unwrap();
    }
    assert_eq!(metered(&store), [(CHANGES, 4), (COVERAGE, 2)]);
    store.flush().unwrap();
    ingest(&store, 3).unwrap();
    let before = bytes(&store);
    assert!(before > 0.0);
    drop(store);
    let store = open(directory.path());
    assert_eq!(metered(&store), [(CHANGES, 6), (COVERAGE, 3)]);
    assert!((bytes(&store) - before).abs() < 1e-6);
    store.drop_workspace(WORKSPACE).unwrap();
    assert_eq!(metered(&store), []);
}

#[test]
fn a_workspace_that_floods_leaves_the_memory_for_others() {
    let directory = tempdir().unwrap();
    let one = changes(1, 2).get_array_memory_size() + gaps(1, 1).get_array_memory_size();
    let options = StoreOptions { max_buffer_bytes: one as u64 * 40, ..quiet() };
    let store = Store::open(directory.path(), options).unwrap();
    let mut batch = 0;
    while ingest(&store, batch + 1).is_ok() {
        batch += 1;
        assert!(batch < 1_000, "the flood is never stopped");
    }
    let other = Uuid::from_u128(3);
    block_on(store.ingest(other, vec![(CHANGES, changes(1, 2))], origin(1))).unwrap();
    store.flush().unwrap();
    ingest(&store, batch + 1).unwrap();
}
