//! Taking in hints, and asking for looks at what they are about.

use super::{Demand, Spots, Tracker};
use crate::{EntityPath, GapCause, GapScope, Hint, Loss, Notice, Spot, Timestamp};

impl Tracker {
    /// Takes in a hint about what a rule names, or what lies above or below that; others are not ours.
    pub(super) fn notice(&mut self, now: Timestamp, hint: Hint, demands: &mut Vec<Demand>) {
        if !self.is_watching() {
            return;
        }
        let Hint { notice, time, by } = hint;
        match notice {
            Notice::Lost(loss) => self.lose(now, loss, demands),
            // Nobody is known to have done anything. Without room for it the next scan asks for what is known.
            Notice::ContentRead(path) => drop(self.hints.find(path, now)),
            notice @ (Notice::Touched(_)
            | Notice::Created { .. }
            | Notice::Removed { .. }
            | Notice::Moved { .. }) => {
                if self.hints.take_in(now, notice, time, by).is_err() {
                    self.lose(now, too_many(time.min(now)), demands);
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
        self.spots = Some(Spots::new(now, due));
    }

    /// Notices of a place are lost: it is looked at again at once, and is a gap until then.
    fn lose(&mut self, now: Timestamp, loss: Loss, demands: &mut Vec<Demand>) {
        if let GapScope::Within(path) = &loss.scope
            && !self.reaches(path)
        {
            return;
        }
        match self.losses.open(now, loss, demands) {
            GapScope::Within(path) if self.hints.look_deep(path.clone(), now).is_ok() => {}
            GapScope::Within(_) | GapScope::Everything | GapScope::List(_) => {
                // All of it is looked at; who did what can no longer be told apart.
                self.hints.clear();
                if self.losses.wants_scan() {
                    self.schedule.bring_to(now);
                } else {
                    self.losses.open(now, too_many(now), demands);
                    self.schedule.bring_to(now);
                }
            }
        }
        demands.push(self.remember());
    }

    /// True if a rule names the place, or something below it.
    fn reaches(&self, path: &EntityPath) -> bool {
        let key = crate::EntityKey::File(path.clone());
        self.settings.rules.rule_for(&key).is_some()
            || self.settings.rules.scan_plan().directory(path).is_descend()
    }
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
