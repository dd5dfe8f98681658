//! Mathematics beyond arithmetic.

use super::table::{fixed, renamed};
use super::{FunctionEntry, Parameter};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{Number, Whole};
use ScalarType::{Long, Real};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    renamed(fixed("acos", Function::Acos, &[Number("x")], 1, Real, "The angle whose cosine is x.")),
    renamed(fixed("asin", Function::Asin, &[Number("x")], 1, Real, "The angle whose sine is x.")),
    renamed(fixed("atan", Function::Atan, &[Number("x")], 1, Real, "The angle whose tangent is x.")),
    renamed(fixed("atan2", Function::Atan2, &[Number("y"), Number("x")], 2, Real, "The angle between the x axis and the ray to a point.")),
    fixed("beta_cdf", Function::BetaCdf, &[Number("x"), Number("alpha"), Number("beta")], 3, Real, "The cumulative beta distribution."),
    fixed("beta_inv", Function::BetaInv, &[Number("probability"), Number("alpha"), Number("beta")], 3, Real, "The value that has a cumulative probability of the beta distribution."),
    fixed("beta_pdf", Function::BetaPdf, &[Number("x"), Number("alpha"), Number("beta")], 3, Real, "The density of the beta distribution."),
    renamed(fixed("binary_and", Function::BinaryAnd, &[Whole("x"), Whole("y")], 2, Long, "The bits that both numbers have.")),
    renamed(fixed("binary_not", Function::BinaryNot, &[Whole("x")], 1, Long, "The bits that a number has not.")),
    renamed(fixed("binary_or", Function::BinaryOr, &[Whole("x"), Whole("y")], 2, Long, "The bits that any of two numbers has.")),
    renamed(fixed("binary_shift_left", Function::BinaryShiftLeft, &[Whole("x"), Whole("places")], 2, Long, "The bits of a number moved to the left.")),
    renamed(fixed("binary_shift_right", Function::BinaryShiftRight, &[Whole("x"), Whole("places")], 2, Long, "The bits of a number moved to the right.")),
    renamed(fixed("binary_xor", Function::BinaryXor, &[Whole("x"), Whole("y")], 2, Long, "The bits that one of two numbers has.")),
    renamed(fixed("bitset_count_ones", Function::BitsetCountOnes, &[Whole("x")], 1, Long, "How many bits of a number are set.")),
    renamed(fixed("cos", Function::Cos, &[Number("x")], 1, Real, "The cosine.")),
    renamed(fixed("cot", Function::Cot, &[Number("x")], 1, Real, "The cotangent.")),
    fixed("degrees", Function::Degrees, &[Number("radians")], 1, Real, "An angle in degrees."),
    renamed(fixed("erf", Function::Erf, &[Number("x")], 1, Real, "The error function.")),
    renamed(fixed("erfc", Function::Erfc, &[Number("x")], 1, Real, "The complementary error function.")),
    renamed(fixed("gamma", Function::Gamma, &[Number("x")], 1, Real, "The gamma function.")),
    renamed(fixed("loggamma", Function::LogGamma, &[Number("x")], 1, Real, "The logarithm of the gamma function.")),
    fixed("pi", Function::Pi, &[], 0, Real, "The number π."),
    fixed("radians", Function::Radians, &[Number("degrees")], 1, Real, "An angle in radians."),
    renamed(fixed("sin", Function::Sin, &[Number("x")], 1, Real, "The sine.")),
    renamed(fixed("tan", Function::Tan, &[Number("x")], 1, Real, "The tangent.")),
];
