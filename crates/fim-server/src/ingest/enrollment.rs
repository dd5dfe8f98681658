//! How a machine joins: a token that is good once, and a signing request, become a certificate.

use axum::Json;
use axum::extract::{Extension, State};
use fim_core::{Timestamp, is_hidden};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use uuid::Uuid;

use super::{gaps, silence};
use crate::api::begin_attempt;
use crate::app::{App, AppState};
use crate::auth::locked;
use crate::clock::Moment;
use crate::connection::Peer;
use crate::control::{ConsumeTokenError, Joined, MachineRecord, NewMachine, WorkspaceRecord};
use crate::pki::{IssueError, IssuedCertificate};
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

/// Enrols a machine. The token is looked at before anything is signed or locked, so that strangers cost little; the
/// certificate is made before the token is used up, so that a bad request costs no token.
pub async fn enroll(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    ApiJson(request): ApiJson<EnrollRequest>,
) -> Result<Json<Enrolled>, Problem> {
    let machine = new_machine(&request)?;
    let now = app.clock.now();
    check_token(&app, &request.token, peer, now).await?;
    let issued =
        app.authority.issue(&request.csr_pem, machine.id, now).map_err(|error| issue_problem(&error))?;
    // What is begun is done to the end, though the machine hangs up: else its token could be used up, and what follows
    // from its joining left out.
    let work = async move { join(&app, &request.token, &machine, issued, now).await };
    let joined = tokio::spawn(work.in_current_span()).await;
    joined.map_err(|error| Problem::internal("enrolling the machine", &error))?.map(Json)
}

/// Refuses a token that lets nobody in. Who sends tokens that are none guesses, and waits as with wrong passwords.
async fn check_token(app: &App, token: &str, peer: Peer, now: Timestamp) -> Result<(), Problem> {
    let attempt = begin_attempt(app, None, peer, now)?;
    let checked = app.control.check_enrollment_token(token, now).await;
    if !matches!(checked, Err(ConsumeTokenError::Unknown)) {
        locked(&app.sign_ins).withdraw(attempt);
    }
    checked.map_err(|error| {
        app.metrics.enrolments_refused.increment();
        tracing::warn!(address = %peer.address, %error, "an enrolment was refused");
        token_problem(&error)
    })
}

/// Lets the machine join. From then on its token is used up, so that it gets its certificate whatever comes after that.
async fn join(
    app: &App,
    token: &str,
    machine: &NewMachine,
    issued: IssuedCertificate,
    now: Timestamp,
) -> Result<Enrolled, Problem> {
    let joined = app.control.enroll(token, machine, now).await;
    let Joined { workspace, replaced } = joined.map_err(|error| token_problem(&error))?;
    for old in &replaced {
        tracing::info!(machine = %old.name, id = %old.id, by = %machine.id, "a machine was replaced");
        app.settings_waits.end(old.id);
        if let Err(problem) = end_replaced(app, &workspace, old, now).await {
            tracing::error!(
                machine = %old.name, id = %old.id, detail = %problem.detail,
                "cannot tell how long the machine that was replaced was watched"
            );
        }
    }
    tracing::info!(machine = %machine.name, id = %machine.id, workspace = %workspace.name, "a machine joined");
    app.metrics.machines_enrolled.increment();
    Ok(Enrolled {
        machine_id: machine.id,
        workspace_id: workspace.id,
        workspace_name: workspace.name,
        certificate_pem: issued.pem,
        ca_pem: app.tls.trust_pem().to_owned(),
        not_after: Moment(issued.not_after),
    })
}

/// Tells of the silence of a machine that was replaced, and ends what it has open, which nobody else will.
async fn end_replaced(
    app: &App,
    workspace: &WorkspaceRecord,
    old: &MachineRecord,
    now: Timestamp,
) -> Result<(), Problem> {
    silence::tell_at_removal(app, workspace, old, now).await?;
    gaps::end_all(app, old, now).await
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
