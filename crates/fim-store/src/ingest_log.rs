//! The ingest log: what was accepted, durable before it is acknowledged, and each batch once.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use fim_log::{AppendError, Disk, LogOptions, OpenLogError, ReadError, RemoveError, SegmentLog, SyncError};
use thiserror::Error;
use uuid::Uuid;

use crate::marks::{Marks, Origin};
use crate::record::{DecodeRecordError, IngestRecord};

/// The log of accepted ingest calls, and the memory of which batches they were.
///
/// A position is a record's number in the log; positions only ever grow, also when records are removed.
pub struct IngestLog<D: Disk> {
    log: SegmentLog<D>,
    /// Of everything appended, durable or not.
    marks: Marks,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Appended {
    /// It is in the log at this position, and durable after the next [`IngestLog::sync`].
    At(u64),
    /// It is in the log already, or was; if it is not durable yet, it is after the next [`IngestLog::sync`].
    Duplicate,
}

/// What an opened log had.
#[derive(Debug, Default)]
pub struct Replay {
    /// The records that may not be in a table yet, with their positions, in order.
    pub records: Vec<(u64, IngestRecord)>,
    /// Positions of records that were accepted and cannot be read any more.
    pub lost: Vec<RangeInclusive<u64>>,
    /// How many bytes were cut off the log's end because no whole record was in them.
    pub torn_bytes: u64,
}

/// Why an ingest log could not be opened.
#[derive(Debug, Error)]
pub enum OpenIngestLogError {
    /// The log itself cannot be opened.
    #[error("cannot open the ingest log")]
    Open(#[from] OpenLogError),
    /// The log cannot be read.
    #[error("cannot read the ingest log")]
    Read(#[from] ReadError),
    /// A record is whole, but this program cannot read it.
    #[error(
        "cannot decode record {position} of the ingest log; use the version that wrote it, or a newer one"
    )]
    Decode {
        /// The record's position.
        position: u64,
        /// Why.
        source: DecodeRecordError,
    },
}

impl<D: Disk> IngestLog<D> {
    /// Opens the log in `dir`. Records up to `flushed` are in tables, and `marks` is what was remembered then.
    pub fn open(
        disk: D,
        dir: impl Into<PathBuf>,
        options: LogOptions,
        flushed: u64,
        marks: Marks,
    ) -> Result<(Self, Replay), OpenIngestLogError> {
        let (log, recovery) = SegmentLog::open(disk, dir, options)?;
        let mut replay = Replay { torn_bytes: recovery.torn_bytes, ..Replay::default() };
        replay.lost.extend(recovery.damaged.iter().filter_map(|range| after(range, flushed)));
        let mut marks = marks;
        for entry in log.read_from(flushed.saturating_add(1)) {
            let (position, payload) = match entry {
                Ok(entry) => entry,
                Err(ReadError::Damaged { first, last, .. }) => {
                    replay.lost.push(first..=last);
                    continue;
                }
                Err(error @ ReadError::Read { .. }) => return Err(error.into()),
            };
            let record = IngestRecord::decode(&payload)
                .map_err(|source| OpenIngestLogError::Decode { position, source })?;
            if let Some(origin) = record.origin {
                marks.remember(record.workspace, origin, position);
            }
            replay.records.push((position, record));
        }
        Ok((Self { log, marks }, replay))
    }

    /// Appends an encoded record, unless its batch has been stored before.
    pub fn append(
        &mut self,
        workspace: Uuid,
        origin: Option<Origin>,
        record: &[u8],
    ) -> Result<Appended, AppendError> {
        if origin.is_some_and(|origin| self.marks.covers(workspace, origin)) {
            return Ok(Appended::Duplicate);
        }
        let position = self.log.append(record)?;
        if let Some(origin) = origin {
            self.marks.remember(workspace, origin, position);
        }
        Ok(Appended::At(position))
    }

    /// Makes everything appended durable. After an error nothing appended since the last success counts as durable;
    /// it stays in the log, and the next call tries again.
    pub fn sync(&mut self) -> Result<(), SyncError> {
        self.log.sync()
    }

    /// Gives back the space of records up to `position`, by whole segments.
    pub fn release(&mut self, position: u64) -> Result<(), RemoveError> {
        self.log.remove_through(position)
    }

    /// Forgets what a workspace that is no more has delivered.
    pub fn forget(&mut self, workspace: Uuid) {
        self.marks.forget(workspace);
    }

    /// The position of the newest record; 0 if there was never one.
    pub fn last_position(&self) -> u64 {
        self.log.last_sequence()
    }

    /// What each source has delivered.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The bytes of the log on the disk.
    pub fn bytes(&self) -> u64 {
        self.log.bytes()
    }
}

impl<D: Disk> fmt::Debug for IngestLog<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestLog").field("last_position", &self.last_position()).finish_non_exhaustive()
    }
}

fn after(range: &RangeInclusive<u64>, flushed: u64) -> Option<RangeInclusive<u64>> {
    let first = (*range.start()).max(flushed.saturating_add(1));
    (first <= *range.end()).then_some(first..=*range.end())
}
