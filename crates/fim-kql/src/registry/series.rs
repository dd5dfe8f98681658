//! Functions over series: arrays of numbers.

use super::table::{fixed, prefixed, renamed, shaped, variadic};
use super::{FunctionEntry, Naming, Parameter, Shape};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::AnyAsDynamic;
use ScalarType::{Dynamic, Long, Real};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    FunctionEntry { naming: Naming::Always("tdigests_merge_result"), ..variadic("merge_tdigest", Function::MergeTDigest, &[], Parameter::Dynamic("digest"), 1, Dynamic, "One digest of the values of several digests.") },
    prefixed("percentile_tdigest", shaped("percentile_tdigest", Shape::Typed { function: Function::PercentileTDigest, parameters: &[Parameter::Dynamic("digest"), Parameter::Number("percentage")], gives: Dynamic }, "The value that so many percent of the values of a digest do not exceed.")),
    fixed("rank_tdigest", Function::RankTDigest, &[Parameter::Dynamic("digest"), Parameter::Number("value")], 2, Real, "How many values of a digest do not exceed a value."),
    fixed("series_abs", Function::SeriesAbs, &[Parameter::Dynamic("series")], 1, Dynamic, "The magnitude of each element."),
    fixed("series_acos", Function::SeriesAcos, &[Parameter::Dynamic("series")], 1, Dynamic, "The arc cosine of each element."),
    fixed("series_add", Function::SeriesAdd, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "The sums of the elements of two arrays."),
    fixed("series_asin", Function::SeriesAsin, &[Parameter::Dynamic("series")], 1, Dynamic, "The arc sine of each element."),
    fixed("series_atan", Function::SeriesAtan, &[Parameter::Dynamic("series")], 1, Dynamic, "The arc tangent of each element."),
    fixed("series_ceiling", Function::SeriesCeiling, &[Parameter::Dynamic("series")], 1, Dynamic, "Each element rounded up."),
    fixed("series_cos", Function::SeriesCos, &[Parameter::Dynamic("series")], 1, Dynamic, "The cosine of each element."),
    fixed("series_cosine_similarity", Function::SeriesCosineSimilarity, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Real, "The cosine of the angle between two vectors."),
    fixed("series_divide", Function::SeriesDivide, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "The quotients of the elements of two arrays."),
    fixed("series_dot_product", Function::SeriesDotProduct, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Real, "The sum of the products of the elements of two arrays."),
    fixed("series_equals", Function::SeriesEquals, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "Whether the elements of two arrays are equal."),
    fixed("series_exp", Function::SeriesExp, &[Parameter::Dynamic("series")], 1, Dynamic, "e to the power of each element."),
    renamed(fixed("series_fill_backward", Function::SeriesFillBackward, &[Parameter::Dynamic("series"), AnyAsDynamic("missing")], 1, Dynamic, "Missing elements filled with the next one that is there.")),
    renamed(fixed("series_fill_const", Function::SeriesFillConst, &[Parameter::Dynamic("series"), AnyAsDynamic("constant"), AnyAsDynamic("missing")], 2, Dynamic, "Missing elements filled with a constant.")),
    renamed(fixed("series_fill_forward", Function::SeriesFillForward, &[Parameter::Dynamic("series"), AnyAsDynamic("missing")], 1, Dynamic, "Missing elements filled with the last one that was there.")),
    fixed("series_floor", Function::SeriesFloor, &[Parameter::Dynamic("series")], 1, Dynamic, "Each element rounded down."),
    fixed("series_greater", Function::SeriesGreater, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "Whether the elements of one array are greater than those of another."),
    fixed("series_greater_equals", Function::SeriesGreaterEquals, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "Whether the elements of one array are not less than those of another."),
    fixed("series_iir", Function::SeriesIir, &[Parameter::Dynamic("series"), Parameter::Dynamic("numerators"), Parameter::Dynamic("denominators")], 3, Dynamic, "An array after an infinite impulse response filter."),
    fixed("series_less", Function::SeriesLess, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "Whether the elements of one array are less than those of another."),
    fixed("series_less_equals", Function::SeriesLessEquals, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "Whether the elements of one array are not greater than those of another."),
    fixed("series_log", Function::SeriesLog, &[Parameter::Dynamic("series")], 1, Dynamic, "The natural logarithm of each element."),
    fixed("series_magnitude", Function::SeriesMagnitude, &[Parameter::Dynamic("series")], 1, Real, "The length of a vector."),
    fixed("series_multiply", Function::SeriesMultiply, &[AnyAsDynamic("series"), AnyAsDynamic("other")], 2, Dynamic, "The products of the elements of two arrays, or of an array and a number."),
    fixed("series_not_equals", Function::SeriesNotEquals, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "Whether the elements of two arrays differ."),
    fixed("series_pearson_correlation", Function::SeriesPearsonCorrelation, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Real, "The correlation of two arrays."),
    fixed("series_pow", Function::SeriesPow, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "The elements of one array to the power of those of another."),
    fixed("series_product", Function::SeriesProduct, &[Parameter::Dynamic("series")], 1, Real, "The product of the elements."),
    fixed("series_sign", Function::SeriesSign, &[Parameter::Dynamic("series")], 1, Dynamic, "The sign of each element: -1, 0 or 1."),
    fixed("series_sin", Function::SeriesSin, &[Parameter::Dynamic("series")], 1, Dynamic, "The sine of each element."),
    shaped("series_stats", Shape::Columns { function: Function::SeriesStatsDynamic, columns: &[("min", Real), ("min_idx", Long), ("max", Real), ("max_idx", Long), ("avg", Real), ("stdev", Real), ("variance", Real)] }, "Least, greatest, average and spread of the elements, a column each."),
    fixed("series_stats_dynamic", Function::SeriesStatsDynamic, &[Parameter::Dynamic("series")], 1, Dynamic, "Least, greatest, average and spread of the elements as a bag."),
    fixed("series_subtract", Function::SeriesSubtract, &[Parameter::Dynamic("series"), Parameter::Dynamic("other")], 2, Dynamic, "The differences of the elements of two arrays."),
    fixed("series_sum", Function::SeriesSum, &[Parameter::Dynamic("series")], 1, Real, "The sum of the elements."),
    fixed("series_tan", Function::SeriesTan, &[Parameter::Dynamic("series")], 1, Dynamic, "The tangent of each element."),
];
