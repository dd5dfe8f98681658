//! The laws of real time: whatever happens in whatever order, what is noticed ends in the true state with all who had
//! a part in it, what is not there is not made up, and what notices were lost of is found again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/script.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod script;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use fim_core::{
    Actor, ChangeCategory, ChangeEvent, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes,
    GapCause, GapScope, Hint, Input, Loss, Notice, Observation, PathStyle, Rule, RuleSet, ScanEnd, Settings,
    SpotsEnd, Stop, Timestamp, WhoUnknown,
};
use proptest::prelude::*;
use script::Sensor;

const MILLI: i64 = 1_000_000;

#[derive(Clone, Debug)]
enum Act {
    Write {
        place: usize,
        content: u8,
    },
    Delete {
        place: usize,
    },
    Move {
        from: usize,
        to: usize,
    },
    /// A notice of what never happened.
    Rumour {
        place: usize,
    },
}

#[derive(Clone, Debug)]
struct Step {
    act: Act,
    actor: u32,
    is_lost: bool,
    pause_millis: i64,
}

/// What happens while a scan is under way.
#[derive(Clone, Debug)]
enum Turn {
    Step(Step),
    /// The scan reads the next place.
    Read,
    /// The tracker is handed the next place that was read.
    Pass,
}

/// The places that the rule names, in path order.
const MONITORED: [&str; 5] = ["/etc/a", "/etc/b", "/etc/d/x", "/etc/d/y", "/etc/z"];

const PLACES: [&str; 6] = ["/etc/a", "/etc/b", "/etc/d/x", "/etc/d/y", "/etc/z", "/var/out"];

struct World {
    sensor: Sensor,
    /// Content and identity of each file.
    files: BTreeMap<EntityPath, (u8, u64)>,
    next_inode: u64,
    /// Who touched what since the world began.
    touched: BTreeMap<EntityPath, BTreeSet<u32>>,
    /// The files that are monitored, each by its number.
    alive: BTreeMap<u64, Life>,
    /// Those that were, and are gone.
    gone: Vec<Life>,
}

/// A file while it was monitored.
#[derive(Clone, Debug)]
struct Life {
    since: Timestamp,
    names: BTreeSet<EntityPath>,
    /// Those of its names under which something was known when it took them.
    taken: BTreeSet<EntityPath>,
}

impl World {
    fn new() -> Self {
        let mut sensor = Sensor::new();
        sensor.now = Timestamp(1_000_000 * MILLI);
        sensor.step(Input::RealTime { is_on: true });
        sensor.step(Input::Started { last_alive: None, stop: Stop::Unclean, memory: Box::default() });
        let mut world = Self {
            sensor,
            files: BTreeMap::new(),
            next_inode: 100,
            touched: BTreeMap::new(),
            alive: BTreeMap::new(),
            gone: Vec::new(),
        };
        for place in ["/etc/a", "/etc/d/x", "/var/out"] {
            world.write(&EntityPath::unix(place), 0);
        }
        let settings = world.settings();
        world.sensor.step(Input::SettingsChanged(settings));
        world.scan();
        world.live();
        world
    }

    fn write(&mut self, path: &EntityPath, content: u8) {
        let inode = self.files.get(path).map_or(self.next_inode, |(_, inode)| *inode);
        self.next_inode += 1;
        self.files.insert(path.clone(), (content, inode));
    }

    fn observation(&self, path: &EntityPath) -> Observation {
        let key = EntityKey::File(path.clone());
        match self.files.get(path) {
            None => Observation::Absent(key),
            Some((content, inode)) => Observation::Present(Box::new(Entity {
                key,
                kind: EntityKind::File,
                attributes: FileAttributes {
                    inode: Some(*inode),
                    device: Some(1),
                    created: Some(Timestamp(*inode as i64)),
                    ..FileAttributes::default()
                },
                digest: Some(Digest([*content; 32])),
            })),
        }
    }

    fn monitored(&self) -> impl Iterator<Item = &EntityPath> {
        self.files.keys().filter(|path| path.is_within(&EntityPath::unix("/etc")))
    }

    /// A sensor that was killed starts again, after changes that nobody noticed; its first scan is under way.
    fn restart(&mut self) {
        self.sensor.now = self.sensor.now.plus_nanos(1000 * MILLI);
        let settings = self.settings();
        self.sensor.restart(self.sensor.now, Stop::Unclean);
        self.sensor.step(Input::RealTime { is_on: true });
        self.sensor.step(Input::SettingsChanged(settings));
        assert!(self.sensor.tracker.is_scanning());
    }

