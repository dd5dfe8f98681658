//! The engine: owns the tracker, hands it what happens and performs what it demands.

mod elsewhere;
mod list_run;
#[cfg(test)]
mod real_time_tests;
mod scan_run;
mod settings_run;
mod spot_run;
#[cfg(test)]
mod tests;
mod waiting_gaps;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{
    Demand, Entity, EntityKey, EntityPath, Gap, GapCause, GapScope, Hint, Input, Loss, Memory, Notice,
    PathStyle, ScanPlan, Spot, Stop, Timestamp, Tracker, WhoUnknown, error_chain,
};
use fim_log::Disk;
use fim_scan::lists::ListWatcher;
use fim_scan::{FileTree, KnownFiles, LargeFiles, ScanControl, ScanOptions};
use fim_wire::Report;

use elsewhere::Elsewhere;
use list_run::ListRun;
use spot_run::Meanwhile;
use waiting_gaps::WaitingGaps;

use crate::alive::LastRun;
use crate::contents::Contents;
use crate::identity::DataDir;
use crate::inbox::{Inbox, Message};
use crate::overlay::Overlay;
use crate::pace::Pace;
use crate::real_time::WatchOrders;
use crate::settings::Settings;
use crate::shared_spool::SharedSpool;
use crate::spool::SpoolError;
use crate::state_file::StateBlocks;
use crate::state_store::{Found, Notes, StateStore};
use crate::status::{SensorState, SharedStatus};
use crate::time::rfc3339;

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What an engine works with.
pub(crate) struct EngineParts<T: FileTree, D: Disk> {
    pub machine: [u8; 16],
    pub dir: DataDir,
    /// Gives the tree for a scan: what a tree knows of users, say, is made anew for each.
    pub tree: Arc<dyn Fn() -> Arc<T> + Send + Sync>,
    /// How the machine spells paths.
    pub style: PathStyle,
    pub disk: D,
    pub store: StateStore<D>,
    /// What was found where the state is kept.
    pub found: Found,
    pub spool: Arc<SharedSpool<D>>,
    pub inbox: Arc<Inbox>,
    /// Where to say that the engine goes on.
    pub pace: Arc<Pace>,
    pub status: SharedStatus,
    pub clock: Clock,
    pub scan_options: ScanOptions,
    /// What notices changes of lists, if anything does.
    pub list_watcher: Option<Arc<dyn ListWatcher>>,
    /// Where to say what is to be watched in real time.
    pub orders: Arc<WatchOrders>,
    /// The content of files that no look waits for.
    pub large: Arc<LargeFiles>,
    /// The text of files for rules that have it stored.
    pub contents: Arc<Contents>,
    /// Which files are monitored, for the watcher to tell of them whatever they are called.
    pub known: Arc<KnownFiles>,
}

