//! What the rules name and no complete scan has seen: gaps until one has.

use super::{Demand, OpenGap};
use crate::{Gap, GapCause, GapScope, RuleSet, Timestamp};

/// The stretches that have been reported and not closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    open: Vec<Gap>,
}

impl Pending {
    /// True if a gap of that cause is kept here.
    pub(super) fn keeps(cause: GapCause) -> bool {
        cause == GapCause::BaselinePending
    }

    pub(super) fn from_memory(gaps: Vec<OpenGap>) -> Self {
        Self { open: gaps.into_iter().map(|open| open.gap).collect() }
    }

    pub(super) fn to_memory(&self) -> impl Iterator<Item = OpenGap> {
        self.open.iter().map(|gap| OpenGap { gap: gap.clone(), is_unknown: false, is_merged: false })
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Closes what is not among `scopes`, then opens what of them is not open, since then.
    pub(super) fn become_those(
        &mut self,
        scopes: Vec<GapScope>,
        since: Timestamp,
        now: Timestamp,
        demands: &mut Vec<Demand>,
    ) {
        self.open.retain(|gap| {
            let is_pending = scopes.contains(&gap.scope);
            if !is_pending {
                let end = Some(now.max(gap.start));
                demands.push(Demand::Report(Box::new(Gap { end, ..gap.clone() })));
            }
            is_pending
        });
        for scope in scopes {
            if !self.open.iter().any(|gap| gap.scope == scope) {
                let detail = "there is nothing to compare with before the first look is complete".to_owned();
                let gap = Gap { scope, start: since, end: None, cause: GapCause::BaselinePending, detail };
                demands.push(Demand::Report(Box::new(gap.clone())));
                self.open.push(gap);
            }
        }
    }
}

/// What of these rules has no baseline, where `baselined` have one.
pub(super) fn without_baseline(rules: &RuleSet, baselined: &RuleSet) -> Vec<GapScope> {
    let plan = rules.beyond(baselined).scan_plan();
    if plan.is_empty() {
        Vec::new()
    } else if !baselined.names_something() || plan.roots().len() > MOST_PLACES {
        vec![GapScope::Everything]
    } else {
        plan.roots().iter().cloned().map(GapScope::Within).collect()
    }
}

/// How many places are told one by one; beyond that everything is.
const MOST_PLACES: usize = 100;
