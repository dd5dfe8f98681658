//! The pure state machine of a sensor: takes what is seen and the time, and says what should happen.
//!
//! The sensor's owner thread hands every [`Input`] to [`Tracker::handle`] and performs the [`Demand`]s in their order.
//! The tracker never holds the entities: a scan is handed to it as a stream of pairs in path order, what the state
//! held and what was seen, and each pair is answered at once with what the state shall hold.
//!
//! # What it guarantees
//!
//! - Not seen is *removed* only where the scan could see: below a directory that could not be read, and behind the
//!   place where a scan was cut short, the state keeps what it held.
//! - Unreadable is never *removed*, and what was known before is kept to be compared with later.
//! - What comes into scope by a rule is state without being *added*, and what leaves scope by a rule is forgotten
//!   without being *removed*. What was in scope at the last complete scan ([`Memory::baselined`]) is judged.
//! - Each stretch that was not watched is a gap: opened once, closed once, the same after a restart. What comes
//!   into scope is a gap until its first complete scan.
//! - A clock that is set back never delays a scan by more than the interval.
//!
//! # In real time
//!
//! A notice of a change is a hint ([`Input::Noticed`]). Its place is looked at once it keeps still
//! ([`Demand::LookAt`]), and that look is judged as a scan's is; the hint adds who and when. What a notice said and a
//! look does not show is no change, and what no notice said is found by the next scan. A stretch of which notices are
//! lost is a gap until its place has been looked at again.

mod by_number;
mod gaps;
mod hints;
mod look;
mod losses;
mod memory;
mod notice;
mod pending;
pub(crate) mod schedule;
mod spots;

use gaps::OpenGaps;
use hints::Hints;
use losses::{Losses, Turn};
pub use memory::{Memory, OpenGap};
use pending::Pending;
use schedule::Schedule;
use spots::Spots;

use crate::{
    ChangeEvent, Entity, EntityKey, EntityPath, Gap, GapCause, GapScope, Hint, Observation, OutOfSight,
    RuleSet, ScanPlan, Spot, Timestamp, UnusableRule,
};

/// What happens to a sensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The sensor has started; always the first input.
    Started {
        /// When the sensor was last known to run, if it ever did.
        last_alive: Option<Timestamp>,
        /// How that run ended.
        stop: Stop,
        /// What the sensor stored for the tracker; the default if it never did. If it is lost, the time of the last
        /// complete scan is enough, and [`Input::StateLost`] comes next.
        memory: Box<Memory>,
    },
    /// The state was damaged and has been moved aside; there is none now.
    StateLost {
        /// What was found, for a person.
        detail: String,
    },
    /// The settings are about to change, and what has been noticed is to be looked into by those in force: no more need
    /// it keep still.
    SettingsComing,
    /// The settings to work by, at the start and whenever they differ.
    SettingsChanged(Settings),
    /// Nothing but time has passed.
    Tick,
    /// In the scan under way, one entity in path order: what the state held, what was seen, or both.
    Looked {
        /// What the state held.
        before: Option<Box<Entity>>,
        /// What was seen; nothing if the scan came past the place without a word of it.
        seen: Option<Observation>,
    },
    /// In the place of [`Input::Looked`] where spots have been looked at since the scan began: what the scan saw may be
    /// older than what is known by now.
    Overtaken {
        /// What it is about.
        key: EntityKey,
        /// What is known of it by now.
        held: Option<Box<Entity>>,
        /// What the scan saw.
        seen: Option<Observation>,
    },
    /// The scan under way has ended. The state keeps whatever was not handed in.
    ScanEnded(ScanEnd),
    /// Changes are noticed in real time from now on, or no more.
    RealTime {
        /// True if they are.
        is_on: bool,
    },
    /// Something may have changed.
    Noticed(Hint),
    /// One entity at or, for a deep one, below the spots that are being looked at, in path order.
    SpotLooked {
        /// What the state held, with what the scan under way has told.
        before: Option<Box<Entity>>,
        /// What was seen; nothing if the look came past the place without a word of it.
        seen: Option<Observation>,
    },
    /// The look at the spots has ended.
    SpotsEnded(SpotsEnd),
    /// The sensor is about to stop; always the last input.
    Stopping,
}