/// The owner of the tracker.
pub(crate) struct Engine<T: FileTree, D: Disk> {
    parts: EngineParts<T, D>,
    tracker: Tracker,
    /// The scan that the tracker wants, until it is run.
    due_scan: Option<Box<ScanPlan>>,
    /// The scan under way.
    control: Option<Arc<ScanControl>>,
    /// Earlier scans with threads that the file system does not let go.
    abandoned: Vec<Arc<ScanControl>>,
    /// The places that did not answer a look, with what still waits there.
    stuck: Vec<(EntityPath, Arc<ScanControl>)>,
    /// How many changes of the spool are held over the state at most.
    most_overlaid: usize,
    /// When the tracker wants to be asked again.
    wake_at: Option<Timestamp>,
    /// What the tracker wants to be kept, until it is.
    memory: Option<Memory>,
    waiting_gaps: WaitingGaps,
    /// True if the spool has reports that are not durable.
    is_unsynced: bool,
    /// What is known since the state file was written, with what the scan under way has told.
    recent: Overlay,
    /// What spots showed since the scan under way began.
    meanwhile: Option<Meanwhile>,
    /// How long hints and settings wait at most while a scan is under way.
    pause: Duration,
    /// How long a turn waits for the lists that it has begun to read.
    list_turn: Duration,
    /// How long a list may take to be read before it is told as one that cannot be.
    list_patience: Option<Duration>,
    /// The state file for looking up places; nothing until it is needed, and after it was replaced.
    blocks: Option<StateBlocks<D::Reader>>,
    /// The spots that the tracker wants to be looked at, until they are.
    due_spots: Option<Vec<Spot>>,
    /// What scans by the rules in force look at.
    plan: Arc<ScanPlan>,
    /// The tree for spots, and when it was made.
    spot_tree: Option<(Instant, Arc<T>)>,
    /// Entities of which a change found no room in the spool: the state keeps what it held of them.
    refused: Vec<EntityPath>,
    list_run: ListRun<D>,
    elsewhere: Elsewhere,
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// An engine that goes on where the last one ended. What was lost meanwhile is on the disk as a gap before anything
    /// is changed that it could be found by again.
    pub fn start(parts: EngineParts<T, D>, last_run: Option<LastRun>, settings: Option<Settings>) -> Self {
        let lost = what_is_lost(&parts, last_run);
        let mut memory = parts.store.notes().memory.clone();
        memory.baselined = memory.baselined.resolve(&variable).0;
        if lost.is_some() && memory.last_complete.is_none() {
            memory.last_complete = last_run.map_or_else(|| last_report(&parts), |run| run.last_complete);
        }
        // The stamp may have been lost with the power; then the last complete scan is the last sign of life.
        let last_alive = last_run.and_then(|run| run.alive).or(memory.last_complete);
        let stop = last_run.map_or(Stop::Unclean, |run| run.stop);
        let is_first = parts.found == Found::Nothing && lost.is_none();
        let list_run = ListRun::open(&parts, is_first, last_alive);
        let mut engine = Self {
            list_patience: parts.scan_options.patience,
            tracker: Tracker::new(parts.machine),
            waiting_gaps: still_waiting(&parts),
            parts,
            due_scan: None,
            control: None,
            abandoned: Vec::new(),
            stuck: Vec::new(),
            most_overlaid: MOST_OVERLAID,
            wake_at: None,
            memory: None,
            is_unsynced: false,
            recent: Overlay::default(),
            meanwhile: None,
            pause: PAUSE,
            list_turn: PAUSE,
            blocks: None,
            due_spots: None,
            plan: Arc::default(),
            spot_tree: None,
            refused: Vec::new(),
            list_run,
            elsewhere: Elsewhere::default(),
        };
        engine.tell_lost_reports(memory.last_complete);
        if lost.is_none() {
            engine.align_with_spool();
        }
        engine.recall();
        if let Some(settings) = &settings {
            // What is put back before it is watched is told by nobody: so long the time without the sensor goes on.
            engine.watch_by(settings);
        }
        engine.take_in(Input::Started { last_alive, stop, memory: Box::new(memory) });
        if let Some(is_on) = engine.parts.inbox.take_real_time() {
            engine.take_in(Input::RealTime { is_on });
        }
        if let Some(detail) = lost {
            engine.lose_state(detail);
        }
        if let Some(settings) = settings {
            engine.work_by(settings);
        }
        engine
    }

    /// Works until the inbox says to stop.
    pub fn run(mut self) {
        // The settings that were kept may have made a scan due.
        self.step();
        self.collect_lists();
        self.run_due();
        loop {
            let wake_at = self.wake_at.into_iter().chain(self.list_run.lists.next()).min();
            let deadline = wake_at.map(|at| {
                let nanos = u64::try_from(at.nanos_since((self.parts.clock)())).unwrap_or(0);
                // The machine's clock may jump; waits are by the other clock, which does not.
                Instant::now() + Duration::from_nanos(nanos).min(LONGEST_WAIT)
            });
            let patience_end = self.list_run.patience_end(self.list_patience);
            let deadline = deadline.into_iter().chain(self.elsewhere.due()).chain(patience_end).min();
            self.parts.pace.rest();
            let message = self.parts.inbox.wait(deadline);
            self.step();
            match message {
                Message::Stop => break,
                Message::Settings(settings) => self.change_settings(*settings),
                Message::Hints(hints) => {
                    self.take_hints(hints);
                    self.run_due();
                }
                Message::RealTime(is_on) => self.take_in(Input::RealTime { is_on }),
                Message::Ring | Message::Nothing => self.tick(),
            }
        }
        self.finish();
    }

