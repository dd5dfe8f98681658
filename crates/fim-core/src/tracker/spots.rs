//! The places that hints are about, while they are looked at.

use std::collections::BTreeMap;

use super::hints::{FoundBy, Noticed};
use super::losses::Turn;
use super::{Demand, SpotsEnd, Tracker};
use crate::{
    Aspect, AspectSet, Change, ChangeEvent, ChangeId, ChangeSource, Entity, EntityKey, EntityKind,
    EntityPath, FileAttributes, GapCause, GapScope, Loss, OutOfSight, Rule, Timestamp, Who, WhoUnknown,
    compare,
};

/// A look at the places that hints are about.
#[derive(Clone, Debug)]
pub(super) struct Spots {
    /// The last loss before the look.
    loss_before: Turn,
    noticed: BTreeMap<EntityPath, Spotted>,
    /// What it could not see into.
    pub(super) out_of_sight: OutOfSight,
    /// What is gone and what has come, by its path, until it is known which of them is one thing that moved. A place at which
    /// the look began anew is come to twice.
    gone: BTreeMap<EntityPath, Found>,
    come: BTreeMap<EntityPath, Found>,
}

#[derive(Clone, Debug)]
struct Spotted {
    hint: Noticed,
    /// True if something was there, or is.
    is_met: bool,
    /// True if it is known that nothing is there.
    is_absent: bool,
}

/// An entity that is gone, or has come, and the rule that says so.
#[derive(Clone, Debug)]
struct Found {
    entity: Entity,
    rule: String,
    watched: AspectSet,
}

/// Who changed something and when, as far as a hint told.
pub(super) struct Circumstances {
    pub(super) who: Who,
    pub(super) happened: Option<Timestamp>,
    pub(super) source: ChangeSource,
}

impl Spots {
    pub(super) fn new(loss_before: Turn, due: BTreeMap<EntityPath, Noticed>) -> Self {
        let spotted = |hint| Spotted { hint, is_met: false, is_absent: false };
        let noticed = due.into_iter().map(|(path, hint)| (path, spotted(hint))).collect();
        Self {
            loss_before,
            noticed,
            out_of_sight: OutOfSight::default(),
            gone: BTreeMap::new(),
            come: BTreeMap::new(),
        }
    }

    /// Notes that something was, or is, at the place.
    pub(super) fn meet(&mut self, path: &EntityPath) {
        if let Some(spotted) = self.noticed.get_mut(path) {
            spotted.is_met = true;
        }
    }

    /// Notes that nothing is at the place, nor is known to have been.
    pub(super) fn miss(&mut self, path: &EntityPath) {
        if let Some(spotted) = self.noticed.get_mut(path) {
            spotted.is_absent = true;
        }
    }

