//! Where rows come from.

use super::naming::Names;
use super::{Binder, Building, Let};
use crate::ast::{ExprKindNode, ExprNode, Name, NamedNode, SourceNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, Source};
use crate::suggest::nearest;
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    pub(super) fn source(&mut self, source: &SourceNode, span: Span) -> Option<Building> {
        match source {
            SourceNode::Expression(node) => self.table(node),
            SourceNode::Print(items) => self.print(items, span),
            SourceNode::Range { name, from, to, step } => self.range(name, from, to, step),
            SourceNode::DataTable { columns, values, values_span } => {
                self.data_table(columns, values, *values_span)
            }
            SourceNode::Nested(pipeline) => self.building(pipeline),
            SourceNode::Invalid => None,
        }
    }

    fn table(&mut self, node: &ExprNode) -> Option<Building> {
        let name = match &node.kind {
            ExprKindNode::Name(name) => name,
            ExprKindNode::Call { function, arguments } if function.text == "materialize" => {
                return match arguments.as_slice() {
                    [NamedNode { names, expr }] if names.is_empty() => self.nested(expr),
                    _ => {
                        self.problem(Code::ArgumentCount, node.span, "materialize takes one table");
                        None
                    }
                };
            }
            ExprKindNode::Call { function, .. } => {
                let message = format!("'{}(…)' as a table is not supported yet", function.text);
                self.problem(Code::NotSupported, function.span, message);
                return None;
            }
            ExprKindNode::Missing => return None,
            _ => {
                let message = "a query starts with a table; to compute a value write: print …";
                self.problem(Code::UnknownTable, node.span, message);
                return None;
            }
        };
        match self.lets.get(name) {
            Some(Let::Table(plan)) => return Some(Building { plan: (**plan).clone(), is_broken: false }),
            Some(Let::Unknown) => return None,
            Some(Let::Scalar(_)) => {
                let message = format!("'{name}' is a value, not a table; to see it write: print {name}");
                self.problem(Code::UnknownTable, node.span, message);
                return None;
            }
            None => {}
        }
        match self.catalog.table(name) {
            Some(schema) => Some(Self::start(Source::Table { name: name.clone() }, schema)),
            None => {
                self.unknown_table(name, node.span);
                None
            }
        }
    }

    fn nested(&mut self, node: &ExprNode) -> Option<Building> {
        match &node.kind {
            ExprKindNode::Query(pipeline) => self.building(pipeline),
            _ => self.table(node),
        }
    }

    fn unknown_table(&mut self, name: &str, span: Span) {
        let tables = self.catalog.table_names();
        let lets = self.lets.iter().filter(|(_, meaning)| matches!(meaning, Let::Table(_)));
        let names: Vec<&str> =
            tables.iter().map(String::as_str).chain(lets.map(|(name, _)| name.as_str())).collect();
        let suggestion = nearest(name, names);
        let problem = Problem::new(Code::UnknownTable, span, format!("there is no table '{name}'"));
        self.problems.push(problem.suggesting(suggestion));
    }

    fn print(&mut self, items: &[NamedNode], span: Span) -> Option<Building> {
        let mut building = Self::start(Source::OneRow, Schema::default());
        let mut names = Names::default();
        let mut columns = Vec::new();
        for (position, item) in items.iter().enumerate() {
            let expr = self.scalar(&item.expr, &Schema::default());
            let name = match self.single_name(item) {
                Some(name) => self.declared(&mut names, &name.text, name.span),
                None => Some(names.automatic(&format!("print_{position}"))),
            };
            columns.push(name.zip(expr).map(|(name, expr)| NamedExpr { name, expr }));
        }
        let columns: Option<Vec<NamedExpr>> = columns.into_iter().collect();
        let columns = columns?;
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        Some(building)
    }

    fn range(&mut self, name: &Name, from: &ExprNode, to: &ExprNode, step: &ExprNode) -> Option<Building> {
        let scope = Schema::default();
        let (from, to, step) =
            (self.scalar(from, &scope), self.scalar(to, &scope), self.scalar(step, &scope));
        let (from, to, step) = (from?, to?, step?);
        let (ty, step_ty) = match (from.ty, to.ty, step.ty) {
            (ScalarType::DateTime, ScalarType::DateTime, ScalarType::TimeSpan) => {
                (ScalarType::DateTime, ScalarType::TimeSpan)
            }
            (ScalarType::TimeSpan, ScalarType::TimeSpan, ScalarType::TimeSpan) => {
                (ScalarType::TimeSpan, ScalarType::TimeSpan)
            }
            (a, b, c) => match super::coerce::widest(&[a, b, c, ScalarType::Long]) {
                Some(ty) => (ty, ty),
                None => {
                    let message = format!(
                        "range counts with numbers, with timespans, or with datetimes and a timespan as step, not \
                         from {a} to {b} step {c}"
                    );
                    self.problem(Code::TypeMismatch, from.span.to(step.span), message);
                    return None;
                }
            },
        };
        let source = Source::Range {
            from: from.convert_to(ty),
            to: to.convert_to(ty),
            step: step.convert_to(step_ty),
        };
        Some(Self::start(source, Schema::new(vec![Column::new(name.text.clone(), ty)])))
    }

    fn data_table(
        &mut self,
        declarations: &[(Name, Option<ScalarType>)],
        values: &[ExprNode],
        values_span: Span,
    ) -> Option<Building> {
        let mut names = Names::default();
        let mut columns = Vec::new();
        for (name, ty) in declarations {
            let text = self.declared(&mut names, &name.text, name.span);
            columns.push(text.zip(*ty).map(|(text, ty)| Column::new(text, ty)));
        }
        let columns: Option<Vec<Column>> = columns.into_iter().collect();
        let columns = columns?;
        let width = columns.len();
        if width == 0 || !values.len().is_multiple_of(width) {
            let message = format!("{} values do not fill rows of {width} columns", values.len());
            self.problem(Code::RowShape, values_span, message);
            return None;
        }
        self.count_expression(values_span, values.len())?;
        let mut rows = Vec::with_capacity(values.len() / width);
        let mut is_complete = true;
        for row in values.chunks(width) {
            let cells: Vec<Option<Value>> =
                row.iter().zip(&columns).map(|(node, column)| self.cell(node, column.ty)).collect();
            match cells.into_iter().collect::<Option<Vec<Value>>>() {
                Some(cells) => rows.push(cells),
                None => is_complete = false,
            }
        }
        is_complete.then(|| Self::start(Source::Rows(rows), Schema::new(columns)))
    }

    /// A value of a `datatable`, in the type of its column.
    fn cell(&mut self, node: &ExprNode, ty: ScalarType) -> Option<Value> {
        let expr = self.scalar(node, &Schema::default())?;
        let ExprKind::Literal(value) = expr.kind else {
            self.problem(Code::InvalidConstant, node.span, "the values of a datatable are literals");
            return None;
        };
        let converted = super::fold::cell(&value, ty);
        if converted.is_none() {
            let message = format!("this {} cannot be written into a column of type {ty}", expr.ty);
            self.problem(Code::TypeMismatch, node.span, message);
        }
        converted
    }

    pub(super) fn schema_of(columns: &[NamedExpr]) -> Schema {
        Schema::new(columns.iter().map(|column| Column::new(column.name.clone(), column.expr.ty)).collect())
    }
}

impl Expr {
    /// This expression in another type; itself if it has the type already.
    pub(super) fn convert_to(self, ty: ScalarType) -> Expr {
        if self.ty == ty {
            return self;
        }
        let span = self.span;
        super::fold::convert(Expr { kind: ExprKind::Convert(Box::new(self)), ty, span })
    }
}
