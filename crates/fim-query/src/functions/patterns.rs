//! Functions that take a regular expression.
//!
//! The language has RE2, whose syntax and guarantee of linear time the `regex` crate shares. A pattern that is no
//! regular expression was refused by the binder where it is a constant; one that comes from a row and is none
//! matches nothing.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use datafusion::common::Result;
use regex::{Regex, RegexBuilder};

use super::arguments::Texts;
use super::memory::Room;
use super::{Call, FunctionSpec, Returns};

pub(super) static PATTERNS: &[&FunctionSpec] =
    &[&MATCHES_REGEX, &EXTRACT, &REPLACE_REGEX, &TRIM, &TRIM_START, &TRIM_END];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_matches_regex(text, regex)`
spec!(MATCHES_REGEX, "kql_matches_regex", Bool, |call| {
    if let Some(pattern) = call.constant_text(1)? {
        let regex = compile(pattern);
        return call.test_texts(0, |text| regex.as_ref().is_some_and(|regex| regex.is_match(text)));
    }
    let texts = call.texts(0)?;
    let mut patterns = Patterns::new(call, 1, |pattern| pattern.to_owned())?;
    let answers = BooleanBuffer::collect_bool(call.rows, |row| {
        patterns.at(row).is_some_and(|regex| regex.is_match(texts.get(row)))
    });
    Ok(Arc::new(arrow::array::BooleanArray::new(answers, None)))
});
// `kql_extract(regex, group, text)`
spec!(EXTRACT, "kql_extract", Text, |call| {
    let (groups, texts) = (call.longs(1)?, call.texts(2)?);
    let mut patterns = Patterns::new(call, 0, |pattern| pattern.to_owned())?;
    let found = groups.iter().enumerate().map(|(row, group)| {
        let group = usize::try_from(group?).ok()?;
        Some(patterns.at(row)?.captures(texts.get(row))?.get(group)?.as_str())
    });
    let found: Vec<Option<&str>> = found.collect();
    call.collect(found.into_iter().map(|text| Some(text.unwrap_or_default())))
});
// `kql_replace_regex(text, regex, rewrite)`
spec!(REPLACE_REGEX, "kql_replace_regex", Text, |call| {
    let (texts, rewrites) = (call.texts(0)?, call.texts(2)?);
    let mut patterns = Patterns::new(call, 1, |pattern| pattern.to_owned())?;
    call.collect((0..call.rows).map(|row| {
        let text = texts.get(row);
        Some(match patterns.at(row) {
            Some(regex) => replaced(regex, text, &rewrite(rewrites.get(row)), &call.room)?,
            None => text.to_owned(),
        })
    }))
});
spec!(TRIM, "kql_trim", Text, |call| trim(call, |pattern| format!("^(?:{pattern})+|(?:{pattern})+$")));
spec!(TRIM_START, "kql_trim_start", Text, |call| trim(call, |pattern| format!("^(?:{pattern})+")));
spec!(TRIM_END, "kql_trim_end", Text, |call| trim(call, |pattern| format!("(?:{pattern})+$")));

/// `kql_trim…(regex, text)`: without all matches at the start, at the end, or at both.
fn trim(call: &Call<'_>, anchored: fn(&str) -> String) -> Result<ArrayRef> {
    let texts = call.texts(1)?;
    let mut patterns = Patterns::new(call, 0, anchored)?;
    call.collect((0..call.rows).map(|row| {
        let text = texts.get(row);
        Some(match patterns.at(row) {
            Some(regex) => regex.replace_all(text, "").into_owned(),
            None => text.to_owned(),
        })
    }))
}

/// The text with each match rewritten; `None` if it gets too long.
fn replaced(regex: &Regex, text: &str, rewrite: &str, room: &Room) -> Option<String> {
    let groups = rewrite.matches('$').count();
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        out.push_str(&text[end..found.start()]);
        // No group is longer than the match.
        room.of(out.len().saturating_add(rewrite.len()).saturating_add(groups.saturating_mul(found.len())))?;
        captures.expand(rewrite, &mut out);
        end = found.end();
    }
    out.push_str(&text[end..]);
    Some(out)
}

/// A rewrite of the language (`\1` is a group) as one of the `regex` crate (`${1}`).
fn rewrite(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('\\', Some(digit)) if digit.is_ascii_digit() => {
                out.push_str(&format!("${{{digit}}}"));
                characters.next();
            }
            ('\\', Some('\\')) => {
                out.push('\\');
                characters.next();
            }
            ('$', _) => out.push_str("$$"),
            (other, _) => out.push(other),
        }
    }
    out
}

/// The compiled patterns of an argument: one for all rows, or each different one once.
pub(super) struct Patterns {
    texts: Texts,
    prepare: fn(&str) -> String,
    compiled: HashMap<String, Option<Regex>>,
}

impl Patterns {
    pub fn new(call: &Call<'_>, position: usize, prepare: fn(&str) -> String) -> Result<Self> {
        Ok(Self { texts: call.texts(position)?, prepare, compiled: HashMap::new() })
    }

    pub fn at(&mut self, row: usize) -> Option<&Regex> {
        let pattern = self.texts.get(row);
        if !self.compiled.contains_key(pattern) {
            // A column can hold a pattern per row; what is kept stays bounded.
            if self.compiled.len() >= MAX_KEPT_PATTERNS {
                self.compiled.clear();
            }
            self.compiled.insert(pattern.to_owned(), compile(&(self.prepare)(pattern)));
        }
        self.compiled.get(pattern).and_then(Option::as_ref)
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build().ok()
}

const MAX_KEPT_PATTERNS: usize = 64;
/// A compiled expression larger than this is refused, so that `(((a{99}){99}){99})` cannot take all memory.
const MAX_REGEX_BYTES: usize = 4 << 20;
