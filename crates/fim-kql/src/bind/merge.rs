//! Projections that follow each other as one: `extend a = … | extend b = …` is one step for the engine, whose planning
//! takes more than linear time in the number of steps.

use super::expression::height;
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, Plan, Source, Step};

/// Merges projections in a plan and in those inside of it. The rows stay the same, and nothing is computed twice: what
/// a projection computes moves into the next one only if that uses it once.
pub(super) fn merge_projections(plan: &mut Plan) {
    if let Source::Union(inputs) = &mut plan.source {
        inputs.iter_mut().for_each(merge_projections);
    }
    let mut merged: Vec<Step> = Vec::with_capacity(plan.steps.len());
    for mut step in std::mem::take(&mut plan.steps) {
        if let Operator::Join(join) = &mut step.operator {
            merge_projections(&mut join.right);
        }
        match (merged.last_mut(), &mut step.operator) {
            (
                Some(Step { operator: Operator::Project(before), schema, span }),
                Operator::Project(columns),
            ) if can_merge(before, columns) => {
                let before = std::mem::take(before);
                columns.iter_mut().for_each(|column| put_in(&mut column.expr, &before));
                *schema = step.schema;
                *span = span.to(step.span);
                if let Some(Step { operator, .. }) = merged.last_mut() {
                    *operator = step.operator;
                }
            }
            _ => merged.push(step),
        }
    }
    plan.steps = merged;
}

/// Whether each column that is computed is used at most once, and nothing becomes too deep to walk.
fn can_merge(before: &[NamedExpr], columns: &[NamedExpr]) -> bool {
    let mut uses = vec![0_usize; before.len()];
    for column in columns {
        let mut left = vec![&column.expr];
        while let Some(expr) = left.pop() {
            match expr.kind {
                ExprKind::Column(at) => uses[at] += 1,
                _ => expr.children(&mut left),
            }
        }
    }
    let highest = |exprs: &[NamedExpr]| exprs.iter().map(|column| height(&column.expr)).max().unwrap_or(0);
    let is_used_once = before.iter().zip(uses).all(|(column, uses)| uses <= 1 || is_plain(&column.expr));
    is_used_once && highest(before) + highest(columns) <= MOST_HEIGHT
}

/// Whether computing it again costs nothing.
fn is_plain(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Column(_) | ExprKind::Constant(_) | ExprKind::Literal(_))
}

/// Puts what the columns are computed from in their places.
fn put_in(expr: &mut Expr, before: &[NamedExpr]) {
    if let ExprKind::Column(at) = expr.kind {
        expr.clone_from(&before[at].expr);
        return;
    }
    expr.children_mut(&mut |child| put_in(child, before));
}

/// How deep a merged expression may be; each level of it is walked by recursion.
const MOST_HEIGHT: usize = 60;

#[cfg(test)]
mod tests {
    use crate::{BindOptions, DateTime, EmptyCatalog, compile};

    fn steps(query: &str) -> usize {
        compile(query, &EmptyCatalog, &BindOptions { now: DateTime(0) }).unwrap().plan.steps.len()
    }

    #[test]
    fn projections_become_one_where_nothing_is_computed_twice() {
        let chain: String = (0..100).map(|at| format!("| extend c{at} = a + {at}")).collect();
        assert_eq!(steps(&format!("datatable(a: long)[1] {chain}")), 1);
        assert_eq!(steps("datatable(a: long)[1] | extend b = a + 1 | extend c = b | project-away a"), 2);
        assert_eq!(steps("datatable(a: long)[1] | extend b = a + 1 | project c = b * 2"), 1);
        assert_eq!(steps("datatable(a: long)[1] | extend b = a + 1 | where b > 1 | extend c = 2"), 3);
    }

    #[test]
    fn a_chain_that_uses_itself_stays_within_the_depth_that_may_be_walked() {
        let chain = "| project a = a + 1".repeat(190);
        let count = steps(&format!("datatable(a: long)[1] {chain}"));
        assert!((2..=10).contains(&count), "{count}");
    }
}
