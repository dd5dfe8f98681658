//! The committer: one thread owns the ingest log, and all who wait at the same time share one sync.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use arrow::array::RecordBatch;
use fim_core::error_chain;
use fim_log::{AppendError, Disk, RemoveError};
use tokio::sync::{mpsc, oneshot};
use tracing::error;
use uuid::Uuid;

use crate::flush::FlushInput;
use crate::ingest_log::{Appended, IngestLog};
use crate::marks::{Marks, Origin};
use crate::meter::Meter;
use crate::schema::Table;
use crate::state::Shared;
use crate::step::{Observer, Step};

/// What the committer is told.
pub(crate) enum CommitInput {
    Ingest(Request),
    /// Sets the buffered rows aside, and says which position and marks they end with.
    Freeze(SyncSender<Frozen>),
    /// The records up to the position are in tables.
    Release(u64, SyncSender<Result<(), RemoveError>>),
    Forget(Uuid),
    Stop,
}

/// One ingest call.
pub(crate) struct Request {
    pub(crate) workspace: Uuid,
    pub(crate) origin: Option<Origin>,
    pub(crate) record: Vec<u8>,
    pub(crate) rows: Vec<(&'static Table, RecordBatch)>,
    /// What the rows hold of the memory that may be held.
    pub(crate) held_bytes: u64,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// What became of an ingest call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Durable and visible, which nobody was told before.
    Stored,
    /// Durable and visible, and was so before.
    Duplicate,
    /// Not stored: the log is full.
    Full,
    /// Not stored, or not known to be.
    Failed(String),
}

/// Where a freeze cut.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) position: u64,
    pub(crate) marks: Marks,
    pub(crate) meter: Meter,
}

