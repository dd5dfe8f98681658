//! Answers to KQL, within limits and a few at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{Timestamp, error_chain};
use fim_kql::{Catalog, Code, DateTime, Schema, TableName, named_workspaces};
use fim_query::{
    EngineOptions, QueryEngine, QueryError, QueryOptions, QueryRows, StartEngineError, Tables, TimeRange,
    WorkspaceTables, json_rows,
};
use fim_store::{SnapshotError, Store, TableSnapshot};
use uuid::Uuid;

use crate::api::model::{Column, Diagnostic};
use crate::app::App;
use crate::config::Limits;
use crate::control::{Called, WorkspaceRecord};
use crate::problem::{Kind, Problem};
use crate::query_log::{self, Asker, Outcome};
use crate::report::Table;
use crate::report::timespan::Range;
use crate::shares::{Place, Shares, SharesOf};
use crate::surface::{SEMANTICS, SYNTAX};

/// What a caller asks.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Of which workspace.
    pub workspace: &'a WorkspaceRecord,
    /// Of which others together with it.
    pub further: &'a [WorkspaceRecord],
    /// Of which resource, and what is below it; of all if there is none.
    pub resource: Option<&'a str>,
    /// The query.
    pub text: &'a str,
    /// Of which time; of all if there is none.
    pub range: Option<Range>,
    /// How long the caller waits; the server's own limit holds as well.
    pub patience: Option<Duration>,
    /// Who asks.
    pub asker: &'a Asker,
}

/// What a query may read.
struct Reach {
    /// Whose places it takes.
    holder: Uuid,
    /// The workspaces that are asked together.
    asked: Vec<Uuid>,
    /// Those that the query names, by its texts.
    named: BTreeMap<String, Uuid>,
    resource: Option<String>,
}

impl Reach {
    fn of(workspace: Uuid) -> Self {
        Self { holder: workspace, asked: vec![workspace], named: BTreeMap::new(), resource: None }
    }
}

/// The query engine with the limits that callers get.
pub struct Queries {
    engine: QueryEngine,
    store: Arc<Store>,
    /// Places for what callers ask.
    answers: Shares,
    /// Places for the figures that we ask for them, which a caller's own queries cannot take.
    reports: Shares,
    patience: Duration,
    max_rows: u64,
    max_bytes: u64,
    deadline: Duration,
}

impl Queries {
    /// Starts the engine. What does not fit in memory goes to `spill`.
    pub fn start(store: Arc<Store>, limits: &Limits, spill: &Path) -> Result<Self, StartEngineError> {
        let answers = shares(limits.queries_at_once);
        let reports = shares(limits.queries_at_once.max(FEWEST_REPORTS));
        let patience = Duration::from_secs(limits.query_wait_seconds);
        let engine = QueryEngine::new(EngineOptions {
            // Whoever has a place in one of the two has one here.
            max_running: answers.all + reports.all,
            max_wait: patience,
            spill_directory: Some(spill.to_owned()),
            ..EngineOptions::default()
        })?;
        Ok(Self {
            engine,
            store,
            answers: Shares::new(answers),
            reports: Shares::new(reports),
            patience,
            max_rows: limits.query_rows as u64,
            max_bytes: limits.query_bytes as u64,
            deadline: Duration::from_secs(limits.query_seconds),
        })
    }

    /// Answers a query for the caller whose call is answered; dropping the future stops it.
    async fn run(
        &self,
        reach: Reach,
        text: &str,
        range: Option<Range>,
        patience: Option<Duration>,
        now: Timestamp,
    ) -> Result<QueryRows, QueryError> {
        let options = QueryOptions { resource: reach.resource.clone(), ..self.options(now, range) };
        let wait = patience.map_or(self.patience, |patience| self.patience.min(patience));
        let tables = self.tables(reach, &self.answers, wait).await?;
        let deadline = patience.map_or(options.deadline, |patience| options.deadline.min(patience));
        self.engine.run(Arc::new(tables), text, &QueryOptions { deadline, ..options }).await
    }

    /// Answers a query of ours, for the same caller.
    async fn report(&self, workspace: Uuid, text: &str, now: Timestamp) -> Result<QueryRows, QueryError> {
        let tables = self.tables(Reach::of(workspace), &self.reports, self.patience).await?;
        self.engine.run(Arc::new(tables), text, &self.options(now, None)).await
    }

    /// The tables that a query may read, together with a place for it.
    async fn tables(
        &self,
        reach: Reach,
        places: &Shares,
        wait: Duration,
    ) -> Result<PlacedTables, QueryError> {
        let place = places.take(reach.holder, wait).await;
        let place = place.map_err(|why| QueryError::NoPlace { why: why.to_string() })?;
        let tables = WorkspaceTables::of(Arc::clone(&self.store), reach.asked, reach.named);
        Ok(PlacedTables { tables, _place: place })
    }

