//! The maintainer: one thread merges small files, lets old days go, and removes files that nobody reads any more.
//!
//! It reads and writes data files itself, and asks the flusher, which owns the tables' logs, to put the new files in the
//! place of the old ones: one commit, then one step under the state's lock. Queries go on all the while, over the old
//! files until that step and over the new ones after it. It takes one job at a time and the tables in turn, so that a
//! large table does not keep a small one waiting for longer than one merge.
//!
//! A crash leaves files that are in no table (before the commit) or in it no more (after it); the opening finds both.

mod merge;
mod plan;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use fim_core::{Timestamp, error_chain};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::clock::Clock;
use crate::delta::{DataFile, part_name};
use crate::flush::{FlushInput, Rewrite, Rewritten};
use crate::lease::Departed;
use crate::progress::{Job, JobFailure, JobKind};
use crate::schema;
use crate::state::{Shared, TableKey};
use crate::step::{Observer, Step};

pub(crate) use merge::Files;
pub(crate) use plan::MergeOptions;

/// What the maintainer is told.
pub(crate) enum MaintainInput {
    /// There may be something to do.
    Due,
    /// Somebody waits until nothing is left to do now.
    Finish(SyncSender<()>),
    Stop,
}

pub(crate) struct Maintainer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) files: Files,
    pub(crate) flusher: SyncSender<FlushInput>,
    pub(crate) observer: Observer,
    pub(crate) clock: Clock,
    pub(crate) options: MergeOptions,
    /// How long files stay after they have left their table, for other programs that have just read its log.
    pub(crate) keep_departed: Duration,
    /// Set when the store closes.
    pub(crate) stopping: Arc<AtomicBool>,
    /// Files that are in no table any more.
    pub(crate) departed: HashMap<TableKey, Departed>,
    /// Days that could not be merged, with how many files they had: tried again when they have another number.
    pub(crate) set_aside: HashMap<(TableKey, NaiveDate), usize>,
    /// The table that the last job was for; the next one is looked for after it.
    pub(crate) last: Option<TableKey>,
}

/// Files to be replaced.
struct Plan {
    key: TableKey,
    kind: JobKind,
    files: Vec<DataFile>,
}

