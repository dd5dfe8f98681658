//! What the server looks at by itself, of which the trouble with one keeps nobody from the next.

use std::time::{Duration, Instant};

use crate::client::{Answer, Client};
use crate::machine::joined;
use crate::running::{PATIENCE, Running};

#[test]
fn the_silence_of_one_machine_that_cannot_be_kept_hides_no_other_s() {
    // Whichever of the two comes first in a look.
    for failing in [0, 1] {
        let running = Running::start();
        let machines = ["web01", "web02"].map(|name| joined(&running, name).1.id);
        running.tamper(&format!(
            "CREATE TRIGGER fails BEFORE INSERT ON open_gaps WHEN NEW.machine_id = '{}' \
             BEGIN SELECT RAISE(ABORT, 'no'); END",
            machines[failing]
        ));
        running.clock.advance(Duration::from_secs(3600));
        let other = machines[1 - failing];
        until(|| {
            running.number(&format!("SELECT count(*) FROM open_gaps WHERE machine_id = '{other}'")) == 1
        });
        assert_eq!(running.number("SELECT count(*) FROM open_gaps"), 1);
    }
}

#[test]
fn the_meters_of_one_workspace_that_cannot_be_kept_stop_no_other_s() {
    let running = Running::start();
    let token = running.owner_token();
    let owner = Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
    let mut owner = Caller(owner);
    assert_eq!(owner.post("/api/v1/workspaces", r#"{"name":"other"}"#).status, 201);
    running.tamper(
        "CREATE TRIGGER fails BEFORE INSERT ON meter_readings \
         WHEN NEW.workspace_id = (SELECT id FROM workspaces WHERE name = 'default') \
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    // Both have something to meter.
    for workspace in ["default", "other"] {
        let path = format!("/api/v1/workspaces/{workspace}");
        let answer = owner.0.call("GET", &path, &[], None).unwrap().json();
        let rule = answer["dcrImmutableId"].as_str().unwrap();
        let stream = "streams/Custom-MDCFileIntegrityMonitoringEvents?api-version=2023-01-01";
        let path = format!("/dataCollectionRules/{rule}/{stream}");
        assert_eq!(owner.post(&path, r#"[{"Computer":"db01","FileName":"a"}]"#).status, 204);
    }
    until(|| running.number("SELECT count(*) FROM meter_readings") > 0);
    running.clock.advance(Duration::from_secs(3600));
    until(|| {
        let usage = owner.post("/api/v1/workspaces/other/query", r#"{"query":"Usage | count"}"#);
        usage.json()["rows"][0][0].as_u64().unwrap() > 0
    });
}

struct Caller(Client);

impl Caller {
    fn post(&mut self, path: &str, body: &str) -> Answer {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        self.0.call("POST", path, &headers, Some(body.as_bytes().to_vec())).unwrap()
    }
}

fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come to be so");
        std::thread::yield_now();
    }
}
