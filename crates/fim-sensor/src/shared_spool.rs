//! The spool as the engine and the uplink share it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_log::Disk;

use crate::spool::Spool;
use crate::status::SharedStatus;
use crate::time::{now, rfc3339};

/// A spool with a bell: the engine rings it when there is something to do for the uplink.
pub(crate) struct SharedSpool<D: Disk> {
    spool: Mutex<Spool<D>>,
    bell: Mutex<Bell>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct Bell {
    is_rung: bool,
    is_stopping: bool,
}

impl<D: Disk> SharedSpool<D> {
    pub fn new(spool: Spool<D>) -> Self {
        Self { spool: Mutex::new(spool), bell: Mutex::default(), rung: Condvar::new() }
    }

    /// The spool, for this thread alone. A thread that panicked left it as its last whole operation did.
    pub fn lock(&self) -> MutexGuard<'_, Spool<D>> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the snapshot say what the spool holds.
    pub fn show(&self, status: &SharedStatus)
    where
        D: Clone,
    {
        let spool = self.lock();
        let (records, bytes, full_since) = (spool.unsent(), spool.bytes(), spool.full_since());
        let oldest = spool.oldest_unsent();
        drop(spool);
        let age_nanos = oldest.map_or(0, |oldest| now().nanos_since(oldest).max(0));
        status.update(|status| {
            status.spool_records = records;
            status.spool_bytes = bytes;
            status.spool_full_since = full_since.map(rfc3339);
            status.oldest_unsent_seconds = u64::try_from(age_nanos / 1_000_000_000).unwrap_or(0);
        });
    }

    /// Wakes the uplink.
    pub fn ring(&self) {
        self.bell().is_rung = true;
        self.rung.notify_all();
    }

    /// Tells the uplink to end.
    pub fn stop(&self) {
        self.bell().is_stopping = true;
        self.rung.notify_all();
    }

    /// True once the uplink was told to end.
    pub fn is_stopping(&self) -> bool {
        self.bell().is_stopping
    }

    /// Waits until somebody rings, or until `deadline`. False if the uplink is to end.
    pub fn wait_for_ring(&self, deadline: Instant) -> bool {
        self.wait(deadline, true)
    }

    /// Waits until `deadline`, whoever rings. False if the uplink is to end.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        self.wait(deadline, false)
    }

    fn wait(&self, deadline: Instant, hears_bell: bool) -> bool {
        let mut bell = self.bell();
        loop {
            if bell.is_stopping {
                return false;
            }
            if hears_bell && std::mem::take(&mut bell.is_rung) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return true;
            }
            bell = self.rung.wait_timeout(bell, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn bell(&self) -> MutexGuard<'_, Bell> {
        self.bell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
