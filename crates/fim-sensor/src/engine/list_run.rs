//! The lists: collecting what of them is due, and what there is as an inventory.
//!
//! Each part is read in a thread of its own, so that a file system that does not answer holds up nothing but the part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fim_core::{
    ChangeEvent, Entity, ListDemand, ListKind, ListPart, Listed, Lists, Timestamp, Uncollected, error_chain,
};
use fim_log::Disk;
use fim_scan::lists::CollectError;
use fim_scan::{FileTree, lists};
use fim_wire::{Inventory, Report, Seen};

use super::{Engine, EngineParts};
use crate::list_store::{Kept, ListStore};
use crate::settings::Settings;

/// The lists with what is kept of them.
pub(super) struct ListRun<D: Disk> {
    pub(super) lists: Lists,
    store: ListStore<D>,
    /// True if the file is an older one.
    is_stale: bool,
    inventory: InventoryRun,
    /// The parts that are being read, one thread each.
    reading: BTreeMap<ListPart, Reading>,
    answers: mpsc::Receiver<Answer>,
    answer_to: mpsc::Sender<Answer>,
}

/// A part that is being read.
#[derive(Clone, Copy, Debug)]
struct Reading {
    begun: Instant,
    /// By the machine's clock.
    begun_at: Timestamp,
    /// True once the part is told as one that cannot be read.
    is_given_up: bool,
}

/// What is in a part, or why it cannot be read.
type Answer = (ListPart, Result<Vec<Listed>, Uncollected>);

/// Telling what there is, from time to time.
#[derive(Debug, Default)]
struct InventoryRun {
    interval_seconds: Option<u64>,
    /// When all was told last.
    last: Option<Timestamp>,
    /// True while a scan tells what it sees.
    is_under_way: bool,
    /// Lists that were not known when the rest was told: they follow once they are.
    owed: BTreeSet<ListKind>,
}

impl<D: Disk + Clone> ListRun<D> {
    /// Goes on where the last run ended, with what the spool has since then. From the first start on, `is_first`, there
    /// is always a file: a directory without one has lost it. That is told once the lists are set to be collected; it is
    /// found again until then.
    pub(super) fn open<T: FileTree>(
        parts: &EngineParts<T, D>,
        is_first: bool,
        last_alive: Option<Timestamp>,
    ) -> Self {
        let now = (parts.clock)();
        let (mut store, kept, damage) = ListStore::open(parts.disk.clone(), parts.store.dir(), is_first, now);
        let mut lists = Lists::new(parts.machine, parts.style, kept.lists.clone());
        let reports = parts.spool.lock();
        // A spool that somebody emptied counts from one again; folding a report twice is folding it once.
        let since =
            Some(store.durable_sequence()).filter(|&since| since <= reports.last_durable()).unwrap_or(0);
        for (_, report) in reports.reports_after(since) {
            if let Report::Listed(event) = report {
                lists.fold(&event);
            }
        }
        drop(reports);
        if let Some(detail) = damage {
            tracing::error!(detail, "what was known of the lists is lost; they are collected anew");
            lists.lose(last_alive.unwrap_or(now), &detail);
        }
        let mut is_stale = false;
        if is_first && let Err(error) = store.keep(&kept) {
            tracing::error!(error = error_chain(&error), "cannot begin to keep the lists");
            is_stale = true;
        }
        let inventory = InventoryRun { last: kept.inventory, ..InventoryRun::default() };
        let (answer_to, answers) = mpsc::channel();
        Self { lists, store, is_stale, inventory, reading: BTreeMap::new(), answers, answer_to }
    }

    /// Up to which record the spool may forget what it says of lists.
    pub(super) fn contained(&self) -> u64 {
        if self.is_stale { self.store.durable_sequence() } else { u64::MAX }
    }

    /// When the patience with what is being read ends.
    pub(super) fn patience_end(&self, patience: Option<Duration>) -> Option<Instant> {
        let waits = self.reading.values().filter(|reading| !reading.is_given_up);
        waits.map(|reading| reading.begun).min().zip(patience).map(|(begun, patience)| begun + patience)
    }

