//! Values that are taken apart: the parts of a text by a pattern, the elements of an array as rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Builder, ListBuilder, StringViewBuilder};
use datafusion::common::Result;

use super::arrays::at;
use super::convert::quoted;
use super::json_text::{array, bag, elements, members};
use super::pattern_parts::TextPattern;
use super::{Call, FunctionSpec, Returns, collect_texts};

pub(super) static SHAPES: &[&FunctionSpec] = &[&EXPAND_BAGS, &EXPAND_PAIRS, &PARSE_PATTERN, &POSITIONS];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_parse_pattern(text, pattern)`: the texts of the columns as an array; null if the text does not match.
spec!(PARSE_PATTERN, "kql_parse_pattern", Text, |call| {
    let texts = call.texts(0)?;
    let pattern = call.constant_text(1)?.and_then(TextPattern::parse);
    Ok(collect_texts((0..call.rows).map(|row| {
        let parts = pattern.as_ref()?.apply(texts.get(row))?;
        Some(array(parts.iter().map(|part| part.as_deref().map_or_else(|| "null".to_owned(), quoted))))
    })))
});
// `kql_expand_…(value, limit)`: the elements of an array, the properties of a bag, or the value itself.
spec!(EXPAND_BAGS, "kql_expand_bags", Texts, |call| {
    expanded(call, |name, json| bag([(name, json)].into_iter()))
});
spec!(EXPAND_PAIRS, "kql_expand_pairs", Texts, |call| {
    expanded(call, |name, json| array([quoted(name).as_str(), json].into_iter()))
});
// `kql_positions(limit, value, …)`: from 0 to the last element of the longest value.
spec!(POSITIONS, "kql_positions", Longs, |call| {
    let limits = call.longs(0)?;
    let values = (1..call.len()).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
    let mut lists = ListBuilder::new(Int64Builder::new());
    for (row, limit) in limits.iter().enumerate() {
        let longest = values.iter().map(|column| length(at(column, row))).max().unwrap_or(0);
        let end = i64::try_from(longest).unwrap_or(i64::MAX).min(limit.unwrap_or(0));
        (0..end).for_each(|position| lists.values().append_value(position));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
});

/// How many rows a value makes.
fn length(json: Option<&str>) -> usize {
    let Some(json) = json else { return 1 };
    elements(json)
        .map(|elements| elements.len())
        .or_else(|| members(json).map(|members| members.len()))
        .unwrap_or(1)
}

fn expanded(call: &Call<'_>, of_property: fn(&str, &str) -> String) -> Result<ArrayRef> {
    let (values, limits) = (call.nullable_texts(0)?, call.longs(1)?);
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for (json, limit) in values.iter().zip(&limits) {
        let limit = usize::try_from(limit.unwrap_or(0)).unwrap_or(usize::MAX);
        for element in parts(json, of_property).into_iter().take(limit) {
            lists.values().append_option(element.filter(|element| element != "null"));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn parts(json: Option<&str>, of_property: fn(&str, &str) -> String) -> Vec<Option<String>> {
    let Some(json) = json else { return vec![None] };
    if let Some(elements) = elements(json) {
        return elements.into_iter().map(|element| Some(element.to_owned())).collect();
    }
    match members(json) {
        Some(members) => members.iter().map(|(name, value)| Some(of_property(name, value))).collect(),
        None => vec![Some(json.to_owned())],
    }
}
