//! Comparisons where the language differs from SQL: equality with null, and the order of `real`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Datum, Float64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::kernels::cmp;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::{Call, FunctionSpec, Returns, without_nulls};

pub(super) static COMPARISONS: &[&FunctionSpec] =
    &[&EQUAL, &NOT_EQUAL, &REAL_EQUAL, &REAL_NOT_EQUAL, &REAL_LESS, &REAL_LESS_OR_EQUAL, &TEXT];

/// `==`: false if one side is null, null if both are.
pub(crate) static EQUAL: FunctionSpec =
    FunctionSpec { name: "kql_equal", returns: Returns::Bool, evaluate: |call| equality(call, false) };

/// `!=`: true if one side is null, null if both are.
pub(crate) static NOT_EQUAL: FunctionSpec =
    FunctionSpec { name: "kql_not_equal", returns: Returns::Bool, evaluate: |call| equality(call, true) };

/// `==` of `real`: NaN equals nothing, zero equals negative zero.
pub(crate) static REAL_EQUAL: FunctionSpec = FunctionSpec {
    name: "kql_real_equal",
    returns: Returns::Bool,
    evaluate: |call| real_equality(call, false),
};

/// `!=` of `real`.
pub(crate) static REAL_NOT_EQUAL: FunctionSpec = FunctionSpec {
    name: "kql_real_not_equal",
    returns: Returns::Bool,
    evaluate: |call| real_equality(call, true),
};

/// `<` of `real`: false with NaN on any side. `>` is this with the sides exchanged.
pub(crate) static REAL_LESS: FunctionSpec = FunctionSpec {
    name: "kql_real_less",
    returns: Returns::Bool,
    evaluate: |call| real_order(call, |left, right| left < right),
};

/// `<=` of `real`.
pub(crate) static REAL_LESS_OR_EQUAL: FunctionSpec = FunctionSpec {
    name: "kql_real_less_or_equal",
    returns: Returns::Bool,
    evaluate: |call| real_order(call, |left, right| left <= right),
};

/// The text, or the empty text for null: how a stored null of a `string` column is read.
pub(crate) static TEXT: FunctionSpec = FunctionSpec {
    name: "kql_text",
    returns: Returns::Text,
    evaluate: |call| without_nulls(call, call.nullable_texts(0)?),
};

fn equality(call: &Call<'_>, is_negated: bool) -> Result<ArrayRef> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    // A constant side is not expanded for the comparison itself.
    let sides = (datum(&call.arguments[0])?, datum(&call.arguments[1])?);
    let answers = if is_negated {
        cmp::neq(sides.0.as_ref(), sides.1.as_ref())?
    } else {
        cmp::eq(sides.0.as_ref(), sides.1.as_ref())?
    };
    Ok(with_null_rule(answers, left.logical_nulls(), right.logical_nulls(), is_negated))
}

fn datum(value: &ColumnarValue) -> Result<Box<dyn Datum>> {
    Ok(match value {
        ColumnarValue::Array(array) => Box::new(Arc::clone(array)),
        ColumnarValue::Scalar(scalar) => Box::new(scalar.to_scalar()?),
    })
}

fn real_equality(call: &Call<'_>, is_negated: bool) -> Result<ArrayRef> {
    let (left, right) = (call.reals(0)?, call.reals(1)?);
    let answers = zip_reals(&left, &right, |left, right| (left == right) != is_negated);
    Ok(with_null_rule(answers, left.nulls().cloned(), right.nulls().cloned(), is_negated))
}

fn real_order(call: &Call<'_>, holds: fn(f64, f64) -> bool) -> Result<ArrayRef> {
    let (left, right) = (call.reals(0)?, call.reals(1)?);
    Ok(Arc::new(zip_reals(&left, &right, holds)))
}

fn zip_reals(left: &Float64Array, right: &Float64Array, holds: impl Fn(f64, f64) -> bool) -> BooleanArray {
    left.iter().zip(right).map(|pair| Some(holds(pair.0?, pair.1?))).collect()
}

/// Puts the answers for nulls in: of one null that the values differ, of two nulls null.
fn with_null_rule(
    answers: BooleanArray,
    left: Option<NullBuffer>,
    right: Option<NullBuffer>,
    is_negated: bool,
) -> ArrayRef {
    if left.is_none() && right.is_none() {
        return Arc::new(answers);
    }
    let is_null =
        |nulls: &Option<NullBuffer>, row| nulls.as_ref().is_some_and(|nulls: &NullBuffer| nulls.is_null(row));
    let rows = 0..answers.len();
    Arc::new(BooleanArray::from_iter(rows.map(|row| match (is_null(&left, row), is_null(&right, row)) {
        (false, false) => Some(answers.value(row)),
        (true, true) => None,
        (true, false) | (false, true) => Some(is_negated),
    })))
}
