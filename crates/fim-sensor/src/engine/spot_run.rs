//! Looks at a few places outside of a scan's stream, and what the state holds of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{Entity, EntityPath, Input, Spot, SpotsEnd, error_chain};
use fim_log::Disk;
use fim_scan::{FileTree, Scan, ScanControl, ScanOptions, SpotPlan};

use super::Engine;
use crate::overlay::Overlay;
use crate::state_file::{Pair, Pairs, ReadStateError};
use crate::state_store::StateStore;

/// What spots showed while a scan was under way.
#[derive(Debug)]
pub(super) struct Meanwhile {
    /// What they told.
    pub(super) overlay: Overlay,
    /// The spool's last record when the scan began.
    pub(super) since: u64,
    /// The places that were looked at, and whether with all below.
    looked: BTreeMap<EntityPath, bool>,
}

impl Meanwhile {
    pub(super) fn since(since: u64) -> Self {
        Self { overlay: Overlay::default(), since, looked: BTreeMap::new() }
    }

    /// What is known of a place by now, if a spot showed it since the scan began. `held` is what was known then.
    pub(super) fn newer(&self, path: &EntityPath, held: &Option<Box<Entity>>) -> Option<Option<Box<Entity>>> {
        if let Some(newer) = self.overlay.get(path) {
            return Some(newer.clone().map(Box::new));
        }
        let is_deep = |above: EntityPath| self.looked.get(&above).is_some_and(|is_deep| *is_deep);
        let was_looked_at = !self.looked.is_empty()
            && (self.looked.contains_key(path)
                || std::iter::successors(path.parent(), EntityPath::parent).any(is_deep));
        was_looked_at.then(|| held.clone())
    }

    fn look(&mut self, spots: &[Spot]) {
        for spot in spots {
            *self.looked.entry(spot.path.clone()).or_default() |= spot.is_deep;
        }
    }
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Looks at the spots, hands what is there to the tracker, and performs what it demands.
    pub(super) fn look_at(&mut self, spots: Vec<Spot>) {
        let control = Arc::new(ScanControl::default());
        // A stop ends the look, and the scan under way after it.
        self.parts.inbox.set_scan(Some(Arc::clone(&control)));
        let end = match self.look_at_each(&spots, &control) {
            Ok(end) => end,
            Err(error) => {
                // The next scan reads all of the state and moves it aside if it is damaged.
                let why = error_chain(&error);
                self.trouble(why.clone());
                SpotsEnd::CutShort { why }
            }
        };
        self.parts.inbox.set_scan(self.control.clone());
        self.leave_behind(control);
        match (&end, &mut self.meanwhile) {
            (SpotsEnd::Complete, Some(meanwhile)) => meanwhile.look(&spots),
            (SpotsEnd::Complete, None) => {}
            (SpotsEnd::CutShort { why }, _) => tracing::warn!(why, "changes could not be looked into"),
        }
        self.take_in(Input::SpotsEnded(end));
    }

    fn look_at_each(
        &mut self,
        spots: &[Spot],
        control: &Arc<ScanControl>,
    ) -> Result<SpotsEnd, ReadStateError> {
        if let Some(why) = self.why_not_scan() {
            return Ok(SpotsEnd::CutShort { why });
        }
        // Taken out while it is read, so that the engine is free for what comes of it.
        let mut blocks = match self.blocks.take() {
            Some(blocks) => Some(blocks),
            None => self.parts.store.blocks()?,
        };
        let held = blocks.as_mut().map(|blocks| blocks.at(spots));
        let state = self.recent.at(spots).over(held.into_iter().flatten());
        let plan = Arc::new(SpotPlan::new((*self.plan).clone(), spots.to_vec()));
        // Nothing else is done meanwhile, so that it may not take long. What is larger is read beside.
        let most_file_bytes = Some(MOST_SPOT_BYTES);
        let options = ScanOptions { threads: 0, most_file_bytes, ..self.parts.scan_options };
        let large = Arc::clone(&self.parts.large);
        let scan = match Scan::start_beside(self.spot_tree(), plan, options, Arc::clone(control), large) {
            Ok(scan) => scan,
            Err(error) => {
                let why = error_chain(&error);
                self.trouble(why.clone());
                return Ok(SpotsEnd::CutShort { why });
            }
        };
        let mut pairs = Pairs::new(state, scan);
        for pair in pairs.by_ref() {
            let Pair { before, seen } = pair?;
            self.judge(Input::SpotLooked { before, seen });
        }
        match pairs.source().end() {
            fim_scan::ScanEnd::Complete => {}
            // What was not seen is not gone.
            fim_scan::ScanEnd::CutShort { .. } => {
                return Ok(SpotsEnd::CutShort { why: self.why_cut_short(control) });
            }
        }
        for before in pairs.into_rest() {
            self.judge(Input::SpotLooked { before: Some(Box::new(before?)), seen: None });
        }
        self.blocks = blocks;
        Ok(SpotsEnd::Complete)
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
