//! Taking in hints, and asking for looks at what they are about.

use super::hints::Remark;
use super::{Demand, Settings, Spots, Tracker, is_watching};
use crate::{EntityKey, EntityPath, Gap, GapCause, GapScope, Hint, Loss, Notice, RuleSet, Spot, Timestamp};

impl Tracker {
    /// Takes in a hint about what a rule names, or what lies above or below that; others are not ours.
    pub(super) fn notice(&mut self, now: Timestamp, hint: Hint, demands: &mut Vec<Demand>) {
        if !self.is_watching() {
            return;
        }
        let Hint { notice, time, since, by } = hint;
        let since = since.min(time).min(now);
        match notice {
            Notice::Lost(loss) => self.lose(now, loss, demands),
            // The names that rules name come in notices of their own.
            Notice::TouchedFile(_) => {}
            // Nobody is known to have done anything. Without room for it the next scan asks for what is known.
            Notice::ContentRead(path) => drop(self.hints.find(path, now, self.why_found())),
            notice @ (Notice::Touched(_)
            | Notice::Created { .. }
            | Notice::Removed { .. }
            | Notice::Moved { .. }
            | Notice::TouchedByNumber { .. }
            | Notice::Below(_)) => {
                let rules = &self.settings.rules;
                let is_named = |path: &EntityPath| rules.rule_for(&EntityKey::File(path.clone())).is_some();
                if self
                    .hints
                    .take_in(notice, Remark { now, time: time.min(now), since, by }, is_named)
                    .is_err()
                {
                    self.lose(now, too_many(since), demands);
                }
                for (directory, since) in self.hints.take_crowded() {
                    self.lose_names(now, directory, since, demands);
                }
            }
        }
    }

    /// Asks for a look at what has kept still, unless one is under way.
    pub(super) fn look_at_due(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        if self.spots.is_some() {
            return;
        }
        let due = self.hints.take_due(now);
        if due.is_empty() {
            return;
        }
        let mut spots: Vec<Spot> = Vec::with_capacity(due.len());
        let mut deep: Option<&EntityPath> = None;
        for (path, noticed) in &due {
            if deep.is_some_and(|deep| path.is_within(deep)) {
                continue;
            }
            if noticed.is_deep {
                deep = Some(path);
            }
            spots.push(Spot { path: path.clone(), is_deep: noticed.is_deep });
        }
        demands.push(Demand::LookAt(spots));
        self.spots = Some(Spots::new(self.losses.last(), due));
    }

    /// Notices of a place are lost: it is looked at again, and is a gap until then.
    fn lose(&mut self, now: Timestamp, mut loss: Loss, demands: &mut Vec<Demand>) {
        if let GapScope::Within(path) = &loss.scope
            && !self.reaches(path)
        {
            return;
        }
        // Of what still waits, and of what is being looked at, another notice may be missing now that would have said what
        // became of it.
        loss.since = self.unsettled_since().map_or(loss.since, |since| since.min(loss.since));
        let told = demands.len();
        match self.losses.open(now, loss, demands) {
            GapScope::Within(path) if self.hints.look_deep(path.clone(), now).is_ok() => {}
            GapScope::Within(_) | GapScope::Everything | GapScope::List(_) | GapScope::Part(_) => {
                // All of it is looked at. What was noticed before still waits: it may have come and gone, and then
                // nothing but the notice tells of it.
                self.hints.lose_track(now);
                if !self.losses.wants_scan() {
                    self.losses.open(now, too_many(now), demands);
                }
                self.schedule.bring_to_loss(now);
            }
        }
        // Whoever causes losses without end shall not cause as many writes.
        if demands.len() > told {
            demands.push(self.remember());
        }
    }

    /// What was noticed, is not looked into yet and is not named by the settings to come will not be: a gap says so.
    pub(super) fn tell_dropped(&mut self, settings: &Settings, now: Timestamp, demands: &mut Vec<Demand>) {
        let (before, after) = (&self.settings.rules, &settings.rules);
        let is_dropped =
            |path: &EntityPath| reaches(before, path) && !(is_watching(settings) && reaches(after, path));
        let dropped = self.hints.take_out(is_dropped);
        let gap = |scope, since: Timestamp| Gap {
            scope,
            start: since.min(now),
            end: Some(now),
            cause: GapCause::NoticesLost,
            detail: "what was noticed was not looked into before it was monitored no more".to_owned(),
        };
        if dropped.len() > MOST_DROPPED {
            let since = dropped.iter().map(|(_, since)| *since).min().unwrap_or(now);
            demands.push(Demand::Report(Box::new(gap(GapScope::Everything, since))));
        } else {
            let gaps = dropped.into_iter().map(|(path, since)| gap(GapScope::Within(path), since));
            demands.extend(gaps.map(|gap| Demand::Report(Box::new(gap))));
        }
    }

    /// Names came in a directory and cannot be kept apart until it is looked at; those that are gone by then leave
    /// nothing but the gap.
    fn lose_names(
        &mut self,
        now: Timestamp,
        directory: EntityPath,
        since: Timestamp,
        demands: &mut Vec<Demand>,
    ) {
        if !self.reaches(&directory) {
            return;
        }
        let detail = "more names came and went at once than can be kept apart; what is there is looked at";
        let loss = Loss {
            scope: GapScope::Within(directory),
            since,
            cause: GapCause::NoticesLost,
            detail: detail.to_owned(),
        };
        let told = demands.len();
        if self.losses.open(now, loss, demands) == GapScope::Everything {
            self.schedule.bring_to_loss(now);
        }
        if demands.len() > told {
            demands.push(self.remember());
        }
    }

    /// True if a rule names the place, or something below it.
    fn reaches(&self, path: &EntityPath) -> bool {
        reaches(&self.settings.rules, path)
    }
}

fn reaches(rules: &RuleSet, path: &EntityPath) -> bool {
    rules.rule_for(&EntityKey::File(path.clone())).is_some() || rules.scan_plan().directory(path).is_descend()
}

fn too_many(since: Timestamp) -> Loss {
    Loss {
        scope: GapScope::Everything,
        since,
        cause: GapCause::NoticesLost,
        detail: "more places changed at once than can be kept apart; everything is looked at again"
            .to_owned(),
    }
}

/// How many places are told one by one that were not looked into; beyond that everything is.
const MOST_DROPPED: usize = 100;
