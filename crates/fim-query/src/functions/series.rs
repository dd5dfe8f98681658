//! Series: arrays of numbers. What is no number gives null in its place.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use datafusion::common::Result;

use super::arrays::several;
use super::json_text::{array, bag, elements, number, of_real, same};
use super::{Call, FunctionSpec, Returns};

pub(super) static SERIES: &[&FunctionSpec] = &[
    &SERIES_ABS,
    &SERIES_ACOS,
    &SERIES_ADD,
    &SERIES_ASIN,
    &SERIES_ATAN,
    &SERIES_CEILING,
    &SERIES_COS,
    &SERIES_COSINE_SIMILARITY,
    &SERIES_DIVIDE,
    &SERIES_DOT_PRODUCT,
    &SERIES_EQUALS,
    &SERIES_EXP,
    &SERIES_FILL_BACKWARD,
    &SERIES_FILL_CONST,
    &SERIES_FILL_FORWARD,
    &SERIES_FLOOR,
    &SERIES_GREATER,
    &SERIES_GREATER_EQUALS,
    &SERIES_IIR,
    &SERIES_LESS,
    &SERIES_LESS_EQUALS,
    &SERIES_LOG,
    &SERIES_MAGNITUDE,
    &SERIES_MULTIPLY,
    &SERIES_NOT_EQUALS,
    &SERIES_PEARSON_CORRELATION,
    &SERIES_POW,
    &SERIES_PRODUCT,
    &SERIES_SIGN,
    &SERIES_SIN,
    &SERIES_STATS_DYNAMIC,
    &SERIES_SUBTRACT,
    &SERIES_SUM,
    &SERIES_TAN,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(SERIES_ABS, "kql_series_abs", Text, |call| each(call, f64::abs));
spec!(SERIES_ACOS, "kql_series_acos", Text, |call| each(call, f64::acos));
spec!(SERIES_ASIN, "kql_series_asin", Text, |call| each(call, f64::asin));
spec!(SERIES_ATAN, "kql_series_atan", Text, |call| each(call, f64::atan));
spec!(SERIES_CEILING, "kql_series_ceiling", Text, |call| each(call, f64::ceil));
spec!(SERIES_COS, "kql_series_cos", Text, |call| each(call, f64::cos));
spec!(SERIES_EXP, "kql_series_exp", Text, |call| each(call, f64::exp));
spec!(SERIES_FLOOR, "kql_series_floor", Text, |call| each(call, f64::floor));
spec!(SERIES_LOG, "kql_series_log", Text, |call| each(call, f64::ln));
spec!(SERIES_SIGN, "kql_series_sign", Text, |call| each(call, |value| {
    if value == 0.0 || value.is_nan() { value } else { value.signum() }
}));
spec!(SERIES_SIN, "kql_series_sin", Text, |call| each(call, f64::sin));
spec!(SERIES_TAN, "kql_series_tan", Text, |call| each(call, f64::tan));

spec!(SERIES_ADD, "kql_series_add", Text, |call| whole_or_real(call, i64::checked_add, |a, b| a + b));
spec!(SERIES_SUBTRACT, "kql_series_subtract", Text, |call| {
    whole_or_real(call, i64::checked_sub, |a, b| a - b)
});
spec!(SERIES_MULTIPLY, "kql_series_multiply", Text, |call| {
    whole_or_real(call, i64::checked_mul, |a, b| a * b)
});
spec!(SERIES_DIVIDE, "kql_series_divide", Text, |call| whole_or_real(call, |_, _| None, |a, b| a / b));
spec!(SERIES_POW, "kql_series_pow", Text, |call| whole_or_real(call, |_, _| None, f64::powf));
spec!(SERIES_EQUALS, "kql_series_equals", Text, |call| compared(call, |a, b| a == b));
spec!(SERIES_GREATER, "kql_series_greater", Text, |call| compared(call, |a, b| a > b));
spec!(SERIES_GREATER_EQUALS, "kql_series_greater_equals", Text, |call| compared(call, |a, b| a >= b));
spec!(SERIES_LESS, "kql_series_less", Text, |call| compared(call, |a, b| a < b));
spec!(SERIES_LESS_EQUALS, "kql_series_less_equals", Text, |call| compared(call, |a, b| a <= b));
spec!(SERIES_NOT_EQUALS, "kql_series_not_equals", Text, |call| compared(call, |a, b| a != b));

spec!(SERIES_MAGNITUDE, "kql_series_magnitude", Real, |call| one_number(call, |values| {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}));
spec!(SERIES_PRODUCT, "kql_series_product", Real, |call| one_number(call, |values| values.iter().product()));
spec!(SERIES_SUM, "kql_series_sum", Real, |call| one_number(call, |values| values.iter().sum()));
spec!(SERIES_DOT_PRODUCT, "kql_series_dot_product", Real, |call| of_two(call, dot_product));
spec!(SERIES_COSINE_SIMILARITY, "kql_series_cosine_similarity", Real, |call| of_two(call, |left, right| {
    dot_product(left, right) / (dot_product(left, left).sqrt() * dot_product(right, right).sqrt())
}));
spec!(SERIES_PEARSON_CORRELATION, "kql_series_pearson_correlation", Real, |call| of_two(
    call,
    |left, right| {
        let from_mean = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            values.iter().map(|value| value - mean).collect::<Vec<f64>>()
        };
        let (left, right) = (from_mean(left), from_mean(right));
        dot_product(&left, &right) / (dot_product(&left, &left).sqrt() * dot_product(&right, &right).sqrt())
    }
));

