//! The engine on a tree in memory and a disk that loses power, with a server that stores what it acknowledges.

mod dropped;
mod lists;
mod losses;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use fim_core::{
    ChangeCategory, ChangeEvent, ChangeSource, GapCause, GapScope, ListKind, ListPart, Listed, PathStyle,
};
use fim_log::LogOptions;
use fim_scan::lists::ListNotices;
use fim_testkit::{Fault, FaultyDisk, MemoryTree, Survives};
use fim_wire::{Inventory, Seen};

use super::*;
use crate::spool::{BatchLimits, Spool};

const SECOND: i64 = 1_000_000_000;

/// What a scan reads of one file.
pub(super) const SCANNED_BYTES: u64 = 128 << 20;
const LIMITS: BatchLimits = BatchLimits { reports: 2, bytes: 1 << 20 };

type Happening = Box<dyn FnMut() + Send>;

/// A machine with a sensor, and the server that it reports to.
pub(super) struct World {
    pub(super) disk: FaultyDisk,
    pub(super) tree: Arc<MemoryTree>,
    dir: tempfile::TempDir,
    pub(super) seconds: Arc<AtomicI64>,
    pub(super) spool_bytes: u64,
    /// What happens whenever a sensor looks at the clock.
    pub(super) at_the_clock: Arc<Mutex<Option<Happening>>>,
    /// What sensors want to be watched; nobody does that of himself.
    pub(super) orders: Arc<WatchOrders>,
    /// What the last sensor that started showed; nothing before the first.
    shown: RefCell<Option<SharedStatus>>,
    highest: BTreeMap<[u8; 16], u64>,
    pub(super) changes: Vec<ChangeEvent>,
    /// All but those of baselines that are awaited.
    pub(super) gaps: Vec<Gap>,
    pub(super) pending: Vec<Gap>,
    listed: Vec<ChangeEvent<Listed>>,
    inventory: Vec<Inventory>,
}

