//! One entity of a scan or a spot: what the state held, and what was seen.

use super::spots::Circumstances;
use super::{Demand, Scan, Tracker, View};
use crate::{
    Aspect, AspectSet, Change, ChangeSource, Entity, EntityKey, EntityKind, EntityPath, FileId, Gap,
    GapCause, GapScope, Observation, OutOfSight, Rule, Sighting, Timestamp, Unreadable, Who, WhoUnknown,
    absorb, diff,
};

impl Tracker {
    /// Answers with what the state shall hold, after the changes and gaps that come of it.
    pub(super) fn look(
        &mut self,
        now: Timestamp,
        view: View,
        before: Option<Box<Entity>>,
        seen: Option<Observation>,
        demands: &mut Vec<Demand>,
    ) {
        self.meet(view, before.as_deref(), seen.as_ref());
        if let Some(Observation::Unreadable { key, why, .. }) = &seen
            && self.try_again(now, view, key.path(), why)
        {
            demands.extend(before.map(Demand::Keep));
            return;
        }
        let mut alone = OutOfSight::default();
        let sight = match view {
            View::Scan => self.scan.as_mut().map(|scan| &mut scan.out_of_sight),
            View::Spot => self.spots.as_mut().map(|spots| &mut spots.out_of_sight),
        };
        let (sighting, lost) = sight.unwrap_or(&mut alone).judge(before, seen);
        let is_whole = lost.is_none();
        if let Some((path, why)) = lost {
            self.lose_sight(now, view, &path, why.to_string(), demands);
        }
        match sighting {
            Sighting::There { before, seen } => {
                if is_whole {
                    self.gaps.close(seen.key.path(), now, demands);
                    self.pass_link(view, &seen);
                }
                self.see(now, view, before, *seen, demands);
            }
            Sighting::Gone(before) => self.miss(now, view, *before, demands),
            Sighting::Unseen(before) => {
                // It may be that nothing asks for it any more; then it is forgotten, seen or not.
                if !is_whole || self.rule_of(view, &before.key, before.kind).is_some() {
                    demands.push(Demand::Keep(before));
                } else {
                    self.miss(now, view, *before, demands);
                }
            }
            Sighting::Nothing => {}
        }
    }

    /// Answers with what the state shall hold of an entity that spots may have shown later than the scan did.
    pub(super) fn overtake(
        &mut self,
        now: Timestamp,
        key: EntityKey,
        held: Option<Box<Entity>>,
        seen: Option<Observation>,
        demands: &mut Vec<Demand>,
    ) {
        match seen {
            Some(Observation::Present(seen)) => {
                self.pass_link(View::Scan, &seen);
                if held.as_ref().is_some_and(|held| self.sees_more(held, &seen)) {
                    return self.look(now, View::Scan, held, Some(Observation::Present(seen)), demands);
                }
            }
            // What is within it was not seen by this scan, whatever it is by now.
            Some(Observation::Unreadable { key, why, .. }) if is_directory(held.as_deref()) => {
                let seen = Observation::Unreadable { key, partial: None, why };
                return self.look(now, View::Scan, held, Some(seen), demands);
            }
            Some(Observation::Unreadable { .. } | Observation::Absent(_)) | None => {}
        }
        demands.push(held.map_or(Demand::Forget(key), Demand::Keep));
    }

    /// True if the scan has read what a spot could not, and the entity is not known to have changed since.
    fn sees_more(&self, held: &Entity, seen: &Entity) -> bool {
        let is_as_new = match (held.attributes.changed, seen.attributes.changed) {
            (Some(held), Some(seen)) => seen >= held,
            (None, _) | (_, None) => false,
        };
        is_as_new && held.kind == seen.kind && self.gaps.is_open(held.key.path())
    }

    /// An entity is there.
    fn see(
        &mut self,
        now: Timestamp,
        view: View,
        before: Option<Box<Entity>>,
        seen: Entity,
        demands: &mut Vec<Demand>,
    ) {
        let Some(rule) = self.rule_of(view, &seen.key, seen.kind) else {
            // No rule asks for what is there now. What was there before may have been asked for: a file, say, in whose
            // place there is a directory.
            if let Some(before) = before {
                self.miss(now, view, *before, demands);
            }
            return;
        };
        let (rule, watched) = (rule.name.clone(), rule.watched);
        let is_judged = match before.as_deref() {
            Some(before) => {
                self.has_baseline(&seen.key, before.kind) && !self.is_link_seen_otherwise(view, before, &seen)
            }
            None => {
                self.has_baseline(&seen.key, seen.kind) && self.has_come_into_being(view, seen.key.path())
            }
        };
        let change = diff(before.as_deref(), Some(&seen), watched)
            .or_else(|| self.put_back(view, before.as_deref(), &seen, watched));
        if is_judged && let Some(mut change) = change {
            // What it contains now is not known, and what it contained is not it.
            if view == View::Spot && seen.kind == EntityKind::File && seen.digest.is_none() {
                change.after = Some(seen.clone());
            }
            if self.is_left_to_hints(now, view, seen.key.path(), seen.attributes.changed) {
                demands.extend(before.map(Demand::Keep));
                return;
            }
            if view == View::Spot && before.is_none() && self.hold_back(&seen, false, (&rule, watched)) {
                return;
            }
            let circumstances = self.circumstances(view, seen.key.path(), Some(&seen), now);
            demands.push(self.event(now, change, rule, circumstances));
        }
        let held = match before {
            Some(before) => absorb(*before, seen),
            None => seen,
        };
        demands.push(Demand::Keep(Box::new(held)));
    }

