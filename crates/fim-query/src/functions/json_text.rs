//! Parts of a JSON text as they are written in it; pure.
//!
//! A `dynamic` keeps the order of its members and the digits of its numbers, so its parts are cut out of its text
//! instead of being read and written anew. All functions expect valid JSON, which [`is_json`] tells.

use serde::de::IgnoredAny;

/// Whether a text is one JSON value.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

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
pub(super) fn elements(json: &str) -> Option<Vec<&str>> {
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
