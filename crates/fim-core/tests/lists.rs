//! What is told of lists, and when they are collected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use fim_core::{
    ChangeSource, Controller, Daemon, DaemonState, Gap, GapCause, GapScope, ListDemand, ListKind, ListPart,
    Listed, Lists, Monitored, PackageManager, PathStyle, RunLevels, Software, SoftwareType, StartupType,
    Timestamp, Uncollected,
};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;

fn package(name: &str, version: &str) -> Listed {
    package_of(PackageManager::Dpkg, name, version)
}

fn package_of(manager: PackageManager, name: &str, version: &str) -> Listed {
    Listed::Software(Software {
        manager,
        name: name.to_owned(),
        architecture: Some("amd64".to_owned()),
        software_type: SoftwareType::Package,
        version: Some(version.to_owned()),
        publisher: None,
        description: None,
    })
}

fn empty() -> Lists {
    Lists::new([7; 16], PathStyle::Unix, Vec::new())
}

/// Lists of which software is on, with nothing in it but what dpkg keeps, which was not collected yet.
fn lists() -> Lists {
    let mut lists = empty();
    lists.set(Timestamp(0), Timestamp(0), ListKind::Software, Some(300), &mut Vec::new());
    others(&mut lists, Timestamp(0));
    lists
}

/// Collects what other package managers than dpkg keep, which is nothing.
fn others(lists: &mut Lists, now: Timestamp) {
    for part in [ListPart::Rpm, ListPart::Apk, ListPart::Snap, ListPart::Flatpak] {
        lists.take(now, now, part, Ok(Vec::new()), &mut Vec::new());
    }
}

/// Collects what dpkg keeps, and says what is told.
fn take(lists: &mut Lists, seconds: i64, collected: Result<Vec<Listed>, &str>) -> Vec<String> {
    take_part(lists, seconds, ListPart::Dpkg, collected)
}

fn take_part(
    lists: &mut Lists,
    seconds: i64,
    part: ListPart,
    collected: Result<Vec<Listed>, &str>,
) -> Vec<String> {
    let mut demands = Vec::new();
    let collected = collected.map_err(|why| Uncollected::Unreadable(why.to_owned()));
    let now = Timestamp(seconds * SECOND);
    lists.take(now, now, part, collected, &mut demands);
    demands.iter().filter_map(told).collect()
}

/// Has everything collected that is due, and says what was.
fn due(lists: &mut Lists, now: Timestamp) -> Vec<ListPart> {
    let due: Vec<ListPart> = std::iter::from_fn(|| lists.due(now)).collect();
    for part in &due {
        lists.take(now, now, *part, Ok(Vec::new()), &mut Vec::new());
    }
    due
}

const SOFTWARE: [ListPart; 5] =
    [ListPart::Dpkg, ListPart::Rpm, ListPart::Apk, ListPart::Snap, ListPart::Flatpak];

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
    let end = gap.end.map_or_else(|| "now on".to_owned(), |end| (end.0 / SECOND).to_string());
    format!("gap of {} from {} to {end}: {}", gap.scope, gap.start.0 / SECOND, gap.detail)
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
        lists.take(now, now, ListPart::Dpkg, collected, &mut demands);
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
    assert_eq!(take(&mut lists, 300, Err("locked")), ["gap of dpkg from 0 to now on: locked"]);
    assert!(take(&mut lists, 600, Err("locked")).is_empty(), "it is told once");
    let mut restarted = Lists::new([7; 16], PathStyle::Unix, lists.memory());
    restarted.set(
        Timestamp(700 * SECOND),
        Timestamp(700 * SECOND),
        ListKind::Software,
        Some(300),
        &mut Vec::new(),
    );
    assert_eq!(take(&mut restarted, 900, Ok(vec![])), ["gap of dpkg from 0 to 900: locked", "Removed a 1 -"]);
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
            "BaselinePending gap of Software from 5 to {until}: there is nothing to compare with before it is collected for the \
             first time"
        )
    };
    let mut lists = empty();
    assert_eq!(set(&mut lists, 5, Some(300)), [awaited("now on")]);
    assert!(set(&mut lists, 6, Some(300)).is_empty(), "it is told once");
    assert!(take(&mut lists, 7, Ok(vec![])).is_empty() && lists.is_awaited(ListKind::Software));
    let mut restarted = Lists::new([7; 16], PathStyle::Unix, lists.memory());
    assert!(set(&mut restarted, 10, Some(300)).is_empty());
    let mut demands = Vec::new();
    let now = Timestamp(20 * SECOND);
    for part in [ListPart::Rpm, ListPart::Apk, ListPart::Snap] {
        restarted.take(now, now, part, Ok(vec![]), &mut demands);
    }
    assert!(gaps(&demands).is_empty());
    // What cannot be read is a gap of its own from then on.
    let why = Uncollected::Unreadable("locked".to_owned());
    restarted.take(now, now, ListPart::Flatpak, Err(why), &mut demands);
    let locked = "Unreadable gap of flatpak from 20 to now on: locked".to_owned();
    assert_eq!(gaps(&demands), [locked, awaited("20")]);
    assert!(
        set(&mut Lists::new([7; 16], PathStyle::Unix, restarted.memory()), 30, Some(300)).is_empty(),
        "it is told once"
    );
    assert_eq!(take_part(&mut restarted, 30, ListPart::Flatpak, Ok(vec![])).len(), 1);
    assert!(set(&mut restarted, 30, None).is_empty());
    assert_eq!(set(&mut restarted, 31, Some(300)).len(), 1, "switched off it is forgotten");
    assert_eq!(set(&mut restarted, 32, None).len(), 1, "and nothing is awaited");
}

