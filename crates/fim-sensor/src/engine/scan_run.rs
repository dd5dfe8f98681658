//! One scan: the stream of what the state held and what is seen, and the state that comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{Demand, Entity, EntityKey, EntityPath, Input, Observation, ScanEnd, ScanPlan, error_chain};
use fim_log::Disk;
use fim_scan::{FileTree, Scan, ScanControl, ScanOptions};
use fim_wire::Report;

use super::Engine;
use super::spot_run::Meanwhile;
use crate::inbox::Message;
use crate::overlay::Overlay;
use crate::state_file::{Pair, Pairs, ReadStateError, StateWriter, WriteStateError};
use crate::state_store::StateStore;
use crate::status::{ScanProgress, ScanSummary};
use crate::time::rfc3339;

/// What comes of a scan while it runs.
struct Harvest<'d, D: Disk> {
    /// The state that shall follow; nothing once it could not be written.
    writer: Option<StateWriter<'d, D>>,
    /// Why it could not.
    write_error: Option<WriteStateError>,
    /// True if it differs from the state file in force.
    is_changed: bool,
    changes: u64,
    /// Changes that the spool had no room for; the state keeps what it held, so that the next scan finds them again.
    refused: u64,
    demands: Vec<Demand>,
    started: Instant,
    last_pause: Instant,
    last_sync: Instant,
}

/// How the stream of a scan ended.
enum StreamEnd {
    Complete,
    CutShort {
        after: Option<EntityPath>,
        why: String,
    },
    /// The state that the scan is compared with cannot be read on.
    StateUnreadable(ReadStateError),
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Scans by the plan, and puts what comes of it in force.
    pub(super) fn run_scan(&mut self, plan: ScanPlan) {
        let control = Arc::new(ScanControl::noting(Arc::clone(&self.parts.known)));
        self.parts.inbox.set_scan(Some(Arc::clone(&control)));
        self.control = Some(Arc::clone(&control));
        self.elsewhere.begin_scan();
        self.show();
        self.begin_inventory();
        self.parts.known.begin();
        let disk = self.parts.disk.clone();
        if let Err(error) = self.catch_up(&disk) {
            // The scan meets the same trouble, and tells what comes of it.
            self.trouble(error);
        }
        self.blocks = None;
        let begun = self.parts.store.begin(&disk);
        let (writer, write_error) = match begun {
            Ok(writer) => (Some(writer), None),
            Err(error) => (None, Some(error)),
        };
        let started = Instant::now();
        let mut harvest = Harvest {
            writer,
            write_error,
            is_changed: false,
            changes: 0,
            refused: 0,
            demands: Vec::new(),
            started,
            last_pause: started,
            last_sync: started,
        };
        let since = self.parts.spool.lock().last_durable();
        self.meanwhile = Some(Meanwhile::since(since));
        let end = self.stream(plan, &control, &mut harvest);
        let meanwhile = self.meanwhile.take().unwrap_or_else(|| Meanwhile::since(since));
        self.end_inventory(matches!(end, StreamEnd::Complete));
        self.parts.known.end(matches!(end, StreamEnd::Complete));
        self.parts.inbox.set_scan(None);
        self.control = None;
        self.leave_behind(Arc::clone(&control));
        self.end_scan(end, &control, harvest, meanwhile);
        self.elsewhere.end_scan();
    }

    /// Brings the state so near to the spool that what is left between them can be held in memory.
    pub(super) fn catch_up(&mut self, disk: &D) -> Result<(), String> {
        loop {
            let Some(held) = self.parts.store.entities().map_err(|error| error_chain(&error))? else {
                return Ok(());
            };
            let since = self.parts.store.spool_sequence();
            let (overlay, left_at) =
                Overlay::fold(self.parts.spool.lock().reports_after(since), self.most_overlaid);
            let Some(taken) = left_at else { return Ok(()) };
            let mut writer = self.parts.store.begin(disk).map_err(|error| error_chain(&error))?;
            for entity in overlay.over(held) {
                let entity = entity.map_err(|error| error_chain(&error))?;
                writer.push(&entity).map_err(|error| error_chain(&error))?;
            }
            StateStore::<D>::finish(writer).map_err(|error| error_chain(&error))?;
            let notes = self.notes(taken, self.tracker.memory());
            let adopted = self.parts.store.adopt(notes);
            self.note_kept(adopted.err().map(|error| error_chain(&error)));
        }
    }

