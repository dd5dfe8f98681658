//! Where rows come from: tables, `datatable`, `range`.

use std::sync::Arc;

use arrow::array::{ArrayRef, PrimitiveArray, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::{Column as DfColumn, DFSchema, ScalarValue, TableReference};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr as DfExpr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::create_physical_expr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use fim_kql::{Expr, ScalarType, Schema, Span, Value};

use super::expressions::Expressions;
use super::views::view;
use super::{Constants, Lowered, not_supported};
use crate::functions::{self as f, call};
use crate::values::{MICROSECOND_TICKS, arrow_type, scalar_value};

/// The scan of a table, as queries see it. Its texts are read so that none is null.
pub(crate) fn table_scan(name: &str, table: Arc<dyn TableProvider>, schema: &Schema) -> Lowered<LogicalPlan> {
    let table_name = TableReference::bare(name);
    let columns = schema.columns.iter().map(|column| {
        let stored = DfExpr::Column(DfColumn::new(Some(table_name.clone()), &column.name));
        let value = if column.ty == ScalarType::String { call(&f::TEXT, vec![stored]) } else { stored };
        value.alias(&column.name)
    });
    let columns: Vec<DfExpr> = columns.collect();
    let scan = LogicalPlanBuilder::scan(table_name, provider_as_source(table), None)?;
    view(name, scan.project(columns)?.build()?, schema)
}

/// The rows of a `datatable`.
pub(super) fn rows(rows: &[Vec<Value>], schema: &Schema, span: Span) -> Lowered<LogicalPlan> {
    let arrow = arrow_schema(schema, span)?;
    let columns = schema.columns.iter().enumerate().map(|(position, column)| {
        let values =
            rows.iter().map(|row| scalar_value(row.get(position).unwrap_or(&Value::Null), column.ty));
        let values: Option<Vec<ScalarValue>> = values.collect();
        let values = values.ok_or_else(|| not_supported("the type decimal", span))?;
        let array = if values.is_empty() {
            arrow::array::new_empty_array(arrow.field(position).data_type())
        } else {
            ScalarValue::iter_to_array(values)?
        };
        Ok(array)
    });
    let columns = columns.collect::<Lowered<Vec<ArrayRef>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&arrow), columns, &options)
        .map_err(datafusion::error::DataFusionError::from)?;
    scan_of(Arc::new(MemTable::try_new(arrow, vec![vec![batch]])?), "datatable")
}

/// The numbers, moments or timespans of a `range`, made as they are read.
pub(super) fn range(
    from: &Expr,
    to: &Expr,
    step: &Expr,
    schema: &Schema,
    constants: &Constants,
) -> Lowered<LogicalPlan> {
    let span = from.span;
    let arrow = arrow_schema(schema, span)?;
    let ty = schema.columns.first().map_or(ScalarType::Long, |column| column.ty);
    let (from, to, step) = (constant(from, constants)?, constant(to, constants)?, constant(step, constants)?);
    let values = match ty {
        ScalarType::Real => RangeValues::real(&from, &to, &step),
        // Moments are counted in microseconds here, timespans in ticks.
        ScalarType::DateTime => RangeValues::integer(&from, &to, &step, MICROSECOND_TICKS),
        ScalarType::Int | ScalarType::Long | ScalarType::TimeSpan => {
            RangeValues::integer(&from, &to, &step, 1)
        }
        other => return Err(not_supported(format!("a range of {other} values"), span)),
    };
    let values = Arc::new(RangeStream { schema: Arc::clone(&arrow), values });
    scan_of(Arc::new(StreamingTable::try_new(arrow, vec![values])?), "range")
}

/// The Arrow schema of rows of the language.
fn arrow_schema(schema: &Schema, span: Span) -> Lowered<SchemaRef> {
    let field = |column: &fim_kql::Column| {
        let ty = arrow_type(column.ty).ok_or_else(|| not_supported("the type decimal", span))?;
        Ok(Field::new(&column.name, ty, true))
    };
    Ok(Arc::new(ArrowSchema::new(schema.columns.iter().map(field).collect::<Lowered<Vec<_>>>()?)))
}