    /// Notes that the engine goes on. What happened while it could not for long may not have been watched.
    fn step(&mut self) {
        let time = (self.parts.clock)();
        let Some(since) = self.parts.pace.step(time) else { return };
        let detail = "the system let the agent wait, which looked at nothing meanwhile".to_owned();
        let loss = Loss { scope: GapScope::Everything, since, cause: GapCause::AgentSuspended, detail };
        let by = Err(WhoUnknown::NotTold);
        self.take_in(Input::Noticed(Hint { notice: Notice::Lost(loss), time, since, by }));
    }

    /// Lets time pass, and scans if that is due.
    pub fn tick(&mut self) {
        self.take_in(Input::Tick);
        self.find_names();
        self.collect_lists();
        self.run_due();
    }

    /// Ends in good order.
    pub fn finish(mut self) {
        self.take_in(Input::Stopping);
        self.parts.status.update(|status| {
            status.state = SensorState::Stopped;
            status.progress = None;
        });
    }

    /// Gives up a scan that has ended; its threads may still wait for the file system.
    fn leave_behind(&mut self, control: Arc<ScanControl>) {
        self.abandoned.push(control);
        self.abandoned.retain(|scan| scan.live_threads() > 0);
    }

    /// Why no further scan may begin, if too many threads of earlier ones still wait for the file system.
    fn why_not_scan(&mut self) -> Option<String> {
        self.abandoned.retain(|scan| scan.live_threads() > 0);
        let threads: usize = self.abandoned.iter().map(|scan| scan.live_threads()).sum();
        let is_bounded = threads < MOST_ABANDONED_THREADS;
        (!is_bounded).then(|| format!("{threads} threads of earlier scans still wait for the file system"))
    }

    /// Does the looks that the tracker wants: at spots first, which take no time.
    fn run_due(&mut self) {
        while !self.parts.inbox.is_stopping() {
            if let Some(spots) = self.due_spots.take() {
                self.look_at(spots);
            } else if let Some(plan) = self.due_scan.take() {
                self.run_scan(*plan);
            } else {
                return self.make_room_in_memory();
            }
        }
    }

    /// Hands an input to the tracker outside of a scan's stream, and performs what it demands.
    fn take_in(&mut self, input: Input) {
        self.take_in_all(std::iter::once(input));
    }

    /// Hands inputs to the tracker outside of a scan's stream, and performs what it demands.
    fn take_in_all(&mut self, inputs: impl Iterator<Item = Input>) {
        let mut demands = Vec::new();
        for input in inputs {
            self.wake_at = None;
            self.tracker.handle((self.parts.clock)(), input, &mut demands);
            for demand in demands.drain(..) {
                self.perform(demand);
            }
        }
        self.keep_up();
    }

    /// Makes durable what there is, and shows it.
    fn keep_up(&mut self) {
        self.refused.clear();
        let mut is_durable = self.sync_spool();
        if let Some(memory) = self.memory.take() {
            let notes = self.notes(self.parts.store.spool_sequence(), memory);
            let kept = self.parts.store.remember(notes);
            is_durable &= kept.is_ok();
            self.note_kept(kept.err().map(|error| error_chain(&error)));
        }
        let since = self.tracker.unsettled_since().into_iter().chain(self.elsewhere.since()).min();
        self.parts.inbox.settle(since, is_durable);
        self.show();
    }

    /// Performs a demand that does not come of a scan's stream.
    fn perform(&mut self, demand: Demand) {
        match demand {
            Demand::StartScan(plan) => self.due_scan = Some(plan),
            Demand::CancelScan => {
                if let Some(control) = &self.control {
                    control.cancel();
                }
            }
            Demand::LookAt(spots) => self.due_spots = Some(spots),
            Demand::Emit(event) => {
                let paths = [
                    Some(event.change.key.path().clone()),
                    event.moved_from.as_ref().map(|key| key.path().clone()),
                ];
                self.note_other_names(&event);
                if !self.spool(&Report::Change(*event)) {
                    self.refused.extend(paths.into_iter().flatten());
                }
            }
            Demand::Report(gap) => self.report(*gap),
            Demand::Remember(memory) => self.memory = Some(*memory),
            Demand::WaitUntil(at) => self.wake_at = Some(at),
            Demand::Keep(entity) => {
                self.know(&entity);
                self.hold(entity.key.clone(), Some(*entity));
            }
            Demand::Forget(key) => self.hold(key, None),
        }
    }

