//! One table's Delta log: which data files are the table, and up to where the ingest log is in them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake_core::kernel::{
    Action, Add, DataType, LogicalFileView, MetadataExt as _, Remove, StructField, StructType, Transaction,
};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTableBuilder, DeltaTableError};
use fim_core::Timestamp;
use fim_log::Disk;
use futures::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _};
use serde_json::{Value, json};
use thiserror::Error;
use url::Url;
use uuid::Uuid;

use crate::data_file::EncodedFile;
use crate::progress::JobKind;
use crate::schema::{TIME_GENERATED, Table};

/// A file of rows that a table consists of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DataFile {
    /// Where it is in the snapshot's object store.
    pub path: Path,
    /// Its size in bytes.
    pub size: u64,
    /// How many rows it has, exactly.
    pub rows: u64,
    /// The day, in UTC, of all its rows' `TimeGenerated`.
    pub day: NaiveDate,
    /// No row's `TimeGenerated` is before this; microseconds since the Unix epoch.
    pub min_time: i64,
    /// No row's `TimeGenerated` is after this; microseconds since the Unix epoch.
    pub max_time: i64,
}

/// Why a table's log could not be read or written.
#[derive(Debug, Error)]
pub enum TableError {
    /// The table's directory cannot be used.
    #[error("cannot use the table's directory {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The table cannot be made, opened or committed to.
    #[error("cannot {what} the table in {}", dir.display())]
    Delta {
        /// The operation.
        what: &'static str,
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: Box<DeltaTableError>,
    },
    /// The table's files cannot be listed.
    #[error("cannot list the files of the table in {}", dir.display())]
    List {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: object_store::Error,
    },
    /// A data file cannot be written.
    #[error("cannot write the data file {path}")]
    Write {
        /// The file.
        path: Path,
        /// Why.
        source: object_store::Error,
    },
    /// A data file cannot be removed.
    #[error("cannot remove the data file {path}, which is in no table")]
    Remove {
        /// The file.
        path: Path,
        /// Why.
        source: object_store::Error,
    },
    /// A data file that the table does not name cannot be set aside.
    #[error("cannot set the data file {path} aside, which its table does not name")]
    SetAside {
        /// The file.
        path: Path,
        /// Why.
        source: object_store::Error,
    },
    /// The last commit is not whole, and its rows are not in the ingest log any more.
    #[error(
        "the commit {} is damaged, and its rows are no longer in the ingest log; restore it from a backup",
        path.display()
    )]
    DamagedCommit {
        /// The commit's file.
        path: PathBuf,
    },
    /// A data file was committed without what a store's own files have.
    #[error("the data file {path} of the table in {} lacks {what}; only this store may write to its tables", dir.display())]
    ForeignFile {
        /// The directory.
        dir: PathBuf,
        /// The file.
        path: String,
        /// What is missing.
        what: &'static str,
    },
}

/// A table's log, loaded.
#[derive(Debug)]
pub(crate) struct DeltaTable {
    dir: PathBuf,
    files: Arc<dyn ObjectStore>,
    log: LogStoreRef,
    state: DeltaTableState,
}

/// The data files of a table and of its directory.
#[derive(Debug)]
pub(crate) struct Contents {
    /// Those of the table that are there.
    pub(crate) live: Vec<DataFile>,
    /// Those of the table that are gone, or have not their size any more.
    pub(crate) lost: Vec<DataFile>,
    /// Those that are not part of the table, each with when it left it; a file that was never part of it, because a crash
    /// came before its commit, has no time.
    pub(crate) strays: Vec<(DataFile, Option<Timestamp>)>,
}

/// What was done to a table before it could be opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repair {
    /// Nothing.
    None,
    /// A commit that a power loss had torn was taken away.
    DroppedTornCommit,
}

/// Takes away a last commit that is not whole. `recorded` is the table's version after the last flush that was
/// finished: rows of any later commit are still in the ingest log, and those of that one are not.
pub(crate) fn repair<D: Disk>(disk: &D, dir: &FilePath, recorded: Option<u64>) -> Result<Repair, TableError> {
    let in_dir = |source| TableError::Directory { dir: dir.to_owned(), source };
    let log = dir.join(DELTA_LOG);
    let Some((version, path)) = last_commit(disk, &log).map_err(in_dir)? else { return Ok(Repair::None) };
    let bytes = disk.read(&path).map_err(in_dir)?;
    if is_whole(&bytes) {
        // The commit may be in the system's cache only, if the program was killed before it had synced the name.
        disk.sync_dir(&log).map_err(in_dir)?;
        return Ok(Repair::None);
    }
    if recorded.is_some_and(|recorded| version <= recorded) {
        return Err(TableError::DamagedCommit { path });
    }
    disk.remove(&path).map_err(in_dir)?;
    disk.sync_dir(&log).map_err(in_dir)?;
    Ok(Repair::DroppedTornCommit)
}

