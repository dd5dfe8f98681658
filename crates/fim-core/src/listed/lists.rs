//! The pure state machine of a sensor's lists: when each is collected, and what has changed in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ListKind, Listed, ListedKey};
use crate::tracker::schedule::Schedule;
use crate::{
    AspectSet, ChangeEvent, ChangeId, ChangeSource, Gap, GapCause, GapScope, Monitored, Timestamp, Who,
    apply, diff,
};

/// The lists of one machine. A list is small enough to be held: some thousand entities.
///
/// # What it guarantees
///
/// - The first collection of a list is its baseline: nothing of it is *added*. Until then it is a gap.
/// - A list that cannot be read is a gap and no removal; what changed meanwhile is told when it can be read again. That is
///   tried after a second, and then at distances that grow up to the interval.
/// - A list that is switched off is forgotten, and its next collection is a baseline again.
/// - What was known of a list and is lost is a gap since it was surely collected last.
#[derive(Clone, Debug)]
pub struct Lists {
    machine: [u8; 16],
    lists: BTreeMap<ListKind, List>,
    /// Those that are being collected.
    under_way: BTreeSet<ListKind>,
}

/// One list.
#[derive(Clone, Debug, Default)]
struct List {
    is_on: bool,
    schedule: Schedule,
    /// How many collections in a row could not be made.
    failures: u32,
    /// What was in it at the last collection that succeeded; nothing before the first.
    held: Option<BTreeMap<ListedKey, Listed>>,
    /// When that began.
    collected: Option<Timestamp>,
    /// The gap that is open because it cannot be read.
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
    /// What was in it, in the order of the keys; nothing if it never could be read.
    pub entities: Option<Vec<Listed>>,
    /// When it began to be collected last.
    pub collected: Option<Timestamp>,
    /// The gap that is open because it could not be read since.
    pub unreadable: Option<Gap>,
    /// The gap that is open because it has not been collected for the first time.
    pub pending: Option<Gap>,
}

impl Lists {
    /// The lists of the machine of that id, with what was stored of them. All are off.
    pub fn new(machine: [u8; 16], memory: Vec<ListMemory>) -> Self {
        let mut lists: BTreeMap<ListKind, List> = ListKind::ALL.map(|kind| (kind, List::default())).into();
        for stored in memory {
            let held =
                |entities: Vec<Listed>| entities.into_iter().map(|entity| (entity.key(), entity)).collect();
            let list = List {
                held: stored.entities.map(held),
                collected: stored.collected,
                unreadable: stored.unreadable,
                pending: stored.pending,
                ..List::default()
            };
            lists.insert(stored.kind, list);
        }
        Self { machine, lists, under_way: BTreeSet::new() }
    }

    /// What was stored of them is lost, and the sensor was last known to run then. Each list tells it when it is set to
    /// be collected, for only then it is known how long ago it may have been collected last.
    pub fn lose(&mut self, last_alive: Timestamp, detail: &str) {
        for list in self.lists.values_mut() {
            *list = List { lost: Some(Lost { last_alive, detail: detail.to_owned() }), ..List::default() };
        }
    }

    /// Takes up a change that was reported after what was stored.
    pub fn fold(&mut self, event: &ChangeEvent<Listed>) {
        let key = event.change.key.clone();
        let Some(held) = self.list(key.list()).held.as_mut() else { return };
        let before = held.remove(&key);
        if let Some(after) = apply(&event.change, before) {
            held.insert(key, after);
        }
    }

    /// Takes a change back that could not be stored, so that the next collection tells it again.
    pub fn unfold(&mut self, event: &ChangeEvent<Listed>) {
        let key = event.change.key.clone();
        let Some(held) = self.list(key.list()).held.as_mut() else { return };
        match &event.change.before {
            Some(before) => held.insert(key, before.clone()),
            None => held.remove(&key),
        };
    }

