//! Property bags, and what is inside of any dynamic value.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringViewArray};
use datafusion::common::Result;
use serde_json::Value as Json;

use super::arrays::{at, several};
use super::convert::quoted;
use super::json_path::JsonPath;
use super::json_text::{array, bag, elements, member, members, text_of};
use super::{Call, FunctionSpec, Returns};

pub(super) static BAGS: &[&FunctionSpec] = &[
    &BAG_HAS_KEY,
    &BAG_KEYS,
    &BAG_MERGE,
    &BAG_PACK,
    &BAG_PACK_PRESENT,
    &BAG_REMOVE_KEYS,
    &BAG_SET_KEY,
    &BAG_ZIP,
    &DYNAMIC_TO_JSON,
    &EXTRACT_JSON,
    &GET_TYPE,
    &TREE_PATH,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_bag_has_key(bag, name or path)`
spec!(BAG_HAS_KEY, "kql_bag_has_key", Bool, |call| {
    let (bags, keys) = (call.nullable_texts(0)?, call.texts(1)?);
    let answers = bags.iter().enumerate().map(|(row, json)| {
        let json = json?;
        members(json)?;
        Some(JsonPath::of_key(keys.get(row)).is_some_and(|path| path.find(json).is_some()))
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
});
spec!(BAG_KEYS, "kql_bag_keys", Text, |call| several(call, |values| {
    let members = members((*values.first()?)?)?;
    Some(array(members.iter().map(|(name, _)| quoted(name))))
}));
// Of two properties with one name the first stays; what is no bag is left out, unless nothing is one.
spec!(BAG_MERGE, "kql_bag_merge", Text, |call| several(call, |values| {
    let bags: Vec<Vec<(String, &str)>> = values.iter().filter_map(|json| members((*json)?)).collect();
    (!bags.is_empty()).then(|| merged(bags))
}));
spec!(BAG_PACK, "kql_bag_pack", Text, |call| packed(call, |_| true));
spec!(BAG_PACK_PRESENT, "kql_bag_pack_present", Text, |call| packed(call, |json| {
    !matches!(json, "null" | "\"\"")
}));
// `kql_bag_remove_keys(bag, array of names or paths)`
spec!(BAG_REMOVE_KEYS, "kql_bag_remove_keys", Text, |call| several(call, |values| {
    let [json, keys] = values else { return None };
    let json = (*json)?;
    members(json)?;
    let keys = keys.and_then(elements).unwrap_or_default();
    let mut left = json.to_owned();
    for path in keys.into_iter().filter_map(|key| JsonPath::of_key(&text_of(key))) {
        left = path.without(&left).unwrap_or(left);
    }
    Some(left)
}));
// `kql_bag_set_key(bag, name or path, value)`
spec!(BAG_SET_KEY, "kql_bag_set_key", Text, |call| {
    let (bags, keys, values) = (call.nullable_texts(0)?, call.texts(1)?, call.nullable_texts(2)?);
    call.collect(
        bags.iter().enumerate().map(|(row, json)| {
            JsonPath::of_key(keys.get(row))?.with(json?, at(&values, row).unwrap_or("null"))
        }),
    )
});
// `kql_bag_zip(names, values)`: a name that is no text is left out with its value.
spec!(BAG_ZIP, "kql_bag_zip", Text, |call| several(call, |values| {
    let [names, values] = values else { return None };
    let (names, values) = (elements((*names)?)?, elements((*values)?)?);
    let property = |(at, name): (usize, &str)| {
        let value = values.get(at).map_or("null", |value| *value);
        Some((name.starts_with('"').then(|| text_of(name).into_owned())?, value))
    };
    Some(merged(vec![names.into_iter().enumerate().filter_map(property).collect()]))
}));
spec!(DYNAMIC_TO_JSON, "kql_dynamic_to_json", Text, |call| {
    let ordered = |json: &str| match serde_json::from_str::<Json>(json) {
        // The properties of a parsed object are ordered by name.
        Ok(value) => value.to_string(),
        Err(_) => json.to_owned(),
    };
    call.collect(call.nullable_texts(0)?.iter().map(|json| Some(json.map(ordered).unwrap_or_default())))
});
// `kql_extract_json(path, text)`
spec!(EXTRACT_JSON, "kql_extract_json", Text, |call| {
    let (paths, texts) = (call.texts(0)?, call.texts(1)?);
    call.collect((0..call.rows).map(|row| {
        let text = texts.get(row).trim();
        let found = JsonPath::parse(paths.get(row))
            .filter(|_| super::json_text::is_json(text))
            .and_then(|path| path.find(text).map(|json| text_of(json).into_owned()));
        Some(found.unwrap_or_default())
    }))
});
// The type of a dynamic value by what it holds.
spec!(GET_TYPE, "kql_gettype", Text, |call| {
    let values: StringViewArray = call.nullable_texts(0)?;
    call.collect(values.iter().map(|json| Some(json.map_or("null", type_name))))
});
spec!(TREE_PATH, "kql_treepath", Text, |call| several(call, |values| {
    let mut paths = Vec::new();
    collect_paths((*values.first()?)?, String::new(), &mut paths);
    Some(array(paths.iter().map(|path| quoted(path))))
}));

/// `f(name, value, …)`, the properties whose value `is_kept`.
fn packed(call: &Call<'_>, is_kept: fn(&str) -> bool) -> Result<ArrayRef> {
    let names = (0..call.len()).step_by(2).map(|at| call.texts(at)).collect::<Result<Vec<_>>>()?;
    let values = (1..call.len()).step_by(2).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
    call.collect((0..call.rows).map(|row| {
        let lengths = names.iter().map(|names| names.get(row).len());
        let lengths = lengths.chain(values.iter().map(|values| at(values, row).map_or(0, str::len)));
        call.room.of(lengths.sum())?;
        let properties = names
            .iter()
            .zip(&values)
            .map(|(names, values)| (names.get(row).to_owned(), at(values, row).unwrap_or("null")));
        Some(merged(vec![properties.filter(|(_, json)| is_kept(json)).collect()]))
    }))
}

/// One bag of the properties of several; of those with one name the first.
pub(crate) fn merged(bags: Vec<Vec<(String, &str)>>) -> String {
    let mut seen = std::collections::HashSet::new();
    let properties = bags.into_iter().flatten().filter(|(name, _)| seen.insert(name.clone()));
    bag(properties.collect::<Vec<_>>().iter().map(|(name, json)| (name.as_str(), *json)))
}

fn type_name(json: &str) -> &'static str {
    match json.bytes().next() {
        Some(b'{') => "dictionary",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') | None => "null",
        Some(_) if json.parse::<i64>().is_ok() => "long",
        Some(_) => "double",
    }
}

/// The paths to all values, each once; those to the elements of an array are written as to its first one.
fn collect_paths(json: &str, path: String, paths: &mut Vec<String>) {
    if !path.is_empty() && !paths.contains(&path) {
        paths.push(path.clone());
    }
    for (name, _) in members(json).unwrap_or_default() {
        if let Some(value) = member(json, &name) {
            collect_paths(value, format!("{path}['{name}']"), paths);
        }
    }
    for element in elements(json).unwrap_or_default() {
        collect_paths(element, format!("{path}[0]"), paths);
    }
}
