//! A sensor with nothing behind it, driven by text that an analyst can read.
//!
//! A case is a list of steps. Each step is one line, its particulars are indented, and the lines that start with `=>`
//! say all that the tracker demands of it. Times are in seconds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use fim_core::{
    Actor, Attribution, ChangeEvent, ChangeSource, Demand, Digest, Entity, EntityKey, EntityKind, EntityPath,
    FileAttributes, FileId, Gap, GapCause, GapScope, Hint, Input, Links, Loss, Memory, Notice, Observation,
    PathStyle, PathType, Principal, Rule, RuleSet, ScanEnd, Settings, Spot, SpotsEnd, Stop, Timestamp,
    Tracker, Unreadable, WhoUnknown, apply, checksum_text,
};

/// A sensor with nothing behind it: performs what the tracker demands on a state in memory.
pub struct Sensor {
    pub tracker: Tracker,
    pub state: BTreeMap<EntityPath, Entity>,
    pub memory: Memory,
    pub now: Timestamp,
    pub events: Vec<ChangeEvent>,
    pub gaps: Vec<Gap>,
    /// The spots that the tracker wants to be looked at.
    pub spots: Vec<Spot>,
    /// What spots were looked at since the last scan began.
    overtaken: Vec<Spot>,
}

impl Sensor {
    pub fn new() -> Self {
        Self {
            tracker: Tracker::new([7; 16]),
            state: BTreeMap::new(),
            memory: Memory::default(),
            now: Timestamp(0),
            events: Vec::new(),
            gaps: Vec::new(),
            spots: Vec::new(),
            overtaken: Vec::new(),
        }
    }

    /// Hands in one input and performs its demands; what a person would notice comes back as text.
    pub fn step(&mut self, input: Input) -> Vec<String> {
        let mut demands = Vec::new();
        self.tracker.handle(self.now, input, &mut demands);
        demands.into_iter().filter_map(|demand| self.perform(demand)).collect()
    }

    fn perform(&mut self, demand: Demand) -> Option<String> {
        match demand {
            Demand::StartScan(plan) => {
                self.overtaken.clear();
                let roots: Vec<String> = plan.roots().iter().map(ToString::to_string).collect();
                Some(format!("scan {}", roots.join(" ")))
            }
            Demand::CancelScan => Some("cancel the scan".to_owned()),
            Demand::Emit(event) => {
                let text = event_text(&event);
                self.events.push(*event);
                Some(text)
            }
            Demand::Report(gap) => {
                let text = gap_text(&gap);
                self.gaps.push(*gap);
                Some(text)
            }
            Demand::Keep(entity) => {
                self.state.insert(entity.key.path().clone(), *entity);
                None
            }
            Demand::Forget(key) => {
                self.state.remove(key.path());
                None
            }
            Demand::Remember(memory) => {
                self.memory = *memory;
                None
            }
            Demand::LookAt(spots) => {
                let names: Vec<String> = spots
                    .iter()
                    .map(|spot| format!("{}{}", spot.path, if spot.is_deep { "/..." } else { "" }))
                    .collect();
                self.spots = spots;
                Some(format!("look at {}", names.join(" ")))
            }
            Demand::WaitUntil(time) => Some(format!("wait until {}", seconds(time))),
        }
    }

    /// Runs the sensor's side of a scan: the state and what was seen, merged in path order.
    pub fn scan(&mut self, seen: Vec<Observation>, end: ScanEnd) -> Vec<String> {
        let behind = match &end {
            ScanEnd::Complete => None,
            ScanEnd::CutShort { after, .. } => Some(after.clone()),
        };
        let is_reached = |path: &EntityPath| match &behind {
            None => true,
            Some(after) => after.as_ref().is_some_and(|after| path <= after),
        };
        let known = self.state.keys().filter(|path| is_reached(path)).cloned();
        let mut places: BTreeMap<EntityPath, Option<Observation>> = known.map(|path| (path, None)).collect();
        places.extend(seen.into_iter().map(|seen| (seen.path().clone(), Some(seen))));
        let mut lines = Vec::new();
        for (path, seen) in places {
            lines.extend(self.pass(&path, seen));
        }
        lines.extend(self.step(Input::ScanEnded(end)));
        lines
    }

    /// The scan under way comes past a place.
    pub fn pass(&mut self, path: &EntityPath, seen: Option<Observation>) -> Vec<String> {
        let held = self.state.get(path).cloned().map(Box::new);
        if self.overtaken.iter().any(|spot| is_at(spot, path)) {
            self.step(Input::Overtaken { key: EntityKey::File(path.clone()), held, seen })
        } else if held.is_some() || seen.is_some() {
            self.step(Input::Looked { before: held, seen })
        } else {
            Vec::new()
        }
    }

