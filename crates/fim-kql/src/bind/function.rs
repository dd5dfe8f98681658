//! Functions that the query declares: what a call is given, and what it gives.

use super::expression::Scope;
use super::lets::{Function, Let};
use super::source::workspace_of;
use super::{Binder, Building, coerce};
use crate::ast::{
    ColumnNode, ExprKindNode, ExprNode, FunctionNode, Name, NamedNode, ParameterKind, ParameterNode,
    Pipeline, SourceNode, Statement,
};
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{Expr, Plan};
use crate::suggest::nearest;
use crate::types::{ScalarType, Schema};

/// A call of a function as the text writes it.
#[derive(Clone, Copy)]
pub(super) struct CallNode<'n> {
    pub(super) name: &'n str,
    pub(super) arguments: &'n [NamedNode],
    pub(super) span: Span,
}

impl<'a> Binder<'a> {
    /// Declares a function. Its body is bound where it is called.
    pub(super) fn declare_function(&mut self, node: &'a FunctionNode) {
        let gives_table = self.body_gives_table(node);
        let function = Function { node, place: self.lets.here(), gives_table };
        self.declare_meaning(&node.name, Let::Function(function));
    }

    /// Whether the last statement of a function is a table and no value.
    fn body_gives_table(&self, node: &FunctionNode) -> bool {
        let mut before = node.body.as_slice();
        let Some((Statement::Query(last), rest)) = before.split_last() else { return false };
        before = rest;
        let mut pipeline = last;
        loop {
            let Some(name) = plain_name(pipeline) else { return self.is_table(pipeline) };
            let declared = before.iter().rposition(|statement| declares(statement, name));
            match declared.map(|at| (at, &before[at])) {
                Some((at, Statement::Let { value, .. })) => (pipeline, before) = (value, &before[..at]),
                Some(_) => return true,
                None => break,
            }
        }
        let parameter = plain_name(pipeline).and_then(|name| find_parameter(node, name));
        match parameter.map(|parameter| &parameter.kind) {
            Some(kind) => matches!(kind, ParameterKind::Table(_)),
            None => self.is_table(pipeline),
        }
    }

    /// Whether a pipeline without columns in scope is a table and no value.
    pub(super) fn is_table(&self, pipeline: &Pipeline) -> bool {
        if !pipeline.operators.is_empty() {
            return true;
        }
        match &pipeline.source {
            SourceNode::Expression(node) => self.is_table_expression(node),
            SourceNode::Print(_)
            | SourceNode::Range { .. }
            | SourceNode::DataTable { .. }
            | SourceNode::Operator(_)
            | SourceNode::Nested(_)
            | SourceNode::Invalid => true,
        }
    }

    /// Whether an expression that stands where no columns are is a table.
    pub(super) fn is_table_expression(&self, node: &ExprNode) -> bool {
        match &node.kind {
            ExprKindNode::Query(_) => true,
            ExprKindNode::Name(name) => match self.lets.find(name) {
                Some(Let::Scalar { .. } | Let::Unknown) => false,
                Some(Let::Table { .. }) => true,
                Some(Let::Function(function)) => function.gives_table,
                None => self.catalog.table(name).is_some(),
            },
            ExprKindNode::Call { function, .. } => match self.lets.find(&function.text) {
                Some(Let::Function(function)) => function.gives_table,
                Some(Let::Scalar { .. } | Let::Table { .. } | Let::Unknown) | None => {
                    function.text == "materialize"
                }
            },
            ExprKindNode::Member { bag, .. } => workspace_of(bag).is_some(),
            _ => false,
        }
    }

    /// The rows that a call gives; `input` is what `invoke` passes first.
    pub(super) fn call_for_table(
        &mut self,
        function: Function<'a>,
        call: CallNode<'_>,
        input: Option<Plan>,
    ) -> Option<Building> {
        self.check_end(function.node)?;
        if !function.gives_table {
            let message =
                format!("'{0}' gives a value, not a table; to see it write: print {0}(…)", call.name);
            self.problem(Code::UnknownTable, call.span, message);
            return None;
        }
        let nothing = Schema::default();
        let arguments = self.arguments(function.node, call, input, &mut Scope::values(&nothing))?;
        self.in_body(function, arguments, call.span, |binder, pipeline| binder.building(pipeline))
    }

