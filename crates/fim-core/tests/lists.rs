//! What is told of lists, and when they are collected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use fim_core::{
    Daemon, DaemonState, Gap, GapCause, GapScope, ListDemand, ListKind, Listed, Lists, Monitored,
    PackageManager, RunLevels, Software, SoftwareType, StartupType, Timestamp,
};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;

fn package(name: &str, version: &str) -> Listed {
    Listed::Software(Software {
        manager: PackageManager::Dpkg,
        name: name.to_owned(),
        architecture: Some("amd64".to_owned()),
        software_type: SoftwareType::Package,
        version: Some(version.to_owned()),
        publisher: None,
        description: None,
    })
}

fn lists() -> Lists {
    let mut lists = Lists::new([7; 16], Vec::new());
    lists.set(Timestamp(0), Timestamp(0), ListKind::Software, Some(300), &mut Vec::new());
    lists
}

/// Collects the software, and says what is told.
fn take(lists: &mut Lists, seconds: i64, collected: Result<Vec<Listed>, &str>) -> Vec<String> {
    let mut demands = Vec::new();
    let collected = collected.map_err(str::to_owned);
    let now = Timestamp(seconds * SECOND);
    lists.take(now, now, ListKind::Software, collected, &mut demands);
    demands.iter().filter_map(told).collect()
}

fn told(demand: &ListDemand) -> Option<String> {
    match demand {
        ListDemand::Emit(event) => {
            let version = |side: &Option<Listed>| match side {
                Some(Listed::Software(software)) => software.version.clone().unwrap_or_default(),
                Some(Listed::Daemon(_) | Listed::Service(_)) | None => "-".to_owned(),
            };
            let change = &event.change;
            let category = change.category().unwrap().name();
            Some(format!("{category} {} {} {}", change.key, version(&change.before), version(&change.after)))
        }
        ListDemand::Report(gap) if gap.cause == GapCause::BaselinePending => None,
        ListDemand::Report(gap) => Some(gap_text(gap)),
        ListDemand::Remember => None,
    }
}

/// The gaps of a list that is set to be collected.
fn set(lists: &mut Lists, seconds: i64, interval_seconds: Option<u64>) -> Vec<String> {
    let mut demands = Vec::new();
    lists.set(
        Timestamp(seconds * SECOND),
        Timestamp(seconds * SECOND),
        ListKind::Software,
        interval_seconds,
        &mut demands,
    );
    gaps(&demands)
}

fn gaps(demands: &[ListDemand]) -> Vec<String> {
    let gap = |demand: &ListDemand| match demand {
        ListDemand::Report(gap) => Some(format!("{:?} {}", gap.cause, gap_text(gap))),
        ListDemand::Emit(_) | ListDemand::Remember => None,
    };
    demands.iter().filter_map(gap).collect()
}

fn gap_text(gap: &Gap) -> String {
    assert_eq!(gap.scope, GapScope::List(ListKind::Software));
    let end = gap.end.map_or_else(|| "now on".to_owned(), |end| (end.0 / SECOND).to_string());
    format!("gap from {} to {end}: {}", gap.start.0 / SECOND, gap.detail)
}

#[test]
fn the_first_collection_is_a_baseline_and_differences_follow() {
    let mut lists = lists();
    assert!(take(&mut lists, 0, Ok(vec![package("a", "1"), package("b", "1")])).is_empty());
    let told = take(&mut lists, 300, Ok(vec![package("a", "2"), package("c", "1")]));
    assert_eq!(told, ["Modified a 1 2", "Added c - 1", "Removed b 1 -"]);
    assert!(take(&mut lists, 600, Ok(vec![package("a", "2"), package("c", "1")])).is_empty());
}

