//! Files that are touched under other names while a scan is under way, on a tree in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use fim_core::{Actor, Stop};
use fim_testkit::{FaultyDisk, MemoryTree};

use super::*;
use crate::engine::tests::World;

/// A hint that the process 7 touched a file.
fn touched_file(file: FileId, time: Timestamp) -> Hint {
    let by = Ok(Arc::new(Actor { process_id: 7, ..Actor::default() }));
    Hint { notice: Notice::TouchedFile(file), time, since: time, by }
}

/// The number of `/etc/hosts`, which is the same in each world.
fn number_of_hosts() -> FileId {
    let mut engine = World::new().boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    let mut held = engine.parts.store.entities().unwrap().unwrap().map(Result::unwrap);
    let hosts = held.find(|entity| *entity.key.path() == EntityPath::unix("/etc/hosts")).unwrap();
    FileId::of(&hosts).unwrap()
}

/// Starts a sensor with `/etc/hosts` in its first scan, and has somebody do something to that file under another name
/// after `moment` looks at the clock of it.
fn baseline_with_a_touch(
    world: &World,
    moment: u32,
    mut touch: impl FnMut(&MemoryTree) + Send + 'static,
) -> Engine<MemoryTree, FaultyDisk> {
    let hosts = number_of_hosts();
    world.tree.hard_link("/srv/other", "/etc/hosts");
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.pause = Duration::ZERO;
    engine.take_in(Input::RealTime { is_on: true });
    let (tree, inbox) = (Arc::clone(&world.tree), Arc::clone(&engine.parts.inbox));
    let (now, mut looks) = (world.now(), 0);
    *world.at_the_clock.lock().unwrap() = Some(Box::new(move || {
        looks += 1;
        if looks == moment {
            touch(&tree);
            inbox.put_hints(&mut vec![touched_file(hosts, now)]);
        }
    }));
    engine.tick();
    let mut happen = world.at_the_clock.lock().unwrap().take().unwrap();
    // What the scan ended before happens after it.
    (0..moment).for_each(|_| happen());
    let hints = engine.parts.inbox.take_hints();
    engine.take_hints(hints);
    engine
}

/// Lets names be looked for, and what they lead to.
fn find_names(world: &World, engine: &mut Engine<MemoryTree, FaultyDisk>) {
    engine.elsewhere.hurry();
    engine.tick();
    world.pass(1);
    engine.tick();
}

#[test]
fn a_file_that_is_touched_elsewhere_during_its_first_scan_is_told_of_later() {
    for moment in 1..40 {
        let mut world = World::new();
        let mut engine = baseline_with_a_touch(&world, moment, |_| {});
        find_names(&world, &mut engine);
        world.tree.mode("/srv/other", 0o666);
        engine.take_hints(vec![touched_file(number_of_hosts(), world.now())]);
        find_names(&world, &mut engine);
        world.deliver(&engine);
        assert_eq!(world.reported(), ["~/etc/hosts"], "touched after {moment} looks");
        assert_eq!(world.changes[0].source, ChangeSource::RealTime);
        assert_eq!(world.changes[0].who.actors[0].process_id, 7);
    }
}

#[test]
fn what_changes_elsewhere_during_the_first_scan_is_in_the_baseline_or_told_when_that_ends() {
    let mut told = BTreeSet::new();
    for moment in 1..40 {
        let mut world = World::new();
        let mut engine = baseline_with_a_touch(&world, moment, |tree| {
            tree.mode("/srv/other", 0o666);
        });
        let unsettled = engine.elsewhere.since().or_else(|| engine.tracker.unsettled_since());
        assert_eq!(unsettled, Some(world.now()), "it is not claimed as looked into");
        // What is told may have been touched under further names, which are looked for as well.
        (0..2).for_each(|_| find_names(&world, &mut engine));
        assert_eq!(engine.elsewhere.since(), None);
        world.pass(10);
        engine.tick();
        world.deliver(&engine);
        let of_scans = world.changes.iter().filter(|event| event.source == ChangeSource::Scan).count();
        assert_eq!(of_scans, 0, "changed after {moment} looks, a second scan has nothing to add");
        told.extend(world.reported());
    }
    assert!(told.contains("~/etc/hosts"), "the first scan had passed it at some moment: {told:?}");
}

