//! Opening: what the tables have, what only the log has, and what a crash has left halfway.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use fim_core::Timestamp;
use fim_log::Disk;
use object_store::{ObjectStore, ObjectStoreExt as _};
use thiserror::Error;
use tracing::{info, warn};
use uuid::Uuid;

use crate::delta::{self, DataFile, DeltaTable, Repair, TableError};
use crate::directory::{Directory, Flushed, OpenDirectoryError};
use crate::durable::DurableFiles;
use crate::ingest_log::{IngestLog, OpenIngestLogError, Replay};
use crate::lease::Departed;
use crate::maintain::nanos;
use crate::record::IngestRecord;
use crate::schema::{self, TIME_GENERATED};
use crate::state::{State, TableKey, TableState};
use crate::store::StoreOptions;

/// What was found when a store was opened.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recovery {
    /// How many accepted calls were read back from the ingest log because they were not in data files yet.
    pub replayed: u64,
    /// How many tables had a last commit that a power loss had torn; its rows were read back from the log.
    pub torn_commits: u64,
    /// How many data files a crash had left that were not yet part of a table; they were removed, and their rows were read
    /// back from the log or are still in the files that they were made of.
    pub orphans: u64,
    /// Accepted calls that were in the log only and cannot be read any more. Their rows are lost: tell it.
    pub lost: Vec<Loss>,
    /// True if the log had fewer records than were once in it, as when its directory was removed. Rows that were in the
    /// log only are lost: tell it. They were accepted after [`Recovery::newest_in_tables`].
    pub was_log_replaced: bool,
    /// The newest `TimeGenerated` that any data file has; `None` if there is no file.
    pub newest_in_tables: Option<Timestamp>,
    /// How many bytes were cut off the log's end because no whole record was in them: what a crash leaves of a call that
    /// was not acknowledged, or what damage has made of the last one that was.
    pub torn_bytes: u64,
}

/// Accepted calls whose rows are lost.
///
/// When they were accepted is told by the rows around them: a row is accepted after its `TimeGenerated`, by a delay that
/// is not known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loss {
    /// Their positions in the log.
    pub positions: RangeInclusive<u64>,
    /// The newest row that was accepted before them, in the log or in a table; `None` if there is none.
    pub after: Option<Timestamp>,
    /// The newest row that was accepted in the first call after them; `None` if none was.
    pub before: Option<Timestamp>,
}

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenStoreError {
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] OpenDirectoryError),
    /// A table cannot be opened.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] OpenIngestLogError),
    /// A thread or its runtime could not be started.
    #[error("cannot start the store's {what}")]
    Start {
        /// What.
        what: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The thread that opens the store has died.
    #[error("the opening of the store was cut short; the reason was printed before this")]
    Died,
}

/// Everything an open store is made of.
pub(crate) struct Recovered<D: Disk> {
    pub(crate) directory: Directory<D>,
    pub(crate) files: Arc<dyn ObjectStore>,
    pub(crate) tables: BTreeMap<TableKey, DeltaTable>,
    pub(crate) flushed: Flushed,
    pub(crate) log: IngestLog<D>,
    pub(crate) state: State,
    pub(crate) recovery: Recovery,
    /// Files that have left their tables and may not be removed yet.
    pub(crate) departed: HashMap<TableKey, Departed>,
}

/// Opens the directory and brings the tables and the log together.
///
/// `reader` shows the disk's files by their absolute paths.
pub(crate) async fn recover<D: Disk + Clone>(
    disk: D,
    reader: Arc<dyn ObjectStore>,
    path: &Path,
    options: &StoreOptions,
) -> Result<Recovered<D>, OpenStoreError> {
    let mut directory = Directory::open(disk.clone(), path)?;
    let mut flushed = directory.read_flushed()?;
    let files: Arc<dyn ObjectStore> = Arc::new(DurableFiles::new(disk.clone(), reader, directory.staging()));
    let mut recovery = Recovery::default();
    for &workspace in &flushed.dropped {
        let removed = directory.remove_workspace(workspace);
        removed.map_err(|source| TableError::Directory { dir: directory.tables(), source })?;
    }
    let tables = open_tables(&disk, &directory, &files, &flushed, options, &mut recovery).await?;
    let mut positions = HashMap::new();
    for (key, table) in &tables {
        positions.insert(*key, table.position(directory.log_id).await?.unwrap_or(0));
    }
    let (mut log, mut replay) =
        IngestLog::open(disk.clone(), directory.log(), options.log, flushed.position, flushed.marks.clone())?;
    let in_tables = positions.values().copied().max().unwrap_or(0).max(flushed.position);
    if log.last_position() < in_tables {
        warn!(
            in_tables,
            in_log = log.last_position(),
            "the ingest log has fewer records than were in it; rows that were in it only are lost"
        );
        recovery.was_log_replaced = true;
        // The position first: with it and a new log's first positions under the old id, a crash would be misread.
        flushed.position = 0;
        directory
            .write_flushed(&flushed)
            .map_err(|source| TableError::Directory { dir: directory.tables(), source })?;
        directory.renew_log_id()?;
        positions.clear();
        drop(log);
        (log, replay) = IngestLog::open(disk, directory.log(), options.log, 0, flushed.marks.clone())?;
    }
    let departed =
        clear_strays(&files, &tables, &flushed.versions, options.keep_departed, &mut recovery).await?;
    let (dropped, meter) = (flushed.dropped.clone(), flushed.meter.clone());
    let mut state = State { dropped, meter, ..State::default() };
    for (key, table) in &tables {
        let files = Arc::new(table.data_files()?);
        state.tables.insert(*key, TableState { files, ..TableState::default() });
    }
    recovery.newest_in_tables = newest_in_tables(&state);
    recovery.torn_bytes = replay.torn_bytes;
    let lost = std::mem::take(&mut replay.lost).into_iter();
    recovery.lost =
        lost.map(|positions| loss(positions, &replay.records, recovery.newest_in_tables)).collect();
    recovery.replayed = replay_rows(replay, &positions, &mut state);
    info!(
        tables = tables.len(),
        replayed = recovery.replayed,
        torn = recovery.torn_commits,
        orphans = recovery.orphans,
        "store opened"
    );
    Ok(Recovered { directory, files, tables, flushed, log, state, recovery, departed })
}

