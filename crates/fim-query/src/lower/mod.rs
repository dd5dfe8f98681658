//! The bound plan to a DataFusion plan.
//!
//! The binder has resolved every name and type, so this is a total `match` that decides nothing: each operator and
//! each expression has one translation. What has none is refused with its place in the query, never guessed.

mod aggregates;
mod calls;
mod conversions;
mod expressions;
mod sources;

use datafusion::common::Column as DfColumn;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder, SortExpr};
use fim_kql::{NamedExpr, Operator, Plan, Schema, SortKey, Source, Span, Step};
use thiserror::Error;

use aggregates::Aggregation;
use expressions::Expressions;

/// Why a plan cannot be run.
#[derive(Debug, Error)]
pub(crate) enum LowerError {
    /// A part of the language that is bound but not run.
    #[error("{what} is not supported")]
    NotSupported {
        /// What, as the subject of the sentence.
        what: String,
        /// Where it stands in the query.
        span: Span,
    },
    /// DataFusion refused the plan, which is our mistake.
    #[error("the query could not be planned")]
    Engine(#[from] DataFusionError),
}

pub(crate) type Lowered<T> = Result<T, LowerError>;

/// Translates a plan. `table` gives the scan of a table of the plan, with its columns by their names.
pub(crate) fn lower(plan: &Plan, table: impl Fn(&str) -> Lowered<LogicalPlan>) -> Lowered<LogicalPlan> {
    let span = plan.steps.first().map_or_else(Span::default, |step| step.span);
    let mut lowered = match &plan.source {
        Source::Table { name } => table(name)?,
        Source::OneRow => LogicalPlanBuilder::empty(true).build()?,
        Source::Rows(rows) => sources::rows(rows, &plan.source_schema, span)?,
        Source::Range { from, to, step } => sources::range(from, to, step, &plan.source_schema)?,
    };
    for (position, step) in plan.steps.iter().enumerate() {
        lowered = lower_step(lowered, step, plan.input_schema(position))?;
    }
    Ok(lowered)
}

fn lower_step(input: LogicalPlan, step: &Step, schema: &Schema) -> Lowered<LogicalPlan> {
    let expressions = Expressions::new(schema);
    let builder = LogicalPlanBuilder::new(input);
    let builder = match &step.operator {
        Operator::Filter(condition) => builder.filter(expressions.condition(condition)?)?,
        Operator::Project(columns) => builder.project(named(&expressions, columns)?)?,
        Operator::Summarize { keys, aggregates } => {
            let keys = named(&expressions, keys)?;
            let aggregation = Aggregation::new(&expressions, &keys, aggregates)?;
            builder.aggregate(keys, aggregation.computed)?.project(aggregation.outputs)?
        }
        Operator::Sort(keys) => builder.sort(sort_keys(&expressions, keys)?)?,
        Operator::Take(count) => builder.limit(0, Some(rows(*count)))?,
        Operator::Top { count, keys } => {
            builder.sort_with_limit(sort_keys(&expressions, keys)?, Some(rows(*count)))?
        }
        Operator::Distinct => builder.distinct()?,
        Operator::Count => {
            let name = step.schema.columns.first().map_or("Count", |column| column.name.as_str());
            builder.aggregate(Vec::<DfExpr>::new(), [aggregates::count_rows(None).alias(name)])?
        }
    };
    Ok(builder.build()?)
}

fn named(expressions: &Expressions<'_>, columns: &[NamedExpr]) -> Lowered<Vec<DfExpr>> {
    columns.iter().map(|column| Ok(expressions.value(&column.expr)?.alias(&column.name))).collect()
}

fn sort_keys(expressions: &Expressions<'_>, keys: &[SortKey]) -> Lowered<Vec<SortExpr>> {
    let sort = |key: &SortKey| Ok(expressions.value(&key.expr)?.sort(!key.is_descending, key.nulls_first));
    keys.iter().map(sort).collect()
}

fn rows(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A reference to a column by exactly this name, whatever characters it has.
fn column(name: &str) -> DfExpr {
    DfExpr::Column(DfColumn::new_unqualified(name))
}

fn not_supported(what: impl Into<String>, span: Span) -> LowerError {
    LowerError::NotSupported { what: what.into(), span }
}

pub(crate) use sources::table_scan;