/// A sensor that watches `/etc` after its baseline.
fn watching(world: &World) -> Engine<MemoryTree, FaultyDisk> {
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    engine
}

/// When the gaps of lost notices begin.
fn losses(world: &mut World, engine: &Engine<MemoryTree, FaultyDisk>) -> Vec<Timestamp> {
    world.deliver(engine);
    let lost = world.gaps.iter().filter(|gap| gap.cause == GapCause::NoticesLost && gap.end.is_none());
    lost.map(|gap| gap.start).collect()
}

fn stranger(number: usize) -> FileId {
    FileId { device: 77, inode: number as u64 }
}

#[test]
fn what_there_is_no_room_for_is_a_gap_since_the_first_of_it_was_touched() {
    let mut world = World::new();
    let mut engine = watching(&world);
    let since = world.now();
    world.pass(5);
    let time = world.now();
    // The last two find no room, and the last of them happened first.
    let hints = (0..MOST_FILES + 2).map(|number| {
        let seconds = (MOST_FILES + 2 - number).min(4) as i64;
        Hint { since: since.plus_nanos(seconds * 1_000_000_000), ..touched_file(stranger(number), time) }
    });
    engine.take_hints(hints.collect());
    assert_eq!(losses(&mut world, &engine), [since.plus_nanos(1_000_000_000)]);
    assert_eq!(engine.elsewhere.since(), None, "it is said");
}

#[test]
fn what_cannot_be_looked_up_is_a_gap_since_the_first_of_it_was_touched() {
    let mut world = World::new();
    let mut engine = watching(&world);
    let since = world.now();
    world.pass(5);
    world.disk.damage(std::path::Path::new("/state/state-1"), 60);
    let hints = [3, 1, 2].map(|seconds| Hint {
        since: since.plus_nanos(seconds * 1_000_000_000),
        ..touched_file(stranger(seconds as usize), world.now())
    });
    engine.take_hints(hints.into());
    assert_eq!(losses(&mut world, &engine), [since.plus_nanos(1_000_000_000)]);
}

#[test]
fn other_names_of_what_changed_are_a_gap_since_the_change_if_there_is_no_room_for_them() {
    let mut world = World::new();
    world.tree.hard_link("/etc/twin", "/etc/hosts");
    let mut engine = watching(&world);
    // Nothing is looked up for a while.
    engine.elsewhere.next = Some(Instant::now() + Duration::from_secs(3600));
    let now = world.now();
    engine.take_hints((0..MOST_FILES).map(|number| touched_file(stranger(number), now)).collect());
    world.pass(5);
    world.tree.mode("/etc/hosts", 0o666);
    let touched = Notice::Touched(EntityPath::unix("/etc/hosts"));
    let since = world.now().plus_nanos(-3_000_000_000);
    engine.take_hints(vec![Hint { notice: touched, since, ..touched_file(stranger(0), world.now()) }]);
    for _ in 0..2 {
        world.pass(1);
        engine.tick();
    }
    assert_eq!(losses(&mut world, &engine), [since]);
    assert_eq!(world.reported(), ["~/etc/hosts", "~/etc/twin"], "everything was looked at again");
}

#[test]
fn of_a_name_that_goes_or_is_replaced_the_file_is_looked_at_under_its_other_names() {
    for replace in [false, true] {
        let mut world = World::new();
        world.tree.hard_link("/etc/twin", "/etc/hosts");
        let mut engine = watching(&world);
        world.pass(5);
        world.tree.remove("/etc/hosts");
        if replace {
            world.tree.file("/etc/hosts", "another");
        }
        let touched = Notice::Touched(EntityPath::unix("/etc/hosts"));
        engine.take_hints(vec![Hint { notice: touched, ..touched_file(stranger(0), world.now()) }]);
        world.pass(1);
        engine.tick();
        (0..2).for_each(|_| find_names(&world, &mut engine));
        world.deliver(&engine);
        let hosts = if replace { "~/etc/hosts" } else { "-/etc/hosts" };
        assert_eq!(world.reported(), [hosts, "~/etc/twin"]);
        let who = world.changes.iter().map(|event| event.who.actors[0].process_id);
        assert_eq!(who.collect::<Vec<_>>(), [7, 7], "who took a name away changed how many there are");
    }
}
