//! `steadfast fim`: file integrity monitoring of a workspace, on or off.

use serde_json::{Map, Value, json};

use crate::args::{CollectArgs, EnableArgs, Every, FimCommand, PlainArgs, as_typed};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::out;
use crate::table::{plain, text};

/// Shows or switches file integrity monitoring.
pub fn run(client: &Client, command: &FimCommand) -> Result<(), Failure> {
    let (args, verb) = match command {
        FimCommand::Collect(args) => return collect(client, args),
        FimCommand::Enable(args) => return enable(client, args),
        FimCommand::Status(args) => (args, None),
        FimCommand::Disable(args) => (args, Some("disable")),
    };
    let path = fim_path(args);
    let status: Value = match verb {
        None => client.get(&path)?,
        Some(verb) => client.post(&format!("{path}/{verb}"), &json!({}))?,
    };
    show(&status, args);
    Ok(())
}

/// Turns monitoring on, and says what that put back.
fn enable(client: &Client, args: &EnableArgs) -> Result<(), Failure> {
    let path = fim_path(&args.plain);
    let before: Value = client.get(&path)?;
    let wanted = if args.restore { json!({ "restoreChanged": true }) } else { json!({}) };
    let after: Value = client.post(&format!("{path}/enable"), &wanted)?;
    tell_put_back(&before, &after);
    show(&after, &args.plain);
    Ok(())
}

fn fim_path(args: &PlainArgs) -> String {
    format!("/workspaces/{}/fim", segment(&args.workspace.workspace))
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
    if !recommended_names(status, "missing").is_empty() {
        said.push_str("; `steadfast fim enable` adds what is missing");
    }
    let changed = recommended_names(status, "changed");
    if !changed.is_empty() {
        let changed = changed.join(", ");
        said.push_str(&format!("; changed: {changed} (`steadfast fim enable --restore` puts them back)"));
    }
    said
}

/// The names of the recommended items of which that has become.
fn recommended_names(status: &Value, what: &str) -> Vec<String> {
    status["recommended"][what].as_array().into_iter().flatten().map(text).collect()
}

/// Says which recommended items are in force again, where others were all the time.
fn tell_put_back(before: &Value, after: &Value) {
    let total = &before["recommended"]["total"];
    let put_back = |what| -> Vec<String> {
        let still = recommended_names(after, what);
        recommended_names(before, what).into_iter().filter(|name| !still.contains(name)).collect()
    };
    let (added, restored) = (put_back("missing"), put_back("changed"));
    if !added.is_empty() && total.as_u64() != u64::try_from(added.len()).ok() {
        eprintln!("put back, since deleted items are recommended still: {}", added.join(", "));
    }
    if !restored.is_empty() {
        eprintln!(
            "put back as recommended, in the place of what they were changed to: {}",
            restored.join(", ")
        );
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
    let path = format!("{}/collection", fim_path(&args.plain));
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
    out::line(format_args!(
        "Solution   {}",
        status["solution"].as_str().map_or_else(|| "none".to_owned(), plain)
    ));
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
