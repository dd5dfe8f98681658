//! The patterns of `parse`: texts with columns between; pure.
//!
//! A pattern becomes one regular expression over the whole text. What stands for a column is a named group, so that
//! groups in the author's own expressions do not count.

use std::fmt::Write;

use fim_kql::{ScalarType, value_from_text};
use regex::{Regex, RegexBuilder};
use serde_json::Value as Json;

/// A pattern that is ready to be tried on many texts.
#[derive(Debug)]
pub(super) struct TextPattern {
    regex: Regex,
    /// The types of the columns, in their order.
    columns: Vec<ScalarType>,
    /// Whether a column that does not fit its type is null, and does not make the whole text unmatched.
    is_relaxed: bool,
}

impl TextPattern {
    /// Reads a pattern as the binder writes it; `None` if it holds no valid regular expression.
    pub fn parse(pattern: &str) -> Option<Self> {
        let pattern: Json = serde_json::from_str(pattern).ok()?;
        let kind = pattern["kind"].as_str()?;
        let is_regex = kind == "regex";
        let flags = pattern["flags"].as_str()?;
        // In plain texts a column may hold line breaks; in regular expressions the flags say so.
        let flags = if is_regex { flags } else { "s" };
        let mut source = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
        source.push_str(r"\A");
        let mut columns = Vec::new();
        let parts: Vec<(&str, &str)> = pattern["parts"]
            .as_array()?
            .iter()
            .map(|part| Some((part[0].as_str()?, part.get(1).and_then(Json::as_str).unwrap_or_default())))
            .collect::<Option<_>>()?;
        for (at, (what, text)) in parts.iter().enumerate() {
            match *what {
                "any" => source.push_str("(?:.*?)"),
                "text" if is_regex => write!(source, "(?:{text})").ok()?,
                "text" => source.push_str(&regex::escape(text)),
                _ => {
                    let ty = ScalarType::from_name(text)?;
                    let is_before_any = parts.get(at + 1).is_some_and(|(next, _)| *next == "any");
                    let matched = column_pattern(ty, is_regex, is_before_any);
                    write!(source, "(?P<{}>{matched})", group_name(columns.len())).ok()?;
                    columns.push(ty);
                }
            }
        }
        source.push_str(r"\z");
        let regex = RegexBuilder::new(&source).size_limit(MAX_REGEX_BYTES).build().ok()?;
        Some(Self { regex, columns, is_relaxed: kind == "relaxed" })
    }

    /// The texts of the columns; `None` if the text does not match.
    pub fn apply(&self, text: &str) -> Option<Vec<Option<String>>> {
        let captures = self.regex.captures(text)?;
        let column = |(at, ty): (usize, &ScalarType)| {
            let found = captures.name(&group_name(at)).map_or("", |found| found.as_str());
            match (fits(*ty, found), self.is_relaxed) {
                (true, _) => Some(Some(found.to_owned())),
                (false, true) => Some(None),
                (false, false) => None,
            }
        };
        self.columns.iter().enumerate().map(column).collect()
    }
}

/// What a column may look like.
fn column_pattern(ty: ScalarType, is_regex: bool, is_before_any: bool) -> &'static str {
    let is_typed = is_regex || is_before_any;
    match ty {
        ScalarType::Int | ScalarType::Long if is_typed => r"\s*[+-]?\d+",
        ScalarType::Real | ScalarType::Decimal if is_typed => r"\s*[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?",
        _ if is_regex => ".*",
        _ => ".*?",
    }
}

fn fits(ty: ScalarType, text: &str) -> bool {
    matches!(ty, ScalarType::String | ScalarType::Dynamic) || value_from_text(ty, text.trim()).is_some()
}

fn group_name(column: usize) -> String {
    format!("kql_column_{column}")
}

/// A compiled pattern larger than this is refused, so that a nested repetition cannot take all memory.
const MAX_REGEX_BYTES: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, text: &str, expected: Option<&[Option<&str>]>) {
        let found = TextPattern::parse(pattern).unwrap().apply(text);
        let found = found
            .map(|parts| parts.iter().map(|part| part.as_deref().map(str::to_owned)).collect::<Vec<_>>());
        let expected =
            expected.map(|parts| parts.iter().map(|part| part.map(str::to_owned)).collect::<Vec<_>>());
        assert_eq!(found, expected, "{pattern} {text}");
    }

    #[test]
    fn columns_take_what_stands_between_the_texts() {
        let pattern = r#"{"kind":"simple","flags":"","parts":[["any"],["text","a="],["column","long"],["any"],["text","b="],["column","string"]]}"#;
        check(pattern, "x a=12 b=y\nz", Some(&[Some("12"), Some("y\nz")]));
        check(pattern, "x a=no b=y", None);
        check(pattern, "a=12", None);
    }

    #[test]
    fn a_relaxed_column_that_does_not_fit_is_null() {
        let parts = r#""flags":"","parts":[["text","a="],["column","long"],["text",";"]]}"#;
        check(&format!(r#"{{"kind":"relaxed",{parts}"#), "a=no;", Some(&[None]));
        check(&format!(r#"{{"kind":"simple",{parts}"#), "a=no;", None);
    }

    #[test]
    fn regular_expressions_are_greedy_unless_a_flag_turns_them() {
        let pattern = |flags: &str| {
            format!(
                r#"{{"kind":"regex","flags":"{flags}","parts":[["column","string"],["text",","],["any"]]}}"#
            )
        };
        check(&pattern(""), "a,b,c", Some(&[Some("a,b")]));
        check(&pattern("U"), "a,b,c", Some(&[Some("a")]));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), what in any::<String>()) {
            for kind in ["simple", "relaxed", "regex"] {
                let pattern = serde_json::json!({"kind": kind, "flags": "", "parts": [["any"], ["text", what], ["column", "long"]]});
                if let Some(pattern) = TextPattern::parse(&pattern.to_string()) {
                    let _ = pattern.apply(&text);
                }
            }
        }
    }
}
