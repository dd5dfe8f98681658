//! What the rules name and is not watched yet: what no complete scan has seen, until one has, and what a rule names that the
//! machine cannot use, until it can or the rule is gone.

use super::{Demand, OpenGap, Settings};
use crate::{EntityPath, Gap, GapCause, GapScope, RuleSet, Timestamp, UnusableRule};

/// The stretches that have been reported and not closed.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    open: Vec<Gap>,
}

impl Pending {
    /// True if a gap of that cause is kept here.
    pub(super) fn keeps(cause: GapCause) -> bool {
        matches!(cause, GapCause::BaselinePending | GapCause::RuleUnusable)
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

    /// Of the gaps of that cause, closes what is not among `scopes`, then opens what of them is not open, since then. With
    /// each scope are the particulars.
    pub(super) fn become_those(
        &mut self,
        cause: GapCause,
        scopes: Vec<(GapScope, String)>,
        since: Timestamp,
        now: Timestamp,
        demands: &mut Vec<Demand>,
    ) {
        self.open.retain(|gap| {
            let is_it = |(scope, detail): &(GapScope, String)| *scope == gap.scope && *detail == gap.detail;
            let is_pending = gap.cause != cause || scopes.iter().any(is_it);
            if !is_pending {
                let end = Some(now.max(gap.start));
                demands.push(Demand::Report(Box::new(Gap { end, ..gap.clone() })));
            }
            is_pending
        });
        for (scope, detail) in scopes {
            if !self.open.iter().any(|gap| gap.cause == cause && gap.scope == scope) {
                let gap = Gap { scope, start: since, end: None, cause, detail };
                demands.push(Demand::Report(Box::new(gap.clone())));
                self.open.push(gap);
            }
        }
    }
}

/// What of these rules has no baseline, where `baselined` have one.
pub(super) fn without_baseline(rules: &RuleSet, baselined: &RuleSet) -> Vec<(GapScope, String)> {
    let plan = rules.beyond(baselined).scan_plan();
    if plan.is_empty() {
        Vec::new()
    } else if !baselined.names_something() || plan.roots().len() > MOST_PLACES {
        vec![everything_pending()]
    } else {
        plan.roots().iter().map(|root| (GapScope::Within(root.clone()), NO_BASELINE.to_owned())).collect()
    }
}

/// That nothing at all has a baseline.
pub(super) fn everything_pending() -> (GapScope, String) {
    (GapScope::Everything, NO_BASELINE.to_owned())
}

/// What of the rules in force the machine cannot use, by their paths as written, and why.
pub(super) fn unusable(settings: &Settings) -> Vec<(GapScope, String)> {
    let in_force = |rule: &&UnusableRule| settings.is_enabled && rule.rule.enabled;
    let unusable: Vec<&UnusableRule> = settings.unusable.iter().filter(in_force).collect();
    if unusable.len() > MOST_PLACES {
        let first = &unusable[0].why;
        let detail =
            format!("{} rules cannot be used on this machine; of the first, {first}", unusable.len());
        return vec![(GapScope::Everything, detail)];
    }
    let style = settings.rules.style();
    let scope = |rule: &UnusableRule| GapScope::Within(EntityPath::new(style, rule.rule.path.as_bytes()));
    unusable.into_iter().map(|rule| (scope(rule), rule.why.clone())).collect()
}

/// Why what has no baseline is not watched.
const NO_BASELINE: &str = "there is nothing to compare with before the first look is complete";

/// How many places are told one by one; beyond that everything is.
const MOST_PLACES: usize = 100;