    /// Since when something may have happened that was noticed and is being looked into.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.noticed.values().filter_map(|spotted| spotted.hint.unsettled_since()).min()
    }

    /// The hint that the place is looked at for: its own, or that of the directory it was reached through.
    fn hint(&self, path: &EntityPath) -> Option<&Noticed> {
        let own = self.noticed.get(path);
        own.or_else(|| {
            std::iter::successors(path.parent(), EntityPath::parent)
                .find_map(|above| self.noticed.get(&above).filter(|spotted| spotted.hint.is_deep))
        })
        .map(|spotted| &spotted.hint)
    }

    /// The hint that a place is looked at for though it is about a directory above it only, and not about what came or
    /// went with that.
    pub(super) fn taken_by_the_way(&self, path: &EntityPath) -> Option<&Noticed> {
        self.hint(path).filter(|hint| !hint.takes_along && !self.noticed.contains_key(path))
    }

    /// True if something was noticed at that very place of what is there.
    pub(super) fn has_notice_of(&self, seen: &Entity) -> bool {
        self.noticed.get(seen.key.path()).is_some_and(|spotted| {
            let hint = spotted.hint.as_of(Some(seen));
            hint.found_by == FoundBy::Notice && hint.has_actor()
        })
    }

    /// Since when the place may be another than before, where it was watched from `watched` on: since the first notice
    /// of it. What a scan found may have happened at any time before.
    pub(super) fn noticed_since(&self, path: &EntityPath, watched: Timestamp) -> Timestamp {
        let Some(since) = self.hint(path).and_then(Noticed::unsettled_since) else { return watched };
        // What is within it may have been noticed before it could not be seen any more.
        let within = self.noticed.range(path.clone()..).take_while(|(place, _)| place.is_within(path));
        let within = within.filter_map(|(_, spotted)| spotted.hint.unsettled_since()).min();
        since.min(within.unwrap_or(since)).max(watched)
    }

    /// Who changed the place, and when; `seen` is what is there now, or what moved away from there. When its inode
    /// changed, where that is known, is exact if it lies between the first notice and now.
    pub(super) fn circumstances(
        &self,
        path: &EntityPath,
        seen: Option<&Entity>,
        now: Timestamp,
    ) -> Circumstances {
        let Some(hint) = self.hint(path).map(|hint| hint.as_of(seen)) else {
            return Circumstances { who: Who::default(), happened: None, source: ChangeSource::RealTime };
        };
        if hint.found_by == FoundBy::Scan {
            return Circumstances { who: hint.who, happened: None, source: ChangeSource::Scan };
        }
        let changed = seen.and_then(|seen| seen.attributes.changed);
        // Who made a directory need not have made what is in it, nor at the same time.
        let is_by_the_way = self.taken_by_the_way(path).is_some();
        let is_noticed = hint.found_by == FoundBy::Notice && !is_by_the_way;
        let unknown = hint.who.unknown.or((!is_noticed).then_some(WhoUnknown::NotNoticed));
        let mut who = if is_by_the_way { Who::default() } else { hint.who };
        who.unknown = unknown;
        let noticed = is_noticed.then_some(hint.last);
        let earliest = hint.first.plus_nanos(-NOTICE_LATENESS_NANOS);
        let exact = changed.filter(|&changed| changed >= earliest && changed <= now);
        let happened = exact.or(noticed);
        Circumstances { who, happened, source: ChangeSource::RealTime }
    }

    /// The hint, if the place did not keep still and has not been tried too often.
    pub(super) fn try_again(&self, path: &EntityPath) -> Option<Noticed> {
        self.noticed
            .get(path)
            .map(|spotted| &spotted.hint)
            .filter(|hint| hint.attempts < MOST_ATTEMPTS)
            .cloned()
    }
}

impl Tracker {
    /// Keeps back what is gone or has come until it is known whether it moved; false if there is no room for it.
    pub(super) fn hold_back(&mut self, entity: &Entity, is_gone: bool, rule: (&str, AspectSet)) -> bool {
        let Some(spots) = self.spots.as_mut() else { return false };
        let side = if is_gone { &mut spots.gone } else { &mut spots.come };
        if side.len() >= MOST_HELD_BACK || identity(entity).is_none() {
            return false;
        }
        let found = Found { entity: entity.clone(), rule: rule.0.to_owned(), watched: rule.1 };
        side.insert(entity.key.path().clone(), found);
        true
    }

    /// Ends the look. One that was cut short is made again later, and is a gap until then.
    pub(super) fn end_spots(&mut self, now: Timestamp, end: SpotsEnd, demands: &mut Vec<Demand>) {
        let Some(mut spots) = self.spots.take() else { return };
        match end {
            SpotsEnd::Complete => self.complete_spots(now, spots, demands),
            SpotsEnd::CutShort { why } if self.is_watching() => {
                let since = spots.noticed.values().map(|spotted| spotted.hint.since).min().unwrap_or(now);
                let detail = format!("changes were noticed and could not be looked into: {why}");
                let scope = GapScope::Everything;
                let loss = Loss { scope, since, cause: GapCause::NoticesLost, detail };
                self.losses.open(now, loss, demands);
                self.schedule.bring_to_rest(now);
                demands.push(self.remember());
                let hints = spots.noticed.into_iter().map(|(path, spotted)| (path, spotted.hint));
                self.hints.put_off(hints, now);
            }
            SpotsEnd::Stalled { at, why } if self.is_watching() => {
                self.put_aside(now, &mut spots, at, why, demands);
                self.complete_spots(now, spots, demands);
            }
            // Nothing is promised of it any more.
            SpotsEnd::Stalled { .. } | SpotsEnd::CutShort { .. } => {}
        }
    }

