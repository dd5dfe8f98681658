//! Passwords: argon2id on a worker thread, and the same time for users who do not exist.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The hash could not be computed.
    #[error("the password's hash could not be computed: {0}")]
    Hash(argon2::password_hash::Error),
    /// The worker died.
    #[error("the worker that hashes passwords stopped")]
    Worker(#[from] tokio::task::JoinError),
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed(#[from] tokio::sync::AcquireError),
}

/// Hashes and checks passwords, a few at a time: each takes 19 MiB.
#[derive(Debug)]
pub struct Passwords {
    places: Semaphore,
    /// A hash of nothing anyone knows, checked for users who do not exist.
    dummy: String,
}

impl Passwords {
    /// Makes the hash that users who do not exist are checked with.
    pub fn new() -> Result<Self, PasswordError> {
        let nobody = uuid::Uuid::new_v4();
        Ok(Self { places: Semaphore::new(2), dummy: hash(nobody.as_bytes())? })
    }

    /// The hash to keep.
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, PasswordError> {
        let _place = self.places.acquire().await?;
        tokio::task::spawn_blocking(move || hash(password.as_bytes())).await?
    }

    /// True if it is the password of `kept`. Without `kept` it takes as long and is false.
    pub async fn verify(
        &self,
        password: Zeroizing<String>,
        kept: Option<String>,
    ) -> Result<bool, PasswordError> {
        let _place = self.places.acquire().await?;
        let is_known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.dummy.clone());
        let is_right = tokio::task::spawn_blocking(move || verify(password.as_bytes(), &kept)).await??;
        Ok(is_known && is_right)
    }
}

fn hash(password: &[u8]) -> Result<String, PasswordError> {
    Ok(hasher().hash_password(password).map_err(PasswordError::Hash)?.to_string())
}

fn verify(password: &[u8], kept: &str) -> Result<bool, PasswordError> {
    let kept = PasswordHash::new(kept)
        .map_err(|_| PasswordError::Hash(argon2::password_hash::Error::PasswordInvalid))?;
    Ok(hasher().verify_password(password, &kept).is_ok())
}

/// 19 MiB, two passes, one lane: the first choice of the OWASP cheat sheet on password storage.
fn hasher() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash(Zeroizing::new("correct horse".to_owned())).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let check = |password: &str, kept: Option<String>| {
            passwords.verify(Zeroizing::new(password.to_owned()), kept)
        };
        assert!(check("correct horse", Some(kept.clone())).await.unwrap());
        assert!(!check("battery staple", Some(kept)).await.unwrap());
        assert!(!check("correct horse", None).await.unwrap());
    }
}
