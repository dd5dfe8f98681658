//! What agents ask and send: settings, heartbeats and batches, each by the machine's certificate.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, middleware, routing};
use fim_core::{ChangeEvent, Timestamp};
use fim_store::Origin;
use fim_wire::{Batch, Report, WireError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::columns::{Source, fields_changed};
use super::enrollment::enroll;
use super::gaps;
use super::heartbeat::{Heartbeat, HeartbeatAnswer, heartbeat_seconds};
use super::silence;
use crate::api::model::{Change, ChangeCategory, ChangeType, Rule};
use crate::app::AppState;
use crate::clock::Moment;
use crate::connection::Peer;
use crate::control::MachineRecord;
use crate::problem::{ApiJson, Kind, Problem, chain};

/// What an agent works by.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Grows with every change of the settings.
    pub revision: u64,
    /// Seconds between the starts of two scans.
    pub scan_interval_seconds: u64,
    /// False if nothing is to be monitored.
    pub fim_enabled: bool,
    /// The rules in the order in which they are tried; those that are not in force too.
    pub rules: Vec<Rule>,
}

/// Up to which batch everything is durable.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Acknowledged {
    /// The batch's sequence.
    pub acknowledged: u64,
}

/// The routes below `/agent/v1`.
pub fn routes(app: &AppState) -> Router<AppState> {
    let by_certificate = Router::new()
        .route(
            "/batches",
            // The general limit of bodies does not hold here; the handler's own does. The place is taken before the
            // body is read, so that no more bodies are in memory than there are places.
            routing::post(batches)
                .layer(DefaultBodyLimit::max(app.config.limits.batch_bytes))
                .layer(middleware::from_fn_with_state(AppState::clone(app), take_place)),
        )
        .route("/settings", routing::get(settings))
        .route("/heartbeat", routing::post(heartbeat).layer(DefaultBodyLimit::max(HEARTBEAT_BYTES)))
        .route_layer(middleware::from_fn_with_state(AppState::clone(app), require_machine));
    Router::new().route("/enroll", routing::post(enroll)).merge(by_certificate)
}

/// Lets only machines in that are enrolled and prove it by their certificate.
async fn require_machine(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(id) = peer.machine else {
        return Err(Problem::new(
            Kind::NotSignedIn,
            "agents prove who they are by the certificate of their enrolment; run `steadfast-agent enroll` first",
        ));
    };
    let machine = app
        .control
        .enrolled_machine(id)
        .await
        .map_err(|error| Problem::internal("reading the machine", &error))?
        .ok_or_else(|| {
            Problem::new(
                Kind::MachineForbidden,
                format!(
                    "the machine {id} has been removed from this server; enrol it again if that was a mistake"
                ),
            )
        })?;
    request.extensions_mut().insert(machine);
    Ok(next.run(request).await)
}

/// Lets so many batches in at a time, and one of each machine: agents send one after the other.
async fn take_place(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // Agents keep what is not acknowledged, so a full server says so at once instead of queueing.
    let Some(_place) = app.batch_places.take(machine.id) else {
        return Err(Problem::new(
            Kind::Unavailable,
            "too many batches are being stored, or one of this machine is; send it again in a moment",
        )
        .retry_after(2));
    };
    Ok(next.run(request).await)
}