fn scan_of(table: Arc<dyn TableProvider>, name: &str) -> Lowered<LogicalPlan> {
    let schema = table.schema();
    let name = TableReference::bare(name);
    let columns = schema
        .fields()
        .iter()
        .map(|field| DfExpr::Column(DfColumn::new(Some(name.clone()), field.name())).alias(field.name()));
    let columns: Vec<DfExpr> = columns.collect();
    Ok(LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.project(columns)?.build()?)
}

/// The value of an expression without columns.
fn constant(expr: &Expr, constants: &Constants) -> Lowered<ScalarValue> {
    let lowered = Expressions::new(&Schema::default(), constants).value(expr)?;
    let no_columns = DFSchema::empty();
    let physical = create_physical_expr(
        &lowered,
        &no_columns,
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one_row = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::empty()), Vec::new(), &options)
        .map_err(datafusion::error::DataFusionError::from)?;
    let value = physical.evaluate(&one_row)?.to_array(1)?;
    Ok(ScalarValue::try_from_array(&value, 0)?)
}

/// The values of a range; the step leads from the first to the last.
#[derive(Clone, Copy, Debug)]
enum RangeValues {
    None,
    Integers { from: i64, to: i64, step: i128, unit: i64 },
    Reals { from: f64, step: f64, count: u64 },
}

impl RangeValues {
    /// Integers in units of `unit` ticks, with a step in ticks.
    fn integer(from: &ScalarValue, to: &ScalarValue, step: &ScalarValue, unit: i64) -> Self {
        let (Some(from), Some(to), Some(step)) = (integer(from), integer(to), integer(step)) else {
            return Self::None;
        };
        let leads_there = step != 0 && (from == to || (step > 0) == (to > from));
        if leads_there { Self::Integers { from, to, step: step.into(), unit } } else { Self::None }
    }

    fn real(from: &ScalarValue, to: &ScalarValue, step: &ScalarValue) -> Self {
        let real = |value: &ScalarValue| match value {
            ScalarValue::Float64(value) => value.filter(|value| value.is_finite()),
            _ => None,
        };
        let (Some(from), Some(to), Some(step)) = (real(from), real(to), real(step)) else {
            return Self::None;
        };
        let steps = (to - from) / step;
        if steps.is_nan() || steps < 0.0 {
            return Self::None;
        }
        Self::Reals { from, step, count: (steps.floor() as u64).saturating_add(1) }
    }

    fn integers_from(self, row: u64) -> Option<i64> {
        let Self::Integers { from, to, step, unit } = self else { return None };
        let value = i128::from(from) + (i128::from(row) * step).div_euclid(unit.into());
        let is_inside = if step > 0 { value <= to.into() } else { value >= to.into() };
        is_inside.then(|| i64::try_from(value).ok()).flatten()
    }

    /// The values from row `start` on, at most `count` of them; none at the end.
    fn batch(self, start: u64, count: u64) -> Option<ArrayRef> {
        let rows = start..start.saturating_add(count);
        let array: ArrayRef = match self {
            Self::None => return None,
            Self::Integers { .. } => {
                let values = rows.map_while(|row| self.integers_from(row));
                Arc::new(PrimitiveArray::<Int64Type>::from_iter_values(values))
            }
            Self::Reals { from, step, count } => {
                let values = rows.take_while(|row| *row < count).map(|row| from + row as f64 * step);
                Arc::new(arrow::array::Float64Array::from_iter_values(values))
            }
        };
        (!array.is_empty()).then_some(array)
    }
}

fn integer(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::Int64(value) | ScalarValue::TimestampMicrosecond(value, _) => *value,
        _ => None,
    }
}

#[derive(Debug)]
struct RangeStream {
    schema: SchemaRef,
    values: RangeValues,
}

impl PartitionStream for RangeStream {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch_rows = context.session_config().batch_size() as u64;
        let (schema, values) = (Arc::clone(&self.schema), self.values);
        let ty = schema.fields().first().map_or(DataType::Int64, |field| field.data_type().clone());
        let batches = futures::stream::iter((0..).map_while(move |number: u64| {
            let values = values.batch(number.checked_mul(batch_rows)?, batch_rows)?;
            let batch =
                cast(&values, &ty).and_then(|column| RecordBatch::try_new(Arc::clone(&schema), vec![column]));
            Some(batch.map_err(Into::into))
        }));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
