//! The query interface of Kusto clusters: a workspace is a database of the cluster that this server is.

use std::io;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use fim_kql::{Column, ScalarType, value_from_text};
use fim_query::{Cell, QueryRows, json_value};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::log_query::render;
use crate::answer_body::written_by;
use crate::app::AppState;
use crate::auth::Caller;
use crate::clock::Moment;
use crate::problem::{ApiJson, Kind, Problem};
use crate::queries::Question;
use crate::query_log::Asker;
use crate::surface::{KustoError, KustoErrorDocument};

/// A query, or a command that begins with a dot.
#[derive(Debug, Deserialize, ToSchema)]
pub struct KustoRequest {
    /// The database: a workspace's id or name.
    #[serde(default)]
    pub db: Option<String>,
    /// The query or the command.
    pub csl: String,
    /// What is to hold for it, as JSON or as the text of JSON.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    properties: Option<KustoProperties>,
}

/// What is to hold for a query: an object, or the text of one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum KustoProperties {
    Object(Properties),
    Text(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Properties {
    #[serde(default)]
    options: Option<Options>,
    #[serde(default)]
    parameters: Option<serde_json::Map<String, Value>>,
}

#[derive(Debug, Default, Deserialize)]
struct Options {
    /// How long the caller waits, as a timespan.
    #[serde(default)]
    servertimeout: Option<String>,
}

impl KustoRequest {
    /// The name of the database.
    pub fn database(&self) -> Result<&str, Problem> {
        self.db.as_deref().filter(|name| !name.is_empty()).ok_or_else(|| {
            Problem::new(Kind::BadRequest, "the request names no database; `db` is a workspace's id or name")
        })
    }

    /// How long the caller waits.
    fn patience(&self) -> Result<Option<Duration>, Problem> {
        let bad = |detail: String| Problem::new(Kind::BadRequest, detail);
        let read;
        let properties = match &self.properties {
            None => return Ok(None),
            Some(KustoProperties::Object(properties)) => properties,
            Some(KustoProperties::Text(text)) if text.trim().is_empty() => return Ok(None),
            Some(KustoProperties::Text(text)) => {
                read = serde_json::from_str::<Properties>(text)
                    .map_err(|error| bad(format!("`properties` is not what is wanted: {error}")))?;
                &read
            }
        };
        if properties.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty()) {
            return Err(bad(
                "parameters of queries are not supported here; write the values into the query".to_owned()
            ));
        }
        let timeout = properties.options.as_ref().and_then(|options| options.servertimeout.as_deref());
        timeout.map(|text| patience_of(text).ok_or_else(|| bad(bad_timeout(text)))).transpose()
    }
}

fn bad_timeout(text: &str) -> String {
    format!("servertimeout is \"{text}\"; it is a positive timespan such as 00:04:00")
}

fn patience_of(text: &str) -> Option<Duration> {
    match value_from_text(ScalarType::TimeSpan, text)? {
        fim_kql::Value::TimeSpan(span) => {
            let ticks = u64::try_from(span.0).ok().filter(|ticks| *ticks > 0)?;
            Some(Duration::from_nanos(ticks.saturating_mul(100)))
        }
        _ => None,
    }
}

/// Answers a query in frames. Closing the connection stops it.
#[utoipa::path(
    post, path = "/v2/rest/query", tag = "published", request_body = KustoRequest,
    responses((status = 200, description = "Frames, in the published shape.", body = Object))
)]
pub async fn post_kusto_query(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    asker: Asker,
    headers: HeaderMap,
    ApiJson(request): ApiJson<KustoRequest>,
) -> Result<Response, Problem> {
    if request.csl.trim_start().starts_with('.') {
        let detail = "this is a command, and commands go to /v1/rest/mgmt";
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    let workspace = caller.workspace(&app, request.database()?).await?;
    let patience = request.patience()?;
    let question = Question {
        workspace: &workspace,
        further: &[],
        resource: None,
        text: &request.csl,
        range: None,
        patience,
        asker: &asker,
    };
    let rows = app.answer(question).await?;
    let client =
        headers.get("x-ms-client-request-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let answer = KustoAnswer {
        rows,
        client_request_id: client.to_owned(),
        request_id: asker.request_id().to_owned(),
        at: Moment(app.clock.now()),
    };
    Ok(answer.into_response())
}

/// The rows of a query; serialised it is the published sequence of frames.
struct KustoAnswer {
    rows: QueryRows,
    client_request_id: String,
    request_id: String,
    at: Moment,
}

impl IntoResponse for KustoAnswer {
    fn into_response(self) -> Response {
        let body = written_by(move |to| serde_json::to_writer(to, &self).map_err(io::Error::from));
        ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
    }
}

impl Serialize for KustoAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut frames = serializer.serialize_seq(Some(5))?;
        frames.serialize_element(
            &json!({ "FrameType": "DataSetHeader", "IsProgressive": false, "Version": "v2.0" }),
        )?;
        frames.serialize_element(&Frame {
            frame_type: "DataTable",
            table_id: 0,
            table_kind: "QueryProperties",
            table_name: "@ExtendedProperties",
            columns: columns(&[("TableId", "int"), ("Key", "string"), ("Value", "dynamic")]),
            rows: [json!([1, "Visualization", self.visualization().to_string()])],
        })?;
        frames.serialize_element(&Frame {
            frame_type: "DataTable",
            table_id: 1,
            table_kind: "PrimaryResult",
            table_name: "PrimaryResult",
            columns: self.rows.columns.iter().map(KustoColumn::of).collect(),
            rows: KustoRows(&self.rows),
        })?;
        frames.serialize_element(&Frame {
            frame_type: "DataTable",
            table_id: 2,
            table_kind: "QueryCompletionInformation",
            table_name: "QueryCompletionInformation",
            columns: columns(COMPLETION),
            rows: [self.completion()],
        })?;
        frames.serialize_element(&self.end())?;
        frames.end()
    }
}