async fn settings(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let internal = |error| Problem::internal("reading the settings", &error);
    let workspace = app.workspace_of(&machine).await?;
    let revision = workspace.settings_revision;
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let known = known.map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
    let tag = [(ETAG, format!("\"{revision}\""))];
    if known == Some(revision.to_string().as_str()) {
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    let rules = app.control.rules(workspace.id).await.map_err(internal)?;
    let settings = Settings {
        revision,
        scan_interval_seconds: workspace.scan_interval_seconds,
        fim_enabled: workspace.fim_enabled,
        rules,
    };
    Ok((tag, Json(settings)).into_response())
}

async fn heartbeat(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    Extension(peer): Extension<Peer>,
    ApiJson(heartbeat): ApiJson<Heartbeat>,
) -> Result<Json<HeartbeatAnswer>, Problem> {
    let internal = |error| Problem::internal("keeping the heartbeat", &error);
    if let Some(fault) = heartbeat.fault() {
        return Err(Problem::new(Kind::BadRequest, fault));
    }
    let now = app.clock.now();
    let workspace = app.workspace_of(&machine).await?;
    app.control.heard(machine.id, &heartbeat, now).await.map_err(internal)?;
    silence::heard_again(&app, &machine, now).await?;
    if app.control.take_heartbeat_row(machine.id, now, ROW_SPACING_NANOS).await.map_err(internal)? {
        let id = machine.id.to_string();
        let mut rows = app.rows(machine.workspace)?;
        rows.heartbeat(source(&machine, &id), &heartbeat, &peer.address.ip().to_string(), now)
            .map_err(|error| Problem::internal("making the heartbeat's row", &error))?;
        app.store_rows(machine.workspace, rows, None).await?;
    }
    app.metrics.heartbeats.increment();
    Ok(Json(HeartbeatAnswer {
        settings_revision: workspace.settings_revision,
        heartbeat_seconds: heartbeat_seconds(workspace.scan_interval_seconds),
    }))
}

async fn batches(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Acknowledged>, Problem> {
    let batch = decode(&app, &headers, body).await?;
    if batch.sensor != *machine.id.as_bytes() {
        return Err(Problem::new(
            Kind::MachineForbidden,
            format!(
                "the batch is of the machine {}, and the certificate of {}",
                Uuid::from_bytes(batch.sensor),
                machine.id
            ),
        ));
    }
    let now = app.clock.now();
    let id = machine.id.to_string();
    let source = source(&machine, &id);
    let mut rows = app.rows(machine.workspace)?;
    for report in &batch.events {
        match report {
            Report::Change(event) => rows.change(source, event, now),
            Report::Gap(gap) => rows.gap(source, gap, PROVIDER, now),
        }
        .map_err(|error| Problem::internal("making rows of a batch", &error))?;
    }
    let endings = gaps::endings(&app, &machine, &batch.events).await?;
    for ending in &endings {
        rows.gap_end(source, &ending.gap, ending.at, now)
            .map_err(|error| Problem::internal("making rows of a batch", &error))?;
    }
    let origin = Origin { source: batch.sensor, epoch: batch.epoch, sequence: batch.sequence };
    let is_new = app.store_rows(machine.workspace, rows, Some(origin)).await?;
    // Also for a repeat: the first delivery may have been cut off right after it was stored.
    gaps::track(&app, &machine, &batch.events, &endings).await?;
    if is_new {
        app.feeds.publish(machine.workspace, live_changes(&machine, &batch, now));
        app.metrics.batches.increment();
        app.metrics.reports.add(batch.events.len() as u64);
    } else {
        app.metrics.batches_repeated.increment();
    }
    app.control
        .seen(machine.id, now)
        .await
        .map_err(|error| Problem::internal("keeping the machine", &error))?;
    silence::heard_again(&app, &machine, now).await?;
    Ok(Json(Acknowledged { acknowledged: batch.sequence }))
}

/// Decodes on a worker: a batch can be megabytes.
async fn decode(app: &AppState, headers: &HeaderMap, body: Bytes) -> Result<Batch, Problem> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if header(CONTENT_TYPE) != Some("application/cbor") {
        return Err(Problem::new(Kind::UnsupportedMediaType, "a batch is `Content-Type: application/cbor`"));
    }
    let is_compressed = match header(CONTENT_ENCODING) {
        Some("zstd") => true,
        None | Some("identity") => false,
        Some(other) => {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                format!("the encoding \"{other}\" is not read here; use zstd or none"),
            ));
        }
    };
    let most = app.config.limits.batch_decoded_bytes;
    let work = move || {
        let plain = if is_compressed { decompress(&body, most)? } else { body.to_vec() };
        let limits = fim_wire::Limits { batch_bytes: most, ..fim_wire::Limits::default() };
        fim_wire::decode_batch(&plain, &limits).map_err(|error| {
            let kind = match error {
                WireError::TooLarge { .. } | WireError::TooMany { .. } => Kind::TooLarge,
                _ => Kind::BadRequest,
            };
            Problem::new(kind, chain(&error))
        })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal("decoding a batch", &error))?
}

fn decompress(body: &[u8], most: usize) -> Result<Vec<u8>, Problem> {
    use std::io::Read as _;
    let bad =
        |error: std::io::Error| Problem::new(Kind::BadRequest, format!("the batch is not zstd: {error}"));
    let mut plain = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(body).map_err(bad)?;
    decoder.take(most as u64 + 1).read_to_end(&mut plain).map_err(bad)?;
    if plain.len() > most {
        return Err(Problem::new(
            Kind::TooLarge,
            format!("the batch has more than {most} bytes after decompression"),
        ));
    }
    Ok(plain)
}

fn live_changes(machine: &MachineRecord, batch: &Batch, received: Timestamp) -> Vec<Change> {
    let changes = batch.events.iter().filter_map(|report| match report {
        Report::Change(event) => live_change(machine, event, received),
        Report::Gap(_) => None,
    });
    changes.collect()
}

fn live_change(machine: &MachineRecord, event: &ChangeEvent, received: Timestamp) -> Option<Change> {
    Some(Change {
        id: event.id.to_string(),
        time: stored_time(event.observed.min(received)),
        event_time: event.happened.map(Moment),
        machine: machine.name.clone(),
        change_type: ChangeType::Files,
        category: match event.change.category()? {
            fim_core::ChangeCategory::Added => ChangeCategory::Added,
            fim_core::ChangeCategory::Modified => ChangeCategory::Modified,
            fim_core::ChangeCategory::Removed => ChangeCategory::Removed,
        },
        entity: event.change.key.path().to_string(),
        fields: fields_changed(event).into_iter().map(str::to_owned).collect(),
        rule: event.rule.clone(),
        source: event.source.name().to_owned(),
        who: None,
    })
}

/// The moment as the tables keep it, in microseconds, so that a change reads the same live and from them.
fn stored_time(time: Timestamp) -> Moment {
    Moment(Timestamp(time.0.div_euclid(1000).saturating_mul(1000)))
}

/// Whose rows they are; `id` is the machine's id as text.
pub fn source<'a>(machine: &'a MachineRecord, id: &'a str) -> Source<'a> {
    Source { computer: &machine.name, machine: id, os_type: &machine.os_type }
}

/// What watches on a machine in this version.
const PROVIDER: &str = "scan";
/// Bytes of a heartbeat's body, many times what one has.
const HEARTBEAT_BYTES: usize = 16 << 10;
/// A minute, less a second for the jitter of a timer.
const ROW_SPACING_NANOS: i64 = 59_000_000_000;
