//! `steadfast changes`: recent changes, and new ones as they come.

use std::collections::{HashSet, VecDeque};
use std::io::{BufRead, BufReader};

use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::Value;
use ureq::BodyReader;

use crate::args::ChangesArgs;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::out;
use crate::table::{plain, plain_json, text};

/// Prints the changes since the given time, oldest first, then, if asked, each new one.
pub fn run(client: &Client, args: &ChangesArgs) -> Result<(), Failure> {
    let workspace = segment(&args.workspace.workspace);
    if args.follow {
        return follow(client, &workspace, args);
    }
    recent(client, &workspace, args)?.iter().rev().for_each(|change| show(change, args.format.json));
    Ok(())
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

/// Shows recent changes and then new ones until interrupted. The stream is opened before the list is asked for, and when
/// it ends, because the server restarts or we were slow, again after its last event: so none is missed, and what comes
/// twice is shown once.
fn follow(client: &Client, workspace: &str, args: &ChangesArgs) -> Result<(), Failure> {
    let path = format!("/workspaces/{workspace}/changes/stream");
    let mut shown = Shown::default();
    let mut events = EventReader::default();
    let mut stream = client.events(&path)?;
    for change in recent(client, workspace, args)?.iter().rev() {
        shown.show(change, args);
    }
    loop {
        for line in stream.lines() {
            let Ok(line) = line else { break };
            if let Some(change) = events.take(&line) {
                shown.show(&change, args);
            }
        }
        stream = again(client, &format!("{path}?after={}", segment(&events.last_id)))?;
    }
}

/// Opens the stream again, for a while also if the server is away.
fn again(client: &Client, path: &str) -> Result<BufReader<BodyReader<'static>>, Failure> {
    let mut failures = 0;
    loop {
        // A server that restarts or refuses is not to be asked again and again without a pause.
        std::thread::sleep(RECONNECT_PAUSE);
        match client.events(path) {
            Err(failure @ Failure::Unreachable { .. }) if failures < RECONNECTS => {
                failures += 1;
                eprintln!("steadfast: {failure}; trying again");
            }
            opened => return opened,
        }
    }
}

/// Server-sent events, line by line.
#[derive(Default)]
struct EventReader {
    /// The id of the last event that came whole: where to go on.
    last_id: String,
    id: Option<String>,
    data: Option<String>,
}

impl EventReader {
    /// The change that an event holds, once its last line is there.
    fn take(&mut self, line: &str) -> Option<Value> {
        if let Some(id) = line.strip_prefix("id:") {
            self.id = Some(id.trim_start().to_owned());
        } else if let Some(data) = line.strip_prefix("data:") {
            self.data = Some(data.trim_start().to_owned());
        } else if line.is_empty() {
            if let Some(id) = self.id.take() {
                self.last_id = id;
            }
            let change: Option<Value> = self.data.take().and_then(|data| serde_json::from_str(&data).ok());
            return change.filter(|change| change["id"].is_string());
        }
        None
    }
}

/// What was shown lately, so that it is not shown again.
#[derive(Default)]
struct Shown {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Shown {
    /// Shows the change unless it was shown or is of another machine than asked for.
    fn show(&mut self, change: &Value, args: &ChangesArgs) {
        let is_wanted = args.machine.as_deref().is_none_or(|machine| change["machine"] == machine);
        if is_wanted && self.is_new(change["id"].as_str().unwrap_or_default()) {
            show(change, args.format.json);
        }
    }

    fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

fn show(change: &Value, as_json: bool) {
    let line = if as_json { plain_json(&change.to_string()) } else { describe(change) };
    out::line(line);
}

/// One line a change: when, what kind, where, what, and which of its aspects.
fn describe(change: &Value) -> String {
    let time = change["time"].as_str().unwrap_or_default();
    let time = DateTime::parse_from_rfc3339(time).map_or_else(
        |_| plain(time),
        |time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string(),
    );
    let field =
        |field: &Value| match (field.as_str(), change["versionBefore"].as_str(), &change["versionAfter"]) {
            (Some("Current"), Some(before), Value::String(after)) => {
                format!("Current {} → {}", plain(before), plain(after))
            }
            _ => text(field),
        };
    let fields: Vec<String> =
        change["fields"].as_array().map(|fields| fields.iter().map(field).collect()).unwrap_or_default();
    // Files are what most changes are of, and their paths say so.
    let kind = match change["type"].as_str() {
        None | Some("Files") => String::new(),
        Some(kind) => format!("{}  ", plain(kind)),
    };
    let fields = if fields.is_empty() { String::new() } else { format!("  ({})", fields.join(", ")) };
    let who = change["who"].as_str().map_or_else(String::new, |who| format!("  by {}", plain(who)));
    format!(
        "{time}  {:<8}  {}  {kind}{}{fields}{who}",
        text(&change["category"]),
        text(&change["machine"]),
        text(&change["entity"])
    )
}

const PAGE_ROWS: usize = 500;
const LIST_ROWS: usize = 10_000;
/// More than come again after a restart of a server that is told a hundred changes a second.
const REMEMBERED: usize = 50_000;
const RECONNECTS: u32 = 60;
const RECONNECT_PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_counts_once_its_last_line_is_there() {
        let mut events = EventReader::default();
        let lines = [
            "id: 2026-11-23T00:00:00Z",
            "",
            ": still here",
            "",
            "event: change",
            "id: a",
            "data: {\"id\":\"a\"}",
        ];
        assert!(lines.iter().all(|line| events.take(line).is_none()));
        assert_eq!(events.last_id, "2026-11-23T00:00:00Z");
        assert_eq!(events.take(""), Some(json!({ "id": "a" })));
        assert_eq!(events.last_id, "a");
        assert!(["event: lagged", "data: 7", ""].iter().all(|line| events.take(line).is_none()));
        assert_eq!(events.last_id, "a");
    }

    #[test]
    fn what_was_shown_is_not_shown_again_in_bounded_memory() {
        let mut shown = Shown::default();
        assert!(shown.is_new("first") && !shown.is_new("first"));
        assert!((0..REMEMBERED).all(|number| shown.is_new(&number.to_string())));
        assert!(!shown.is_new("7") && shown.is_new("first"));
        assert_eq!((shown.ids.len(), shown.order.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn a_change_is_one_line_whatever_its_name_holds() {
        let change = json!({
            "time": "not a time", "category": "Modified", "machine": "web-1", "entity": "/etc/a\nb",
            "fields": ["Size", "Mode"],
        });
        assert_eq!(describe(&change), "not a time  Modified  web-1  /etc/a\\nb  (Size, Mode)");
    }

    #[test]
    fn a_change_says_by_whom_where_that_is_known() {
        let change = json!({
            "time": "t", "category": "Removed", "machine": "web-1", "entity": "/etc/a", "fields": [], "who": "root",
        });
        assert_eq!(describe(&change), "t  Removed   web-1  /etc/a  by root");
    }

    #[test]
    fn a_change_that_is_of_no_file_says_of_what() {
        let change = json!({
            "time": "t", "type": "Daemons", "category": "Modified", "machine": "web-1", "entity": "ssh",
            "fields": ["SvcState"],
        });
        assert_eq!(describe(&change), "t  Modified  web-1  Daemons  ssh  (SvcState)");
    }

    #[test]
    fn a_change_of_a_version_says_which_it_was_and_which_it_is() {
        let change = json!({
            "time": "t", "type": "Software", "category": "Modified", "machine": "web-1", "entity": "bash",
            "fields": ["Current", "Publisher"], "versionBefore": "5.2", "versionAfter": "99.9",
        });
        let expected = "t  Modified  web-1  Software  bash  (Current 5.2 → 99.9, Publisher)";
        assert_eq!(describe(&change), expected);
    }
}