/// How a run of the sensor ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stop {
    /// It was told to stop and did.
    Clean,
    /// It just ended: killed, crashed, or the machine lost power.
    Unclean,
}

/// What a sensor works by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// False if nothing is to be monitored.
    pub is_enabled: bool,
    /// The rules, with their variables resolved.
    pub rules: RuleSet,
    /// Those that the machine cannot use. What the ones in force name is a gap.
    pub unusable: Vec<UnusableRule>,
    /// How long after one scan begins the next does, in seconds.
    pub scan_interval_seconds: u64,
    /// Since when they may have been in force for whoever made them; nothing if they came at once. What they name was
    /// not watched since then.
    pub since: Option<Timestamp>,
}

/// How a scan ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ScanEnd {
    /// Everything in its scope was looked at.
    Complete,
    /// Nothing behind `after` in path order was looked at; nothing at all if that is `None`.
    CutShort {
        /// The last path that was looked at.
        after: Option<EntityPath>,
        /// Why it ended there, for a person.
        why: String,
    },
}

/// How a look at spots ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SpotsEnd {
    /// All of them were looked at.
    Complete,
    /// All of them were but one and those behind it in path order: the file system did not answer there.
    Stalled {
        /// The path of that spot.
        at: EntityPath,
        /// Why, for a person.
        why: String,
    },
    /// Not all of them were: what was noticed there has yet to be looked into.
    CutShort {
        /// Why, for a person.
        why: String,
    },
}

/// What should happen, in this order.
#[derive(Clone, Debug)]
pub enum Demand {
    /// Start a scan by this plan. There is never more than one under way.
    StartScan(Box<ScanPlan>),
    /// End the scan under way; the tracker waits for its [`Input::ScanEnded`].
    CancelScan,
    /// Look at these places, in path order and none within a deep one before it. The tracker waits for
    /// [`Input::SpotsEnded`] before it asks for more; a scan may be under way at the same time.
    LookAt(Vec<Spot>),
    /// Store the change to be sent, before the state takes it up.
    Emit(Box<ChangeEvent>),
    /// Store the gap to be sent. One that has ended was sent before with no end, unless it was known only afterwards;
    /// scope, cause and start are the same then, and tell which one it is.
    Report(Box<Gap>),
    /// The state holds this of the entity.
    Keep(Box<Entity>),
    /// The state holds nothing of the entity any more.
    Forget(EntityKey),
    /// Store this for the next start; it replaces what was stored before.
    Remember(Box<Memory>),
    /// Hand in a [`Input::Tick`] at that time, if nothing else has come before.
    WaitUntil(Timestamp),
}

/// The pure state machine of a sensor.
#[derive(Clone, Debug)]
pub struct Tracker {
    machine: [u8; 16],
    settings: Settings,
    baselined: RuleSet,
    last_complete: Option<Timestamp>,
    gaps: OpenGaps,
    schedule: Schedule,
    scan: Option<Scan>,
    hints: Hints,
    losses: Losses,
    pending: Pending,
    /// The places that are being looked at.
    spots: Option<Spots>,
    /// True while changes are noticed in real time.
    is_real_time: bool,
    /// True once a scan was complete that had real time on from its beginning.
    is_settled: bool,
}

/// Where a look comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum View {
    /// The scan under way.
    Scan,
    /// A look at the spots that hints are about.
    Spot,
}

