//! What agents ask and send: settings, heartbeats and batches, each by the machine's certificate.

use std::sync::Arc;

use arrow::array::RecordBatch;
use axum::body::Bytes;
use axum::extract::{Extension, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::middleware::Next;
use axum::response::Response;
use axum::{Json, Router, middleware, routing};
use fim_core::windows::Hive;
use fim_core::{ChangeEvent, ListKind, Monitored, Timestamp, error_chain};
use fim_store::{BuildError, Origin};
use fim_wire::{Batch, Report, WireError};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;
use uuid::Uuid;

use super::columns::{
    SERVER, Source, account_of, entity_text, event_time, fields_changed, file_fields_changed, row_time,
};
use super::contents;
use super::enrollment::{enroll, renew};
use super::gaps::{self, Outcome};
use super::heartbeat::{Heartbeat, HeartbeatAnswer, heartbeat_seconds};
use super::listed::versions;
use super::places::{BatchPlace, TakenBytes};
use super::rows::Rows;
use super::settings::settings;
use super::silence;
use super::who::{actor_of, explanation_of, others_of, tell_why_unknown};
use crate::api::model::{Change, ChangeCategory, ChangeType, FileKind};
use crate::app::{App, AppState};
use crate::clock::Moment;
use crate::connection::Peer;
use crate::control::MachineRecord;
use crate::pki::CertifiedMachine;
use crate::problem::{ApiJson, Kind, Problem, body_limit};

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
                .layer(body_limit(app.config.limits.batch_bytes))
                .layer(middleware::from_fn_with_state(AppState::clone(app), take_place)),
        )
        .route("/settings", routing::get(settings))
        .route("/heartbeat", routing::post(heartbeat).layer(body_limit(HEARTBEAT_BYTES)))
        .route("/certificate", routing::post(renew).layer(body_limit(HEARTBEAT_BYTES)))
        .merge(contents::routes(app))
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
    let Some(CertifiedMachine { id, until }) = peer.machine else {
        return Err(Problem::new(
            Kind::NotSignedIn,
            "agents prove who they are by the certificate of their enrolment; run `steadfast-agent enroll` first",
        ));
    };
    // It was good when the connection was made, which may be long ago.
    if app.clock.now() > until {
        return Err(Problem::new(
            Kind::NotSignedIn,
            format!("the machine's certificate ended {}; enrol it again", Moment(until)),
        ));
    }
    let machine = enrolled(&app, id).await?;
    request.extensions_mut().insert(machine);
    Ok(next.run(request).await)
}

/// The machine, if it is still enrolled.
pub async fn enrolled(app: &App, id: Uuid) -> Result<MachineRecord, Problem> {
    let machine = app.control.enrolled_machine(id).await;
    machine.map_err(|error| Problem::internal("reading the machine", &error))?.ok_or_else(|| {
        Problem::new(
            Kind::MachineForbidden,
            format!(
                "the machine {id} has been removed from this server; enrol it again if that was a mistake"
            ),
        )
    })
}

/// Lets so many batches in at a time, and one of each machine: agents send one after the other.
async fn take_place(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // Agents keep what is not acknowledged, so a full server says so at once instead of queueing.
    let Some(place) = app.batch_places.take(machine.id) else {
        return Err(Problem::new(
            Kind::TooManyRequests,
            "too many batches are being stored, or one of this machine is; send it again in a moment",
        )
        .retry_after(2));
    };
    request.extensions_mut().insert(Arc::new(place));
    Ok(next.run(request).await)
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
    let again_seconds = heartbeat_seconds(workspace.scan_interval_seconds);
    app.control.heard(machine.id, &heartbeat, again_seconds, now).await.map_err(internal)?;
    app.providers.put(machine.id, &heartbeat.provider);
    silence::heard_again(&app, &machine, now).await?;
    gaps::end_merged(&app, &machine, &heartbeat, now).await?;
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
        heartbeat_seconds: again_seconds,
    }))
}

