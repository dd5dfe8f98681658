//! Secrets that are handed out once and kept as digests.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// 256 random bits as text with a prefix that says what it opens. Only its digest is kept.
pub struct Secret(String);

/// The system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes")]
pub struct RandomError(#[source] getrandom::Error);

impl Secret {
    /// A new one.
    pub fn generate(prefix: &str) -> Result<Self, RandomError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(RandomError)?;
        let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes));
        bytes.zeroize();
        Ok(Self(text))
    }

    /// The text to hand out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> [u8; 32] {
        digest_of(&self.0)
    }
}

/// What is kept of a secret with this text. The secret has 256 random bits, so a plain digest is as good as a slow one.
pub fn digest_of(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_secrets_differ_and_never_show_in_a_log() {
        let (one, other) = (Secret::generate("x_").unwrap(), Secret::generate("x_").unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.digest(), digest_of(one.expose()));
        assert!(!format!("{one:?}").contains(one.expose()));
    }
}
