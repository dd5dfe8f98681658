//! `union`: the rows of several tables under one set of columns.

use super::expression::literal;
use super::lets::Let;
use super::operator::{column, matches_wildcard};
use super::source::workspace_of;
use super::{Binder, Building};
use crate::ast::{ColumnPattern, ExprKindNode, Pipeline, SourceNode, TableNode, UnionNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{NamedExpr, Operator, Plan, Source, Step};
use crate::types::{Column, ScalarType, Schema, Value};

/// One of the tables, and what `withsource` calls it.
pub(super) struct Input {
    pub(super) plan: Plan,
    pub(super) name: String,
}

/// How the columns of several tables become those of one.
#[derive(Clone, Copy)]
pub(super) struct Combining<'n> {
    /// Whether only columns that all tables have are kept.
    pub(super) is_inner: bool,
    /// The column that tells the table.
    pub(super) source_column: Option<&'n str>,
}

impl Binder<'_> {
    /// `union` behind rows, or at the start with none.
    pub(super) fn union(&mut self, node: &UnionNode, before: Option<Plan>, span: Span) -> Option<Building> {
        let mut inputs: Vec<Input> = Vec::new();
        inputs.extend(before.map(|plan| Input { plan, name: "union_arg0".to_owned() }));
        self.add_inputs(&node.tables, node.is_fuzzy, &mut inputs)?;
        if inputs.is_empty() {
            self.problem(Code::UnknownTable, span, "none of these tables exists");
            return None;
        }
        let source_column = node.source_column.as_ref().map(|name| name.text.as_str());
        self.unknown_columns.clear();
        self.combine(inputs, Combining { is_inner: node.is_inner, source_column }, span)
    }

    /// Binds tables and adds them. Those that do not exist are left out if `is_fuzzy`, otherwise told.
    pub(super) fn add_inputs(
        &mut self,
        tables: &[TableNode],
        is_fuzzy: bool,
        inputs: &mut Vec<Input>,
    ) -> Option<()> {
        let mut is_right = true;
        for table in tables {
            match table {
                TableNode::Wildcard(pattern) => {
                    is_right &= self.add_matching(pattern, is_fuzzy, inputs).is_some();
                }
                TableNode::Pipeline(pipeline) if is_fuzzy && self.is_missing(pipeline) => {}
                TableNode::Pipeline(pipeline) => {
                    let name = match &pipeline.source {
                        SourceNode::Expression(node) => match &node.kind {
                            ExprKindNode::Name(name) => name.clone(),
                            _ => format!("union_arg{}", inputs.len()),
                        },
                        _ => format!("union_arg{}", inputs.len()),
                    };
                    match self.pipeline(pipeline) {
                        Some(plan) => inputs.push(Input { plan, name }),
                        None => is_right = false,
                    }
                }
            }
        }
        is_right.then_some(())
    }

    /// Adds all tables of the workspace, and views of the query, whose names match.
    fn add_matching(
        &mut self,
        pattern: &ColumnPattern,
        is_fuzzy: bool,
        inputs: &mut Vec<Input>,
    ) -> Option<()> {
        let text = pattern.name.text.as_str();
        let before = inputs.len();
        for name in self.catalog.table_names() {
            if let Some(schema) = self.catalog.table(&name).filter(|_| matches_wildcard(text, &name)) {
                self.count_expression(pattern.name.span, schema.columns.len())?;
                let plan = Building::of_table(None, &name, schema).plan;
                inputs.push(Input { plan, name });
            }
        }
        let visible = self.lets.visible().into_iter();
        let views = visible.filter_map(|(name, meaning)| match meaning {
            Let::Function(function) if function.node.is_view && matches_wildcard(text, name) => {
                Some((name.to_owned(), *function))
            }
            _ => None,
        });
        let views: Vec<_> = views.collect();
        for (name, view) in views {
            let call = super::function::CallNode { name: &name, arguments: &[], span: pattern.name.span };
            let building = self.call_for_table(view, call, None)?;
            let plan = (!building.is_broken).then_some(building.plan)?;
            inputs.push(Input { plan, name });
        }
        if inputs.len() == before && !is_fuzzy {
            self.problem(Code::UnknownTable, pattern.name.span, format!("no table matches '{text}'"));
            return None;
        }
        Some(())
    }

    /// Whether the table that a pipeline starts with does not exist.
    fn is_missing(&self, pipeline: &Pipeline) -> bool {
        match &pipeline.source {
            SourceNode::Nested(inner) => self.is_missing(inner),
            SourceNode::Expression(node) => match &node.kind {
                ExprKindNode::Name(name) => {
                    self.lets.find(name).is_none() && self.catalog.table(name).is_none()
                }
                ExprKindNode::Query(inner) => self.is_missing(inner),
                ExprKindNode::Member { bag, name } => workspace_of(bag).is_some_and(|workspace| {
                    !self.catalog.has_workspace(workspace) || self.catalog.table(&name.text).is_none()
                }),
                _ => false,
            },
            _ => false,
        }
    }

    /// Puts the rows of the inputs under one schema.
    pub(super) fn combine(
        &mut self,
        inputs: Vec<Input>,
        combining: Combining<'_>,
        span: Span,
    ) -> Option<Building> {
        let schemas: Vec<Schema> = inputs.iter().map(|input| input.plan.schema().clone()).collect();
        let columns = combined(&schemas, combining.is_inner);
        if let Some(name) = combining.source_column
            && columns.iter().any(|column| column.output == name)
        {
            let message = format!("there is a column '{name}' already; a second one is not supported");
            self.problem(Code::NotSupported, span, message);
            return None;
        }
        self.count_expression(span, columns.len().saturating_mul(inputs.len()))?;
        let source_column = combining.source_column.map(|name| Column::new(name, ScalarType::String));
        let outputs = columns.iter().map(|column| Column::new(column.output.clone(), column.ty));
        let schema = Schema::new(source_column.into_iter().chain(outputs).collect());
        let aligned = inputs.into_iter().map(|mut input| {
            let name = combining.source_column.map(|_| input.name);
            align(&mut input.plan, &columns, name, &schema, span);
            input.plan
        });
        let source = Source::Union(aligned.collect());
        Some(Building::start(source, schema))
    }

    /// An operator that starts a query.
    pub(super) fn starting_operator(&mut self, node: &crate::ast::OperatorNode) -> Option<Building> {
        match &node.kind {
            crate::ast::OperatorKind::Union(union) => self.union(union, None, node.span),
            crate::ast::OperatorKind::Search(search) => self.search_tables(search, node.span),
            crate::ast::OperatorKind::Invalid => None,
            _ => {
                let problem = Problem::new(Code::Syntax, node.span, "this operator needs a table before it");
                self.problems.push(problem.expecting(["a table"]));
                None
            }
        }
    }
}

