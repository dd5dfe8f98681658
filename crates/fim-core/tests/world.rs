//! The laws of the whole: a world that changes, is hidden and shown, scans that are cut short, an agent that is
//! stopped and killed, rules that come and go. Whatever happens, the state ends true, and nothing happened in secret.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/script.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod script;

use std::collections::{BTreeMap, BTreeSet};

use fim_core::{
    Digest, Entity, EntityDecision, EntityKey, EntityKind, EntityPath, FileAttributes, Gap, GapCause,
    GapScope, Input, Memory, Observation, PathStyle, Rule, RuleSet, ScanEnd, ScanPlan, Settings, Stop,
    Timestamp, Unreadable,
};
use proptest::prelude::*;
use script::Sensor;

/// What can happen, in places that are few enough to meet each other.
#[derive(Clone, Debug)]
enum Event {
    Write { place: usize, content: u8 },
    Delete { place: usize },
    Hide { place: usize },
    Show { place: usize },
    Scan,
    CutScan { after: usize },
    Restart { is_clean: bool },
    LoseState,
    Rules { which: usize },
    Disable,
    ClockBack,
}

/// `/srv/d`, `/srv/e` are directories, the others files.
const PLACES: [&str; 10] = [
    "/etc/a.conf",
    "/etc/b.conf",
    "/srv",
    "/srv/d",
    "/srv/d/x",
    "/srv/d/y",
    "/srv/e",
    "/srv/e/x",
    "/srv/f",
    "/srv/z",
];

fn is_directory(path: &str) -> bool {
    matches!(path, "/srv" | "/srv/d" | "/srv/e")
}

struct World {
    sensor: Sensor,
    files: BTreeMap<EntityPath, u8>,
    hidden: BTreeSet<EntityPath>,
    rules: RuleSet,
    is_enabled: bool,
    /// Stretches of which the world knows that nobody watched the place.
    unwatched: Vec<(EntityPath, Timestamp, Timestamp)>,
}

impl World {
    fn new() -> Self {
        let mut sensor = Sensor::new();
        sensor.step(Input::Started { last_alive: None, stop: Stop::Unclean, memory: Box::default() });
        let mut world = Self {
            sensor,
            files: BTreeMap::new(),
            hidden: BTreeSet::new(),
            rules: RuleSet::default(),
            is_enabled: false,
            unwatched: Vec::new(),
        };
        for place in ["/srv", "/srv/d", "/srv/e", "/etc/a.conf", "/srv/d/x", "/srv/f"] {
            world.files.insert(EntityPath::unix(place), 0);
        }
        world.set_rules(0);
        world
    }

    fn set_rules(&mut self, which: usize) {
        let srv = Rule { recurse: true, ..Rule::new("srv", "Custom", "/srv") };
        let etc = Rule::new("etc", "Custom", "/etc/*.conf");
        let less = Rule { exclude: vec!["/srv/d".to_owned()], ..srv.clone() };
        let rules = match which {
            0 => vec![srv, etc],
            1 => vec![less, etc],
            2 => vec![Rule { enabled: false, ..srv }, etc],
            _ => vec![srv, Rule { path: "/etc/a*".to_owned(), ..etc }],
        };
        self.rules = RuleSet::new(rules, PathStyle::Unix).unwrap();
        self.is_enabled = true;
        self.input(Input::SettingsChanged(self.settings()));
    }

    fn input(&mut self, input: Input) {
        let cancelled = self.sensor.step(input).iter().any(|demand| demand == "cancel the scan");
        if cancelled {
            let end = ScanEnd::CutShort { after: None, why: "cancelled".to_owned() };
            self.sensor.scan(Vec::new(), end);
        }
    }

