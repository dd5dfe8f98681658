//! What of the language runs here, by name: for editors and the reference.

use crate::operators;
use crate::registry::{AGGREGATES, WINDOWS, functions};

/// The tabular operators that run, in order of their names.
pub fn operator_names() -> Vec<&'static str> {
    sorted(operators::ALL.iter().filter(|entry| entry.syntax.is_some()).map(|entry| entry.name))
}

/// The scalar functions and those over rows in their order, in order of their names.
pub fn function_names() -> Vec<&'static str> {
    sorted(functions().map(|entry| entry.name).chain(WINDOWS.iter().map(|entry| entry.name)))
}

/// The aggregates of `summarize`, in order of their names.
pub fn aggregate_names() -> Vec<&'static str> {
    sorted(AGGREGATES.iter().map(|entry| entry.name))
}

fn sorted(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}
