//! Reads the lists that a system keeps of its daemons or services and its software, from anything that is a [`FileTree`].
//!
//! The files, and the keys of the registry of Windows, are read as the tools that keep them write them: no program is run and nobody is asked, so that it works
//! the same on a disk image, and what a tool would be made to say does not matter.

mod apk;
mod bundles;
mod dpkg;
mod files;
mod programs;
mod registry;
mod rpm;
mod services;
mod side_by_side;
mod systemd;
mod sysv;
mod unit_file;

use std::collections::BTreeMap;

use fim_core::{ListKind, Listed, Monitored as _, PathStyle};
use thiserror::Error;

use crate::tree::{FileTree, TreeError};
use files::Files;

/// Why a list could not be collected. Nothing is known of what is in it then.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("cannot read {path}: {source}")]
pub struct CollectError {
    /// The file or directory.
    pub path: String,
    /// What the tree answered.
    pub source: TreeError,
}

/// Collects all of a list, in the order of the keys. A system that keeps no such list has an empty one.
///
/// # Errors
///
/// Fails if any part of the list cannot be read: an incomplete list would tell of removals that never were.
pub fn collect<T: FileTree>(tree: &T, kind: ListKind) -> Result<Vec<Listed>, CollectError> {
    let files = Files::new(tree);
    let entities: Vec<Listed> = match kind {
        ListKind::Daemons => {
            let mut daemons = systemd::daemons(&files)?;
            sysv::add(&files, &mut daemons)?;
            daemons.into_values().map(Listed::Daemon).collect()
        }
        ListKind::Services => services::read(tree)?.into_iter().map(Listed::Service).collect(),
        ListKind::Software if tree.style() == PathStyle::Windows => {
            programs::read(tree)?.into_iter().map(Listed::Software).collect()
        }
        ListKind::Software => {
            let found = [
                dpkg::read(&files)?,
                rpm::read(&files)?,
                apk::read(&files)?,
                bundles::snaps(&files)?,
                bundles::flatpaks(&files)?,
            ];
            found.into_iter().flatten().map(Listed::Software).collect()
        }
    };
    let sorted: BTreeMap<_, _> = entities.into_iter().map(|entity| (entity.key(), entity)).collect();
    Ok(sorted.into_values().collect())
}
