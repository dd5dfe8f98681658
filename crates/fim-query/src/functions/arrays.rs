//! Arrays of any values. Elements keep the text they were written with; what is no array gives null.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringViewArray};
use datafusion::common::Result;

use super::json_text::{Ordered, array, canonical, elements, number, same, text_of};
use super::texts::joined_bytes;
use super::{Call, FunctionSpec, Returns};

pub(super) static ARRAYS: &[&FunctionSpec] = &[
    &ARRAY_CONCAT,
    &ARRAY_IFF,
    &ARRAY_INDEX_OF,
    &ARRAY_LENGTH,
    &ARRAY_REVERSE,
    &ARRAY_ROTATE_LEFT,
    &ARRAY_ROTATE_RIGHT,
    &ARRAY_SHIFT_LEFT,
    &ARRAY_SHIFT_RIGHT,
    &ARRAY_SLICE,
    &ARRAY_SORT,
    &ARRAY_SPLIT,
    &ARRAY_SUM,
    &JACCARD_INDEX,
    &PACK_ARRAY,
    &REPEAT,
    &SET_DIFFERENCE,
    &SET_EQUALS,
    &SET_HAS_ELEMENT,
    &SET_INTERSECT,
    &SET_UNION,
    &STRCAT_ARRAY,
    &ZIP,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(ARRAY_CONCAT, "kql_array_concat", Text, |call| several(call, |arrays| {
    Some(array(all_elements(arrays)?.into_iter().flatten()))
}));
// `kql_array_iff(conditions, if_true, if_false)`: a value that is no array stands for all elements.
spec!(ARRAY_IFF, "kql_array_iff", Text, |call| several(call, |values| {
    let [conditions, if_true, if_false] = values else { return None };
    let conditions = elements((*conditions)?)?;
    // Only a value that is no array is repeated.
    let repeated = [if_true, if_false].into_iter().flatten().filter(|value| elements(value).is_none());
    let longest = repeated.map(|value| value.len() + 1).max().unwrap_or(0);
    call.room.of(longest.saturating_mul(conditions.len()))?;
    let element = |value: &Option<&str>, at: usize| match value.and_then(elements) {
        Some(elements) => elements.get(at).map_or("null", |element| *element).to_owned(),
        None => value.unwrap_or("null").to_owned(),
    };
    let choose = |(at, condition): (usize, &str)| match is_true(condition) {
        Some(true) => element(if_true, at),
        Some(false) => element(if_false, at),
        None => "null".to_owned(),
    };
    Some(array(conditions.into_iter().enumerate().map(choose)))
}));
// `kql_array_index_of(array, value, start, length, occurrence)`
spec!(ARRAY_INDEX_OF, "kql_array_index_of", Long, |call| {
    let (arrays, values) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let (starts, lengths, occurrences) = (call.longs_or(2, 0)?, call.longs_or(3, -1)?, call.longs_or(4, 1)?);
    let rows = arrays.iter().zip(values.iter()).zip(&starts).zip(&lengths).zip(&occurrences);
    let positions = rows.map(|((((array, value), start), length), occurrence)| {
        index_of(&elements(array?)?, value.unwrap_or("null"), start?, length?, occurrence?)
    });
    Ok(Arc::new(positions.collect::<Int64Array>()))
});
spec!(ARRAY_LENGTH, "kql_array_length", Long, |call| {
    let arrays = call.nullable_texts(0)?;
    Ok(Arc::new(arrays.iter().map(|json| i64::try_from(elements(json?)?.len()).ok()).collect::<Int64Array>()))
});
spec!(ARRAY_REVERSE, "kql_array_reverse", Text, |call| several(call, |values| {
    Some(array(elements((*values.first()?)?)?.into_iter().rev()))
}));
spec!(ARRAY_ROTATE_LEFT, "kql_array_rotate_left", Text, |call| moved(call, 1, rotated));
spec!(ARRAY_ROTATE_RIGHT, "kql_array_rotate_right", Text, |call| moved(call, -1, rotated));
spec!(ARRAY_SHIFT_LEFT, "kql_array_shift_left", Text, |call| moved(call, 1, shifted));
spec!(ARRAY_SHIFT_RIGHT, "kql_array_shift_right", Text, |call| moved(call, -1, shifted));
// `kql_array_slice(array, start, end)`: the end is inside; both may count from the end.
spec!(ARRAY_SLICE, "kql_array_slice", Text, |call| {
    let (arrays, starts, ends) = (call.nullable_texts(0)?, call.longs(1)?, call.longs(2)?);
    call.collect(arrays.iter().zip(&starts).zip(&ends).map(|((json, start), end)| {
        let elements = elements(json?)?;
        let count = i64::try_from(elements.len()).ok()?;
        let from_start = |at: i64| if at < 0 { at.saturating_add(count) } else { at };
        let start = usize::try_from(from_start(start?).max(0)).ok()?;
        let end = usize::try_from(from_start(end?).saturating_add(1).clamp(0, count)).ok()?;
        Some(array(elements.get(start..end).unwrap_or_default().iter()))
    }))
});
// `kql_array_sort(array, …, is_descending, nulls_last)`
spec!(ARRAY_SORT, "kql_array_sort", Text, |call| {
    let count = call.len().saturating_sub(2);
    let arrays = (0..count).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
    let (is_descending, are_nulls_last) = (call.bools(count)?, call.bools(count + 1)?);
    call.collect((0..call.rows).map(|row| {
        let row_of = |column: &StringViewArray| -> Option<Vec<String>> {
            Some(elements(at(column, row)?)?.into_iter().map(str::to_owned).collect())
        };
        let arrays: Vec<Option<Vec<String>>> = arrays.iter().map(row_of).collect();
        let order =
            sorted_positions(arrays.first()?.as_ref()?, is_descending.value(row), are_nulls_last.value(row));
        let sorted = arrays.iter().map(|elements| match elements {
            Some(elements) if elements.len() == order.len() => {
                array(order.iter().map(|&position| &elements[position]))
            }
            Some(_) | None => "null".to_owned(),
        });
        Some(array(sorted))
    }))
});
// `kql_array_split(array, positions)`: one position or an array of them.
spec!(ARRAY_SPLIT, "kql_array_split", Text, |call| several(call, |values| {
    let [json, positions] = values else { return None };
    let elements_of = elements((*json)?)?;
    let count = i64::try_from(elements_of.len()).ok()?;
    let positions = (*positions)?;
    let mut parts = Vec::new();
    let mut start = 0;
    for position in elements(positions).unwrap_or_else(|| vec![positions]) {
        let position: i64 = position.parse().ok()?;
        let from_start = if position < 0 { position.saturating_add(count) } else { position };
        let end = usize::try_from(from_start.clamp(0, count)).ok()?.max(start);
        parts.push(array(elements_of[start..end].iter()));
        start = end;
    }
    parts.push(array(elements_of[start..].iter()));
    Some(array(parts.iter()))
}));
// Null if an element is no number.
spec!(ARRAY_SUM, "kql_array_sum", Real, |call| {
    let sum = |json: Option<&str>| elements(json?)?.into_iter().map(number).sum::<Option<f64>>();
    Ok(Arc::new(call.nullable_texts(0)?.iter().map(sum).collect::<Float64Array>()))
});
spec!(JACCARD_INDEX, "kql_jaccard_index", Real, |call| {
    let (left, right) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let indexes = left.iter().zip(right.iter()).map(|(left, right)| {
        let set =
            |json: Option<&str>| Some(elements(json?)?.into_iter().map(canonical).collect::<HashSet<_>>());
        let (left, right) = (set(left)?, set(right)?);
        Some(left.intersection(&right).count() as f64 / left.union(&right).count() as f64)
    });
    Ok(Arc::new(indexes.collect::<Float64Array>()))
});
spec!(PACK_ARRAY, "kql_pack_array", Text, |call| several(call, |values| {
    Some(array(values.iter().map(|value| value.unwrap_or("null"))))
}));
// `kql_repeat(value, count)`
spec!(REPEAT, "kql_repeat", Text, |call| {
    let (values, counts) = (call.nullable_texts(0)?, call.longs(1)?);
    call.collect(values.iter().zip(&counts).map(|(value, count)| {
        let count = usize::try_from(count?).ok().filter(|count| *count <= MOST_ELEMENTS)?;
        let value = value.unwrap_or("null");
        call.room.of((value.len() + 1).saturating_mul(count))?;
        Some(array(std::iter::repeat_n(value, count)))
    }))
});
spec!(SET_DIFFERENCE, "kql_set_difference", Text, |call| several(call, |arrays| {
    let arrays = all_elements(arrays)?;
    let (first, others) = arrays.split_first()?;
    let others: HashSet<String> = others.iter().flatten().map(|element| canonical(element)).collect();
    Some(array(distinct(first.iter().copied()).filter(|element| !others.contains(&canonical(element)))))
}));
spec!(SET_EQUALS, "kql_set_equals", Bool, |call| {
    let (left, right) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let set = |json: Option<&str>| Some(elements(json?)?.into_iter().map(canonical).collect::<HashSet<_>>());
    let answers = left.iter().zip(right.iter()).map(|(left, right)| Some(set(left)? == set(right)?));
    Ok(Arc::new(answers.collect::<BooleanArray>()))
});
spec!(SET_HAS_ELEMENT, "kql_set_has_element", Bool, |call| {
    let (sets, values) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let answers = sets.iter().zip(values.iter()).map(|(set, value)| {
        let value = value.unwrap_or("null");
        Some(elements(set?)?.into_iter().any(|element| same(element, value)))
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
});
spec!(SET_INTERSECT, "kql_set_intersect", Text, |call| several(call, |arrays| {
    let arrays = all_elements(arrays)?;
    let (first, others) = arrays.split_first()?;
    let set = |elements: &Vec<&str>| elements.iter().map(|element| canonical(element)).collect();
    let others: Vec<HashSet<String>> = others.iter().map(set).collect();
    let is_common = |element: &&str| others.iter().all(|other| other.contains(&canonical(element)));
    Some(array(distinct(first.iter().copied()).filter(is_common)))
}));
spec!(SET_UNION, "kql_set_union", Text, |call| several(call, |arrays| {
    Some(array(distinct(all_elements(arrays)?.into_iter().flatten())))
}));
// `kql_strcat_array(array, delimiter)`
spec!(STRCAT_ARRAY, "kql_strcat_array", Text, |call| {
    let (arrays, delimiters) = (call.nullable_texts(0)?, call.texts(1)?);
    call.collect(arrays.iter().enumerate().map(|(row, json)| {
        let texts: Vec<_> = json.and_then(elements).unwrap_or_default().into_iter().map(text_of).collect();
        let delimiter = delimiters.get(row);
        call.room.of(joined_bytes(texts.iter(), delimiter))?;
        Some(texts.join(delimiter))
    }))
});
spec!(ZIP, "kql_zip", Text, |call| several(call, |arrays| {
    let arrays = all_elements(arrays)?;
    let longest = arrays.iter().map(Vec::len).max().unwrap_or(0);
    let shortest = arrays.iter().map(Vec::len).min().unwrap_or(0);
    call.room.of((longest - shortest).saturating_mul(arrays.len() * "null,".len()))?;
    let together =
        |at: usize| array(arrays.iter().map(|elements| elements.get(at).map_or("null", |element| *element)));
    Some(array((0..longest).map(together)))
}));

/// A function of any number of dynamic arguments, row by row.
pub(super) fn several(
    call: &Call<'_>,
    of_row: impl Fn(&[Option<&str>]) -> Option<String>,
) -> Result<ArrayRef> {
    let columns = (0..call.len()).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
    call.collect((0..call.rows).map(|row| {
        let values: Vec<Option<&str>> = columns.iter().map(|column| at(column, row)).collect();
        call.room.of(values.iter().flatten().map(|value| value.len() + 1).sum())?;
        of_row(&values)
    }))
}

/// The value of a row; none if it is null.
pub(super) fn at(column: &StringViewArray, row: usize) -> Option<&str> {
    use arrow::array::Array;
    column.is_valid(row).then(|| column.value(row))
}

fn all_elements<'a>(arrays: &[Option<&'a str>]) -> Option<Vec<Vec<&'a str>>> {
    arrays.iter().map(|json| elements((*json)?)).collect()
}

