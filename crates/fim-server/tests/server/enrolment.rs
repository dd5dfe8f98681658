//! Who joins, and who tries to.

use crate::client::{Answer, Client};
use crate::machine::{BatchText, Machine, joined, send};
use crate::running::Running;

#[test]
fn who_has_no_token_waits_for_nobody_takes_no_lock_and_may_try_so_often() {
    let running = Running::start();
    let lock = running.locked_control();
    let refused = enrol(&running, "web01", "ste_nobody-ever-gave-this");
    assert_eq!(refused.status, 401, "{}", refused.text);
    drop(lock);

    let mut statuses: Vec<u16> = (0..30).map(|_| enrol(&running, "web01", "ste_guess").status).collect();
    assert_eq!(statuses.pop(), Some(429));
    assert_eq!(statuses, [401; 29]);
    let mut nobody = Client::new(&running.url(), running.server().ca_pem(), None);
    let metrics = nobody.call("GET", "/metrics", &[], None).unwrap().text;
    assert!(metrics.contains("steadfast_enrolments_refused_total 30"), "{metrics}");
}

#[test]
fn many_who_have_a_token_join_from_one_address() {
    let running = Running::start();
    for number in 0..40 {
        joined(&running, &format!("web{number}"));
    }
}

#[test]
fn a_machine_whose_token_is_used_up_has_its_certificate_whatever_fails_after_that() {
    let running = Running::start();
    let (mut client, old) = joined(&running, "web01");
    let unreadable = vec!["/etc/a".to_owned()];
    send(&running, &mut client, &old, &BatchText { sequence: 1, unreadable, ..BatchText::default() });
    running.tamper("CREATE TRIGGER fails BEFORE DELETE ON open_gaps BEGIN SELECT RAISE(ABORT, 'no'); END");
    let answer = replaced(&running, "web01");
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.text.contains("BEGIN CERTIFICATE"));
}

/// Enrols a machine in the place of the one of that name.
pub fn replaced(running: &Running, name: &str) -> Answer {
    let token = running.owner_token();
    let mut owner = Client::new(&running.url(), running.server().ca_pem(), None).with_token(&token);
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let body = serde_json::json!({ "replaces": name }).to_string().into_bytes();
    let path = "/api/v1/workspaces/default/enrollment-tokens";
    let made = owner.call("POST", path, &headers, Some(body)).unwrap();
    enrol(running, name, made.json()["token"].as_str().unwrap())
}

fn enrol(running: &Running, name: &str, token: &str) -> Answer {
    let request = serde_json::json!({
        "token": token, "machineName": name, "osType": "Linux", "osName": "Debian 12", "agentVersion": "0.1.0",
        "csrPem": Machine::new().csr_pem,
    });
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let mut nobody = Client::new(&running.url(), running.server().ca_pem(), None);
    nobody.call("POST", "/agent/v1/enroll", &headers, Some(request.to_string().into_bytes())).unwrap()
}
