//! A machine whose agent is not ours.

use std::time::Instant;

use fim_core::GapCause;
use fim_wire::Report;
use serde_json::{Value, json};

use crate::client::Client;
use crate::machine::{Machine, added, batch_of, cbor, joined, open_gap, send};
use crate::running::{PATIENCE, Running};

#[test]
fn no_agent_tells_of_what_only_the_server_notices() {
    let running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let mut owner = owner(&running);
    let now = running.clock.now();
    for (sequence, cause) in
        (1..).zip([GapCause::AgentNotReporting, GapCause::RecordsLost, GapCause::TooManyGaps])
    {
        for scope in ["*", "/x"] {
            let bytes = batch_of(machine.id, sequence, vec![open_gap(scope, cause, now)], now);
            let answer = client.call("POST", "/agent/v1/batches", &cbor(), Some(bytes)).unwrap();
            assert_eq!(answer.status, 400, "{}", answer.text);
            assert!(answer.text.contains(cause.name()), "{}", answer.text);
        }
    }
    assert_eq!(open_gaps(&mut owner), 0);
    // What it does not tell, the server does.
    send(&running, &mut client, &machine, &added(10, &["/etc/a"]));
    running.clock.advance(std::time::Duration::from_secs(181));
    until(|| open_gaps(&mut owner) == 1);
}

#[test]
fn what_follows_from_a_batch_is_done_though_its_agent_hangs_up() {
    let running = Running::start();
    let (client, machine) = joined(&running, "web01");
    let mut owner = owner(&running);
    let batch = unreadable(&running, &machine, 1, 900);
    // Who hangs up before the server has read the batch has sent none.
    until(|| {
        client.send_and_hang_up("/agent/v1/batches", &batch);
        coverage(&mut owner, "Cause == 'Unreadable'") == 900
    });
    until(|| open_gaps(&mut owner) == 900);
}

#[test]
fn open_gaps_without_end_are_one_gap_until_they_are_few_again() {
    let running = Running::start();
    let (mut client, machine) = joined(&running, "web01");
    let mut owner = owner(&running);
    let bytes = unreadable(&running, &machine, 1, 2500);
    let answer = client.call("POST", "/agent/v1/batches", &cbor(), Some(bytes)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(open_gaps(&mut owner), 2001);
    assert_eq!(coverage(&mut owner, "Cause == 'TooManyGaps' and isnull(EndTime) and Scope == '*'"), 1);
    assert_eq!(coverage(&mut owner, "Cause == 'Unreadable'"), 2500);

    let beat = |client: &mut Client, open: u64, waiting: u64| {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let body = json!({
            "agentVersion": "0.1.0", "osName": "Debian 12", "state": "idle", "openGaps": open, "spoolRecords": waiting,
        });
        let answer =
            client.call("POST", "/agent/v1/heartbeat", &headers, Some(body.to_string().into_bytes()));
        assert_eq!(answer.unwrap().status, 200);
    };
    beat(&mut client, 2500, 0);
    assert_eq!(open_gaps(&mut owner), 2001);
    beat(&mut client, 1900, 600);
    assert_eq!(open_gaps(&mut owner), 2001, "it has not told all yet");
    beat(&mut client, 1900, 0);
    assert_eq!(open_gaps(&mut owner), 2000);
    assert_eq!(coverage(&mut owner, "Cause == 'TooManyGaps' and isnotnull(EndTime)"), 1);
}

fn unreadable(running: &Running, machine: &Machine, sequence: u64, number: usize) -> Vec<u8> {
    let now = running.clock.now();
    let gap = |number: usize| open_gap(&format!("/srv/{number}"), GapCause::Unreadable, now);
    let events: Vec<Report> = (0..number).map(gap).collect();
    batch_of(machine.id, sequence, events, now)
}

fn owner(running: &Running) -> Client {
    Client::new(&running.url(), running.server().ca_pem(), None).with_token(&running.owner_token())
}

fn open_gaps(owner: &mut Client) -> u64 {
    let answer = owner.call("GET", "/api/v1/workspaces/default/summary", &[], None).unwrap();
    answer.json()["openGaps"].as_u64().unwrap()
}

fn coverage(owner: &mut Client, filter: &str) -> Value {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let body = json!({ "query": format!("Coverage | where {filter} | count") }).to_string().into_bytes();
    let path = "/api/v1/workspaces/default/query";
    let answer = owner.call("POST", path, &headers, Some(body)).unwrap();
    answer.json()["rows"][0][0].clone()
}

fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never is so");
        std::thread::yield_now();
    }
}
