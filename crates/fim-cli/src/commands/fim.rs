//! `steadfast fim`: file integrity monitoring of a workspace, on or off.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::args::{CollectArgs, Every, FimCommand, PlainArgs};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::out;
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

/// Sets how often what is monitored is collected.
fn collect(client: &Client, args: &CollectArgs) -> Result<(), Failure> {
    let seconds = |every: &Option<Every>| every.as_ref().map(|Every(seconds)| *seconds);
    let wanted = [
        ("filesSeconds", args.files.map(|time| time.as_secs())),
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
    out::line(format_args!("Workspace  {}", args.workspace.workspace));
    out::line(format_args!("State      {}", text(&status["state"])));
    out::line(format_args!("Solution   {}", text(&status["solution"])));
    out::line(format_args!(
        "Rules      {} of {} enabled",
        text(&status["rules"]["enabled"]),
        text(&status["rules"]["total"])
    ));
    out::line(format_args!("Machines   {}", text(&status["machines"])));
    out::line(format_args!("Files      every {}", time(status["scanIntervalSeconds"].as_u64().unwrap_or(0))));
    for (name, field) in
        [("Daemons", "daemonsSeconds"), ("Software", "softwareSeconds"), ("Inventory", "inventorySeconds")]
    {
        match status["collection"][field].as_u64() {
            Some(seconds) => out::line(format_args!("{name:<10} every {}", time(seconds))),
            None => out::line(format_args!("{name:<10} not collected")),
        }
    }
}

/// A length of time as a person says it.
fn time(seconds: u64) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(seconds))
}