    /// Hands the whole stream to the tracker.
    fn stream(
        &mut self,
        plan: ScanPlan,
        control: &Arc<ScanControl>,
        harvest: &mut Harvest<'_, D>,
    ) -> StreamEnd {
        if let Some(why) = self.why_not_scan() {
            return StreamEnd::CutShort { after: None, why };
        }
        let held = match self.parts.store.entities() {
            Ok(held) => held,
            Err(error) => return StreamEnd::StateUnreadable(error),
        };
        harvest.is_changed = held.is_none() || !self.recent.is_empty();
        let state = self.recent.clone().over(held.into_iter().flatten());
        let tree = (self.parts.tree)();
        let large = Arc::clone(&self.parts.large);
        let most_file_bytes = Some(large.scanned_bytes());
        let options = ScanOptions { most_file_bytes, ..self.parts.scan_options };
        let scan = match Scan::start_beside(tree, Arc::new(plan), options, Arc::clone(control), large) {
            Ok(scan) => scan,
            Err(error) => return StreamEnd::CutShort { after: None, why: error_chain(&error) },
        };
        let mut pairs = Pairs::new(state, scan);
        loop {
            // One file may take minutes, and hints must not wait for it.
            while pairs.needs_observation() && !pairs.source().is_ready(self.pause) {
                self.pause_for_others(control, harvest);
            }
            let Some(pair) = pairs.next() else { break };
            match pair {
                Ok(Pair { before, seen }) => self.look(before, seen, harvest),
                Err(error) => return StreamEnd::StateUnreadable(error),
            }
            self.pause_for_others(control, harvest);
        }
        match pairs.source().end() {
            fim_scan::ScanEnd::CutShort { after } => {
                return StreamEnd::CutShort {
                    after,
                    why: self.why_cut_short(control, self.parts.scan_options.patience),
                };
            }
            fim_scan::ScanEnd::Complete => {}
        }
        for before in pairs.into_rest() {
            match before {
                Ok(before) => self.look(Some(Box::new(before)), None, harvest),
                Err(error) => return StreamEnd::StateUnreadable(error),
            }
        }
        StreamEnd::Complete
    }

    /// Hands one place to the tracker; a change goes to the spool before the state takes it up.
    fn look(&mut self, before: Option<Box<Entity>>, seen: Option<Observation>, harvest: &mut Harvest<'_, D>) {
        let held = before.clone();
        let key = match (&before, &seen) {
            (Some(before), _) => before.key.clone(),
            (None, Some(seen)) => EntityKey::File(seen.path().clone()),
            (None, None) => return,
        };
        let overtaken = self.meanwhile.as_ref().and_then(|meanwhile| meanwhile.newer(key.path(), &held));
        let input = match overtaken {
            Some(newer) => Input::Overtaken { key, held: newer, seen },
            None => Input::Looked { before, seen },
        };
        let mut demands = std::mem::take(&mut harvest.demands);
        self.tracker.handle((self.parts.clock)(), input, &mut demands);
        let mut is_told = false;
        let mut is_refused = false;
        for demand in demands.drain(..) {
            match demand {
                Demand::Emit(event) => {
                    harvest.changes += 1;
                    is_told = self.spool(&Report::Change(*event));
                    is_refused = !is_told;
                    harvest.refused += u64::from(is_refused);
                }
                Demand::Keep(_) | Demand::Forget(_) if is_refused => {
                    harvest.hold(held.as_deref(), held.as_deref())
                }
                Demand::Keep(entity) => {
                    self.inventory(&entity);
                    self.know(&entity);
                    harvest.hold(held.as_deref(), Some(&entity));
                    if is_told {
                        self.note_told(entity.key.clone(), Some(*entity));
                    }
                }
                Demand::Forget(key) => {
                    harvest.hold(held.as_deref(), None);
                    if is_told {
                        self.note_told(key, None);
                    }
                }
                other @ (Demand::StartScan(_)
                | Demand::CancelScan
                | Demand::LookAt(_)
                | Demand::Report(_)
                | Demand::Remember(_)
                | Demand::WaitUntil(_)) => self.perform(other),
            }
        }
        harvest.demands = demands;
    }

