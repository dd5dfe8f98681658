//! Looks at a few places outside of a scan's stream, and what the state holds of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{GapCause, GapScope, Hint, Input, Loss, Notice, Spot, WhoUnknown, error_chain};
use fim_log::Disk;
use fim_scan::{FileTree, Scan, ScanControl, ScanOptions, SpotPlan};

use super::Engine;
use crate::overlay::Overlay;
use crate::state_file::{Pair, Pairs, ReadStateError};
use crate::state_store::StateStore;

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Looks at the spots, hands what is there to the tracker, and performs what it demands.
    pub(super) fn look_at(&mut self, spots: Vec<Spot>) {
        if let Err(error) = self.look_at_each(&spots) {
            // The next scan reads all of the state and moves it aside if it is damaged.
            self.trouble(error_chain(&error));
        }
        self.take_in(Input::SpotsEnded);
    }

    fn look_at_each(&mut self, spots: &[Spot]) -> Result<(), ReadStateError> {
        // Taken out while it is read, so that the engine is free for what comes of it.
        let mut blocks = match self.blocks.take() {
            Some(blocks) => Some(blocks),
            None => self.parts.store.blocks()?,
        };
        let held = blocks.as_mut().map(|blocks| blocks.at(spots));
        let state = self.recent.at(spots).over(held.into_iter().flatten());
        let plan = Arc::new(SpotPlan::new((*self.plan).clone(), spots.to_vec()));
        let control = Arc::new(ScanControl::default());
        // Nothing else is done meanwhile, so that it may not take long. What is larger is read beside.
        let most_file_bytes = Some(MOST_SPOT_BYTES);
        let options = ScanOptions { threads: 0, most_file_bytes, ..self.parts.scan_options };
        let large = Arc::clone(&self.parts.large);
        let scan = match Scan::start_beside(self.spot_tree(), plan, options, control, large) {
            Ok(scan) => scan,
            Err(error) => {
                self.trouble(error_chain(&error));
                return Ok(());
            }
        };
        let mut pairs = Pairs::new(state, scan);
        for pair in pairs.by_ref() {
            let Pair { before, seen } = pair?;
            self.judge(Input::SpotLooked { before, seen });
            if self.parts.inbox.is_stopping() {
                return Ok(());
            }
        }
        match pairs.source().end() {
            fim_scan::ScanEnd::Complete => {}
            // What was not seen is not gone.
            fim_scan::ScanEnd::CutShort { .. } => {
                self.judge(Input::Noticed(self.unseen()));
                return Ok(());
            }
        }
        for before in pairs.into_rest() {
            self.judge(Input::SpotLooked { before: Some(Box::new(before?)), seen: None });
        }
        self.blocks = blocks;
        Ok(())
    }

    /// That spots could not be looked at.
    fn unseen(&self) -> Hint {
        let now = (self.parts.clock)();
        let detail = "the file system did not answer when changes were looked into".to_owned();
        let loss = Loss { scope: GapScope::Everything, since: now, cause: GapCause::NoticesLost, detail };
        Hint { notice: Notice::Lost(loss), time: now, by: Err(WhoUnknown::NotTold) }
    }

    /// Hands one place to the tracker and performs what it demands, without making it durable yet.
    fn judge(&mut self, input: Input) {
        let mut demands = Vec::new();
        self.tracker.handle((self.parts.clock)(), input, &mut demands);
        for demand in demands {
            self.perform(demand);
        }
    }

    /// The tree as it is now; what it knows of users is some seconds old at most.
    fn spot_tree(&mut self) -> Arc<T> {
        match &self.spot_tree {
            Some((made, tree)) if made.elapsed() < TREE_LASTS => Arc::clone(tree),
            Some(_) | None => {
                let tree = (self.parts.tree)();
                self.spot_tree = Some((Instant::now(), Arc::clone(&tree)));
                tree
            }
        }
    }

    /// Learns from the spool what is known since the state was written. Without a state there is nothing to fold over.
    pub(super) fn recall(&mut self) {
        if !self.parts.store.has_state() {
            self.recent = Overlay::default();
            return;
        }
        let disk = self.parts.disk.clone();
        if let Err(error) = self.catch_up(&disk) {
            self.trouble(error);
        }
        let since = self.parts.store.spool_sequence();
        let spool = self.parts.spool.lock();
        self.recent.fold_in(spool.reports_after(since));
    }

    /// Writes a new state once much is known that the old one does not have, so that memory is bounded.
    pub(super) fn make_room_in_memory(&mut self) {
        if self.recent.len() < self.most_overlaid || !self.parts.store.has_state() || !self.sync_spool() {
            return;
        }
        let contained = self.parts.spool.lock().last_durable();
        let disk = self.parts.disk.clone();
        if let Err(why) = self.write_state(&disk) {
            return self.trouble(why);
        }
        let notes = self.notes(contained, self.tracker.memory());
        let kept = self.parts.store.adopt(notes);
        self.note_kept(kept.err().map(|error| error_chain(&error)));
        self.recent = Overlay::default();
        self.blocks = None;
    }

    fn write_state(&mut self, disk: &D) -> Result<(), String> {
        let store = &self.parts.store;
        let held = store.entities().map_err(|error| error_chain(&error))?;
        let mut writer = store.begin(disk).map_err(|error| error_chain(&error))?;
        for entity in self.recent.clone().over(held.into_iter().flatten()) {
            let entity = entity.map_err(|error| error_chain(&error))?;
            writer.push(&entity).map_err(|error| error_chain(&error))?;
        }
        StateStore::finish(writer).map(drop).map_err(|error| error_chain(&error))
    }
}

const TREE_LASTS: Duration = Duration::from_secs(10);

/// The largest file that is read while everything else waits.
const MOST_SPOT_BYTES: u64 = 64 << 20;
