//! The aggregates, by name.

use super::AggregateNaming::{FirstArgument, Percentage, Prefixed, TwoArguments};
use super::{AggregateEntry, AggregateNaming};
use crate::aggregate::Aggregate;

const fn plain(
    name: &'static str,
    aggregate: Aggregate,
    naming: AggregateNaming,
    parameters: &'static [&'static str],
    required: usize,
    result: &'static str,
    summary: &'static str,
) -> AggregateEntry {
    AggregateEntry { name, aggregate, has_condition: false, naming, parameters, required, result, summary }
}

/// As [`plain`], over the rows for which the last required parameter is true.
const fn conditional(entry: AggregateEntry) -> AggregateEntry {
    AggregateEntry { has_condition: true, ..entry }
}

const VALUE: &[&str] = &["value: any"];
const VALUE_IF: &[&str] = &["value: any", "predicate: bool"];
const LIST: &[&str] = &["value: any", "limit: a whole number"];
const LIST_IF: &[&str] = &["value: any", "predicate: bool", "limit: a whole number"];
const ORDERED: &[&str] = &["value: ordered"];
const ORDERED_IF: &[&str] = &["value: ordered", "predicate: bool"];
const NUMBER: &[&str] = &["value: number"];
const NUMBER_IF: &[&str] = &["value: number", "predicate: bool"];
const NUMBERS: &[&str] = &["x: number", "y: number"];
const NUMBERS_IF: &[&str] = &["x: number", "y: number", "predicate: bool"];
const WHOLE: &[&str] = &["value: int or long"];

