//! What a source claims to have seen.

use std::fmt;

use crate::{Entity, EntityKey, EntityPath};

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
}

impl Observation {
    /// The path that it is about.
    pub fn path(&self) -> &EntityPath {
        match self {
            Self::Present(entity) => entity.key.path(),
            Self::Absent(key) | Self::Unreadable { key, .. } => key.path(),
        }
    }
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
    /// It is too large for others to wait for. It is read beside the scans, and its content is not known until then.
    TooLarge,
    /// It is a directory that is not entered: why, and what to do.
    NotEntered(String),
    /// The file system answered with an error: its text.
    Damaged(String),
}

/// Says why, and what to do, for a person.
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PermissionDenied => f.write_str("permission denied: let the agent read it, or leave it out"),
            Self::Locked => f.write_str("another program holds it locked: it can be read once that lets go of it"),
            Self::Unstable => {
                f.write_str("it kept changing while it was read: leave it out if it always does, else wait for the next scan")
            }
            Self::TooLarge => f.write_str(
                "it is too large for a scan to wait for: its content is read beside the scans and is not known until \
                 then; leave it out if its content does not matter",
            ),
            Self::NotEntered(text) => f.write_str(text),
            Self::Damaged(text) => write!(f, "the file system answered: {text}; check what the file system is on"),
        }
    }
}
