//! The key that texts are encrypted with.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::sealed::Cipher;
use crate::data_dir::write_secret;

/// The key, ready for use.
#[derive(Debug)]
pub struct ContentKey {
    pub(super) cipher: Cipher,
    id: [u8; 8],
}

/// Why the key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeyError {
    /// It cannot be read.
    #[error("cannot read the key of the text of files, {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A new one cannot be kept.
    #[error("cannot write a key for the text of files, {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is none.
    #[error(
        "{path} is no key of the text of files: write 64 hexadecimal digits into it, as `openssl rand -hex 32` prints them"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Others may read it.
    #[error(
        "other users may read {path}, the key of the text of files (mode {mode:04o}); `chmod 600 {path}`, and use another key if somebody has"
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a key")]
    Random(#[source] getrandom::Error),
}

impl ContentKey {
    /// The key in the named file, else the server's own, which is made if there is none.
    pub(super) fn open(own: &Path, named: Option<&Path>) -> Result<Self, OpenKeyError> {
        let path = named.unwrap_or(own);
        match fs::read_to_string(path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let metadata = fs::metadata(path)
                    .map_err(|source| OpenKeyError::Read { path: path.to_owned(), source })?;
                let mode = metadata.permissions().mode() & 0o7777;
                if mode & 0o077 != 0 {
                    return Err(OpenKeyError::Readable { path: path.to_owned(), mode });
                }
                let bytes =
                    parse(text.trim()).ok_or_else(|| OpenKeyError::NotAKey { path: path.to_owned() })?;
                Ok(Self::of(&bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
                let mut bytes = Zeroizing::new([0; 32]);
                getrandom::fill(bytes.as_mut()).map_err(OpenKeyError::Random)?;
                let text = Zeroizing::new(hex::encode(bytes.as_ref()));
                write_secret(path, text.as_bytes())
                    .map_err(|source| OpenKeyError::Write { path: path.to_owned(), source })?;
                Ok(Self::of(&bytes))
            }
            Err(source) if source.kind() == io::ErrorKind::InvalidData => {
                Err(OpenKeyError::NotAKey { path: path.to_owned() })
            }
            Err(source) => Err(OpenKeyError::Read { path: path.to_owned(), source }),
        }
    }

    /// What tells keys apart, and nothing of them.
    pub(super) fn id(&self) -> &[u8] {
        &self.id
    }

    fn of(bytes: &[u8; 32]) -> Self {
        let named =
            ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, bytes), b"name of the key");
        let mut id = [0; 8];
        id.copy_from_slice(&named.as_ref()[..8]);
        Self { cipher: Cipher::of(bytes), id }
    }
}

fn parse(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text, bytes.as_mut()).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_what_is_none_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("content.key");
        let made = ContentKey::open(&own, None).unwrap();
        assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(ContentKey::open(&own, None).unwrap().id(), made.id());
        let refused = |text: &str, mode| {
            fs::write(&own, text).unwrap();
            fs::set_permissions(&own, fs::Permissions::from_mode(mode)).unwrap();
            ContentKey::open(&own, Some(&own)).unwrap_err().to_string()
        };
        assert!(refused(&"ab".repeat(32), 0o640).contains("chmod 600"));
        for bad in ["", "ab", &"xy".repeat(32), &"ab".repeat(33)] {
            assert!(refused(bad, 0o600).contains("64 hexadecimal digits"), "{bad}");
        }
        fs::remove_file(&own).unwrap();
        assert!(
            matches!(ContentKey::open(&own, Some(&own)), Err(OpenKeyError::Read { .. })),
            "a named key is never made"
        );
    }
}
