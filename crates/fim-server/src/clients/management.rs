//! The commands of Kusto clusters by which clients find out what there is.

use axum::Json;
use axum::extract::{Extension, State};
use fim_query::table_schema;
use fim_store::schema::{self, Table};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::kusto::KustoRequest;
use crate::app::AppState;
use crate::auth::Caller;
use crate::control::WorkspaceRecord;
use crate::problem::{ApiJson, Kind, Problem};
use crate::surface::NO_RESOURCE;

/// The answer to a command, in the first published shape.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct KustoTables {
    tables: [KustoTable; 1],
}

/// A table of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct KustoTable {
    table_name: &'static str,
    columns: Vec<KustoTableColumn>,
    rows: Vec<Vec<Value>>,
}

/// A column of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct KustoTableColumn {
    column_name: &'static str,
    data_type: &'static str,
    column_type: &'static str,
}

/// Does a command.
#[utoipa::path(
    post, path = "/v1/rest/mgmt", tag = "published", request_body = KustoRequest,
    responses((status = 200, description = "What the command shows.", body = KustoTables))
)]
pub async fn post_kusto_command(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    ApiJson(request): ApiJson<KustoRequest>,
) -> Result<Json<KustoTables>, Problem> {
    let table = match Command::parse(&request.csl)? {
        Command::Version => versions(),
        Command::Databases => databases(&caller.workspaces(&app).await?),
        Command::Tables => tables(&caller.workspace(&app, request.database()?).await?),
        Command::TableSchema(name) => {
            table_columns(&caller.workspace(&app, request.database()?).await?, find(&name)?)
        }
        Command::DatabaseSchema(name) => {
            let name = name.as_deref().map_or_else(|| request.database(), Ok)?;
            database_columns(&caller.workspace(&app, name).await?)
        }
    };
    Ok(Json(KustoTables { tables: [table] }))
}

/// What can be asked.
#[derive(Debug, Eq, PartialEq)]
enum Command {
    Version,
    Databases,
    Tables,
    TableSchema(String),
    DatabaseSchema(Option<String>),
}

impl Command {
    fn parse(text: &str) -> Result<Self, Problem> {
        let unknown = || {
            let detail = format!(
                "the command \"{}\" is not one of this server's; there are .show version, .show databases, .show tables, \
                 .show table NAME cslschema and .show database [NAME] schema",
                text.trim().chars().take(100).collect::<String>()
            );
            Problem::new(Kind::BadRequest, detail)
        };
        let text = text.trim().trim_end_matches(';');
        let words: Vec<&str> = text.split_whitespace().collect();
        let lower: Vec<String> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let name = |index: usize| words.get(index).map(|word| bare(word).to_owned());
        match lower.as_slice() {
            [".show", "version"] => Ok(Self::Version),
            [".show", "databases"] => Ok(Self::Databases),
            [".show", "tables"] => Ok(Self::Tables),
            [".show", "table", _, "cslschema"] => name(2).map(Self::TableSchema).ok_or_else(unknown),
            [".show", "database", "schema"] => Ok(Self::DatabaseSchema(None)),
            [".show", "database", _, "schema"] => Ok(Self::DatabaseSchema(name(2))),
            _ => Err(unknown()),
        }
    }
}

/// A name without the brackets and quotes that it may stand in: `['name']`, `["name"]`.
fn bare(word: &str) -> &str {
    let inner = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.map_or(word, |inner| inner.trim_matches(|quote| matches!(quote, '\'' | '"')))
}

fn find(name: &str) -> Result<&'static Table, Problem> {
    schema::table(name).ok_or_else(|| {
        let names: Vec<&str> = schema::tables().iter().map(|table| table.name).collect();
        let detail = format!("there is no table \"{name}\"; the tables are {}", names.join(", "));
        Problem::new(Kind::NotFound, detail).with_code(NO_RESOURCE)
    })
}