impl KustoAnswer {
    /// How the query wants to be shown, with the names that this interface has.
    fn visualization(&self) -> Value {
        let Value::Object(members) = render(self.rows.render.as_ref()) else { return Value::Null };
        let capital = |name: String| {
            let mut letters = name.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        };
        members
            .into_iter()
            .map(|(name, value)| (capital(name), value))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// What was cut off; `None` if all rows are here.
    fn cut(&self) -> Option<KustoErrorDocument> {
        let truncation = self.rows.truncated?;
        let problem = Problem::new(Kind::BadRequest, format!("E_QUERY_RESULT_SET_TOO_LARGE: {truncation}"));
        Some(KustoError::document(&problem, &self.request_id))
    }

    fn completion(&self) -> Value {
        let (level, level_name, status, payload) = match self.rows.truncated {
            None => (4, "Info", 0, json!({ "Count": 1, "Text": "Query completed successfully" }).to_string()),
            Some(truncation) => (2, "Error", -1, format!("E_QUERY_RESULT_SET_TOO_LARGE: {truncation}")),
        };
        json!([
            self.at,
            self.client_request_id,
            self.request_id,
            self.request_id,
            self.request_id,
            level,
            level_name,
            status,
            if status == 0 { "S_OK (0)" } else { "E_FAIL" },
            4,
            "QueryInfo",
            payload,
        ])
    }

    fn end(&self) -> End {
        let errors: Vec<KustoErrorDocument> = self.cut().into_iter().collect();
        End { frame_type: "DataSetCompletion", has_errors: !errors.is_empty(), cancelled: false, errors }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Frame<'a, R> {
    frame_type: &'static str,
    table_id: u32,
    table_kind: &'static str,
    table_name: &'static str,
    columns: Vec<KustoColumn<'a>>,
    rows: R,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct End {
    frame_type: &'static str,
    has_errors: bool,
    cancelled: bool,
    #[serde(rename = "OneApiErrors", skip_serializing_if = "Vec::is_empty")]
    errors: Vec<KustoErrorDocument>,
}

/// A column of a frame.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KustoColumn<'a> {
    column_name: &'a str,
    column_type: &'static str,
}

impl<'a> KustoColumn<'a> {
    fn of(column: &'a Column) -> Self {
        Self { column_name: &column.name, column_type: column.ty.name() }
    }
}

fn columns(names: &[(&'static str, &'static str)]) -> Vec<KustoColumn<'static>> {
    names.iter().map(|(column_name, column_type)| KustoColumn { column_name, column_type }).collect()
}

/// Rows that are made into JSON one after the other, as they are written.
struct KustoRows<'a>(&'a QueryRows);

impl Serialize for KustoRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        for cells in self.0.cells() {
            let cells: Vec<KustoCell<'_>> = cells.into_iter().map(KustoCell).collect();
            rows.serialize_element(&cells)?;
        }
        rows.end()
    }
}

/// A value as this interface writes it: what is dynamic is what it holds.
struct KustoCell<'a>(Cell<'a>);

impl Serialize for KustoCell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Text(text) => serializer.serialize_str(text),
            cell => json_value(&cell).serialize(serializer),
        }
    }
}

const COMPLETION: &[(&str, &str)] = &[
    ("Timestamp", "datetime"),
    ("ClientRequestId", "string"),
    ("ActivityId", "string"),
    ("SubActivityId", "string"),
    ("ParentActivityId", "string"),
    ("Level", "int"),
    ("LevelName", "string"),
    ("StatusCode", "int"),
    ("StatusCodeName", "string"),
    ("EventType", "int"),
    ("EventTypeName", "string"),
    ("Payload", "string"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn request(properties: Value) -> KustoRequest {
        serde_json::from_value(json!({ "db": "default", "csl": "print 1", "properties": properties }))
            .unwrap()
    }

    #[test]
    fn how_long_the_caller_waits_is_read_from_an_object_or_its_text() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        for (properties, patience) in [
            (Value::Null, None),
            (json!({}), None),
            (json!("{\"Options\":{\"servertimeout\":\"0:02:00\"},\"Parameters\":{}}"), minutes(2)),
            (json!({ "Options": { "servertimeout": "00:04:00", "query_language": "csl" } }), minutes(4)),
            (json!("{\"Options\":null}"), None),
        ] {
            assert_eq!(request(properties.clone()).patience().ok(), Some(patience), "{properties}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for (properties, said) in [
            (json!({ "Parameters": { "x": "1" } }), "parameters of queries"),
            (json!({ "Options": { "servertimeout": "soon" } }), "servertimeout"),
            (json!({ "Options": { "servertimeout": "-00:01:00" } }), "servertimeout"),
            (json!("{"), "`properties`"),
        ] {
            let problem = request(properties).patience().unwrap_err();
            assert!(problem.detail.contains(said), "{}", problem.detail);
        }
    }
}
