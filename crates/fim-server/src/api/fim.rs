//! Whether file integrity monitoring is on.

use axum::Json;
use axum::extract::{Extension, State};

use super::model::{EnableFim, Fim, Recommended, RecommendedGroup, RecommendedItem, RuleType};
use super::rules::recommended;
use super::workspaces::fim_state;
use crate::app::{App, AppState};
use crate::authz::Actor;
use crate::control::{By, WorkspaceRecord};
use crate::ingest::silence;
use crate::problem::{Kind, OptionalJson, Problem};

/// Whether monitoring is on in a workspace, and with what.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/fim", tag = "fim",
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The state.", body = Fim))
)]
pub async fn show_fim(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
) -> Result<Json<Fim>, Problem> {
    describe(&app, &workspace).await
}

/// Turns monitoring on, with the recommended items in force but for those that are named.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/fim/enable", tag = "fim", request_body = Option<EnableFim>,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "On.", body = Fim))
)]
pub async fn enable_fim(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    OptionalJson(request): OptionalJson<EnableFim>,
) -> Result<Json<Fim>, Problem> {
    let items = recommended();
    let is_known = |name: &String| items.iter().any(|item| item.name.eq_ignore_ascii_case(name));
    if let Some(unknown) = request.disabled_items.iter().find(|name| !is_known(name)) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("there is no recommended item \"{unknown}\"; GET /api/v1/fim/recommended lists them"),
        ));
    }
    let by = By { actor: &actor.name, at: app.clock.now() };
    let internal = |error| Problem::internal("turning monitoring on", &error);
    app.control
        .apply_recommended(workspace.id, &items, &request.disabled_items, by)
        .await
        .map_err(internal)?;
    app.control.set_fim(workspace.id, true, by).await.map_err(internal)?;
    describe(&app, &workspace).await
}

/// Turns monitoring off. Rules and records stay.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/fim/disable", tag = "fim",
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "Off.", body = Fim))
)]
pub async fn disable_fim(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
) -> Result<Json<Fim>, Problem> {
    let by = By { actor: &actor.name, at: app.clock.now() };
    app.control
        .set_fim(workspace.id, false, by)
        .await
        .map_err(|error| Problem::internal("turning monitoring off", &error))?;
    // Where nothing is monitored nobody is missed.
    silence::end_in_workspace(&app, workspace.id, by.at).await?;
    describe(&app, &workspace).await
}

/// The recommended items, by type.
#[utoipa::path(
    get, path = "/api/v1/fim/recommended", tag = "fim",
    responses((status = 200, description = "The items.", body = Recommended))
)]
pub async fn list_recommended() -> Json<Recommended> {
    let items =
        recommended().into_iter().map(|rule| RecommendedItem { name: rule.name, path: rule.path }).collect();
    let group = RecommendedGroup { rule_type: RuleType::LinuxFile, title: "Linux files".to_owned(), items };
    Json(Recommended { groups: vec![group] })
}

async fn describe(app: &App, workspace: &WorkspaceRecord) -> Result<Json<Fim>, Problem> {
    let internal = |error| Problem::internal("reading the state of monitoring", &error);
    let id = workspace.id.to_string();
    let current = app
        .control
        .workspace(&id)
        .await
        .map_err(internal)?
        .ok_or_else(|| Problem::not_found("workspace", &id))?;
    Ok(Json(Fim {
        state: fim_state(&current),
        solution: "ChangeTracking".to_owned(),
        rules: app.control.rule_counts(current.id).await.map_err(internal)?,
        machines: app.control.machines(current.id).await.map_err(internal)?.len() as u64,
        scan_interval_seconds: current.scan_interval_seconds,
    }))
}