    fn happen(&mut self, event: &Event) {
        self.pass(7);
        let path = |place: usize| EntityPath::unix(PLACES[place % PLACES.len()]);
        match *event {
            Event::Write { place, content } => {
                let path = path(place);
                let has_parent = path.parent().is_none_or(|above| {
                    above.segments().count() < 1
                        || above == EntityPath::unix("/etc")
                        || self.files.contains_key(&above)
                });
                if has_parent {
                    let content = if is_directory(&path.to_string()) { 0 } else { content };
                    self.files.insert(path, content);
                }
            }
            Event::Delete { place } => {
                let path = path(place);
                self.files.retain(|other, _| !other.is_within(&path));
                self.hidden.retain(|other| !other.is_within(&path));
            }
            Event::Hide { place } => {
                if self.files.contains_key(&path(place)) {
                    self.hidden.insert(path(place));
                }
            }
            Event::Show { place } => {
                self.hidden.remove(&path(place));
            }
            Event::Scan => self.scan(None),
            Event::CutScan { after } => self.scan(Some(path(after))),
            Event::Restart { is_clean } => {
                let last_alive = self.sensor.now.plus_nanos(-3_000_000_000);
                let monitored =
                    PLACES.map(EntityPath::unix).into_iter().filter(|path| self.is_monitored(path));
                let stretches: Vec<_> = monitored.map(|path| (path, last_alive, self.sensor.now)).collect();
                self.unwatched.extend(stretches);
                let (told, was_watching) =
                    (self.sensor.gaps.len(), self.sensor.memory.baselined.names_something());
                self.sensor.restart(last_alive, if is_clean { Stop::Clean } else { Stop::Unclean });
                let stopped = self.sensor.gaps[told..].iter().find(|gap| gap.cause == GapCause::AgentStopped);
                let stretch = stopped.map(|gap| (gap.start, gap.end));
                let expected = was_watching.then_some((last_alive, Some(self.sensor.now)));
                assert_eq!(stretch, expected, "the time without an agent is a gap");
                self.input(Input::SettingsChanged(self.settings()));
            }
            Event::LoseState => self.lose_state(),
            Event::Rules { which } => self.set_rules(which),
            Event::Disable => {
                self.is_enabled = false;
                self.input(Input::SettingsChanged(Settings::default()));
            }
            Event::ClockBack => self.sensor.now = self.sensor.now.plus_nanos(-100_000_000_000),
        }
        self.check_what_has_no_baseline_is_told();
    }

    fn settings(&self) -> Settings {
        Settings {
            is_enabled: self.is_enabled,
            rules: self.rules.clone(),
            unusable: Vec::new(),
            scan_interval_seconds: 60,
            since: None,
        }
    }

    /// The agent is killed and finds at its next start that its state is gone.
    fn lose_state(&mut self) {
        let last_complete = self.sensor.memory.last_complete;
        let monitored = PLACES.map(EntityPath::unix).into_iter().filter(|path| self.is_monitored(path));
        let since = last_complete.unwrap_or(self.sensor.now);
        let stretches: Vec<_> = monitored.map(|path| (path, since, self.sensor.now)).collect();
        self.unwatched.extend(stretches);
        // The server ends what an agent without memory will not end.
        let open: Vec<Gap> = self.sensor.memory.open_gaps.iter().map(|open| open.gap.clone()).collect();
        self.sensor.gaps.extend(open.into_iter().map(|gap| Gap { end: Some(self.sensor.now), ..gap }));
        self.sensor.memory = Memory { last_complete, ..Memory::default() };
        self.sensor.state.clear();
        self.sensor.restart(self.sensor.now, Stop::Unclean);
        self.input(Input::StateLost { detail: "it is gone".to_owned() });
        self.pass(5);
        self.input(Input::SettingsChanged(self.settings()));
    }

    /// Lets time pass, and notes what has no baseline meanwhile.
    fn pass(&mut self, seconds: i64) {
        let since = self.sensor.now;
        self.sensor.now = since.plus_nanos(seconds * 1_000_000_000);
        let baselined = self.sensor.memory.baselined.scan_plan();
        for path in PLACES.map(EntityPath::unix) {
            let has_baseline = baselined.entity(&path, entity(&path, 0).kind) != EntityDecision::Ignore;
            if self.is_monitored(&path) && !has_baseline {
                self.unwatched.push((path, since, self.sensor.now));
            }
        }
    }

