//! The engine with hints, on a tree in memory and a disk that loses power.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fim_core::{
    Actor, Aspect, ChangeSource, EntityPath, FileId, GapCause, GapScope, Hint, Input, Loss, Notice, Stop,
    Timestamp, WhoUnknown,
};
use fim_log::Disk;
use fim_scan::{FileTree, LargeTurn};
use fim_testkit::{Fault, FaultyDisk, MemoryTree, Survives};

use super::tests::{SCANNED_BYTES, TAMPERED, World, tamper};
use super::{Engine, MOST_ABANDONED_THREADS};

fn touched(path: &str) -> Notice {
    Notice::Touched(EntityPath::unix(path))
}

/// Hands in notices by the process 7, and lets time pass until their places have been looked at.
fn notice<T: FileTree, D: Disk + Clone>(
    world: &World,
    engine: &mut Engine<T, D>,
    notices: impl IntoIterator<Item = Notice>,
) {
    let time = world.now();
    let by = Ok(Arc::new(Actor { process_id: 7, ..Actor::default() }));
    let hints = notices.into_iter().map(|notice| Hint { notice, time, since: time, by: by.clone() });
    engine.take_in_all(hints.map(Input::Noticed).collect::<Vec<_>>().into_iter());
    world.pass(1);
    engine.tick();
}

fn tampered() -> [Notice; 4] {
    [
        touched("/etc/hosts"),
        Notice::Created { path: EntityPath::unix("/etc/new"), is_directory: false },
        Notice::Removed { path: EntityPath::unix("/etc/shadow"), is_directory: false },
        touched("/etc/passwd"),
    ]
}

#[test]
fn what_is_noticed_is_reported_without_a_scan_and_with_who_did_it() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tamper();
    notice(&world, &mut engine, tampered());
    world.deliver(&engine);
    assert_eq!(world.reported(), TAMPERED);
    for event in &world.changes {
        assert_eq!(event.source, ChangeSource::RealTime);
        assert_eq!(event.who.actors[0].process_id, 7);
        assert!(event.happened.is_some());
    }
    // Neither a scan nor a restart tells it again.
    world.pass(10);
    engine.tick();
    drop(engine);
    let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), TAMPERED);
}

#[test]
fn what_was_noticed_and_not_told_yet_is_not_claimed_as_watched() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    let inbox = Arc::clone(&engine.parts.inbox);
    let since = world.now();
    world.pass(1);
    assert_eq!(inbox.settled_until(world.now()), world.now());
    // What is noticed in one go happened at any time since the last.
    let (path, time) = (EntityPath::unix("/etc/dropper"), world.now());
    let come = Notice::Created { path: path.clone(), is_directory: false };
    let gone = Notice::Removed { path, is_directory: false };
    let hints = [come, gone].map(|notice| Hint { notice, time, since, by: Err(WhoUnknown::Ended) });
    inbox.put_hints(&mut hints.into());
    assert_eq!(inbox.settled_until(world.now()), since);
    let hints = inbox.take_hints();
    assert_eq!(inbox.settled_until(world.now()), since);
    engine.take_in_all(hints.into_iter().map(Input::Noticed));
    assert_eq!(inbox.settled_until(world.now()), since);
    world.pass(1);
    engine.tick();
    assert_eq!(inbox.settled_until(world.now()), world.now());
    world.deliver(&engine);
    assert_eq!(world.reported(), ["+/etc/dropper", "-/etc/dropper"]);
    // Nor is it where what was told is not on the disk, or the watcher has not read on.
    inbox.settle(Some(since), true);
    inbox.settle(None, false);
    assert_eq!(inbox.settled_until(world.now()), since);
    inbox.settle(None, true);
    assert_eq!(inbox.settled_until(world.now()), world.now());
    inbox.set_heard(Some(since));
    assert_eq!(inbox.settled_until(world.now()), since);
}

