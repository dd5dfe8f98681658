//! The text of files: who may send it, who may read it, and what is said where there is none.

use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::machine::{BatchText, joined, send};
use crate::running::Running;

fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}

fn put_text(client: &mut Client, digest: &str, text: &[u8]) -> Answer {
    let headers = [("content-type", "text/plain"), ("content-encoding", "zstd")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = zstd::bulk::compress(text, 1).unwrap();
    client.call("PUT", &format!("/agent/v1/contents/{digest}"), &headers, Some(body)).unwrap()
}

fn json_call(client: &mut Client, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    client.call(method, path, &headers, Some(body.to_string().into_bytes())).unwrap()
}

fn owner(running: &Running) -> Client {
    Client::new(&running.url(), running.server().ca_pem(), None).with_token(&running.owner_token())
}

fn reader(running: &Running, owner: &mut Client) -> Client {
    let made = json_call(owner, "POST", "/api/v1/tokens", &json!({ "name": "ci", "role": "reader" })).json();
    let token = made["token"].as_str().unwrap();
    Client::new(&running.url(), running.server().ca_pem(), None).with_token(token)
}

fn changes(client: &mut Client) -> Vec<Value> {
    let page = client.call("GET", "/api/v1/workspaces/default/changes", &[], None).unwrap().json();
    page["items"].as_array().unwrap().clone()
}

fn content(client: &mut Client, change: &Value) -> Answer {
    let path = format!("/api/v1/workspaces/default/changes/{}/content", change["id"].as_str().unwrap());
    client.call("GET", &path, &[], None).unwrap()
}

#[test]
fn an_owner_reads_what_a_machine_sent_and_a_reader_and_other_machines_do_not() {
    let running = Running::start();
    let (mut web, machine) = joined(&running, "web01");
    let (mut other, _) = joined(&running, "web02");
    let [before, after] = [hex(10), hex(20)];
    let asked = json!({ "digests": [before, after] });
    let missing = |client: &mut Client| {
        json_call(client, "POST", "/agent/v1/contents/missing", &asked).json()["digests"].clone()
    };
    assert_eq!(missing(&mut web), json!([before, after]));
    assert_eq!(put_text(&mut web, &before, b"one\ntwo\n").status, 204);
    assert_eq!(put_text(&mut web, &after, b"one\nthree\n").status, 204);
    assert_eq!(missing(&mut web), json!([]));
    assert_eq!(missing(&mut other), json!([before, after]), "what another machine has is not told");

    let modified = vec!["/etc/a".to_owned()];
    send(&running, &mut web, &machine, &BatchText { sequence: 1, modified, ..BatchText::default() });
    let mut owner = owner(&running);
    let change = changes(&mut owner).remove(0);
    let told = content(&mut owner, &change).json();
    assert_eq!((&told["before"], &told["after"]), (&json!("text"), &json!("text")), "{told:#}");
    let lines = told["hunks"][0]["lines"].as_array().unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["one", "two", "three"]);

    let mut reader = reader(&running, &mut owner);
    assert_eq!(changes(&mut reader).len(), 1);
    assert_eq!(content(&mut reader, &change).status, 403);
    let noted = "SELECT count(*) FROM audit WHERE action = 'content.read'";
    assert_eq!(running.number(noted), 1, "each reading is noted");
    for client in [&mut web, &mut other] {
        assert!(content(client, &change).status >= 400, "a machine never reads");
    }
    let nobody = &mut Client::new(&running.url(), running.server().ca_pem(), None);
    assert_eq!(put_text(nobody, &before, b"x").status, 401);
}

#[test]
fn why_there_is_no_text_is_said_and_what_is_no_text_is_refused() {
    let running = Running::start();
    let (mut web, machine) = joined(&running, "web01");
    let digest = hex(20);
    let reason = |client: &mut Client, digest: &str, why: &str| {
        json_call(client, "PUT", &format!("/agent/v1/contents/{digest}/reason"), &json!({ "why": why }))
            .status
    };
    assert_eq!(reason(&mut web, &digest, "too-large"), 204);
    assert_eq!(reason(&mut web, &digest, "a fancy"), 400);
    assert_eq!(reason(&mut web, "ab", "not-text"), 400);
    assert_eq!(put_text(&mut web, "ab", b"x").status, 400);
    assert_eq!(put_text(&mut web, &hex(1), b"\xff").status, 400);
    assert_eq!(put_text(&mut web, &hex(1), &vec![b'a'; 5_000_001]).status, 413);
    let many = json!({ "digests": vec![hex(1); 1001] });
    assert_eq!(json_call(&mut web, "POST", "/agent/v1/contents/missing", &many).status, 413);

    let modified = vec!["/etc/a".to_owned()];
    send(&running, &mut web, &machine, &BatchText { sequence: 1, modified, ..BatchText::default() });
    let mut owner = owner(&running);
    let change = changes(&mut owner).remove(0);
    let told = content(&mut owner, &change).json();
    assert_eq!((&told["before"], &told["after"]), (&json!("not-received"), &json!("too-large")));
    assert_eq!(told["hunks"], json!([]));
}

#[test]
fn what_a_machine_that_is_removed_has_sent_is_gone() {
    let running = Running::start();
    let (mut web, machine) = joined(&running, "web01");
    put_text(&mut web, &hex(10), b"one\n");
    let added = vec!["/etc/a".to_owned()];
    send(&running, &mut web, &machine, &BatchText { sequence: 1, added, ..BatchText::default() });
    let mut owner = owner(&running);
    let change = changes(&mut owner).remove(0);
    assert_eq!(content(&mut owner, &change).json()["after"], "text");
    let removed = owner.call("DELETE", "/api/v1/workspaces/default/machines/web01", &[], None).unwrap();
    assert_eq!(removed.status, 204);
    assert_eq!(content(&mut owner, &change).json()["after"], "not-received");
}