// `kql_series_fill_…(series, missing)`: a value at the edge that nothing precedes stays missing.
spec!(SERIES_FILL_FORWARD, "kql_series_fill_forward", Text, |call| several(call, |values| {
    let missing = missing(values, 1);
    let mut last = None;
    let fill = |element: &str| {
        if !is_missing(element, missing) {
            last = Some(element.to_owned());
        }
        last.clone().unwrap_or_else(|| element.to_owned())
    };
    Some(array(elements((*values.first()?)?)?.into_iter().map(fill).collect::<Vec<_>>().iter()))
}));
spec!(SERIES_FILL_BACKWARD, "kql_series_fill_backward", Text, |call| several(call, |values| {
    let missing = missing(values, 1);
    let mut next: Option<&str> = None;
    let mut filled = Vec::new();
    for element in elements((*values.first()?)?)?.into_iter().rev() {
        if !is_missing(element, missing) {
            next = Some(element);
        }
        filled.push(next.unwrap_or(element));
    }
    Some(array(filled.into_iter().rev()))
}));
// `kql_series_fill_const(series, constant, missing)`
spec!(SERIES_FILL_CONST, "kql_series_fill_const", Text, |call| several(call, |values| {
    let missing = missing(values, 2);
    let constant = values.get(1).copied().flatten().unwrap_or("null");
    let fill = |element| if is_missing(element, missing) { constant } else { element };
    Some(array(elements((*values.first()?)?)?.into_iter().map(fill)))
}));
// `kql_series_iir(series, numerators, denominators)`
spec!(SERIES_IIR, "kql_series_iir", Text, |call| several(call, |values| {
    let [series, numerators, denominators] = values else { return None };
    let (series, numerators, denominators) =
        (numbers((*series)?)?, numbers((*numerators)?)?, numbers((*denominators)?)?);
    let first = *denominators.first().filter(|first| **first != 0.0)?;
    let mut filtered: Vec<f64> = Vec::with_capacity(series.len());
    for at in 0..series.len() {
        let before = |values: &[f64], by: usize| at.checked_sub(by).map_or(0.0, |at| values[at]);
        let forward: f64 =
            numerators.iter().enumerate().map(|(by, factor)| factor * before(&series, by)).sum();
        let back: f64 =
            denominators.iter().enumerate().skip(1).map(|(by, factor)| factor * before(&filtered, by)).sum();
        filtered.push((forward - back) / first);
    }
    Some(array(filtered.into_iter().map(of_real)))
}));
spec!(SERIES_STATS_DYNAMIC, "kql_series_stats_dynamic", Text, |call| several(call, |values| {
    let values = numbers((*values.first()?)?)?;
    let count = values.len() as f64;
    let position = |best: f64| values.iter().position(|value| *value == best).unwrap_or_default();
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    let sum: f64 = values.iter().sum();
    let average = sum / count;
    let spread: f64 = values.iter().map(|value| (value - average).powi(2)).sum();
    let variance = if values.len() > 1 { spread / (count - 1.0) } else { 0.0 };
    let members = [
        ("min", of_real(least)),
        ("min_idx", position(least).to_string()),
        ("max", of_real(greatest)),
        ("max_idx", position(greatest).to_string()),
        ("avg", of_real(average)),
        ("stdev", of_real(variance.sqrt())),
        ("variance", of_real(variance)),
        ("sum", of_real(sum)),
        ("len", values.len().to_string()),
    ];
    Some(bag(members.iter().map(|(name, json)| (*name, json.as_str()))))
}));