    fn settings(&self) -> Settings {
        let rule = Rule { recurse: true, ..Rule::new("etc", "Custom", "/etc") };
        let rules = RuleSet::new(vec![rule], PathStyle::Unix).unwrap();
        Settings { is_enabled: true, rules, scan_interval_seconds: 100_000, ..Settings::default() }
    }

    /// Lets the interval pass; the next scan is under way.
    fn begin_scan(&mut self) {
        self.sensor.now = self.sensor.now.plus_nanos(100_000_000 * MILLI);
        self.sensor.step(Input::Tick);
        assert!(self.sensor.tracker.is_scanning());
    }

    /// A scan goes on while things happen: it reads each place at some time, and comes to tell of it at a later one.
    fn go_on(&mut self, turns: &[Turn]) {
        let mut unread: VecDeque<EntityPath> = MONITORED.map(EntityPath::unix).into();
        let mut read: VecDeque<(EntityPath, Option<Observation>)> = VecDeque::new();
        let rest = MONITORED.iter().flat_map(|_| [&Turn::Read, &Turn::Pass]);
        for turn in turns.iter().chain(rest) {
            match turn {
                Turn::Step(step) => self.step(step),
                Turn::Read => {
                    let Some(path) = unread.pop_front() else { continue };
                    let seen = self.files.contains_key(&path).then(|| self.observation(&path));
                    read.push_back((path, seen));
                }
                Turn::Pass => {
                    let Some((path, seen)) = read.pop_front() else { continue };
                    self.sensor.pass(&path, seen);
                }
            }
        }
        self.sensor.step(Input::ScanEnded(ScanEnd::Complete));
    }

    fn scan(&mut self) {
        let seen = self.monitored().map(|path| self.observation(path)).collect();
        self.sensor.scan(seen, ScanEnd::Complete);
    }

    fn step(&mut self, step: &Step) {
        let notices = self.act(step);
        self.live();
        for notice in notices {
            if step.is_lost {
                continue;
            }
            for path in paths(&notice) {
                self.touched.entry(path).or_default().insert(step.actor);
            }
            let by = Ok(Arc::new(Actor { process_id: step.actor, ..Actor::default() }));
            self.sensor.step(Input::Noticed(Hint {
                notice,
                time: self.sensor.now,
                since: self.sensor.now,
                by,
            }));
            self.look();
        }
        self.pass(step.pause_millis);
    }

    /// Does what the step says; what is to be noticed of it.
    fn act(&mut self, step: &Step) -> Vec<Notice> {
        let path = |place: usize| EntityPath::unix(PLACES[place]);
        match step.act {
            Act::Write { place, content } => {
                let path = path(place);
                let is_new = !self.files.contains_key(&path);
                self.write(&path, content);
                let mut notices = vec![Notice::Touched(path.clone())];
                if is_new {
                    notices.insert(0, Notice::Created { path, is_directory: false });
                }
                notices
            }
            Act::Delete { place } => match self.files.remove(&path(place)) {
                Some(_) => vec![Notice::Removed { path: path(place), is_directory: false }],
                None => Vec::new(),
            },
            Act::Move { from, to } if from != to => match self.files.remove(&path(from)) {
                Some(file) => {
                    self.files.insert(path(to), file);
                    vec![Notice::Moved { from: path(from), to: path(to), is_directory: false }]
                }
                None => Vec::new(),
            },
            Act::Move { .. } => Vec::new(),
            Act::Rumour { place } => vec![Notice::Touched(path(place))],
        }
    }

    /// Notes which files have come, gone, or got another name.
    fn live(&mut self) {
        let here: BTreeMap<u64, EntityPath> =
            self.monitored().map(|path| (self.files[path].1, path.clone())).collect();
        let gone: Vec<u64> = self.alive.keys().filter(|inode| !here.contains_key(inode)).copied().collect();
        self.gone.extend(gone.iter().filter_map(|inode| self.alive.remove(inode)));
        for (inode, path) in here {
            let now = self.sensor.now;
            let new = || Life { since: now, names: BTreeSet::new(), taken: BTreeSet::new() };
            let life = self.alive.entry(inode).or_insert_with(new);
            if self.sensor.state.contains_key(&path) {
                life.taken.insert(path.clone());
            }
            life.names.insert(path);
        }
    }

