//! Lists and the inventory through the engine.

use super::*;

fn install(world: &World, packages: &[(&str, &str)]) {
    let paragraph = |(name, version): &(&str, &str)| format!("Package: {name}\nVersion: {version}\n\n");
    let status: String = packages.iter().map(paragraph).collect();
    world.tree.file("/var/lib/dpkg/status", status.into_bytes());
}

/// What the server has of changes in lists: `+` added, `~` modified, `-` removed.
fn listed(world: &World) -> Vec<String> {
    let sign = |event: &ChangeEvent<Listed>| match event.change.category() {
        Some(ChangeCategory::Added) => '+',
        Some(ChangeCategory::Modified) => '~',
        Some(ChangeCategory::Removed) => '-',
        None => '?',
    };
    world.listed.iter().map(|event| format!("{}{}", sign(event), event.change.key)).collect()
}

#[test]
fn software_is_a_baseline_first_and_its_changes_are_told_once_also_after_a_stop() {
    let mut world = World::new();
    install(&world, &[("bash", "1"), ("curl", "1")]);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.deliver(&engine);
    assert_eq!(listed(&world), [""; 0]);
    install(&world, &[("bash", "2"), ("curl", "1")]);
    for _ in 0..3 {
        world.pass(10);
        engine.tick();
        world.deliver(&engine);
    }
    assert_eq!(listed(&world), ["~bash"]);
    engine.finish();
    install(&world, &[("bash", "2"), ("nmap", "7")]);
    for _ in 0..2 {
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        world.deliver(&engine);
        engine.finish();
    }
    assert_eq!(listed(&world), ["~bash", "+nmap", "-curl"]);
}

#[test]
fn a_list_that_cannot_be_read_is_a_gap_of_its_own_and_no_removal() {
    let mut world = World::new();
    install(&world, &[("bash", "1")]);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.tree.refuse("/var/lib/dpkg/status", fim_scan::TreeError::PermissionDenied);
    world.pass(10);
    engine.tick();
    world.tree.allow("/var/lib/dpkg/status");
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(listed(&world), [""; 0]);
    let scopes: Vec<_> = world.gaps.iter().map(|gap| (gap.scope.clone(), gap.end.is_some())).collect();
    let software = GapScope::Part(ListPart::Dpkg);
    assert_eq!(scopes, [(software.clone(), false), (software, true)]);
}

#[test]
fn a_list_that_the_file_system_lets_hang_is_a_gap_and_holds_up_nothing_else() {
    let mut world = World::new();
    install(&world, &[("bash", "1")]);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.tree.hang("/var/lib/dpkg/status");
    engine.list_turn = Duration::ZERO;
    engine.list_patience = Some(Duration::ZERO);
    world.tamper();
    for _ in 0..3 {
        world.pass(10);
        engine.tick();
        world.deliver(&engine);
    }
    assert_eq!(world.reported(), TAMPERED, "scans go on");
    let software = GapScope::Part(ListPart::Dpkg);
    // Nothing is waited for here, so that others may be told as well until they have answered.
    let hung: Vec<&Gap> = world.gaps.iter().filter(|gap| gap.scope == software).collect();
    let causes: Vec<_> = hung.iter().map(|gap| (gap.cause, gap.end)).collect();
    assert_eq!(causes, [(GapCause::Unreadable, None)], "it is told once");
    assert!(hung[0].detail.contains("did not answer"), "{hung:?}");
    world.tree.answer();
    // Only one thread waited.
    engine.await_lists(Duration::from_secs(60));
    install(&world, &[("bash", "2")]);
    world.pass(10);
    engine.list_turn = Duration::from_secs(60);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(listed(&world), ["~bash"]);
    assert!(world.gaps.iter().any(|gap| gap.scope == software && gap.end.is_some()));
}

#[test]
fn a_power_loss_at_any_operation_of_a_collection_leaves_one_report_of_each_change() {
    let prepared = || {
        let world = World::new();
        install(&world, &[("bash", "1"), ("curl", "1")]);
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        install(&world, &[("bash", "2"), ("nmap", "7")]);
        world.pass(10);
        (world, engine)
    };
    let operations = {
        let (world, mut engine) = prepared();
        let before = world.disk.operations();
        engine.tick();
        before..world.disk.operations() + 1
    };
    assert!(operations.end - operations.start > 5, "{operations:?}");
    for operation in operations {
        for survives in [Survives::Nothing, Survives::Everything, Survives::Any(operation)] {
            let (mut world, mut engine) = prepared();
            world.disk.fail_at(operation, Fault::PowerLoss);
            engine.tick();
            drop(engine);
            world.disk.lose_power(survives);
            for _ in 0..2 {
                let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
                engine.tick();
                world.deliver(&engine);
            }
            let mut told = listed(&world);
            told.sort();
            assert_eq!(
                told,
                ["+nmap", "-curl", "~bash"],
                "power lost at operation {operation}, {survives:?}"
            );
        }
    }
}

