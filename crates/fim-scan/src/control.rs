//! What the owner of a scan and the scan tell each other while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use fim_core::FileId;

use crate::KnownFiles;
use crate::tree::Look;

/// Shared between a scan and its owner: how far the scan is, and whether it should stop.
#[derive(Debug, Default)]
pub struct ScanControl {
    cancelled: AtomicBool,
    entities: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
    /// Grows with every answer of the file system.
    answers: AtomicU64,
    stalled: AtomicBool,
    threads: AtomicUsize,
    /// Where the files are noted that it meets.
    met: Option<Arc<KnownFiles>>,
}

/// Counts a thread of a scan for as long as it lives.
pub(crate) struct LiveThread(Arc<ScanControl>);

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
    /// Of a scan that adds each file to `known` before it reads it: what happens to the file from then on can be told of,
    /// and what happened before is seen.
    pub fn noting(known: Arc<KnownFiles>) -> Self {
        Self { met: Some(known), ..Self::default() }
    }

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

    /// True if the scan was cut short because the file system did not answer in time.
    pub fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// How many threads of the scan there are still: after its end, those that the file system does not let go.
    pub fn live_threads(&self) -> usize {
        self.threads.load(Ordering::Relaxed)
    }

    /// Notes a file that is open and not read yet. True if that is asked for.
    pub(crate) fn meet(&self, file: &Look) -> bool {
        if let (Some(met), Some(device), Some(inode)) =
            (&self.met, file.attributes.device, file.attributes.inode)
        {
            met.add(FileId { device, inode });
        }
        self.met.is_some()
    }

    pub(crate) fn stall(&self) {
        self.stalled.store(true, Ordering::Relaxed);
        self.cancel();
    }

    pub(crate) fn enter_thread(self: &Arc<Self>) -> LiveThread {
        self.threads.fetch_add(1, Ordering::Relaxed);
        LiveThread(Arc::clone(self))
    }

    pub(crate) fn count_answer(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    pub(crate) fn count_entity(&self) {
        self.entities.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_file(&self) {
        self.count_answer();
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_bytes(&self, bytes: u64) {
        self.count_answer();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for LiveThread {
    fn drop(&mut self) {
        self.0.threads.fetch_sub(1, Ordering::Relaxed);
    }
}
