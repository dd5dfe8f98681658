//! What is told to the engine while it works: the newest settings, and to stop.
//!
//! Both merge, so there is no queue that could be full.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fim_scan::ScanControl;

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
    /// Nothing came until the time that was waited for.
    Nothing,
}

#[derive(Debug, Default)]
struct Slots {
    is_stopping: bool,
    settings: Option<Box<Settings>>,
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
                message @ (Message::Stop | Message::Settings(_)) => return message,
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
    fn take(&mut self) -> Message {
        if self.is_stopping {
            return Message::Stop;
        }
        self.settings.take().map_or(Message::Nothing, Message::Settings)
    }
}
