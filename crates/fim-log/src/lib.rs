//! An append-only log of records in segments, on a disk that can fail.
//!
//! [`SegmentLog`] keeps numbered records. What was appended before a [`SegmentLog::sync`] that succeeded is there
//! after a power loss, in order, once, without holes; what was appended after it may be there or not, but never
//! half. The log reaches the disk through the narrow trait [`Disk`], so that a test can fail every operation and
//! cut the power at each of them.

mod disk;
mod error;
mod log;
mod record;

pub use disk::{Disk, DiskFile, RealDisk, create_dir_all, replace_file};
pub use error::{AppendError, OpenLogError, ReadError, RemoveError, SyncError};
pub use log::{LogOptions, Records, Recovery, SegmentLog};
