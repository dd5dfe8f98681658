//! What is told when the state, or the spool, is not what was left on the disk.

use std::path::Path;

use fim_log::{Disk as _, DiskFile as _};

use super::*;

/// What happens to the data directory while no sensor runs.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// A byte of the entities changes.
    StateDamaged,
    /// A byte of the commit changes.
    CommitDamaged,
    /// The entities are gone.
    StateRemoved,
    /// Everything in the state's directory is gone.
    DirectoryEmptied,
}

const LOSSES: [Loss; 4] =
    [Loss::StateDamaged, Loss::CommitDamaged, Loss::StateRemoved, Loss::DirectoryEmptied];

impl Loss {
    fn befall(self, disk: &FaultyDisk) {
        let (state, commit) = (Path::new("/state/state-1"), Path::new("/state/commit"));
        match self {
            Self::StateDamaged => disk.damage(state, 20),
            Self::CommitDamaged => disk.damage(commit, 20),
            Self::StateRemoved => disk.remove(state).unwrap(),
            Self::DirectoryEmptied => {
                disk.remove(state).unwrap();
                disk.remove(commit).unwrap();
            }
        }
        disk.sync_dir(Path::new("/state")).unwrap();
    }
}

/// A world whose sensor had a baseline and was stopped. It was tampered with since, at the time that comes with it.
fn tampered() -> (World, Timestamp) {
    let world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.pass(5);
    engine.finish();
    world.pass(5);
    world.tamper();
    let when = world.now();
    world.pass(5);
    (world, when)
}

/// True if a gap with that cause, and an end, covers the time.
fn covers(world: &World, cause: GapCause, time: Timestamp) -> bool {
    let is_covering = |gap: &&Gap| gap.start < time && gap.end.is_some_and(|end| end > time);
    world.gaps.iter().filter(is_covering).any(|gap| gap.cause == cause)
}

#[test]
fn a_damaged_state_is_moved_aside_and_told_as_a_gap() {
    for loss in LOSSES {
        let (mut world, when) = tampered();
        loss.befall(&world.disk);
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        world.deliver(&engine);
        assert_eq!(world.reported(), [""; 0], "{loss:?}: nothing to compare with");
        assert!(covers(&world, GapCause::StateLost, when), "{loss:?}: {:?}", world.gaps);
        let moved = world.disk.paths().iter().any(|path| path.to_string_lossy().contains("damaged-"));
        assert_eq!(moved, !matches!(loss, Loss::DirectoryEmptied), "{loss:?}");
        world.tree.remove("/etc/new");
        world.pass(10);
        engine.tick();
        world.deliver(&engine);
        assert_eq!(world.reported(), ["-/etc/new"], "{loss:?}");
    }
}

#[test]
fn a_state_that_an_earlier_version_wrote_is_told_as_lost_with_its_format() {
    let (mut world, when) = tampered();
    let path = Path::new("/state/state-1");
    let mut bytes = world.disk.read(path).unwrap();
    bytes[8] = 1;
    world.disk.remove(path).unwrap();
    let mut file = world.disk.open_append(path).unwrap();
    file.append(&bytes).unwrap();
    file.sync().unwrap();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert!(covers(&world, GapCause::StateLost, when), "{:?}", world.gaps);
    let lost = world.gaps.iter().find(|gap| gap.cause == GapCause::StateLost).unwrap();
    assert!(lost.detail.contains("format 1, which an earlier version wrote"), "{}", lost.detail);
}

#[test]
fn until_a_new_baseline_is_taken_after_a_lost_state_no_second_counts_as_watched() {
    for loss in LOSSES {
        let (mut world, _) = tampered();
        loss.befall(&world.disk);
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        world.pass(7);
        world.tree.file("/etc/hosts", "between the start and the scan");
        engine.tick();
        world.deliver(&engine);
        let lost = world.gaps.iter().find(|gap| gap.cause == GapCause::StateLost).unwrap();
        let start = lost.end.unwrap();
        let since = world.pending.iter().filter(|gap| gap.start >= start);
        let ends: Vec<_> = since.map(|gap| (gap.start, gap.end)).collect();
        assert_eq!(ends, [(start, None), (start, Some(world.now()))], "{loss:?}");
    }
}

