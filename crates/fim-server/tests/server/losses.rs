//! What the medium takes away after it was acknowledged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::machine::{added, joined, send};
use crate::running::{PATIENCE, Running};

#[test]
fn records_that_the_medium_has_lost_are_told_once_as_a_gap_between_their_neighbours() {
    let mut running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let data = running.folder.path().join("data");
    let mut ends = Vec::new();
    for (sequence, path) in (1..).zip(["/etc/a", "/etc/b", "/etc/c"]) {
        running.clock.advance(Duration::from_secs(60));
        send(&running, &mut client, &machine, &added(sequence, &[path]));
        ends.push(segment_bytes(&data).len());
    }
    let damage = ends[0] + 100;
    running.kill_and_start(|data| flip_byte(data, damage));

    let mut owner = owner(&running, &token);
    let gaps = until_told(&mut owner);
    let [gap] = &gaps[..] else { panic!("{gaps:#?}") };
    assert_eq!((&gap["machine"], &gap["scope"]), (&json!("*"), &json!("*")), "{gap:#}");
    let minute = chrono::TimeDelta::minutes(2);
    let time = |key: &str| gap[key].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!(time("end") - time("start"), minute, "{gap:#}");
    assert_eq!(paths(&mut owner), json!([["/etc/a"], ["/etc/c"]]));

    // Nothing was flushed yet, so that the next start finds the same damage.
    running.kill_and_start(|_| ());
    assert_eq!(until_told(&mut self::owner(&running, &token)), gaps);
}

#[test]
fn a_log_that_is_gone_is_told_as_a_gap() {
    let mut running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    send(&running, &mut client, &machine, &added(1, &["/etc/a"]));
    running.restart();
    let mut client = machine.client(&running);
    running.clock.advance(Duration::from_secs(60));
    send(&running, &mut client, &machine, &added(2, &["/etc/b"]));
    running.kill_and_start(|data| fs::remove_dir_all(data.join("store/log")).unwrap());
    let mut owner = owner(&running, &token);
    let gaps = until_told(&mut owner);
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert_eq!(paths(&mut owner), json!([["/etc/a"]]));
}

#[test]
fn a_table_and_a_data_file_that_are_taken_while_the_server_is_down_are_told_and_the_rest_is_there() {
    let mut running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    for (sequence, path) in (1..).zip(["/etc/a", "/etc/b"]) {
        running.clock.advance(Duration::from_secs(60));
        send(&running, &mut client, &machine, &added(sequence, &[path]));
        running.restart();
        client = machine.client(&running);
    }
    let mut gone = PathBuf::new();
    running.kill_and_start(|data| {
        let mut files = data_files(&table(data, "ConfigurationChange"));
        files.sort();
        gone = files.remove(0);
        fs::remove_file(&gone).unwrap();
    });
    let gaps = until_told(&mut owner(&running, &token));
    let [gap] = &gaps[..] else { panic!("{gaps:#?}") };
    let detail = gap["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("a data file of ConfigurationChange with 1 rows is gone or not whole"),
        "{detail}"
    );
    let time = |key: &str| gap[key].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!((time("end") - time("start")).num_milliseconds() <= 2, "{gap:#}");
    assert_eq!(paths(&mut owner(&running, &token)), json!([["/etc/b"]]));

    running.kill_and_start(|data| fs::remove_dir_all(table(data, "ConfigurationChange")).unwrap());
    let mut owner = owner(&running, &token);
    let about_table =
        |gap: &Value| gap["detail"].as_str().unwrap().contains("ConfigurationChange is gone from");
    while !until_told(&mut owner).iter().any(about_table) {
        std::thread::yield_now();
    }
    assert_eq!(paths(&mut owner), json!([]));
}

/// A table of the only workspace.
fn table(data: &Path, name: &str) -> PathBuf {
    let mut workspaces = fs::read_dir(data.join("store/tables")).unwrap();
    workspaces.next().unwrap().unwrap().path().join(name)
}

fn data_files(table: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(table).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(data_files(&path)),
            false => found.push(path),
        }
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    found
}

fn owner(running: &Running, token: &str) -> Client {
    Client::new(&running.url(), running.server().ca_pem(), None).with_token(token)
}

/// The gaps of lost records, as soon as there is one.
fn until_told(owner: &mut Client) -> Vec<Value> {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let answer = owner.call("GET", "/api/v1/workspaces/default/coverage", &[], None).unwrap();
        let mut gaps: Vec<Value> = answer.json().as_array().unwrap().clone();
        gaps.retain(|gap| gap["cause"] == "RecordsLost");
        if !gaps.is_empty() {
            return gaps;
        }
        assert!(std::time::Instant::now() < deadline, "the loss is not told");
        std::thread::yield_now();
    }
}

fn paths(owner: &mut Client) -> Value {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let query = "ConfigurationChange | project FileSystemPath | order by FileSystemPath asc";
    let body = json!({ "query": query }).to_string().into_bytes();
    let answer = owner.call("POST", "/api/v1/workspaces/default/query", &headers, Some(body)).unwrap();
    answer.json()["rows"].clone()
}

fn flip_byte(data: &Path, at: usize) {
    let mut bytes = segment_bytes(data);
    bytes[at] ^= 1;
    fs::write(segment(data), bytes).unwrap();
}

fn segment_bytes(data: &Path) -> Vec<u8> {
    fs::read(segment(data)).unwrap()
}

/// The ingest log's only segment.
fn segment(data: &Path) -> PathBuf {
    fs::read_dir(data.join("store/log")).unwrap().next().unwrap().unwrap().path()
}
