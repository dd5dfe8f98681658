//! `steadfast workspace`: list, create, delete, and the records on the disk.

use std::io::{BufRead, IsTerminal};

use serde_json::{Value, json};

use crate::args::{Limit, WorkspaceCommand, WorkspaceDeleteArgs, WorkspaceStorageArgs};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::out;
use crate::table::{Column, plain, print_list, text};

/// Does what was asked with workspaces.
pub fn run(client: &Client, command: &WorkspaceCommand) -> Result<(), Failure> {
    match command {
        WorkspaceCommand::List(format) => {
            let workspaces: Value = client.get("/workspaces")?;
            if format.json {
                print_json(&workspaces);
            } else {
                print_list(&workspaces, COLUMNS, "workspaces");
            }
        }
        WorkspaceCommand::Create(args) => {
            let body =
                json!({ "name": args.name, "location": args.location, "subscription": args.subscription });
            let workspace: Value = client.post("/workspaces", &body)?;
            if args.format.json {
                print_json(&workspace);
            } else {
                eprintln!("created workspace {} ({})", text(&workspace["name"]), text(&workspace["id"]));
            }
        }
        WorkspaceCommand::Delete(args) => delete(client, args)?,
        WorkspaceCommand::Storage(args) => storage(client, args)?,
    }
    Ok(())
}

/// Deletes a workspace for ever, once its name was typed again or need not be.
fn delete(client: &Client, args: &WorkspaceDeleteArgs) -> Result<(), Failure> {
    let path = format!("/workspaces/{}", segment(&args.name));
    let workspace: Value = client.get(&path)?;
    let name = workspace["name"].as_str().unwrap_or_default();
    if !args.yes {
        confirm(name, &workspace["machines"])?;
    }
    client.delete(&format!("{path}?confirm={}", segment(name)))?;
    if args.format.json {
        print_json(&json!({ "deleted": name, "id": workspace["id"] }));
    } else {
        eprintln!("deleted workspace {} with its records, rules and machines", plain(name));
    }
    Ok(())
}

fn confirm(name: &str, machines: &Value) -> Result<(), Failure> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Failure::Usage(format!(
            "nobody is at a terminal to confirm that workspace {name} and all its records are to be gone for ever; say \
             so with --yes"
        )));
    }
    eprint!(
        "Workspace {} with {} machines, its rules and all its records will be gone for ever.\nType its name to delete it: ",
        plain(name),
        text(machines)
    );
    let mut typed = String::new();
    let read = input.lock().read_line(&mut typed);
    read.map_err(|error| Failure::Local(format!("cannot read the answer: {error}")))?;
    if typed.trim() == name {
        return Ok(());
    }
    Err(Failure::Usage("that is not its name; nothing was deleted".to_owned()))
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
    out::line(format_args!("Retention  {}", or(&storage["settings"]["retentionDays"], "days", "for ever")));
    let cap = match &storage["settings"]["dailyCapBytes"] {
        Value::Null => "no cap".to_owned(),
        bytes => format!("cap {} MB", megabytes(bytes)),
    };
    let reached =
        if storage["isCapReached"] == true { "; the cap is reached, agents keep the rest" } else { "" };
    out::line(format_args!(
        "Today      {} MB billed, {} MB free allowance, {cap}{reached}",
        megabytes(&storage["usedTodayBytes"]),
        megabytes(&storage["allowanceBytes"])
    ));
    out::line(format_args!("Now        {}", job(&storage["running"])));
    if let Some(reason) = storage["done"]["lastFailure"].as_str() {
        out::line(format_args!("Failed     {}", plain(reason)));
    }
    out::line("");
    print_list(&storage["tables"], TABLE_COLUMNS, "tables");
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

const TABLE_COLUMNS: &[Column] = &[
    Column::new("TABLE", "name"),
    Column::new("ROWS", "rows"),
    Column::new("IN MEMORY", "bufferedRows"),
    Column::new("FILES", "files"),
    Column::new("BYTES", "bytes"),
    Column::new("FROM", "firstDay"),
    Column::new("TO", "lastDay"),
    Column::new("DAYS KEPT", "retentionDays").or("for ever"),
];

const COLUMNS: &[Column] = &[
    Column::new("NAME", "name"),
    Column::new("STATE", "state"),
    Column::new("CHANGES (7 D)", "changesLastWeek"),
    Column::new("MACHINES", "machines"),
    Column::new("REPORTING", "machinesReporting"),
    Column::new("OPEN GAPS", "openGaps"),
    Column::new("LOCATION", "location"),
    Column::new("SUBSCRIPTION", "subscription"),
    Column::new("ID", "id"),
];
