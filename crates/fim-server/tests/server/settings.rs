//! Agents that wait for new settings, as many as there may be.

use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use crate::client::{Answer, Client};
use crate::enrolment::replaced;
use crate::machine::{Machine, added, joined, send};
use crate::metrics::figure;
use crate::running::{PATIENCE, Running};

/// An agent's call for the settings, which may wait for so many seconds.
fn ask(mut client: Client, known: u64, seconds: u64) -> Result<Answer, ureq::Error> {
    let headers =
        [("if-none-match".to_owned(), known.to_string()), ("prefer".to_owned(), format!("wait={seconds}"))];
    client.call("GET", "/agent/v1/settings", &headers, None)
}

/// A call that is made meanwhile and waits longer than any test.
fn asking(running: &Running, machine: &Machine, known: u64) -> Receiver<Result<Answer, ureq::Error>> {
    let client = machine.client(running);
    let (answered, answer) = channel();
    // Nobody listens any more where the test has failed.
    std::thread::spawn(move || drop(answered.send(ask(client, known, 60))));
    answer
}

/// Waits until as many calls for the settings have waited since the server began.
fn have_waited(owner: &mut Client, calls: usize) {
    let deadline = Instant::now() + PATIENCE;
    while figure(owner, "settings_waits_total") < calls {
        let waited = figure(owner, "settings_waits_total");
        assert!(Instant::now() < deadline, "{waited} of {calls} calls have waited");
        std::thread::yield_now();
    }
}

fn owner(running: &Running) -> Client {
    let token = running.owner_token();
    Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token)
}

fn act(owner: &mut Client, method: &str, path: &str, body: &str) {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let path = format!("/api/v1/workspaces/default{path}");
    let body = (!body.is_empty()).then(|| body.as_bytes().to_vec());
    let answer = owner.call(method, &path, &headers, body).unwrap();
    assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.text);
}

fn revision(machine: &Machine, running: &Running) -> u64 {
    let answer = machine.client(running).call("GET", "/agent/v1/settings", &[], None).unwrap();
    answer.json()["revision"].as_u64().unwrap()
}

#[test]
fn every_change_of_the_settings_is_told_at_once_to_an_agent_that_waits() {
    let running = Running::start();
    let (_, machine) = joined(&running, "web01");
    let mut owner = owner(&running);
    let mut known = revision(&machine, &running);
    let rule = r#"{"name":"srv","type":"linux-file","path":"/srv/**"}"#;
    let acts = [
        ("POST", "/rules", rule),
        ("POST", "/rules/srv/disable", ""),
        ("DELETE", "/rules/srv", ""),
        ("POST", "/fim/disable", ""),
        ("POST", "/fim/enable", "{}"),
        ("PATCH", "/fim/collection", r#"{"filesSeconds":600}"#),
    ];
    for (calls, (method, path, body)) in (1..).zip(acts) {
        let answer = asking(&running, &machine, known);
        have_waited(&mut owner, calls);
        act(&mut owner, method, path, body);
        let answer = answer.recv_timeout(PATIENCE).expect("told while it waits").unwrap();
        assert_eq!(answer.status, 200, "{path}");
        let told = answer.json()["revision"].as_u64().unwrap();
        assert!(told > known, "{path}: {told} after {known}");
        assert_eq!(answer.headers["etag"], format!("\"{told}\""));
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.text.contains("/srv/**"), path == "/rules" || path.ends_with("srv/disable"));
        known = told;
    }
    assert_eq!(figure(&mut owner, "waiting_agents"), 0);
}