    /// The parts that have been waited for long enough; each is named once.
    fn give_up(&mut self, patience: Option<Duration>) -> Vec<(ListPart, Timestamp)> {
        let Some(patience) = patience else { return Vec::new() };
        let mut given_up = Vec::new();
        for (part, reading) in &mut self.reading {
            if !reading.is_given_up && reading.begun.elapsed() >= patience {
                reading.is_given_up = true;
                given_up.push((*part, reading.begun_at));
            }
        }
        given_up
    }
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Collects lists by these settings from now on.
    pub(super) fn set_lists(&mut self, settings: &Settings) {
        let now = (self.parts.clock)();
        let mut demands = Vec::new();
        for kind in ListKind::of(self.parts.style) {
            let interval = match kind {
                ListKind::Daemons | ListKind::Services => settings.daemon_interval_seconds,
                ListKind::Software => settings.software_interval_seconds,
            };
            let interval = interval.filter(|_| settings.fim_enabled);
            let since = settings.since.unwrap_or(now);
            self.list_run.lists.set(now, since, kind, interval, &mut demands);
        }
        self.list_run.inventory.interval_seconds =
            settings.inventory_interval_seconds.filter(|_| settings.fim_enabled);
        self.perform_lists(demands);
    }

    /// Takes in what was noticed of lists and what has been read of them, and has read what is due.
    pub(super) fn collect_lists(&mut self) {
        self.take_list_notices();
        while let Ok(answer) = self.list_run.answers.try_recv() {
            self.take_part(answer);
        }
        let patience = self.list_patience;
        for (part, begun) in self.list_run.give_up(patience) {
            let seconds = patience.unwrap_or_default().as_secs();
            self.judge_part(
                part,
                begun,
                unread(format!("the file system did not answer for {seconds} seconds")),
            );
        }
        while !self.parts.inbox.is_stopping() {
            let now = (self.parts.clock)();
            let Some(part) = self.list_run.lists.due(now) else { break };
            if self.list_run.reading.contains_key(&part) {
                let why = "the file system still does not answer an earlier look at it".to_owned();
                self.judge_part(part, now, unread(why));
            } else if let Err(why) = self.read_part(part, now) {
                self.judge_part(part, now, unread(why));
            }
        }
        self.await_lists(self.list_turn);
        if self.list_run.is_stale {
            self.keep_lists();
        }
    }

    fn take_list_notices(&mut self) {
        let notices = self.parts.inbox.take_list_notices();
        let now = (self.parts.clock)();
        for part in notices.touched {
            self.list_run.lists.touch(now, part);
        }
        if let Some(since) = notices.lost_since {
            let mut demands = Vec::new();
            let detail = "the kernel's queue of notices of lists was full";
            self.list_run.lists.lose_notices(now, since, detail, &mut demands);
            self.perform_lists(demands);
        }
    }

    /// Waits for the parts that have just begun to be read: most are there at once, and a scan that begins after them
    /// leaves them the disk.
    pub(super) fn await_lists(&mut self, most: Duration) {
        loop {
            let is_fresh = |reading: &Reading| reading.begun.elapsed() < most;
            let fresh = self.list_run.reading.values().filter(|reading| is_fresh(reading));
            let Some(begun) = fresh.map(|reading| reading.begun).min() else { return };
            match self.list_run.answers.recv_timeout((begun + most).saturating_duration_since(Instant::now()))
            {
                Ok(answer) => self.take_part(answer),
                Err(_) => return,
            }
        }
    }

