//! Angles, bits, and functions that have no closed form.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion::common::Result;

use super::{Call, FunctionSpec, Returns};

pub(super) static MATHS: &[&FunctionSpec] = &[
    &ACOS,
    &ASIN,
    &ATAN,
    &ATAN2,
    &BINARY_AND,
    &BINARY_NOT,
    &BINARY_OR,
    &BINARY_SHIFT_LEFT,
    &BINARY_SHIFT_RIGHT,
    &BINARY_XOR,
    &BITSET_COUNT_ONES,
    &COS,
    &COT,
    &DEGREES,
    &ERF,
    &ERFC,
    &GAMMA,
    &LOG_GAMMA,
    &RADIANS,
    &SIN,
    &TAN,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(ACOS, "kql_acos", Real, |call| reals(call, f64::acos));
spec!(ASIN, "kql_asin", Real, |call| reals(call, f64::asin));
spec!(ATAN, "kql_atan", Real, |call| reals(call, f64::atan));
spec!(ATAN2, "kql_atan2", Real, |call| {
    let (y, x) = (call.reals(0)?, call.reals(1)?);
    Ok(Arc::new(y.iter().zip(&x).map(|(y, x)| Some(y?.atan2(x?))).collect::<Float64Array>()))
});
spec!(BINARY_AND, "kql_binary_and", Long, |call| longs(call, |x, y| Some(x & y)));
spec!(BINARY_NOT, "kql_binary_not", Long, |call| {
    Ok(Arc::new(call.longs(0)?.unary::<_, arrow::datatypes::Int64Type>(|x| !x)))
});
spec!(BINARY_OR, "kql_binary_or", Long, |call| longs(call, |x, y| Some(x | y)));
// A shift by more than 63 places is one by the remainder, by a negative number null.
spec!(BINARY_SHIFT_LEFT, "kql_binary_shift_left", Long, |call| longs(call, |x, places| {
    u32::try_from(places).ok().map(|places| x.wrapping_shl(places))
}));
spec!(BINARY_SHIFT_RIGHT, "kql_binary_shift_right", Long, |call| longs(call, |x, places| {
    u32::try_from(places).ok().map(|places| x.wrapping_shr(places))
}));
spec!(BINARY_XOR, "kql_binary_xor", Long, |call| longs(call, |x, y| Some(x ^ y)));
spec!(BITSET_COUNT_ONES, "kql_bitset_count_ones", Long, |call| {
    Ok(Arc::new(call.longs(0)?.unary::<_, arrow::datatypes::Int64Type>(|x| x.count_ones().into())))
});
spec!(COS, "kql_cos", Real, |call| reals(call, f64::cos));
spec!(COT, "kql_cot", Real, |call| reals(call, |x| 1.0 / x.tan()));
spec!(DEGREES, "kql_degrees", Real, |call| reals(call, f64::to_degrees));
spec!(ERF, "kql_erf", Real, |call| reals(call, libm::erf));
spec!(ERFC, "kql_erfc", Real, |call| reals(call, libm::erfc));
spec!(GAMMA, "kql_gamma", Real, |call| reals(call, libm::tgamma));
spec!(LOG_GAMMA, "kql_loggamma", Real, |call| reals(call, libm::lgamma));
spec!(RADIANS, "kql_radians", Real, |call| reals(call, f64::to_radians));
spec!(SIN, "kql_sin", Real, |call| reals(call, f64::sin));
spec!(TAN, "kql_tan", Real, |call| reals(call, f64::tan));

fn reals(call: &Call<'_>, of_real: fn(f64) -> f64) -> Result<ArrayRef> {
    Ok(Arc::new(call.reals(0)?.unary::<_, arrow::datatypes::Float64Type>(of_real)))
}

fn longs(call: &Call<'_>, combine: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (x, y) = (call.longs(0)?, call.longs(1)?);
    Ok(Arc::new(x.iter().zip(&y).map(|(x, y)| combine(x?, y?)).collect::<Int64Array>()))
}