    fn options(&self, now: Timestamp, range: Option<Range>) -> QueryOptions {
        QueryOptions {
            now: moment(now),
            timespan: range.map(|range| TimeRange {
                start: moment(range.from),
                // Our ranges end before their last moment, the engine's with it.
                end: moment(range.to.plus_nanos(-1)),
            }),
            resource: None,
            max_rows: self.max_rows,
            max_bytes: self.max_bytes,
            deadline: self.deadline,
        }
    }

    /// The mistakes in a query.
    ///
    /// # Errors
    ///
    /// Fails if the engine is busy with others or the text takes too long.
    pub async fn diagnose(&self, text: &str, now: Timestamp) -> Result<Vec<Diagnostic>, QueryError> {
        // Every workspace has the same tables. Which there are is told to whoever asks them.
        let named = named_workspaces(text).into_iter().map(|name| (name, Uuid::nil())).collect();
        let reach = Reach { named, ..Reach::of(Uuid::nil()) };
        let tables = self.tables(reach, &self.answers, self.patience).await?;
        match self.engine.check(Arc::new(tables), text, &self.options(now, None)).await {
            Ok(()) => Ok(Vec::new()),
            Err(QueryError::Language(diagnostics)) => Ok(diagnostics.iter().map(shown).collect()),
            Err(error) => Err(error),
        }
    }
}

/// Tables with the place of the query that asks them. The engine has them until the query has really ended, which for one
/// that was given up is later than its caller is gone.
struct PlacedTables {
    tables: WorkspaceTables,
    _place: Place,
}

impl Catalog for PlacedTables {
    fn table(&self, name: &str) -> Option<Schema> {
        self.tables.table(name)
    }

    fn table_names(&self) -> Vec<String> {
        self.tables.table_names()
    }

    fn has_workspace(&self, name: &str) -> bool {
        self.tables.has_workspace(name)
    }
}

impl Tables for PlacedTables {
    fn snapshots(&self, tables: &[&TableName]) -> Result<Vec<Vec<TableSnapshot>>, SnapshotError> {
        self.tables.snapshots(tables)
    }
}

/// Each workspace that a question reads.
fn asked<'a>(
    question: &Question<'a>,
    named: &'a [(String, WorkspaceRecord)],
) -> Result<Vec<&'a WorkspaceRecord>, Problem> {
    let all = std::iter::once(question.workspace).chain(question.further);
    let mut seen = BTreeSet::new();
    let all = all.chain(named.iter().map(|(_, workspace)| workspace));
    let asked: Vec<_> = all.filter(|workspace| seen.insert(workspace.id)).collect();
    refuse_too_many(asked.len())?;
    Ok(asked)
}

/// Refuses a question that names more workspaces than one may read.
pub(crate) fn refuse_too_many(workspaces: usize) -> Result<(), Problem> {
    if workspaces <= MOST_WORKSPACES {
        return Ok(());
    }
    let detail =
        format!("a query reads {MOST_WORKSPACES} workspaces at most, and this one names {workspaces}");
    Err(Problem::new(Kind::BadRequest, detail))
}

/// One caller has half of the places; those of one workspace leave one to the others.
fn shares(all: usize) -> SharesOf {
    let all = all.max(1);
    SharesOf { all, caller: all.div_ceil(2), workspace: (all - 1).max(1) }
}

impl App {
    /// Answers a query of ours; a mistake in it is ours too.
    pub async fn report(&self, workspace: Uuid, query: &str) -> Result<Table, Problem> {
        let rows = match self.queries.report(workspace, query, self.clock.now()).await {
            Ok(rows) => rows,
            Err(error @ QueryError::Language(_)) => {
                tracing::error!(query, error = %error, "a report's query has a mistake");
                return Err(Problem::internal("computing the figures", &error));
            }
            Err(error) => return Err(problem(&error)),
        };
        Ok(Table::new(&columns(&rows), json_rows(&rows).collect()))
    }

