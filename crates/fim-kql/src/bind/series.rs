//! `make-series`: an array with an element for each step of a column.
//!
//! The rows are grouped by the number of the step that they are in, and then the steps of each group of keys become
//! arrays.

use super::aggregate::Collector;
use super::expression::literal;
use super::naming::Names;
use super::operator::column;
use super::special::call;
use super::{Binder, Building};
use crate::aggregate::Aggregate;
use crate::ast::{ExprNode, SeriesNode};
use crate::diagnostic::{Code, Span};
use crate::function::Function;
use crate::plan::{AggregateCall, Arithmetic, Comparison, Expr, ExprKind, NamedExpr, Operator};
use crate::time::{DateTime, TimeSpan};
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    pub(super) fn series(&mut self, node: &SeriesNode, building: &mut Building, span: Span) -> Option<()> {
        let axis = self.axis(node, building.schema(), span)?;
        let mut names = Names::default();
        let keys = self.group_keys(&node.keys, &building.schema().clone(), &mut names);
        let keys: Vec<NamedExpr> = keys.into_iter().collect::<Option<_>>()?;
        axis.filter(building);
        let (values, defaults) = self.values_of_steps(node, keys, &axis, &mut names, building)?;
        let axis_name = self.item_name(&mut names, &node.axis)?;
        self.arrays_of_steps(node, Steps { axis, axis_name, values, defaults }, building)
    }

    /// What is divided into steps, with its bounds in one type.
    fn axis(&mut self, node: &SeriesNode, input: &Schema, span: Span) -> Option<Axis> {
        let nothing = Schema::default();
        let value = self.scalar(&node.axis.expr, input);
        let mut bound = |node: &ExprNode| self.scalar(node, &nothing);
        let from = node.from.as_ref().map(&mut bound);
        let to = node.to.as_ref().map(&mut bound);
        let (value, step) = (value, bound(&node.step));
        let (value, step) = (value?, step?);
        let (ty, step_ty) = match value.ty {
            ScalarType::DateTime => (ScalarType::DateTime, ScalarType::TimeSpan),
            ScalarType::TimeSpan => (ScalarType::TimeSpan, ScalarType::TimeSpan),
            ScalarType::Int | ScalarType::Long => (ScalarType::Long, ScalarType::Long),
            ScalarType::Real => (ScalarType::Real, ScalarType::Real),
            other => {
                let message =
                    format!("make-series divides datetimes, timespans and numbers into steps, not a {other}");
                self.problem(Code::TypeMismatch, value.span, message);
                return None;
            }
        };
        let from = self.axis_bound(from, ty)?;
        let to = self.axis_bound(to, ty)?;
        let step = self.axis_bound(Some(Some(step)), step_ty)??;
        if is_not_positive(&step) {
            self.problem(Code::InvalidConstant, step.span, "the step of make-series must be above zero");
            return None;
        }
        let axis = Axis { value: value.convert_to(ty), from, to, step, span };
        if let (Some(from), Some(to)) = (&axis.from, &axis.to)
            && steps_between(from, to, &axis.step).is_some_and(|steps| steps > MOST_STEPS)
        {
            let message = format!("a series has at most {MOST_STEPS} elements; make the step longer");
            self.problem(Code::InvalidConstant, axis.step.span, message);
            return None;
        }
        Some(axis)
    }

    /// A bound in the type of the axis; `Some(None)` where none is written.
    fn axis_bound(&mut self, bound: Option<Option<Expr>>, ty: ScalarType) -> Option<Option<Expr>> {
        let Some(bound) = bound else { return Some(None) };
        let bound = bound?;
        if bound.ty == ty
            || (bound.ty.is_number() && ty == ScalarType::Real)
            || (bound.ty.is_integer() && ty == ScalarType::Long)
        {
            return Some(Some(bound.convert_to(ty)));
        }
        let message = format!("make-series needs a {ty} here, not a {}", bound.ty);
        self.problem(Code::TypeMismatch, bound.span, message);
        None
    }

    /// Groups by the keys and the number of the step; gives the aggregates and what stands for each where no row is.
    fn values_of_steps(
        &mut self,
        node: &SeriesNode,
        mut keys: Vec<NamedExpr>,
        axis: &Axis,
        names: &mut Names,
        building: &mut Building,
    ) -> Option<(Vec<NamedExpr>, Vec<Expr>)> {
        let span = axis.span;
        let input = building.schema().clone();
        keys.push(NamedExpr { name: STEP.to_owned(), expr: axis.index_of(&axis.value) });
        let mut collector = Collector::behind(keys.len());
        let mut values = Vec::new();
        for (item, _) in &node.aggregates {
            let mut filled = self.summarized(item, &input, &[], names, &mut collector)?;
            let value = filled.pop()?;
            if !filled.is_empty() {
                let message =
                    "an aggregate with several columns is not supported in make-series; write one for each";
                self.problem(Code::NotSupported, item.expr.span, message);
                return None;
            }
            values.push(value);
        }
        let mut defaults = Vec::new();
        for ((_, default), value) in node.aggregates.iter().zip(&values) {
            defaults.push(self.default_of_step(default.as_ref(), value)?);
        }
        self.push_summarize(keys, collector, values.clone(), building, span);
        Some((values, defaults))
    }

    /// What stands where a step has no rows: a zero unless something else is written.
    fn default_of_step(&mut self, written: Option<&ExprNode>, value: &NamedExpr) -> Option<Expr> {
        let ty = value.expr.ty;
        let Some(written) = written else {
            if !ty.is_number() {
                let message = format!(
                    "'{}' is a {ty}, and a series of these without a default is not supported yet; write default = … \
                     behind it",
                    value.name
                );
                self.problem(Code::NotSupported, value.expr.span, message);
                return None;
            }
            return Some(literal(Value::Long(0), ScalarType::Long, value.expr.span).convert_to(ty));
        };
        let default = self.scalar(written, &Schema::default())?;
        let is_number = default.ty.is_number() && ty.is_number();
        if default.ty != ty && !is_number && ty != ScalarType::Dynamic {
            let message = format!("the default of '{}' is a {}, and it is a {ty}", value.name, default.ty);
            self.problem(Code::TypeMismatch, default.span, message);
            return None;
        }
        Some(if ty == ScalarType::Real { default.convert_to(ty) } else { default })
    }

    /// Makes arrays of the steps of each group of keys.
    fn arrays_of_steps(&mut self, node: &SeriesNode, steps: Steps, building: &mut Building) -> Option<()> {
        let Steps { axis, axis_name, values, defaults } = steps;
        let span = axis.span;
        let key_count = node.keys.len();
        let input = building.schema().clone();
        self.count_expression(span, input.columns.len().saturating_mul(4))?;
        let step = column(&input, key_count, span).expr;
        let keys: Vec<NamedExpr> = (0..key_count).map(|at| column(&input, at, span)).collect();
        let none = || literal(Value::Null, ScalarType::Long, span);
        let zero = literal(Value::Long(0), ScalarType::Long, span);
        let first = axis.from.as_ref().map(|_| zero);
        let last = axis.to.as_ref().map(|to| axis.last_before(to));

        let of = |aggregate, arguments, name: &str, ty| AggregateCall {
            aggregate,
            arguments,
            condition: None,
            outputs: Schema::new(vec![Column::new(name, ty)]),
        };
        let mut aggregates = Vec::new();
        for (at, (value, default)) in values.iter().zip(&defaults).enumerate() {
            let arguments = vec![
                column(&input, key_count + 1 + at, span).expr.convert_to(ScalarType::Dynamic),
                step.clone(),
                first.clone().unwrap_or_else(none),
                last.clone().unwrap_or_else(none),
                default.clone().convert_to(ScalarType::Dynamic),
            ];
            aggregates.push(of(Aggregate::Series, arguments, &value.name, ScalarType::Dynamic));
        }
        aggregates.push(of(Aggregate::Min, vec![step.clone()], FIRST, ScalarType::Long));
        aggregates.push(of(Aggregate::Max, vec![step], LAST, ScalarType::Long));
        let columns = keys.iter().map(|key| Column::new(key.name.clone(), key.expr.ty));
        let outputs = aggregates.iter().flat_map(|call| call.outputs.columns.iter().cloned());
        let schema = Schema::new(columns.chain(outputs).collect());
        building.push(Operator::Summarize { keys, aggregates }, schema.clone(), span);

        let least = column(&schema, schema.columns.len() - 2, span).expr;
        let greatest = column(&schema, schema.columns.len() - 1, span).expr;
        let is_empty = call(Function::IsNull, vec![least.clone()], ScalarType::Bool, span);
        let is_one_of_defaults = node.is_never_empty && key_count == 0;
        if is_one_of_defaults && last.is_none() | first.is_none() {
            let message = "make-series kind=nonempty needs both bounds: from Start to End";
            self.problem(Code::NotSupported, span, message);
            return None;
        }
        if key_count == 0 && !is_one_of_defaults {
            let kind = ExprKind::Not(Box::new(is_empty.clone()));
            building.push(Operator::Filter(Expr { kind, ty: ScalarType::Bool, span }), schema.clone(), span);
        }
        let moments = axis.between(first.unwrap_or(least), last.clone().unwrap_or(greatest));
        let mut columns: Vec<NamedExpr> =
            (0..schema.columns.len() - 2).map(|at| column(&schema, at, span)).collect();
        if let (true, Some(last)) = (is_one_of_defaults, last) {
            let count = plus_one(last);
            for (array, default) in columns.iter_mut().zip(defaults) {
                let arguments = vec![default.convert_to(ScalarType::Dynamic), count.clone()];
                let defaults = call(Function::Repeat, arguments, ScalarType::Dynamic, span);
                let otherwise = Box::new(array.expr.clone());
                let kind = ExprKind::Case { branches: vec![(is_empty.clone(), defaults)], otherwise };
                array.expr = Expr { kind, ty: ScalarType::Dynamic, span };
            }
        }
        columns.push(NamedExpr { name: axis_name, expr: moments });
        self.unknown_columns.clear();
        building.is_serialized = false;
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        Some(())
    }
}