#[test]
fn each_turn_of_a_package_that_goes_to_and_fro_is_a_change_of_its_own() {
    let mut lists = lists();
    let mut ids = BTreeSet::new();
    for (seconds, version) in (0..).zip(["1", "2", "1", "2", "1"]) {
        let mut demands = Vec::new();
        let collected = Ok(vec![package("a", version)]);
        let now = Timestamp(seconds * SECOND);
        lists.take(now, now, ListKind::Software, collected, &mut demands);
        ids.extend(demands.iter().filter_map(|demand| match demand {
            ListDemand::Emit(event) => Some(event.id),
            ListDemand::Report(_) | ListDemand::Remember => None,
        }));
    }
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_list_that_cannot_be_read_is_a_gap_and_what_changed_meanwhile_is_told() {
    let mut lists = lists();
    take(&mut lists, 0, Ok(vec![package("a", "1")]));
    assert_eq!(take(&mut lists, 300, Err("locked")), ["gap from 0 to now on: locked"]);
    assert!(take(&mut lists, 600, Err("locked")).is_empty(), "it is told once");
    let mut restarted = Lists::new([7; 16], lists.memory());
    restarted.set(
        Timestamp(700 * SECOND),
        Timestamp(700 * SECOND),
        ListKind::Software,
        Some(300),
        &mut Vec::new(),
    );
    assert_eq!(take(&mut restarted, 900, Ok(vec![])), ["gap from 0 to 900: locked", "Removed a 1 -"]);
}

#[test]
fn a_list_that_is_switched_off_is_a_baseline_when_it_is_on_again() {
    let mut lists = lists();
    take(&mut lists, 0, Ok(vec![package("a", "1")]));
    lists.set(Timestamp(SECOND), Timestamp(SECOND), ListKind::Software, None, &mut Vec::new());
    assert_eq!(lists.next(), None);
    lists.set(Timestamp(2 * SECOND), Timestamp(2 * SECOND), ListKind::Software, Some(300), &mut Vec::new());
    assert!(take(&mut lists, 3, Ok(vec![package("b", "1")])).is_empty());
}

#[test]
fn until_it_was_collected_for_the_first_time_a_list_is_a_gap_also_through_a_restart() {
    let awaited = |until: &str| {
        format!(
            "BaselinePending gap from 5 to {until}: there is nothing to compare with before it is collected for the \
             first time"
        )
    };
    let mut lists = Lists::new([7; 16], Vec::new());
    assert_eq!(set(&mut lists, 5, Some(300)), [awaited("now on")]);
    assert!(set(&mut lists, 6, Some(300)).is_empty(), "it is told once");
    take(&mut lists, 7, Err("locked"));
    let mut restarted = Lists::new([7; 16], lists.memory());
    assert!(set(&mut restarted, 10, Some(300)).is_empty());
    let mut demands = Vec::new();
    let now = Timestamp(20 * SECOND);
    restarted.take(now, now, ListKind::Software, Ok(vec![package("a", "1")]), &mut demands);
    assert_eq!(gaps(&demands), ["Unreadable gap from 7 to 20: locked".to_owned(), awaited("20")]);
    assert!(set(&mut Lists::new([7; 16], restarted.memory()), 30, Some(300)).is_empty());
    assert!(set(&mut restarted, 30, None).is_empty());
    assert_eq!(set(&mut restarted, 31, Some(300)).len(), 1, "switched off it is forgotten");
    assert_eq!(set(&mut restarted, 32, None).len(), 1, "and nothing is awaited");
}

#[test]
fn a_list_that_is_lost_is_a_gap_since_it_was_surely_collected_last() {
    let mut lists = Lists::new([7; 16], Vec::new());
    lists.lose(Timestamp(1000 * SECOND), "gone");
    let told = set(&mut lists, 1010, Some(300));
    assert_eq!(told[0], "StateLost gap from 700 to 1010: gone");
    assert!(told[1].starts_with("BaselinePending gap from 1010 to now on"), "{told:?}");
    assert!(set(&mut lists, 1020, Some(300)).is_empty(), "it is told once");
    // Of what is not collected nothing was promised.
    let mut lists = Lists::new([7; 16], Vec::new());
    lists.lose(Timestamp(1000 * SECOND), "gone");
    assert!(set(&mut lists, 1010, None).is_empty());
    assert_eq!(set(&mut lists, 1020, Some(300)).len(), 1);
}

#[test]
fn a_list_is_due_at_its_interval() {
    let mut lists = lists();
    assert_eq!(lists.due(Timestamp(0)), Some(ListKind::Software));
    take(&mut lists, 0, Ok(vec![]));
    assert_eq!(lists.due(Timestamp(299 * SECOND)), None);
    assert_eq!(lists.due(Timestamp(300 * SECOND)), Some(ListKind::Software));
    take(&mut lists, 300, Ok(vec![]));
    assert_eq!(lists.due(Timestamp(301 * SECOND)), None, "daemons are off");
}

#[test]
fn a_list_that_takes_long_to_be_collected_is_not_collected_twice_at_a_time_and_holds_up_no_other() {
    let mut lists = lists();
    let (software, daemons) = (ListKind::Software, ListKind::Daemons);
    assert_eq!(lists.due(Timestamp(0)), Some(software));
    lists.set(Timestamp(0), Timestamp(0), daemons, Some(300), &mut Vec::new());
    assert_eq!(lists.due(Timestamp(900 * SECOND)), Some(daemons));
    assert_eq!((lists.due(Timestamp(900 * SECOND)), lists.next()), (None, None));
    // Switched off and on again it is still under way.
    set(&mut lists, 900, None);
    set(&mut lists, 900, Some(300));
    assert_eq!(lists.due(Timestamp(900 * SECOND)), None);
    lists.take(Timestamp(950 * SECOND), Timestamp(0), software, Ok(vec![package("a", "1")]), &mut Vec::new());
    assert_eq!(lists.next(), Some(Timestamp(980 * SECOND)), "it has its rest");
    // What is known of it is as old as the beginning.
    assert_eq!(take(&mut lists, 1000, Err("locked")), ["gap from 0 to now on: locked"]);
}

#[test]
fn run_levels_read_as_the_published_collector_writes_them() {
    assert_eq!(RunLevels::default().with(5).with(2).with(3).with(9).to_string(), "2, 3, 5");
    assert_eq!(RunLevels::default().to_string(), "");
}

fn daemon() -> impl Strategy<Value = Daemon> {
    let state = prop::option::of(prop::sample::select(vec![DaemonState::Running, DaemonState::Stopped]));
    let startup = prop::option::of(prop::sample::select(vec![
        StartupType::Auto,
        StartupType::Manual,
        StartupType::Disabled,
    ]));
    let text = || prop::option::of(prop::sample::select(vec!["", "x", "y"]).prop_map(str::to_owned));
    (0_u8..4, state, startup, text(), text(), prop::option::of(0_u8..3)).prop_map(
        |(name, state, startup, path, account, levels)| Daemon {
            name: name.to_string(),
            state,
            startup,
            path,
            account,
            run_levels: levels.map(RunLevels::from_bits),
            ..Daemon::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_of_a_list_leads_from_what_was_stored_to_what_is_held(
        looks in prop::collection::vec(prop::option::of(prop::collection::vec(daemon(), 0..5)), 1..6),
    ) {
        let mut lists = Lists::new([7; 16], Vec::new());
        lists.set(Timestamp(0), Timestamp(0), ListKind::Daemons, Some(10), &mut Vec::new());
        let mut stored: Option<Lists> = None;
        for (number, look) in (0..).zip(looks) {
            let mut demands = Vec::new();
            let collected = look.clone().map(|all| all.into_iter().map(Listed::Daemon).collect());
            let now = Timestamp(number);
            lists.take(now, now, ListKind::Daemons, collected.ok_or_else(String::new), &mut demands);
            if let Some(stored) = &mut stored {
                for demand in &demands {
                    if let ListDemand::Emit(event) = demand {
                        stored.fold(event);
                    }
                }
            }
            if let Some(look) = look {
                // Whatever was seen is held, completed by what was known before.
                let seen: BTreeMap<_, _> = look.into_iter().map(Listed::Daemon).map(|one| (one.key(), one)).collect();
                let held: BTreeMap<_, _> = lists.held(ListKind::Daemons).map(|one| (one.key(), one.clone())).collect();
                prop_assert_eq!(seen.keys().collect::<Vec<_>>(), held.keys().collect::<Vec<_>>());
                for (key, one) in seen {
                    prop_assert_eq!(&Listed::absorb(held[&key].clone(), one), &held[&key]);
                }
                match &stored {
                    Some(stored) => {
                        let folded: Vec<_> = stored.held(ListKind::Daemons).collect();
                        prop_assert!(folded.iter().all(|one| held[&one.key()].compare(one, fim_core::AspectSet::ALL).is_empty()));
                        prop_assert_eq!(folded.len(), held.len());
                    }
                    None => stored = Some(Lists::new([7; 16], lists.memory())),
                }
            }
        }
    }
}

#[test]
fn a_list_that_cannot_be_read_is_tried_again_soon_and_then_at_growing_distances() {
    let mut lists = lists();
    take(&mut lists, 0, Ok(vec![package("a", "1")]));
    let next = |lists: &Lists| lists.next().map(|next| next.0 / SECOND);
    let mut now = 300;
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        take(&mut lists, now, Err("locked"));
        assert_eq!(next(&lists), Some(now + pause));
        now += pause;
    }
    take(&mut lists, now, Ok(vec![package("a", "1")]));
    assert_eq!(next(&lists), Some(now + 300));
    take(&mut lists, now + 300, Err("locked"));
    assert_eq!(next(&lists), Some(now + 301), "it begins anew");
}