    fn is_monitored(&self, path: &EntityPath) -> bool {
        self.is_enabled && self.rules.scan_plan().entity(path, entity(path, 0).kind) != EntityDecision::Ignore
    }

    /// The gaps around the place, with the ends that they have by now, one after the other.
    fn gaps_around(&self, path: &EntityPath) -> Vec<(Timestamp, Timestamp)> {
        let mut ends = BTreeMap::new();
        for gap in &self.sensor.gaps {
            let is_around = match &gap.scope {
                GapScope::Everything => true,
                GapScope::Within(scope) => path.is_within(scope),
                GapScope::List(_) | GapScope::Part(_) => false,
            };
            if is_around {
                let end = gap.end.unwrap_or(Timestamp(i64::MAX));
                ends.insert((gap.start, gap.cause, gap.scope.clone()), end);
            }
        }
        ends.into_iter().map(|((start, ..), end)| (start, end)).collect()
    }

    /// What is monitored is in the baseline, or it is told that it is not; and no longer than that.
    fn check_what_has_no_baseline_is_told(&self) {
        let memory = &self.sensor.memory;
        let pending: Vec<&GapScope> = memory
            .open_gaps
            .iter()
            .filter(|open| open.gap.cause == GapCause::BaselinePending)
            .map(|open| &open.gap.scope)
            .collect();
        if !self.is_enabled || memory.baselined == self.rules {
            assert!(pending.is_empty(), "nothing is awaited, but {pending:?} is told");
            return;
        }
        let (plan, baselined) = (self.rules.scan_plan(), memory.baselined.scan_plan());
        for path in PLACES.map(EntityPath::unix) {
            let kind = entity(&path, 0).kind;
            let is_new = plan.entity(&path, kind) != EntityDecision::Ignore
                && baselined.entity(&path, kind) == EntityDecision::Ignore;
            let is_told = pending.iter().any(|scope| match scope {
                GapScope::Everything => true,
                GapScope::Within(scope) => path.is_within(scope),
                GapScope::List(_) | GapScope::Part(_) => false,
            });
            assert!(is_told || !is_new, "nobody is told that {path} has no baseline");
        }
    }

    /// Lets time pass until a scan is due, and runs it.
    fn scan(&mut self, cut_after: Option<EntityPath>) {
        if !self.is_enabled {
            return;
        }
        if !self.sensor.tracker.is_scanning() {
            // The tracker learns of a clock that was set back when it is asked next.
            self.sensor.step(Input::Tick);
        }
        if !self.sensor.tracker.is_scanning() {
            self.pass(60);
            self.sensor.step(Input::Tick);
        }
        assert!(
            self.sensor.tracker.is_scanning(),
            "after the interval a scan is due, whatever the clock did"
        );
        let plan = self.rules.scan_plan();
        let mut seen = Vec::new();
        for (path, content) in &self.files {
            let is_under_hidden = self.hidden.iter().any(|hidden| path != hidden && path.is_within(hidden));
            let is_reached = cut_after.as_ref().is_none_or(|after| path <= after);
            if is_reached && !is_under_hidden {
                seen.extend(self.observe(&plan, path, *content));
            }
        }
        let (events, before) = (self.sensor.events.len(), self.sensor.state.clone());
        let baselined = self.sensor.memory.baselined.clone();
        let is_complete = cut_after.is_none();
        let end = cut_after.map_or(ScanEnd::Complete, |after| ScanEnd::CutShort {
            after: Some(after),
            why: "the power went".to_owned(),
        });
        self.sensor.scan(seen, end);
        self.check_nothing_happened_in_secret(&baselined, events, before);
        let open = self.sensor.memory.open_gaps.iter();
        let cut_short = open.filter(|open| open.gap.cause == GapCause::ScanCutShort).count();
        assert_eq!(cut_short, usize::from(!is_complete), "a scan that saw less is a gap until one sees all");
        if is_complete {
            self.check_what_cannot_be_seen_is_told();
        }
    }

