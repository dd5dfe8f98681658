//! `steadfast sign-in`: the way to the page for whoever holds an owner's token.

use serde_json::{Value, json};

use crate::args::JsonArg;
use crate::client::Client;
use crate::commands::print_json;
use crate::failure::Failure;
use crate::out;
use crate::table::{moment, plain, text};

/// Makes a sign-in link and prints it, so that `$(…)` has the link and nothing else.
pub fn run(client: &Client, format: &JsonArg) -> Result<(), Failure> {
    let link: Value = client.post("/sign-in-links", &json!({}))?;
    // The page without TLS is for browsers of the server's own machine, which trust no certificate of ours yet.
    let page = match link["localPage"].as_str() {
        Some(page) if client.is_local() => page,
        Some(_) | None => client.server(),
    };
    let url = format!("{}{}", plain(page), text(&link["path"]));
    if format.json {
        print_json(&json!({ "url": url, "expiresAt": link["expiresAt"] }));
        return Ok(());
    }
    out::line(&url);
    eprintln!("It works once, until {}.", moment(&text(&link["expiresAt"])));
    Ok(())
}
