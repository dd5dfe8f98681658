//! Workspaces and their figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use fim_core::Timestamp;
use fim_store::{DropWorkspaceError, Store};
use serde::Deserialize;
use uuid::Uuid;

use super::changes::MOST_GAPS;
use super::model::{FimState, NewWorkspace, Summary, Watched, Workspace};
use crate::app::{App, AppState};
use crate::authz::{Actor, Decision, Noun, Place, Verb, decide};
use crate::clock::Moment;
use crate::control::{AddWorkspaceError, By, Control, ControlError, MachineRecord, WorkspaceRecord};
use crate::ingest::heartbeat::silence_nanos;
use crate::problem::{ApiJson, ApiQuery, Kind, Problem};
use crate::report::figures;
use crate::report::timespan::Range;
use crate::report::watched::{self, Watching, watched};

/// Why a deleted workspace's rows could not be removed. The next start of the server tries again.
#[derive(Debug, thiserror::Error)]
pub enum DropRowsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] DropWorkspaceError),
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A worker died.
    #[error("a worker stopped while records were removed")]
    Worker(#[from] tokio::task::JoinError),
}

/// A period: the last seven days if nothing is said.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Period {
    /// The first moment in it.
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Moment>,
    /// The first moment after it; now if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<Moment>,
}

impl Period {
    /// The period as two moments.
    pub fn range(self, now: Timestamp) -> Result<Range, Problem> {
        // A second more, so that what has just arrived is in it.
        let to = self.to.map_or(now.plus_nanos(1_000_000_000), |to| to.0);
        let from = self.from.map_or(to.plus_nanos(-WEEK_NANOS), |from| from.0);
        if from >= to {
            return Err(Problem::new(
                Kind::BadRequest,
                format!("the period is empty: from {} is not before to {}", Moment(from), Moment(to)),
            ));
        }
        Ok(Range { from, to })
    }
}

/// The workspaces that the caller may see.
#[utoipa::path(
    get, path = "/api/v1/workspaces", tag = "workspaces",
    responses((status = 200, description = "By name.", body = Vec<Workspace>))
)]
pub async fn list_workspaces(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<Vec<Workspace>>, Problem> {
    let records = app
        .control
        .workspaces()
        .await
        .map_err(|error| Problem::internal("reading the workspaces", &error))?;
    let mut workspaces = Vec::new();
    for record in records {
        if decide(&actor, Verb::View, Noun::Workspace, Place::Workspace(record.id)) == Decision::Allow {
            workspaces.push(describe(&app, &record).await?);
        }
    }
    Ok(Json(workspaces))
}

/// Makes a workspace in which monitoring is off.
#[utoipa::path(
    post, path = "/api/v1/workspaces", tag = "workspaces", request_body = NewWorkspace,
    responses((status = 201, description = "Made.", body = Workspace))
)]
pub async fn create_workspace(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    ApiJson(request): ApiJson<NewWorkspace>,
) -> Result<(StatusCode, Json<Workspace>), Problem> {
    let name = request.name.trim();
    if !is_workspace_name(name) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!(
                "\"{name}\" cannot be a workspace's name; use 1 to 63 letters, digits, `-`, `_` or `.`, a letter or \
                 digit first, and no UUID"
            ),
        ));
    }
    let location = short(request.location, "location", "local")?;
    let subscription = short(request.subscription, "subscription", "Local")?;
    let by = By { actor: &actor.name, at: app.clock.now() };
    let record =
        app.control.add_workspace(name, &location, &subscription, by).await.map_err(|error| match error {
            AddWorkspaceError::NameTaken(_) => Problem::new(Kind::Conflict, error.to_string()),
            AddWorkspaceError::Control(error) => Problem::internal("making the workspace", &error),
        })?;
    Ok((StatusCode::CREATED, Json(describe(&app, &record).await?)))
}

/// One workspace.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}", tag = "workspaces",
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The workspace.", body = Workspace))
)]
pub async fn show_workspace(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
) -> Result<Json<Workspace>, Problem> {
    describe(&app, &workspace).await.map(Json)
}

/// The workspace's name once more.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Confirmation {
    /// The workspace's name, as a confirmation that it is the one that is meant.
    pub confirm: Option<String>,
}

