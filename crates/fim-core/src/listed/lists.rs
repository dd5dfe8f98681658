//! The pure state machine of a sensor's lists: when each part is collected, and what has changed in it.

mod part;

use std::collections::{BTreeMap, BTreeSet};

use super::{ListKind, ListPart, Listed, ListedKey};
use crate::{
    AspectSet, ChangeEvent, ChangeId, ChangeSource, Gap, GapCause, GapScope, Monitored, PathStyle, Timestamp,
    Who, apply, diff,
};
use part::Part;

/// The lists of one machine. A list is small enough to be held: some thousand entities.
///
/// # What it guarantees
///
/// - Each part of a list is collected by itself: what cannot be read of one says nothing of the others.
/// - The first collection of a part is its baseline: nothing of it is *added*. Until every part was collected, or is told
///   as one that cannot be read, the list is a gap.
/// - A part that cannot be read is a gap and no removal; what changed meanwhile is told when it can be read again. That is
///   tried after a second, and then at distances that grow up to the interval. So is a part whose database is gone while
///   its folder is there, if something was known to be in it.
/// - A part that something was noticed of is collected once nothing more is noticed for a moment, and at the latest some
///   seconds after the first notice, but for a rest that grows with the time that it takes.
/// - A list that is switched off is forgotten, and its next collection is a baseline again.
/// - What was known of a list and is lost is a gap since it was surely collected last.
#[derive(Clone, Debug)]
pub struct Lists {
    machine: [u8; 16],
    lists: BTreeMap<ListKind, List>,
    /// The parts that are being collected.
    under_way: BTreeSet<ListPart>,
}

/// One list.
#[derive(Clone, Debug, Default)]
struct List {
    is_on: bool,
    /// What was in each part at its last collection that succeeded.
    held: BTreeMap<ListedKey, Listed>,
    parts: BTreeMap<ListPart, Part>,
    /// The gap that an earlier version opened because some part could not be read: the next word of any part ends it.
    unreadable: Option<Gap>,
    /// The gap that is open because there is nothing to compare with yet.
    pending: Option<Gap>,
    /// What is to be told of it once it is on.
    lost: Option<Lost>,
}

/// What was known of a list is lost.
#[derive(Clone, Debug)]
struct Lost {
    /// When the sensor was last known to run.
    last_alive: Timestamp,
    /// What was found, for a person.
    detail: String,
}

/// Why a part could not be collected, for a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Uncollected {
    /// It cannot be read.
    Unreadable(String),
    /// There is no database where there is a folder for one. Where nothing was in it, nothing is; else somebody removed it.
    Missing(String),
}

/// What should happen, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum ListDemand {
    /// Store the change to be sent.
    Emit(Box<ChangeEvent<Listed>>),
    /// Store the gap to be sent.
    Report(Box<Gap>),
    /// Store [`Lists::memory`] for the next start; it differs from what was stored before.
    Remember,
}

/// What a list needs to be given at the next start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListMemory {
    /// Which list.
    pub kind: ListKind,
    /// Its parts.
    pub parts: Vec<PartMemory>,
    /// The gap that an earlier version opened because some part could not be read.
    pub unreadable: Option<Gap>,
    /// The gap that is open because not all of it has been collected for the first time.
    pub pending: Option<Gap>,
}

/// What a part of a list needs to be given at the next start.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PartMemory {
    /// Which part.
    pub part: ListPart,
    /// What was in it, in the order of the keys; nothing if it never could be read.
    pub entities: Option<Vec<Listed>>,
    /// When it began to be collected last.
    pub collected: Option<Timestamp>,
    /// The gap that is open because it could not be read since.
    pub unreadable: Option<Gap>,
}

