//! The flusher: one thread moves rows from buffers to data files, several tables at a time.
//!
//! It owns the tables' Delta logs and the record of what is in them; whoever wants to change a table's files asks it.
//! Everything it does can be done again. A table that cannot be written keeps the rows that were set aside, with the cut
//! that they end with, and does not hold up the others: these go on from cut to cut. Only the ingest log keeps its
//! segments until all tables have followed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arrow::array::RecordBatch;
use fim_core::{Timestamp, error_chain};
use fim_log::{Disk, RemoveError};
use futures::StreamExt as _;
use object_store::ObjectStore;
use thiserror::Error;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tracing::{debug, error};
use uuid::Uuid;

use crate::commit::{CommitInput, Frozen};
use crate::data_file::{self, EncodeFileError};
use crate::delta::{DataFile, DeltaTable, TableError};
use crate::directory::{Directory, Flushed};
use crate::lease::Lease;
use crate::maintain::MaintainInput;
use crate::progress::JobKind;
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
    /// The maintainer has made files that are to take the place of others.
    Rewrite(Rewrite, SyncSender<Result<Rewritten, FlushError>>),
    /// What was lost when the store was opened is told, durably.
    LossesTold(SyncSender<Result<(), FlushError>>),
    Stop,
}

/// Files that are to leave a table, and files that are to come into it instead.
pub(crate) struct Rewrite {
    pub(crate) key: TableKey,
    pub(crate) kind: JobKind,
    pub(crate) removed: Vec<DataFile>,
    pub(crate) added: Vec<DataFile>,
    /// The time now.
    pub(crate) at: Timestamp,
}

/// What became of a rewrite.
pub(crate) enum Rewritten {
    /// It is done; who holds the lease may still read the files that left.
    Done(Arc<Lease>),
    /// It is done and could not be recorded: the files that left must stay, because a later opening may take the commit
    /// for one that a power loss has torn.
    Unrecorded(FlushError),
    /// The workspace was dropped meanwhile; the new files are in no table.
    Gone,
}

/// Whether rows may be in their table already: Delta accepts the same commit twice, so a repeated attempt looks first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    /// A thread that makes files has died.
    #[error("the making of a data file was cut short; the reason was printed before this")]
    Died,
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

pub(crate) struct Flusher<D: Disk> {
    pub(crate) directory: Directory<D>,
    pub(crate) files: Arc<dyn ObjectStore>,
    pub(crate) tables: BTreeMap<TableKey, DeltaTable>,
    pub(crate) flushed: Flushed,
    pub(crate) shared: Arc<Shared>,
    pub(crate) committer: mpsc::Sender<CommitInput>,
    pub(crate) maintainer: SyncSender<MaintainInput>,
    pub(crate) interval: Duration,
    pub(crate) tables_at_once: usize,
    pub(crate) checkpoint_commits: u64,
    pub(crate) observer: Observer,
    /// Tables whose rows are set aside and not in files yet.
    pub(crate) pending: HashMap<TableKey, Pending>,
    /// A cut up to which all tables are in files, and which is not recorded yet.
    pub(crate) cut: Option<Frozen>,
    /// True if a cut was passed over because some table could not follow: the log has segments to give back.
    pub(crate) is_behind: bool,
}

/// Rows of one table that are set aside.
#[derive(Debug)]
pub(crate) struct Pending {
    /// The cut that they end with.
    position: u64,
    attempt: Attempt,
    /// Files that were made of them and may be in the table or not.
    written: Vec<DataFile>,
}

/// What one table's turn came to.
struct Turn {
    key: TableKey,
    /// The table's log, if it could be opened.
    log: Option<DeltaTable>,
    /// Files that were written.
    written: Vec<DataFile>,
    /// The files that the rows are in now.
    done: Result<Vec<DataFile>, FlushError>,
}

