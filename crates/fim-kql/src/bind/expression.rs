//! Expressions: what each name is, and which types go together.

use super::coerce;
use super::function::CallNode;
use super::window::Windows;
use super::{Binder, Let, aggregate::Collector, fold};
use crate::ast::{BinaryOperator, ExprKindNode, ExprNode, ListOperator};
use crate::diagnostic::{Code, Problem, Span};
use crate::json;
use crate::plan::{Comparison, Expr, ExprKind, TextMatch};
use crate::registry;
use crate::suggest::{likely, nearest};
use crate::types::{ScalarType, Schema, Value};

/// What an expression may refer to.
pub(super) struct Scope<'s> {
    /// The columns of the input.
    pub(super) schema: &'s Schema,
    /// Where aggregates are collected, if they may stand here; columns may not, then.
    pub(super) collector: Option<&'s mut Collector>,
    /// Where calls of `prev` and its kin are collected, if they may stand here.
    pub(super) windows: Option<&'s mut Windows>,
}

impl<'s> Scope<'s> {
    /// Values over the columns of `schema`, without aggregates.
    pub(super) fn values(schema: &'s Schema) -> Self {
        Self { schema, collector: None, windows: None }
    }
}

impl Binder<'_> {
    /// An expression over the columns of `schema`, without aggregates. None if it is wrong, which was said.
    pub(super) fn scalar(&mut self, node: &ExprNode, schema: &Schema) -> Option<Expr> {
        self.expr(node, &mut Scope::values(schema))
    }

    pub(super) fn expr(&mut self, node: &ExprNode, scope: &mut Scope<'_>) -> Option<Expr> {
        self.count_expression(node.span, 1)?;
        self.deeper(node.span)?;
        let expr = self.expr_inside(node, scope);
        self.nesting -= 1;
        expr
    }

    fn expr_inside(&mut self, node: &ExprNode, scope: &mut Scope<'_>) -> Option<Expr> {
        match &node.kind {
            ExprKindNode::Missing => None,
            ExprKindNode::Literal(value, ty) => Some(literal(value.clone(), *ty, node.span)),
            ExprKindNode::Name(name) => self.name(name, node.span, scope),
            ExprKindNode::Star => {
                self.problem(Code::Syntax, node.span, "'*' does not stand for a value here");
                None
            }
            ExprKindNode::TypeOf(_) => {
                self.problem(Code::Syntax, node.span, "a type does not stand for a value here");
                None
            }
            ExprKindNode::Query(_) => {
                let message = "a table is not a value; for its first value write toscalar(…)";
                self.problem(Code::TypeMismatch, node.span, message);
                None
            }
            ExprKindNode::Sign { is_minus, operand } => self.sign(*is_minus, operand, node.span, scope),
            ExprKindNode::Binary { operator, left, right, operator_span } => {
                let left = self.expr(left, scope);
                let right = self.expr(right, scope);
                self.binary(*operator, left?, right?, *operator_span)
            }
            ExprKindNode::Logical { is_and, operands } => {
                let operands: Vec<Option<Expr>> =
                    operands.iter().map(|operand| self.truth(operand, scope)).collect();
                let operands = operands.into_iter().collect::<Option<Vec<Expr>>>()?;
                let kind = if *is_and { ExprKind::And(operands) } else { ExprKind::Or(operands) };
                Some(Expr { kind, ty: ScalarType::Bool, span: node.span })
            }
            ExprKindNode::Between { is_negated, value, low, high } => {
                let (value, low, high) =
                    (self.expr(value, scope), self.expr(low, scope), self.expr(high, scope));
                self.between(*is_negated, value?, low?, high?, node.span)
            }
            ExprKindNode::List { operator, value, items } => {
                self.list(*operator, value, items, node.span, scope)
            }
            ExprKindNode::Member { bag, name } => {
                let bag = self.dynamic_container(bag, scope)?;
                let kind = ExprKind::Member { bag: Box::new(bag), name: name.text.clone() };
                Some(Expr { kind, ty: ScalarType::Dynamic, span: node.span })
            }
            ExprKindNode::Index { container, index } => {
                match self.element_of_sorted(container, index, node.span, scope) {
                    Some(element) => element,
                    None => self.index(container, index, node.span, scope),
                }
            }
            ExprKindNode::Call { function, arguments } => self.call(function, arguments, node.span, scope),
        }
    }

    fn name(&mut self, name: &str, span: Span, scope: &mut Scope<'_>) -> Option<Expr> {
        if self.unknown_columns.contains(name) {
            return None;
        }
        if let Some(position) = scope.schema.index_of(name) {
            if scope.collector.is_some() {
                let message = format!("'{name}' must stand in an aggregate, as max({name}), or behind `by`");
                self.problem(Code::Aggregation, span, message);
                return None;
            }
            let ty = scope.schema.columns[position].ty;
            return Some(Expr { kind: ExprKind::Column(position), ty, span });
        }
        match self.lets.find(name) {
            Some(Let::Scalar { expr, rows }) => {
                let is_of_other_rows = *rows != self.rows && refers_to_columns(expr);
                let value = Expr { span, ..expr.clone() };
                if is_of_other_rows {
                    let message =
                        format!("'{name}' differs from row to row, and cannot be used in a query here");
                    self.problem(Code::NotSupported, span, message);
                    return None;
                }
                self.count_expression(span, size(&value))?;
                return Some(value);
            }
            Some(Let::Unknown) => return None,
            Some(Let::Table { .. }) => {
                self.problem(Code::TypeMismatch, span, format!("'{name}' is a table, not a value"));
                return None;
            }
            Some(Let::Function(function)) => {
                let function = *function;
                return self.call_for_value(function, CallNode { name, arguments: &[], span }, scope);
            }
            None => {}
        }
        self.unknown_name(name, span, scope.schema);
        None
    }

    pub(super) fn unknown_name(&mut self, name: &str, span: Span, schema: &Schema) {
        let columns = schema.columns.iter().map(|column| column.name.as_str());
        let suggestion = nearest(name, columns.chain(self.lets.visible().into_iter().map(|(name, _)| name)));
        let is_function = registry::function(name).is_some() || registry::aggregate(name).is_some();
        let message = match name {
            "null" => "there is no plain null; write it with a type, as long(null)".to_owned(),
            _ if name.starts_with(|first: char| first.is_ascii_digit()) => {
                format!(
                    "'{name}' is no column, number or timespan; the units of time are d, h, m, s, ms, microsecond and tick"
                )
            }
            _ if is_function && suggestion.is_none() => format!("'{name}' is a function; write {name}(…)"),
            _ if suggestion.is_some() => format!("there is no column '{name}'"),
            _ => format!("there is no column '{name}'{}", there_are(name, schema)),
        };
        self.problems.push(Problem::new(Code::UnknownName, span, message).suggesting(suggestion));
    }

    /// A `bool`; a dynamic value is taken as one.
    pub(super) fn truth(&mut self, node: &ExprNode, scope: &mut Scope<'_>) -> Option<Expr> {
        let expr = self.expr(node, scope)?;
        match expr.ty {
            ScalarType::Bool | ScalarType::Dynamic => Some(expr.convert_to(ScalarType::Bool)),
            ty => {
                self.problem(Code::TypeMismatch, node.span, format!("a bool is needed here, not a {ty}"));
                None
            }
        }
    }

    fn sign(
        &mut self,
        is_minus: bool,
        operand: &ExprNode,
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let operand = self.expr(operand, scope)?;
        let ty = operand.ty;
        if !ty.is_number() && ty != ScalarType::TimeSpan {
            let sign = if is_minus { '-' } else { '+' };
            let hint = if ty == ScalarType::Dynamic { "; convert it first, as tolong(…)" } else { "" };
            self.problem(Code::TypeMismatch, span, format!("a {ty} cannot have the sign '{sign}'{hint}"));
            return None;
        }
        if !is_minus {
            return Some(operand);
        }
        if let ExprKind::Literal(value) = &operand.kind
            && let Some(value) = fold::negate(value)
        {
            return Some(literal(value, ty, span));
        }
        Some(Expr { kind: ExprKind::Negate(Box::new(operand)), ty, span })
    }

    fn binary(&mut self, operator: BinaryOperator, left: Expr, right: Expr, at: Span) -> Option<Expr> {
        let span = left.span.to(right.span);
        match operator {
            BinaryOperator::Arithmetic(arithmetic) => {
                let Some(operands) = coerce::arithmetic(arithmetic, left.ty, right.ty) else {
                    let hint = if (left.ty, right.ty) == (ScalarType::String, ScalarType::String) {
                        "; to join texts write strcat(…)"
                    } else {
                        ""
                    };
                    self.undefined(operator.spelling(), left.ty, right.ty, at, hint);
                    return None;
                };
                let (left, right) = if operands.is_swapped { (right, left) } else { (left, right) };
                let (left, right) = (left.convert_to(operands.left), right.convert_to(operands.right));
                let ty = operands.result;
                if let (ExprKind::Literal(a), ExprKind::Literal(b)) = (&left.kind, &right.kind)
                    && let Some(value) = fold::arithmetic(arithmetic, a, b)
                {
                    return Some(literal(value, ty, span));
                }
                let (left, right) = (Box::new(left), Box::new(right));
                Some(Expr { kind: ExprKind::Arithmetic { operator: arithmetic, left, right }, ty, span })
            }
            BinaryOperator::Comparison(comparison) => self.compare(comparison, left, right, at),
            BinaryOperator::Text { how, is_negated } => {
                let is_text = |ty| matches!(ty, ScalarType::String | ScalarType::Dynamic);
                if !is_text(left.ty) || !is_text(right.ty) {
                    let hint = "; convert with tostring(…)";
                    self.undefined(operator.spelling(), left.ty, right.ty, at, hint);
                    return None;
                }
                if how == TextMatch::MatchesRegex {
                    self.check_regex(&right)?;
                }
                let text = Box::new(left.convert_to(ScalarType::String));
                let pattern = Box::new(right.convert_to(ScalarType::String));
                let kind = ExprKind::Match { operator: how, is_negated, text, pattern };
                Some(Expr { kind, ty: ScalarType::Bool, span })
            }
        }
    }

    /// A constant pattern is one that the engine can compile: where it cannot, nothing would match, without a word.
    pub(super) fn check_regex(&mut self, pattern: &Expr) -> Option<()> {
        match &pattern.kind {
            ExprKind::Literal(Value::Null) => {
                self.problem(Code::InvalidConstant, pattern.span, "the regular expression is null");
                None
            }
            ExprKind::Literal(Value::String(text)) => match regex_syntax::Parser::new().parse(text) {
                Ok(_) => Some(()),
                Err(error) => {
                    // The parser draws the place over several lines; its last one says what is wrong.
                    let shown = error.to_string();
                    let why = shown.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    let message =
                        format!("this is no regular expression: {why}; escape what is meant as it stands");
                    self.problem(Code::InvalidConstant, pattern.span, message);
                    None
                }
            },
            _ => Some(()),
        }
    }

    fn undefined(&mut self, operator: &str, left: ScalarType, right: ScalarType, at: Span, hint: &str) {
        let message = format!("'{operator}' is not defined for {left} and {right}{hint}");
        self.problem(Code::TypeMismatch, at, message);
    }

    fn compare(&mut self, operator: Comparison, left: Expr, right: Expr, at: Span) -> Option<Expr> {
        let span = left.span.to(right.span);
        let ty = match operator {
            Comparison::Equal | Comparison::NotEqual => coerce::equatable(left.ty, right.ty),
            Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                coerce::comparable(left.ty, right.ty)
            }
        };
        let Some(ty) = ty else {
            let hint = comparison_hint(left.ty, right.ty);
            self.undefined(operator.spelling(), left.ty, right.ty, at, hint);
            return None;
        };
        let (left, right) = (Box::new(left.convert_to(ty)), Box::new(right.convert_to(ty)));
        Some(Expr { kind: ExprKind::Compare { operator, left, right }, ty: ScalarType::Bool, span })
    }

    fn between(&mut self, is_negated: bool, value: Expr, low: Expr, high: Expr, span: Span) -> Option<Expr> {
        let types = [value.ty, low.ty, high.ty];
        let (ty, high) = match types {
            // The upper bound may be a length of time that is counted from the lower one.
            [ScalarType::DateTime | ScalarType::Dynamic, ScalarType::DateTime, ScalarType::TimeSpan] => {
                let add = BinaryOperator::Arithmetic(crate::plan::Arithmetic::Add);
                let at = high.span;
                (Some(ScalarType::DateTime), self.binary(add, low.clone(), high, at)?)
            }
            [value, low, bound] => {
                let ty = coerce::comparable(value, low).zip(coerce::comparable(value, bound));
                let ty = ty.and_then(|(a, b)| coerce::comparable(a, b));
                (ty, high)
            }
        };
        let Some(ty) = ty else {
            let message = format!(
                "'between' is not defined for a {} from {} to {}{}",
                types[0],
                types[1],
                types[2],
                comparison_hint(types[0], types[1])
            );
            self.problem(Code::TypeMismatch, span, message);
            return None;
        };
        let value = Box::new(value.convert_to(ty));
        let (low, high) = (Box::new(low.convert_to(ty)), Box::new(high.convert_to(ty)));
        Some(Expr { kind: ExprKind::Between { value, low, high, is_negated }, ty: ScalarType::Bool, span })
    }

    fn list(
        &mut self,
        operator: ListOperator,
        value: &ExprNode,
        items: &[ExprNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let value = self.expr(value, scope);
        let items: Vec<Option<Vec<Expr>>> = items.iter().map(|item| self.list_item(item, scope)).collect();
        let items: Vec<Expr> = items.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        let value = value?;
        let kind = match operator {
            ListOperator::In { ignores_case, is_negated } => {
                let (value, list) = self.in_list(value, items)?;
                ExprKind::In { value: Box::new(value), list, ignores_case, is_negated }
            }
            ListOperator::HasAny | ListOperator::HasAll => {
                if !matches!(value.ty, ScalarType::String | ScalarType::Dynamic) {
                    let message = format!("'{}' searches text, not a {}", operator.spelling(), value.ty);
                    self.problem(Code::TypeMismatch, value.span, message);
                    return None;
                }
                let text = Box::new(value.convert_to(ScalarType::String));
                let convert = |item: Expr| {
                    if item.ty == ScalarType::Dynamic { item } else { item.convert_to(ScalarType::String) }
                };
                let terms = items.into_iter().map(convert).collect();
                ExprKind::HasTerms { needs_all: operator == ListOperator::HasAll, text, terms }
            }
        };
        Some(Expr { kind, ty: ScalarType::Bool, span })
    }

    /// One value of a list, those of a constant array, or those of a query's first column.
    fn list_item(&mut self, node: &ExprNode, scope: &mut Scope<'_>) -> Option<Vec<Expr>> {
        let is_column =
            matches!(&node.kind, ExprKindNode::Name(name) if scope.schema.index_of(name).is_some());
        if !is_column && self.is_table_expression(node) {
            let plan = self.table_plan(node)?;
            return Some(vec![self.column_constant(plan, node.span)?]);
        }
        let expr = self.expr(node, scope)?;
        let ExprKind::Literal(Value::Dynamic(text)) = &expr.kind else { return Some(vec![expr]) };
        if !text.starts_with('[') {
            return Some(vec![expr]);
        }
        let Some(values) = json::scalars(text) else {
            self.problem(
                Code::NotSupported,
                node.span,
                "arrays in the array of a list are not supported yet; write their values side by side",
            );
            return None;
        };
        self.count_expression(node.span, values.len())?;
        Some(values.into_iter().filter_map(|value| typed_literal(value, node.span)).collect())
    }

    fn in_list(&mut self, value: Expr, items: Vec<Expr>) -> Option<(Expr, Vec<Expr>)> {
        let mut ty = value.ty;
        for item in &items {
            // A dynamic value may be an array, so that it stays as it is.
            if item.ty == ScalarType::Dynamic {
                continue;
            }
            match coerce::equatable(ty, item.ty) {
                Some(common) => ty = common,
                None => {
                    let hint = comparison_hint(ty, item.ty);
                    let message = format!("a {} cannot be in a list with a {}{hint}", value.ty, item.ty);
                    self.problem(Code::TypeMismatch, item.span, message);
                    return None;
                }
            }
        }
        let convert = |item: Expr| if item.ty == ScalarType::Dynamic { item } else { item.convert_to(ty) };
        Some((value.convert_to(ty), items.into_iter().map(convert).collect()))
    }

    fn dynamic_container(&mut self, node: &ExprNode, scope: &mut Scope<'_>) -> Option<Expr> {
        let expr = self.expr(node, scope)?;
        if expr.ty == ScalarType::Dynamic {
            return Some(expr);
        }
        let hint =
            if expr.ty == ScalarType::String { "; if it is JSON text write parse_json(…)" } else { "" };
        let message = format!("a {} has no properties or elements{hint}", expr.ty);
        self.problem(Code::TypeMismatch, node.span, message);
        None
    }

    fn index(
        &mut self,
        container: &ExprNode,
        index: &ExprNode,
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let container = self.dynamic_container(container, scope);
        let index_expr = self.expr(index, scope);
        let (container, index_expr) = (container?, index_expr?);
        let index = match index_expr.ty {
            ScalarType::String => index_expr,
            ScalarType::Int | ScalarType::Long => index_expr.convert_to(ScalarType::Long),
            ScalarType::Dynamic => index_expr.convert_to(ScalarType::String),
            ty => {
                let message = format!("an element is found by a whole number or a text, not by a {ty}");
                self.problem(Code::TypeMismatch, index.span, message);
                return None;
            }
        };
        let kind = ExprKind::Index { container: Box::new(container), index: Box::new(index) };
        Some(Expr { kind, ty: ScalarType::Dynamic, span })
    }
}

