//! How the values of the language are represented in Arrow.
//!
//! | Language | Arrow | Note |
//! |---|---|---|
//! | `bool` | Boolean | |
//! | `int`, `long`, `real` | Int32, Int64, Float64 | |
//! | `string` | Utf8View | never null |
//! | `datetime` | Timestamp(µs, UTC) | the language counts 100 ns, so the seventh digit of a second is lost |
//! | `timespan` | Int64 | ticks of 100 ns |
//! | `guid` | Utf8View | lower case with hyphens |
//! | `dynamic` | Utf8View | compact JSON; `dynamic(null)` is a null |
//!
//! Microseconds reach from the year 1 to 9999, as the language does; nanoseconds in 64 bits would not.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use fim_kql::{ScalarType, Value};

/// Ticks of the language in a microsecond.
pub(crate) const MICROSECOND_TICKS: i64 = 10;

/// The time zone of every moment.
pub(crate) const UTC: &str = "UTC";

/// The type of a `datetime` column.
pub(crate) fn moment_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// The Arrow type of a column; `None` for `decimal`, which is not supported.
pub fn arrow_type(ty: ScalarType) -> Option<DataType> {
    match ty {
        ScalarType::Bool => Some(DataType::Boolean),
        ScalarType::Int => Some(DataType::Int32),
        ScalarType::Long | ScalarType::TimeSpan => Some(DataType::Int64),
        ScalarType::Real => Some(DataType::Float64),
        ScalarType::String | ScalarType::Guid | ScalarType::Dynamic => Some(DataType::Utf8View),
        ScalarType::DateTime => Some(moment_type()),
        ScalarType::Decimal => None,
    }
}

/// A constant of the language as a constant of the engine; `None` for a `decimal`.
pub(crate) fn scalar_value(value: &Value, ty: ScalarType) -> Option<ScalarValue> {
    Some(match value {
        Value::Null if ty == ScalarType::String => text_value(String::new()),
        Value::Null => ScalarValue::try_from(&arrow_type(ty)?).ok()?,
        Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Value::Int(value) => ScalarValue::Int32(Some(*value)),
        Value::Long(value) => ScalarValue::Int64(Some(*value)),
        Value::Real(value) => ScalarValue::Float64(Some(*value)),
        Value::String(text) | Value::Dynamic(text) => text_value(text.clone()),
        Value::DateTime(moment) => ScalarValue::TimestampMicrosecond(
            Some(moment.0.div_euclid(MICROSECOND_TICKS)),
            Some(Arc::from(UTC)),
        ),
        Value::TimeSpan(span) => ScalarValue::Int64(Some(span.0)),
        Value::Guid(bits) => text_value(guid_text(*bits)),
        Value::Decimal(_) => return None,
    })
}

pub(crate) fn text_value(text: String) -> ScalarValue {
    ScalarValue::Utf8View(Some(text))
}

/// The usual text of a guid: `01234567-89ab-cdef-0123-456789abcdef`.
pub(crate) fn guid_text(bits: u128) -> String {
    let digits = format!("{bits:032x}");
    [&digits[0..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..32]].join("-")
}