async fn batches(
    State(app): State<AppState>,
    Extension(machine): Extension<MachineRecord>,
    Extension(place): Extension<Arc<BatchPlace>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Acknowledged>, Problem> {
    let is_compressed = is_compressed(&headers)?;
    // What is begun is done to the end, though the agent hangs up: else it could have its rows stored and what follows
    // from them left out. The server's stop waits for the place.
    let work = async move {
        let _place = place;
        take_in(&app, &machine, is_compressed, body).await
    };
    let done = tokio::spawn(work.in_current_span()).await;
    done.map_err(|error| Problem::internal("taking in a batch", &error))?.map(Json)
}

/// Stores a batch and keeps track of what it tells.
async fn take_in(
    app: &AppState,
    machine: &MachineRecord,
    is_compressed: bool,
    body: Bytes,
) -> Result<Acknowledged, Problem> {
    let (batch, _taken) = decode(app, is_compressed, body).await?;
    check(&batch, machine)?;
    let now = app.clock.now();
    app.caps.check(machine.workspace, now)?;
    let outcome = gaps::judge(app, machine, &batch.events, now).await?;
    let provider = app.providers.of(machine.id);
    let received = Received { machine: machine.clone(), batch, outcome, now, provider };
    let (received, Built { tables, live }) = build(received).await?;
    let Received { batch, outcome, .. } = received;
    let origin = Origin { source: batch.sensor, epoch: batch.epoch, sequence: batch.sequence };
    let is_new = app.store_tables(machine.workspace, tables, Some(origin)).await?;
    // At once: should anything after this fail, the batch comes again as a repeat, of which nobody is told.
    if is_new {
        app.feeds.publish(machine.workspace, live);
        app.metrics.batches.increment();
        app.metrics.reports.add(batch.events.len() as u64);
    } else {
        app.metrics.batches_repeated.increment();
    }
    // Also for a repeat: a crash may have come right after the first delivery was stored.
    app.control
        .keep_gaps(&outcome.opened, &outcome.closed, Some((machine.id, now)))
        .await
        .map_err(|error| Problem::internal("keeping the machine's gaps", &error))?;
    silence::heard_again(app, machine, now).await?;
    let still_there = app.control.enrolled_machine(machine.id).await;
    if still_there.map_err(|error| Problem::internal("reading the machine", &error))?.is_none() {
        // It was removed meanwhile, and nobody else will end what its last batch has opened.
        gaps::end_all(app, machine, now).await?;
    }
    Ok(Acknowledged { acknowledged: batch.sequence })
}

/// Refuses what the machine cannot know: what is another's, and what only the server notices.
fn check(batch: &Batch, machine: &MachineRecord) -> Result<(), Problem> {
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
    let causes = batch.events.iter().filter_map(|report| match report {
        Report::Gap(gap) => Some(gap.cause),
        Report::Change(_) | Report::Listed(_) | Report::Inventory(_) => None,
    });
    match causes.into_iter().find(|cause| cause.is_noticed_by_server()) {
        None => Ok(()),
        Some(cause) => Err(Problem::new(
            Kind::BadRequest,
            format!(
                "the batch tells of a gap with the cause {}, which is the server's to notice",
                cause.name()
            ),
        )),
    }
}

/// A batch with all that its rows are made from.
struct Received {
    machine: MachineRecord,
    batch: Batch,
    outcome: Outcome,
    now: Timestamp,
    /// What watches on the machine.
    provider: String,
}

/// Rows of each table.
type Tables = Vec<(&'static str, RecordBatch)>;

/// What becomes of a batch.
struct Built {
    tables: Tables,
    /// The changes as whoever watches is shown them.
    live: Vec<Change>,
}

/// Builds the rows and the live changes on a worker: there can be a hundred thousand.
async fn build(received: Received) -> Result<(Received, Built), Problem> {
    let work = move || {
        let tables = tables(&received)?;
        let live = live_changes(&received.machine, &received.batch, received.now);
        Ok::<_, BuildError>((received, Built { tables, live }))
    };
    let built = tokio::task::spawn_blocking(work).await;
    built
        .map_err(|error| Problem::internal("making rows of a batch", &error))?
        .map_err(|error| Problem::internal("making rows of a batch", &error))
}

fn tables(received: &Received) -> Result<Tables, BuildError> {
    let Received { machine, batch, outcome, now, provider } = received;
    let id = machine.id.to_string();
    let source = source(machine, &id);
    let mut rows = Rows::new(machine.workspace)?;
    for report in &batch.events {
        match report {
            Report::Change(event) => rows.change(source, event, *now)?,
            // They are in the outcome, as they are to be told.
            Report::Gap(_) => {}
            Report::Listed(event) => rows.listed_change(source, event, *now)?,
            Report::Inventory(inventory) => rows.inventory(source, inventory, *now)?,
        }
    }
    for gap in &outcome.told {
        rows.gap(source, gap, provider, *now)?;
    }
    for ending in &outcome.endings {
        rows.gap_end(source, &ending.gap, ending.at, *now)?;
    }
    if let Some(gap) = &outcome.merged {
        rows.gap(source, gap, SERVER, *now)?;
    }
    rows.finish()
}

fn is_compressed(headers: &HeaderMap) -> Result<bool, Problem> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if header(CONTENT_TYPE) != Some("application/cbor") {
        return Err(Problem::new(Kind::UnsupportedMediaType, "a batch is `Content-Type: application/cbor`"));
    }
    match header(CONTENT_ENCODING) {
        Some("zstd") => Ok(true),
        None | Some("identity") => Ok(false),
        Some(other) => Err(Problem::new(
            Kind::UnsupportedMediaType,
            format!("the encoding \"{other}\" is not read here; use zstd or none"),
        )),
    }
}

/// Decodes on a worker: a batch can be megabytes. What it takes is taken from all batches' share before.
async fn decode(app: &AppState, is_compressed: bool, body: Bytes) -> Result<(Batch, TakenBytes), Problem> {
    let most = app.config.limits.batch_decoded_bytes;
    let bytes = if is_compressed { declared_bytes(&body, most)? } else { body.len() };
    let Some(taken) = app.decoded_bytes.take(bytes) else {
        return Err(Problem::new(
            Kind::TooManyRequests,
            "the batches that are being stored take all the memory they may; send it again in a moment",
        )
        .retry_after(2));
    };
    let work = move || {
        let plain = if is_compressed { decompress(&body, bytes, most)? } else { body.to_vec() };
        let limits = fim_wire::Limits { batch_bytes: most, ..fim_wire::Limits::default() };
        fim_wire::decode_batch(&plain, &limits).map_err(|error| {
            let kind = match error {
                WireError::TooLarge { .. } | WireError::TooMany { .. } => Kind::TooLarge,
                _ => Kind::BadRequest,
            };
            Problem::new(kind, error_chain(&error))
        })
    };
    let decoded = tokio::task::spawn_blocking(work).await;
    let batch = decoded.map_err(|error| Problem::internal("decoding a batch", &error))??;
    Ok((batch, taken))
}

/// The bytes that a compressed body says it has; `most` if it does not say.
fn declared_bytes(body: &[u8], most: usize) -> Result<usize, Problem> {
    match zstd::zstd_safe::get_frame_content_size(body) {
        Ok(Some(bytes)) if bytes > most as u64 => Err(too_large(most)),
        Ok(Some(bytes)) => Ok(usize::try_from(bytes).unwrap_or(most)),
        Ok(None) => Ok(most),
        Err(_) => Err(Problem::new(Kind::BadRequest, "the batch is not zstd")),
    }
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::TooLarge, format!("the batch has more than {most} bytes after decompression"))
}

