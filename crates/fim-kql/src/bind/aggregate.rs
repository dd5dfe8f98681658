//! `summarize`: groups and what is computed for each.

use super::expression::Scope;
use super::groups::row_number;
use super::naming::{Names, OwnName, percentile_name};
use super::{Binder, Building};
use crate::aggregate::Aggregate;
use crate::ast::{ExprKindNode, Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::plan::{AggregateCall, Expr, ExprKind, NamedExpr, Operator};
use crate::registry::{self, AggregateEntry, AggregateNaming};
use crate::types::{Column, ScalarType, Schema};

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
    /// For columns that stand behind so many keys.
    pub(super) fn behind(keys: usize) -> Self {
        Self { keys, calls: Vec::new(), columns: 0 }
    }

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
        let mut collector = Collector::behind(keys.len());
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

    pub(super) fn group_keys(
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
    pub(super) fn summarized(
        &mut self,
        item: &NamedNode,
        input: &Schema,
        grouped: &[usize],
        names: &mut Names,
        collector: &mut Collector,
    ) -> Option<Vec<NamedExpr>> {
        if let ExprKindNode::Call { function, arguments } = &item.expr.kind
            && let Some(entry) = registry::aggregate(&function.text)
            && has_columns(entry, arguments)
        {
            let call = ColumnsCall { entry, function, arguments, span: item.expr.span };
            return self.columns_of(item, call, input, grouped, names, collector);
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
        if has_columns(entry, arguments) {
            let message = format!("'{}' gives several columns and cannot be an operand", entry.name);
            self.problem(Code::Aggregation, function.span, message);
            return NestedAggregate::Wrong;
        }
        let Some((call, ty)) = self.aggregate(entry, function, arguments, scope.schema) else {
            return NestedAggregate::Wrong;
        };
        let Some(collector) = scope.collector.as_deref_mut() else { return NestedAggregate::Wrong };
        let position = collector.push(call);
        NestedAggregate::Column(Expr { kind: ExprKind::Column(position), ty, span })
    }

    /// Aggregates that give several columns: `arg_max`, `arg_min`, `take_any`, `percentiles`.
    fn columns_of(
        &mut self,
        item: &NamedNode,
        call: ColumnsCall<'_>,
        input: &Schema,
        grouped: &[usize],
        names: &mut Names,
        collector: &mut Collector,
    ) -> Option<Vec<NamedExpr>> {
        if call.entry.aggregate == Aggregate::Percentiles {
            return self.percentile_columns(item, call, input, names, collector);
        }
        let Some((first, rest)) = call.arguments.split_first() else {
            self.wrong_count(call.function, 1, usize::MAX, 0);
            return None;
        };
        let mut columns: Vec<GivenColumn<'_>> = Vec::new();
        let AggregateNaming::Prefixed(prefix) = call.entry.naming else {
            // `take_any`: every argument is a column of its own.
            for (position, argument) in call.arguments.iter().enumerate() {
                self.given(argument, &format!("any_arg{position}"), input, grouped, &mut columns);
            }
            return self.push_columns(item, call, columns, names, collector);
        };
        let extreme = self.scalar(&first.expr, input).and_then(|expr| {
            self.ordered_argument(call.entry.name, &expr)?;
            Some(expr)
        });
        let first_name = self.own_name(&first.expr).text();
        let base = format!("{prefix}_{}", first_name.clone().unwrap_or_default());
        columns.push((extreme, first_name.unwrap_or_else(|| format!("{prefix}_")), first.names.first()));
        for (position, argument) in rest.iter().enumerate() {
            self.given(argument, &format!("{base}_arg{}", position + 1), input, grouped, &mut columns);
        }
        self.push_columns(item, call, columns, names, collector)
    }

    /// Adds the column of an argument, or all others for `*`.
    fn given<'n>(
        &mut self,
        argument: &'n NamedNode,
        base: &str,
        input: &Schema,
        grouped: &[usize],
        columns: &mut Vec<GivenColumn<'n>>,
    ) {
        if matches!(argument.expr.kind, ExprKindNode::Star) {
            let others = Self::all_others(columns, input, grouped, argument.expr.span);
            columns.extend(others);
            return;
        }
        let expr = self.scalar(&argument.expr, input);
        let name = match self.own_name(&argument.expr) {
            OwnName::Column(name) | OwnName::Derived(name) => name,
            OwnName::None => base.to_owned(),
        };
        columns.push((expr, name, argument.names.first()));
    }

    /// Names the columns and adds the aggregate that fills them.
    fn push_columns(
        &mut self,
        item: &NamedNode,
        call: ColumnsCall<'_>,
        columns: Vec<GivenColumn<'_>>,
        names: &mut Names,
        collector: &mut Collector,
    ) -> Option<Vec<NamedExpr>> {
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
        Some(Self::push_call(call, arguments?, Schema::new(outputs), collector))
    }

    fn percentile_columns(
        &mut self,
        item: &NamedNode,
        call: ColumnsCall<'_>,
        input: &Schema,
        names: &mut Names,
        collector: &mut Collector,
    ) -> Option<Vec<NamedExpr>> {
        let (aggregate, ty) = self.aggregate(call.entry, call.function, call.arguments, input)?;
        let argument = self.own_name(&call.arguments.first()?.expr).text().unwrap_or_default();
        let mut outputs = Vec::new();
        for (position, percentage) in call.arguments.iter().skip(1).enumerate() {
            let name = match item.names.get(position) {
                Some(name) => self.declared(names, &name.text, name.span)?,
                None => names.automatic(&percentile_name(&argument, Some(&percentage.expr.kind))),
            };
            outputs.push(Column::new(name, ty));
        }
        Some(Self::push_call(call, aggregate.arguments, Schema::new(outputs), collector))
    }

    fn push_call(
        call: ColumnsCall<'_>,
        arguments: Vec<Expr>,
        outputs: Schema,
        collector: &mut Collector,
    ) -> Vec<NamedExpr> {
        let start = collector.push(AggregateCall {
            aggregate: call.entry.aggregate,
            arguments,
            condition: None,
            outputs: outputs.clone(),
        });
        let column = |(offset, column): (usize, Column)| NamedExpr {
            name: column.name,
            expr: Expr { kind: ExprKind::Column(start + offset), ty: column.ty, span: call.span },
        };
        outputs.columns.into_iter().enumerate().map(column).collect()
    }

    /// What `*` stands for: all columns that are neither grouped by nor given already.
    fn all_others<'n>(
        given: &[GivenColumn<'n>],
        input: &Schema,
        grouped: &[usize],
        span: Span,
    ) -> Vec<GivenColumn<'n>> {
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

    /// Lists keep the order of the rows: where these have one, each list is given their numbers.
    fn number_rows(&mut self, aggregates: &mut [AggregateCall], building: &mut Building, span: Span) {
        let is_list = |call: &&mut AggregateCall| {
            matches!(call.aggregate, Aggregate::MakeList | Aggregate::MakeListWithNulls)
        };
        let mut lists = aggregates.iter_mut().filter(is_list).peekable();
        if !building.is_serialized || lists.peek().is_none() {
            return;
        }
        let Some(order) = building.order() else {
            let message =
                "a list of rows that are sorted by columns that are gone is not supported yet; sort later";
            self.problem(Code::NotSupported, span, message);
            return;
        };
        let mut schema = building.schema().clone();
        let kind = ExprKind::Column(schema.columns.len());
        let output = Column::new("$row", ScalarType::Long);
        schema.columns.push(output.clone());
        let numbers = row_number(order, output, span);
        building.push(Operator::Window(Box::new(numbers)), schema, span);
        for list in lists {
            list.arguments.push(Expr { kind: kind.clone(), ty: ScalarType::Long, span });
        }
    }

    /// Puts the step into the plan, and a second one if something is computed from aggregates.
    pub(super) fn push_summarize(
        &mut self,
        keys: Vec<NamedExpr>,
        collector: Collector,
        outputs: Vec<NamedExpr>,
        building: &mut Building,
        span: Span,
    ) {
        let key_count = keys.len();
        let mut aggregates = collector.calls;
        self.number_rows(&mut aggregates, building, span);
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

/// What fills a column, what it is called of itself, and the name that was written before it.
type GivenColumn<'n> = (Option<Expr>, String, Option<&'n Name>);

/// A call of an aggregate that gives several columns.
struct ColumnsCall<'n> {
    entry: &'n AggregateEntry,
    function: &'n Name,
    arguments: &'n [NamedNode],
    span: Span,
}

/// Whether a call gives columns and no value that could be an operand.
fn has_columns(entry: &AggregateEntry, arguments: &[NamedNode]) -> bool {
    let is_star = |argument: &NamedNode| matches!(argument.expr.kind, ExprKindNode::Star);
    match entry.aggregate {
        Aggregate::ArgMax | Aggregate::ArgMin => true,
        Aggregate::TakeAny => {
            entry.name == "take_any" && (arguments.len() > 1 || arguments.iter().any(is_star))
        }
        Aggregate::Percentiles => arguments.len() > 2,
        Aggregate::Avg
        | Aggregate::BinaryAllAnd
        | Aggregate::BinaryAllOr
        | Aggregate::BinaryAllXor
        | Aggregate::BuildSchema
        | Aggregate::Count
        | Aggregate::CountDistinct
        | Aggregate::Covariance
        | Aggregate::CovarianceP
        | Aggregate::DCount
        | Aggregate::MakeBag
        | Aggregate::MakeList
        | Aggregate::MakeListWithNulls
        | Aggregate::MakeSet
        | Aggregate::Max
        | Aggregate::Min
        | Aggregate::PercentilesArray
        | Aggregate::Series
        | Aggregate::Stdev
        | Aggregate::StdevP
        | Aggregate::Sum
        | Aggregate::TDigest
        | Aggregate::TDigestMerge
        | Aggregate::Variance
        | Aggregate::VarianceP => false,
    }
}
