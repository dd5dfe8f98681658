//! The store as its users see it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arrow::array::RecordBatch;
use fim_log::{Disk, RealDisk};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::commit::{CommitInput, Committer, Outcome, Request};
use crate::directory::Claim;
use crate::flush::{DropWorkspaceError, FlushError, FlushInput, Flusher};
use crate::maintain::{Files, MaintainInput, Maintainer, MergeOptions, Retention};
use crate::marks::Origin;
use crate::meter::Metered;
use crate::options::StoreOptions;
use crate::progress::Maintenance;
use crate::record::{EncodeRecordError, IngestRecord};
use crate::recover::{OpenStoreError, Recovered, Recovery, recover};
use crate::schema::{self, SchemaMismatch, Table};
use crate::snapshot::{SnapshotError, TableInfo, TableSnapshot};
use crate::snapshot_files::SnapshotFiles;
use crate::state::{Shared, TableState, bytes_of};

/// The log store of one data directory.
///
/// It may be shared by any number of threads. Dropping it leaves rows that were not flushed to the ingest log, from
/// which the next opening reads them; [`Store::close`] flushes first.
pub struct Store {
    shared: Arc<Shared>,
    reader: Arc<dyn ObjectStore>,
    recovery: Recovery,
    committer: mpsc::Sender<CommitInput>,
    flusher: SyncSender<FlushInput>,
    maintainer: SyncSender<MaintainInput>,
    /// Set when the store closes, for work that takes long.
    stopping: Arc<AtomicBool>,
    threads: Mutex<Option<Threads>>,
}

/// What an ingest call came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accepted {
    /// True if the same batch had been stored before; it is stored once. What a call brought that failed, and that
    /// was stored nevertheless, is new to the call that repeats it.
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

