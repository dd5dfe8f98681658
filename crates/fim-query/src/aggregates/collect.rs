//! `make_list`, `make_set` and `make_bag`: the values of a group as one dynamic value.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::functions::{array_of, bag_of, canonical_json, json_elements, json_members};

/// What is made of the values.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Collection {
    /// An array of the values that are not null.
    List,
    /// An array of all values.
    ListWithNulls,
    /// An array of the different values that are not null; an array counts as its elements.
    Set,
    /// A bag of the properties of all bags; of two with one name the first.
    Bag,
}

impl Collection {
    pub const ALL: [Collection; 4] =
        [Collection::List, Collection::ListWithNulls, Collection::Set, Collection::Bag];

    pub fn function_name(self) -> &'static str {
        match self {
            Self::List => "kql_make_list",
            Self::ListWithNulls => "kql_make_list_with_nulls",
            Self::Set => "kql_make_set",
            Self::Bag => "kql_make_bag",
        }
    }
}

/// `kql_make_…(value, limit, row?)` over dynamic values; at most `limit` elements, in the order of `row` if it is given.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct Collect {
    collection: Collection,
    signature: Signature,
}

impl Collect {
    pub fn new(collection: Collection) -> Self {
        Self { collection, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Collect {
    fn name(&self) -> &str {
        self.collection.function_name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new(format!("{}[values]", args.name), DataType::Utf8View, true)),
            Arc::new(Field::new(format!("{}[limit]", args.name), DataType::Int64, true)),
            Arc::new(Field::new(
                format!("{}[rows]", args.name),
                DataType::new_list(DataType::Int64, true),
                true,
            )),
        ])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Collected::new(self.collection)))
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Collected::new(self.collection).evaluate()
    }
}

/// The values of one group so far.
#[derive(Debug)]
struct Collected {
    collection: Collection,
    /// How many elements are kept; unknown until a row was seen.
    limit: usize,
    /// JSON texts; for a bag each is a name, a colon and a value.
    values: Vec<String>,
    /// The row of each value; empty if rows have no order.
    rows: Vec<i64>,
    /// What a set or bag has already.
    seen: HashSet<String>,
    bytes: usize,
}

impl Collected {
    fn new(collection: Collection) -> Self {
        Self {
            collection,
            limit: usize::MAX,
            values: Vec::new(),
            rows: Vec::new(),
            seen: HashSet::new(),
            bytes: 0,
        }
    }

    fn add_rows(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [values, limits, rest @ ..] = columns else { return Err(foreign()) };
        let rows =
            rest.first().map(|rows| rows.as_primitive_opt::<Int64Type>().ok_or_else(foreign)).transpose()?;
        let values: &StringViewArray = values.as_string_view_opt().ok_or_else(foreign)?;
        let limits = limits.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?;
        for row in 0..values.len() {
            if limits.is_valid(row) {
                self.limit = usize::try_from(limits.value(row)).unwrap_or_default();
            }
            let json = values.is_valid(row).then(|| values.value(row));
            let before = self.values.len();
            self.add(json);
            if let Some(rows) = rows
                && self.values.len() > before
            {
                self.rows.push(rows.value(row));
            }
        }
        Ok(())
    }

    fn add(&mut self, json: Option<&str>) {
        match (self.collection, json) {
            (Collection::ListWithNulls, json) => self.keep(json.unwrap_or("null").to_owned()),
            (_, None) => {}
            (Collection::List, Some(json)) => self.keep(json.to_owned()),
            (Collection::Set, Some(json)) => {
                for element in json_elements(json).unwrap_or_else(|| vec![json]) {
                    if element != "null" && self.seen.insert(canonical_json(element)) {
                        self.keep(element.to_owned());
                    }
                }
            }
            (Collection::Bag, Some(json)) => {
                for (name, value) in json_members(json).unwrap_or_default() {
                    let member = bag_of([(name.as_str(), value)].into_iter());
                    if self.seen.insert(name) {
                        self.keep(member[1..member.len() - 1].to_owned());
                    }
                }
            }
        }
    }

    fn keep(&mut self, value: String) {
        // Which values are the first ones is known at the end, if rows have an order.
        if self.values.len() < self.limit || !self.rows.is_empty() {
            self.bytes += value.len();
            self.values.push(value);
        }
    }

    /// The values in the order of their rows, as many as may be.
    fn in_order(&self) -> Vec<&String> {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        if self.rows.len() == self.values.len() {
            order.sort_by_key(|&at| self.rows[at]);
        }
        order.into_iter().take(self.limit).map(|at| &self.values[at]).collect()
    }

    fn text(&self) -> String {
        match self.collection {
            Collection::Bag => format!("{{{}}}", self.values.join(",")),
            Collection::List | Collection::ListWithNulls | Collection::Set => array_of(self.values.iter()),
        }
    }
}

fn foreign() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("a collection was given values of another type: the plan and the function disagree")
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add_rows(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let text = match self.collection {
            Collection::List | Collection::ListWithNulls => array_of(self.in_order().into_iter()),
            Collection::Set | Collection::Bag => self.text(),
        };
        Ok(ScalarValue::Utf8View(Some(text)))
    }

    fn size(&self) -> usize {
        let strings = self.values.capacity() + self.seen.capacity();
        // A set keeps its keys beside the values, and they are about as long.
        size_of_val(self)
            + self.rows.capacity() * size_of::<i64>()
            + strings * size_of::<String>()
            + self.bytes * if self.seen.is_empty() { 1 } else { 2 }
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let limit = i64::try_from(self.limit).ok();
        let rows: ArrayRef = Arc::new(Int64Array::from(self.rows.clone()));
        Ok(vec![
            ScalarValue::Utf8View(Some(self.text())),
            ScalarValue::Int64(limit),
            SingleRowListArrayBuilder::new(rows).build_list_scalar(),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, limits, rows] = states else { return Err(foreign()) };
        let values = values.as_string_view_opt().ok_or_else(foreign)?;
        let limits = limits.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?;
        let rows = rows.as_list_opt::<i32>().ok_or_else(foreign)?;
        for (at, (json, limit)) in values.iter().zip(limits).enumerate() {
            if rows.is_valid(at) {
                let rows = rows.value(at);
                self.rows.extend(rows.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?.values());
            }
            if let Some(limit) = limit {
                self.limit = self.limit.min(usize::try_from(limit).unwrap_or_default());
            }
            let Some(json) = json else { continue };
            match self.collection {
                Collection::Bag | Collection::Set => self.add(Some(json)),
                Collection::List | Collection::ListWithNulls => {
                    json_elements(json)
                        .unwrap_or_default()
                        .into_iter()
                        .for_each(|element| self.add(Some(element)));
                }
            }
        }
        Ok(())
    }
}