    /// Runs the sensor's side of a look at the spots: the state and what is there.
    pub fn look(&mut self, seen: Vec<Observation>, end: SpotsEnd) -> Vec<String> {
        let spots = std::mem::take(&mut self.spots);
        let is_reached = |path: &EntityPath| match &end {
            SpotsEnd::Complete => true,
            SpotsEnd::Stalled { at, .. } => path < at || seen.iter().any(|seen| seen.path() >= path),
            SpotsEnd::CutShort { .. } => seen.iter().any(|seen| seen.path() >= path),
        };
        let is_spot = |path: &EntityPath| is_reached(path) && spots.iter().any(|spot| is_at(spot, path));
        let mut pairs: BTreeMap<EntityPath, (Option<Box<Entity>>, Option<Observation>)> = BTreeMap::new();
        for (path, entity) in self.state.iter().filter(|(path, _)| is_spot(path)) {
            pairs.entry(path.clone()).or_default().0 = Some(Box::new(entity.clone()));
        }
        for observation in &seen {
            let path = observation.path().clone();
            assert!(is_spot(&path), "nobody asked for {path}");
            pairs.entry(path).or_default().1 = Some(observation.clone());
        }
        let mut lines = Vec::new();
        for (before, seen) in pairs.into_values() {
            lines.extend(self.step(Input::SpotLooked { before, seen }));
        }
        self.overtaken.extend(match &end {
            SpotsEnd::Complete => spots,
            SpotsEnd::Stalled { at, .. } => spots.into_iter().filter(|spot| spot.path < *at).collect(),
            SpotsEnd::CutShort { .. } => Vec::new(),
        });
        lines.extend(self.step(Input::SpotsEnded(end)));
        lines
    }

    /// The sensor ends and another starts with what was stored.
    pub fn restart(&mut self, last_alive: Timestamp, stop: Stop) -> Vec<String> {
        self.tracker = Tracker::new([7; 16]);
        let memory = Box::new(self.memory.clone());
        self.step(Input::Started { last_alive: Some(last_alive), stop, memory })
    }

    /// What the events make of a state, so that it can be compared with what the sensor holds.
    pub fn fold(
        &self,
        mut from: BTreeMap<EntityPath, Entity>,
        events: &[ChangeEvent],
    ) -> BTreeMap<EntityPath, Entity> {
        for event in events {
            let path = event.change.key.path().clone();
            let before = from.remove(&path);
            if let Some(old) = &event.moved_from {
                from.remove(old.path());
            }
            if let Some(after) = apply(&event.change, before) {
                from.insert(path, after);
            }
        }
        from
    }
}

fn is_at(spot: &Spot, path: &EntityPath) -> bool {
    spot.path == *path || spot.is_deep && path.is_within(&spot.path)
}

/// Runs a case and gives it back with what the tracker really demanded.
pub fn run(case: &str) -> String {
    let mut sensor = Sensor::new();
    let mut lines = case.lines().filter(|line| !line.starts_with("=>")).peekable();
    let mut told = String::new();
    while let Some(line) = lines.next() {
        let _ = writeln!(told, "{line}");
        let mut particulars = Vec::new();
        while let Some(inner) = lines.next_if(|line| line.starts_with("  ")) {
            let _ = writeln!(told, "{inner}");
            particulars.push(inner.trim());
        }
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        for demand in perform(&mut sensor, line, &particulars) {
            let _ = writeln!(told, "=> {demand}");
        }
    }
    told
}

