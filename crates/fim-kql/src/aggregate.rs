//! The aggregates that a plan may compute, and what each promises.
//!
//! As with functions, the binder converted the arguments to the types written here. Rows where the first argument is
//! null are left out, unless said otherwise; so are the rows for which the condition of the call is not true.

/// An aggregate of a plan.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Aggregate {
    /// `arg_max(x, y, …) -> x, y, …`: the greatest `x`, and what the others are in its row.
    ArgMax,
    /// `arg_min(x, y, …) -> x, y, …`: the least `x`, and what the others are in its row.
    ArgMin,
    /// `avg(x)`: `long -> real`, `real -> real`, `decimal -> decimal`, `timespan -> timespan`,
    /// `datetime -> datetime`; null (NaN for `real`) for no rows.
    Avg,
    /// `binary_all_and(long) -> long`: the bits that all numbers have; null for no rows.
    BinaryAllAnd,
    /// `binary_all_or(long) -> long`: the bits that any number has; null for no rows.
    BinaryAllOr,
    /// `binary_all_xor(long) -> long`: the bits that an odd number of numbers have; null for no rows.
    BinaryAllXor,
    /// `buildschema(dynamic) -> dynamic`: what types the values have, and those of their properties and elements.
    BuildSchema,
    /// `count() -> long`: the number of rows.
    Count,
    /// `count_distinct(x) -> long`: the exact number of different values, of any type.
    CountDistinct,
    /// `covariance(real, real) -> real`: of a sample; NaN for no rows.
    Covariance,
    /// `covariancep(real, real) -> real`: of a whole population; NaN for no rows.
    CovarianceP,
    /// `dcount(x, long? accuracy) -> long`: the number of different values, of any type. The accuracy is a constant
    /// from 0 (fast) to 4 (exact as can be), 1 if absent.
    DCount,
    /// `make_bag(dynamic, long limit) -> dynamic`: the properties of all bags in one; what is no bag is left out.
    MakeBag,
    /// `make_list(dynamic, long limit, long? row) -> dynamic`: an array of the values, in the order of `row`.
    MakeList,
    /// `make_list_with_nulls(dynamic, long limit, long? row) -> dynamic`: the same with nulls.
    MakeListWithNulls,
    /// `make_set(dynamic, long limit) -> dynamic`: an array of the different values; of an array its elements.
    MakeSet,
    /// `max(x) -> x`: of an ordered type; null for no rows.
    Max,
    /// `min(x) -> x`: of an ordered type; null for no rows.
    Min,
    /// `percentiles(x, real, …) -> x, …`: the nearest-rank percentiles of `long`, `real`, `datetime` or `timespan`
    /// values; null for no rows. The percentages are constants from 0 to 100, and each fills a column.
    Percentiles,
    /// `percentiles_array(x, real, …) -> dynamic`: the same as an array.
    PercentilesArray,
    /// `series(dynamic value, long step, long? first, long? last, dynamic default) -> dynamic`: an array with the value
    /// of each step, from the first to the last, or else the least and greatest that there is; the default where a step
    /// has no value. No query can call it: it is a part of `make-series`.
    Series,
    /// `stdev(real) -> real`: of a sample; NaN for no rows.
    Stdev,
    /// `stdevp(real) -> real`: of a whole population; NaN for no rows.
    StdevP,
    /// `sum(x)`: `long`, `real`, `decimal` or `timespan`; zero for no rows.
    Sum,
    /// `take_any(x, y, …) -> x, y, …`: the values of any one row.
    TakeAny,
    /// `tdigest(real, long? weight) -> dynamic`: a digest of numbers, from which percentiles are estimated; `is_whole`
    /// as a constant `bool` before the weight says that they are whole.
    TDigest,
    /// `tdigest_merge(dynamic) -> dynamic`: one digest of the values of several.
    TDigestMerge,
    /// `variance(real) -> real`: of a sample; NaN for no rows.
    Variance,
    /// `variancep(real) -> real`: of a whole population; NaN for no rows.
    VarianceP,
}
