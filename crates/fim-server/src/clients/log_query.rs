//! The published query interface of log workspaces: one query of one workspace, or of several together.

use std::io;

use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use fim_kql::Render;
use fim_query::{Cell, QueryRows, json_value};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::preferences::Preferences;
use crate::answer_body::written_by;
use crate::app::{App, AppState};
use crate::control::{Called, WorkspaceRecord};
use crate::problem::{ApiJson, ApiQuery, Problem};
use crate::queries::{Question, refuse_too_many};
use crate::query_log::Asker;
use crate::report::timespan::Range;

/// A query.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct LogQuery {
    /// The query in KQL.
    pub query: String,
    /// An ISO 8601 duration up to now, two moments, or a moment and a duration; all of time if absent.
    #[serde(default)]
    pub timespan: Option<String>,
    /// Further workspaces, each by name, id or resource id: a table of the query has the rows of all.
    #[serde(default)]
    pub workspaces: Option<Vec<String>>,
}

/// A time range beside the body's; only what is in both counts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AddressTimespan {
    /// As in the body.
    pub timespan: Option<String>,
}

/// A query in the address.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AddressQuery {
    /// The query in KQL.
    query: String,
    /// As in the body of the same call by POST.
    timespan: Option<String>,
    /// With commas between them.
    workspaces: Option<String>,
}

/// Answers a query as the published interface does. Closing the connection stops it.
#[utoipa::path(
    post, path = "/v1/workspaces/{ws}/query", tag = "published", request_body = LogQuery,
    params(("ws" = String, Path, description = "The workspace's id or name."), AddressTimespan),
    responses((status = 200, description = "Tables of columns and rows, in the published shape.", body = Object))
)]
pub async fn post_log_query(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    headers: HeaderMap,
    ApiQuery(address): ApiQuery<AddressTimespan>,
    ApiJson(query): ApiJson<LogQuery>,
) -> Result<Response, Problem> {
    let asked = Asked { address: address.timespan, ..Asked::of(workspace, query, preferences(&headers)) };
    Ok(asked.ask(&app, &asker).await?.into_response())
}

/// Answers a query that is in the address.
#[utoipa::path(
    get, path = "/v1/workspaces/{ws}/query", tag = "published",
    params(("ws" = String, Path, description = "The workspace's id or name."), AddressQuery),
    responses((status = 200, description = "Tables of columns and rows, in the published shape.", body = Object))
)]
pub async fn get_log_query(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    asker: Asker,
    headers: HeaderMap,
    ApiQuery(address): ApiQuery<AddressQuery>,
) -> Result<Response, Problem> {
    let asked = Asked::of(workspace, address.into(), preferences(&headers));
    Ok(asked.ask(&app, &asker).await?.into_response())
}

/// A query with all that is said about it.
pub struct Asked {
    /// Of which workspace.
    pub workspace: WorkspaceRecord,
    /// Of which others together with it, whatever the query says.
    pub together: Vec<WorkspaceRecord>,
    /// Of which resource; of all if there is none.
    pub resource: Option<String>,
    /// The query.
    pub query: LogQuery,
    /// The time range in the address.
    pub address: Option<String>,
    /// What is said of the answer.
    pub preferences: Preferences,
}

impl From<AddressQuery> for LogQuery {
    fn from(address: AddressQuery) -> Self {
        let names = |names: String| names.split(',').map(|name| name.trim().to_owned()).collect();
        Self { query: address.query, timespan: address.timespan, workspaces: address.workspaces.map(names) }
    }
}

impl Asked {
    /// A query of one workspace.
    pub fn of(workspace: WorkspaceRecord, query: LogQuery, preferences: Preferences) -> Self {
        Self { workspace, together: Vec::new(), resource: None, query, address: None, preferences }
    }

    /// The answer.
    pub async fn ask(&self, app: &App, asker: &Asker) -> Result<LogAnswer, Problem> {
        let further = self.further(app, asker).await?;
        let range = common(app.range(self.query.timespan.as_deref())?, app.range(self.address.as_deref())?);
        let question = Question {
            workspace: &self.workspace,
            further: &further,
            resource: self.resource.as_deref(),
            text: &self.query.query,
            range,
            patience: self.preferences.wait,
            asker,
        };
        let rows = app.answer(question).await?;
        Ok(LogAnswer { rows, preferences: self.preferences })
    }

    /// The workspaces beside its own.
    async fn further(&self, app: &App, asker: &Asker) -> Result<Vec<WorkspaceRecord>, Problem> {
        let mut further = self.together.clone();
        let names: Vec<&String> = self.query.workspaces.iter().flatten().collect();
        if names.is_empty() {
            return Ok(further);
        }
        refuse_too_many(names.len())?;
        let theirs = Called::of(asker.workspaces(app).await?);
        for name in names {
            let found = theirs.find(name).ok_or_else(|| Problem::not_found("workspace", name))?;
            if found.id != self.workspace.id && further.iter().all(|known| known.id != found.id) {
                further.push(found.clone());
            }
        }
        Ok(further)
    }
}

/// What is in both ranges.
fn common(one: Option<Range>, other: Option<Range>) -> Option<Range> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let from = one.from.max(other.from);
            // Ranges that have nothing in common have an empty one.
            Some(Range { from, to: one.to.min(other.to).max(from) })
        }
        (range, None) | (None, range) => range,
    }
}

pub(super) fn preferences(headers: &HeaderMap) -> Preferences {
    let values = headers.get_all(HeaderName::from_static("prefer"));
    Preferences::read(values.iter().filter_map(|value| value.to_str().ok()))
}

/// The rows of a query with what was preferred of them; serialised it is the published document.
pub struct LogAnswer {
    rows: QueryRows,
    preferences: Preferences,
}