#[test]
fn a_power_loss_at_any_operation_of_real_time_leaves_one_report_of_each_change() {
    let run = |fault: Option<u64>, survives| {
        let mut world = World::new();
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.take_in(Input::RealTime { is_on: true });
        engine.tick();
        let before = world.disk.operations();
        if let Some(operation) = fault {
            world.disk.fail_at(before + operation, Fault::PowerLoss);
        }
        world.tamper();
        notice(&world, &mut engine, tampered());
        let operations = world.disk.operations() - before;
        drop(engine);
        world.disk.lose_power(survives);
        for _ in 0..2 {
            let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
            engine.tick();
            world.deliver(&engine);
        }
        assert_eq!(world.reported(), TAMPERED, "power lost at operation {fault:?}, {survives:?}");
        operations
    };
    let operations = run(None, Survives::Nothing);
    assert!(operations > 3, "{operations}");
    for operation in 0..operations {
        for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation * 31)] {
            run(Some(operation), survives);
        }
    }
}

/// Starts a sensor that was killed, whose first scan is under way when all that `tampered` tells of happens: after the
/// sensor has looked at the clock `moment` times, and noticed `late` looks at the clock after that.
fn start_into_changes(world: &World, moment: u32, late: u32) -> Option<Engine<MemoryTree, FaultyDisk>> {
    let mut engine = world.boot(Stop::Unclean, &["/etc"])?;
    engine.pause = Duration::ZERO;
    engine.take_in(Input::RealTime { is_on: true });
    let (tree, inbox) = (Arc::clone(&world.tree), Arc::clone(&engine.parts.inbox));
    let (seconds, mut looks) = (Arc::clone(&world.seconds), 0);
    *world.at_the_clock.lock().unwrap() = Some(Box::new(move || {
        looks += 1;
        if looks == moment {
            tamper(&tree);
        }
        if looks == moment + late {
            let time = Timestamp(seconds.load(Ordering::SeqCst) * 1_000_000_000);
            let by = Ok(Arc::new(Actor { process_id: 7, ..Actor::default() }));
            let hints = tampered().map(|notice| Hint { notice, time, since: time, by: by.clone() });
            inbox.put_hints(&mut hints.into());
        }
        if looks > moment + late && looks.is_multiple_of(3) {
            seconds.fetch_add(1, Ordering::SeqCst);
        }
    }));
    engine.tick();
    let mut happen = world.at_the_clock.lock().unwrap().take().unwrap();
    // What the scan ended before happens behind it.
    (0..moment + late).for_each(|_| happen());
    let hints = engine.parts.inbox.take_hints();
    if !hints.is_empty() {
        engine.take_in_all(hints.into_iter().map(Input::Noticed));
    }
    for _ in 0..2 {
        world.pass(1);
        engine.tick();
    }
    Some(engine)
}

#[test]
fn what_is_noticed_while_a_scan_is_under_way_is_told_once() {
    let mut sources = std::collections::BTreeSet::new();
    for moment in 1..30 {
        for late in [0, 1, 2, 4, 8, 16, 32] {
            let mut world = World::new();
            let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
            engine.tick();
            drop(engine);
            let mut engine = start_into_changes(&world, moment, late).unwrap();
            world.pass(10);
            engine.tick();
            world.deliver(&engine);
            assert_eq!(world.reported(), TAMPERED, "after {moment} looks, noticed {late} later");
            sources.extend(world.changes.iter().map(|event| event.source.name()));
        }
    }
    assert_eq!(sources.len(), 2, "the scan tells some and notices tell some: {sources:?}");
}

