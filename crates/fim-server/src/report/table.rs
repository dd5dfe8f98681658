//! An answer's rows by column name.

use std::collections::HashMap;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::model::{ChangeCategory, ChangeType, Column, FileKind};
use crate::clock::Moment;

/// An answer's rows by column name.
#[derive(Debug)]
pub struct Table {
    index: HashMap<String, usize>,
    rows: Vec<Vec<Value>>,
}

/// One row of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    index: &'a HashMap<String, usize>,
    cells: &'a [Value],
}

/// Why a figure could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The answer lacks a column, or it holds something else.
    #[error("the column {column} of a report holds {found}")]
    Cell {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
}

impl Table {
    /// The answer's rows.
    pub fn new(columns: &[Column], rows: Vec<Vec<Value>>) -> Self {
        let index = columns.iter().enumerate().map(|(place, column)| (column.name.clone(), place)).collect();
        Self { index, rows }
    }

    /// The rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { index: &self.index, cells })
    }
}

impl<'a> Row<'a> {
    /// The text of a column; empty if it is null.
    pub fn text(self, column: &str) -> Result<&'a str, ReportError> {
        match self.cell(column)? {
            Value::String(text) => Ok(text),
            Value::Null => Ok(""),
            other => Err(wrong(column, other)),
        }
    }

    /// The count of a column; 0 if it is null.
    pub fn count(self, column: &str) -> Result<u64, ReportError> {
        match self.cell(column)? {
            Value::Null => Ok(0),
            other => other.as_u64().ok_or_else(|| wrong(column, other)),
        }
    }

    /// The whole number of a column; `None` if it is null.
    pub fn number(self, column: &str) -> Result<Option<u64>, ReportError> {
        match self.cell(column)? {
            Value::Null => Ok(None),
            other => other.as_u64().map(Some).ok_or_else(|| wrong(column, other)),
        }
    }

    /// The number of a column as text; `None` if it is null.
    pub fn number_text(self, column: &str) -> Result<Option<String>, ReportError> {
        match self.cell(column)? {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(Some(number.to_string())),
            other => Err(wrong(column, other)),
        }
    }

    /// The moment of a column; `None` if it is null.
    pub fn moment(self, column: &str) -> Result<Option<Moment>, ReportError> {
        match self.cell(column)? {
            Value::Null => Ok(None),
            Value::String(text) => {
                Moment::parse(text).map(Some).ok_or_else(|| wrong(column, &Value::String(text.clone())))
            }
            other => Err(wrong(column, other)),
        }
    }

    /// The moment of a column that is never null.
    pub fn time(self, column: &str) -> Result<Moment, ReportError> {
        self.moment(column)?.ok_or_else(|| wrong(column, &Value::Null))
    }

    /// What a dynamic column holds; nothing of it if it is null.
    pub fn json<T: DeserializeOwned + Default>(self, column: &str) -> Result<T, ReportError> {
        match self.cell(column)? {
            Value::Null => Ok(T::default()),
            value => T::deserialize(value).map_err(|_| wrong(column, value)),
        }
    }

    /// A word of a column.
    pub fn word<T: FromStr>(self, column: &str) -> Result<T, ReportError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| wrong(column, &Value::String(text.to_owned())))
    }

    fn cell(self, column: &str) -> Result<&'a Value, ReportError> {
        let cell = self.index.get(column).and_then(|place| self.cells.get(*place));
        cell.ok_or_else(|| ReportError::Cell {
            column: column.to_owned(),
            found: "no such column".to_owned(),
        })
    }
}

impl FromStr for ChangeType {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        serde_json::from_value(Value::String(text.to_owned())).map_err(|_| ())
    }
}

impl FromStr for FileKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        serde_json::from_value(Value::String(text.to_owned())).map_err(|_| ())
    }
}

impl FromStr for ChangeCategory {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        serde_json::from_value(Value::String(text.to_owned())).map_err(|_| ())
    }
}

fn wrong(column: &str, found: &Value) -> ReportError {
    ReportError::Cell { column: column.to_owned(), found: found.to_string() }
}
