//! The whole store on a disk that loses power, is killed and fails, at every operation.
//!
//! A script lives through all that the store does: making the directory and the tables, ingest, flush, reopening,
//! merging, checkpoints, the removal of what was merged, retention. It is cut off at each operation in turn. What a power loss
//! leaves is chosen in several ways, from nothing that was not synced to all of it. Then the store is opened and held
//! to what it had promised; and once more after a second power loss, which leaves nothing that was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use fim_log::{Disk as _, LogOptions};
use fim_store::{
    Accepted, IngestError, Loss, LostRows, Retention, Store, StoreOptions, TableBuilder, TableSnapshot,
};
use fim_testkit::{Fault, FaultyDisk, Survives};
use futures::executor::block_on;
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

use crate::disk_reader::DiskReader;
use crate::support::{
    COVERAGE, DAY, Hand, WORKSPACE, expected_changes as expected_gaps, expected_gaps as expected_notes,
    gap_ids, gaps, origin, quiet, texts,
};

const OTHER: Uuid = Uuid::from_u128(7);
const THIRD: Uuid = Uuid::from_u128(8);
/// A table with few columns beside `Coverage`, which has few too: a script is run a thousand times.
const NOTES: &str = "Operation";
/// What the scripts deliver, and one more that only the checks do.
const BATCHES: std::ops::RangeInclusive<u64> = 1..=9;

/// A disk with nothing on it, and where on it the store is to be.
///
/// The table format's library looks on this machine itself whether a table's directory exists, so there are empty ones,
/// under the same names as on the faulty disk.
#[derive(Clone)]
struct Machine {
    disk: FaultyDisk,
    directory: Arc<TempDir>,
}

impl Machine {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        for workspace in [WORKSPACE, OTHER, THIRD] {
            for table in [COVERAGE, NOTES] {
                let tables = directory.path().join("tables").join(workspace.to_string());
                std::fs::create_dir_all(tables.join(table)).unwrap();
            }
        }
        Self { disk: FaultyDisk::new(), directory: Arc::new(directory) }
    }

    /// Another machine that has the same on its disk.
    fn fork(&self) -> Self {
        Self { disk: self.disk.fork(), ..self.clone() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The data files under a folder of the store.
    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = self.files_of(folder, "parquet");
        found.retain(|path| !path.iter().any(|part| part == "_delta_log"));
        found
    }

    fn files_of(&self, folder: &str, extension: &str) -> Vec<PathBuf> {
        let folder = self.path().join(folder);
        let is_wanted = |path: &PathBuf| {
            path.starts_with(&folder) && path.extension().is_some_and(|have| have == extension)
        };
        self.disk.paths().into_iter().filter(is_wanted).collect()
    }
}

/// A machine, a clock, and what the store has promised about what is on the disk.
struct World {
    machine: Machine,
    hand: Hand,
    /// Batches that were acknowledged.
    acknowledged: BTreeSet<u64>,
    /// Batches that were handed over, whatever the answer.
    tried: BTreeSet<u64>,
    /// How many times a call that failed is made again.
    repeats: u32,
    notes: Notes,
    /// True if the other workspace was removed.
    is_other_dropped: bool,
    /// True if somebody has taken the ingest log away.
    is_log_gone: bool,
}

/// What retention has done to the notes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Notes {
    Kept,
    /// It was asked for: those of data files may be there or not.
    Going,
}

impl World {
    fn on(machine: Machine) -> Self {
        Self {
            machine,
            hand: Hand::new(),
            acknowledged: BTreeSet::new(),
            tried: BTreeSet::new(),
            repeats: 0,
            notes: Notes::Kept,
            is_other_dropped: false,
            is_log_gone: false,
        }
    }

    /// Merges days that are over; a log segment for every record or two.
    fn options(&self) -> StoreOptions {
        StoreOptions {
            file_bytes: 1 << 20,
            merge_files: usize::MAX,
            checkpoint_commits: 3,
            log: LogOptions { segment_bytes: 2_048, max_bytes: 1 << 20 },
            clock: self.hand.clock(),
            ..quiet()
        }
    }

