//! What is in memory: the rows that are not in data files yet, and which data files there are.
//!
//! One lock guards all of it, so that a reader sees each row once at any moment: moving rows from a buffer to files
//! is one step under the lock. It is held for pointer work only, never for I/O or encoding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use uuid::Uuid;

use crate::delta::DataFile;
use crate::held::Held;
use crate::lease::Lease;
use crate::maintain::Retention;
use crate::meter::{Meter, Metered};
use crate::progress::Progress;
use crate::schema::Table;

/// A workspace and a table's name.
pub(crate) type TableKey = (Uuid, &'static str);

/// The rows of one table of one workspace.
#[derive(Debug, Default)]
pub(crate) struct TableState {
    /// Committed, and not in a buffer any more.
    pub(crate) files: Arc<Vec<DataFile>>,
    /// Committed as well, and not there when the store was opened.
    pub(crate) lost: Vec<DataFile>,
    /// That of the stretch since files last left the table.
    pub(crate) lease: Arc<Lease>,
    /// Being made into files.
    pub(crate) frozen: Vec<RecordBatch>,
    /// Newer than `frozen`, largest first or nearly so: see [`TableState::push`].
    pub(crate) active: Vec<RecordBatch>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) tables: BTreeMap<TableKey, TableState>,
    pub(crate) dropped: BTreeSet<Uuid>,
    /// What was ever stored.
    pub(crate) meter: Meter,
}

/// The state, shared by writers, readers, the flusher and the maintainer.
#[derive(Debug)]
pub(crate) struct Shared {
    state: RwLock<State>,
    /// Bytes of rows on their way to a buffer or in one.
    held: Mutex<Held>,
    retention: Mutex<Retention>,
    progress: Mutex<Progress>,
}

impl TableState {
    /// Adds rows; returns the bytes that this frees.
    ///
    /// Most calls bring a row or two, and a batch of one row has as much overhead as hundreds of rows. So batches are
    /// merged like the digits of a counter: each row is copied at most once for every doubling up to the bound.
    fn push(&mut self, batch: RecordBatch) -> u64 {
        self.active.push(batch);
        let mut freed = 0;
        while let [.., older, newer] = self.active.as_slice()
            && newer.num_rows() * 2 > older.num_rows()
            && newer.num_rows() + older.num_rows() <= MERGED_ROWS
        {
            let pair = [older.clone(), newer.clone()];
            // Two batches of one schema and so few rows can always be merged; if not, they are as good apart.
            let Ok(merged) = concat_batches(&pair[0].schema(), &pair) else { break };
            let (before, after) = (bytes_of(&pair), bytes_of(std::slice::from_ref(&merged)));
            if after > before {
                break;
            }
            freed += before - after;
            self.active.truncate(self.active.len() - 2);
            self.active.push(merged);
        }
        freed
    }

    /// All rows that are not in files, oldest first.
    pub(crate) fn buffered(&self) -> Vec<RecordBatch> {
        self.frozen.iter().chain(&self.active).cloned().collect()
    }
}

impl State {
    /// Adds rows that are durable. All of them become visible together when the lock is given back. Returns the bytes
    /// that are not held after all: rows of a workspace that is gone, and what is saved by merging small batches.
    pub(crate) fn apply(&mut self, workspace: Uuid, rows: Vec<(&'static Table, RecordBatch)>) -> u64 {
        if self.dropped.contains(&workspace) {
            return rows.iter().map(|(_, batch)| bytes_of(std::slice::from_ref(batch))).sum();
        }
        let mut freed = 0;
        for (table, batch) in rows {
            freed += self.tables.entry((workspace, table.name)).or_default().push(batch);
        }
        freed
    }

    /// Counts rows that are durable.
    pub(crate) fn count(&mut self, workspace: Uuid, rows: &[(&'static Table, RecordBatch)]) {
        if self.dropped.contains(&workspace) {
            return;
        }
        for (table, batch) in rows {
            self.meter.count(workspace, table.name, Metered::of(table, batch));
        }
    }

    /// Sets aside all rows that are in buffers, to be made into files. A table of which rows are set aside already keeps
    /// the others in its buffer.
    pub(crate) fn freeze(&mut self) {
        for table in self.tables.values_mut().filter(|table| table.frozen.is_empty()) {
            table.frozen = std::mem::take(&mut table.active);
        }
    }

    /// Puts files in the place of others. Returns the lease under which the others may still be read; `None` if there is
    /// no such table any more.
    pub(crate) fn replace(
        &mut self,
        key: TableKey,
        removed: &[DataFile],
        added: Vec<DataFile>,
    ) -> Option<Arc<Lease>> {
        let table = self.tables.get_mut(&key)?;
        let gone: BTreeSet<_> = removed.iter().map(|file| &file.path).collect();
        let files = Arc::make_mut(&mut table.files);
        files.retain(|file| !gone.contains(&file.path));
        table.lost.retain(|file| !gone.contains(&file.path));
        files.extend(added);
        Some(std::mem::take(&mut table.lease))
    }

    /// Puts the files in the place of the frozen rows that they hold; returns the bytes that this frees.
    pub(crate) fn publish(&mut self, key: TableKey, files: Vec<DataFile>) -> u64 {
        let Some(table) = self.tables.get_mut(&key) else { return 0 };
        Arc::make_mut(&mut table.files).extend(files);
        bytes_of(&std::mem::take(&mut table.frozen))
    }

    /// Forgets a workspace; returns the bytes that this frees.
    pub(crate) fn drop_workspace(&mut self, workspace: Uuid) -> u64 {
        self.dropped.insert(workspace);
        self.meter.forget(workspace);
        let gone = self.tables.extract_if(.., |key, _| key.0 == workspace);
        gone.map(|(_, table)| bytes_of(&table.frozen) + bytes_of(&table.active)).sum()
    }
}

impl Shared {
    pub(crate) fn new(state: State, max_held_bytes: u64) -> Self {
        let mut held = Held::new(max_held_bytes);
        for ((workspace, _), table) in &state.tables {
            held.add(*workspace, bytes_of(&table.active));
        }
        Self {
            state: RwLock::new(state),
            held: Mutex::new(held),
            retention: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        // The writers' steps leave no half state behind if they panic: they only move values.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who holds how much memory. Locked for arithmetic only.
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the maintenance is doing. Locked for copying only.
    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long each table keeps its rows.
    pub(crate) fn retention(&self) -> Retention {
        self.retention.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_retention(&self, retention: Retention) {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner) = retention;
    }
}

/// The memory that rows take.
pub(crate) fn bytes_of(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum()
}

/// Batches of this many rows are large enough for any reader.
const MERGED_ROWS: usize = 8_192;
