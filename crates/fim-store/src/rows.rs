//! Rows by column name, made into the Arrow batches that the store takes.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::error::ArrowError;
use fim_core::Timestamp;
use thiserror::Error;
use uuid::Uuid;

use crate::schema::{self, ColumnType, TIME_GENERATED, Table};

/// Builds rows of one table of one workspace.
///
/// The standard columns are filled here: `TenantId` (the workspace), `Type`, `_IsBillable` and `_BilledSize`.
/// A string that no one sets is "", anything else is null.
#[derive(Debug)]
pub struct TableBuilder {
    table: &'static Table,
    workspace: String,
    columns: Vec<ColumnBuilder>,
    /// The row being built, one cell per column.
    cells: Vec<Option<Cell>>,
    rows: usize,
}

/// One row being built; it counts once [`RowBuilder::push`] is called.
#[derive(Debug)]
pub struct RowBuilder<'b> {
    builder: &'b mut TableBuilder,
}

/// A value for a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'v> {
    /// No value; "" for a string.
    Null,
    /// Text, also for `guid`, and JSON text for `dynamic`.
    Text(&'v str),
    /// Text that the caller gives away.
    Owned(String),
    /// A whole number: `long`, `int` if it fits, `timespan` as ticks of 100 ns.
    Number(i64),
    /// A real number.
    Real(f64),
    /// A truth value.
    Bool(bool),
    /// A moment.
    Time(Timestamp),
}

/// Why a row could not be built.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum BuildError {
    /// There is no such table.
    #[error("there is no table {name}")]
    UnknownTable {
        /// The name.
        name: String,
    },
    /// The table has no such column.
    #[error("the table {table} has no column {column}")]
    UnknownColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
    },
    /// The value is of another type than the column.
    #[error("the column {table}.{column} is {expected}, and {found} is not")]
    WrongType {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The column's type.
        expected: ColumnType,
        /// The value.
        found: String,
    },
    /// The row has no time.
    #[error("a row of {table} needs TimeGenerated")]
    MissingTime {
        /// The table.
        table: &'static str,
    },
    /// The rows do not fit in one batch.
    #[error("cannot build a batch of {rows} rows of {table}: {reason}")]
    Batch {
        /// The table.
        table: &'static str,
        /// How many rows.
        rows: usize,
        /// What Arrow says.
        reason: String,
    },
}

impl TableBuilder {
    /// An empty builder for the table of that name.
    pub fn new(table: &str, workspace: Uuid) -> Result<Self, BuildError> {
        let found =
            schema::table(table).ok_or_else(|| BuildError::UnknownTable { name: table.to_owned() })?;
        Ok(Self {
            table: found,
            workspace: workspace.to_string(),
            columns: found.columns.iter().map(|column| ColumnBuilder::new(column.column_type)).collect(),
            cells: vec![None; found.columns.len()],
            rows: 0,
        })
    }

    /// The table's name.
    pub fn table(&self) -> &'static str {
        self.table.name
    }

    /// Starts a row. A row that was started before and not pushed is forgotten.
    pub fn row(&mut self) -> RowBuilder<'_> {
        self.cells.fill(None);
        RowBuilder { builder: self }
    }

    /// How many rows were pushed.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// True if no row was pushed.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows as a batch.
    pub fn finish(mut self) -> Result<RecordBatch, BuildError> {
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(self.table.arrow_schema(), arrays).map_err(|cause: ArrowError| {
            BuildError::Batch { table: self.table.name, rows: self.rows, reason: cause.to_string() }
        })
    }

    fn put(&mut self, name: &str, value: Value<'_>) -> Result<(), BuildError> {
        let table = self.table.name;
        let index = self
            .table
            .column_index(name)
            .ok_or_else(|| BuildError::UnknownColumn { table, column: name.to_owned() })?;
        let column = self.table.columns[index];
        self.cells[index] = match (column.column_type, value) {
            (_, Value::Null) => None,
            (ColumnType::String | ColumnType::Dynamic | ColumnType::Guid, Value::Text(text)) => {
                Some(Cell::Text(text.to_owned()))
            }
            (ColumnType::String | ColumnType::Dynamic | ColumnType::Guid, Value::Owned(text)) => {
                Some(Cell::Text(text))
            }
            (ColumnType::Long | ColumnType::TimeSpan, Value::Number(number)) => Some(Cell::Number(number)),
            (ColumnType::Int, Value::Number(number)) if i32::try_from(number).is_ok() => {
                Some(Cell::Number(number))
            }
            (ColumnType::Real, Value::Real(real)) => Some(Cell::Real(real)),
            (ColumnType::Bool, Value::Bool(truth)) => Some(Cell::Bool(truth)),
            (ColumnType::DateTime, Value::Time(time)) => Some(Cell::Number(time.0.div_euclid(1_000))),
            (expected, value) => {
                let found = format!("{value:?}");
                return Err(BuildError::WrongType { table, column: column.name, expected, found });
            }
        };
        Ok(())
    }

    fn push_row(&mut self) -> Result<(), BuildError> {
        let table = self.table;
        let has_time = table.column_index(TIME_GENERATED).is_some_and(|time| self.cells[time].is_some());
        if !has_time {
            return Err(BuildError::MissingTime { table: table.name });
        }
        let tenant = Value::Owned(self.workspace.clone());
        self.put("TenantId", tenant)?;
        self.put("Type", Value::Text(table.name))?;
        self.put("_IsBillable", Value::Text(if table.is_billable { "True" } else { "False" }))?;
        let size = self.billed_size();
        self.put("_BilledSize", Value::Real(size as f64))?;
        for (column, cell) in self.columns.iter_mut().zip(&mut self.cells) {
            column.append(cell.take());
        }
        self.rows += 1;
        Ok(())
    }

    /// The bytes of the row's columns as text, without the columns that a meter leaves out.
    /// Source: "Azure Monitor Logs cost calculations": the size of a string representation of the columns, without
    /// `_ResourceId`, `_SubscriptionId`, `_IsBillable`, `_BilledSize`, `Type` and `TenantId`. `_TimeReceived` is the
    /// service's own too.
    fn billed_size(&self) -> usize {
        let columns = self.table.columns.iter().zip(&self.cells);
        let billed = columns.filter(|(column, _)| !UNBILLED.contains(&column.name));
        billed.map(|(column, cell)| cell.as_ref().map_or(0, |cell| cell.text_size(column.column_type))).sum()
    }
}