/// The steps of all rows, computed and named.
struct Steps {
    axis: Axis,
    axis_name: String,
    values: Vec<NamedExpr>,
    defaults: Vec<Expr>,
}

/// What is divided into steps. All bounds have the type of the value; the step is a timespan for moments.
struct Axis {
    value: Expr,
    from: Option<Expr>,
    to: Option<Expr>,
    step: Expr,
    span: Span,
}

impl Axis {
    /// Where steps are counted from: the first one, or else where `bin` counts from.
    fn origin(&self) -> Expr {
        let zero = match self.value.ty {
            ScalarType::DateTime => Value::DateTime(DateTime::MIN),
            ScalarType::TimeSpan => Value::TimeSpan(TimeSpan(0)),
            ScalarType::Real => Value::Real(0.0),
            _ => Value::Long(0),
        };
        self.from.clone().unwrap_or_else(|| literal(zero, self.value.ty, self.span))
    }

    /// Leaves the rows out that are in no step.
    fn filter(&self, building: &mut Building) {
        let compare = |operator, bound: &Expr| {
            let (left, right) = (Box::new(self.value.clone()), Box::new(bound.clone()));
            Expr { kind: ExprKind::Compare { operator, left, right }, ty: ScalarType::Bool, span: self.span }
        };
        let is_there = call(Function::IsNotNull, vec![self.value.clone()], ScalarType::Bool, self.span);
        let from = self.from.as_ref().map(|from| compare(Comparison::GreaterOrEqual, from));
        let to = self.to.as_ref().map(|to| compare(Comparison::Less, to));
        let all: Vec<Expr> = [Some(is_there), from, to].into_iter().flatten().collect();
        let kind = ExprKind::And(all);
        let schema = building.schema().clone();
        building.push(
            Operator::Filter(Expr { kind, ty: ScalarType::Bool, span: self.span }),
            schema,
            self.span,
        );
    }