impl Lists {
    /// The lists of the machine of that id, which spells paths so, with what was stored of them. All are off.
    pub fn new(machine: [u8; 16], style: PathStyle, memory: Vec<ListMemory>) -> Self {
        let mut lists: BTreeMap<ListKind, List> = BTreeMap::new();
        for part in ListPart::of(style) {
            lists.entry(part.list()).or_default().parts.insert(part, Part::default());
        }
        for stored in memory {
            let Some(list) = lists.get_mut(&stored.kind) else { continue };
            (list.unreadable, list.pending) = (stored.unreadable, stored.pending);
            for stored in stored.parts {
                let Some(part) = list.parts.get_mut(&stored.part) else { continue };
                part.is_known = stored.entities.is_some();
                (part.collected, part.unreadable) = (stored.collected, stored.unreadable);
                let entities = stored.entities.into_iter().flatten();
                list.held.extend(entities.map(|entity| (entity.key(), entity)));
            }
        }
        Self { machine, lists, under_way: BTreeSet::new() }
    }

    /// What was stored of them is lost, and the sensor was last known to run then. Each list tells it when it is set to
    /// be collected, for only then it is known how long ago it may have been collected last.
    pub fn lose(&mut self, last_alive: Timestamp, detail: &str) {
        for list in self.lists.values_mut() {
            list.forget();
            list.lost = Some(Lost { last_alive, detail: detail.to_owned() });
        }
    }

    /// Takes up a change that was reported after what was stored.
    pub fn fold(&mut self, event: &ChangeEvent<Listed>) {
        let key = event.change.key.clone();
        let Some(list) = self.list_that_knows(event) else { return };
        let before = list.held.remove(&key);
        if let Some(after) = apply(&event.change, before) {
            list.held.insert(key, after);
        }
    }

    /// Takes a change back that could not be stored, so that the next collection tells it again.
    pub fn unfold(&mut self, event: &ChangeEvent<Listed>) {
        let key = event.change.key.clone();
        let Some(list) = self.list_that_knows(event) else { return };
        match &event.change.before {
            Some(before) => list.held.insert(key, before.clone()),
            None => list.held.remove(&key),
        };
    }

    /// The list that the change is of, if anything is known of the part that it is of.
    fn list_that_knows(&mut self, event: &ChangeEvent<Listed>) -> Option<&mut List> {
        let list = self.lists.get_mut(&event.change.key.list())?;
        let mut sides = [&event.change.before, &event.change.after].into_iter().flatten();
        let is_known = sides.any(|side| list.parts.get(&side.part()).is_some_and(|part| part.is_known));
        is_known.then_some(list)
    }

    /// What is to be stored for the next start.
    pub fn memory(&self) -> Vec<ListMemory> {
        let stored = |(kind, list): (&ListKind, &List)| ListMemory {
            kind: *kind,
            parts: list.parts.iter().map(|(part, state)| list.memory_of(*part, state)).collect(),
            unreadable: list.unreadable.clone(),
            pending: list.pending.clone(),
        };
        self.lists.iter().map(stored).collect()
    }

    /// Collects a list at that interval from now on, or not at all. That may have been wanted since `since`.
    pub fn set(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        kind: ListKind,
        interval_seconds: Option<u64>,
        demands: &mut Vec<ListDemand>,
    ) {
        let Some(list) = self.lists.get_mut(&kind) else { return };
        match interval_seconds {
            Some(seconds) => {
                for part in list.parts.values_mut() {
                    part.set_interval(now, seconds, !list.is_on);
                }
                list.is_on = true;
                list.tell_loss(now, kind, seconds, demands);
                list.await_baseline(since.min(now), kind, demands);
            }
            None => {
                let is_known = list.parts.values().any(|part| part.is_known || part.unreadable.is_some())
                    || list.unreadable.is_some()
                    || list.pending.is_some();
                list.close_gaps(now, demands);
                list.forget();
                list.is_on = false;
                if is_known {
                    demands.push(ListDemand::Remember);
                }
            }
        }
    }

    /// Something was noticed where a part is read from.
    pub fn touch(&mut self, now: Timestamp, part: ListPart) {
        let Some(list) = self.lists.get_mut(&part.list()).filter(|list| list.is_on) else { return };
        if let Some(part) = list.parts.get_mut(&part) {
            part.touch(now);
        }
    }

