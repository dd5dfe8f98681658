//! Paths of the machine that the sensor runs on as paths of entities.

use std::path::{MAIN_SEPARATOR, Path};

use fim_core::EntityPath;
use fim_core::windows::without_prefix;

/// The path as the tree of this machine has it.
pub(crate) fn machine_path(path: &Path) -> EntityPath {
    let bytes = path.as_os_str().as_encoded_bytes();
    if MAIN_SEPARATOR == '\\' { EntityPath::windows(without_prefix(bytes)) } else { EntityPath::unix(bytes) }
}
