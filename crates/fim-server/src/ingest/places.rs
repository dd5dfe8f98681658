//! What batches may take of the server while they are received and stored.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// So many places, and one for each machine: what is in memory is bounded, and no machine can take all of it.
#[derive(Debug)]
pub struct BatchPlaces {
    most: u32,
    free: Arc<Semaphore>,
    machines: Arc<Mutex<HashSet<Uuid>>>,
}

/// A machine's place until it is dropped.
#[derive(Debug)]
pub struct BatchPlace {
    machine: Uuid,
    machines: Arc<Mutex<HashSet<Uuid>>>,
    _place: OwnedSemaphorePermit,
}

impl BatchPlaces {
    /// `most` places, none of them taken.
    pub fn new(most: usize) -> Self {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Self { most, free: Arc::new(Semaphore::new(most as usize)), machines: Arc::default() }
    }

    /// A place for the machine; `None` if there is none, or if it has one.
    pub fn take(&self, machine: Uuid) -> Option<BatchPlace> {
        let place = Arc::clone(&self.free).try_acquire_owned().ok()?;
        let is_new = self.machines.lock().unwrap_or_else(PoisonError::into_inner).insert(machine);
        // Not `then_some`: a place that is made only to be dropped would give a place back.
        is_new.then(|| BatchPlace { machine, machines: Arc::clone(&self.machines), _place: place })
    }

    /// Returns when no place is taken: when every batch that was begun is stored or refused.
    pub async fn drained(&self) {
        // The semaphore is never closed, so there is no error.
        let _ = self.free.acquire_many(self.most).await;
    }
}

impl Drop for BatchPlace {
    fn drop(&mut self) {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.machine);
    }
}

/// Bytes of batches after decompression that may be in memory at a time: what becomes of a batch is several times as
/// large as the batch.
#[derive(Debug)]
pub struct DecodedBytes(Arc<Semaphore>);

/// Bytes that are taken until this is dropped.
#[derive(Debug)]
pub struct TakenBytes(#[expect(dead_code, reason = "it is kept for being dropped")] OwnedSemaphorePermit);

impl DecodedBytes {
    /// `most` bytes, none of them taken.
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most.min(u32::MAX as usize))))
    }

    /// So many bytes; `None` if there are not so many left.
    pub fn take(&self, bytes: usize) -> Option<TakenBytes> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.0).try_acquire_many_owned(bytes).ok().map(TakenBytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_so_many_places_and_one_for_each_machine() {
        let places = BatchPlaces::new(2);
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let first = places.take(a);
        assert!(first.is_some());
        assert!(places.take(a).is_none(), "a machine has one place");
        let second = places.take(b).unwrap();
        assert!(places.take(c).is_none(), "there are two places");
        drop(first);
        let third = places.take(c);
        assert!(third.is_some());
        drop((second, third));
        places.drained().await;
        assert!(places.take(a).is_some());
    }

    #[test]
    fn what_is_in_memory_at_a_time_is_bounded() {
        let bytes = DecodedBytes::new(100);
        let first = bytes.take(60).unwrap();
        assert!(bytes.take(50).is_none());
        let _second = bytes.take(40).unwrap();
        drop(first);
        assert!(bytes.take(60).is_some());
        assert!(bytes.take(usize::MAX).is_none());
    }
}
