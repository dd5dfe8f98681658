//! Functions over rows in the order that they have: `prev`, `row_number` and their kin.
//!
//! Each looks at all rows at once, in the order in which they come, so that the window has neither partitions nor an
//! order of its own.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, PrimitiveArray};
use arrow::compute::interleave;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, FieldRef, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, exec_datafusion_err, exec_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};
use fim_kql::WindowFunction;

use crate::values::{MICROSECOND_TICKS, moment_type};

/// Every function over rows, by name.
pub fn registry() -> &'static HashMap<&'static str, Arc<WindowUDF>> {
    static REGISTRY: OnceLock<HashMap<&'static str, Arc<WindowUDF>>> = OnceLock::new();
    REGISTRY.get_or_init(|| ALL.iter().map(|function| (name(*function), Arc::new(udwf(*function)))).collect())
}

/// The function of the engine that computes a function of the language.
pub(crate) fn find(function: WindowFunction) -> Arc<WindowUDF> {
    registry().get(name(function)).cloned().unwrap_or_else(|| Arc::new(udwf(function)))
}

fn udwf(function: WindowFunction) -> WindowUDF {
    let signature = Signature::variadic_any(Volatility::Immutable);
    WindowUDF::new_from_impl(RowsInOrder { function, signature })
}

fn name(function: WindowFunction) -> &'static str {
    match function {
        WindowFunction::Next => "kql_next",
        WindowFunction::Prev => "kql_prev",
        WindowFunction::RowCumSum => "kql_row_cumsum",
        WindowFunction::RowNumber => "kql_row_number",
        WindowFunction::RowRankDense => "kql_row_rank_dense",
        WindowFunction::RowRankMin => "kql_row_rank_min",
        WindowFunction::RowWindowSession => "kql_row_window_session",
    }
}

const ALL: [WindowFunction; 7] = [
    WindowFunction::Next,
    WindowFunction::Prev,
    WindowFunction::RowCumSum,
    WindowFunction::RowNumber,
    WindowFunction::RowRankDense,
    WindowFunction::RowRankMin,
    WindowFunction::RowWindowSession,
];

#[derive(Debug, Eq, Hash, PartialEq)]
struct RowsInOrder {
    function: WindowFunction,
    signature: Signature,
}

impl WindowUDFImpl for RowsInOrder {
    fn name(&self) -> &str {
        name(self.function)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn field(&self, arguments: WindowUDFFieldArgs) -> Result<FieldRef> {
        let first = arguments.get_input_field(0).map(|field| field.data_type().clone());
        let ty = match self.function {
            WindowFunction::Next | WindowFunction::Prev | WindowFunction::RowCumSum => {
                first.unwrap_or(DataType::Null)
            }
            WindowFunction::RowNumber | WindowFunction::RowRankDense | WindowFunction::RowRankMin => {
                DataType::Int64
            }
            WindowFunction::RowWindowSession => moment_type(),
        };
        Ok(Arc::new(Field::new(arguments.name(), ty, true)))
    }

    fn partition_evaluator(&self, _arguments: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(self.function)))
    }
}

#[derive(Debug)]
struct Evaluator(WindowFunction);

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let argument = |position: usize| {
            values
                .get(position)
                .ok_or_else(|| exec_datafusion_err!("argument {position} of {:?} is missing", self.0))
        };
        match self.0 {
            WindowFunction::Prev => shifted(argument(0)?, longs(argument(1)?)?, argument(2)?, rows, -1),
            WindowFunction::Next => shifted(argument(0)?, longs(argument(1)?)?, argument(2)?, rows, 1),
            WindowFunction::RowNumber => {
                Ok(row_numbers(longs(argument(0)?)?, argument(1)?.as_boolean(), rows))
            }
            WindowFunction::RowCumSum => cumulative_sums(argument(0)?, argument(1)?.as_boolean()),
            WindowFunction::RowRankDense => ranks(argument(0)?, argument(1)?.as_boolean(), true),
            WindowFunction::RowRankMin => ranks(argument(0)?, argument(1)?.as_boolean(), false),
            WindowFunction::RowWindowSession => {
                sessions(argument(0)?, longs(argument(1)?)?, longs(argument(2)?)?, argument(3)?.as_boolean())
            }
        }
    }
}

fn longs(array: &ArrayRef) -> Result<&Int64Array> {
    let found = array.as_primitive_opt::<Int64Type>();
    found.ok_or_else(|| exec_datafusion_err!("a number of 64 bits is needed, found {}", array.data_type()))
}