impl World {
    pub(super) fn new() -> Self {
        let tree = MemoryTree::new();
        tree.directory("/etc").directory("/etc/ssh").directory("/srv");
        for name in ["hosts", "passwd", "shadow", "ssh/config"] {
            tree.file(format!("/etc/{name}"), name.as_bytes());
        }
        tree.file("/srv/page", "hello");
        Self {
            disk: FaultyDisk::new(),
            tree: Arc::new(tree),
            dir: tempfile::tempdir().unwrap(),
            seconds: Arc::new(AtomicI64::new(1000)),
            spool_bytes: 1 << 20,
            at_the_clock: Arc::default(),
            orders: Arc::default(),
            shown: RefCell::default(),
            highest: BTreeMap::new(),
            changes: Vec::new(),
            gaps: Vec::new(),
            pending: Vec::new(),
            listed: Vec::new(),
            inventory: Vec::new(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.seconds.load(Ordering::SeqCst) * SECOND)
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Starts a sensor; nothing if the disk does not let it.
    pub(super) fn boot(&self, stop: Stop, rules: &[&str]) -> Option<Engine<MemoryTree, FaultyDisk>> {
        let tree = Arc::clone(&self.tree);
        self.boot_with(stop, rules, move |_| Arc::clone(&tree))
    }

    fn boot_with(
        &self,
        stop: Stop,
        rules: &[&str],
        tree: impl Fn(&Inbox) -> Arc<MemoryTree> + Send + Sync + 'static,
    ) -> Option<Engine<MemoryTree, FaultyDisk>> {
        let options = LogOptions { segment_bytes: 1 << 12, max_bytes: self.spool_bytes };
        let spool = Spool::open(self.disk.clone(), "/spool", options, self.now()).ok()?;
        let (store, found) = StateStore::open(self.disk.clone(), std::path::Path::new("/state")).ok()?;
        let last_run = self.shown.borrow().as_ref().map(|shown| LastRun {
            alive: Some(self.now()),
            stop,
            last_complete: shown.last_complete(),
        });
        let inbox = Arc::new(Inbox::default());
        let scan_inbox = Arc::clone(&inbox);
        let (seconds, at_the_clock) = (Arc::clone(&self.seconds), Arc::clone(&self.at_the_clock));
        self.pass(30);
        let parts = EngineParts {
            contents: Arc::default(),
            machine: [7; 16],
            dir: DataDir::new(self.dir.path()),
            tree: Arc::new(move || tree(&scan_inbox)),
            style: PathStyle::Unix,
            disk: self.disk.clone(),
            store,
            found,
            spool: Arc::new(SharedSpool::new(spool)),
            inbox,
            pace: Arc::new(Pace::new(Duration::MAX)),
            status: self.shown.borrow_mut().insert(SharedStatus::default()).clone(),
            clock: Arc::new(move || {
                if let Some(happen) = &mut *at_the_clock.lock().unwrap() {
                    happen();
                }
                Timestamp(seconds.load(Ordering::SeqCst) * SECOND)
            }),
            scan_options: ScanOptions::default(),
            list_watcher: None,
            orders: Arc::clone(&self.orders),
            large: Arc::new(LargeFiles::beyond(SCANNED_BYTES)),
            known: Arc::default(),
        };
        let mut engine = Engine::start(parts, last_run, Some(settings(rules)));
        engine.list_turn = Duration::from_secs(60);
        Some(engine)
    }

    /// Lets the sensor's server take everything that is durable in the spool.
    pub(super) fn deliver(&mut self, engine: &Engine<MemoryTree, FaultyDisk>) {
        let mut spool = engine.parts.spool.lock();
        loop {
            let batch = match spool.next_batch(LIMITS, self.now()) {
                Ok(Some(batch)) => batch,
                Ok(None) => return,
                // The uplink tries again, and planned faults happen once.
                Err(_) => continue,
            };
            let highest = self.highest.entry(batch.epoch).or_default();
            if batch.sequence > *highest {
                *highest = batch.sequence;
                for report in batch.reports {
                    match report {
                        Report::Change(event) => self.changes.push(event),
                        Report::Gap(gap) if gap.cause == GapCause::BaselinePending => self.pending.push(gap),
                        Report::Gap(gap) => self.gaps.push(gap),
                        Report::Listed(event) => self.listed.push(event),
                        Report::Inventory(inventory) => self.inventory.push(inventory),
                    }
                }
            }
            spool.acknowledge();
        }
    }

    /// What the server has of changes, in path order: `+` added, `~` modified, `-` removed.
    pub(super) fn reported(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.changes.iter().map(line).collect();
        lines.sort_by_key(|line| line[1..].to_owned());
        lines
    }

    fn causes(&self) -> Vec<GapCause> {
        self.gaps.iter().map(|gap| gap.cause).collect()
    }

    /// Changes the tree in every way.
    pub(super) fn tamper(&self) {
        tamper(&self.tree);
    }
}

pub(super) fn tamper(tree: &MemoryTree) {
    tree.file("/etc/hosts", "evil").file("/etc/new", "new").remove("/etc/shadow").mode("/etc/passwd", 0o666);
}

pub(super) const TAMPERED: [&str; 4] = ["~/etc/hosts", "+/etc/new", "~/etc/passwd", "-/etc/shadow"];

fn line(event: &ChangeEvent) -> String {
    let sign = match event.change.category() {
        Some(ChangeCategory::Added) => '+',
        Some(ChangeCategory::Modified) => '~',
        Some(ChangeCategory::Removed) => '-',
        None => '?',
    };
    format!("{sign}{}", event.change.key.path())
}

fn settings(paths: &[&str]) -> Settings {
    let rules: Vec<_> = paths
        .iter()
        .map(|path| serde_json::json!({"name": path, "type": "linux-file", "path": path, "recurse": true}))
        .collect();
    serde_json::from_value(serde_json::json!({
        "revision": paths.len(), "scanIntervalSeconds": 10, "fimEnabled": true, "rules": rules,
        "softwareIntervalSeconds": 10,
    }))
    .unwrap()
}

#[test]
fn a_baseline_reports_nothing_and_what_changes_after_it_is_reported_once() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), [""; 0]);
    world.tamper();
    for _ in 0..3 {
        world.pass(10);
        engine.tick();
        world.deliver(&engine);
    }
    assert_eq!(world.reported(), TAMPERED);
    assert_eq!(world.causes(), []);
}

