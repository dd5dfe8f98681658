//! Values that are taken apart: the parts of a text by a pattern, the elements of an array as rows.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, ListArray, StringViewBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use super::arrays::at;
use super::convert::quoted;
use super::json_text::{array, bag, elements, members};
use super::pattern_parts::TextPattern;
use super::{Call, FunctionSpec, Returns};

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
    call.collect((0..call.rows).map(|row| {
        let parts = pattern.as_ref()?.apply(texts.get(row))?;
        Some(array(parts.iter().map(|part| part.as_deref().map_or_else(|| "null".to_owned(), quoted))))
    }))
});
// `kql_expand_…(value, limit)`: the elements of an array, the properties of a bag, or the value itself; in lists of at
// most [`LIST_ROWS`], so that what becomes rows together is bounded however many elements there are.
spec!(EXPAND_BAGS, "kql_expand_bags", Texts, |call| {
    expanded(call, |name, json| bag([(name, json)].into_iter()))
});
spec!(EXPAND_PAIRS, "kql_expand_pairs", Texts, |call| {
    expanded(call, |name, json| array([quoted(name).as_str(), json].into_iter()))
});
// `kql_positions(limit, value, …)`: from 0 to the last element of the longest value, in such lists too.
spec!(POSITIONS, "kql_positions", Longs, |call| {
    let limits = call.longs(0)?;
    let values = (1..call.len()).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
    let (mut positions, mut lists) = (Vec::new(), Lists::default());
    let mut ledger = call.ledger();
    for (row, limit) in limits.iter().enumerate() {
        let longest = values.iter().map(|column| length(at(column, row))).max().unwrap_or(0);
        let end = i64::try_from(longest).unwrap_or(i64::MAX).min(limit.unwrap_or(0));
        ledger.add(longest.saturating_mul(size_of::<i64>()))?;
        positions.extend(0..end);
        lists.end_row(positions.len());
    }
    lists.of(Arc::new(Int64Array::from(positions)))
});

/// The type of lists of lists of values.
pub(super) fn lists_of(values: DataType) -> DataType {
    DataType::new_list(DataType::new_list(values, true), true)
}

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
    let (mut parts, mut lists) = (StringViewBuilder::new(), Lists::default());
    let mut ledger = call.ledger();
    let mut count = 0;
    for (json, limit) in values.iter().zip(&limits) {
        let limit = usize::try_from(limit.unwrap_or(0)).unwrap_or(usize::MAX);
        for part in parts_of(json, of_property).into_iter().take(limit) {
            ledger.add(size_of::<u128>() + part.as_ref().map_or(0, |part| part.len()))?;
            parts.append_option(part.filter(|part| part != "null"));
            count += 1;
        }
        lists.end_row(count);
    }
    lists.of(Arc::new(ledger.keep(parts.finish())?))
}

fn parts_of<'a>(json: Option<&'a str>, of_property: fn(&str, &str) -> String) -> Vec<Option<Cow<'a, str>>> {
    let Some(json) = json else { return vec![None] };
    if let Some(elements) = elements(json) {
        return elements.into_iter().map(|element| Some(element.into())).collect();
    }
    match members(json) {
        Some(members) => members.iter().map(|(name, value)| Some(of_property(name, value).into())).collect(),
        None => vec![Some(json.into())],
    }
}

/// The ends of the lists in which the values of rows are.
#[derive(Default)]
struct Lists {
    /// How many values each inner list has.
    inner: Vec<usize>,
    /// How many inner lists each row has.
    outer: Vec<usize>,
    values: usize,
}

impl Lists {
    /// Ends a row that has all values since the last row, `values` with those of all rows.
    fn end_row(&mut self, values: usize) {
        let mut left = values - self.values;
        self.values = values;
        self.outer.push(left.div_ceil(LIST_ROWS));
        while left > 0 {
            let length = left.min(LIST_ROWS);
            self.inner.push(length);
            left -= length;
        }
    }

    fn of(self, values: ArrayRef) -> Result<ArrayRef> {
        let list = |lengths: Vec<usize>, values: ArrayRef| {
            let field = Field::new_list_field(values.data_type().clone(), true);
            ListArray::try_new(Arc::new(field), OffsetBuffer::from_lengths(lengths), values, None)
        };
        Ok(Arc::new(list(self.outer, Arc::new(list(self.inner, values)?))?))
    }
}

/// How many elements become rows together.
const LIST_ROWS: usize = 1024;
