//! The real agent, watching real file systems, and a server that keeps what it tells.

mod program;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fim_core::{ChangeEvent, ChangeSource, EntityPath, Gap, GapScope, Timestamp};
use fim_sensor::Fingerprint;
use fim_wire::Report;
use rustix::io::Errno;
use tempfile::TempDir;

use crate::support::{Authority, Ledger, TestServer};
use program::{agent, agent_shown, wanted_provider};

/// A file system with a folder that is monitored and one that is not.
pub struct Place {
    /// What kind of file system it is.
    pub name: &'static str,
    /// The folder that a rule names with all below it.
    pub watched: PathBuf,
    /// A folder beside it that no rule names.
    pub outside: PathBuf,
    /// A folder beside it of which rules name `*.conf`, and what is called so at any depth of its folder `deep`.
    pub named: PathBuf,
    /// True if changes on it are noticed in real time; else a scan finds them.
    pub is_noticed: bool,
    /// True if the kernel tells of a change by the numbers that the agent knows files by.
    pub has_plain_numbers: bool,
}

/// The agent at work.
pub struct Stage {
    pub server: TestServer,
    pub places: Vec<Place>,
    /// A library that the agent is started with, as `LD_PRELOAD` names it.
    pub preload: Option<PathBuf>,
    /// Folders that the agent sees in the place of others. It collects lists if there are any.
    shown: Vec<(PathBuf, &'static str)>,
    agent: Option<Child>,
    mounts: Vec<PathBuf>,
    home: TempDir,
}

/// What somebody did, and what has to stay as it is until it was told.
pub struct Deed {
    /// The process that did it.
    pub by: u32,
    _kept: Box<dyn Any>,
}

impl Deed {
    /// This process did it.
    pub fn ours() -> io::Result<Self> {
        Self::keeping(())
    }

    /// This process did it, and keeps something open.
    pub fn keeping(kept: impl Any) -> io::Result<Self> {
        Ok(Self { by: std::process::id(), _kept: Box::new(kept) })
    }

    /// Another program did it, which has ended in good order. A machine without the program does not know the way.
    pub fn of(command: &mut Command) -> io::Result<Self> {
        // Programs say why they fail in words.
        let started = command.env("LC_ALL", "C").stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = started.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::from(io::ErrorKind::Unsupported),
            _ => error,
        })?;
        let by = child.id();
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(Self { by, _kept: Box::new(()) });
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let is_unknown = said.contains("Operation not supported");
        let kind = if is_unknown { io::ErrorKind::Unsupported } else { io::ErrorKind::Other };
        Err(io::Error::new(kind, format!("{:?}: {said}", command.get_program())))
    }
}

/// True if the error says that a file system or a machine does not know the way.
fn is_unknown(error: &io::Error) -> bool {
    let codes = [Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOTTY, Errno::XDEV];
    error.kind() == io::ErrorKind::Unsupported
        || codes.iter().any(|code| error.raw_os_error() == Some(code.raw_os_error()))
}

/// The folders of one technique on one file system.
pub struct Case {
    /// Monitored.
    pub watched: PathBuf,
    /// On the same file system, and not.
    pub outside: PathBuf,
}

impl Case {
    /// A file that is monitored, and has been from the beginning on.
    pub fn file(&self) -> PathBuf {
        self.watched.join("file")
    }
}

/// A way to change something.
pub struct Technique {
    pub name: &'static str,
    /// Makes what is there before; there is a file `file` with [`BEFORE`] in it.
    pub prepare: fn(&Case) -> io::Result<()>,
    /// Does it. That the file system does not know the way is an error that says so; any other fails the test.
    pub act: fn(&Case) -> io::Result<Deed>,
    /// Which names have to be told.
    pub told: &'static [&'static str],
}

impl Technique {
    /// What could be done on a place; nothing where the way is not known, which is said.
    fn attempt<T>(&self, place: &str, doing: &str, outcome: io::Result<T>) -> Option<T> {
        match outcome {
            Ok(done) => Some(done),
            Err(error) if is_unknown(&error) => {
                fim_testkit::skip(&format!("{place} does not know how to {doing} {:?}: {error}", self.name));
                None
            }
            Err(error) => panic!("{place} fails to {doing} {:?}: {error}", self.name),
        }
    }

