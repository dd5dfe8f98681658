//! `steadfast token`: what programs sign in with.

use serde_json::{Value, json};

use crate::args::{TokenCommand, TokenCreateArgs};
use crate::client::{Client, segment};
use crate::commands::{print_json, print_list};
use crate::failure::Failure;
use crate::out;
use crate::table::{plain, text};

/// Does what was asked with API tokens.
pub fn run(client: &Client, command: &TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create(client, args)?,
        TokenCommand::List(format) => {
            let tokens: Value = client.get("/tokens")?;
            if format.json {
                print_json(&tokens);
            } else {
                print_list(tokens.as_array().map_or(&[], Vec::as_slice), COLUMNS);
            }
        }
        TokenCommand::Delete(args) => {
            client.delete(&format!("/tokens/{}", segment(&args.name)))?;
            if args.format.json {
                print_json(&json!({ "deleted": args.name }));
            } else {
                eprintln!("deleted token {}; who uses it is refused from now on", plain(&args.name));
            }
        }
    }
    Ok(())
}

/// Makes a token and prints it, so that `$(…)` has the token and nothing else.
fn create(client: &Client, args: &TokenCreateArgs) -> Result<(), Failure> {
    let wanted = json!({
        "name": args.name,
        "role": args.role.word(),
        "scope": args.scope,
        "expiresInSeconds": args.expires_in.map(|time| time.as_secs()),
    });
    let token: Value = client.post("/tokens", &wanted)?;
    if args.format.json {
        print_json(&token);
        return Ok(());
    }
    out::line(text(&token["token"]));
    let until = match token["expiresAt"].as_str() {
        Some(moment) => format!("until {}", plain(moment)),
        None => "until it is deleted".to_owned(),
    };
    eprintln!(
        "Keep it now: it is not shown again. It signs in as {} {until}, with STEADFAST_TOKEN, as a bearer token, or by OAuth \
         2.0 as the secret of the client {}.",
        args.role.word(),
        text(&token["clientId"])
    );
    Ok(())
}

const COLUMNS: &[(&str, &str)] = &[
    ("NAME", "name"),
    ("CLIENT ID", "clientId"),
    ("ROLE", "role"),
    ("SCOPE", "scope"),
    ("EXPIRES", "expiresAt"),
    ("CREATED", "createdAt"),
    ("BY", "createdBy"),
];
