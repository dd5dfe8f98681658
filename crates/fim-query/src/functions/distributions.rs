//! The beta distribution, by the continued fraction of its incomplete integral (DLMF 8.17).

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use datafusion::common::Result;

use super::{Call, FunctionSpec, Returns};

pub(super) static DISTRIBUTIONS: &[&FunctionSpec] = &[&BETA_CDF, &BETA_INV, &BETA_PDF];

macro_rules! spec {
    ($name:ident, $text:literal, $of:expr) => {
        #[doc = concat!("`", $text, "(x, alpha, beta)`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::Real, evaluate: |call| each(call, $of) };
    };
}

spec!(BETA_CDF, "kql_beta_cdf", |x, alpha, beta| Some(cumulative(x, alpha, beta)));
spec!(BETA_INV, "kql_beta_inv", inverse);
spec!(BETA_PDF, "kql_beta_pdf", |x, alpha, beta| Some(density(x, alpha, beta)));

fn each(call: &Call<'_>, of: fn(f64, f64, f64) -> Option<f64>) -> Result<ArrayRef> {
    let (x, alpha, beta) = (call.reals(0)?, call.reals(1)?, call.reals(2)?);
    let results = x.iter().zip(&alpha).zip(&beta).map(|((x, alpha), beta)| of(x?, alpha?, beta?));
    Ok(Arc::new(results.collect::<Float64Array>()))
}

/// How much of the distribution is at or below x. As in the original, parameters that are not above zero are not
/// looked at; there the answer has no meaning.
fn cumulative(x: f64, alpha: f64, beta: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    let front = match x {
        0.0 | 1.0 => 0.0,
        x => (log_scale(alpha, beta) + alpha * x.ln() + beta * (-x).ln_1p()).exp(),
    };
    if x < (alpha + 1.0) / (alpha + beta + 2.0) {
        front * fraction(x, alpha, beta) / alpha
    } else {
        1.0 - front * fraction(1.0 - x, beta, alpha) / beta
    }
}

fn density(x: f64, alpha: f64, beta: f64) -> f64 {
    if !(0.0..=1.0).contains(&x) || alpha <= 0.0 || beta <= 0.0 {
        return f64::NAN;
    }
    log_scale(alpha, beta).exp() * x.powf(alpha - 1.0) * (1.0 - x).powf(beta - 1.0)
}

/// The x below which so much of the distribution is; none for what is no probability.
fn inverse(probability: f64, alpha: f64, beta: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&probability) {
        return None;
    }
    if alpha <= 0.0 || beta <= 0.0 {
        return Some(f64::NAN);
    }
    let (mut low, mut high) = (0.0, 1.0);
    // Each step halves the interval; a real has 53 bits, and small values some more.
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if cumulative(middle, alpha, beta) < probability { low = middle } else { high = middle }
    }
    Some(0.5 * (low + high))
}

/// The logarithm of Γ(α + β) / (Γ(α) Γ(β)).
fn log_scale(alpha: f64, beta: f64) -> f64 {
    libm::lgamma(alpha + beta) - libm::lgamma(alpha) - libm::lgamma(beta)
}

/// The continued fraction of the incomplete beta integral, by the method of Lentz.
fn fraction(x: f64, alpha: f64, beta: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let not_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut upper = 1.0;
    let mut lower = 1.0 / not_zero(1.0 - (alpha + beta) * x / (alpha + 1.0));
    let mut result = lower;
    for step in 1..1000 {
        let m = f64::from(step);
        let even = m * (beta - m) * x / ((alpha + 2.0 * m - 1.0) * (alpha + 2.0 * m));
        lower = 1.0 / not_zero(1.0 + even * lower);
        upper = not_zero(1.0 + even / upper);
        result *= lower * upper;
        let odd = -(alpha + m) * (alpha + beta + m) * x / ((alpha + 2.0 * m) * (alpha + 2.0 * m + 1.0));
        lower = 1.0 / not_zero(1.0 + odd * lower);
        upper = not_zero(1.0 + odd / upper);
        let change = lower * upper;
        result *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn the_inverse_finds_what_has_the_probability(p in 0.001..0.999_f64, alpha in 0.5..50.0_f64, beta in 0.5..50.0_f64) {
            let x = inverse(p, alpha, beta).unwrap();
            prop_assert!((cumulative(x, alpha, beta) - p).abs() < 1e-9);
        }
    }
}
