//! `steadfast fim`: file integrity monitoring of a workspace, on or off.

use serde_json::{Map, Value, json};

use crate::args::{CollectArgs, Every, FimCommand, PlainArgs, as_typed};
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
        Some(verb) => {
            let before: Value = client.get(&path)?;
            let after = client.post(&format!("{path}/{verb}"), &json!({}))?;
            tell_put_back(&before, &after);
            after
        }
    };
    show(&status, args);
    Ok(())
}

/// How many rules are in force, and how many of the recommended items are.
fn rules(status: &Value) -> String {
    let (rules, recommended) = (&status["rules"], &status["recommended"]);
    let mut said = format!(
        "{} of {} enabled, with {} of the {} recommended items",
        text(&rules["enabled"]),
        text(&rules["total"]),
        text(&recommended["enabled"]),
        text(&recommended["total"])
    );
    if recommended["missing"].as_array().is_some_and(|missing| !missing.is_empty()) {
        said.push_str("; `steadfast fim enable` adds what is missing");
    }
    said
}

/// Says which recommended items are in force again, where others were all the time.
fn tell_put_back(before: &Value, after: &Value) {
    let total = &before["recommended"]["total"];
    let missing = |status: &Value| status["recommended"]["missing"].as_array().cloned().unwrap_or_default();
    let put_back = missing(before).into_iter().filter(|name| !missing(after).contains(name));
    let names: Vec<String> = put_back.map(|name| text(&name)).collect();
    if !names.is_empty() && total.as_u64() != u64::try_from(names.len()).ok() {
        eprintln!("put back, since deleted items are recommended still: {}", names.join(", "));
    }
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
    out::line(format_args!("Rules      {}", rules(status)));
    out::line(format_args!("Machines   {}", text(&status["machines"])));
    out::line(format_args!(
        "Files      every {}",
        as_typed(status["scanIntervalSeconds"].as_u64().unwrap_or(0))
    ));
    for (name, field) in
        [("Daemons", "daemonsSeconds"), ("Software", "softwareSeconds"), ("Inventory", "inventorySeconds")]
    {
        match status["collection"][field].as_u64() {
            Some(seconds) => out::line(format_args!("{name:<10} every {}", as_typed(seconds))),
            None => out::line(format_args!("{name:<10} not collected")),
        }
    }
}