/// Each different element once, where it stands first.
pub(crate) fn distinct<'a>(elements: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = HashSet::new();
    elements.filter(move |element| seen.insert(canonical(element)))
}

fn is_true(json: &str) -> Option<bool> {
    match json {
        "true" => Some(true),
        "false" => Some(false),
        _ => number(json).map(|number| number != 0.0),
    }
}

/// The position of the n-th such element among `length` elements from `start` on, or -1.
fn index_of(elements: &[&str], value: &str, start: i64, length: i64, occurrence: i64) -> Option<i64> {
    if length < -1 || occurrence < 1 {
        return None;
    }
    let count = i64::try_from(elements.len()).ok()?;
    let start = if start < 0 { start.saturating_add(count).max(0) } else { start.min(count) };
    let end = if length < 0 { count } else { start.saturating_add(length).min(count) };
    let inside = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
    let mut found = inside.filter(|&at| same(elements[at], value));
    let nth = usize::try_from(occurrence - 1).ok()?;
    found.nth(nth).map_or(Some(-1), |at| i64::try_from(at).ok())
}

/// `f(array, places, fill?)`; `direction` is 1 for left and -1 for right.
fn moved(call: &Call<'_>, direction: i64, places: fn(&[&str], i64, &str) -> Vec<String>) -> Result<ArrayRef> {
    let (arrays, by) = (call.nullable_texts(0)?, call.longs(1)?);
    let fills = if call.len() > 2 { Some(call.nullable_texts(2)?) } else { None };
    call.collect(arrays.iter().zip(&by).enumerate().map(|(row, (json, by))| {
        let fill = fills.as_ref().and_then(|fills| at(fills, row)).unwrap_or("null");
        let elements = elements(json?)?;
        let by = by?.checked_mul(direction)?;
        let filled = elements.len().min(usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX));
        call.room.of((fill.len() + 1).saturating_mul(filled))?;
        Some(array(places(&elements, by, fill).iter()))
    }))
}