/// Removes data files that were never part of a table, and lists those that have left one.
async fn clear_strays(
    files: &Arc<dyn ObjectStore>,
    tables: &BTreeMap<TableKey, DeltaTable>,
    versions: &BTreeMap<Uuid, BTreeMap<String, u64>>,
    keep_departed: Duration,
    recovery: &mut Recovery,
) -> Result<HashMap<TableKey, Departed>, OpenStoreError> {
    let mut departed = HashMap::new();
    for (key, table) in tables {
        let recorded = versions.get(&key.0).and_then(|versions| versions.get(key.1));
        if recorded.is_some_and(|&recorded| table.version() < recorded) {
            // A restored log, for example: what it does not name may be all that there is of newer rows.
            warn!(workspace = %key.0, table = key.1, version = table.version(), recorded, "the table is older than it was; leaving files alone that it does not name");
            continue;
        }
        let mut left: Vec<(DataFile, Timestamp)> = Vec::new();
        for (file, at) in table.strays().await? {
            match at {
                Some(at) => left.push((file, at)),
                None => {
                    let removed = files.delete(&file.path).await;
                    removed.map_err(|source| TableError::Remove { path: file.path.clone(), source })?;
                    recovery.orphans += 1;
                }
            }
        }
        left.sort_by_key(|(_, at)| *at);
        let mut queue = Departed::default();
        for (file, at) in left {
            queue.add(vec![file], at.plus_nanos(nanos(keep_departed)), Arc::default());
        }
        if !queue.is_empty() {
            departed.insert(*key, queue);
        }
    }
    Ok(departed)
}

async fn open_tables<D: Disk>(
    disk: &D,
    directory: &Directory<D>,
    files: &Arc<dyn ObjectStore>,
    flushed: &Flushed,
    options: &StoreOptions,
    recovery: &mut Recovery,
) -> Result<BTreeMap<TableKey, DeltaTable>, OpenStoreError> {
    let listed = directory
        .list_tables()
        .map_err(|source| TableError::Directory { dir: directory.tables(), source })?;
    let mut tables = BTreeMap::new();
    for (workspace, name) in listed {
        let Some(table) = schema::table(&name) else {
            warn!(%workspace, table = name, "leaving a directory alone that is not of a known table");
            continue;
        };
        let dir = directory.tables().join(workspace.to_string()).join(table.name);
        let recorded = flushed.versions.get(&workspace).and_then(|versions| versions.get(table.name));
        match delta::repair(disk, &dir, recorded.copied())? {
            Repair::None => {}
            Repair::DroppedTornCommit => {
                warn!(%workspace, table = table.name, "dropped a torn commit; its rows come from the ingest log");
                recovery.torn_commits += 1;
            }
        }
        // A directory without a commit is what a crash leaves of a table's making.
        if let Some(mut opened) = DeltaTable::open(Arc::clone(files), &dir).await? {
            opened.upgrade(table, options.checkpoint_commits).await?;
            tables.insert((workspace, table.name), opened);
        }
    }
    Ok(tables)
}

fn newest_in_tables(state: &State) -> Option<Timestamp> {
    let files = state.tables.values().flat_map(|table| table.files.iter());
    files.map(|file| timestamp(file.max_time)).max()
}

/// What the records around lost ones tell of when they were accepted.
fn loss(
    positions: RangeInclusive<u64>,
    records: &[(u64, IngestRecord)],
    newest_in_tables: Option<Timestamp>,
) -> Loss {
    let (earlier, later) = records.split_at(records.partition_point(|(at, _)| at < positions.start()));
    let after = earlier.iter().filter_map(|(_, record)| newest_row(record)).max().max(newest_in_tables);
    let before = later.first().and_then(|(_, record)| newest_row(record));
    Loss { positions, after, before }
}

fn newest_row(record: &IngestRecord) -> Option<Timestamp> {
    let newest = record.tables.iter().filter_map(|(table, rows)| {
        let times = rows.column(table.column_index(TIME_GENERATED)?);
        arrow::compute::max(times.as_primitive_opt::<TimestampMicrosecondType>()?)
    });
    newest.max().map(timestamp)
}

fn timestamp(microseconds: i64) -> Timestamp {
    Timestamp(microseconds.saturating_mul(1000))
}

/// Puts the rows that no table has into buffers; returns how many records had any.
fn replay_rows(replay: Replay, positions: &HashMap<TableKey, u64>, state: &mut State) -> u64 {
    let mut replayed = 0;
    for (position, record) in replay.records {
        let workspace: Uuid = record.workspace;
        let mut rows = record.tables;
        state.count(workspace, &rows);
        rows.retain(|(table, _)| {
            positions.get(&(workspace, table.name)).is_none_or(|&in_table| position > in_table)
        });
        if !rows.is_empty() && !state.dropped.contains(&workspace) {
            replayed += 1;
            let _ = state.apply(workspace, rows);
        }
    }
    replayed
}
