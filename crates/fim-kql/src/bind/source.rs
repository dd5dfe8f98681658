//! Where rows come from.

use super::function::CallNode;
use super::naming::Names;
use super::{Binder, Building, Let};
use crate::ast::{ExprKindNode, ExprNode, Name, NamedNode, SourceNode};
use crate::catalog::PLACES;
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, Plan, Source};
use crate::registry;
use crate::suggest::{likely, nearest, not_yet};
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
            SourceNode::Operator(operator) => self.starting_operator(operator),
            SourceNode::Nested(pipeline) => self.building(pipeline),
            SourceNode::Invalid => None,
        }
    }

    /// A table by its name, or a call that gives one.
    pub(super) fn table(&mut self, node: &ExprNode) -> Option<Building> {
        match &node.kind {
            ExprKindNode::Name(name) => self.named_table(name, node.span),
            ExprKindNode::Query(pipeline) => self.building(pipeline),
            ExprKindNode::Call { function, arguments } => self.called_table(function, arguments, node.span),
            ExprKindNode::Missing => None,
            ExprKindNode::Member { bag, name } => self.table_elsewhere(bag, name),
            _ => {
                let message = "a query starts with a table; to compute a value write: print …";
                self.problem(Code::UnknownTable, node.span, message);
                None
            }
        }
    }

    /// The plan of an expression that stands for a table and is no part of the pipeline around it.
    pub(super) fn table_plan(&mut self, node: &ExprNode) -> Option<Plan> {
        let unknown_columns = std::mem::take(&mut self.unknown_columns);
        let building = self.table(node);
        self.unknown_columns = unknown_columns;
        building.filter(|building| !building.is_broken).map(|building| building.plan)
    }

    fn named_table(&mut self, name: &str, span: Span) -> Option<Building> {
        match self.lets.find(name) {
            Some(Let::Table { plan, .. }) => {
                // Counted before it is copied: a plan that doubles with each name must not fill the memory.
                let size = plan.size();
                self.count_expression(span, size)?;
                let Some(Let::Table { plan, is_serialized }) = self.lets.find(name) else { return None };
                Some(Building { is_serialized: *is_serialized, ..Building::of_plan((**plan).clone()) })
            }
            Some(Let::Function(function)) => {
                let function = *function;
                self.call_for_table(function, CallNode { name, arguments: &[], span }, None)
            }
            Some(Let::Unknown) => None,
            Some(Let::Scalar { .. }) => {
                let message = format!("'{name}' is a value, not a table; to see it write: print {name}");
                self.problem(Code::UnknownTable, span, message);
                None
            }
            None => match self.catalog.table(name) {
                Some(schema) => Some(Building::of_table(None, name, schema)),
                None => {
                    self.unknown_table(name, span);
                    None
                }
            },
        }
    }

    /// `workspace("…").name`: a table of another workspace than those that are asked.
    fn table_elsewhere(&mut self, place: &ExprNode, name: &Name) -> Option<Building> {
        let Some(workspace) = workspace_of(place) else {
            return self.table(place);
        };
        if !self.catalog.has_workspace(workspace) {
            let message = format!("there is no workspace '{workspace}' that you may ask");
            self.problem(Code::UnknownTable, place.span, message);
            return None;
        }
        match self.catalog.table(&name.text) {
            Some(schema) => Some(Building::of_table(Some(workspace), &name.text, schema)),
            None => {
                self.unknown_table(&name.text, name.span);
                None
            }
        }
    }

    fn called_table(&mut self, function: &Name, arguments: &[NamedNode], span: Span) -> Option<Building> {
        let name = function.text.as_str();
        if let Some(Let::Function(declared)) = self.lets.find(name) {
            let declared = *declared;
            return self.call_for_table(declared, CallNode { name, arguments, span }, None);
        }
        match (name, arguments) {
            ("materialize", [NamedNode { names, expr }]) if names.is_empty() => self.table(expr),
            ("materialize", _) => {
                self.problem(Code::ArgumentCount, span, "materialize takes one table");
                None
            }
            ("table", [NamedNode { names, expr }]) if names.is_empty() => match &expr.kind {
                ExprKindNode::Literal(Value::String(name), _) => self.named_table(name, expr.span),
                _ => {
                    self.problem(
                        Code::InvalidConstant,
                        expr.span,
                        "the name of the table is a constant text",
                    );
                    None
                }
            },
            _ if registry::function(name).is_some() || registry::aggregate(name).is_some() => {
                let message = format!("{name}(…) is a value, not a table; to see it write: print {name}(…)");
                self.problem(Code::UnknownTable, span, message);
                None
            }
            _ if PLACES.contains(&name) => {
                let message = "a workspace is named by a constant text, with a table behind it";
                let problem = Problem::new(Code::UnknownTable, span, message);
                self.problems.push(problem.expecting([format!("{name}(\"…\").ConfigurationChange")]));
                None
            }
            _ if KNOWN_TABLE_FUNCTIONS.contains(&name) => {
                let instead = "name a table of this workspace";
                let message = not_yet(&format!("'{name}(…)' as a table"), instead);
                self.problem(Code::NotSupported, function.span, message);
                None
            }
            _ => {
                let functions = self.lets.visible();
                let functions = functions.iter().filter(|(_, meaning)| matches!(meaning, Let::Function(_)));
                let suggestion = nearest(name, functions.map(|(name, _)| *name));
                let message = format!("there is no function '{name}' that gives a table");
                let problem = Problem::new(Code::UnknownFunction, function.span, message);
                self.problems.push(problem.suggesting(suggestion));
                None
            }
        }
    }

    fn unknown_table(&mut self, name: &str, span: Span) {
        let tables = self.catalog.table_names();
        let lets = self.lets.visible();
        let lets = lets.iter().filter(|(_, meaning)| matches!(meaning, Let::Table { .. } | Let::Function(_)));
        let names: Vec<&str> = tables.iter().map(String::as_str).chain(lets.map(|(name, _)| *name)).collect();
        let there_are = match likely(name, names.iter().copied(), SHOWN_TABLES)[..] {
            [] => "; there are no tables here".to_owned(),
            ref likely => format!("; there are {}", likely.join(", ")),
        };
        let suggestion = nearest(name, names);
        let instead = if suggestion.is_some() { String::new() } else { there_are };
        let problem = Problem::new(Code::UnknownTable, span, format!("there is no table '{name}'{instead}"));
        self.problems.push(problem.suggesting(suggestion));
    }

    fn print(&mut self, items: &[NamedNode], span: Span) -> Option<Building> {
        let mut building = Building::start(Source::OneRow, Schema::default());
        building.is_serialized = true;
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
        let mut building = Building::start(source, Schema::new(vec![Column::new(name.text.clone(), ty)]));
        building.is_serialized = true;
        Some(building)
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
        is_complete.then(|| Building::start(Source::Rows(rows), Schema::new(columns)))
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

/// The text in `workspace("…")`.
pub(super) fn workspace_of(place: &ExprNode) -> Option<&str> {
    let ExprKindNode::Call { function, arguments } = &place.kind else { return None };
    match &arguments[..] {
        [
            NamedNode {
                names,
                expr: ExprNode { kind: ExprKindNode::Literal(Value::String(workspace), _), .. },
            },
        ] if names.is_empty() && PLACES.contains(&function.text.as_str()) => Some(workspace),
        _ => None,
    }
}

/// So many tables are named where another is not found.
const SHOWN_TABLES: usize = 12;

/// Functions of the language that give tables of other places.
const KNOWN_TABLE_FUNCTIONS: [&str; 7] =
    ["adx", "app", "arg", "cluster", "external_table", "resource", "stored_query_result"];

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
