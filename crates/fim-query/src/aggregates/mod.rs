//! The aggregates of the language that SQL lacks or computes otherwise.

mod distinct_count;
mod extreme_row;
mod sketch;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use datafusion::logical_expr::AggregateUDF;

pub(crate) use extreme_row::{Extreme, field_name};

use distinct_count::DistinctCount;
use extreme_row::ExtremeRow;

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
        extremes.into_iter().chain(counts).map(|(name, function)| (name, Arc::new(function))).collect()
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

fn find(name: &str, make: impl Fn() -> AggregateUDF) -> Arc<AggregateUDF> {
    registry().get(name).cloned().unwrap_or_else(|| Arc::new(make()))
}
