//! The flusher: one thread moves rows from buffers to data files, a table at a time.
//!
//! It owns the tables' Delta logs and the record of what is in them. Everything it does can be done again: a flush
//! that fails halfway keeps its cut, and the next one goes on with the tables that are left.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arrow::array::RecordBatch;
use fim_log::RemoveError;
use object_store::ObjectStore;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tracing::{debug, error};
use uuid::Uuid;

use crate::commit::{CommitInput, Frozen, chain};
use crate::data_file::{self, EncodeFileError};
use crate::delta::{DataFile, DeltaTable, TableError};
use crate::directory::{Directory, Flushed};
use crate::schema::{self, Table};
use crate::state::{Shared, TableKey};
use crate::step::{Observer, Step};

/// What the flusher is told.
pub(crate) enum FlushInput {
    /// The buffers are large enough.
    Due,
    /// Somebody waits for all that is buffered now to be in files.
    Flush(SyncSender<Result<(), FlushError>>),
    DropWorkspace(Uuid, SyncSender<Result<(), DropWorkspaceError>>),
    Stop,
}

/// Whether rows may be in their table already: Delta accepts the same commit twice, so a repeated attempt looks first.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    First,
    Repeated,
}

/// Why buffered rows could not be moved to data files. They are still there, and safe in the ingest log.
#[derive(Debug, Error)]
pub enum FlushError {
    /// The store is closed, or its log cannot be synced.
    #[error("the ingest log does not answer")]
    NoAnswer,
    /// The rows could not be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeFileError),
    /// The table could not be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// What is in tables could not be recorded.
    #[error("cannot record what is in tables, in {}", directory.display())]
    Record {
        /// The store's directory.
        directory: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The log's space could not be given back.
    #[error("cannot give back the space of the ingest log")]
    Release(#[from] RemoveError),
}

/// Why a workspace's rows could not be removed.
#[derive(Debug, Error)]
pub enum DropWorkspaceError {
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// Its files could not be removed.
    #[error("cannot remove the rows of workspace {workspace}")]
    Remove {
        /// The workspace.
        workspace: Uuid,
        /// The system's answer.
        source: io::Error,
    },
}

pub(crate) struct Flusher {
    pub(crate) directory: Directory,
    pub(crate) files: Arc<dyn ObjectStore>,
    pub(crate) tables: HashMap<TableKey, DeltaTable>,
    pub(crate) flushed: Flushed,
    pub(crate) shared: Arc<Shared>,
    pub(crate) committer: mpsc::Sender<CommitInput>,
    pub(crate) interval: Duration,
    pub(crate) observer: Observer,
    /// The cut of a flush that has not been finished.
    pub(crate) cut: Option<Frozen>,
}

impl Flusher {
    /// Serves until it is told to stop.
    pub(crate) fn run(mut self, runtime: &Runtime, inputs: &Receiver<FlushInput>) {
        loop {
            match inputs.recv_timeout(self.interval) {
                Ok(FlushInput::Due) | Err(RecvTimeoutError::Timeout) => {
                    if let Err(failure) = runtime.block_on(self.flush()) {
                        error!(error = chain(&failure), "cannot move rows to data files; trying again later");
                    }
                }
                Ok(FlushInput::Flush(reply)) => {
                    let _ = reply.send(runtime.block_on(self.flush()));
                }
                Ok(FlushInput::DropWorkspace(workspace, reply)) => {
                    let _ = reply.send(self.drop_workspace(workspace));
                }
                Ok(FlushInput::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Moves all rows that are buffered now to data files.
    async fn flush(&mut self) -> Result<(), FlushError> {
        if let Some(cut) = self.cut.take() {
            self.finish(cut, Attempt::Repeated).await?;
        }
        if !self.has_rows() {
            return Ok(());
        }
        let (reply, answer) = sync_channel(1);
        self.tell(CommitInput::Freeze(reply)).await?;
        let cut = answer.recv().map_err(|_| FlushError::NoAnswer)?;
        self.observer.reached(Step::BuffersFrozen);
        self.finish(cut, Attempt::First).await
    }

    /// Moves what was frozen at the cut, and keeps the cut if that fails.
    async fn finish(&mut self, cut: Frozen, attempt: Attempt) -> Result<(), FlushError> {
        let done = self.settle(&cut, attempt).await;
        if done.is_err() {
            self.cut = Some(cut);
        }
        done
    }

    async fn settle(&mut self, cut: &Frozen, attempt: Attempt) -> Result<(), FlushError> {
        for (key, rows) in self.frozen() {
            self.settle_table(key, &rows, cut.position, attempt).await?;
        }
        self.flushed.position = cut.position;
        self.flushed.marks.clone_from(&cut.marks);
        self.flushed.versions = self.versions();
        self.record().map_err(|source| FlushError::Record { directory: self.directory.tables(), source })?;
        self.observer.reached(Step::PositionRecorded);
        let (reply, answer) = sync_channel(1);
        self.tell(CommitInput::Release(cut.position, reply)).await?;
        answer.recv().map_err(|_| FlushError::NoAnswer)??;
        self.observer.reached(Step::SegmentsRemoved);
        Ok(())
    }

    /// Moves one table's frozen rows to files.
    async fn settle_table(
        &mut self,
        key: TableKey,
        rows: &[RecordBatch],
        position: u64,
        attempt: Attempt,
    ) -> Result<(), FlushError> {
        let (workspace, name) = key;
        let Some(table) = schema::table(name) else { return Ok(()) };
        let log_id = self.directory.log_id;
        let mut log = match self.tables.remove(&key) {
            Some(log) => log,
            None => self.open_table(workspace, table).await?,
        };
        let committed = match attempt {
            Attempt::First => None,
            Attempt::Repeated => {
                log.refresh().await?;
                log.position(log_id).await?
            }
        };
        let files = if committed >= Some(position) {
            self.unpublished(key, &log)?
        } else {
            let files = log.write(data_file::encode(table, rows)?).await?;
            self.observer.reached(Step::FilesWritten);
            log.commit(&files, log_id, position).await?;
            self.observer.reached(Step::TableCommitted);
            files
        };
        debug!(%workspace, table = name, files = files.len(), version = log.version(), "rows moved to data files");
        self.tables.insert(key, log);
        let freed = self.shared.write().publish(key, files);
        self.shared.release(freed);
        self.observer.reached(Step::TablePublished);
        Ok(())
    }

    /// A table that no flush of this process has touched: it is made now, or an earlier try has made it.
    async fn open_table(&self, workspace: Uuid, table: &'static Table) -> Result<DeltaTable, FlushError> {
        let dir = self.directory.tables().join(workspace.to_string()).join(table.name);
        if let Some(opened) = DeltaTable::open(Arc::clone(&self.files), &dir).await? {
            return Ok(opened);
        }
        let created = DeltaTable::create(Arc::clone(&self.files), &dir, table).await?;
        self.observer.reached(Step::TableCreated);
        Ok(created)
    }

    /// The files of a commit that succeeded although its caller saw an error.
    fn unpublished(&self, key: TableKey, log: &DeltaTable) -> Result<Vec<DataFile>, FlushError> {
        let published = self.shared.read().tables.get(&key).map(|state| Arc::clone(&state.files));
        let is_published = |file: &DataFile| {
            published.iter().flat_map(|files| files.iter()).any(|known| known.path == file.path)
        };
        Ok(log.data_files()?.into_iter().filter(|file| !is_published(file)).collect())
    }

    /// Removes a workspace, and remembers that, so that rows of it that are still in the log stay gone.
    fn drop_workspace(&mut self, workspace: Uuid) -> Result<(), DropWorkspaceError> {
        let in_remove = |source| DropWorkspaceError::Remove { workspace, source };
        let freed = self.shared.write().drop_workspace(workspace);
        self.shared.release(freed);
        self.tables.retain(|key, _| key.0 != workspace);
        self.flushed.dropped.insert(workspace);
        self.flushed.marks.forget(workspace);
        self.flushed.versions.remove(&workspace);
        self.record().map_err(in_remove)?;
        let told = self.committer.blocking_send(CommitInput::Forget(workspace));
        told.map_err(|_| DropWorkspaceError::Closed)?;
        self.directory.remove_workspace(workspace).map_err(in_remove)
    }

    fn record(&self) -> io::Result<()> {
        self.directory.write_flushed(&self.flushed)
    }

    fn has_rows(&self) -> bool {
        self.shared.read().tables.values().any(|table| !table.active.is_empty())
    }

    fn frozen(&self) -> Vec<(TableKey, Vec<RecordBatch>)> {
        let state = self.shared.read();
        let frozen = state.tables.iter().filter(|(_, table)| !table.frozen.is_empty());
        frozen.map(|(key, table)| (*key, table.frozen.clone())).collect()
    }

    fn versions(&self) -> BTreeMap<Uuid, BTreeMap<String, u64>> {
        let mut versions: BTreeMap<Uuid, BTreeMap<String, u64>> = BTreeMap::new();
        for ((workspace, name), table) in &self.tables {
            versions.entry(*workspace).or_default().insert((*name).to_owned(), table.version());
        }
        versions
    }

    async fn tell(&self, input: CommitInput) -> Result<(), FlushError> {
        self.committer.send(input).await.map_err(|_| FlushError::NoAnswer)
    }
}