    /// What was noticed of a file that is as it was, its modification time included: somebody put it back. That its
    /// inode changed is all that is left of it.
    fn put_back(
        &self,
        view: View,
        before: Option<&Entity>,
        seen: &Entity,
        watched: AspectSet,
    ) -> Option<Change<Entity>> {
        let before = before?;
        let is_noticed =
            view == View::Spot && self.spots.as_ref().is_some_and(|spots| spots.has_notice_of(seen));
        let is_same_file = FileId::of(before).is_some() && FileId::of(before) == FileId::of(seen);
        if !is_noticed || !is_same_file || !watched.contains(Aspect::Content) {
            return None;
        }
        diff(Some(before), Some(seen), AspectSet::NONE.with(Aspect::Changed))
    }

    /// An entity is not there.
    fn miss(&mut self, now: Timestamp, view: View, before: Entity, demands: &mut Vec<Demand>) {
        self.gaps.close(before.key.path(), now, demands);
        let key = before.key.clone();
        let rule = self.rule_of(view, &key, before.kind).map(|rule| (rule.name.clone(), rule.watched));
        if let Some((rule, watched)) = rule
            && self.has_baseline(&key, before.kind)
            && !self.is_behind_moved_link(view, key.path())
            && let Some(change) = diff(Some(&before), None, watched)
        {
            if self.is_left_to_hints(now, view, key.path(), None) {
                demands.push(Demand::Keep(Box::new(before)));
                return;
            }
            if view == View::Spot && self.hold_back(&before, true, (&rule, watched)) {
                return;
            }
            let circumstances = self.circumstances(view, key.path(), None, now);
            demands.push(self.event(now, change, rule, circumstances));
        }
        demands.push(Demand::Forget(key));
    }

    /// A place, with all that is within it, cannot be seen.
    fn lose_sight(
        &mut self,
        now: Timestamp,
        view: View,
        path: &EntityPath,
        detail: String,
        demands: &mut Vec<Demand>,
    ) {
        // Whether there is a baseline of it: of itself if a rule names it, else of what is within it.
        let key = EntityKey::File(path.clone());
        let reaches_within = match self.scan_of(view) {
            Some(scan) => scan.baselined.directory(path).is_descend(),
            None => self.baselined.scan_plan().directory(path).is_descend(),
        };
        let is_unknown = self.baselined.rule_for(&key).is_none() && !reaches_within;
        let start = match self.spots.as_ref().filter(|_| view == View::Spot) {
            // Up to then nothing was noticed of it.
            Some(spots) => spots.noticed_since(path, self.unwatched_since(now)).min(now),
            None => self.unwatched_since(now),
        };
        let (scope, cause) = (GapScope::Within(path.clone()), GapCause::Unreadable);
        let gap = Gap { scope, start, end: None, cause, detail };
        self.gaps.open(path, gap, is_unknown, demands);
    }

    /// Notes for a spot that something was, or is, there.
    fn meet(&mut self, view: View, before: Option<&Entity>, seen: Option<&Observation>) {
        let Some(spots) = self.spots.as_mut().filter(|_| view == View::Spot) else { return };
        let path = match (before, seen) {
            (Some(before), _) => before.key.path(),
            (None, Some(Observation::Present(entity))) => entity.key.path(),
            (None, Some(Observation::Unreadable { key, .. })) => key.path(),
            (None, Some(Observation::Absent(key))) => return spots.miss(key.path()),
            (None, None) => return,
        };
        spots.meet(path);
    }

    /// Puts a spot back that did not keep still; true if it is tried again.
    fn try_again(&mut self, now: Timestamp, view: View, path: &EntityPath, why: &Unreadable) -> bool {
        if view != View::Spot || *why != Unreadable::Unstable {
            return false;
        }
        let Some(hint) = self.spots.as_ref().and_then(|spots| spots.try_again(path)) else { return false };
        self.hints.put_back(path.clone(), now, hint);
        true
    }

