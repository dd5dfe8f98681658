//! Many writers, readers and flushes at the same time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use fim_store::{Origin, Store};
use futures::executor::block_on;
use tempfile::tempdir;

use crate::support::{CHANGES, COVERAGE, WORKSPACE, change_ids, changes, gaps, open};

const WRITERS: u8 = 4;
const CALLS: u64 = 60;

/// One call brings two changes and two gaps, so every moment has as many of the one as of the other.
fn write(store: &Store, writer: u8, started: &AtomicU64, finished: &AtomicU64) {
    for call in 1..=CALLS {
        let batch = u64::from(writer) * 1_000 + call;
        let rows = vec![(CHANGES, changes(batch, 2)), (COVERAGE, gaps(batch, 2))];
        started.fetch_add(2, Ordering::SeqCst);
        block_on(store.ingest(
            WORKSPACE,
            rows,
            Origin { source: [writer; 16], epoch: [0; 16], sequence: call },
        ))
        .unwrap();
        finished.fetch_add(2, Ordering::SeqCst);
    }
}

#[test]
fn every_snapshot_has_each_accepted_row_once_while_many_write_and_flush() {
    let directory = tempdir().unwrap();
    let store = open(directory.path());
    let (started, finished) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, started, finished) = (&store, &started, &finished);
                scope.spawn(move || write(store, writer, started, finished))
            })
            .collect();
        scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                store.flush().unwrap();
            }
        });
        scope.spawn(|| {
            let mut seen = 0;
            while !is_done.load(Ordering::SeqCst) {
                let accepted = finished.load(Ordering::SeqCst);
                let snapshots = store.snapshots(WORKSPACE, &[CHANGES, COVERAGE]).unwrap();
                let rows: Vec<u64> = snapshots.iter().map(|snapshot| snapshot.rows()).collect();
                let begun = started.load(Ordering::SeqCst);
                assert_eq!(rows[0], rows[1], "a call is visible in all its tables or in none");
                assert!((accepted..=begun).contains(&rows[0]), "{accepted} <= {} <= {begun}", rows[0]);
                assert!(rows[0] >= seen, "rows never vanish: {seen}, then {}", rows[0]);
                seen = rows[0];
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_done.store(true, Ordering::SeqCst);
    });
    let total = 2 * CALLS * u64::from(WRITERS);
    store.close().unwrap();
    drop(store);
    let store = open(directory.path());
    let mut ids = change_ids(&store);
    assert_eq!(ids.len() as u64, total);
    ids.dedup();
    assert_eq!(ids.len() as u64, total, "no row is there twice");
}