#[test]
fn a_list_that_is_lost_is_a_gap_since_it_was_surely_collected_last() {
    let mut lists = empty();
    lists.lose(Timestamp(1000 * SECOND), "gone");
    let told = set(&mut lists, 1010, Some(300));
    assert_eq!(told[0], "StateLost gap of Software from 700 to 1010: gone");
    assert!(told[1].starts_with("BaselinePending gap of Software from 1010 to now on"), "{told:?}");
    assert!(set(&mut lists, 1020, Some(300)).is_empty(), "it is told once");
    // Of what is not collected nothing was promised.
    let mut lists = empty();
    lists.lose(Timestamp(1000 * SECOND), "gone");
    assert!(set(&mut lists, 1010, None).is_empty());
    assert_eq!(set(&mut lists, 1020, Some(300)).len(), 1);
}

#[test]
fn a_list_is_due_at_its_interval() {
    let mut lists = empty();
    set(&mut lists, 0, Some(300));
    assert_eq!(due(&mut lists, Timestamp(0)), SOFTWARE);
    assert_eq!(due(&mut lists, Timestamp(299 * SECOND)), []);
    assert_eq!(due(&mut lists, Timestamp(300 * SECOND)), SOFTWARE);
    assert_eq!(due(&mut lists, Timestamp(301 * SECOND)), [], "daemons are off");
}

#[test]
fn a_list_that_takes_long_to_be_collected_is_not_collected_twice_at_a_time_and_holds_up_no_other() {
    let mut lists = lists();
    assert_eq!(lists.due(Timestamp(0)), Some(ListPart::Dpkg));
    lists.set(Timestamp(0), Timestamp(0), ListKind::Daemons, Some(300), &mut Vec::new());
    let all: Vec<ListPart> = std::iter::from_fn(|| lists.due(Timestamp(900 * SECOND))).collect();
    let daemons = [ListPart::Systemd, ListPart::Init];
    assert_eq!(all, [&daemons, &SOFTWARE[1..]].concat());
    assert_eq!(lists.next(), None);
    // Switched off and on again it is still under way.
    set(&mut lists, 900, None);
    set(&mut lists, 900, Some(300));
    assert_eq!(lists.due(Timestamp(900 * SECOND)), None);
    let collected = Ok(vec![package("a", "1")]);
    lists.take(Timestamp(950 * SECOND), Timestamp(0), ListPart::Dpkg, collected, &mut Vec::new());
    assert_eq!(lists.next(), Some(Timestamp(980 * SECOND)), "it has its rest");
    // What is known of it is as old as the beginning.
    assert_eq!(take(&mut lists, 1000, Err("locked")), ["gap of dpkg from 0 to now on: locked"]);
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
        let mut lists = empty();
        lists.set(Timestamp(0), Timestamp(0), ListKind::Daemons, Some(10), &mut Vec::new());
        let mut stored: Option<Lists> = None;
        for (number, look) in (0..).zip(looks) {
            let mut demands = Vec::new();
            let collected = look.clone().map(|all| all.into_iter().map(Listed::Daemon).collect());
            let now = Timestamp(number);
            let collected = collected.ok_or_else(|| Uncollected::Unreadable(String::new()));
            lists.take(now, now, ListPart::Systemd, collected, &mut demands);
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
                    None => stored = Some(Lists::new([7; 16], PathStyle::Unix, lists.memory())),
                }
            }
        }
    }
}

