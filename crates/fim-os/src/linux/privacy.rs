//! Directories that nobody may look into but their owner.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::privacy::PrivacyError;

/// The command that makes a directory its owner's alone, with `{}` for the directory.
pub const KEEP_PRIVATE: &str = "chmod 700 {}";

/// Does nothing: whatever writes to the agent's directory makes it, and each file in it, its owner's alone by their
/// modes.
///
/// # Errors
///
/// None; other systems have some.
pub fn keep_private(_dir: &Path) -> Result<(), PrivacyError> {
    Ok(())
}

/// Refuses nothing: who may make the agent's directory is for the rights of the one above it to say.
///
/// # Errors
///
/// None; other systems have some.
pub fn check_private(_dir: &Path) -> Result<(), PrivacyError> {
    Ok(())
}

/// True if nobody may look into the directory but its owner.
///
/// # Errors
///
/// Fails if the system does not tell.
pub fn is_private(dir: &Path) -> io::Result<bool> {
    Ok(std::fs::metadata(dir)?.permissions().mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_others_may_look_into_is_not_private() {
        let dir = tempfile::tempdir().unwrap();
        for (mode, expected) in [(0o700, true), (0o711, false), (0o755, false)] {
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_private(dir.path()).unwrap(), expected, "{mode:o}");
        }
        assert!(is_private(&dir.path().join("missing")).is_err());
    }
}
