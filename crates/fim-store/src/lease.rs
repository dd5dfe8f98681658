//! What keeps a data file on the disk after it has left its table: a snapshot that still names it.

use std::collections::VecDeque;
use std::sync::Arc;

use fim_core::Timestamp;

use crate::delta::DataFile;

/// One stretch of a table's life in which no file left it. Every snapshot taken in it holds it, and so does every
/// reader of the snapshot's object store.
#[derive(Debug, Default)]
pub(crate) struct Lease;

/// Files that are no longer part of their table, in the order in which they left it.
///
/// A file goes when its time has come and nobody can read it any more. Those that left later wait for it: a snapshot
/// that is older than several departures names the files of them all.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    queue: VecDeque<Departure>,
}

/// Files that left a table together.
#[derive(Debug)]
struct Departure {
    files: Vec<DataFile>,
    /// When they may go at the earliest: other programs may have read the table's log just before.
    due: Timestamp,
    /// That of the stretch which ended when they left.
    lease: Arc<Lease>,
}

impl Departed {
    /// Adds files that have just left.
    pub(crate) fn add(&mut self, files: Vec<DataFile>, due: Timestamp, lease: Arc<Lease>) {
        self.queue.push_back(Departure { files, due, lease });
    }

    /// Takes those that may go now.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<DataFile> {
        let mut due = Vec::new();
        while let Some(first) = self.queue.front()
            && first.due <= now
            && Arc::strong_count(&first.lease) == 1
        {
            due.extend(self.queue.pop_front().into_iter().flat_map(|departure| departure.files));
        }
        due
    }

    /// Bytes of the files that wait.
    pub(crate) fn bytes(&self) -> u64 {
        self.queue.iter().flat_map(|departure| &departure.files).map(|file| file.size).sum()
    }

    /// True if none wait.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
