//! Rows as aligned columns, and values as text.

use std::io::IsTerminal;

use crate::out;
use chrono::{DateTime, Local};
use comfy_table::{Cell, CellAlignment, Table, presets};
use fim_core::is_hidden;
use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Prints rows below their headings; numbers stand to the right. Where the terminal is too narrow for that, each row is a
/// block of its own with a column in each line. Returns the headings of the columns that are empty in all rows, which are
/// left out.
pub fn print<'a>(headings: &[&'a str], rows: &[Vec<Value>]) -> Vec<&'a str> {
    let (shown, empty) = shown_and_empty(headings.len(), rows);
    out::line(Layout { headings, rows, shown: &shown }.for_width(terminal_width()));
    empty.into_iter().map(|column| headings[column]).collect()
}

/// The columns that have something in some row, and those that have nothing in all of them.
fn shown_and_empty(columns: usize, rows: &[Vec<Value>]) -> (Vec<usize>, Vec<usize>) {
    let (shown, empty): (Vec<usize>, Vec<usize>) =
        (0..columns).partition(|&column| rows.iter().any(|row| has_text(row.get(column))));
    // Rows that have nothing at all are rows still.
    if shown.is_empty() { (empty, shown) } else { (shown, empty) }
}

/// The terminal's width; nothing for a program or a file, which get lines as wide as they are.
fn terminal_width() -> Option<usize> {
    let size = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    size.map(|(terminal_size::Width(width), _)| width.into())
}

/// The columns `shown` of some rows.
struct Layout<'a> {
    headings: &'a [&'a str],
    rows: &'a [Vec<Value>],
    shown: &'a [usize],
}

impl Layout<'_> {
    /// A table, or blocks if a line of the table would be wider than `width`.
    fn for_width(&self, width: Option<usize>) -> String {
        let table = self.table(&[], usize::MAX);
        match width {
            Some(width) if !fits(&table, width) => self.blocks(width),
            Some(_) | None => table,
        }
    }

    /// A table whose columns `shrinking` are cut in the middle as far as it takes to be no wider than `width`, and whether
    /// any is. Blocks if that would leave too little of them.
    fn shrunk_to_width(&self, shrinking: &[usize], width: Option<usize>) -> (String, bool) {
        let table = self.table(&[], usize::MAX);
        let Some(width) = width.filter(|width| !fits(&table, *width)) else { return (table, false) };
        match self.longest_text(shrinking, width) {
            Some(longest) => (self.table(shrinking, longest), true),
            None => (self.blocks(width), false),
        }
    }

    fn table(&self, shrinking: &[usize], longest: usize) -> String {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.set_header(self.shown.iter().map(|&column| Cell::new(plain(self.headings[column]))));
        for row in self.rows {
            table.add_row(self.shown.iter().map(|&column| {
                let value = row.get(column).unwrap_or(&Value::Null);
                let text = text(value);
                let text = if shrinking.contains(&column) { cut_middle(&text, longest) } else { text };
                let cell = Cell::new(text);
                if value.is_number() { cell.set_alignment(CellAlignment::Right) } else { cell }
            }));
        }
        table.trim_fmt()
    }

    /// How wide a text of the columns `shrinking` may be at most for the table to be no wider than `width`.
    fn longest_text(&self, shrinking: &[usize], width: usize) -> Option<usize> {
        let widest = |&column: &usize| {
            let texts = self.rows.iter().map(|row| text(row.get(column).unwrap_or(&Value::Null)).width());
            texts.max().unwrap_or(0).max(plain(self.headings[column]).width())
        };
        let widths: Vec<usize> = self.shown.iter().map(widest).collect();
        // A space stands on either side of a column; what is behind the last one is trimmed.
        let too_wide = (widths.iter().sum::<usize>() + 2 * widths.len()).saturating_sub(width + 1);
        let is_shrinking = |(column, _): &(&usize, &usize)| shrinking.contains(column);
        let shrinking: Vec<usize> =
            self.shown.iter().zip(&widths).filter(is_shrinking).map(|(_, width)| *width).collect();
        let saved =
            |longest: usize| -> usize { shrinking.iter().map(|width| width.saturating_sub(longest)).sum() };
        let most = shrinking.iter().copied().max().unwrap_or(0);
        (SHORTEST_CUT..most).rev().find(|longest| saved(*longest) >= too_wide)
    }

    /// Each row below a line with its number, and each of its columns that has something in a line of its own.
    fn blocks(&self, width: usize) -> String {
        let names: Vec<String> = self.shown.iter().map(|&column| plain(self.headings[column])).collect();
        let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
        let mut lines = Vec::new();
        for (number, row) in (1..).zip(self.rows) {
            let title = format!("-[ {number} ]");
            lines.push(format!("{title}{}", "-".repeat(width.min(LONGEST_RULE).saturating_sub(title.len()))));
            let filled = |(_, column): &(&String, &usize)| has_text(row.get(**column));
            for (name, &column) in names.iter().zip(self.shown).filter(filled) {
                let padding = " ".repeat(widest - name.width());
                lines.push(format!("{name}{padding}  {}", text(row.get(column).unwrap_or(&Value::Null))));
            }
        }
        lines.join("\n")
    }
}

