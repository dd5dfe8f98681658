//! Parts of a JSON text as they are written in it, and new ones of parts; pure.
//!
//! A `dynamic` keeps the order of its members and the digits of its numbers, so its parts are cut out of its text
//! instead of being read and written anew. All functions expect valid JSON, which [`is_json`] tells.

use std::borrow::Cow;
use std::cmp::Ordering;

use fim_kql::{ScalarType, Value, value_from_text};
use serde::de::IgnoredAny;
use serde_json::Value as Json;

/// Whether a text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The members of an object in order; `None` if it is none.
pub(crate) fn members(json: &str) -> Option<Vec<(String, &str)>> {
    let member = |part: &str| -> Option<(usize, String)> {
        let key_end = skip_text(part);
        Some((key_end, serde_json::from_str(part.get(..key_end)?).ok()?))
    };
    parts(inside(json, '{', '}')?)
        .into_iter()
        .map(|part| {
            let (key_end, key) = member(part)?;
            Some((key, part[key_end..].trim_start().strip_prefix(':')?.trim()))
        })
        .collect()
}

/// An array of these values.
pub(crate) fn array<T: AsRef<str>>(elements: impl Iterator<Item = T>) -> String {
    let mut out = String::from("[");
    for (position, element) in elements.enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(element.as_ref());
    }
    out.push(']');
    out
}

/// An object of these members.
pub(crate) fn bag<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let members = members.map(|(name, json)| format!("{}:{json}", super::convert::quoted(name)));
    let mut out = String::from("{");
    out.push_str(&members.collect::<Vec<_>>().join(","));
    out.push('}');
    out
}

/// A number; a text for one that is not finite, because JSON has no word for it.
pub(super) fn of_real(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { format!("\"{}\"", crate::rows::real_text(number)) }
}

/// The number that a value is; `None` if it is none.
pub(super) fn number(json: &str) -> Option<f64> {
    let is_number = json.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    if is_number { json.parse().ok() } else { None }
}

/// The text of a value, as `tostring` gives it.
pub(super) fn text_of(json: &str) -> Cow<'_, str> {
    match json.bytes().next() {
        Some(b'"') => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
        _ if json == "null" => Cow::Borrowed(""),
        _ => Cow::Borrowed(json),
    }
}

/// A spelling that equal values share, whatever the order of their members and the digits of their numbers.
pub(crate) fn canonical(json: &str) -> String {
    match json.bytes().next() {
        Some(b'"' | b'{' | b'[') => {
            serde_json::from_str::<Json>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
        }
        _ => match (json.parse::<i64>(), number(json)) {
            (Err(_), Some(real)) if real.fract() == 0.0 && real.abs() < 9e15 => (real as i64).to_string(),
            (Err(_), Some(real)) => of_real(real),
            _ => json.to_owned(),
        },
    }
}

/// Whether two values are equal.
pub(super) fn same(left: &str, right: &str) -> bool {
    left == right || canonical(left) == canonical(right)
}

/// A value with its place in the order of a sorted array: numbers, moments and timespans, then texts, then all else.
#[derive(Debug)]
pub(super) enum Ordered {
    Number(f64),
    Text(String),
    Other(String),
}

impl Ordered {
    /// The value of a JSON text; `None` for null.
    pub fn of(json: &str) -> Option<Self> {
        if let Some(number) = number(json) {
            return Some(Self::Number(number));
        }
        match json.bytes().next()? {
            b'n' => None,
            b'"' => {
                let text = text_of(json).into_owned();
                // Moments in JSON are texts that are ordered like their time.
                Some(match value_from_text(ScalarType::TimeSpan, &text) {
                    Some(Value::TimeSpan(span)) if text.contains(':') => Self::Number(span.0 as f64),
                    _ => Self::Text(text),
                })
            }
            _ => Some(Self::Other(canonical(json))),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Other(_) => 2,
        }
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) | (Self::Other(left), Self::Other(right)) => {
                left.cmp(right)
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered {}

/// The value of a member of an object; of several with one name the last.
pub(super) fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let inside = inside(json, '{', '}')?;
    let mut found = None;
    for part in parts(inside) {
        let key_end = skip_text(part);
        let key: String = serde_json::from_str(part.get(..key_end)?).ok()?;
        if key == name {
            found = part[key_end..].trim_start().strip_prefix(':').map(str::trim);
        }
    }
    found
}

/// The elements of an array; `None` if it is none.
pub(crate) fn elements(json: &str) -> Option<Vec<&str>> {
    Some(parts(inside(json, '[', ']')?))
}

/// The same value without spaces between its tokens.
pub(super) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('"') {
        out.extend(rest[..at].chars().filter(|character| !character.is_ascii_whitespace()));
        let end = at + skip_text(&rest[at..]);
        out.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    out.extend(rest.chars().filter(|character| !character.is_ascii_whitespace()));
    out
}

fn inside(json: &str, open: char, close: char) -> Option<&str> {
    json.trim().strip_prefix(open)?.strip_suffix(close)
}

/// The pieces between the commas that are in no text and in no inner value, without spaces around them.
fn parts(inside: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut at, mut depth) = (0, 0, 0_u32);
    while at < inside.len() {
        match inside.as_bytes()[at] {
            b'"' => {
                at += skip_text(&inside[at..]);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(inside[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    if !inside[start..].trim().is_empty() {
        parts.push(inside[start..].trim());
    }
    parts
}

/// How many bytes the JSON text at the start of `rest` has, with its quotes; all of `rest` if it never ends.
fn skip_text(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_are_as_they_are_written() {
        let json = r#" { "b" : 1.50 , "a":{"x":[1, 2]}, "q\"" : "},{" , "b": 2.0 } "#;
        assert_eq!(member(json, "b"), Some("2.0"));
        assert_eq!(member(json, "a"), Some(r#"{"x":[1, 2]}"#));
        assert_eq!(member(json, "q\""), Some(r#""},{""#));
        assert_eq!(member(json, "none"), None);
        assert_eq!(member("[1]", "b"), None);
        assert_eq!(elements("[]"), Some(vec![]));
        assert_eq!(
            elements(r#"[1, [2,3], "a,b\"]", null]"#),
            Some(vec!["1", "[2,3]", r#""a,b\"]""#, "null"])
        );
        assert_eq!(compact(r#"{ "a b" : [ 1 , "x \" y" ] }"#), r#"{"a b":[1,"x \" y"]}"#);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(json in "[\\[\\]{}:,\"\\\\ a1é]{0,20}") {
            let _ = (is_json(&json), member(&json, "a"), elements(&json), compact(&json));
        }
    }
}