#[test]
fn a_missing_state_is_no_first_start_where_an_agent_ran_before() {
    for has_stamp in [true, false] {
        let (mut world, _) = tampered();
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        engine.finish();
        Loss::DirectoryEmptied.befall_after(&world.disk);
        world.pass(5);
        world.tree.file("/etc/hosts", "worse");
        let again = world.now();
        if !has_stamp {
            // What is left then is what the spool still has.
            world.shown.take();
        }
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        world.deliver(&engine);
        assert_eq!(world.reported(), TAMPERED, "what the spool had is sent all the same");
        for cause in [GapCause::AgentStopped, GapCause::StateLost] {
            // The sensor starts half a minute after its last sign of life.
            assert!(
                covers(&world, cause, again.plus_nanos(SECOND)),
                "{cause:?}, stamp {has_stamp}: {:?}",
                world.gaps
            );
        }
    }
}

impl Loss {
    /// Removes the state whatever its number is.
    fn befall_after(self, disk: &FaultyDisk) {
        for path in disk.paths().iter().filter(|path| path.starts_with("/state")) {
            disk.remove(path).unwrap();
        }
        disk.sync_dir(Path::new("/state")).unwrap();
    }
}

#[test]
fn a_first_start_tells_no_loss_though_the_disk_fails_or_the_power_is_lost_at_any_operation() {
    let operations = {
        let world = World::new();
        drop(world.boot(Stop::Clean, &["/etc"]).unwrap());
        world.disk.operations()
    };
    for operation in 0..operations {
        for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation)] {
            let mut world = World::new();
            world.disk.fail_at(operation, Fault::PowerLoss);
            let is_started = world.boot(Stop::Clean, &["/etc"]).is_some();
            world.disk.lose_power(survives);
            // The first sign of life comes after the start, so there is none of a start that was cut off.
            world.shown.take();
            let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
            engine.tick();
            world.deliver(&engine);
            assert_eq!(world.causes(), [], "operation {operation}, {survives:?}, started {is_started}");
        }
    }
}

#[test]
fn a_power_loss_at_any_operation_while_a_lost_state_is_told_leaves_the_gap() {
    for loss in LOSSES {
        let operations = {
            let (world, _) = tampered();
            loss.befall(&world.disk);
            let before = world.disk.operations();
            let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
            engine.tick();
            before..world.disk.operations() + 1
        };
        assert!(operations.end - operations.start > 10, "{operations:?}");
        for operation in operations {
            for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation)] {
                let (mut world, when) = tampered();
                loss.befall(&world.disk);
                world.disk.fail_at(operation, Fault::PowerLoss);
                let stamp = world.shown.borrow().clone();
                if let Some(mut engine) = world.boot(Stop::Clean, &["/etc"]) {
                    engine.tick();
                }
                // The stamp is not forced to the disk: the old one may be there.
                world.shown.replace(stamp);
                world.disk.lose_power(survives);
                for _ in 0..2 {
                    let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                    engine.tick();
                    world.deliver(&engine);
                }
                let context = format!("{loss:?}, power lost at operation {operation}, {survives:?}");
                assert!(covers(&world, GapCause::StateLost, when), "{context}: {:?}", world.gaps);
                assert_eq!(world.reported(), [""; 0], "{context}");
            }
        }
    }
}

#[test]
fn a_state_that_is_damaged_under_a_running_sensor_is_told_through_a_power_loss_at_any_operation() {
    let damaged = || {
        let world = World::new();
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        world.pass(5);
        world.tamper();
        let when = world.now();
        world.pass(5);
        world.disk.damage(Path::new("/state/state-1"), 60);
        (world, engine, when)
    };
    let operations = {
        let (world, mut engine, _) = damaged();
        let before = world.disk.operations();
        engine.tick();
        before..world.disk.operations() + 1
    };
    for operation in operations {
        for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation)] {
            let (mut world, mut engine, when) = damaged();
            world.disk.fail_at(operation, Fault::PowerLoss);
            engine.tick();
            drop(engine);
            world.disk.lose_power(survives);
            for _ in 0..2 {
                let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                engine.tick();
                world.deliver(&engine);
            }
            let context = format!("power lost at operation {operation}, {survives:?}");
            assert!(covers(&world, GapCause::StateLost, when), "{context}: {:?}", world.gaps);
        }
    }
}

