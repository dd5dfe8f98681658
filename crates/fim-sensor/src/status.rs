//! How a sensor is doing: one snapshot that its threads keep up to date and others read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fim_core::{Timestamp, error_chain};
use fim_log::{Disk as _, RealDisk};
use serde::{Deserialize, Serialize};

use crate::client::{CallError, Heartbeat, HeartbeatProgress};
use crate::identity::DataDir;
use crate::time::rfc3339;

/// How a sensor is doing. Times are RFC 3339 in UTC; `None` is not known, or not yet.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The program's version.
    pub agent_version: String,
    /// The operating system's name and version.
    pub os_name: String,
    /// What it does now.
    pub state: SensorState,
    /// When this was written.
    pub updated: String,
    /// The process that wrote it.
    pub process_id: u32,
    /// The server's address.
    pub server: String,
    /// The workspace that it reports to.
    pub workspace: String,
    /// The machine's id.
    pub machine_id: String,
    /// How changes are noticed: `scan`, or what notices them in real time.
    pub provider: String,
    /// True if that tells who made a change, as far as it can be known.
    pub tells_who: bool,
    /// What would notice changes better and cannot be used, with the reason; the best first.
    pub refused_providers: Vec<String>,
    /// Why changes are not noticed in real time any more.
    pub real_time_error: Option<String>,
    /// Places that are scanned but cannot be watched in real time, with the reason; the first of them.
    pub unwatched: Vec<String>,
    /// Why changes of lists are noticed only by comparing them from time to time, or those of a part are.
    pub lists_unnoticed: Option<String>,
    /// How far the scan under way is.
    pub progress: Option<ScanProgress>,
    /// When the last scan ended that saw everything.
    pub last_scan_end: Option<String>,
    /// What that scan saw.
    pub last_scan: Option<ScanSummary>,
    /// When the next scan begins.
    pub next_scan: Option<String>,
    /// Reports that the server does not have yet.
    pub spool_records: u64,
    /// The spool's length on the disk in bytes.
    pub spool_bytes: u64,
    /// Since when the spool has been full.
    pub spool_full_since: Option<String>,
    /// How old the oldest report is that the server does not have, in seconds.
    pub oldest_unsent_seconds: u64,
    /// Places and times that could not be watched and are not over; `None` while the agent does not look.
    pub open_gaps: Option<u64>,
    /// Files too large for a scan to wait for, whose content is still to be read beside the scans.
    pub large_files_waiting: u64,
    /// How many bytes of them are left to read.
    pub large_bytes_left: u64,
    /// The revision of the settings that it works by.
    pub settings_revision: Option<String>,
    /// Seconds from one scan to the next.
    pub scan_interval_seconds: u64,
    /// How many rules are in force.
    pub rules: u64,
    /// What is wrong with the settings.
    pub warnings: Vec<String>,
    /// When the server answered last.
    pub last_contact: Option<String>,
    /// Why the last call to the server had no success; nothing if it had.
    pub server_error: Option<String>,
    /// Since when the agent has waited for the system and looked at nothing; the server is given no sign of life then.
    pub stuck_since: Option<String>,
    /// The last trouble on this machine: a disk that is full, say.
    pub error: Option<String>,
    /// When the agent's certificate expires.
    pub certificate_expires: Option<String>,
    /// Whole days until then; negative once it has.
    pub certificate_days_left: Option<i64>,
}

impl Status {
    /// What the sensor of the data directory said last of how it is doing, where that can be read.
    pub(crate) fn kept(dir: &DataDir) -> Option<Self> {
        let bytes = RealDisk.read(&dir.status_path()).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Notes that nothing notices changes in real time, and why.
    pub(crate) fn show_silence(&mut self, why: &str) {
        "scan".clone_into(&mut self.provider);
        self.real_time_error = Some(why.to_owned());
    }
}

/// What a sensor does.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SensorState {
    /// It has no settings yet.
    #[default]
    Starting,
    /// It looks at everything for the first time.
    Baselining,
    /// It compares everything with the state.
    Scanning,
    /// It waits for the next scan.
    Idle,
    /// It has ended.
    Stopped,
}

/// How far a scan is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScanProgress {
    /// Entities of any kind that were looked at.
    pub entities_done: u64,
    /// Regular files read to their end.
    pub files_done: u64,
    /// Bytes of content read.
    pub bytes_done: u64,
    /// How many files the last scan read, if there was one.
    pub files_total: Option<u64>,
    /// How many bytes the last scan read, if there was one.
    pub bytes_total: Option<u64>,
}

/// What a scan saw.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ScanSummary {
    /// Entities of every kind.
    pub entities: u64,
    /// Regular files read to their end.
    pub files: u64,
    /// Bytes of content read.
    pub bytes: u64,
    /// Changes found.
    pub changes: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// The snapshot that the threads of one sensor share.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedStatus(Arc<Mutex<Shown>>);

#[derive(Debug, Default)]
struct Shown {
    status: Status,
    last_complete: Option<Timestamp>,
}

impl SharedStatus {
    /// Says that a call to the server had no success, and in the log if that is news.
    pub fn tell_call(&self, error: &CallError) {
        let text = error_chain(error);
        if self.get().server_error.as_deref() != Some(&text) {
            tracing::warn!(error = text, "the server did not take a call");
        }
        self.update(|status| status.server_error = Some(text));
    }

    pub fn new(status: Status) -> Self {
        Self(Arc::new(Mutex::new(Shown { status, last_complete: None })))
    }

    /// A copy of the snapshot.
    pub fn get(&self) -> Status {
        self.lock().status.clone()
    }

    /// Changes the snapshot.
    pub fn update(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock().status);
    }

    /// When the last complete scan ended by the state, which may be before this run.
    pub fn last_complete(&self) -> Option<Timestamp> {
        self.lock().last_complete
    }

    /// Notes when the last complete scan ended.
    pub fn set_last_complete(&self, time: Option<Timestamp>) {
        self.lock().last_complete = time;
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Status {
    /// What the server is told of it.
    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            agent_version: self.agent_version.clone(),
            os_name: self.os_name.clone(),
            state: match self.state {
                SensorState::Baselining => "baselining",
                SensorState::Scanning => "scanning",
                SensorState::Starting | SensorState::Idle | SensorState::Stopped => "idle",
            },
            progress: self.progress.map(|progress| HeartbeatProgress {
                files_done: progress.files_done,
                bytes_done: progress.bytes_done,
                files_total: progress.files_total,
                bytes_total: progress.bytes_total,
            }),
            last_scan_end: self.last_scan_end.clone(),
            next_scan: self.next_scan.clone(),
            spool_records: self.spool_records,
            oldest_unsent_seconds: self.oldest_unsent_seconds,
            open_gaps: self.open_gaps.unwrap_or(0),
            provider: self.provider.clone(),
        }
    }

    /// Stamps the snapshot with the time.
    pub(crate) fn stamp(&mut self, now: Timestamp) {
        self.updated = rfc3339(now);
        self.process_id = std::process::id();
    }
}