fn perform(sensor: &mut Sensor, line: &str, particulars: &[&str]) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["at", time] => {
            sensor.now = moment(time);
            Vec::new()
        }
        ["start"] => {
            sensor.step(Input::Started { last_alive: None, stop: Stop::Unclean, memory: Box::default() })
        }
        ["start", "again", "alive", time, how] => {
            let stop = if *how == "stopped" { Stop::Clean } else { Stop::Unclean };
            sensor.restart(moment(time), stop)
        }
        ["settings", "coming"] => sensor.step(Input::SettingsComing),
        ["settings", "off"] => sensor.step(Input::SettingsChanged(Settings::default())),
        ["settings", "every", interval, since @ ..] => {
            let rules = particulars.iter().map(|text| rule(text)).collect();
            // No variable has a value.
            let (rules, unusable) = RuleSet::usable(rules, PathStyle::Unix, &|_| None);
            sensor.step(Input::SettingsChanged(Settings {
                is_enabled: true,
                rules,
                unusable,
                scan_interval_seconds: interval.parse().unwrap(),
                since: since.last().map(|since| moment(since)),
            }))
        }
        ["tick"] => sensor.step(Input::Tick),
        ["state", "lost", ..] => sensor.step(Input::StateLost { detail: words[2..].join(" ") }),
        ["scan", "sees"] => {
            sensor.scan(particulars.iter().map(|text| observation(text)).collect(), ScanEnd::Complete)
        }
        ["scan", "ends", "after", path, "because", ..] => {
            let end = ScanEnd::CutShort { after: Some(EntityPath::unix(*path)), why: words[5..].join(" ") };
            sensor.scan(particulars.iter().map(|text| observation(text)).collect(), end)
        }
        ["real", "time", on] => sensor.step(Input::RealTime { is_on: *on == "on" }),
        ["notice", rest @ ..] => {
            let hint = hint(sensor.now, rest);
            sensor.step(Input::Noticed(hint))
        }
        ["look", "sees"] => {
            sensor.look(particulars.iter().map(|text| observation(text)).collect(), SpotsEnd::Complete)
        }
        ["look", "stalls", "at", path, "because", why @ ..] => {
            let end = SpotsEnd::Stalled { at: EntityPath::unix(*path), why: why.join(" ") };
            sensor.look(particulars.iter().map(|text| observation(text)).collect(), end)
        }
        ["look", "cut", "short", "because", why @ ..] => {
            let end = SpotsEnd::CutShort { why: why.join(" ") };
            sensor.look(particulars.iter().map(|text| observation(text)).collect(), end)
        }
        ["the", "state", "holds"] => sensor.state.values().map(entity_text).collect(),
        other => panic!("no such step: {other:?}"),
    }
}

/// `touched PATH`, `created PATH`, `removed PATH`, `moved PATH to PATH` (with `directory` behind it where it is one),
/// `below PATH`, `numbered PATH INODE after TIME`, each `by ID NAME` or `by nobody`; or `lost PATH since TIME because …`, where `*` is everything.
fn hint(now: Timestamp, words: &[&str]) -> Hint {
    if let ["lost", scope, "since", since, "because", why @ ..] = words {
        let scope = match *scope {
            "*" => GapScope::Everything,
            path => GapScope::Within(EntityPath::unix(path)),
        };
        let loss = Loss { scope, since: moment(since), cause: GapCause::NoticesLost, detail: why.join(" ") };
        return Hint {
            since: loss.since,
            notice: Notice::Lost(loss),
            time: now,
            by: Err(WhoUnknown::NotTold),
        };
    }
    let (what, by) = words.split_at(words.iter().position(|word| *word == "by").unwrap());
    let is_directory = what.contains(&"directory");
    let path = |at: usize| EntityPath::unix(what[at]);
    let notice = match what {
        ["touched", ..] => Notice::Touched(path(1)),
        ["created", ..] => Notice::Created { path: path(1), is_directory },
        ["below", ..] => Notice::Below(path(1)),
        ["numbered", _, inode, "after", after] => Notice::TouchedByNumber {
            path: path(1),
            file: FileId { device: 1, inode: inode.parse().unwrap() },
            after: moment(after),
        },
        ["read", ..] => Notice::ContentRead(path(1)),
        ["removed", ..] => Notice::Removed { path: path(1), is_directory },
        ["moved", _, "to", ..] => Notice::Moved { from: path(1), to: path(3), is_directory },
        other => panic!("no such notice: {other:?}"),
    };
    Hint { notice, time: now, since: now, by: attribution(&by[1..]) }
}

fn attribution(words: &[&str]) -> Attribution {
    match words {
        [id, name] => Ok(Arc::new(Actor {
            process_id: id.parse().unwrap(),
            executable: Some(EntityPath::unix(*name)),
            ..Actor::default()
        })),
        _ => Err(WhoUnknown::Ended),
    }
}

fn rule(text: &str) -> Rule {
    let mut words = text.split_whitespace();
    let path = words.next().unwrap();
    let mut rule = Rule::new(path, "Custom", path);
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("recurse", _) => rule.recurse = true,
            ("disabled", _) => rule.enabled = false,
            ("exclude", pattern) => rule.exclude.push(pattern.to_owned()),
            ("links", "ignore") => rule.links = Links::Ignore,
            ("links", "manage") => rule.links = Links::Manage,
            ("type", "file") => rule.path_type = PathType::File,
            ("type", "folder") => rule.path_type = PathType::Folder,
            other => panic!("no such setting: {other:?}"),
        }
    }
    rule
}

