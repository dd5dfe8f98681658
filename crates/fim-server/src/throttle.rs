//! Sign-in attempts: who fails too often has to wait; pure.

use std::collections::HashMap;
use std::hash::Hash;

use fim_core::Timestamp;

/// Failed attempts by key: a user's name, or an address.
///
/// The table is bounded. When it is full the entry that failed longest ago makes room, so that an attacker with many
/// names can only forget his own older tries.
#[derive(Debug)]
pub struct Throttle<K> {
    entries: HashMap<K, Entry>,
    capacity: usize,
    free_attempts: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    failures: u32,
    last: Timestamp,
}

impl<K: Clone + Eq + Hash> Throttle<K> {
    /// After `free_attempts` failures each further attempt waits, twice as long each time.
    pub fn new(capacity: usize, free_attempts: u32) -> Self {
        Self { entries: HashMap::new(), capacity: capacity.max(1), free_attempts }
    }

    /// Seconds to wait before the next attempt; `None` if it may be made now.
    pub fn wait_seconds(&self, key: &K, now: Timestamp) -> Option<u64> {
        let entry = self.entries.get(key)?;
        let until = entry.last.plus_nanos(self.lock_nanos(entry.failures));
        let left = until.nanos_since(now);
        (left > 0).then(|| u64::try_from(left.div_euclid(NANOS)).unwrap_or(0) + 1)
    }

    /// Notes a failure.
    pub fn failed(&mut self, key: K, now: Timestamp) {
        self.entries.retain(|_, entry| now.nanos_since(entry.last) < FORGOTTEN_NANOS);
        if !self.entries.contains_key(&key)
            && self.entries.len() >= self.capacity
            && let Some(oldest) =
                self.entries.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| key.clone())
        {
            self.entries.remove(&oldest);
        }
        let entry = self.entries.entry(key).or_insert(Entry { failures: 0, last: now });
        entry.failures = entry.failures.saturating_add(1);
        entry.last = now;
    }

    /// Forgets the failures after a success.
    pub fn succeeded(&mut self, key: &K) {
        self.entries.remove(key);
    }

    fn lock_nanos(&self, failures: u32) -> i64 {
        match failures.checked_sub(self.free_attempts) {
            None => 0,
            Some(extra) => FIRST_LOCK_NANOS.saturating_mul(1 << extra.min(10)).min(LONGEST_LOCK_NANOS),
        }
    }
}

const NANOS: i64 = 1_000_000_000;
const FIRST_LOCK_NANOS: i64 = 5 * NANOS;
const LONGEST_LOCK_NANOS: i64 = 15 * 60 * NANOS;
const FORGOTTEN_NANOS: i64 = 60 * 60 * NANOS;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * NANOS)
    }

    #[test]
    fn the_wait_doubles_and_has_an_end() {
        let mut throttle = Throttle::new(10, 3);
        for _ in 0..2 {
            throttle.failed("eve", at(0));
        }
        assert_eq!(throttle.wait_seconds(&"eve", at(0)), None);
        throttle.failed("eve", at(0));
        assert_eq!(throttle.wait_seconds(&"eve", at(0)), Some(6));
        assert_eq!(throttle.wait_seconds(&"eve", at(5)), None);
        throttle.failed("eve", at(5));
        assert_eq!(throttle.wait_seconds(&"eve", at(5)), Some(11));
        for _ in 0..40 {
            throttle.failed("eve", at(5));
        }
        assert_eq!(throttle.wait_seconds(&"eve", at(5)), Some(901));
    }

    #[test]
    fn success_and_time_forgive() {
        let mut throttle = Throttle::new(10, 1);
        throttle.failed("eve", at(0));
        throttle.succeeded(&"eve");
        assert_eq!(throttle.wait_seconds(&"eve", at(0)), None);
        throttle.failed("eve", at(0));
        throttle.failed("bob", at(3601));
        assert_eq!(throttle.entries.len(), 1);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut throttle = Throttle::new(4, 1);
        for name in 0..1000 {
            throttle.failed(name, at(name));
        }
        assert!(throttle.entries.len() <= 4);
        assert!(throttle.entries.contains_key(&999));
    }
}