/// A column of a union: what it is called in its inputs, and in the result.
struct Combined {
    name: String,
    ty: ScalarType,
    output: String,
}

/// One column for each name and type; where a name has several types, each gets its type as a suffix.
fn combined(schemas: &[Schema], is_inner: bool) -> Vec<Combined> {
    let mut columns: Vec<(&str, ScalarType, usize)> = Vec::new();
    for column in schemas.iter().flat_map(|schema| &schema.columns) {
        match columns.iter_mut().find(|(name, ty, _)| *name == column.name && *ty == column.ty) {
            Some((.., count)) => *count += 1,
            None => columns.push((&column.name, column.ty, 1)),
        }
    }
    if is_inner {
        columns.retain(|(.., count)| *count == schemas.len());
    }
    let has_several_types =
        |searched: &str| columns.iter().filter(|(name, ..)| *name == searched).count() > 1;
    let output = |name: &str, ty: ScalarType| match has_several_types(name) {
        true => format!("{name}_{ty}"),
        false => name.to_owned(),
    };
    columns
        .iter()
        .map(|(name, ty, _)| Combined { name: (*name).to_owned(), ty: *ty, output: output(name, *ty) })
        .collect()
}

/// Gives a plan the columns of the union; what it does not have is null.
fn align(plan: &mut Plan, columns: &[Combined], name: Option<String>, schema: &Schema, span: Span) {
    if plan.schema() == schema {
        return;
    }
    let own = plan.schema().clone();
    let source = name.map(|name| NamedExpr {
        name: schema.columns[0].name.clone(),
        expr: literal(Value::String(name), ScalarType::String, span),
    });
    let outputs = columns.iter().map(|combined| {
        let at =
            own.columns.iter().position(|column| column.name == combined.name && column.ty == combined.ty);
        let expr = match at {
            Some(at) => column(&own, at, span).expr,
            None => literal(Value::Null, combined.ty, span),
        };
        NamedExpr { name: combined.output.clone(), expr }
    });
    let outputs = source.into_iter().chain(outputs).collect();
    plan.steps.push(Step { operator: Operator::Project(outputs), schema: schema.clone(), span });
}