    /// The boundary at or before a value.
    fn boundary(&self, value: &Expr) -> Expr {
        let arguments = vec![value.clone(), self.step.clone(), self.origin()];
        call(Function::BinAt, arguments, self.value.ty, self.span)
    }

    /// The number of the step that a value is in.
    fn index_of(&self, value: &Expr) -> Expr {
        let distance_ty =
            if self.value.ty == ScalarType::DateTime { ScalarType::TimeSpan } else { self.value.ty };
        let distance =
            self.arithmetic(Arithmetic::Subtract, self.boundary(value), self.origin(), distance_ty);
        if distance_ty == ScalarType::Real {
            let steps = self.arithmetic(Arithmetic::Divide, distance, self.step.clone(), ScalarType::Real);
            let rounded = call(Function::Round, vec![steps], ScalarType::Real, self.span);
            return rounded.convert_to(ScalarType::Long);
        }
        let (distance, step) =
            (distance.convert_to(ScalarType::Long), self.step.clone().convert_to(ScalarType::Long));
        self.arithmetic(Arithmetic::Divide, distance, step, ScalarType::Long)
    }

    /// The number of the last step that starts before a value.
    fn last_before(&self, end: &Expr) -> Expr {
        let index = self.index_of(end);
        let one = literal(Value::Long(1), ScalarType::Long, self.span);
        let before = self.arithmetic(Arithmetic::Subtract, index.clone(), one, ScalarType::Long);
        let (left, right) = (Box::new(self.boundary(end)), Box::new(end.clone()));
        let kind = ExprKind::Compare { operator: Comparison::Equal, left, right };
        let is_boundary = Expr { kind, ty: ScalarType::Bool, span: self.span };
        let kind = ExprKind::Case { branches: vec![(is_boundary, before)], otherwise: Box::new(index) };
        Expr { kind, ty: ScalarType::Long, span: self.span }
    }

