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

use crate::delta::{self, Contents, DataFile, DeltaTable, Repair, TableError};
use crate::directory::{Directory, Flushed, OpenDirectoryError};
use crate::durable::DurableFiles;
use crate::ingest_log::{IngestLog, OpenIngestLogError, Replay};
use crate::lease::Departed;
use crate::loss::{self, Loss, LostRows};
use crate::maintain::nanos;
use crate::options::StoreOptions;
use crate::record::IngestRecord;
use crate::schema::{self, TIME_GENERATED};
use crate::state::{State, TableKey, TableState};

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
    /// Rows that were accepted and are lost, found by this opening or by an earlier one: tell them, then call
    /// [`crate::Store::losses_told`]. Those of a data file are told by each opening until it is back.
    pub lost: Vec<Loss>,
    /// How many bytes were cut off the log's end because no whole record was in them: what a crash leaves of a call that
    /// was not acknowledged, or what damage has made of the last one that was.
    pub torn_bytes: u64,
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
    let newest_in_tables = newest_in_tables(&tables)?;
    let (mut log, mut replay) =
        IngestLog::open(disk.clone(), directory.log(), options.log, flushed.position, flushed.marks.clone())?;
    let in_tables = positions.values().copied().max().unwrap_or(0).max(flushed.position);
    if log.last_position() < in_tables {
        warn!(
            in_tables,
            in_log = log.last_position(),
            "the ingest log has fewer records than were in it; rows that were in it only are lost"
        );
        let loss = Loss { rows: LostRows::Log, workspace: None, after: newest_in_tables, before: None };
        flushed.untold = loss::all(&flushed.untold, vec![loss]);
        // The position first: with it and a new log's first positions under the old id, a crash would be misread.
        flushed.position = 0;
        write(&directory, &flushed)?;
        directory.renew_log_id()?;
        positions.clear();
        drop(log);
        (log, replay) = IngestLog::open(disk, directory.log(), options.log, 0, flushed.marks.clone())?;
    }
    let lost = std::mem::take(&mut replay.lost).into_iter();
    let mut found: Vec<Loss> =
        lost.map(|positions| lost_calls(positions, &replay.records, newest_in_tables)).collect();
    let (dropped, meter) = (flushed.dropped.clone(), flushed.meter.clone());
    let mut state = State { dropped, meter, ..State::default() };
    let mut departed = HashMap::new();
    for (key, table) in &tables {
        let contents = table.contents().await?;
        if is_older(&flushed, *key, table) {
            found.push(lost_commits(*key, &contents));
            set_aside(&files, contents.strays).await?;
        } else if let Some(left) =
            clear(&files, contents.strays, options.keep_departed, &mut recovery).await?
        {
            departed.insert(*key, left);
        }
        found.extend(contents.lost.iter().map(|file| lost_file(*key, file)));
        let (files, lost) = (Arc::new(contents.live), contents.lost);
        state.tables.insert(*key, TableState { files, lost, ..TableState::default() });
    }
    found.extend(lost_tables(&flushed, &tables));
    recovery.lost = loss::all(&flushed.untold, found);
    remember(&directory, &mut flushed, &tables, &recovery.lost)?;
    recovery.torn_bytes = replay.torn_bytes;
    recovery.replayed = replay_rows(replay, &positions, &mut state);
    info!(
        tables = tables.len(),
        replayed = recovery.replayed,
        torn = recovery.torn_commits,
        orphans = recovery.orphans,
        lost = recovery.lost.len(),
        "store opened"
    );
    Ok(Recovered { directory, files, tables, flushed, log, state, recovery, departed })
}

/// Writes down the losses that the next opening would not see any more, and with them what the tables are now.
fn remember<D: Disk>(
    directory: &Directory<D>,
    flushed: &mut Flushed,
    tables: &BTreeMap<TableKey, DeltaTable>,
    lost: &[Loss],
) -> Result<(), OpenStoreError> {
    let untold = loss::to_remember(lost);
    if untold == flushed.untold {
        return Ok(());
    }
    flushed.untold = untold;
    for (workspace, versions) in &mut flushed.versions {
        versions.retain(|name, recorded| {
            let Some(table) = schema::table(name) else { return true };
            let now = tables.get(&(*workspace, table.name)).map(DeltaTable::version);
            *recorded = now.map_or(*recorded, |now| now.min(*recorded));
            now.is_some()
        });
    }
    write(directory, flushed)
}