fn versions() -> KustoTable {
    let columns = ["BuildVersion", "ServiceType", "ProductVersion"].map(text);
    let version = env!("CARGO_PKG_VERSION");
    table(columns, vec![vec![json!(version), json!("Engine"), json!(format!("Steadfast {version}"))]])
}

fn databases(workspaces: &[WorkspaceRecord]) -> KustoTable {
    let columns =
        ["DatabaseName", "PersistentStorage", "Version", "DatabaseAccessMode", "PrettyName", "DatabaseId"];
    let row = |workspace: &WorkspaceRecord| {
        vec![
            json!(workspace.name),
            json!(""),
            json!("v1.0"),
            json!("ReadOnly"),
            json!(""),
            json!(workspace.id),
        ]
    };
    table(columns.map(text), workspaces.iter().map(row).collect())
}

fn tables(workspace: &WorkspaceRecord) -> KustoTable {
    let row = |table: &Table| vec![json!(table.name), json!(workspace.name), json!(""), json!("")];
    let columns = ["TableName", "DatabaseName", "Folder", "DocString"].map(text);
    table(columns, schema::tables().iter().map(row).collect())
}

fn table_columns(workspace: &WorkspaceRecord, found: &Table) -> KustoTable {
    let schema = table_schema(found);
    let columns: Vec<String> =
        schema.columns.iter().map(|column| format!("{}:{}", column.name, column.ty.name())).collect();
    let row = vec![json!(found.name), json!(columns.join(",")), json!(workspace.name), json!(""), json!("")];
    table(["TableName", "Schema", "DatabaseName", "Folder", "DocString"].map(text), vec![row])
}

fn database_columns(workspace: &WorkspaceRecord) -> KustoTable {
    let mut rows = Vec::new();
    for found in schema::tables() {
        rows.push(vec![json!(workspace.name), json!(found.name), Value::Null, Value::Null]);
        for column in table_schema(found).columns {
            let ty = dotnet_type(column.ty.name());
            rows.push(vec![json!(workspace.name), json!(found.name), json!(column.name), json!(ty)]);
        }
    }
    table(["DatabaseName", "TableName", "ColumnName", "ColumnType"].map(text), rows)
}

/// The type as this shape names it. Source: the published table of scalar data types.
fn dotnet_type(kql: &str) -> &'static str {
    match kql {
        "bool" => "System.SByte",
        "datetime" => "System.DateTime",
        "dynamic" => "System.Object",
        "guid" => "System.Guid",
        "int" => "System.Int32",
        "long" => "System.Int64",
        "real" => "System.Double",
        "timespan" => "System.TimeSpan",
        "decimal" => "System.Data.SqlTypes.SqlDecimal",
        _ => "System.String",
    }
}

fn text(column_name: &'static str) -> KustoTableColumn {
    KustoTableColumn { column_name, data_type: "String", column_type: "string" }
}

fn table<const N: usize>(columns: [KustoTableColumn; N], rows: Vec<Vec<Value>>) -> KustoTable {
    KustoTable { table_name: "Table_0", columns: columns.into(), rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case_and_names_in_brackets() {
        for (text, command) in [
            (".show version", Command::Version),
            (" .Show  Databases ;", Command::Databases),
            (".show tables", Command::Tables),
            (".show table ['Heartbeat'] cslschema", Command::TableSchema("Heartbeat".to_owned())),
            (".show table Heartbeat cslschema", Command::TableSchema("Heartbeat".to_owned())),
            (".show database schema", Command::DatabaseSchema(None)),
            (".show database [\"prod\"] schema", Command::DatabaseSchema(Some("prod".to_owned()))),
        ] {
            assert_eq!(Command::parse(text).ok(), Some(command), "{text}");
        }
        for text in ["", ".show", ".drop table Heartbeat", "Heartbeat", ".show table Heartbeat"] {
            assert!(Command::parse(text).unwrap_err().detail.contains(".show tables"), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_command_makes_the_reader_panic(text in ".{0,60}") {
            let _ = Command::parse(&text);
        }
    }
}