    /// Holds that somebody could do it: what fails everywhere tries nothing.
    fn hold_done(&self, count: usize) {
        let is_optional = OPTIONAL.contains(&self.name);
        assert!(count > 0 || is_optional, "{:?} was done nowhere, so that nothing was tried", self.name);
    }
}

/// Techniques that a machine as a whole may not know: its kernel was built or set without it, it has no file system of
/// the kind, or the program is not installed.
const OPTIONAL: [&str; 3] = ["io_uring", "share the blocks of another file", "grant rights by a list"];

/// What monitored files begin with.
pub const BEFORE: &[u8] = b"before, and long enough that there is something to change in the middle of it\n";

/// Nothing has to be there but the file.
pub fn nothing(_: &Case) -> io::Result<()> {
    Ok(())
}

impl Stage {
    /// A stage with a place on each kind of file system that can be mounted here; nothing where this machine does not
    /// let an agent notice changes, which is said.
    pub fn everywhere() -> Option<Self> {
        Self::on(&["tmpfs", "ext4", "xfs", "btrfs", "overlay"])
    }

    /// A stage with a place in the folder for temporary files, and on these kinds of file systems.
    pub fn on(kinds: &[&'static str]) -> Option<Self> {
        if !fim_testkit::may_notice_in_real_time() {
            fim_testkit::skip("noticing changes with who made them takes root and Linux 5.17");
            return None;
        }
        let authority = Authority::new("ours");
        let fingerprint = Fingerprint::of(authority.der());
        let home = tempfile::Builder::new().prefix("steadfast-evasion").tempdir().unwrap();
        let server = TestServer::start(authority, 2099);
        let mut stage = Self {
            server,
            places: Vec::new(),
            preload: None,
            shown: Vec::new(),
            agent: None,
            mounts: Vec::new(),
            home,
        };
        stage.add_place("own", stage.path("own"));
        for &kind in kinds {
            match stage.mount(kind) {
                Ok(point) => stage.add_place(kind, point),
                Err(why) => fim_testkit::skip(&format!("{kind} cannot be mounted here: {why}")),
            }
        }
        stage.set_rules();
        let enrolled = agent()
            .args(["enroll", "--server", stage.server.address(), "--name", "stage", "--ca-fingerprint"])
            .arg(fingerprint.to_string())
            .arg("--data-dir")
            .arg(stage.path("agent"))
            .env("STEADFAST_ENROLL_TOKEN", "good")
            .output()
            .unwrap();
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        Some(stage)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The place in the folder for temporary files.
    pub fn own(&self) -> &Place {
        &self.places[0]
    }

    fn add_place(&mut self, name: &'static str, point: PathBuf) {
        let [watched, outside, named] = ["watched", "outside", "named"].map(|folder| point.join(folder));
        for folder in [&watched, &outside, &named] {
            fs::create_dir_all(folder).unwrap();
        }
        let kind = rustix::fs::statfs(&watched).unwrap().f_type;
        let is_noticed = kind != OVERLAY;
        self.places.push(Place {
            name,
            watched,
            outside,
            named,
            is_noticed,
            has_plain_numbers: is_noticed && kind != BTRFS,
        });
    }

    fn mount(&mut self, kind: &'static str) -> io::Result<PathBuf> {
        let point = self.path(kind);
        fs::create_dir(&point)?;
        let source = self.path(&format!("{kind}.image"));
        let mut mount = Command::new("mount");
        match kind {
            "tmpfs" => mount.args(["-t", kind, "none"]),
            "overlay" => {
                let layers = ["lower", "upper", "work"].map(|layer| self.path(&format!("{kind}.{layer}")));
                layers.iter().try_for_each(fs::create_dir)?;
                let [lower, upper, work] = layers.map(|layer| layer.display().to_string());
                mount.args(["-t", kind, "none", "-o"]);
                mount.arg(format!("lowerdir={lower},upperdir={upper},workdir={work}"))
            }
            _ => {
                fs::File::create(&source)?.set_len(IMAGE_BYTES)?;
                run(Command::new(format!("mkfs.{kind}")).arg("-q").arg(&source))?;
                mount.args(["-o", "loop"]).arg(&source)
            }
        };
        run(mount.arg(&point))?;
        self.mounts.push(point.clone());
        Ok(point)
    }

    /// Has the server give other settings, which the agent scans by at once.
    fn set_rules(&mut self) {
        let mut seen = self.server.ledger();
        let revision = seen.settings["revision"].as_u64().unwrap_or_default() + 1;
        let nothing = format!("nothing-{revision}");
        let rules_of = |place: &Place| {
            let rule = |name: &str, path: PathBuf, recurse: bool| {
                serde_json::json!({
                    "name": format!("{} {name}", place.name), "type": "linux-file", "path": path.to_str(),
                    "recurse": recurse, "exclude": [place.watched.join(&nothing).to_str(), "*.left-out"],
                })
            };
            [
                rule("watched", place.watched.clone(), true),
                rule("named", place.named.join("*.conf"), false),
                rule("deep", place.named.join("deep/**/*.conf"), false),
            ]
        };
        let rules: Vec<_> = self.places.iter().flat_map(rules_of).collect();
        seen.settings = serde_json::json!({
            "revision": revision, "scanIntervalSeconds": 3600, "fimEnabled": true, "rules": rules,
        });
        if !self.shown.is_empty() {
            for list in ["daemonIntervalSeconds", "softwareIntervalSeconds"] {
                seen.settings[list] = 3600.into();
            }
        }
    }

    /// Has the agent that is launched then see a folder in the place of another, and nobody else.
    pub fn show_as(&mut self, folder: PathBuf, place: &'static str) {
        self.shown.push((folder, place));
        self.set_rules();
    }

    /// Starts the agent and waits for its baseline; what changes from then on is no part of it.
    pub fn start(&mut self) {
        self.launch();
        self.wait_for_scan("");
        let seen = self.server.ledger();
        let beat = seen.heartbeats.last().unwrap();
        let provider = beat["provider"].as_str().unwrap();
        match wanted_provider() {
            Some(wanted) => assert_eq!(provider, wanted, "{beat:#}"),
            None => assert!(provider.starts_with("fanotify+"), "{beat:#}"),
        }
        eprintln!("noticed by {provider}");
    }

    /// True if the kernel tells of changes that nobody gives notice of.
    pub fn hears_of_inodes(&self) -> bool {
        let mut command = agent();
        let said =
            command.args(["status", "--json", "--data-dir"]).arg(self.path("agent")).stdout(Stdio::piped());
        let status: serde_json::Value = serde_json::from_slice(&said.output().unwrap().stdout).unwrap();
        let refused = status["refusedProviders"].as_array().unwrap();
        let is_it = |refused: &serde_json::Value| refused.as_str().unwrap().starts_with("inode-changes: ");
        let why = refused.iter().find(|refused| is_it(refused));
        if let Some(why) = why {
            fim_testkit::skip(&format!("the kernel tells of notices only: {why}"));
        }
        why.is_none()
    }

    /// Starts the agent.
    pub fn launch(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("log")).unwrap();
        let mut run = if self.shown.is_empty() { agent() } else { agent_shown(&self.shown) };
        run.args(["run", "--data-dir"]).arg(self.path("agent")).stderr(log);
        if let Some(provider) = wanted_provider() {
            run.args(["--provider", &provider]);
        }
        if let Some(library) = &self.preload {
            run.env("LD_PRELOAD", library);
        }
        self.agent = Some(run.spawn().unwrap());
    }

    /// Has everything scanned, and waits until it has been.
    pub fn scan(&mut self) {
        // Heartbeats tell whole seconds.
        let before = self.last_scan();
        let_pass(Duration::from_secs(1));
        self.set_rules();
        self.wait_for_scan(&before);
    }

    /// When the last scan ended that the server heard of.
    pub fn last_scan(&self) -> String {
        let seen = self.server.ledger();
        let ends = seen.heartbeats.iter().filter_map(|beat| beat["lastScanEnd"].as_str());
        ends.max().unwrap_or_default().to_owned()
    }

    /// Waits until the server heard of the end of a scan after that moment.
    pub fn wait_for_scan(&self, after: &str) {
        self.wait_for("the end of a scan", |seen| {
            seen.heartbeats.last().is_some_and(|beat| {
                beat["state"] == "idle" && beat["lastScanEnd"].as_str().is_some_and(|end| end > after)
            })
        });
    }

    /// Waits until what the server has seen fulfils the condition.
    pub fn wait_for(&self, what: &str, is_fulfilled: impl Fn(&Ledger) -> bool) {
        let deadline = Instant::now() + LONGEST_WAIT;
        while !is_fulfilled(&self.server.ledger()) {
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.path("log")).unwrap_or_default();
                let gaps: Vec<Gap> = self.gaps().collect();
                panic!("waited in vain for {what}; the gaps are {gaps:#?}, and the agent's log is\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The gaps that were told.
    fn gaps(&self) -> impl Iterator<Item = Gap> + use<> {
        let told = self.server.ledger().reports.clone();
        told.into_iter().filter_map(|report| match report {
            Report::Gap(gap) => Some(gap),
            Report::Change(_) | Report::Listed(_) | Report::Inventory(_) => None,
        })
    }

    /// The changes that were told of a path.
    pub fn told(&self, path: &Path) -> Vec<ChangeEvent> {
        let key = entity(path);
        let seen = self.server.ledger();
        let changes = seen.reports.iter().filter_map(|report| match report {
            Report::Change(event) if *event.change.key.path() == key => Some(event.clone()),
            Report::Change(_) | Report::Gap(_) | Report::Listed(_) | Report::Inventory(_) => None,
        });
        changes.collect()
    }

    /// The first change that is told of a path, once it is.
    pub fn record(&self, path: &Path) -> ChangeEvent {
        self.record_that(path, |_| true)
    }

    /// The first change of a path that is as wanted, once it is told.
    pub fn record_that(&self, path: &Path, is_wanted: impl Fn(&ChangeEvent) -> bool) -> ChangeEvent {
        let key = entity(path);
        let is_it = |report: &Report| matches!(report, Report::Change(event) if *event.change.key.path() == key && is_wanted(event));
        self.wait_for(&format!("a record of {}", path.display()), |seen| seen.reports.iter().any(is_it));
        self.told(path).into_iter().find(|event| is_wanted(event)).unwrap()
    }

    /// The first gap that is as wanted, once it is told.
    pub fn gap(&self, what: &str, is_wanted: impl Fn(&Gap) -> bool) -> Gap {
        self.wait_for(what, |seen| {
            seen.reports.iter().any(|report| matches!(report, Report::Gap(gap) if is_wanted(gap)))
        });
        self.gaps().find(|gap| is_wanted(gap)).unwrap()
    }

    /// Prepares each technique in each place, starts the agent, does everything, and holds that it is told: under its
    /// name, in real time with who did it where the file system can be watched, else by the next scan.
    pub fn perform(mut self, techniques: &[Technique]) -> Self {
        let mut prepared = Vec::new();
        for (number, place) in self.places.iter().enumerate() {
            for technique in techniques {
                let case = place.case(technique.name);
                fs::create_dir_all(&case.watched).unwrap();
                fs::create_dir_all(&case.outside).unwrap();
                fs::write(case.file(), BEFORE).unwrap();
                let outcome = (technique.prepare)(&case);
                if technique.attempt(place.name, "prepare", outcome).is_some() {
                    prepared.push((number, technique));
                }
            }
        }
        self.start();
        let mut deeds = Vec::new();
        for (number, technique) in prepared {
            let place = &self.places[number];
            let outcome = (technique.act)(&place.case(technique.name));
            deeds.extend(technique.attempt(place.name, "do", outcome).map(|deed| (number, technique, deed)));
        }
        for technique in techniques {
            technique.hold_done(deeds.iter().filter(|(_, done, _)| done.name == technique.name).count());
        }
        for (number, technique, deed) in deeds.iter().filter(|(number, ..)| self.places[*number].is_noticed) {
            self.hold_told(&self.places[*number], technique, deed);
        }
        if self.places.iter().any(|place| !place.is_noticed) {
            self.scan();
        }
        for (number, technique, deed) in deeds.iter().filter(|(number, ..)| !self.places[*number].is_noticed)
        {
            self.hold_told(&self.places[*number], technique, deed);
        }
        self
    }

    fn hold_told(&self, place: &Place, technique: &Technique, deed: &Deed) {
        for name in technique.told {
            let path = place.case(technique.name).watched.join(name);
            if place.is_noticed {
                self.hold_noticed(place, &path, deed.by);
            } else {
                // Who did it may be known all the same, from what happened to the file beneath.
                let record = self.record(&path);
                let is_right = record.who.actors.iter().all(|actor| actor.process_id == deed.by);
                assert!(is_right, "{}: {record:#?}", path.display());
            }
        }
    }

    /// Holds that a change of the path is told in real time, and made by that process and nobody else.
    pub fn hold_noticed(&self, place: &Place, path: &Path, by: u32) {
        let record = self.record(path);
        let what = format!("on {}: {}: {record:#?}", place.name, path.display());
        assert_eq!(record.source, ChangeSource::RealTime, "{what}");
        assert_eq!(record.who.unknown, None, "{what}");
        let actors: Vec<u32> = record.who.actors.iter().map(|actor| actor.process_id).collect();
        assert_eq!(actors, [by], "{what}");
        eprintln!("told on {}: {}, {}", place.name, path.display(), in_words(&record));
    }

    /// Ends the agent at once.
    pub fn kill(&mut self) {
        let mut agent = self.agent.take().unwrap();
        agent.kill().unwrap();
        agent.wait().unwrap();
    }

    /// Sends the agent a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.agent.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Stops the agent where it is, until `-CONT`. A signal is sent at once and acted on a moment later.
    pub fn suspend(&self) {
        self.signal("-STOP");
        let status = format!("/proc/{}/status", self.agent.as_ref().unwrap().id());
        let deadline = Instant::now() + LONGEST_WAIT;
        while !fs::read_to_string(&status).unwrap().contains("State:\tT") {
            assert!(Instant::now() < deadline, "the agent does not stop");
            std::thread::yield_now();
        }
    }

    /// The agent's data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.path("agent")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.agent.is_some() {
            self.kill();
        }
        for point in self.mounts.iter().rev() {
            // What a test that failed left open must not keep it.
            let _ = Command::new("umount").arg("--lazy").arg(point).status();
        }
    }
}

impl Place {
    /// The folders of a technique.
    pub fn case(&self, technique: &str) -> Case {
        let folder = technique.replace(' ', "-");
        Case { watched: self.watched.join(&folder), outside: self.outside.join(&folder) }
    }
}

/// The entity at a path.
pub fn entity(path: &Path) -> EntityPath {
    EntityPath::unix(path.as_os_str().as_encoded_bytes())
}

/// True if the gap is of a scope that takes the path in, and of a stretch that takes the moment in.
pub fn covers(gap: &Gap, path: &Path, moment: Timestamp) -> bool {
    let is_in_scope = match &gap.scope {
        GapScope::Everything => true,
        GapScope::Within(scope) => entity(path).is_within(scope),
        GapScope::List(_) | GapScope::Part(_) => false,
    };
    is_in_scope && gap.start <= moment && gap.end.is_none_or(|end| end >= moment)
}

/// The machine's clock.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_nanos()).unwrap())
}

/// Runs a command that has to succeed; what it said otherwise.
pub fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("{:?}: {said}", command.get_program())))
}

/// Lets time pass on the machine's clock: for what goes by that clock, and cannot be waited for.
pub fn let_pass(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::thread::sleep(time.saturating_sub(begun.elapsed()));
    }
}

/// What a record tells, in a line.
fn in_words(record: &ChangeEvent) -> String {
    let by = record.who.actors.iter().map(|actor| {
        let program = actor.executable.as_ref().map_or_else(|| "a program".to_owned(), ToString::to_string);
        format!("{program} ({})", actor.process_id)
    });
    format!("by {}", by.collect::<Vec<_>>().join(", "))
}

/// As long as a machine that is busy may take for some ten thousand changes.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Numbers of `linux/magic.h`. The merged view of the first cannot be marked, and the second numbers the files of each of
/// its volumes anew.
const OVERLAY: rustix::fs::FsWord = 0x794c_7630;
const BTRFS: rustix::fs::FsWord = 0x9123_683e;

/// The least that xfs takes; nothing of it is written but what is used.
const IMAGE_BYTES: u64 = 320 << 20;
