//! Guessing passwords, and what a stolen session is worth.

use serde_json::{Value, json};

use crate::client::Client;
use crate::running::Running;

#[test]
fn guesses_at_the_same_time_are_no_more_than_guesses_one_after_the_other() {
    let running = Running::start();
    let guess = |number: u32| {
        let mut client = Client::new(&running.url(), running.server().ca_pem(), None);
        std::thread::spawn(move || {
            let headers = [("content-type".to_owned(), "application/json".to_owned())];
            let body = json!({ "name": "admin", "password": format!("guess {number}") }).to_string();
            client.call("POST", "/api/v1/session", &headers, Some(body.into_bytes())).unwrap().status
        })
    };
    let guesses: Vec<_> = (0..24).map(guess).collect();
    let statuses: Vec<u16> = guesses.into_iter().map(|guess| guess.join().unwrap()).collect();
    let judged = statuses.iter().filter(|status| **status == 401).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((judged, refused), (5, 19), "{statuses:?}");
}

#[test]
fn an_owner_makes_a_link_by_which_one_browser_signs_in_once() {
    let running = Running::start();
    let token = running.owner_token();
    let client = || Client::new(&running.url(), running.server().ca_pem(), None);
    let answer = client().with_token(&token).call("POST", "/api/v1/sign-in-links", &[], None).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.json());
    let link = answer.json();
    assert_eq!(link["localPage"], running.browser_url());
    let code = link["path"].as_str().unwrap().strip_prefix("/login#code=").unwrap();
    let use_it = || {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let body = json!({ "code": code }).to_string().into_bytes();
        client().call("POST", "/api/v1/session/one-time", &headers, Some(body)).unwrap()
    };
    let session = use_it();
    assert_eq!((session.status, &session.json()["user"]["name"]), (200, &json!("admin")));
    assert_eq!(use_it().status, 401);
}

/// Every call that the API describes and that takes a session, with a place for each of its parameters.
fn calls_by_session(running: &Running) -> Vec<(String, String)> {
    let mut anybody = Client::new(&running.url(), running.server().ca_pem(), None);
    let document = anybody.call("GET", "/api/v1/openapi.json", &[], None).unwrap().json();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let path = path.replace("{ws}", "default").replace(['{', '}'], "");
        item.as_object().unwrap().iter().map(move |(method, operation)| (method, path.clone(), operation))
    });
    let takes_a_session = |operation: &Value| operation["x-access"] != "public";
    described
        .filter(|(_, _, operation)| takes_a_session(operation))
        .map(|(method, path, _)| (method.to_uppercase(), path))
        .collect()
}

/// What the browser of somebody who has just signed in has: the session's id and its key.
fn signed_in(running: &Running, base: &str) -> (String, String) {
    let mut client = Client::new(base, running.server().ca_pem(), None);
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let body = json!({ "code": running.sign_in_code() }).to_string().into_bytes();
    assert_eq!(client.call("POST", "/api/v1/session/one-time", &headers, Some(body)).unwrap().status, 200);
    let known = client.call("GET", "/api/v1/session", &[], None).unwrap();
    let key = client.session_key.unwrap();
    assert_eq!((known.status, known.text.contains(&key)), (200, false), "the key is told once");
    (client.cookie.unwrap().split_once('=').unwrap().1.to_owned(), key)
}

#[test]
fn a_session_is_worth_nothing_without_its_key_or_on_another_transport() {
    let running = Running::start();
    let places = [running.url(), running.browser_url()];
    let calls = calls_by_session(&running);
    assert!(calls.len() > 40, "{calls:?}");
    for needed in ["/api/v1/workspaces/default/changes/stream", "/api/v1/workspaces/default/query.csv"] {
        assert!(calls.iter().any(|(_, path)| path == needed), "{needed} is not among {calls:?}");
    }
    for made_on in &places {
        let (id, key) = signed_in(&running, made_on);
        let cookie = format!("steadfast_session={id}; __Host-steadfast_session={id}");
        for asked_on in &places {
            let mut thief = Client::new(asked_on, running.server().ca_pem(), None);
            let mut tries = vec![None, Some(String::new()), Some(id.clone()), Some(format!("{key}x"))];
            if made_on != asked_on {
                tries.push(Some(key.clone()));
            }
            for key in tries {
                for (method, path) in &calls {
                    let mut headers = vec![("cookie".to_owned(), cookie.clone())];
                    headers.extend(key.clone().map(|key| ("steadfast-session-key".to_owned(), key)));
                    let answer = thief.call(method, path, &headers, None).unwrap();
                    assert_eq!(
                        answer.status, 401,
                        "{method} {path} on {asked_on} with {key:?}: {}",
                        answer.text
                    );
                }
            }
        }
        let mut owner = Client::new(made_on, running.server().ca_pem(), None);
        let headers = [("cookie".to_owned(), cookie), ("steadfast-session-key".to_owned(), key)];
        let answer = owner.call("GET", "/api/v1/workspaces/default", &headers, None).unwrap();
        assert_eq!(answer.status, 200, "and with it is what it was: {}", answer.text);
    }
}
