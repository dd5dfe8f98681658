//! Measures the agent in real time on this machine's own file system, and prints what it found as JSON.
//! `cargo xtask bench realtime` makes a page of it.
//!
//! Usage: `real_time AGENT DIRECTORY OPERATIONS ENTITIES [PART]`, with the program, a folder that does not exist yet, how
//! many operations a storm has and how many files are monitored when memory is measured, as `200000,1000000`; with a part,
//! that alone.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that meets trouble ends, and what it found is its output"
)]

#[path = "../../fim-sensor/tests/support/mod.rs"]
#[allow(dead_code, reason = "the server can fail in more ways than are wanted here")]
mod support;

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use fim_core::Timestamp;
use fim_sensor::Fingerprint;
use fim_wire::Report;
use serde_json::{Value, json};
use support::{Authority, TestServer};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ([agent, directory, operations, entities], parts) =
        arguments.split_first_chunk().unwrap_or_else(|| {
            panic!("usage: real_time AGENT DIRECTORY OPERATIONS ENTITIES [PART]");
        });
    let is_wanted = |part| parts.first().is_none_or(|wanted| wanted == part);
    let bench = Bench { agent: agent.into(), directory: directory.into() };
    let operations = operations.parse().unwrap();
    let entities: Vec<usize> = entities.split(',').map(|number| number.parse().unwrap()).collect();
    fs::create_dir(&bench.directory).unwrap();
    let figures = json!({
        "load": fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next(),
        "idle": is_wanted("idle").then(|| bench.idle()),
        "storm": is_wanted("storm").then(|| bench.storm(operations)),
        "inotifywait": is_wanted("inotifywait").then(|| bench.storm_of_inotifywait(operations)),
        "overhead": is_wanted("overhead").then(|| bench.overhead()),
        "memory": is_wanted("memory").then(|| entities.iter().map(|&many| bench.memory(many)).collect::<Vec<_>>()),
    });
    println!("{figures}");
}

struct Bench {
    agent: PathBuf,
    directory: PathBuf,
}

/// An agent at work, and the server that keeps what it tells.
struct Watching {
    agent: Child,
    server: TestServer,
}

