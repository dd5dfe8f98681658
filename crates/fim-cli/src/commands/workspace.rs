//! `steadfast workspace`: list, create, and the records on the disk.

use serde_json::{Value, json};

use crate::args::{Limit, WorkspaceCommand, WorkspaceStorageArgs};
use crate::client::{Client, segment};
use crate::commands::{print_json, print_list};
use crate::failure::Failure;
use crate::table::{plain, text};

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
        WorkspaceCommand::Storage(args) => storage(client, args)?,
    }
    Ok(())
}

/// Shows the records on the disk, after setting what was asked for.
fn storage(client: &Client, args: &WorkspaceStorageArgs) -> Result<(), Failure> {
    let path = format!("/workspaces/{}/storage", segment(&args.workspace.workspace));
    let mut storage: Value = client.get(&path)?;
    if args.retention_days.is_some() || args.daily_cap_mb.is_some() {
        let mut settings = storage["settings"].take();
        change(&mut settings, args);
        storage = client.put(&path, &settings)?;
    }
    if args.format.json {
        print_json(&storage);
        return Ok(());
    }
    let or = |value: &Value, unit: &str, otherwise: &str| match value.as_u64() {
        Some(number) => format!("{number} {unit}"),
        None => otherwise.to_owned(),
    };
    let megabytes = |value: &Value| value.as_u64().unwrap_or(0).div_ceil(1_000_000);
    println!("Retention  {}", or(&storage["settings"]["retentionDays"], "days", "for ever"));
    let cap = match &storage["settings"]["dailyCapBytes"] {
        Value::Null => "no cap".to_owned(),
        bytes => format!("cap {} MB", megabytes(bytes)),
    };
    let reached =
        if storage["isCapReached"] == true { "; the cap is reached, agents keep the rest" } else { "" };
    println!(
        "Today      {} MB billed, {} MB free allowance, {cap}{reached}",
        megabytes(&storage["usedTodayBytes"]),
        megabytes(&storage["allowanceBytes"])
    );
    println!("Now        {}", job(&storage["running"]));
    if let Some(reason) = storage["done"]["lastFailure"].as_str() {
        println!("Failed     {}", plain(reason));
    }
    println!();
    print_list(storage["tables"].as_array().map_or(&[], Vec::as_slice), TABLE_COLUMNS);
    Ok(())
}

/// Puts what was asked for into the settings.
fn change(settings: &mut Value, args: &WorkspaceStorageArgs) {
    match (args.retention_days, &args.table) {
        (Some(Limit(days)), None) => settings["retentionDays"] = json!(days),
        (Some(Limit(Some(days))), Some(table)) => settings["tables"][table] = json!(days),
        (Some(Limit(None)), Some(table)) => {
            if let Some(tables) = settings["tables"].as_object_mut() {
                tables.remove(table);
            }
        }
        (None, _) => {}
    }
    if let Some(Limit(megabytes)) = args.daily_cap_mb {
        settings["dailyCapBytes"] = json!(megabytes.map(|megabytes| megabytes.saturating_mul(1_000_000)));
    }
}

fn job(running: &Value) -> String {
    if running.is_null() {
        return "nothing in the background".to_owned();
    }
    format!(
        "{} {} of {}: {} of {} rows, {} files",
        text(&running["kind"]),
        text(&running["table"]),
        text(&running["day"]),
        text(&running["rowsDone"]),
        text(&running["rows"]),
        text(&running["files"])
    )
}

const TABLE_COLUMNS: &[(&str, &str)] = &[
    ("TABLE", "name"),
    ("ROWS", "rows"),
    ("IN MEMORY", "bufferedRows"),
    ("FILES", "files"),
    ("BYTES", "bytes"),
    ("FROM", "firstDay"),
    ("TO", "lastDay"),
    ("DAYS KEPT", "retentionDays"),
];

const COLUMNS: &[(&str, &str)] = &[
    ("NAME", "name"),
    ("STATE", "state"),
    ("CHANGES (7 D)", "changesLastWeek"),
    ("MACHINES", "machines"),
    ("LOCATION", "location"),
    ("SUBSCRIPTION", "subscription"),
    ("ID", "id"),
];
