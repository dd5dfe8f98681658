//! `summarize`: groups and what is computed for each.

use super::coerce;
use super::expression::Scope;
use super::naming::{Names, OwnName};
use super::{Binder, Building};
use crate::ast::{ExprKindNode, Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::function::Aggregate;
use crate::plan::{AggregateCall, Expr, ExprKind, NamedExpr, Operator};
use crate::registry::{self, AggregateEntry};
use crate::types::{Column, ScalarType, Schema, Value};

/// The aggregates of one `summarize`, in the order of their columns.
pub(super) struct Collector {
    /// How many columns stand before those of the aggregates.
    keys: usize,
    calls: Vec<AggregateCall>,
    columns: usize,
}

/// What an aggregate inside of an expression is.
pub(super) enum NestedAggregate {
    /// The column of the summarised rows that holds it.
    Column(Expr),
    /// It is wrong, which was said.
    Wrong,
}

impl Collector {
    /// Adds an aggregate with its columns and gives the position of the first of them.
    fn push(&mut self, call: AggregateCall) -> usize {
        let position = self.keys + self.columns;
        self.columns += call.outputs.columns.len();
        self.calls.push(call);
        position
    }
}

impl Binder<'_> {
    pub(super) fn summarize(
        &mut self,
        aggregates: &[NamedNode],
        keys: &[NamedNode],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let mut names = Names::default();
        let keys = self.group_keys(keys, &input, &mut names);
        let grouped: Vec<usize> = keys
            .iter()
            .flatten()
            .filter_map(|key| match key.expr.kind {
                ExprKind::Column(position) => Some(position),
                _ => None,
            })
            .collect();
        let mut collector = Collector { keys: keys.len(), calls: Vec::new(), columns: 0 };
        let mut outputs: Option<Vec<NamedExpr>> = Some(Vec::new());
        for item in aggregates {
            let named = self.summarized(item, &input, &grouped, &mut names, &mut collector);
            outputs = outputs.zip(named).map(|(mut outputs, named)| {
                outputs.extend(named);
                outputs
            });
        }
        let keys: Vec<NamedExpr> = keys.into_iter().collect::<Option<_>>()?;
        self.push_summarize(keys, collector, outputs?, building, span);
        Some(())
    }

    fn group_keys(
        &mut self,
        keys: &[NamedNode],
        input: &Schema,
        names: &mut Names,
    ) -> Vec<Option<NamedExpr>> {
        let mut bound = Vec::new();
        for item in keys {
            let expr = self.scalar(&item.expr, input);
            let name = self.item_name(names, item);
            let expr = expr.filter(|expr| self.is_groupable(expr));
            bound.push(name.zip(expr).map(|(name, expr)| NamedExpr { name, expr }));
        }
        bound
    }

    /// Whether rows can be grouped or ordered by it; says so if not.
    pub(super) fn is_groupable(&mut self, expr: &Expr) -> bool {
        let is_groupable = expr.ty != ScalarType::Dynamic;
        if !is_groupable {
            let message = "rows are not grouped or ordered by dynamic values; convert with tostring(…)";
            self.problem(Code::TypeMismatch, expr.span, message);
        }
        is_groupable
    }

    /// The columns of one item behind `summarize`, as expressions over the summarised rows.
    fn summarized(
        &mut self,
        item: &NamedNode,
        input: &Schema,
        grouped: &[usize],
        names: &mut Names,
        collector: &mut Collector,
    ) -> Option<Vec<NamedExpr>> {
        if let ExprKindNode::Call { function, arguments } = &item.expr.kind
            && let Some(entry) = registry::aggregate(&function.text)
            && is_extreme(entry.aggregate)
        {
            let call = ExtremeCall { entry, function, arguments, span: item.expr.span };
            return self.extreme(item, call, input, grouped, names, collector);
        }
        let expr =
            self.expr(&item.expr, &mut Scope { schema: input, collector: Some(collector), windows: None });
        let name = self.item_name(names, item);
        name.zip(expr).map(|(name, expr)| vec![NamedExpr { name, expr }])
    }

    /// An aggregate as an operand: it becomes a column of the summarised rows.
    pub(super) fn nested_aggregate(
        &mut self,
        entry: &AggregateEntry,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> NestedAggregate {
        if scope.collector.is_none() {
            let message = format!("the aggregate '{}' can only stand in `summarize`", entry.name);
            self.problem(Code::Aggregation, function.span, message);
            return NestedAggregate::Wrong;
        }
        if is_extreme(entry.aggregate) {
            let message = format!("'{}' gives several columns and cannot be an operand", entry.name);
            self.problem(Code::Aggregation, function.span, message);
            return NestedAggregate::Wrong;
        }
        let Some((aggregate, arguments, ty)) = self.aggregate(entry, function, arguments, scope.schema)
        else {
            return NestedAggregate::Wrong;
        };
        let Some(collector) = scope.collector.as_deref_mut() else { return NestedAggregate::Wrong };
        let outputs = Schema::new(vec![Column::new(String::new(), ty)]);
        let position = collector.push(AggregateCall { aggregate, arguments, outputs });
        NestedAggregate::Column(Expr { kind: ExprKind::Column(position), ty, span })
    }

    fn aggregate(
        &mut self,
        entry: &AggregateEntry,
        function: &Name,
        arguments: &[NamedNode],
        input: &Schema,
    ) -> Option<(Aggregate, Vec<Expr>, ScalarType)> {
        if !(entry.required..=entry.parameters.len()).contains(&arguments.len()) {
            self.wrong_count(function, entry.required, entry.parameters.len(), arguments.len());
            return None;
        }
        let bound: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.scalar(&argument.expr, input)).collect();
        let mut bound = bound.into_iter().collect::<Option<Vec<Expr>>>()?;
        let ty = match entry.aggregate {
            Aggregate::Count if bound.is_empty() => ScalarType::Long,
            Aggregate::Count | Aggregate::CountIf => {
                self.predicate(&bound[0])?;
                return Some((Aggregate::CountIf, bound, ScalarType::Long));
            }
            Aggregate::DCount => {
                self.accuracy(bound.get(1))?;
                ScalarType::Long
            }
            Aggregate::DCountIf => {
                self.predicate(&bound[1])?;
                self.accuracy(bound.get(2))?;
                ScalarType::Long
            }
            Aggregate::Sum | Aggregate::SumIf => {
                let first = bound.remove(0);
                let ty = self.summable(entry.name, &first)?;
                bound.insert(0, first.convert_to(ty));
                if entry.aggregate == Aggregate::SumIf {
                    self.predicate(&bound[1])?;
                }
                ty
            }
            Aggregate::Avg => {
                let first = bound.remove(0);
                let ty = match first.ty {
                    ScalarType::DateTime => ScalarType::DateTime,
                    _ => self.summable(entry.name, &first)?,
                };
                bound.push(first.convert_to(ty));
                if ty == ScalarType::Long { ScalarType::Real } else { ty }
            }
            Aggregate::Max | Aggregate::Min => self.ordered_argument(entry.name, &bound[0])?,
            // They have several columns and are bound by themselves.
            Aggregate::ArgMax | Aggregate::ArgMin => return None,
        };
        Some((entry.aggregate, bound, ty))
    }

    fn predicate(&mut self, expr: &Expr) -> Option<()> {
        if expr.ty == ScalarType::Bool {
            return Some(());
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

    fn ordered_argument(&mut self, name: &str, expr: &Expr) -> Option<ScalarType> {
        if coerce::is_ordered(expr.ty) {
            return Some(expr.ty);
        }
        let message =
            format!("{name} needs a value with an order, and {} has none; convert it first", expr.ty);
        self.problem(Code::TypeMismatch, expr.span, message);
        None
    }

    /// `arg_max` and `arg_min`, which give a column for each argument.
    fn extreme(
        &mut self,
        item: &NamedNode,
        call: ExtremeCall<'_>,
        input: &Schema,
        grouped: &[usize],
        names: &mut Names,
        collector: &mut Collector,
    ) -> Option<Vec<NamedExpr>> {
        let Some((first, rest)) = call.arguments.split_first() else {
            self.wrong_count(call.function, 1, usize::MAX, 0);
            return None;
        };
        let extreme = self.scalar(&first.expr, input).and_then(|expr| {
            self.ordered_argument(call.entry.name, &expr)?;
            Some(expr)
        });
        // In the names of columns these aggregates are called max and min.
        let prefix = call.entry.name.trim_start_matches("arg_");
        let first_name = self.own_name(&first.expr).text();
        let base = format!("{prefix}_{}", first_name.clone().unwrap_or_default());
        let mut columns =
            vec![(extreme, first_name.unwrap_or_else(|| format!("{prefix}_")), first.names.first())];
        for (position, argument) in rest.iter().enumerate() {
            if matches!(argument.expr.kind, ExprKindNode::Star) {
                columns.extend(Self::all_others(&columns, input, grouped, argument.expr.span));
                continue;
            }
            let expr = self.scalar(&argument.expr, input);
            let name = match self.own_name(&argument.expr) {
                OwnName::Column(name) | OwnName::Derived(name) => name,
                OwnName::None => format!("{base}_arg{}", position + 1),
            };
            columns.push((expr, name, argument.names.first()));
        }
        if let Some(extra) = item.names.get(columns.len()) {
            let message = format!("there are {} columns, and this is one name more", columns.len());
            self.problem(Code::Syntax, extra.span, message);
            return None;
        }
        let mut arguments: Option<Vec<Expr>> = Some(Vec::new());
        let mut outputs = Vec::new();
        for (position, (expr, own_name, argument_name)) in columns.into_iter().enumerate() {
            let name = match item.names.get(position).or(argument_name) {
                Some(name) => self.declared(names, &name.text, name.span)?,
                None => names.automatic(&own_name),
            };
            outputs.push(Column::new(name, expr.as_ref().map_or(ScalarType::Dynamic, |expr| expr.ty)));
            arguments = arguments.zip(expr).map(|(mut arguments, expr)| {
                arguments.push(expr);
                arguments
            });
        }
        let outputs = Schema::new(outputs);
        let start = collector.push(AggregateCall {
            aggregate: call.entry.aggregate,
            arguments: arguments?,
            outputs: outputs.clone(),
        });
        let column = |(offset, column): (usize, Column)| NamedExpr {
            name: column.name,
            expr: Expr { kind: ExprKind::Column(start + offset), ty: column.ty, span: call.span },
        };
        Some(outputs.columns.into_iter().enumerate().map(column).collect())
    }

    /// What `*` stands for: all columns that are neither grouped by nor given already.
    fn all_others<'n>(
        given: &[(Option<Expr>, String, Option<&'n Name>)],
        input: &Schema,
        grouped: &[usize],
        span: Span,
    ) -> Vec<(Option<Expr>, String, Option<&'n Name>)> {
        let is_given = |position: usize| {
            given
                .iter()
                .any(|(expr, ..)| expr.as_ref().is_some_and(|expr| expr.kind == ExprKind::Column(position)))
        };
        let others = input.columns.iter().enumerate();
        others
            .filter(|(position, _)| !grouped.contains(position) && !is_given(*position))
            .map(|(position, column)| {
                let expr = Expr { kind: ExprKind::Column(position), ty: column.ty, span };
                (Some(expr), column.name.clone(), None)
            })
            .collect()
    }

    /// Puts the step into the plan, and a second one if something is computed from aggregates.
    fn push_summarize(
        &mut self,
        keys: Vec<NamedExpr>,
        collector: Collector,
        outputs: Vec<NamedExpr>,
        building: &mut Building,
        span: Span,
    ) {
        let key_count = keys.len();
        let mut aggregates = collector.calls;
        let is_direct = outputs.len() == collector.columns
            && outputs
                .iter()
                .enumerate()
                .all(|(position, output)| output.expr.kind == ExprKind::Column(key_count + position));
        // Computed from, aggregates have names that no query can write.
        let names = |position: usize| match is_direct {
            true => outputs[position].name.clone(),
            false => format!("${position}"),
        };
        let columns = aggregates.iter_mut().flat_map(|call| &mut call.outputs.columns);
        for (position, column) in columns.enumerate() {
            column.name = names(position);
        }
        let key_columns = keys.iter().map(|key| Column::new(key.name.clone(), key.expr.ty));
        let aggregate_columns = aggregates.iter().flat_map(|call| call.outputs.columns.iter().cloned());
        let schema = Schema::new(key_columns.chain(aggregate_columns).collect());
        building.push(Operator::Summarize { keys, aggregates }, schema.clone(), span);
        if is_direct {
            return;
        }
        let kept =
            schema.columns.into_iter().take(key_count).enumerate().map(|(position, column)| NamedExpr {
                name: column.name,
                expr: Expr { kind: ExprKind::Column(position), ty: column.ty, span },
            });
        let columns: Vec<NamedExpr> = kept.chain(outputs).collect();
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
    }
}

/// A call of `arg_max` or `arg_min`.
struct ExtremeCall<'n> {
    entry: &'n AggregateEntry,
    function: &'n Name,
    arguments: &'n [NamedNode],
    span: Span,
}

fn is_extreme(aggregate: Aggregate) -> bool {
    match aggregate {
        Aggregate::ArgMax | Aggregate::ArgMin => true,
        Aggregate::Avg
        | Aggregate::Count
        | Aggregate::CountIf
        | Aggregate::DCount
        | Aggregate::DCountIf
        | Aggregate::Max
        | Aggregate::Min
        | Aggregate::Sum
        | Aggregate::SumIf => false,
    }
}
