//! Real time: the thread that waits for notices and brings what concerns the rules to the engine.
//!
//! It also proves that it hears: a canary file is written from time to time, and if nothing is noticed of it the watcher
//! is made anew and everything is looked at again.

mod orders;
#[cfg(test)]
mod tests;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fim_core::{
    EntityKey, EntityPath, GapCause, GapScope, Hint, Loss, Notice, ScanPlan, Timestamp, WhoUnknown,
    error_chain,
};
use fim_log::{Disk as _, RealDisk};
use fim_scan::{KnownFiles, Unwatched, Watcher, WatcherChoice};
pub(crate) use orders::WatchOrders;

use crate::alive::STAMP_EVERY;
use crate::inbox::Inbox;
use crate::machine_path::machine_path;
use crate::status::SharedStatus;
use crate::time::now;

/// Makes a watcher of the best kind that works here.
pub type MakeWatcher = Box<dyn FnMut() -> WatcherChoice + Send>;

/// The thread's state.
pub(crate) struct RealTime {
    pub make: MakeWatcher,
    pub orders: Arc<WatchOrders>,
    pub inbox: Arc<Inbox>,
    pub status: SharedStatus,
    /// The sensor's own directory; what happens in it is its own doing.
    pub own_dir: PathBuf,
    pub canary: CanaryTimes,
    /// The files that are monitored, whatever they are called.
    pub known: Arc<KnownFiles>,
    /// How long to wait before a watcher is made again, after so many failures soon after each other.
    pub rest: Box<dyn Fn(u32) -> Duration + Send>,
    /// Until when it is known that notices were heard: what happened later may have gone unnoticed.
    pub heard: Timestamp,
}

/// How a watcher is put to the proof.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CanaryTimes {
    /// How long after one writing the next is. What happened since the last that was noticed counts as unnoticed if the
    /// sensor is killed now.
    pub every: Duration,
    /// How long the notice of it may take on a machine that is busy.
    pub answer: Duration,
}

impl Default for CanaryTimes {
    fn default() -> Self {
        Self { every: STAMP_EVERY, answer: Duration::from_secs(10) }
    }
}

/// A file that is written to see whether that is noticed.
struct Canary {
    path: PathBuf,
    entity: EntityPath,
    times: CanaryTimes,
    /// When it is written next.
    next: Instant,
    /// Until when the notice of the last writing must have come, and when that was.
    awaited: Option<(Instant, Timestamp)>,
}

/// How a watcher's time ended.
enum Ended {
    /// The sensor stops.
    Stopping,
    /// It cannot go on, or hears nothing.
    Failed(String),
}

impl RealTime {
    /// The best watcher that works now; what does not is shown.
    pub fn choose(&mut self) -> Option<Box<dyn Watcher>> {
        let WatcherChoice { watcher, refused } = (self.make)();
        for refused in &refused {
            tracing::warn!(
                provider = refused.provider,
                why = refused.why,
                "cannot notice changes in real time"
            );
        }
        let refused =
            refused.iter().map(|refused| format!("{}: {}", refused.provider, refused.why)).collect();
        self.status.update(|status| status.refused_providers = refused);
        watcher
    }

    /// Works until the inbox says to stop. `first` is the watcher to begin with. However it ends otherwise, the engine is
    /// told since when nothing may have been noticed.
    pub fn run(mut self, first: Option<Box<dyn Watcher>>) {
        let ended = panic::catch_unwind(AssertUnwindSafe(|| self.listen(first)));
        self.orders.serve(false);
        if !self.inbox.is_stopping() {
            let why = ended.as_ref().cloned().unwrap_or_else(|_| PANICKED.to_owned());
            tracing::error!(why, "changes are not noticed in real time any more; scans find them");
            self.tell_silence(&why);
        }
        if let Err(panic) = ended {
            panic::resume_unwind(panic);
        }
    }

