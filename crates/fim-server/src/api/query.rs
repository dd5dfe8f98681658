//! Questions in KQL.

use std::io::{self, Write};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use fim_query::{CsvOptions, QueryRows, json_rows, table_schema, write_csv};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::model::{
    Capabilities, Column, QueryRequest, QueryResult, QueryStats, TableSchema, TableSchemas, ValidateRequest,
    Validation,
};
use crate::app::AppState;
use crate::control::WorkspaceRecord;
use crate::problem::{ApiJson, Problem};
use crate::queries::{columns, problem};

/// Answers a query. Closing the connection stops it.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/query", tag = "query", request_body = QueryRequest,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The answer.", body = QueryResult))
)]
pub async fn run_query(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<Json<QueryResult>, Problem> {
    let answer = app.answer(workspace.id, &request.query, request.timespan.as_deref()).await?;
    // Half a million rows take a while to turn into JSON values.
    let result = tokio::task::spawn_blocking(move || QueryResult {
        columns: columns(&answer),
        rows: json_rows(&answer).collect(),
        stats: stats(&answer),
        truncated: answer.truncated.is_some(),
    });
    result.await.map(Json).map_err(|error| Problem::internal("writing the answer", &error))
}

/// Answers a query as a CSV file for spreadsheets: UTF-8, lines end with CR LF, and what a spreadsheet would run as a
/// formula has an apostrophe before it.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/query.csv", tag = "query", request_body = QueryRequest,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The answer.", body = String, content_type = "text/csv"))
)]
pub async fn download_query(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<impl IntoResponse, Problem> {
    let answer = app.answer(workspace.id, &request.query, request.timespan.as_deref()).await?;
    let (sender, receiver) = mpsc::channel::<Bytes>(CHUNKS);
    tokio::task::spawn_blocking(move || {
        let mut writer = ChunkWriter { sender, chunk: Vec::with_capacity(CHUNK_BYTES) };
        // A reader that goes away ends the writing; there is nobody left to tell.
        let _ = write_csv(&answer, CsvOptions { guard_formulas: true }, &mut writer)
            .and_then(|()| writer.flush());
    });
    let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, io::Error>));
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"query.csv\""),
    ];
    Ok((headers, body))
}

/// The mistakes in a query, without running it.
#[utoipa::path(
    post, path = "/api/v1/query/validate", tag = "query", request_body = ValidateRequest,
    responses((status = 200, description = "The mistakes; none if it is correct.", body = Validation))
)]
pub async fn validate_query(
    State(app): State<AppState>,
    ApiJson(request): ApiJson<ValidateRequest>,
) -> Result<Json<Validation>, Problem> {
    let diagnostics = app.queries.diagnose(&request.query, app.clock.now()).await;
    Ok(Json(Validation { diagnostics: diagnostics.map_err(|error| problem(&error))? }))
}

/// What of KQL this server answers.
#[utoipa::path(
    get, path = "/api/v1/query/capabilities", tag = "query",
    responses((status = 200, description = "Operators, functions and aggregates.", body = Capabilities))
)]
pub async fn list_capabilities() -> Json<Capabilities> {
    let names = |names: Vec<&'static str>| names.into_iter().map(str::to_owned).collect();
    Json(Capabilities {
        operators: names(fim_kql::operator_names()),
        functions: names(fim_kql::function_names()),
        aggregates: names(fim_kql::aggregate_names()),
    })
}

/// The tables that can be asked.
#[utoipa::path(
    get, path = "/api/v1/query/schema", tag = "query",
    responses((status = 200, description = "The tables with their columns.", body = TableSchemas))
)]
pub async fn list_tables() -> Json<TableSchemas> {
    let column = |column: &fim_kql::Column| Column {
        name: column.name.clone(),
        scalar_type: column.ty.name().to_owned(),
    };
    let table = |table: &fim_store::schema::Table| TableSchema {
        name: table.name.to_owned(),
        columns: table_schema(table).columns.iter().map(column).collect(),
    };
    Json(TableSchemas { tables: fim_store::schema::tables().iter().map(table).collect() })
}

fn stats(answer: &QueryRows) -> QueryStats {
    QueryStats {
        rows: answer.stats.rows,
        elapsed_ms: u64::try_from(answer.stats.elapsed.as_millis()).unwrap_or(u64::MAX),
        scanned_rows: Some(answer.stats.scanned_rows),
    }
}

/// Hands what is written on in pieces, and waits while the reader is slow.
struct ChunkWriter {
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES));
        self.sender.blocking_send(chunk.into()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

const CHUNK_BYTES: usize = 64 << 10;
const CHUNKS: usize = 4;
