//! A part of a list: when it is collected, and what is open because it cannot be.

use super::{ListDemand, NANOS_PER_SECOND, close};
use crate::tracker::schedule::Schedule;
use crate::{Gap, GapCause, ListPart, Timestamp};

/// One part.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    schedule: Schedule,
    /// How many collections in a row could not be made.
    failures: u32,
    /// When something was noticed that was not looked into yet.
    touched: Option<Touched>,
    /// Until when the machine has its rest from the last collection.
    rest_end: Timestamp,
    /// True if what changed since the last collection that succeeded was noticed when it did.
    pub(super) is_noticed: bool,
    /// True once it was collected: what is held of it is all that was in it.
    pub(super) is_known: bool,
    /// When its last collection that succeeded began.
    pub(super) collected: Option<Timestamp>,
    /// The gap that is open because it cannot be read.
    pub(super) unreadable: Option<Gap>,
}

/// When something was noticed, first and last.
#[derive(Clone, Copy, Debug)]
struct Touched {
    first: Timestamp,
    last: Timestamp,
}

impl Part {
    /// Collects it at that interval, and at once if it `is_new`.
    pub(super) fn set_interval(&mut self, now: Timestamp, seconds: u64, is_new: bool) {
        if is_new {
            self.schedule.reset(now);
        }
        self.schedule.set_interval(now, seconds);
    }

    /// Something was noticed where it is read from.
    pub(super) fn touch(&mut self, now: Timestamp) {
        if self.rest_end > now.plus_nanos(MOST_REST_NANOS) {
            // The clock was set back.
            self.rest_end = now;
        }
        self.touched.get_or_insert(Touched { first: now, last: now }).last = now;
    }

    /// True if it should be collected now; it is taken to be so from then on.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        if self.touched.is_some_and(|touched| now < touched.last) {
            // The clock was set back, and nobody knows how long ago that was.
            self.touched = Some(Touched { first: now, last: now });
            self.rest_end = now;
        }
        let is_due = self.schedule.is_due(now) || self.noticed_due().is_some_and(|due| now >= due);
        if is_due {
            self.is_noticed |= self.touched.take().is_some();
        }
        is_due
    }

    /// When it should be collected next.
    pub(super) fn next(&self) -> Timestamp {
        self.noticed_due().map_or(self.schedule.next(), |due| due.min(self.schedule.next()))
    }

    /// When it should be collected because of what was noticed: once that keeps still, or has not for long.
    fn noticed_due(&self) -> Option<Timestamp> {
        let touched = self.touched?;
        let is_still = touched.last.plus_nanos(QUIET_NANOS);
        Some(is_still.min(touched.first.plus_nanos(PATIENCE_NANOS)).max(self.rest_end))
    }

    /// A collection that began then has ended.
    pub(super) fn end_look(&mut self, begun: Timestamp, now: Timestamp) {
        self.schedule.end_scan(begun, now);
        let rest = now.nanos_since(begun).max(0).saturating_mul(RESTS);
        self.rest_end = now.plus_nanos(rest.min(MOST_REST_NANOS));
    }

    /// It could not be collected.
    pub(super) fn fail(
        &mut self,
        now: Timestamp,
        part: ListPart,
        why: String,
        demands: &mut Vec<ListDemand>,
    ) {
        // What keeps it from being read is often over in a moment, as somebody's write to it is.
        self.schedule.bring_to(now.plus_nanos(NANOS_PER_SECOND << self.failures.min(MOST_DOUBLINGS)));
        self.failures = self.failures.saturating_add(1);
        if self.unreadable.is_none() {
            let gap = Gap {
                scope: part.scope(),
                start: self.collected.unwrap_or(now).min(now),
                end: None,
                cause: GapCause::Unreadable,
                detail: why,
            };
            demands.push(ListDemand::Report(Box::new(gap.clone())));
            self.unreadable = Some(gap);
            demands.push(ListDemand::Remember);
        }
    }

    /// It was collected. True if it could not be before.
    pub(super) fn succeed(&mut self, now: Timestamp, demands: &mut Vec<ListDemand>) -> bool {
        self.failures = 0;
        let was_unreadable = self.unreadable.is_some();
        close(self.unreadable.take(), now, demands);
        was_unreadable
    }
}

/// How long nothing may be noticed before it is looked at, as with files.
const QUIET_NANOS: i64 = 200_000_000;

/// How long after the first notice it is looked at, though more is noticed.
const PATIENCE_NANOS: i64 = 2_000_000_000;

/// How many times as long as a collection the rest is before one that was noticed: whoever writes without end shall not
/// have it read all the time.
const RESTS: i64 = 5;

/// However long it took, what was noticed is looked at after that.
const MOST_REST_NANOS: i64 = 60 * NANOS_PER_SECOND;

/// Some three days: no distance is longer than the interval anyway.
const MOST_DOUBLINGS: u32 = 18;
