//! A row of `LAQueryLogs` for each question of a caller: who asked what, when, through what, and what came of it.

use std::time::Duration;

use axum::extract::{Extension, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use fim_core::Timestamp;
use fim_store::{BuildError, TableBuilder, Value};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::Caller;
use crate::authz::Proof;
use crate::control::WorkspaceRecord;
use crate::edge::RequestId;
use crate::ingest::columns::Columns;
use crate::ingest::rows::push_own;
use crate::problem::Problem;
use crate::queries::Question;

/// Who asks, through what program, in which request.
#[derive(Clone, Debug)]
pub struct Asker {
    caller: Caller,
    program: String,
    request_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let missing = |error| Problem::internal("telling who asks", &error);
        let Extension(caller) =
            Extension::<Caller>::from_request_parts(parts, state).await.map_err(missing)?;
        let Extension(RequestId(request_id)) =
            Extension::<RequestId>::from_request_parts(parts, state).await.map_err(missing)?;
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let program = header("x-ms-app").or_else(|| header(USER_AGENT.as_str())).unwrap_or_default();
        Ok(Self { caller, program: cut(program, MOST_PROGRAM_BYTES).to_owned(), request_id })
    }
}

impl Asker {
    /// Every workspace of which they may ask this.
    pub async fn workspaces(&self, app: &App) -> Result<Vec<WorkspaceRecord>, Problem> {
        self.caller.workspaces(app).await
    }

    /// What finds the request in the server's log.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }
}

/// What came of a question.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The HTTP status that it has by itself.
    pub status: u16,
    /// The rows of the answer; `None` if there is none.
    pub rows: Option<u64>,
    /// How long it took.
    pub took: Duration,
}

/// Keeps the question in each workspace that it `asked`, with its text in the one that it was asked of. A question of a
/// resource that is in several was asked of none of them, and its text is in none. When this returns
/// the rows are durable, and the next query sees them; so no answer is given that is not in the log. Where a row cannot be
/// stored, the answer is given all the same, and the server's log says so.
pub async fn keep(app: &App, question: &Question<'_>, asked: &[&WorkspaceRecord], outcome: Outcome) {
    let now = app.clock.now();
    for workspace in asked {
        let stored = match row(question, asked, workspace, outcome, now) {
            Ok(rows) => {
                app.store_tables(workspace.id, rows, None).await.map(drop).map_err(|problem| problem.detail)
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = stored {
            tracing::warn!(workspace = %workspace.id, reason, "a query is missing from LAQueryLogs");
        }
    }
}

type Rows = Vec<(&'static str, arrow::array::RecordBatch)>;

fn row(
    question: &Question<'_>,
    asked: &[&WorkspaceRecord],
    workspace: &WorkspaceRecord,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Rows, BuildError> {
    let mut builder = TableBuilder::new(QUERY_LOG, workspace.id)?;
    push_own(&mut builder, columns(question, asked, workspace, outcome, now))?;
    Ok(vec![(QUERY_LOG, builder.finish()?)])
}

fn columns(
    question: &Question<'_>,
    asked: &[&WorkspaceRecord],
    workspace: &WorkspaceRecord,
    outcome: Outcome,
    now: Timestamp,
) -> Columns {
    let Question { text, range, asker, .. } = *question;
    let owned = |text: &str| Value::Owned(text.to_owned());
    let resource = workspace.resource_id();
    // Who may read one of the workspaces need not know of the others, nor of what is looked for in them.
    let is_of_one = question.resource.is_none() || asked.len() == 1;
    let is_whole = is_of_one && workspace.id == question.workspace.id;
    let target = if is_whole { question.resource } else { None };
    let target = target.map_or_else(|| resource.clone(), str::to_owned);
    let told = asked.iter().filter(|other| is_whole || other.id == workspace.id);
    let workspaces: Vec<String> = told.map(|workspace| workspace.resource_id()).collect();
    let context = match question.resource.filter(|_| is_whole) {
        None => serde_json::json!({ "workspaces": workspaces }),
        Some(resource) => serde_json::json!({ "resources": [resource], "workspaces": workspaces }),
    };
    let actor = asker.caller.actor();
    let mut columns: Columns = vec![
        ("TimeGenerated", Value::Time(now)),
        ("CorrelationId", owned(&asker.request_id)),
        ("RequestClientApp", owned(&asker.program)),
        ("RequestTarget", Value::Owned(target)),
        ("RequestContext", Value::Owned(context.to_string())),
        ("ResponseCode", Value::Number(i64::from(outcome.status))),
        ("ResponseDurationMs", Value::Real(outcome.took.as_secs_f64() * 1000.0)),
        ("StatsRegionCount", Value::Number(1)),
        ("IsBillableQuery", Value::Bool(false)),
        ("WorkspaceRegion", owned(&workspace.location)),
        ("IsWorkspaceInFailover", Value::Bool(false)),
        ("SourceSystem", Value::Text("OMS")),
        ("_ResourceId", Value::Owned(resource)),
        ("_SubscriptionId", owned(&workspace.subscription_id)),
    ];
    // Nor what would tell them by trying: with the thumbprint they could see which of their guesses was the text.
    if is_whole {
        let rows = outcome.rows.and_then(|rows| i64::try_from(rows).ok());
        columns.push(("QueryText", owned(cut(text, MOST_TEXT_BYTES))));
        columns.push(("QueryThumbprint", Value::Owned(thumbprint(text))));
        columns.push(("ResponseRowCount", Value::from(rows)));
        columns.push(("StatsWorkspaceCount", Value::Number(i64::try_from(asked.len()).unwrap_or(i64::MAX))));
    }
    if let Some(range) = range {
        columns.push(("QueryTimeRangeStart", Value::Time(range.from)));
        // A range that is open to the future has no end.
        let end = (range.to.0 < i64::MAX).then_some(range.to);
        columns.push(("QueryTimeRangeEnd", Value::from(end)));
    }
    match actor.proof {
        Proof::Session { user } => {
            columns.push(("AADObjectId", Value::Owned(user.to_string())));
            columns.push(("AADEmail", owned(&actor.name)));
        }
        Proof::Token => columns.push(("AADClientId", owned(&actor.name))),
    }
    columns
}

/// Tells texts apart that are cut, and finds those that are the same.
fn thumbprint(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// As much of the text as there is room for, in whole characters.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

const QUERY_LOG: &str = "LAQueryLogs";
/// A query can have a mebibyte; a log of such would be a way to fill the disk by asking.
const MOST_TEXT_BYTES: usize = 32 << 10;
const MOST_PROGRAM_BYTES: usize = 200;
