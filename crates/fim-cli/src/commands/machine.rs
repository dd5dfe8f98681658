//! `steadfast machine`: the machines of a workspace.

use chrono::{Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::args::{EnrollTokenArgs, MachineCommand, PlainArgs};
use crate::client::{Client, segment};
use crate::commands::{print_json, print_list};
use crate::failure::Failure;
use crate::out;
use crate::table::text;

/// Does what was asked with machines.
pub fn run(client: &Client, command: &MachineCommand) -> Result<(), Failure> {
    match command {
        MachineCommand::List(args) => list(client, args),
        MachineCommand::EnrollToken(args) => enroll_token(client, args),
        MachineCommand::Remove(args) => {
            let workspace = segment(&args.workspace.workspace);
            client.delete(&format!("/workspaces/{workspace}/machines/{}", segment(&args.machine)))?;
            if args.format.json {
                print_json(&json!({ "removed": args.machine }));
            } else {
                eprintln!(
                    "removed machine {}; its agent is refused from now on, its records stay",
                    args.machine
                );
            }
            Ok(())
        }
    }
}

fn list(client: &Client, args: &PlainArgs) -> Result<(), Failure> {
    let now = Utc::now();
    let time = |time: chrono::DateTime<Utc>| segment(&time.to_rfc3339_opts(SecondsFormat::Secs, true));
    let machines: Value = client.get(&format!(
        "/workspaces/{}/machines?from={}&to={}",
        segment(&args.workspace.workspace),
        time(now - Duration::days(7)),
        time(now + Duration::hours(1)),
    ))?;
    if args.format.json {
        print_json(&machines);
    } else {
        print_list(machines.as_array().map_or(&[], Vec::as_slice), COLUMNS);
    }
    Ok(())
}

fn enroll_token(client: &Client, args: &EnrollTokenArgs) -> Result<(), Failure> {
    let path = format!("/workspaces/{}/enrollment-tokens", segment(&args.workspace.workspace));
    let wanted = json!({ "expiresInSeconds": args.expires_in.as_secs(), "replaces": args.replace });
    let token: Value = client.post(&path, &wanted)?;
    if args.format.json {
        print_json(&token);
        return Ok(());
    }
    out::line(text(&token["token"]));
    eprintln!(
        "One machine can enrol with it until {}. Run this there, and give it the token:",
        text(&token["expiresAt"])
    );
    eprintln!("  {}", text(&token["command"]));
    Ok(())
}

const COLUMNS: &[(&str, &str)] = &[
    ("NAME", "name"),
    ("STATUS", "status"),
    ("STATE", "state"),
    ("OS", "os"),
    ("REAL TIME", "provider"),
    ("CHANGES (7 D)", "total"),
    ("OPEN GAPS", "openGaps"),
    ("LAST SEEN", "lastSeen"),
    ("AGENT", "agentVersion"),
];
