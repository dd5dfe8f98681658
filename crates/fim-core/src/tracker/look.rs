//! One entity of a scan: what the state held, and what was seen.

use super::{Demand, Tracker};
use crate::{
    Change, ChangeEvent, ChangeId, ChangeSource, Entity, EntityKey, EntityKind, EntityPath, Gap, GapCause,
    GapScope, Observation, Rule, Timestamp, Unreadable, absorb, diff,
};

impl Tracker {
    /// Answers with what the state shall hold, after the changes and gaps that come of it.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        before: Option<Box<Entity>>,
        seen: Option<Observation>,
        demands: &mut Vec<Demand>,
    ) {
        match seen {
            Some(Observation::Present(entity)) => {
                self.gaps.close(entity.key.path(), now, demands);
                self.pass_link(&entity);
                self.see(now, before, *entity, demands);
            }
            Some(Observation::Absent(_)) => {
                if let Some(before) = before {
                    self.miss(now, *before, demands);
                }
            }
            Some(Observation::Unreadable { key, partial, why }) => {
                self.lose_sight(now, key.path(), GapCause::Unreadable, describe(&why), demands);
                match (partial, before) {
                    (Some(partial), before) => self.see(now, before, *partial, demands),
                    (None, Some(before)) => demands.push(Demand::Keep(before)),
                    (None, None) => {}
                }
            }
            Some(Observation::Lost { scope, why }) => {
                self.lose_sight(now, scope.path(), GapCause::ScanCutShort, why, demands);
                if let Some(before) = before {
                    demands.push(Demand::Keep(before));
                }
            }
            None => {
                if let Some(before) = before {
                    self.pass_over(now, *before, demands);
                }
            }
        }
    }

    /// An entity is there.
    fn see(&mut self, now: Timestamp, before: Option<Box<Entity>>, seen: Entity, demands: &mut Vec<Demand>) {
        let Some(rule) = self.rule_of(&seen.key, seen.kind) else {
            // No rule asks for what is there now. What was there before may have been asked for: a file, say, in whose
            // place there is a directory.
            if let Some(before) = before {
                self.miss(now, *before, demands);
            }
            return;
        };
        let is_judged = match before.as_deref() {
            Some(before) => {
                self.has_baseline(&seen.key, before.kind) && !self.is_link_seen_otherwise(before, &seen)
            }
            None => self.has_baseline(&seen.key, seen.kind) && self.has_come_into_being(seen.key.path()),
        };
        if is_judged && let Some(change) = diff(before.as_deref(), Some(&seen), rule.watched) {
            demands.push(self.event(now, change, rule.name.clone()));
        }
        let held = match before {
            Some(before) => absorb(*before, seen),
            None => seen,
        };
        demands.push(Demand::Keep(Box::new(held)));
    }

    /// The scan came past the place of an entity without a word of it.
    fn pass_over(&mut self, now: Timestamp, before: Entity, demands: &mut Vec<Demand>) {
        let path = before.key.path();
        let unseen = self.scan.as_ref().and_then(|scan| scan.unseen.as_ref());
        let is_monitored = self.rule_of(&before.key, before.kind).is_some();
        if is_monitored && unseen.is_some_and(|unseen| path.is_within(unseen)) {
            demands.push(Demand::Keep(Box::new(before)));
        } else {
            self.miss(now, before, demands);
        }
    }

    /// An entity is not there.
    fn miss(&mut self, now: Timestamp, before: Entity, demands: &mut Vec<Demand>) {
        self.gaps.close(before.key.path(), now, demands);
        let key = before.key.clone();
        if let Some(rule) = self.rule_of(&key, before.kind)
            && self.has_baseline(&key, before.kind)
            && !self.is_behind_moved_link(key.path())
            && let Some(change) = diff(Some(&before), None, rule.watched)
        {
            demands.push(self.event(now, change, rule.name.clone()));
        }
        demands.push(Demand::Forget(key));
    }

    /// A place, with all that is within it, cannot be seen.
    fn lose_sight(
        &mut self,
        now: Timestamp,
        path: &EntityPath,
        cause: GapCause,
        detail: String,
        demands: &mut Vec<Demand>,
    ) {
        // Whether there is a baseline of it: of itself if a rule names it, else of what is within it.
        let key = EntityKey::File(path.clone());
        let reaches_within =
            self.scan.as_ref().is_some_and(|scan| scan.baselined.directory(path).is_descend());
        let is_unknown = self.baselined.rule_for(&key).is_none() && !reaches_within;
        let start = self.unwatched_since(now);
        let gap = Gap { scope: GapScope::Within(path.clone()), start, end: None, cause, detail };
        self.gaps.open(path, gap, is_unknown, demands);
        if let Some(scan) = &mut self.scan
            && !scan.unseen.as_ref().is_some_and(|unseen| path.is_within(unseen))
        {
            scan.unseen = Some(path.clone());
        }
    }

    /// True if the entity was in scope at the last complete scan, so that a difference is a change.
    fn has_baseline(&self, key: &EntityKey, kind: EntityKind) -> bool {
        self.baselined.rule_for_kind(key, kind).is_some()
    }

    /// True if an entity that the state does not know has come into being, rather than into sight.
    fn has_come_into_being(&self, path: &EntityPath) -> bool {
        !self.gaps.is_unknown(path) && !self.is_behind_moved_link(path)
    }

    /// True if other rules than before lead through the link that the entity is reached through. What is monitored at
    /// its real place is not monitored under the link, so that a rule for the one moves the other in or out of scope.
    fn is_behind_moved_link(&self, path: &EntityPath) -> bool {
        self.scan.as_ref().is_some_and(|scan| {
            let is_behind = scan.link.as_ref().is_some_and(|link| path != link && path.is_within(link));
            is_behind && !scan.is_same_scope
        })
    }

    /// True if it is the same link that one set of rules follows and the other does not.
    fn is_link_seen_otherwise(&self, before: &Entity, seen: &Entity) -> bool {
        let is_same_scope = self.scan.as_ref().is_none_or(|scan| scan.is_same_scope);
        let has_same_target =
            before.attributes.target.is_some() && before.attributes.target == seen.attributes.target;
        let is_link = |entity: &Entity| entity.kind == EntityKind::Symlink;
        !is_same_scope && has_same_target && is_link(before) != is_link(seen)
    }

    /// Remembers a link to a directory, whether it was looked at itself or what it points to.
    fn pass_link(&mut self, seen: &Entity) {
        let is_followed = seen.kind == EntityKind::Directory && seen.attributes.target.is_some();
        if let Some(scan) = &mut self.scan
            && (seen.kind == EntityKind::Symlink || is_followed)
        {
            scan.link = Some(seen.key.path().clone());
        }
    }

    fn rule_of(&self, key: &EntityKey, kind: EntityKind) -> Option<&Rule> {
        self.scan.as_ref().map_or(&self.settings.rules, |scan| &scan.rules).rule_for_kind(key, kind)
    }

    fn event(&self, now: Timestamp, change: Change, rule: String) -> Demand {
        let age = self.last_complete.map(|complete| now.nanos_since(complete) / 1_000_000_000);
        Demand::Emit(Box::new(ChangeEvent {
            id: ChangeId::derive(&self.machine, &change),
            change,
            source: ChangeSource::Scan,
            observed: now,
            happened: None,
            rule,
            snapshot_age_seconds: age.and_then(|seconds| u64::try_from(seconds).ok()),
        }))
    }
}

fn describe(why: &Unreadable) -> String {
    match why {
        Unreadable::PermissionDenied => {
            "permission denied: let the agent read it, or leave it out".to_owned()
        }
        Unreadable::Locked => "someone holds it locked".to_owned(),
        Unreadable::Unstable => "it kept changing while it was read".to_owned(),
        Unreadable::Damaged(text) => format!("the file system answered: {text}"),
    }
}
