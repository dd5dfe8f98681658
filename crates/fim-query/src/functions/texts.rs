//! Texts: what is found in them, and what is made of them.
//!
//! Positions and lengths count characters. A null is read as the empty text and no function gives a null text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, StringViewArray};
use arrow::buffer::BooleanBuffer;
use datafusion::common::Result;

use super::text_match::{Case, Place, TextTest, folded};
use super::{Call, FunctionSpec, Returns};

pub(super) static TEXTS: &[&FunctionSpec] = &[
    &EQUAL_IGNORING_CASE,
    &HAS,
    &HAS_CS,
    &HAS_PREFIX,
    &HAS_PREFIX_CS,
    &HAS_SUFFIX,
    &HAS_SUFFIX_CS,
    &CONTAINS,
    &CONTAINS_CS,
    &STARTS_WITH,
    &STARTS_WITH_CS,
    &ENDS_WITH,
    &ENDS_WITH_CS,
    &HAS_ANY,
    &HAS_ALL,
    &IN_IGNORING_CASE,
    &FIRST_TEXT,
    &INDEX_OF,
    &REPLACE_STRING,
    &STRCAT,
    &STRCAT_DELIM,
    &STRLEN,
    &SUBSTRING,
    &TO_LOWER,
    &TO_UPPER,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(EQUAL_IGNORING_CASE, "kql_equal_ignoring_case", Bool, |call| find(
    call,
    Place::Whole,
    Case::Insensitive
));
spec!(HAS, "kql_has", Bool, |call| find(call, Place::Term, Case::Insensitive));
spec!(HAS_CS, "kql_has_cs", Bool, |call| find(call, Place::Term, Case::Sensitive));
spec!(HAS_PREFIX, "kql_hasprefix", Bool, |call| find(call, Place::TermStart, Case::Insensitive));
spec!(HAS_PREFIX_CS, "kql_hasprefix_cs", Bool, |call| find(call, Place::TermStart, Case::Sensitive));
spec!(HAS_SUFFIX, "kql_hassuffix", Bool, |call| find(call, Place::TermEnd, Case::Insensitive));
spec!(HAS_SUFFIX_CS, "kql_hassuffix_cs", Bool, |call| find(call, Place::TermEnd, Case::Sensitive));
spec!(CONTAINS, "kql_contains", Bool, |call| find(call, Place::Anywhere, Case::Insensitive));
spec!(CONTAINS_CS, "kql_contains_cs", Bool, |call| find(call, Place::Anywhere, Case::Sensitive));
spec!(STARTS_WITH, "kql_startswith", Bool, |call| find(call, Place::Start, Case::Insensitive));
spec!(STARTS_WITH_CS, "kql_startswith_cs", Bool, |call| find(call, Place::Start, Case::Sensitive));
spec!(ENDS_WITH, "kql_endswith", Bool, |call| find(call, Place::End, Case::Insensitive));
spec!(ENDS_WITH_CS, "kql_endswith_cs", Bool, |call| find(call, Place::End, Case::Sensitive));
// `kql_has_any(text, term, …)`
spec!(HAS_ANY, "kql_has_any", Bool, |call| {
    find_several(call, Place::Term, |tests, text| tests.iter().any(|test| test.matches(text)))
});
// `kql_has_all(text, term, …)`
spec!(HAS_ALL, "kql_has_all", Bool, |call| {
    find_several(call, Place::Term, |tests, text| tests.iter().all(|test| test.matches(text)))
});
// `kql_in_ignoring_case(text, candidate, …)`
spec!(IN_IGNORING_CASE, "kql_in_ignoring_case", Bool, |call| {
    find_several(call, Place::Whole, |tests, text| tests.iter().any(|test| test.matches(text)))
});
// `kql_first_text(text, …)`: the first that is not empty.
spec!(FIRST_TEXT, "kql_first_text", Text, |call| {
    let columns = (0..call.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>>>()?;
    call.collect((0..call.rows).map(|row| {
        Some(columns.iter().map(|column| column.get(row)).find(|text| !text.is_empty()).unwrap_or_default())
    }))
});
// `kql_indexof(text, what, start, length, occurrence)`
spec!(INDEX_OF, "kql_indexof", Long, |call| {
    let (texts, needles) = (call.texts(0)?, call.texts(1)?);
    let (starts, lengths, occurrences) = (call.longs_or(2, 0)?, call.longs_or(3, -1)?, call.longs_or(4, 1)?);
    let rows = starts.iter().zip(&lengths).zip(&occurrences).enumerate();
    let positions = rows.map(|(row, ((start, length), occurrence))| {
        index_of(texts.get(row), needles.get(row), start?, length?, occurrence?)
    });
    Ok(Arc::new(positions.collect::<Int64Array>()))
});
// `kql_replace_string(text, what, with)`
spec!(REPLACE_STRING, "kql_replace_string", Text, |call| {
    let (texts, needles, replacements) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.collect((0..call.rows).map(|row| {
        let (text, needle, replacement) = (texts.get(row), needles.get(row), replacements.get(row));
        if needle.is_empty() {
            return Some(text.to_owned());
        }
        if replacement.len() > needle.len() {
            let grows = text.matches(needle).count().saturating_mul(replacement.len() - needle.len());
            call.room.of(text.len().saturating_add(grows))?;
        }
        Some(text.replace(needle, replacement))
    }))
});
spec!(STRCAT, "kql_strcat", Text, |call| {
    let columns = (0..call.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>>>()?;
    call.collect((0..call.rows).map(|row| {
        call.room.of(columns.iter().map(|column| column.get(row).len()).sum())?;
        Some(columns.iter().map(|column| column.get(row)).collect::<String>())
    }))
});
// `kql_strcat_delim(delimiter, text, …)`
spec!(STRCAT_DELIM, "kql_strcat_delim", Text, |call| {
    let delimiters = call.texts(0)?;
    let columns = (1..call.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>>>()?;
    call.collect((0..call.rows).map(|row| {
        let parts: Vec<&str> = columns.iter().map(|column| column.get(row)).collect();
        let delimiter = delimiters.get(row);
        call.room.of(joined_bytes(parts.iter().copied(), delimiter))?;
        Some(parts.join(delimiter))
    }))
});
spec!(STRLEN, "kql_strlen", Long, |call| {
    let texts = call.texts(0)?;
    Ok(Arc::new(Int64Array::from_iter_values(
        (0..call.rows).map(|row| texts.get(row).chars().count() as i64),
    )))
});
// `kql_substring(text, start, length?)`
spec!(SUBSTRING, "kql_substring", Text, |call| {
    let (texts, starts, lengths) = (call.texts(0)?, call.longs(1)?, call.longs_or(2, i64::MAX)?);
    call.collect(starts.iter().zip(&lengths).enumerate().map(|(row, (start, length))| {
        let (Some(start), Some(length)) = (start, length) else { return Some("") };
        Some(substring(texts.get(row), start, length))
    }))
});
spec!(TO_LOWER, "kql_tolower", Text, |call| {
    let texts = call.texts(0)?;
    call.collect((0..call.rows).map(|row| Some(lower(texts.get(row)))))
});
spec!(TO_UPPER, "kql_toupper", Text, |call| {
    let texts = call.texts(0)?;
    call.collect((0..call.rows).map(|row| Some(folded(texts.get(row)))))
});

/// The column itself where it has no null, else a copy with empty texts in their place.
pub(crate) fn without_nulls(call: &Call<'_>, texts: StringViewArray) -> Result<ArrayRef> {
    if texts.null_count() == 0 {
        return Ok(Arc::new(texts));
    }
    call.collect(texts.iter().map(|text| Some(text.unwrap_or_default())))
}

/// How long texts are with a delimiter between them, in bytes.
pub(super) fn joined_bytes<T: AsRef<str>>(parts: impl Iterator<Item = T>, delimiter: &str) -> usize {
    parts.fold(0, |bytes: usize, part| {
        bytes.saturating_add(part.as_ref().len()).saturating_add(delimiter.len())
    })
}

/// `f(text, needle)`
fn find(call: &Call<'_>, place: Place, case: Case) -> Result<ArrayRef> {
    if let Some(needle) = call.constant_text(1)? {
        let test = TextTest::new(place, case, needle);
        return call.test_texts(0, |text| test.matches(text));
    }
    let (texts, needles) = (call.texts(0)?, call.texts(1)?);
    let answers = BooleanBuffer::collect_bool(call.rows, |row| {
        TextTest::new(place, case, needles.get(row)).matches(texts.get(row))
    });
    Ok(Arc::new(BooleanArray::new(answers, None)))
}

/// `f(text, needle, …)`, without regard to case.
fn find_several(call: &Call<'_>, place: Place, holds: fn(&[TextTest], &str) -> bool) -> Result<ArrayRef> {
    let test = |needle: &str| TextTest::new(place, Case::Insensitive, needle);
    let constants = (1..call.len())
        .map(|position| call.constant_text(position))
        .collect::<Result<Option<Vec<&str>>>>()?;
    if let Some(constants) = constants {
        let tests: Vec<TextTest> = constants.into_iter().map(test).collect();
        return call.test_texts(0, |text| holds(&tests, text));
    }
    let texts = call.texts(0)?;
    let needles = (1..call.len()).map(|position| call.texts(position)).collect::<Result<Vec<_>>>()?;
    let answers = BooleanBuffer::collect_bool(call.rows, |row| {
        let tests: Vec<TextTest> = needles.iter().map(|column| test(column.get(row))).collect();
        holds(&tests, texts.get(row))
    });
    Ok(Arc::new(BooleanArray::new(answers, None)))
}

/// The position of the n-th occurrence that starts at one of `length` places from `start` on, or -1; null if the
/// question is no sensible one.
pub(crate) fn index_of(text: &str, needle: &str, start: i64, length: i64, occurrence: i64) -> Option<i64> {
    if length < -1 || occurrence < 1 {
        return None;
    }
    let text: Vec<char> = text.chars().collect();
    let needle: Vec<char> = needle.chars().collect();
    let count = i64::try_from(text.len()).ok()?;
    let start = if start < 0 { start.saturating_add(count).max(0) } else { start.min(count) };
    let end = if length < 0 { count + 1 } else { start.saturating_add(length).min(count + 1) };
    let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
    let mut found = (start..end).filter(|at| text[*at..].starts_with(&needle));
    let nth = usize::try_from(occurrence - 1).ok()?;
    found.nth(nth).map_or(Some(-1), |at| i64::try_from(at).ok())
}

/// The characters from `start`, which counts from the end if negative, at most `length` of them.
pub(crate) fn substring(text: &str, start: i64, length: i64) -> &str {
    let from_start =
        if start < 0 { (text.chars().count() as i64).saturating_add(start).max(0) } else { start };
    let byte_of = |text: &str, characters: i64| {
        let characters = usize::try_from(characters.max(0)).unwrap_or(usize::MAX);
        text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
    };
    let rest = &text[byte_of(text, from_start)..];
    &rest[..byte_of(rest, length)]
}

/// The lower case by the one-character mapping.
fn lower(text: &str) -> String {
    text.chars()
        .map(|character| {
            let mut lower = character.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(only), None) => only,
                (_, _) => character,
            }
        })
        .collect()
}
