//! Places for batches that are being received and stored.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// So many places, and one for each machine: what is in memory is bounded, and no machine can take all of it.
#[derive(Debug)]
pub struct BatchPlaces {
    most: usize,
    taken: Mutex<HashSet<Uuid>>,
}

/// A machine's place until it is dropped.
#[derive(Debug)]
pub struct BatchPlace<'a> {
    places: &'a BatchPlaces,
    machine: Uuid,
}

impl BatchPlaces {
    /// `most` places, none of them taken.
    pub fn new(most: usize) -> Self {
        Self { most, taken: Mutex::default() }
    }

    /// A place for the machine; `None` if there is none, or if it has one.
    pub fn take(&self, machine: Uuid) -> Option<BatchPlace<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        // Not `then_some`: a place that is made only to be dropped would give a place back, and wait for the lock.
        if taken.len() < self.most && taken.insert(machine) {
            Some(BatchPlace { places: self, machine })
        } else {
            None
        }
    }
}

impl Drop for BatchPlace<'_> {
    fn drop(&mut self) {
        self.places.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.machine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_one_for_each_machine() {
        let places = BatchPlaces::new(2);
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let first = places.take(a);
        assert!(first.is_some());
        assert!(places.take(a).is_none(), "a machine has one place");
        let _second = places.take(b).unwrap();
        assert!(places.take(c).is_none(), "there are two places");
        drop(first);
        assert!(places.take(c).is_some());
    }
}
