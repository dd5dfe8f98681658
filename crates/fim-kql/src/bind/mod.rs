//! The tree to a plan: finds what each name means and checks every type.

mod aggregate;
mod aggregate_call;
mod apply;
mod bag_unpack;
mod call;
mod coerce;
mod expression;
mod fold;
mod function;
mod groups;
mod join;
mod known;
mod lets;
mod merge;
mod naming;
mod operator;
mod order;
mod pivot;
mod plugin;
mod query;
mod search;
mod series;
mod shape;
mod source;
mod special;
mod top_nested;
mod union;
mod window;

use std::collections::BTreeSet;

pub(crate) use call::arity as call_arity;
use groups::Groups;
use known::Settings;
use lets::{Let, Lets};
use merge::merge_projections;

use crate::ast::{Ast, Name, Pipeline, SourceNode, Statement};
use crate::catalog::Catalog;
use crate::catalog::TableName;
use crate::diagnostic::{Code, Diagnostic, Problem, Span, locate};
use crate::lexer::{Token, TokenKind, tokenize};
use crate::parser::parse;
use crate::plan::{Constant, Expr, Plan, Query, Render, SortKey, Source};
use crate::time::DateTime;
use crate::types::{Schema, Value};

/// What a query may know about the world.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    /// The moment that `now()` gives, the same everywhere in the query.
    pub now: DateTime,
}

/// What binding gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// The query is ready to run.
    Query(Query),
    /// The columns of a plugin depend on rows: run this query, then bind again with the values of its first column as
    /// the next answer.
    Question(Query),
}

/// Resolves all names and types of `ast`. There is a query if, and only if, nothing is wrong with it and its columns
/// do not depend on rows.
///
/// What the parser said about the text is not repeated: a tree with gaps gives no query, and maybe no diagnostic.
pub fn bind(ast: &Ast, catalog: &dyn Catalog, options: &BindOptions) -> (Option<Query>, Vec<Diagnostic>) {
    match bind_with(ast, catalog, options, &[]) {
        (Some(Bound::Query(query)), found) => (Some(query), found),
        (Some(Bound::Question(_)) | None, found) => (None, found),
    }
}

fn bind_with(
    ast: &Ast,
    catalog: &dyn Catalog,
    options: &BindOptions,
    answers: &[Vec<Value>],
) -> (Option<Bound>, Vec<Diagnostic>) {
    let mut binder = Binder {
        catalog,
        now: options.now,
        problems: Vec::new(),
        lets: Lets::new(),
        constants: Vec::new(),
        answers,
        asked: 0,
        question: None,
        unknown_columns: BTreeSet::new(),
        expressions: 0,
        nesting: 0,
        rows: 0,
        steps: 0,
        hidden: 0,
        settings: Settings::default(),
    };
    let query = binder.query(ast);
    let question = binder.question.take();
    let bound = match (question, query) {
        (Some((constants, plan)), _) => Some(Bound::Question(Query { constants, plan, render: None })),
        (None, query) => query.map(Bound::Query),
    };
    let mut bound = bound.filter(|_| binder.problems.is_empty());
    if let Some(Bound::Query(query) | Bound::Question(query)) = &mut bound {
        let constants = query.constants.iter_mut().map(|constant| &mut constant.plan);
        constants.chain([&mut query.plan]).for_each(merge_projections);
    }
    (bound, locate(&ast.text, binder.problems))
}

/// Parses and binds: the query, or everything that is wrong with the text. There is nothing wrong with a query whose
/// columns depend on rows, and no query either; see [`compile_with`].
pub fn compile(text: &str, catalog: &dyn Catalog, options: &BindOptions) -> Result<Query, Vec<Diagnostic>> {
    match compile_with(text, catalog, options, &[])? {
        Bound::Query(query) => Ok(query),
        Bound::Question(_) => Err(Vec::new()),
    }
}

