//! The store as its users see it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use fim_log::{LogOptions, RealDisk};
use object_store::ObjectStore;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::commit::{CommitInput, Committer, Outcome, Request};
use crate::delta::DataFile;
use crate::flush::{DropWorkspaceError, FlushError, FlushInput, Flusher};
use crate::marks::Origin;
use crate::record::{EncodeRecordError, IngestRecord};
use crate::recover::{OpenStoreError, Recovered, Recovery, recover};
use crate::schema::{self, SchemaMismatch, Table};
use crate::state::{Shared, TableState, bytes_of};
use crate::step::Observer;

/// How a store behaves.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Rows are moved to data files at least this often.
    pub flush_interval: Duration,
    /// Rows are moved to data files once they take this much memory, in bytes.
    pub flush_bytes: u64,
    /// The most memory, in bytes, that rows which are not in data files may take; beyond it ingest answers
    /// [`IngestError::Busy`].
    pub max_buffer_bytes: u64,
    /// The bounds of the ingest log on the disk; when it is full, ingest answers [`IngestError::Busy`].
    pub log: LogOptions,
    /// Is told of every step on the way to the disk.
    pub observer: Observer,
}

/// The log store of one data directory.
///
/// It may be shared by any number of threads. Dropping it leaves rows that were not flushed to the ingest log, from
/// which the next opening reads them; [`Store::close`] flushes first.
pub struct Store {
    shared: Arc<Shared>,
    files: Arc<dyn ObjectStore>,
    recovery: Recovery,
    committer: mpsc::Sender<CommitInput>,
    flusher: SyncSender<FlushInput>,
    threads: Mutex<Option<Threads>>,
}

/// What an ingest call came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// True if the same batch had been stored before; it is stored once.
    pub duplicate: bool,
}

/// Why rows were not accepted.
#[derive(Debug, Error)]
pub enum IngestError {
    /// There is no such table.
    #[error("there is no table {name}")]
    UnknownTable {
        /// The name.
        name: String,
    },
    /// The rows are not the table's.
    #[error(transparent)]
    Schema(#[from] SchemaMismatch),
    /// The workspace was dropped.
    #[error("the workspace {workspace} was removed")]
    WorkspaceDropped {
        /// The workspace.
        workspace: Uuid,
    },
    /// More rows than one call can have.
    #[error("{bytes} bytes of rows are more than the {max} that can be taken at once; send fewer")]
    TooLarge {
        /// The memory that the rows take.
        bytes: u64,
        /// The most that rows may take.
        max: u64,
    },
    /// The rows cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeRecordError),
    /// There is no room for them at the moment: nothing was stored, and the call may be repeated.
    #[error("the store is busy; try again in {} s", retry_after.as_secs())]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// They could not be made durable. Repeating the call with the same origin is safe.
    #[error("the rows could not be made durable: {reason}")]
    NotDurable {
        /// Why, with its causes.
        reason: String,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// Why there is no snapshot of a table.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum SnapshotError {
    /// There is no such table.
    #[error("there is no table {name}")]
    UnknownTable {
        /// The name.
        name: String,
    },
}

/// All rows of one table of one workspace at one moment: those of `buffered` and those of `files`, each once.
#[derive(Clone, Debug)]
pub struct TableSnapshot {
    /// The table.
    pub table: &'static Table,
    /// The schema of all rows. A data file may lack columns that are newer than it; they are null there.
    pub schema: SchemaRef,
    /// Rows that are in memory.
    pub buffered: Vec<RecordBatch>,
    /// Files of rows, each sorted by the table's order.
    pub files: Arc<Vec<DataFile>>,
    /// Where the files are.
    pub object_store: Arc<dyn ObjectStore>,
}

/// How much a table of a workspace has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableInfo {
    /// The table's name.
    pub name: &'static str,
    /// How many rows, in memory and in files.
    pub rows: u64,
    /// How many of them are in memory.
    pub buffered_rows: u64,
    /// How much memory these take, in bytes.
    pub buffered_bytes: u64,
    /// How many data files.
    pub files: u64,
    /// How many bytes these have.
    pub file_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            flush_interval: Duration::from_secs(30),
            flush_bytes: 64 << 20,
            max_buffer_bytes: 256 << 20,
            log: LogOptions { segment_bytes: 16 << 20, max_bytes: 1 << 30 },
            observer: Observer::default(),
        }
    }
}