    fn open(&self) -> Option<Store> {
        let disk = &self.machine.disk;
        let reader = || Arc::new(DiskReader(disk.clone()));
        let open = || Store::open_on(disk.clone(), reader(), self.machine.path(), self.options());
        self.again(|| told(open()))
    }

    /// Makes a call until it succeeds, as often as is allowed.
    fn again<T>(&self, call: impl Fn() -> Option<T>) -> Option<T> {
        (0..=self.repeats).find_map(|_| call())
    }

    fn deliver(&mut self, store: &Store, batch: u64) -> Option<()> {
        self.tried.insert(batch);
        self.again(|| told(ingest(store, batch)))?;
        self.acknowledged.insert(batch);
        Some(())
    }

    fn flush(&self, store: &Store) -> Option<()> {
        self.again(|| told(store.flush()))
    }

    /// Maintains on that day, while a query goes on that has begun before; then goes back to the first day.
    fn maintain(&self, store: &Store, day: i64) -> Option<()> {
        let running = store.snapshot(WORKSPACE, COVERAGE).unwrap();
        let before = read(&self.machine.disk, &running)?;
        self.hand.set(day);
        told(store.maintain())?;
        let after = read(&self.machine.disk, &running)?;
        assert_eq!(after, before, "a query goes on over what it began with");
        self.hand.set(0);
        Some(())
    }
}

/// What a call that succeeded gave. Nextest shows the failures of a test that fails.
fn told<T, E: std::error::Error>(outcome: Result<T, E>) -> Option<T> {
    outcome.inspect_err(|error| eprintln!("{error:?}")).ok()
}

/// The ids of the snapshot's rows; nothing if the power is gone.
fn read(disk: &FaultyDisk, snapshot: &TableSnapshot) -> Option<Vec<String>> {
    let rows = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| texts(snapshot, "Detail")));
    match rows {
        Ok(rows) => Some(rows),
        Err(_) if disk.list(Path::new("/")).is_err() => None,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Two gaps and a note, numbered as the batch.
fn ingest(store: &Store, batch: u64) -> Result<Accepted, IngestError> {
    let rows = vec![(COVERAGE, gaps(batch, 2)), (NOTES, note(batch))];
    block_on(store.ingest(WORKSPACE, rows, origin(batch)))
}

fn note(batch: u64) -> RecordBatch {
    let mut builder = TableBuilder::new(NOTES, WORKSPACE).unwrap();
    let mut row = builder.row();
    row.set("TimeGenerated", DAY).unwrap();
    row.set("Detail", format!("{batch}/0")).unwrap();
    row.push().unwrap();
    builder.finish().unwrap()
}

fn note_ids(store: &Store) -> Vec<String> {
    texts(&store.snapshot(WORKSPACE, NOTES).unwrap(), "Detail")
}

/// Everything that a store does in its life.
fn life(world: &mut World) -> Option<()> {
    let store = world.open()?;
    world.deliver(&store, 1)?;
    world.deliver(&store, 2)?;
    world.flush(&store)?;
    world.deliver(&store, 3)?;
    world.flush(&store)?;
    world.deliver(&store, 4)?;
    drop(store);
    let store = world.open()?;
    world.deliver(&store, 5)?;
    world.flush(&store)?;
    world.maintain(&store, 1)?;
    world.deliver(&store, 6)?;
    world.flush(&store)?;
    world.deliver(&store, 7)?;
    // Merges again, and removes what the first merge has left.
    world.maintain(&store, 2)?;
    let mut retention = Retention::default();
    retention.set(WORKSPACE, NOTES, 1);
    world.notes = Notes::Going;
    store.set_retention(retention);
    world.maintain(&store, 3)?;
    world.maintain(&store, 5)?;
    world.deliver(&store, 8)
}

/// Holds the store on the disk to what was promised.
fn check(world: &World, context: &str) {
    check_foreign_reader(&world.machine, context);
    let again = World::on(world.machine.clone());
    let store = again.open().unwrap_or_else(|| panic!("{context}: the store does not open"));
    let recovery = store.recovery();
    let is_expected = |loss: &Loss| world.is_log_gone && loss.rows == LostRows::Log;
    assert!(recovery.lost.iter().all(is_expected), "{context}: {recovery:?}");
    check_rows(world, &store, context);
    for batch in BATCHES {
        ingest(&store, batch).unwrap_or_else(|error| panic!("{context}: {error}"));
    }
    assert_eq!(gap_ids(&store), expected_gaps(BATCHES), "{context}: after all were delivered again");
    let notes = note_ids(&store);
    store.flush().unwrap();
    for day in [10, 11, 12] {
        again.hand.set(day);
        store.maintain().unwrap();
    }
    assert_eq!(store.maintenance().last_failure, None, "{context}");
    let tables = store.workspaces().into_iter().flat_map(|workspace| store.tables(workspace));
    let live: u64 = tables.map(|info| info.files).sum();
    assert_eq!(world.machine.files("tables").len() as u64, live, "{context}: files are left over");
    let staging = world.machine.path().join("staging");
    let left: Vec<_> =
        world.machine.disk.paths().into_iter().filter(|path| path.starts_with(&staging)).collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "{context}: files are left over");
    drop(store);
    world.machine.disk.lose_power(Survives::Nothing);
    check_foreign_reader(&world.machine, context);
    let store = again.open().unwrap_or_else(|| panic!("{context}: the store does not open again"));
    assert_eq!(gap_ids(&store), expected_gaps(BATCHES), "{context}: after the second power loss");
    assert_eq!(note_ids(&store), notes, "{context}: after the second power loss");
    check_dropped(world, &store, context);
}

