//! The live stream of changes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::client::Client;
use crate::machine::{BatchText, added, batch_bytes, batch_of, cbor, joined, send, to_and_fro};
use crate::running::Running;

#[test]
fn changes_come_as_they_are_stored_and_a_reader_who_returns_misses_none() {
    let running = Running::start();
    let (mut machine_client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let watch = || Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);

    let mut stream = Events::open(&watch(), "/api/v1/workspaces/default/changes/stream");
    send(&running, &mut machine_client, &machine, &added(1, &["/etc/a", "/etc/b"]));
    let first = stream.next();
    assert_eq!(first["entity"], "/etc/a");
    assert_eq!(stream.next()["entity"], "/etc/b");
    drop(stream);

    send(&running, &mut machine_client, &machine, &added(2, &["/etc/c"]));
    let after = format!("/api/v1/workspaces/default/changes/stream?after={}", first["id"].as_str().unwrap());
    let mut back = Events::open(&watch(), &after);
    assert_eq!(back.next()["entity"], "/etc/b");
    assert_eq!(back.next()["entity"], "/etc/c");
    assert_eq!(back.next_name(), "caught-up");
    send(&running, &mut machine_client, &machine, &added(3, &["/etc/d"]));
    assert_eq!(back.next()["entity"], "/etc/d");
}

#[test]
fn a_file_that_goes_to_and_fro_is_shown_at_each_turn() {
    let running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let watch = Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
    let mut stream = Events::open(&watch, "/api/v1/workspaces/default/changes/stream");
    let now = running.clock.now();
    let moments = [-3, -2, -1].map(|seconds| now.plus_nanos(seconds * 1_000_000_000));
    let mut ids = BTreeSet::new();
    for (sequence, report) in (1..).zip(to_and_fro("/etc/a", &moments)) {
        let body = batch_of(machine.id, sequence, vec![report], now);
        assert_eq!(client.call("POST", "/agent/v1/batches", &cbor(), Some(body)).unwrap().status, 200);
    }
    send(&running, &mut client, &machine, &added(4, &["/etc/last"]));
    for change in
        std::iter::repeat_with(|| stream.next()).take_while(|change| change["entity"] != "/etc/last")
    {
        assert_eq!((&change["entity"], &change["category"]), (&"/etc/a".into(), &"Modified".into()));
        ids.insert(change["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_change_is_shown_though_what_follows_from_its_batch_fails_and_the_batch_comes_again() {
    let running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let watch = Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
    let mut stream = Events::open(&watch, "/api/v1/workspaces/default/changes/stream");
    let unreadable = vec!["/etc/b".to_owned()];
    let batch = BatchText { unreadable, ..added(1, &["/etc/a"]) };
    let body = batch_bytes(machine.id, &batch, running.clock.now());
    let mut deliver =
        || client.call("POST", "/agent/v1/batches", &cbor(), Some(body.clone())).unwrap().status;

    running.tamper("CREATE TRIGGER fails BEFORE INSERT ON open_gaps BEGIN SELECT RAISE(ABORT, 'no'); END");
    assert_eq!(deliver(), 500);
    assert_eq!(stream.next()["entity"], "/etc/a");
    running.tamper("DROP TRIGGER fails");
    assert_eq!(deliver(), 200);
    send(&running, &mut client, &machine, &added(2, &["/etc/c"]));
    assert_eq!(stream.next()["entity"], "/etc/c", "and once");
    assert_eq!(running.number("SELECT count(*) FROM open_gaps"), 1);
}

#[test]
fn what_arrives_late_is_not_passed_over_after_a_restart() {
    let mut running = Running::start();
    let (mut punctual, first) = joined(&running, "web01");
    let (mut late, second) = joined(&running, "web02");
    let token = running.owner_token();
    let stream = "/api/v1/workspaces/default/changes/stream";
    let watch = |running: &Running, path: &str| {
        let client = Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
        Events::open(&client, path)
    };

    let mut before = watch(&running, stream);
    send(&running, &mut punctual, &first, &added(1, &["/etc/seen"]));
    let seen = before.next()["id"].as_str().unwrap().to_owned();
    drop(before);
    // Noticed long before what was seen, and delivered after it.
    running.clock.advance(std::time::Duration::from_secs(1));
    send(&running, &mut late, &second, &BatchText { seconds_ago: 3600, ..added(1, &["/etc/late"]) });
    running.restart();

    let mut back = watch(&running, &format!("{stream}?after={seen}"));
    let came = [back.next(), back.next()].map(|change| change["entity"].clone());
    assert_eq!(came, ["/etc/seen", "/etc/late"], "a little of before comes again");
    assert_eq!(back.next_name(), "caught-up");
    drop(back);
}

#[test]
fn who_saw_no_change_comes_back_with_the_id_of_the_stream_s_beginning() {
    let mut running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let token = running.owner_token();
    let stream = "/api/v1/workspaces/default/changes/stream";
    let watch =
        |running: &Running| Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);

    let beginning = Events::open(&watch(&running), stream).next_id();
    send(&running, &mut client, &machine, &added(1, &["/etc/a"]));
    running.restart();
    let after = format!("{stream}?after={}", beginning.replace(':', "%3A"));
    assert_eq!(Events::open(&watch(&running), &after).next()["entity"], "/etc/a");
}

#[test]
fn a_stream_ends_when_the_server_stops() {
    let mut running = Running::start();
    let client =
        Client::new(&running.url(), running.server().ca_pem(), None).with_token(&running.owner_token());
    let stream = Events::open(&client, "/api/v1/workspaces/default/changes/stream");
    running.stop();
    assert_eq!(stream.0.lines().map_while(Result::ok).find(|line| line.starts_with("data:")), None);
}

struct Events(BufReader<ureq::BodyReader<'static>>);

impl Events {
    fn open(client: &Client, path: &str) -> Self {
        Self(BufReader::new(client.open(path, &[])))
    }

    fn next_id(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(id) = line.trim_end().strip_prefix("id:") {
                return id.trim().to_owned();
            }
        }
    }

    fn next_name(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(name) = line.trim_end().strip_prefix("event:") {
                return name.trim().to_owned();
            }
        }
    }

    fn next(&mut self) -> Value {
        let mut is_change = false;
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            match line.trim_end().split_once(':') {
                Some(("event", name)) => is_change = name.trim() == "change",
                Some(("data", data)) if is_change => return serde_json::from_str(data).unwrap(),
                _ => {}
            }
        }
    }
}
