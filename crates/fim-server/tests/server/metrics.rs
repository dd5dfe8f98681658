//! What the server counts of itself, and who is told.

use std::net::{IpAddr, UdpSocket};

use crate::client::Client;
use crate::running::Running;

/// The address by which this machine calls others, if it has one. No packet is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// The figure of that name in what the server counts.
pub fn figure(owner: &mut Client, name: &str) -> usize {
    let told = owner.call("GET", "/metrics", &[], None).unwrap().text;
    let line = told.lines().find_map(|line| line.strip_prefix(&format!("steadfast_{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in {told}")).parse().unwrap()
}

#[test]
fn another_machine_gets_the_counters_with_a_token_only() {
    let Some(own) = own_address() else {
        eprintln!("skipped: this machine has no address but loopback");
        return;
    };
    let running = Running::start_with(|config| {
        config.listen = "0.0.0.0:0".parse().unwrap();
        config.names = vec![own.to_string()];
    });
    let port = running.server().address().port();
    let caller = |host: &str| Client::new(&format!("https://{host}:{port}"), running.server().ca_pem(), None);
    let answer = |mut client: Client| client.call("GET", "/metrics", &[], None).unwrap();
    let elsewhere = own.to_string();

    assert_eq!(answer(caller("127.0.0.1")).status, 200);
    let refused = answer(caller(&elsewhere));
    assert_eq!(refused.status, 401, "{}", refused.text);
    assert!(refused.text.contains("Authorization: Bearer TOKEN"), "{}", refused.text);
    assert_eq!(answer(caller(&elsewhere).with_token("stf_wrong")).status, 401);
    let owner = running.owner_token();
    assert_eq!(answer(caller(&elsewhere).with_token(&owner)).status, 200);

    // Of whatever role: this one sees no record.
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let request = br#"{"name":"m","role":"metrics-publisher"}"#.to_vec();
    let mut client = caller(&elsewhere).with_token(&owner);
    let made = client.call("POST", "/api/v1/tokens", &headers, Some(request)).unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    let token = made.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(answer(caller(&elsewhere).with_token(&token)).status, 200);
}