    fn observe(&self, plan: &ScanPlan, path: &EntityPath, content: u8) -> Option<Observation> {
        let entity = entity(path, content);
        let is_hidden = self.hidden.contains(path);
        let is_wanted = plan.entity(path, entity.kind) != EntityDecision::Ignore
            || (is_hidden && entity.kind == EntityKind::Directory && plan.directory(path).is_descend());
        is_wanted.then(|| match is_hidden {
            false => Observation::Present(Box::new(entity)),
            true => Observation::Unreadable {
                key: entity.key.clone(),
                partial: None,
                why: Unreadable::PermissionDenied,
            },
        })
    }

    /// Every difference in the state came with a report, or with rules, or lay in a gap that was reported.
    fn check_nothing_happened_in_secret(
        &self,
        baselined: &RuleSet,
        events: usize,
        before: BTreeMap<EntityPath, Entity>,
    ) {
        let told = self.sensor.fold(before, &self.sensor.events[events..]);
        for path in PLACES.map(EntityPath::unix) {
            let (was, is) = (told.get(&path), self.sensor.state.get(&path));
            let key = EntityKey::File(path.clone());
            let was_watched = baselined.rule_for(&key).is_some() && self.rules.rule_for(&key).is_some();
            // Only what could never be seen before may come into the state unsaid, for the gap told of it.
            let is_first_sight = was.is_none() && self.is_in_gap(&path, false);
            let is_told = was == is || !was_watched || is_first_sight;
            assert!(is_told, "{path} went from {was:?} to {is:?} in secret");
        }
    }

    /// Whatever a scan could not see is in a gap that is open.
    fn check_what_cannot_be_seen_is_told(&self) {
        let plan = self.rules.scan_plan();
        for (path, content) in &self.files {
            let is_hidden = self.hidden.iter().any(|hidden| path.is_within(hidden));
            let is_monitored = plan.entity(path, entity(path, *content).kind) != EntityDecision::Ignore;
            if is_hidden && is_monitored {
                assert!(self.is_in_gap(path, true), "nobody is told that {path} cannot be read");
            }
        }
    }

    /// True if a gap was ever reported around the path; with `is_open`, one that has not been closed since.
    fn is_in_gap(&self, path: &EntityPath, is_open: bool) -> bool {
        let covers = |gap: &Gap| match &gap.scope {
            GapScope::Within(scope) => gap.cause != GapCause::BaselinePending && path.is_within(scope),
            GapScope::Everything | GapScope::List(_) | GapScope::Part(_) => false,
        };
        let identity = |gap: &Gap| (gap.scope.clone(), gap.cause, gap.start);
        let last = |gap: &Gap| self.sensor.gaps.iter().rfind(|later| identity(later) == identity(gap));
        let stays_open = |gap: &Gap| last(gap).is_some_and(|last| last.end.is_none());
        self.sensor.gaps.iter().any(|gap| covers(gap) && (!is_open || stays_open(gap)))
    }
}

fn entity(path: &EntityPath, content: u8) -> Entity {
    let kind = if is_directory(&path.to_string()) { EntityKind::Directory } else { EntityKind::File };
    let digest = (kind == EntityKind::File).then_some(Digest([content; 32]));
    Entity { key: EntityKey::File(path.clone()), kind, attributes: FileAttributes::default(), digest }
}