/// What a killed program has left is made durable by the next one, also if that writes to quite another table only and
/// then gives back the log's space.
fn check_kept(world: &World, context: &str) {
    let store = world.open().unwrap_or_else(|| panic!("{context}: the store does not open"));
    block_on(store.ingest_own(THIRD, vec![(NOTES, note(1))])).unwrap();
    store.flush().unwrap();
    drop(store);
    world.machine.disk.lose_power(Survives::Nothing);
    let store = world.open().unwrap_or_else(|| panic!("{context}: the store does not open again"));
    check_rows(world, &store, context);
}

/// All that was acknowledged, nothing that was not delivered, nothing twice, and of each batch all or nothing.
fn check_rows(world: &World, store: &Store, context: &str) {
    let ids = gap_ids(store);
    let there: BTreeSet<u64> = ids.iter().map(|id| id.split('/').next().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, expected_gaps(there.iter().copied()), "{context}: half a batch, or one twice");
    assert!(there.is_superset(&world.acknowledged), "{context}: {there:?} of {:?}", world.acknowledged);
    assert!(there.is_subset(&world.tried), "{context}: {there:?} of {:?}", world.tried);
    check_dropped(world, store, context);
    let notes = note_ids(store);
    match world.notes {
        Notes::Kept => assert_eq!(notes, expected_notes(there), "{context}"),
        Notes::Going => {
            let unique: BTreeSet<_> = notes.iter().cloned().collect();
            assert_eq!(unique.len(), notes.len(), "{context}: {notes:?}");
            let expected = BTreeSet::from_iter(expected_notes(there));
            assert!(unique.is_subset(&expected), "{context}: {notes:?}");
        }
    }
}

/// What was dropped stays gone.
fn check_dropped(world: &World, store: &Store, context: &str) {
    if world.is_other_dropped {
        assert_eq!(store.snapshot(OTHER, COVERAGE).unwrap().rows(), 0, "{context}: dropped rows are back");
        let again = block_on(store.ingest(OTHER, vec![(COVERAGE, gaps(1, 1))], origin(9)));
        assert!(matches!(again, Err(IngestError::WorkspaceDropped { .. })), "{context}: {again:?}");
    }
}

