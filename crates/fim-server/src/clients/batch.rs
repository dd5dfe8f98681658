//! Several queries in one call of the published query interface, each of its own workspace and with an answer of its own.

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use futures::stream;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log_query::{Asked, LogAnswer, LogQuery};
use super::preferences::Preferences;
use crate::app::AppState;
use crate::auth::{Caller, Pass};
use crate::problem::{ApiJson, Kind, Problem};
use crate::query_log::Asker;
use crate::surface::LogError;

/// Several queries.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LogBatch {
    requests: Vec<LogBatchRequest>,
}

/// One query of several.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LogBatchRequest {
    /// By which its answer is known.
    id: String,
    /// The workspace's id or name.
    workspace: String,
    /// What a call of its own would have as headers: `Prefer`.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The query.
    body: LogQuery,
    /// `/query`.
    #[serde(default)]
    path: Option<String>,
    /// `POST`.
    #[serde(default)]
    #[expect(dead_code, reason = "clients send it; what is asked is in the body whichever it is")]
    method: Option<String>,
}

/// Answers several queries, one after the other, each in its own right: one that fails leaves the others as they are.
#[utoipa::path(
    post, path = "/v1/$batch", tag = "published", request_body = LogBatch,
    responses((status = 200, description = "An answer for each, in the published shape.", body = Object))
)]
pub async fn post_log_batch(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(pass): Extension<Pass>,
    asker: Asker,
    ApiJson(batch): ApiJson<LogBatch>,
) -> Result<Response, Problem> {
    check(&batch)?;
    // Each answer is made when the one before it has been taken, so that one is in memory at a time; whoever hangs up
    // ends the query that runs and those that wait.
    let answers = stream::iter(batch.requests.into_iter().enumerate()).then(move |(index, request)| {
        let asked_by =
            AskedBy { app: AppState::clone(&app), caller: caller.clone(), pass, asker: asker.clone() };
        async move {
            let separator: &[u8] = if index == 0 { b"" } else { b"," };
            let mut bytes = separator.to_vec();
            bytes.extend(asked_by.answer(request).await);
            Bytes::from(bytes)
        }
    });
    let head = stream::once(async { Bytes::from_static(b"{\"responses\":[") });
    let tail = stream::once(async { Bytes::from_static(b"]}") });
    let body = Body::from_stream(head.chain(answers).chain(tail).map(Ok::<_, Infallible>));
    Ok(([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response())
}

fn check(batch: &LogBatch) -> Result<(), Problem> {
    let bad = |detail: String| Err(Problem::new(Kind::BadRequest, detail));
    if batch.requests.is_empty() || batch.requests.len() > MOST_REQUESTS {
        return bad(format!("a batch has {} requests; it takes 1 to {MOST_REQUESTS}", batch.requests.len()));
    }
    let mut ids = HashSet::new();
    match batch.requests.iter().find(|request| !ids.insert(request.id.as_str())) {
        Some(twice) => {
            bad(format!("two requests of the batch have the id \"{}\"; give each its own", twice.id))
        }
        None => Ok(()),
    }
}

/// Whose batch it is.
struct AskedBy {
    app: AppState,
    caller: Caller,
    pass: Pass,
    asker: Asker,
}

impl AskedBy {
    /// The document of one answer.
    async fn answer(&self, request: LogBatchRequest) -> Vec<u8> {
        let id = request.id.clone();
        let outcome = self.ask(request).await;
        let request_id = self.asker.request_id().to_owned();
        let written = tokio::task::spawn_blocking(move || match outcome {
            Ok(answer) => document(&id, 200, &answer),
            Err(problem) => {
                document(&id, problem.status, &FailedBody { error: LogError::of(&problem, &request_id) })
            }
        });
        // Nothing in it panics, and nobody aborts it.
        written.await.unwrap_or_default()
    }

    async fn ask(&self, request: LogBatchRequest) -> Result<LogAnswer, Problem> {
        // A batch can take long, and what let it in may be taken back meanwhile.
        if !self.pass.is_good(&self.app).await {
            return Err(Problem::new(Kind::NotSignedIn, "what the batch was let in by is good no more"));
        }
        match request.path.as_deref() {
            None | Some("/query") => {}
            Some(other) => {
                let detail = format!("nothing is served at {other} of a workspace; the path is /query");
                return Err(Problem::new(Kind::NotFound, detail));
            }
        }
        let workspace = self.caller.workspace(&self.app, &request.workspace).await?;
        let prefer = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("prefer"));
        let preferences = Preferences::read(prefer.map(|(_, value)| value.as_str()));
        Asked::of(workspace, request.body, preferences).ask(&self.app, &self.asker).await
    }
}

#[derive(Serialize)]
struct BatchAnswer<'a, B> {
    id: &'a str,
    status: u16,
    headers: BatchHeaders,
    body: &'a B,
}

#[derive(Serialize)]
struct BatchHeaders {
    #[serde(rename = "Content-Type")]
    content_type: &'static str,
}

#[derive(Serialize)]
struct FailedBody {
    error: LogError,
}

fn document(id: &str, status: u16, body: &impl Serialize) -> Vec<u8> {
    let headers = BatchHeaders { content_type: "application/json; charset=utf-8" };
    // Into memory, and of values that all have a JSON form: it does not fail.
    serde_json::to_vec(&BatchAnswer { id, status, headers, body }).unwrap_or_default()
}

/// More than clients send; each costs a query.
const MOST_REQUESTS: usize = 100;
