//! `steadfast fim`: file integrity monitoring of a workspace, on or off.

use serde_json::{Value, json};

use crate::args::{FimCommand, PlainArgs};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::table::text;

/// Shows or switches file integrity monitoring.
pub fn run(client: &Client, command: &FimCommand) -> Result<(), Failure> {
    let (args, verb) = match command {
        FimCommand::Status(args) => (args, None),
        FimCommand::Enable(args) => (args, Some("enable")),
        FimCommand::Disable(args) => (args, Some("disable")),
    };
    let path = format!("/workspaces/{}/fim", segment(&args.workspace.workspace));
    let status: Value = match verb {
        None => client.get(&path)?,
        Some(verb) => client.post(&format!("{path}/{verb}"), &json!({}))?,
    };
    show(&status, args);
    Ok(())
}

fn show(status: &Value, args: &PlainArgs) {
    if args.format.json {
        print_json(status);
        return;
    }
    println!("Workspace  {}", args.workspace.workspace);
    println!("State      {}", text(&status["state"]));
    println!("Solution   {}", text(&status["solution"]));
    println!(
        "Rules      {} of {} enabled",
        text(&status["rules"]["enabled"]),
        text(&status["rules"]["total"])
    );
    println!("Machines   {}", text(&status["machines"]));
    println!("Scan       every {} s", text(&status["scanIntervalSeconds"]));
}
