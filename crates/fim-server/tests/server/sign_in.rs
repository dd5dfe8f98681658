//! Guessing passwords.

use serde_json::json;

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
