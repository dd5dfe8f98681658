//! Rows as JSON values, with the spelling of the query API.

use std::io::{self, Write};

use serde_json::Value;

use super::cell::real_text;
use super::{Cell, QueryRows};

/// The rows as arrays of JSON values, in the order of the columns.
pub fn json_rows(rows: &QueryRows) -> impl Iterator<Item = Vec<Value>> + '_ {
    rows.cells().map(|cells| cells.iter().map(json_value).collect())
}

/// One value: a moment and a timespan as text, a `real` that is no number as text, a `dynamic` as what it holds.
pub fn json_value(cell: &Cell<'_>) -> Value {
    match *cell {
        Cell::Null => Value::Null,
        Cell::Bool(value) => Value::Bool(value),
        Cell::Integer(value) => Value::from(value),
        Cell::Real(value) if value.is_finite() => Value::from(value),
        Cell::Real(value) => Value::String(real_text(value)),
        Cell::Text(text) => Value::String(text.to_owned()),
        Cell::DateTime(moment) => Value::String(moment.to_string()),
        Cell::TimeSpan(span) => Value::String(span.to_string()),
        Cell::Dynamic(json) => serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned())),
    }
}

/// Writes the rows as one JSON array of arrays.
pub fn write_json_rows(rows: &QueryRows, to: &mut impl Write) -> io::Result<()> {
    to.write_all(b"[")?;
    for (position, row) in json_rows(rows).enumerate() {
        if position > 0 {
            to.write_all(b",")?;
        }
        serde_json::to_writer(&mut *to, &row)?;
    }
    to.write_all(b"]")
}

/// Writes one JSON object a line, its members in the order of the columns.
pub fn write_ndjson(rows: &QueryRows, to: &mut impl Write) -> io::Result<()> {
    for cells in rows.cells() {
        to.write_all(b"{")?;
        for (position, (column, cell)) in rows.columns.iter().zip(&cells).enumerate() {
            if position > 0 {
                to.write_all(b",")?;
            }
            serde_json::to_writer(&mut *to, &column.name)?;
            to.write_all(b":")?;
            serde_json::to_writer(&mut *to, &json_value(cell))?;
        }
        to.write_all(b"}\n")?;
    }
    Ok(())
}