impl Store {
    /// Opens the store in `directory`, or makes one there. Blocks until all tables are read and what only the ingest
    /// log had is in memory again.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Self, OpenStoreError> {
        let (opened, receive) = sync_channel(1);
        let (flusher, flush_inputs) = sync_channel(FLUSH_QUEUE);
        let path = directory.to_owned();
        let (to_flusher, flush_options) = (flusher.clone(), options.clone());
        // The tables' library is asynchronous, so it gets a runtime, and the runtime a thread that may drop it.
        let flush_thread = spawn("flush", move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(failure) => return drop(opened.send(Err(failure))),
            };
            match runtime.block_on(recover(&path, flush_options.log)) {
                Ok(recovered) => {
                    let (parts, flusher) = assemble(recovered, &flush_options, to_flusher);
                    if opened.send(Ok(parts)).is_ok() {
                        flusher.run(&runtime, &flush_inputs);
                    }
                }
                Err(failure) => drop(opened.send(Err(failure))),
            }
        })?;
        let parts = receive.recv().map_err(|_| OpenStoreError::Died)??;
        let Parts { shared, files, recovery, committer, log_owner, commit_inputs } = parts;
        let commit_thread = spawn("commit", move || log_owner.run(commit_inputs))?;
        let threads = Mutex::new(Some(Threads { flush: flush_thread, commit: commit_thread }));
        Ok(Self { shared, files, recovery, committer, flusher, threads })
    }

    /// What was found at the opening. Losses in it should be told to a person.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Stores the rows of one batch, all of them or none, once for each origin. When it returns `Ok` they are durable,
    /// and every later snapshot has them.
    pub async fn ingest(
        &self,
        workspace: Uuid,
        rows: Vec<(&str, RecordBatch)>,
        origin: Origin,
    ) -> Result<Accepted, IngestError> {
        self.store(workspace, rows, Some(origin)).await
    }

    /// Stores rows that cannot come twice, because they are made here and now and not delivered by anyone.
    pub async fn ingest_own(
        &self,
        workspace: Uuid,
        rows: Vec<(&str, RecordBatch)>,
    ) -> Result<(), IngestError> {
        self.store(workspace, rows, None).await.map(|_| ())
    }

    /// The rows of a table of a workspace, at this moment. A workspace that has never had any has none.
    pub fn snapshot(&self, workspace: Uuid, table: &str) -> Result<TableSnapshot, SnapshotError> {
        let mut snapshots = self.snapshots(workspace, &[table])?;
        snapshots.pop().ok_or_else(|| SnapshotError::UnknownTable { name: table.to_owned() })
    }

    /// The rows of several tables of a workspace, all at the same moment: what one ingest call brought is in all of
    /// them or in none.
    pub fn snapshots(&self, workspace: Uuid, tables: &[&str]) -> Result<Vec<TableSnapshot>, SnapshotError> {
        let find = |name: &&str| {
            schema::table(name).ok_or_else(|| SnapshotError::UnknownTable { name: (*name).to_owned() })
        };
        let tables = tables.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let state = self.shared.read();
        let snapshot = |table: &'static Table| {
            let rows = state.tables.get(&(workspace, table.name));
            TableSnapshot {
                table,
                schema: table.arrow_schema(),
                buffered: rows.map(TableState::buffered).unwrap_or_default(),
                files: rows.map(|rows| Arc::clone(&rows.files)).unwrap_or_default(),
                object_store: Arc::clone(&self.files),
            }
        };
        Ok(tables.into_iter().map(snapshot).collect())
    }

    /// The workspaces that have rows.
    pub fn workspaces(&self) -> Vec<Uuid> {
        let state = self.shared.read();
        let ids: BTreeSet<Uuid> = state.tables.keys().map(|key| key.0).collect();
        ids.into_iter().collect()
    }

    /// The tables of a workspace that have, or had, rows.
    pub fn tables(&self, workspace: Uuid) -> Vec<TableInfo> {
        let state = self.shared.read();
        let of_workspace = state.tables.iter().filter(|(key, _)| key.0 == workspace);
        of_workspace.map(|(key, table)| info(key.1, table)).collect()
    }

    /// Moves all rows that are in memory now to data files. Blocks.
    pub fn flush(&self) -> Result<(), FlushError> {
        let (reply, answer) = sync_channel(1);
        self.flusher.send(FlushInput::Flush(reply)).map_err(|_| FlushError::NoAnswer)?;
        answer.recv().map_err(|_| FlushError::NoAnswer)?
    }

    /// Removes all rows of a workspace, for ever: its id takes no rows any more. Blocks.
    pub fn drop_workspace(&self, workspace: Uuid) -> Result<(), DropWorkspaceError> {
        let (reply, answer) = sync_channel(1);
        let sent = self.flusher.send(FlushInput::DropWorkspace(workspace, reply));
        sent.map_err(|_| DropWorkspaceError::Closed)?;
        answer.recv().map_err(|_| DropWorkspaceError::Closed)?
    }

    /// Flushes, stops the store's threads and gives the directory free. Blocks. What cannot be flushed is in the ingest
    /// log and is read at the next opening. A second call does nothing.
    pub fn close(&self) -> Result<(), FlushError> {
        let Some(threads) = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        let flushed = self.flush();
        self.stop(threads);
        flushed
    }

    async fn store(
        &self,
        workspace: Uuid,
        rows: Vec<(&str, RecordBatch)>,
        origin: Option<Origin>,
    ) -> Result<Accepted, IngestError> {
        let tables = adopt(rows)?;
        if self.shared.read().dropped.contains(&workspace) {
            return Err(IngestError::WorkspaceDropped { workspace });
        }
        let held_bytes = tables.iter().map(|(_, batch)| bytes_of(std::slice::from_ref(batch))).sum();
        let record = IngestRecord { workspace, origin, tables };
        let encoded = record.encode()?;
        self.reserve(held_bytes)?;
        let (reply, outcome) = oneshot::channel();
        let rows = record.tables;
        let request = Request { workspace, origin, record: encoded, rows, held_bytes, reply };
        if let Err(refused) = self.committer.try_send(CommitInput::Ingest(request)) {
            self.shared.release(held_bytes);
            return Err(match refused {
                mpsc::error::TrySendError::Full(_) => BUSY,
                mpsc::error::TrySendError::Closed(_) => IngestError::Closed,
            });
        }
        match outcome.await {
            Ok(Outcome::Stored) => Ok(Accepted { duplicate: false }),
            Ok(Outcome::Duplicate) => Ok(Accepted { duplicate: true }),
            Ok(Outcome::Full) => {
                self.hurry();
                Err(BUSY)
            }
            Ok(Outcome::Failed(reason)) => Err(IngestError::NotDurable { reason }),
            Err(_) => Err(IngestError::Closed),
        }
    }

    fn reserve(&self, bytes: u64) -> Result<(), IngestError> {
        let max = self.shared.max_held_bytes();
        if bytes > max {
            return Err(IngestError::TooLarge { bytes, max });
        }
        if self.shared.reserve(bytes) {
            return Ok(());
        }
        self.hurry();
        Err(BUSY)
    }

    /// Asks for a flush soon; if the flusher is told much already, it is at it.
    fn hurry(&self) {
        let _ = self.flusher.try_send(FlushInput::Due);
    }

    fn stop(&self, threads: Threads) {
        // Whoever has stopped already cannot be told so; it is joined all the same.
        let _ = self.flusher.send(FlushInput::Stop);
        let _ = threads.flush.join();
        let _ = futures::executor::block_on(self.committer.send(CommitInput::Stop));
        let _ = threads.commit.join();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(threads) = threads {
            self.stop(threads);
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("recovery", &self.recovery).finish_non_exhaustive()
    }
}