#[test]
fn an_agent_with_other_settings_does_not_wait_and_one_that_waits_in_vain_is_told_so() {
    let running = Running::start();
    let (_, machine) = joined(&running, "web01");
    let known = revision(&machine, &running);
    // Also one that is ahead: an older copy of the database may have been put back.
    for other in [known - 1, known + 1] {
        assert_eq!(ask(machine.client(&running), other, 60).unwrap().status, 200);
    }
    let mut owner = owner(&running);
    assert_eq!(figure(&mut owner, "settings_waits_total"), 0);
    let answer = ask(machine.client(&running), known, 1).unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (304, ""));
    assert_eq!(answer.headers["etag"], format!("\"{known}\""));
    assert_eq!(figure(&mut owner, "settings_waits_total"), 1);
    // Who would not wait is answered as ever.
    assert_eq!(ask(machine.client(&running), known, 0).unwrap().status, 304);
}

#[test]
fn who_waits_for_settings_is_answered_when_the_server_stops() {
    let mut running = Running::start();
    let (_, machine) = joined(&running, "web01");
    let known = revision(&machine, &running);
    let answer = asking(&running, &machine, known);
    have_waited(&mut owner(&running), 1);
    running.stop();
    // A connection that is cut because it did not end would be an error.
    assert_eq!(answer.recv_timeout(PATIENCE).unwrap().unwrap().status, 304);
}

#[test]
fn a_machine_waits_once_and_no_longer_than_it_is_there() {
    let running = Running::start();
    let (_, machine) = joined(&running, "web01");
    let mut owner = owner(&running);
    let known = revision(&machine, &running);
    let first = asking(&running, &machine, known);
    have_waited(&mut owner, 1);
    let second = asking(&running, &machine, known);
    assert_eq!(first.recv_timeout(PATIENCE).unwrap().unwrap().status, 304);
    have_waited(&mut owner, 2);
    assert_eq!(figure(&mut owner, "waiting_agents"), 1);
    act(&mut owner, "DELETE", "/machines/web01", "");
    assert_eq!(second.recv_timeout(PATIENCE).unwrap().unwrap().status, 304);
    assert_eq!(ask(machine.client(&running), known, 60).unwrap().status, 403);
}

#[test]
fn a_machine_that_is_replaced_waits_no_longer() {
    let running = Running::start();
    let (_, machine) = joined(&running, "web01");
    let mut owner = owner(&running);
    let answer = asking(&running, &machine, revision(&machine, &running));
    have_waited(&mut owner, 1);
    assert_eq!(replaced(&running, "web01").status, 200);
    assert_eq!(answer.recv_timeout(PATIENCE).expect("told while it waits").unwrap().status, 304);
}

#[test]
fn agents_that_wait_take_no_connection_of_others_and_are_all_told() {
    let running = Running::start_with(|config| {
        config.limits.connections = 16;
        config.limits.waiting_agents = 20;
    });
    let mut owner = owner(&running);
    // One handshake goes on at a time where connections are so few.
    assert_eq!(figure(&mut owner, "waiting_agents_limit"), 20);
    let mut machines = Vec::new();
    let mut answers = Vec::new();
    for number in 0..20 {
        let (_, machine) = joined(&running, &format!("web{number}"));
        let known = revision(&machine, &running);
        answers.push(asking(&running, &machine, known));
        have_waited(&mut owner, answers.len());
        machines.push(machine);
    }
    assert_eq!(figure(&mut owner, "waiting_agents"), 20);
    assert!(figure(&mut owner, "connections") < 16);
    send(&running, &mut machines[3].client(&running), &machines[3], &added(1, &["/etc/a"]));

    // Who finds as many waiting as may is told that there is nothing new.
    let (_, machine) = joined(&running, "late");
    let known = revision(&machine, &running);
    assert_eq!(ask(machine.client(&running), known, 60).unwrap().status, 304);
    assert_eq!(figure(&mut owner, "settings_waits_total"), 20);

    act(&mut owner, "POST", "/rules", r#"{"name":"srv","type":"linux-file","path":"/srv/**"}"#);
    for answer in answers {
        let told = answer.recv_timeout(PATIENCE).unwrap().unwrap();
        assert_eq!((told.status, told.json()["revision"].as_u64()), (200, Some(known + 1)));
    }
}
