//! What was noticed and is not looked into yet when it is monitored no more.

use fim_core::{EntityPath, Notice, WhoUnknown};

use super::*;

fn touched(name: &str, time: Timestamp) -> Hint {
    let notice = Notice::Touched(EntityPath::unix(format!("/etc/{name}")));
    Hint { notice, time, since: time, by: Err(WhoUnknown::NotTold) }
}

#[test]
fn what_was_noticed_before_monitoring_was_disabled_or_a_rule_removed_is_told() {
    for to_come in [Settings { fim_enabled: false, ..settings(&["/etc"]) }, settings(&["/srv"])] {
        let mut world = World::new();
        let mut engine = world.boot(Stop::Clean, &["/etc", "/srv"]).unwrap();
        engine.take_in(Input::RealTime { is_on: true });
        engine.tick();
        world.tamper();
        let time = world.now();
        let [first, rest @ ..] = ["hosts", "new", "passwd", "shadow"].map(|name| touched(name, time));
        // Of some the engine knows, others are on their way to it.
        engine.take_in(Input::Noticed(first));
        engine.parts.inbox.put_hints(&mut rest.to_vec());
        engine.change_settings(to_come);
        engine.sync_spool();
        world.deliver(&engine);
        assert_eq!(world.reported(), TAMPERED);
        assert!(world.gaps.is_empty(), "{:?}", world.gaps);
    }
}

#[test]
fn what_was_noticed_and_could_not_be_looked_into_before_monitoring_was_disabled_is_a_gap() {
    let mut world = World::new();
    let mut engine = world.boot(Stop::Clean, &["/etc"]).unwrap();
    engine.take_in(Input::RealTime { is_on: true });
    engine.tick();
    // It never keeps still for as long as it takes to be read.
    world.tree.file("/etc/hosts", "evil").change_while_read("/etc/hosts", 1000);
    let time = world.now();
    engine.take_in(Input::Noticed(touched("hosts", time)));
    engine.change_settings(Settings { fim_enabled: false, ..settings(&["/etc"]) });
    world.deliver(&engine);
    let hosts = GapScope::Within(EntityPath::unix("/etc/hosts"));
    let told: Vec<_> = world.gaps.iter().map(|gap| (&gap.scope, gap.start, gap.end.is_some())).collect();
    assert!(told.contains(&(&hosts, time, true)), "{:?}", world.gaps);
}