impl IntoResponse for LogAnswer {
    fn into_response(self) -> Response {
        let body = written_by(move |to| serde_json::to_writer(to, &self).map_err(io::Error::from));
        ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
    }
}

impl Serialize for LogAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { rows, preferences } = self;
        let columns =
            rows.columns.iter().map(|column| LogColumn { name: &column.name, ty: column.ty.name() });
        let document = LogDocument {
            tables: [LogTable { name: "PrimaryResult", columns: columns.collect(), rows: LogRows(rows) }],
            statistics: preferences.has_statistics.then(|| statistics(rows)),
            render: preferences.has_render.then(|| render(rows.render.as_ref())),
            error: rows.truncated.map(|truncation| PartialError::of(&truncation.to_string())),
        };
        document.serialize(serializer)
    }
}

#[derive(Serialize)]
struct LogDocument<'a> {
    tables: [LogTable<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    statistics: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    render: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<PartialError>,
}

#[derive(Serialize)]
struct LogTable<'a> {
    name: &'static str,
    columns: Vec<LogColumn<'a>>,
    rows: LogRows<'a>,
}

#[derive(Serialize)]
struct LogColumn<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    ty: &'static str,
}

/// Rows that are made into JSON one after the other, as they are written.
struct LogRows<'a>(&'a QueryRows);

impl Serialize for LogRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        for cells in self.0.cells() {
            let cells: Vec<LogCell<'_>> = cells.into_iter().map(LogCell).collect();
            rows.serialize_element(&cells)?;
        }
        rows.end()
    }
}

/// A value as the published interface of logs writes it: what is dynamic is its JSON text.
struct LogCell<'a>(Cell<'a>);

impl Serialize for LogCell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Text(text) | Cell::Dynamic(text) => serializer.serialize_str(text),
            cell => json_value(&cell).serialize(serializer),
        }
    }
}

/// What comes with rows that are not all: an answer of which a part failed.
#[derive(Serialize)]
struct PartialError {
    code: &'static str,
    message: &'static str,
    details: [PartialErrorDetail; 1],
}

#[derive(Serialize)]
struct PartialErrorDetail {
    code: &'static str,
    message: String,
}

impl PartialError {
    fn of(message: &str) -> Self {
        Self {
            code: "PartialError",
            message: "There were some errors when processing your query.",
            details: [PartialErrorDetail { code: "EngineError", message: message.to_owned() }],
        }
    }
}

/// What the query cost, as far as the published document has a place for it.
fn statistics(rows: &QueryRows) -> Value {
    let bytes: usize = rows.batches.iter().map(arrow::array::RecordBatch::get_array_memory_size).sum();
    let stats = &rows.stats;
    json!({ "query": {
        "executionTime": stats.elapsed.as_secs_f64(),
        "inputDatasetStatistics": {
            "extents": { "total": stats.table_files, "scanned": stats.opened_files },
            "rows": { "scanned": stats.scanned_rows },
        },
        "datasetStatistics": [{ "table_row_count": stats.rows, "table_size": bytes }],
    } })
}

/// How the query wants to be shown, with the published names and what holds if it says nothing.
pub fn render(render: Option<&Render>) -> Value {
    let mut members = Map::new();
    members.insert("visualization".to_owned(), json!(render.map_or("table", |render| &render.chart)));
    for (name, value) in [
        ("title", Value::Null),
        ("accumulate", json!(false)),
        ("isQuerySorted", json!(false)),
        ("kind", json!("default")),
        ("annotation", json!("")),
        ("by", Value::Null),
    ] {
        members.insert(name.to_owned(), value);
    }
    for (name, value) in render.iter().flat_map(|render| &render.properties) {
        let known = PROPERTIES.iter().find(|known| known.eq_ignore_ascii_case(name));
        let value = match value.as_str() {
            truth @ ("true" | "false") => json!(truth == "true"),
            text => json!(text),
        };
        members.insert(known.map_or_else(|| name.clone(), |known| (*known).to_owned()), value);
    }
    Value::Object(members)
}

/// The published spelling of what a query may say of its chart.
const PROPERTIES: [&str; 14] = [
    "title",
    "accumulate",
    "kind",
    "legend",
    "series",
    "xAxis",
    "xColumn",
    "xTitle",
    "yAxis",
    "yColumns",
    "yTitle",
    "ySplit",
    "yMin",
    "yMax",
];

#[cfg(test)]
mod tests {
    use fim_core::Timestamp;

    use super::*;

    #[test]
    fn two_time_ranges_leave_what_is_in_both() {
        let range = |from, to| Range { from: Timestamp(from), to: Timestamp(to) };
        assert_eq!(common(None, None), None);
        assert_eq!(common(Some(range(1, 5)), None), Some(range(1, 5)));
        assert_eq!(common(Some(range(1, 5)), Some(range(3, 9))), Some(range(3, 5)));
        assert_eq!(common(Some(range(1, 2)), Some(range(3, 9))), Some(range(3, 3)));
    }

    #[test]
    fn a_chart_is_told_with_the_published_names() {
        let wanted = Render {
            chart: "timechart".to_owned(),
            properties: vec![
                ("title".to_owned(), "Changes".to_owned()),
                ("xtitle".to_owned(), "Time".to_owned()),
                ("accumulate".to_owned(), "true".to_owned()),
            ],
        };
        let told = render(Some(&wanted));
        assert_eq!(told["visualization"], "timechart");
        assert_eq!((&told["title"], &told["xTitle"]), (&json!("Changes"), &json!("Time")));
        assert_eq!((&told["accumulate"], &told["kind"]), (&json!(true), &json!("default")));
        assert_eq!(render(None)["visualization"], "table");
    }
}