/// Deletes a workspace for ever: its records, rules, machines, and the tokens that are for it alone. Agents of its
/// machines are refused from now on.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{ws}", tag = "workspaces",
    params(("ws" = String, Path, description = "The workspace's id or name."), Confirmation),
    responses((status = 204, description = "Gone."))
)]
pub async fn delete_workspace(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiQuery(confirmation): ApiQuery<Confirmation>,
) -> Result<StatusCode, Problem> {
    if confirmation.confirm.as_deref() != Some(workspace.name.as_str()) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!(
                "the workspace \"{0}\" and its records would be gone for ever; if that is meant, say its name once more \
                 as confirm={0}",
                workspace.name
            ),
        ));
    }
    let by = By { actor: &actor.name, at: app.clock.now() };
    // First what lets callers and agents in, then what they could reach: a crash in between is made good at the next start.
    app.control
        .delete_workspace(&workspace, by)
        .await
        .map_err(|error| Problem::internal("deleting the workspace", &error))?;
    app.feeds.end(workspace.id);
    app.caps.forget(workspace.id);
    app.latest_settings.forget(workspace.id);
    tracing::warn!(workspace = %workspace.name, id = %workspace.id, by = %actor.name, "a workspace was deleted");
    app.contents
        .remove_workspace(workspace.id)
        .await
        .map_err(|error| Problem::internal("removing the workspace's texts", &error))?;
    drop_rows(&app.control, &app.store, workspace.id)
        .await
        .map_err(|error| Problem::internal("removing the workspace's records", &error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The dashboard's figures for a period.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/summary", tag = "workspaces",
    params(("ws" = String, Path, description = "The workspace's id or name."), Period),
    responses((status = 200, description = "The figures.", body = Summary))
)]
pub async fn summarize_workspace(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiQuery(period): ApiQuery<Period>,
) -> Result<Json<Summary>, Problem> {
    let now = app.clock.now();
    let range = period.range(now)?;
    let step_seconds = figures::step_seconds(range);
    let before = Range { from: range.from.plus_nanos(-range.to.nanos_since(range.from)), to: range.from };
    let table = app.report(workspace.id, &figures::figures_query(range, step_seconds)).await?;
    let mut figures = figures::read_figures(&table, range, step_seconds)
        .map_err(|error| Problem::internal("reading the figures", &error))?;
    let watching = watching(&app, &workspace, Range { from: before.from, to: range.to }).await?;
    figures::tell_watched(&mut figures.histogram, range, step_seconds, |step| watched(step, &watching, now));
    let previous_total = count(&app, &workspace, &figures::count_query(before)).await?;
    let internal = |error| Problem::internal("reading the machines", &error);
    let machines = app.control.machines(workspace.id).await.map_err(internal)?;
    let gaps = app.control.open_gap_counts(workspace.id).await.map_err(internal)?;
    let reporting = machines.iter().filter(|machine| is_reporting(machine, &workspace, now)).count();
    Ok(Json(Summary {
        machines: machines.len() as u64,
        machines_reporting: reporting as u64,
        total: figures.total,
        previous_total,
        // The period before may lie in the future too, and nobody has watched that.
        previous_watched: watched(before, &watching, now).unwrap_or(Watched::Nothing),
        by_type: figures.by_type,
        by_category: figures.by_category,
        histogram: figures.histogram,
        step_seconds,
        open_gaps: gaps.values().map(|open| open.all).sum(),
    }))
}

/// All that decides whether somebody was watching in a period.
pub async fn watching(app: &App, workspace: &WorkspaceRecord, range: Range) -> Result<Watching, Problem> {
    let internal = |error| Problem::internal("reading who was watching", &error);
    let enrolments = app.control.enrolments(workspace.id).await.map_err(internal)?;
    let fim = app.control.fim_switches(workspace.id).await.map_err(internal)?;
    let rules = app.control.rule_switches(workspace.id).await.map_err(internal)?;
    let table = app.report(workspace.id, &watched::query(range, MOST_GAPS)).await?;
    let (gaps, unread_before) = watched::read(&table, MOST_GAPS)
        .map_err(|error| Problem::internal("reading what was not watched", &error))?;
    let enrolled = |(id, from, removed): (Uuid, Timestamp, Option<Timestamp>)| {
        (id.to_string(), Range { from, to: removed.unwrap_or(watched::FOR_EVER) })
    };
    Ok(Watching {
        machines: enrolments.into_iter().map(enrolled).collect(),
        monitored: watched::monitored(fim, rules),
        gaps,
        unread_before,
    })
}