#[test]
fn the_time_without_an_agent_is_a_gap_with_its_true_interval() {
    for stop in [Stop::Clean, Stop::Unclean] {
        let mut world = World::new();
        let mut engine = world.boot(stop, &["/etc"]).unwrap();
        engine.tick();
        match stop {
            Stop::Clean => engine.finish(),
            Stop::Unclean => drop(engine),
        }
        world.disk.lose_power(Survives::Nothing);
        world.tamper();
        let stopped = world.now();
        let mut engine = world.boot(stop, &["/etc"]).unwrap();
        engine.tick();
        world.deliver(&engine);
        assert_eq!(world.reported(), TAMPERED, "{stop:?}");
        assert_eq!(world.causes(), [GapCause::AgentStopped]);
        assert_eq!(
            (world.gaps[0].start, world.gaps[0].end),
            (stopped, Some(stopped.plus_nanos(30 * SECOND)))
        );
    }
}

#[test]
fn a_power_loss_at_any_operation_of_a_scan_leaves_one_report_of_each_change() {
    let operations = {
        let world = World::new();
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        let before = world.disk.operations();
        world.tamper();
        world.pass(10);
        engine.tick();
        before..world.disk.operations() + 1
    };
    assert!(operations.end - operations.start > 10, "{operations:?}");
    for operation in operations {
        for survives in
            [Survives::Nothing, Survives::Everything, Survives::Any(operation), Survives::Any(operation * 31)]
        {
            let mut world = World::new();
            let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
            engine.tick();
            world.disk.fail_at(operation, Fault::PowerLoss);
            world.tamper();
            world.pass(10);
            engine.tick();
            drop(engine);
            world.disk.lose_power(survives);
            for most_overlaid in [1 + operation as usize % 3, MOST_OVERLAID] {
                let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                engine.most_overlaid = most_overlaid;
                engine.tick();
                world.deliver(&engine);
            }
            assert_eq!(world.reported(), TAMPERED, "power lost at operation {operation}, {survives:?}");
        }
    }
}

#[test]
fn what_the_spool_has_and_the_state_has_not_is_taken_in_in_pieces() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.tamper();
    world.pass(10);
    // The changes are durable, and the state that holds them is not.
    let state = world.disk.operations() + 12;
    let disk = world.disk.clone();
    for operation in state..state + 40 {
        disk.fail_at(operation, Fault::PowerLoss);
    }
    engine.tick();
    drop(engine);
    world.disk.lose_power(Survives::Nothing);
    let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
    let left = |engine: &Engine<MemoryTree, FaultyDisk>| {
        let since = engine.parts.store.spool_sequence();
        engine.parts.spool.lock().reports_after(since).count()
    };
    assert!(left(&engine) > 2, "{}", left(&engine));
    engine.most_overlaid = 1;
    engine.catch_up(&world.disk.clone()).unwrap();
    assert!(left(&engine) <= 1, "{}", left(&engine));
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), TAMPERED);
}

#[test]
fn a_disk_that_fails_once_at_any_operation_leaves_one_report_of_each_change() {
    let run = |fault: Option<(u64, Fault)>| {
        let mut world = World::new();
        if let Some((operation, fault)) = fault {
            world.disk.fail_at(operation, fault);
        }
        // A sensor that cannot even start is started again.
        let mut engine =
            world.boot(Stop::Clean, &["/etc"]).or_else(|| world.boot(Stop::Clean, &["/etc"])).unwrap();
        for _ in 0..2 {
            engine.tick();
            world.pass(10);
        }
        world.tamper();
        for _ in 0..3 {
            engine.tick();
            world.pass(10);
        }
        world.deliver(&engine);
        world
    };
    let operations = run(None).disk.operations();
    assert!(operations > 40, "{operations}");
    for operation in 0..operations {
        for fault in [Fault::NoSpace, Fault::Broken] {
            let world = run(Some((operation, fault)));
            assert!(world.disk.operations() > operation, "operation {operation} was not reached");
            assert_eq!(world.reported(), TAMPERED, "{fault:?} at operation {operation}");
        }
    }
}

#[test]
fn what_a_new_rule_names_is_a_baseline_and_not_added() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    engine.change_settings(settings(&["/etc", "/srv"]));
    world.deliver(&engine);
    assert_eq!(world.reported(), [""; 0]);
    world.tree.file("/srv/page", "defaced");
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/srv/page"]);
}

