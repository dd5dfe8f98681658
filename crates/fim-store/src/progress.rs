//! What is being done to data files in the background, for people to see.

use std::collections::HashMap;

use chrono::NaiveDate;
use fim_core::Timestamp;
use uuid::Uuid;

use crate::state::TableKey;

/// Why files of a table are replaced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JobKind {
    /// Small files become large ones; the rows stay the same.
    Merge,
    /// Days that are older than the table's retention go.
    Expire,
}

/// A job that is under way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Job {
    /// The workspace.
    pub workspace: Uuid,
    /// The table.
    pub table: &'static str,
    /// What is done.
    pub kind: JobKind,
    /// The day whose files they are; the first of them if they are of several.
    pub day: NaiveDate,
    /// How many files.
    pub files: u64,
    /// How many rows these have.
    pub rows: u64,
    /// How many of them are done.
    pub rows_done: u64,
    /// When it began.
    pub started: Timestamp,
}

/// What the maintenance is doing, and has done since the store was opened.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Maintenance {
    /// The job that is under way.
    pub running: Option<Job>,
    /// How many merges were finished.
    pub merges: u64,
    /// How many files went into them.
    pub files_merged: u64,
    /// How many files came out of them.
    pub files_made: u64,
    /// How many files were let go because they were too old.
    pub files_expired: u64,
    /// The last job that failed; its files stay as they are.
    pub last_failure: Option<JobFailure>,
}

/// A job that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobFailure {
    /// The workspace.
    pub workspace: Uuid,
    /// The table.
    pub table: &'static str,
    /// Why, with its causes.
    pub reason: String,
}

/// The maintenance, with what is only shown by table.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) maintenance: Maintenance,
    /// Bytes of files that have left their table and wait to be removed.
    pub(crate) departed_bytes: HashMap<TableKey, u64>,
}

impl JobKind {
    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Expire => "expire",
        }
    }
}

impl Progress {
    pub(crate) fn start(&mut self, job: Job) {
        self.maintenance.running = Some(job);
    }

    pub(crate) fn advance(&mut self, rows_done: u64) {
        if let Some(job) = &mut self.maintenance.running {
            job.rows_done = rows_done;
        }
    }

    pub(crate) fn end(&mut self, failure: Option<JobFailure>) {
        self.maintenance.running = None;
        if failure.is_some() {
            self.maintenance.last_failure = failure;
        }
    }

    pub(crate) fn count(&mut self, kind: JobKind, removed: u64, added: u64) {
        match kind {
            JobKind::Merge => {
                self.maintenance.merges += 1;
                self.maintenance.files_merged += removed;
                self.maintenance.files_made += added;
            }
            JobKind::Expire => self.maintenance.files_expired += removed,
        }
    }

    pub(crate) fn set_departed(&mut self, bytes: impl Iterator<Item = (TableKey, u64)>) {
        self.departed_bytes = bytes.collect();
    }
}