    /// Answers a caller's question, and keeps it in `LAQueryLogs`; a mistake in it is told with its place.
    pub async fn answer(&self, question: Question<'_>) -> Result<QueryRows, Problem> {
        let Question { workspace, text, range, patience, .. } = question;
        let started = Instant::now();
        let named = self.named(&question).await?;
        let asked = asked(&question, &named)?;
        let together = std::iter::once(workspace).chain(question.further);
        let reach = Reach {
            holder: workspace.id,
            asked: together.map(|workspace| workspace.id).collect(),
            named: named.iter().map(|(name, workspace)| (name.clone(), workspace.id)).collect(),
            resource: question.resource.map(str::to_owned),
        };
        let rows = self.queries.run(reach, text, range, patience, self.clock.now()).await;
        let answer = rows.map_err(|error| problem(&error));
        let (status, rows) = match &answer {
            Ok(rows) => (200, Some(rows.stats.rows)),
            Err(problem) => (problem.status, None),
        };
        let outcome = Outcome { status, rows, took: started.elapsed() };
        query_log::keep(self, &question, &asked, outcome).await;
        match &answer {
            Ok(_) => self.metrics.queries.increment(),
            Err(_) => self.metrics.queries_failed.increment(),
        }
        answer
    }

    /// The workspaces that the query names, if the caller may ask them. Of another the query's own mistake tells.
    async fn named(&self, question: &Question<'_>) -> Result<Vec<(String, WorkspaceRecord)>, Problem> {
        let names = named_workspaces(question.text);
        if names.is_empty() {
            return Ok(Vec::new());
        }
        refuse_too_many(names.len())?;
        let theirs = Called::of(question.asker.workspaces(self).await?);
        let find = |name: String| {
            let found = theirs.find(&name)?.clone();
            Some((name, found))
        };
        Ok(names.into_iter().filter_map(find).collect())
    }

    /// The time range that a caller wrote.
    pub fn range(&self, timespan: Option<&str>) -> Result<Option<Range>, Problem> {
        let parse = |text| crate::report::timespan::parse(text, self.clock.now());
        timespan.map(parse).transpose().map_err(|error| Problem::new(Kind::BadRequest, error.to_string()))
    }
}

/// The answer's columns as the API names them.
pub fn columns(rows: &QueryRows) -> Vec<Column> {
    let column = |column: &fim_kql::Column| Column {
        name: column.name.clone(),
        scalar_type: column.ty.name().to_owned(),
    };
    rows.columns.iter().map(column).collect()
}

pub(crate) fn problem(error: &QueryError) -> Problem {
    match error {
        QueryError::Language(diagnostics) => Problem::new(Kind::BadQuery, error.to_string())
            .with_code(class_of(diagnostics))
            .with_diagnostics(diagnostics.iter().map(shown).collect()),
        QueryError::Deadline { .. } => Problem::new(Kind::TimedOut, error.to_string()),
        QueryError::Memory { .. } | QueryError::Stopped(_) => {
            Problem::new(Kind::BadRequest, error.to_string())
        }
        QueryError::Busy { .. } | QueryError::NoPlace { .. } => {
            Problem::new(Kind::Unavailable, error.to_string()).retry_after(2)
        }
        QueryError::Store(_) | QueryError::Data(_) | QueryError::Internal(_) => {
            tracing::error!(error = %error_chain(error), "a query failed");
            Problem::internal("running the query", error)
        }
    }
}

/// Whether the query cannot be read, or can be read and not run.
fn class_of(diagnostics: &[fim_kql::Diagnostic]) -> &'static str {
    let is_unreadable = |diagnostic: &fim_kql::Diagnostic| match diagnostic.code {
        Code::UnexpectedCharacter
        | Code::UnterminatedString
        | Code::InvalidLiteral
        | Code::Syntax
        | Code::TooDeep
        | Code::EmptyQuery
        | Code::UnknownOperator => true,
        Code::TooLarge
        | Code::NotSupported
        | Code::UnknownTable
        | Code::UnknownName
        | Code::UnknownFunction
        | Code::DuplicateName
        | Code::ArgumentCount
        | Code::TypeMismatch
        | Code::InvalidConstant
        | Code::Aggregation
        | Code::RowShape
        | Code::NotSerialized => false,
    };
    if diagnostics.iter().any(is_unreadable) { SYNTAX } else { SEMANTICS }
}

fn shown(diagnostic: &fim_kql::Diagnostic) -> Diagnostic {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Diagnostic {
        code: diagnostic.code.as_str().to_owned(),
        message: diagnostic.message.clone(),
        line: number(diagnostic.line),
        column: number(diagnostic.column),
        end_line: number(diagnostic.end_line),
        end_column: number(diagnostic.end_column),
        expected: diagnostic.expected.clone(),
        suggestion: diagnostic.suggestion.clone(),
        field: None,
        text: None,
    }
}

/// A moment in the ticks of KQL.
fn moment(time: Timestamp) -> DateTime {
    DateTime(time.0.div_euclid(100))
}

/// As many as the published service lets a query read.
const MOST_WORKSPACES: usize = 100;

/// Places for the figures of the page, however few queries may run.
const FEWEST_REPORTS: usize = 4;