impl TableSnapshot {
    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        count(&self.buffered) + self.files.iter().map(|file| file.rows).sum::<u64>()
    }
}

struct Threads {
    flush: JoinHandle<()>,
    commit: JoinHandle<()>,
}

/// What the opening thread hands over.
struct Parts {
    shared: Arc<Shared>,
    files: Arc<dyn ObjectStore>,
    recovery: Recovery,
    committer: mpsc::Sender<CommitInput>,
    log_owner: Committer<RealDisk>,
    commit_inputs: mpsc::Receiver<CommitInput>,
}

fn assemble(
    recovered: Recovered,
    options: &StoreOptions,
    to_flusher: SyncSender<FlushInput>,
) -> (Parts, Flusher) {
    let Recovered { directory, files, tables, flushed, log, state, recovery } = recovered;
    let shared = Arc::new(Shared::new(state, options.max_buffer_bytes));
    if shared.held_bytes() >= options.flush_bytes {
        let _ = to_flusher.try_send(FlushInput::Due);
    }
    let (committer, commit_inputs) = mpsc::channel(INGEST_QUEUE);
    let flusher = Flusher {
        directory,
        files: Arc::clone(&files),
        tables,
        flushed,
        shared: Arc::clone(&shared),
        committer: committer.clone(),
        interval: options.flush_interval,
        observer: options.observer.clone(),
        cut: None,
    };
    let log_owner =
        Committer::new(log, Arc::clone(&shared), to_flusher, options.flush_bytes, options.observer.clone());
    (Parts { shared, files, recovery, committer, log_owner, commit_inputs }, flusher)
}