/// The numbers of an array; `None` if it is none, or an element is no number.
fn numbers(json: &str) -> Option<Vec<f64>> {
    elements(json)?.into_iter().map(number).collect()
}

/// `f(series)`, element by element.
fn each(call: &Call<'_>, of_number: fn(f64) -> f64) -> Result<ArrayRef> {
    several(call, |values| {
        let elements = elements((*values.first()?)?)?.into_iter();
        Some(array(elements.map(|element| {
            number(element).map_or_else(|| "null".to_owned(), |value| of_real(of_number(value)))
        })))
    })
}

/// `f(series, series)`, element by element; a single number goes with each element, and a missing one gives null.
fn pairs(call: &Call<'_>, of_pair: impl Fn(&str, &str) -> Option<String>) -> Result<ArrayRef> {
    several(call, |values| {
        let [left, right] = values else { return None };
        let (left, right) = ((*left)?, (*right)?);
        let (left_elements, right_elements) = (elements(left), elements(right));
        let count = left_elements.iter().chain(&right_elements).map(Vec::len).max()?;
        let at = |elements: &Option<Vec<&str>>, single: &str, at: usize| match elements {
            Some(elements) => elements.get(at).map(|element| (*element).to_owned()),
            None => Some(single.to_owned()),
        };
        let results = (0..count).map(|position| {
            let pair = at(&left_elements, left, position).zip(at(&right_elements, right, position));
            pair.and_then(|(left, right)| of_pair(&left, &right)).unwrap_or_else(|| "null".to_owned())
        });
        Some(array(results))
    })
}

/// Arithmetic that stays whole for whole numbers where `of_whole` says so.
fn whole_or_real(
    call: &Call<'_>,
    of_whole: fn(i64, i64) -> Option<i64>,
    of_real_numbers: fn(f64, f64) -> f64,
) -> Result<ArrayRef> {
    pairs(call, |left, right| {
        if let (Ok(left), Ok(right)) = (left.parse(), right.parse())
            && let Some(result) = of_whole(left, right)
        {
            return Some(result.to_string());
        }
        Some(of_real(of_real_numbers(number(left)?, number(right)?)))
    })
}

fn compared(call: &Call<'_>, holds: fn(f64, f64) -> bool) -> Result<ArrayRef> {
    pairs(call, |left, right| Some(holds(number(left)?, number(right)?).to_string()))
}

fn one_number(call: &Call<'_>, of_numbers: fn(&[f64]) -> f64) -> Result<ArrayRef> {
    let column = call.nullable_texts(0)?;
    let results = column.iter().map(|json| Some(of_numbers(&numbers(json?)?)));
    Ok(Arc::new(results.collect::<Float64Array>()))
}

/// `f(series, series)`; null if they differ in length.
fn of_two(call: &Call<'_>, of_numbers: fn(&[f64], &[f64]) -> f64) -> Result<ArrayRef> {
    let (left, right) = (call.nullable_texts(0)?, call.nullable_texts(1)?);
    let results = left.iter().zip(right.iter()).map(|(left, right)| {
        let (left, right) = (numbers(left?)?, numbers(right?)?);
        (left.len() == right.len()).then(|| of_numbers(&left, &right))
    });
    Ok(Arc::new(results.collect::<Float64Array>()))
}

fn dot_product(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// The value that stands for a missing one; null if none is given.
fn missing<'a>(values: &[Option<&'a str>], at: usize) -> &'a str {
    values.get(at).copied().flatten().unwrap_or("null")
}

fn is_missing(element: &str, missing: &str) -> bool {
    same(element, missing)
}