pub(super) fn literal(value: Value, ty: ScalarType, span: Span) -> Expr {
    // There is no null text: an unknown one is empty.
    let value = match (value, ty) {
        (Value::Null, ScalarType::String) => Value::String(String::new()),
        (value, _) => value,
    };
    Expr { kind: ExprKind::Literal(value), ty, span }
}

/// A value of a JSON array with its own type; null has none, and no value equals it.
fn typed_literal(value: Value, span: Span) -> Option<Expr> {
    let ty = match value {
        Value::Bool(_) => ScalarType::Bool,
        Value::Long(_) => ScalarType::Long,
        Value::Real(_) => ScalarType::Real,
        Value::String(_) => ScalarType::String,
        Value::Null
        | Value::Int(_)
        | Value::DateTime(_)
        | Value::TimeSpan(_)
        | Value::Guid(_)
        | Value::Decimal(_)
        | Value::Dynamic(_) => return None,
    };
    Some(literal(value, ty, span))
}

/// Which columns there are instead, the likeliest first, and how to see the rest.
fn there_are(name: &str, schema: &Schema) -> String {
    // A bag can be unpacked to columns with names of any length.
    let names = schema.columns.iter().map(|column| column.name.as_str()).filter(|name| name.len() <= 64);
    let shown = likely(name, names, SHOWN_COLUMNS).join(", ");
    match schema.columns.len() {
        0 => "; there are no columns here".to_owned(),
        columns if columns <= SHOWN_COLUMNS => format!("; there are {shown}"),
        columns => {
            format!("; there are {shown} and {} more, which | getschema lists", columns - SHOWN_COLUMNS)
        }
    }
}