fn observation(text: &str) -> Observation {
    let mut words = text.split_whitespace();
    let what = words.next().unwrap();
    let path = EntityPath::unix(words.next().unwrap());
    let key = EntityKey::File(path);
    match what {
        "nothing" => Observation::Absent(key),
        "too-large" => {
            let rest: Vec<&str> = words.collect();
            let partial = Some(Box::new(entity(rest[0], key.clone(), &rest[1..])));
            Observation::Unreadable { key, partial, why: Unreadable::TooLarge }
        }
        "unreadable" => {
            let rest: Vec<&str> = words.collect();
            let partial = rest.first().map(|kind| Box::new(entity(kind, key.clone(), &rest[1..])));
            Observation::Unreadable { key, partial, why: Unreadable::PermissionDenied }
        }
        kind => Observation::Present(Box::new(entity(kind, key, &words.collect::<Vec<_>>()))),
    }
}

fn entity(kind: &str, key: EntityKey, words: &[&str]) -> Entity {
    let mut attributes = FileAttributes::default();
    let mut digest = None;
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        let number = || value.parse::<u64>().unwrap();
        match name {
            "content" => digest = Some(Digest([number() as u8; 32])),
            "size" => attributes.size_bytes = Some(number()),
            "mode" => attributes.mode = Some(u16::from_str_radix(value, 8).unwrap()),
            "owner" => attributes.owner = Some(Principal { id: (number() as u32).into(), name: None }),
            "modified" => attributes.modified = Some(Timestamp(number() as i64)),
            "changed" => attributes.changed = Some(Timestamp(number() as i64)),
            "inode" => {
                attributes.inode = Some(number());
                attributes.device = Some(1);
                attributes.created = Some(Timestamp(number() as i64));
            }
            "born" => attributes.created = (value != "?").then(|| moment(value)),
            "target" => attributes.target = Some(value.as_bytes().to_vec()),
            other => panic!("no such attribute: {other}"),
        }
    }
    let kind = match kind {
        "file" => EntityKind::File,
        "directory" => EntityKind::Directory,
        "link" => EntityKind::Symlink,
        "fifo" => EntityKind::Fifo,
        other => panic!("no such kind: {other}"),
    };
    Entity { key, kind, attributes, digest }
}

fn event_text(event: &ChangeEvent) -> String {
    let category = event.change.category().unwrap().name();
    let fields: Vec<&str> = event.change.fields.iter().map(|aspect| aspect.field_name()).collect();
    let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    let moved = event.moved_from.as_ref().map_or_else(String::new, |from| format!(" from {}", from.path()));
    let fleeting = if event.is_fleeting { " fleeting" } else { "" };
    let text =
        format!("{category} {}{moved}{fields} (rule {}){fleeting}", event.change.key.path(), event.rule);
    match event.source {
        ChangeSource::Scan | ChangeSource::Agentless => {
            let why = event.who.unknown.map_or_else(String::new, |why| format!(" by {why:?}"));
            format!("{text}{why}")
        }
        ChangeSource::RealTime => {
            let at = event.happened.map_or_else(String::new, |time| format!(" at {}", seconds(time)));
            let mut by: Vec<String> = event
                .who
                .actors
                .iter()
                .map(|actor| {
                    let program = actor.executable.as_ref().map_or_else(String::new, ToString::to_string);
                    format!("{} {program}", actor.process_id)
                })
                .collect();
            by.extend((event.who.more > 0).then(|| format!("{} more", event.who.more)));
            by.extend(event.who.unknown.map(|why| format!("{why:?}")));
            format!("{text}{at} by {}", by.join(", "))
        }
    }
}

/// Seconds, with up to three digits behind the point.
fn moment(text: &str) -> Timestamp {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let millis: i64 = format!("{fraction:0<3}").parse().unwrap();
    Timestamp(whole.parse::<i64>().unwrap() * 1_000_000_000 + millis * 1_000_000)
}

fn gap_text(gap: &Gap) -> String {
    let scope = &gap.scope;
    let end = gap.end.map_or_else(|| "now on".to_owned(), |end| seconds(end).to_string());
    format!("gap {:?} {scope} from {} to {end}: {}", gap.cause, seconds(gap.start), gap.detail)
}

fn entity_text(entity: &Entity) -> String {
    let content = entity.digest.map_or_else(|| "?".to_owned(), |digest| digest.0[0].to_string());
    assert_eq!(checksum_text(entity).is_empty(), entity.digest.is_none());
    let mode = entity.attributes.mode.map_or_else(|| "?".to_owned(), |mode| format!("{mode:o}"));
    format!("{} {} content={content} mode={mode}", entity.kind.name(), entity.key.path())
}

fn seconds(time: Timestamp) -> String {
    match time.0 / 1_000_000 % 1000 {
        0 => (time.0 / 1_000_000_000).to_string(),
        millis => format!("{}.{millis:03}", time.0 / 1_000_000_000).trim_end_matches('0').to_owned(),
    }
}