    /// Notices of these parts may be missing that came after `since`: they are collected soon. What differs then is told;
    /// what was changed and put back meanwhile is not, and therefore it is a gap.
    pub fn lose_notices(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        detail: &str,
        demands: &mut Vec<ListDemand>,
    ) {
        for (kind, list) in self.lists.iter_mut().filter(|(_, list)| list.is_on) {
            list.parts.values_mut().for_each(|part| part.touch(now));
            demands.push(ListDemand::Report(Box::new(Gap {
                scope: GapScope::List(*kind),
                start: since.min(now),
                end: Some(now),
                cause: GapCause::NoticesLost,
                detail: detail.to_owned(),
            })));
        }
    }

    /// A part that should be collected now. It is under way then, and not due before its answer has been handed to
    /// [`Lists::take`], others are meanwhile.
    pub fn due(&mut self, now: Timestamp) -> Option<ListPart> {
        let under_way = &self.under_way;
        let lists = self.lists.values_mut().filter(|list| list.is_on);
        let mut parts =
            lists.flat_map(|list| list.parts.iter_mut()).filter(|(part, _)| !under_way.contains(part));
        let due = parts.find_map(|(part, state)| state.is_due(now).then_some(*part))?;
        self.under_way.insert(due);
        Some(due)
    }

    /// When the next part should be collected, if any is to be that is not being so.
    pub fn next(&self) -> Option<Timestamp> {
        let parts = self.lists.values().filter(|list| list.is_on).flat_map(|list| list.parts.iter());
        parts.filter(|(part, _)| !self.under_way.contains(part)).map(|(_, state)| state.next()).min()
    }

    /// True if the list is to be collected, and of some part of it neither what is in it is known nor that it cannot be.
    pub fn is_awaited(&self, kind: ListKind) -> bool {
        self.lists.get(&kind).is_some_and(|list| list.is_on && !list.is_answered())
    }

    /// What was last seen of a list.
    pub fn held(&self, kind: ListKind) -> impl Iterator<Item = &Listed> {
        self.lists.get(&kind).into_iter().flat_map(|list| list.held.values())
    }

    /// Takes in a part that was collected from `begun` on, or why it could not be.
    pub fn take(
        &mut self,
        now: Timestamp,
        begun: Timestamp,
        part: ListPart,
        collected: Result<Vec<Listed>, Uncollected>,
        demands: &mut Vec<ListDemand>,
    ) {
        self.under_way.remove(&part);
        let Some(list) = self.lists.get_mut(&part.list()).filter(|list| list.is_on) else { return };
        let Some(mut state) = list.parts.remove(&part) else { return };
        state.end_look(begun, now);
        let was_open = list.unreadable.is_some();
        close(list.unreadable.take(), now, demands);
        match collected.or_else(|why| list.emptied(part, why)) {
            Err(why) => state.fail(now, part, why, demands),
            Ok(entities) => {
                let is_news = state.succeed(now, demands) || !state.is_known || was_open;
                let is_changed = list.compare(&self.machine, now, (part, &state), entities, demands);
                state.is_known = true;
                // What changed while it was read may be in it or not.
                state.collected = Some(begun.min(now));
                state.is_noticed = false;
                if is_news || is_changed {
                    demands.push(ListDemand::Remember);
                }
            }
        }
        list.parts.insert(part, state);
        if list.pending.is_some() && list.is_answered() {
            close(list.pending.take(), now, demands);
            demands.push(ListDemand::Remember);
        }
    }
}

impl List {
    /// Forgets all but whether it is on.
    fn forget(&mut self) {
        let parts = self.parts.keys().map(|part| (*part, Part::default())).collect();
        *self = Self { is_on: self.is_on, parts, ..Self::default() };
    }

    fn memory_of(&self, part: ListPart, state: &Part) -> PartMemory {
        let entities = || self.held.values().filter(|entity| entity.part() == part).cloned().collect();
        PartMemory {
            part,
            entities: state.is_known.then(entities),
            collected: state.collected,
            unreadable: state.unreadable.clone(),
        }
    }

    /// True if of each part what is in it is known, or that it cannot be read.
    fn is_answered(&self) -> bool {
        self.parts.values().all(|part| part.is_known || part.unreadable.is_some())
    }

