//! Values of any JSON shape, kept as compact JSON text.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringViewArray};
use datafusion::common::Result;
use serde_json::{Number, Value as Json};

use super::convert::{jsons, quoted};
use super::numbers::remainder;
use super::{Call, FunctionSpec, Returns, json_text};

pub(super) static DYNAMICS: &[&FunctionSpec] = &[
    &MEMBER,
    &ELEMENT,
    &PARSE_JSON,
    &SPLIT,
    &DYNAMIC_IS_EMPTY,
    &DYNAMIC_EQUAL,
    &ARRAY_HOLDS,
    &BAG_SHAPE,
    &ARRAY_HOLDS_IGNORING_CASE,
    &DYNAMIC_ADD,
    &DYNAMIC_SUBTRACT,
    &DYNAMIC_MULTIPLY,
    &DYNAMIC_DIVIDE,
    &DYNAMIC_REMAINDER,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_member(bag, name)`: the value of a property.
spec!(MEMBER, "kql_member", Text, |call| {
    let (bags, names) = (call.nullable_texts(0)?, call.texts(1)?);
    call.collect(bags.iter().enumerate().map(|(row, bag)| not_null(json_text::member(bag?, names.get(row))?)))
});
// `kql_element(array, position)`: a negative position counts from the end.
spec!(ELEMENT, "kql_element", Text, |call| {
    let (arrays, positions) = (call.nullable_texts(0)?, call.longs(1)?);
    call.collect(arrays.iter().zip(&positions).map(|(array, position)| {
        let elements = json_text::elements(array?)?;
        let position = position?;
        let from_end = if position < 0 { i64::try_from(elements.len()).ok()? } else { 0 };
        not_null(elements.get(usize::try_from(position.checked_add(from_end)?).ok()?).copied()?)
    }))
});
// Text that is no JSON becomes a JSON text.
spec!(PARSE_JSON, "kql_parse_json", Text, |call| {
    let texts = call.texts(0)?;
    call.collect((0..call.rows).map(|row| match texts.get(row).trim() {
        "" => None,
        json if json_text::is_json(json) => not_null(json).map(json_text::compact),
        _ => Some(quoted(texts.get(row))),
    }))
});
// `kql_split(text, delimiter, index?)`
spec!(SPLIT, "kql_split", Text, |call| {
    let (texts, delimiters) = (call.texts(0)?, call.texts(1)?);
    let index = if call.len() > 2 { Some(call.longs(2)?) } else { None };
    call.collect((0..call.rows).map(|row| {
        let (text, delimiter) = (texts.get(row), delimiters.get(row));
        if !delimiter.is_empty() {
            call.room.elements(text.matches(delimiter).count())?;
        }
        let parts = split(text, delimiter);
        let Some(index) = &index else { return Some(Json::from(parts).to_string()) };
        let position = index.is_valid(row).then(|| usize::try_from(index.value(row)).ok())??;
        Some(Json::from_iter(parts.get(position).copied()).to_string())
    }))
});
spec!(DYNAMIC_IS_EMPTY, "kql_dynamic_isempty", Bool, |call| {
    let values = call.nullable_texts(0)?;
    Ok(Arc::new(
        values
            .iter()
            .map(|json| Some(json.is_none_or(|json| json.is_empty() || json == "\"\"")))
            .collect::<BooleanArray>(),
    ))
});
// Whether two values are the same whatever the order of their members; with the null rule of `==`.
spec!(DYNAMIC_EQUAL, "kql_dynamic_equal", Bool, |call| {
    let (left, right) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let answers = left.iter().zip(right.iter()).map(|pair| match pair {
        (None, None) => None,
        (None, Some(_)) | (Some(_), None) => Some(false),
        (Some(left), Some(right)) => {
            let same_value = || {
                Some(serde_json::from_str::<Json>(left).ok()? == serde_json::from_str::<Json>(right).ok()?)
            };
            Some(left == right || same_value().unwrap_or(false))
        }
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
});
// `kql_array_holds(value, array)`: whether an element is equal to the value; what is no array is its own element.
spec!(ARRAY_HOLDS, "kql_array_holds", Bool, |call| array_holds(call, |a, b| a == b));
spec!(ARRAY_HOLDS_IGNORING_CASE, "kql_array_holds_ignoring_case", Bool, |call| array_holds(call, |a, b| {
    match (a, b) {
        (Json::String(a), Json::String(b)) => a.to_lowercase() == b.to_lowercase(),
        (a, b) => a == b,
    }
}));
spec!(DYNAMIC_ADD, "kql_dynamic_add", Text, |call| arithmetic(
    call,
    |a, b| Some(a.wrapping_add(b)),
    |a, b| a + b
));
spec!(DYNAMIC_SUBTRACT, "kql_dynamic_subtract", Text, |call| arithmetic(
    call,
    |a, b| Some(a.wrapping_sub(b)),
    |a, b| a - b
));
spec!(DYNAMIC_MULTIPLY, "kql_dynamic_multiply", Text, |call| arithmetic(
    call,
    |a, b| Some(a.wrapping_mul(b)),
    |a, b| a * b
));
spec!(DYNAMIC_DIVIDE, "kql_dynamic_divide", Text, |call| {
    arithmetic(call, |a, b| (b != 0).then(|| a.wrapping_div(b)), |a, b| a / b)
});
spec!(DYNAMIC_REMAINDER, "kql_dynamic_remainder", Text, |call| arithmetic(call, remainder, f64::rem_euclid));

/// The parts of a text between the delimiters; an empty delimiter does not split.
pub(crate) fn split<'a>(text: &'a str, delimiter: &str) -> Vec<&'a str> {
    if delimiter.is_empty() { vec![text] } else { text.split(delimiter).collect() }
}

/// The JSON text of a value; `None` for a JSON null, which is `dynamic(null)`.
fn not_null(json: &str) -> Option<&str> {
    Some(json).filter(|json| *json != "null")
}

/// Arithmetic of the numbers that two values hold; null if one of them is no number.
fn arithmetic(
    call: &Call<'_>,
    of_longs: fn(i64, i64) -> Option<i64>,
    of_reals: fn(f64, f64) -> f64,
) -> Result<ArrayRef> {
    let (left, right): (StringViewArray, StringViewArray) =
        (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let number = |json: Option<Json>| match json? {
        Json::Number(number) => Some(number),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
    };
    call.collect(jsons(&left).zip(jsons(&right)).map(|(left, right)| {
        let (left, right) = (number(left)?, number(right)?);
        if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
            return Some(of_longs(left, right)?.to_string());
        }
        Some(Number::from_f64(of_reals(left.as_f64()?, right.as_f64()?))?.to_string())
    }))
}

// `kql_bag_shape(bag)`: the types and names of its properties, as the binder reads them.
spec!(BAG_SHAPE, "kql_bag_shape", Text, |call| {
    let bags = call.nullable_texts(0)?;
    call.collect(bags.iter().map(|bag| Some(bag.map(shape).unwrap_or_default())))
});

fn shape(bag: &str) -> String {
    let Ok(Json::Object(properties)) = serde_json::from_str::<Json>(bag) else { return String::new() };
    let sorted: BTreeMap<String, Json> = properties.into_iter().collect();
    let mut shape = String::new();
    for (name, value) in &sorted {
        let ty = match value {
            Json::Null => "null",
            Json::Bool(_) => "bool",
            Json::Number(number) if number.is_i64() => "long",
            Json::Number(_) => "real",
            Json::String(_) => "string",
            Json::Array(_) | Json::Object(_) => "dynamic",
        };
        shape.push_str(&format!("{ty} {} {name}", name.len()));
    }
    shape
}

fn array_holds(call: &Call<'_>, is_same: fn(&Json, &Json) -> bool) -> Result<ArrayRef> {
    let (values, arrays) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let mut last: Option<(&str, Vec<Json>)> = None;
    let answers = values.iter().zip(arrays.iter()).map(|(value, array)| {
        let (Some(value), Some(array)) = (value, array) else { return Some(false) };
        let value: Json = serde_json::from_str(value).unwrap_or(Json::Null);
        if last.as_ref().is_none_or(|(text, _)| *text != array) {
            let elements = match serde_json::from_str(array) {
                Ok(Json::Array(elements)) => elements,
                Ok(other) => vec![other],
                Err(_) => Vec::new(),
            };
            last = Some((array, elements));
        }
        let elements = last.as_ref().map(|(_, elements)| elements.as_slice()).unwrap_or_default();
        Some(!value.is_null() && elements.iter().any(|element| is_same(element, &value)))
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

/// The elements of a JSON array as texts, those of inner arrays too; what is no array is its own element.
pub(crate) fn texts_of_json(json: &str) -> Vec<String> {
    let mut left = vec![serde_json::from_str::<Json>(json).unwrap_or(Json::Null)];
    let mut texts = Vec::new();
    while let Some(value) = left.pop() {
        match value {
            Json::Array(elements) => left.extend(elements.into_iter().rev()),
            Json::String(text) => texts.push(text),
            Json::Null => {}
            other => texts.push(other.to_string()),
        }
    }
    texts
}