fn event() -> impl Strategy<Value = Event> {
    let place = 0..PLACES.len();
    prop_oneof![
        4 => (place.clone(), 0_u8..4).prop_map(|(place, content)| Event::Write { place, content }),
        2 => place.clone().prop_map(|place| Event::Delete { place }),
        2 => place.clone().prop_map(|place| Event::Hide { place }),
        2 => place.clone().prop_map(|place| Event::Show { place }),
        5 => Just(Event::Scan),
        1 => place.prop_map(|after| Event::CutScan { after }),
        1 => any::<bool>().prop_map(|is_clean| Event::Restart { is_clean }),
        1 => (0_usize..4).prop_map(|which| Event::Rules { which }),
        1 => Just(Event::Disable),
        1 => Just(Event::ClockBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn one_complete_scan_makes_the_state_true_and_no_change_stays_untold(events in prop::collection::vec(event(), 0..40)) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        // Everything can be seen again, and one scan runs to its end.
        world.hidden.clear();
        world.set_rules(0);
        world.scan(None);
        let expected: BTreeMap<EntityPath, Entity> =
            world.files.iter().map(|(path, content)| (path.clone(), entity(path, *content))).collect();
        prop_assert_eq!(&world.sensor.state, &expected);
        prop_assert_eq!(world.sensor.tracker.open_gaps(), 0, "everything is watched again");
        // Every gap that was opened was closed, and no gap ends before it starts.
        let mut open = BTreeSet::new();
        for gap in &world.sensor.gaps {
            let identity = (gap.scope.clone(), gap.cause, gap.start);
            match gap.end {
                None => { prop_assert!(open.insert(identity), "opened twice: {:?}", gap); }
                Some(end) => {
                    prop_assert!(end >= gap.start);
                    open.remove(&identity);
                }
            }
        }
        prop_assert_eq!(open, BTreeSet::new());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn every_second_without_an_agent_or_a_baseline_lies_in_a_gap(
        // A clock that is set back gives seconds twice.
        events in prop::collection::vec(
            prop_oneof![
                20 => event().prop_filter("the clock runs", |event| !matches!(event, Event::ClockBack)),
                1 => Just(Event::LoseState),
            ],
            0..40,
        ),
    ) {
        let mut world = World::new();
        for event in &events {
            world.happen(event);
        }
        for (path, start, end) in &world.unwatched {
            let mut told = *start;
            for (from, until) in world.gaps_around(path) {
                if from <= told {
                    told = told.max(until);
                }
            }
            prop_assert!(told >= *end, "nobody is told of {} from {:?} to {:?}", path, told, end);
        }
    }
}

#[test]
fn thousands_of_unreadable_files_cost_a_bounded_memory() {
    let mut sensor = Sensor::new();
    sensor.step(Input::Started { last_alive: None, stop: Stop::Unclean, memory: Box::default() });
    let rules = vec![Rule { recurse: true, ..Rule::new("srv", "Custom", "/srv") }];
    let settings = Settings {
        is_enabled: true,
        rules: RuleSet::new(rules, PathStyle::Unix).unwrap(),
        unusable: Vec::new(),
        scan_interval_seconds: 60,
        since: None,
    };
    sensor.step(Input::SettingsChanged(settings));
    let unreadable = |path: String| Observation::Unreadable {
        key: EntityKey::File(EntityPath::unix(path)),
        partial: None,
        why: Unreadable::PermissionDenied,
    };
    let seen: Vec<Observation> = (0..50)
        .flat_map(|directory| (0..100).map(move |file| format!("/srv/{directory:02}/{file:03}")))
        .chain((0..900).map(|file| format!("/srv/zz/{file:03}")))
        .map(unreadable)
        .collect();
    sensor.scan(seen.clone(), ScanEnd::Complete);
    assert!(sensor.memory.open_gaps.len() <= Memory::MAX_OPEN_GAPS);
    let covered = |path: &EntityPath| {
        sensor.memory.open_gaps.iter().any(|open| match &open.gap.scope {
            GapScope::Everything => false,
            GapScope::Within(scope) => path.is_within(scope) && scope != &EntityPath::unix("/"),
            GapScope::List(_) | GapScope::Part(_) => false,
        })
    };
    assert!(seen.iter().all(|observation| covered(observation.path())), "none is left out");
    let reported = sensor.gaps.len();
    sensor.now = Timestamp(100_000_000_000);
    sensor.step(Input::Tick);
    sensor.scan(seen, ScanEnd::Complete);
    assert_eq!(sensor.gaps.len(), reported, "what is known is not told again");
    sensor.now = Timestamp(200_000_000_000);
    sensor.step(Input::Tick);
    sensor.scan(Vec::new(), ScanEnd::Complete);
    assert_eq!(sensor.tracker.open_gaps(), 0);
}