    /// Notes what became of an entity that was looked at outside of a scan's stream.
    fn hold(&mut self, key: EntityKey, entity: Option<Entity>) {
        if self.refused.contains(key.path()) {
            return;
        }
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile.overlay.put(key.path().clone(), entity.clone());
        }
        self.recent.put(key.path().clone(), entity);
    }

    /// Puts a report into the spool; false if there was no room, or the disk failed.
    fn spool(&mut self, report: &Report) -> bool {
        let appended = self.parts.spool.lock().append(report, (self.parts.clock)());
        match appended {
            Ok(_) => {
                self.is_unsynced = true;
                true
            }
            Err(error @ (SpoolError::Full(_) | SpoolError::Append(_))) => {
                // What is refused may have been noticed some time before.
                let since = self.parts.inbox.settled_until((self.parts.clock)());
                self.parts.spool.lock().refused_since(since);
                self.trouble(error_chain(&error));
                false
            }
        }
    }

    /// Puts a gap into the spool, after those that wait for room.
    fn report(&mut self, gap: Gap) {
        self.let_wait(gap);
        self.report_waiting();
    }

    fn let_wait(&mut self, gap: Gap) {
        if let Err(gap) = self.waiting_gaps.put(gap) {
            // They wait because reports are refused, and the gap of that covers everything, this one included.
            tracing::error!(?gap, "no room for a gap");
        }
    }

    fn report_waiting(&mut self) {
        while let Some(gap) = self.waiting_gaps.first().cloned() {
            if !self.spool(&Report::Gap(gap)) {
                return;
            }
            self.waiting_gaps.tell_first();
        }
    }

    /// Makes what the spool took durable and wakes the uplink; false if the disk failed.
    fn sync_spool(&mut self) -> bool {
        if !self.waiting_gaps.is_empty() {
            self.report_waiting();
        }
        let mut spool = self.parts.spool.lock();
        if !self.is_unsynced && !spool.is_ledger_stale() {
            return true;
        }
        let synced = spool.sync();
        if synced.is_ok() && self.waiting_gaps.is_empty() {
            spool.forget_lost_records();
        }
        drop(spool);
        match synced {
            Ok(()) => {
                self.is_unsynced = false;
                self.parts.spool.ring();
                true
            }
            Err(error) => {
                self.trouble(error_chain(&error));
                false
            }
        }
    }

    /// What is kept beside a state that contains the spool's records up to `spool_sequence`.
    fn notes(&self, spool_sequence: u64, memory: Memory) -> Notes {
        let is_delivered = !self.is_unsynced && self.parts.spool.lock().unsent() == 0;
        let delivered =
            if is_delivered { Some((self.parts.clock)()) } else { self.parts.store.notes().delivered };
        Notes { spool_sequence, delivered, memory, waiting: self.waiting_gaps.to_vec() }
    }

    /// Sees to it that the state and the spool speak of the same records.
    fn align_with_spool(&mut self) {
        let last = self.parts.spool.lock().last_durable();
        let store = &self.parts.store;
        // A spool that somebody emptied counts from one again, and without a state there is nothing to fold over.
        let is_aligned = store.has_state() && store.spool_sequence() <= last;
        let kept = if is_aligned {
            Ok(())
        } else {
            let notes = self.notes(last, store.notes().memory.clone());
            self.parts.store.remember(notes)
        };
        self.note_kept(kept.err().map(|error| error_chain(&error)));
    }

    /// Lets a gap wait to be told if the spool lost reports that the server may not have.
    fn tell_lost_reports(&mut self, last_complete: Option<Timestamp>) {
        let spool = self.parts.spool.lock();
        let notes = self.parts.store.notes();
        if !spool.has_lost_records() && notes.spool_sequence <= spool.last_durable() {
            return;
        }
        drop(spool);
        let now = (self.parts.clock)();
        let gap = Gap {
            scope: GapScope::Everything,
            start: notes.delivered.or(last_complete).unwrap_or(now).min(now),
            end: Some(now),
            cause: GapCause::SpoolDamaged,
            detail: "reports are missing from the spool that the server may not have had; what changed in this time \
                     may not have been told"
                .to_owned(),
        };
        tracing::error!("reports are missing from the spool");
        self.let_wait(gap);
    }

    /// Begins without the state. The gap that tells of it comes into force together with the empty state, so that a
    /// crash leaves either the damage to be found again or the gap to be sent.
    fn lose_state(&mut self, detail: String) {
        tracing::error!(
            detail,
            "the state is lost; what is left of it is moved aside, and a new baseline is taken"
        );
        self.wake_at = None;
        let now = (self.parts.clock)();
        let mut demands = Vec::new();
        self.tracker.handle(now, Input::StateLost { detail }, &mut demands);
        for demand in demands {
            match demand {
                Demand::Report(gap) => self.let_wait(*gap),
                other @ (Demand::StartScan(_)
                | Demand::CancelScan
                | Demand::LookAt(_)
                | Demand::Emit(_)
                | Demand::Remember(_)
                | Demand::WaitUntil(_)
                | Demand::Keep(_)
                | Demand::Forget(_)) => self.perform(other),
            }
        }
        let memory = self.memory.take().unwrap_or_else(|| self.tracker.memory());
        let last = self.parts.spool.lock().last_durable();
        let notes = self.notes(last, memory);
        let lost = self.parts.store.lose(now, notes);
        self.recent = Overlay::default();
        self.blocks = None;
        self.note_kept(lost.err().map(|error| error_chain(&error)));
        self.sync_spool();
        self.show();
    }

    /// Lets the spool forget what the state on the disk contains, or tells why it could not be kept.
    fn note_kept(&mut self, error: Option<String>) {
        let contained = self.parts.store.durable_sequence().min(self.list_run.contained());
        self.parts.spool.lock().contained_through(contained);
        if let Some(error) = error {
            self.trouble(error);
        }
    }

    fn trouble(&self, error: String) {
        if self.parts.status.get().error.as_ref() != Some(&error) {
            tracing::error!(error, "trouble on this machine");
        }
        self.parts.status.update(|status| status.error = Some(error));
    }

    /// Brings the snapshot up to date.
    fn show(&self) {
        let next_scan = self.tracker.next_scan().map(rfc3339);
        let open_gaps = self.tracker.open_gaps() as u64;
        let state = if !self.tracker.is_scanning() {
            SensorState::Idle
        } else if self.tracker.is_baselining() {
            SensorState::Baselining
        } else {
            SensorState::Scanning
        };
        self.parts.status.set_last_complete(self.tracker.last_complete());
        let mut is_news = false;
        self.parts.status.update(|status| {
            is_news = status.state != state;
            // Without settings there is nothing to wait for yet.
            if status.settings_revision.is_some() {
                status.state = state;
            }
            status.next_scan = next_scan;
            status.open_gaps = Some(open_gaps);
        });
        if is_news {
            self.parts.spool.ring();
        }
    }
}

