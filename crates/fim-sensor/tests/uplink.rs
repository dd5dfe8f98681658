//! Enrolment and a whole sensor against a TLS server that refuses, fails, and forgets to answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "uplink/stuck.rs"]
mod stuck;
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use fim_core::{EntityPath, GapCause, GapScope};
use fim_sensor::{
    DataDir, EnrollError, Enrollment, Fingerprint, LogOptions, RunningSensor, ScanOptions, Sensor,
    SensorConfig, SensorState, Token, TrustAnchor, WatcherChoice, enroll, enrolled_with,
};
use fim_testkit::MemoryTree;
use fim_wire::Report;
use support::{Authority, Mishap, TestServer, path_of};

fn enrollment(server: &TestServer, trust: TrustAnchor) -> Enrollment {
    Enrollment {
        server: server.address().to_owned(),
        token: Token::new("good\n"),
        trust,
        machine_name: "web-1".to_owned(),
        os_type: "Linux",
        os_name: "Debian".to_owned(),
        agent_version: "0.1.0".to_owned(),
    }
}

/// A server, and a trust anchor that proves it.
fn server(until_year: i32) -> (TestServer, TrustAnchor) {
    let authority = Authority::new("ours");
    let trust = TrustAnchor::Fingerprint(Fingerprint::of(authority.der()));
    let server = TestServer::start(authority, until_year);
    server.ledger().settings = serde_json::json!({
        "revision": 1, "scanIntervalSeconds": 1, "fimEnabled": true,
        "rules": [{"name": "etc", "type": "linux-file", "path": "/etc", "recurse": true}],
    });
    (server, trust)
}

fn machine() -> Arc<MemoryTree> {
    let tree = MemoryTree::new();
    tree.directory("/etc").file("/etc/hosts", "localhost").file("/etc/passwd", "root");
    Arc::new(tree)
}

fn start(dir: &DataDir, tree: &Arc<MemoryTree>) -> RunningSensor {
    let config = SensorConfig {
        data_dir: dir.clone(),
        agent_version: "0.1.0".to_owned(),
        os_name: "Debian".to_owned(),
        scan: ScanOptions::default(),
        spool: LogOptions::default(),
        list_watcher: Err("nothing does here".to_owned()),
    };
    let tree = Arc::clone(tree);
    Sensor::start(config, move || Arc::clone(&tree), Box::new(WatcherChoice::default)).unwrap()
}

/// All messages of an error and its causes.
fn text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// True if nobody but the owner may read the file or directory.
fn is_private(path: &Path) -> bool {
    path.metadata().unwrap().permissions().mode() & 0o077 == 0
}

fn changed_paths(reports: &[Report]) -> Vec<String> {
    reports.iter().map(path_of).filter(|path| !path.is_empty()).collect()
}

fn has_scanned(server: &TestServer) {
    drop(server.wait_for("a first scan", |seen| {
        seen.heartbeats.iter().any(|beat| beat["state"] == "idle" && beat["lastScanEnd"].is_string())
    }));
}

#[test]
fn enrolment_proves_the_server_and_keeps_the_key_at_home() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path().join("agent"));
    let identity = enroll(&dir, &enrollment(&server, trust)).unwrap();
    assert_eq!(identity.machine_id.to_string(), support::MACHINE);
    let sent = server.ledger().enrolments.join("");
    assert!(sent.contains("CERTIFICATE REQUEST") && !sent.contains("PRIVATE KEY"), "{sent}");
    let kept = std::fs::read_to_string(dir.identity_path()).unwrap();
    assert!(kept.contains("PRIVATE KEY"));
    assert!(is_private(&dir.identity_path()) && is_private(dir.path()));
    assert!(!format!("{identity:?}").contains("PRIVATE KEY"));
}

#[test]
fn a_machine_is_enrolled_with_a_server_if_address_and_authority_are_its() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path().join("agent"));
    let is_with = |address: &str, trust: &TrustAnchor| enrolled_with(&dir, address, trust).unwrap().is_some();
    assert!(!is_with(server.address(), &trust), "it is not enrolled at all");
    let identity = enroll(&dir, &enrollment(&server, trust.clone())).unwrap();
    assert!(is_with(server.address(), &trust) && is_with(&format!("{}/", server.address()), &trust));
    assert!(is_with(server.address(), &TrustAnchor::Certificate(identity.ca_pem)));
    let foreign = Authority::new("foreign");
    for (address, other) in [
        (server.address(), &TrustAnchor::Fingerprint(Fingerprint::of(foreign.der()))),
        ("https://127.0.0.1:1", &trust),
    ] {
        assert!(!is_with(address, other), "{address}");
    }
    let no_certificate = TrustAnchor::Certificate("none".to_owned());
    let refused = enrolled_with(&dir, server.address(), &no_certificate);
    assert!(matches!(refused, Err(EnrollError::BadAuthority)), "{refused:?}");
}

