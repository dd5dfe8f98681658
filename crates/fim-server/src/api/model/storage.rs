//! What is said about the records on the disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Moment;

/// The records of a workspace on the disk, and what is done to them in the background.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// What its owner has set.
    pub settings: StorageSettings,
    /// Billed bytes that have come in today (UTC).
    pub used_today_bytes: u64,
    /// The free allowance of today: 500 MB for each machine.
    pub allowance_bytes: u64,
    /// True if the cap is reached: agents keep what they have until the day is over.
    pub is_cap_reached: bool,
    /// When the day is over.
    #[schema(value_type = String, format = DateTime)]
    pub day_ends: Moment,
    /// The tables that have, or had, rows.
    pub tables: Vec<StoredTable>,
    /// What is being done to data files of this workspace now; null if nothing is.
    #[schema(required)]
    pub running: Option<StorageJob>,
    /// What was done to data files of all workspaces since the server started.
    pub done: StorageWork,
}

/// What a workspace's owner has set about its records.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageSettings {
    /// How many days a table keeps its rows; for ever if null.
    #[serde(default)]
    #[schema(required, minimum = 1, maximum = 36500)]
    pub retention_days: Option<u32>,
    /// How many billed bytes may come in a day; any number if null.
    #[serde(default)]
    #[schema(required, minimum = 1)]
    pub daily_cap_bytes: Option<u64>,
    /// Tables that keep their rows for another number of days.
    #[serde(default)]
    pub tables: BTreeMap<String, u32>,
}

/// A table on the disk.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredTable {
    /// The name.
    pub name: String,
    /// Rows, in memory and in files.
    pub rows: u64,
    /// Rows of these that are in memory; they are in the ingest log too.
    pub buffered_rows: u64,
    /// Data files.
    pub files: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Bytes of files that have left the table and are about to be removed.
    pub departed_bytes: u64,
    /// The first day in the files; null if there are none.
    #[schema(required)]
    pub first_day: Option<String>,
    /// The last day in the files; null if there are none.
    #[schema(required)]
    pub last_day: Option<String>,
    /// How many days it keeps its rows; for ever if null.
    #[schema(required)]
    pub retention_days: Option<u32>,
    /// True if its rows count as data volume.
    pub is_billable: bool,
    /// Billed bytes that ever came in.
    pub billed_bytes: u64,
}

/// A job on data files.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageJob {
    /// The table.
    pub table: String,
    /// `merge`: small files become large ones; `expire`: days older than the retention go.
    pub kind: String,
    /// The day whose files they are.
    pub day: String,
    /// Files.
    pub files: u64,
    /// Rows of these.
    pub rows: u64,
    /// Rows done.
    pub rows_done: u64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started: Moment,
}

/// Work on data files since the server started.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageWork {
    /// Merges finished.
    pub merges: u64,
    /// Files that went into them.
    pub files_merged: u64,
    /// Files that came out of them.
    pub files_made: u64,
    /// Files let go because their days were too old.
    pub files_expired: u64,
    /// Why the last job that failed did, if it was this workspace's; its files stay as they were.
    #[schema(required)]
    pub last_failure: Option<String>,
}
