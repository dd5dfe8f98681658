//! Conversions between types: what `tolong`, `tostring` and their like give, and null where there is no value.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use fim_kql::{DateTime, ScalarType, TimeSpan, Value, value_from_text};
use serde_json::Value as Json;

use super::moments::{collect_moments, ticks};
use super::numbers::ticks_of;
use super::{Call, FunctionSpec, Returns};
use crate::rows::real_text;
use crate::values::guid_text;

pub(super) static CONVERSIONS: &[&FunctionSpec] = &[
    &TEXT_TO_BOOL,
    &TEXT_TO_INT,
    &TEXT_TO_LONG,
    &TEXT_TO_REAL,
    &TEXT_TO_DATETIME,
    &TEXT_TO_TIMESPAN,
    &TEXT_TO_GUID,
    &REAL_TO_LONG,
    &LONG_TO_INT,
    &NUMBER_TO_BOOL,
    &TICKS_TO_DATETIME,
    &DATETIME_TO_TICKS,
    &PLAIN_TO_TEXT,
    &TIMESPAN_TO_TEXT,
    &DYNAMIC_TO_TEXT,
    &DYNAMIC_TO_LONG,
    &DYNAMIC_TO_REAL,
    &DYNAMIC_TO_BOOL,
    &PLAIN_TO_DYNAMIC,
    &TIMESPAN_TO_DYNAMIC,
    &TEXT_TO_DYNAMIC,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(TEXT_TO_BOOL, "kql_text_to_bool", Bool, |call| {
    Ok(Arc::new(
        parsed(call, ScalarType::Bool, |value| match value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        })?
        .collect::<BooleanArray>(),
    ))
});
spec!(TEXT_TO_INT, "kql_text_to_int", Int, |call| {
    Ok(Arc::new(
        parsed(call, ScalarType::Int, |value| match value {
            Value::Int(number) => Some(number),
            _ => None,
        })?
        .collect::<Int32Array>(),
    ))
});
spec!(TEXT_TO_LONG, "kql_text_to_long", Long, |call| {
    Ok(Arc::new(
        parsed(call, ScalarType::Long, |value| match value {
            Value::Long(number) => Some(number),
            _ => None,
        })?
        .collect::<Int64Array>(),
    ))
});
spec!(TEXT_TO_REAL, "kql_text_to_real", Real, |call| {
    Ok(Arc::new(
        parsed(call, ScalarType::Real, |value| match value {
            Value::Real(number) => Some(number),
            _ => None,
        })?
        .collect::<Float64Array>(),
    ))
});
spec!(TEXT_TO_DATETIME, "kql_text_to_datetime", Moment, |call| {
    Ok(collect_moments(parsed(call, ScalarType::DateTime, |value| match value {
        Value::DateTime(moment) => Some(moment),
        _ => None,
    })?))
});
spec!(TEXT_TO_TIMESPAN, "kql_text_to_timespan", Long, |call| {
    Ok(Arc::new(
        parsed(call, ScalarType::TimeSpan, |value| match value {
            Value::TimeSpan(span) => Some(span.0),
            _ => None,
        })?
        .collect::<Int64Array>(),
    ))
});
// Hyphens may stand anywhere.
spec!(TEXT_TO_GUID, "kql_text_to_guid", Text, |call| {
    let texts = call.texts(0)?;
    let guid = |text: &str| match value_from_text(ScalarType::Guid, &text.trim().replace('-', "")) {
        Some(Value::Guid(bits)) => Some(guid_text(bits)),
        _ => None,
    };
    call.collect((0..call.rows).map(|row| guid(texts.get(row))))
});
spec!(REAL_TO_LONG, "kql_real_to_long", Long, |call| {
    Ok(Arc::new(call.reals(0)?.iter().map(|value| ticks_of(value?.trunc())).collect::<Int64Array>()))
});
spec!(LONG_TO_INT, "kql_long_to_int", Int, |call| {
    Ok(Arc::new(call.longs(0)?.iter().map(|value| i32::try_from(value?).ok()).collect::<Int32Array>()))
});
spec!(NUMBER_TO_BOOL, "kql_number_to_bool", Bool, |call| {
    Ok(Arc::new(call.reals(0)?.iter().map(|value| Some(value? != 0.0)).collect::<BooleanArray>()))
});
// A moment counts as its ticks since the year 1, as the original does.
spec!(TICKS_TO_DATETIME, "kql_ticks_to_datetime", Moment, |call| {
    Ok(collect_moments(
        call.longs(0)?.iter().map(|number| number?.checked_add(DateTime::MIN.0).map(DateTime)),
    ))
});
spec!(DATETIME_TO_TICKS, "kql_datetime_to_ticks", Long, |call| {
    Ok(Arc::new(
        call.moments(0)?
            .iter()
            .map(|moment| Some(ticks(moment?).0 - DateTime::MIN.0))
            .collect::<Int64Array>(),
    ))
});
// Of null the empty text: a text is never null.
spec!(PLAIN_TO_TEXT, "kql_plain_to_text", Text, |call| {
    call.collect(plain_texts(&call.array(0)?)?.map(|text| Some(text.unwrap_or_default())))
});
spec!(TIMESPAN_TO_TEXT, "kql_timespan_to_text", Text, |call| {
    let text = |span: Option<i64>| Some(span.map_or_else(String::new, |span| TimeSpan(span).to_string()));
    call.collect(call.longs(0)?.iter().map(text))
});
spec!(DYNAMIC_TO_TEXT, "kql_dynamic_to_text", Text, |call| {
    let text = |json: Option<&str>| {
        let Some(json) = json else { return Some(String::new()) };
        Some(match serde_json::from_str(json) {
            Ok(Json::String(text)) => text,
            Ok(Json::Null) => String::new(),
            Ok(_) | Err(_) => json.to_owned(),
        })
    };
    call.collect(call.nullable_texts(0)?.iter().map(text))
});
spec!(DYNAMIC_TO_LONG, "kql_dynamic_to_long", Long, |call| {
    let number = |json: Json| match json {
        Json::Number(number) => number.as_i64().or_else(|| ticks_of(number.as_f64()?.trunc())),
        Json::Bool(truth) => Some(truth.into()),
        Json::String(text) => match value_from_text(ScalarType::Long, text.trim()) {
            Some(Value::Long(number)) => Some(number),
            _ => None,
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    Ok(Arc::new(jsons(&call.nullable_texts(0)?).map(|json| number(json?)).collect::<Int64Array>()))
});
spec!(DYNAMIC_TO_REAL, "kql_dynamic_to_real", Real, |call| {
    let number = |json: Json| match json {
        Json::Number(number) => number.as_f64(),
        Json::Bool(truth) => Some(if truth { 1.0 } else { 0.0 }),
        Json::String(text) => match value_from_text(ScalarType::Real, text.trim()) {
            Some(Value::Real(number)) => Some(number),
            _ => None,
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    Ok(Arc::new(jsons(&call.nullable_texts(0)?).map(|json| number(json?)).collect::<Float64Array>()))
});
spec!(DYNAMIC_TO_BOOL, "kql_dynamic_to_bool", Bool, |call| {
    let truth = |json: Json| match json {
        Json::Bool(truth) => Some(truth),
        Json::Number(number) => Some(number.as_f64()? != 0.0),
        Json::String(text) => match value_from_text(ScalarType::Bool, text.trim()) {
            Some(Value::Bool(truth)) => Some(truth),
            _ => None,
        },
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    Ok(Arc::new(jsons(&call.nullable_texts(0)?).map(|json| truth(json?)).collect::<BooleanArray>()))
});
// JSON has no word for a `real` that is no number, so that is a text, as in the original.
spec!(PLAIN_TO_DYNAMIC, "kql_plain_to_dynamic", Text, |call| {
    let array = call.array(0)?;
    let is_number = match array.data_type() {
        DataType::Boolean | DataType::Int32 | DataType::Int64 => |_: &str| true,
        DataType::Float64 => |text: &str| text.ends_with(|last: char| last.is_ascii_digit()),
        _ => |_: &str| false,
    };
    let json = |text: String| if is_number(&text) { text } else { quoted(&text) };
    call.collect(plain_texts(&array)?.map(|text| text.map(json)))
});
spec!(TIMESPAN_TO_DYNAMIC, "kql_timespan_to_dynamic", Text, |call| {
    call.collect(call.longs(0)?.iter().map(|span| Some(quoted(&TimeSpan(span?).to_string()))))
});
spec!(TEXT_TO_DYNAMIC, "kql_text_to_dynamic", Text, |call| {
    let texts = call.texts(0)?;
    call.collect((0..call.rows).map(|row| Some(quoted(texts.get(row)))))
});

/// The JSON values of a column of `dynamic`.
pub(super) fn jsons(column: &arrow::array::StringViewArray) -> impl Iterator<Item = Option<Json>> + '_ {
    column.iter().map(|json| serde_json::from_str(json?).ok())
}

/// A text as a JSON value.
pub(super) fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

/// The values that texts spell, by the same rules as literals; spaces around them do not matter.
fn parsed<T>(
    call: &Call<'_>,
    ty: ScalarType,
    pick: impl Fn(Value) -> Option<T>,
) -> Result<impl Iterator<Item = Option<T>>> {
    let texts = call.texts(0)?;
    Ok((0..call.rows).map(move |row| value_from_text(ty, texts.get(row).trim()).and_then(&pick)))
}

/// The texts of values whose Arrow type tells how they are written.
fn plain_texts(array: &ArrayRef) -> Result<Box<dyn Iterator<Item = Option<String>>>> {
    let rows = 0..array.len();
    Ok(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean().clone();
            Box::new(rows.map(move |row| values.is_valid(row).then(|| values.value(row).to_string())))
        }
        DataType::Int32 => {
            let values = array.as_primitive::<arrow::datatypes::Int32Type>().clone();
            Box::new(rows.map(move |row| values.is_valid(row).then(|| values.value(row).to_string())))
        }
        DataType::Int64 => {
            let values = array.as_primitive::<arrow::datatypes::Int64Type>().clone();
            Box::new(rows.map(move |row| values.is_valid(row).then(|| values.value(row).to_string())))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<arrow::datatypes::Float64Type>().clone();
            Box::new(rows.map(move |row| values.is_valid(row).then(|| real_text(values.value(row)))))
        }
        DataType::Timestamp(_, _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>().clone();
            Box::new(rows.map(move |row| values.is_valid(row).then(|| ticks(values.value(row)).to_string())))
        }
        DataType::Utf8View => {
            let values = array.as_string_view().clone();
            Box::new(rows.map(move |row| values.is_valid(row).then(|| values.value(row).to_owned())))
        }
        other => return exec_err!("a value of the type {other} has no text"),
    })
}