impl RowBuilder<'_> {
    /// Sets the column of that name.
    pub fn set<'v>(&mut self, column: &str, value: impl Into<Value<'v>>) -> Result<&mut Self, BuildError> {
        self.builder.put(column, value.into())?;
        Ok(self)
    }

    /// Adds the row to the batch.
    pub fn push(self) -> Result<(), BuildError> {
        self.builder.push_row()
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Owned(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A value that has the type of its column.
#[derive(Clone, Debug)]
enum Cell {
    Text(String),
    /// Also microseconds of a moment and ticks of a duration.
    Number(i64),
    Real(f64),
    Bool(bool),
}

impl Cell {
    fn text_size(&self, column_type: ColumnType) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(_) if column_type == ColumnType::DateTime => "2026-11-22T18:00:00.0000000Z".len(),
            Self::Number(number) => number.to_string().len(),
            Self::Real(real) => real.to_string().len(),
            Self::Bool(truth) => if *truth { "true" } else { "false" }.len(),
        }
    }
}

#[derive(Debug)]
enum ColumnBuilder {
    /// A string column, where nothing is "".
    String(StringBuilder),
    /// JSON or a UUID, where nothing is null.
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Long(Int64Builder),
    Int(Int32Builder),
    Real(Float64Builder),
    Bool(BooleanBuilder),
}

impl ColumnBuilder {
    /// Without room in advance: Arrow's own default is a thousand values, which for a batch of one row and seventy
    /// columns would be four hundred kilobytes of nothing.
    fn new(column_type: ColumnType) -> Self {
        match column_type {
            ColumnType::String => Self::String(StringBuilder::with_capacity(0, 0)),
            ColumnType::Dynamic | ColumnType::Guid => Self::Text(StringBuilder::with_capacity(0, 0)),
            ColumnType::DateTime => {
                Self::Time(TimestampMicrosecondBuilder::with_capacity(0).with_timezone("UTC"))
            }
            ColumnType::Long | ColumnType::TimeSpan => Self::Long(Int64Builder::with_capacity(0)),
            ColumnType::Int => Self::Int(Int32Builder::with_capacity(0)),
            ColumnType::Real => Self::Real(Float64Builder::with_capacity(0)),
            ColumnType::Bool => Self::Bool(BooleanBuilder::with_capacity(0)),
        }
    }

    /// A cell of another type is null; `put` lets none through.
    fn append(&mut self, cell: Option<Cell>) {
        match (self, cell) {
            (Self::String(builder) | Self::Text(builder), Some(Cell::Text(text))) => {
                builder.append_value(text)
            }
            (Self::String(builder), _) => builder.append_value(""),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Time(builder), Some(Cell::Number(micros))) => builder.append_value(micros),
            (Self::Time(builder), _) => builder.append_null(),
            (Self::Long(builder), Some(Cell::Number(number))) => builder.append_value(number),
            (Self::Long(builder), _) => builder.append_null(),
            (Self::Int(builder), Some(Cell::Number(number))) => {
                builder.append_option(i32::try_from(number).ok());
            }
            (Self::Int(builder), _) => builder.append_null(),
            (Self::Real(builder), Some(Cell::Real(real))) => builder.append_value(real),
            (Self::Real(builder), _) => builder.append_null(),
            (Self::Bool(builder), Some(Cell::Bool(truth))) => builder.append_value(truth),
            (Self::Bool(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::String(builder) | Self::Text(builder) => Arc::new(builder.finish()),
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Long(builder) => Arc::new(builder.finish()),
            Self::Int(builder) => Arc::new(builder.finish()),
            Self::Real(builder) => Arc::new(builder.finish()),
            Self::Bool(builder) => Arc::new(builder.finish()),
        }
    }
}

const UNBILLED: [&str; 7] =
    ["TenantId", "Type", "_ResourceId", "_SubscriptionId", "_IsBillable", "_BilledSize", "_TimeReceived"];