/// Decompresses to at most `bytes`; `most` is the limit of every batch.
fn decompress(body: &[u8], bytes: usize, most: usize) -> Result<Vec<u8>, Problem> {
    use std::io::Read as _;
    let bad =
        |error: std::io::Error| Problem::new(Kind::BadRequest, format!("the batch is not zstd: {error}"));
    let mut decoder = zstd::stream::read::Decoder::new(body).map_err(bad)?;
    // No window is needed that is larger than what it looks back on; the format's own limit is 128 MiB.
    decoder.window_log_max(most.next_power_of_two().ilog2().max(LEAST_WINDOW_LOG)).map_err(bad)?;
    let mut plain = Vec::with_capacity(bytes);
    decoder.take(bytes as u64 + 1).read_to_end(&mut plain).map_err(bad)?;
    match plain.len() {
        length if length <= bytes => Ok(plain),
        _ if bytes == most => Err(too_large(most)),
        _ => Err(Problem::new(Kind::BadRequest, "the batch has more bytes than its zstd frame says")),
    }
}

fn live_changes(machine: &MachineRecord, batch: &Batch, received: Timestamp) -> Vec<Change> {
    let changes = batch.events.iter().filter_map(|report| match report {
        Report::Change(event) => {
            let path = event.change.key.path();
            let change_type = if Hive::of(path).is_some() { ChangeType::Registry } else { ChangeType::Files };
            let change = live_change(machine, event, change_type, entity_text(path), received)?;
            let fields = file_fields_changed(event).into_iter().map(str::to_owned).collect();
            let entity = event.change.after.as_ref().or(event.change.before.as_ref());
            let kind =
                entity.filter(|_| change_type == ChangeType::Files).map(|entity| FileKind::from(entity.kind));
            let moved_from = event.moved_from.as_ref().map(|from| from.path().to_string());
            let (actor, explanation) = (actor_of(event), explanation_of(event));
            let (others, more_others) = (others_of(event), event.who.more.into());
            Some(Change { kind, fields, moved_from, actor, others, more_others, explanation, ..change })
        }
        Report::Listed(event) => {
            let change_type = match event.change.key.list() {
                ListKind::Daemons => ChangeType::Daemons,
                ListKind::Software => ChangeType::Software,
                ListKind::Services => ChangeType::WindowsServices,
            };
            let change = live_change(machine, event, change_type, event.change.key.to_string(), received)?;
            let [version_before, version_after] = versions(&event.change);
            Some(Change { version_before, version_after, ..change })
        }
        Report::Gap(_) | Report::Inventory(_) => None,
    });
    changes.map(tell_why_unknown).collect()
}