impl Bench {
    /// A folder that is not there yet.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.directory.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    /// Starts an agent that watches the folder, and waits for its baseline.
    fn watch(&self, folder: &Path) -> Watching {
        let authority = Authority::new("ours");
        let fingerprint = Fingerprint::of(authority.der()).to_string();
        let server = TestServer::start(authority, 2099);
        server.ledger().settings = json!({
            "revision": 1, "scanIntervalSeconds": 86400, "fimEnabled": true,
            "rules": [{"name": "bench", "type": "linux-file", "path": folder.to_str(), "recurse": true}],
        });
        let data = self.folder("agent");
        let command = |arguments: &[&str]| {
            let mut command = Command::new(&self.agent);
            command.args(arguments).arg("--data-dir").arg(&data).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let enrolled = command(&["enroll", "--server", server.address(), "--ca-fingerprint", &fingerprint])
            .args(["--name", "bench"])
            .env("STEADFAST_ENROLL_TOKEN", "good")
            .status();
        assert!(enrolled.unwrap().success());
        let agent = command(&["run"]).spawn().unwrap();
        let watching = Watching { agent, server };
        let deadline = Instant::now() + Duration::from_secs(600);
        while !watching.is_idle() {
            assert!(Instant::now() < deadline, "no baseline");
            std::thread::sleep(Duration::from_millis(100));
        }
        watching
    }

    /// How long a change takes to be told when nothing else happens.
    fn idle(&self) -> Value {
        let folder = self.folder("idle");
        let files: Vec<PathBuf> = (0..IDLE_WRITES).map(|number| folder.join(number.to_string())).collect();
        files.iter().for_each(|file| fs::write(file, "before").unwrap());
        let watching = self.watch(&folder);
        let (mut observed, mut arrived) = (Vec::new(), Vec::new());
        for file in &files {
            fs::write(file, "after, and longer").unwrap();
            let begun = (now(), Instant::now());
            let path = file.to_str().unwrap();
            let seen = watching.server.wait_for("the record", |seen| {
                seen.reports.last().is_some_and(|report| support::path_of(report) == path)
            });
            arrived.push(begun.1.elapsed().as_secs_f64() * 1e3);
            let Some(Report::Change(event)) = seen.reports.last() else { panic!("no record") };
            observed.push(event.observed.nanos_since(begun.0) as f64 / 1e6);
        }
        json!({"writes": IDLE_WRITES, "observedMillis": spread(observed), "arrivedMillis": spread(arrived)})
    }

    /// As many operations on as many files as fast as they go.
    fn storm(&self, operations: usize) -> Value {
        let folder = self.folder("storm");
        prepare(&folder, operations);
        let watching = self.watch(&folder);
        let before = watching.cpu_seconds();
        let begun = Instant::now();
        let done = storm(&folder, operations);
        let storm_seconds = begun.elapsed().as_secs_f64();
        watching.wait_for_silence();
        let mut told: HashMap<String, Timestamp> = HashMap::new();
        for report in &watching.server.ledger().reports {
            let Report::Change(event) = report else { continue };
            let names = [Some(&event.change.key), event.moved_from.as_ref()];
            for key in names.into_iter().flatten() {
                told.entry(key.path().to_string()).or_insert(event.observed);
            }
        }
        let latencies: Vec<f64> = done
            .iter()
            .filter_map(|(time, path)| Some(told.get(path)?.nanos_since(*time) as f64 / 1e6))
            .collect();
        let gaps =
            watching.server.ledger().reports.iter().filter(|report| matches!(report, Report::Gap(_))).count();
        json!({
            "operations": done.len(),
            "missed": done.len() - latencies.len(),
            // One opens before the baseline, and is closed by it.
            "gaps": gaps.saturating_sub(2),
            "operationsPerSecond": done.len() as f64 / storm_seconds,
            "observedMillis": spread(latencies),
            "cpuSeconds": watching.cpu_seconds() - before,
            "peakKib": watching.status("VmHWM"),
        })
    }

    /// The same before a program that only prints names, if it is installed.
    fn storm_of_inotifywait(&self, operations: usize) -> Value {
        let folder = self.folder("storm");
        prepare(&folder, operations);
        let format = ["-m", "-r", "--format", "%w%f", "-e", "modify,attrib,move,create,delete,close_write"];
        let spawned = Command::new("inotifywait")
            .args(format)
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = spawned else { return Value::Null };
        let said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        // Nobody reads further: it says nothing more but why it ends.
        assert!(
            said.into_iter().any(|line| line.contains("Watches established")),
            "inotifywait does not start"
        );
        let lines: Arc<Mutex<Vec<(Timestamp, String)>>> = Arc::default();
        let reader = {
            let (output, lines) = (child.stdout.take().unwrap(), Arc::clone(&lines));
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    lines.lock().unwrap().push((now(), line));
                }
            })
        };
        let before = cpu_seconds(child.id());
        let done = storm(&folder, operations);
        wait_for_silence(|| lines.lock().unwrap().len());
        let cpu = cpu_seconds(child.id()) - before;
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap();
        let mut told: HashMap<&str, Timestamp> = HashMap::new();
        let lines = lines.lock().unwrap();
        for (time, line) in lines.iter() {
            told.entry(line).or_insert(*time);
        }
        let latencies: Vec<f64> = done
            .iter()
            .filter_map(|(time, path)| Some(told.get(path.as_str())?.nanos_since(*time) as f64 / 1e6))
            .collect();
        json!({
            "missed": done.len() - latencies.len(), "observedMillis": spread(latencies), "cpuSeconds": cpu,
        })
    }

    /// What files that come, are written, renamed and removed cost whoever does that: without the agent, beside what it
    /// watches, and in what it watches; in turns.
    fn overhead(&self) -> Value {
        let mut figures: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for _ in 0..OVERHEAD_ROUNDS {
            let (watched, beside) = (self.folder("watched"), self.folder("beside"));
            figures.entry("alone").or_default().push(churn(&beside));
            let watching = self.watch(&watched);
            for (name, agents, folder) in
                [("beside", "agentBeside", &beside), ("watched", "agentWatched", &watched)]
            {
                let before = watching.cpu_seconds();
                figures.entry(name).or_default().push(churn(folder));
                watching.wait_for_rest();
                let spent = (watching.cpu_seconds() - before) * 1e6 / CHURN_FILES as f64;
                figures.entry(agents).or_default().push(spent);
            }
        }
        json!({"files": CHURN_FILES, "rounds": OVERHEAD_ROUNDS, "microsPerFile": figures})
    }

    /// What the agent takes when it watches many files and nothing happens.
    fn memory(&self, entities: usize) -> Value {
        let folder = self.folder("many");
        for number in 0..entities {
            if number % 100 == 0 {
                fs::create_dir(folder.join(format!("{:05}", number / 100))).unwrap();
            }
            File::create(folder.join(format!("{:05}/{number:07}", number / 100))).unwrap();
        }
        let watching = self.watch(&folder);
        watching.wait_for_rest();
        let (before, begun) = (watching.cpu_seconds(), Instant::now());
        std::thread::sleep(Duration::from_secs(30));
        let share = (watching.cpu_seconds() - before) / begun.elapsed().as_secs_f64();
        json!({
            "entities": entities,
            "residentKib": watching.status("VmRSS"),
            "peakKib": watching.status("VmHWM"),
            "idlePercentOfACore": share * 100.0,
        })
    }
}