/// So many columns are named where another is not found.
const SHOWN_COLUMNS: usize = 5;

fn comparison_hint(left: ScalarType, right: ScalarType) -> &'static str {
    match (left, right) {
        (ScalarType::String, ScalarType::String) => "; texts have an order only in `sort` and `top`",
        (ScalarType::DateTime, ScalarType::String) | (ScalarType::String, ScalarType::DateTime) => {
            "; write the moment as datetime(…)"
        }
        (ScalarType::String, _) | (_, ScalarType::String) => {
            "; convert one of them, as with tostring(…) or tolong(…)"
        }
        _ => "",
    }
}

/// Whether an expression has another value in each row.
fn refers_to_columns(expr: &Expr) -> bool {
    let mut left = vec![expr];
    while let Some(expr) = left.pop() {
        if let ExprKind::Column(_) = expr.kind {
            return true;
        }
        expr.children(&mut left);
    }
    false
}

/// How many expressions there are in one.
fn size(expr: &Expr) -> usize {
    levels(expr).into_iter().sum()
}

/// How deep the expressions in one are nested.
pub(super) fn height(expr: &Expr) -> usize {
    levels(expr).len()
}

/// How many expressions there are on each level. No recursion: `let`s that use each other go deep.
fn levels(expr: &Expr) -> Vec<usize> {
    let mut counts = Vec::new();
    let mut level = vec![expr];
    while !level.is_empty() {
        counts.push(level.len());
        let mut next = Vec::new();
        for expr in level {
            expr.children(&mut next);
        }
        level = next;
    }
    counts
}
