//! What can go wrong with a state file.

use std::io;
use std::path::PathBuf;

use fim_core::EntityPath;

/// Why a state file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadStateError {
    /// It is not there or may not be read.
    #[error("cannot open the state {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk failed under it.
    #[error("cannot read the state {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("{path} is not a state file of Steadfast; name the file that a baseline wrote")]
    NotAState {
        /// The file.
        path: PathBuf,
    },
    /// A newer Steadfast wrote it.
    #[error(
        "the state {path} is of format {found}, and this program knows up to {known}; use the program that wrote it, \
         or take a new baseline"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format's number in the file.
        found: u16,
        /// The newest number that is known.
        known: u16,
    },
    /// An earlier Steadfast wrote it, in a format that is not read any more.
    #[error(
        "the state {path} is of format {found}, which an earlier version wrote, and this program reads {known} only; use \
         the program that wrote it, or take a new baseline"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The format's number in the file.
        found: u16,
        /// The format's number that is read.
        known: u16,
    },
    /// Its bytes are not what was written.
    #[error("the state {path} is damaged at byte {at_byte}: {what}; restore it, or take a new baseline")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged part begins.
        at_byte: u64,
        /// What is wrong there.
        what: &'static str,
    },
}

impl ReadStateError {
    /// True if the file is there and this program or a later one cannot make sense of it.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::NotAState { .. } | Self::Older { .. } => true,
            Self::Open { .. } | Self::Read { .. } | Self::Newer { .. } => false,
        }
    }
}

/// Why a state file could not be written. The file that was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum WriteStateError {
    /// No file could be made beside it.
    #[error("cannot create {path} to write the state to")]
    Create {
        /// The file that was to be written, to be renamed afterwards.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full or failed.
    #[error("cannot write the state to {path}")]
    Write {
        /// The file that was being written, to be renamed afterwards.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The whole file could not take its name, or the name could not be made durable.
    #[error("cannot give the new state its name {path}")]
    Rename {
        /// The name.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The caller handed entities in out of order.
    #[error("cannot write the state: {later} came before {earlier}")]
    OutOfOrder {
        /// What came second.
        earlier: EntityPath,
        /// What came first.
        later: EntityPath,
    },
    /// The caller handed in more than a state takes in one piece.
    #[error("cannot write the state: {what} has {bytes} bytes, more than {most}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        most: usize,
    },
}