    /// Hears with one watcher after the other; why there is no further one. One that failed soon after it was made is not
    /// made again at once.
    fn listen(&mut self, first: Option<Box<dyn Watcher>>) -> String {
        let mut watcher = first;
        let mut lost = None;
        let mut failures = 0;
        while let Some(hearing) = watcher.take() {
            let begun = Instant::now();
            match self.hear(hearing, lost.take()) {
                Ended::Stopping => break,
                Ended::Failed(why) => {
                    tracing::error!(why, "changes are not noticed in real time; starting again");
                    if begun.elapsed() >= STEADY {
                        failures = 0;
                    }
                    if failures > 0 {
                        self.rest_from((self.rest)(failures - 1), &why);
                    }
                    failures += 1;
                    lost = Some(why);
                    watcher = self.choose();
                }
            }
        }
        lost.unwrap_or_default()
    }

    /// Lets scans see to everything for a while, since what notices changes fails again and again.
    fn rest_from(&self, rest: Duration, why: &str) {
        self.orders.serve(false);
        self.tell_silence(why);
        let until = Instant::now() + rest;
        while !self.inbox.is_stopping() && Instant::now() < until {
            thread::sleep(until.saturating_duration_since(Instant::now()).min(WAIT));
        }
        self.orders.serve(true);
        self.inbox.put_real_time(true);
        self.status.update(|status| status.real_time_error = None);
    }

    /// Says that nothing is noticed from now on, nor may have been since it was last heard.
    fn tell_silence(&self, why: &str) {
        self.inbox.put_real_time(false);
        self.inbox.put_hints(&mut vec![lost_everything(self.heard, GapCause::NoticesLost, why.to_owned())]);
        self.inbox.set_heard(None);
        self.status.update(|status| status.show_silence(why));
    }

    /// Says that notices are heard again after the sensor had given up waiting for what tells them.
    fn come_back(&self, provider: &str) {
        tracing::warn!("changes are noticed in real time again");
        self.status.update(|status| {
            status.provider = provider.to_owned();
            status.real_time_error = None;
        });
    }

    /// Hears with one watcher until it fails or the sensor stops.
    fn hear(&mut self, mut watcher: Box<dyn Watcher>, lost: Option<String>) -> Ended {
        watcher.tell_of(&self.known);
        let mut canary = Canary::new(&self.own_dir, self.canary);
        let mut heard = Some(now());
        let own = machine_path(&self.own_dir);
        let provider = watcher.provider();
        self.status.update(|status| {
            status.provider = provider.to_owned();
            status.tells_who = watcher.tells_who();
        });
        let mut shown = Vec::new();
        let mut plan = Arc::new(ScanPlan::default());
        let mut order = 0;
        // From here on it is seen if it does not answer, while it is given its first order as well.
        self.inbox.await_heard(self.heard);
        let mut hints: Vec<Hint> =
            lost.map(|why| lost_everything(self.heard, GapCause::NoticesLost, why)).into_iter().collect();
        while !self.inbox.is_stopping() {
            if let Some((number, newer)) = self.orders.newer_than(order) {
                watcher.watch(&newer, &canary.entity);
                (order, plan) = (number, newer);
                if let Some(since) = self.orders.perform(number) {
                    let detail = "what is watched in real time took long to be changed".to_owned();
                    hints.push(lost_everything(since, GapCause::NoticesLost, detail));
                }
            }
            if let Err(error) = watcher.wait(WAIT, &mut hints) {
                self.inbox.put_hints(&mut hints);
                return Ended::Failed(error_chain(&error));
            }
            if watcher.unwatched() != shown {
                self.show(&shown, watcher.unwatched());
                shown = watcher.unwatched().to_vec();
            }
            heard = canary.heard(&hints).or(heard);
            hints.retain(|hint| concerns(hint, &plan, &own));
            self.inbox.put_hints(&mut hints);
            self.heard = heard.take().unwrap_or(self.heard);
            // A watcher that is deaf says that it has heard all that there was: what it was last proven to hear counts.
            if self.inbox.set_heard(Some(watcher.heard().min(self.heard))) {
                self.come_back(provider);
            }
            if order > 0 && !canary.sing() {
                return Ended::Failed(format!("{provider} noticed nothing of a file that was written"));
            }
        }
        Ended::Stopping
    }

