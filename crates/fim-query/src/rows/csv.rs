//! Rows as comma-separated values (RFC 4180).

use std::io::{self, Write};

use super::{Cell, QueryRows};

/// How CSV is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CsvOptions {
    /// Puts an apostrophe before a text that a spreadsheet would run as a formula.
    ///
    /// A file name is chosen by whoever can create a file, and `=HYPERLINK(…)` is a legal one. Programs that read
    /// the file see the apostrophe too, so this is for people, not for pipes.
    pub guard_formulas: bool,
}

/// Writes a header and the rows in UTF-8, lines ended by CR LF.
pub fn write_csv(rows: &QueryRows, options: CsvOptions, to: &mut impl Write) -> io::Result<()> {
    write_line(rows.columns.iter().map(|column| column.name.as_str().into()), to)?;
    for cells in rows.cells() {
        write_line(cells.iter().map(|cell| field(cell, options)), to)?;
    }
    Ok(())
}

/// The text of one field, before quoting.
fn field<'a>(cell: &Cell<'a>, options: CsvOptions) -> std::borrow::Cow<'a, str> {
    let text = cell.to_text();
    // Numbers and moments never start a formula: a leading sign is theirs, also where a number is kept as text.
    let is_text = matches!(cell, Cell::Text(_) | Cell::Dynamic(_));
    if options.guard_formulas
        && is_text
        && text.starts_with(['=', '+', '-', '@', '\t', '\r'])
        && !is_number(&text)
    {
        return format!("'{text}").into();
    }
    text
}

/// True for digits with a sign before them and a point among them, and no more: nothing that is worked out.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.starts_with(|first: char| first.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || c == '.')
        && unsigned.matches('.').count() <= 1
}

fn write_line<'a>(
    fields: impl Iterator<Item = std::borrow::Cow<'a, str>>,
    to: &mut impl Write,
) -> io::Result<()> {
    for (position, field) in fields.enumerate() {
        if position > 0 {
            to.write_all(b",")?;
        }
        write_field(&field, to)?;
    }
    to.write_all(b"\r\n")
}

fn write_field(text: &str, to: &mut impl Write) -> io::Result<()> {
    if !text.contains(['"', ',', '\r', '\n']) {
        return to.write_all(text.as_bytes());
    }
    write!(to, "\"{}\"", text.replace('"', "\"\""))
}
