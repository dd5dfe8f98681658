//! `evaluate pivot(…)`: a column for each value of a column.
//!
//! Which values there are only the rows can tell; see [`Bound`](super::Bound).

use super::operator::column;
use super::{Binder, Building};
use crate::ast::{ExprKindNode, ExprNode, Name, NamedNode, OutputSchemaNode};
use crate::diagnostic::{Code, Span};
use crate::plan::{AggregateCall, Comparison, Expr, ExprKind, NamedExpr, Operator, Plan, Step};
use crate::registry;
use crate::types::{Column, ScalarType, Schema, Value};

/// What the arguments of `pivot` say.
struct Pivot {
    /// The column whose values become columns.
    column: usize,
    /// What is computed for each of them.
    aggregate: AggregateCall,
    ty: ScalarType,
    /// The columns that rows are grouped by.
    keys: Vec<usize>,
}

impl Binder<'_> {
    pub(super) fn pivot(
        &mut self,
        name: &Name,
        arguments: &[NamedNode],
        declared: Option<&OutputSchemaNode>,
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let pivot = self.pivot_arguments(name, arguments, &input, span)?;
        let text = column(&input, pivot.column, span).expr.convert_to(ScalarType::String);
        let values = match declared {
            Some(declared) => declared_values(declared, &input, &pivot),
            None => {
                let question = values_of(building.plan.clone(), &text, span);
                let mut values: Vec<String> = self.answer(question)?.iter().map(crate::json::plain).collect();
                values.sort_unstable();
                values.into_iter().map(|value| (value, pivot.ty)).collect()
            }
        };
        self.check_values(&values, &input, &pivot, name.span)?;
        self.count_expression(span, values.len().saturating_mul(4))?;

        let keys: Vec<NamedExpr> = pivot.keys.iter().map(|at| column(&input, *at, span)).collect();
        let aggregates = values.iter().map(|(value, _)| {
            let is_value = is_text(&text, value, span);
            let condition = match &pivot.aggregate.condition {
                Some(condition) => {
                    let kind = ExprKind::And(vec![is_value, condition.clone()]);
                    Expr { kind, ty: ScalarType::Bool, span }
                }
                None => is_value,
            };
            let outputs = Schema::new(vec![Column::new(value.clone(), pivot.ty)]);
            AggregateCall { condition: Some(condition), outputs, ..pivot.aggregate.clone() }
        });
        let aggregates: Vec<AggregateCall> = aggregates.collect();
        let key_columns = keys.iter().map(|key| Column::new(key.name.clone(), key.expr.ty));
        let others = aggregates.iter().flat_map(|call| call.outputs.columns.iter().cloned());
        let schema = Schema::new(key_columns.chain(others).collect());
        building.push(Operator::Summarize { keys, aggregates }, schema.clone(), span);
        if declared.is_some() {
            let key_count = pivot.keys.len();
            let columns: Vec<NamedExpr> = (0..schema.columns.len())
                .map(|at| {
                    let own = column(&schema, at, span);
                    let ty = at.checked_sub(key_count).map_or(own.expr.ty, |value| values[value].1);
                    NamedExpr { expr: own.expr.convert_to(ty), ..own }
                })
                .collect();
            let schema = Self::schema_of(&columns);
            building.push(Operator::Project(columns), schema, span);
        }
        building.is_serialized = false;
        self.unknown_columns.clear();
        Some(())
    }

    fn pivot_arguments(
        &mut self,
        name: &Name,
        arguments: &[NamedNode],
        input: &Schema,
        span: Span,
    ) -> Option<Pivot> {
        let Some((first, rest)) = arguments.split_first() else {
            self.wrong_count(name, 1, usize::MAX, 0);
            return None;
        };
        let position = self.pivot_column(&first.expr, input)?;
        let (aggregate, rest) = match rest.split_first() {
            Some((aggregate, rest)) => (Some(&aggregate.expr), rest),
            None => (None, rest),
        };
        let (aggregate, ty) = self.pivot_aggregate(aggregate, input, span)?;
        let keys = match rest {
            [] => {
                let mut used = vec![position];
                let mut left: Vec<&Expr> = aggregate.arguments.iter().chain(&aggregate.condition).collect();
                while let Some(expr) = left.pop() {
                    used.extend(match expr.kind {
                        ExprKind::Column(at) => Some(at),
                        _ => None,
                    });
                    expr.children(&mut left);
                }
                (0..input.columns.len()).filter(|at| !used.contains(at)).collect()
            }
            named => {
                let keys: Vec<Option<usize>> =
                    named.iter().map(|item| self.pivot_column(&item.expr, input)).collect();
                keys.into_iter().collect::<Option<Vec<usize>>>()?
            }
        };
        let are_groupable: Vec<bool> =
            keys.iter().map(|at| self.is_groupable(&column(input, *at, span).expr)).collect();
        are_groupable.into_iter().all(|is| is).then_some(Pivot { column: position, aggregate, ty, keys })
    }

    fn pivot_column(&mut self, node: &ExprNode, input: &Schema) -> Option<usize> {
        match self.scalar(node, input)?.kind {
            ExprKind::Column(at) => Some(at),
            _ => {
                let message = "pivot needs a column here; compute it before, by extend";
                self.problem(Code::TypeMismatch, node.span, message);
                None
            }
        }
    }

    /// The aggregate of each cell; the number of rows if none is written.
    fn pivot_aggregate(
        &mut self,
        node: Option<&ExprNode>,
        input: &Schema,
        span: Span,
    ) -> Option<(AggregateCall, ScalarType)> {
        let count = Name { text: "count".to_owned(), span };
        let (function, arguments): (&Name, &[NamedNode]) = match node.map(|node| &node.kind) {
            None => (&count, &[]),
            Some(ExprKindNode::Call { function, arguments }) => (function, arguments),
            Some(_) => {
                let message = "pivot needs an aggregate here, as sum(Column)";
                self.problem(Code::TypeMismatch, node.map_or(span, |node| node.span), message);
                return None;
            }
        };
        let entry = registry::aggregate(&function.text);
        let bound = entry.and_then(|entry| self.aggregate(entry, function, arguments, input));
        if bound.is_none() {
            let message = format!(
                "pivot cannot compute {}(…) here; it needs one aggregate, as sum(Column)",
                function.text
            );
            self.problem(Code::TypeMismatch, function.span, message);
        }
        bound
    }

    fn check_values(
        &mut self,
        values: &[(String, ScalarType)],
        input: &Schema,
        pivot: &Pivot,
        span: Span,
    ) -> Option<()> {
        if values.len() > MOST_COLUMNS {
            let message = format!(
                "the column '{}' has {} values, and pivot makes at most {MOST_COLUMNS} columns; filter before",
                input.columns[pivot.column].name,
                values.len()
            );
            self.problem(Code::TooLarge, span, message);
            return None;
        }
        let is_key = |value: &str| pivot.keys.iter().any(|at| input.columns[*at].name == value);
        for (value, _) in values {
            let message = match value.as_str() {
                "" => "an empty value cannot be the name of a column; leave it out before, by where isnotempty(…)".to_owned(),
                value if is_key(value) => {
                    format!("the value '{value}' is called like a column that rows are grouped by; rename that before")
                }
                _ => continue,
            };
            self.problem(Code::DuplicateName, span, message);
            return None;
        }
        Some(())
    }
}

