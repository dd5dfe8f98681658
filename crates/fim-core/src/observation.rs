//! What a source claims to have seen.

use crate::{Entity, EntityKey};

/// A claim by a source about one entity or one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Observation {
    /// The entity is there and looks like this; aspects that were not looked at are unknown.
    Present(Box<Entity>),
    /// The entity is not there.
    Absent(EntityKey),
    /// The entity is there, but not all of it could be read. `partial` is what could.
    Unreadable {
        /// What could not be read.
        key: EntityKey,
        /// What was learned all the same: a stat without the content, say.
        partial: Option<Box<Entity>>,
        /// Why it could not be read.
        why: Unreadable,
    },
    /// The source lost track; everything within `scope` must be looked at again.
    Lost {
        /// The place.
        scope: EntityKey,
        /// Why, for a person.
        why: String,
    },
}

/// Why an entity could not be read.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Unreadable {
    /// The system refused.
    PermissionDenied,
    /// Someone holds it locked.
    Locked,
    /// It kept changing while it was read.
    Unstable,
    /// It is larger than what is read at once; the next scan reads it.
    TooLarge,
    /// The file system answered with an error: its text.
    Damaged(String),
}
