//! Stretches that could not be watched.

use std::fmt;

use crate::{EntityPath, ListKind, ListPart, Timestamp};

/// What was not watched.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GapScope {
    /// Everything that the sensor monitors; `*` in the table.
    Everything,
    /// This entity and all below it.
    Within(EntityPath),
    /// All of a list; `*` in the table, beside the list's name.
    List(ListKind),
    /// A part of a list; its name in the table, beside the list's.
    Part(ListPart),
}

/// Why it was not watched.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GapCause {
    /// The agent was not running.
    AgentStopped,
    /// The server heard nothing from the agent.
    AgentNotReporting,
    /// The server lost records that it had acknowledged: its medium damaged them.
    RecordsLost,
    /// The agent had more stretches open than the server keeps one by one.
    TooManyGaps,
    /// There is nothing yet to compare with: the first look at it is not complete.
    BaselinePending,
    /// The machine cannot use a rule as it is: its path has a variable without a value there, say.
    RuleUnusable,
    /// The entity could not be read.
    Unreadable,
    /// A scan ended before it had seen everything.
    ScanCutShort,
    /// The state was damaged and has been moved aside; a new baseline was taken.
    StateLost,
    /// The spool was full, and changes could not be kept.
    SpoolFull,
    /// Records of the spool were damaged before the server had them.
    SpoolDamaged,
    /// The server refused a report for good; it was set aside on the machine.
    ReportRejected,
    /// Notices of changes were lost; the place was looked at again.
    NoticesLost,
    /// A file system was mounted or unmounted; what is seen at the place became another.
    MountsChanged,
    /// The agent was held: it ran, but got no time to watch.
    AgentSuspended,
    /// The machine's clock jumped, or the machine slept.
    ClockChanged,
}

impl GapCause {
    /// The name in the `Cause` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::AgentStopped => "AgentStopped",
            Self::AgentNotReporting => "AgentNotReporting",
            Self::RecordsLost => "RecordsLost",
            Self::TooManyGaps => "TooManyGaps",
            Self::BaselinePending => "BaselinePending",
            Self::RuleUnusable => "RuleUnusable",
            Self::Unreadable => "Unreadable",
            Self::ScanCutShort => "ScanCutShort",
            Self::StateLost => "StateLost",
            Self::SpoolFull => "SpoolFull",
            Self::SpoolDamaged => "SpoolDamaged",
            Self::ReportRejected => "ReportRejected",
            Self::NoticesLost => "NoticesLost",
            Self::MountsChanged => "MountsChanged",
            Self::AgentSuspended => "AgentSuspended",
            Self::ClockChanged => "ClockChanged",
        }
    }

    /// True if only the server can notice it: no sensor tells of it.
    pub fn is_noticed_by_server(self) -> bool {
        match self {
            Self::AgentNotReporting | Self::RecordsLost | Self::TooManyGaps => true,
            Self::AgentStopped
            | Self::BaselinePending
            | Self::RuleUnusable
            | Self::Unreadable
            | Self::ScanCutShort
            | Self::StateLost
            | Self::SpoolFull
            | Self::SpoolDamaged
            | Self::ReportRejected
            | Self::NoticesLost
            | Self::MountsChanged
            | Self::AgentSuspended
            | Self::ClockChanged => false,
        }
    }
}

/// Shows the scope: `*`, the path, or the name of the list or of its part.
impl fmt::Display for GapScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("*"),
            Self::Within(path) => path.fmt(f),
            Self::List(kind) => f.write_str(kind.name()),
            Self::Part(part) => f.write_str(part.name()),
        }
    }
}

/// A stretch of time and a scope that could not be watched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gap {
    /// What was not watched.
    pub scope: GapScope,
    /// Since when.
    pub start: Timestamp,
    /// Until when; `None` while it lasts.
    pub end: Option<Timestamp>,
    /// Why.
    pub cause: GapCause,
    /// The particulars, for a person.
    pub detail: String,
}