fn adopt(rows: Vec<(&str, RecordBatch)>) -> Result<Vec<(&'static Table, RecordBatch)>, IngestError> {
    let mut tables = Vec::with_capacity(rows.len());
    for (name, batch) in rows {
        let table = schema::table(name).ok_or_else(|| IngestError::UnknownTable { name: name.to_owned() })?;
        let batch = table.adopt(batch)?;
        if batch.num_rows() > 0 {
            tables.push((table, batch));
        }
    }
    Ok(tables)
}

fn info(name: &'static str, table: &TableState) -> TableInfo {
    let buffered = table.buffered();
    let buffered_rows = count(&buffered);
    TableInfo {
        name,
        rows: buffered_rows + table.files.iter().map(|file| file.rows).sum::<u64>(),
        buffered_rows,
        buffered_bytes: bytes_of(&buffered),
        files: table.files.len() as u64,
        file_bytes: table.files.iter().map(|file| file.size).sum(),
    }
}

fn count(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}

fn runtime() -> Result<tokio::runtime::Runtime, OpenStoreError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .thread_name("store-io")
        .enable_all()
        .build()
        .map_err(|source| OpenStoreError::Start { what: "runtime", source })
}

fn spawn(what: &'static str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenStoreError> {
    thread::Builder::new()
        .name(format!("store-{what}"))
        .spawn(work)
        .map_err(|source| OpenStoreError::Start { what, source })
}

const BUSY: IngestError = IngestError::Busy { retry_after: Duration::from_secs(1) };
/// Calls that wait for the committer; the memory that they hold is bounded as well, by `max_buffer_bytes`.
const INGEST_QUEUE: usize = 4_096;
/// Requests to flush that wait; those beyond would find nothing left to do.
const FLUSH_QUEUE: usize = 16;
/// The tables' library waits for files on one and decodes on the other.
const RUNTIME_THREADS: usize = 2;
