//! What agents work by, told at once: an agent that has the newest settings may wait for newer ones.
//!
//! It says which settings it has by `If-None-Match`, and how many seconds it would wait by `Prefer: wait=50` (RFC 7240). The
//! answer comes when there are others, or 304 when the time is over, when the server stops, when the machine asks once more,
//! or at once where too many wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::agent::enrolled;
use crate::api::model::Rule;
use crate::app::{App, AppState, stopped};
use crate::auth::locked;
use crate::connection::ConnectionPlace;
use crate::control::MachineRecord;
use crate::problem::Problem;

/// What an agent works by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    /// Grows with every change of the settings.
    revision: u64,
    /// Seconds between the starts of two scans.
    scan_interval_seconds: u64,
    /// False if nothing is to be monitored.
    fim_enabled: bool,
    /// Seconds between two collections of the daemons; absent if they are not collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    daemon_interval_seconds: Option<u64>,
    /// Seconds between two collections of the software; absent if it is not collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    software_interval_seconds: Option<u64>,
    /// Seconds between two inventories; absent if none is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory_interval_seconds: Option<u64>,
    /// The rules in the order in which they are tried; those that are not in force too.
    rules: Vec<Rule>,
}

/// The settings of each workspace as they were read after a change, for all who waited for it.
#[derive(Debug, Default)]
pub struct LatestSettings(Mutex<HashMap<Uuid, Slot>>);

/// The settings of a workspace, and after how many changes they were read. Who comes while another reads waits for that.
type Slot = Arc<tokio::sync::Mutex<Option<(u64, Told)>>>;

/// Settings as agents get them.
#[derive(Clone, Debug)]
struct Told {
    revision: u64,
    json: Bytes,
}

/// Answers with the settings, if need be after a wait for others than those that the agent has.
pub async fn settings(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    Extension(place): Extension<Arc<ConnectionPlace>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // From before the first look, so that no change is between the two.
    let changes = app.control.settings_changes(machine.workspace);
    let revision = app.workspace_of(&machine).await?.settings_revision;
    let known = known_revision(&headers);
    if known != Some(revision) {
        return Ok(read(&app, &machine).await?.into_response());
    }
    let Some(patience) = wait_asked(&headers) else { return Ok(not_modified(revision)) };
    let Some(wait) = app.settings_waits.begin(machine.id) else { return Ok(not_modified(revision)) };
    // It may have been removed since it was let in; from here on, a removal ends its wait.
    enrolled(&app, machine.id).await?;
    app.metrics.settings_waits.increment();
    // Who waits keeps nobody from calling, be they ten thousand.
    let rest = place.rest();
    let mut stop = app.stop.clone();
    let news = tokio::select! {
        news = other_settings(&app, &machine, revision, changes) => Some(news),
        () = sleep_until(Instant::now() + patience) => None,
        () = wait.ended() => None,
        () = stopped(&mut stop) => None,
    };
    let mut answer = match news {
        Some(Ok(told)) => told.into_response(),
        Some(Err(problem)) => problem.into_response(),
        None => not_modified(revision),
    };
    if !rest.end() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}

/// Waits until the settings are others than those of that revision.
async fn other_settings(
    app: &App,
    machine: &MachineRecord,
    revision: u64,
    mut changes: watch::Receiver<u64>,
) -> Result<Told, Problem> {
    while changes.changed().await.is_ok() {
        let change = *changes.borrow_and_update();
        let told = app.latest_settings.after(change, app, machine).await?;
        if told.revision != revision {
            return Ok(told);
        }
    }
    // The workspace is gone, and so is the machine.
    read(app, machine).await
}

async fn read(app: &App, machine: &MachineRecord) -> Result<Told, Problem> {
    let internal = |error| Problem::internal("reading the settings", &error);
    // The revision is read first: what is changed before the rules are read comes once more, and is not missed.
    let workspace = app.workspace_of(machine).await?;
    let rules = app.control.rules(workspace.id).await.map_err(internal)?;
    let settings = Settings {
        revision: workspace.settings_revision,
        scan_interval_seconds: workspace.scan_interval_seconds,
        fim_enabled: workspace.fim_enabled,
        daemon_interval_seconds: workspace.collection.daemons_seconds,
        software_interval_seconds: workspace.collection.software_seconds,
        inventory_interval_seconds: workspace.collection.inventory_seconds,
        rules,
    };
    let json =
        serde_json::to_vec(&settings).map_err(|error| Problem::internal("telling the settings", &error))?;
    Ok(Told { revision: settings.revision, json: json.into() })
}

impl LatestSettings {
    /// Forgets a workspace that is no more.
    pub fn forget(&self, workspace: Uuid) {
        locked(&self.0).remove(&workspace);
    }

    /// The settings of the machine's workspace as they are after so many changes, or more.
    async fn after(&self, change: u64, app: &App, machine: &MachineRecord) -> Result<Told, Problem> {
        let slot = Arc::clone(locked(&self.0).entry(machine.workspace).or_default());
        let mut latest = slot.lock().await;
        if let Some((read_after, told)) = &*latest
            && *read_after >= change
        {
            return Ok(told.clone());
        }
        let told = read(app, machine).await?;
        *latest = Some((change, told.clone()));
        Ok(told)
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let content = HeaderValue::from_static("application/json");
        ([(ETAG, tag(self.revision)), (CONTENT_TYPE, content)], self.json).into_response()
    }
}

fn not_modified(revision: u64) -> Response {
    (StatusCode::NOT_MODIFIED, [(ETAG, tag(revision))]).into_response()
}

fn tag(revision: u64) -> HeaderValue {
    // A number in quotes can always be sent.
    HeaderValue::try_from(format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The revision of the settings that the agent has.
fn known_revision(headers: &HeaderMap) -> Option<u64> {
    let tag = headers.get(IF_NONE_MATCH)?.to_str().ok()?;
    tag.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// How long the agent would wait, if it would.
fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let seconds = preferences.flat_map(|value| value.split(',')).find_map(|preference| {
        let (name, seconds) = preference.split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| seconds.trim().parse::<u64>().ok())?
    })?;
    Some(Duration::from_secs(seconds.min(LONGEST_WAIT_SECONDS)))
}

/// What lies between an agent and its server may end a connection on which nothing is said for a minute.
const LONGEST_WAIT_SECONDS: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("Prefer", HeaderValue::from_str(value).unwrap());
        }
        wait_asked(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_among_other_preferences_and_is_a_minute_at_most() {
        assert_eq!(asked(&["wait=50"]), Some(50));
        assert_eq!(asked(&["respond-async, Wait = 7"]), Some(7));
        assert_eq!(asked(&["handling=lenient", "wait=1"]), Some(1));
        assert_eq!(asked(&["wait=18446744073709551615"]), Some(60));
        for none in ["", "wait", "wait=", "wait=-1", "wait=soon", "wait=99999999999999999999", "await=5"] {
            assert_eq!(asked(&[none]), None, "{none}");
        }
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn a_revision_is_known_by_its_tag_in_quotes_or_without() {
        for (value, expected) in
            [("\"7\"", Some(7)), ("7", Some(7)), ("W/\"7\"", Some(7)), ("\"x\"", None), ("*", None)]
        {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
            assert_eq!(known_revision(&headers), expected, "{value}");
        }
    }
}