impl Watching {
    fn is_idle(&self) -> bool {
        let seen = self.server.ledger();
        let beat = seen.heartbeats.last();
        beat.is_some_and(|beat| beat["state"] == "idle" && beat["lastScanEnd"].is_string())
    }

    fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.agent.id())
    }

    /// A figure of `/proc/PID/status`.
    fn status(&self, name: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.agent.id())).unwrap();
        status.lines().find(|line| line.starts_with(name))?.split_whitespace().nth(1)?.parse().ok()
    }

    /// Waits until nothing more was told for a while.
    fn wait_for_silence(&self) {
        wait_for_silence(|| self.server.ledger().reports.len());
    }

    /// Waits until the agent has nothing to do.
    fn wait_for_rest(&self) {
        loop {
            let before = self.cpu_seconds();
            std::thread::sleep(Duration::from_secs(2));
            if self.cpu_seconds() - before < 0.02 {
                return;
            }
        }
    }
}

/// Waits until the number of what was told stays the same for a while, which is all that says that no more will come.
fn wait_for_silence(told: impl Fn() -> usize) {
    let mut last = (0, Instant::now());
    while last.1.elapsed() < Duration::from_secs(10) {
        // Silence is the passing of time, and there is no other sign of it.
        std::thread::sleep(Duration::from_millis(100));
        let told = told();
        if told != last.0 {
            last = (told, Instant::now());
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

/// Makes the folders and files that a storm works in.
fn prepare(root: &Path, operations: usize) {
    for number in 0..operations {
        let folder = root.join(format!("w{:03}", number % 200));
        if number < 200 {
            fs::create_dir(&folder).unwrap();
        }
        if number % 6 != 0 {
            fs::write(folder.join(format!("t{number:06}")), format!("old {number}\n")).unwrap();
        }
    }
}

/// Does one thing to each of so many files: when, and the path that has to be told.
fn storm(root: &Path, operations: usize) -> Vec<(Timestamp, String)> {
    let mut done = Vec::with_capacity(operations);
    for number in 0..operations {
        let path = root.join(format!("w{:03}/t{number:06}", number % 200));
        match number % 6 {
            0 | 1 => fs::write(&path, format!("new {number}\n")).unwrap(),
            2 => File::options().append(true).open(&path).unwrap().write_all(b"more\n").unwrap(),
            3 => fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap(),
            4 => fs::rename(&path, path.with_extension("r")).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        done.push((now(), path.to_str().unwrap().to_owned()));
    }
    done
}

/// Makes, writes, renames and removes files; how many microseconds of a processor each of them took.
fn churn(folder: &Path) -> f64 {
    let before = own_nanos();
    for number in 0..CHURN_FILES {
        let path = folder.join(number.to_string());
        fs::write(&path, [b'x'; 1024]).unwrap();
        let other = folder.join("renamed");
        fs::rename(&path, &other).unwrap();
        fs::remove_file(&other).unwrap();
    }
    (own_nanos() - before) as f64 / 1e3 / CHURN_FILES as f64
}

/// How long this thread has run, in nanoseconds.
fn own_nanos() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// How long a process has run, in user space and in the kernel.
fn cpu_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    // `/proc` counts in hundredths of a second.
    (ticks(11) + ticks(12)) / 100.0
}

fn spread(mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let at =
        |part: f64| values.get(((values.len() as f64 * part) as usize).min(values.len().saturating_sub(1)));
    json!({"p50": at(0.5), "p99": at(0.99), "most": values.last()})
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_nanos()).unwrap())
}

const IDLE_WRITES: usize = 200;
const CHURN_FILES: usize = 10_000;
const OVERHEAD_ROUNDS: usize = 5;
