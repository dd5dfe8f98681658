//! When the next scan begins.

use crate::Timestamp;

/// When the next scan begins, by a clock that may jump.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Schedule {
    interval_nanos: i64,
    next: Timestamp,
    /// Until when the machine has the time after the last scan for itself, whatever a scan is wanted for.
    rest_end: Timestamp,
    /// The latest time that was seen since the next scan was set.
    latest: Timestamp,
}

impl Schedule {
    /// Lets the next scan begin at once.
    pub(crate) fn reset(&mut self, now: Timestamp) {
        self.next = now;
        self.latest = now;
    }

    /// Sets the interval; a shorter one brings the next scan nearer.
    pub(crate) fn set_interval(&mut self, now: Timestamp, seconds: u64) {
        let seconds = i64::try_from(seconds.max(1)).unwrap_or(i64::MAX);
        self.interval_nanos = seconds.saturating_mul(NANOS_PER_SECOND);
        self.bring_near(now);
    }

    /// Sets the next scan to one interval after this one began. A scan that takes longer than the interval leaves the
    /// machine a tenth of the interval for itself before the next.
    pub(crate) fn end_scan(&mut self, begun: Timestamp, now: Timestamp) {
        let rest = now.plus_nanos(self.interval_nanos / 10);
        self.next = begun.plus_nanos(self.interval_nanos).max(rest);
        self.rest_end = rest.max(now.plus_nanos(now.nanos_since(begun).max(0).saturating_mul(RESTS)));
        self.latest = now;
        self.bring_near(now);
    }

    /// True if the next scan should begin. A clock that is set back moves the next scan with it.
    pub(crate) fn is_due(&mut self, now: Timestamp) -> bool {
        if now < self.latest {
            self.next = self.next.plus_nanos(now.nanos_since(self.latest));
        }
        self.latest = now;
        self.bring_near(now);
        now >= self.next
    }

    /// Lets the next scan begin by that time.
    pub(super) fn bring_to(&mut self, time: Timestamp) {
        self.next = self.next.min(time);
    }

    /// Lets the next scan begin once the machine has had its rest from the last one.
    pub(super) fn bring_to_rest(&mut self, now: Timestamp) {
        self.bring_to(self.rest_end.max(now));
    }

    pub(crate) fn next(&self) -> Timestamp {
        self.next
    }

    /// Whatever the clock did, the next scan is never further away than the interval.
    fn bring_near(&mut self, now: Timestamp) {
        self.next = self.next.min(now.plus_nanos(self.interval_nanos));
    }
}

/// How many times as long as a scan the rest from it is.
const RESTS: i64 = 10;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
