//! Questions in KQL.

use std::io;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use fim_query::{
    CsvOptions, QueryRows, json_rows, table_schema, write_arrow, write_csv, write_ndjson, write_parquet,
};

use super::model::{
    Capabilities, Column, QueryRequest, QueryResult, QueryStats, TableSchema, TableSchemas, ValidateRequest,
    Validation,
};
use crate::answer_body::{ChunkWriter, written_by};
use crate::app::{App, AppState};
use crate::control::WorkspaceRecord;
use crate::problem::{ApiJson, Problem};
use crate::queries::{Question, columns, problem};
use crate::query_log::Asker;

/// Answers a query. Closing the connection stops it.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/query", tag = "query", request_body = QueryRequest,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The answer.", body = QueryResult))
)]
pub async fn run_query(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<Json<QueryResult>, Problem> {
    let answer = ask(&app, &workspace, &asker, &request).await?;
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
    responses((status = 200, description = CUT_OR_WHOLE, body = String, content_type = "text/csv"))
)]
pub async fn download_query(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<Response, Problem> {
    let rows = ask(&app, &workspace, &asker, &request).await?;
    Ok(file("query.csv", "text/csv; charset=utf-8", rows, |rows, to| {
        write_csv(rows, CsvOptions { guard_formulas: true }, to)
    }))
}

/// Answers a query as a file with one JSON object a line.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/query.ndjson", tag = "query", request_body = QueryRequest,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = CUT_OR_WHOLE, body = String, content_type = "application/x-ndjson"))
)]
pub async fn download_query_as_ndjson(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<Response, Problem> {
    let rows = ask(&app, &workspace, &asker, &request).await?;
    Ok(file("query.ndjson", "application/x-ndjson", rows, write_ndjson))
}

/// Answers a query as a Parquet file.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/query.parquet", tag = "query", request_body = QueryRequest,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = CUT_OR_WHOLE, body = Vec<u8>, content_type = "application/vnd.apache.parquet"))
)]
pub async fn download_query_as_parquet(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<Response, Problem> {
    let rows = ask(&app, &workspace, &asker, &request).await?;
    Ok(file("query.parquet", "application/vnd.apache.parquet", rows, write_parquet))
}

/// Answers a query as a file of Arrow's interprocess format.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/query.arrow", tag = "query", request_body = QueryRequest,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = CUT_OR_WHOLE, body = Vec<u8>, content_type = "application/vnd.apache.arrow.file"))
)]
pub async fn download_query_as_arrow(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    ApiJson(request): ApiJson<QueryRequest>,
) -> Result<Response, Problem> {
    let rows = ask(&app, &workspace, &asker, &request).await?;
    Ok(file("query.arrow", "application/vnd.apache.arrow.file", rows, write_arrow))
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

/// A file that is written while it is sent; a header says whether the rows in it are all.
fn file(
    name: &'static str,
    media_type: &'static str,
    rows: QueryRows,
    write: impl FnOnce(&QueryRows, &mut ChunkWriter) -> io::Result<()> + Send + 'static,
) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (TRUNCATED, HeaderValue::from_static(if rows.truncated.is_some() { "true" } else { "false" })),
    ];
    let disposition = [(CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))];
    (headers, disposition, written_by(move |to| write(&rows, to))).into_response()
}

async fn ask(
    app: &App,
    workspace: &WorkspaceRecord,
    asker: &Asker,
    request: &QueryRequest,
) -> Result<QueryRows, Problem> {
    let range = app.range(request.timespan.as_deref())?;
    let question = Question {
        workspace,
        further: &[],
        resource: None,
        text: &request.query,
        range,
        patience: None,
        asker,
    };
    app.answer(question).await
}

/// Says of a file whether its rows were cut at the server's limit.
const TRUNCATED: HeaderName = HeaderName::from_static("steadfast-truncated");
const CUT_OR_WHOLE: &str = "The rows; the header `Steadfast-Truncated` is `true` if there were more, and they were cut at the server's limit.";

fn stats(answer: &QueryRows) -> QueryStats {
    QueryStats {
        rows: answer.stats.rows,
        elapsed_ms: u64::try_from(answer.stats.elapsed.as_millis()).unwrap_or(u64::MAX),
        scanned_rows: Some(answer.stats.scanned_rows),
    }
}
