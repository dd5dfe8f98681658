//! The bound plan to a DataFusion plan.
//!
//! The binder has resolved every name and type, so this is a total `match` that decides nothing: each operator and
//! each expression has one translation. What has none is refused with its place in the query, never guessed.

mod aggregates;
mod calls;
mod conversions;
mod direct;
mod expressions;
mod joins;
mod sources;
mod views;

use std::cell::Cell;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column as DfColumn, UnnestOptions};
use datafusion::error::DataFusionError;
use datafusion::functions::math::expr_fn::random;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder, SortExpr, Union, cast, lit};
use fim_kql::{
    Expand, Expr, ExprKind, NamedExpr, Operator, Plan, ScalarType, Schema, SortKey, Source, Span, Step,
    TableName, Value, WindowCall,
};
use thiserror::Error;

use aggregates::Aggregation;
use expressions::Expressions;

use crate::functions;

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

/// What the constants of a query gave: for each the values of the rows that it takes.
pub(crate) type Constants = [Vec<Value>];

/// The rows of all plans, which have the same columns.
pub(crate) fn union(mut plans: Vec<LogicalPlan>) -> Lowered<LogicalPlan> {
    Ok(match plans.len() {
        0 => LogicalPlanBuilder::empty(false).build()?,
        1 => plans.remove(0),
        _ => LogicalPlan::Union(Union::try_new_with_loose_types(plans.into_iter().map(Arc::new).collect())?),
    })
}

/// Translates plans of one query.
pub(crate) struct Lowering<'a, T> {
    /// Gives the scan of a table of the plan, with its columns by their names.
    pub table: T,
    /// What the constants gave that the plan may refer to.
    pub constants: &'a Constants,
    /// How many steps of the plan gave a column another value so far; none at first.
    pub redefinitions: Cell<usize>,
}

impl<T: Fn(&TableName, &Schema) -> Lowered<LogicalPlan>> Lowering<'_, T> {
    /// Translates a plan and those inside of it.
    pub fn plan(&self, plan: &Plan) -> Lowered<LogicalPlan> {
        let span = plan.steps.first().map_or_else(Span::default, |step| step.span);
        let schema = &plan.source_schema;
        let mut lowered = match &plan.source {
            Source::Table(name) => (self.table)(name, schema)?,
            Source::OneRow => LogicalPlanBuilder::empty(true).build()?,
            Source::Rows(rows) => sources::rows(rows, schema, span)?,
            Source::Range { from, to, step } => sources::range(from, to, step, schema, self.constants)?,
            Source::Union(inputs) => self.union(inputs)?,
        };
        let mut names = Names::new(schema);
        for (position, step) in plan.steps.iter().enumerate() {
            let schema = plan.input_schema(position);
            lowered = match &step.operator {
                Operator::Project(columns) => self.project(lowered, columns, schema, &mut names)?,
                Operator::Filter(_) | Operator::Sort(_) | Operator::Take(_) => {
                    self.step(lowered, step, &names.inner(schema))?
                }
                _ => {
                    let renamed = names.restored(lowered, schema)?;
                    names = Names::new(&step.schema);
                    self.step(renamed, step, schema)?
                }
            };
        }
        names.restored(lowered, plan.schema())
    }

    fn union(&self, inputs: &[Plan]) -> Lowered<LogicalPlan> {
        union(inputs.iter().map(|input| self.plan(input)).collect::<Lowered<Vec<_>>>()?)
    }

    fn step(&self, input: LogicalPlan, step: &Step, schema: &Schema) -> Lowered<LogicalPlan> {
        let expressions = Expressions::new(schema, self.constants);
        if let Operator::Join(node) = &step.operator {
            let right = self.plan(&node.right)?;
            let schemas = joins::Schemas { left: schema, right: node.right.schema(), output: &step.schema };
            return joins::join(input, right, node, &schemas, self.constants);
        }
        let builder = LogicalPlanBuilder::new(input);
        let builder = match &step.operator {
            Operator::Filter(condition) => builder.filter(expressions.condition(condition)?)?,
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
            Operator::FirstOf { keys } => {
                builder.distinct_on(expressions.values(keys)?, all_columns(schema), None)?
            }
            Operator::Sample(count) => {
                builder.sort_with_limit(vec![random().sort(true, false)], Some(rows(*count)))?
            }
            Operator::Expand(node) => expand(builder, &expressions, node, schema, &step.schema)?,
            Operator::Window(call) => window(builder, &expressions, call, schema)?,
            // The other side of the one is a plan, which was translated above; the other has names of its own.
            Operator::Join(_) | Operator::Project(_) => builder,
        };
        Ok(builder.build()?)
    }

    /// Columns by their expressions, with names as [`Names`] has them.
    fn project(
        &self,
        input: LogicalPlan,
        columns: &[NamedExpr],
        schema: &Schema,
        names: &mut Names,
    ) -> Lowered<LogicalPlan> {
        let inner = names.inner(schema);
        let expressions = Expressions::new(&inner, self.constants);
        let mut outputs = Vec::with_capacity(columns.len());
        for output in columns {
            let same = schema.columns.iter().position(|known| known.name == output.name);
            let name = match (&output.expr.kind, same) {
                (ExprKind::Column(position), Some(same)) if *position == same => {
                    inner.columns[same].name.clone()
                }
                (_, Some(_)) => self.another(&output.name),
                (_, None) => output.name.clone(),
            };
            outputs.push((expressions.value(&output.expr)?.alias(&name), name));
        }
        let (exprs, inside): (Vec<DfExpr>, Vec<String>) = outputs.into_iter().unzip();
        names.0 = inside;
        Ok(LogicalPlanBuilder::new(input).project(exprs)?.build()?)
    }

    /// A name that no other column of the plan has.
    fn another(&self, name: &str) -> String {
        let number = self.redefinitions.get();
        self.redefinitions.set(number + 1);
        format!("{name}\u{1f}{number}")
    }
}