/// Parses and binds with what the questions of earlier bindings gave, in their order.
pub fn compile_with(
    text: &str,
    catalog: &dyn Catalog,
    options: &BindOptions,
    answers: &[Vec<Value>],
) -> Result<Bound, Vec<Diagnostic>> {
    let (ast, mut diagnostics) = parse(text);
    let (bound, found) = bind_with(&ast, catalog, options, answers);
    let found = sure(&ast.text, &diagnostics, found);
    diagnostics.extend(found);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    match bound {
        Some(bound) if diagnostics.is_empty() => Ok(bound),
        Some(_) | None => Err(diagnostics),
    }
}

/// Those of the binder's findings that do not depend on what the parser has found missing.
///
/// From the operator on that the first thing is wrong with, the tree has gaps, and what seems wrong there may be right once
/// they are filled. Only a name that stands before the first gap is wrong whatever follows.
fn sure(text: &str, of_parser: &[Diagnostic], found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let Some(gap) = of_parser.iter().map(|problem| problem.span.start).min() else { return found };
    let is_boundary = |token: &&Token| {
        matches!(token.kind, TokenKind::Bar | TokenKind::Semicolon) && token.span.start < gap
    };
    let step = tokenize(text).iter().rfind(is_boundary).map_or(0, |token| token.span.start);
    let is_sure = |problem: &Diagnostic| match problem.code {
        Code::UnknownName | Code::UnknownTable => problem.span.end <= gap,
        _ => problem.span.end <= step,
    };
    found.into_iter().filter(is_sure).collect()
}

/// The most operators that a query may hold, those of each use of a `let` counted: engines plan in more than linear time.
const MAX_STEPS: usize = 200;
/// The most expressions that a query may hold, the values of its `datatable`s among them; a few `let`s that use each
/// other twice would otherwise fill the memory.
const MAX_EXPRESSIONS: usize = 100_000;

/// How deep the value of a `let` may be. It holds those of the `let`s that it uses, and is walked by recursion.
const MAX_LET_HEIGHT: usize = 200;

/// How deep plans may stand in plans, as the right side of a `join` does. They are walked by recursion.
const MAX_PLAN_HEIGHT: usize = 40;

/// How deep expressions, queries and the bodies of called functions may be bound inside each other.
const MAX_NESTING: usize = 120;

pub(crate) struct Binder<'a> {
    catalog: &'a dyn Catalog,
    now: DateTime,
    problems: Vec<Problem>,
    lets: Lets<'a>,
    /// What is computed before the rows; see [`ExprKind::Constant`](crate::plan::ExprKind::Constant).
    constants: Vec<Constant>,
    /// What earlier bindings asked, and how many of them this one has asked.
    answers: &'a [Vec<Value>],
    asked: usize,
    /// The first question that has no answer yet, with the constants that it may use.
    question: Option<(Vec<Constant>, Plan)>,
    /// Columns whose expression could not be bound. Using one says nothing more.
    unknown_columns: BTreeSet<String>,
    expressions: usize,
    nesting: usize,
    /// The number of the pipeline whose rows expressions refer to now; each pipeline has another.
    rows: usize,
    steps: usize,
    /// How many columns were made that no name reaches.
    hidden: usize,
    settings: Settings,
}

/// A plan that is being built. Once something is wrong the schema may be unknown; then nothing more is bound.
pub(crate) struct Building {
    plan: Plan,
    /// Whether a step is missing, so that there will be no plan.
    is_broken: bool,
    /// Whether the rows have an order that counts, so that `prev` and its kin mean something.
    is_serialized: bool,
    /// The order that the rows have from a step on, where no sort before it counts.
    ordered: Option<(usize, Vec<SortKey>)>,
    /// The groups of rows that operators are for, inside of `mv-apply` and `partition`.
    groups: Option<Groups>,
    render: Option<Render>,
}

