//! Rows as aligned columns, and values as text.

use comfy_table::{Cell, CellAlignment, Table, presets};
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
    println!("{}", table.trim_fmt());
}

/// A value as a person reads it. Control characters never reach the terminal: names of files are an attacker's
/// choice, and escape sequences would let one paint over the report.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Text without control characters.
pub fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_in_a_name_does_not_reach_the_terminal() {
        assert_eq!(text(&Value::from("a\u{1b}[2Jb\n")), "a\\u{1b}[2Jb\\n");
    }
}
