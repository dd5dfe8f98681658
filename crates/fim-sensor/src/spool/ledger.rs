//! What the spool remembers beside its records, in a file of its own.

use std::io;
use std::path::{Path, PathBuf};

use fim_log::{Disk, SegmentLog, replace_file};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::OpenSpoolError;

/// What the spool remembers beside its records.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ledger {
    pub(super) epoch: Uuid,
    /// The server has the records up to this one.
    pub(super) acknowledged: u64,
    /// The records, first and last, of the batch that was sent and not yet acknowledged.
    pub(super) in_flight: Option<(u64, u64)>,
    /// Damage to records up to this one has been reported.
    pub(super) damage_reported: u64,
    /// Since when reports have been refused, because the spool is full or the disk fails, in nanoseconds since the epoch.
    pub(super) full_since: Option<i64>,
    /// Why, unless it is full.
    #[serde(default)]
    pub(super) refused_why: Option<String>,
    /// When the last report was made that the server has, in nanoseconds since the epoch.
    #[serde(default)]
    pub(super) acknowledged_made: Option<i64>,
    /// True from when records were found missing that the server may not have, until that is told.
    #[serde(default)]
    pub(super) has_lost_records: bool,
}

/// Why what the spool remembers could not be kept.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub struct LedgerError {
    path: PathBuf,
    source: io::Error,
}

impl Ledger {
    fn new() -> Self {
        Self {
            epoch: Uuid::new_v4(),
            acknowledged: 0,
            in_flight: None,
            damage_reported: 0,
            full_since: None,
            refused_why: None,
            acknowledged_made: None,
            has_lost_records: false,
        }
    }

    /// What is remembered from now on, given what was kept and which records are there.
    pub(super) fn after_start<D: Disk>(kept: Option<Self>, log: &SegmentLog<D>) -> Self {
        let has_kept = kept.is_some();
        let mut ledger = kept.unwrap_or_else(Self::new);
        let (first, last) = (log.first_sequence(), log.last_sequence());
        let used = ledger.in_flight.map_or(ledger.acknowledged, |(_, last)| last.max(ledger.acknowledged));
        if last < used {
            // Records that the server may have are gone, so their numbers will be given again. Under the old epoch
            // the server would take what they name from now on for repeats.
            ledger = Self {
                acknowledged: ledger.acknowledged.min(last),
                full_since: ledger.full_since,
                refused_why: ledger.refused_why,
                acknowledged_made: ledger.acknowledged_made,
                has_lost_records: true,
                ..Self::new()
            };
        }
        // A record leaves the log when it has been acknowledged, never before.
        ledger.has_lost_records |= has_kept && first - 1 > used;
        match ledger.in_flight {
            // Records are removed only when they were acknowledged, and acknowledged only by whole batches.
            Some((in_flight, last)) if first > in_flight => {
                ledger.acknowledged = last;
                ledger.in_flight = None;
            }
            Some(_) | None => {}
        }
        ledger.acknowledged = ledger.acknowledged.max(first - 1);
        ledger
    }

    /// What was kept in the spool's directory; nothing if that is not there or damaged.
    pub(super) fn read<D: Disk>(disk: &D, dir: &Path) -> Result<Option<Self>, OpenSpoolError> {
        let path = dir.join(FILE);
        match disk.read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(ledger) => Ok(Some(ledger)),
                Err(error) => {
                    // A new epoch sends all that is kept; what the server had already is in it again, and nothing is lost.
                    tracing::error!(path = %path.display(), %error, "the spool's ledger is damaged; starting a new one");
                    Ok(None)
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OpenSpoolError::ReadLedger { path, source }),
        }
    }

    /// Keeps it in the spool's directory, durably.
    pub(super) fn keep<D: Disk>(&self, disk: &D, dir: &Path) -> Result<(), LedgerError> {
        let path = dir.join(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other);
        let kept = text.and_then(|text| replace_file(disk, &path, &text));
        kept.map_err(|source| LedgerError { path, source })
    }
}

const FILE: &str = "ledger.json";