impl DeltaTable {
    /// Opens the table in `dir`; `None` if there is none.
    pub(crate) async fn open(
        files: Arc<dyn ObjectStore>,
        dir: &FilePath,
    ) -> Result<Option<Self>, TableError> {
        let place = location(dir, DELTA_LOG)?;
        let listed = files.list_with_delimiter(Some(&place)).await;
        let listed = listed.map_err(|source| TableError::List { dir: dir.to_owned(), source })?;
        let is_commit = |meta: &ObjectMeta| meta.location.filename().and_then(version_of).is_some();
        if !listed.objects.iter().any(is_commit) {
            return Ok(None);
        }
        let log = log_store(Arc::clone(&files), dir)?;
        let state = DeltaTableState::try_new(&log, None).await.map_err(in_delta("open", dir))?;
        Ok(Some(Self { dir: dir.to_owned(), files, log, state }))
    }

    /// Makes an empty table in `dir`.
    pub(crate) async fn create(
        files: Arc<dyn ObjectStore>,
        dir: &FilePath,
        table: &'static Table,
        checkpoint_commits: u64,
    ) -> Result<Self, TableError> {
        let in_create = in_delta("create", dir);
        let log = log_store(Arc::clone(&files), dir)?;
        let schema = delta_schema(table).map_err(&in_create)?;
        let created = CreateBuilder::new()
            .with_log_store(Arc::clone(&log))
            .with_table_name(table.name)
            .with_columns(schema.fields().cloned())
            .with_partition_columns([PARTITION])
            .with_configuration(settings(checkpoint_commits).map(|(key, value)| (key, Some(value))))
            .await
            .map_err(&in_create)?;
        let state = created.snapshot().map_err(&in_create)?.clone();
        Ok(Self { dir: dir.to_owned(), files, log, state })
    }

    /// The table's version.
    pub(crate) fn version(&self) -> u64 {
        self.state.version()
    }

    /// Up to which position of the log of that id rows are in the table; `None` if none are.
    pub(crate) async fn position(&self, log_id: Uuid) -> Result<Option<u64>, TableError> {
        let version = self
            .state
            .transaction_version(&self.log, application(log_id))
            .await
            .map_err(in_delta("read", &self.dir))?;
        Ok(version.and_then(|version| u64::try_from(version).ok()))
    }

    /// All files of the table.
    pub(crate) fn data_files(&self) -> Result<Vec<DataFile>, TableError> {
        self.state.log_data().iter().map(|view| self.data_file(&view)).collect()
    }

    /// Writes the files, durably. They are not part of the table before they are committed.
    pub(crate) async fn write(&self, encoded: Vec<EncodedFile>) -> Result<Vec<DataFile>, TableError> {
        let mut written = Vec::new();
        for file in encoded {
            let relative = format!("{PARTITION}={}/{}", file.day, part_name());
            let path = self.absolute(&relative)?;
            let size = file.bytes.len() as u64;
            let put = self.files.put(&path, file.bytes.into()).await;
            put.map_err(|source| TableError::Write { path: path.clone(), source })?;
            let (min_time, max_time) = file.times;
            written.push(DataFile { path, size, rows: file.rows, day: file.day, min_time, max_time });
        }
        Ok(written)
    }

