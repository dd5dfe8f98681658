//! Every operation of the API, as nobody and as a reader.

use serde_json::Value;

use crate::client::Client;
use crate::running::Running;

/// The operations that the server itself describes: method, path, and what they do to what.
fn operations(running: &Running) -> Vec<(String, String, String)> {
    let mut nobody = Client::new(&running.url(), running.server().ca_pem(), None);
    let document = nobody.call("GET", "/api/v1/openapi.json", &[], None).unwrap().json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let access =
                operation["x-access"].as_str().unwrap_or_else(|| panic!("{method} {path} has no x-access"));
            operations.push((method.to_uppercase(), path.clone(), access.to_owned()));
        }
    }
    assert!(operations.len() > 30, "only {} operations", operations.len());
    operations
}

fn filled(path: &str) -> String {
    path.replace("{ws}", "default")
        .replace("{id}", "0")
        .replace("{machine}", "m")
        .replace("{name}", "n")
        .replace("{tenant}", "t")
        .replace("{dcr}", "dcr-0")
        .replace("{stream}", "s")
}

/// A body that would do no harm if it were let through.
fn call(client: &mut Client, method: &str, path: &str) -> (u16, Value) {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let body = matches!(method, "POST" | "PUT" | "PATCH").then(|| b"{\"unknown\":1}".to_vec());
    let answer = client.call(method, &filled(path), &headers, body).unwrap();
    (answer.status, serde_json::from_str(&answer.text).unwrap_or(Value::Null))
}

#[test]
fn without_credentials_every_operation_but_signing_in_asks_for_them() {
    let running = Running::start();
    for (method, path, access) in operations(&running) {
        let mut nobody = Client::new(&running.url(), running.server().ca_pem(), None);
        let (status, body) = call(&mut nobody, &method, &path);
        if access == "public" {
            assert!(matches!(status, 200 | 400 | 422), "{method} {path}: {status} {body}");
            continue;
        }
        assert_eq!(status, 401, "{method} {path}: {body}");
        if path.starts_with("/api/") {
            assert_eq!(body["type"], "urn:steadfast:problem:not-signed-in", "{method} {path}");
        } else {
            assert!(body["error"]["code"].is_string(), "{method} {path}: {body}");
        }
    }
}

#[test]
fn a_reader_may_view_and_nothing_else() {
    let running = Running::start();
    let mut owner =
        Client::new(&running.url(), running.server().ca_pem(), None).with_token(&running.owner_token());
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let request = br#"{"name":"r","role":"reader"}"#.to_vec();
    let made = owner.call("POST", "/api/v1/tokens", &headers, Some(request)).unwrap().json();
    let token = made["token"].as_str().unwrap();
    for (method, path, access) in operations(&running) {
        // A stream has no end to wait for.
        if access == "public" || path.ends_with("/stream") {
            continue;
        }
        let mut reader = Client::new(&running.url(), running.server().ca_pem(), None).with_token(token);
        let (status, body) = call(&mut reader, &method, &path);
        let (verb, noun) = access.split_once(' ').unwrap();
        let is_secret = matches!(noun, "API token" | "enrolment token" | "file content");
        if (verb == "view" && !is_secret) || noun == "own session" {
            assert!(!matches!(status, 401 | 403), "{method} {path}: {body}");
        } else {
            assert_eq!(status, 403, "{method} {path}: {body}");
        }
    }
}