impl<D: Disk> Flusher<D> {
    /// Serves until it is told to stop.
    pub(crate) fn run(mut self, runtime: &Runtime, inputs: &Receiver<FlushInput>) {
        loop {
            match inputs.recv_timeout(self.interval) {
                Ok(FlushInput::Due) | Err(RecvTimeoutError::Timeout) => {
                    if let Err(failure) = runtime.block_on(self.flush()) {
                        error!(
                            error = error_chain(&failure),
                            "cannot move rows to data files; trying again later"
                        );
                    }
                }
                Ok(FlushInput::Flush(reply)) => {
                    let _ = reply.send(runtime.block_on(self.flush()));
                }
                Ok(FlushInput::DropWorkspace(workspace, reply)) => {
                    let _ = reply.send(self.drop_workspace(workspace));
                }
                Ok(FlushInput::Rewrite(rewrite, reply)) => {
                    let _ = reply.send(runtime.block_on(self.rewrite(rewrite)));
                }
                Ok(FlushInput::LossesTold(reply)) => {
                    self.flushed.untold.clear();
                    let _ = reply.send(self.write_record());
                }
                Ok(FlushInput::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Moves all rows that are buffered now to data files.
    async fn flush(&mut self) -> Result<(), FlushError> {
        // First what is left of earlier flushes, so that it ends with its own cut.
        let retried = self.settle(Attempt::Repeated).await;
        self.record_cut().await?;
        if self.has_rows() || (self.is_behind && self.pending.is_empty()) {
            let (reply, answer) = sync_channel(1);
            self.tell(CommitInput::Freeze(reply)).await?;
            let cut = answer.recv().map_err(|_| FlushError::NoAnswer)?;
            self.observer.reached(Step::BuffersFrozen);
            self.set_pending(cut.position);
            let settled = self.settle(Attempt::First).await;
            // If it is full it has something to do already, and will see these files as well.
            let _ = self.maintainer.try_send(MaintainInput::Due);
            self.is_behind = !self.pending.is_empty();
            if !self.is_behind {
                self.cut = Some(cut);
                self.record_cut().await?;
            }
            settled?;
        }
        retried
    }

    /// Notes every table that has just been frozen.
    fn set_pending(&mut self, position: u64) {
        let state = self.shared.read();
        let frozen = state.tables.iter().filter(|(_, table)| !table.frozen.is_empty());
        for (key, _) in frozen {
            // A table that is still pending keeps its own, earlier cut: nothing was added to what it has set aside.
            let pending = || Pending { position, attempt: Attempt::First, written: Vec::new() };
            self.pending.entry(*key).or_insert_with(pending);
        }
    }

    /// Moves the rows of the pending tables that wait for this attempt to files. Tables that fail stay pending for a
    /// repeated one, and the first failure is told.
    async fn settle(&mut self, attempt: Attempt) -> Result<(), FlushError> {
        let mut turns = Vec::new();
        for (key, rows) in self.frozen() {
            let Some(pending) = self.pending.get_mut(&key).filter(|pending| pending.attempt == attempt)
            else {
                continue;
            };
            turns.push(Work {
                key,
                position: pending.position,
                written: std::mem::take(&mut pending.written),
                log: self.tables.remove(&key),
                files: Arc::clone(&self.files),
                dir: self.directory.tables().join(key.0.to_string()).join(key.1),
                log_id: self.directory.log_id,
                checkpoint_commits: self.checkpoint_commits,
                observer: self.observer.clone(),
                attempt,
                rows,
            });
        }
        // The smallest first: their memory is free soonest, and a large table holds up no other.
        turns.sort_by_key(|work| work.rows.iter().map(RecordBatch::num_rows).sum::<usize>());
        let mut done =
            futures::stream::iter(turns.into_iter().map(take_turn)).buffer_unordered(self.tables_at_once);
        let mut outcome = Ok(());
        while let Some(turn) = done.next().await {
            let Turn { key, log, written, done } = turn;
            self.tables.extend(log.map(|log| (key, log)));
            match done {
                Ok(files) => {
                    let new = self.unpublished(key, files);
                    debug!(workspace = %key.0, table = key.1, files = new.len(), "rows moved to data files");
                    let freed = self.shared.write().publish(key, new);
                    self.shared.held().release(key.0, freed);
                    self.pending.remove(&key);
                    self.observer.reached(Step::TablePublished);
                }
                Err(failure) => {
                    if let Some(pending) = self.pending.get_mut(&key) {
                        pending.written = written;
                        pending.attempt = Attempt::Repeated;
                    }
                    outcome = outcome.and(Err(failure));
                }
            }
        }
        outcome
    }

    /// Records a cut that all tables have reached, and gives back the log's space up to it.
    async fn record_cut(&mut self) -> Result<(), FlushError> {
        let Some(cut) = self.cut.take() else { return Ok(()) };
        let done = self.record(&cut).await;
        if done.is_err() {
            self.cut = Some(cut);
        }
        done
    }

    async fn record(&mut self, cut: &Frozen) -> Result<(), FlushError> {
        self.flushed.position = cut.position;
        self.flushed.marks.clone_from(&cut.marks);
        self.flushed.meter.clone_from(&cut.meter);
        self.flushed.versions = self.versions();
        self.write_record()?;
        self.observer.reached(Step::PositionRecorded);
        let (reply, answer) = sync_channel(1);
        self.tell(CommitInput::Release(cut.position, reply)).await?;
        answer.recv().map_err(|_| FlushError::NoAnswer)??;
        self.observer.reached(Step::SegmentsRemoved);
        Ok(())
    }

    /// Puts files in the place of others, in the table and then for readers.
    async fn rewrite(&mut self, rewrite: Rewrite) -> Result<Rewritten, FlushError> {
        let Rewrite { key, kind, removed, added, at } = rewrite;
        if self.shared.read().dropped.contains(&key.0) {
            // The new files may have made the directory again.
            let cleared = self.directory.remove_workspace(key.0);
            cleared.map_err(|source| FlushError::Record { directory: self.directory.tables(), source })?;
            return Ok(Rewritten::Gone);
        }
        let Some(log) = self.tables.get_mut(&key) else { return Ok(Rewritten::Gone) };
        log.rewrite(&removed, &added, kind, at).await?;
        // Before any file that left may be removed: from now on this commit is not one that a tear can have taken.
        self.flushed.versions = self.versions();
        let recorded = self.write_record();
        self.observer.reached(Step::RewriteCommitted);
        // The table is another one now, recorded or not: were the old files still the readers', they would be merged again.
        let lease = self.shared.write().replace(key, &removed, added);
        Ok(match (recorded, lease) {
            (Err(failure), _) => Rewritten::Unrecorded(failure),
            (Ok(()), Some(lease)) => Rewritten::Done(lease),
            (Ok(()), None) => Rewritten::Gone,
        })
    }

    /// Those of the table's files that are new. After a repeated attempt these may be some of a commit that
    /// succeeded although its caller saw an error.
    fn unpublished(&self, key: TableKey, files: Vec<DataFile>) -> Vec<DataFile> {
        let state = self.shared.read();
        let Some(table) = state.tables.get(&key) else { return files };
        let known: HashSet<_> = table.files.iter().chain(&table.lost).map(|file| &file.path).collect();
        files.into_iter().filter(|file| !known.contains(&file.path)).collect()
    }

    /// Removes a workspace, and remembers that, so that rows of it that are still in the log stay gone.
    fn drop_workspace(&mut self, workspace: Uuid) -> Result<(), DropWorkspaceError> {
        let in_remove = |source| DropWorkspaceError::Remove { workspace, source };
        let freed = self.shared.write().drop_workspace(workspace);
        self.shared.held().release(workspace, freed);
        self.tables.retain(|key, _| key.0 != workspace);
        self.pending.retain(|key, _| key.0 != workspace);
        self.flushed.dropped.insert(workspace);
        self.flushed.marks.forget(workspace);
        self.flushed.meter.forget(workspace);
        self.flushed.versions.remove(&workspace);
        self.flushed.untold.retain(|loss| loss.workspace != Some(workspace));
        self.directory.write_flushed(&self.flushed).map_err(in_remove)?;
        let told = self.committer.blocking_send(CommitInput::Forget(workspace));
        told.map_err(|_| DropWorkspaceError::Closed)?;
        self.directory.remove_workspace(workspace).map_err(in_remove)
    }

    fn write_record(&self) -> Result<(), FlushError> {
        let written = self.directory.write_flushed(&self.flushed);
        written.map_err(|source| FlushError::Record { directory: self.directory.tables(), source })
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

/// One table's rows, with all that is needed to make files of them.
struct Work {
    key: TableKey,
    position: u64,
    written: Vec<DataFile>,
    log: Option<DeltaTable>,
    files: Arc<dyn ObjectStore>,
    dir: PathBuf,
    log_id: Uuid,
    checkpoint_commits: u64,
    observer: Observer,
    attempt: Attempt,
    rows: Vec<RecordBatch>,
}

/// Moves one table's rows to files.
async fn take_turn(mut work: Work) -> Turn {
    let done = work.run().await;
    let Work { key, log, written, .. } = work;
    Turn { key, log, written, done }
}

impl Work {
    async fn run(&mut self) -> Result<Vec<DataFile>, FlushError> {
        let Some(table) = schema::table(self.key.1) else { return Ok(Vec::new()) };
        let log = match self.log.take() {
            Some(log) => self.log.insert(log),
            None => {
                let opened = self.open_table(table).await?;
                self.log.insert(opened)
            }
        };
        if self.attempt == Attempt::Repeated {
            log.refresh().await?;
            if log.position(self.log_id).await? >= Some(self.position) {
                return Ok(log.data_files()?);
            }
        }
        if self.written.is_empty() {
            let rows = self.rows.clone();
            let encoded = tokio::task::spawn_blocking(move || data_file::encode(table, &rows));
            self.written = log.write(encoded.await.map_err(|_| FlushError::Died)??).await?;
            self.observer.reached(Step::FilesWritten);
        }
        log.commit(&self.written, self.log_id, self.position).await?;
        self.observer.reached(Step::TableCommitted);
        Ok(std::mem::take(&mut self.written))
    }

    /// A table that no flush of this process has touched: it is made now, or an earlier try has made it.
    async fn open_table(&self, table: &'static Table) -> Result<DeltaTable, FlushError> {
        if let Some(opened) = DeltaTable::open(Arc::clone(&self.files), &self.dir).await? {
            return Ok(opened);
        }
        let created =
            DeltaTable::create(Arc::clone(&self.files), &self.dir, table, self.checkpoint_commits).await?;
        self.observer.reached(Step::TableCreated);
        Ok(created)
    }
}