    /// The value that a call gives.
    pub(super) fn call_for_value(
        &mut self,
        function: Function<'a>,
        call: CallNode<'_>,
        scope: &mut Scope<'_>,
    ) -> Option<Expr> {
        self.check_end(function.node)?;
        if function.gives_table {
            let message =
                format!("'{0}' gives a table; for its first value write toscalar({0}(…))", call.name);
            self.problem(Code::TypeMismatch, call.span, message);
            return None;
        }
        let arguments = self.arguments(function.node, call, None, scope)?;
        let value = self.in_body(function, arguments, call.span, |binder, pipeline| {
            let SourceNode::Expression(node) = &pipeline.source else { return None };
            binder.scalar(node, &Schema::default())
        })?;
        let value = Expr { span: call.span, ..value };
        self.check_height(&value, call.name, call.span)?;
        Some(value)
    }

    /// Says so if a function ends with a declaration, and gives nothing.
    fn check_end(&mut self, node: &FunctionNode) -> Option<()> {
        if let Some(Statement::Query(_)) = node.body.last() {
            return Some(());
        }
        let message = format!("the function '{}' ends without an expression", node.name.text);
        self.problem(Code::Syntax, node.span, message);
        None
    }

    /// Binds the body of a function with its arguments declared; `last` binds its last statement.
    fn in_body<T>(
        &mut self,
        function: Function<'a>,
        arguments: Vec<(&'a Name, Let<'a>)>,
        span: Span,
        last: impl FnOnce(&mut Self, &'a Pipeline) -> Option<T>,
    ) -> Option<T> {
        self.count_expression(span, 1)?;
        self.deeper(span)?;
        self.lets.open(function.place);
        for (name, argument) in arguments {
            self.declare_meaning(name, argument);
        }
        let found = match function.node.body.split_last() {
            Some((Statement::Query(pipeline), before)) => {
                let is_right = self.declarations(before);
                last(self, pipeline).filter(|_| is_right)
            }
            Some(_) | None => None,
        };
        self.lets.close();
        self.nesting -= 1;
        found
    }

    /// The statements of a body before its last one. False if something else than a declaration is among them.
    fn declarations(&mut self, statements: &'a [Statement]) -> bool {
        let mut is_right = true;
        for statement in statements {
            match statement {
                Statement::Let { name, value } => self.declare(name, value),
                Statement::Function(node) => self.declare_function(node),
                Statement::Query(pipeline) => {
                    let message = "only the last statement of a function is an expression";
                    self.problem(Code::Syntax, pipeline.span, message);
                    is_right = false;
                }
                Statement::Parameters(_) | Statement::Setting { .. } | Statement::NotSupported(_) => {
                    is_right = false;
                }
            }
        }
        is_right
    }

    /// What each parameter of a function stands for in a call.
    fn arguments(
        &mut self,
        function: &'a FunctionNode,
        call: CallNode<'_>,
        input: Option<Plan>,
        scope: &mut Scope<'_>,
    ) -> Option<Vec<(&'a Name, Let<'a>)>> {
        let mut given: Vec<Option<&NamedNode>> = vec![None; function.parameters.len()];
        let first = usize::from(input.is_some());
        for (place, argument) in (first..).zip(call.arguments) {
            let at = match argument.names.first() {
                Some(name) => self.parameter_position(function, name)?,
                None => place,
            };
            match given.get_mut(at) {
                Some(slot) => *slot = Some(argument),
                None => {
                    self.wrong_arguments(function, call, call.arguments.len() + usize::from(input.is_some()));
                    return None;
                }
            }
        }
        let mut input = input;
        let mut arguments = Vec::new();
        let mut is_right = true;
        for (parameter, argument) in function.parameters.iter().zip(given) {
            let meaning = match input.take() {
                Some(plan) => self.piped(parameter, plan, call),
                None => self.argument(parameter, argument, function, call, scope),
            };
            is_right &= meaning.is_some();
            arguments.push((&parameter.name, meaning.unwrap_or(Let::Unknown)));
        }
        if input.is_some() {
            self.wrong_arguments(function, call, 1);
            return None;
        }
        is_right.then_some(arguments)
    }

    fn parameter_position(&mut self, function: &FunctionNode, name: &Name) -> Option<usize> {
        let position = function.parameters.iter().position(|parameter| parameter.name.text == name.text);
        if position.is_none() {
            let message = format!("'{}' has no parameter '{}'", function.name.text, name.text);
            let names = function.parameters.iter().map(|parameter| parameter.name.text.as_str());
            let problem = Problem::new(Code::UnknownName, name.span, message);
            self.problems.push(problem.suggesting(nearest(&name.text, names)));
        }
        position
    }

    fn wrong_arguments(&mut self, function: &FunctionNode, call: CallNode<'_>, found: usize) {
        let required = function.parameters.iter().filter(|parameter| parameter.default.is_none()).count();
        let name = Name { text: call.name.to_owned(), span: call.span };
        self.wrong_count(&name, required, function.parameters.len(), found);
    }

    /// The rows of `invoke` as the first argument.
    fn piped(&mut self, parameter: &ParameterNode, plan: Plan, call: CallNode<'_>) -> Option<Let<'a>> {
        match &parameter.kind {
            ParameterKind::Table(columns) => self.table_argument(columns, plan, call.span),
            ParameterKind::Scalar(_) => {
                let message = format!("the first parameter of '{}' is no table", call.name);
                self.problem(Code::TypeMismatch, call.span, message);
                None
            }
        }
    }

    fn argument(
        &mut self,
        parameter: &'a ParameterNode,
        argument: Option<&NamedNode>,
        function: &'a FunctionNode,
        call: CallNode<'_>,
        scope: &mut Scope<'_>,
    ) -> Option<Let<'a>> {
        let Some(node) = argument.map(|argument| &argument.expr).or(parameter.default.as_ref()) else {
            self.wrong_arguments(function, call, call.arguments.len());
            return None;
        };
        match &parameter.kind {
            ParameterKind::Table(columns) => {
                let plan = self.table_plan(node)?;
                self.table_argument(columns, plan, node.span)
            }
            ParameterKind::Scalar(ty) => {
                let value = self.expr(node, scope)?;
                self.scalar_argument(&parameter.name.text, (*ty)?, value)
            }
        }
    }

    fn scalar_argument(&mut self, name: &str, ty: ScalarType, value: Expr) -> Option<Let<'a>> {
        let fits = value.ty == ty
            || coerce::widest(&[value.ty, ty]).is_some()
            || matches!((value.ty, ty), (ScalarType::Dynamic, _) | (_, ScalarType::Dynamic));
        if !fits {
            let message = format!("the parameter '{name}' is a {ty}, and this a {}", value.ty);
            self.problem(Code::TypeMismatch, value.span, message);
            return None;
        }
        let expr = value.convert_to(ty);
        self.check_height(&expr, name, expr.span)?;
        Some(Let::Scalar { expr, rows: self.rows })
    }