#[test]
fn a_foreign_server_gets_no_token() {
    let (foreign, _) = server(2099);
    let ours = Authority::new("ours");
    let pins = [
        (TrustAnchor::Fingerprint(Fingerprint::of(ours.der())), "fingerprint"),
        (TrustAnchor::Certificate(ours.pem()), "not signed by the certificate authority"),
    ];
    for (trust, expected) in pins {
        let home = tempfile::tempdir().unwrap();
        let dir = DataDir::new(home.path());
        let error = enroll(&dir, &enrollment(&foreign, trust)).unwrap_err();
        assert!(text(&error).contains(expected), "{}", text(&error));
        assert!(!dir.identity_path().exists());
    }
    assert!(foreign.ledger().requests.is_empty(), "{:?}", foreign.ledger().requests);
}

#[test]
fn a_server_with_an_expired_certificate_is_refused_with_the_date() {
    let (server, trust) = server(2021);
    let home = tempfile::tempdir().unwrap();
    let error = enroll(&DataDir::new(home.path()), &enrollment(&server, trust)).unwrap_err();
    assert!(text(&error).contains("its certificate expired on 2021-01-01T00:00:00Z"), "{}", text(&error));
}

#[test]
fn a_token_that_the_server_does_not_take_is_told_with_its_reason() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let mut enrollment = enrollment(&server, trust);
    enrollment.token = Token::new("old");
    let error = enroll(&DataDir::new(home.path()), &enrollment).unwrap_err();
    assert!(
        matches!(&error, EnrollError::Token { detail, .. } if detail == "the token has expired"),
        "{error}"
    );
}

#[test]
fn a_server_that_is_not_there_and_an_address_that_is_none_are_told_apart() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    let mut enrollment = enrollment(&server, trust);
    for (address, expected) in [
        ("https://127.0.0.1:1", "nothing listens at https://127.0.0.1:1;"),
        ("http://127.0.0.1:8080", "must begin with https://"),
        ("fim.example.org", "no server's address"),
    ] {
        enrollment.server = address.to_owned();
        let error = enroll(&dir, &enrollment).unwrap_err();
        assert!(text(&error).contains(expected), "{}", text(&error));
    }
}

#[test]
fn a_change_arrives_once_through_refusals_pauses_and_lost_answers() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    server.ledger().mishaps.extend([
        Mishap::Refuse(503, Some(0)),
        Mishap::Refuse(500, None),
        Mishap::StoreUnheard,
        Mishap::Refuse(429, Some(0)),
    ]);
    tree.file("/etc/hosts", "evil").file("/etc/new", "new").remove("/etc/passwd");
    drop(server.wait_for("the repeat of what was stored unheard", |seen| seen.repeats > 0));
    // A scan that was under way meanwhile has found a part of it, and the next one finds the rest.
    drop(server.wait_for("all that changed", |seen| changed_paths(&seen.reports).len() >= 3));
    drop(server.wait_for("an empty spool", |seen| {
        seen.heartbeats.last().is_some_and(|beat| beat["spoolRecords"] == 0)
    }));
    let mut paths = changed_paths(&server.ledger().reports);
    paths.sort();
    assert_eq!(paths, ["/etc/hosts", "/etc/new", "/etc/passwd"]);
    sensor.stop().unwrap();
}

#[test]
fn a_report_that_the_server_never_takes_is_set_aside_and_told_as_a_gap() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    server.ledger().poison = Some("/etc/c".to_owned());
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    for name in ["a", "b", "c", "d"] {
        tree.file(format!("/etc/{name}"), name);
    }
    let is_rejection =
        |report: &Report| matches!(report, Report::Gap(gap) if gap.cause == GapCause::ReportRejected);
    drop(server.wait_for("the gap", |seen| seen.reports.iter().any(is_rejection)));
    drop(server.wait_for("the others", |seen| changed_paths(&seen.reports).len() == 3));
    sensor.stop().unwrap();
    let mut paths = changed_paths(&server.ledger().reports);
    paths.sort();
    assert_eq!(paths, ["/etc/a", "/etc/b", "/etc/d"]);
    assert_eq!(std::fs::read_dir(dir.spool_path().join("rejected")).unwrap().count(), 1);
}

