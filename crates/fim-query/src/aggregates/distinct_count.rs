//! `dcount`: how many different values there are.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::hash_utils::{HLL_RANDOM_STATE, create_hashes};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::sketch::Sketch;

/// `kql_dcount_N(x)`, where N is the accuracy that the query asks for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct DistinctCount {
    accuracy: u8,
    signature: Signature,
}

impl DistinctCount {
    pub fn new(accuracy: u8) -> Self {
        Self { accuracy: accuracy.min(4), signature: Signature::any(1, Volatility::Immutable) }
    }

    pub fn function_name(&self) -> &'static str {
        match self.accuracy {
            0 => "kql_dcount_0",
            1 => "kql_dcount_1",
            2 => "kql_dcount_2",
            3 => "kql_dcount_3",
            _ => "kql_dcount_4",
        }
    }

    /// The bits of a hash that choose a register: the sizes of the original, whose errors are 1.6 % to 0.2 %.
    fn precision(&self) -> u8 {
        match self.accuracy {
            0 => 12,
            1 => 14,
            2 => 16,
            3 => 17,
            _ => 18,
        }
    }
}

impl AggregateUDFImpl for DistinctCount {
    fn name(&self) -> &str {
        self.function_name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[sketch]", args.name), DataType::Binary, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneGroup(Sketches { precision: self.precision(), groups: vec![Sketch::default()] })))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Sketches { precision: self.precision(), groups: Vec::new() }))
    }

    fn default_value(&self, _: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }
}

/// One sketch a group.
#[derive(Debug)]
struct Sketches {
    precision: u8,
    groups: Vec<Sketch>,
}

impl Sketches {
    fn insert(&mut self, values: &ArrayRef, group_of: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let mut hashes = vec![0; values.len()];
        create_hashes([values], &HLL_RANDOM_STATE, &mut hashes)?;
        for (row, hash) in hashes.into_iter().enumerate() {
            if let Some(group) = group_of(row).filter(|_| values.is_valid(row)) {
                self.groups[group].insert(hash, self.precision);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &ArrayRef, group_of: impl Fn(usize) -> usize) -> Result<()> {
        let states = states.as_binary_opt::<i32>().ok_or_else(foreign_state)?;
        for (row, state) in states.iter().enumerate() {
            let Some(state) = state else { continue };
            let sketch = Sketch::from_bytes(state, self.precision).ok_or_else(foreign_state)?;
            self.groups[group_of(row)].merge(sketch, self.precision);
        }
        Ok(())
    }
}

fn foreign_state() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("the state of a dcount comes from a function of another accuracy")
}

impl GroupsAccumulator for Sketches {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Sketch::default);
        self.insert(&values[0], |row| is_kept(filter, row).then(|| group_indices[row]))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let counts = groups.iter().map(|sketch| sketch.count(self.precision) as i64);
        Ok(Arc::new(Int64Array::from_iter_values(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        Ok(vec![Arc::new(BinaryArray::from_iter_values(groups.iter().map(Sketch::to_bytes)))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Sketch::default);
        self.merge(&values[0], |row| group_indices[row])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut single = Self { precision: self.precision, groups: vec![Sketch::default(); values[0].len()] };
        single.insert(&values[0], |row| is_kept(filter, row).then_some(row))?;
        single.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.groups.iter().map(Sketch::size).sum::<usize>() + self.groups.capacity() * size_of::<Sketch>()
    }
}

/// Whether a `FILTER` keeps a row: null counts as false.
pub(super) fn is_kept(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

/// The same for a query without groups.
#[derive(Debug)]
struct OneGroup(Sketches);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.insert(&values[0], |_| Some(0))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(self.0.groups.first().map(|sketch| sketch.count(self.0.precision) as i64)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.0.groups.iter().map(Sketch::size).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(self.0.groups.first().map(Sketch::to_bytes))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(&states[0], |_| 0)
    }
}
