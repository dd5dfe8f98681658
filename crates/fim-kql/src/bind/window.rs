//! `prev`, `row_number` and their kin: functions over rows in their order.

use super::expression::{Scope, literal};
use super::{Binder, Building, coerce};
use crate::ast::{ExprNode, Name, NamedNode};
use crate::diagnostic::{Code, Span};
use crate::plan::{Expr, ExprKind, Operator, WindowCall};
use crate::registry::WindowEntry;
use crate::types::{Column, ScalarType, Schema, Value};
use crate::window_function::WindowFunction;

/// The calls of one operator, each of which becomes a column behind those of the input.
pub(super) struct Windows {
    /// How many columns the input has.
    input: usize,
    is_serialized: bool,
    calls: Vec<WindowCall>,
}

impl Windows {
    pub(super) fn over(building: &Building) -> Self {
        Self {
            input: building.schema().columns.len(),
            is_serialized: building.is_serialized,
            calls: Vec::new(),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Adds the calls to a plan, one step each: a later one may read what an earlier one gave.
    pub(super) fn push(self, building: &mut Building, span: Span) {
        let order = building.order().unwrap_or_default();
        for mut call in self.calls {
            call.order.clone_from(&order);
            let mut schema = building.schema().clone();
            schema.columns.push(call.output.clone());
            building.push(Operator::Window(Box::new(call)), schema, span);
        }
    }
}

impl Binder<'_> {
    /// An expression over the rows of `schema` that may call these functions.
    pub(super) fn row_value(
        &mut self,
        node: &ExprNode,
        schema: &Schema,
        windows: &mut Windows,
    ) -> Option<Expr> {
        self.expr(node, &mut Scope { schema, collector: None, windows: Some(windows) })
    }

    pub(super) fn window(
        &mut self,
        entry: &WindowEntry,
        function: &Name,
        arguments: &[NamedNode],
        span: Span,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        if scope.windows.is_none() {
            let message = format!("{} can only stand in extend, project, where and serialize", entry.name);
            self.problem(Code::NotSupported, span, message);
            return None;
        }
        if !(entry.required..=entry.parameters.len()).contains(&arguments.len()) {
            self.wrong_count(function, entry.required, entry.parameters.len(), arguments.len());
            return None;
        }
        let bound: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.expr(&argument.expr, scope)).collect();
        let bound = bound.into_iter().collect::<Option<Vec<Expr>>>()?;
        let (arguments, ty) = self.window_arguments(entry.function, function, bound, span)?;
        let windows = scope.windows.as_deref_mut()?;
        if !windows.is_serialized {
            let message = format!("{} needs rows in order; sort them or write serialize before", entry.name);
            self.problem(Code::NotSerialized, span, message);
            return None;
        }
        let position = windows.input + windows.calls.len();
        let output = Column::new(format!("${position}"), ty);
        let (groups, order) = (Vec::new(), Vec::new());
        windows.calls.push(WindowCall { function: entry.function, arguments, groups, order, output });
        Some(Expr { kind: ExprKind::Column(position), ty, span })
    }

    /// The arguments in the types that [`WindowFunction`] promises, those left out filled in; and the result's type.
    fn window_arguments(
        &mut self,
        function: WindowFunction,
        name: &Name,
        given: Vec<Expr>,
        span: Span,
    ) -> Option<(Vec<Expr>, ScalarType)> {
        let mut given = given.into_iter();
        let long = |number| literal(Value::Long(number), ScalarType::Long, span);
        match function {
            WindowFunction::Next | WindowFunction::Prev => {
                let value = given.next()?;
                let offset = self.window_argument(name, given.next(), ScalarType::Long, long(1))?;
                let ty = value.ty;
                let default = self.window_argument(name, given.next(), ty, literal(Value::Null, ty, span))?;
                Some((vec![value, offset, default], ty))
            }
            WindowFunction::RowNumber => {
                let first = self.window_argument(name, given.next(), ScalarType::Long, long(1))?;
                let restart = self.restart(name, given.next(), span)?;
                Some((vec![first, restart], ScalarType::Long))
            }
            WindowFunction::RowCumSum => {
                let value = given.next()?;
                if !value.ty.is_number() && value.ty != ScalarType::TimeSpan {
                    let message = format!("{} adds numbers or timespans, not {} values", name.text, value.ty);
                    self.problem(Code::TypeMismatch, value.span, message);
                    return None;
                }
                let ty = value.ty;
                Some((vec![value, self.restart(name, given.next(), span)?], ty))
            }
            WindowFunction::RowRankDense | WindowFunction::RowRankMin => {
                let value = given.next()?;
                Some((vec![value, self.restart(name, given.next(), span)?], ScalarType::Long))
            }
            WindowFunction::RowWindowSession => {
                let moment = given.next()?;
                let moment = self.window_argument(name, Some(moment), ScalarType::DateTime, long(0))?;
                let longest = self.window_argument(name, given.next(), ScalarType::TimeSpan, long(0))?;
                let gap = self.window_argument(name, given.next(), ScalarType::TimeSpan, long(0))?;
                let restart = self.restart(name, given.next(), span)?;
                Some((vec![moment, longest, gap, restart], ScalarType::DateTime))
            }
        }
    }

    fn restart(&mut self, name: &Name, given: Option<Expr>, span: Span) -> Option<Expr> {
        let never = literal(Value::Bool(false), ScalarType::Bool, span);
        self.window_argument(name, given, ScalarType::Bool, never)
    }

    fn window_argument(
        &mut self,
        name: &Name,
        given: Option<Expr>,
        ty: ScalarType,
        absent: Expr,
    ) -> Option<Expr> {
        let Some(given) = given else { return Some(absent) };
        let is_null = matches!(given.kind, ExprKind::Literal(Value::Null));
        if given.ty == ty || is_null || coerce::widest(&[given.ty, ty]).is_some() {
            return Some(given.convert_to(ty));
        }
        let message = format!("{} needs a {ty} here, not a {}", name.text, given.ty);
        self.problem(Code::TypeMismatch, given.span, message);
        None
    }
}
