//! Whether file integrity monitoring is on.

use axum::Json;
use axum::extract::{Extension, State};

use super::model::{
    Collection, CollectionPatch, EnableFim, Fim, FimState, Recommended, RecommendedCounts, RecommendedGroup,
    RecommendedItem, Rule, RuleType,
};
use super::rules::recommended;
use super::workspaces::fim_state;
use crate::app::{App, AppState};
use crate::authz::Actor;
use crate::config::{LONGEST_COLLECTION_SECONDS, MAX_SCAN_INTERVAL_SECONDS, SHORTEST_COLLECTION_SECONDS};
use crate::control::{By, WorkspaceRecord};
use crate::ingest::silence;
use crate::problem::{ApiJson, Kind, OptionalJson, Problem};

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

/// Turns monitoring on: with the rules that there are and the recommended items that are missing among them, or with the
/// recommended items but for those that are named. Those that were edited stay as they are, unless they are to be put back.
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
    let disabled = request.disabled_items.as_deref().unwrap_or_default();
    if let Some(unknown) = disabled.iter().find(|name| !is_known(name)) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("there is no recommended item \"{unknown}\"; GET /api/v1/fim/recommended lists them"),
        ));
    }
    let by = By { actor: &actor.name, at: app.clock.now() };
    app.control
        .enable_fim(workspace.id, &items, &request, by)
        .await
        .map_err(|error| Problem::internal("turning monitoring on", &error))?;
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
        .disable_fim(workspace.id, by)
        .await
        .map_err(|error| Problem::internal("turning monitoring off", &error))?;
    // Where nothing is monitored nobody is missed.
    silence::end_in_workspace(&app, workspace.id, by.at).await?;
    describe(&app, &workspace).await
}

/// Sets how often files are scanned, and daemons, software and the inventory are collected.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{ws}/fim/collection", tag = "fim", request_body = CollectionPatch,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "Set.", body = Fim))
)]
pub async fn edit_collection(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiJson(patch): ApiJson<CollectionPatch>,
) -> Result<Json<Fim>, Problem> {
    let daemons = interval("daemonsSeconds", patch.daemons_seconds)?;
    let software = interval("softwareSeconds", patch.software_seconds)?;
    let inventory = interval("inventorySeconds", patch.inventory_seconds)?;
    if let Some(seconds) = patch.files_seconds
        && !(1..=MAX_SCAN_INTERVAL_SECONDS).contains(&seconds)
    {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("filesSeconds is {seconds}; it takes 1 to {MAX_SCAN_INTERVAL_SECONDS} (a week)"),
        ));
    }
    let change = |scans: u64, before: Collection| {
        let collection = Collection {
            daemons_seconds: daemons.unwrap_or(before.daemons_seconds),
            software_seconds: software.unwrap_or(before.software_seconds),
            inventory_seconds: inventory.unwrap_or(before.inventory_seconds),
        };
        (patch.files_seconds.unwrap_or(scans), collection)
    };
    let by = By { actor: &actor.name, at: app.clock.now() };
    app.control
        .edit_collection(workspace.id, change, by)
        .await
        .map_err(|error| Problem::internal("setting what is collected", &error))?;
    describe(&app, &workspace).await
}

/// The interval that is wanted, which may be none, if one is.
fn interval(name: &str, wanted: Option<u64>) -> Result<Option<Option<u64>>, Problem> {
    match wanted {
        None => Ok(None),
        Some(0) => Ok(Some(None)),
        Some(seconds) if (SHORTEST_COLLECTION_SECONDS..=LONGEST_COLLECTION_SECONDS).contains(&seconds) => {
            Ok(Some(Some(seconds)))
        }
        Some(seconds) => Err(Problem::new(
            Kind::BadRequest,
            format!(
                "{name} is {seconds}; it takes {SHORTEST_COLLECTION_SECONDS} to {LONGEST_COLLECTION_SECONDS}, or 0 for never"
            ),
        )),
    }
}

/// The recommended items, by type.
#[utoipa::path(
    get, path = "/api/v1/fim/recommended", tag = "fim",
    responses((status = 200, description = "The items.", body = Recommended))
)]
pub async fn list_recommended() -> Json<Recommended> {
    let items = recommended();
    let groups = RuleType::ALL.into_iter().map(|rule_type| {
        let own = items.iter().filter(|item| item.rule_type == rule_type);
        RecommendedGroup {
            rule_type,
            title: rule_type.title().to_owned(),
            items: own
                .map(|item| RecommendedItem { name: item.name.clone(), path: item.path.clone() })
                .collect(),
        }
    });
    Json(Recommended { groups: groups.collect() })
}

/// What has become of the recommended items among the rules, by their names, which ignore case: one that watches something
/// else has the name alone.
fn recommended_among(rules: &[Rule]) -> RecommendedCounts {
    let items = recommended();
    let mut counts =
        RecommendedCounts { enabled: 0, total: items.len() as u64, missing: Vec::new(), changed: Vec::new() };
    for item in items {
        match rules.iter().find(|rule| rule.name.eq_ignore_ascii_case(&item.name)) {
            None => counts.missing.push(item.name),
            Some(rule) if !rule.watches_as(&item) => counts.changed.push(item.name),
            Some(rule) => counts.enabled += u64::from(rule.enabled),
        }
    }
    counts
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
    let state = fim_state(&current);
    Ok(Json(Fim {
        state,
        solution: (state == FimState::Enabled).then(|| "ChangeTracking".to_owned()),
        rules: app.control.rule_counts(current.id).await.map_err(internal)?,
        recommended: recommended_among(&app.control.rules(current.id).await.map_err(internal)?),
        machines: app.control.machines(current.id).await.map_err(internal)?.len() as u64,
        scan_interval_seconds: current.scan_interval_seconds,
        collection: current.collection,
    }))
}