#[test]
fn a_loss_while_a_scan_is_under_way_does_not_cost_the_scan() {
    for moment in 1..30 {
        let mut world = World::new();
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        drop(engine);
        world.tamper();
        let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
        engine.pause = Duration::ZERO;
        engine.take_in(Input::RealTime { is_on: true });
        let (inbox, since, mut looks) = (Arc::clone(&engine.parts.inbox), world.now(), 0);
        *world.at_the_clock.lock().unwrap() = Some(Box::new(move || {
            looks += 1;
            if looks == moment {
                let scope = GapScope::Within(EntityPath::unix("/etc/ssh"));
                let loss = Loss { scope, since, cause: GapCause::MountsChanged, detail: "x".to_owned() };
                let by = Err(WhoUnknown::NoticeLost);
                inbox.put_hints(&mut vec![Hint { notice: Notice::Lost(loss), time: since, since, by }]);
            }
        }));
        engine.tick();
        *world.at_the_clock.lock().unwrap() = None;
        world.deliver(&engine);
        let cut: Vec<_> = world.gaps.iter().filter(|gap| gap.cause == GapCause::ScanCutShort).collect();
        assert!(cut.is_empty(), "lost after {moment} looks: {cut:?}");
    }
}

#[test]
fn a_power_loss_at_any_operation_of_a_scan_with_notices_leaves_one_report_of_each_change() {
    let run = |moment, late, fault: Option<u64>, survives| {
        let mut world = World::new();
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        drop(engine);
        let before = world.disk.operations();
        if let Some(operation) = fault {
            world.disk.fail_at(before + operation, Fault::PowerLoss);
        }
        let engine = start_into_changes(&world, moment, late);
        let has_started = engine.is_some();
        let operations = world.disk.operations() - before;
        drop(engine);
        world.disk.lose_power(survives);
        // Where the sensor could not even start, nothing has happened yet.
        if !has_started {
            world.tamper();
        }
        for _ in 0..2 {
            let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
            engine.tick();
            world.deliver(&engine);
        }
        let place =
            format!("after {moment} looks, noticed {late} later, power lost at {fault:?}, {survives:?}");
        assert_eq!(world.reported(), TAMPERED, "{place}");
        operations
    };
    for (moment, late) in [(4, 0), (4, 12), (14, 2), (20, 6)] {
        let operations = run(moment, late, None, Survives::Nothing);
        assert!(operations > 10, "{operations}");
        for operation in 0..operations {
            for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation * 31)] {
                run(moment, late, Some(operation), survives);
            }
        }
    }
}

#[test]
fn a_look_that_hangs_is_a_gap_since_the_notice_and_leaves_a_bounded_number_of_threads_behind() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tree.file("/etc/hosts", "evil").hang("/etc/hosts");
    engine.parts.scan_options.patience = Some(Duration::from_millis(1));
    let noticed = world.now();
    notice(&world, &mut engine, [touched("/etc/hosts")]);
    for _ in 0..MOST_ABANDONED_THREADS {
        world.pass(10);
        engine.tick();
        let threads: usize = engine.abandoned.iter().map(|scan| scan.live_threads()).sum();
        assert!(threads <= MOST_ABANDONED_THREADS + 1, "{threads}");
    }
    world.deliver(&engine);
    assert_eq!(world.reported(), [""; 0]);
    let lost = world.gaps.iter().find(|gap| gap.cause == GapCause::NoticesLost).unwrap();
    assert_eq!((lost.start, lost.end), (noticed, None));
    assert!(lost.detail.contains("did not answer"), "{}", lost.detail);
    world.tree.answer();
    while engine.abandoned.iter().any(|scan| scan.live_threads() > 0) {
        std::thread::yield_now();
    }
    engine.parts.scan_options.patience = Some(Duration::from_secs(60));
    for _ in 0..2 {
        world.pass(10);
        engine.tick();
    }
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts"]);
    assert_eq!(world.changes[0].who.actors[0].process_id, 7, "who it was is still known");
    let ended = world.gaps.iter().filter(|gap| gap.cause == GapCause::NoticesLost && gap.end.is_some());
    assert_eq!(ended.count(), 1, "{:?}", world.gaps);
}

