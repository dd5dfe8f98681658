//! `steadfast query`: a query's rows as a table, JSON, NDJSON, CSV, Parquet or Arrow.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::args::{OutputFormat, QueryArgs};
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::out;
use crate::table;

/// Runs the query and prints its rows.
pub fn run(client: &Client, args: &QueryArgs) -> Result<(), Failure> {
    let output = if args.json { OutputFormat::Json } else { args.output };
    let target = Target::of(args, output)?;
    let query = if args.kql == "-" { read_query()? } else { args.kql.clone() };
    let path = format!("/workspaces/{}/query", segment(&args.workspace.workspace));
    let body = json!({ "query": query, "timespan": args.timespan });
    print_answer(client, &path, &body, output, target).map_err(|failure| failure.shown_in(&query))
}

/// Where rows go.
enum Target<'a> {
    Output,
    File(&'a Path),
}

impl<'a> Target<'a> {
    fn of(args: &'a QueryArgs, output: OutputFormat) -> Result<Self, Failure> {
        match (&args.file, output) {
            (Some(file), _) => Self::of_file(file, output),
            (None, OutputFormat::Parquet | OutputFormat::Arrow) if io::stdout().is_terminal() => {
                Err(Failure::Usage(
                    "this format is not for a terminal; name a file with --file, or send the output to one"
                        .to_owned(),
                ))
            }
            (None, _) => Ok(Self::Output),
        }
    }

    /// A file that can be written as far as can be told before the query runs. All that is wrong is told at once.
    fn of_file(file: &'a Path, output: OutputFormat) -> Result<Self, Failure> {
        let no_format = (output == OutputFormat::Table)
            .then_some("a table is for people; with --file choose -o csv, json, ndjson, parquet or arrow");
        let no_place = unwritable(file).map(|why| format!("cannot write {}: {why}", file.display()));
        match (no_place, no_format) {
            (None, None) => Ok(Self::File(file)),
            (Some(no_place), None) => Err(Failure::Local(no_place)),
            (None, Some(no_format)) => Err(Failure::Usage(no_format.to_owned())),
            (Some(no_place), Some(no_format)) => Err(Failure::Usage(format!("{no_place}; {no_format}"))),
        }
    }

    /// Writes by `write`. A file that could not be written to the end is removed, so that nobody takes it for whole.
    fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        match self {
            Self::Output => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                let done = write(&mut out).and_then(|()| out.flush());
                done.or_else(|error| out::failed(&error).map_or(Ok(()), Err))
            }
            Self::File(path) => {
                let done = File::create(path).map(io::BufWriter::new).and_then(|mut file| {
                    let done = write(&mut file).and_then(|()| file.flush());
                    if done.is_err() {
                        let _ = std::fs::remove_file(path);
                    }
                    done
                });
                done.map_err(|error| Failure::Local(format!("cannot write {}: {error}", path.display())))
            }
        }
    }
}

/// Why no file can be made there, if that can be seen without making one.
fn unwritable(file: &Path) -> Option<String> {
    if file.is_dir() {
        return Some("it is a folder; name a file in it".to_owned());
    }
    // A name alone is in the current folder.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    match folder.metadata() {
        Ok(there) if there.is_dir() => None,
        Ok(_) => Some(format!("{} is no folder", folder.display())),
        Err(error) => Some(format!("the folder {}: {error}", folder.display())),
    }
}

fn print_answer(
    client: &Client,
    path: &str,
    body: &Value,
    output: OutputFormat,
    target: Target<'_>,
) -> Result<(), Failure> {
    let is_truncated = match output {
        OutputFormat::Csv => copy_csv(client, &format!("{path}.csv"), body, target)?,
        OutputFormat::Parquet => copy(client, &format!("{path}.parquet"), body, target)?,
        OutputFormat::Arrow => copy(client, &format!("{path}.arrow"), body, target)?,
        OutputFormat::Table => {
            let answer: Answer = client.post(path, body)?;
            let headings: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
            print_table(&headings, &answer.rows);
            answer.truncated
        }
        OutputFormat::Json => {
            let answer: Answer = client.post(path, body)?;
            target.write(|to| write_objects(&answer, ["[", ",\n ", "]\n"], to))?;
            answer.truncated
        }
        OutputFormat::Ndjson => {
            let answer: Answer = client.post(path, body)?;
            let end = if answer.rows.is_empty() { "" } else { "\n" };
            target.write(|to| write_objects(&answer, ["", "\n", end], to))?;
            answer.truncated
        }
    };
    if is_truncated {
        eprintln!("steadfast: the answer was cut at the server's limit; narrow the query or summarize");
    }
    Ok(())
}

