//! `steadfast fim`: file integrity monitoring of a workspace, on or off.

use serde_json::{Map, Value, json};

use crate::args::{CollectArgs, Every, FimCommand, PlainArgs};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::table::text;

/// Shows or switches file integrity monitoring.
pub fn run(client: &Client, command: &FimCommand) -> Result<(), Failure> {
    let (args, verb) = match command {
        FimCommand::Collect(args) => return collect(client, args),
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

/// Sets how often what is no file is collected.
fn collect(client: &Client, args: &CollectArgs) -> Result<(), Failure> {
    let seconds = |every: &Option<Every>| every.as_ref().map(|Every(seconds)| *seconds);
    let wanted = [
        ("daemonsSeconds", seconds(&args.daemons)),
        ("softwareSeconds", seconds(&args.software)),
        ("inventorySeconds", seconds(&args.inventory)),
    ];
    let fields: Map<String, Value> = wanted
        .into_iter()
        .filter_map(|(name, seconds)| Some((name.to_owned(), Value::from(seconds?))))
        .collect();
    if fields.is_empty() {
        return Err(Failure::Usage(
            "nothing to change was given; see 'steadfast fim collect --help'".to_owned(),
        ));
    }
    let path = format!("/workspaces/{}/fim/collection", segment(&args.plain.workspace.workspace));
    show(&client.patch(&path, &fields)?, &args.plain);
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
    for (name, field) in
        [("Daemons", "daemonsSeconds"), ("Software", "softwareSeconds"), ("Inventory", "inventorySeconds")]
    {
        match status["collection"][field].as_u64() {
            Some(seconds) => println!("{name:<10} every {seconds} s"),
            None => println!("{name:<10} not collected"),
        }
    }
}
