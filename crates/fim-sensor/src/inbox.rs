//! What is told to the engine while it works: the newest settings, hints, and to stop.
//!
//! Settings and stopping merge. Hints are a bounded queue; if it is full, all of them become the one hint that everything
//! is to be looked at again.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fim_core::{GapCause, Hint, Timestamp};
use fim_scan::ScanControl;
use fim_scan::lists::ListNotices;

use crate::real_time::lost_everything;
use crate::settings::Settings;

/// A place for messages to the engine.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    slots: Mutex<Slots>,
    changed: Condvar,
}

/// What the engine finds in its inbox.
#[derive(Debug)]
pub(crate) enum Message {
    /// Stop, and do not begin anything.
    Stop,
    /// Work by these settings.
    Settings(Box<Settings>),
    /// Something may have changed.
    Hints(Vec<Hint>),
    /// Changes are noticed in real time from now on, or no more.
    RealTime(bool),
    /// Something that the engine has waited for is there.
    Ring,
    /// Nothing came until the time that was waited for.
    Nothing,
}

#[derive(Debug, Default)]
struct Slots {
    is_stopping: bool,
    settings: Option<Box<Settings>>,
    hints: Vec<Hint>,
    /// Until when all that happened has been put in; nothing while nobody notices changes.
    heard: Option<Timestamp>,
    /// How often somebody missed a word of who notices changes since the last.
    missed: u32,
    /// What was heard last of whoever notices changes when he was given up; nothing once he is heard again.
    given_up: Option<Timestamp>,
    /// Since when something may have happened of which hints were taken out and not looked into.
    in_hand: Option<Timestamp>,
    real_time: Option<bool>,
    is_rung: bool,
    /// What was noticed of lists: there are as many parts as there are.
    list_notices: ListNotices,
    /// The scan under way, so that it ends soon when the sensor is to stop.
    scan: Option<Arc<ScanControl>>,
}

impl Inbox {
    /// Tells the engine to stop; a scan under way is cut short.
    pub fn stop(&self) {
        let mut slots = self.lock();
        slots.is_stopping = true;
        if let Some(scan) = &slots.scan {
            scan.cancel();
        }
        self.changed.notify_all();
    }

    /// Gives the engine new settings, in the place of any that it has not taken.
    pub fn put_settings(&self, settings: Settings) {
        self.lock().settings = Some(Box::new(settings));
        self.changed.notify_all();
    }

    /// Gives the engine hints.
    pub fn put_hints(&self, hints: &mut Vec<Hint>) {
        if !hints.is_empty() {
            self.lock().put_hints(hints);
            self.changed.notify_all();
        }
    }

    /// Notes until when all that happened has been put in; nothing if nobody notices changes any more. If he who notices
    /// them was given up and is heard again, the engine is told so, and that all since what was noted last may be lost. True
    /// then.
    pub fn set_heard(&self, heard: Option<Timestamp>) -> bool {
        let mut slots = self.lock();
        slots.heard = heard;
        slots.missed = 0;
        let Some(since) = slots.given_up.take().filter(|_| heard.is_some()) else { return false };
        slots.real_time = Some(true);
        let detail = "what notices changes in real time did not answer for some time".to_owned();
        slots.put_hints(&mut vec![lost_everything(since, GapCause::NoticesLost, detail)]);
        self.changed.notify_all();
        true
    }

    /// Notes that somebody begins to notice changes, who heard last at `heard` or not at all before: from now on it is seen
    /// if he says nothing.
    pub fn await_heard(&self, heard: Timestamp) {
        let mut slots = self.lock();
        slots.heard.get_or_insert(heard);
        slots.missed = 0;
    }

    /// Notes that somebody missed a word of whoever notices changes. After more than `most` times since the last word he is
    /// given up until he is heard again: the engine is told that nothing is noticed, nor may have been since then, and why.
    /// True if he was just given up.
    pub fn miss_heard(&self, most: u32, why: &str) -> bool {
        let mut slots = self.lock();
        slots.missed = slots.missed.saturating_add(1);
        let Some(since) = slots.heard.filter(|_| slots.missed > most && slots.given_up.is_none()) else {
            return false;
        };
        // With one lock: he may be heard again at any moment, and what is told then is to come after this.
        slots.given_up = Some(since);
        slots.real_time = Some(false);
        slots.put_hints(&mut vec![lost_everything(since, GapCause::NoticesLost, why.to_owned())]);
        self.changed.notify_all();
        true
    }

    /// True if whoever notices changes was given up and has not been heard since.
    pub fn is_given_up(&self) -> bool {
        self.lock().given_up.is_some()
    }