#[test]
fn what_changes_while_the_sensor_is_stopped_is_sent_by_the_next_one_with_the_gap() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    sensor.stop().unwrap();
    tree.file("/etc/hosts", "evil");
    let sensor = start(&dir, &tree);
    let seen = server.wait_for("the change", |seen| changed_paths(&seen.reports) == ["/etc/hosts"]);
    let stopped = |report: &Report| matches!(report, Report::Gap(gap) if gap.cause == GapCause::AgentStopped && gap.detail.contains("was stopped"));
    assert_eq!(seen.reports.iter().filter(|report| stopped(report)).count(), 1, "{:?}", seen.reports);
    drop(seen);
    sensor.stop().unwrap();
}

/// Tries until there is something, for half a minute.
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn reports_are_sent_though_the_server_has_trouble_with_the_settings() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    sensor.stop().unwrap();
    server.ledger().settings_refusal = Some(500);
    tree.file("/etc/hosts", "evil");
    let sensor = start(&dir, &tree);
    drop(server.wait_for("the change", |seen| changed_paths(&seen.reports) == ["/etc/hosts"]));
    let beats = server.ledger().heartbeats.len();
    drop(server.wait_for("signs of life", |seen| seen.heartbeats.len() > beats));
    assert!(!changed_paths(&server.ledger().reports).is_empty());
    sensor.stop().unwrap();
}

#[test]
fn the_status_tells_what_waits_while_the_uplink_pauses() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    server.ledger().mishaps.push_back(Mishap::Refuse(503, Some(3000)));
    tree.file("/etc/hosts", "evil");
    until("a pause", || sensor.status().server_error);
    assert!(server.ledger().mishaps.is_empty(), "the uplink is in its pause");
    for name in ["a", "b", "c"] {
        tree.file(format!("/etc/{name}"), name);
    }
    until("all that waits", || Some(()).filter(|()| sensor.status().spool_records == 4));
    let written: fim_sensor::Status = until("the file", || {
        serde_json::from_slice(&std::fs::read(dir.status_path()).ok()?)
            .ok()
            .filter(|status: &fim_sensor::Status| status.spool_records == 4)
    });
    assert!(written.spool_bytes > 0);
    sensor.stop().unwrap();
}

#[test]
fn what_a_server_without_an_answer_costs_at_the_stop_is_not_claimed_as_watched() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    server.ledger().mishaps.push_back(Mishap::Hold);
    tree.file("/etc/hosts", "evil");
    drop(server.wait_for("the batch", |seen| !seen.reports.is_empty()));
    let stopping = std::thread::spawn(move || sensor.stop());
    until("the engine's end", || {
        let status: fim_sensor::Status =
            serde_json::from_slice(&std::fs::read(dir.status_path()).ok()?).ok()?;
        Some(()).filter(|()| status.state == SensorState::Stopped)
    });
    let ended = SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    server.release();
    stopping.join().unwrap().unwrap();
    let stamp: serde_json::Value =
        serde_json::from_slice(&std::fs::read(home.path().join("alive")).unwrap()).unwrap();
    assert_eq!(stamp["isStopped"], true);
    assert!(u128::from(stamp["alive"].as_u64().unwrap()) <= ended, "{stamp} is after {ended}");
}

#[test]
fn a_sensor_stops_though_the_file_system_does_not_answer() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    tree.hang("/etc/hosts");
    let sensor = start(&dir, &tree);
    until("the file", || Some(()).filter(|()| tree.opened().contains(&b"/etc/hosts"[..])));
    sensor.stop().unwrap();
    tree.answer();
}

#[test]
fn new_settings_are_fetched_and_worked_by_and_are_a_gap_since_the_server_may_have_them() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let tree = machine();
    tree.directory("/srv").file("/srv/page", "hello");
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    server.ledger().settings = serde_json::json!({
        "revision": 2, "scanIntervalSeconds": 1, "fimEnabled": true,
        "rules": [{"name": "srv", "type": "linux-file", "path": "/srv", "recurse": true}],
    });
    let saved = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos();
    until("the new settings", || sensor.status().settings_revision.filter(|revision| revision == "2"));
    let before = server.ledger().heartbeats.len();
    drop(server.wait_for("a scan by the new settings", |seen| seen.heartbeats.len() > before + 3));
    tree.file("/srv/page", "defaced");
    let seen = server.wait_for("the change", |seen| !changed_paths(&seen.reports).is_empty());
    assert_eq!(changed_paths(&seen.reports), ["/srv/page"]);
    let srv = GapScope::Within(EntityPath::unix("/srv"));
    let pending = seen.reports.iter().find_map(|report| match report {
        Report::Gap(gap) if gap.cause == GapCause::BaselinePending && gap.scope == srv => Some(gap.start.0),
        Report::Gap(_) | Report::Change(_) | Report::Listed(_) | Report::Inventory(_) => None,
    });
    assert!(pending.is_some_and(|start| start as u128 <= saved), "{pending:?} {saved}");
    drop(seen);
    sensor.stop().unwrap();
}

