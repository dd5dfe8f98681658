//! The JSON text of a dynamic constant: written by the parser, read again where a list is made of it.

use crate::types::Value;

/// A scalar as JSON.
pub(crate) fn of(value: &Value) -> String {
    match value {
        Value::Null => String::from("null"),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Long(number) => number.to_string(),
        Value::Real(number) if number.is_finite() => format!("{number:?}"),
        Value::Dynamic(json) => json.clone(),
        Value::Real(_)
        | Value::String(_)
        | Value::DateTime(_)
        | Value::TimeSpan(_)
        | Value::Guid(_)
        | Value::Decimal(_) => text(&plain(value)),
    }
}

/// A scalar as the text that `tostring` gives.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => String::from("True"),
        Value::Bool(false) => String::from("False"),
        Value::Int(number) => number.to_string(),
        Value::Long(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::DateTime(moment) => moment.to_string(),
        Value::TimeSpan(span) => span.to_string(),
        Value::Guid(bits) => crate::print::guid(*bits),
        Value::Decimal(number) => crate::print::decimal(*number),
        Value::Dynamic(json) => json.clone(),
    }
}

/// A text in quotes, escaped.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The elements of an array of scalars as the parser writes it; none if it is no array or holds another one.
pub(crate) fn scalars(json: &str) -> Option<Vec<Value>> {
    let mut rest = json.strip_prefix('[')?.strip_suffix(']')?;
    let mut values = Vec::new();
    while !rest.is_empty() {
        let length = element_length(rest)?;
        values.push(scalar(&rest[..length])?);
        rest = &rest[length..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(values)
}

fn element_length(json: &str) -> Option<usize> {
    let Some(inside) = json.strip_prefix('"') else {
        return Some(json.find(',').unwrap_or(json.len()));
    };
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return Some(at + 2),
            _ => {}
        }
    }
    None
}

fn scalar(json: &str) -> Option<Value> {
    match json {
        "null" => Some(Value::Null),
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        // The escapes of the texts that are written above are all escapes of the query language too.
        _ if json.starts_with('"') => crate::literal::string(json).map(Value::String),
        _ if json.starts_with(['[', '{']) => None,
        _ => match json.parse() {
            Ok(number) => Some(Value::Long(number)),
            Err(_) => json.parse().ok().map(Value::Real),
        },
    }
}