pub(crate) struct Committer<D: Disk> {
    pub(crate) log: IngestLog<D>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) flusher: SyncSender<FlushInput>,
    pub(crate) flush_bytes: u64,
    pub(crate) observer: Observer,
    /// In the log but not durable, because a sync failed; visible once one succeeds.
    unsettled: Vec<(Uuid, Vec<(&'static Table, RecordBatch)>)>,
    untold: Untold,
}

/// Batches of which the log has the rows, though whoever delivered them was told that it failed. Of such a batch the
/// repeat is the first that is told that it is stored: what follows from that is its to do.
#[derive(Debug, Default)]
struct Untold(VecDeque<(Uuid, Origin)>);

impl Untold {
    /// Notes a batch. Whoever delivers repeats what failed, so that none stays for long; should there be very many, the
    /// oldest is forgotten, and its repeat is a duplicate.
    fn note(&mut self, workspace: Uuid, origin: Origin) {
        if self.0.len() == MOST_UNTOLD {
            self.0.pop_front();
        }
        self.0.push_back((workspace, origin));
    }

    /// True if it was noted, which it no longer is.
    fn take(&mut self, workspace: Uuid, origin: Option<Origin>) -> bool {
        let place = self.0.iter().position(|noted| Some(noted.1) == origin && noted.0 == workspace);
        place.is_some_and(|place| self.0.remove(place).is_some())
    }
}

impl<D: Disk> Committer<D> {
    pub(crate) fn new(
        log: IngestLog<D>,
        shared: Arc<Shared>,
        flusher: SyncSender<FlushInput>,
        flush_bytes: u64,
        observer: Observer,
    ) -> Self {
        Self { log, shared, flusher, flush_bytes, observer, unsettled: Vec::new(), untold: Untold::default() }
    }

    /// Serves until it is told to stop, or until nobody can tell it anything any more.
    pub(crate) fn run(mut self, mut inputs: mpsc::Receiver<CommitInput>) {
        let mut held_back = None;
        while let Some(input) = held_back.take().or_else(|| inputs.blocking_recv()) {
            match input {
                CommitInput::Ingest(request) => {
                    let (group, next) = gather(request, &mut inputs);
                    held_back = next;
                    self.commit(group);
                }
                CommitInput::Freeze(reply) => self.freeze(&reply),
                CommitInput::Release(position, reply) => {
                    let _ = reply.send(self.log.release(position));
                }
                CommitInput::Forget(workspace) => self.log.forget(workspace),
                CommitInput::Stop => return,
            }
        }
    }

    /// Appends the group, syncs once, makes the rows visible, and answers.
    fn commit(&mut self, group: Vec<Request>) {
        let mut waiting = Vec::with_capacity(group.len());
        for request in group {
            let Request { workspace, origin, record, rows, held_bytes, reply } = request;
            let appended = self.log.append(workspace, origin, &record);
            if !matches!(appended, Ok(Appended::At(_))) {
                self.shared.held().release(workspace, held_bytes);
            }
            let outcome = match appended {
                Ok(Appended::At(_)) => {
                    self.unsettled.push((workspace, rows));
                    Outcome::Stored
                }
                Ok(Appended::Duplicate) if self.untold.take(workspace, origin) => Outcome::Stored,
                Ok(Appended::Duplicate) => Outcome::Duplicate,
                Err(AppendError::Full { .. } | AppendError::DiskFull { .. }) => Outcome::Full,
                Err(failure @ (AppendError::TooLarge { .. } | AppendError::Write { .. })) => {
                    Outcome::Failed(error_chain(&failure))
                }
            };
            waiting.push((reply, outcome, workspace, origin));
        }
        let synced = self.settle();
        for (reply, outcome, workspace, origin) in waiting {
            let outcome = match (&synced, outcome) {
                (Err(failure), Outcome::Stored) => {
                    origin.into_iter().for_each(|origin| self.untold.note(workspace, origin));
                    Outcome::Failed(failure.clone())
                }
                (Err(failure), Outcome::Duplicate) => Outcome::Failed(failure.clone()),
                (_, outcome) => outcome,
            };
            // A caller that has gone away will ask again, and be told that it is a duplicate.
            let _ = reply.send(outcome);
        }
        if self.shared.held().total() >= self.flush_bytes {
            // If the flusher has something to do already, it will see these rows as well.
            let _ = self.flusher.try_send(FlushInput::Due);
        }
    }

    /// Makes all that was appended durable, then visible.
    fn settle(&mut self) -> Result<(), String> {
        self.log.sync().map_err(|failure| {
            error!(error = error_chain(&failure), "cannot make accepted rows durable");
            error_chain(&failure)
        })?;
        self.observer.reached(Step::LogSynced);
        let mut state = self.shared.write();
        for (workspace, rows) in self.unsettled.drain(..) {
            state.count(workspace, &rows);
            let freed = state.apply(workspace, rows);
            self.shared.held().release(workspace, freed);
        }
        Ok(())
    }

    /// What is buffered must be exactly what is in the log up to the position, so rows that are in the log only are
    /// settled first; if they cannot be, the flusher gets no answer and tries later.
    fn freeze(&mut self, reply: &SyncSender<Frozen>) {
        if !self.unsettled.is_empty() && self.settle().is_err() {
            return;
        }
        let meter = {
            let mut state = self.shared.write();
            state.freeze();
            state.meter.clone()
        };
        let (position, marks) = (self.log.last_position(), self.log.marks().clone());
        let _ = reply.send(Frozen { position, marks, meter });
    }
}

/// All calls that wait now, as far as they fit in a group; and what came after them, if it is something else.
fn gather(first: Request, inputs: &mut mpsc::Receiver<CommitInput>) -> (Vec<Request>, Option<CommitInput>) {
    let mut bytes = first.record.len();
    let mut group = vec![first];
    while group.len() < GROUP_REQUESTS && bytes < GROUP_BYTES {
        match inputs.try_recv() {
            Ok(CommitInput::Ingest(request)) => {
                bytes += request.record.len();
                group.push(request);
            }
            Ok(other) => return (group, Some(other)),
            Err(mpsc::error::TryRecvError::Empty | mpsc::error::TryRecvError::Disconnected) => break,
        }
    }
    (group, None)
}

/// Beyond this a sync costs little per call, and the first of the group should not wait for more.
const GROUP_REQUESTS: usize = 1_024;
/// Several groups whose sync failed.
const MOST_UNTOLD: usize = 8 * GROUP_REQUESTS;
const GROUP_BYTES: usize = 16 << 20;