#[test]
fn a_place_that_does_not_answer_is_put_aside_and_others_are_told() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tree.file("/etc/hosts", "evil").mode("/etc/passwd", 0o666).file("/etc/shadow", "evil");
    world.tree.hang("/etc/hosts");
    engine.parts.scan_options.patience = Some(Duration::from_millis(200));
    let noticed = world.now();
    notice(&world, &mut engine, ["/etc/hosts", "/etc/passwd", "/etc/shadow"].map(touched));
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/passwd", "~/etc/shadow"]);
    let [gap] = world.gaps.as_slice() else { panic!("{:?}", world.gaps) };
    assert_eq!((&gap.scope, gap.start, gap.end), (&within("/etc/hosts"), noticed, None));
    assert!(gap.detail.contains("did not answer"), "{}", gap.detail);
    // It rests, and keeps nobody from being looked at.
    let threads: usize = engine.abandoned.iter().map(|scan| scan.live_threads()).sum();
    world.tree.mode("/etc/passwd", 0o600);
    notice(&world, &mut engine, [touched("/etc/hosts"), touched("/etc/passwd")]);
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/passwd", "~/etc/passwd", "~/etc/shadow"]);
    assert_eq!(engine.abandoned.iter().map(|scan| scan.live_threads()).sum::<usize>(), threads);
    world.tree.answer();
    while engine.abandoned.iter().any(|scan| scan.live_threads() > 0) {
        std::thread::yield_now();
    }
    world.pass(11);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts", "~/etc/passwd", "~/etc/passwd", "~/etc/shadow"]);
    let ended = world.gaps.iter().filter(|gap| gap.scope == within("/etc/hosts") && gap.end.is_some());
    assert_eq!(ended.count(), 1, "{:?}", world.gaps);
}

fn within(path: &str) -> GapScope {
    GapScope::Within(EntityPath::unix(path))
}

#[test]
fn a_file_that_is_touched_elsewhere_is_looked_at_under_each_name_that_the_state_knows() {
    let mut world = World::new();
    world.tree.hard_link("/etc/twin", "/etc/hosts").hard_link("/srv/other", "/etc/hosts");
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    let mut held = engine.parts.store.entities().unwrap().unwrap().map(Result::unwrap);
    let hosts = held.find(|entity| *entity.key.path() == EntityPath::unix("/etc/hosts")).unwrap();
    let hosts = FileId::of(&hosts).unwrap();
    let stranger = FileId { device: 77, inode: 77 };
    assert!(engine.parts.known.may_have(hosts) && !engine.parts.known.may_have(stranger));
    world.tree.mode("/srv/other", 0o666);
    let by = Ok(Arc::new(Actor { process_id: 7, ..Actor::default() }));
    let time = world.now();
    let hint = |file| Hint { notice: Notice::TouchedFile(file), time, since: time, by: by.clone() };
    engine.take_hints(vec![hint(hosts), hint(stranger)]);
    world.pass(1);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts", "~/etc/twin"]);
    for event in &world.changes {
        assert_eq!(event.source, ChangeSource::RealTime);
        assert_eq!(event.who.actors[0].process_id, 7);
    }
}

#[test]
fn what_changes_under_one_of_two_monitored_names_is_told_under_both() {
    let mut world = World::new();
    world.tree.hard_link("/etc/twin", "/etc/hosts");
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tree.mode("/etc/hosts", 0o666);
    notice(&world, &mut engine, [touched("/etc/hosts")]);
    for _ in 0..2 {
        engine.tick();
        world.pass(1);
    }
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts", "~/etc/twin"]);
    assert!(world.changes.iter().all(|event| event.who.actors[0].process_id == 7));
}

#[test]
fn a_stop_ends_a_look_that_hangs() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tree.file("/etc/hosts", "evil").hang("/etc/hosts");
    engine.parts.scan_options.patience = Some(Duration::from_secs(20));
    let (tree, inbox) = (Arc::clone(&world.tree), Arc::clone(&engine.parts.inbox));
    engine.parts.tree = Arc::new(move || {
        inbox.stop();
        Arc::clone(&tree)
    });
    notice(&world, &mut engine, [touched("/etc/hosts")]);
    world.deliver(&engine);
    world.tree.answer();
    let [gap] = world.gaps.as_slice() else { panic!("{:?}", world.gaps) };
    assert!(gap.detail.contains("the agent was stopped"), "{}", gap.detail);
}