impl Building {
    /// A plan of a source alone.
    fn start(source: Source, schema: Schema) -> Self {
        Self::of_plan(Plan { source, source_schema: schema, steps: Vec::new() })
    }

    /// All rows of a table, of the workspace that the query names with it if it names one.
    fn of_table(workspace: Option<&str>, table: &str, schema: Schema) -> Self {
        let workspace = workspace.map(str::to_owned);
        Self::start(Source::Table(TableName { workspace, table: table.to_owned() }), schema)
    }

    fn of_plan(plan: Plan) -> Self {
        Self { plan, is_broken: false, is_serialized: false, ordered: None, groups: None, render: None }
    }

    /// The columns that operators see.
    fn schema(&self) -> &Schema {
        self.groups.as_ref().map_or(self.plan.schema(), |groups| &groups.visible)
    }

    /// The plan so far, which becomes a part of another one.
    fn take_plan(&mut self) -> Plan {
        let nothing = Plan { source: Source::OneRow, source_schema: Schema::default(), steps: Vec::new() };
        std::mem::replace(&mut self.plan, nothing)
    }
}

impl<'a> Binder<'a> {
    fn query(&mut self, ast: &'a Ast) -> Option<Query> {
        let mut found = None;
        let mut queries = 0;
        let mut has_unsupported = false;
        for statement in &ast.statements {
            match statement {
                Statement::Let { name, value } => self.declare(name, value),
                Statement::Function(function) => self.declare_function(function),
                Statement::Parameters(parameters) => self.declare_parameters(parameters),
                Statement::Setting { name, value } => self.set(name, value.as_ref()),
                Statement::Query(pipeline) => {
                    queries += 1;
                    // A statement that was refused would only make the query after it look wrong.
                    if has_unsupported {
                        return None;
                    }
                    if queries > 1 {
                        let message = "several queries in one text are not supported yet; send one at a time";
                        self.problem(Code::NotSupported, pipeline.span, message);
                        return None;
                    }
                    found = self.building(pipeline).filter(|building| !building.is_broken);
                }
                Statement::NotSupported(_) => has_unsupported = true,
            }
        }
        if queries == 0 && !has_unsupported {
            let end = ast.text.len();
            let message = match ast.statements.is_empty() {
                true => "the text holds no query",
                false => "a query must follow the `let` statements",
            };
            self.problem(Code::EmptyQuery, Span::new(end, end), message);
        }
        let Building { plan, render, .. } = found?;
        self.check_plan_height(&plan, ast.statements.last().map_or_else(Span::default, Statement::span))?;
        Some(Query { constants: std::mem::take(&mut self.constants), plan, render })
    }

    fn declare(&mut self, name: &Name, value: &Pipeline) {
        let meaning = self.let_value(name, value).unwrap_or(Let::Unknown);
        self.declare_meaning(name, meaning);
    }

    fn declare_meaning(&mut self, name: &Name, meaning: Let<'a>) {
        if !self.lets.declare(&name.text, meaning) {
            let message = format!("'{}' is declared twice", name.text);
            self.problem(Code::DuplicateName, name.span, message);
        }
    }

