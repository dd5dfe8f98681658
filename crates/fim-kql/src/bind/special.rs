//! Calls whose arguments mean more than their values: names of columns, types, arrays that are ordered together.

use super::expression::{Scope, literal};
use super::{Binder, coerce};
use crate::ast::{ExprKindNode, ExprNode, Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::function::Function;
use crate::plan::{Expr, ExprKind};
use crate::registry::{self, Parameter, Shape};
use crate::time::{DateTime, TICKS_PER_SECOND, TimeSpan};
use crate::types::{ScalarType, Value};

impl Binder<'_> {
    /// `f(…, typeof(type)?)`: a text or dynamic value, or what it says as a value of the type.
    pub(super) fn typed(
        &mut self,
        shape: Shape,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let Shape::Typed { function: called, parameters, gives } = shape else { return None };
        let count = parameters.len();
        let (nodes, ty) = match arguments {
            nodes if nodes.len() == count => (nodes, gives),
            [nodes @ .., NamedNode { expr, .. }] if nodes.len() == count => match expr.kind {
                ExprKindNode::TypeOf(ty) => (nodes, ty),
                _ => {
                    let message = format!("{} needs a type here, as typeof(long)", function.text);
                    self.problem(Code::TypeMismatch, expr.span, message);
                    return None;
                }
            },
            _ => {
                self.wrong_count(function, count, count + 1, arguments.len());
                return None;
            }
        };
        let bound: Vec<Option<Expr>> = nodes.iter().map(|node| self.expr(&node.expr, scope)).collect();
        let bound = bound.into_iter().collect::<Option<Vec<Expr>>>()?;
        let arguments = self.fixed(&function.text, parameters, bound)?;
        let kind = ExprKind::Call { function: called, arguments };
        let value = Expr { kind, ty: gives, span };
        Some(match (gives, ty) {
            // The text of an array or bag is read, not quoted.
            (ScalarType::String, ScalarType::Dynamic) => {
                call(Function::ParseJson, vec![value], ScalarType::Dynamic, span)
            }
            (_, ty) => value.convert_to(ty),
        })
    }

    /// `column_ifexists(name, value)`.
    pub(super) fn column_if_exists(
        &mut self,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let [name, otherwise] = arguments else {
            self.wrong_count(function, 2, 2, arguments.len());
            return None;
        };
        let column = match &name.expr.kind {
            ExprKindNode::Name(column) if scope.schema.index_of(column).is_some() => column.clone(),
            _ => match self.expr(&name.expr, scope)?.kind {
                ExprKind::Literal(Value::String(column)) => column,
                _ => {
                    let message = format!("{} needs the name of a column as a constant text", function.text);
                    self.problem(Code::InvalidConstant, name.expr.span, message);
                    return None;
                }
            },
        };
        if scope.schema.index_of(&column).is_none() {
            return self.expr(&otherwise.expr, scope).map(|value| Expr { span, ..value });
        }
        self.expr(&ExprNode::new(ExprKindNode::Name(column), span), scope)
    }

    /// `pack_all(is_empty_left_out)`.
    pub(super) fn pack_all(
        &mut self,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        let packed = match arguments {
            [] => Function::BagPack,
            [flag] => match self.expr(&flag.expr, scope)?.kind {
                ExprKind::Literal(Value::Bool(true)) => Function::BagPackPresent,
                ExprKind::Literal(Value::Bool(false)) => Function::BagPack,
                _ => {
                    self.problem(Code::InvalidConstant, flag.expr.span, "pack_all needs true or false here");
                    return None;
                }
            },
            _ => {
                self.wrong_count(function, 0, 1, arguments.len());
                return None;
            }
        };
        self.count_expression(span, scope.schema.columns.len())?;
        let property = |(at, column): (usize, &crate::types::Column)| {
            let value = Expr { kind: ExprKind::Column(at), ty: column.ty, span };
            let name = literal(Value::String(column.name.clone()), ScalarType::String, span);
            [name, value.convert_to(ScalarType::Dynamic)]
        };
        let arguments = scope.schema.columns.iter().enumerate().flat_map(property).collect();
        Some(call(packed, arguments, ScalarType::Dynamic, span))
    }

    /// `extract_all(regex, groups?, text)`.
    pub(super) fn extract_all(&mut self, name: &str, mut arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        if arguments.len() == 2 {
            arguments.insert(1, literal(Value::Null, ScalarType::Dynamic, span));
        }
        let parameters = [Parameter::Regex, Parameter::Dynamic("groups"), Parameter::Text("text")];
        let arguments = self.fixed(name, &parameters, arguments)?;
        Some(call(Function::ExtractAll, arguments, ScalarType::Dynamic, span))
    }

    /// The arrays of an `array_sort_…`, ordered, as one array.
    pub(super) fn array_sort(
        &mut self,
        name: &str,
        is_descending: bool,
        mut arguments: Vec<Expr>,
        span: Span,
    ) -> Option<Expr> {
        let are_nulls_last = match arguments.last().map(|last| last.ty) {
            Some(ScalarType::Bool) => arguments.pop()?,
            _ => literal(Value::Bool(true), ScalarType::Bool, span),
        };
        let parameters = vec![Parameter::Dynamic("array"); arguments.len()];
        let mut arguments = self.fixed(name, &parameters, arguments)?;
        arguments.push(literal(Value::Bool(is_descending), ScalarType::Bool, span));
        arguments.push(are_nulls_last);
        Some(call(Function::ArraySort, arguments, ScalarType::Dynamic, span))
    }

    /// `array_sort_…(a, b, …)[i]`: the i-th of the arrays. None if the container is no such call.
    pub(super) fn element_of_sorted(
        &mut self,
        container: &ExprNode,
        index: &ExprNode,
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Option<Expr>> {
        let ExprKindNode::Call { function, arguments } = &container.kind else { return None };
        let Some(Shape::ArraySort { is_descending }) =
            registry::function(&function.text).map(|entry| entry.shape)
        else {
            return None;
        };
        if arguments.len() < 2 {
            let message =
                format!("an element of {}(…) is not supported yet; name the array first", function.text);
            self.problem(Code::NotSupported, span, message);
            return Some(None);
        }
        let ExprKindNode::Literal(Value::Long(position), _) = index.kind else {
            let message = format!("{} gives several arrays; choose one by a constant number", function.text);
            self.problem(Code::InvalidConstant, index.span, message);
            return Some(None);
        };
        let bound: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.expr(&argument.expr, scope)).collect();
        let bound = bound.into_iter().collect::<Option<Vec<Expr>>>();
        let sorted =
            bound.and_then(|bound| self.array_sort(&function.text, is_descending, bound, container.span));
        Some(sorted.map(|sorted| Expr { span, ..element(sorted, position) }))
    }

    /// `range(start, stop, step?)`.
    pub(super) fn range_array(&mut self, name: &str, mut arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        if arguments.len() == 2 {
            let hour = TimeSpan(3600 * TICKS_PER_SECOND);
            let is_time = matches!(arguments[0].ty, ScalarType::DateTime | ScalarType::TimeSpan);
            arguments.push(match is_time {
                true => literal(Value::TimeSpan(hour), ScalarType::TimeSpan, span),
                false => literal(Value::Long(1), ScalarType::Long, span),
            });
        }
        let types: Vec<ScalarType> = arguments.iter().map(|argument| argument.ty).collect();
        let (ty, step) = match types.as_slice() {
            [ScalarType::DateTime, ScalarType::DateTime, ScalarType::TimeSpan] => {
                (ScalarType::DateTime, ScalarType::TimeSpan)
            }
            [ScalarType::TimeSpan, ScalarType::TimeSpan, ScalarType::TimeSpan] => {
                (ScalarType::TimeSpan, ScalarType::TimeSpan)
            }
            types => match coerce::widest(types) {
                Some(ScalarType::Int | ScalarType::Long) => (ScalarType::Long, ScalarType::Long),
                Some(ScalarType::Real) => (ScalarType::Real, ScalarType::Real),
                _ => {
                    let list: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
                    let message = format!(
                        "{name} counts with numbers, or with datetimes and timespans, not with {}",
                        list.join(", ")
                    );
                    self.problem(Code::TypeMismatch, span, message);
                    return None;
                }
            },
        };
        let converted = arguments.into_iter().zip([ty, ty, step]);
        let arguments = converted.map(|(argument, ty)| argument.convert_to(ty)).collect();
        Some(call(Function::Range, arguments, ScalarType::Dynamic, span))
    }

    /// `hash(value, modulus?)`.
    pub(super) fn hash(&mut self, name: &str, mut arguments: Vec<Expr>, span: Span) -> Option<Expr> {
        let value = arguments.remove(0);
        let (function, value) = match value.ty {
            ScalarType::String => (Function::HashText, value),
            ScalarType::DateTime => {
                let ticks = match value.kind {
                    // All digits of a constant count, also those that a stored moment does not keep.
                    ExprKind::Literal(Value::DateTime(moment)) => {
                        let ticks = moment.0 - DateTime::MIN.0;
                        literal(Value::Long(ticks), ScalarType::Long, value.span)
                    }
                    _ => value.convert_to(ScalarType::Long),
                };
                (Function::HashTicks, ticks)
            }
            ty => {
                let message =
                    format!("{name} of a {ty} is not supported yet; hash its text: {name}(tostring(…))");
                self.problem(Code::NotSupported, value.span, message);
                return None;
            }
        };
        let mut all = vec![value];
        for modulus in arguments {
            all.push(self.parameter(name, Parameter::Whole("modulus"), modulus)?);
        }
        Some(call(function, all, ScalarType::Long, span))
    }
}

/// The element of a dynamic array.
pub(super) fn element(array: Expr, position: i64) -> Expr {
    let span = array.span;
    let index = literal(Value::Long(position), ScalarType::Long, span);
    let kind = ExprKind::Index { container: Box::new(array), index: Box::new(index) };
    Expr { kind, ty: ScalarType::Dynamic, span }
}

/// The call of a function.
pub(super) fn call(function: Function, arguments: Vec<Expr>, ty: ScalarType, span: Span) -> Expr {
    Expr { kind: ExprKind::Call { function, arguments }, ty, span }
}