    /// Shows the places that cannot be watched; `before` were shown already.
    fn show(&self, before: &[Unwatched], unwatched: &[Unwatched]) {
        for place in unwatched.iter().filter(|place| !before.contains(place)).take(MOST_SHOWN) {
            let (path, why) = (&place.path, &place.why);
            tracing::warn!(%path, why, "cannot be watched in real time; scans see to it");
        }
        let places = unwatched.iter().map(|place| format!("{}: {}", place.path, place.why));
        let places = places.take(MOST_SHOWN).collect();
        self.status.update(|status| status.unwatched = places);
    }
}

impl Canary {
    fn new(own_dir: &std::path::Path, times: CanaryTimes) -> Self {
        let path = own_dir.join("canary");
        // Made anew for its owner only: earlier versions let others read it. What fails here is told when it is written.
        let _ = fs::remove_file(&path);
        let _ = RealDisk.open_append(&path);
        let entity = machine_path(&path);
        Self { path, entity, times, next: Instant::now(), awaited: None }
    }

    /// When the file was written, if the notice that was awaited of it is there.
    fn heard(&mut self, hints: &[Hint]) -> Option<Timestamp> {
        let is_there = hints.iter().any(|hint| match &hint.notice {
            Notice::Touched(path) | Notice::Created { path, .. } => *path == self.entity,
            Notice::Removed { .. }
            | Notice::Moved { .. }
            | Notice::Below(_)
            | Notice::TouchedFile(_)
            | Notice::TouchedByNumber { .. }
            | Notice::ContentRead(_)
            | Notice::Lost(_) => false,
        });
        self.awaited.take_if(|_| is_there).map(|(_, written)| written)
    }

    /// Writes the file if it is time to; false if nothing was heard of the last time.
    fn sing(&mut self) -> bool {
        let begun = Instant::now();
        if self.awaited.is_some_and(|(deadline, _)| begun > deadline) {
            return false;
        }
        if self.awaited.is_none() && begun >= self.next {
            self.next = begun + self.times.every;
            let written = now();
            // A full disk is told elsewhere; without the file there is nothing to hear.
            match fs::write(&self.path, b"noticed?") {
                Ok(()) => self.awaited = Some((begun + self.times.answer, written)),
                Err(error) => tracing::warn!(%error, path = %self.path.display(), "cannot write the canary"),
            }
        }
        true
    }
}

/// True if the hint may concern what the plan names.
fn concerns(hint: &Hint, plan: &ScanPlan, own: &EntityPath) -> bool {
    let is_named = |path: &EntityPath| {
        !path.is_within(own)
            && (plan.rules().rule_for(&EntityKey::File(path.clone())).is_some()
                || plan.directory(path).is_descend())
    };
    match &hint.notice {
        Notice::Touched(path)
        | Notice::Created { path, .. }
        | Notice::Removed { path, .. }
        | Notice::Below(path)
        | Notice::TouchedByNumber { path, .. }
        | Notice::ContentRead(path) => is_named(path),
        Notice::Moved { from, to, .. } => is_named(from) || is_named(to),
        // Which names it has is asked of the state.
        Notice::TouchedFile(_) | Notice::Lost(_) => true,
    }
}

/// That something may be missing of all that happened since then.
pub(crate) fn lost_everything(since: Timestamp, cause: GapCause, detail: String) -> Hint {
    let loss = Loss { scope: GapScope::Everything, since, cause, detail };
    Hint { notice: Notice::Lost(loss), time: now(), since, by: Err(WhoUnknown::NotTold) }
}

/// How long one wait for notices is; settings and stopping wait for its end.
const WAIT: Duration = Duration::from_millis(50);

/// A watcher that worked for this long does not fail again and again.
const STEADY: Duration = Duration::from_secs(60);

const PANICKED: &str = "what listens for notices of changes failed; the log says why";

/// How many unwatched places the status names.
const MOST_SHOWN: usize = 20;
