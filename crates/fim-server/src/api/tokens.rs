//! What machines join with, and what programs sign in with.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use fim_core::Timestamp;

use super::model::{ApiToken, CreatedApiToken, EnrollmentToken, NewApiToken, NewEnrollmentToken};
use crate::app::{App, AppState};
use crate::authz::{Actor, Grant, Role, Scope};
use crate::clock::{Moment, seconds_to_nanos};
use crate::control::{AddTokenError, By, Secret, TokenRecord, WorkspaceRecord};
use crate::problem::{ApiJson, ItemName, Kind, OptionalJson, Problem};

/// Makes a token that one machine can join the workspace with.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/enrollment-tokens", tag = "machines",
    request_body = Option<NewEnrollmentToken>,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 201, description = "The token, seen this one time.", body = EnrollmentToken))
)]
pub async fn create_enrollment_token(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    OptionalJson(request): OptionalJson<NewEnrollmentToken>,
) -> Result<(StatusCode, Json<EnrollmentToken>), Problem> {
    let seconds = request.expires_in_seconds.unwrap_or(DEFAULT_SECONDS);
    if !(1..=LONGEST_ENROLLMENT_SECONDS).contains(&seconds) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("expiresInSeconds is {seconds}; it takes 1 to {LONGEST_ENROLLMENT_SECONDS} (30 days)"),
        ));
    }
    let replaces = request.replaces.as_deref().map(str::trim);
    let by = By { actor: &actor.name, at: app.clock.now() };
    make_enrollment_token(&app, &workspace, replaces, seconds, by)
        .await
        .map(|token| (StatusCode::CREATED, Json(token)))
}

/// The API tokens, without what opens anything.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, description = "By name.", body = Vec<ApiToken>))
)]
pub async fn list_tokens(State(app): State<AppState>) -> Result<Json<Vec<ApiToken>>, Problem> {
    let records =
        app.control.tokens().await.map_err(|error| Problem::internal("reading the API tokens", &error))?;
    Ok(Json(records.into_iter().map(shown).collect()))
}

/// Makes an API token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", request_body = NewApiToken,
    responses((status = 201, description = "The token, seen this one time.", body = CreatedApiToken))
)]
pub async fn create_token(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    ApiJson(request): ApiJson<NewApiToken>,
) -> Result<(StatusCode, Json<CreatedApiToken>), Problem> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(fim_core::is_hidden) {
        return Err(Problem::new(Kind::BadRequest, "name must be 1 to 100 characters on one line"));
    }
    let role: Role = request
        .role
        .parse()
        .map_err(|error: crate::authz::UnknownRole| Problem::new(Kind::BadRequest, error.to_string()))?;
    let scope = match &request.scope {
        None => Scope::Tenant,
        Some(workspace) => app
            .control
            .workspace(workspace)
            .await
            .map_err(|error| Problem::internal("reading the workspace", &error))?
            .map(|record| Scope::Workspace(record.id))
            .ok_or_else(|| Problem::not_found("workspace", workspace))?,
    };
    if request.expires_in_seconds == Some(0) {
        return Err(Problem::new(
            Kind::BadRequest,
            "expiresInSeconds is 0; it takes 1 or more, or none for ever",
        ));
    }
    let now = app.clock.now();
    let expires_at = request.expires_in_seconds.map(|seconds| now.plus_nanos(seconds_to_nanos(seconds)));
    let by = By { actor: &actor.name, at: now };
    let created = make_token(&app, name, Grant { role, scope }, expires_at, by).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Takes an API token away; who uses it is refused from now on.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{name}", tag = "tokens",
    params(("name" = String, Path, description = "The token's name.")),
    responses((status = 204, description = "Gone."))
)]
pub async fn delete_token(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    ItemName(name): ItemName,
) -> Result<StatusCode, Problem> {
    let by = By { actor: &actor.name, at: app.clock.now() };
    let was_there = app
        .control
        .delete_token(&name, by)
        .await
        .map_err(|error| Problem::internal("deleting the API token", &error))?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("API token", &name)) }
}

/// Makes and keeps a token that one machine can join `workspace` with, in the place of the one that is called `replaces`
/// if there is such a name.
pub async fn make_enrollment_token(
    app: &App,
    workspace: &WorkspaceRecord,
    replaces: Option<&str>,
    seconds: u64,
    by: By<'_>,
) -> Result<EnrollmentToken, Problem> {
    let secret = Secret::generate("ste_").map_err(|error| Problem::internal("making a token", &error))?;
    let expires_at = by.at.plus_nanos(seconds_to_nanos(seconds));
    app.control
        .add_enrollment_token(secret.digest(), workspace.id, replaces, expires_at, by)
        .await
        .map_err(|error| Problem::internal("keeping the token", &error))?;
    let fingerprint = app.tls.fingerprint().to_owned();
    let token = secret.expose().to_owned();
    // Without the token: a command line is seen by everybody who may list processes, and stays in a shell's history.
    let command = format!(
        "steadfast-agent enroll --server {} --ca-fingerprint {fingerprint} --token-file -",
        app.public_url
    );
    Ok(EnrollmentToken { token, expires_at: Moment(expires_at), ca_fingerprint: fingerprint, command })
}

/// Makes and keeps an API token.
pub async fn make_token(
    app: &App,
    name: &str,
    grant: Grant,
    expires_at: Option<Timestamp>,
    by: By<'_>,
) -> Result<CreatedApiToken, Problem> {
    let secret = Secret::generate("stf_").map_err(|error| Problem::internal("making a token", &error))?;
    let record = app.control.add_token(secret.digest(), name, grant, expires_at, by).await.map_err(
        |error| match error {
            AddTokenError::NameTaken(_) => Problem::new(Kind::Conflict, error.to_string()),
            AddTokenError::Control(error) => Problem::internal("keeping the token", &error),
        },
    )?;
    Ok(CreatedApiToken { token: secret.expose().to_owned(), details: shown(record) })
}

fn shown(record: TokenRecord) -> ApiToken {
    ApiToken {
        client_id: record.id.to_string(),
        name: record.name,
        role: record.grant.role.to_string(),
        scope: match record.grant.scope {
            Scope::Tenant => None,
            Scope::Workspace(id) => Some(id.to_string()),
        },
        created_by: record.created_by,
        created_at: Moment(record.created_at),
        expires_at: record.expires_at.map(Moment),
    }
}

/// An hour.
const DEFAULT_SECONDS: u64 = 3600;
/// The longest time for which an enrolment token is good: 30 days.
pub const LONGEST_ENROLLMENT_SECONDS: u64 = 30 * 24 * 3600;