fn rotated(elements: &[&str], left: i64, _fill: &str) -> Vec<String> {
    let mut rotated: Vec<String> = elements.iter().map(|element| (*element).to_owned()).collect();
    if let Ok(count @ 1..) = i64::try_from(elements.len()) {
        rotated.rotate_left(usize::try_from(left.rem_euclid(count)).unwrap_or_default());
    }
    rotated
}

fn shifted(elements: &[&str], left: i64, fill: &str) -> Vec<String> {
    let source = |at: usize| {
        let from = i64::try_from(at).ok()?.checked_add(left)?;
        elements.get(usize::try_from(from).ok()?).copied()
    };
    (0..elements.len()).map(|at| source(at).unwrap_or(fill).to_owned()).collect()
}

/// The positions of elements in their order: numbers, moments and timespans, then texts, then all else.
fn sorted_positions(elements: &[String], is_descending: bool, are_nulls_last: bool) -> Vec<usize> {
    let keys: Vec<Option<Ordered>> = elements.iter().map(|json| Ordered::of(json)).collect();
    let (mut positions, nulls): (Vec<usize>, Vec<usize>) =
        (0..elements.len()).partition(|&position| keys[position].is_some());
    positions.sort_by(|&a, &b| {
        let order = keys[a].cmp(&keys[b]);
        if is_descending { order.reverse() } else { order }
    });
    if are_nulls_last { [positions, nulls].concat() } else { [nulls, positions].concat() }
}

/// The most elements of an array that a function makes, as in the original.
pub(super) const MOST_ELEMENTS: usize = 1_048_576;