/// A scan under way.
#[derive(Clone, Debug)]
struct Scan {
    begun: Timestamp,
    /// The last loss before it.
    loss_before: Turn,
    /// The rules that the scan goes by, even if the settings have changed since.
    rules: RuleSet,
    /// What a scan by the baselined rules would look at.
    baselined: ScanPlan,
    /// True if the rules are the baselined ones.
    is_same_scope: bool,
    /// True once the tracker has asked to end it.
    is_cancelled: bool,
    /// True if something that was lost wanted it when it began.
    is_for_loss: bool,
    /// True if changes have been noticed in real time since it began.
    had_real_time: bool,
    /// What it could not see into.
    out_of_sight: OutOfSight,
    /// The symbolic link that was seen last: what is within its path was reached through it.
    link: Option<EntityPath>,
}

impl Tracker {
    /// A tracker for the machine of that id. It does nothing before [`Input::Started`].
    pub fn new(machine: [u8; 16]) -> Self {
        Self {
            machine,
            settings: Settings::default(),
            baselined: RuleSet::default(),
            last_complete: None,
            gaps: OpenGaps::default(),
            schedule: Schedule::default(),
            scan: None,
            hints: Hints::default(),
            losses: Losses::default(),
            pending: Pending::default(),
            spots: None,
            is_real_time: false,
            is_settled: false,
        }
    }

    /// Takes in what happened at `now` and adds what should happen to `demands`.
    pub fn handle(&mut self, now: Timestamp, input: Input, demands: &mut Vec<Demand>) {
        match input {
            Input::Looked { before, seen } => self.look(now, View::Scan, before, seen, demands),
            Input::SpotLooked { before, seen } => self.look(now, View::Spot, before, seen, demands),
            Input::Overtaken { key, held, seen } => self.overtake(now, key, held, seen, demands),
            Input::SpotsEnded(end) => {
                self.end_spots(now, end, demands);
                self.go_on(now, demands);
            }
            Input::RealTime { is_on } => {
                self.is_real_time = is_on;
                self.is_settled = false;
                if let Some(scan) = &mut self.scan {
                    scan.had_real_time = false;
                }
            }
            Input::Noticed(hint) => {
                self.notice(now, hint, demands);
                self.go_on(now, demands);
            }
            Input::Started { last_alive, stop, memory } => {
                self.start(now, last_alive, stop, *memory, demands);
                self.go_on(now, demands);
            }
            Input::StateLost { detail } => {
                self.lose_state(now, detail, demands);
                self.go_on(now, demands);
            }
            Input::SettingsComing => {
                self.hints.hurry(now);
                self.go_on(now, demands);
            }
            Input::SettingsChanged(settings) => {
                self.change_settings(now, settings, demands);
                self.go_on(now, demands);
            }
            Input::Tick => self.go_on(now, demands),
            Input::ScanEnded(end) => {
                self.end_scan(now, end, demands);
                self.go_on(now, demands);
            }
            Input::Stopping => demands.push(self.remember()),
        }
    }

    /// What the tracker needs to be given at the next start.
    pub fn memory(&self) -> Memory {
        Memory {
            baselined: self.baselined.clone(),
            last_complete: self.last_complete,
            open_gaps: self
                .gaps
                .to_memory()
                .into_iter()
                .chain(self.losses.to_memory())
                .chain(self.pending.to_memory())
                .collect(),
        }
    }

    /// True while a scan is under way.
    pub fn is_scanning(&self) -> bool {
        self.scan.is_some()
    }

    /// True while what the rules name has not been looked at completely for the first time.
    pub fn is_baselining(&self) -> bool {
        self.is_scanning() && self.settings.rules != self.baselined
    }

    /// How many gaps are open.
    pub fn open_gaps(&self) -> usize {
        self.gaps.open_count() + self.losses.len() + self.pending.len()
    }

    /// Since when something may have happened that was noticed and has not been looked into: if the sensor ends before
    /// that is done, nothing was told of what came and went since.
    pub fn unsettled_since(&self) -> Option<Timestamp> {
        self.hints.since().into_iter().chain(self.spots.as_ref().and_then(Spots::since)).min()
    }

