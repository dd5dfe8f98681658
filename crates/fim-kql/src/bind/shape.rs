//! Operators that take a value apart: `parse` and `mv-expand`.

use super::expression::literal;
use super::naming::OwnName;
use super::special::{call, element};
use super::{Binder, Building};
use crate::ast::{ExpandNode, NamedNode, ParseKind, ParseNode, ParsePart};
use crate::diagnostic::{Code, Span};
use crate::function::Function;
use crate::json;
use crate::plan::{Comparison, Expand, Expr, ExprKind, NamedExpr, Operator};
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    /// A hidden column with the parts of the text, then a column for each of them.
    pub(super) fn parse_text(&mut self, node: &ParseNode, building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let text = self.scalar(&node.text, &input)?.convert_to(ScalarType::String);
        self.check_pattern(&node.pattern)?;
        let pattern = literal(Value::String(pattern_text(node)), ScalarType::String, span);
        let parts = call(Function::ParsePattern, vec![text, pattern], ScalarType::Dynamic, span);

        let mut columns = Self::columns_as_they_are(&input, span);
        columns.push(NamedExpr { name: PARTS.to_owned(), expr: parts });
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema.clone(), span);
        let parts = Expr { kind: ExprKind::Column(input.columns.len()), ty: ScalarType::Dynamic, span };
        if node.is_where {
            let found = call(Function::IsNotNull, vec![parts.clone()], ScalarType::Bool, span);
            building.push(Operator::Filter(found), schema, span);
        }

        let mut columns = Self::columns_as_they_are(&input, span);
        let mut position = 0;
        for part in &node.pattern {
            let ParsePart::Column(name, ty) = part else { continue };
            let found = element(parts.clone(), position);
            let found = match ty {
                ScalarType::Dynamic => {
                    let text = found.convert_to(ScalarType::String);
                    call(Function::ParseJson, vec![text], ScalarType::Dynamic, span)
                }
                ty => found.convert_to(*ty),
            };
            put(&mut columns, &name.text, found);
            position += 1;
        }
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        Some(())
    }

    fn check_pattern(&mut self, pattern: &[ParsePart]) -> Option<()> {
        let mut names: Vec<&str> = Vec::new();
        for (at, part) in pattern.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &pattern[before]);
            match (part, before) {
                (ParsePart::Column(name, _), Some(ParsePart::Column(..) | ParsePart::Any(_))) => {
                    let message = format!(
                        "a text must stand before '{}', so that it is known where it starts",
                        name.text
                    );
                    self.problem(Code::Syntax, name.span, message);
                    return None;
                }
                (ParsePart::Any(span), Some(ParsePart::Any(_))) => {
                    self.problem(Code::Syntax, *span, "a text must stand between '*' and '*'");
                    return None;
                }
                (ParsePart::Any(span), Some(ParsePart::Column(name, ScalarType::String))) => {
                    let message = format!(
                        "'{}' takes all of the text up to the next one; '*' leaves nothing to it",
                        name.text
                    );
                    self.problem(Code::Syntax, *span, message);
                    return None;
                }
                _ => {}
            }
            if let ParsePart::Column(name, _) = part {
                if names.contains(&name.text.as_str()) {
                    let message = format!("there is already a column '{}'", name.text);
                    self.problem(Code::DuplicateName, name.span, message);
                    return None;
                }
                names.push(&name.text);
            }
        }
        Some(())
    }

    /// A row for each element, then the columns where they belong.
    pub(super) fn expand(&mut self, node: &ExpandNode, building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let Expanded { arrays, names, limit } = self.expansion(node, &input)?;
        let mut schema = input.clone();
        let hidden = (0..arrays.len()).map(|at| Column::new(format!("$array{at}"), ScalarType::Dynamic));
        schema.columns.extend(hidden);
        if node.index.is_some() {
            schema.columns.push(Column::new("$position", ScalarType::Long));
        }
        let count = arrays.len();
        let has_index = node.index.is_some();
        let expand = Expand { arrays, makes_pairs: node.makes_pairs, limit, has_index };
        building.push(Operator::Expand(expand), schema, span);

        let mut columns = Self::columns_as_they_are(&input, span);
        put_elements(&mut columns, node, &names, input.columns.len(), span);
        if let Some(index) = &node.index {
            let kind = ExprKind::Column(input.columns.len() + count);
            put(&mut columns, &index.text, Expr { kind, ty: ScalarType::Long, span });
        }
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        Some(())
    }

    /// The arrays that an operator expands, and what their elements are called.
    pub(super) fn expansion(&mut self, node: &ExpandNode, input: &Schema) -> Option<Expanded> {
        let limit = match &node.limit {
            Some(limit) => self.row_count(limit)?,
            None if node.is_old => OLD_LIMIT,
            None => MOST_ROWS,
        };
        let mut arrays = Vec::new();
        let mut names = Vec::new();
        for (item, _) in &node.items {
            let array = self.scalar(&item.expr, input)?;
            if array.ty != ScalarType::Dynamic {
                let hint = if array.ty == ScalarType::String {
                    "; if it is JSON text write parse_json(…)"
                } else {
                    ""
                };
                let message = format!("mv-expand needs a dynamic value, not a {}{hint}", array.ty);
                self.problem(Code::TypeMismatch, item.expr.span, message);
                return None;
            }
            names.push(match array.kind {
                // A column is called as it is, even if a `let` has the same name.
                ExprKind::Column(at) if item.names.is_empty() => input.columns[at].name.clone(),
                _ => self.expanded_name(item, names.len()),
            });
            arrays.push(array);
        }
        Some(Expanded { arrays, names, limit })
    }

    fn expanded_name(&mut self, item: &NamedNode, position: usize) -> String {
        if let Some(name) = self.single_name(item) {
            return name.text.clone();
        }
        match self.own_name(&item.expr) {
            OwnName::Column(name) | OwnName::Derived(name) => name,
            OwnName::None => format!("Column{}", position + 1),
        }
    }

    pub(super) fn columns_as_they_are(input: &Schema, span: Span) -> Vec<NamedExpr> {
        let columns = input.columns.iter().enumerate();
        let column = |(at, column): (usize, &Column)| NamedExpr {
            name: column.name.clone(),
            expr: Expr { kind: ExprKind::Column(at), ty: column.ty, span },
        };
        columns.map(column).collect()
    }
}