#[test]
fn a_lost_place_is_looked_at_again_and_is_a_gap_until_then() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc", "/srv"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    let since = world.now();
    world.pass(1);
    world.tree.file("/etc/ssh/config", "evil").remove("/etc/hosts");
    let scope = GapScope::Within(EntityPath::unix("/etc/ssh"));
    let loss = Loss { scope: scope.clone(), since, cause: GapCause::MountsChanged, detail: "x".to_owned() };
    notice(&world, &mut engine, [Notice::Lost(loss)]);
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/ssh/config"], "what was not lost is not looked at");
    assert_eq!(world.changes[0].who.unknown, Some(WhoUnknown::NoticeLost));
    let told: Vec<_> =
        world.gaps.iter().map(|gap| (gap.scope.clone(), gap.start, gap.end.is_some())).collect();
    assert_eq!(told, [(scope.clone(), since, false), (scope, since, true)]);
}

fn moved(from: &str, to: &str) -> Notice {
    Notice::Moved { from: EntityPath::unix(from), to: EntityPath::unix(to), is_directory: true }
}

#[test]
fn a_directory_that_came_with_all_in_it_is_looked_at_whole() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tree.directory("/etc/d").directory("/etc/d/e").file("/etc/d/e/f", "x");
    notice(&world, &mut engine, [moved("/outside/d", "/etc/d")]);
    world.deliver(&engine);
    assert_eq!(world.reported(), ["+/etc/d", "+/etc/d/e", "+/etc/d/e/f"]);
    world.tree.remove("/etc/d/e/f").remove("/etc/d/e").remove("/etc/d");
    notice(&world, &mut engine, [moved("/etc/d", "/outside/d")]);
    world.deliver(&engine);
    assert_eq!(
        world.reported(),
        ["+/etc/d", "-/etc/d", "+/etc/d/e", "-/etc/d/e", "+/etc/d/e/f", "-/etc/d/e/f"]
    );
}

#[test]
fn more_than_is_kept_in_memory_goes_to_the_state_and_is_told_once() {
    let mut world = World::new();
    world.spool_bytes = 64 << 20;
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.most_overlaid = 100;
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    let states = |world: &World| -> Vec<_> {
        world.disk.paths().into_iter().filter(|path| path.to_string_lossy().contains("state-")).collect()
    };
    let first = states(&world);
    let many = 150;
    world.tree.directory("/etc/many");
    for number in 0..many {
        world.tree.file(format!("/etc/many/{number:05}"), "x");
    }
    notice(&world, &mut engine, [moved("/outside/many", "/etc/many")]);
    assert_ne!(states(&world), first, "a state was written without a scan");
    assert_eq!(engine.recent.len(), 0);
    world.tree.file("/etc/many/00007", "changed");
    notice(&world, &mut engine, [touched("/etc/many/00007"), touched("/etc/many/00149")]);
    world.deliver(&engine);
    assert_eq!(world.changes.len(), many + 2);
    let last = world.changes.last().unwrap();
    assert!(last.change.fields.contains(Aspect::Content), "{last:?}");
    assert_eq!(last.change.key.path(), &EntityPath::unix("/etc/many/00007"));
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.changes.len(), many + 2, "a scan has nothing to add");
}

#[test]
fn a_huge_file_does_not_keep_the_others_waiting_and_is_read_beside_them() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    world.tree.sparse("/etc/huge", "x", 64 << 20).file("/etc/hosts", "evil");
    let created = Notice::Created { path: EntityPath::unix("/etc/huge"), is_directory: false };
    notice(&world, &mut engine, [created, touched("/etc/hosts")]);
    let noticed = world.now().plus_nanos(-1_000_000_000);
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts", "+/etc/huge"]);
    let told = |world: &World| -> Vec<_> {
        world.gaps.iter().map(|gap| (gap.cause, gap.scope.to_string(), gap.end.is_some())).collect()
    };
    let gap = |is_over| (GapCause::Unreadable, "/etc/huge".to_owned(), is_over);
    assert_eq!(told(&world), [gap(false)], "its content is not known yet");
    assert_eq!(world.gaps[0].start, noticed, "and was up to the notice");
    read_large_files(&world, &mut engine);
    world.deliver(&engine);
    assert_eq!(told(&world), [gap(false), gap(true)], "it has been read, without a scan");
    assert_eq!(world.reported(), ["~/etc/hosts", "+/etc/huge"], "what it contained before is not known");
}

