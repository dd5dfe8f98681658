//! Why bytes are not what they should be, and the helpers that find out.

use std::error::Error as _;

use minicbor::decode::{Decode, Decoder, Error};
use minicbor::encode::Encode;
use thiserror::Error as ThisError;

/// Why bytes are refused.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum WireError {
    /// There are more bytes than the reader takes.
    #[error("the {what} has {size} bytes: at most {limit} are taken, send it in parts")]
    TooLarge {
        /// What was to be read.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// There are more parts than the reader takes.
    #[error("the {what} has more than {limit} {parts}: send it in parts")]
    TooMany {
        /// What was to be read.
        what: &'static str,
        /// What there is too much of.
        parts: &'static str,
        /// The most that are taken.
        limit: usize,
    },
    /// The writer speaks a version that this reader does not know.
    #[error("the batch has version {version}, and this server reads up to {supported}: upgrade the server")]
    NewerVersion {
        /// The writer's version.
        version: u32,
        /// The newest version that is understood.
        supported: u32,
    },
    /// The bytes are not CBOR of the right shape, or something required is missing; the text names it.
    #[error("the {what} cannot be read{}: {problem}", at(*.position))]
    Malformed {
        /// What was to be read.
        what: &'static str,
        /// The byte at which it goes wrong, from 0, where that is known.
        position: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A number stands for something that this reader does not know.
    #[error(
        "the {what} has {field} {value}, which is not known here: the writer may be newer, upgrade the reader"
    )]
    Unknown {
        /// What was to be read.
        what: &'static str,
        /// Which part of it.
        field: &'static str,
        /// The number.
        value: u64,
    },
    /// A value is of the right shape, but makes no sense.
    #[error("the {what} makes no sense: {problem}")]
    Contradiction {
        /// What was to be read.
        what: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
}

impl WireError {
    /// The refusal that a parser's error stands for.
    pub(crate) fn malformed(what: &'static str, error: &Error) -> Self {
        if let Some(refusal) = error.source().and_then(|source| source.downcast_ref::<Self>()) {
            return refusal.clone();
        }
        // The position is told apart from the text.
        let position = error.position().map(|position| format!(" at position {position}"));
        let text = error.to_string();
        let problem = position.map_or_else(|| text.clone(), |position| text.replace(&position, ""));
        Self::Malformed { what, position: error.position(), problem }
    }
}

/// The bytes of a value.
pub(crate) fn to_bytes<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    append(value, &mut bytes);
    bytes
}

/// Adds the bytes of a value to others.
pub(crate) fn append<T: Encode<()>>(value: &T, out: &mut Vec<u8>) {
    let written = minicbor::encode(value, out);
    debug_assert!(written.is_ok(), "writing to memory cannot fail, and no record refuses to be written");
}

/// The value in the bytes, and nothing else.
pub(crate) fn from_bytes<'b, T: Decode<'b, ()>>(what: &'static str, bytes: &'b [u8]) -> Result<T, WireError> {
    let (value, rest) = take(what, bytes)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        let problem = "more bytes follow".to_owned();
        Err(WireError::Malformed { what, position: Some(bytes.len() - rest.len()), problem })
    }
}

/// The value that the bytes begin with, and what follows it.
pub(crate) fn take<'b, T: Decode<'b, ()>>(
    what: &'static str,
    bytes: &'b [u8],
) -> Result<(T, &'b [u8]), WireError> {
    let mut decoder = Decoder::new(bytes);
    let value = decoder.decode().map_err(|error| WireError::malformed(what, &error))?;
    Ok((value, bytes.get(decoder.position()..).unwrap_or_default()))
}

fn at(position: Option<usize>) -> String {
    position.map_or_else(String::new, |position| format!(" at byte {position}"))
}