#[test]
fn a_list_that_cannot_be_read_is_tried_again_soon_and_then_at_growing_distances() {
    let mut lists = lists();
    take(&mut lists, 0, Ok(vec![package("a", "1")]));
    let next = |lists: &mut Lists| {
        // The others are of no interest.
        others(lists, Timestamp(100_000 * SECOND));
        lists.next().map(|next| next.0 / SECOND)
    };
    let mut now = 300;
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        take(&mut lists, now, Err("locked"));
        assert_eq!(next(&mut lists), Some(now + pause));
        now += pause;
    }
    take(&mut lists, now, Ok(vec![package("a", "1")]));
    assert_eq!(next(&mut lists), Some(now + 300));
    take(&mut lists, now + 300, Err("locked"));
    assert_eq!(next(&mut lists), Some(now + 301), "it begins anew");
}

#[test]
fn a_part_that_cannot_be_read_is_a_gap_of_its_own_and_what_changes_of_the_others_is_told() {
    let mut lists = lists();
    take(&mut lists, 0, Ok(vec![package("a", "1")]));
    take_part(&mut lists, 0, ListPart::Rpm, Ok(vec![package_of(PackageManager::Rpm, "r", "1")]));
    assert_eq!(take_part(&mut lists, 5, ListPart::Rpm, Err("empty")), ["gap of rpm from 0 to now on: empty"]);
    assert_eq!(take(&mut lists, 6, Ok(vec![package("a", "2")])), ["Modified a 1 2"]);
    let told = take_part(&mut lists, 9, ListPart::Rpm, Ok(vec![]));
    assert_eq!(told, ["gap of rpm from 0 to 9: empty", "Removed r 1 -"]);
}

#[test]
fn a_database_that_is_gone_is_no_removal_of_all_that_was_in_it_and_none_where_nothing_was() {
    let mut lists = lists();
    let gone = |lists: &mut Lists, seconds: i64, part: ListPart| {
        let mut demands = Vec::new();
        let now = Timestamp(seconds * SECOND);
        lists.take(now, now, part, Err(Uncollected::Missing("not found".to_owned())), &mut demands);
        demands.iter().filter_map(told).collect::<Vec<_>>()
    };
    assert!(gone(&mut lists, 0, ListPart::Dpkg).is_empty(), "it never had any");
    take(&mut lists, 300, Ok(vec![package("a", "1")]));
    assert_eq!(gone(&mut lists, 600, ListPart::Dpkg), ["gap of dpkg from 300 to now on: not found"]);
    let mut restarted = Lists::new([7; 16], PathStyle::Unix, lists.memory());
    set(&mut restarted, 700, Some(300));
    assert!(gone(&mut restarted, 700, ListPart::Dpkg).is_empty(), "it is told once");
    // Where its folder is gone too, nothing of the manager is left.
    assert_eq!(
        take(&mut restarted, 900, Ok(vec![])),
        ["gap of dpkg from 300 to 900: not found", "Removed a 1 -"]
    );
}

#[test]
fn what_is_noticed_is_looked_at_once_it_keeps_still_and_at_the_latest_after_two_seconds() {
    const MILLI: i64 = SECOND / 1000;
    let mut lists = empty();
    set(&mut lists, 0, Some(300));
    due(&mut lists, Timestamp(0));
    lists.touch(Timestamp(1000 * MILLI), ListPart::Rpm);
    assert_eq!(lists.next(), Some(Timestamp(1200 * MILLI)));
    assert_eq!(due(&mut lists, Timestamp(1199 * MILLI)), []);
    assert_eq!(due(&mut lists, Timestamp(1200 * MILLI)), [ListPart::Rpm]);
    for millis in (2000..4000).step_by(100) {
        lists.touch(Timestamp(millis * MILLI), ListPart::Dpkg);
        assert_eq!(due(&mut lists, Timestamp(millis * MILLI)), []);
    }
    lists.touch(Timestamp(4000 * MILLI), ListPart::Dpkg);
    assert_eq!(due(&mut lists, Timestamp(4000 * MILLI)), [ListPart::Dpkg]);
    // Whoever writes without end has it read a sixth of the time at most.
    let [noticed, begun, ended] = [5000, 5200, 5700].map(|millis| Timestamp(millis * MILLI));
    lists.touch(noticed, ListPart::Dpkg);
    assert_eq!(lists.due(begun), Some(ListPart::Dpkg));
    lists.touch(Timestamp(5300 * MILLI), ListPart::Dpkg);
    assert_eq!(lists.due(Timestamp(6000 * MILLI)), None, "it is under way");
    lists.take(ended, begun, ListPart::Dpkg, Ok(vec![]), &mut Vec::new());
    assert_eq!(lists.next(), Some(Timestamp(8200 * MILLI)));
    // A clock that is set back puts nothing off.
    assert_eq!(due(&mut lists, Timestamp(100 * MILLI)), []);
    assert_eq!(due(&mut lists, Timestamp(300 * MILLI)), [ListPart::Dpkg]);
}

