//! How much of the server one caller can take: bodies of batches, queries, streams.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use crate::client::{Answer, Client};
use crate::machine::{added, batch_bytes, cbor, joined, send};
use crate::running::{PATIENCE, Running};

#[test]
fn a_batch_takes_its_place_before_its_body_is_read() {
    let running = Running::start_with(|config| config.limits.batches_at_once = 1);
    let (slow_client, slow) = joined(&running, "slow");
    let (mut quick_client, quick) = joined(&running, "quick");
    let bytes = batch_bytes(slow.id, &added(1, &["/etc/a"]), running.clock.now());
    let length = bytes.len() as u64;
    let (body, is_asked, go_on) = held(bytes);
    let sending =
        std::thread::spawn(move || slow_client.send_slowly("/agent/v1/batches", &cbor(), length, body));

    // Once the server asks for the slow body, the place is taken.
    is_asked.recv_timeout(PATIENCE).unwrap();
    let bytes = batch_bytes(quick.id, &added(1, &["/etc/b"]), running.clock.now());
    let refused = quick_client.call("POST", "/agent/v1/batches", &cbor(), Some(bytes)).unwrap();
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert_eq!(refused.headers["retry-after"], "2");

    go_on.send(()).unwrap();
    assert_eq!(sending.join().unwrap().unwrap(), 200);
    send(&running, &mut quick_client, &quick, &added(1_000_000, &["/etc/c"]));
}

#[test]
fn a_reader_who_holds_all_he_may_stops_neither_another_workspace_nor_the_page() {
    let running = Running::start_with(|config| {
        config.limits.query_seconds = 15;
        config.limits.query_wait_seconds = 1;
        config.limits.streams_of_a_caller = 3;
    });
    let (url, ca) = (running.url(), running.server().ca_pem().to_owned());
    let client = |token: &str| Client::new(&url, &ca, None).with_token(token);
    let owner = running.owner_token();
    assert_eq!(post(client(&owner), "/api/v1/workspaces", r#"{"name":"other"}"#).status, 201);
    let made =
        post(client(&owner), "/api/v1/tokens", r#"{"name":"r","role":"reader","scope":"default"}"#).json();
    let reader = made["token"].as_str().unwrap().to_owned();

    std::thread::scope(|scope| {
        let endless = r#"{"query":"range i from 1 to 1000000000000 step 1 | where i % 7 == 8 | count"}"#;
        let (answered, answers) = channel();
        for _ in 0..4 {
            let (answered, reader) = (answered.clone(), client(&reader));
            scope.spawn(move || answered.send(post(reader, "/api/v1/workspaces/default/query", endless)));
        }
        // Two run until their time is over: once the others are refused, the reader holds all that he may.
        for _ in 0..2 {
            let refused: Answer = answers.recv_timeout(PATIENCE).unwrap();
            assert_eq!(refused.status, 503, "{}", refused.text);
            assert!(refused.text.contains("2 of yours are under way"), "{}", refused.text);
        }
        // Nor does he have more by asking for several answers in one, which are made while they are sent.
        let several = r#"{"requests":[{"id":"1","workspace":"default","body":{"query":"print 1"}}]}"#;
        let answer = post(client(&reader), "/v1/$batch", several);
        assert!(answer.text.contains("2 of yours are under way"), "{}", answer.text);
        let answer =
            post(client(&owner), "/api/v1/workspaces/other/query", r#"{"query":"Heartbeat | count"}"#);
        assert_eq!(answer.status, 200, "{}", answer.text);
        for path in ["/api/v1/workspaces/other/summary", "/api/v1/workspaces/default/summary"] {
            let page = client(&owner).call("GET", path, &[], None).unwrap();
            assert_eq!(page.status, 200, "{path}: {}", page.text);
        }
        for _ in 0..2 {
            assert_eq!(answers.recv_timeout(PATIENCE).unwrap().status, 504);
        }
    });

    let stream = "/api/v1/workspaces/default/changes/stream";
    let open: Vec<_> = (0..3).map(|_| client(&reader).open(stream, &[])).collect();
    let refused = client(&reader).call("GET", stream, &[], None).unwrap();
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("3 of yours are under way"), "{}", refused.text);
    drop(client(&owner).open(stream, &[]));
    drop(open);
}

#[test]
fn who_sends_records_slowly_takes_no_place_of_another_caller_and_loses_his_own_in_time() {
    let running = Running::start_with(|config| {
        config.limits.ingestions_at_once = 4;
        config.limits.ingestion_seconds = 1;
    });
    let (url, ca) = (running.url(), running.server().ca_pem().to_owned());
    let client = |token: &str| Client::new(&url, &ca, None).with_token(token);
    let owner = running.owner_token();
    let workspace = client(&owner).call("GET", "/api/v1/workspaces/default", &[], None).unwrap().json();
    let rule = workspace["dcrImmutableId"].as_str().unwrap();
    let path =
        format!("/dataCollectionRules/{rule}/streams/Custom-ConfigurationChange?api-version=2023-01-01");
    let [slow, other] = ["slow", "other"].map(|name| {
        let token = format!(r#"{{"name":"{name}","role":"metrics-publisher","scope":"default"}}"#);
        post(client(&owner), "/api/v1/tokens", &token).json()["token"].as_str().unwrap().to_owned()
    });

    let (body, is_asked, go_on) = held(b"[]".to_vec());
    let sender = client(&slow);
    let sending = std::thread::spawn({
        let path = path.clone();
        move || sender.send_slowly(&path, &json_header(), 2, body)
    });
    is_asked.recv_timeout(PATIENCE).unwrap();
    let refused = post(client(&slow), &path, "[]");
    assert!(refused.status == 204 || refused.text.contains("1 of yours are under way"), "{}", refused.text);
    assert_eq!(post(client(&other), &path, "[]").status, 204);
    // His place becomes free though he sends nothing and hangs up no more.
    let deadline = Instant::now() + PATIENCE;
    while post(client(&slow), &path, "[]").status != 204 {
        assert!(Instant::now() < deadline, "the place is not given back");
        std::thread::yield_now();
    }
    drop(go_on);
    // Nothing of the body came after its first byte, so that there may be no answer.
    assert_ne!(sending.join().unwrap().ok(), Some(204));
}

fn post(mut client: Client, path: &str, body: &str) -> Answer {
    client.call("POST", path, &json_header(), Some(body.as_bytes().to_vec())).unwrap()
}

fn json_header() -> [(String, String); 1] {
    [("content-type".to_owned(), "application/json".to_owned())]
}

/// The body, what says that it is asked for, and whom to tell that it is to go on.
fn held(bytes: Vec<u8>) -> (Held, Receiver<()>, Sender<()>) {
    let (asked, is_asked) = channel();
    let (go_on, told) = channel();
    (Held { first: bytes[..1].to_vec(), rest: bytes[1..].to_vec(), asked, told }, is_asked, go_on)
}

/// A body that says when it is asked for, whose first byte comes at once, and whose rest waits until somebody says so.
struct Held {
    first: Vec<u8>,
    rest: Vec<u8>,
    asked: Sender<()>,
    told: Receiver<()>,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Nobody listens after the first time.
        let _ = self.asked.send(());
        if self.first.is_empty() && !self.rest.is_empty() {
            self.told.recv_timeout(PATIENCE).map_err(io::Error::other)?;
            self.first = std::mem::take(&mut self.rest);
        }
        let length = self.first.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.first[..length]);
        self.first.drain(..length);
        Ok(length)
    }
}
