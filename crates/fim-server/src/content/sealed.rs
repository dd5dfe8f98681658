//! Texts as they lie on the disk: compressed, then encrypted with AES-256-GCM.

use std::fmt;

use fim_core::NoText;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

use super::key::ContentKey;

/// What encrypts; it does not show its key.
pub(super) struct Cipher(Option<LessSafeKey>);

/// A text could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub(super) enum SealError {
    /// It could not be compressed.
    #[error("a text could not be compressed")]
    Compress(#[source] std::io::Error),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The cipher refused.
    #[error("a text could not be encrypted")]
    Encrypt,
}

impl Cipher {
    pub(super) fn of(key: &[u8; 32]) -> Self {
        Self(UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new))
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}

impl ContentKey {
    /// Encrypts a text with a nonce of its own. It opens for its workspace and under its id alone.
    pub(super) fn seal(
        &self,
        workspace: Uuid,
        id: [u8; 32],
        text: &str,
    ) -> Result<([u8; NONCE_LEN], Vec<u8>), SealError> {
        let mut sealed =
            zstd::bulk::compress(text.as_bytes(), COMPRESSION_LEVEL).map_err(SealError::Compress)?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(SealError::Random)?;
        let cipher = self.cipher.0.as_ref().ok_or(SealError::Encrypt)?;
        cipher
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(about(workspace, &id)),
                &mut sealed,
            )
            .map_err(|_| SealError::Encrypt)?;
        Ok((nonce, sealed))
    }

    /// The text, unless it was encrypted otherwise or changed since.
    pub(super) fn open_sealed(
        &self,
        workspace: Uuid,
        id: &[u8],
        nonce: &[u8],
        mut sealed: Vec<u8>,
    ) -> Option<String> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self
            .cipher
            .0
            .as_ref()?
            .open_in_place(nonce, Aad::from(about(workspace, id)), &mut sealed)
            .ok()?;
        String::from_utf8(zstd::bulk::decompress(opened, NoText::MOST_BYTES).ok()?).ok()
    }
}

fn about(workspace: Uuid, id: &[u8]) -> Vec<u8> {
    [workspace.as_bytes(), id].concat()
}

const COMPRESSION_LEVEL: i32 = 3;