#[test]
fn lists_that_somebody_removed_or_damaged_are_told_each_since_they_were_surely_collected_last() {
    let file = std::path::Path::new("/state/lists");
    let befalls: [fn(&FaultyDisk, &std::path::Path); 2] =
        [|disk, file| disk.remove(file).unwrap(), |disk, file| disk.damage(file, 20)];
    for befall in befalls {
        let mut world = World::new();
        install(&world, &[("bash", "1")]);
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        world.pass(5);
        // Behind the last collection, while the sensor still runs.
        install(&world, &[("bash", "2")]);
        let when = world.now();
        world.pass(2);
        engine.finish();
        befall(&world.disk, file);
        world.disk.sync_dir(std::path::Path::new("/state")).unwrap();
        // A start that ends before the lists are kept anew finds it again.
        drop(world.boot(Stop::Unclean, &[]).unwrap());
        let mut engine = world.boot(Stop::Unclean, &["/etc"]).unwrap();
        engine.tick();
        world.deliver(&engine);
        let software = GapScope::List(ListKind::Software);
        let covers = |gap: &&Gap| gap.scope == software && gap.start < when && gap.end.is_some();
        let lost: Vec<_> = world.gaps.iter().filter(covers).map(|gap| gap.cause).collect();
        assert!(lost.contains(&GapCause::StateLost), "{:?}", world.gaps);
        assert!(world.pending.iter().any(|gap| gap.scope == software && gap.end.is_some()));
        // It is told no more, and there is something to compare with again.
        let told = world.gaps.len();
        engine.finish();
        install(&world, &[("bash", "3")]);
        let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
        engine.tick();
        world.deliver(&engine);
        assert_eq!(listed(&world), ["~bash"]);
        assert!(world.gaps[told..].iter().all(|gap| gap.cause != GapCause::StateLost), "{:?}", world.gaps);
    }
}

#[test]
fn an_inventory_tells_everything_at_its_interval_and_leaves_changes_half_of_the_spool() {
    let mut world = World::new();
    install(&world, &[("bash", "1")]);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    let every_minute = |engine: &mut Engine<MemoryTree, FaultyDisk>| {
        engine.change_settings(Settings { inventory_interval_seconds: Some(60), ..settings(&["/etc"]) });
    };
    every_minute(&mut engine);
    for _ in 0..7 {
        engine.tick();
        world.pass(10);
        world.deliver(&engine);
    }
    let name = |inventory: &Inventory| match &inventory.seen {
        Seen::File(entity) => entity.key.path().to_string(),
        Seen::Listed(listed) => fim_core::Monitored::key(listed).to_string(),
    };
    let all = ["/etc", "/etc/hosts", "/etc/passwd", "/etc/shadow", "/etc/ssh", "/etc/ssh/config", "bash"];
    let told: Vec<String> = world.inventory.iter().map(name).collect();
    assert_eq!(told, [all, all].concat());

    let mut full = World::new();
    full.spool_bytes = 1 << 12;
    let mut engine = full.boot(Stop::Clean, &["/etc"]).unwrap();
    for number in 0..100 {
        full.tree.file(format!("/etc/{number}"), "x");
    }
    every_minute(&mut engine);
    engine.tick();
    full.tamper();
    full.pass(10);
    engine.tick();
    full.deliver(&engine);
    assert!(full.causes().is_empty(), "the inventory has not filled the spool: {:?}", full.causes());
    assert!(full.inventory.len() < 100);
}

#[test]
fn what_is_noticed_of_a_list_is_told_before_its_interval_is_over() {
    let mut world = World::new();
    install(&world, &[("bash", "1")]);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    install(&world, &[("bash", "2")]);
    let touched = [ListPart::Dpkg].into();
    engine.parts.inbox.put_list_notices(ListNotices { touched, lost_since: None });
    engine.tick();
    world.deliver(&engine);
    assert_eq!(listed(&world), [""; 0], "more may follow");
    world.pass(1);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(listed(&world), ["~bash"]);
    assert_eq!(world.listed[0].source, ChangeSource::RealTime);
}

#[test]
fn a_database_that_cannot_be_read_keeps_nothing_of_another_from_being_told() {
    let mut world = World::new();
    install(&world, &[("bash", "1")]);
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.tick();
    world.tree.file("/var/lib/rpm/Packages.db", "");
    install(&world, &[("bash", "2")]);
    world.pass(10);
    engine.tick();
    world.deliver(&engine);
    assert_eq!(listed(&world), ["~bash"]);
    let gaps: Vec<_> = world.gaps.iter().map(|gap| (gap.scope.clone(), gap.cause, gap.end)).collect();
    assert_eq!(gaps, [(GapScope::Part(ListPart::Rpm), GapCause::Unreadable, None)]);
}