    /// True if what was found is looked at again in a moment, so that the notice of it, with who did it, has time to come:
    /// what a scan finds, or a look at a directory in which more has happened than was noticed of the directory itself.
    ///
    /// Once a whole scan has been made with real time on, scans find next to nothing that was not noticed; before that,
    /// only what has just happened is left to hints.
    fn is_left_to_hints(
        &mut self,
        now: Timestamp,
        view: View,
        path: &EntityPath,
        changed: Option<Timestamp>,
    ) -> bool {
        if !self.is_real_time {
            return false;
        }
        if view == View::Spot {
            let within = self.spots.as_ref().and_then(|spots| spots.taken_by_the_way(path));
            return within.is_some_and(|within| self.hints.find_within(path.clone(), now, within).is_ok());
        }
        // A scan is what reads it, so that looking at it again would bring nothing.
        if self.gaps.knows(path) {
            return false;
        }
        let is_recent = changed.is_some_and(|changed| now.nanos_since(changed).abs() < RECENT_NANOS);
        if self.hints.covers(path) {
            return true;
        }
        let unknown = self.why_found();
        // What notices were lost of is told at once: no notice of it will come.
        !self.losses.wants_scan()
            && ((is_recent || self.is_settled) && self.hints.find(path.clone(), now, unknown).is_ok())
    }

    /// Why it is not known who made a change that a scan finds and no notice tells of.
    pub(super) fn why_found(&self) -> WhoUnknown {
        if self.is_settled { WhoUnknown::NotNoticed } else { WhoUnknown::NotListening }
    }

    fn circumstances(
        &self,
        view: View,
        path: &EntityPath,
        seen: Option<&Entity>,
        now: Timestamp,
    ) -> Circumstances {
        match self.spots.as_ref().filter(|_| view == View::Spot) {
            Some(spots) => spots.circumstances(path, seen, now),
            None => {
                let unknown = if self.losses.wants_scan() {
                    Some(WhoUnknown::NoticeLost)
                } else {
                    (self.is_real_time && !self.is_settled).then_some(WhoUnknown::NotListening)
                };
                let who = Who::of(Vec::new(), 0, unknown);
                Circumstances { who, happened: None, source: ChangeSource::Scan }
            }
        }
    }

    fn scan_of(&self, view: View) -> Option<&Scan> {
        match view {
            View::Scan => self.scan.as_ref(),
            View::Spot => None,
        }
    }

    /// True if the entity was in scope at the last complete scan, so that a difference is a change.
    fn has_baseline(&self, key: &EntityKey, kind: EntityKind) -> bool {
        self.baselined.rule_for_kind(key, kind).is_some()
    }

    /// True if an entity that the state does not know has come into being, rather than into sight.
    fn has_come_into_being(&self, view: View, path: &EntityPath) -> bool {
        !self.gaps.is_unknown(path) && !self.is_behind_moved_link(view, path)
    }

    /// True if other rules than before lead through the link that the entity is reached through. What is monitored at
    /// its real place is not monitored under the link, so that a rule for the one moves the other in or out of scope.
    fn is_behind_moved_link(&self, view: View, path: &EntityPath) -> bool {
        self.scan_of(view).is_some_and(|scan| {
            let is_behind = scan.link.as_ref().is_some_and(|link| path != link && path.is_within(link));
            is_behind && !scan.is_same_scope
        })
    }

    /// True if it is the same link that one set of rules follows and the other does not.
    fn is_link_seen_otherwise(&self, view: View, before: &Entity, seen: &Entity) -> bool {
        let is_same_scope = match self.scan_of(view) {
            Some(scan) => scan.is_same_scope,
            None => self.settings.rules == self.baselined,
        };
        let has_same_target =
            before.attributes.target.is_some() && before.attributes.target == seen.attributes.target;
        let is_link = |entity: &Entity| entity.kind == EntityKind::Symlink;
        !is_same_scope && has_same_target && is_link(before) != is_link(seen)
    }

    /// Remembers a link to a directory, whether it was looked at itself or what it points to.
    fn pass_link(&mut self, view: View, seen: &Entity) {
        let is_followed = seen.kind == EntityKind::Directory && seen.attributes.target.is_some();
        if let Some(scan) = self.scan.as_mut().filter(|_| view == View::Scan)
            && (seen.kind == EntityKind::Symlink || is_followed)
        {
            scan.link = Some(seen.key.path().clone());
        }
    }

    fn rule_of(&self, view: View, key: &EntityKey, kind: EntityKind) -> Option<&Rule> {
        self.scan_of(view).map_or(&self.settings.rules, |scan| &scan.rules).rule_for_kind(key, kind)
    }
}

fn is_directory(entity: Option<&Entity>) -> bool {
    entity.is_some_and(|entity| entity.kind == EntityKind::Directory)
}

/// What has changed this recently may be on its way as a notice.
const RECENT_NANOS: i64 = 3_000_000_000;
