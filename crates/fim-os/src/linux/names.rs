//! Names as they are stored, whatever a person writes for them.

use std::path::{Path, PathBuf};

/// The path with each name as it is stored, which is as a person has to write it.
pub fn as_stored(path: &Path) -> PathBuf {
    path.to_owned()
}
