//! Texts with a structure: paths, URLs, command lines, records; and what patterns find in texts.

use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array};

use super::arrays::{MOST_ELEMENTS, at};
use super::convert::quoted;
use super::encodings::{of_text, text_array};
use super::json_text::{array, bag, elements, text_of};
use super::patterns::Patterns;
use super::text_match::{Case, Place, TextTest};
use super::{FunctionSpec, Returns, structures};

pub(super) static PARSERS: &[&FunctionSpec] = &[
    &COUNT_OF,
    &EXTRACT_ALL,
    &FORMAT_BYTES,
    &HAS_ANY_INDEX,
    &INDEX_OF_REGEX,
    &IS_ASCII,
    &IS_UTF8,
    &PARSE_COMMAND_LINE,
    &PARSE_CSV,
    &PARSE_PATH,
    &PARSE_URL,
    &PARSE_URL_QUERY,
    &REGEX_QUOTE,
    &REPLACE_STRINGS,
    &REVERSE,
    &STR_CMP,
    &STR_REP,
    &STRING_SIZE,
    &TRANSLATE,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_countof(text, what, kind?)`: plain matches may overlap, those of a regular expression do not.
spec!(COUNT_OF, "kql_countof", Long, |call| {
    let (texts, needles) = (call.texts(0)?, call.texts(1)?);
    let is_regex =
        call.len() > 2 && call.constant_text(2)?.is_some_and(|kind| kind.eq_ignore_ascii_case("regex"));
    let mut patterns = Patterns::new(call, 1, |pattern| pattern.to_owned())?;
    let counts = (0..call.rows).map(|row| {
        let (text, needle) = (texts.get(row), needles.get(row));
        let count = match is_regex {
            true => patterns.at(row)?.find_iter(text).count(),
            false if needle.is_empty() => 0,
            false => text.char_indices().filter(|(at, _)| text[*at..].starts_with(needle)).count(),
        };
        i64::try_from(count).ok()
    });
    let counts: Int64Array = counts.collect();
    Ok(Arc::new(counts))
});
// `kql_extract_all(regex, groups, text)`: texts for one group, arrays of texts for several; null if nothing matches.
spec!(EXTRACT_ALL, "kql_extract_all", Text, |call| {
    let (groups, texts) = (call.nullable_texts(1)?, call.texts(2)?);
    let mut patterns = Patterns::new(call, 0, |pattern| pattern.to_owned())?;
    call.collect((0..call.rows).map(|row| {
        let regex = patterns.at(row)?;
        let wanted: Vec<usize> = match at(&groups, row).and_then(elements) {
            Some(wanted) => wanted.into_iter().filter_map(|group| group_index(regex, group)).collect(),
            None => (1..regex.captures_len()).collect(),
        };
        // Each match has each group at most as a whole.
        let text = texts.get(row);
        call.room.of(text.len().saturating_mul(wanted.len()))?;
        let matches = regex.captures_iter(text).map(|captures| {
            let group = |index: &usize| quoted(captures.get(*index).map_or("", |found| found.as_str()));
            match wanted.as_slice() {
                [only] => group(only),
                several => array(several.iter().map(group)),
            }
        });
        let matches: Vec<String> = matches.take(MOST_ELEMENTS + 1).collect();
        call.room.elements(matches.len())?;
        (!matches.is_empty() && !wanted.is_empty()).then(|| array(matches.iter()))
    }))
});
// `kql_format_bytes(size, precision?, unit?)`
spec!(FORMAT_BYTES, "kql_format_bytes", Text, |call| {
    let (sizes, precisions) = (call.reals(0)?, call.longs_or(1, 0)?);
    let units = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    call.collect(sizes.iter().zip(&precisions).enumerate().map(|(row, (size, precision))| {
        let unit = units.as_ref().map_or("", |units| units.get(row));
        Some(
            size.zip(precision)
                .map(|(size, precision)| structures::bytes(size, precision, unit))
                .unwrap_or_default(),
        )
    }))
});
// `kql_has_any_index(text, array of terms)`
spec!(HAS_ANY_INDEX, "kql_has_any_index", Long, |call| {
    let (texts, terms) = (call.texts(0)?, call.nullable_texts(1)?);
    let found = (0..call.rows).map(|row| {
        let terms = at(&terms, row).and_then(elements)?;
        let has = |term: &str| {
            TextTest::new(Place::Term, Case::Insensitive, &text_of(term)).matches(texts.get(row))
        };
        terms.into_iter().position(has).map_or(Some(-1), |at| i64::try_from(at).ok())
    });
    Ok(Arc::new(found.collect::<Int64Array>()))
});
// `kql_indexof_regex(text, regex, start?, length?, occurrence?)`: null if the question is no sensible one.
spec!(INDEX_OF_REGEX, "kql_indexof_regex", Long, |call| {
    let texts = call.texts(0)?;
    let (starts, lengths, occurrences) = (call.longs_or(2, 0)?, call.longs_or(3, -1)?, call.longs_or(4, 1)?);
    let mut patterns = Patterns::new(call, 1, |pattern| pattern.to_owned())?;
    let rows = starts.iter().zip(&lengths).zip(&occurrences).enumerate();
    let positions = rows.map(|(row, ((start, length), occurrence))| {
        let (start, length) = (usize::try_from(start?).ok()?, length?);
        let nth = usize::try_from(occurrence?).ok()?.checked_sub(1)?;
        let text = texts.get(row);
        let byte_of = |text: &str, characters: usize| {
            text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
        };
        let rest = &text[byte_of(text, start)..];
        let inside = match length {
            -1 => rest,
            length => &rest[..byte_of(rest, usize::try_from(length).ok()?)],
        };
        let found = patterns.at(row)?.find_iter(inside).nth(nth);
        let characters = found.map(|found| inside[..found.start()].chars().count() + start);
        characters.map_or(Some(-1), |at| i64::try_from(at).ok())
    });
    let positions: Int64Array = positions.collect();
    Ok(Arc::new(positions))
});
spec!(IS_ASCII, "kql_isascii", Bool, |call| call.test_texts(0, str::is_ascii));
// Every text of ours is UTF-8.
spec!(IS_UTF8, "kql_isutf8", Bool, |call| Ok(Arc::new(BooleanArray::from(vec![true; call.rows]))));
// `kql_parse_command_line(text, kind)`
spec!(PARSE_COMMAND_LINE, "kql_parse_command_line", Text, |call| {
    let texts = call.texts(0)?;
    call.collect((0..call.rows).map(|row| {
        let arguments = structures::command_line(texts.get(row));
        (!arguments.is_empty()).then(|| text_array(arguments.iter().map(String::as_str)))
    }))
});
spec!(PARSE_CSV, "kql_parse_csv", Text, |call| of_text(call, |text| {
    text_array(structures::first_record(text).iter().map(String::as_str))
}));
spec!(PARSE_PATH, "kql_parse_path", Text, |call| of_text(call, |text| texts_bag(&structures::path(text))));
spec!(PARSE_URL, "kql_parse_url", Text, |call| of_text(call, |text| {
    let (parts, query) = structures::url(text);
    let query = query_bag(query);
    let text_parts: Vec<(&str, String)> = parts.iter().map(|(name, part)| (*name, quoted(part))).collect();
    let (before, fragment) = text_parts.split_at(text_parts.len() - 1);
    let members = before.iter().map(|(name, json)| (*name, json.as_str()));
    let members = members.chain([("Query Parameters", query.as_str())]);
    bag(members.chain(fragment.iter().map(|(name, json)| (*name, json.as_str()))))
}));
spec!(PARSE_URL_QUERY, "kql_parse_urlquery", Text, |call| of_text(call, |text| {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    bag([("Query Parameters", query_bag(query).as_str())].into_iter())
}));
spec!(REGEX_QUOTE, "kql_regex_quote", Text, |call| of_text(call, regex::escape));
// `kql_replace_strings(text, array of what, array of with)`: one after the other.
spec!(REPLACE_STRINGS, "kql_replace_strings", Text, |call| {
    let (texts, whats, withs) = (call.texts(0)?, call.nullable_texts(1)?, call.nullable_texts(2)?);
    call.collect((0..call.rows).map(|row| {
        let list = |column| at(column, row).and_then(elements).unwrap_or_default();
        let text = |json: &str| json.starts_with('"').then(|| text_of(json).into_owned());
        let pairs = list(&whats).into_iter().zip(list(&withs));
        let pairs: Vec<(String, Option<String>)> =
            pairs.filter_map(|(what, with)| Some((text(what)?, text(with)))).collect();
        let text = texts.get(row);
        let (found, bytes) = structures::replaced_size(text, &pairs);
        call.room.elements(found)?;
        call.room.of(bytes)?;
        Some(structures::replaced(text, &pairs))
    }))
});
spec!(REVERSE, "kql_reverse", Text, |call| of_text(call, |text| text.chars().rev().collect()));
spec!(STR_CMP, "kql_strcmp", Long, |call| {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    let orders = (0..call.rows).map(|row| left.get(row).cmp(right.get(row)) as i64);
    Ok(Arc::new(Int64Array::from_iter_values(orders)))
});
// `kql_strrep(text, times, delimiter?)`: at most 1024 times.
spec!(STR_REP, "kql_strrep", Text, |call| {
    let (texts, times) = (call.texts(0)?, call.longs(1)?);
    let delimiters = if call.len() > 2 { Some(call.texts(2)?) } else { None };
    call.collect(times.iter().enumerate().map(|(row, times)| {
        let times = usize::try_from(times.unwrap_or(0)).unwrap_or(0).min(MOST_REPETITIONS);
        let delimiter = delimiters.as_ref().map_or("", |delimiters| delimiters.get(row));
        let text = texts.get(row);
        call.room.of((text.len() + delimiter.len()).saturating_mul(times))?;
        Some(vec![text; times].join(delimiter))
    }))
});
spec!(STRING_SIZE, "kql_string_size", Long, |call| {
    let texts = call.texts(0)?;
    Ok(Arc::new(Int64Array::from_iter_values((0..call.rows).map(|row| texts.get(row).len() as i64))))
});
// `kql_translate(characters, with, text)`: the last of `with` stands for all that follow.
spec!(TRANSLATE, "kql_translate", Text, |call| {
    let (whats, withs, texts) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.collect((0..call.rows).map(|row| {
        let with: Vec<char> = withs.get(row).chars().collect();
        let translate = |character| match whats.get(row).chars().position(|what| what == character) {
            Some(at) => with.get(at).or(with.last()).copied(),
            None => Some(character),
        };
        Some(texts.get(row).chars().filter_map(translate).collect::<String>())
    }))
});

/// The group that a JSON value names, by number or by name.
fn group_index(regex: &regex::Regex, group: &str) -> Option<usize> {
    match group.parse() {
        Ok(index) => Some(index).filter(|index| *index < regex.captures_len()),
        Err(_) => {
            let name = text_of(group);
            regex.capture_names().position(|known| known == Some(&*name))
        }
    }
}

fn texts_bag(parts: &[(&str, String)]) -> String {
    let texts: Vec<(&str, String)> = parts.iter().map(|(name, part)| (*name, quoted(part))).collect();
    bag(texts.iter().map(|(name, json)| (*name, json.as_str())))
}

fn query_bag(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let members: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.to_owned(), quoted(value))).collect();
    super::bags::merged(vec![members.iter().map(|(name, json)| (name.clone(), json.as_str())).collect()])
}

/// How often `strrep` repeats at most, as in the original.
const MOST_REPETITIONS: usize = 1024;
