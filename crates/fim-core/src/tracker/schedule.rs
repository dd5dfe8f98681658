//! When the next scan begins.

use crate::Timestamp;

/// When the next scan begins, by a clock that may jump.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Schedule {
    interval_nanos: i64,
    next: Timestamp,
    /// Until when the machine has the time after the last scan for itself, whatever a scan is wanted for.
    rest_end: Timestamp,
    /// The last scan for something that was lost.
    loss_scan: LossScan,
    /// The latest time that was seen since the next scan was set.
    latest: Timestamp,
}

/// A scan for something that was lost.
#[derive(Clone, Copy, Debug, Default)]
struct LossScan {
    ended: Timestamp,
    /// How long after it the next one begins at the earliest, and up to when the next one follows it.
    rest_nanos: i64,
    follows_nanos: i64,
    /// How many scans of this kind it followed, one soon after the other.
    followed: i64,
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
    pub(crate) fn bring_to(&mut self, time: Timestamp) {
        self.next = self.next.min(time);
    }

    /// Lets the next scan begin once the machine has had its rest from the last one.
    pub(super) fn bring_to_rest(&mut self, now: Timestamp) {
        self.bring_to(self.rest_end.max(now));
    }

    /// Notes the end of a scan that was wanted for something that was lost. Whoever can cause losses without end shall not
    /// have scans that never end.
    pub(super) fn end_loss_scan(&mut self, begun: Timestamp, now: Timestamp) {
        let last = self.loss_scan;
        let is_soon = begun >= last.ended && begun.nanos_since(last.ended) < last.follows_nanos;
        let followed = if is_soon { last.followed.saturating_add(1) } else { 0 };
        let took = now.nanos_since(begun).max(LOSS_PAUSE_NANOS);
        self.loss_scan = LossScan {
            ended: now,
            rest_nanos: took.saturating_mul(followed.min(LOSS_RESTS)).max(LOSS_PAUSE_NANOS),
            follows_nanos: took.saturating_mul(2 * LOSS_RESTS),
            followed,
        };
    }

    /// Lets the next scan begin because something was lost: at once, or after the rest from the last scan for that.
    pub(super) fn bring_to_loss(&mut self, now: Timestamp) {
        let LossScan { ended, rest_nanos, .. } = self.loss_scan;
        // If the clock was set back, nobody knows how much of the rest is left.
        self.bring_to(if now < ended { now } else { ended.plus_nanos(rest_nanos).max(now) });
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

/// How many times as long as a scan for what was lost the rest from it grows, where such scans follow each other: from
/// then on they take a fifth of the time.
const LOSS_RESTS: i64 = 4;

/// How long the rest is at least.
const LOSS_PAUSE_NANOS: i64 = 1_000_000_000;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
