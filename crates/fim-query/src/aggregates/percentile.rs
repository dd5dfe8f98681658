//! `percentiles`: the values of a group at some ranks, exactly.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use super::extreme_row::field_name;

/// `kql_percentiles(value, percentage, …)`: a struct with the value of each percentage.
///
/// The original estimates with a t-digest, whose error is at most 1 % of the rank; this keeps all values of a group,
/// within the memory that the query may use.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct Percentiles {
    signature: Signature,
}

impl Percentiles {
    pub const NAME: &'static str = "kql_percentiles";

    pub fn new() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Percentiles {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, argument_types: &[DataType]) -> Result<DataType> {
        let Some((value, percentages)) = argument_types.split_first() else {
            return exec_err!("percentiles need a value");
        };
        Ok(DataType::Struct(fields(value, percentages.len())))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let Some(value) = args.input_fields.first() else { return exec_err!("percentiles need a value") };
        let list = |name: &str, ty: &DataType| {
            let item = Arc::new(Field::new_list_field(ty.clone(), true));
            Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::List(item), true))
        };
        Ok(vec![list("values", kept_type(value.data_type())), list("percentages", &DataType::Float64)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let Some(value) = args.expr_fields.first() else { return exec_err!("percentiles need a value") };
        Ok(Box::new(Values {
            ty: value.data_type().clone(),
            percentages: vec![None; args.expr_fields.len() - 1],
            kept: match kept_type(value.data_type()) {
                DataType::Float64 => Kept::Reals(Vec::new()),
                _ => Kept::Longs(Vec::new()),
            },
        }))
    }
}

fn fields(value: &DataType, count: usize) -> Fields {
    (0..count).map(|position| Field::new(field_name(position), value.clone(), true)).collect()
}

/// Moments and timespans are kept as the numbers that they are.
fn kept_type(ty: &DataType) -> &'static DataType {
    if ty == &DataType::Float64 { &DataType::Float64 } else { &DataType::Int64 }
}

#[derive(Debug)]
struct Values {
    ty: DataType,
    /// Unknown until a row was seen.
    percentages: Vec<Option<f64>>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Longs(Vec<i64>),
    Reals(Vec<f64>),
}

impl Values {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        match &mut self.kept {
            Kept::Longs(kept) => {
                kept.extend(cast(values, &DataType::Int64)?.as_primitive::<Int64Type>().iter().flatten());
            }
            Kept::Reals(kept) => {
                kept.extend(cast(values, &DataType::Float64)?.as_primitive::<Float64Type>().iter().flatten())
            }
        }
        Ok(())
    }
}

/// Where the value of a percentage is among so many ordered ones: the nearest rank.
fn rank(percentage: f64, count: usize) -> usize {
    // A product such as 99.9 % of 1000 must not be lifted to the next rank by its last digit.
    let rank = (percentage * count as f64 / 100.0 - 1e-9).ceil();
    (rank.max(1.0) as usize).min(count) - 1
}

fn foreign() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("the state of a percentile comes from another function")
}

impl Accumulator for Values {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let Some((values, percentages)) = columns.split_first() else { return Err(foreign()) };
        if values.is_empty() {
            return Ok(());
        }
        for (known, column) in self.percentages.iter_mut().zip(percentages) {
            *known = Some(column.as_primitive_opt::<Float64Type>().ok_or_else(foreign)?.value(0));
        }
        self.add(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let numbers: ArrayRef = match &mut self.kept {
            Kept::Longs(kept) => {
                kept.sort_unstable();
                let at = |percentage: &Option<f64>| {
                    percentage
                        .filter(|_| !kept.is_empty())
                        .map(|percentage| kept[rank(percentage, kept.len())])
                };
                Arc::new(self.percentages.iter().map(at).collect::<Int64Array>())
            }
            Kept::Reals(kept) => {
                kept.sort_unstable_by(f64::total_cmp);
                let at = |percentage: &Option<f64>| {
                    percentage
                        .filter(|_| !kept.is_empty())
                        .map(|percentage| kept[rank(percentage, kept.len())])
                };
                Arc::new(self.percentages.iter().map(at).collect::<Float64Array>())
            }
        };
        let values = cast(&numbers, &self.ty)?;
        let columns = (0..values.len()).map(|position| values.slice(position, 1)).collect();
        let row = StructArray::try_new(fields(&self.ty, values.len()), columns, None)?;
        Ok(ScalarValue::Struct(Arc::new(row)))
    }

    fn size(&self) -> usize {
        let kept = match &self.kept {
            Kept::Longs(kept) => kept.capacity(),
            Kept::Reals(kept) => kept.capacity(),
        };
        size_of_val(self) + kept * size_of::<i64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let kept: ArrayRef = match &self.kept {
            Kept::Longs(kept) => Arc::new(Int64Array::from(kept.clone())),
            Kept::Reals(kept) => Arc::new(Float64Array::from(kept.clone())),
        };
        let percentages: ArrayRef = Arc::new(Float64Array::from(self.percentages.clone()));
        Ok([kept, percentages]
            .map(|values| SingleRowListArrayBuilder::new(values).build_list_scalar())
            .into())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, percentages] = states else { return Err(foreign()) };
        let lists = |column: &ArrayRef| column.as_list_opt::<i32>().cloned().ok_or_else(foreign);
        let (values, percentages): (ListArray, ListArray) = (lists(values)?, lists(percentages)?);
        for row in 0..values.len() {
            if values.is_valid(row) {
                self.add(&values.value(row))?;
            }
            if percentages.is_valid(row) {
                let seen = percentages.value(row);
                let seen = seen.as_primitive_opt::<Float64Type>().ok_or_else(foreign)?;
                for (known, percentage) in self.percentages.iter_mut().zip(seen) {
                    *known = known.or(percentage);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank_is_the_least_value_that_so_many_percent_do_not_exceed() {
        let ranks = |count| [0.0, 5.0, 50.0, 99.0, 100.0].map(|percentage| rank(percentage, count));
        assert_eq!(ranks(100), [0, 4, 49, 98, 99]);
        assert_eq!(ranks(1), [0; 5]);
        assert_eq!(ranks(3), [0, 0, 1, 2, 2]);
        assert_eq!(rank(99.9, 1000), 998);
    }
}
