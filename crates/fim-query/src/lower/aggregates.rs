//! Aggregates over the rows of a group.
//!
//! Each becomes one or more functions of the engine under names of our own, and expressions over these that fill
//! the columns of the language: `sum` of no rows is zero, `avg` of none is NaN, `arg_max` fills several columns.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{AggregateUDF, Expr as DfExpr, cast, lit};
use fim_kql::{Aggregate, AggregateCall, Expr, ExprKind, ScalarType, Span, Value};

use super::expressions::{Expressions, first_not_null};
use super::{Lowered, column, not_supported};
use crate::aggregates::{Extreme, distinct_count, extreme_row, field_name};
use crate::functions::{self as f, call};
use crate::values::moment_type;

/// What the engine computes for each group, and what fills the columns of the result.
pub(super) struct Aggregation {
    /// Functions of the engine, each under a name of its own.
    pub computed: Vec<DfExpr>,
    /// The columns: keys, then those of each aggregate.
    pub outputs: Vec<DfExpr>,
}

impl Aggregation {
    /// `keys` are the translated keys under their names.
    pub fn new(expressions: &Expressions<'_>, keys: &[DfExpr], calls: &[AggregateCall]) -> Lowered<Self> {
        let outputs = keys.iter().map(|key| column(&key.qualified_name().1)).collect();
        let mut aggregation = Self { computed: Vec::new(), outputs };
        for call in calls {
            aggregation.add(expressions, call)?;
        }
        Ok(aggregation)
    }

    fn add(&mut self, expressions: &Expressions<'_>, aggregate: &AggregateCall) -> Lowered<()> {
        let arguments = Arguments { expressions, call: aggregate };
        let span = arguments.span();
        if let Some(decimal) = aggregate.arguments.iter().find(|argument| argument.ty == ScalarType::Decimal)
        {
            return Err(not_supported("the type decimal", decimal.span));
        }
        let filled = match aggregate.aggregate {
            Aggregate::Count => self.compute(count_rows(None)),
            Aggregate::CountIf => {
                let condition = arguments.condition(0)?;
                self.compute(count_rows(Some(condition)))
            }
            Aggregate::Max => self.extreme_value(max_udaf(), &arguments)?,
            Aggregate::Min => self.extreme_value(min_udaf(), &arguments)?,
            Aggregate::Sum => self.sum(&arguments, None, span)?,
            Aggregate::SumIf => {
                let condition = arguments.condition(1)?;
                self.sum(&arguments, Some(condition), span)?
            }
            Aggregate::Avg => self.average(&arguments, span)?,
            Aggregate::DCount => {
                let count = function(distinct_count(arguments.accuracy(1)), vec![arguments.value(0)?], None);
                self.compute(count)
            }
            Aggregate::DCountIf => {
                let condition = arguments.condition(1)?;
                let count = function(
                    distinct_count(arguments.accuracy(2)),
                    vec![arguments.value(0)?],
                    Some(condition),
                );
                self.compute(count)
            }
            Aggregate::ArgMax => return self.row_of(Extreme::Greatest, &arguments),
            Aggregate::ArgMin => return self.row_of(Extreme::Least, &arguments),
        };
        let Some(output) = aggregate.outputs.columns.first() else {
            return Err(not_supported("an aggregate that fills no column", span));
        };
        self.outputs.push(filled.alias(&output.name));
        Ok(())
    }

    /// Has the engine compute a function, and gives the reference to its result.
    fn compute(&mut self, aggregate: DfExpr) -> DfExpr {
        // No column of the language can have this name: a name has no NUL.
        let name = format!("\0{}", self.computed.len());
        self.computed.push(aggregate.alias(&name));
        column(&name)
    }

    fn extreme_value(&mut self, udaf: Arc<AggregateUDF>, arguments: &Arguments<'_>) -> Lowered<DfExpr> {
        let value = self.compute(function(udaf, vec![arguments.value(0)?], None));
        Ok(as_column_of(arguments.ty(0), value))
    }

    fn sum(&mut self, arguments: &Arguments<'_>, condition: Option<DfExpr>, span: Span) -> Lowered<DfExpr> {
        let zero = match arguments.ty(0) {
            Some(ScalarType::Long | ScalarType::TimeSpan) => lit(0_i64),
            Some(ScalarType::Real) => lit(0.0_f64),
            other => return Err(not_supported(format!("a sum of {other:?} values"), span)),
        };
        let sum = self.compute(function(sum_udaf(), vec![arguments.value(0)?], condition));
        Ok(first_not_null(vec![sum, zero]))
    }