    /// Takes the place that did not answer, and those behind it, out of the look: these are looked at again at once, and
    /// that one later. It is a gap until then.
    fn put_aside(
        &mut self,
        now: Timestamp,
        spots: &mut Spots,
        at: EntityPath,
        why: String,
        demands: &mut Vec<Demand>,
    ) {
        let mut behind = spots.noticed.split_off(&at);
        let stalled = behind.remove(&at).map(|spotted| spotted.hint);
        let detail = format!("changes were noticed and could not be looked into: {why}");
        let since = stalled.as_ref().map_or(now, |hint| hint.since);
        let scope = GapScope::Within(at.clone());
        self.losses.open(now, Loss { scope, since, cause: GapCause::NoticesLost, detail }, demands);
        demands.push(self.remember());
        let stalled = stalled.unwrap_or_else(|| Noticed::new(now));
        self.hints.put_aside(at, now, stalled);
        for (path, spotted) in behind {
            self.hints.put_back_whole(path, now, spotted.hint);
        }
    }

    /// Tells what moved, came and went, and closes the gaps that the look has made good.
    fn complete_spots(&mut self, now: Timestamp, mut spots: Spots, demands: &mut Vec<Demand>) {
        let mut gone: BTreeMap<Identity, Found> = BTreeMap::new();
        for found in std::mem::take(&mut spots.gone).into_values() {
            // Of two names of one inode that went, one may have moved and the other is gone.
            if let Some(identity) = identity(&found.entity)
                && let Some(other) = gone.insert(identity, found)
            {
                self.tell_gone(now, &spots, other, demands);
            }
        }
        for come in std::mem::take(&mut spots.come).into_values() {
            match identity(&come.entity).and_then(|identity| gone.remove(&identity)) {
                Some(gone) => self.tell_moved(now, &spots, gone.entity, come, demands),
                None => self.tell_come(now, &spots, come, demands),
            }
        }
        for found in gone.into_values() {
            self.tell_gone(now, &spots, found, demands);
        }
        for (path, spotted) in &spots.noticed {
            self.judge_name(now, path, spotted, demands);
            if spotted.hint.is_deep {
                let was_open = self.losses.len();
                self.losses.end_deep_look(path, spots.loss_before, now, demands);
                if self.losses.len() != was_open {
                    demands.push(self.remember());
                }
            }
        }
    }

    /// Tells of a name that came and is gone again, as its notices say or the look. Where only the notice of its going
    /// may be missing, and the look came past it without a word, it is looked at alone.
    fn judge_name(
        &mut self,
        now: Timestamp,
        path: &EntityPath,
        spotted: &Spotted,
        demands: &mut Vec<Demand>,
    ) {
        let hint = &spotted.hint;
        if spotted.is_met || !(hint.came || hint.came_and_went) || self.rule_of_name(path, hint).is_none() {
            return;
        }
        if hint.came_and_went || spotted.is_absent {
            self.tell_fleeting(now, path, hint, demands);
        } else if hint.attempts < MOST_ATTEMPTS {
            self.hints.put_back(path.clone(), now, hint.clone());
        }
    }

    fn tell_gone(&self, now: Timestamp, spots: &Spots, found: Found, demands: &mut Vec<Demand>) {
        let key = found.entity.key.clone();
        let circumstances = spots.circumstances(key.path(), None, now);
        let change =
            Change { key: key.clone(), before: Some(found.entity), after: None, fields: AspectSet::NONE };
        demands.push(self.event(now, change, found.rule, circumstances));
        demands.push(Demand::Forget(key));
    }

    fn tell_come(&self, now: Timestamp, spots: &Spots, found: Found, demands: &mut Vec<Demand>) {
        let entity = found.entity;
        let circumstances = spots.circumstances(entity.key.path(), Some(&entity), now);
        let change = Change {
            key: entity.key.clone(),
            before: None,
            after: Some(entity.clone()),
            fields: AspectSet::NONE,
        };
        demands.push(self.event(now, change, found.rule, circumstances));
        demands.push(Demand::Keep(Box::new(entity)));
    }

