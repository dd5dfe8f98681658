//! The order that the rows of a plan have.

use super::Building;
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, SortKey};

impl Building {
    /// The keys of the last sort, over the columns as they are now; empty if nothing was sorted, and none if a column
    /// that rows were sorted by is gone.
    pub(super) fn order(&self) -> Option<Vec<SortKey>> {
        let (start, first) = self.ordered.clone().unwrap_or_default();
        let mut order = Some(first);
        for step in self.plan.steps.iter().skip(start) {
            order = match &step.operator {
                Operator::Sort(keys) | Operator::Top { keys, .. } => Some(keys.clone()),
                Operator::Filter(_) | Operator::Take(_) | Operator::Window(_) | Operator::Expand(_) => order,
                Operator::Project(columns) => order.and_then(|keys| projected(keys, columns)),
                Operator::Summarize { .. }
                | Operator::Distinct
                | Operator::Count
                | Operator::FirstOf { .. }
                | Operator::Join(_)
                | Operator::Sample(_) => Some(Vec::new()),
            };
        }
        order
    }
}

/// The keys over the columns of a projection; none if one of them needs a column that is not in it.
fn projected(keys: Vec<SortKey>, columns: &[NamedExpr]) -> Option<Vec<SortKey>> {
    let key = |key: SortKey| match key.expr.kind {
        ExprKind::Column(position) => {
            let kept = columns.iter().position(|column| column.expr.kind == ExprKind::Column(position))?;
            Some(SortKey { expr: Expr { kind: ExprKind::Column(kept), ..key.expr }, ..key })
        }
        // What was computed is the same column if it is computed again.
        kind => {
            let kept = columns.iter().position(|column| column.expr.kind == kind)?;
            Some(SortKey { expr: Expr { kind: ExprKind::Column(kept), ..key.expr }, ..key })
        }
    };
    keys.into_iter().map(key).collect()
}
