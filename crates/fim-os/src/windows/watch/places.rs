//! Which folders and keys are to be watched.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use fim_core::EntityPath;
use fim_core::windows::{Hive, from_wide, to_wide};

use super::folder::verbatim;
use crate::windows::{as_stored, keys};

/// The folders and keys to be watched, each with whether all below it is: the roots that are there, and above each the
/// nearest that is there, in which it may come and go.
pub(super) fn wanted(roots: &[EntityPath], canary: &EntityPath) -> BTreeMap<EntityPath, bool> {
    let mut wanted = BTreeMap::new();
    for root in roots {
        let place = without_value(root);
        if is_there(&place) {
            wanted.insert(place.clone(), true);
        }
        if let Some(above) = above(&place) {
            wanted.entry(above).or_insert(false);
        }
    }
    // Where the sensor proves that it hears.
    if let Some(folder) = canary.parent() {
        wanted.entry(folder).or_insert(false);
    }
    let deep: Vec<EntityPath> =
        wanted.iter().filter(|(_, is_deep)| **is_deep).map(|(path, _)| path.clone()).collect();
    wanted.retain(|path, _| !deep.iter().any(|deep| path != deep && path.is_within(deep)));
    wanted
}

/// True if it is a folder, links to one included, or a key.
fn is_there(path: &EntityPath) -> bool {
    match Hive::of(path) {
        Some(hive) => keys::open_to_watch(hive, path).is_ok(),
        None => usual(path).is_some_and(|path| path.is_dir()),
    }
}

/// True if it is a folder, and no link to one.
pub(super) fn is_directory(path: &EntityPath) -> bool {
    usual(path).and_then(|path| path.symlink_metadata().ok()).is_some_and(|metadata| metadata.is_dir())
}

/// The path of what the system calls so in a folder, with each name as it is stored: it may tell short names.
pub(super) fn stored(folder: &EntityPath, name: &[u8]) -> EntityPath {
    let path = name.split(|&byte| byte == b'\\').fold(folder.clone(), |path, name| path.join(name));
    if !name.contains(&b'~') {
        return path;
    }
    let depth = name.split(|&byte| byte == b'\\').count();
    let Some(usual) = to_wide(path.as_bytes()).map(|wide| OsString::from_wide(&wide)) else { return path };
    let stored: PathBuf = as_stored(Path::new(&usual));
    let names: Vec<Vec<u8>> =
        stored.components().map(|part| from_wide(part.as_os_str().encode_wide())).collect();
    let names = names.iter().skip(names.len().saturating_sub(depth));
    names.fold(folder.clone(), |path, name| path.join(name))
}

/// The path as one of the roots spells it, if it is one in another case, or leads to one.
pub(super) fn spelled(path: EntityPath, roots: &[EntityPath]) -> EntityPath {
    let length = path.as_bytes().len();
    let same = roots.iter().find_map(|root| {
        let (beginning, rest) = root.as_bytes().split_at_checked(length)?;
        let is_whole = rest.first().is_none_or(|&byte| byte == b'\\');
        (is_whole && beginning.eq_ignore_ascii_case(path.as_bytes())).then_some(beginning)
    });
    same.map_or(path, EntityPath::windows)
}

/// The nearest folder or key above that is there.
fn above(path: &EntityPath) -> Option<EntityPath> {
    std::iter::successors(path.parent(), EntityPath::parent).find(is_there)
}

/// The key that a value is of; what is no value is itself.
pub(super) fn without_value(path: &EntityPath) -> EntityPath {
    match path.as_bytes().iter().position(|&byte| byte == b':') {
        Some(at) if Hive::of(path).is_some() => EntityPath::windows(&path.as_bytes()[..at]),
        Some(_) | None => path.clone(),
    }
}

fn usual(path: &EntityPath) -> Option<PathBuf> {
    let mut wide = verbatim(path)?;
    // The 0 at its end.
    wide.pop();
    Some(OsString::from_wide(&wide).into())
}