    /// Notes since when something may have happened of which hints were taken out and not looked into. What came of the
    /// others may have been told and still be lost with the power; then what was noted before counts on.
    pub fn settle(&self, since: Option<Timestamp>, is_durable: bool) {
        let mut slots = self.lock();
        let before = slots.in_hand.filter(|_| !is_durable);
        slots.in_hand = since.into_iter().chain(before).min();
    }

    /// Until when all that was noticed has been looked into and told. What came and went since is lost if the sensor
    /// ends now.
    pub fn settled_until(&self, now: Timestamp) -> Timestamp {
        let slots = self.lock();
        let waiting = oldest(&slots.hints);
        [slots.heard, slots.in_hand, waiting].into_iter().flatten().fold(now, Timestamp::min)
    }

    /// Tells the engine whether changes are noticed in real time.
    pub fn put_real_time(&self, is_on: bool) {
        self.lock().real_time = Some(is_on);
        self.changed.notify_all();
    }

    /// Whether changes are noticed in real time, if that has just become known.
    pub fn take_real_time(&self) -> Option<bool> {
        self.lock().real_time.take()
    }

    /// Wakes the engine: something that it has waited for is there.
    pub fn ring(&self) {
        self.lock().is_rung = true;
        self.changed.notify_all();
    }

    /// Wakes the engine with what was noticed of lists.
    pub fn put_list_notices(&self, notices: ListNotices) {
        let mut slots = self.lock();
        slots.list_notices.touched.extend(notices.touched);
        let since = slots.list_notices.lost_since.into_iter().chain(notices.lost_since).min();
        slots.list_notices.lost_since = since;
        slots.is_rung = true;
        self.changed.notify_all();
    }

    /// What was noticed of lists so far.
    pub fn take_list_notices(&self) -> ListNotices {
        std::mem::take(&mut self.lock().list_notices)
    }

    /// What was noticed so far.
    pub fn take_hints(&self) -> Vec<Hint> {
        self.lock().take_hints()
    }

    /// True once the engine was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// What there is now.
    pub fn take(&self) -> Message {
        self.lock().take()
    }

    /// What comes until `deadline`; without one, whatever comes first.
    pub fn wait(&self, deadline: Option<Instant>) -> Message {
        let mut slots = self.lock();
        loop {
            match slots.take() {
                Message::Nothing => {}
                message @ (Message::Stop
                | Message::Settings(_)
                | Message::Hints(_)
                | Message::RealTime(_)
                | Message::Ring) => return message,
            }
            slots = match deadline {
                None => self.changed.wait(slots).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Message::Nothing;
                    }
                    self.changed.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Names the scan that [`Self::stop`] shall cut short; nothing when it has ended.
    pub fn set_scan(&self, scan: Option<Arc<ScanControl>>) {
        let mut slots = self.lock();
        if let Some(scan) = scan.as_ref().filter(|_| slots.is_stopping) {
            scan.cancel();
        }
        slots.scan = scan;
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Takes hints in; too many of them become one loss of everything.
    fn put_hints(&mut self, hints: &mut Vec<Hint>) {
        if self.hints.len() + hints.len() <= MOST_HINTS {
            self.hints.append(hints);
            return;
        }
        let since = oldest(&self.hints).into_iter().chain(oldest(hints)).min().unwrap_or_default();
        let detail = format!("more than {MOST_HINTS} notices waited to be looked into");
        hints.clear();
        self.hints = vec![lost_everything(since, GapCause::NoticesLost, detail)];
    }

    fn take(&mut self) -> Message {
        if self.is_stopping {
            return Message::Stop;
        }
        if let Some(settings) = self.settings.take() {
            return Message::Settings(settings);
        }
        if let Some(is_on) = self.real_time.take() {
            return Message::RealTime(is_on);
        }
        if std::mem::take(&mut self.is_rung) {
            return Message::Ring;
        }
        if self.hints.is_empty() {
            return Message::Nothing;
        }
        Message::Hints(self.take_hints())
    }

    fn take_hints(&mut self) -> Vec<Hint> {
        let hints = std::mem::take(&mut self.hints);
        self.in_hand = self.in_hand.into_iter().chain(oldest(&hints)).min();
        hints
    }
}

/// After when the oldest of them happened.
fn oldest(hints: &[Hint]) -> Option<Timestamp> {
    hints.iter().map(|hint| hint.since.min(hint.time)).min()
}

/// As many hints as a burst makes in a second or two; with them some megabytes.
const MOST_HINTS: usize = 32_768;