#[test]
fn settings_that_change_while_the_server_holds_a_call_are_worked_by_before_any_heartbeat() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let settings = |revision: u64, interval: u64| {
        serde_json::json!({
            "revision": revision, "scanIntervalSeconds": interval, "fimEnabled": true,
            "rules": [{"name": "etc", "type": "linux-file", "path": "/etc", "recurse": true}],
        })
    };
    server.set_settings(settings(1, 3600));
    {
        let mut ledger = server.ledger();
        ledger.holds_settings = true;
        ledger.heartbeat_seconds = 3600;
    }
    let tree = machine();
    let sensor = start(&dir, &tree);
    has_scanned(&server);
    for revision in 2..5 {
        drop(server.wait_for("a call that is held", |seen| seen.held >= revision - 1));
        let beats = server.ledger().heartbeats.len();
        server.set_settings(settings(revision, 3600));
        let text = revision.to_string();
        until("the settings", || sensor.status().settings_revision.filter(|now| *now == text));
        assert_eq!(server.ledger().heartbeats.len(), beats);
    }
    // What is found is sent beside a call that is held.
    drop(server.wait_for("a call that is held", |seen| seen.held >= 4));
    server.set_settings(settings(5, 1));
    drop(server.wait_for("a call that is held", |seen| seen.held >= 5));
    tree.file("/etc/hosts", "evil");
    drop(server.wait_for("the change", |seen| changed_paths(&seen.reports) == ["/etc/hosts"]));
    sensor.stop().unwrap();
}

#[test]
fn an_agent_whose_certificate_expired_says_how_to_enrol_again_and_goes_on_watching() {
    let (server, trust) = server(2099);
    server.ledger().certificate_year = 2022;
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let sensor = start(&dir, &machine());
    let status = sensor.status();
    sensor.stop().unwrap();
    let error = status.server_error.unwrap();
    assert!(error.contains("expired on 2022-01-01T00:00:00Z; enrol again with"), "{error}");
    assert!(status.certificate_days_left.unwrap() < 0);
}

#[test]
fn a_certificate_that_ends_soon_is_renewed_and_the_machine_stays_the_same() {
    let (server, trust) = server(2099);
    server.ledger().certificate_year = 2028;
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    let before = enroll(&dir, &enrollment(&server, trust)).unwrap();
    server.ledger().certificate_year = 2099;
    let sensor = start(&dir, &machine());
    // What comes after the renewal is sent with the new certificate.
    drop(server.wait_for("a sign of life after the renewal", |seen| {
        let renewed = seen.requests.iter().position(|path| path.contains("/agent/v1/certificate"));
        renewed.is_some_and(|at| seen.requests[at..].iter().any(|path| path.contains("/agent/v1/heartbeat")))
    }));
    let status = sensor.status();
    sensor.stop().unwrap();
    let after = dir.identity().unwrap();
    assert_eq!(after.machine_id, before.machine_id);
    assert_ne!(after.certificate_pem, before.certificate_pem);
    assert!(status.certificate_expires.unwrap().starts_with("2099"));
    let renewals = server.ledger().requests.iter().filter(|path| path.contains("certificate")).count();
    assert_eq!(renewals, 1);
}

#[test]
fn a_stopped_sensor_leaves_its_status_and_its_directory_free() {
    let (server, trust) = server(2099);
    let home = tempfile::tempdir().unwrap();
    let dir = DataDir::new(home.path());
    enroll(&dir, &enrollment(&server, trust)).unwrap();
    let sensor = start(&dir, &machine());
    has_scanned(&server);
    assert!(dir.lock().is_err(), "the directory is taken");
    assert!(sensor.failure().is_none());
    sensor.stop().unwrap();
    drop(dir.lock().unwrap());
    let status: fim_sensor::Status =
        serde_json::from_slice(&std::fs::read(dir.status_path()).unwrap()).unwrap();
    assert_eq!(status.state, SensorState::Stopped);
    assert!(status.last_scan_end.is_some() && status.last_contact.is_some());
    let alive = std::fs::read_to_string(Path::new(home.path()).join("alive")).unwrap();
    assert!(alive.contains("\"isStopped\":true"), "{alive}");
}
