//! Stretches of which notices are lost, until their places have been looked at again.

use super::{Demand, OpenGap};
use crate::{EntityPath, Gap, GapCause, GapScope, Loss, Timestamp};

/// The stretches that have been reported and not closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    open: Vec<Open>,
    last: Turn,
}

/// Which loss it was, by the order in which they were noticed: the clock may be set back between them.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Turn(u64);

#[derive(Clone, Debug)]
struct Open {
    gap: Gap,
    /// The last loss that it tells of: what was looked at since has been seen.
    last: Turn,
    /// The gap begins then, or another that ends where it begins.
    told_since: Timestamp,
}

impl Losses {
    /// True if a gap of that cause is kept here.
    pub(super) fn keeps(cause: GapCause) -> bool {
        match cause {
            GapCause::NoticesLost
            | GapCause::MountsChanged
            | GapCause::AgentSuspended
            | GapCause::ClockChanged => true,
            GapCause::AgentStopped
            | GapCause::AgentNotReporting
            | GapCause::BaselinePending
            | GapCause::RuleUnusable
            | GapCause::Unreadable
            | GapCause::ScanCutShort
            | GapCause::StateLost
            | GapCause::SpoolFull
            | GapCause::SpoolDamaged
            | GapCause::ReportRejected
            | GapCause::RecordsLost
            | GapCause::TooManyGaps => false,
        }
    }

    pub(super) fn from_memory(gaps: Vec<OpenGap>) -> Self {
        let last = Turn::default();
        let open = |open: OpenGap| Open { last, told_since: open.gap.start, gap: open.gap };
        Self { open: gaps.into_iter().map(open).collect(), last }
    }

    pub(super) fn to_memory(&self) -> impl Iterator<Item = OpenGap> {
        self.open.iter().map(|open| OpenGap { gap: open.gap.clone(), is_unknown: false, is_merged: false })
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// The last loss up to now.
    pub(super) fn last(&self) -> Turn {
        self.last
    }

    /// Notes a loss and reports it, as far as an open one does not tell of it. Gives the scope that is to be looked at
    /// again.
    pub(super) fn open(&mut self, now: Timestamp, loss: Loss, demands: &mut Vec<Demand>) -> GapScope {
        let scope = if self.open.len() < MOST_LOSSES { loss.scope } else { GapScope::Everything };
        let start = loss.since.min(now);
        self.last = Turn(self.last.0 + 1);
        let gap = Gap { scope: scope.clone(), start, end: None, cause: loss.cause, detail: loss.detail };
        match self.open.iter_mut().find(|open| open.gap.scope == scope && open.gap.cause == loss.cause) {
            Some(known) => {
                known.last = self.last;
                // The start says which gap it is, so that what is missing before it is a gap of its own.
                if start < known.told_since {
                    let before = Gap { end: Some(known.told_since), ..gap };
                    known.told_since = start;
                    demands.push(Demand::Report(Box::new(before)));
                }
            }
            None => {
                demands.push(Demand::Report(Box::new(gap.clone())));
                self.open.push(Open { gap, last: self.last, told_since: start });
            }
        }
        scope
    }

    /// Closes what a look at everything has made good, which began after the loss `before`.
    pub(super) fn end_scan(&mut self, before: Turn, now: Timestamp, demands: &mut Vec<Demand>) {
        self.close(now, demands, |open| open.last <= before);
    }

    /// Closes what a look at all within `place` has made good, which began after the loss `before`.
    pub(super) fn end_deep_look(
        &mut self,
        place: &EntityPath,
        before: Turn,
        now: Timestamp,
        demands: &mut Vec<Demand>,
    ) {
        self.close(now, demands, |open| match &open.gap.scope {
            GapScope::Everything | GapScope::List(_) | GapScope::Part(_) => false,
            GapScope::Within(path) => path.is_within(place) && open.last <= before,
        });
    }

    /// Closes everything: nothing is monitored any more.
    pub(super) fn close_all(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        self.close(now, demands, |_| true);
    }

    /// True if something is to be made good by looking at everything.
    pub(super) fn wants_scan(&self) -> bool {
        self.open.iter().any(|open| open.gap.scope == GapScope::Everything)
    }

    fn close(&mut self, now: Timestamp, demands: &mut Vec<Demand>, is_over: impl Fn(&Open) -> bool) {
        self.open.retain(|open| {
            let is_over = is_over(open);
            if is_over {
                let end = Some(now.max(open.gap.start));
                demands.push(Demand::Report(Box::new(Gap { end, ..open.gap.clone() })));
            }
            !is_over
        });
    }
}

/// How many losses are told one by one; beyond that everything is looked at again.
const MOST_LOSSES: usize = 100;
