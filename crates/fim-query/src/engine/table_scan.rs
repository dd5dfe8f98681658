//! Tables as a query reads them: cut to the time and to the resource that it is asked of.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::execution::context::SessionContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use fim_kql::{DateTime, Schema};
use fim_store::TableSnapshot;
use fim_store::schema::{RESOURCE_ID, TIME_GENERATED};

use super::{QueryOptions, TimeRange};
use crate::functions::{self, call};
use crate::lower::{Lowered, column, table_scan};
use crate::scan::SnapshotTable;
use crate::values::{MICROSECOND_TICKS, UTC};

/// The scan of a table, cut to the time range of the query and to the resource that it is asked of.
pub(super) fn scan(
    context: &SessionContext,
    url: ObjectStoreUrl,
    snapshot: TableSnapshot,
    schema: &Schema,
    options: &QueryOptions,
) -> Lowered<LogicalPlan> {
    context.runtime_env().register_object_store(url.as_ref(), Arc::clone(&snapshot.object_store));
    let has = |column: &str| snapshot.schema.field_with_name(column).is_ok();
    let (has_time, has_resource) = (has(TIME_GENERATED), has(RESOURCE_ID));
    let name = snapshot.table.name;
    let scan = table_scan(name, Arc::new(SnapshotTable::new(snapshot, url)), schema)?;
    let mut conditions = Vec::new();
    if let Some(range) = options.timespan.filter(|_| has_time) {
        conditions.push(is_inside(range));
    }
    if let Some(resource) = &options.resource {
        conditions.push(if has_resource { is_of(resource) } else { lit(false) });
    }
    match conditions.into_iter().reduce(Expr::and) {
        None => Ok(scan),
        Some(condition) => Ok(LogicalPlanBuilder::new(scan).filter(condition)?.build()?),
    }
}

/// That a row's time is in the range.
fn is_inside(range: TimeRange) -> Expr {
    let moment = |moment: DateTime| {
        let microseconds = moment.0.div_euclid(MICROSECOND_TICKS);
        lit(ScalarValue::TimestampMicrosecond(Some(microseconds), Some(UTC.into())))
    };
    let time = column(TIME_GENERATED);
    time.clone().gt_eq(moment(range.start)).and(time.lt_eq(moment(range.end)))
}

/// That a row is of the resource, or of one below it. Resource ids are the same in any case of their letters.
fn is_of(resource: &str) -> Expr {
    let matches = |how, text: String| call(how, vec![column(RESOURCE_ID), lit(text)]);
    let itself = matches(&functions::EQUAL_IGNORING_CASE, resource.to_owned());
    itself.or(matches(&functions::STARTS_WITH, format!("{resource}/")))
}
