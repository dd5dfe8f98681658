//! `steadfast changes`: recent changes, and new ones as they come.

mod describe;
mod follow;
mod watched;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::args::{ChangesArgs, as_typed};
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::out;
use crate::problem::Problem;
use crate::table::plain_json;

/// Prints the changes since the given time, oldest first, then, if asked, each new one.
pub fn run(client: &Client, args: &ChangesArgs) -> Result<(), Failure> {
    let workspace = segment(&args.workspace.workspace);
    let wanted = Wanted::of(client, &workspace, args)?;
    if args.follow {
        return follow::follow(client, &workspace, &wanted);
    }
    let changes = recent(client, &workspace, &wanted, Duration::ZERO)?;
    if changes.is_empty() {
        wanted.refuse_unknown_machine(client, &workspace)?;
        if !wanted.is_json {
            eprintln!("no changes in the last {}", as_typed(args.since.as_secs()));
        }
        // Nothing and not watched are not the same, for a program's log either.
        if let Some(doubt) = watched::doubt(client, &args.workspace.workspace, &wanted)? {
            eprintln!("{doubt}");
        }
    }
    changes.iter().rev().for_each(|change| show(change, wanted.is_json));
    Ok(())
}

/// Which changes are to be shown, and how.
struct Wanted {
    /// Those that were noticed from then on.
    since: DateTime<Utc>,
    machine: Option<WantedMachine>,
    is_json: bool,
}

/// A machine that was asked for.
struct WantedMachine {
    /// What the server is asked with: the name as it is spelled there, or an id.
    asked: String,
    /// The name in its changes.
    name: String,
    /// The server's word that there is no such machine: it may have been removed, and have records still.
    unknown: Option<Box<Problem>>,
}

impl Wanted {
    fn of(client: &Client, workspace: &str, args: &ChangesArgs) -> Result<Self, Failure> {
        let since = chrono::Duration::from_std(args.since)
            .ok()
            .and_then(|since| Utc::now().checked_sub_signed(since))
            .ok_or_else(|| Failure::Usage("--since is longer than time itself".to_owned()))?;
        let machine = args.machine.as_deref().map(|machine| WantedMachine::of(client, workspace, machine));
        Ok(Self { since, machine: machine.transpose()?, is_json: args.format.json })
    }

    /// Refuses a machine of which there is neither a change nor anything else.
    fn refuse_unknown_machine(&self, client: &Client, workspace: &str) -> Result<(), Failure> {
        let Some(machine) = &self.machine else { return Ok(()) };
        let Some(unknown) = &machine.unknown else { return Ok(()) };
        // Its records tell, however old they are.
        let path = format!(
            "/workspaces/{workspace}/changes?from={DAWN}&limit=1&machine={}",
            segment(&machine.asked)
        );
        let page: Value = client.get(&path)?;
        if page["total"] == 0 { Err(Failure::Refused(unknown.clone())) } else { Ok(()) }
    }

    fn is_recent_enough(&self, change: &Value) -> bool {
        let time = change["time"].as_str().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        time.is_none_or(|time| time >= self.since)
    }

    fn is_of_machine(&self, change: &Value) -> bool {
        self.machine.as_ref().is_none_or(|machine| change["machine"] == *machine.name)
    }
}

impl WantedMachine {
    fn of(client: &Client, workspace: &str, asked: &str) -> Result<Self, Failure> {
        let path = format!("/workspaces/{workspace}/machines/{}", segment(asked));
        let known: Result<Value, Failure> = client.get(&path);
        let unknown = match known {
            Ok(machine) => {
                let name = machine["name"].as_str().unwrap_or(asked).to_owned();
                // A name is also that of machines before it in whose place it is, an id its own alone.
                let asked = if machine["id"] == asked { asked.to_owned() } else { name.clone() };
                return Ok(Self { asked, name, unknown: None });
            }
            // Several machines of one name have changes under it.
            Err(Failure::Refused(problem)) if problem.status == CONFLICT => None,
            Err(Failure::Refused(problem)) if problem.status == NOT_FOUND => Some(problem),
            Err(failure) => return Err(failure),
        };
        Ok(Self { asked: asked.to_owned(), name: asked.to_owned(), unknown })
    }
}

/// The changes of the time asked for and of `margin` before the present, if that is longer; newest first.
fn recent(
    client: &Client,
    workspace: &str,
    wanted: &Wanted,
    margin: Duration,
) -> Result<Vec<Value>, Failure> {
    let now = Utc::now();
    let since = wanted.since.min(now - margin);
    // The end lies ahead, so that a change that the server stamps while we ask is not missed.
    let end = now + chrono::Duration::hours(1);
    let mut path = format!(
        "/workspaces/{workspace}/changes?from={}&to={}&limit={PAGE_ROWS}",
        segment(&since.to_rfc3339_opts(SecondsFormat::Micros, true)),
        segment(&end.to_rfc3339_opts(SecondsFormat::Micros, true)),
    );
    if let Some(machine) = &wanted.machine {
        path.push_str(&format!("&machine={}", segment(&machine.asked)));
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
            // Those of the margin are not asked for.
            if changes.last().is_some_and(|oldest| wanted.is_recent_enough(oldest)) {
                eprintln!(
                    "steadfast: only the newest {LIST_ROWS} changes are shown; choose a shorter --since"
                );
            }
            return Ok(changes);
        }
    }
}

fn show(change: &Value, as_json: bool) {
    let line = if as_json { plain_json(&change.to_string()) } else { describe::describe(change) };
    out::line(line);
}

const PAGE_ROWS: usize = 500;
const LIST_ROWS: usize = 10_000;
const NOT_FOUND: u16 = 404;
const CONFLICT: u16 = 409;
/// Before all records.
const DAWN: &str = "1970-01-01T00%3A00%3A00Z";
