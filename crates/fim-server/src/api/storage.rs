//! The records on the disk: how many, how long they stay, and what is done to them in the background.

use axum::Json;
use axum::extract::{Extension, State};
use fim_store::{TableInfo, schema};

use super::model::{Storage, StorageJob, StorageSettings, StorageWork, StoredTable};
use crate::app::{App, AppState};
use crate::authz::Actor;
use crate::clock::Moment;
use crate::control::{self, By, WorkspaceRecord};
use crate::ingest::usage::{ALLOWANCE_BYTES, day_ends, tell_retention, used_today};
use crate::problem::{ApiJson, Kind, Problem};

/// A workspace's records on the disk.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/storage", tag = "workspaces",
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The tables, the settings and the work in the background.", body = Storage))
)]
pub async fn show_storage(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
) -> Result<Json<Storage>, Problem> {
    describe(&app, &workspace).await.map(Json)
}

/// Sets how long records stay and how much may come in a day, in the place of what was set.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{ws}/storage", tag = "workspaces", request_body = StorageSettings,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "Set.", body = Storage))
)]
pub async fn edit_storage(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiJson(request): ApiJson<StorageSettings>,
) -> Result<Json<Storage>, Problem> {
    let settings = checked(request)?;
    let by = By { actor: &actor.name, at: app.clock.now() };
    let internal = |error| Problem::internal("setting the storage settings", &error);
    app.control.set_storage_settings(workspace.id, &settings, by).await.map_err(internal)?;
    tell_retention(&app).await?;
    describe(&app, &workspace).await.map(Json)
}

fn checked(request: StorageSettings) -> Result<control::StorageSettings, Problem> {
    let bad = |detail: String| Err(Problem::new(Kind::BadRequest, detail));
    let StorageSettings { retention_days, daily_cap_bytes, tables } = request;
    for days in retention_days.iter().chain(tables.values()) {
        if !(1..=MAX_DAYS).contains(days) {
            return bad(format!("rows cannot stay for {days} days; use 1 to {MAX_DAYS}, or null for ever"));
        }
    }
    if daily_cap_bytes == Some(0) {
        return bad(
            "a cap of 0 bytes would let nothing in; disable monitoring instead, or use null".to_owned()
        );
    }
    if let Some(unknown) = tables.keys().find(|name| schema::table(name).is_none()) {
        let known: Vec<_> = schema::tables().iter().map(|table| table.name).collect();
        return bad(format!("there is no table \"{unknown}\"; the tables are {}", known.join(", ")));
    }
    Ok(control::StorageSettings { retention_days, daily_cap_bytes, tables })
}

async fn describe(app: &App, workspace: &WorkspaceRecord) -> Result<Storage, Problem> {
    let internal = |error| Problem::internal("reading the storage settings", &error);
    let settings = app.control.storage_settings(workspace.id).await.map_err(internal)?;
    let machines = app.control.machines(workspace.id).await.map_err(internal)?.len() as u64;
    let metered = app.store.metered(workspace.id);
    let table = |info: TableInfo| {
        let billed = metered.iter().find(|(name, _)| *name == info.name);
        StoredTable {
            name: info.name.to_owned(),
            rows: info.rows,
            buffered_rows: info.buffered_rows,
            files: info.files,
            bytes: info.file_bytes,
            departed_bytes: info.departed_bytes,
            first_day: info.days.map(|(first, _)| first.to_string()),
            last_day: info.days.map(|(_, last)| last.to_string()),
            retention_days: settings.tables.get(info.name).copied().or(settings.retention_days),
            is_billable: schema::table(info.name).is_some_and(|table| table.is_billable),
            billed_bytes: billed.map_or(0, |(_, metered)| metered.billed_bytes as u64),
        }
    };
    let tables = app.store.tables(workspace.id).into_iter().map(table).collect();
    let maintenance = app.store.maintenance();
    let running = maintenance.running.filter(|job| job.workspace == workspace.id).map(|job| StorageJob {
        table: job.table.to_owned(),
        kind: job.kind.name().to_owned(),
        day: job.day.to_string(),
        files: job.files,
        rows: job.rows,
        rows_done: job.rows_done,
        started: Moment(job.started),
    });
    Ok(Storage {
        used_today_bytes: used_today(app, workspace.id).await? as u64,
        allowance_bytes: machines * ALLOWANCE_BYTES,
        is_cap_reached: app.caps.is_reached(workspace.id),
        day_ends: day_ends(app.clock.now()),
        tables,
        running,
        done: StorageWork {
            merges: maintenance.merges,
            files_merged: maintenance.files_merged,
            files_made: maintenance.files_made,
            files_expired: maintenance.files_expired,
            last_failure: maintenance
                .last_failure
                .filter(|failure| failure.workspace == workspace.id)
                .map(|failure| failure.reason),
        },
        settings: StorageSettings {
            retention_days: settings.retention_days,
            daily_cap_bytes: settings.daily_cap_bytes,
            tables: settings.tables,
        },
    })
}

/// A hundred years.
const MAX_DAYS: u32 = 36_500;
