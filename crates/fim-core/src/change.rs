//! The difference between two looks, and that with who, where and when.

use std::fmt;

use crate::{AspectSet, Entity, EntityKey, Timestamp};

/// The published categories of a change.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ChangeCategory {
    /// The entity was not there before.
    Added,
    /// The entity differs.
    Modified,
    /// The entity is gone.
    Removed,
}

/// The pure difference between two looks at one entity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// What changed.
    pub key: EntityKey,
    /// What it was; `None` if it was not there.
    pub before: Option<Entity>,
    /// What it is; `None` if it is gone.
    pub after: Option<Entity>,
    /// Which aspects differ; empty unless both are there.
    pub fields: AspectSet,
}

/// What makes a repeated report of one change harmless: derived from the machine, the key, before and after.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ChangeId(pub [u8; 16]);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangeId({self})")
    }
}

/// How a change was noticed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ChangeSource {
    /// By comparing a scan with the state.
    Scan,
    /// By the operating system's notice.
    RealTime,
    /// By reading a disk image.
    Agentless,
}

/// A change with its source, rule and times; what a sensor hands on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangeEvent {
    /// What makes a repeat harmless.
    pub id: ChangeId,
    /// The difference.
    pub change: Change,
    /// How it was noticed.
    pub source: ChangeSource,
    /// When it was noticed, by the sensor's clock.
    pub observed: Timestamp,
    /// When the change itself happened, where that is known.
    pub happened: Option<Timestamp>,
    /// The rule that the entity is monitored by.
    pub rule: String,
    /// How old the state was that it was compared with, in seconds.
    pub snapshot_age_seconds: Option<u64>,
}
