//! The published ingestion interface of logs: records that programs send directly, stored once.
//!
//! Every workspace has one data collection rule for it, whose immutable id is made of the workspace's.

use std::io::{self, Read as _};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, FromRequest as _, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use fim_store::Origin;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use tracing::Instrument as _;
use uuid::Uuid;

use super::streams::{ReadRecordsError, Receipt, Records, Stream};
use crate::app::{App, AppState};
use crate::authz::Actor;
use crate::control::WorkspaceRecord;
use crate::problem::{ApiQuery, ItemName, Kind, Problem, body_problem};

/// Which version of the interface the caller speaks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IngestionVersion {
    /// `2023-01-01`, or another published version: they do not differ in what is sent.
    #[serde(rename = "api-version")]
    version: Option<String>,
}

/// Stores records. When the answer comes they are durable, and the next query sees them; a call that is repeated with the
/// same `x-ms-client-request-id` and the same records is stored once.
#[utoipa::path(
    post, path = "/dataCollectionRules/{dcr}/streams/{stream}", tag = "published",
    params(
        ("dcr" = String, Path, description = "The immutable id of the workspace's data collection rule."),
        ("stream" = String, Path, description = "`Custom-` or `Microsoft-` and the table's name."),
        IngestionVersion,
    ),
    request_body(content = Vec<Object>, description = "The records, also by gzip.", content_type = "application/json"),
    responses((status = 204, description = "Stored."))
)]
pub async fn post_records(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    Extension(actor): Extension<Actor>,
    ApiQuery(version): ApiQuery<IngestionVersion>,
    ItemName(name): ItemName,
    request: Request,
) -> Result<StatusCode, Problem> {
    check_version(version.version.as_deref())?;
    let stream = Stream::named(&name)
        .map_err(|error| Problem::new(Kind::BadRequest, error.to_string()).with_code("InvalidStream"))?;
    app.caps.check(workspace.id, app.clock.now())?;
    let headers = request.headers().clone();
    let is_compressed = is_compressed(&headers)?;
    let most = app.config.limits.ingestion_bytes;
    // Taken before the body is read, so that no more bodies are in memory than there are places. They are not those of the
    // agents: who sends slowly keeps no agent waiting.
    let place = app.ingestion_places.take(workspace.id, Duration::ZERO).await.map_err(|why| {
        let detail = format!("no more records are taken now: {why}; send these again in a moment");
        Problem::new(Kind::TooManyRequests, detail).retry_after(2)
    })?;
    let body = read_body(request, most, app.config.limits.ingestion_seconds).await?;
    let origin = origin(&actor, &workspace, &name, &headers, &body);
    let (id, at) = (workspace.id, app.clock.now());
    let read = move || {
        let plain = if is_compressed { decompress(&body, most.saturating_mul(2))? } else { body };
        let mut new_id = || Uuid::now_v7().simple().to_string();
        let receipt = Receipt { workspace: id, at, new_id: &mut new_id };
        stream.read(&plain, receipt).map_err(|error| read_problem(&error))
    };
    let records = tokio::task::spawn_blocking(read).await;
    let records = records.map_err(|error| Problem::internal("reading the records", &error))??;
    if records.rows.num_rows() == 0 {
        return Ok(StatusCode::NO_CONTENT);
    }
    // What is begun is done to the end, though the sender hangs up: else its rows could be stored and nobody who watches
    // be told of them. The server's stop waits for the place.
    let work = async move {
        let _place = place;
        store(&app, id, records, origin).await
    };
    let stored = tokio::spawn(work.in_current_span()).await;
    stored.map_err(|error| Problem::internal("storing the records", &error))??;
    Ok(StatusCode::NO_CONTENT)
}

/// Stores the records and tells those who watch.
async fn store(app: &App, workspace: Uuid, records: Records, origin: Option<Origin>) -> Result<(), Problem> {
    let Records { table, rows, changes } = records;
    if app.store_tables(workspace, vec![(table, rows)], origin).await? {
        app.feeds.publish(workspace, changes);
        app.metrics.ingestions.increment();
    } else {
        app.metrics.ingestions_repeated.increment();
    }
    Ok(())
}