    /// What is to be stored for the next start.
    pub fn memory(&self) -> Vec<ListMemory> {
        let stored = |(kind, list): (&ListKind, &List)| ListMemory {
            kind: *kind,
            entities: list.held.as_ref().map(|held| held.values().cloned().collect()),
            collected: list.collected,
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
        let list = self.list(kind);
        match interval_seconds {
            Some(seconds) => {
                if !list.is_on {
                    list.schedule.reset(now);
                }
                list.is_on = true;
                list.schedule.set_interval(now, seconds);
                list.tell_loss(now, kind, seconds, demands);
                list.await_baseline(since.min(now), kind, demands);
            }
            None => {
                let is_known = list.held.is_some() || list.unreadable.is_some() || list.pending.is_some();
                list.close_gaps(now, demands);
                *list = List::default();
                if is_known {
                    demands.push(ListDemand::Remember);
                }
            }
        }
    }

    /// A list that should be collected now. It is under way then, and not due before its answer has been handed to
    /// [`Lists::take`], others are meanwhile.
    pub fn due(&mut self, now: Timestamp) -> Option<ListKind> {
        let under_way = &self.under_way;
        let mut on = self.lists.iter_mut().filter(|(kind, list)| list.is_on && !under_way.contains(kind));
        let due = on.find_map(|(kind, list)| list.schedule.is_due(now).then_some(*kind))?;
        self.under_way.insert(due);
        Some(due)
    }

    /// When the next list should be collected, if any is to be that is not being so.
    pub fn next(&self) -> Option<Timestamp> {
        let waits = |(kind, list): &(&ListKind, &List)| list.is_on && !self.under_way.contains(kind);
        self.lists.iter().filter(waits).map(|(_, list)| list.schedule.next()).min()
    }

    /// True if the list is to be collected and nothing is known of what is in it yet.
    pub fn is_awaited(&self, kind: ListKind) -> bool {
        self.lists.get(&kind).is_some_and(|list| list.is_on && list.held.is_none())
    }

    /// What was last seen of a list.
    pub fn held(&self, kind: ListKind) -> impl Iterator<Item = &Listed> {
        self.lists.get(&kind).and_then(|list| list.held.as_ref()).into_iter().flat_map(BTreeMap::values)
    }

    /// Takes in a list that was collected from `begun` on, or why it could not be.
    pub fn take(
        &mut self,
        now: Timestamp,
        begun: Timestamp,
        kind: ListKind,
        collected: Result<Vec<Listed>, String>,
        demands: &mut Vec<ListDemand>,
    ) {
        let machine = self.machine;
        self.under_way.remove(&kind);
        let list = self.list(kind);
        if !list.is_on {
            return;
        }
        list.schedule.end_scan(begun, now);
        match collected {
            Err(why) => {
                // What keeps it from being read is often over in a moment, as somebody's write to it is.
                list.schedule.bring_to(now.plus_nanos(NANOS_PER_SECOND << list.failures.min(MOST_DOUBLINGS)));
                list.failures = list.failures.saturating_add(1);
                list.open_gap(now, kind, why, demands);
            }
            Ok(entities) => {
                list.failures = 0;
                let was_unreadable = list.unreadable.is_some() || list.pending.is_some();
                list.close_gaps(now, demands);
                let is_changed = list.compare(&machine, now, entities, demands);
                // What changed while it was read may be in it or not.
                list.collected = Some(begun.min(now));
                if is_changed || was_unreadable {
                    demands.push(ListDemand::Remember);
                }
            }
        }
    }

    fn list(&mut self, kind: ListKind) -> &mut List {
        self.lists.entry(kind).or_default()
    }
}

impl List {
    /// Puts what was collected in the place of what is held, and tells the differences. True if there are any.
    fn compare(
        &mut self,
        machine: &[u8; 16],
        now: Timestamp,
        entities: Vec<Listed>,
        demands: &mut Vec<ListDemand>,
    ) -> bool {
        let mut seen: BTreeMap<ListedKey, Listed> =
            entities.into_iter().map(|entity| (entity.key(), entity)).collect();
        let Some(mut held) = self.held.take() else {
            self.held = Some(seen);
            return true;
        };
        let age = self.collected.map(|collected| now.nanos_since(collected) / NANOS_PER_SECOND);
        let age = age.and_then(|seconds| u64::try_from(seconds).ok());
        let mut is_changed = false;
        let mut tell = |before: Option<&Listed>, after: Option<&Listed>| {
            if let Some(change) = diff(before, after, AspectSet::ALL) {
                is_changed = true;
                demands.push(ListDemand::Emit(Box::new(ChangeEvent {
                    id: ChangeId::derive(machine, now, &change),
                    change,
                    source: ChangeSource::Scan,
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
        for (key, after) in &mut seen {
            let before = held.remove(key);
            tell(before.as_ref(), Some(after));
            if let Some(before) = before {
                *after = Listed::absorb(before, after.clone());
            }
        }
        for before in held.values() {
            tell(Some(before), None);
        }
        self.held = Some(seen);
        is_changed
    }

    fn open_gap(&mut self, now: Timestamp, kind: ListKind, why: String, demands: &mut Vec<ListDemand>) {
        if self.unreadable.is_none() {
            let gap = Gap {
                scope: GapScope::List(kind),
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
        if self.held.is_none() && self.pending.is_none() {
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
        for gap in [self.unreadable.take(), self.pending.take()].into_iter().flatten() {
            let end = Some(now.max(gap.start));
            demands.push(ListDemand::Report(Box::new(Gap { end, ..gap })));
        }
    }
}

/// Some three days: no distance is longer than the interval anyway.
const MOST_DOUBLINGS: u32 = 18;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
