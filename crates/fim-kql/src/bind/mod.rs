//! The tree to a plan: finds what each name means and checks every type.

mod aggregate;
mod call;
mod coerce;
mod expression;
mod fold;
mod naming;
mod operator;
mod source;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use call::arity as call_arity;

use crate::ast::{Ast, ExprKindNode, Name, OperatorKind, Pipeline, SourceNode, Statement};
use crate::catalog::Catalog;
use crate::diagnostic::{Code, Diagnostic, Problem, Span, locate};
use crate::parser::parse;
use crate::plan::{Expr, Operator, Plan, Source, Step};
use crate::time::DateTime;
use crate::types::Schema;

/// What a query may know about the world.
#[derive(Clone, Copy, Debug)]
pub struct BindOptions {
    /// The moment that `now()` gives, the same everywhere in the query.
    pub now: DateTime,
}

/// Resolves all names and types of `ast`. There is a plan if, and only if, nothing is wrong with it.
///
/// What the parser said about the text is not repeated: a tree with gaps gives no plan, and maybe no diagnostic.
pub fn bind(ast: &Ast, catalog: &dyn Catalog, options: &BindOptions) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut binder = Binder {
        catalog,
        now: options.now,
        problems: Vec::new(),
        lets: BTreeMap::new(),
        unknown_columns: BTreeSet::new(),
        expressions: 0,
    };
    let plan = binder.query(ast);
    let plan = plan.filter(|_| binder.problems.is_empty());
    (plan, locate(&ast.text, binder.problems))
}

/// Parses and binds: the plan, or everything that is wrong with the text.
pub fn compile(text: &str, catalog: &dyn Catalog, options: &BindOptions) -> Result<Plan, Vec<Diagnostic>> {
    let (ast, mut diagnostics) = parse(text);
    let (plan, found) = bind(&ast, catalog, options);
    diagnostics.extend(found);
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    match plan {
        Some(plan) if diagnostics.is_empty() => Ok(plan),
        Some(_) | None => Err(diagnostics),
    }
}

/// The most expressions that a plan may hold; a few `let`s that use each other twice would otherwise fill the memory.
const MAX_EXPRESSIONS: usize = 100_000;

/// How deep the value of a `let` may be. It holds those of the `let`s that it uses, and is walked by recursion.
const MAX_LET_HEIGHT: usize = 200;

pub(crate) struct Binder<'c> {
    catalog: &'c dyn Catalog,
    now: DateTime,
    problems: Vec<Problem>,
    lets: BTreeMap<String, Let>,
    /// Columns whose expression could not be bound. Using one says nothing more.
    unknown_columns: BTreeSet<String>,
    expressions: usize,
}

/// What a `let` name stands for.
enum Let {
    Scalar(Expr),
    Table(Box<Plan>),
    /// It could not be bound, and that was said.
    Unknown,
}

/// A plan that is being built. Once something is wrong the schema may be unknown; then nothing more is bound.
pub(crate) struct Building {
    plan: Plan,
    /// Whether a step is missing, so that there will be no plan.
    is_broken: bool,
}

impl Building {
    fn schema(&self) -> &Schema {
        self.plan.schema()
    }

    fn push(&mut self, operator: Operator, schema: Schema, span: Span) {
        self.plan.steps.push(Step { operator, schema, span });
    }
}

impl Binder<'_> {
    fn query(&mut self, ast: &Ast) -> Option<Plan> {
        let mut plan = None;
        let mut queries = 0;
        let mut has_unsupported = false;
        for statement in &ast.statements {
            match statement {
                Statement::Let { name, value } => self.declare(name, value),
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
                    plan = self.pipeline(pipeline);
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
        plan
    }

    fn declare(&mut self, name: &Name, value: &Pipeline) {
        let mut meaning = self.let_value(value);
        if let Let::Scalar(expr) = &meaning
            && expression::height(expr) > MAX_LET_HEIGHT
        {
            let message = format!("'{}' nests deeper than {MAX_LET_HEIGHT} levels", name.text);
            self.problem(Code::TooDeep, name.span, message);
            meaning = Let::Unknown;
        }
        if self.lets.contains_key(&name.text) {
            let message = format!("'{}' is declared twice", name.text);
            self.problem(Code::DuplicateName, name.span, message);
            return;
        }
        self.lets.insert(name.text.clone(), meaning);
    }

    fn let_value(&mut self, value: &Pipeline) -> Let {
        if let (SourceNode::Expression(node), []) = (&value.source, value.operators.as_slice()) {
            let is_table = match &node.kind {
                ExprKindNode::Name(name) => match self.lets.get(name) {
                    Some(Let::Scalar(_) | Let::Unknown) => false,
                    Some(Let::Table(_)) => true,
                    None => self.catalog.table(name).is_some(),
                },
                ExprKindNode::Call { function, .. } => function.text == "materialize",
                _ => false,
            };
            if !is_table {
                let scope = Schema::default();
                return self.scalar(node, &scope).map_or(Let::Unknown, Let::Scalar);
            }
        }
        self.pipeline(value).map_or(Let::Unknown, |plan| Let::Table(Box::new(plan)))
    }

    /// The plan of a pipeline, or none if something is wrong with it, which was said.
    fn pipeline(&mut self, pipeline: &Pipeline) -> Option<Plan> {
        let building = self.building(pipeline)?;
        (!building.is_broken).then_some(building.plan)
    }

    fn building(&mut self, pipeline: &Pipeline) -> Option<Building> {
        self.unknown_columns.clear();
        let mut building = self.source(&pipeline.source, pipeline.span)?;
        for operator in &pipeline.operators {
            if matches!(operator.kind, OperatorKind::Invalid) {
                return None;
            }
            if self.operator(operator, &mut building).is_none() {
                building.is_broken = true;
            }
        }
        Some(building)
    }

    /// A plan of a source alone.
    fn start(source: Source, schema: Schema) -> Building {
        Building { plan: Plan { source, source_schema: schema, steps: Vec::new() }, is_broken: false }
    }

    fn problem(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.problems.push(Problem::new(code, span, message));
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
}
