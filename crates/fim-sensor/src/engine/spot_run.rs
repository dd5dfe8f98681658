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

/// How a look at some spots ended.
enum Looked {
    All,
    /// The file system did not answer at the spot of that number.
    UpTo {
        next: usize,
        why: String,
    },
    Stopped {
        why: String,
    },
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Looks at the spots that are due while there is room for what comes of it.
    pub(super) fn look_at_due_spots(&mut self) {
        while !self.parts.inbox.is_stopping()
            && self.has_room_for_spots()
            && let Some(spots) = self.due_spots.take()
        {
            self.look_at(spots);
        }
    }

    /// Looks at the spots, hands what is there to the tracker, and performs what it demands.
    pub(super) fn look_at(&mut self, spots: Vec<Spot>) {
        let end = match self.look_at_each(&spots) {
            Ok(end) => end,
            Err(error) => {
                // The next scan reads all of the state and moves it aside if it is damaged.
                let why = error_chain(&error);
                self.trouble(why.clone());
                SpotsEnd::CutShort { why }
            }
        };
        match (&end, &mut self.meanwhile) {
            (SpotsEnd::Complete, Some(meanwhile)) => meanwhile.look(&spots),
            (SpotsEnd::Stalled { at, why }, meanwhile) => {
                tracing::warn!(path = %at, why, "changes could not be looked into; others are");
                let before = spots.partition_point(|spot| spot.path < *at);
                meanwhile.iter_mut().for_each(|meanwhile| meanwhile.look(&spots[..before]));
            }
            (SpotsEnd::Complete, None) => {}
            (SpotsEnd::CutShort { why }, _) => tracing::warn!(why, "changes could not be looked into"),
        }
        self.take_in(Input::SpotsEnded(end));
    }

    /// Looks at one spot after the other. Where the file system does not answer, the spot that is next is looked at alone
    /// to know whether it is the one: files are read two at a time.
    fn look_at_each(&mut self, spots: &[Spot]) -> Result<SpotsEnd, ReadStateError> {
        let (mut done, mut is_alone) = (0, false);
        while done < spots.len() {
            let left = &spots[done..];
            let free = left.iter().position(|spot| self.is_stuck(spot)).unwrap_or(left.len());
            if free == 0 {
                let why = "the file system still does not answer an earlier look".to_owned();
                return Ok(SpotsEnd::Stalled { at: left[0].path.clone(), why });
            }
            let some = if is_alone { &left[..1] } else { &left[..free] };
            match self.look_at_some(some)? {
                Looked::All => {
                    done += some.len();
                    is_alone = false;
                }
                Looked::UpTo { next, why } => {
                    done += next;
                    if some.len() == 1 {
                        return Ok(SpotsEnd::Stalled { at: some[0].path.clone(), why });
                    }
                    is_alone = true;
                }
                Looked::Stopped { why } => return Ok(SpotsEnd::CutShort { why }),
            }
        }
        Ok(SpotsEnd::Complete)
    }

    /// Looks at spots until all have been, or the file system does not answer.
    fn look_at_some(&mut self, spots: &[Spot]) -> Result<Looked, ReadStateError> {
        let control = Arc::new(ScanControl::noting(Arc::clone(&self.parts.known)));
        // A stop ends the look, and the scan under way after it.
        self.parts.inbox.set_scan(Some(Arc::clone(&control)));
        let looked = self.stream_spots(spots, &control);
        self.parts.inbox.set_scan(self.control.clone());
        if let (Ok(Looked::UpTo { .. }), [spot]) = (&looked, spots) {
            self.stuck.push((spot.path.clone(), Arc::clone(&control)));
        }
        self.leave_behind(control);
        looked
    }

    fn stream_spots(&mut self, spots: &[Spot], control: &Arc<ScanControl>) -> Result<Looked, ReadStateError> {
        if let Some(why) = self.why_not_scan() {
            return Ok(Looked::Stopped { why });
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
        let patience = self.parts.scan_options.patience.map(|patience| patience.min(SPOT_PATIENCE));
        let options = ScanOptions { threads: 0, most_file_bytes, patience, ..self.parts.scan_options };
        let large = Arc::clone(&self.parts.large);
        let scan = match Scan::start_beside(self.spot_tree(), plan, options, Arc::clone(control), large) {
            Ok(scan) => scan,
            Err(error) => {
                let why = error_chain(&error);
                self.trouble(why.clone());
                return Ok(Looked::Stopped { why });
            }
        };
        let mut pairs = Pairs::new(state, scan);
        let mut last = None;
        for pair in pairs.by_ref() {
            let Pair { before, seen } = pair?;
            if let Some(seen) = &seen {
                last = Some(seen.path().clone());
            }
            self.judge(Input::SpotLooked { before, seen });
            self.step();
        }
        match pairs.source().end() {
            fim_scan::ScanEnd::Complete => {}
            // What was not seen is not gone.
            fim_scan::ScanEnd::CutShort { .. } => {
                let why = self.why_cut_short(control, patience);
                if !control.is_stalled() || self.parts.inbox.is_stopping() {
                    return Ok(Looked::Stopped { why });
                }
                let next = last.map_or(0, |last| spots.partition_point(|spot| spot.path <= last));
                // Within a deep one it is not known whether there is more.
                let within = next.checked_sub(1).filter(|&within| spots[within].is_deep);
                return Ok(Looked::UpTo { next: within.unwrap_or(next).min(spots.len() - 1), why });
            }
        }
        for before in pairs.into_rest() {
            self.judge(Input::SpotLooked { before: Some(Box::new(before?)), seen: None });
        }
        self.blocks = blocks;
        Ok(Looked::All)
    }

    /// True if a thread still waits for the file system there, or within.
    fn is_stuck(&mut self, spot: &Spot) -> bool {
        self.stuck.retain(|(_, control)| control.live_threads() > 0);
        self.stuck
            .iter()
            .any(|(path, _)| spot.path.is_within(path) || (spot.is_deep && path.is_within(&spot.path)))
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

/// How long the file system may take for one answer while everything else waits.
const SPOT_PATIENCE: Duration = Duration::from_secs(10);

/// The largest file that is read while everything else waits.
const MOST_SPOT_BYTES: u64 = 64 << 20;