impl Maintainer {
    /// Serves until it is told to stop.
    pub(crate) fn run(mut self, inputs: &Receiver<MaintainInput>) {
        loop {
            match inputs.recv_timeout(ROUND) {
                Ok(MaintainInput::Due) | Err(RecvTimeoutError::Timeout) => self.round(),
                Ok(MaintainInput::Finish(reply)) => {
                    self.round();
                    let _ = reply.send(());
                }
                Ok(MaintainInput::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Does all there is to do.
    fn round(&mut self) {
        self.forget_dropped();
        self.remove_departed();
        while let Some(plan) = self.next() {
            if self.is_stopping() {
                return;
            }
            self.last = Some(plan.key);
            let (key, day) = (plan.key, plan.files.first().map(|file| file.day));
            let done = self.work(plan);
            let failure =
                |reason: &String| JobFailure { workspace: key.0, table: key.1, reason: reason.clone() };
            self.shared.progress().end(done.as_ref().err().map(failure));
            if let (Err(failure), Some(day)) = (done, day) {
                if self.is_stopping() {
                    return;
                }
                warn!(workspace = %key.0, table = key.1, %day, failure, "cannot rewrite data files; they stay as they are");
                let count = self.files_of(key).iter().filter(|file| file.day == day).count();
                self.set_aside.insert((key, day), count);
            }
            self.remove_departed();
        }
    }

    /// The next job: the first table after the last one served that has any.
    fn next(&self) -> Option<Plan> {
        let today = self.today();
        let retention = self.shared.retention();
        let keys: Vec<TableKey> = self.shared.read().tables.keys().copied().collect();
        let start = keys.partition_point(|key| self.last.is_some_and(|last| *key <= last));
        let in_turn = keys[start..].iter().chain(&keys[..start]);
        in_turn.copied().find_map(|key| {
            let mut files = self.files_of(key);
            if self.set_aside.iter().any(|((aside, _), _)| *aside == key) {
                let count = |day| files.iter().filter(|file| file.day == day).count();
                let aside: Vec<_> = self.set_aside.iter().filter(|((aside, _), _)| *aside == key).collect();
                let still: Vec<_> = aside
                    .iter()
                    .filter(|((_, day), n)| count(*day) == **n)
                    .map(|((_, day), _)| *day)
                    .collect();
                files.retain(|file| !still.contains(&file.day));
            }
            let expired = match retention.days_of(key) {
                Some(days) => plan::expired(&files, today, days),
                None => Vec::new(),
            };
            if !expired.is_empty() {
                return Some(Plan { key, kind: JobKind::Expire, files: expired });
            }
            let lost = self.shared.read().tables.get(&key).map(|table| table.lost.clone())?;
            files.retain(|file| !lost.contains(file));
            let files = plan::next_merge(&files, today, &self.options)?;
            Some(Plan { key, kind: JobKind::Merge, files })
        })
    }

    fn work(&mut self, plan: Plan) -> Result<(), String> {
        let Plan { key, kind, files } = plan;
        let job = Job {
            workspace: key.0,
            table: key.1,
            kind,
            day: files.first().map(|file| file.day).unwrap_or_default(),
            files: files.len() as u64,
            rows: files.iter().map(|file| file.rows).sum(),
            rows_done: 0,
            started: self.clock.now(),
        };
        self.shared.progress().start(job);
        let added = match kind {
            JobKind::Expire => Vec::new(),
            JobKind::Merge => self.merge(key, &files).map_err(|failure| error_chain(&failure))?,
        };
        self.observer.reached(Step::RewriteWritten);
        let rewrite = Rewrite { key, kind, removed: files, added, at: self.clock.now() };
        let (departed, added) = (rewrite.removed.clone(), rewrite.added.clone());
        let (reply, answer) = sync_channel(1);
        let sent = self.flusher.send(FlushInput::Rewrite(rewrite, reply));
        let rewritten = sent.map_err(drop).and_then(|()| answer.recv().map_err(drop));
        match rewritten {
            Ok(Ok(Rewritten::Done(lease))) => {
                let due = self.clock.now().plus_nanos(nanos(self.keep_departed));
                self.shared.progress().count(kind, departed.len() as u64, added.len() as u64);
                info!(workspace = %key.0, table = key.1, kind = kind.name(), files = departed.len(), into = added.len(), "data files rewritten");
                self.departed.entry(key).or_default().add(departed, due, lease);
                self.observer.reached(Step::RewritePublished);
                Ok(())
            }
            Ok(Ok(Rewritten::Gone)) => {
                self.remove(&added);
                Ok(())
            }
            // The next opening finds the files that left.
            Ok(Ok(Rewritten::Unrecorded(failure))) => Err(error_chain(&failure)),
            // Whether the commit is there is not known, so its files must stay; the next opening knows.
            Ok(Err(failure)) => Err(error_chain(&failure)),
            Err(()) => Err("the store is closing".to_owned()),
        }
    }

    fn merge(&self, key: TableKey, inputs: &[DataFile]) -> Result<Vec<DataFile>, merge::MergeError> {
        let (Some(table), Some(first)) = (schema::table(key.1), inputs.first()) else {
            return Ok(Vec::new());
        };
        let folder = first.path.as_ref().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let name = || Path::from_iter(folder.split('/').chain([part_name().as_str()]));
        let go_on = |rows_done| {
            self.shared.progress().advance(rows_done);
            !self.is_stopping()
        };
        merge::merge(&self.files, table, inputs, self.options.target_bytes, name, go_on)
    }

    /// Removes files whose time has come and that nobody reads.
    fn remove_departed(&mut self) {
        let now = self.clock.now();
        let due: Vec<DataFile> =
            self.departed.values_mut().flat_map(|departed| departed.take_due(now)).collect();
        self.departed.retain(|_, departed| !departed.is_empty());
        self.remove(&due);
        self.shared
            .progress()
            .set_departed(self.departed.iter().map(|(key, departed)| (*key, departed.bytes())));
        if !due.is_empty() {
            self.observer.reached(Step::DepartedRemoved);
        }
    }

    fn remove(&self, files: &[DataFile]) {
        for file in files {
            match self.files.runtime.block_on(self.files.store.delete(&file.path)) {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {
                    debug!(path = %file.path, "data file removed")
                }
                // It is in no table; the next opening finds it and removes it.
                Err(failure) => {
                    warn!(path = %file.path, failure = error_chain(&failure), "cannot remove a data file")
                }
            }
        }
    }

    /// A dropped workspace's files are gone with its directory.
    fn forget_dropped(&mut self) {
        let state = self.shared.read();
        self.departed.retain(|key, _| !state.dropped.contains(&key.0));
        self.set_aside.retain(|(key, _), _| !state.dropped.contains(&key.0));
    }

    /// All files that the table names, the lost ones too.
    fn files_of(&self, key: TableKey) -> Vec<DataFile> {
        let state = self.shared.read();
        let tables = state.tables.get(&key).into_iter();
        tables.flat_map(|table| table.files.iter().chain(&table.lost)).cloned().collect()
    }

    fn today(&self) -> NaiveDate {
        day_of(self.clock.now())
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// The day, in UTC, that a moment is in.
fn day_of(time: Timestamp) -> NaiveDate {
    DateTime::from_timestamp_nanos(time.0).date_naive()
}

pub(crate) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// How many days each table keeps; a table that nothing is said about keeps its rows for ever.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Retention {
    days: HashMap<(Uuid, &'static str), u32>,
}

impl Retention {
    /// Lets rows of a table go that many whole days after the day of their `TimeGenerated`. Nothing is changed for a
    /// name that is no table's.
    pub fn set(&mut self, workspace: Uuid, table: &str, days: u32) {
        if let Some(table) = schema::table(table) {
            self.days.insert((workspace, table.name), days);
        }
    }

    fn days_of(&self, key: TableKey) -> Option<u32> {
        self.days.get(&key).copied()
    }
}

/// Files also become old, and free to be removed, when nothing is ingested.
const ROUND: Duration = Duration::from_secs(60);