/// What is wrong with the state, for a person; nothing if it is whole or there was none.
fn what_is_lost<T: FileTree, D: Disk + Clone>(
    parts: &EngineParts<T, D>,
    last_run: Option<LastRun>,
) -> Option<String> {
    match &parts.found {
        Found::Whole => None,
        Found::Damaged(detail) => Some(detail.clone()),
        Found::Nothing => {
            let has_run = last_run.is_some() || parts.spool.lock().last_durable() > 0;
            has_run.then(|| "the state is missing, though the agent ran here before".to_owned())
        }
    }
}

/// When the newest report that the spool still has was made: a sign of life if no other is left.
fn last_report<T: FileTree, D: Disk + Clone>(parts: &EngineParts<T, D>) -> Option<Timestamp> {
    parts.spool.lock().newest()
}

/// The gaps that waited for the spool when the notes were written, and are still not in it.
fn still_waiting<T: FileTree, D: Disk + Clone>(parts: &EngineParts<T, D>) -> WaitingGaps {
    let notes = parts.store.notes();
    let mut waiting = notes.waiting.clone();
    if !waiting.is_empty() {
        for (_, report) in parts.spool.lock().reports_after(notes.spool_sequence) {
            waiting.retain(|gap| !matches!(&report, Report::Gap(told) if told == gap));
        }
    }
    WaitingGaps::recall(waiting, notes.memory.open_gaps.iter().map(|open| &open.gap))
}

/// The value of an environment variable, which rules may name.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

const PAUSE: Duration = Duration::from_millis(50);

/// How long the engine waits before it looks at the clock again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Some ten megabytes; beyond that the state is rewritten before the scan.
const MOST_OVERLAID: usize = 20_000;

/// How many threads may wait for the file system for earlier scans; beyond that no scan begins.
const MOST_ABANDONED_THREADS: usize = 16;
