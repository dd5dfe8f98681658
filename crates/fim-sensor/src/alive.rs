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
    /// When the last complete scan ended, in nanoseconds since the epoch: the state says so too, but it may be lost.
    #[serde(default)]
    last_complete: Option<i64>,
}

/// What the stamp tells of the last run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LastRun {
    /// When it was alive last; nothing if the stamp cannot be read.
    pub alive: Option<Timestamp>,
    /// How it ended.
    pub stop: Stop,
    /// When the last complete scan ended, if there was one.
    pub last_complete: Option<Timestamp>,
}

/// What is known of the last run; nothing if there was none.
pub(crate) fn last_run(dir: &DataDir) -> Option<LastRun> {
    let bytes = RealDisk.read(&dir.alive_path()).ok()?;
    let Ok(stamp) = serde_json::from_slice::<Stamp>(&bytes) else {
        return Some(LastRun { alive: None, stop: Stop::Unclean, last_complete: None });
    };
    let stop = if stamp.is_stopped { Stop::Clean } else { Stop::Unclean };
    let last_complete = stamp.last_complete.map(Timestamp);
    Some(LastRun { alive: Some(Timestamp(stamp.alive)), stop, last_complete })
}

/// Says that the sensor is alive.
pub(crate) fn stamp(dir: &DataDir, now: Timestamp, last_complete: Option<Timestamp>) -> io::Result<()> {
    let last_complete = last_complete.map(|time| time.0);
    put(dir, &dir.alive_path(), &Stamp { alive: now.0, is_stopped: false, last_complete })
}

/// Says that the sensor ended in good order, durably.
pub(crate) fn stamp_stopped(
    dir: &DataDir,
    now: Timestamp,
    last_complete: Option<Timestamp>,
) -> io::Result<()> {
    let last_complete = last_complete.map(|time| time.0);
    let stamp = Stamp { alive: now.0, is_stopped: true, last_complete };
    let text = serde_json::to_vec(&stamp).map_err(io::Error::other)?;
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