    fn table_argument(&mut self, columns: &[ColumnNode], plan: Plan, span: Span) -> Option<Let<'a>> {
        let mut is_right = true;
        for (name, ty) in columns {
            let Some(ty) = ty else { continue };
            let column = plan.schema().columns.iter().find(|column| column.name == name.text);
            let message = match column {
                Some(column) if column.ty == *ty => continue,
                Some(column) => format!("the column '{}' must be a {ty}, and is a {}", name.text, column.ty),
                None => format!("this table has no column '{}', which the function needs", name.text),
            };
            self.problem(Code::TypeMismatch, span, message);
            is_right = false;
        }
        is_right.then(|| Let::Table { plan: Box::new(plan), is_serialized: false })
    }

    /// What the parameters of the query stand for: their defaults, since there is nobody who passes values.
    pub(super) fn declare_parameters(&mut self, parameters: &'a [ParameterNode]) {
        for parameter in parameters {
            let meaning = match (&parameter.kind, &parameter.default) {
                (ParameterKind::Scalar(Some(ty)), Some(default)) => self
                    .scalar(default, &Schema::default())
                    .and_then(|value| self.scalar_argument(&parameter.name.text, *ty, value)),
                (ParameterKind::Scalar(None), _) => None,
                (ParameterKind::Scalar(Some(_)) | ParameterKind::Table(_), _) => {
                    let message =
                        format!("the parameter '{}' has no value; give it one: = …", parameter.name.text);
                    self.problem(Code::NotSupported, parameter.name.span, message);
                    None
                }
            };
            self.declare_meaning(&parameter.name, meaning.unwrap_or(Let::Unknown));
        }
    }
}

/// The name that a pipeline is, if it is nothing but a name.
fn plain_name(pipeline: &Pipeline) -> Option<&str> {
    match (&pipeline.source, pipeline.operators.as_slice()) {
        (SourceNode::Expression(ExprNode { kind: ExprKindNode::Name(name), .. }), []) => Some(name),
        _ => None,
    }
}

fn declares(statement: &Statement, searched: &str) -> bool {
    match statement {
        Statement::Let { name, .. } => name.text == searched,
        Statement::Function(function) => function.name.text == searched,
        Statement::Parameters(_)
        | Statement::Setting { .. }
        | Statement::Query(_)
        | Statement::NotSupported(_) => false,
    }
}

fn find_parameter<'n>(function: &'n FunctionNode, name: &str) -> Option<&'n ParameterNode> {
    function.parameters.iter().find(|parameter| parameter.name.text == name)
}