fn write<D: Disk>(directory: &Directory<D>, flushed: &Flushed) -> Result<(), OpenStoreError> {
    let written = directory.write_flushed(flushed);
    Ok(written.map_err(|source| TableError::Directory { dir: directory.tables(), source })?)
}

/// True if the table lacks commits that it once had, as when its Delta log was restored from a backup.
fn is_older(flushed: &Flushed, key: TableKey, table: &DeltaTable) -> bool {
    let recorded = flushed.versions.get(&key.0).and_then(|versions| versions.get(key.1));
    recorded.is_some_and(|&recorded| table.version() < recorded)
}

/// Keeps data files that an older table does not name from being taken for a crash's: they may be all that there is of
/// newer rows.
async fn set_aside(
    files: &Arc<dyn ObjectStore>,
    strays: Vec<(DataFile, Option<Timestamp>)>,
) -> Result<(), TableError> {
    for (file, _) in strays {
        let moved = async {
            let name = format!("{}{SET_ASIDE}", file.path);
            let to = object_store::path::Path::parse(name)?;
            warn!(file = %file.path, %to, "the table is older than it was and does not name this data file; setting it aside");
            files.rename(&file.path, &to).await
        };
        moved.await.map_err(|source| TableError::SetAside { path: file.path.clone(), source })?;
    }
    Ok(())
}

/// Removes data files that were never part of the table, and lists those that have left it; `None` if none have.
async fn clear(
    files: &Arc<dyn ObjectStore>,
    strays: Vec<(DataFile, Option<Timestamp>)>,
    keep_departed: Duration,
    recovery: &mut Recovery,
) -> Result<Option<Departed>, TableError> {
    let mut left: Vec<(DataFile, Timestamp)> = Vec::new();
    for (file, at) in strays {
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
    Ok((!queue.is_empty()).then_some(queue))
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

/// The newest `TimeGenerated` that any data file has, or had; `None` if there is no file.
fn newest_in_tables(tables: &BTreeMap<TableKey, DeltaTable>) -> Result<Option<Timestamp>, TableError> {
    let mut newest = None;
    for table in tables.values() {
        newest = newest.max(newest_of(&table.data_files()?));
    }
    Ok(newest)
}

fn newest_of(files: &[DataFile]) -> Option<Timestamp> {
    files.iter().map(|file| timestamp(file.max_time)).max()
}

/// What the records around lost ones tell of when they were accepted.
fn lost_calls(
    positions: RangeInclusive<u64>,
    records: &[(u64, IngestRecord)],
    newest_in_tables: Option<Timestamp>,
) -> Loss {
    let (earlier, later) = records.split_at(records.partition_point(|(at, _)| at < positions.start()));
    let after = earlier.iter().filter_map(|(_, record)| newest_row(record)).max().max(newest_in_tables);
    let before = later.first().and_then(|(_, record)| newest_row(record));
    Loss { rows: LostRows::Calls(positions), workspace: None, after, before }
}

/// Tables that were there at the last flush and are not any more.
fn lost_tables(flushed: &Flushed, tables: &BTreeMap<TableKey, DeltaTable>) -> Vec<Loss> {
    let recorded = flushed.versions.iter().flat_map(|(workspace, versions)| {
        versions.keys().filter_map(|name| Some((*workspace, schema::table(name)?.name)))
    });
    let gone = recorded.filter(|key| !tables.contains_key(key));
    gone.map(|(workspace, name)| Loss {
        rows: LostRows::Table(name.to_owned()),
        workspace: Some(workspace),
        after: None,
        before: None,
    })
    .collect()
}

fn lost_commits(key: TableKey, contents: &Contents) -> Loss {
    let after = newest_of(&contents.live).max(newest_of(&contents.lost));
    Loss { rows: LostRows::Commits(key.1.to_owned()), workspace: Some(key.0), after, before: None }
}

fn lost_file(key: TableKey, file: &DataFile) -> Loss {
    warn!(workspace = %key.0, table = key.1, file = %file.path, rows = file.rows, "a data file is gone or has not its size any more; its rows are lost");
    Loss {
        rows: LostRows::File { table: key.1.to_owned(), rows: file.rows },
        workspace: Some(key.0),
        after: Some(timestamp(file.min_time)),
        before: Some(timestamp(file.max_time)),
    }
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

/// What the name of a data file gets that is set aside, so that neither readers nor a later opening take it for one.
const SET_ASIDE: &str = ".unnamed";
