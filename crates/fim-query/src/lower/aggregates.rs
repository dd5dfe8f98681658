//! Aggregates over the rows of a group.
//!
//! Each becomes one or more functions of the engine under names of our own, and expressions over these that fill
//! the columns of the language: `sum` of no rows is zero, `avg` of none is NaN, `arg_max` fills several columns.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::covariance::{covar_pop_udaf, covar_samp_udaf};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{AggregateUDF, Case, Expr as DfExpr, cast, lit};
use fim_kql::{Aggregate, AggregateCall, Expr, ExprKind, ScalarType, Span, Value};

use super::conversions::convert;
use super::expressions::{Expressions, first_not_null};
use super::{Lowered, column, not_supported};
use crate::aggregates::{
    Collection, Extreme, build_schema, collect, distinct_count, extreme_row, field_name, percentiles,
    series_of_steps, tdigest,
};
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
        let condition = arguments.condition()?;
        let filled = match aggregate.aggregate {
            Aggregate::Count => self.compute(count_rows(condition)),
            Aggregate::CountDistinct => {
                let value = Box::new(AggregateFunction::new_udf(
                    count_udaf(),
                    vec![arguments.value(0)?],
                    true,
                    condition.map(Box::new),
                    Vec::new(),
                    None,
                ));
                self.compute(DfExpr::AggregateFunction(*value))
            }
            Aggregate::Max => self.of_value(max_udaf(), &arguments, condition)?,
            Aggregate::Min => self.of_value(min_udaf(), &arguments, condition)?,
            Aggregate::BinaryAllAnd => self.of_value(bit_and_udaf(), &arguments, condition)?,
            Aggregate::BinaryAllOr => self.of_value(bit_or_udaf(), &arguments, condition)?,
            Aggregate::BinaryAllXor => self.of_value(bit_xor_udaf(), &arguments, condition)?,
            Aggregate::Sum => self.sum(&arguments, condition, span)?,
            Aggregate::Avg => self.average(&arguments, condition, span)?,
            Aggregate::DCount => {
                let udaf = distinct_count(arguments.accuracy(1));
                self.compute(function(udaf, vec![arguments.value(0)?], condition))
            }
            Aggregate::Covariance => self.spread(covar_samp_udaf(), &arguments, condition)?,
            Aggregate::CovarianceP => self.spread(covar_pop_udaf(), &arguments, condition)?,
            Aggregate::Stdev => self.spread(stddev_udaf(), &arguments, condition)?,
            Aggregate::StdevP => self.spread(stddev_pop_udaf(), &arguments, condition)?,
            Aggregate::Variance => self.spread(var_samp_udaf(), &arguments, condition)?,
            Aggregate::VarianceP => self.spread(var_pop_udaf(), &arguments, condition)?,
            Aggregate::MakeBag => self.collection(Collection::Bag, &arguments, condition)?,
            Aggregate::MakeList => self.collection(Collection::List, &arguments, condition)?,
            Aggregate::MakeListWithNulls => {
                self.collection(Collection::ListWithNulls, &arguments, condition)?
            }
            Aggregate::MakeSet => self.collection(Collection::Set, &arguments, condition)?,
            Aggregate::PercentilesArray => {
                let row = self.percentile_row(&arguments)?;
                let ty = arguments.ty(0).unwrap_or(ScalarType::Real);
                let elements = (0..aggregate.arguments.len() - 1).map(|position| {
                    convert(get_field(row.clone(), field_name(position)), ty, ScalarType::Dynamic, span)
                });
                call(&f::PACK_ARRAY, elements.collect::<Lowered<Vec<_>>>()?)
            }
            Aggregate::Percentiles => {
                let row = self.percentile_row(&arguments)?;
                return self.fill_fields(&arguments, &row);
            }
            Aggregate::BuildSchema => {
                self.compute(function(build_schema(), vec![arguments.value(0)?], condition))
            }
            Aggregate::TDigest | Aggregate::TDigestMerge => {
                let udaf = tdigest(aggregate.aggregate == Aggregate::TDigestMerge);
                self.compute(function(udaf, expressions.values(&aggregate.arguments)?, condition))
            }
            Aggregate::Series => {
                let values = expressions.values(&aggregate.arguments)?;
                self.compute(function(series_of_steps(), values, condition))
            }
            Aggregate::ArgMax => return self.row_of(Extreme::Greatest, &arguments, condition),
            Aggregate::ArgMin => return self.row_of(Extreme::Least, &arguments, condition),
            Aggregate::TakeAny if aggregate.arguments.len() == 1 => {
                self.of_value(max_udaf(), &arguments, condition)?
            }
            // Any row will do, and the one with the greatest value is found again the next time.
            Aggregate::TakeAny => return self.row_of(Extreme::Greatest, &arguments, condition),
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

    /// A function that gives a value of the type of its argument.
    fn of_value(
        &mut self,
        udaf: Arc<AggregateUDF>,
        arguments: &Arguments<'_>,
        condition: Option<DfExpr>,
    ) -> Lowered<DfExpr> {
        let value = self.compute(function(udaf, vec![arguments.value(0)?], condition));
        Ok(as_column_of(arguments.ty(0), value))
    }

    /// Variances and their kin: NaN for no rows. A sample of one row has no variance, and the original says 0.
    fn spread(
        &mut self,
        udaf: Arc<AggregateUDF>,
        arguments: &Arguments<'_>,
        condition: Option<DfExpr>,
    ) -> Lowered<DfExpr> {
        let values = arguments.expressions.values(&arguments.call.arguments)?;
        let is_row = values.iter().cloned().map(DfExpr::is_not_null).reduce(DfExpr::and);
        let condition_of_count = condition.clone().into_iter().chain(is_row).reduce(DfExpr::and);
        let spread = self.compute(function(udaf, values, condition));
        let count = self.compute(count_rows(condition_of_count));
        let of_few = DfExpr::Case(Case::new(
            None,
            vec![(Box::new(count.eq(lit(0_i64))), Box::new(lit(f64::NAN)))],
            Some(Box::new(lit(0.0_f64))),
        ));
        Ok(first_not_null(vec![spread, of_few]))
    }

    fn collection(
        &mut self,
        collection: Collection,
        arguments: &Arguments<'_>,
        condition: Option<DfExpr>,
    ) -> Lowered<DfExpr> {
        let values = arguments.expressions.values(&arguments.call.arguments)?;
        Ok(self.compute(function(collect(collection), values, condition)))
    }

    fn percentile_row(&mut self, arguments: &Arguments<'_>) -> Lowered<DfExpr> {
        let values = arguments.expressions.values(&arguments.call.arguments)?;
        Ok(self.compute(function(percentiles(), values, None)))
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

    fn average(
        &mut self,
        arguments: &Arguments<'_>,
        condition: Option<DfExpr>,
        span: Span,
    ) -> Lowered<DfExpr> {
        let value = arguments.value(0)?;
        match arguments.ty(0) {
            Some(ScalarType::Long | ScalarType::Real) => {
                let average = function(avg_udaf(), vec![cast(value, DataType::Float64)], condition);
                let average = self.compute(average);
                Ok(first_not_null(vec![average, lit(f64::NAN)]))
            }
            Some(ScalarType::TimeSpan) => Ok(self.mean_of_integers(value, condition)),
            Some(ScalarType::DateTime) => {
                let mean = self.mean_of_integers(cast(value, DataType::Int64), condition);
                Ok(cast(mean, moment_type()))
            }
            other => Err(not_supported(format!("an average of {other:?} values"), span)),
        }
    }

    /// The exact mean: a `real` has too few digits for the sum of many moments.
    fn mean_of_integers(&mut self, value: DfExpr, condition: Option<DfExpr>) -> DfExpr {
        let wide = cast(value.clone(), DataType::Decimal128(20, 0));
        let sum = self.compute(function(sum_udaf(), vec![wide], condition.clone()));
        let count = self.compute(function(count_udaf(), vec![value], condition));
        call(&f::MEAN, vec![cast(sum, DataType::Decimal128(38, 0)), count])
    }

    fn row_of(
        &mut self,
        extreme: Extreme,
        arguments: &Arguments<'_>,
        condition: Option<DfExpr>,
    ) -> Lowered<()> {
        let values = arguments.expressions.values(&arguments.call.arguments)?;
        let row = self.compute(function(extreme_row(extreme), values, condition));
        self.fill_fields(arguments, &row)
    }

    /// Fills each column of an aggregate with a field of a struct.
    fn fill_fields(&mut self, arguments: &Arguments<'_>, row: &DfExpr) -> Lowered<()> {
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

    fn condition(&self) -> Lowered<Option<DfExpr>> {
        self.call.condition.as_ref().map(|condition| self.expressions.condition(condition)).transpose()
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