    /// Makes the files part of the table, durably, as the rows of the log of that id up to `position`.
    ///
    /// The same position must not be committed twice, and Delta does not see to that: ask [`Self::position`] first.
    pub(crate) async fn commit(
        &mut self,
        files: &[DataFile],
        log_id: Uuid,
        position: u64,
    ) -> Result<(), TableError> {
        let mut actions = Vec::with_capacity(files.len());
        for file in files {
            actions.push(Action::Add(self.add(file, true)?));
        }
        // A position is below 2^63 as long as a log has existed for less than 292 years at a record a nanosecond.
        let version = i64::try_from(position).unwrap_or(i64::MAX);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![PARTITION.to_owned()]),
            predicate: None,
        };
        self.append(actions, operation, Some(Transaction::new(application(log_id), version))).await
    }

    /// Takes `removed` out of the table and puts `added` into it, durably and in one step.
    ///
    /// After an error the table is read again, so that a commit that is there although an error was seen is known.
    pub(crate) async fn rewrite(
        &mut self,
        removed: &[DataFile],
        added: &[DataFile],
        kind: JobKind,
        at: Timestamp,
    ) -> Result<(), TableError> {
        let changes_data = match kind {
            JobKind::Merge => false,
            JobKind::Expire => true,
        };
        let mut actions = Vec::with_capacity(removed.len() + added.len());
        for file in added {
            actions.push(Action::Add(self.add(file, changes_data)?));
        }
        for file in removed {
            actions.push(Action::Remove(self.removal(file, changes_data, at)?));
        }
        let operation = match kind {
            JobKind::Merge => DeltaOperation::Optimize { predicate: None, target_size: TARGET_BYTES },
            JobKind::Expire => DeltaOperation::Delete { predicate: None },
        };
        // Says nothing to anyone; it is what the commit ends with, so that a tear can be told.
        let end = Transaction::new(MAINTENANCE, i64::try_from(self.version()).unwrap_or(i64::MAX));
        let Err(failure) = self.append(actions, operation, Some(end)).await else { return Ok(()) };
        self.refresh().await?;
        let now = self.data_files()?;
        let has = |file: &DataFile| now.iter().any(|known| known.path == file.path);
        let is_done = added.iter().all(has) && !removed.iter().any(has);
        if is_done { Ok(()) } else { Err(failure) }
    }

    /// Gives the table the columns and settings of this version of the program. What it has besides stays.
    pub(crate) async fn upgrade(
        &mut self,
        table: &'static Table,
        checkpoint_commits: u64,
    ) -> Result<(), TableError> {
        let in_upgrade = in_delta("change the columns of", &self.dir);
        let known: Vec<String> = self.state.schema().fields().map(|field| field.name().clone()).collect();
        let is_known = |name: &str| known.iter().any(|known| known == name);
        let missing: Vec<&str> =
            table.columns.iter().map(|column| column.name).filter(|name| !is_known(name)).collect();
        let configuration = self.state.metadata().configuration();
        let settings: Vec<_> = settings(checkpoint_commits)
            .into_iter()
            .filter(|(key, value)| configuration.get(*key).is_none_or(|set| set != value))
            .collect();
        if missing.is_empty() && settings.is_empty() {
            return Ok(());
        }
        let ours = delta_schema(table).map_err(&in_upgrade)?;
        let is_ours = |name: &str| ours.fields().any(|field| field.name() == name);
        let foreign: Vec<_> =
            self.state.schema().fields().filter(|field| !is_ours(field.name())).cloned().collect();
        let fields: Vec<_> = ours.fields().cloned().chain(foreign).collect();
        let added: Vec<_> =
            fields.iter().filter(|field| missing.contains(&field.name().as_str())).cloned().collect();
        let schema = StructType::try_new(fields).map_err(|error| in_upgrade(error.into()))?;
        let mut metadata =
            self.state.metadata().clone().with_schema(&schema).map_err(|error| in_upgrade(error.into()))?;
        for (key, value) in settings {
            let set = metadata.add_config_key(key.to_owned(), value);
            metadata = set.map_err(|error| in_upgrade(error.into()))?;
        }
        let operation = DeltaOperation::AddColumn { fields: added };
        self.append(vec![Action::Metadata(metadata)], operation, None).await
    }

    /// What is in the table's directory, compared with what the table says.
    pub(crate) async fn contents(&self) -> Result<Contents, TableError> {
        let in_read = in_delta("read", &self.dir);
        let root = self.absolute("")?;
        let in_list = |source| TableError::List { dir: self.dir.clone(), source };
        let found: Vec<ObjectMeta> = self.files.list(Some(&root)).try_collect().await.map_err(in_list)?;
        // By name, which is unique, because the same place can be spelled in two ways.
        let sizes: HashMap<&str, u64> =
            found.iter().filter_map(|meta| Some((meta.location.filename()?, meta.size))).collect();
        let is_there = |file: &DataFile| {
            file.path.filename().and_then(|name| sizes.get(name)).is_some_and(|&size| size == file.size)
        };
        let (live, lost): (Vec<_>, Vec<_>) = self.data_files()?.into_iter().partition(is_there);
        let named: HashSet<&str> = live.iter().chain(&lost).filter_map(|file| file.path.filename()).collect();
        let is_stray = |meta: &&ObjectMeta| {
            meta.location.extension() == Some("parquet")
                && !meta.location.filename().is_some_and(|name| named.contains(name))
                && !meta.location.parts().any(|part| part.as_ref() == DELTA_LOG)
        };
        let strays: Vec<&ObjectMeta> = found.iter().filter(is_stray).collect();
        if strays.is_empty() {
            return Ok(Contents { live, lost, strays: Vec::new() });
        }
        let removals = self.state.all_tombstones(self.log.as_ref());
        let left: HashMap<String, Option<i64>> = removals
            .map_ok(|view| (base_name(&view.path()).to_owned(), view.deletion_timestamp()))
            .try_collect()
            .await
            .map_err(in_read)?;
        let stray = |meta: &ObjectMeta| {
            let millis = left.get(meta.location.filename().unwrap_or_default());
            let at = millis.map(|millis| Timestamp(millis.unwrap_or(0).saturating_mul(1_000_000)));
            let (path, size, day) = (meta.location.clone(), meta.size, NaiveDate::default());
            (DataFile { path, size, rows: 0, day, min_time: 0, max_time: 0 }, at)
        };
        let strays = strays.into_iter().map(stray).collect();
        Ok(Contents { live, lost, strays })
    }

    async fn append(
        &mut self,
        actions: Vec<Action>,
        operation: DeltaOperation,
        end: Option<Transaction>,
    ) -> Result<(), TableError> {
        let properties = CommitProperties::default().with_application_transactions(end.into_iter().collect());
        let committed = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(&self.state as &dyn TableReference), Arc::clone(&self.log), operation)
            .await
            .map_err(in_delta("commit to", &self.dir))?;
        self.state = committed.snapshot();
        Ok(())
    }

    /// Reads what was committed since, by whatever writer.
    pub(crate) async fn refresh(&mut self) -> Result<(), TableError> {
        self.state.update(&self.log, None).await.map_err(in_delta("read", &self.dir))
    }

    /// A file's path as the table's log has it.
    fn relative(&self, file: &DataFile) -> Result<String, TableError> {
        let root = self.absolute("")?;
        file.path
            .prefix_match(&root)
            .map(|parts| parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
            .ok_or_else(|| self.foreign(file.path.as_ref(), "a place in the table's directory"))
    }

    fn removal(&self, file: &DataFile, data_change: bool, at: Timestamp) -> Result<Remove, TableError> {
        Ok(Remove {
            path: self.relative(file)?,
            data_change,
            deletion_timestamp: Some(at.0.div_euclid(1_000_000)),
            extended_file_metadata: Some(true),
            partition_values: Some(partition(file.day)),
            size: Some(i64::try_from(file.size).unwrap_or(i64::MAX)),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        })
    }

    fn add(&self, file: &DataFile, data_change: bool) -> Result<Add, TableError> {
        // Statistics have milliseconds only, so the bounds are widened to whole ones.
        let stats = json!({
            "numRecords": file.rows,
            "minValues": { TIME_GENERATED: stats_time(file.min_time.div_euclid(1_000)) },
            "maxValues": { TIME_GENERATED: stats_time(file.max_time.div_euclid(1_000) + 1) },
            "nullCount": { TIME_GENERATED: 0 },
        });
        Ok(Add {
            path: self.relative(file)?,
            partition_values: partition(file.day),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            modification_time: Utc::now().timestamp_millis(),
            data_change,
            stats: Some(stats.to_string()),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        })
    }

    fn data_file(&self, view: &LogicalFileView) -> Result<DataFile, TableError> {
        let relative = view.path().into_owned();
        let lacks = |what| self.foreign(&relative, what);
        let stats: Value = view
            .stats()
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or_else(|| lacks("statistics"))?;
        let time = |bound: &str| {
            let text = stats.get(bound)?.get(TIME_GENERATED)?.as_str()?;
            DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
        };
        let day = relative.strip_prefix(PARTITION).and_then(|rest| rest.strip_prefix('=')?.split('/').next());
        Ok(DataFile {
            path: self.absolute(&relative)?,
            size: u64::try_from(view.size()).map_err(|_| lacks("a size"))?,
            rows: stats.get("numRecords").and_then(Value::as_u64).ok_or_else(|| lacks("a number of rows"))?,
            day: day.and_then(|day| day.parse().ok()).ok_or_else(|| lacks("a day"))?,
            min_time: time("minValues").ok_or_else(|| lacks("an earliest time"))?,
            max_time: time("maxValues").ok_or_else(|| lacks("a latest time"))?,
        })
    }

    /// The place of a file of the table in the object store.
    fn absolute(&self, relative: &str) -> Result<Path, TableError> {
        location(&self.dir, relative)
    }

    fn foreign(&self, path: &str, what: &'static str) -> TableError {
        TableError::ForeignFile { dir: self.dir.clone(), path: path.to_owned(), what }
    }
}