/// A world whose server is down while changes are found, and whose spool then loses what waits in it: all of it, or
/// all but the ledger. `has_delivered` lets the server have an earlier change.
fn with_lost_reports(has_delivered: bool, loses_ledger: bool) -> (World, Timestamp) {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    if has_delivered {
        world.tree.file("/etc/early", "early");
        world.pass(10);
        engine.tick();
        world.deliver(&engine);
        assert_eq!(world.reported(), ["+/etc/early"]);
    }
    world.pass(10);
    world.tamper();
    let when = world.now();
    world.pass(10);
    engine.tick();
    drop(engine);
    let is_lost = |path: &&std::path::PathBuf| {
        path.starts_with("/spool/log") || loses_ledger && path.starts_with("/spool")
    };
    for path in world.disk.paths().iter().filter(is_lost) {
        world.disk.remove(path).unwrap();
        world.disk.sync_dir(path.parent().unwrap()).unwrap();
    }
    (world, when)
}

#[test]
fn reports_that_vanish_from_the_spool_are_told_through_a_power_loss_at_any_operation() {
    for (has_delivered, loses_ledger) in [(false, false), (false, true), (true, false), (true, true)] {
        let operations = {
            let (world, _) = with_lost_reports(has_delivered, loses_ledger);
            let before = world.disk.operations();
            let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
            engine.tick();
            before..world.disk.operations() + 1
        };
        for operation in operations {
            for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation)] {
                let (mut world, when) = with_lost_reports(has_delivered, loses_ledger);
                world.disk.fail_at(operation, Fault::PowerLoss);
                if let Some(mut engine) = world.boot(Stop::Unclean, &["/etc"]) {
                    engine.tick();
                }
                world.disk.lose_power(survives);
                for _ in 0..2 {
                    let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                    engine.tick();
                    world.deliver(&engine);
                }
                let context = format!(
                    "delivered {has_delivered}, ledger lost {loses_ledger}, operation {operation}, {survives:?}"
                );
                assert!(covers(&world, GapCause::SpoolDamaged, when), "{context}: {:?}", world.gaps);
                // What was told before does not come again, and the server takes what comes from now on.
                let early = world.reported().iter().filter(|line| *line == "+/etc/early").count();
                assert_eq!(early, usize::from(has_delivered), "{context}");
                let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                world.tree.file("/etc/late", "late");
                engine.tick();
                world.deliver(&engine);
                assert!(world.reported().contains(&"+/etc/late".to_owned()), "{context}");
                let told = world.gaps.iter().filter(|gap| gap.cause == GapCause::SpoolDamaged).count();
                world.pass(10);
                let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                engine.tick();
                world.deliver(&engine);
                let again = world.gaps.iter().filter(|gap| gap.cause == GapCause::SpoolDamaged).count();
                assert_eq!(told, again, "{context}: told for ever");
            }
        }
    }
}

#[test]
fn since_when_the_spool_is_full_survives_a_power_loss() {
    let mut world = World::new();
    // Room for the spool's header and the gaps of the baseline, and for hardly anything else.
    world.spool_bytes = 640;
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.pass(10);
    world.tamper();
    let when = world.now();
    engine.tick();
    assert!(engine.parts.spool.lock().full_since().is_some());
    drop(engine);
    world.disk.lose_power(Survives::Nothing);
    world.spool_bytes = 1 << 20;
    world.pass(1000);
    let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert_eq!(world.reported(), TAMPERED);
    let full = world.gaps.iter().find(|gap| gap.cause == GapCause::SpoolFull).unwrap();
    assert_eq!(full.start, when);
}