    /// True if these settings have something else monitored than those in force.
    pub fn is_other_scope(&self, settings: &Settings) -> bool {
        settings.rules != self.settings.rules || settings.is_enabled != self.settings.is_enabled
    }

    /// When the last complete scan ended.
    pub fn last_complete(&self) -> Option<Timestamp> {
        self.last_complete
    }

    /// When the next scan begins, if one is to begin.
    pub fn next_scan(&self) -> Option<Timestamp> {
        (self.is_watching() && self.scan.is_none()).then(|| self.schedule.next())
    }

    fn start(
        &mut self,
        now: Timestamp,
        last_alive: Option<Timestamp>,
        stop: Stop,
        memory: Memory,
        demands: &mut Vec<Demand>,
    ) {
        let (lost, open): (Vec<_>, Vec<_>) =
            memory.open_gaps.into_iter().partition(|open| Losses::keeps(open.gap.cause));
        let (pending, open) = open.into_iter().partition(|open| Pending::keeps(open.gap.cause));
        self.pending = Pending::from_memory(pending);
        self.gaps = OpenGaps::from_memory(open);
        // The first scan looks at everything.
        self.losses = Losses::from_memory(lost);
        self.last_complete = memory.last_complete;
        self.baselined = memory.baselined;
        self.schedule.reset(now);
        let was_watching = self.last_complete.is_some();
        if let Some(last_alive) = last_alive.filter(|_| was_watching) {
            demands.push(Demand::Report(Box::new(stopped_gap(last_alive, now, stop))));
        }
    }

    fn lose_state(&mut self, now: Timestamp, detail: String, demands: &mut Vec<Demand>) {
        let start = self.last_complete.unwrap_or(now).min(now);
        self.baselined = RuleSet::default();
        self.last_complete = None;
        // What still cannot be seen is told anew by the scan that takes the new baseline.
        self.gaps.close_all(now, demands);
        self.losses.close_all(now, demands);
        self.pending.become_those(GapCause::BaselinePending, Vec::new(), now, now, demands);
        let gap =
            Gap { scope: GapScope::Everything, start, end: Some(now), cause: GapCause::StateLost, detail };
        demands.push(Demand::Report(Box::new(gap)));
        // From here on there is nothing to compare with; what the settings say of it comes later.
        let everything = vec![pending::everything_pending()];
        self.pending.become_those(GapCause::BaselinePending, everything, now, now, demands);
        demands.push(self.remember());
    }

    fn change_settings(&mut self, now: Timestamp, settings: Settings, demands: &mut Vec<Demand>) {
        let is_other_scope = self.is_other_scope(&settings);
        self.schedule.set_interval(now, settings.scan_interval_seconds);
        let since = settings.since.map_or(now, |since| since.min(now));
        self.tell_dropped(&settings, now, demands);
        self.settings = settings;
        if !self.is_watching() {
            // Nothing is promised any more. What is monitored again later starts with a new baseline.
            self.baselined = RuleSet::default();
            self.last_complete = None;
            self.gaps.close_all(now, demands);
            self.losses.close_all(now, demands);
            self.hints.clear();
            demands.push(self.remember());
        }
        self.tell_pending(since, now, demands);
        let told = demands.len();
        let unusable = pending::unusable(&self.settings);
        self.pending.become_those(GapCause::RuleUnusable, unusable, since, now, demands);
        if is_other_scope || demands.len() > told {
            demands.push(self.remember());
        }
        if is_other_scope {
            self.schedule.reset(now);
            if let Some(scan) = self.scan.as_mut().filter(|scan| !scan.is_cancelled) {
                scan.is_cancelled = true;
                demands.push(Demand::CancelScan);
            }
        }
    }

    /// Tells what is monitored since then and has no baseline yet.
    fn tell_pending(&mut self, since: Timestamp, now: Timestamp, demands: &mut Vec<Demand>) {
        let scopes = if self.is_watching() {
            pending::without_baseline(&self.settings.rules, &self.baselined)
        } else {
            Vec::new()
        };
        self.pending.become_those(GapCause::BaselinePending, scopes, since, now, demands);
    }

