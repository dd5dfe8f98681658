//! `steadfast machine`: the machines of a workspace.

use chrono::{Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::address::Address;
use crate::args::{EnrollTokenArgs, MachineCommand, PlainArgs};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::out;
use crate::table::{Column, moment, plain, print_list, text};

/// Does what was asked with machines.
pub fn run(client: &Client, command: &MachineCommand) -> Result<(), Failure> {
    match command {
        MachineCommand::List(args) => list(client, args),
        MachineCommand::EnrollToken(args) => enroll_token(client, args),
        MachineCommand::Remove(args) => {
            let name = name_of(client, &args.workspace.workspace, &args.machine)?;
            client.delete(&machine_path(&args.workspace.workspace, &args.machine))?;
            if args.format.json {
                print_json(&json!({ "removed": name }));
            } else {
                eprintln!(
                    "removed machine {}; its agent is refused from now on, its records stay",
                    plain(&name)
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
        print_list(&machines, COLUMNS, "machines");
    }
    Ok(())
}

fn enroll_token(client: &Client, args: &EnrollTokenArgs) -> Result<(), Failure> {
    let workspace = &args.workspace.workspace;
    // A token for a name that nobody has would be good for any machine that takes the name.
    let replaced = args.replace.as_deref().map(|machine| name_of(client, workspace, machine)).transpose()?;
    let path = format!("/workspaces/{}/enrollment-tokens", segment(workspace));
    let wanted = json!({ "expiresInSeconds": args.expires_in.as_secs(), "replaces": replaced });
    let token: Value = client.post(&path, &wanted)?;
    let command = text(&token["command"]);
    if let Some(server) = server_of(&command).filter(Address::is_loopback) {
        eprintln!(
            "warning: other machines cannot reach {server}: the server listens on its own machine alone; start it with an \
             address that they reach, such as `steadfast up --listen 0.0.0.0:8443`"
        );
    }
    if args.format.json {
        print_json(&token);
        return Ok(());
    }
    out::line(text(&token["token"]));
    let until = moment(&text(&token["expiresAt"]));
    match &replaced {
        Some(name) => eprintln!(
            "A machine called {} can enrol with it until {until}, and takes the place of the one of that name, which is removed \
             then. Run this there, and give it the token:",
            plain(name)
        ),
        None => {
            eprintln!("One machine can enrol with it until {until}. Run this there, and give it the token:")
        }
    }
    eprintln!("  {command}");
    Ok(())
}

/// The machine's name as the server spells it.
fn name_of(client: &Client, workspace: &str, machine: &str) -> Result<String, Failure> {
    let known: Value = client.get(&machine_path(workspace, machine))?;
    Ok(known["name"].as_str().unwrap_or(machine).to_owned())
}

fn machine_path(workspace: &str, machine: &str) -> String {
    format!("/workspaces/{}/machines/{}", segment(workspace), segment(machine))
}

/// The server that an enrolment command names.
fn server_of(command: &str) -> Option<Address> {
    let mut words = command.split_whitespace().skip_while(|word| *word != "--server");
    words.nth(1).and_then(|server| Address::parse(server).ok())
}

const COLUMNS: &[Column] = &[
    Column::new("NAME", "name"),
    Column::new("STATUS", "status"),
    Column::new("STATE", "state"),
    Column::new("OS", "os"),
    Column::new("REAL TIME", "provider"),
    Column::new("CHANGES (7 D)", "total"),
    Column::new("OPEN GAPS", "openGaps"),
    Column::new("LAST SEEN", "lastSeen").moment().or("never"),
    Column::new("AGENT", "agentVersion"),
];
