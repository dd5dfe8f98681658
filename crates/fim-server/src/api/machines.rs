//! Machines with their figures.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use fim_core::Timestamp;

use super::model::{Machine, MachineStatus, OsKind, TrendStep};
use super::workspaces::{Period, is_reporting, watching};
use crate::app::{App, AppState};
use crate::authz::Actor;
use crate::clock::Moment;
use crate::control::{By, MachineRecord, WorkspaceRecord};
use crate::ingest::{gaps, silence};
use crate::problem::{ApiQuery, ItemName, Kind, Problem};
use crate::report::figures::{self, MachineFigures};
use crate::report::watched::watched;

/// The machines of a workspace with their figures for a period.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/machines", tag = "machines",
    params(("ws" = String, Path, description = "The workspace's id or name."), Period),
    responses((status = 200, description = "By name.", body = Vec<Machine>))
)]
pub async fn list_machines(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiQuery(period): ApiQuery<Period>,
) -> Result<Json<Vec<Machine>>, Problem> {
    let records = app
        .control
        .machines(workspace.id)
        .await
        .map_err(|error| Problem::internal("reading the machines", &error))?;
    describe(&app, &workspace, records, period).await.map(Json)
}

/// One machine with its figures for a period.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/machines/{machine}", tag = "machines",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("machine" = String, Path, description = "The machine's id or name."),
        Period
    ),
    responses((status = 200, description = "The machine.", body = Machine))
)]
pub async fn show_machine(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(name): ItemName,
    ApiQuery(period): ApiQuery<Period>,
) -> Result<Json<Machine>, Problem> {
    let record = machine(&app, &workspace, &name).await?;
    let described = describe(&app, &workspace, vec![record], period).await?;
    described.into_iter().next().map(Json).ok_or_else(|| Problem::not_found("machine", &name))
}

/// Removes a machine: its certificate is good no more, its records stay.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{ws}/machines/{machine}", tag = "machines",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("machine" = String, Path, description = "The machine's id or name.")
    ),
    responses((status = 204, description = "Removed."))
)]
pub async fn remove_machine(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(name): ItemName,
) -> Result<StatusCode, Problem> {
    let record = machine(&app, &workspace, &name).await?;
    let now = app.clock.now();
    silence::tell_at_removal(&app, &workspace, &record, now).await?;
    // Nobody will end what it has open; again after its removal, since a batch of it may have been under way.
    gaps::end_all(&app, &record, now).await?;
    app.control
        .remove_machine(record.id, By { actor: &actor.name, at: now })
        .await
        .map_err(|error| Problem::internal("removing the machine", &error))?;
    app.contents
        .remove_machine(record.id)
        .await
        .map_err(|error| Problem::internal("removing the machine's texts", &error))?;
    app.settings_waits.end(record.id);
    gaps::end_all(&app, &record, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn machine(app: &App, workspace: &WorkspaceRecord, name: &str) -> Result<MachineRecord, Problem> {
    let found = app.control.machines_called(workspace.id, name).await;
    let mut found = found.map_err(|error| Problem::internal("reading the machine", &error))?;
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|machine| machine.id.to_string()).collect();
        return Err(Problem::new(
            Kind::Conflict,
            format!("{} machines are called \"{name}\"; say which by its id: {}", ids.len(), ids.join(", ")),
        ));
    }
    found.pop().ok_or_else(|| Problem::not_found("machine", name))
}

async fn describe(
    app: &App,
    workspace: &WorkspaceRecord,
    records: Vec<MachineRecord>,
    period: Period,
) -> Result<Vec<Machine>, Problem> {
    let now = app.clock.now();
    let range = period.range(now)?;
    let table = app.report(workspace.id, &figures::machines_query(range, TREND_STEPS)).await?;
    let mut by_machine = figures::read_machines(&table, TREND_STEPS)
        .map_err(|error| Problem::internal("reading the machines' figures", &error))?;
    let gaps = app
        .control
        .open_gap_counts(workspace.id)
        .await
        .map_err(|error| Problem::internal("counting the open gaps", &error))?;
    let watching = watching(app, workspace, range).await?;
    let watching = watching.by_machine();
    let describe = |record: MachineRecord| {
        let id = record.id.to_string();
        let figures = by_machine.remove(&id).unwrap_or_default();
        let trend = figures::tell_trend(&figures.trend, range, TREND_STEPS, |step| {
            watching.get(id.as_str()).and_then(|watching| watched(step, watching, now))
        });
        let open_gaps = gaps.get(&record.id).map_or(0, |open| open.all);
        let status = status(&record, workspace, now);
        shown(record, figures, trend, open_gaps, status)
    };
    Ok(records.into_iter().map(describe).collect())
}

fn shown(
    record: MachineRecord,
    figures: MachineFigures,
    trend: Vec<TrendStep>,
    open_gaps: u64,
    status: MachineStatus,
) -> Machine {
    let heartbeat = record.heartbeat;
    // What an agent said last that is not heard any more is not what it does.
    let doing = match status {
        MachineStatus::Online => heartbeat.as_ref(),
        MachineStatus::Stale | MachineStatus::Offline => None,
    };
    Machine {
        id: record.id.to_string(),
        name: record.name,
        os: record.os_name,
        os_kind: if record.os_type == "Windows" { OsKind::Windows } else { OsKind::Linux },
        total: figures.total,
        files: figures.files,
        registry: figures.registry,
        services: figures.services,
        software: figures.software,
        last_seen: record.last_seen.map(Moment),
        status,
        trend,
        agent_version: record.agent_version,
        state: doing.map(|heartbeat| heartbeat.state),
        provider: doing.map(|heartbeat| heartbeat.provider.clone()),
        progress: doing.and_then(|heartbeat| heartbeat.progress.clone()),
        last_scan: heartbeat.as_ref().and_then(|heartbeat| heartbeat.last_scan_end),
        next_scan: doing.and_then(|heartbeat| heartbeat.next_scan),
        spool_records: heartbeat.as_ref().map_or(0, |heartbeat| heartbeat.spool_records),
        open_gaps,
    }
}

fn status(record: &MachineRecord, workspace: &WorkspaceRecord, now: Timestamp) -> MachineStatus {
    let is_recent = record.last_seen.is_some_and(|seen| now.nanos_since(seen) <= STALE_NANOS);
    match (is_reporting(record, workspace, now), is_recent) {
        (true, true | false) => MachineStatus::Online,
        (false, true) => MachineStatus::Stale,
        (false, false) => MachineStatus::Offline,
    }
}

const TREND_STEPS: u32 = 12;
/// An hour.
const STALE_NANOS: i64 = 3600 * 1_000_000_000;
