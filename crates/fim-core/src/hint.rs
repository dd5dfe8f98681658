//! Notices that something may have changed. They are hints: what is found at the place decides.

use crate::{Attribution, Entity, EntityKind, EntityPath, GapCause, GapScope, Timestamp};

/// A notice that something may have changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Hint {
    /// What was noticed.
    pub notice: Notice,
    /// When it happened, as nearly as the source knows.
    pub time: Timestamp,
    /// It happened after this: all that had happened by then had been noticed.
    pub since: Timestamp,
    /// Who did it.
    pub by: Attribution,
}

/// What was noticed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// Content or attributes may differ.
    Touched(EntityPath),
    /// A name came.
    Created {
        /// The name.
        path: EntityPath,
        /// True if it is a directory's: there may be something in it already.
        is_directory: bool,
    },
    /// A name went.
    Removed {
        /// The name.
        path: EntityPath,
        /// True if it was a directory's.
        is_directory: bool,
    },
    /// A name became another.
    Moved {
        /// What it was called.
        from: EntityPath,
        /// What it is called.
        to: EntityPath,
        /// True if it is a directory's: all that is in it moved as well.
        is_directory: bool,
    },
    /// Something changed below a directory, at a path that is too long to be told.
    Below(EntityPath),
    /// A file may differ that was touched under a name that no rule names. It may have others that rules name: a sensor
    /// that finds some gives notice of each of them.
    TouchedFile(FileId),
    /// A file of that number may differ, and the state has one under this name. File systems give the number of a file
    /// that is gone to the next one, which may be the file that was touched.
    TouchedByNumber {
        /// The name.
        path: EntityPath,
        /// What was touched.
        file: FileId,
        /// It was touched after this.
        after: Timestamp,
    },
    /// The content of a file that scans do not read has been read: what is known of it may differ.
    ContentRead(EntityPath),
    /// The source lost track of a place for a while; all of it is to be looked at again.
    Lost(Loss),
}

/// A file by number, whatever its names are.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileId {
    /// The device that it is on.
    pub device: u64,
    /// Its inode there.
    pub inode: u64,
}

impl FileId {
    /// The number of an entity, if it is a file and its number is known.
    pub fn of(entity: &Entity) -> Option<Self> {
        let (device, inode) = (entity.attributes.device?, entity.attributes.inode?);
        (entity.kind == EntityKind::File).then_some(Self { device, inode })
    }
}

/// A stretch of which the notices are lost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loss {
    /// What is to be looked at again.
    pub scope: GapScope,
    /// Since when notices may be missing.
    pub since: Timestamp,
    /// Why.
    pub cause: GapCause,
    /// The particulars, for a person.
    pub detail: String,
}

/// A place to be looked at outside of a scan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Spot {
    /// The place.
    pub path: EntityPath,
    /// True if all that is below it is to be looked at as well.
    pub is_deep: bool,
}
