//! What a tracker needs to be given at the next start.

use crate::{Gap, RuleSet, Timestamp};

/// What a tracker needs to be given at the next start; the sensor stores it beside the state.
///
/// Rules are stored as they were written, so that their variables are to be resolved again with
/// [`RuleSet::resolve`] before the memory is given back. If what was stored cannot be read, nothing is known of what had
/// a baseline: the sensor hands in [`Input::StateLost`](super::Input::StateLost), so that the stretch becomes a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The rules of the last complete scan: what they name has a baseline, so that a difference there is a change.
    pub baselined: RuleSet,
    /// When the last complete scan ended.
    pub last_complete: Option<Timestamp>,
    /// The gaps that have been reported and not closed; at most [`Memory::MAX_OPEN_GAPS`] and one.
    pub open_gaps: Vec<OpenGap>,
}

impl Memory {
    /// How many places may be open as gaps one by one. Beyond that the nearest ones share the gap of the directory
    /// that they have in common, so that a tree of a million unreadable files costs no more.
    pub const MAX_OPEN_GAPS: usize = 1000;
}

/// A gap that has been reported and not closed, and what the tracker knows of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenGap {
    /// The gap as it was reported.
    pub gap: Gap,
    /// True if there never was a baseline of what is within it, so that nothing found there later is *added*.
    pub is_unknown: bool,
    /// True if it stands for several places within its scope.
    pub is_merged: bool,
}