fn live_change<E: Monitored>(
    machine: &MachineRecord,
    event: &ChangeEvent<E>,
    change_type: ChangeType,
    entity: String,
    received: Timestamp,
) -> Option<Change> {
    Some(Change {
        id: event.id.to_string(),
        time: stored_time(row_time(event.observed, received)),
        event_time: event_time(event, received).map(Moment),
        machine: machine.name.clone(),
        change_type,
        category: match event.change.category()? {
            fim_core::ChangeCategory::Added => ChangeCategory::Added,
            fim_core::ChangeCategory::Modified => ChangeCategory::Modified,
            fim_core::ChangeCategory::Removed => ChangeCategory::Removed,
        },
        entity,
        kind: None,
        moved_from: None,
        fields: fields_changed(event).into_iter().map(str::to_owned).collect(),
        rule: event.rule.clone(),
        source: event.source.name().to_owned(),
        who: account_of(event),
        actor: None,
        others: Vec::new(),
        more_others: 0,
        who_unknown: None,
        explanation: None,
        version_before: None,
        version_after: None,
    })
}

/// The moment as the tables keep it, in microseconds, so that a change reads the same live and from them.
fn stored_time(time: Timestamp) -> Moment {
    Moment(Timestamp(time.0.div_euclid(1000).saturating_mul(1000)))
}

/// Whose rows they are; `id` is the machine's id as text.
pub fn source<'a>(machine: &'a MachineRecord, id: &'a str) -> Source<'a> {
    Source {
        computer: &machine.name,
        machine: id,
        os_type: &machine.os_type,
        resource: &machine.resource_id,
        subscription: &machine.subscription_id,
    }
}

/// The smallest window that the format has.
const LEAST_WINDOW_LOG: u32 = 10;
/// Bytes of a heartbeat's body, many times what one has.
const HEARTBEAT_BYTES: usize = 16 << 10;
/// A minute, less a second for the jitter of a timer.
const ROW_SPACING_NANOS: i64 = 59_000_000_000;