/// The query for the different values of the column.
fn values_of(mut plan: Plan, text: &Expr, span: Span) -> Plan {
    let columns = vec![NamedExpr { name: "value".to_owned(), expr: text.clone() }];
    let schema = Schema::new(vec![Column::new("value", ScalarType::String)]);
    plan.steps.push(Step { operator: Operator::Project(columns), schema: schema.clone(), span });
    plan.steps.push(Step { operator: Operator::Distinct, schema, span });
    plan
}

/// The values that the text names, without the columns that rows are grouped by.
fn declared_values(declared: &OutputSchemaNode, input: &Schema, pivot: &Pivot) -> Vec<(String, ScalarType)> {
    let is_key = |name: &str| pivot.keys.iter().any(|at| input.columns[*at].name == name);
    let columns = declared.columns.iter().filter(|(name, _)| !is_key(&name.text));
    columns.map(|(name, ty)| (name.text.clone(), ty.unwrap_or(pivot.ty))).collect()
}

fn is_text(text: &Expr, value: &str, span: Span) -> Expr {
    let value = super::expression::literal(Value::String(value.to_owned()), ScalarType::String, span);
    let (left, right) = (Box::new(text.clone()), Box::new(value));
    let kind = ExprKind::Compare { operator: Comparison::Equal, left, right };
    Expr { kind, ty: ScalarType::Bool, span }
}

/// The most columns that `pivot` makes.
const MOST_COLUMNS: usize = 500;
