//! Tables whose stored rows are news, and which are shown as what the news come to.

use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder};
use fim_kql::Schema;

use super::aggregates::function;
use super::{Lowered, column};
use crate::aggregates::{Extreme, extreme_row, field_name};

/// The rows of the table `name` as queries see them, made of those that are stored.
///
/// A gap is stored when it opens and again when it ends, since a stored row never changes. In queries it is one row:
/// the one with the end, if there is one.
pub(super) fn view(name: &str, stored: LogicalPlan, schema: &Schema) -> Lowered<LogicalPlan> {
    match name {
        "Coverage" => one_of_each(stored, schema, &GAP, "EndTime"),
        _ => Ok(stored),
    }
}

/// Of all rows with the same `keys` the one with the greatest value in `latest`; one without a value counts least.
fn one_of_each(stored: LogicalPlan, schema: &Schema, keys: &[&str], latest: &str) -> Lowered<LogicalPlan> {
    let names = || schema.columns.iter().map(|column| column.name.as_str());
    let rest: Vec<&str> = names().filter(|name| *name != latest && !keys.contains(name)).collect();
    let values: Vec<DfExpr> = std::iter::once(latest).chain(rest.iter().copied()).map(column).collect();
    let row = function(extreme_row(Extreme::Greatest), values, None).alias(ROW);
    let grouped = LogicalPlanBuilder::new(stored).aggregate(keys.iter().map(|key| column(key)), [row])?;
    let shown = names().map(|name| {
        let position = rest.iter().position(|other| *other == name);
        match position {
            _ if keys.contains(&name) => column(name),
            // The first field is the value that the rows were chosen by.
            position => get_field(column(ROW), field_name(position.map_or(0, |at| at + 1))).alias(name),
        }
    });
    let shown: Vec<DfExpr> = shown.collect();
    Ok(grouped.project(shown)?.build()?)
}

/// What tells one gap from another.
const GAP: [&str; 6] = ["SourceComputerId", "Computer", "Scope", "ConfigChangeType", "Cause", "StartTime"];
/// No column of a table has such a name.
const ROW: &str = "\0row";
