//! Rows as an aligned table for people.

use std::io::{self, Write};

use fim_kql::ScalarType;

use super::{Cell, QueryRows};

/// Writes a header, a rule and the rows in columns, numbers to the right.
///
/// Control characters are written as escapes, so that a file name cannot move the cursor or recolour the terminal
/// of the person who looks for it.
pub fn write_table(rows: &QueryRows, to: &mut impl Write) -> io::Result<()> {
    let header: Vec<String> = rows.columns.iter().map(|column| printable(&column.name)).collect();
    let body: Vec<Vec<String>> = rows.cells().map(|cells| cells.iter().map(cell_text).collect()).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = body.iter().map(|row| row[column].chars().count());
            cells.chain([header[column].chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let to_right: Vec<bool> = rows
        .columns
        .iter()
        .map(|column| column.ty.is_number() || column.ty == ScalarType::TimeSpan)
        .collect();

    write_line(&header, &widths, &to_right, to)?;
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    write_line(&rule, &widths, &to_right, to)?;
    for row in &body {
        write_line(row, &widths, &to_right, to)?;
    }
    Ok(())
}

fn write_line(cells: &[String], widths: &[usize], to_right: &[bool], to: &mut impl Write) -> io::Result<()> {
    let mut line = String::new();
    for (column, cell) in cells.iter().enumerate() {
        if column > 0 {
            line.push_str("  ");
        }
        let padding = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
        if to_right[column] {
            line.push_str(&padding);
            line.push_str(cell);
        } else {
            line.push_str(cell);
            line.push_str(&padding);
        }
    }
    writeln!(to, "{}", line.trim_end())
}

fn cell_text(cell: &Cell<'_>) -> String {
    printable(&cell.to_text())
}

/// The text with control characters, and the marks that turn the direction of writing, escaped.
fn printable(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_unsafe) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| if is_unsafe(c) { c.escape_default().collect::<Vec<char>>() } else { vec![c] })
        .collect()
}