    /// What is in a part that could not be collected: where there is no database, nothing, if nothing was in it before.
    fn emptied(&self, part: ListPart, why: Uncollected) -> Result<Vec<Listed>, String> {
        match why {
            Uncollected::Missing(_) if !self.held.values().any(|entity| entity.part() == part) => {
                Ok(Vec::new())
            }
            Uncollected::Missing(why) | Uncollected::Unreadable(why) => Err(why),
        }
    }

    /// Puts what was collected of a part in the place of what is held of it, and tells the differences. True if there are
    /// any.
    fn compare(
        &mut self,
        machine: &[u8; 16],
        now: Timestamp,
        (part, state): (ListPart, &Part),
        entities: Vec<Listed>,
        demands: &mut Vec<ListDemand>,
    ) -> bool {
        let age = state.collected.map(|collected| now.nanos_since(collected) / NANOS_PER_SECOND);
        let age = age.and_then(|seconds| u64::try_from(seconds).ok());
        let source = if state.is_noticed { ChangeSource::RealTime } else { ChangeSource::Scan };
        let mut is_changed = false;
        let mut tell = |before: Option<&Listed>, after: Option<&Listed>| {
            if let Some(change) = diff(before, after, AspectSet::ALL) {
                is_changed = true;
                demands.push(ListDemand::Emit(Box::new(ChangeEvent {
                    id: ChangeId::derive(machine, now, &change),
                    change,
                    source,
                    observed: now,
                    happened: None,
                    rule: String::new(),
                    snapshot_age_seconds: age,
                    who: Who::default(),
                    moved_from: None,
                    is_fleeting: false,
                })));
            }
        };
        let mut gone: BTreeMap<ListedKey, Listed> =
            self.held.extract_if(.., |_, entity| entity.part() == part).collect();
        for after in entities {
            let key = after.key();
            // A script that gets a unit is the same daemon, of another part from then on.
            let before = gone.remove(&key).or_else(|| self.held.remove(&key));
            if before.is_some() || state.is_known {
                tell(before.as_ref(), Some(&after));
            }
            let known = before.map(|before| Listed::absorb(before, after.clone()));
            self.held.insert(key, known.unwrap_or(after));
        }
        for before in gone.values() {
            tell(Some(before), None);
        }
        is_changed
    }

    /// Tells that what was known is lost: it was collected last an interval before the sensor's end, or later.
    fn tell_loss(
        &mut self,
        now: Timestamp,
        kind: ListKind,
        interval_seconds: u64,
        demands: &mut Vec<ListDemand>,
    ) {
        let Some(lost) = self.lost.take() else { return };
        let interval = i64::try_from(interval_seconds).unwrap_or(i64::MAX).saturating_mul(NANOS_PER_SECOND);
        let gap = Gap {
            scope: GapScope::List(kind),
            start: lost.last_alive.plus_nanos(-interval).min(now),
            end: Some(now),
            cause: GapCause::StateLost,
            detail: lost.detail,
        };
        demands.push(ListDemand::Report(Box::new(gap)));
        demands.push(ListDemand::Remember);
    }

    /// Tells that there is nothing to compare with, unless there is, or that is told.
    fn await_baseline(&mut self, since: Timestamp, kind: ListKind, demands: &mut Vec<ListDemand>) {
        if !self.is_answered() && self.pending.is_none() {
            let gap = Gap {
                scope: GapScope::List(kind),
                start: since,
                end: None,
                cause: GapCause::BaselinePending,
                detail: "there is nothing to compare with before it is collected for the first time"
                    .to_owned(),
            };
            demands.push(ListDemand::Report(Box::new(gap.clone())));
            self.pending = Some(gap);
            demands.push(ListDemand::Remember);
        }
    }

    fn close_gaps(&mut self, now: Timestamp, demands: &mut Vec<ListDemand>) {
        let of_parts = self.parts.values_mut().map(|part| part.unreadable.take());
        let all = of_parts.chain([self.unreadable.take(), self.pending.take()]);
        all.for_each(|gap| close(gap, now, demands));
    }
}

/// Ends a gap, if there is one.
fn close(gap: Option<Gap>, now: Timestamp, demands: &mut Vec<ListDemand>) {
    if let Some(gap) = gap {
        let end = Some(now.max(gap.start));
        demands.push(ListDemand::Report(Box::new(Gap { end, ..gap })));
    }
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