/// Every aggregate that runs, by name.
#[rustfmt::skip]
pub(crate) const AGGREGATES: &[AggregateEntry] = &[
    plain("any", Aggregate::TakeAny, Prefixed("any"), VALUE, 1, "as the value", "The value of any row; the same as `take_any` with one argument."),
    conditional(plain("anyif", Aggregate::TakeAny, Prefixed("anyif"), VALUE_IF, 2, "as the value", "The value of any row where the predicate is true.")),
    plain("arg_max", Aggregate::ArgMax, Prefixed("max"), &["maximised: ordered", "returned: any, … | *"], 1, "the arguments", "The greatest value, and other columns of its row."),
    plain("arg_min", Aggregate::ArgMin, Prefixed("min"), &["minimised: ordered", "returned: any, … | *"], 1, "the arguments", "The least value, and other columns of its row."),
    plain("avg", Aggregate::Avg, Prefixed("avg"), &["value: number, datetime or timespan"], 1, "real, decimal, datetime or timespan", "The average."),
    conditional(plain("avgif", Aggregate::Avg, Prefixed("avgif"), &["value: number, datetime or timespan", "predicate: bool"], 2, "real, decimal, datetime or timespan", "The average where the predicate is true.")),
    plain("binary_all_and", Aggregate::BinaryAllAnd, FirstArgument, WHOLE, 1, "long", "The bits that all numbers have."),
    plain("binary_all_or", Aggregate::BinaryAllOr, FirstArgument, WHOLE, 1, "long", "The bits that any number has."),
    plain("binary_all_xor", Aggregate::BinaryAllXor, FirstArgument, WHOLE, 1, "long", "The bits that an odd number of numbers have."),
    plain("buildschema", Aggregate::BuildSchema, Prefixed("schema"), &["value: dynamic"], 1, "dynamic", "The types of the values, and of their properties and elements."),
    plain("count", Aggregate::Count, Prefixed("count"), &["value: any"], 0, "long", "The number of rows."),
    plain("count_distinct", Aggregate::CountDistinct, Prefixed("count_distinct"), VALUE, 1, "long", "The number of different values, exactly."),
    conditional(plain("count_distinctif", Aggregate::CountDistinct, Prefixed("count_distinctif"), VALUE_IF, 2, "long", "The number of different values where the predicate is true, exactly.")),
    conditional(plain("countif", Aggregate::Count, Prefixed("countif"), &["predicate: bool"], 1, "long", "The number of rows for which the predicate is true.")),
    plain("covariance", Aggregate::Covariance, TwoArguments, NUMBERS, 2, "real", "The covariance of a sample."),
    conditional(plain("covarianceif", Aggregate::Covariance, TwoArguments, NUMBERS_IF, 3, "real", "The covariance of a sample where the predicate is true.")),
    plain("covariancep", Aggregate::CovarianceP, TwoArguments, NUMBERS, 2, "real", "The covariance of a population."),
    conditional(plain("covariancepif", Aggregate::CovarianceP, TwoArguments, NUMBERS_IF, 3, "real", "The covariance of a population where the predicate is true.")),
    plain("dcount", Aggregate::DCount, Prefixed("dcount"), &["value: any", "accuracy: 0 to 4"], 1, "long", "The number of different values, estimated."),
    conditional(plain("dcountif", Aggregate::DCount, Prefixed("dcountif"), &["value: any", "predicate: bool", "accuracy: 0 to 4"], 2, "long", "The number of different values where the predicate is true, estimated.")),
    plain("make_bag", Aggregate::MakeBag, Prefixed("bag"), &["bag: dynamic", "limit: a whole number"], 1, "dynamic", "The properties of all bags in one."),
    conditional(plain("make_bag_if", Aggregate::MakeBag, Prefixed("bag"), &["bag: dynamic", "predicate: bool", "limit: a whole number"], 2, "dynamic", "The properties of all bags in one, where the predicate is true.")),
    plain("make_list", Aggregate::MakeList, Prefixed("list"), LIST, 1, "dynamic", "An array of the values."),
    conditional(plain("make_list_if", Aggregate::MakeList, Prefixed("list"), LIST_IF, 2, "dynamic", "An array of the values where the predicate is true.")),
    plain("make_list_with_nulls", Aggregate::MakeListWithNulls, Prefixed("list"), VALUE, 1, "dynamic", "An array of the values, nulls included."),
    plain("make_set", Aggregate::MakeSet, Prefixed("set"), LIST, 1, "dynamic", "An array of the different values."),
    conditional(plain("make_set_if", Aggregate::MakeSet, Prefixed("set"), LIST_IF, 2, "dynamic", "An array of the different values where the predicate is true.")),
    plain("makelist", Aggregate::MakeList, Prefixed("list"), LIST, 1, "dynamic", "The same as `make_list`, with at most 128 values unless said otherwise."),
    plain("makeset", Aggregate::MakeSet, Prefixed("set"), LIST, 1, "dynamic", "The same as `make_set`, with at most 128 values unless said otherwise."),
    plain("max", Aggregate::Max, Prefixed("max"), ORDERED, 1, "as the value", "The greatest value."),
    conditional(plain("maxif", Aggregate::Max, Prefixed("maxif"), ORDERED_IF, 2, "as the value", "The greatest value where the predicate is true.")),
    plain("min", Aggregate::Min, Prefixed("min"), ORDERED, 1, "as the value", "The least value."),
    conditional(plain("minif", Aggregate::Min, Prefixed("minif"), ORDERED_IF, 2, "as the value", "The least value where the predicate is true.")),
    plain("percentile", Aggregate::Percentiles, Percentage, &["value: number, datetime or timespan", "percentage: number"], 2, "as the value", "The least value that so many percent of the values do not exceed."),
    plain("percentiles", Aggregate::Percentiles, Percentage, &["value: number, datetime or timespan", "percentage: number, …"], 2, "as the value", "Several percentiles, a column each."),
    plain("percentiles_array", Aggregate::PercentilesArray, Prefixed("percentiles"), &["value: number, datetime or timespan", "percentage: number, …"], 2, "dynamic", "Several percentiles as an array."),
    plain("stdev", Aggregate::Stdev, Prefixed("stdev"), NUMBER, 1, "real", "The standard deviation of a sample."),
    conditional(plain("stdevif", Aggregate::Stdev, Prefixed("stdevif"), NUMBER_IF, 2, "real", "The standard deviation of a sample where the predicate is true.")),
    plain("stdevp", Aggregate::StdevP, Prefixed("stdevp"), NUMBER, 1, "real", "The standard deviation of a population."),
    plain("sum", Aggregate::Sum, Prefixed("sum"), &["value: number or timespan"], 1, "long, real, decimal or timespan", "The sum."),
    conditional(plain("sumif", Aggregate::Sum, Prefixed("sumif"), &["value: number or timespan", "predicate: bool"], 2, "long, real, decimal or timespan", "The sum where the predicate is true.")),
    plain("take_any", Aggregate::TakeAny, FirstArgument, &["value: any, … | *"], 1, "the arguments", "The values of any one row."),
    conditional(plain("take_anyif", Aggregate::TakeAny, FirstArgument, VALUE_IF, 2, "as the value", "The value of any row where the predicate is true.")),
    plain("tdigest", Aggregate::TDigest, Prefixed("tdigest"), &["value: number", "weight: int or long"], 1, "dynamic", "A digest of numbers, from which percentiles are estimated."),
    plain("tdigest_merge", Aggregate::TDigestMerge, Prefixed("tdigest_merge"), &["digest: dynamic"], 1, "dynamic", "One digest of the values of several digests."),
    plain("variance", Aggregate::Variance, Prefixed("variance"), NUMBER, 1, "real", "The variance of a sample."),
    conditional(plain("varianceif", Aggregate::Variance, Prefixed("varianceif"), NUMBER_IF, 2, "real", "The variance of a sample where the predicate is true.")),
    plain("variancep", Aggregate::VarianceP, Prefixed("variancep"), NUMBER, 1, "real", "The variance of a population."),
    conditional(plain("variancepif", Aggregate::VarianceP, Prefixed("variancepif"), NUMBER_IF, 2, "real", "The variance of a population where the predicate is true.")),
];
