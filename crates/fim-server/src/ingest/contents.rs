//! The text of files, as agents send it: they ask which the server has not, and send those alone.

use std::io::Read as _;

use axum::body::Bytes;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Json, Router, middleware, routing};
use fim_core::NoText;
use serde::{Deserialize, Serialize};

use crate::app::AppState;
use crate::content::{Kept, Owner};
use crate::control::MachineRecord;
use crate::problem::{ApiJson, Kind, Problem, body_limit};

/// Digests of files, in hexadecimal digits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Digests {
    /// The digests.
    pub digests: Vec<String>,
}

/// Why there is no text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Reason {
    /// The word for it.
    pub why: String,
}

/// The routes below `/agent/v1` that take texts.
pub fn routes(app: &AppState) -> Router<AppState> {
    Router::new()
        .route("/contents/missing", routing::post(missing).layer(body_limit(DIGESTS_BYTES)))
        .route("/contents/{digest}/reason", routing::put(put_reason).layer(body_limit(REASON_BYTES)))
        .route(
            "/contents/{digest}",
            // The place is taken before the body is read, so that no more texts are in memory than there are places.
            routing::put(put_text)
                .layer(body_limit(NoText::MOST_BYTES + SLACK_BYTES))
                .layer(middleware::from_fn_with_state(AppState::clone(app), take_place)),
        )
}

async fn missing(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    ApiJson(asked): ApiJson<Digests>,
) -> Result<Json<Digests>, Problem> {
    if asked.digests.len() > MOST_DIGESTS {
        let told = format!("{} digests are asked for; ask for {MOST_DIGESTS} at most", asked.digests.len());
        return Err(Problem::new(Kind::TooLarge, told));
    }
    let digests = asked.digests.iter().map(|digest| parse(digest)).collect::<Result<Vec<_>, _>>()?;
    let missing = app.contents.missing(owner(&machine), &digests, app.clock.now()).await;
    let missing = missing.map_err(|error| Problem::internal("looking which texts are known", &error))?;
    Ok(Json(Digests { digests: missing.iter().map(hex::encode).collect() }))
}

async fn put_reason(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    Path(digest): Path<String>,
    ApiJson(reason): ApiJson<Reason>,
) -> Result<StatusCode, Problem> {
    let digest = parse(&digest)?;
    let why = NoText::of_word(&reason.why)
        .ok_or_else(|| Problem::new(Kind::BadRequest, "that is no reason why there is no text"))?;
    let kept = app.contents.keep_reason(owner(&machine), digest, why, app.clock.now()).await;
    kept.map_err(|error| Problem::internal("noting why there is no text", &error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn put_text(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    Path(digest): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let digest = parse(&digest)?;
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if header(CONTENT_TYPE) != Some("text/plain") || header(CONTENT_ENCODING) != Some("zstd") {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "a text is sent as `Content-Type: text/plain` and `Content-Encoding: zstd`",
        ));
    }
    let text = tokio::task::spawn_blocking(move || decompress(&body)).await;
    let text = text.map_err(|error| Problem::internal("reading a text", &error))??;
    let kept = app.contents.keep_text(owner(&machine), digest, &text, app.clock.now()).await;
    match kept.map_err(|error| Problem::internal("keeping a text", &error))? {
        Kept::Yes => Ok(StatusCode::NO_CONTENT),
        Kept::NoRoom => Err(Problem::new(
            Kind::TooLarge,
            "what the server keeps of this machine or its workspace is full; raise content.machine_bytes or \
             content.workspace_bytes in its configuration",
        )),
    }
}

/// Lets as many texts be received at a time as there are places, and one of a machine.
async fn take_place(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(_place) = app.contents.places.take(machine.id) else {
        return Err(Problem::new(
            Kind::TooManyRequests,
            "too many texts are being received, or one of this machine is; send it again in a moment",
        )
        .retry_after(2));
    };
    Ok(next.run(request).await)
}

fn decompress(body: &[u8]) -> Result<String, Problem> {
    let bad =
        |error: std::io::Error| Problem::new(Kind::BadRequest, format!("the text is not zstd: {error}"));
    let mut decoder = zstd::stream::read::Decoder::new(body).map_err(bad)?;
    decoder.window_log_max(NoText::MOST_BYTES.next_power_of_two().ilog2()).map_err(bad)?;
    let mut text = Vec::new();
    decoder.take(NoText::MOST_BYTES as u64 + 1).read_to_end(&mut text).map_err(bad)?;
    if text.len() > NoText::MOST_BYTES {
        return Err(Problem::new(
            Kind::TooLarge,
            format!("the text has more than {} bytes after decompression", NoText::MOST_BYTES),
        ));
    }
    String::from_utf8(text).map_err(|_| Problem::new(Kind::BadRequest, "the text is not UTF-8"))
}

fn owner(machine: &MachineRecord) -> Owner {
    Owner { workspace: machine.workspace, machine: machine.id }
}

fn parse(text: &str) -> Result<[u8; 32], Problem> {
    digest_of_hex(text).ok_or_else(|| Problem::new(Kind::BadRequest, "a digest has 64 hexadecimal digits"))
}

/// The digest that the digits stand for.
pub fn digest_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(digest)
}

/// How many digests are asked about at once.
const MOST_DIGESTS: usize = 1000;
const DIGESTS_BYTES: usize = 128 << 10;
const REASON_BYTES: usize = 1 << 10;
/// What compression may add to what it cannot make smaller.
const SLACK_BYTES: usize = 64 << 10;
