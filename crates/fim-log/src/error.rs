//! What can go wrong with a log, one enum for each operation.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a log could not be opened.
#[derive(Debug, Error)]
pub enum OpenLogError {
    /// The directory could not be made, listed or synced.
    #[error("cannot use the log's directory {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A segment could not be read.
    #[error("cannot read the log's segment {}", path.display())]
    Read {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A torn tail could not be cut off, or a segment not be written.
    #[error("cannot write the log's segment {}", path.display())]
    Write {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The segment was written by a program that is newer than this one.
    #[error(
        "the log's segment {} has a format that this version does not know; use the version that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        /// The segment.
        path: PathBuf,
    },
}

/// Why a record was not appended. The log is as it was before.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The log would pass its bound; records must be removed first.
    #[error("the log is full: it would pass its bound of {max_bytes} bytes")]
    Full {
        /// The bound.
        max_bytes: u64,
    },
    /// The record is larger than a record may be.
    #[error("a record of {len} bytes is more than the {max} that a record may have")]
    TooLarge {
        /// The payload's length in bytes.
        len: usize,
        /// The greatest length in bytes.
        max: usize,
    },
    /// The disk has no space left, or the user's quota is used up.
    #[error("no space left on the disk for {}", path.display())]
    DiskFull {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk answered with an error.
    #[error("cannot write the log's segment {}", path.display())]
    Write {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Why records could not be made durable. They are kept, and the next sync writes them again.
#[derive(Debug, Error)]
#[error("cannot make the log's segment {} durable", path.display())]
pub struct SyncError {
    /// The segment.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

/// Why a record could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The segment could not be read; none of its records come.
    #[error("cannot read the log's segment {}", path.display())]
    Read {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Records that were whole when the log was opened are damaged now. The reader goes on after them.
    #[error("records {first} to {last} in the log's segment {} are damaged", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// The first record lost.
        first: u64,
        /// The last record lost.
        last: u64,
    },
}

/// Why segments could not be removed. Those that were not are still there, and can be removed later.
#[derive(Debug, Error)]
pub enum RemoveError {
    /// A segment could not be removed.
    #[error("cannot remove the log's segment {}", path.display())]
    Remove {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The segment that records go to next could not be started.
    #[error("cannot start the log's segment {}", path.display())]
    Start {
        /// The segment.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}