fn fits(table: &str, width: usize) -> bool {
    table.lines().all(|line| line.width() <= width)
}

/// The text in at most `longest` columns of the terminal: its beginning and its end with an ellipsis between them.
fn cut_middle(text: &str, longest: usize) -> String {
    if text.width() <= longest {
        return text.to_owned();
    }
    let of_end = longest / 2;
    let beginning = as_wide_as(text.chars(), longest.saturating_sub(of_end + 1));
    let end = as_wide_as(text.chars().rev(), of_end);
    beginning.into_iter().chain(['…']).chain(end.into_iter().rev()).collect()
}

/// The first of the characters that are together no wider than `width`.
fn as_wide_as(characters: impl Iterator<Item = char>, width: usize) -> Vec<char> {
    let mut left = width;
    let fits = |character: &char| {
        let after = left.checked_sub(character.width().unwrap_or(0));
        left = after.unwrap_or(0);
        after.is_some()
    };
    characters.take_while(fits).collect()
}

fn has_text(value: Option<&Value>) -> bool {
    value.is_some_and(|value| !text(value).is_empty())
}

/// A column of a list: a field of its items, and how it is shown.
pub struct Column {
    heading: &'static str,
    field: &'static str,
    is_moment: bool,
    may_shrink: bool,
    otherwise: &'static str,
}

impl Column {
    /// The field as it is.
    pub const fn new(heading: &'static str, field: &'static str) -> Self {
        Self { heading, field, is_moment: false, may_shrink: false, otherwise: "" }
    }

    /// The field is cut in the middle where the terminal is too narrow for it.
    pub const fn shrinks(self) -> Self {
        Self { may_shrink: true, ..self }
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

/// Prints the columns of each item of a list below their headings, or that there are none of what it lists. True if some
/// are cut for a terminal that is too narrow.
pub fn print_list(items: &Value, columns: &[Column], what: &str) -> bool {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        eprintln!("no {what}");
        return false;
    }
    let headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
    let rows: Vec<Vec<Value>> =
        items.iter().map(|item| columns.iter().map(|column| column.show(item)).collect()).collect();
    let (shown, _) = shown_and_empty(headings.len(), &rows);
    let shrinking: Vec<usize> = (0..columns.len()).filter(|&column| columns[column].may_shrink).collect();
    let layout = Layout { headings: &headings, rows: &rows, shown: &shown };
    let (table, is_cut) = layout.shrunk_to_width(&shrinking, terminal_width());
    out::line(table);
    is_cut
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

/// What is cut shorter than this says no more what it was.
const SHORTEST_CUT: usize = 16;

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
        let layout = Layout { headings: &["Path", "Size", "InitiatedBy"], rows: &rows, shown: &[0, 1, 2] };
        let laid_out = layout.for_width(width);
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
    fn columns_are_cut_in_the_middle_as_far_as_it_takes_to_fit_the_terminal() {
        let rows = vec![
            vec![Value::from("yes"), Value::from("web"), Value::from("/srv/www/customers/one/htdocs/**")],
            vec![Value::from("no"), Value::from("/etc/cron.monthly"), Value::from("")],
        ];
        let layout = Layout { headings: &["ENABLED", "NAME", "PATH"], rows: &rows, shown: &[0, 1, 2] };
        let whole = layout.shrunk_to_width(&[1, 2], None).0;
        let widest = whole.lines().map(UnicodeWidthStr::width).max().unwrap();
        assert_eq!(layout.shrunk_to_width(&[1, 2], Some(widest)), (whole, false));
        for width in widest - 17..widest {
            let (table, is_cut) = layout.shrunk_to_width(&[1, 2], Some(width));
            assert!(is_cut && table.lines().all(|line| line.width() <= width), "{width}: {table}");
            assert!(table.contains("/srv/ww") && table.contains("…") && table.contains("ocs/**"), "{table}");
            assert!(table.contains("/etc/cron.monthly") || width < widest - 15, "{width}: {table}");
        }
        let (blocks, is_cut) = layout.shrunk_to_width(&[1, 2], Some(20));
        assert!(!is_cut && blocks.contains("PATH     /srv/www/customers/one/htdocs/**"), "{blocks}");
    }

    #[test]
    fn a_text_is_cut_by_what_it_takes_of_the_terminal() {
        for (text, longest, cut) in [
            ("/srv/www", 8, "/srv/www"),
            ("/srv/www", 7, "/sr…www"),
            ("/srv/www", 6, "/s…www"),
            ("\u{8a9e}\u{8a9e}\u{8a9e}\u{8a9e}", 6, "\u{8a9e}…\u{8a9e}"),
            ("abc", 1, "…"),
        ] {
            assert_eq!(cut_middle(text, longest), cut, "{text} in {longest}");
        }
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