    /// Notes what a spot has to be compared with from now on, so that it does not tell the same again.
    fn note_told(&mut self, key: EntityKey, after: Option<Entity>) {
        if self.has_room_for_spots() {
            self.recent.put(key.path().clone(), after);
        }
    }

    /// True unless so much is known that the state file does not have that spots wait for the end of the scan, which
    /// writes a new one.
    pub(super) fn has_room_for_spots(&self) -> bool {
        self.recent.len() < self.most_overlaid.saturating_mul(2)
    }

    /// From time to time: makes changes durable so that they can be sent, shows how far the scan is, and hears what
    /// there is in the inbox.
    fn pause_for_others(&mut self, control: &ScanControl, harvest: &mut Harvest<'_, D>) {
        let now = Instant::now();
        if now.duration_since(harvest.last_pause) < self.pause {
            return;
        }
        harvest.last_pause = now;
        if now.duration_since(harvest.last_sync) >= SYNC {
            harvest.last_sync = now;
            self.sync_spool();
        }
        self.show_progress(control);
        self.step();
        self.collect_lists();
        match self.parts.inbox.take() {
            Message::Stop => control.cancel(),
            Message::Settings(settings) => self.adopt(*settings),
            Message::RealTime(is_on) => self.take_in(Input::RealTime { is_on }),
            Message::Hints(hints) => self.take_hints(hints),
            Message::Ring | Message::Nothing => self.take_in(Input::Tick),
        }
        self.find_names();
        self.look_at_due_spots();
    }

    fn show_progress(&self, control: &ScanControl) {
        let done = control.progress();
        self.parts.status.update(|status| {
            let last = status.last_scan;
            status.progress = Some(ScanProgress {
                entities_done: done.entities,
                files_done: done.files,
                bytes_done: done.bytes,
                files_total: last.map(|last| last.files),
                bytes_total: last.map(|last| last.bytes),
            });
        });
    }

    pub(super) fn why_cut_short(&self, control: &ScanControl, patience: Option<Duration>) -> String {
        if self.parts.inbox.is_stopping() {
            return "the agent was stopped".to_owned();
        }
        match patience.filter(|_| control.is_stalled()) {
            Some(patience) => format!("the file system did not answer for {} seconds", patience.as_secs()),
            None => "it was cancelled".to_owned(),
        }
    }