#[test]
fn a_change_says_whether_it_was_noticed_or_found_by_comparing() {
    let mut lists = lists();
    take(&mut lists, 0, Ok(vec![package("a", "1")]));
    let source = |lists: &mut Lists, now: i64, version: &str| {
        let mut demands = Vec::new();
        let now = Timestamp(now * SECOND);
        assert_eq!(std::iter::from_fn(|| lists.due(now)).next(), Some(ListPart::Dpkg));
        lists.take(now, now, ListPart::Dpkg, Ok(vec![package("a", version)]), &mut demands);
        demands.into_iter().find_map(|demand| match demand {
            ListDemand::Emit(event) => Some(event.source),
            ListDemand::Report(_) | ListDemand::Remember => None,
        })
    };
    lists.touch(Timestamp(5 * SECOND), ListPart::Dpkg);
    assert_eq!(source(&mut lists, 6, "2"), Some(ChangeSource::RealTime));
    assert_eq!(source(&mut lists, 306, "3"), Some(ChangeSource::Scan));
}

#[test]
fn notices_of_lists_that_were_lost_are_a_gap_and_everything_is_looked_at_again() {
    let mut lists = empty();
    set(&mut lists, 0, Some(300));
    due(&mut lists, Timestamp(0));
    let mut demands = Vec::new();
    lists.lose_notices(Timestamp(9 * SECOND), Timestamp(7 * SECOND), "too many", &mut demands);
    assert_eq!(gaps(&demands), ["NoticesLost gap of Software from 7 to 9: too many"]);
    assert_eq!(due(&mut lists, Timestamp(10 * SECOND)), SOFTWARE);
}

#[test]
fn a_script_that_gets_a_unit_and_loses_it_stays_one_daemon() {
    let mut lists = empty();
    lists.set(Timestamp(0), Timestamp(0), ListKind::Daemons, Some(300), &mut Vec::new());
    let daemon = |controller: Controller| {
        let daemon = Daemon { name: "x".to_owned(), controller: Some(controller), ..Daemon::default() };
        Ok(vec![Listed::Daemon(daemon)])
    };
    let told = |told: Vec<String>| told.iter().map(|told| told[..8].to_owned()).collect::<Vec<_>>();
    take_part(&mut lists, 0, ListPart::Systemd, Ok(vec![]));
    take_part(&mut lists, 0, ListPart::Init, daemon(Controller::Init));
    let unit = take_part(&mut lists, 5, ListPart::Systemd, daemon(Controller::Systemd));
    assert_eq!(told(unit), ["Modified"]);
    assert!(take_part(&mut lists, 5, ListPart::Init, Ok(vec![])).is_empty());
    let script = take_part(&mut lists, 9, ListPart::Init, daemon(Controller::Init));
    assert_eq!(told(script), ["Modified"]);
    assert!(take_part(&mut lists, 9, ListPart::Systemd, Ok(vec![])).is_empty());
    assert_eq!(lists.held(ListKind::Daemons).count(), 1);
}

#[test]
fn the_gap_of_a_whole_list_that_an_earlier_version_opened_ends_with_the_first_word_of_a_part() {
    let mut memory = lists().memory();
    let whole = Gap {
        scope: GapScope::List(ListKind::Software),
        start: Timestamp(0),
        end: None,
        cause: GapCause::Unreadable,
        detail: "rpm".to_owned(),
    };
    memory.iter_mut().find(|list| list.kind == ListKind::Software).unwrap().unreadable = Some(whole);
    let mut lists = Lists::new([7; 16], PathStyle::Unix, memory);
    set(&mut lists, 5, Some(300));
    let told = take_part(&mut lists, 6, ListPart::Rpm, Err("empty"));
    assert_eq!(told, ["gap of Software from 0 to 6: rpm", "gap of rpm from 0 to now on: empty"]);
}
