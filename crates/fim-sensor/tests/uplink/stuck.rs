//! A whole sensor whose engine the system lets wait, as a file system does that does not answer.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use fim_core::GapCause;
use fim_sensor::{
    DataDir, Enrollment, Fingerprint, LogOptions, RunningSensor, ScanOptions, Sensor, SensorConfig, Token,
    TrustAnchor, WatcherChoice, enroll,
};
use fim_testkit::MemoryTree;
use fim_wire::Report;

use super::support::{Authority, TestServer};
use super::until;

/// What the engine's thread has to pass before each scan.
#[derive(Default)]
struct Gate {
    passage: Mutex<()>,
    is_engine_waiting: AtomicBool,
}

impl Gate {
    fn pass(&self) {
        if std::thread::current().name() == Some("engine") {
            self.is_engine_waiting.store(self.passage.try_lock().is_err(), Ordering::SeqCst);
            drop(self.passage.lock());
            self.is_engine_waiting.store(false, Ordering::SeqCst);
        }
    }

    /// Closes the gate and waits until the engine stands before it.
    fn close(&self) -> MutexGuard<'_, ()> {
        let closed = self.passage.lock().unwrap();
        until("the engine at the gate", || {
            Some(()).filter(|()| self.is_engine_waiting.load(Ordering::SeqCst))
        });
        closed
    }
}

fn machine() -> Arc<MemoryTree> {
    let tree = MemoryTree::new();
    tree.directory("/etc").file("/etc/hosts", "localhost");
    Arc::new(tree)
}

/// A sensor that has scanned, with its server.
fn start(home: &Path, gate: &Arc<Gate>) -> (TestServer, RunningSensor) {
    let authority = Authority::new("ours");
    let trust = TrustAnchor::Fingerprint(Fingerprint::of(authority.der()));
    let server = TestServer::start(authority, 2099);
    server.ledger().settings = serde_json::json!({
        "revision": 1, "scanIntervalSeconds": 1, "fimEnabled": true,
        "rules": [{"name": "etc", "type": "linux-file", "path": "/etc", "recurse": true}],
    });
    let dir = DataDir::new(home);
    let enrollment = Enrollment {
        server: server.address().to_owned(),
        token: Token::new("good\n"),
        trust,
        machine_name: "web-1".to_owned(),
        os_type: "Linux",
        os_name: "Debian".to_owned(),
        agent_version: "0.1.0".to_owned(),
    };
    enroll(&dir, &enrollment).unwrap();
    let sensor = run(&dir, gate);
    drop(server.wait_for("a first scan", |seen| {
        seen.heartbeats.iter().any(|beat| beat["state"] == "idle" && beat["lastScanEnd"].is_string())
    }));
    (server, sensor)
}

fn run(dir: &DataDir, gate: &Arc<Gate>) -> RunningSensor {
    let config = SensorConfig {
        data_dir: dir.clone(),
        agent_version: "0.1.0".to_owned(),
        os_name: "Debian".to_owned(),
        scan: ScanOptions { patience: Some(Duration::from_secs(2)), ..ScanOptions::default() },
        spool: LogOptions::default(),
        list_watcher: Err("nothing does here".to_owned()),
    };
    let (gate, tree) = (Arc::clone(gate), machine());
    let look = move || {
        gate.pass();
        Arc::clone(&tree)
    };
    Sensor::start(config, look, Box::new(WatcherChoice::default)).unwrap()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

fn stamp(home: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(home.join("alive")).unwrap()).unwrap()
}

#[test]
fn an_engine_that_is_let_wait_gives_no_sign_of_life_and_tells_the_gap_since_it_went_on_last() {
    let home = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let (server, sensor) = start(home.path(), &gate);
    let closed = gate.close();
    let waiting = now();
    until("the sign", || sensor.status().stuck_since);
    // The pulse goes on and looks again every few seconds; the server has asked for a sign of life each second.
    let next_pulse = |sensor: &RunningSensor| {
        let last = sensor.status().updated;
        until("the next pulse", || Some(()).filter(|()| sensor.status().updated != last));
    };
    next_pulse(&sensor);
    let silent = server.ledger().heartbeats.len();
    next_pulse(&sensor);
    assert_eq!(server.ledger().heartbeats.len(), silent, "who looks at nothing gives no sign of life");
    assert!(stamp(home.path())["alive"].as_i64().unwrap() <= waiting, "nor is it noted as watching");
    drop(closed);
    let told =
        server.wait_for("the gap", |seen| suspended(&seen.reports).is_some_and(|(_, is_over)| is_over));
    let (start, _) = suspended(&told.reports).unwrap();
    assert!(start <= waiting, "{start} is after {waiting}");
    drop(told);
    drop(server.wait_for("signs of life", |seen| seen.heartbeats.len() > silent));
    until("the end of the sign", || Some(()).filter(|()| sensor.status().stuck_since.is_none()));
    sensor.stop().unwrap();
}

#[test]
fn a_sensor_stops_though_its_engine_is_let_wait_and_claims_nothing_since() {
    let home = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let (server, sensor) = start(home.path(), &gate);
    let closed = gate.close();
    let waiting = now();
    sensor.stop().unwrap();
    let stamp = stamp(home.path());
    assert_eq!(stamp["isStopped"], false, "it did not end in good order");
    assert!(stamp["alive"].as_i64().unwrap() <= waiting, "{stamp} is after {waiting}");
    // The engine may yet go on: nobody else works in its directory before the process ends.
    let dir = DataDir::new(home.path());
    assert!(dir.lock().is_err());
    drop(closed);
    drop(server);
}

/// Since when the engine was let wait by what was told, and whether that is over.
fn suspended(reports: &[Report]) -> Option<(i64, bool)> {
    let gaps = reports.iter().filter_map(|report| match report {
        Report::Gap(gap) => Some(gap),
        Report::Change(_) | Report::Listed(_) | Report::Inventory(_) => None,
    });
    let mut suspended = gaps.filter(|gap| gap.cause == GapCause::AgentSuspended);
    suspended.next_back().map(|gap| (gap.start.0, gap.end.is_some()))
}
