//! One value of a result.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use fim_kql::{DateTime, ScalarType, TimeSpan, Value, value_from_text};

use crate::values::MICROSECOND_TICKS;

/// One value of a result, by the type of its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Unknown; never in a `string` column.
    Null,
    /// A truth value.
    Bool(bool),
    /// An `int` or a `long`.
    Integer(i64),
    /// A `real`.
    Real(f64),
    /// A `string` or the text of a `guid`.
    Text(&'a str),
    /// A moment.
    DateTime(DateTime),
    /// A length of time.
    TimeSpan(TimeSpan),
    /// A `dynamic` as JSON text.
    Dynamic(&'a str),
}

impl<'a> Cell<'a> {
    /// The value of a column of this type at `row`; an array that does not fit the type reads as null.
    pub fn read(values: &'a ArrayRef, ty: ScalarType, row: usize) -> Self {
        let integer = || values.as_primitive_opt::<Int64Type>().map(|values| values.value(row));
        let cell = match ty {
            ScalarType::String => return Self::Text(text(values, row).unwrap_or_default()),
            _ if values.is_null(row) => None,
            ScalarType::Bool => values.as_boolean_opt().map(|values| Self::Bool(values.value(row))),
            ScalarType::Int => {
                values.as_primitive_opt::<Int32Type>().map(|values| Self::Integer(values.value(row).into()))
            }
            ScalarType::Long => integer().map(Self::Integer),
            ScalarType::TimeSpan => integer().map(|ticks| Self::TimeSpan(TimeSpan(ticks))),
            ScalarType::Real | ScalarType::Decimal => {
                values.as_primitive_opt::<Float64Type>().map(|values| Self::Real(values.value(row)))
            }
            ScalarType::DateTime => values
                .as_primitive_opt::<TimestampMicrosecondType>()
                .map(|values| Self::DateTime(DateTime(values.value(row).saturating_mul(MICROSECOND_TICKS)))),
            ScalarType::Guid => text(values, row).map(Self::Text),
            ScalarType::Dynamic => text(values, row).map(Self::Dynamic),
        };
        cell.unwrap_or(Self::Null)
    }

    /// The value as a constant of the language, in a column of this type.
    pub(crate) fn to_value(self, ty: ScalarType) -> Value {
        match self {
            Self::Null if ty == ScalarType::String => Value::String(String::new()),
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) if ty == ScalarType::Int => {
                i32::try_from(value).map_or(Value::Null, Value::Int)
            }
            Self::Integer(value) => Value::Long(value),
            Self::Real(value) => Value::Real(value),
            Self::Text(text) if ty == ScalarType::Guid => {
                value_from_text(ScalarType::Guid, text).unwrap_or(Value::Null)
            }
            Self::Text(text) => Value::String(text.to_owned()),
            Self::DateTime(moment) => Value::DateTime(moment),
            Self::TimeSpan(span) => Value::TimeSpan(span),
            Self::Dynamic(json) => Value::Dynamic(json.to_owned()),
        }
    }

    /// The value as text without quotes; a null is empty.
    pub fn to_text(&self) -> Cow<'a, str> {
        match *self {
            Self::Null => Cow::Borrowed(""),
            Self::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Real(value) => Cow::Owned(real_text(value)),
            Self::Text(text) | Self::Dynamic(text) => Cow::Borrowed(text),
            Self::DateTime(moment) => Cow::Owned(moment.to_string()),
            Self::TimeSpan(span) => Cow::Owned(span.to_string()),
        }
    }
}

/// A `real` as the language writes it: `1.5`, `2.0`, `1e+20` as `1E+20`, `NaN`, `Infinity`, `-Infinity`.
pub(crate) fn real_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-5..1e15).contains(&magnitude) {
        let text = format!("{value:E}");
        // The original writes a sign and at least two digits in the exponent.
        let Some((digits, exponent)) = text.split_once('E') else { return text };
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        return format!("{digits}E{sign}{exponent:0>2}");
    }
    format!("{value:?}")
}

/// The text at `row` of an array of texts of any layout.
fn text(values: &ArrayRef, row: usize) -> Option<&str> {
    if values.is_null(row) {
        return None;
    }
    match values.data_type() {
        DataType::Utf8View => Some(values.as_string_view().value(row)),
        DataType::Utf8 => Some(values.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(values.as_string::<i64>().value(row)),
        _ => None,
    }
}
