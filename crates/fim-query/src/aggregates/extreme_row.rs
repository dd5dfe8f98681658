//! `arg_max` and `arg_min`: the row that has the greatest or least value.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StructArray, UInt32Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{SortOptions, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::distinct_count::is_kept;

/// Which end of the order is looked for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Extreme {
    /// The greatest value (`arg_max`).
    Greatest,
    /// The least value (`arg_min`).
    Least,
}

impl Extreme {
    pub fn function_name(self) -> &'static str {
        match self {
            Self::Greatest => "kql_arg_max",
            Self::Least => "kql_arg_min",
        }
    }

    /// The encoding under which the wanted value has the greatest bytes and a null the least: a row without a
    /// value is taken only where no row has one.
    fn encoding(self) -> SortOptions {
        SortOptions { descending: self == Self::Least, nulls_first: true }
    }
}

/// The name of the field of the result that holds the argument at `position`.
pub(crate) fn field_name(position: usize) -> String {
    format!("c{position}")
}

/// `kql_arg_max(x, y, …)`: a struct of all arguments as they are in the row with the greatest `x`.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct ExtremeRow {
    extreme: Extreme,
    signature: Signature,
}

impl ExtremeRow {
    pub fn new(extreme: Extreme) -> Self {
        Self { extreme, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    fn rows(&self, args: &AccumulatorArgs<'_>) -> Result<BestRows> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        BestRows::new(self.extreme, &types)
    }
}

impl AggregateUDFImpl for ExtremeRow {
    fn name(&self) -> &str {
        self.extreme.function_name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, argument_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(fields_of(argument_types)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[row]", args.name), args.return_type().clone(), true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut rows = self.rows(&args)?;
        rows.best.push(None);
        Ok(Box::new(OneGroup(rows)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.rows(&args)?))
    }
}

fn fields_of(types: &[DataType]) -> Fields {
    types
        .iter()
        .enumerate()
        .map(|(position, ty)| Field::new(field_name(position), ty.clone(), true))
        .collect()
}

/// The best row of each group so far, encoded so that a comparison is one of bytes.
///
/// Only rows that win within their batch are encoded whole, so a wide `*` costs little when winners are few.
#[derive(Debug)]
struct BestRows {
    fields: Fields,
    keys: RowConverter,
    rows: RowConverter,
    best: Vec<Option<BestRow>>,
    bytes: usize,
}

#[derive(Debug)]
struct BestRow {
    key: Box<[u8]>,
    row: Box<[u8]>,
}

impl BestRow {
    fn size(&self) -> usize {
        self.key.len() + self.row.len()
    }
}

impl BestRows {
    fn new(extreme: Extreme, types: &[DataType]) -> Result<Self> {
        let Some(key) = types.first() else { return exec_err!("arg_max and arg_min need an argument") };
        Ok(Self {
            fields: fields_of(types),
            keys: RowConverter::new(vec![SortField::new_with_options(key.clone(), extreme.encoding())])?,
            rows: RowConverter::new(types.iter().cloned().map(SortField::new).collect())?,
            best: Vec::new(),
            bytes: 0,
        })
    }

    fn update(&mut self, columns: &[ArrayRef], group_of: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let keys = self.keys.convert_columns(&columns[..1])?;
        let mut winners: HashMap<usize, u32> = HashMap::new();
        for row in 0..keys.num_rows() {
            let Some(group) = group_of(row) else { continue };
            let key = keys.row(row);
            // Of equal rows the first stays.
            let is_better = match (winners.get(&group), &self.best[group]) {
                (Some(&winner), _) => key > keys.row(winner as usize),
                (None, Some(best)) => *AsRef::<[u8]>::as_ref(&key) > *best.key,
                (None, None) => true,
            };
            if is_better {
                winners.insert(group, row as u32);
            }
        }
        if winners.is_empty() {
            return Ok(());
        }
        let (groups, positions): (Vec<usize>, Vec<u32>) = winners.into_iter().unzip();
        let positions = UInt32Array::from(positions);
        let winning =
            columns.iter().map(|column| Ok(take(column, &positions, None)?)).collect::<Result<Vec<_>>>()?;
        let rows = self.rows.convert_columns(&winning)?;
        for ((group, position), row) in groups.into_iter().zip(positions.values()).zip(rows.iter()) {
            let key = keys.row(*position as usize);
            let better = BestRow { key: Box::from(key.as_ref()), row: Box::from(row.as_ref()) };
            self.bytes += better.size();
            if let Some(worse) = self.best[group].replace(better) {
                self.bytes -= worse.size();
            }
        }
        Ok(())
    }

    /// The rows as a struct; null for a group that has seen none.
    fn to_struct(&self, best: &[Option<BestRow>]) -> Result<StructArray> {
        let nulls: Vec<ArrayRef> =
            self.fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
        let no_row = self.rows.convert_columns(&nulls)?;
        let no_row = no_row.row(0);
        let parser = self.rows.parser();
        let no_row: &[u8] = no_row.as_ref();
        let rows = best.iter().map(|best| parser.parse(best.as_ref().map_or(no_row, |best| &best.row)));
        let columns = self.rows.convert_rows(rows)?;
        let is_seen = NullBuffer::from_iter(best.iter().map(Option::is_some));
        Ok(StructArray::try_new(self.fields.clone(), columns, Some(is_seen))?)
    }

    fn merge(&mut self, states: &ArrayRef, group_of: impl Fn(usize) -> usize) -> Result<()> {
        let Some(states) = states.as_struct_opt() else {
            return exec_err!("the state of arg_max or arg_min is no struct");
        };
        self.update(states.columns(), |row| states.is_valid(row).then(|| group_of(row)))
    }

    fn take(&mut self, emit_to: EmitTo) -> Result<StructArray> {
        let best = emit_to.take_needed(&mut self.best);
        self.bytes -= best.iter().flatten().map(BestRow::size).sum::<usize>();
        self.to_struct(&best)
    }
}

impl GroupsAccumulator for BestRows {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.best.resize_with(total_num_groups, || None);
        self.update(values, |row| is_kept(filter, row).then(|| group_indices[row]))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.take(emit_to)?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(self.take(emit_to)?)])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.best.resize_with(total_num_groups, || None);
        self.merge(&values[0], |row| group_indices[row])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values[0].len();
        let is_kept = NullBuffer::from_iter((0..rows).map(|row| is_kept(filter, row)));
        Ok(vec![Arc::new(StructArray::try_new(self.fields.clone(), values.to_vec(), Some(is_kept))?)])
    }

    fn size(&self) -> usize {
        self.bytes + self.best.capacity() * size_of::<Option<BestRow>>() + self.keys.size() + self.rows.size()
    }
}

/// The same for a query without groups.
#[derive(Debug)]
struct OneGroup(BestRows);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update(values, |_| Some(0))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Struct(Arc::new(self.0.to_struct(&self.0.best)?)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(&states[0], |_| 0)
    }
}
