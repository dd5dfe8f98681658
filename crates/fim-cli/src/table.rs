//! Rows as aligned columns, and values as text.

use std::io::IsTerminal;

use crate::out;
use chrono::{DateTime, Local};
use comfy_table::{Cell, CellAlignment, Table, presets};
use fim_core::is_hidden;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// Prints rows below their headings; numbers stand to the right. Where the terminal is too narrow for that, each row is a
/// block of its own with a column in each line. Returns the headings of the columns that are empty in all rows, which are
/// left out.
pub fn print<'a>(headings: &[&'a str], rows: &[Vec<Value>]) -> Vec<&'a str> {
    let (shown, empty): (Vec<usize>, Vec<usize>) =
        (0..headings.len()).partition(|&column| rows.iter().any(|row| has_text(row.get(column))));
    // Rows that have nothing at all are rows still.
    let (shown, empty) = if shown.is_empty() { (empty, shown) } else { (shown, empty) };
    // What goes to a program or a file is as wide as it is.
    let width = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    out::line(lay_out(headings, rows, &shown, width.map(|(terminal_size::Width(width), _)| width.into())));
    empty.into_iter().map(|column| headings[column]).collect()
}

/// The columns `shown` of the rows as a table, or as blocks if no line of the table is to be wider than `width`.
fn lay_out(headings: &[&str], rows: &[Vec<Value>], shown: &[usize], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(shown.iter().map(|&column| Cell::new(plain(headings[column]))));
    for row in rows {
        table.add_row(shown.iter().map(|&column| {
            let value = row.get(column).unwrap_or(&Value::Null);
            let cell = Cell::new(text(value));
            if value.is_number() { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    }
    let table = table.trim_fmt();
    match width {
        Some(width) if table.lines().any(|line| line.width() > width) => blocks(headings, rows, shown, width),
        Some(_) | None => table,
    }
}

/// Each row below a line with its number, and each of its columns that has something in a line of its own.
fn blocks(headings: &[&str], rows: &[Vec<Value>], shown: &[usize], width: usize) -> String {
    let names: Vec<String> = shown.iter().map(|&column| plain(headings[column])).collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (number, row) in (1..).zip(rows) {
        let title = format!("-[ {number} ]");
        lines.push(format!("{title}{}", "-".repeat(width.min(LONGEST_RULE).saturating_sub(title.len()))));
        for (name, &column) in names.iter().zip(shown).filter(|(_, column)| has_text(row.get(**column))) {
            let padding = " ".repeat(widest - name.width());
            lines.push(format!("{name}{padding}  {}", text(row.get(column).unwrap_or(&Value::Null))));
        }
    }
    lines.join("\n")
}

fn has_text(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !text(value).is_empty())
}

/// A column of a list: a field of its items, and how it is shown.
pub struct Column {
    heading: &'static str,
    field: &'static str,
    is_moment: bool,
    otherwise: &'static str,
}

impl Column {
    /// The field as it is.
    pub const fn new(heading: &'static str, field: &'static str) -> Self {
        Self { heading, field, is_moment: false, otherwise: "" }
    }

    /// The field is a moment.
    pub const fn moment(self) -> Self {
        Self { is_moment: true, ..self }
    }

    /// What is shown where there is none.
    pub const fn or(self, otherwise: &'static str) -> Self {
        Self { otherwise, ..self }
    }

    fn show(&self, item: &Value) -> Value {
        match &item[self.field] {
            Value::Null => Value::from(self.otherwise),
            Value::String(text) if self.is_moment => Value::from(moment(text)),
            Value::Array(values) => Value::from(values.iter().map(text).collect::<Vec<_>>().join(", ")),
            other => other.clone(),
        }
    }
}

/// Prints the columns of each item of a list below their headings, or that there are none of what it lists.
pub fn print_list(items: &Value, columns: &[Column], what: &str) {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        eprintln!("no {what}");
        return;
    }
    let headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
    let rows: Vec<Vec<Value>> =
        items.iter().map(|item| columns.iter().map(|column| column.show(item)).collect()).collect();
    print(&headings, &rows);
}

/// A moment as a person reads it: in local time, to the second, with the zone's distance from UTC.
pub fn moment(moment: &str) -> String {
    match DateTime::parse_from_rfc3339(moment) {
        Ok(time) => time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S%:z").to_string(),
        Err(_) => plain(moment),
    }
}

/// A message in which what somebody typed is cut where it is so long that it would hide the rest.
pub fn cut_long(message: &str) -> String {
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        // What is in quotes may have spaces; an apostrophe is no quote.
        let quoted = (first == '"').then(|| rest[1..].find('"').map(|length| length + 2)).flatten();
        let word = || rest.find(char::is_whitespace).unwrap_or(rest.len()).max(first.len_utf8());
        let (piece, after) = rest.split_at(quoted.unwrap_or_else(word));
        rest = after;
        let length = piece.chars().count();
        if length <= LONGEST_SHOWN {
            shown.push_str(piece);
            continue;
        }
        shown.extend(piece.chars().take(LONGEST_SHOWN / 2));
        shown.push_str(&format!("… ({length} characters)"));
        shown.extend(quoted.map(|_| '"'));
    }
    shown
}

/// A value as a person reads it. Hidden characters never reach the terminal: names of files are an attacker's choice,
/// and escape sequences or marks of direction would let one paint over the report.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Text on one line whose hidden characters are escaped.
pub fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if is_hidden(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Text on as many lines as it has, otherwise as [`plain`] shows it.
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// The same JSON document with hidden characters escaped, so that it can be shown to a person too.
pub fn plain_json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for character in document.chars() {
        // Line breaks of the layout stay; those in a text are escaped already.
        if character != '\n' && is_hidden(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// More than a digest has, and than most paths have.
const LONGEST_SHOWN: usize = 160;

/// No line between two blocks is longer than this.
const LONGEST_RULE: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_what_is_not_stays() {
        let short = "there is a rule \"web\" already; it's yours: /etc/a 'b'\n  | /etc/[a";
        assert_eq!(cut_long(short), short);
        let long = "x y".repeat(1000);
        let cut = cut_long(&format!("there is no rule \"{long}\"; see \"web\""));
        assert!(
            cut.starts_with("there is no rule \"x yx y") && cut.ends_with("(3002 characters)\"; see \"web\""),
            "{cut}"
        );
        let cut = cut_long(&format!("invalid value '{}' for '--files'", "ü".repeat(999)));
        assert!(cut.ends_with("ü… (1001 characters) for '--files'") && cut.len() < 300, "{cut}");
        assert_eq!(cut_long("an open \" quote"), "an open \" quote");
    }

    fn check_layout(width: Option<usize>, expected: &str) {
        let rows = vec![
            vec![Value::from("/etc/passwd"), Value::from(12), Value::from("root")],
            vec![Value::from("/srv/\u{8a9e}\u{1b}"), Value::Null, Value::from("amira")],
        ];
        let laid_out = lay_out(&["Path", "Size", "InitiatedBy"], &rows, &[0, 1, 2], width);
        assert_eq!(laid_out.trim_end(), expected.trim_matches('\n'), "{laid_out}");
    }

    #[test]
    fn rows_that_are_wider_than_the_terminal_are_blocks_of_a_line_a_column() {
        let table = " Path           Size  InitiatedBy\n /etc/passwd      12  root\n /srv/\u{8a9e}\\u{1b}        amira";
        check_layout(None, table);
        check_layout(Some(33), table);
        check_layout(
            Some(32),
            "
-[ 1 ]--------------------------
Path         /etc/passwd
Size         12
InitiatedBy  root
-[ 2 ]--------------------------
Path         /srv/\u{8a9e}\\u{1b}
InitiatedBy  amira
",
        );
        check_layout(
            Some(3),
            "-[ 1 ]\nPath         /etc/passwd\nSize         12\nInitiatedBy  root\n-[ 2 ]\nPath         /srv/\u{8a9e}\\u{1b}\nInitiatedBy  amira",
        );
    }

    #[test]
    fn a_column_shows_a_moment_to_the_second_and_what_is_not_there_by_a_word() {
        let item = serde_json::json!({ "end": null, "exclude": ["*.log", "a\u{1b}"], "seen": "2026-11-23T06:38:19.123456Z" });
        assert_eq!(Column::new("EXPIRES", "end").moment().or("never").show(&item), "never");
        assert_eq!(Column::new("EXCLUDE", "exclude").show(&item), "*.log, a\\u{1b}");
        let seen = Column::new("LAST SEEN", "seen").moment().show(&item);
        let seen = DateTime::parse_from_str(seen.as_str().unwrap(), "%Y-%m-%d %H:%M:%S%:z").unwrap();
        assert_eq!(seen.to_utc().to_rfc3339(), "2026-11-23T06:38:19+00:00");
    }

    #[test]
    fn an_escape_sequence_in_a_name_does_not_reach_the_terminal() {
        assert_eq!(text(&Value::from("a\u{1b}[2Jb\n")), "a\\u{1b}[2Jb\\n");
    }

    #[test]
    fn a_mark_of_direction_in_a_name_does_not_reach_the_terminal() {
        assert_eq!(text(&Value::from("web\u{202e}10")), "web\\u{202e}10");
        assert_eq!(plain_lines("one\u{202e}\ntwo\r"), "one\\u{202e}\ntwo\\r");
    }

    #[test]
    fn a_document_for_programs_is_the_same_and_hides_nothing() {
        let value = serde_json::json!({ "name": "web\u{202e}\u{9b}2J\u{e0041}\n" });
        let shown = plain_json(&format!("{value:#}"));
        assert!(!shown.replace('\n', "").contains(is_hidden), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
