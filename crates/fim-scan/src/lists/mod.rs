//! Reads the lists that a system keeps of its daemons or services and its software, from anything that is a [`FileTree`].
//!
//! The files, and the keys of the registry of Windows, are read as the tools that keep them write them: no program is run and nobody is asked, so that it works
//! the same on a disk image, and what a tool would be made to say does not matter.

mod apk;
mod bundles;
mod dpkg;
mod files;
mod notices;
mod programs;
mod registry;
mod rpm;
mod services;
mod side_by_side;
mod systemd;
mod sysv;
mod unit_file;

use std::collections::BTreeMap;

use fim_core::{ListPart, Listed, Monitored as _, Software};
use thiserror::Error;

use crate::tree::{FileTree, TreeError};
use files::Files;
pub use notices::{ListNotices, ListWatcher, Place};

/// Why a part of a list could not be collected. Nothing is known of what is in it then.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("cannot read {path}: {source}")]
pub struct CollectError {
    /// The file or directory.
    pub path: String,
    /// What the tree answered.
    pub source: TreeError,
}

impl CollectError {
    /// True if there is no database where there is a folder for one.
    pub fn is_missing(&self) -> bool {
        self.source == TreeError::NotFound
    }

    fn missing(path: &str) -> Self {
        Self { path: path.to_owned(), source: TreeError::NotFound }
    }
}

/// Collects all of a part, in the order of the keys. A system that keeps no such list has an empty one. Each place is
/// named to `reads` before it is read; the registry of Windows is not.
///
/// # Errors
///
/// Fails if anything in the part cannot be read: an incomplete list would tell of removals that never were.
pub fn collect<T: FileTree>(
    tree: &T,
    part: ListPart,
    reads: &dyn Fn(Place<'_>),
) -> Result<Vec<Listed>, CollectError> {
    let files = Files::new(tree, reads);
    let software = |packages: Vec<Software>| packages.into_iter().map(Listed::Software).collect();
    let entities: Vec<Listed> = match part {
        ListPart::Systemd => systemd::daemons(&files)?.into_iter().map(Listed::Daemon).collect(),
        ListPart::Init => sysv::daemons(&files)?.into_iter().map(Listed::Daemon).collect(),
        ListPart::Dpkg => software(dpkg::read(&files)?),
        ListPart::Rpm => software(rpm::read(&files)?),
        ListPart::Apk => software(apk::read(&files)?),
        ListPart::Snap => software(bundles::snaps(&files)?),
        ListPart::Flatpak => software(bundles::flatpaks(&files)?),
        ListPart::Services => services::read(tree)?.into_iter().map(Listed::Service).collect(),
        ListPart::Programs => software(programs::read(tree)?),
    };
    let sorted: BTreeMap<_, _> = entities.into_iter().map(|entity| (entity.key(), entity)).collect();
    Ok(sorted.into_values().collect())
}
