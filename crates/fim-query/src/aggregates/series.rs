//! The values of numbered steps as one array, for `make-series`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::error::stopped;
use crate::functions::{array_of, json_elements};

/// `kql_series(value, step, first?, last?, default)`: an array with the value of each step from `first` to `last`, or
/// else from the least to the greatest that there is. The last three are the same in all rows of a group.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct SeriesOfSteps {
    signature: Signature,
}

impl SeriesOfSteps {
    pub const NAME: &'static str = "kql_series";

    pub fn new() -> Self {
        Self { signature: Signature::any(5, Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for SeriesOfSteps {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &str, ty| Arc::new(Field::new(format!("{}[{part}]", args.name), ty, true));
        Ok(vec![
            field("values", DataType::Utf8View),
            field("steps", DataType::new_list(DataType::Int64, true)),
            field("first", DataType::Int64),
            field("last", DataType::Int64),
            field("default", DataType::Utf8View),
        ])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::<Steps>::default())
    }
}

/// The steps of one group so far.
#[derive(Debug, Default)]
struct Steps {
    /// The JSON text of each step's value.
    values: BTreeMap<i64, String>,
    first: Option<i64>,
    last: Option<i64>,
    default: Option<String>,
    bytes: usize,
}

impl Steps {
    fn add(&mut self, step: i64, value: &str) {
        self.bytes += value.len();
        self.values.insert(step, value.to_owned());
    }

    fn bounds(&mut self, first: &Int64Array, last: &Int64Array, default: Option<&str>, row: usize) {
        self.first = first.is_valid(row).then(|| first.value(row));
        self.last = last.is_valid(row).then(|| last.value(row));
        if self.default.as_deref() != default {
            self.default = default.map(str::to_owned);
        }
    }

    fn array(&self) -> Result<Option<String>> {
        let (Some((least, _)), Some((greatest, _))) =
            (self.values.first_key_value(), self.values.last_key_value())
        else {
            return Ok(None);
        };
        let (first, last) = (self.first.unwrap_or(*least), self.last.unwrap_or(*greatest));
        if last.saturating_sub(first) >= MOST_STEPS {
            return Err(stopped(format!(
                "a series would have more than {MOST_STEPS} elements; make the step of make-series longer"
            )));
        }
        let default = self.default.as_deref().unwrap_or("null");
        let value = |step| self.values.get(&step).map_or(default, String::as_str);
        Ok(Some(array_of((first..=last).map(value))))
    }
}

fn foreign() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("a series was given values of another type: the plan and the function disagree")
}

impl Accumulator for Steps {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [values, steps, first, last, default] = columns else { return Err(foreign()) };
        let values = values.as_string_view_opt().ok_or_else(foreign)?;
        let default = default.as_string_view_opt().ok_or_else(foreign)?;
        let long = |array: &ArrayRef| array.as_primitive_opt::<Int64Type>().cloned().ok_or_else(foreign);
        let (steps, first, last) = (long(steps)?, long(first)?, long(last)?);
        for row in 0..values.len() {
            if steps.is_valid(row) {
                self.add(steps.value(row), if values.is_valid(row) { values.value(row) } else { "null" });
                let default = default.is_valid(row).then(|| default.value(row));
                self.bounds(&first, &last, default, row);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Utf8View(self.array()?))
    }

    fn size(&self) -> usize {
        let default = self.default.as_ref().map_or(0, String::len);
        size_of_val(self) + self.values.len() * 2 * size_of::<(i64, String)>() + self.bytes + default
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let steps: ArrayRef = Arc::new(Int64Array::from_iter_values(self.values.keys().copied()));
        Ok(vec![
            ScalarValue::Utf8View(Some(array_of(self.values.values()))),
            SingleRowListArrayBuilder::new(steps).build_list_scalar(),
            ScalarValue::Int64(self.first),
            ScalarValue::Int64(self.last),
            ScalarValue::Utf8View(self.default.clone()),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, steps, first, last, default] = states else { return Err(foreign()) };
        let values = values.as_string_view_opt().ok_or_else(foreign)?;
        let steps = steps.as_list_opt::<i32>().ok_or_else(foreign)?;
        let default = default.as_string_view_opt().ok_or_else(foreign)?;
        let long = |array: &ArrayRef| array.as_primitive_opt::<Int64Type>().cloned().ok_or_else(foreign);
        let (first, last) = (long(first)?, long(last)?);
        for row in (0..values.len()).filter(|row| values.is_valid(*row) && steps.is_valid(*row)) {
            let numbers = steps.value(row);
            let numbers = numbers.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?;
            // The state of a part without rows knows no bounds.
            if numbers.is_empty() {
                continue;
            }
            for (number, value) in
                numbers.values().iter().zip(json_elements(values.value(row)).unwrap_or_default())
            {
                self.add(*number, value);
            }
            let default = default.is_valid(row).then(|| default.value(row));
            self.bounds(&first, &last, default, row);
        }
        Ok(())
    }
}

/// The most elements of a series.
const MOST_STEPS: i64 = 1_048_576;