/// What a program sees that reads the tables by itself: every file of the whole commits is there with its size.
fn check_foreign_reader(machine: &Machine, context: &str) {
    let disk = &machine.disk;
    let mut commits: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for path in machine.files_of("tables", "json") {
        if path.file_name().is_some_and(|name| name != "_last_checkpoint") {
            commits.entry(path.parent().unwrap().to_owned()).or_default().insert(path);
        }
    }
    for (log, commits) in commits {
        let table = log.parent().unwrap();
        let mut live: BTreeMap<String, u64> = BTreeMap::new();
        for commit in commits {
            let text = String::from_utf8_lossy(&disk.read(&commit).unwrap()).into_owned();
            let actions: Result<Vec<serde_json::Value>, _> = text.lines().map(serde_json::from_str).collect();
            let Ok(actions) = actions else { break };
            for action in &actions {
                if let Some(add) = action.get("add") {
                    let (path, size) = (add["path"].as_str().unwrap(), add["size"].as_u64().unwrap());
                    live.insert(path.to_owned(), size);
                } else if let Some(remove) = action.get("remove") {
                    live.remove(remove["path"].as_str().unwrap());
                }
            }
        }
        for (path, size) in live {
            let bytes = disk.read(&table.join(&path));
            let bytes = bytes.unwrap_or_else(|error| panic!("{context}: {path} of a commit: {error}"));
            assert_eq!(bytes.len() as u64, size, "{context}: {path} of a commit");
            assert!(bytes.ends_with(b"PAR1"), "{context}: {path} of a commit is torn");
        }
    }
}

/// How a script is cut off.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Power(Survives),
    /// The program is killed and started again, and the power is lost only later.
    Kill,
    /// The power is lost, and once more so many operations into the opening that follows.
    PowerTwice(Survives, u64),
}

impl Cut {
    fn befall(self, world: &World) {
        let disk = &world.machine.disk;
        match self {
            Self::Power(survives) => disk.lose_power(survives),
            Self::Kill => disk.kill(),
            Self::PowerTwice(survives, later) => {
                disk.lose_power(survives);
                disk.fail_at(disk.operations() + later, Fault::PowerLoss);
                drop(world.open());
                disk.lose_power(Survives::Any(later));
            }
        }
    }
}

/// Runs the script on machines that have the same on their disks, cut off at each of its operations.
fn cut_everywhere(base: &Machine, script: fn(&mut World) -> Option<()>) {
    at_every_operation(base, script, |operation, context| {
        let mut world = World::on(base.fork());
        world.machine.disk.fail_at(operation, Fault::PowerLoss);
        let _ = script(&mut world);
        let any = match operation % 2 {
            0 => Cut::Power(Survives::Any(operation)),
            _ => Cut::PowerTwice(Survives::Any(operation), operation * 7 % 24),
        };
        for cut in [Cut::Power(Survives::Nothing), Cut::Kill, any] {
            let after = world.fork();
            cut.befall(&after);
            if matches!(cut, Cut::Kill) {
                check_kept(&after.fork(), &format!("{context}, {cut:?}"));
            }
            check(&after, &format!("{context}, {cut:?}"));
        }
    });
}

/// Runs the script with one operation that fails in each run, and every call repeated until it succeeds.
fn fail_everywhere(base: &Machine, script: fn(&mut World) -> Option<()>) {
    at_every_operation(base, script, |operation, context| {
        let fault = if operation % 2 == 0 { Fault::Broken } else { Fault::NoSpace };
        let mut world = World { repeats: 2, ..World::on(base.fork()) };
        world.machine.disk.fail_at(operation, fault);
        script(&mut world).unwrap_or_else(|| panic!("{context}: {fault:?} is not overcome"));
        world.machine.disk.lose_power(Survives::Nothing);
        check(&world, &format!("{context}, {fault:?}"));
    });
}