impl Store {
    /// Opens the store in `directory`, or makes one there. Blocks until all tables are read and what only the ingest
    /// log had is in memory again.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Self, OpenStoreError> {
        let claim = Claim::take(directory)?;
        let reader: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
        let path = claim.path.clone();
        Self::start(RealDisk, reader, &path, options, Some(claim))
    }

    /// Opens the store in a directory, given by its absolute path, of that disk. `reader` shows the disk's files by their
    /// absolute paths. The caller sees to it that nobody else has the directory open.
    pub fn open_on<D: Disk + Clone>(
        disk: D,
        reader: Arc<dyn ObjectStore>,
        directory: &Path,
        options: StoreOptions,
    ) -> Result<Self, OpenStoreError> {
        Self::start(disk, reader, directory, options, None)
    }

    fn start<D: Disk + Clone>(
        disk: D,
        reader: Arc<dyn ObjectStore>,
        directory: &Path,
        options: StoreOptions,
        claim: Option<Claim>,
    ) -> Result<Self, OpenStoreError> {
        let (opened, receive) = sync_channel(1);
        let (flusher, flush_inputs) = sync_channel(FLUSH_QUEUE);
        let (maintainer, maintain_inputs) = sync_channel(FLUSH_QUEUE);
        let path = directory.to_owned();
        let senders = Senders { flusher: flusher.clone(), maintainer: maintainer.clone() };
        let files = Arc::clone(&reader);
        // The tables' library is asynchronous, so it gets a runtime, and the runtime a thread that may drop it.
        let flush_thread = spawn("flush", move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(failure) => return drop(opened.send(Err(failure))),
            };
            match runtime.block_on(recover(disk, files, &path, &options)) {
                Ok(recovered) => {
                    let (parts, flusher) = assemble(recovered, &options, senders, runtime.handle());
                    if opened.send(Ok(parts)).is_ok() {
                        flusher.run(&runtime, &flush_inputs);
                    }
                }
                Err(failure) => drop(opened.send(Err(failure))),
            }
        })?;
        let parts = receive.recv().map_err(|_| OpenStoreError::Died)??;
        let Parts { shared, recovery, committer, log_owner, commit_inputs, maintenance } = parts;
        let stopping = Arc::clone(&maintenance.stopping);
        let commit_thread = spawn("commit", move || log_owner.run(commit_inputs))?;
        let maintain_thread = spawn("maintain", move || maintenance.run(&maintain_inputs))?;
        let threads =
            Threads { flush: flush_thread, commit: commit_thread, maintain: maintain_thread, _claim: claim };
        let threads = Mutex::new(Some(threads));
        Ok(Self { shared, reader, recovery, committer, flusher, maintainer, stopping, threads })
    }

    /// What was found at the opening. Losses in it should be told to a person.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The losses of [`Store::recovery`] are told, durably: later openings need not tell them again. Blocks.
    pub fn losses_told(&self) -> Result<(), FlushError> {
        let (reply, answer) = sync_channel(1);
        self.flusher.send(FlushInput::LossesTold(reply)).map_err(|_| FlushError::NoAnswer)?;
        answer.recv().map_err(|_| FlushError::NoAnswer)?
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
            let lease = rows.map(|rows| Arc::clone(&rows.lease)).unwrap_or_default();
            TableSnapshot {
                table,
                schema: table.arrow_schema(),
                buffered: rows.map(TableState::buffered).unwrap_or_default(),
                files: rows.map(|rows| Arc::clone(&rows.files)).unwrap_or_default(),
                object_store: Arc::new(SnapshotFiles::new(Arc::clone(&self.reader), lease)),
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
        let departed = self.shared.progress().departed_bytes.clone();
        let state = self.shared.read();
        let of_workspace = state.tables.iter().filter(|(key, _)| key.0 == workspace);
        let departed = |key| departed.get(key).copied().unwrap_or(0);
        of_workspace.map(|(key, table)| TableInfo::of(key.1, table, departed(key))).collect()
    }

    /// How much was ever stored of each table of a workspace, in rows and billed bytes. It only grows.
    pub fn metered(&self, workspace: Uuid) -> Vec<(&'static str, Metered)> {
        self.shared.read().meter.of(workspace)
    }

    /// Says how long each table keeps its rows. Until it is said, and for tables of which nothing is said, all stay.
    pub fn set_retention(&self, retention: Retention) {
        self.shared.set_retention(retention);
        // If it is full, it will see the new retention with what it has to do.
        let _ = self.maintainer.try_send(MaintainInput::Due);
    }

    /// What is being done to data files in the background.
    pub fn maintenance(&self) -> Maintenance {
        self.shared.progress().maintenance.clone()
    }

    /// Merges, lets go and removes all that is to be now. Blocks; queries and ingest go on.
    pub fn maintain(&self) -> Result<(), FlushError> {
        let (reply, answer) = sync_channel(1);
        self.maintainer.send(MaintainInput::Finish(reply)).map_err(|_| FlushError::NoAnswer)?;
        answer.recv().map_err(|_| FlushError::NoAnswer)
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

    /// True while it takes rows and moves them to data files: it is open, and no thread of it has ended by a fault.
    pub fn is_working(&self) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = |threads: &Threads| {
            [&threads.flush, &threads.commit, &threads.maintain].into_iter().any(JoinHandle::is_finished)
        };
        threads.as_ref().is_some_and(|threads| !ended(threads))
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
        self.reserve(workspace, held_bytes)?;
        let (reply, outcome) = oneshot::channel();
        let rows = record.tables;
        let request = Request { workspace, origin, record: encoded, rows, held_bytes, reply };
        if let Err(refused) = self.committer.try_send(CommitInput::Ingest(request)) {
            self.shared.held().release(workspace, held_bytes);
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

    fn reserve(&self, workspace: Uuid, bytes: u64) -> Result<(), IngestError> {
        {
            let mut held = self.shared.held();
            let max = held.max();
            if bytes > max {
                return Err(IngestError::TooLarge { bytes, max });
            }
            if held.reserve(workspace, bytes) {
                return Ok(());
            }
        }
        self.hurry();
        Err(BUSY)
    }

    /// Asks for a flush soon; if the flusher is told much already, it is at it.
    fn hurry(&self) {
        let _ = self.flusher.try_send(FlushInput::Due);
    }

    fn stop(&self, threads: Threads) {
        // Whoever has stopped already cannot be told so; it is joined all the same. The maintainer first, because it
        // waits for the flusher, and the flusher before the committer for the same reason.
        self.stopping.store(true, Ordering::Relaxed);
        let _ = self.maintainer.send(MaintainInput::Stop);
        let _ = threads.maintain.join();
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

struct Threads {
    flush: JoinHandle<()>,
    commit: JoinHandle<()>,
    maintain: JoinHandle<()>,
    /// Keeps other processes out until they have stopped.
    _claim: Option<Claim>,
}

/// How the threads reach each other.
struct Senders {
    flusher: SyncSender<FlushInput>,
    maintainer: SyncSender<MaintainInput>,
}

/// What the opening thread hands over.
struct Parts<D: Disk> {
    shared: Arc<Shared>,
    recovery: Recovery,
    committer: mpsc::Sender<CommitInput>,
    log_owner: Committer<D>,
    commit_inputs: mpsc::Receiver<CommitInput>,
    maintenance: Maintainer,
}

fn assemble<D: Disk>(
    recovered: Recovered<D>,
    options: &StoreOptions,
    senders: Senders,
    runtime: &Handle,
) -> (Parts<D>, Flusher<D>) {
    let Recovered { directory, files, tables, flushed, log, state, recovery, departed } = recovered;
    let shared = Arc::new(Shared::new(state, options.max_buffer_bytes));
    if shared.held().total() >= options.flush_bytes {
        let _ = senders.flusher.try_send(FlushInput::Due);
    }
    let (committer, commit_inputs) = mpsc::channel(INGEST_QUEUE);
    let observer = &options.observer;
    let maintenance = Maintainer {
        shared: Arc::clone(&shared),
        files: Files { store: Arc::clone(&files), runtime: runtime.clone() },
        flusher: senders.flusher.clone(),
        observer: observer.clone(),
        clock: options.clock.clone(),
        options: MergeOptions {
            target_bytes: options.file_bytes,
            fan_in: options.merge_files.max(2),
            ..MergeOptions::default()
        },
        keep_departed: options.keep_departed,
        stopping: Arc::default(),
        departed,
        set_aside: HashMap::new(),
        last: None,
    };
    let flusher = Flusher {
        directory,
        files,
        tables,
        flushed,
        shared: Arc::clone(&shared),
        committer: committer.clone(),
        maintainer: senders.maintainer,
        interval: options.flush_interval,
        tables_at_once: options.flush_tables_at_once.max(1),
        checkpoint_commits: options.checkpoint_commits,
        observer: observer.clone(),
        pending: HashMap::new(),
        cut: None,
        is_behind: false,
    };
    let log_owner =
        Committer::new(log, Arc::clone(&shared), senders.flusher, options.flush_bytes, observer.clone());
    (Parts { shared, recovery, committer, log_owner, commit_inputs, maintenance }, flusher)
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