/// Prints rows for a person; whoever wants columns that have nothing in them asks for another format.
fn print_table(headings: &[&str], rows: &[Vec<Value>]) {
    if rows.is_empty() {
        eprintln!("no rows");
        return;
    }
    let empty = table::print(headings, rows);
    if !empty.is_empty() {
        eprintln!("left out, since they are empty in all rows: {}", table::plain(&empty.join(", ")));
    }
}

/// Hands on the server's bytes as they come; whether the rows in them were cut.
fn copy(client: &Client, path: &str, body: &Value, target: Target<'_>) -> Result<bool, Failure> {
    let (mut rows, is_truncated) = client.post_stream(path, body)?;
    target.write(|to| io::copy(&mut rows, to).map(drop))?;
    Ok(is_truncated)
}

/// Hands on the server's CSV as it is, but for a terminal: what is in a cell may be somebody else's choice.
fn copy_csv(client: &Client, path: &str, body: &Value, target: Target<'_>) -> Result<bool, Failure> {
    if !matches!(target, Target::Output) || !io::stdout().is_terminal() {
        return copy(client, path, body, target);
    }
    let (rows, is_truncated) = client.post_stream(path, body)?;
    target.write(|to| show_lines(BufReader::new(rows), to))?;
    Ok(is_truncated)
}

/// Writes lines with their hidden characters escaped, as a table shows them.
fn show_lines(mut lines: impl BufRead, to: &mut dyn Write) -> io::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let end = &line[text.len()..];
        to.write_all(table::plain(&String::from_utf8_lossy(text)).as_bytes())?;
        // A line that ends here has its end; a carriage return alone would paint over what is before it.
        to.write_all(if end.ends_with(b"\n") { end } else { b"" })?;
        line.clear();
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
fn write_objects(answer: &Answer, [before, between, after]: [&str; 3], to: &mut dyn Write) -> io::Result<()> {
    let names: Vec<String> =
        answer.columns.iter().map(|column| Value::from(&*column.name).to_string()).collect();
    to.write_all(before.as_bytes())?;
    for (index, row) in answer.rows.iter().enumerate() {
        let fields: Vec<String> = names
            .iter()
            .zip(row)
            .map(|(name, value)| table::plain_json(&format!("{name}:{value}")))
            .collect();
        write!(to, "{}{{{}}}", if index > 0 { between } else { "" }, fields.join(","))?;
    }
    to.write_all(after.as_bytes())
}

/// More than the server accepts, so that the server's own message is shown.
const QUERY_LIMIT_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_on_a_terminal_has_no_hidden_character_and_its_lines_as_they_are() {
        let shown = |text: &str| {
            let mut shown = Vec::new();
            show_lines(text.as_bytes(), &mut shown).unwrap();
            String::from_utf8(shown).unwrap()
        };
        let plain = "Name,Size\r\n\"a, \u{8a9e}\",1\r\n\"two\nlines\",2\r\n";
        assert_eq!(shown(plain), plain);
        assert_eq!(shown("Name\r\n\u{1b}[2Jroot\u{202e}\r\n"), "Name\r\n\\u{1b}[2Jroot\\u{202e}\r\n");
        assert_eq!(shown("evil\rgood\r\n"), "evil\\rgood\r\n");
        assert_eq!((shown("cut"), shown("cut\r")), ("cut".to_owned(), "cut".to_owned()));
    }
}