    fn tell_moved(&self, now: Timestamp, spots: &Spots, from: Entity, to: Found, demands: &mut Vec<Demand>) {
        let old = from.key.clone();
        let entity = to.entity;
        let before = Entity { key: entity.key.clone(), ..from };
        let mut circumstances = spots.circumstances(entity.key.path(), Some(&entity), now);
        // Who left it as it is was at the place where it is now.
        let mut who = spots.circumstances(old.path(), Some(&entity), now).who;
        who.merge(circumstances.who);
        circumstances.who = who;
        let fields = compare(&before, &entity, to.watched).with(Aspect::Path);
        let change =
            Change { key: entity.key.clone(), before: Some(before), after: Some(entity.clone()), fields };
        let Demand::Emit(mut event) = self.event(now, change, to.rule, circumstances) else { return };
        event.moved_from = Some(old.clone());
        demands.push(Demand::Emit(event));
        demands.push(Demand::Forget(old));
        demands.push(Demand::Keep(Box::new(entity)));
    }

    /// Tells of a name that came and went before it could be looked at, as an arrival and a removal.
    fn tell_fleeting(&self, now: Timestamp, path: &EntityPath, hint: &Noticed, demands: &mut Vec<Demand>) {
        let Some(rule) = self.rule_of_name(path, hint) else { return };
        let (key, kind) = key_of_name(path, hint);
        let entity = Entity { key: key.clone(), kind, attributes: FileAttributes::default(), digest: None };
        // Nobody said when it went if no notice of that has come.
        let is_told = !hint.came;
        let gone = if is_told { hint.last } else { now };
        for (is_arrival, time) in [(true, hint.first), (false, gone)] {
            let side = Some(entity.clone());
            let (before, after) = if is_arrival { (None, side) } else { (side, None) };
            let change = Change { key: key.clone(), before, after, fields: AspectSet::NONE };
            let mut who = hint.who.clone();
            if is_arrival {
                // Who acted last is the one who took it away; it came by the one who acted first.
                match hint.first_by.clone() {
                    Some(Err(why)) => who = Who::unknown(why),
                    Some(by) => who.add(by),
                    None => {}
                }
            } else if !is_told {
                who.add(Err(WhoUnknown::NoticeLost));
            }
            let happened = Some(time).filter(|_| is_arrival || is_told);
            let circumstances = Circumstances { who, happened, source: ChangeSource::RealTime };
            let Demand::Emit(mut event) = self.event(now, change, rule.name.clone(), circumstances) else {
                return;
            };
            event.is_fleeting = true;
            demands.push(Demand::Emit(event));
        }
    }

    /// The rule that asks for a name of which nothing but notices are known, if there is a baseline of it.
    fn rule_of_name(&self, path: &EntityPath, hint: &Noticed) -> Option<&Rule> {
        let (key, kind) = key_of_name(path, hint);
        self.baselined.rule_for_kind(&key, kind)?;
        self.settings.rules.rule_for_kind(&key, kind)
    }

    pub(super) fn event(
        &self,
        now: Timestamp,
        change: Change,
        rule: String,
        circumstances: Circumstances,
    ) -> Demand {
        let age = self.last_complete.map(|complete| now.nanos_since(complete) / 1_000_000_000);
        Demand::Emit(Box::new(ChangeEvent {
            id: ChangeId::derive(&self.machine, now, &change),
            change,
            source: circumstances.source,
            observed: now,
            happened: circumstances.happened,
            rule,
            snapshot_age_seconds: age.and_then(|seconds| u64::try_from(seconds).ok()),
            who: circumstances.who,
            moved_from: None,
            is_fleeting: false,
        }))
    }
}

/// What a name stands for, whatever the name is.
type Identity = (u64, u64, EntityKind, Timestamp);

/// The identity of an entity; nothing where its birth is not known, since inodes are used again.
fn identity(entity: &Entity) -> Option<Identity> {
    let attributes = &entity.attributes;
    Some((attributes.device?, attributes.inode?, entity.kind, attributes.created?))
}

/// What a name was, as far as its notices tell.
fn key_of_name(path: &EntityPath, hint: &Noticed) -> (EntityKey, EntityKind) {
    let kind = if hint.is_directory { EntityKind::Directory } else { EntityKind::File };
    (EntityKey::File(path.clone()), kind)
}

/// A notice comes this much after what it is about, at most, on a machine that is not overloaded.
const NOTICE_LATENESS_NANOS: i64 = 2_000_000_000;

/// How often a place is looked at that does not keep still before that is told as a gap.
const MOST_ATTEMPTS: u32 = 5;

/// How many entities are kept back to find out what moved; beyond that they are told as gone and come.
const MOST_HELD_BACK: usize = 4096;
