//! The sign that a sensor was alive: a stamp that the next start reads, so that the time between is told as a gap.
//!
//! While the sensor runs the stamp is at most [`STAMP_EVERY`] old, so that the gap after a crash begins at most that
//! much too early. It is not forced to the disk then: after a power loss an older stamp may be found, and the gap
//! begins earlier still, never later.

use std::io;
use std::time::Duration;

use fim_core::{Stop, Timestamp};
use fim_log::{Disk, DiskFile as _, RealDisk, replace_file};
use serde::{Deserialize, Serialize};

use crate::identity::DataDir;

/// How often the stamp is renewed.
pub(crate) const STAMP_EVERY: Duration = Duration::from_secs(3);

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stamp {
    /// Nanoseconds since the epoch.
    alive: i64,
    /// True if the sensor ended in good order then.
    is_stopped: bool,
}

/// When the last run was alive last, and how it ended; nothing if there was none, or the stamp cannot be read.
pub(crate) fn last_run(dir: &DataDir) -> Option<(Timestamp, Stop)> {
    let stamp: Stamp = serde_json::from_slice(&RealDisk.read(&dir.alive_path()).ok()?).ok()?;
    let stop = if stamp.is_stopped { Stop::Clean } else { Stop::Unclean };
    Some((Timestamp(stamp.alive), stop))
}

/// Says that the sensor is alive.
pub(crate) fn stamp(dir: &DataDir, now: Timestamp) -> io::Result<()> {
    put(dir, &dir.alive_path(), &Stamp { alive: now.0, is_stopped: false })
}

/// Says that the sensor ended in good order, durably.
pub(crate) fn stamp_stopped(dir: &DataDir, now: Timestamp) -> io::Result<()> {
    let text = serde_json::to_vec(&Stamp { alive: now.0, is_stopped: true }).map_err(io::Error::other)?;
    replace_file(&RealDisk, &dir.alive_path(), &text)
}

/// Replaces a file in one step, but leaves it to the system when it comes to the disk.
pub(crate) fn put<T: Serialize>(dir: &DataDir, path: &std::path::Path, value: &T) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
    let beside = dir.path().join(".fresh");
    match RealDisk.remove(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    RealDisk.open_append(&beside)?.append(&text)?;
    RealDisk.rename(&beside, path)
}
