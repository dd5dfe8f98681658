//! `evaluate`: plugins that turn the shape of a table round.

use super::expression::literal;
use super::{Binder, Building};
use crate::ast::{EvaluateNode, ExprKindNode, Name, NamedNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{
    Comparison, Expr, ExprKind, Join, JoinKey, JoinKind, NamedExpr, Operator, Plan, SortKey, Source,
    WindowCall,
};
use crate::suggest::{nearest, not_yet};
use crate::types::{Column, ScalarType, Schema, Value};
use crate::window_function::WindowFunction;

impl Binder<'_> {
    /// `evaluate plugin(…)`
    pub(super) fn evaluate(
        &mut self,
        node: &EvaluateNode,
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let (name, arguments): (&Name, &[NamedNode]) = match &node.call.kind {
            ExprKindNode::Call { function, arguments } => (function, arguments),
            ExprKindNode::Missing => return None,
            _ => {
                let problem = Problem::new(Code::Syntax, node.call.span, "evaluate runs a plugin");
                self.problems.push(problem.expecting(["Plugin(Argument, …)"]));
                return None;
            }
        };
        match name.text.as_str() {
            "pivot" => self.pivot(name, arguments, node.schema.as_ref(), building, span),
            "narrow" => self.narrow(name, arguments, building, span),
            "bag_unpack" => self.bag_unpack(name, arguments, node.schema.as_ref(), building, span),
            other if KNOWN_PLUGINS.contains(&other) => {
                let message = not_yet(
                    &format!("the plugin '{other}'"),
                    "evaluate knows narrow, pivot and bag_unpack; other operators stand in the reference of KQL",
                );
                self.problem(Code::NotSupported, name.span, message);
                None
            }
            other => {
                let message = format!("there is no plugin '{other}'");
                let suggestion = nearest(other, KNOWN_PLUGINS);
                self.problems
                    .push(Problem::new(Code::UnknownFunction, name.span, message).suggesting(suggestion));
                None
            }
        }
    }

    /// `narrow()`: a row for each cell, with the number of its row, the name of its column and its text.
    ///
    /// Each row meets each column of a table of names, and takes the cell that the name says.
    fn narrow(
        &mut self,
        name: &Name,
        arguments: &[NamedNode],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        if !arguments.is_empty() {
            self.wrong_count(name, 0, 0, arguments.len());
            return None;
        }
        let input = building.schema().clone();
        let width = input.columns.len();
        self.count_expression(span, width.saturating_mul(4))?;
        self.push_row_number(building, span);
        let right = names_of(&input);
        let all = building.schema().columns.iter().chain(&right.source_schema.columns);
        let joined = Schema::new(
            all.enumerate().map(|(at, column)| Column::new(format!("${at}"), column.ty)).collect(),
        );
        // Every row meets every name: there is one key, and it is the same everywhere.
        let one = literal(Value::Long(0), ScalarType::Long, span);
        let keys = vec![JoinKey { left: one.clone(), right: one }];
        let join = Join { kind: JoinKind::Inner, right, keys };
        building.push(Operator::Join(Box::new(join)), joined.clone(), span);

        let of = |at: usize, ty| Expr { kind: ExprKind::Column(at), ty, span };
        let (row, position) = (of(width, ScalarType::Long), of(width + 1, ScalarType::Long));
        let ascending = |expr: &Expr| SortKey { expr: expr.clone(), is_descending: false, nulls_first: true };
        building.push(Operator::Sort(vec![ascending(&row), ascending(&position)]), joined, span);
        let columns = vec![
            NamedExpr { name: "Row".to_owned(), expr: row },
            NamedExpr { name: "Column".to_owned(), expr: of(width + 2, ScalarType::String) },
            NamedExpr { name: "Value".to_owned(), expr: cell_at(&input, &position, span) },
        ];
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        building.is_serialized = true;
        self.unknown_columns.clear();
        Some(())
    }

    /// Adds a column with the number of each row, from 0.
    fn push_row_number(&mut self, building: &mut Building, span: Span) {
        let zero = literal(Value::Long(0), ScalarType::Long, span);
        let never = literal(Value::Bool(false), ScalarType::Bool, span);
        let output = Column::new("$row", ScalarType::Long);
        let mut schema = building.schema().clone();
        schema.columns.push(output.clone());
        let order = building.order().unwrap_or_default();
        let (function, arguments) = (WindowFunction::RowNumber, vec![zero, never]);
        let call = WindowCall { function, arguments, groups: Vec::new(), order, output };
        building.push(Operator::Window(Box::new(call)), schema, span);
    }
}

/// A table with the position and name of each column.
fn names_of(schema: &Schema) -> Plan {
    let row = |(position, column): (usize, &Column)| {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        vec![Value::Long(position), Value::String(column.name.clone())]
    };
    Plan {
        source: Source::Rows(schema.columns.iter().enumerate().map(row).collect()),
        source_schema: Schema::new(vec![
            Column::new("$position", ScalarType::Long),
            Column::new("$name", ScalarType::String),
        ]),
        steps: Vec::new(),
    }
}

/// The text of the cell in the column at a position that each row tells.
fn cell_at(input: &Schema, position: &Expr, span: Span) -> Expr {
    let empty = literal(Value::String(String::new()), ScalarType::String, span);
    let branches = input.columns.iter().enumerate().map(|(at, column)| {
        let this = literal(Value::Long(i64::try_from(at).unwrap_or(i64::MAX)), ScalarType::Long, span);
        let kind = ExprKind::Compare {
            operator: Comparison::Equal,
            left: Box::new(position.clone()),
            right: Box::new(this),
        };
        let cell = Expr { kind: ExprKind::Column(at), ty: column.ty, span };
        (Expr { kind, ty: ScalarType::Bool, span }, cell.convert_to(ScalarType::String))
    });
    let kind = ExprKind::Case { branches: branches.collect(), otherwise: Box::new(empty) };
    Expr { kind, ty: ScalarType::String, span }
}

/// The plugins of the language.
const KNOWN_PLUGINS: [&str; 33] = [
    "active_users_count",
    "activity_counts_metrics",
    "activity_engagement",
    "activity_metrics",
    "autocluster",
    "azure_digital_twins_query_request",
    "bag_unpack",
    "basket",
    "cosmosdb_sql_request",
    "dcount_intersect",
    "diffpatterns",
    "diffpatterns_text",
    "funnel_sequence",
    "funnel_sequence_completion",
    "geo_line_lookup",
    "geo_polygon_lookup",
    "http_request",
    "http_request_post",
    "infer_storage_schema",
    "ipv4_lookup",
    "ipv6_lookup",
    "mysql_request",
    "narrow",
    "new_activity_metrics",
    "pivot",
    "postgresql_request",
    "preview",
    "python",
    "r",
    "rolling_percentile",
    "rows_near",
    "schema_merge",
    "sql_request",
];