fn check_version(version: Option<&str>) -> Result<(), Problem> {
    let detail = match version {
        Some(version) if VERSIONS.contains(&version) => return Ok(()),
        Some(version) => {
            format!("api-version={version} is not known here; the versions are {}", VERSIONS.join(", "))
        }
        None => "the address has no api-version; add ?api-version=2023-01-01".to_owned(),
    };
    Err(Problem::new(Kind::BadRequest, detail).with_code("InvalidApiVersion"))
}

fn is_compressed(headers: &HeaderMap) -> Result<bool, Problem> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let media_type = header(CONTENT_TYPE).unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        let detail = "records are sent as `Content-Type: application/json`";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail).with_code("UnsupportedContentType"));
    }
    match header(CONTENT_ENCODING) {
        None | Some("identity" | "") => Ok(false),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => Ok(true),
        Some(other) => Err(Problem::new(
            Kind::UnsupportedMediaType,
            format!("the encoding \"{other}\" is not read here; use gzip or none"),
        )
        .with_code("UnsupportedContentEncoding")),
    }
}

/// Reads the body, for so long at most: its sender holds a place meanwhile.
async fn read_body(mut request: Request, most: usize, seconds: u64) -> Result<Bytes, Problem> {
    DefaultBodyLimit::max(most).apply(&mut request);
    let body = timeout(Duration::from_secs(seconds), Bytes::from_request(request, &())).await;
    let too_slow = |_| {
        let detail = format!("the body has not come within {seconds} s; send fewer records at a time");
        Problem::new(Kind::BadRequest, detail).with_code("RequestTimeout")
    };
    body.map_err(too_slow)?.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(most, "as sent"),
        _ => body_problem(&rejection),
    })
}

fn too_large(most: usize, when: &str) -> Problem {
    let detail = format!("the body has more than {most} bytes {when}; send fewer records at a time");
    Problem::new(Kind::TooLarge, detail).with_code("ContentLengthLimitExceeded")
}

fn decompress(body: &[u8], most: usize) -> Result<Bytes, Problem> {
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(body).take(most as u64 + 1).read_to_end(&mut plain);
    let bad = |error: io::Error| Problem::new(Kind::BadRequest, format!("the body is not gzip: {error}"));
    read.map_err(bad)?;
    if plain.len() > most { Err(too_large(most, "after decompression")) } else { Ok(plain.into()) }
}

/// What tells a repeated call from a new one: who sends to which stream, by which id, which bytes. A caller that uses an
/// id again for other records loses none of them; one that sends none cannot repeat a call safely.
fn origin(
    actor: &Actor,
    workspace: &WorkspaceRecord,
    stream: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Option<Origin> {
    let id = headers.get("x-ms-client-request-id")?;
    let source = [actor.name.as_bytes(), workspace.id.as_bytes(), stream.as_bytes()];
    Some(Origin { source: short_digest(&source), epoch: short_digest(&[id.as_bytes(), body]), sequence: 1 })
}

/// Half a digest of the parts, each with its length, so that no two lists of parts have the same bytes.
fn short_digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

fn read_problem(error: &ReadRecordsError) -> Problem {
    let detail = fim_core::error_chain(error);
    match error {
        ReadRecordsError::NotRecords(_) | ReadRecordsError::Record { .. } => {
            Problem::new(Kind::BadRequest, detail).with_code("InvalidRecords")
        }
        ReadRecordsError::TooMany => {
            Problem::new(Kind::TooLarge, detail).with_code("ContentLengthLimitExceeded")
        }
        ReadRecordsError::Build(_) => Problem::internal("making rows of the records", error),
    }
}

const VERSIONS: [&str; 3] = ["2023-01-01", "2023-04-24", "2021-11-01-preview"];

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_a_body_becomes_is_bounded_before_it_is_in_memory() {
        assert_eq!(&decompress(&gzip(b"[]"), 2).unwrap()[..], b"[]");
        let bomb = gzip(&vec![b' '; 100_000]);
        assert_eq!(decompress(&bomb, 99_999).unwrap_err().status, 413);
        assert_eq!(decompress(b"no gzip", 100).unwrap_err().status, 400);
        assert_eq!(decompress(&bomb[..bomb.len() / 2], 200_000).unwrap_err().status, 400);
    }

    #[test]
    fn parts_that_run_together_are_told_apart() {
        assert_ne!(short_digest(&[b"ab", b"c"]), short_digest(&[b"a", b"bc"]));
        assert_eq!(short_digest(&[b"ab", b"c"]), short_digest(&[b"ab", b"c"]));
    }
}
