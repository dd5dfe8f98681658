//! Walks and hashes anything that is a [`FileTree`].
//!
//! ```text
//! Plan (roots, decisions) ─┐
//! FileTree ─ walk ─ tasks ─┴─ two lanes: open, stamp, read + SHA-256, stamp ─ window ─ observations in path order
//! ```
//!
//! Content that a scan cannot wait for is read beside the scans ([`LargeFiles`]).
//!
//! Memory does not depend on the number of files: a window of results, two read buffers a thread, and the names of
//! the directories that the walk is in.

mod awaited;
mod control;
mod known;
mod lanes;
mod large;
pub mod lists;
mod plan;
mod pool;
mod reach;
mod reading;
mod scan;
mod sha256;
mod spots;
mod throttle;
mod tree;
mod walk;
mod watch;
mod whole;
mod window;

pub use awaited::AwaitedThread;
pub use control::{Progress, ScanControl};
pub use known::KnownFiles;
pub use large::{LargeFiles, LargeProgress, LargeTurn};
pub use plan::Plan;
pub use scan::{Scan, ScanEnd, ScanOptions, StartScanError};
pub use sha256::{Hasher, digest_of};
pub use spots::SpotPlan;
pub use throttle::{SpeedLimit, Throttle};
pub use tree::{FileTree, KeepOut, Listing, Look, Resolved, ServiceStatus, Stamp, TreeError};
pub use watch::{Refused, Unwatched, WatchError, Watcher, WatcherChoice};
pub use whole::{ReadWholeError, read_whole};