    /// Begins to read a part in a thread; it answers and wakes the engine. A thread that the file system does not let
    /// go stays behind alone: no other is begun for its part.
    fn read_part(&mut self, part: ListPart, now: Timestamp) -> Result<(), String> {
        let (tree, inbox) = (Arc::clone(&self.parts.tree), Arc::clone(&self.parts.inbox));
        let watcher = self.parts.list_watcher.clone();
        let answer_to = self.list_run.answer_to.clone();
        let read = move || {
            if let Some(watcher) = &watcher {
                watcher.begin(part);
            }
            let reads = |place: lists::Place<'_>| {
                if let Some(watcher) = &watcher {
                    watcher.reads(part, place);
                }
            };
            let collected = lists::collect(&*tree(), part, &reads);
            if let Some(watcher) = &watcher {
                watcher.end(part, collected.is_ok());
            }
            // An engine that has ended wants no answer.
            let _ = answer_to.send((part, collected.map_err(|error| why_not(&error))));
            inbox.ring();
        };
        let builder = thread::Builder::new().name(format!("list-{}", part.name()));
        builder.spawn(read).map_err(|error| format!("the system gives no thread to read it: {error}"))?;
        let reading = Reading { begun: Instant::now(), begun_at: now, is_given_up: false };
        self.list_run.reading.insert(part, reading);
        Ok(())
    }

    fn take_part(&mut self, (part, collected): Answer) {
        let reading = self.list_run.reading.remove(&part);
        let begun = reading.map_or_else(|| (self.parts.clock)(), |reading| reading.begun_at);
        self.judge_part(part, begun, collected);
        let kind = part.list();
        if !self.list_run.lists.is_awaited(kind) && self.list_run.inventory.owed.remove(&kind) {
            self.tell_list(kind);
        }
    }

    fn judge_part(&mut self, part: ListPart, begun: Timestamp, collected: Result<Vec<Listed>, Uncollected>) {
        if let Err(Uncollected::Unreadable(error)) = &collected {
            tracing::warn!(
                error,
                list = part.list().name(),
                part = part.name(),
                "a list cannot be collected"
            );
        }
        let mut demands = Vec::new();
        self.list_run.lists.take((self.parts.clock)(), begun, part, collected, &mut demands);
        self.perform_lists(demands);
    }

    fn perform_lists(&mut self, demands: Vec<ListDemand>) {
        for demand in demands {
            match demand {
                ListDemand::Emit(event) => self.emit_listed(*event),
                ListDemand::Report(gap) => self.report(*gap),
                ListDemand::Remember => self.list_run.is_stale = true,
            }
        }
        self.sync_spool();
    }

    fn emit_listed(&mut self, event: ChangeEvent<Listed>) {
        let report = Report::Listed(event);
        if self.spool(&report) {
            self.list_run.is_stale = true;
        } else if let Report::Listed(event) = &report {
            // The next collection finds it again.
            self.list_run.lists.unfold(event);
        }
    }

    /// Keeps what is known of the lists; nothing of it may leave the spool before.
    fn keep_lists(&mut self) {
        // What is lost of them can be found no more once they are kept: that must be in the spool by then.
        if !self.sync_spool() || !self.waiting_gaps.is_empty() {
            return;
        }
        let kept = Kept {
            spool_sequence: self.parts.spool.lock().last_durable(),
            inventory: self.list_run.inventory.last,
            lists: self.list_run.lists.memory(),
        };
        match self.list_run.store.keep(&kept) {
            Ok(()) => self.list_run.is_stale = false,
            Err(error) => self.trouble(error_chain(&error)),
        }
    }

    /// Decides whether the scan that begins tells all that it sees.
    pub(super) fn begin_inventory(&mut self) {
        let now = (self.parts.clock)();
        let inventory = &self.list_run.inventory;
        let is_due = inventory.interval_seconds.is_some_and(|seconds| {
            let interval = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(NANOS_PER_SECOND);
            // A clock that was set back far does not put it off for ever.
            inventory.last.is_none_or(|last| now.nanos_since(last) >= interval || last > now)
        });
        self.list_run.inventory.is_under_way = is_due;
    }

    /// Tells an entity, if the scan under way is to tell all. Changes come first: the inventory takes no more than
    /// half of the spool, and what did not fit is told by a later scan.
    pub(super) fn inventory(&mut self, entity: &Entity) {
        if self.list_run.inventory.is_under_way {
            self.list_run.inventory.is_under_way = self.spool_inventory(Seen::File(entity.clone()));
        }
    }

    /// The scan has told all files that there are; the lists follow.
    pub(super) fn end_inventory(&mut self, is_complete: bool) {
        if !std::mem::take(&mut self.list_run.inventory.is_under_way) || !is_complete {
            return;
        }
        let (awaited, known): (Vec<_>, Vec<_>) = ListKind::of(self.parts.style)
            .into_iter()
            .partition(|kind| self.list_run.lists.is_awaited(*kind));
        self.list_run.inventory.owed.extend(awaited);
        if known.into_iter().all(|kind| self.tell_list(kind)) {
            self.list_run.inventory.last = Some((self.parts.clock)());
            self.list_run.is_stale = true;
            self.keep_lists();
        }
    }

    /// Tells what there is of a list; false if there is no room for all of it.
    fn tell_list(&mut self, kind: ListKind) -> bool {
        let listed: Vec<Listed> = self.list_run.lists.held(kind).cloned().collect();
        listed.into_iter().all(|entity| self.spool_inventory(Seen::Listed(entity)))
    }

    /// Puts a part of an inventory into the spool; false if it has no room for that.
    fn spool_inventory(&mut self, seen: Seen) -> bool {
        let observed = (self.parts.clock)();
        let has_room = self.parts.spool.lock().has_room_to_spare();
        has_room && self.spool(&Report::Inventory(Inventory { observed, seen }))
    }
}

fn why_not(error: &CollectError) -> Uncollected {
    if error.is_missing() {
        Uncollected::Missing(error_chain(error))
    } else {
        Uncollected::Unreadable(error_chain(error))
    }
}

fn unread(why: String) -> Result<Vec<Listed>, Uncollected> {
    Err(Uncollected::Unreadable(why))
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
