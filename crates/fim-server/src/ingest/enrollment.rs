//! How a machine joins: a token that is good once, and a signing request, become a certificate.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::{Json, response::IntoResponse};
use fim_core::is_hidden;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{gaps, silence};
use crate::app::AppState;
use crate::clock::Moment;
use crate::control::{ConsumeTokenError, Joined, MachineRecord, NewMachine};
use crate::pki::IssueError;
use crate::problem::{ApiJson, Kind, Problem};

/// What a machine joins with.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrollRequest {
    /// The enrolment token.
    pub token: String,
    /// The machine's name.
    pub machine_name: String,
    /// `Linux` or `Windows`.
    pub os_type: String,
    /// The operating system's name and version.
    pub os_name: String,
    /// The agent's version.
    pub agent_version: String,
    /// A certificate signing request, of which only the public key is taken.
    pub csr_pem: String,
}

/// What a machine that joined is given.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolled {
    /// The machine's id, and the certificate's common name.
    pub machine_id: Uuid,
    /// The workspace's id.
    pub workspace_id: Uuid,
    /// The workspace's name.
    pub workspace_name: String,
    /// The machine's certificate.
    pub certificate_pem: String,
    /// Whom the machine is to trust.
    pub ca_pem: String,
    /// When the certificate is good no more.
    pub not_after: Moment,
}

/// What a machine renews its certificate with.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewRequest {
    /// A certificate signing request, of which only the public key is taken.
    pub csr_pem: String,
}

/// The certificate that follows the machine's present one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Renewed {
    /// The machine's new certificate, for the same machine id.
    pub certificate_pem: String,
    /// When it is good no more.
    pub not_after: Moment,
}

/// Gives an enrolled machine, which has proved itself by its certificate, a certificate for a new key.
pub async fn renew(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    ApiJson(request): ApiJson<RenewRequest>,
) -> Result<Json<Renewed>, Problem> {
    check_request_length(&request.csr_pem)?;
    let issued = app
        .authority
        .issue(&request.csr_pem, machine.id, app.clock.now())
        .map_err(|error| issue_problem(&error))?;
    tracing::info!(machine = %machine.name, id = %machine.id, "a machine renewed its certificate");
    Ok(Json(Renewed { certificate_pem: issued.pem, not_after: Moment(issued.not_after) }))
}

/// Enrols a machine. The certificate is made before the token is used up, so that a bad request costs no token.
pub async fn enroll(
    State(app): State<AppState>,
    ApiJson(request): ApiJson<EnrollRequest>,
) -> Result<impl IntoResponse, Problem> {
    let machine = new_machine(&request)?;
    let now = app.clock.now();
    let issued =
        app.authority.issue(&request.csr_pem, machine.id, now).map_err(|error| issue_problem(&error))?;
    let joined = app.control.enroll(&request.token, &machine, now).await;
    let Joined { workspace, replaced } = joined.map_err(|error| token_problem(&error))?;
    let record = app
        .control
        .workspace(&workspace.to_string())
        .await
        .map_err(|error| Problem::internal("reading the workspace", &error))?;
    for old in &replaced {
        tracing::info!(machine = %old.name, id = %old.id, by = %machine.id, "a machine was replaced");
        if let Some(record) = &record {
            silence::tell_at_removal(&app, record, old, now).await?;
        }
        // Nobody will end what it has open.
        gaps::end_all(&app, old, now).await?;
    }
    let name = record.map_or_else(String::new, |record| record.name);
    tracing::info!(machine = %machine.name, id = %machine.id, workspace = %name, "a machine joined");
    app.metrics.machines_enrolled.increment();
    Ok((
        StatusCode::OK,
        Json(Enrolled {
            machine_id: machine.id,
            workspace_id: workspace,
            workspace_name: name,
            certificate_pem: issued.pem,
            ca_pem: app.tls.trust_pem().to_owned(),
            not_after: Moment(issued.not_after),
        }),
    ))
}

fn new_machine(request: &EnrollRequest) -> Result<NewMachine, Problem> {
    let bad = |what: &str| Err(Problem::new(Kind::BadRequest, what.to_owned()));
    let name = request.machine_name.trim();
    if name.is_empty() || !is_text(name, MOST_NAME) {
        return bad("machineName must be 1 to 255 characters that can be seen, on one line");
    }
    if !is_text(&request.os_name, MOST_OS_NAME) || !is_text(&request.agent_version, MOST_VERSION) {
        return bad("osName and agentVersion must be short, and of characters that can be seen");
    }
    if !matches!(request.os_type.as_str(), "Linux" | "Windows") {
        return bad("osType must be Linux or Windows");
    }
    check_request_length(&request.csr_pem)?;
    Ok(NewMachine {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        os_type: request.os_type.clone(),
        os_name: request.os_name.clone(),
        agent_version: request.agent_version.clone(),
    })
}

/// True for at most `most` characters, each of which can be seen.
pub fn is_text(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(is_hidden)
}

fn check_request_length(csr_pem: &str) -> Result<(), Problem> {
    if csr_pem.len() > 16 << 10 {
        let detail = "csrPem is longer than any signing request of an agent";
        return Err(Problem::new(Kind::BadRequest, detail.to_owned()));
    }
    Ok(())
}

fn issue_problem(error: &IssueError) -> Problem {
    match error {
        IssueError::BadRequest(_) => Problem::new(Kind::BadRequest, error.to_string()),
        IssueError::Sign(_) => Problem::internal("signing a certificate", error),
    }
}

fn token_problem(error: &ConsumeTokenError) -> Problem {
    match error {
        ConsumeTokenError::Unknown => Problem::new(Kind::TokenUnknown, error.to_string()),
        ConsumeTokenError::Used => Problem::new(Kind::TokenUsed, error.to_string()),
        ConsumeTokenError::Expired => Problem::new(Kind::TokenExpired, error.to_string()),
        ConsumeTokenError::NameTaken(_) | ConsumeTokenError::OtherName { .. } => {
            Problem::new(Kind::Conflict, error.to_string())
        }
        ConsumeTokenError::Control(error) => Problem::internal("enrolling the machine", error),
    }
}

/// Characters of a machine's name.
pub const MOST_NAME: usize = 255;
/// Characters of an operating system's name and version.
pub const MOST_OS_NAME: usize = 255;
/// Characters of an agent's version.
pub const MOST_VERSION: usize = 64;
