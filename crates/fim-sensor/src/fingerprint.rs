//! The SHA-256 fingerprint by which a certificate authority is pinned.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The SHA-256 of a certificate's DER bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate given as DER.
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

/// Why a text is no fingerprint.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "`{text}` is no SHA-256 fingerprint: {found} hexadecimal digits instead of 64; copy it from the server's \
     start or from its enrolment command"
)]
pub struct ParseFingerprintError {
    text: String,
    found: usize,
}

/// Takes the spellings in use: upper or lower case, with or without colons, with or without `sha256:` before it.
impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.strip_prefix("sha256:").unwrap_or(&lower);
        let nibbles: Option<Vec<u8>> = digits
            .chars()
            .filter(|character| !matches!(character, ':' | ' ' | '-'))
            .map(|character| character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let nibbles = nibbles.unwrap_or_default();
        let mut bytes = [0; 32];
        if nibbles.len() != 2 * bytes.len() {
            return Err(ParseFingerprintError { text: text.to_owned(), found: nibbles.len() });
        }
        for (byte, pair) in bytes.iter_mut().zip(nibbles.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_spelling_is_understood() {
        let fingerprint = Fingerprint::of(b"certificate");
        let plain = fingerprint.to_string();
        let colons: Vec<String> = plain
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).into())
            .collect();
        for spelling in [plain.clone(), format!("SHA256:{plain}"), colons.join(":"), format!(" {plain}\n")] {
            assert_eq!(spelling.parse(), Ok(fingerprint), "{spelling}");
        }
    }

    #[test]
    fn a_short_fingerprint_is_refused_with_its_length() {
        let error = "ab:cd".parse::<Fingerprint>().unwrap_err();
        assert!(error.to_string().contains("4 hexadecimal digits instead of 64"), "{error}");
        assert!("zz".repeat(32).parse::<Fingerprint>().is_err());
    }
}
