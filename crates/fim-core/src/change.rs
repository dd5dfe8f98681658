//! The difference between two looks, and that with who, where and when.

use std::fmt;

use crate::{AspectSet, Entity, Monitored, Timestamp, Who};

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

impl ChangeCategory {
    /// The name in the published column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "Added",
            Self::Modified => "Modified",
            Self::Removed => "Removed",
        }
    }
}

/// The pure difference between two looks at one entity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change<E: Monitored = Entity> {
    /// What changed.
    pub key: E::Key,
    /// What it was; `None` if it was not there.
    pub before: Option<E>,
    /// What it is; `None` if it is gone.
    pub after: Option<E>,
    /// Which aspects differ; empty unless both are there.
    pub fields: AspectSet,
}

impl<E: Monitored> Change<E> {
    /// The published category; nothing if the change has neither side, which [`diff`] never makes.
    pub fn category(&self) -> Option<ChangeCategory> {
        match (&self.before, &self.after) {
            (None, None) => None,
            (None, Some(_)) => Some(ChangeCategory::Added),
            (Some(_), Some(_)) => Some(ChangeCategory::Modified),
            (Some(_), None) => Some(ChangeCategory::Removed),
        }
    }
}

/// The difference between two looks at one entity, or nothing if no watched aspect differs.
///
/// `None` means that the entity is not there, not that it was not looked at. What a poor look lacks is completed by
/// [`Monitored::absorb`] with what was known before, so that the change tells all that is known of both sides.
pub fn diff<E: Monitored>(before: Option<&E>, after: Option<&E>, watched: AspectSet) -> Option<Change<E>> {
    let change = |key, after, fields| Change { key, before: before.cloned(), after, fields };
    match (before, after) {
        (None, None) => None,
        (None, Some(added)) => Some(change(added.key(), Some(added.clone()), AspectSet::NONE)),
        (Some(removed), None) => Some(change(removed.key(), None, AspectSet::NONE)),
        (Some(old), Some(new)) => {
            let fields = old.compare(new, watched);
            (!fields.is_empty()).then(|| change(new.key(), Some(E::absorb(old.clone(), new.clone())), fields))
        }
    }
}

/// What the state holds of the entity after the change, given what it held before. Folding the same change twice is
/// folding it once.
pub fn apply<E: Monitored>(change: &Change<E>, before: Option<E>) -> Option<E> {
    let after = change.after.clone()?;
    match (&change.before, before) {
        // It was not there, so what is known of something older is not knowledge of this.
        (None, _) | (_, None) => Some(after),
        (Some(_), Some(before)) => Some(E::absorb(before, after)),
    }
}

/// What a change is told under: derived from the machine, when it was noticed, the key, before and after, so that one id
/// is one change. A sensor tells a change once, and the server keeps what it is told: the id is what a repeat would be
/// known by, and nothing takes repeats away by it.
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

impl ChangeSource {
    /// The name in the `ChangeSource` column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scan => "Scan",
            Self::RealTime => "RealTime",
            Self::Agentless => "Agentless",
        }
    }
}

/// A change with its source, rule and times; what a sensor hands on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ChangeEvent<E: Monitored = Entity> {
    /// What the change is told under.
    pub id: ChangeId,
    /// The difference.
    pub change: Change<E>,
    /// How it was noticed.
    pub source: ChangeSource,
    /// When it was noticed, by the sensor's clock.
    pub observed: Timestamp,
    /// When the change itself happened, where that is known.
    pub happened: Option<Timestamp>,
    /// The rule that the entity is monitored by; empty for entities of lists, which no rule names.
    pub rule: String,
    /// How old the state was that it was compared with, in seconds.
    pub snapshot_age_seconds: Option<u64>,
    /// Who made it.
    pub who: Who,
    /// What the entity was called before, if its name is what changed. `change.before` tells the rest under its new
    /// name.
    pub moved_from: Option<E::Key>,
    /// True if the entity came and went so soon that nothing but its name was seen.
    pub is_fleeting: bool,
}
