//! The lists: collecting those that are due, and what there is as an inventory.

use fim_core::{ChangeEvent, Entity, ListDemand, ListKind, Listed, Lists, Timestamp, error_chain};
use fim_log::Disk;
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
}

/// Telling what there is, from time to time.
#[derive(Debug, Default)]
struct InventoryRun {
    interval_seconds: Option<u64>,
    /// When all was told last.
    last: Option<Timestamp>,
    /// True while a scan tells what it sees.
    is_under_way: bool,
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
        let mut lists = Lists::new(parts.machine, kept.lists.clone());
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
        Self { lists, store, is_stale, inventory }
    }

    /// Up to which record the spool may forget what it says of lists.
    pub(super) fn contained(&self) -> u64 {
        if self.is_stale { self.store.durable_sequence() } else { u64::MAX }
    }
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Collects lists by these settings from now on.
    pub(super) fn set_lists(&mut self, settings: &Settings) {
        let now = (self.parts.clock)();
        let mut demands = Vec::new();
        for (kind, interval) in [
            (ListKind::Daemons, settings.daemon_interval_seconds),
            (ListKind::Software, settings.software_interval_seconds),
        ] {
            let interval = interval.filter(|_| settings.fim_enabled);
            let since = settings.since.unwrap_or(now);
            self.list_run.lists.set(now, since, kind, interval, &mut demands);
        }
        self.list_run.inventory.interval_seconds =
            settings.inventory_interval_seconds.filter(|_| settings.fim_enabled);
        self.perform_lists(demands);
    }

    /// Collects every list that is due.
    pub(super) fn collect_lists(&mut self) {
        while !self.parts.inbox.is_stopping() {
            let Some(kind) = self.list_run.lists.due((self.parts.clock)()) else { break };
            let tree = (self.parts.tree)();
            let collected = lists::collect(&*tree, kind).map_err(|error| error_chain(&error));
            if let Err(error) = &collected {
                tracing::warn!(error, list = kind.name(), "a list cannot be collected");
            }
            let mut demands = Vec::new();
            self.list_run.lists.take((self.parts.clock)(), kind, collected, &mut demands);
            self.perform_lists(demands);
        }
        if self.list_run.is_stale {
            self.keep_lists();
        }
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
            self.tell_inventory(Seen::File(entity.clone()));
        }
    }

    /// The scan has told all files that there are; the lists follow.
    pub(super) fn end_inventory(&mut self, is_complete: bool) {
        if !std::mem::take(&mut self.list_run.inventory.is_under_way) || !is_complete {
            return;
        }
        self.list_run.inventory.is_under_way = true;
        let listed: Vec<Listed> = self.list_run.lists.held().cloned().collect();
        for entity in listed {
            self.tell_inventory(Seen::Listed(entity));
        }
        if std::mem::take(&mut self.list_run.inventory.is_under_way) {
            self.list_run.inventory.last = Some((self.parts.clock)());
            self.list_run.is_stale = true;
            self.keep_lists();
        }
    }

    fn tell_inventory(&mut self, seen: Seen) {
        if !self.list_run.inventory.is_under_way {
            return;
        }
        let has_room = self.parts.spool.lock().has_room_to_spare();
        let observed = (self.parts.clock)();
        self.list_run.inventory.is_under_way =
            has_room && self.spool(&Report::Inventory(Inventory { observed, seen }));
    }
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
