//! Calls whose value is known before there are rows, or is made of the columns alone.

use super::expression::{Scope, literal};
use super::naming::Names;
use super::special::call;
use super::{Binder, fold};
use crate::ast::{ExprKindNode, Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::function::Function;
use crate::json;
use crate::plan::{Arithmetic, Comparison, Expr, ExprKind, NamedExpr};
use crate::registry::{self, Parameter, Shape};
use crate::types::{ScalarType, Schema, Value};

/// What `set` statements of a query say.
#[derive(Debug, Default)]
pub(super) struct Settings {
    bin_auto_size: Option<Expr>,
    bin_auto_at: Option<Expr>,
}

impl Binder<'_> {
    /// `set name = value`
    pub(super) fn set(&mut self, name: &Name, value: Option<&crate::ast::ExprNode>) {
        let value = value.and_then(|value| self.scalar(value, &Schema::default()));
        match (name.text.as_str(), value) {
            ("query_bin_auto_size", Some(value)) => self.settings.bin_auto_size = Some(value),
            ("query_bin_auto_at", Some(value)) => self.settings.bin_auto_at = Some(value),
            ("query_bin_auto_size" | "query_bin_auto_at", None) => {
                let message = format!("'{}' needs a value: set {0} = …", name.text);
                self.problem(Code::Syntax, name.span, message);
            }
            (other, _) => {
                let message =
                    format!("the request option '{other}' is not supported yet; leave the statement out");
                self.problem(Code::NotSupported, name.span, message);
            }
        }
    }

    /// `bin_auto(value)`
    pub(super) fn bin_auto(&mut self, name: &str, mut arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let Some(size) = self.settings.bin_auto_size.clone() else {
            let message =
                format!("{name} needs a size; write before the query: set query_bin_auto_size = 1h;");
            self.problem(Code::InvalidConstant, span, message);
            return None;
        };
        arguments.push(size);
        arguments.extend(self.settings.bin_auto_at.clone());
        self.bin(name, arguments, span)
    }

    /// `assert(condition, message)`
    pub(super) fn assert(
        &mut self,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let [condition, message] = arguments else {
            self.wrong_count(function, 2, 2, arguments.len());
            return None;
        };
        let condition = self.truth(&condition.expr, scope)?;
        let ExprKind::Literal(Value::String(message)) = self.expr(&message.expr, scope)?.kind else {
            self.problem(
                Code::InvalidConstant,
                message.expr.span,
                "the message of assert is a constant text",
            );
            return None;
        };
        match truth_of(&condition) {
            Some(true) => Some(literal(Value::Bool(true), ScalarType::Bool, span)),
            Some(false) => {
                self.problem(Code::InvalidConstant, span, format!("assert failed: {message}"));
                None
            }
            None => {
                let message =
                    "assert checks what is known before the rows; for a condition of rows write where";
                self.problem(Code::NotSupported, condition.span, message);
                None
            }
        }
    }

    /// `column_names_of(table)`
    pub(super) fn column_names(
        &mut self,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
    ) -> Option<Expr> {
        let [NamedNode { expr, .. }] = arguments else {
            self.wrong_count(function, 1, 1, arguments.len());
            return None;
        };
        let plan = self.table_plan(expr)?;
        let names = plan.schema().columns.iter().map(|column| json::text(&column.name));
        let names = format!("[{}]", names.collect::<Vec<_>>().join(","));
        Some(literal(Value::Dynamic(names), ScalarType::Dynamic, span))
    }

    /// `estimate_data_size(column, …)`: the bytes of texts, and the width of everything else.
    pub(super) fn data_size(
        &mut self,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let mut values = Vec::new();
        for argument in arguments {
            if matches!(argument.expr.kind, ExprKindNode::Star) {
                let columns = scope.schema.columns.iter().enumerate();
                values.extend(columns.map(|(at, column)| Expr {
                    kind: ExprKind::Column(at),
                    ty: column.ty,
                    span,
                }));
            } else {
                values.push(self.expr(&argument.expr, scope)?);
            }
        }
        self.count_expression(span, values.len().saturating_mul(2))?;
        let mut size: Option<Expr> = None;
        for value in values {
            let bytes = |count| literal(Value::Long(count), ScalarType::Long, span);
            let own = match value.ty {
                ScalarType::Bool => bytes(1),
                ScalarType::Int => bytes(4),
                ScalarType::Long | ScalarType::Real | ScalarType::DateTime | ScalarType::TimeSpan => bytes(8),
                ScalarType::Guid => bytes(16),
                ScalarType::String => call(Function::StringSize, vec![value], ScalarType::Long, span),
                ScalarType::Dynamic | ScalarType::Decimal => {
                    let message =
                        format!("the size of a {} is not supported yet; name the other columns", value.ty);
                    self.problem(Code::NotSupported, value.span, message);
                    return None;
                }
            };
            size = Some(match size {
                None => own,
                Some(size) => {
                    let (left, right) = (Box::new(size), Box::new(own));
                    let kind = ExprKind::Arithmetic { operator: Arithmetic::Add, left, right };
                    Expr { kind, ty: ScalarType::Long, span }
                }
            });
        }
        size.or_else(|| Some(literal(Value::Long(0), ScalarType::Long, span)))
    }

    /// The columns of a call that gives several, as `series_stats(x)`; none if the item is no such call.
    pub(super) fn columns_of_call(
        &mut self,
        item: &NamedNode,
        input: &Schema,
        names: &mut Names,
    ) -> Option<Option<Vec<NamedExpr>>> {
        let ExprKindNode::Call { function, arguments } = &item.expr.kind else { return None };
        let Shape::Columns { function: called, columns } = registry::function(&function.text)?.shape else {
            return None;
        };
        Some(self.bound_columns(item, function, arguments, (called, columns), input, names))
    }

    fn bound_columns(
        &mut self,
        item: &NamedNode,
        function: &Name,
        arguments: &[NamedNode],
        (called, columns): (Function, &[(&str, ScalarType)]),
        input: &Schema,
        names: &mut Names,
    ) -> Option<Vec<NamedExpr>> {
        let [argument] = arguments else {
            self.wrong_count(function, 1, 1, arguments.len());
            return None;
        };
        if let Some(extra) = item.names.get(columns.len()) {
            let message =
                format!("{} gives {} columns, and this is one name more", function.text, columns.len());
            self.problem(Code::Syntax, extra.span, message);
            return None;
        }
        let value = self.scalar(&argument.expr, input)?;
        let value = self.parameter(&function.text, Parameter::Dynamic("series"), value)?;
        let span = item.expr.span;
        let bag = call(called, vec![value], ScalarType::Dynamic, span);
        let base = self.own_name(&argument.expr).text().unwrap_or_default();
        let mut given = Vec::new();
        for (at, (member, ty)) in columns.iter().enumerate() {
            let name = match item.names.get(at) {
                Some(written) => self.declared(names, &written.text, written.span)?,
                None => names.automatic(&format!("{}_{base}_{member}", function.text)),
            };
            let kind = ExprKind::Member { bag: Box::new(bag.clone()), name: (*member).to_owned() };
            let value = Expr { kind, ty: ScalarType::Dynamic, span }.convert_to(*ty);
            given.push(NamedExpr { name, expr: value });
        }
        Some(given)
    }
}

/// The truth of a condition of constants; none if it depends on rows.
fn truth_of(condition: &Expr) -> Option<bool> {
    match &condition.kind {
        ExprKind::Literal(Value::Bool(truth)) => Some(*truth),
        ExprKind::Not(inner) => Some(!truth_of(inner)?),
        ExprKind::And(operands) => operands.iter().map(truth_of).try_fold(true, |all, one| Some(all && one?)),
        ExprKind::Or(operands) => operands.iter().map(truth_of).try_fold(false, |any, one| Some(any || one?)),
        ExprKind::Compare { operator, left, right } => {
            let (ExprKind::Literal(left), ExprKind::Literal(right)) = (&left.kind, &right.kind) else {
                return None;
            };
            let order = fold::order(left, right)?;
            Some(match operator {
                Comparison::Equal => order.is_eq(),
                Comparison::NotEqual => order.is_ne(),
                Comparison::Less => order.is_lt(),
                Comparison::LessOrEqual => order.is_le(),
                Comparison::Greater => order.is_gt(),
                Comparison::GreaterOrEqual => order.is_ge(),
            })
        }
        _ => None,
    }
}
