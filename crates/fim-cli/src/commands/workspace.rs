//! `steadfast workspace`: list and create.

use serde_json::{Value, json};

use crate::args::WorkspaceCommand;
use crate::client::Client;
use crate::commands::{print_json, print_list};
use crate::failure::Failure;
use crate::table::text;

/// Does what was asked with workspaces.
pub fn run(client: &Client, command: &WorkspaceCommand) -> Result<(), Failure> {
    match command {
        WorkspaceCommand::List(format) => {
            let workspaces: Value = client.get("/workspaces")?;
            if format.json {
                print_json(&workspaces);
            } else {
                print_list(workspaces.as_array().map_or(&[], Vec::as_slice), COLUMNS);
            }
        }
        WorkspaceCommand::Create(args) => {
            let body =
                json!({ "name": args.name, "location": args.location, "subscription": args.subscription });
            let workspace: Value = client.post("/workspaces", &body)?;
            if args.format.json {
                print_json(&workspace);
            } else {
                eprintln!("created workspace {} ({})", args.name, text(&workspace["id"]));
            }
        }
    }
    Ok(())
}

const COLUMNS: &[(&str, &str)] = &[
    ("NAME", "name"),
    ("STATE", "state"),
    ("CHANGES (7 D)", "changesLastWeek"),
    ("MACHINES", "machines"),
    ("LOCATION", "location"),
    ("SUBSCRIPTION", "subscription"),
    ("ID", "id"),
];
