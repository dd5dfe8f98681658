//! The live stream of changes.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::client::Client;
use crate::machine::{added, joined, send};
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
    send(&running, &mut machine_client, &machine, &added(3, &["/etc/d"]));
    assert_eq!(back.next()["entity"], "/etc/d");
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
        Self(BufReader::new(client.open(path)))
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