/// The place of a file of the table in the object store.
fn location(dir: &FilePath, relative: &str) -> Result<Path, TableError> {
    Path::from_absolute_path(dir.join(relative)).map_err(|error| TableError::Directory {
        dir: dir.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidFilename, error),
    })
}

/// The table's columns as the table format has them, with the day last.
fn delta_schema(table: &Table) -> Result<StructType, DeltaTableError> {
    let columns: StructType =
        table.arrow_schema().as_ref().try_into_kernel().map_err(DeltaTableError::from)?;
    let day = StructField::nullable(PARTITION, DataType::DATE);
    Ok(StructType::try_new(columns.fields().cloned().chain([day]))?)
}

fn partition(day: NaiveDate) -> HashMap<String, Option<String>> {
    HashMap::from([(PARTITION.to_owned(), Some(day.to_string()))])
}

/// Settings that every table of ours has. Statistics are kept of the time alone: a file is found by it. The log's commits
/// are needed for no longer than a reader takes, since there are checkpoints; what has left is remembered for longer than
/// it stays.
fn settings(checkpoint_commits: u64) -> [(&'static str, String); 4] {
    [
        ("delta.dataSkippingStatsColumns", TIME_GENERATED.to_owned()),
        ("delta.logRetentionDuration", "interval 2 days".to_owned()),
        ("delta.deletedFileRetentionDuration", "interval 2 days".to_owned()),
        ("delta.checkpointInterval", checkpoint_commits.max(1).to_string()),
    ]
}

/// A new name for a data file.
pub(crate) fn part_name() -> String {
    format!("part-{}.zstd.parquet", Uuid::now_v7())
}

fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The application id under which a log's positions stand in the tables' transactions.
fn application(log_id: Uuid) -> String {
    format!("steadfast-ingest-log/{log_id}")
}

fn stats_time(millis: i64) -> Option<String> {
    let time = DateTime::from_timestamp_millis(millis)?;
    Some(time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn log_store(files: Arc<dyn ObjectStore>, dir: &FilePath) -> Result<LogStoreRef, TableError> {
    let in_open = in_delta("open", dir);
    let url = Url::from_directory_path(dir).map_err(|()| TableError::Directory {
        dir: dir.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidFilename, "the path is not absolute"),
    })?;
    DeltaTableBuilder::from_url(url.clone())
        .map_err(&in_open)?
        .with_storage_backend(files, url)
        .build_storage()
        .map_err(&in_open)
}

/// The newest commit, with its version.
fn last_commit<D: Disk>(disk: &D, log: &FilePath) -> io::Result<Option<(u64, PathBuf)>> {
    let names = match disk.list(log) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let newest = names.iter().filter_map(|name| Some((version_of(name)?, log.join(name)))).max();
    Ok(newest)
}

/// The version that a commit's file is named by.
fn version_of(name: &str) -> Option<u64> {
    name.strip_suffix(".json")?.parse().ok()
}

/// True if no byte of the commit can be missing. Every line must be a JSON object; and because a tear between two
/// lines leaves only such, a commit of ours must end with what we write last: a change of its files with a transaction,
/// the making of a table or of a column with its metadata.
fn is_whole(commit: &[u8]) -> bool {
    let lines = commit.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let parsed: Result<Vec<Value>, _> = lines.map(serde_json::from_slice).collect();
    let Ok(actions) = parsed else { return false };
    let (Some(first), Some(last)) = (actions.first(), actions.last()) else { return false };
    match first.pointer("/commitInfo/operation").and_then(Value::as_str) {
        Some("WRITE" | "OPTIMIZE" | "DELETE") => last.get("txn").is_some(),
        Some("CREATE TABLE" | "ADD COLUMN") => last.get("metaData").is_some(),
        Some(_) | None => actions.iter().all(Value::is_object),
    }
}

fn in_delta(what: &'static str, dir: &FilePath) -> impl Fn(DeltaTableError) -> TableError + use<> {
    let dir = dir.to_owned();
    move |source| TableError::Delta { what, dir: dir.clone(), source: Box::new(source) }
}

/// The column that says the day; it exists in the Delta table only, not in the data files.
const PARTITION: &str = "day";
/// The application id of a commit that the maintenance made.
const MAINTENANCE: &str = "steadfast-maintenance";
const DELTA_LOG: &str = "_delta_log";
/// What the table's history says of a merge.
const TARGET_BYTES: i64 = 256 << 20;
