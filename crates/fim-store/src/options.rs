//! How a store behaves.

use std::time::Duration;

use fim_log::LogOptions;

use crate::clock::Clock;
use crate::step::Observer;

/// How a store behaves.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Rows are moved to data files at least this often.
    pub flush_interval: Duration,
    /// Rows are moved to data files once they take this much memory, in bytes.
    pub flush_bytes: u64,
    /// The most memory, in bytes, that rows which are not in data files may take; beyond it ingest answers
    /// [`IngestError::Busy`].
    pub max_buffer_bytes: u64,
    /// The bounds of the ingest log on the disk; when it is full, ingest answers [`IngestError::Busy`].
    pub log: LogOptions,
    /// How many tables' rows are moved to data files at the same time.
    pub flush_tables_at_once: usize,
    /// The size that the data files of a day should come to, in bytes; smaller ones are merged. With 0 none are.
    pub file_bytes: u64,
    /// So many small files of today are merged into one; a day that is over is put together anyway.
    pub merge_files: usize,
    /// How long a data file stays on the disk after it has left its table, for other programs that have just read the
    /// table's log. The store's own snapshots keep theirs as long as they live.
    pub keep_departed: Duration,
    /// After so many commits to a table its log gets a checkpoint, from which readers start.
    pub checkpoint_commits: u64,
    /// Where the time comes from.
    pub clock: Clock,
    /// Is told of every step on the way to the disk.
    pub observer: Observer,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(30),
            flush_bytes: 64 << 20,
            max_buffer_bytes: 256 << 20,
            log: LogOptions { segment_bytes: 16 << 20, max_bytes: 1 << 30 },
            flush_tables_at_once: 4,
            file_bytes: 256 << 20,
            merge_files: 8,
            keep_departed: Duration::from_secs(3_600),
            checkpoint_commits: 100,
            clock: Clock::default(),
            observer: Observer::default(),
        }
    }
}
