//! The spool as the engine and the uplink share it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_log::Disk;

use crate::spool::Spool;

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