    fn average(&mut self, arguments: &Arguments<'_>, span: Span) -> Lowered<DfExpr> {
        let value = arguments.value(0)?;
        match arguments.ty(0) {
            Some(ScalarType::Long | ScalarType::Real) => {
                let average = function(avg_udaf(), vec![cast(value, DataType::Float64)], None);
                let average = self.compute(average);
                Ok(first_not_null(vec![average, lit(f64::NAN)]))
            }
            Some(ScalarType::TimeSpan) => Ok(self.mean_of_integers(value)),
            Some(ScalarType::DateTime) => {
                let mean = self.mean_of_integers(cast(value, DataType::Int64));
                Ok(cast(mean, moment_type()))
            }
            other => Err(not_supported(format!("an average of {other:?} values"), span)),
        }
    }

    /// The exact mean: a `real` has too few digits for the sum of many moments.
    fn mean_of_integers(&mut self, value: DfExpr) -> DfExpr {
        let wide = cast(value.clone(), DataType::Decimal128(20, 0));
        let sum = self.compute(function(sum_udaf(), vec![wide], None));
        let count = self.compute(function(count_udaf(), vec![value], None));
        call(&f::MEAN, vec![cast(sum, DataType::Decimal128(38, 0)), count])
    }

    fn row_of(&mut self, extreme: Extreme, arguments: &Arguments<'_>) -> Lowered<()> {
        let values = arguments.expressions.values(&arguments.call.arguments)?;
        let row = self.compute(function(extreme_row(extreme), values, None));
        for (position, output) in arguments.call.outputs.columns.iter().enumerate() {
            let value = get_field(row.clone(), field_name(position));
            self.outputs.push(as_column_of(Some(output.ty), value).alias(&output.name));
        }
        Ok(())
    }
}

/// The number of rows for which the condition is true.
pub(super) fn count_rows(condition: Option<DfExpr>) -> DfExpr {
    function(count_udaf(), vec![lit(1_i64)], condition)
}

/// The aggregate of these arguments, over the rows for which the condition is true.
pub(super) fn function(udaf: Arc<AggregateUDF>, arguments: Vec<DfExpr>, condition: Option<DfExpr>) -> DfExpr {
    let condition = condition.map(Box::new);
    DfExpr::AggregateFunction(AggregateFunction::new_udf(udaf, arguments, false, condition, Vec::new(), None))
}

/// A value that is null for no rows; a text is empty then.
fn as_column_of(ty: Option<ScalarType>, value: DfExpr) -> DfExpr {
    if ty == Some(ScalarType::String) { call(&f::TEXT, vec![value]) } else { value }
}

/// The arguments of one aggregate.
struct Arguments<'a> {
    expressions: &'a Expressions<'a>,
    call: &'a AggregateCall,
}

impl Arguments<'_> {
    fn at(&self, position: usize) -> Lowered<&Expr> {
        let missing =
            || not_supported(format!("{:?} with so few arguments", self.call.aggregate), self.span());
        self.call.arguments.get(position).ok_or_else(missing)
    }

    fn value(&self, position: usize) -> Lowered<DfExpr> {
        self.expressions.value(self.at(position)?)
    }

    fn condition(&self, position: usize) -> Lowered<DfExpr> {
        self.expressions.condition(self.at(position)?)
    }

    fn ty(&self, position: usize) -> Option<ScalarType> {
        self.call.arguments.get(position).map(|argument| argument.ty)
    }

    fn span(&self) -> Span {
        self.call.arguments.first().map_or_else(Span::default, |argument| argument.span)
    }

    /// The accuracy of a `dcount`, a constant; 1 where it is not given.
    fn accuracy(&self, position: usize) -> u8 {
        match self.call.arguments.get(position).map(|argument| &argument.kind) {
            Some(ExprKind::Literal(Value::Long(accuracy))) => u8::try_from(*accuracy).unwrap_or(1),
            Some(ExprKind::Literal(Value::Int(accuracy))) => u8::try_from(*accuracy).unwrap_or(1),
            Some(_) | None => 1,
        }
    }
}