/// The one number of a query that ends in `count`.
pub async fn count(app: &App, workspace: &WorkspaceRecord, query: &str) -> Result<u64, Problem> {
    let table = app.report(workspace.id, query).await?;
    let internal = |error| Problem::internal("reading a count", &error);
    table.rows().next().map_or(Ok(0), |row| row.count("Count")).map_err(internal)
}

/// True if the machine was heard within the last three signs of life.
pub fn is_reporting(machine: &MachineRecord, workspace: &WorkspaceRecord, now: Timestamp) -> bool {
    let allowed = silence_nanos(machine.heartbeat_seconds, workspace.scan_interval_seconds);
    machine.last_seen.is_some_and(|seen| now.nanos_since(seen) <= allowed)
}

/// Removes a deleted workspace's rows for ever.
pub async fn drop_rows(control: &Control, store: &Arc<Store>, workspace: Uuid) -> Result<(), DropRowsError> {
    let store = Arc::clone(store);
    tokio::task::spawn_blocking(move || store.drop_workspace(workspace)).await??;
    Ok(control.deletion_done(workspace).await?)
}

async fn describe(app: &App, record: &WorkspaceRecord) -> Result<Workspace, Problem> {
    let now = app.clock.now();
    let machines = app
        .control
        .machines(record.id)
        .await
        .map_err(|error| Problem::internal("reading the machines", &error))?;
    let gaps = app
        .control
        .open_gap_counts(record.id)
        .await
        .map_err(|error| Problem::internal("counting the open gaps", &error))?;
    let week = Period::default().range(now)?;
    let table = app.report(record.id, &figures::trend_query(week, TREND_DAYS)).await?;
    let changes = figures::read_trend(&table, TREND_DAYS)
        .map_err(|error| Problem::internal("reading the trend", &error))?;
    let watching = watching(app, record, week).await?;
    let trend = figures::tell_trend(&changes, week, TREND_DAYS, |day| watched(day, &watching, now));
    let windows = machines.iter().filter(|machine| machine.os_type == "Windows").count() as u64;
    Ok(Workspace {
        id: record.id.to_string(),
        name: record.name.clone(),
        changes_last_week: record.fim_enabled.then(|| changes.iter().sum()),
        trend,
        machines: machines.len() as u64,
        windows,
        linux: machines.len() as u64 - windows,
        machines_reporting: machines.iter().filter(|machine| is_reporting(machine, record, now)).count()
            as u64,
        open_gaps: gaps.values().map(|open| open.all).sum(),
        pending_baselines: gaps.values().map(|open| open.pending_baselines).sum(),
        location: record.location.clone(),
        subscription: record.subscription.clone(),
        dcr_immutable_id: record.dcr_immutable_id(),
        state: fim_state(record),
    })
}

/// Whether monitoring is on. Every plan of this version contains it.
pub fn fim_state(record: &WorkspaceRecord) -> FimState {
    if record.fim_enabled { FimState::Enabled } else { FimState::Disabled }
}

fn is_workspace_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=63).contains(&name.len())
        && name.bytes().all(is_allowed)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && Uuid::parse_str(name).is_err()
}

fn short(text: Option<String>, what: &str, default: &str) -> Result<String, Problem> {
    let text = text.unwrap_or_else(|| default.to_owned()).trim().to_owned();
    if text.is_empty() || text.chars().count() > 100 || text.chars().any(fim_core::is_hidden) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("{what} must be 1 to 100 characters on one line"),
        ));
    }
    Ok(text)
}

const TREND_DAYS: u32 = 7;
const WEEK_NANOS: i64 = 7 * 24 * 3600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_s_name_works_in_an_address_and_is_no_id() {
        for good in ["default", "web-1", "a.b_c", "7"] {
            assert!(is_workspace_name(good), "{good}");
        }
        for bad in ["", "-a", "a/b", "a b", "ü", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", &"a".repeat(64)] {
            assert!(!is_workspace_name(bad), "{bad}");
        }
    }

    #[test]
    fn an_empty_period_is_refused() {
        let moment = |seconds: i64| Some(Moment(Timestamp(seconds)));
        assert!(Period { from: moment(2), to: moment(2) }.range(Timestamp(5)).is_err());
        assert!(Period { from: moment(1), to: moment(2) }.range(Timestamp(5)).is_ok());
    }
}