/// What `mv-expand` and `mv-apply` take apart.
pub(super) struct Expanded {
    pub(super) arrays: Vec<Expr>,
    /// What the elements of each are called.
    pub(super) names: Vec<String>,
    /// How many rows one row gives at most.
    pub(super) limit: u64,
}

/// Puts the elements, which are in the columns from `first` on, where they belong.
pub(super) fn put_elements(
    columns: &mut Vec<NamedExpr>,
    node: &ExpandNode,
    names: &[String],
    first: usize,
    span: Span,
) {
    for (at, (name, (_, ty))) in names.iter().zip(&node.items).enumerate() {
        let value = Expr { kind: ExprKind::Column(first + at), ty: ScalarType::Dynamic, span };
        put(columns, name, ty.map_or(value.clone(), |ty| cast(value, ty)));
    }
}

/// Replaces the column of this name, or adds one.
pub(super) fn put(columns: &mut Vec<NamedExpr>, name: &str, expr: Expr) {
    match columns.iter_mut().find(|column| column.name == name) {
        Some(column) => column.expr = expr,
        None => columns.push(NamedExpr { name: name.to_owned(), expr }),
    }
}

/// An element in a type. It is taken as it is and not parsed: a text is no number.
fn cast(value: Expr, ty: ScalarType) -> Expr {
    let span = value.span;
    match ty {
        ScalarType::Bool | ScalarType::Int | ScalarType::Long | ScalarType::Real | ScalarType::Decimal => {
            let kind = call(Function::GetType, vec![value.clone()], ScalarType::String, span);
            let text = literal(Value::String("string".to_owned()), ScalarType::String, span);
            let (left, right) = (Box::new(kind), Box::new(text));
            let is_text = ExprKind::Compare { operator: Comparison::Equal, left, right };
            let is_text = Expr { kind: is_text, ty: ScalarType::Bool, span };
            let branches = vec![(is_text, literal(Value::Null, ty, span))];
            let kind = ExprKind::Case { branches, otherwise: Box::new(value.convert_to(ty)) };
            Expr { kind, ty, span }
        }
        ScalarType::DateTime
        | ScalarType::String
        | ScalarType::TimeSpan
        | ScalarType::Guid
        | ScalarType::Dynamic => value.convert_to(ty),
    }
}

/// The pattern as [`Function::ParsePattern`] reads it.
fn pattern_text(node: &ParseNode) -> String {
    let kind = match node.kind {
        ParseKind::Simple => "simple",
        ParseKind::Relaxed => "relaxed",
        ParseKind::Regex => "regex",
    };
    let part = |part: &ParsePart| match part {
        ParsePart::Any(_) => r#"["any"]"#.to_owned(),
        ParsePart::Text(text, _) => format!(r#"["text",{}]"#, json::text(text)),
        ParsePart::Column(_, ty) => format!(r#"["column","{ty}"]"#),
    };
    let parts: Vec<String> = node.pattern.iter().map(part).collect();
    format!(r#"{{"kind":"{kind}","flags":{},"parts":[{}]}}"#, json::text(&node.flags), parts.join(","))
}

/// The hidden column of what `parse` found. No column of a query can be called like this.
const PARTS: &str = "$parts";
/// How many rows `mvexpand` makes of one if no limit is written.
const OLD_LIMIT: u64 = 128;
/// How many rows `mv-expand` makes of one if no limit is written.
const MOST_ROWS: u64 = 2_147_483_647;
