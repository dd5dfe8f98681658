//! What a sensor needs from a machine's notices of changes, whichever they are.

use std::sync::Arc;
use std::time::Duration;

use fim_core::{EntityPath, Hint, ScanPlan, Timestamp};

use crate::KnownFiles;

/// A source of hints. What it names may have changed; what it does not name is found by the next scan.
pub trait Watcher: Send + 'static {
    /// What it is called in the status: `fanotify`, say.
    fn provider(&self) -> &'static str;

    /// Until when everything that had happened has been handed out as hints.
    fn heard(&self) -> Timestamp;

    /// True if it tells who made a change, as far as that can be known.
    fn tells_who(&self) -> bool;

    /// Watches what the plan names, and the file at `canary`, from the return on, instead of what it watched before. What
    /// both name is watched throughout.
    fn watch(&mut self, plan: &Arc<ScanPlan>, canary: &EntityPath);

    /// The places of the plan that it cannot watch now, of very many the first.
    fn unwatched(&self) -> &[Unwatched];

    /// Has the watcher tell of these files as well ([`fim_core::Notice::TouchedFile`]) when they are touched under names
    /// that the plan does not name. One that sees only what is named tells of none.
    fn tell_of(&mut self, _files: &Arc<KnownFiles>) {}

    /// Waits until something is noticed, at most that long, and adds what was. Hints about other places than the
    /// plan's may be among them.
    ///
    /// # Errors
    ///
    /// Fails if it cannot go on: from then on nothing is noticed.
    fn wait(&mut self, at_most: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError>;
}

/// The best watcher that works, and what better ones there are that do not.
#[derive(Default)]
pub struct WatcherChoice {
    /// The watcher; nothing if none works, and scans find what changes.
    pub watcher: Option<Box<dyn Watcher>>,
    /// The better ones, the best first.
    pub refused: Vec<Refused>,
}

/// A provider that cannot be used on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// What it is called in the status.
    pub provider: &'static str,
    /// Why, for a person, and what it takes.
    pub why: String,
}

/// A place that a watcher cannot watch; scans see to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unwatched {
    /// The place, with all below it.
    pub path: EntityPath,
    /// Why, for a person.
    pub why: String,
}

/// Why nothing more is noticed.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system refused a call.
    #[error("cannot {doing}")]
    System {
        /// What was to be done.
        doing: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// It was put to the proof, and did not hear what it should have.
    #[error("{provider} does not notice everything any more")]
    Deaf {
        /// What it is called.
        provider: &'static str,
        /// What it did not hear.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
