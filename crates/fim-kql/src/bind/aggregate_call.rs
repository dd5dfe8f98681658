//! The arguments of one aggregate, and the type of what it gives.

use super::{Binder, coerce};
use crate::aggregate::Aggregate;
use crate::ast::{Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::json;
use crate::plan::{AggregateCall, Expr, ExprKind};
use crate::registry::AggregateEntry;
use crate::types::{Column, ScalarType, Schema, Value};

use super::expression::literal;

impl Binder<'_> {
    /// Binds a call that fills one column, whose name is not known yet.
    pub(super) fn aggregate(
        &mut self,
        entry: &AggregateEntry,
        function: &Name,
        arguments: &[NamedNode],
        input: &Schema,
    ) -> Option<(AggregateCall, ScalarType)> {
        let most = match entry.aggregate {
            Aggregate::Percentiles if entry.name == "percentiles" => MOST_PERCENTAGES + 1,
            Aggregate::PercentilesArray => MOST_PERCENTAGES + 1,
            _ => entry.parameters.len(),
        };
        if !(entry.required..=most).contains(&arguments.len()) {
            self.wrong_count(function, entry.required, most, arguments.len());
            return None;
        }
        let bound: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.scalar(&argument.expr, input)).collect();
        let mut bound = bound.into_iter().collect::<Option<Vec<Expr>>>()?;
        let condition = match entry.has_condition {
            true => Some(self.predicate(bound.remove(entry.required - 1))?),
            false => None,
        };
        let (arguments, ty) = self.aggregated(entry, function.span, bound)?;
        let outputs = Schema::new(vec![Column::new(String::new(), ty)]);
        Some((AggregateCall { aggregate: entry.aggregate, arguments, condition, outputs }, ty))
    }

    fn aggregated(
        &mut self,
        entry: &AggregateEntry,
        span: Span,
        mut arguments: Vec<Expr>,
    ) -> Option<(Vec<Expr>, ScalarType)> {
        let name = entry.name;
        match entry.aggregate {
            // Rows are counted, whatever the argument is in them.
            Aggregate::Count => Some((Vec::new(), ScalarType::Long)),
            Aggregate::CountDistinct => Some((arguments, ScalarType::Long)),
            Aggregate::DCount => {
                self.accuracy(arguments.get(1))?;
                Some((arguments, ScalarType::Long))
            }
            Aggregate::Sum => {
                let ty = self.summable(name, &arguments[0])?;
                Some((vec![arguments.remove(0).convert_to(ty)], ty))
            }
            Aggregate::Avg => {
                let ty = match arguments[0].ty {
                    ScalarType::DateTime => ScalarType::DateTime,
                    _ => self.summable(name, &arguments[0])?,
                };
                let given = if ty == ScalarType::Long { ScalarType::Real } else { ty };
                Some((vec![arguments.remove(0).convert_to(ty)], given))
            }
            Aggregate::Max | Aggregate::Min => {
                let ty = self.ordered_argument(name, &arguments[0])?;
                Some((arguments, ty))
            }
            Aggregate::BinaryAllAnd | Aggregate::BinaryAllOr | Aggregate::BinaryAllXor => {
                if !arguments[0].ty.is_integer() {
                    self.mismatch(name, "int or long", &arguments[0]);
                    return None;
                }
                Some((vec![arguments.remove(0).convert_to(ScalarType::Long)], ScalarType::Long))
            }
            Aggregate::Covariance
            | Aggregate::CovarianceP
            | Aggregate::Stdev
            | Aggregate::StdevP
            | Aggregate::Variance
            | Aggregate::VarianceP => {
                let is_number = |ty: ScalarType| ty.is_number() || ty == ScalarType::Dynamic;
                if let Some(odd) = arguments.iter().find(|argument| !is_number(argument.ty)) {
                    self.mismatch(name, "a number", odd);
                    return None;
                }
                let reals = arguments.into_iter().map(|argument| argument.convert_to(ScalarType::Real));
                Some((reals.collect(), ScalarType::Real))
            }
            Aggregate::BuildSchema | Aggregate::TDigestMerge => {
                if arguments[0].ty != ScalarType::Dynamic {
                    self.mismatch(name, "dynamic", &arguments[0]);
                    return None;
                }
                Some((arguments, ScalarType::Dynamic))
            }
            Aggregate::TDigest => {
                if !arguments[0].ty.is_number()
                    || arguments.get(1).is_some_and(|weight| !weight.ty.is_integer())
                {
                    self.mismatch(name, "a number, and a whole one as weight,", &arguments[0]);
                    return None;
                }
                let is_whole = literal(Value::Bool(arguments[0].ty.is_integer()), ScalarType::Bool, span);
                let weight = if arguments.len() > 1 { arguments.pop() } else { None };
                let weight = weight.unwrap_or_else(|| literal(Value::Long(1), ScalarType::Long, span));
                let value = arguments.remove(0).convert_to(ScalarType::Real);
                Some((vec![value, is_whole, weight.convert_to(ScalarType::Long)], ScalarType::Dynamic))
            }
            Aggregate::MakeBag if arguments[0].ty != ScalarType::Dynamic => {
                self.mismatch(name, "dynamic", &arguments[0]);
                None
            }
            Aggregate::MakeBag | Aggregate::MakeList | Aggregate::MakeListWithNulls | Aggregate::MakeSet => {
                let limit = self.limit(name, arguments.get(1), span)?;
                Some((vec![arguments.remove(0).convert_to(ScalarType::Dynamic), limit], ScalarType::Dynamic))
            }
            Aggregate::TakeAny => {
                let ty = arguments[0].ty;
                Some((arguments, ty))
            }
            Aggregate::Percentiles | Aggregate::PercentilesArray => self.percentiles(entry, arguments),
            // They have several columns, or no name, and are bound by themselves.
            Aggregate::ArgMax | Aggregate::ArgMin | Aggregate::Series => None,
        }
    }

    fn predicate(&mut self, expr: Expr) -> Option<Expr> {
        if matches!(expr.ty, ScalarType::Bool | ScalarType::Dynamic) {
            return Some(expr.convert_to(ScalarType::Bool));
        }
        self.problem(Code::TypeMismatch, expr.span, format!("a bool is needed here, not a {}", expr.ty));
        None
    }

    fn accuracy(&mut self, expr: Option<&Expr>) -> Option<()> {
        match expr.map(|expr| &expr.kind) {
            None | Some(ExprKind::Literal(Value::Long(0..=4))) => Some(()),
            Some(_) => {
                let span = expr.map_or_else(Span::default, |expr| expr.span);
                self.problem(Code::InvalidConstant, span, "the accuracy of dcount is a constant from 0 to 4");
                None
            }
        }
    }

    fn summable(&mut self, name: &str, expr: &Expr) -> Option<ScalarType> {
        match expr.ty {
            ScalarType::TimeSpan => Some(ScalarType::TimeSpan),
            ty => {
                let widest = coerce::widest(&[ty, ScalarType::Long]);
                if widest.is_none() {
                    let hint = if matches!(ty, ScalarType::String | ScalarType::Dynamic) {
                        "; convert it with tolong(…) or toreal(…)"
                    } else {
                        ""
                    };
                    let message = format!("{name} needs a number or timespan, not a {ty}{hint}");
                    self.problem(Code::TypeMismatch, expr.span, message);
                }
                widest
            }
        }
    }

    pub(super) fn ordered_argument(&mut self, name: &str, expr: &Expr) -> Option<ScalarType> {
        if coerce::is_ordered(expr.ty) {
            return Some(expr.ty);
        }
        let message =
            format!("{name} needs a value with an order, and {} has none; convert it first", expr.ty);
        self.problem(Code::TypeMismatch, expr.span, message);
        None
    }

    /// How many values are kept: what is written, at most what the original keeps.
    fn limit(&mut self, name: &str, written: Option<&Expr>, span: Span) -> Option<Expr> {
        let limit = match written.map(|limit| (&limit.kind, limit.span)) {
            None if matches!(name, "makelist" | "makeset") => OLD_LIMIT,
            None => MOST_VALUES,
            Some((ExprKind::Literal(Value::Long(limit @ 1..)), _)) => (*limit).min(MOST_VALUES),
            Some((ExprKind::Literal(Value::Int(limit @ 1..)), _)) => i64::from(*limit).min(MOST_VALUES),
            Some((_, span)) => {
                let message = format!("the limit of {name} is a constant whole number above zero");
                self.problem(Code::InvalidConstant, span, message);
                return None;
            }
        };
        Some(literal(Value::Long(limit), ScalarType::Long, span))
    }

    /// The value in the type in which it is ordered, and the percentages as reals.
    fn percentiles(
        &mut self,
        entry: &AggregateEntry,
        mut arguments: Vec<Expr>,
    ) -> Option<(Vec<Expr>, ScalarType)> {
        let value = arguments.remove(0);
        let ty = match value.ty {
            ScalarType::Int | ScalarType::Long => ScalarType::Long,
            ScalarType::Real | ScalarType::DateTime | ScalarType::TimeSpan => value.ty,
            _ => {
                self.mismatch(entry.name, "a number, datetime or timespan", &value);
                return None;
            }
        };
        let mut bound = vec![value.convert_to(ty)];
        for percentage in arguments {
            let numbers = match &percentage.kind {
                ExprKind::Literal(Value::Dynamic(json)) if entry.aggregate == Aggregate::PercentilesArray => {
                    json::scalars(json).unwrap_or_default()
                }
                ExprKind::Literal(value) => vec![value.clone()],
                _ => Vec::new(),
            };
            let reals: Option<Vec<f64>> = numbers.iter().map(percentage_of).collect();
            let Some(reals) = reals.filter(|reals| !reals.is_empty()) else {
                let message = "a percentage is a constant number from 0 to 100";
                self.problem(Code::InvalidConstant, percentage.span, message);
                return None;
            };
            let literals = reals.into_iter().map(Value::Real);
            bound.extend(literals.map(|real| literal(real, ScalarType::Real, percentage.span)));
        }
        let is_array = entry.aggregate == Aggregate::PercentilesArray;
        Some((bound, if is_array { ScalarType::Dynamic } else { ty }))
    }
}

fn percentage_of(value: &Value) -> Option<f64> {
    let real = match value {
        Value::Int(number) => f64::from(*number),
        Value::Long(number) => *number as f64,
        Value::Real(number) => *number,
        Value::Null
        | Value::Bool(_)
        | Value::DateTime(_)
        | Value::String(_)
        | Value::TimeSpan(_)
        | Value::Guid(_)
        | Value::Decimal(_)
        | Value::Dynamic(_) => return None,
    };
    (0.0..=100.0).contains(&real).then_some(real)
}

/// How many values `make_list` and its kin keep: the most that the original keeps.
const MOST_VALUES: i64 = 1_048_576;
/// How many values the older spellings keep if no limit is written.
const OLD_LIMIT: i64 = 128;
const MOST_PERCENTAGES: usize = 20;
