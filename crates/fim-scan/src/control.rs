//! What the owner of a scan and the scan tell each other while it runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between a scan and its owner: how far the scan is, and whether it should stop.
#[derive(Debug, Default)]
pub struct ScanControl {
    cancelled: AtomicBool,
    entities: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Observations made so far, of any kind.
    pub entities: u64,
    /// Regular files whose content has been read to its end.
    pub files: u64,
    /// Bytes of content read.
    pub bytes: u64,
}

impl ScanControl {
    /// Asks the scan to stop soon; it then says where it was cut short.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// True once somebody asked the scan to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// How far the scan is; the counts only grow.
    pub fn progress(&self) -> Progress {
        Progress {
            entities: self.entities.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn count_entity(&self) {
        self.entities.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
