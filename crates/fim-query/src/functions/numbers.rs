//! Arithmetic and the mathematical functions.
//!
//! Integers wrap and a division by zero is null; a `real` follows IEEE 754, and what is not defined is null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int32Array, Int64Array};
use arrow::compute::kernels::arity::{try_unary, unary};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::{Call, FunctionSpec, Returns};

pub(super) static NUMBERS: &[&FunctionSpec] = &[
    &LONG_DIVIDE,
    &LONG_REMAINDER,
    &REAL_DIVIDE,
    &REAL_REMAINDER,
    &SPAN_TIMES_REAL,
    &SPAN_OVER_REAL,
    &SPAN_OVER_SPAN,
    &ABS,
    &BIN,
    &CEILING,
    &ROUND,
    &SIGN,
    &EXP,
    &EXP2,
    &EXP10,
    &LOG,
    &LOG2,
    &LOG10,
    &POW,
    &SQRT,
    &IS_NAN,
    &IS_INF,
    &IS_FINITE,
    &MEAN,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(LONG_DIVIDE, "kql_long_divide", Long, |call| long_pairs(call, |left, right| {
    (right != 0).then(|| left.wrapping_div(right))
}));
spec!(LONG_REMAINDER, "kql_long_remainder", Long, |call| long_pairs(call, remainder));
spec!(REAL_DIVIDE, "kql_real_divide", Real, |call| real_pairs(call, |left, right| Some(left / right)));
spec!(REAL_REMAINDER, "kql_real_remainder", Real, |call| real_pairs(call, |left, right| {
    Some(left.rem_euclid(right))
}));
spec!(SPAN_TIMES_REAL, "kql_span_times_real", Long, |call| span_and_real(call, |ticks, by| ticks * by));
spec!(SPAN_OVER_REAL, "kql_span_over_real", Long, |call| span_and_real(call, |ticks, by| ticks / by));
spec!(SPAN_OVER_SPAN, "kql_span_over_span", Real, |call| {
    let (left, right) = (call.longs(0)?, call.longs(1)?);
    let quotients = left.iter().zip(&right).map(|pair| Some(pair.0? as f64 / pair.1? as f64));
    Ok(Arc::new(quotients.collect::<Float64Array>()))
});
spec!(ABS, "kql_abs", First, |call| by_type(
    call,
    |value| Some(value.wrapping_abs()),
    |value| Some(value.abs())
));
spec!(BIN, "kql_bin", First, bin);
spec!(CEILING, "kql_ceiling", First, |call| by_type(call, Some, |value| Some(value.ceil())));
spec!(ROUND, "kql_round", First, round);
spec!(SIGN, "kql_sign", Real, |call| reals(call, |value| {
    Some(if value == 0.0 || value.is_nan() { value } else { value.signum() })
}));
spec!(EXP, "kql_exp", Real, |call| reals(call, |value| Some(value.exp())));
spec!(EXP2, "kql_exp2", Real, |call| reals(call, |value| Some(value.exp2())));
spec!(EXP10, "kql_exp10", Real, |call| reals(call, |value| Some(10_f64.powf(value))));
spec!(LOG, "kql_log", Real, |call| logarithm(call, f64::ln));
spec!(LOG2, "kql_log2", Real, |call| logarithm(call, f64::log2));
spec!(LOG10, "kql_log10", Real, |call| logarithm(call, f64::log10));
spec!(POW, "kql_pow", Real, |call| real_pairs(call, |base, exponent| Some(base.powf(exponent))));
spec!(SQRT, "kql_sqrt", Real, |call| reals(call, |value| (value >= 0.0).then(|| value.sqrt())));
spec!(IS_NAN, "kql_isnan", Bool, |call| test_reals(call, f64::is_nan));
spec!(IS_INF, "kql_isinf", Bool, |call| test_reals(call, f64::is_infinite));
spec!(IS_FINITE, "kql_isfinite", Bool, |call| test_reals(call, f64::is_finite));
// The exact mean of integers: a sum of 128 bits and the number of values. Half a tick is cut off.
spec!(MEAN, "kql_mean", Long, |call| {
    let sums = call.array(0)?;
    let Some(sums) = sums.as_primitive_opt::<Decimal128Type>() else {
        return exec_err!("a mean needs a decimal sum, found {}", sums.data_type());
    };
    let sums: &Decimal128Array = sums;
    let counts = call.longs(1)?;
    let means = sums.iter().zip(&counts).map(|pair| {
        let count = i128::from(pair.1?);
        (count != 0).then_some(pair.0? / count.max(1)).and_then(|mean| i64::try_from(mean).ok())
    });
    Ok(Arc::new(means.collect::<Int64Array>()))
});

/// The remainder that is never negative: `-14 % 12` is 10, and so is `-14 % -12`. Null for a division by zero.
pub(crate) fn remainder(left: i64, right: i64) -> Option<i64> {
    (right != 0).then(|| left.wrapping_rem_euclid(right))
}

/// Rounds down to a multiple of `size`, counted from `origin`; null if the size is not above zero.
pub(crate) fn bin_ticks(value: i64, size: i64, origin: i64) -> Option<i64> {
    if size <= 0 {
        return None;
    }
    let offset = i128::from(value) - i128::from(origin);
    let size = i128::from(size);
    i64::try_from(offset.div_euclid(size) * size + i128::from(origin)).ok()
}

/// `kql_bin(value, size, origin)` of integers, timespans or reals.
fn bin(call: &Call<'_>) -> Result<ArrayRef> {
    let value = call.array(0)?;
    if value.data_type() == &DataType::Float64 {
        let (values, sizes, origins) = (call.reals(0)?, call.reals(1)?, call.reals(2)?);
        let binned = values.iter().zip(&sizes).zip(&origins).map(|((value, size), origin)| {
            let (value, size, origin) = (value?, size?, origin?);
            (size > 0.0).then(|| ((value - origin) / size).floor() * size + origin)
        });
        return Ok(Arc::new(binned.collect::<Float64Array>()));
    }
    let (values, sizes, origins) = (call.longs(0)?, call.longs(1)?, call.longs(2)?);
    let binned = values.iter().zip(&sizes).zip(&origins);
    Ok(Arc::new(
        binned.map(|((value, size), origin)| bin_ticks(value?, size?, origin?)).collect::<Int64Array>(),
    ))
}

/// `kql_round(value, digits)`: half away from zero.
fn round(call: &Call<'_>) -> Result<ArrayRef> {
    let digits = call.longs_or(1, 0)?;
    let value = call.array(0)?;
    if value.data_type() == &DataType::Float64 {
        let rounded = call
            .reals(0)?
            .iter()
            .zip(&digits)
            .map(|pair| Some(round_real(pair.0?, pair.1?)))
            .collect::<Float64Array>();
        return Ok(Arc::new(rounded));
    }
    if value.data_type() == &DataType::Int32 {
        let values = call.ints(0)?;
        let rounded = values.iter().zip(&digits);
        let rounded = rounded.map(|pair| i32::try_from(round_long(pair.0?.into(), pair.1?)?).ok());
        return Ok(Arc::new(rounded.collect::<Int32Array>()));
    }
    let values = call.longs(0)?;
    let rounded = values.iter().zip(&digits).map(|pair| round_long(pair.0?, pair.1?));
    Ok(Arc::new(rounded.collect::<Int64Array>()))
}

fn round_real(value: f64, digits: i64) -> f64 {
    // Beyond 15 digits there is nothing to round, and far below zero nothing is left.
    let digits = digits.clamp(-310, 16) as i32;
    if digits > 15 || !value.is_finite() {
        return value;
    }
    if digits < 0 {
        let unit = 10_f64.powi(-digits);
        return if unit.is_finite() { (value / unit).round() * unit } else { 0.0 };
    }
    let unit = 10_f64.powi(digits);
    let rounded = (value * unit).round() / unit;
    if rounded.is_finite() { rounded } else { value }
}

fn round_long(value: i64, digits: i64) -> Option<i64> {
    if digits >= 0 {
        return Some(value);
    }
    let Some(unit) = u32::try_from(digits.unsigned_abs()).ok().and_then(|places| 10_i128.checked_pow(places))
    else {
        return Some(0);
    };
    let (value, half) = (i128::from(value), unit / 2);
    let rounded = if value >= 0 { (value + half) / unit } else { (value - half) / unit };
    i64::try_from(rounded * unit).ok()
}

/// `f(x)` for an argument that is `int`, `long`, `timespan` or `real`, with a result of the same type.
fn by_type(
    call: &Call<'_>,
    of_long: fn(i64) -> Option<i64>,
    of_real: fn(f64) -> Option<f64>,
) -> Result<ArrayRef> {
    let value = call.array(0)?;
    match value.data_type() {
        DataType::Float64 => reals(call, of_real),
        DataType::Int32 => {
            let values = value.as_primitive::<Int32Type>();
            let of_int = |value: i32| of_long(value.into()).map_or(0, |result| result as i32);
            Ok(Arc::new(unary::<_, _, Int32Type>(values, of_int)))
        }
        DataType::Int64 => {
            let values = value.as_primitive::<Int64Type>();
            Ok(Arc::new(try_unary::<_, _, Int64Type>(values, |value| Ok(of_long(value).unwrap_or(0)))?))
        }
        other => exec_err!("a number was expected, found {other}"),
    }
}

fn reals(call: &Call<'_>, of_real: fn(f64) -> Option<f64>) -> Result<ArrayRef> {
    Ok(Arc::new(call.reals(0)?.unary_opt::<_, Float64Type>(of_real)))
}

fn logarithm(call: &Call<'_>, of_positive: fn(f64) -> f64) -> Result<ArrayRef> {
    Ok(Arc::new(
        call.reals(0)?.unary_opt::<_, Float64Type>(|value| (value > 0.0).then(|| of_positive(value))),
    ))
}

fn test_reals(call: &Call<'_>, test: fn(f64) -> bool) -> Result<ArrayRef> {
    let answers = call.reals(0)?.iter().map(|value| value.map(test)).collect::<arrow::array::BooleanArray>();
    Ok(Arc::new(answers))
}

fn long_pairs(call: &Call<'_>, combine: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (left, right) = (call.longs(0)?, call.longs(1)?);
    let results = left.iter().zip(&right).map(|pair| combine(pair.0?, pair.1?));
    Ok(Arc::new(results.collect::<Int64Array>()))
}

fn real_pairs(call: &Call<'_>, combine: fn(f64, f64) -> Option<f64>) -> Result<ArrayRef> {
    let (left, right) = (call.reals(0)?, call.reals(1)?);
    let results = left.iter().zip(&right).map(|pair| combine(pair.0?, pair.1?));
    Ok(Arc::new(results.collect::<Float64Array>()))
}

/// Scales a timespan; the result is rounded to a tick and null beyond what a timespan can hold.
fn span_and_real(call: &Call<'_>, scale: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (spans, factors) = (call.longs(0)?, call.reals(1)?);
    let results = spans.iter().zip(&factors).map(|pair| ticks_of(scale(pair.0? as f64, pair.1?)));
    Ok(Arc::new(results.collect::<Int64Array>()))
}

/// The nearest whole number of ticks, where there is one.
pub(crate) fn ticks_of(ticks: f64) -> Option<i64> {
    let rounded = ticks.round();
    // The greatest i64 is not a float; the least one is.
    (rounded >= i64::MIN as f64 && rounded < i64::MAX as f64).then_some(rounded as i64)
}
