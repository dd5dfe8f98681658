//! `steadfast token`: what programs sign in with.

use serde_json::{Value, json};

use crate::args::{TokenCommand, TokenCreateArgs};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::out;
use crate::table::{Column, moment, plain, print_list, text};

/// Does what was asked with API tokens.
pub fn run(client: &Client, command: &TokenCommand) -> Result<(), Failure> {
    match command {
        TokenCommand::Create(args) => create(client, args)?,
        TokenCommand::List(format) => {
            let mut tokens: Value = client.get("/tokens")?;
            if format.json {
                print_json(&tokens);
            } else {
                name_scopes(client, &mut tokens);
                print_list(&tokens, COLUMNS, "API tokens");
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

/// Puts the names of the workspaces in the place of their ids, where the caller may see them.
fn name_scopes(client: &Client, tokens: &mut Value) {
    let workspaces: Value = client.get("/workspaces").unwrap_or_default();
    let name_of = |id: &Value| {
        let workspace = workspaces.as_array()?.iter().find(|workspace| workspace["id"] == *id)?;
        Some(workspace["name"].clone())
    };
    for token in tokens.as_array_mut().into_iter().flatten() {
        if let Some(name) = name_of(&token["scope"]) {
            token["scope"] = name;
        }
    }
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
        Some(end) => format!("until {}", moment(end)),
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

const COLUMNS: &[Column] = &[
    Column::new("NAME", "name"),
    Column::new("CLIENT ID", "clientId"),
    Column::new("ROLE", "role"),
    Column::new("SCOPE", "scope").or("all"),
    Column::new("EXPIRES", "expiresAt").moment().or("never"),
    Column::new("CREATED", "createdAt").moment(),
    Column::new("BY", "createdBy"),
];
