//! Rows beside the rows of another plan.

use arrow::datatypes::DataType;
use datafusion::common::{Column as DfColumn, JoinType};
use datafusion::logical_expr::{Case, Expr as DfExpr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use fim_kql::{Expr, Join, JoinKind, ScalarType, Schema};

use super::expressions::Expressions;
use super::{Constants, Lowered, column, not_supported};
use crate::functions::{self as f, call};

/// Joins two plans. Columns and keys get names of their own on both sides, since both may have the same ones.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    node: &Join,
    schemas: &Schemas<'_>,
    constants: &Constants,
) -> Lowered<LogicalPlan> {
    let left_keys: Vec<&Expr> = node.keys.iter().map(|key| &key.left).collect();
    let right_keys: Vec<&Expr> = node.keys.iter().map(|key| &key.right).collect();
    let left = renamed(left, schemas.left, &left_keys, 'l', constants)?;
    let right = renamed(right, schemas.right, &right_keys, 'r', constants)?;
    let keys = |side: char| (0..node.keys.len()).map(|key| key_column(side, key)).collect::<Vec<_>>();
    let joined =
        LogicalPlanBuilder::new(left).join(right, join_type(node.kind), (keys('l'), keys('r')), None)?;

    let of_left = schemas.left.columns.iter().enumerate().map(|(at, column)| ('l', at, column.ty));
    let of_right = schemas.right.columns.iter().enumerate().map(|(at, column)| ('r', at, column.ty));
    let sources: Vec<(char, usize, ScalarType)> = match node.kind {
        JoinKind::LeftSemi | JoinKind::LeftAnti => of_left.collect(),
        JoinKind::RightSemi | JoinKind::RightAnti => of_right.collect(),
        JoinKind::Inner | JoinKind::LeftOuter | JoinKind::RightOuter | JoinKind::FullOuter => {
            of_left.chain(of_right).collect()
        }
    };
    let outputs = sources.iter().zip(&schemas.output.columns).map(|((side, at, ty), output)| {
        let value = column(&column_name(*side, *at));
        // A side without a partner has nulls, and a text is never null.
        let value = match ty {
            ScalarType::String if has_nulls(node.kind, *side) => call(&f::TEXT, vec![value]),
            _ => value,
        };
        value.alias(&output.name)
    });
    Ok(joined.project(outputs.collect::<Vec<_>>())?.build()?)
}

/// The columns on both sides of a join, and behind it.
pub(super) struct Schemas<'s> {
    pub(super) left: &'s Schema,
    pub(super) right: &'s Schema,
    pub(super) output: &'s Schema,
}

/// A plan whose columns are `\0l0`, `\0l1`, … and its keys `\0lk0`, …
fn renamed(
    plan: LogicalPlan,
    schema: &Schema,
    keys: &[&Expr],
    side: char,
    constants: &Constants,
) -> Lowered<LogicalPlan> {
    let expressions = Expressions::new(schema, constants);
    let columns = schema.columns.iter().enumerate();
    let mut outputs: Vec<DfExpr> =
        columns.map(|(at, own)| column(&own.name).alias(column_name(side, at))).collect();
    for (position, key) in keys.iter().enumerate() {
        outputs.push(key_value(&expressions, key)?.alias(key_column(side, position).name));
    }
    Ok(LogicalPlanBuilder::new(plan).project(outputs)?.build()?)
}

/// A key as a value that the engine compares as the language does.
fn key_value(expressions: &Expressions<'_>, key: &Expr) -> Lowered<DfExpr> {
    let value = expressions.value(key)?;
    match key.ty {
        // Zero and minus zero are equal, and NaN is equal to nothing.
        ScalarType::Real => {
            let zeroed = value.clone() + lit(0.0_f64);
            let nan = Box::new(call(&f::IS_NAN, vec![value]));
            let null = Box::new(cast(lit(datafusion::common::ScalarValue::Null), DataType::Float64));
            Ok(DfExpr::Case(Case::new(None, vec![(nan, null)], Some(Box::new(zeroed)))))
        }
        ScalarType::Dynamic => Err(not_supported("a join by dynamic values", key.span)),
        ScalarType::Bool
        | ScalarType::DateTime
        | ScalarType::Decimal
        | ScalarType::Guid
        | ScalarType::Int
        | ScalarType::Long
        | ScalarType::String
        | ScalarType::TimeSpan => Ok(value),
    }
}

fn column_name(side: char, position: usize) -> String {
    format!("\0{side}{position}")
}

fn key_column(side: char, position: usize) -> DfColumn {
    DfColumn::new_unqualified(format!("\0{side}k{position}"))
}

fn join_type(kind: JoinKind) -> JoinType {
    match kind {
        JoinKind::Inner => JoinType::Inner,
        JoinKind::LeftOuter => JoinType::Left,
        JoinKind::RightOuter => JoinType::Right,
        JoinKind::FullOuter => JoinType::Full,
        JoinKind::LeftSemi => JoinType::LeftSemi,
        JoinKind::LeftAnti => JoinType::LeftAnti,
        JoinKind::RightSemi => JoinType::RightSemi,
        JoinKind::RightAnti => JoinType::RightAnti,
    }
}

/// Whether rows of a side may be missing.
fn has_nulls(kind: JoinKind, side: char) -> bool {
    match kind {
        JoinKind::LeftOuter => side == 'r',
        JoinKind::RightOuter => side == 'l',
        JoinKind::FullOuter => true,
        JoinKind::Inner
        | JoinKind::LeftSemi
        | JoinKind::LeftAnti
        | JoinKind::RightSemi
        | JoinKind::RightAnti => false,
    }
}
