//! Rows as aligned columns, and values as text.

use crate::out;
use comfy_table::{Cell, CellAlignment, Table, presets};
use fim_core::is_hidden;
use serde_json::Value;

/// Prints rows below their headings; numbers stand to the right.
pub fn print(headings: &[&str], rows: &[Vec<Value>]) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(headings.iter().map(|heading| Cell::new(plain(heading))));
    for row in rows {
        table.add_row(row.iter().map(|value| {
            let cell = Cell::new(text(value));
            if value.is_number() { cell.set_alignment(CellAlignment::Right) } else { cell }
        }));
    }
    out::line(table.trim_fmt());
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

#[cfg(test)]
mod tests {
    use super::*;

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