#[test]
fn a_file_of_tebibytes_delays_no_scan_and_what_changes_in_it_is_told() {
    let mut world = World::new();
    world.tree.sparse("/etc/a-huge-file", "x", 8 << 40).sparse("/etc/large", "x", SCANNED_BYTES);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), [] as [&str; 0], "it is the baseline");
    let told = |world: &World| -> Vec<_> {
        world.gaps.iter().map(|gap| (gap.scope.to_string(), gap.end.is_some())).collect()
    };
    let unread = [("/etc/a-huge-file".to_owned(), false), ("/etc/large".to_owned(), false)];
    assert_eq!(told(&world), unread);
    // The one of tebibytes has its turns as well, and is not read to its end by them.
    read_large_files(&world, &mut engine);
    world.deliver(&engine);
    assert_eq!(told(&world)[2..], [("/etc/large".to_owned(), true)]);
    assert!(engine.parts.large.progress().bytes_left < 8 << 40);

    world.pass(10);
    world.tree.sparse("/etc/large", "y", SCANNED_BYTES).file("/etc/hosts", "evil");
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts", "~/etc/large"], "its times tell that it changed");
    assert_eq!(told(&world)[3..], [("/etc/large".to_owned(), false)], "and not what it contains");
    read_large_files(&world, &mut engine);
    world.deliver(&engine);
    assert_eq!(world.reported(), ["~/etc/hosts", "~/etc/large", "~/etc/large"]);
    let last = world.changes.last().unwrap();
    assert!(last.change.fields.contains(Aspect::Content), "{last:?}");
    assert_eq!(last.source, ChangeSource::Scan);
    assert_eq!(told(&world)[4..], [("/etc/large".to_owned(), true)]);
    // What is known is not asked for again by the next scan.
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!((world.changes.len(), world.gaps.len()), (3, 5));
}

/// Lets large files be read until there is news of one, and lets the engine hear of it.
fn read_large_files<D: Disk + Clone>(world: &World, engine: &mut Engine<MemoryTree, D>) {
    let path = loop {
        match engine.parts.large.turn(|| Arc::clone(&world.tree), Duration::from_millis(20)) {
            LargeTurn::Idle(_) => return,
            LargeTurn::Worked => {}
            LargeTurn::News(path) => break path,
        }
    };
    notice(world, engine, [Notice::ContentRead(path)]);
}

#[test]
fn the_time_without_a_sensor_ends_once_what_the_settings_name_is_watched() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    engine.finish();
    world.orders = Arc::default();
    world.orders.serve(true);
    let (orders, seconds) = (Arc::clone(&world.orders), Arc::clone(&world.seconds));
    let watcher = std::thread::spawn(move || {
        let order = loop {
            match orders.newer_than(0) {
                Some((order, _)) => break order,
                None => std::thread::yield_now(),
            }
        };
        let watched = seconds.fetch_add(5, Ordering::SeqCst) + 5;
        orders.perform(order);
        Timestamp(watched * 1_000_000_000)
    });
    let engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    let watched = watcher.join().unwrap();
    world.deliver(&engine);
    let stopped: Vec<_> = world.gaps.iter().filter(|gap| gap.cause == GapCause::AgentStopped).collect();
    let [gap] = stopped.as_slice() else { panic!("{stopped:?}") };
    assert!(gap.end >= Some(watched), "{gap:?} ends before {watched:?}");
}