    fn let_value(&mut self, name: &Name, value: &Pipeline) -> Option<Let<'a>> {
        if let SourceNode::Expression(node) = &value.source
            && !self.is_table(value)
        {
            let expr = self.scalar(node, &Schema::default())?;
            self.check_height(&expr, &name.text, name.span)?;
            return Some(Let::Scalar { expr, rows: self.rows });
        }
        let building = self.separate(value)?;
        self.check_plan_height(&building.plan, name.span)?;
        Some(Let::Table { plan: Box::new(building.plan), is_serialized: building.is_serialized })
    }

    /// Says so if an expression that will stand elsewhere is too deep for those who walk it.
    fn check_height(&mut self, expr: &Expr, name: &str, span: Span) -> Option<()> {
        if expression::height(expr) <= MAX_LET_HEIGHT {
            return Some(());
        }
        self.problem(Code::TooDeep, span, format!("'{name}' nests deeper than {MAX_LET_HEIGHT} levels"));
        None
    }

    fn check_plan_height(&mut self, plan: &Plan, span: Span) -> Option<()> {
        let mut level = vec![plan];
        for _ in 0..MAX_PLAN_HEIGHT {
            level = level.into_iter().flat_map(Plan::nested).collect();
            if level.is_empty() {
                return Some(());
            }
        }
        let message = format!("queries stand in each other more than {MAX_PLAN_HEIGHT} deep");
        self.problem(Code::TooDeep, span, message);
        None
    }

    /// The plan of a pipeline, or none if something is wrong with it, which was said.
    fn pipeline(&mut self, pipeline: &Pipeline) -> Option<Plan> {
        Some(self.separate(pipeline)?.plan)
    }

    /// A pipeline inside of another, whose columns are none of its own.
    fn separate(&mut self, pipeline: &Pipeline) -> Option<Building> {
        let unknown_columns = std::mem::take(&mut self.unknown_columns);
        let building = self.building(pipeline);
        self.unknown_columns = unknown_columns;
        building.filter(|building| !building.is_broken)
    }

    fn building(&mut self, pipeline: &Pipeline) -> Option<Building> {
        self.deeper(pipeline.span)?;
        let rows = self.rows;
        self.rows = self.rows.wrapping_add(1);
        self.unknown_columns.clear();
        let building = self.source(&pipeline.source, pipeline.span);
        let building = building.and_then(|building| self.operators(pipeline, building));
        self.rows = rows;
        self.nesting -= 1;
        building
    }

    fn operators(&mut self, pipeline: &Pipeline, mut building: Building) -> Option<Building> {
        for operator in &pipeline.operators {
            self.count_step(operator.span)?;
            match self.operator(operator, &mut building) {
                Some(()) => self.count_expression(operator.span, building.schema().columns.len())?,
                // Without the other table's columns, the names behind it mean nothing.
                None if operator.kind.needs_other_rows() => return None,
                None => building.is_broken = true,
            }
        }
        Some(building)
    }

    fn problem(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(code, span, message));
    }

    /// Counts a step; none if there are too many.
    fn count_step(&mut self, span: Span) -> Option<()> {
        self.steps += 1;
        if self.steps <= MAX_STEPS {
            return Some(());
        }
        if self.steps == MAX_STEPS + 1 {
            let message =
                format!("the query has more than {MAX_STEPS} operators: put more into each of them");
            self.problem(Code::TooLarge, span, message);
        }
        None
    }

    /// Counts an expression; none if there are too many.
    fn count_expression(&mut self, span: Span, how_many: usize) -> Option<()> {
        let before = self.expressions;
        self.expressions = before.saturating_add(how_many);
        if self.expressions <= MAX_EXPRESSIONS {
            return Some(());
        }
        if before <= MAX_EXPRESSIONS {
            let message = format!("the query unfolds to more than {MAX_EXPRESSIONS} expressions");
            self.problem(Code::TooLarge, span, message);
        }
        None
    }

    /// What a query about rows gave. None if it was not run yet; then there is a question.
    fn answer(&mut self, question: Plan) -> Option<&'a [Value]> {
        let answer = self.answers.get(self.asked).map(Vec::as_slice);
        self.asked += 1;
        if answer.is_none() && self.question.is_none() {
            self.question = Some((self.constants.clone(), question));
        }
        answer
    }

    /// Goes one level down; the caller comes back up by `nesting -= 1`. None if that is too deep, which is said.
    fn deeper(&mut self, span: Span) -> Option<()> {
        if self.nesting >= MAX_NESTING {
            let message = format!("the query nests deeper than {MAX_NESTING} levels");
            self.problem(Code::TooDeep, span, message);
            return None;
        }
        self.nesting += 1;
        Some(())
    }
}
