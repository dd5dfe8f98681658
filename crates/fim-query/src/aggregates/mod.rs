//! The aggregates of the language that SQL lacks or computes otherwise.

mod collect;
mod distinct_count;
mod extreme_row;
mod percentile;
mod schema;
mod series;
mod sketch;
mod tdigest;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use datafusion::logical_expr::AggregateUDF;

pub(crate) use collect::Collection;
pub(crate) use extreme_row::{Extreme, field_name};

use collect::Collect;
use distinct_count::DistinctCount;
use extreme_row::ExtremeRow;
use percentile::Percentiles;
use schema::BuildSchema;
use series::SeriesOfSteps;
use tdigest::TDigest;

/// Every aggregate function, by name.
pub fn registry() -> &'static HashMap<&'static str, Arc<AggregateUDF>> {
    static REGISTRY: OnceLock<HashMap<&'static str, Arc<AggregateUDF>>> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let extremes = [Extreme::Greatest, Extreme::Least]
            .map(|extreme| (extreme.function_name(), AggregateUDF::new_from_impl(ExtremeRow::new(extreme))));
        let counts = (0..=4).map(|accuracy| {
            let count = DistinctCount::new(accuracy);
            (count.function_name(), AggregateUDF::new_from_impl(count))
        });
        let collections = Collection::ALL.map(|collection| {
            (collection.function_name(), AggregateUDF::new_from_impl(Collect::new(collection)))
        });
        let percentiles = [(Percentiles::NAME, AggregateUDF::new_from_impl(Percentiles::new()))];
        let series = [(SeriesOfSteps::NAME, AggregateUDF::new_from_impl(SeriesOfSteps::new()))];
        let all = extremes.into_iter().chain(counts).chain(collections).chain(percentiles).chain(series);
        let schemas = [(BuildSchema::NAME, AggregateUDF::new_from_impl(BuildSchema::new()))];
        let digests = [false, true].map(|is_merge| {
            (TDigest::function_name(is_merge), AggregateUDF::new_from_impl(TDigest::new(is_merge)))
        });
        let all = all.chain(schemas).chain(digests);
        all.map(|(name, function)| (name, Arc::new(function))).collect()
    })
}

/// The function that finds the row with the greatest or least value.
pub(crate) fn extreme_row(extreme: Extreme) -> Arc<AggregateUDF> {
    find(extreme.function_name(), || AggregateUDF::new_from_impl(ExtremeRow::new(extreme)))
}

/// The function that counts different values; the accuracy is from 0 to 4, beyond that it is 4.
pub(crate) fn distinct_count(accuracy: u8) -> Arc<AggregateUDF> {
    let count = DistinctCount::new(accuracy);
    find(count.function_name(), || AggregateUDF::new_from_impl(count.clone()))
}

/// The function that makes one dynamic value of all values.
pub(crate) fn collect(collection: Collection) -> Arc<AggregateUDF> {
    find(collection.function_name(), || AggregateUDF::new_from_impl(Collect::new(collection)))
}

/// The function that finds the values at some ranks.
pub(crate) fn percentiles() -> Arc<AggregateUDF> {
    find(Percentiles::NAME, || AggregateUDF::new_from_impl(Percentiles::new()))
}

/// The function that makes one array of the values of numbered steps.
pub(crate) fn series_of_steps() -> Arc<AggregateUDF> {
    find(SeriesOfSteps::NAME, || AggregateUDF::new_from_impl(SeriesOfSteps::new()))
}

/// The function that tells the types of dynamic values.
pub(crate) fn build_schema() -> Arc<AggregateUDF> {
    find(BuildSchema::NAME, || AggregateUDF::new_from_impl(BuildSchema::new()))
}

/// The function that makes a digest of numbers, or of other digests.
pub(crate) fn tdigest(is_merge: bool) -> Arc<AggregateUDF> {
    find(TDigest::function_name(is_merge), || AggregateUDF::new_from_impl(TDigest::new(is_merge)))
}

fn find(name: &str, make: impl Fn() -> AggregateUDF) -> Arc<AggregateUDF> {
    registry().get(name).cloned().unwrap_or_else(|| Arc::new(make()))
}