    /// An array of where the steps start, from one number up to and including another.
    fn between(&self, first: Expr, last: Expr) -> Expr {
        let (first, last) = (self.start_of(first), self.start_of(last));
        let last = match self.value.ty {
            // Whatever the last digits are, the last step is inside.
            ScalarType::Real => {
                let two = literal(Value::Real(2.0), ScalarType::Real, self.span);
                let half = self.arithmetic(Arithmetic::Divide, self.step.clone(), two, ScalarType::Real);
                self.arithmetic(Arithmetic::Add, last, half, ScalarType::Real)
            }
            _ => last,
        };
        call(Function::Range, vec![first, last, self.step.clone()], ScalarType::Dynamic, self.span)
    }

    fn start_of(&self, index: Expr) -> Expr {
        let step_ty = self.step.ty;
        let (left, right) = match step_ty {
            ScalarType::Real => (self.step.clone(), index.convert_to(ScalarType::Real)),
            _ => (self.step.clone(), index),
        };
        let distance = self.arithmetic(Arithmetic::Multiply, left, right, step_ty);
        self.arithmetic(Arithmetic::Add, self.origin(), distance, self.value.ty)
    }

    fn arithmetic(&self, operator: Arithmetic, left: Expr, right: Expr, ty: ScalarType) -> Expr {
        let (left, right) = (Box::new(left), Box::new(right));
        Expr { kind: ExprKind::Arithmetic { operator, left, right }, ty, span: self.span }
    }
}

fn plus_one(index: Expr) -> Expr {
    let span = index.span;
    let one = literal(Value::Long(1), ScalarType::Long, span);
    let kind =
        ExprKind::Arithmetic { operator: Arithmetic::Add, left: Box::new(index), right: Box::new(one) };
    Expr { kind, ty: ScalarType::Long, span }
}

fn is_not_positive(step: &Expr) -> bool {
    number_of(step).is_some_and(|step| step <= 0.0)
}

/// A constant as a number.
fn number_of(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(Value::Long(number)) => Some(*number as f64),
        ExprKind::Literal(Value::Int(number)) => Some(f64::from(*number)),
        ExprKind::Literal(Value::Real(number)) => Some(*number),
        ExprKind::Literal(Value::DateTime(moment)) => Some(moment.0 as f64),
        ExprKind::Literal(Value::TimeSpan(length)) => Some(length.0 as f64),
        _ => None,
    }
}

fn steps_between(from: &Expr, to: &Expr, step: &Expr) -> Option<f64> {
    Some((number_of(to)? - number_of(from)?) / number_of(step)?)
}

/// The most elements of a series, as in the original.
const MOST_STEPS: f64 = 1_048_576.0;
const STEP: &str = "$step";
const FIRST: &str = "$first";
const LAST: &str = "$last";