#[test]
fn a_scan_that_is_cut_short_by_a_stop_is_a_gap_and_no_removal() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    engine.finish();
    world.tamper();
    let tree = Arc::clone(&world.tree);
    let looks = AtomicUsize::new(0);
    let parts = ListPart::of(PathStyle::Unix).filter(|part| part.list() == ListKind::Software).count();
    let mut engine = world
        .boot_with(Stop::Clean, &["/etc"], move |inbox| {
            // The parts of the list of software are collected first.
            if looks.fetch_add(1, Ordering::SeqCst) >= parts {
                inbox.stop();
            }
            Arc::clone(&tree)
        })
        .unwrap();
    engine.tick();
    world.deliver(&engine);
    engine.finish();
    assert!(!world.reported().iter().any(|line| line == "-/etc/ssh"), "{:?}", world.reported());
    let cut = world.gaps.iter().find(|gap| gap.cause == GapCause::ScanCutShort).unwrap().clone();
    assert!(cut.end.is_none() && cut.detail.contains("the agent was stopped"), "{cut:?}");
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), TAMPERED);
    let closed = world.gaps.iter().filter(|gap| gap.cause == GapCause::ScanCutShort && gap.end.is_some());
    assert_eq!(closed.map(|gap| gap.start).collect::<Vec<_>>(), [cut.start]);
}

#[test]
fn a_scan_that_hangs_is_told_and_leaves_a_bounded_number_of_threads_behind() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.tamper();
    world.tree.hang("/etc/hosts");
    engine.parts.scan_options.patience = Some(Duration::from_millis(1));
    for _ in 0..MOST_ABANDONED_THREADS {
        world.pass(10);
        engine.tick();
        let threads: usize = engine.abandoned.iter().map(|scan| scan.live_threads()).sum();
        assert!(threads <= MOST_ABANDONED_THREADS + 1, "{threads}");
    }
    world.deliver(&engine);
    assert_eq!(world.causes(), [GapCause::ScanCutShort], "{:?}", world.gaps);
    assert!(world.gaps[0].end.is_none() && world.gaps[0].detail.contains("did not answer"));
    assert_eq!(world.reported(), [""; 0], "what comes before it is the same as ever");
    world.tree.answer();
    while engine.abandoned.iter().any(|scan| scan.live_threads() > 0) {
        std::thread::yield_now();
    }
    engine.parts.scan_options.patience = Some(Duration::from_secs(60));
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), TAMPERED);
    assert_eq!(world.gaps.iter().filter(|gap| gap.end.is_some()).count(), 1, "{:?}", world.gaps);
}

#[test]
fn a_full_spool_delays_changes_and_loses_none() {
    let mut world = World::new();
    world.spool_bytes = 1600;
    for number in 0..40 {
        world.tree.file(format!("/etc/file{number:02}"), "old");
    }
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    for number in 0..40 {
        world.tree.file(format!("/etc/file{number:02}"), "new");
    }
    world.pass(10);
    engine.tick();
    assert!(engine.parts.status.get().error.is_some_and(|error| error.contains("full")));
    for _ in 0..60 {
        world.deliver(&engine);
        world.pass(10);
        engine.tick();
    }
    world.deliver(&engine);
    let expected: Vec<String> = (0..40).map(|number| format!("~/etc/file{number:02}")).collect();
    assert_eq!(world.reported(), expected);
    assert!(world.causes().contains(&GapCause::SpoolFull));
}

#[test]
fn a_scan_without_changes_writes_no_new_state() {
    let world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    let states = |world: &World| -> Vec<_> {
        world.disk.paths().into_iter().filter(|path| path.to_string_lossy().contains("state-")).collect()
    };
    let first = states(&world);
    world.pass(10);
    engine.tick();
    assert_eq!(states(&world), first);
    world.tamper();
    world.pass(10);
    engine.tick();
    assert_ne!(states(&world), first);
    assert_eq!(states(&world).len(), 1);
}

#[test]
fn an_unreadable_file_is_a_gap_and_what_changed_meanwhile_is_reported() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.tree.refuse("/etc/shadow", fim_scan::TreeError::PermissionDenied);
    world.pass(10);
    engine.tick();
    world.tree.file("/etc/shadow", "changed unseen");
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.causes(), [GapCause::Unreadable]);
    drop(engine);
    world.tree.allow("/etc/shadow");
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert!(world.changes.iter().any(|event| {
        line(event) == "~/etc/shadow" && event.change.fields.contains(fim_core::Aspect::Content)
    }));
    assert!(world.gaps.iter().any(|gap| gap.cause == GapCause::Unreadable && gap.end.is_some()));
}