    /// Every file that came and went is told by one of its names, or lies in a gap from its beginning; unless it took
    /// the name of another, and that name is there still: then nothing but the difference is told.
    fn assert_no_life_is_hidden(&self) {
        for life in &self.gone {
            let is_told = self.sensor.events.iter().any(|event| {
                let names = [Some(&event.change.key), event.moved_from.as_ref()];
                event.observed >= life.since
                    && names.into_iter().flatten().any(|key| life.names.contains(key.path()))
            });
            let is_in_gap = self.sensor.gaps.iter().any(|gap| {
                gap.cause == GapCause::NoticesLost
                    && gap.start <= life.since
                    && gap.end.is_some_and(|end| end >= life.since)
            });
            let is_merged = life.taken.iter().any(|name| self.files.contains_key(name));
            assert!(is_told || is_in_gap || is_merged, "{life:?} {:?}", self.sensor.gaps);
        }
    }

    fn lose(&mut self, scope: GapScope, cause: GapCause, since: Timestamp) {
        let loss = Loss { scope, since, cause, detail: String::new() };
        let time = self.sensor.now;
        let hint = Hint { since, notice: Notice::Lost(loss), time, by: Err(WhoUnknown::NotTold) };
        self.sensor.step(Input::Noticed(hint));
    }

    fn pass(&mut self, millis: i64) {
        let end = self.sensor.now.plus_nanos(millis * MILLI);
        while self.sensor.now < end {
            self.sensor.now = self.sensor.now.plus_nanos(50 * MILLI).min(end);
            self.sensor.step(Input::Tick);
            self.look();
        }
    }

    /// Does the looks that are demanded.
    fn look(&mut self) {
        while !self.sensor.spots.is_empty() {
            let mut seen = Vec::new();
            for spot in &self.sensor.spots {
                if spot.is_deep {
                    let within = self.monitored().filter(|path| path.is_within(&spot.path));
                    seen.extend(within.map(|path| self.observation(path)));
                } else if spot.path.is_within(&EntityPath::unix("/etc")) {
                    seen.push(self.observation(&spot.path));
                }
            }
            self.sensor.look(seen, SpotsEnd::Complete);
        }
    }

    fn assert_true(&self) {
        let known: Vec<_> =
            self.sensor.state.values().map(|entity| (entity.key.path(), entity.digest)).collect();
        let real: Vec<_> =
            self.monitored().map(|path| (path, Some(Digest([self.files[path].0; 32])))).collect();
        assert_eq!(known, real);
    }
}

/// Every event leads on from what the ones before it told, so that none is told twice and none undoes what was not done.
fn assert_chained(start: &BTreeMap<EntityPath, Entity>, events: &[ChangeEvent]) {
    let mut told: BTreeMap<EntityPath, Option<Digest>> =
        start.iter().map(|(path, entity)| (path.clone(), entity.digest)).collect();
    for event in events {
        let path = event.change.key.path().clone();
        let was = match &event.moved_from {
            Some(old) => told.remove(old.path()),
            None => told.remove(&path),
        };
        let is_gone_again = event.is_fleeting && event.change.after.is_none();
        assert!(
            is_gone_again || was == event.change.before.as_ref().map(|before| before.digest),
            "{event:?}"
        );
        if let Some(after) = event.change.after.as_ref().filter(|_| !event.is_fleeting) {
            told.insert(path, after.digest);
        }
    }
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![3 => step(false).prop_map(Turn::Step), 2 => Just(Turn::Read), 2 => Just(Turn::Pass)]
}

fn paths(notice: &Notice) -> Vec<EntityPath> {
    match notice {
        Notice::Touched(path) | Notice::Created { path, .. } | Notice::Removed { path, .. } => {
            vec![path.clone()]
        }
        Notice::Moved { from, to, .. } => vec![from.clone(), to.clone()],
        Notice::TouchedByNumber { path, .. } => vec![path.clone()],
        Notice::Below(_) | Notice::TouchedFile(_) | Notice::ContentRead(_) | Notice::Lost(_) => Vec::new(),
    }
}

