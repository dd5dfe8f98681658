//! What a sensor needs from a machine to notice that a part of a list may have changed.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use fim_core::{ListPart, Timestamp};

use crate::WatchError;

/// A place that a part of a list is read from, by its path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place<'p> {
    /// The names in a directory.
    Names(&'p str),
    /// A name: whether it is there, what it is and what is in it.
    Entry(&'p str),
}

/// A source of notices that a part may have changed. What it does not notice is found by the next collection.
///
/// The places are those that the part is read from, each named just before it is read: whatever happens there from then on
/// is noticed, and nobody has to know beforehand where a list is kept.
pub trait ListWatcher: fmt::Debug + Send + Sync {
    /// A part begins to be read.
    fn begin(&self, part: ListPart);

    /// The place is about to be read for a part.
    fn reads(&self, part: ListPart, place: Place<'_>);

    /// A part has been read. If all of it was, what it was read from before and not now is watched no more.
    fn end(&self, part: ListPart, is_complete: bool);

    /// Waits until something is noticed, at most that long.
    ///
    /// # Errors
    ///
    /// Fails if it cannot go on: from then on nothing is noticed.
    fn wait(&self, at_most: Duration) -> Result<ListNotices, WatchError>;

    /// Why some place is not watched, if one is not.
    fn trouble(&self) -> Option<String>;
}

/// What was noticed of lists.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListNotices {
    /// The parts that may have changed.
    pub touched: BTreeSet<ListPart>,
    /// Since when notices may be missing, if they may.
    pub lost_since: Option<Timestamp>,
}
