//! `search`: a text in any column.

use super::expression::{Scope, literal};
use super::operator::column;
use super::union::Combining;
use super::{Binder, Building};
use crate::ast::{BinaryOperator, ColumnPattern, ExprKindNode, ExprNode, Name, SearchNode, TableNode};
use crate::diagnostic::{Code, Span};
use crate::parser::search_match;
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, Source, TextMatch};
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    /// `search` at the start: in these tables, or in all of them.
    pub(super) fn search_tables(&mut self, node: &SearchNode, span: Span) -> Option<Building> {
        let all = [TableNode::Wildcard(ColumnPattern {
            name: Name { text: "*".to_owned(), span },
            is_wildcard: true,
        })];
        let tables = if node.tables.is_empty() { &all[..] } else { &node.tables };
        let mut inputs = Vec::new();
        self.add_inputs(tables, false, &mut inputs)?;
        let combining = Combining { is_inner: false, source_column: Some(TABLE_COLUMN) };
        let mut building = self.combine(inputs, combining, span)?;
        self.keep_found(node, &mut building, span)?;
        Some(building)
    }

    /// `search` over the rows so far, which are told to be those of their table.
    pub(super) fn search(&mut self, node: &SearchNode, building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        if input.index_of(TABLE_COLUMN).is_none() {
            let name = match &building.plan.source {
                Source::Table(name) => name.table.clone(),
                Source::OneRow | Source::Rows(_) | Source::Range { .. } | Source::Union(_) => {
                    "search_arg0".to_owned()
                }
            };
            let table = NamedExpr {
                name: TABLE_COLUMN.to_owned(),
                expr: literal(Value::String(name), ScalarType::String, span),
            };
            let own = (0..input.columns.len()).map(|at| column(&input, at, span));
            let columns: Vec<NamedExpr> = std::iter::once(table).chain(own).collect();
            let schema = Self::schema_of(&columns);
            building.push(Operator::Project(columns), schema, span);
        }
        self.keep_found(node, building, span)
    }

    fn keep_found(&mut self, node: &SearchNode, building: &mut Building, span: Span) -> Option<()> {
        let schema = building.schema().clone();
        let condition = self.searched(&node.predicate, node.is_case_sensitive, &schema)?;
        building.push(Operator::Filter(condition), schema, span);
        Some(())
    }

    /// The condition that a predicate of `search` means.
    fn searched(&mut self, node: &ExprNode, is_case_sensitive: bool, schema: &Schema) -> Option<Expr> {
        match &node.kind {
            ExprKindNode::Literal(Value::String(pattern), _) => {
                let mut pattern = pattern.clone();
                let how = search_match(&mut pattern, is_case_sensitive);
                self.in_any_column(how, false, &pattern, node.span, schema)
            }
            ExprKindNode::Logical { is_and, operands } => {
                let operands: Vec<Option<Expr>> = operands
                    .iter()
                    .map(|operand| self.searched(operand, is_case_sensitive, schema))
                    .collect();
                let operands = operands.into_iter().collect::<Option<Vec<Expr>>>()?;
                let kind = if *is_and { ExprKind::And(operands) } else { ExprKind::Or(operands) };
                Some(Expr { kind, ty: ScalarType::Bool, span: node.span })
            }
            ExprKindNode::Binary {
                operator: BinaryOperator::Text { how, is_negated }, left, right, ..
            } if matches!(left.kind, ExprKindNode::Star) => {
                let ExprKindNode::Literal(Value::String(pattern), _) = &right.kind else {
                    let message = "'*' is searched for a constant text";
                    self.problem(Code::InvalidConstant, right.span, message);
                    return None;
                };
                self.in_any_column(*how, *is_negated, pattern, node.span, schema)
            }
            _ => self.truth(node, &mut Scope::values(schema)),
        }
    }

    /// Whether any of the columns that hold text has the pattern.
    fn in_any_column(
        &mut self,
        how: TextMatch,
        is_negated: bool,
        pattern: &str,
        span: Span,
        schema: &Schema,
    ) -> Option<Expr> {
        let texts = schema.columns.iter().enumerate();
        let is_text = |column: &Column| {
            matches!(column.ty, ScalarType::String | ScalarType::Dynamic) && column.name != TABLE_COLUMN
        };
        let texts = texts.filter(|(_, column)| is_text(column));
        let matches: Vec<Expr> = texts
            .map(|(position, column)| {
                let text = Expr { kind: ExprKind::Column(position), ty: column.ty, span };
                let pattern = literal(Value::String(pattern.to_owned()), ScalarType::String, span);
                let kind = ExprKind::Match {
                    operator: how,
                    is_negated,
                    text: Box::new(text.convert_to(ScalarType::String)),
                    pattern: Box::new(pattern),
                };
                Expr { kind, ty: ScalarType::Bool, span }
            })
            .collect();
        self.count_expression(span, matches.len().saturating_mul(2))?;
        let kind = match matches.len() {
            0 => return Some(literal(Value::Bool(false), ScalarType::Bool, span)),
            1 => return matches.into_iter().next(),
            _ => ExprKind::Or(matches),
        };
        Some(Expr { kind, ty: ScalarType::Bool, span })
    }
}

/// The column that tells the table of each row; it is not searched itself.
const TABLE_COLUMN: &str = "$table";