/// The value so many rows away in a direction, or the default where there is no such row.
fn shifted(
    values: &ArrayRef,
    offsets: &Int64Array,
    defaults: &ArrayRef,
    rows: usize,
    direction: i64,
) -> Result<ArrayRef> {
    let indices: Vec<(usize, usize)> = (0..rows)
        .map(|row| {
            let offset = offsets.is_valid(row).then(|| offsets.value(row).saturating_mul(direction));
            let at = offset.and_then(|offset| i64::try_from(row).ok()?.checked_add(offset));
            match at.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < rows) {
                Some(at) => (0, at),
                None => (1, row),
            }
        })
        .collect();
    if rows == 0 {
        return Ok(Arc::clone(values));
    }
    Ok(interleave(&[values.as_ref(), defaults.as_ref()], &indices)?)
}

fn starts_over(restart: &BooleanArray, row: usize) -> bool {
    restart.is_valid(row) && restart.value(row)
}

fn row_numbers(first: &Int64Array, restart: &BooleanArray, rows: usize) -> ArrayRef {
    let mut next = 0_i64;
    let numbers = (0..rows).map(|row| {
        if row == 0 || starts_over(restart, row) {
            next = if first.is_valid(row) { first.value(row) } else { 1 };
        }
        let number = next;
        next = next.wrapping_add(1);
        number
    });
    Arc::new(Int64Array::from_iter_values(numbers))
}

/// The sums up to each row; a null adds nothing.
fn cumulative_sums(values: &ArrayRef, restart: &BooleanArray) -> Result<ArrayRef> {
    match values.data_type() {
        DataType::Int32 => Ok(sums::<Int32Type>(values.as_primitive(), restart, i32::wrapping_add)),
        DataType::Int64 => Ok(sums::<Int64Type>(values.as_primitive(), restart, i64::wrapping_add)),
        DataType::Float64 => Ok(sums::<Float64Type>(values.as_primitive(), restart, |a, b| a + b)),
        other => exec_err!("values of the type {other} have no sum"),
    }
}

fn sums<T: ArrowPrimitiveType>(
    values: &PrimitiveArray<T>,
    restart: &BooleanArray,
    add: fn(T::Native, T::Native) -> T::Native,
) -> ArrayRef {
    let mut sum = T::Native::default();
    let sums = (0..values.len()).map(|row| {
        if starts_over(restart, row) {
            sum = T::Native::default();
        }
        if values.is_valid(row) {
            sum = add(sum, values.value(row));
        }
        sum
    });
    Arc::new(PrimitiveArray::<T>::from_iter_values(sums))
}

/// The number of each value among those in a row that differ: without holes if dense, else of its first row.
fn ranks(values: &ArrayRef, restart: &BooleanArray, is_dense: bool) -> Result<ArrayRef> {
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
    let rows = converter.convert_columns(std::slice::from_ref(values))?;
    let (mut rank, mut number) = (0_i64, 0_i64);
    let ranks = (0..values.len()).map(|row| {
        let is_first = row == 0 || starts_over(restart, row);
        if is_first {
            (rank, number) = (0, 0);
        }
        number += 1;
        if is_first || rows.row(row) != rows.row(row - 1) {
            rank = if is_dense { rank + 1 } else { number };
        }
        rank
    });
    Ok(Arc::new(Int64Array::from_iter_values(ranks)))
}

/// When the session of each row began; the distances are in ticks. A row without a moment is in no session.
fn sessions(
    moments: &ArrayRef,
    longest: &Int64Array,
    gap: &Int64Array,
    restart: &BooleanArray,
) -> Result<ArrayRef> {
    let Some(moments) = moments.as_primitive_opt::<TimestampMicrosecondType>() else {
        return exec_err!("a moment is needed, found {}", moments.data_type());
    };
    let is_beyond = |from: i64, to: i64, limit: &Int64Array, row: usize| {
        limit.is_valid(row) && to.saturating_sub(from).saturating_mul(MICROSECOND_TICKS) > limit.value(row)
    };
    let mut session: Option<(i64, i64)> = None;
    let starts = (0..moments.len()).map(|row| {
        let moment = moments.is_valid(row).then(|| moments.value(row))?;
        let start = match session {
            Some((start, before))
                if !starts_over(restart, row)
                    && !is_beyond(start, moment, longest, row)
                    && !is_beyond(before, moment, gap, row) =>
            {
                start
            }
            Some(_) | None => moment,
        };
        session = Some((start, moment));
        Some(start)
    });
    let starts: PrimitiveArray<TimestampMicrosecondType> = starts.collect();
    Ok(Arc::new(starts.with_data_type(moment_type())))
}
