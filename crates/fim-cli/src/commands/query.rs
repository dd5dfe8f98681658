//! `steadfast query`: a query's rows as a table, JSON, NDJSON or CSV.

use std::io::{self, Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{OutputFormat, QueryArgs};
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::out;
use crate::table;

/// Runs the query and prints its rows.
pub fn run(client: &Client, args: &QueryArgs) -> Result<(), Failure> {
    let query = if args.kql == "-" { read_query()? } else { args.kql.clone() };
    let path = format!("/workspaces/{}/query", segment(&args.workspace.workspace));
    let body = json!({ "query": query, "timespan": args.timespan });
    let output = if args.json { OutputFormat::Json } else { args.output };
    print_answer(client, &path, &body, output).map_err(|failure| failure.shown_in(&query))
}

fn print_answer(client: &Client, path: &str, body: &Value, output: OutputFormat) -> Result<(), Failure> {
    if output == OutputFormat::Csv {
        let mut rows = client.post_stream(&format!("{path}.csv"), body)?;
        let copied = io::copy(&mut rows, &mut io::stdout().lock()).and_then(|_| io::stdout().flush());
        return written(copied);
    }
    let answer: Answer = client.post(path, body)?;
    match output {
        OutputFormat::Table => {
            let headings: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
            table::print(&headings, &answer.rows);
        }
        OutputFormat::Json => written(write_objects(&answer, "[", ",\n ", "]\n"))?,
        OutputFormat::Ndjson if answer.rows.is_empty() => {}
        OutputFormat::Ndjson => written(write_objects(&answer, "", "\n", "\n"))?,
        OutputFormat::Csv => {}
    }
    if answer.truncated {
        eprintln!("steadfast: the answer was cut at the server's limit; narrow the query or summarize");
    }
    Ok(())
}

fn read_query() -> Result<String, Failure> {
    let mut query = String::new();
    io::stdin()
        .lock()
        .take(QUERY_LIMIT_BYTES)
        .read_to_string(&mut query)
        .map_err(|error| Failure::Usage(format!("cannot read the query from standard input: {error}")))?;
    Ok(query)
}

fn written(rows: io::Result<()>) -> Result<(), Failure> {
    rows.or_else(|error| out::failed(&error).map_or(Ok(()), Err))
}

/// What the server answers.
#[derive(Deserialize)]
struct Answer {
    columns: Vec<Column>,
    rows: Vec<Vec<Value>>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct Column {
    name: String,
}

/// Writes each row as an object whose fields stand in the query's order, which a JSON map would lose.
fn write_objects(answer: &Answer, before: &str, between: &str, after: &str) -> io::Result<()> {
    let names: Vec<String> =
        answer.columns.iter().map(|column| Value::from(&*column.name).to_string()).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    out.write_all(before.as_bytes())?;
    for (index, row) in answer.rows.iter().enumerate() {
        let fields: Vec<String> = names
            .iter()
            .zip(row)
            .map(|(name, value)| table::plain_json(&format!("{name}:{value}")))
            .collect();
        write!(out, "{}{{{}}}", if index > 0 { between } else { "" }, fields.join(","))?;
    }
    out.write_all(after.as_bytes())?;
    out.flush()
}

/// More than the server accepts, so that the server's own message is shown.
const QUERY_LIMIT_BYTES: u64 = 4 * 1024 * 1024;
