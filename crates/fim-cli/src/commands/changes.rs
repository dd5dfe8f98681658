//! `steadfast changes`: recent changes, and new ones as they come.

use std::io::{BufRead, Write};

use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::Value;

use crate::args::ChangesArgs;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::table::{plain, plain_json, text};

/// Prints the changes since the given time, oldest first, then, if asked, each new one.
pub fn run(client: &Client, args: &ChangesArgs) -> Result<(), Failure> {
    let workspace = segment(&args.workspace.workspace);
    let mut newest = None;
    for change in recent(client, &workspace, args)?.iter().rev() {
        newest = change["id"].as_str().map(str::to_owned);
        show(change, args.format.json);
    }
    if args.follow { follow(client, &workspace, args, newest) } else { Ok(()) }
}

/// The changes of the time asked for, newest first.
fn recent(client: &Client, workspace: &str, args: &ChangesArgs) -> Result<Vec<Value>, Failure> {
    let now = Utc::now();
    let since = chrono::Duration::from_std(args.since)
        .ok()
        .and_then(|since| now.checked_sub_signed(since))
        .ok_or_else(|| Failure::Usage("--since is longer than time itself".to_owned()))?;
    // The end lies ahead, so that a change that the server stamps while we ask is not missed.
    let end = now + chrono::Duration::hours(1);
    let mut path = format!(
        "/workspaces/{workspace}/changes?from={}&to={}&limit={PAGE_ROWS}",
        segment(&since.to_rfc3339_opts(SecondsFormat::Micros, true)),
        segment(&end.to_rfc3339_opts(SecondsFormat::Micros, true)),
    );
    if let Some(machine) = &args.machine {
        path.push_str(&format!("&machine={}", segment(machine)));
    }
    let mut changes = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page_path = match &cursor {
            Some(cursor) => format!("{path}&cursor={}", segment(cursor)),
            None => path.clone(),
        };
        let mut page: Value = client.get(&page_path)?;
        if let Some(items) = page["items"].as_array_mut() {
            changes.append(items);
        }
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Ok(changes);
        }
        if changes.len() >= LIST_ROWS {
            eprintln!("steadfast: only the newest {LIST_ROWS} changes are shown; choose a shorter --since");
            return Ok(changes);
        }
    }
}

/// Shows new changes until interrupted. When the stream ends, because the server restarts or we were slow, it is
/// opened again after the last change shown, so that none is missed.
fn follow(
    client: &Client,
    workspace: &str,
    args: &ChangesArgs,
    mut newest: Option<String>,
) -> Result<(), Failure> {
    let mut failures = 0;
    loop {
        let after = newest.as_deref().map(|id| format!("?after={}", segment(id))).unwrap_or_default();
        match client.events(&format!("/workspaces/{workspace}/changes/stream{after}")) {
            Ok(stream) => {
                failures = 0;
                for line in stream.lines() {
                    let Ok(line) = line else { break };
                    let Some(data) = line.strip_prefix("data:") else { continue };
                    let Ok(change) = serde_json::from_str::<Value>(data.trim_start()) else { continue };
                    let Some(id) = change["id"].as_str() else { continue };
                    newest = Some(id.to_owned());
                    let is_wanted =
                        args.machine.as_deref().is_none_or(|machine| change["machine"] == machine);
                    if is_wanted {
                        show(&change, args.format.json);
                    }
                }
            }
            Err(failure @ Failure::Unreachable { .. }) if failures < RECONNECTS => {
                failures += 1;
                eprintln!("steadfast: {failure}; trying again");
            }
            Err(failure) => return Err(failure),
        }
        std::thread::sleep(RECONNECT_PAUSE);
    }
}

fn show(change: &Value, as_json: bool) {
    let line = if as_json { plain_json(&change.to_string()) } else { describe(change) };
    let mut out = std::io::stdout().lock();
    // A closed pipe is how `head` says that it has seen enough.
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// One line a change: when, what kind, where, what, and which of its aspects.
fn describe(change: &Value) -> String {
    let time = change["time"].as_str().unwrap_or_default();
    let time = DateTime::parse_from_rfc3339(time).map_or_else(
        |_| plain(time),
        |time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string(),
    );
    let fields: Vec<String> =
        change["fields"].as_array().map(|fields| fields.iter().map(text).collect()).unwrap_or_default();
    // Files are what most changes are of, and their paths say so.
    let kind = match change["type"].as_str() {
        None | Some("Files") => String::new(),
        Some(kind) => format!("{}  ", plain(kind)),
    };
    let fields = if fields.is_empty() { String::new() } else { format!("  ({})", fields.join(", ")) };
    format!(
        "{time}  {:<8}  {}  {kind}{}{fields}",
        text(&change["category"]),
        text(&change["machine"]),
        text(&change["entity"])
    )
}

const PAGE_ROWS: usize = 500;
const LIST_ROWS: usize = 10_000;
const RECONNECTS: u32 = 60;
const RECONNECT_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_one_line_whatever_its_name_holds() {
        let change = json!({
            "time": "not a time", "category": "Modified", "machine": "web-1", "entity": "/etc/a\nb",
            "fields": ["Size", "Mode"],
        });
        assert_eq!(describe(&change), "not a time  Modified  web-1  /etc/a\\nb  (Size, Mode)");
    }

    #[test]
    fn a_change_that_is_of_no_file_says_of_what() {
        let change = json!({
            "time": "t", "type": "Daemons", "category": "Modified", "machine": "web-1", "entity": "ssh",
            "fields": ["SvcState"],
        });
        assert_eq!(describe(&change), "t  Modified  web-1  Daemons  ssh  (SvcState)");
    }
}