fn step(loses: bool) -> impl Strategy<Value = Step> {
    let place = || 0..PLACES.len();
    let act = prop_oneof![
        4 => (place(), 0_u8..4).prop_map(|(place, content)| Act::Write { place, content }),
        2 => place().prop_map(|place| Act::Delete { place }),
        2 => (place(), place()).prop_map(|(from, to)| Act::Move { from, to }),
        1 => place().prop_map(|place| Act::Rumour { place }),
    ];
    let lost = if loses { any::<bool>().boxed() } else { Just(false).boxed() };
    let pause = prop::sample::select(vec![0, 10, 60, 150, 250, 900]);
    (act, 1_u32..5, lost, pause).prop_map(|(act, actor, is_lost, pause_millis)| Step {
        act,
        actor,
        is_lost,
        pause_millis,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_noticed_ends_in_the_true_state_and_nobody_is_forgotten(
        steps in prop::collection::vec(step(false), 0..30),
    ) {
        let mut world = World::new();
        let start = world.sensor.state.clone();
        for step in &steps {
            world.step(step);
        }
        world.pass(3000);
        world.assert_true();
        world.assert_no_life_is_hidden();
        let events = world.sensor.events.clone();
        // What is told leads from what was to what is.
        let folded: Vec<_> =
            world.sensor.fold(start, &events).into_values().map(|entity| (entity.key, entity.digest)).collect();
        let state: Vec<_> =
            world.sensor.state.values().map(|entity| (entity.key.clone(), entity.digest)).collect();
        prop_assert_eq!(folded, state);
        // Whoever is told had touched it, and a change in real time always tells somebody.
        for event in &events {
            let mut touched = world.touched.get(event.change.key.path()).cloned().unwrap_or_default();
            if let Some(from) = &event.moved_from {
                touched.extend(world.touched.get(from.path()).into_iter().flatten());
            }
            prop_assert!(!event.who.actors.is_empty(), "{:?}", event);
            prop_assert!(event.who.actors.iter().all(|actor| touched.contains(&actor.process_id)));
        }
        // A scan has nothing to add.
        world.sensor.events.clear();
        world.scan();
        world.pass(1000);
        prop_assert_eq!(&world.sensor.events, &Vec::new());
        prop_assert_eq!(world.sensor.tracker.open_gaps(), 0);
    }

    #[test]
    fn what_happens_while_a_scan_is_under_way_is_told_once(
        unseen in prop::collection::vec(step(false), 0..4),
        is_restart: bool,
        turns in prop::collection::vec(turn(), 0..40),
    ) {
        let mut world = World::new();
        let start = world.sensor.state.clone();
        if is_restart {
            for step in &unseen {
                world.act(step);
            }
            world.restart();
        } else {
            world.begin_scan();
        }
        world.go_on(&turns);
        world.pass(3000);
        world.assert_true();
        assert_chained(&start, &world.sensor.events);
        // The next scan has nothing to add.
        let told = world.sensor.events.len();
        world.begin_scan();
        world.go_on(&[]);
        world.pass(1000);
        prop_assert_eq!(&world.sensor.events[told..], &[]);
        prop_assert_eq!(world.sensor.tracker.open_gaps(), 0);
        world.assert_true();
    }

    #[test]
    fn all_who_touched_a_place_while_it_did_not_keep_still_are_told_in_their_order(actors in prop::collection::vec(1_u32..40, 1..60)) {
        let mut world = World::new();
        for (turn, &actor) in actors.iter().enumerate() {
            let act = Act::Write { place: 0, content: 1 + turn as u8 };
            world.step(&Step { act, actor, is_lost: false, pause_millis: 10 });
        }
        world.pass(3000);
        let [event] = world.sensor.events.as_slice() else { panic!("{:?}", world.sensor.events) };
        let different: BTreeSet<u32> = actors.iter().copied().collect();
        let told: BTreeSet<u32> = event.who.actors.iter().map(|actor| actor.process_id).collect();
        prop_assert!(told.is_subset(&different));
        prop_assert_eq!(told.len(), different.len().min(16));
        prop_assert_eq!(event.who.more as usize, different.len().saturating_sub(16));
        let left_it_so = event.who.actors.last().map(|actor| actor.process_id);
        prop_assert_eq!(left_it_so, actors.last().copied());
    }

    #[test]
    fn what_notices_were_lost_of_is_found_and_the_stretch_is_a_gap(
        before in prop::collection::vec(step(false), 0..8),
        lost in prop::collection::vec(step(true), 0..6),
        after in prop::collection::vec(step(false), 0..8),
        is_everything: bool,
    ) {
        let mut world = World::new();
        // What was noticed just before may still wait to be looked at when notices begin to be lost.
        before.iter().for_each(|step| world.step(step));
        let since = world.sensor.now;
        lost.iter().for_each(|step| world.step(step));
        let scope = if is_everything { GapScope::Everything } else { GapScope::Within(EntityPath::unix("/etc")) };
        world.lose(scope.clone(), GapCause::NoticesLost, since);
        after.iter().for_each(|step| world.step(step));
        if is_everything {
            world.scan();
        }
        world.pass(5000);
        world.assert_true();
        world.assert_no_life_is_hidden();
        let told: Vec<_> = world
            .sensor
            .gaps
            .iter()
            .filter(|gap| gap.cause == GapCause::NoticesLost)
            .map(|gap| (&gap.scope, gap.start, gap.end.is_some())).collect();
        let start = told[0].1;
        prop_assert!(start == since || start < since && !before.is_empty());
        prop_assert_eq!(told, [(&scope, start, false), (&scope, start, true)]);
    }

    #[test]
    fn of_losses_in_any_order_every_moment_is_in_a_gap(
        losses in prop::collection::vec((loss(), 0_i64..400), 1..6),
    ) {
        let mut world = World::new();
        world.sensor.gaps.clear();
        world.pass(1000);
        let mut told = Vec::new();
        for ((scope, cause, age_millis), pause) in losses {
            let since = world.sensor.now.plus_nanos(-age_millis * MILLI);
            world.lose(scope.clone(), cause, since);
            told.push((scope, cause, since, world.sensor.now));
            world.pass(pause);
        }
        if world.sensor.tracker.is_scanning() {
            world.go_on(&[]);
        }
        // A scan for a loss may come after a rest from the one before.
        world.pass(30_000);
        while world.sensor.tracker.is_scanning() {
            world.go_on(&[]);
            world.pass(30_000);
        }
        prop_assert_eq!(world.sensor.tracker.open_gaps(), 0);
        for (scope, cause, since, until) in told {
            let mut covered = since;
            let gaps = || world.sensor.gaps.iter().filter(|gap| gap.scope == scope && gap.cause == cause);
            while covered < until {
                let further = gaps().filter(|gap| gap.start <= covered).filter_map(|gap| gap.end).max();
                prop_assert!(further.is_some_and(|end| end > covered), "{scope:?} {covered:?} {:?}", world.sensor.gaps);
                covered = further.unwrap();
            }
        }
    }
}

fn loss() -> impl Strategy<Value = (GapScope, GapCause, i64)> {
    let scopes = ["/etc", "/etc/d"].map(|path| GapScope::Within(EntityPath::unix(path)));
    let scope = prop::sample::select([[GapScope::Everything].as_slice(), scopes.as_slice()].concat());
    (scope, prop::sample::select(vec![GapCause::NoticesLost, GapCause::MountsChanged]), 0_i64..2000)
}

#[test]
fn names_that_come_and_go_among_more_than_there_is_room_for_are_a_gap() {
    for directories in [1, 3] {
        let mut world = World::new();
        let gone: Vec<EntityPath> = (0..5)
            .map(|number| EntityPath::unix(format!("/etc/{}/gone-{number}", number % directories)))
            .collect();
        let since = world.sensor.now;
        let notice = |world: &mut World, notice| {
            let by = Ok(Arc::new(Actor { process_id: 1, ..Actor::default() }));
            let time = world.sensor.now;
            world.sensor.step(Input::Noticed(Hint { notice, time, since: time, by }));
        };
        for path in &gone {
            notice(&mut world, Notice::Created { path: path.clone(), is_directory: false });
        }
        world.sensor.now = world.sensor.now.plus_nanos(100 * MILLI);
        for number in 0..17_000 {
            let path = EntityPath::unix(format!("/etc/{}/{number}", number % directories));
            world.write(&path, 1);
            notice(&mut world, Notice::Created { path, is_directory: false });
        }
        for path in &gone {
            notice(&mut world, Notice::Removed { path: path.clone(), is_directory: false });
        }
        world.pass(3000);
        world.assert_true();
        for path in gone {
            let is_told = world.sensor.events.iter().any(|event| *event.change.key.path() == path);
            let is_in_gap = world.sensor.gaps.iter().any(|gap| {
                let is_here = matches!(&gap.scope, GapScope::Within(place) if path.is_within(place));
                is_here && gap.start <= since && gap.end.is_some_and(|end| end > since)
            });
            assert!(is_told || is_in_gap, "{path} {:?}", world.sensor.gaps);
        }
        assert_eq!(world.sensor.tracker.open_gaps(), 0);
    }
}

#[test]
fn more_places_than_there_is_room_for_are_looked_at_all_the_same() {
    for directories in [1, 3] {
        let mut world = World::new();
        let many = 17_000;
        for number in 0..many {
            let path = EntityPath::unix(format!("/etc/{}/{number}", number % directories));
            world.write(&path, 1);
            let by = Ok(Arc::new(Actor { process_id: 1, ..Actor::default() }));
            let notice = Notice::Created { path, is_directory: false };
            world.sensor.step(Input::Noticed(Hint {
                notice,
                time: world.sensor.now,
                since: world.sensor.now,
                by,
            }));
        }
        world.pass(3000);
        world.assert_true();
        let is_added = |event: &&ChangeEvent| event.change.category() == Some(ChangeCategory::Added);
        assert_eq!(world.sensor.events.iter().filter(is_added).count(), many);
    }
}
