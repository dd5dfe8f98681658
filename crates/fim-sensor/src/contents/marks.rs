//! What marks secrets that are masked: equal ones alike, and nobody but this machine can tell by a mark what it stands for.

use std::io;

use fim_log::{Disk as _, RealDisk, replace_file};
use ring::hmac::{HMAC_SHA256, Key, sign};

use crate::identity::DataDir;

/// What marks secrets.
pub(super) struct Marks(Key);

impl Marks {
    /// With the key that the machine keeps; it is made if there is none. With another one secrets have other marks, so that
    /// each seems to be changed once.
    pub(super) fn open(dir: &DataDir) -> io::Result<Self> {
        let path = dir.path().join("marks.key");
        match RealDisk.read(&path) {
            Ok(bytes) if bytes.len() == KEY_BYTES => return Ok(Self(Key::new(HMAC_SHA256, &bytes))),
            Ok(_) => tracing::warn!(path = %path.display(), "the key of marks is damaged; a new one is made"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        replace_file(&RealDisk, &path, &bytes)?;
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// The mark of a secret.
    pub(super) fn of(&self, secret: &[u8]) -> u32 {
        let tag = sign(&self.0, secret);
        tag.as_ref().iter().take(4).fold(0, |mark, byte| mark << 8 | u32::from(*byte))
    }
}

const KEY_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_from_start_to_start_and_differ_between_machines() {
        let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let marks = |folder: &tempfile::TempDir| Marks::open(&DataDir::new(folder.path())).unwrap();
        assert_eq!(marks(&one).of(b"secret"), marks(&one).of(b"secret"));
        assert_ne!(marks(&one).of(b"secret"), marks(&one).of(b"secres"));
        assert_ne!(marks(&one).of(b"secret"), marks(&other).of(b"secret"));
    }
}