    /// Puts what the scan found in force: changes first, then the state and what the tracker makes of the end.
    fn end_scan(
        &mut self,
        end: StreamEnd,
        control: &ScanControl,
        mut harvest: Harvest<'_, D>,
        meanwhile: Meanwhile,
    ) {
        let mut damage = None;
        let kept = match end {
            StreamEnd::Complete => self.keep_harvest(&mut harvest, &meanwhile).map_err(|why| (None, why)),
            StreamEnd::CutShort { after, why } => Err((after, why)),
            StreamEnd::StateUnreadable(error) => {
                let text = error_chain(&error);
                damage = error.is_damage().then(|| text.clone());
                Err((None, text))
            }
        };
        let (core_end, kept) = match kept {
            Ok(kept) => (ScanEnd::Complete, Some(kept)),
            Err((after, why)) => {
                // A stop is what somebody asked for; the rest is trouble.
                if self.parts.inbox.is_stopping() {
                    tracing::info!(why, "a scan was cut short");
                } else {
                    tracing::warn!(why, "a scan was cut short");
                }
                (ScanEnd::CutShort { after, why }, None)
            }
        };
        let mut demands = Vec::new();
        self.wake_at = None;
        self.tracker.handle((self.parts.clock)(), Input::ScanEnded(core_end), &mut demands);
        for demand in demands {
            self.perform(demand);
        }
        self.sync_spool();
        let memory = self.memory.take().unwrap_or_else(|| self.tracker.memory());
        let contained = kept.map_or(self.parts.store.spool_sequence(), |kept| kept.contained);
        let notes = self.notes(contained, memory);
        let remembered = match kept {
            Some(Kept { is_new: true, .. }) => self.parts.store.adopt(notes),
            Some(Kept { is_new: false, .. }) | None => self.parts.store.remember(notes),
        };
        let is_well = remembered.is_ok() && harvest.refused == 0;
        self.note_kept(remembered.err().map(|error| error_chain(&error)));
        match kept {
            // The new state has all but what spots told behind the scan's back.
            Some(_) => self.recent = meanwhile.overlay,
            None => self.recall(),
        }
        self.blocks = None;
        if kept.is_some() {
            self.tell_summary(control, &harvest, is_well);
        }
        self.parts.status.update(|status| status.progress = None);
        if let Some(detail) = damage {
            self.lose_state(detail);
        }
        self.show();
        self.parts.spool.ring();
    }

    /// Makes the changes durable, and then the state that they lead to, if it is another one.
    fn keep_harvest(&mut self, harvest: &mut Harvest<'_, D>, meanwhile: &Meanwhile) -> Result<Kept, String> {
        if !self.sync_spool() {
            return Err("the changes could not be made durable".to_owned());
        }
        // Reports of spots may be about what the scan had passed already. Those are folded over the new state.
        let contained = match meanwhile.overlay.is_empty() {
            true => self.parts.spool.lock().last_durable(),
            false => meanwhile.since,
        };
        if let Some(error) = harvest.write_error.take() {
            return Err(error_chain(&error));
        }
        match harvest.writer.take().filter(|_| harvest.is_changed) {
            Some(writer) => {
                StateStore::finish(writer).map_err(|error| error_chain(&error))?;
                Ok(Kept { contained, is_new: true })
            }
            None => Ok(Kept { contained, is_new: false }),
        }
    }

    fn tell_summary(&self, control: &ScanControl, harvest: &Harvest<'_, D>, is_well: bool) {
        let done = control.progress();
        let summary = ScanSummary {
            entities: done.entities,
            files: done.files,
            bytes: done.bytes,
            changes: harvest.changes,
            seconds: harvest.started.elapsed().as_secs_f64(),
        };
        tracing::info!(
            entities = summary.entities,
            bytes = summary.bytes,
            changes = summary.changes,
            seconds = summary.seconds,
            "scan complete"
        );
        let end = rfc3339((self.parts.clock)());
        self.parts.status.update(|status| {
            status.last_scan = Some(summary);
            status.last_scan_end = Some(end);
            if is_well {
                status.error = None;
            }
        });
    }
}

/// What of a complete scan is on the disk.
#[derive(Clone, Copy)]
struct Kept {
    /// The state contains what the spool's records up to this one say.
    contained: u64,
    /// True if there is a new state file to be put in force.
    is_new: bool,
}

impl<D: Disk> Harvest<'_, D> {
    /// Puts an entity into the state that shall follow; nothing if it is gone.
    fn hold(&mut self, before: Option<&Entity>, after: Option<&Entity>) {
        self.is_changed |= before != after;
        let (Some(writer), Some(entity)) = (&mut self.writer, after) else { return };
        if let Err(error) = writer.push(entity) {
            // The scan goes on: what changed is reported all the same, and the state stays what it was.
            self.write_error = Some(error);
            self.writer = None;
        }
    }
}

const SYNC: Duration = Duration::from_secs(1);