    fn end_scan(&mut self, now: Timestamp, end: ScanEnd, demands: &mut Vec<Demand>) {
        let Some(scan) = self.scan.take() else { return };
        if scan.is_for_loss && !scan.is_cancelled {
            self.schedule.end_loss_scan(scan.begun, now);
        }
        match end {
            ScanEnd::Complete => {
                self.gaps.end_complete_scan(now, demands);
                self.losses.end_scan(scan.loss_before, now, demands);
                self.is_settled |= scan.had_real_time && !scan.is_cancelled;
                // FIM may have been disabled while the scan ran out.
                if self.is_watching() {
                    self.baselined = scan.rules;
                    self.last_complete = Some(now);
                }
                self.tell_pending(now, now, demands);
                // Otherwise the settings have changed meanwhile, and the next scan is due already.
                if !scan.is_cancelled {
                    self.schedule.end_scan(scan.begun, now);
                }
                // Something was lost after it had begun.
                if self.losses.wants_scan() {
                    self.schedule.bring_to_loss(now);
                }
            }
            // The tracker ended it itself, and the next one begins at once.
            ScanEnd::CutShort { .. } if scan.is_cancelled => {}
            ScanEnd::CutShort { after, why } => {
                let place =
                    after.map_or_else(|| "before it saw anything".to_owned(), |path| format!("after {path}"));
                let start = self.unwatched_since(scan.begun);
                self.gaps.open_cut_short(start, format!("the scan ended {place}: {why}"), demands);
                self.schedule.end_scan(scan.begun, now);
            }
        }
        demands.push(self.remember());
    }

    /// Starts a scan that is due, or says when to come back.
    fn go_on(&mut self, now: Timestamp, demands: &mut Vec<Demand>) {
        if !self.is_watching() {
            return;
        }
        self.look_at_due(now, demands);
        if self.scan.is_some() {
            return;
        }
        if self.schedule.is_due(now) {
            let rules = self.settings.rules.clone();
            self.gaps.begin_scan();
            demands.push(Demand::StartScan(Box::new(rules.scan_plan())));
            self.scan = Some(Scan {
                begun: now,
                loss_before: self.losses.last(),
                is_same_scope: rules == self.baselined,
                baselined: self.baselined.scan_plan(),
                rules,
                is_cancelled: false,
                is_for_loss: self.losses.wants_scan(),
                had_real_time: self.is_real_time,
                out_of_sight: OutOfSight::default(),
                link: None,
            });
        } else {
            let next = self.schedule.next();
            demands.push(Demand::WaitUntil(self.hints.next().map_or(next, |hints| hints.min(next))));
        }
    }

    fn is_watching(&self) -> bool {
        is_watching(&self.settings)
    }

    /// Since when something that cannot be seen now has not been watched: since the last time that all could be.
    fn unwatched_since(&self, now: Timestamp) -> Timestamp {
        self.last_complete.unwrap_or(now).min(now)
    }

    fn remember(&self) -> Demand {
        Demand::Remember(Box::new(self.memory()))
    }
}

/// True if settings have something monitored.
fn is_watching(settings: &Settings) -> bool {
    settings.is_enabled && settings.rules.names_something()
}

fn stopped_gap(last_alive: Timestamp, now: Timestamp, stop: Stop) -> Gap {
    let how = match stop {
        Stop::Clean => "the agent was stopped",
        Stop::Unclean => {
            "the agent ended without being stopped: it was killed, it crashed, or the machine lost power"
        }
    };
    let clock = if last_alive > now { "; the machine's clock was set back meanwhile" } else { "" };
    Gap {
        scope: GapScope::Everything,
        start: last_alive.min(now),
        end: Some(now),
        cause: GapCause::AgentStopped,
        detail: format!("{how}{clock}"),
    }
}
