//! Types, values and the shape of a table.

use std::fmt;

use crate::time::{DateTime, TimeSpan};

/// The scalar types of KQL.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ScalarType {
    /// `true`, `false` or null.
    Bool,
    /// A moment in UTC with a precision of 100 ns, years 1 to 9999.
    DateTime,
    /// A signed integer of 32 bits.
    Int,
    /// A signed integer of 64 bits.
    Long,
    /// A floating-point number of 64 bits.
    Real,
    /// Text. It is never null: what is unknown is empty.
    String,
    /// A length of time with a precision of 100 ns.
    TimeSpan,
    /// An identifier of 128 bits.
    Guid,
    /// A decimal number.
    Decimal,
    /// Any JSON value: a number, text, array, property bag or null.
    Dynamic,
}

impl ScalarType {
    /// Every type, in the order of the language's documentation.
    pub const ALL: [ScalarType; 10] = [
        ScalarType::Bool,
        ScalarType::DateTime,
        ScalarType::Decimal,
        ScalarType::Dynamic,
        ScalarType::Guid,
        ScalarType::Int,
        ScalarType::Long,
        ScalarType::Real,
        ScalarType::String,
        ScalarType::TimeSpan,
    ];

    /// The name as KQL and the query API spell it.
    pub fn name(self) -> &'static str {
        match self {
            ScalarType::Bool => "bool",
            ScalarType::DateTime => "datetime",
            ScalarType::Int => "int",
            ScalarType::Long => "long",
            ScalarType::Real => "real",
            ScalarType::String => "string",
            ScalarType::TimeSpan => "timespan",
            ScalarType::Guid => "guid",
            ScalarType::Decimal => "decimal",
            ScalarType::Dynamic => "dynamic",
        }
    }

    /// The type that a query calls `name`, including the other names that KQL accepts.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "bool" | "boolean" => ScalarType::Bool,
            "datetime" | "date" => ScalarType::DateTime,
            "int" | "int32" => ScalarType::Int,
            "long" | "int64" => ScalarType::Long,
            "real" | "double" => ScalarType::Real,
            "string" => ScalarType::String,
            "timespan" | "time" => ScalarType::TimeSpan,
            "guid" | "uuid" | "uniqueid" => ScalarType::Guid,
            "decimal" => ScalarType::Decimal,
            "dynamic" => ScalarType::Dynamic,
            _ => return None,
        })
    }

    /// Whether this is `int`, `long`, `real` or `decimal`.
    pub fn is_number(self) -> bool {
        self.number_width().is_some()
    }

    /// Whether this is `int` or `long`.
    pub fn is_integer(self) -> bool {
        matches!(self, ScalarType::Int | ScalarType::Long)
    }

    /// Where a numeric type stands in `int` → `long` → `real` → `decimal`; the wider of two is their common type.
    pub(crate) fn number_width(self) -> Option<u8> {
        match self {
            ScalarType::Int => Some(0),
            ScalarType::Long => Some(1),
            ScalarType::Real => Some(2),
            ScalarType::Decimal => Some(3),
            ScalarType::Bool
            | ScalarType::DateTime
            | ScalarType::String
            | ScalarType::TimeSpan
            | ScalarType::Guid
            | ScalarType::Dynamic => None,
        }
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A decimal number: `mantissa` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Decimal {
    /// All digits, with the sign.
    pub mantissa: i128,
    /// How many of the digits are behind the point, at most 34.
    pub scale: u8,
}

/// A constant. The type of a null is told by the expression or column that holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Unknown. Never a `string`: the empty text stands for that.
    Null,
    /// A truth value.
    Bool(bool),
    /// A moment.
    DateTime(DateTime),
    /// An `int`.
    Int(i32),
    /// A `long`.
    Long(i64),
    /// A `real`, which may be NaN or infinite.
    Real(f64),
    /// A `string`.
    String(String),
    /// A length of time.
    TimeSpan(TimeSpan),
    /// A `guid`, the first written digit in the highest bits.
    Guid(u128),
    /// A `decimal`.
    Decimal(Decimal),
    /// A `dynamic` as compact JSON text; `dynamic(null)` is [`Value::Null`].
    Dynamic(String),
}

/// A named and typed column.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// The name, case-sensitive.
    pub name: String,
    /// The type of its values.
    pub ty: ScalarType,
}

impl Column {
    /// A column of this name and type.
    pub fn new(name: impl Into<String>, ty: ScalarType) -> Self {
        Self { name: name.into(), ty }
    }
}

/// The columns of a table in order. No name occurs twice.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Schema {
    /// The columns in the order of the result.
    pub columns: Vec<Column>,
}

impl Schema {
    /// A schema of these columns.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns }
    }

    /// The position of the column that is spelled exactly like this.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(")?;
        for (position, column) in self.columns.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(formatter, "{comma}{}:{}", column.name, column.ty)?;
        }
        formatter.write_str(")")
    }
}