/// The names that columns have inside of the plan while projections follow each other.
///
/// Of two projections in a row that read the same, the engine's optimizer leaves one out, though `x = x + 1` done twice
/// is not the same as once. So a column that gets another value gets another name, until an operator follows that is no
/// projection and cannot be moved away from between them.
struct Names(Vec<String>);

impl Names {
    fn new(schema: &Schema) -> Self {
        Self(schema.columns.iter().map(|column| column.name.clone()).collect())
    }

    /// The columns with their names inside of the plan.
    fn inner(&self, schema: &Schema) -> Schema {
        let mut inner = schema.clone();
        for (column, name) in inner.columns.iter_mut().zip(&self.0) {
            column.name.clone_from(name);
        }
        inner
    }

    /// The plan with the names that the columns have outside.
    fn restored(&self, plan: LogicalPlan, schema: &Schema) -> Lowered<LogicalPlan> {
        let pairs = schema.columns.iter().zip(&self.0);
        if pairs.clone().all(|(outer, inside)| outer.name == *inside) {
            return Ok(plan);
        }
        let renamed: Vec<DfExpr> = pairs.map(|(outer, inside)| column(inside).alias(&outer.name)).collect();
        Ok(LogicalPlanBuilder::new(plan).project(renamed)?.build()?)
    }
}

/// A row for each element: the arrays become lists of lists, and those become rows in two steps, of which neither makes
/// many rows of one at a time.
fn expand(
    builder: LogicalPlanBuilder,
    expressions: &Expressions<'_>,
    node: &Expand,
    schema: &Schema,
    output: &Schema,
) -> Lowered<LogicalPlanBuilder> {
    let limit = lit(i64::try_from(node.limit).unwrap_or(i64::MAX));
    let arrays = expressions.values(&node.arrays)?;
    let spec = if node.makes_pairs { &functions::EXPAND_PAIRS } else { &functions::EXPAND_BAGS };
    let mut lists: Vec<DfExpr> =
        arrays.iter().map(|array| functions::call(spec, vec![array.clone(), limit.clone()])).collect();
    if node.has_index {
        let arguments = std::iter::once(limit).chain(arrays).collect();
        lists.push(functions::call(&functions::POSITIONS, arguments));
    }
    let names: Vec<&str> =
        output.columns.iter().skip(schema.columns.len()).map(|column| column.name.as_str()).collect();
    let mut columns = all_columns(schema);
    columns.extend(lists.into_iter().zip(&names).map(|(list, name)| list.alias(*name)));
    let names: Vec<DfColumn> = names.into_iter().map(DfColumn::new_unqualified).collect();
    let options = UnnestOptions::new().with_preserve_nulls(false);
    let lists = builder.project(columns)?.unnest_columns_with_options(names.clone(), options.clone())?;
    Ok(lists.unnest_columns_with_options(names, options)?)
}

/// A column of a function over all rows in their order, behind those of the input.
fn window(
    builder: LogicalPlanBuilder,
    expressions: &Expressions<'_>,
    call: &WindowCall,
    schema: &Schema,
) -> Lowered<LogicalPlanBuilder> {
    if let Some(decimal) = call.arguments.iter().find(|argument| argument.ty == ScalarType::Decimal) {
        return Err(not_supported("the type decimal", decimal.span));
    }
    let first = first_number(call);
    let mut computed = match first {
        Some(_) => WindowFunction::new(row_number_udwf(), Vec::new()),
        None => {
            WindowFunction::new(crate::windows::find(call.function), expressions.values(&call.arguments)?)
        }
    };
    computed.params.partition_by = expressions.values(&call.groups)?;
    // Without it the engine would leave the sort before it out.
    computed.params.order_by = sort_keys(expressions, &call.order)?;
    let computed = DfExpr::from(computed);
    let name = computed.schema_name().to_string();
    let output = column(&name);
    let output = match (first, call.output.ty) {
        (Some(first), _) => cast(output, DataType::Int64) + lit(first - 1),
        // A text is never null: before the first row there is the empty one.
        (None, ScalarType::String) => functions::call(&functions::TEXT, vec![output]),
        (None, _) => output,
    };
    let mut columns = all_columns(schema);
    columns.push(output.alias(&call.output.name));
    Ok(builder.window([computed])?.project(columns)?)
}

/// The first number of a `row_number` that never starts over within a group: the engine's own counts such rows as they
/// stream by, where ours needs all of them at once.
fn first_number(call: &WindowCall) -> Option<i64> {
    match (call.function, call.arguments.as_slice()) {
        (
            fim_kql::WindowFunction::RowNumber,
            [
                Expr { kind: ExprKind::Literal(Value::Long(first)), .. },
                Expr { kind: ExprKind::Literal(Value::Bool(false)), .. },
            ],
        ) if *first > i64::MIN => Some(*first),
        _ => None,
    }
}

fn all_columns(schema: &Schema) -> Vec<DfExpr> {
    schema.columns.iter().map(|own| column(&own.name)).collect()
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
pub(crate) fn column(name: &str) -> DfExpr {
    DfExpr::Column(DfColumn::new_unqualified(name))
}

fn not_supported(what: impl Into<String>, span: Span) -> LowerError {
    LowerError::NotSupported { what: what.into(), span }
}

pub(crate) use sources::table_scan;