/// Calls the function for each operation of the script, on all cores.
fn at_every_operation(base: &Machine, script: fn(&mut World) -> Option<()>, at: impl Fn(u64, String) + Sync) {
    let mut whole = World::on(base.fork());
    script(&mut whole).expect("the script passes on a good disk");
    let (first, last) = (base.disk.operations(), whole.machine.disk.operations());
    assert!(last - first > 10, "the script does something");
    let next = AtomicU64::new(first);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let operation = next.fetch_add(1, Ordering::Relaxed);
                    if operation > last {
                        break;
                    }
                    at(operation, format!("operation {operation} of {first} to {last}"));
                }
            });
        }
    });
}

impl World {
    /// The same promises, about another machine that has the same on its disk.
    fn fork(&self) -> Self {
        Self {
            acknowledged: self.acknowledged.clone(),
            tried: self.tried.clone(),
            notes: self.notes,
            is_other_dropped: self.is_other_dropped,
            is_log_gone: self.is_log_gone,
            ..Self::on(self.machine.fork())
        }
    }
}

/// A workspace comes and is removed while another one stays.
fn removal(world: &mut World) -> Option<()> {
    let store = world.open()?;
    let deliver = |batch| {
        let rows = || vec![(COVERAGE, gaps(batch, 1))];
        world.again(|| told(block_on(store.ingest(OTHER, rows(), origin(batch)))))
    };
    deliver(1)?;
    world.flush(&store)?;
    deliver(2)?;
    world.again(|| told(store.drop_workspace(OTHER)))?;
    world.is_other_dropped = true;
    world.deliver(&store, 1)?;
    world.flush(&store)
}

/// The store is opened without its log, and goes on.
fn without_log(world: &mut World) -> Option<()> {
    world.acknowledged.extend([1, 2]);
    world.tried.extend([1, 2]);
    world.is_log_gone = true;
    let store = world.open()?;
    world.deliver(&store, 3)?;
    world.flush(&store)?;
    world.deliver(&store, 4)
}

#[test]
fn after_a_power_loss_or_a_kill_at_any_operation_of_the_store_each_acknowledged_row_is_there_once() {
    cut_everywhere(&Machine::new(), life);
}

#[test]
fn a_batch_that_failed_is_new_to_the_first_call_that_is_told_that_it_is_stored_and_to_no_other() {
    for later in 0.. {
        let world = World::on(Machine::new());
        let store = world.open().unwrap();
        ingest(&store, 1).unwrap();
        world.machine.disk.fail_at(world.machine.disk.operations() + later, Fault::Broken);
        let first = ingest(&store, 2);
        if first.is_ok() {
            assert!(later > 0, "no operation of an ingest call has failed");
            return;
        }
        // Whether the batch was in the log then, or was not.
        assert_eq!(ingest(&store, 2).unwrap(), Accepted { duplicate: false }, "operation {later}");
        assert_eq!(ingest(&store, 2).unwrap(), Accepted { duplicate: true }, "operation {later}");
        assert_eq!(note_ids(&store), ["1/0", "2/0"], "operation {later}");
    }
}

#[test]
fn a_disk_that_fails_once_at_any_operation_of_the_store_costs_no_row_and_leaves_no_file() {
    fail_everywhere(&Machine::new(), life);
}

#[test]
fn a_removed_workspace_stays_gone_after_a_power_loss_or_a_kill_at_any_operation() {
    cut_everywhere(&Machine::new(), removal);
    fail_everywhere(&Machine::new(), removal);
}

#[test]
fn a_log_that_is_gone_is_replaced_once_whatever_operation_a_power_loss_comes_at() {
    let machine = Machine::new();
    let mut world = World::on(machine.clone());
    let store = world.open().unwrap();
    for batch in [1, 2] {
        world.deliver(&store, batch).unwrap();
    }
    drop(store.close());
    drop(store);
    let log = machine.path().join("log");
    for name in machine.disk.list(&log).unwrap() {
        machine.disk.remove(&log.join(name)).unwrap();
    }
    machine.disk.sync_dir(&log).unwrap();
    cut_everywhere(&machine, without_log);
}
