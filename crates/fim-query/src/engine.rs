//! Runs queries within limits.

mod batches;
mod job;
mod table_scan;
mod window_rows;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{FunctionRegistry, SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use fim_kql::{
    BindOptions, Bound, Code, DateTime, Diagnostic, Plan, Query, ScalarType, Schema, Span, TableName, Value,
};
use fim_store::TableSnapshot;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use job::{Collected, Job, Limits, first_column};
use table_scan::scan;

use crate::error::QueryError;
use crate::lower::{LowerError, Lowered, Lowering, union};
use crate::rows::{QueryRows, QueryStats};
use crate::tables::Tables;
use crate::{aggregates, functions, windows};

/// What all queries of one engine share.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How many threads compute. They are the engine's own, so that a heavy query does not hold up the server's.
    pub threads: usize,
    /// How many queries run at the same time.
    pub max_running: usize,
    /// How long a query waits for one of these to end before it is told that the engine is busy.
    pub max_wait: Duration,
    /// How much memory one query may use, in bytes.
    pub memory_bytes: usize,
    /// Where a query that sorts or groups more than its memory holds puts the rest; `None` refuses it instead.
    pub spill_directory: Option<PathBuf>,
    /// How much all queries together may put there, in bytes.
    pub max_spill_bytes: u64,
}

impl Default for EngineOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            threads,
            max_running: (threads * 2).max(4),
            max_wait: Duration::from_secs(10),
            memory_bytes: 512 << 20,
            spill_directory: None,
            max_spill_bytes: 4 << 30,
        }
    }
}

/// What one query may do.
#[derive(Clone, Debug)]
pub struct QueryOptions {
    /// The moment that `now()` says.
    pub now: DateTime,
    /// Only rows of tables whose `TimeGenerated` is in this range are read.
    pub timespan: Option<TimeRange>,
    /// Only rows of tables whose `_ResourceId` is this or below it, whatever the case of the letters, are read.
    pub resource: Option<String>,
    /// The most rows in the result; the first so many are kept.
    pub max_rows: u64,
    /// The most memory that the rows of the result may take, in bytes.
    pub max_bytes: u64,
    /// How long the query may take, waiting included.
    pub deadline: Duration,
}

impl QueryOptions {
    /// The limits of Log Analytics: 500,000 rows, 64 MB and ten minutes.
    pub fn at(now: DateTime) -> Self {
        Self {
            now,
            timespan: None,
            resource: None,
            max_rows: 500_000,
            max_bytes: 64 << 20,
            deadline: Duration::from_secs(600),
        }
    }
}

/// A stretch of time: from `start` up to and including `end`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimeRange {
    /// The first moment.
    pub start: DateTime,
    /// The last moment.
    pub end: DateTime,
}

/// Runs queries, so many at a time, each within its memory and time.
pub struct QueryEngine {
    kitchen: Arc<Kitchen>,
    places: Arc<Semaphore>,
    /// Taken when the engine is dropped; an async caller must not block on the end of its threads.
    threads: Option<tokio::runtime::Runtime>,
}

/// What makes a text into something that computes.
struct Kitchen {
    options: EngineOptions,
    /// Shared by all queries: settings, functions, the metadata of data files, and the directory to spill to.
    session: SessionState,
}

/// Why an engine cannot be made.
#[derive(Debug, Error)]
pub enum StartEngineError {
    /// The system gives no threads.
    #[error("the threads of the query engine cannot be started")]
    Threads(#[source] std::io::Error),
    /// The directory to spill to cannot be used.
    #[error("the query engine cannot use its directory for temporary files")]
    Spill(#[source] DataFusionError),
}

impl QueryEngine {
    /// Starts an engine and its threads.
    pub fn new(options: EngineOptions) -> Result<Self, StartEngineError> {
        let spill = match &options.spill_directory {
            Some(directory) => DiskManagerMode::Directories(vec![directory.clone()]),
            None => DiskManagerMode::Disabled,
        };
        let disk = DiskManagerBuilder::default()
            .with_mode(spill)
            .with_max_temp_directory_size(options.max_spill_bytes);
        let runtime_env = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disk)
            .build_arc()
            .map_err(StartEngineError::Spill)?;
        let session = session(&options, runtime_env);
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(StartEngineError::Threads)?;
        let places = Arc::new(Semaphore::new(options.max_running.max(1)));
        Ok(Self { kitchen: Arc::new(Kitchen { options, session }), places, threads: Some(threads) })
    }

    /// Runs a query. Dropping the future stops it.
    ///
    /// All of it is done on the engine's threads and within its places, so that a text that is slow to understand
    /// takes no more from the caller than one that is slow to compute. A query that was given up keeps its place
    /// until the step ends that cannot be interrupted.
    pub async fn run(
        &self,
        tables: Arc<dyn Tables>,
        text: &str,
        options: &QueryOptions,
    ) -> Result<QueryRows, QueryError> {
        let started = Instant::now();
        let rows = self.work(text, options, move |kitchen, text, options| async move {
            kitchen.answer(tables.as_ref(), &text, &options).await
        });
        let rows = rows.await?;
        Ok(QueryRows { stats: QueryStats { elapsed: started.elapsed(), ..rows.stats }, ..rows })
    }

    /// Says what is wrong with a query without running it: [`QueryError::Language`] if something is.
    pub async fn check(
        &self,
        tables: Arc<dyn Tables>,
        text: &str,
        options: &QueryOptions,
    ) -> Result<(), QueryError> {
        let check = move |_, text: String, options: QueryOptions| async move {
            bind(&text, tables.as_ref(), options.now, &[]).map(drop)
        };
        self.work(text, options, check).await
    }

    /// The plan of the engine as text, for people who look for the reason of a slow query.
    pub async fn explain(
        &self,
        tables: Arc<dyn Tables>,
        text: &str,
        options: &QueryOptions,
    ) -> Result<String, QueryError> {
        let explain = move |kitchen: Arc<Kitchen>, text: String, options: QueryOptions| async move {
            kitchen.explain(tables.as_ref(), &text, &options).await
        };
        self.work(text, options, explain).await
    }

    /// Does something with a text on the engine's threads, within its places and the deadline.
    async fn work<T, F, Task>(&self, text: &str, options: &QueryOptions, task: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Kitchen>, String, QueryOptions) -> Task + Send + 'static,
        Task: Future<Output = Result<T, QueryError>> + Send + 'static,
    {
        let started = Instant::now();
        let place = self.place(options.deadline).await?;
        let left = options.deadline.saturating_sub(started.elapsed());
        let Some(threads) = &self.threads else {
            return Err(QueryError::Internal("the engine is stopped".into()));
        };
        let (kitchen, text, given) = (Arc::clone(&self.kitchen), text.to_owned(), options.clone());
        let running = StopOnDrop(threads.spawn(async move {
            // The place is taken until the task has really ended.
            let _place = place;
            task(kitchen, text, given).await
        }));
        match tokio::time::timeout(left, running.outcome()).await {
            Ok(outcome) => outcome?,
            Err(_) => Err(QueryError::Deadline { limit: options.deadline }),
        }
    }

    /// A place among the running queries.
    async fn place(&self, deadline: Duration) -> Result<OwnedSemaphorePermit, QueryError> {
        let limits = &self.kitchen.options;
        let wait = limits.max_wait.min(deadline);
        let busy = || QueryError::Busy { running: limits.max_running };
        let place = Arc::clone(&self.places).acquire_owned();
        tokio::time::timeout(wait, place).await.map_err(|_| busy())?.map_err(|_| busy())
    }
}

impl Kitchen {
    /// The rows that the text asks for.
    async fn answer(
        &self,
        tables: &dyn Tables,
        text: &str,
        options: &QueryOptions,
    ) -> Result<QueryRows, QueryError> {
        let run = Run { text, options };
        let query = self.understood(tables, &run).await?;
        let sources = self.sources(&query, tables)?;
        let constants = self.constants(&query, &sources, &run).await?;
        let job = self.prepare(&query.plan, &constants, &sources, &run)?;
        let limits = Limits { rows: options.max_rows, bytes: options.max_bytes };
        let collected = job.collect(limits).await.map_err(|error| self.told(&error))?;
        let stats = QueryStats {
            rows: collected.batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            elapsed: Duration::ZERO,
            scanned_rows: collected.scanned_rows,
            opened_files: collected.opened_files,
            table_files: sources.snapshots.iter().flatten().map(|snapshot| snapshot.files.len() as u64).sum(),
        };
        let columns = query.schema().columns.clone();
        let Collected { batches, truncated, .. } = collected;
        Ok(QueryRows { columns, batches, stats, truncated, render: query.render })
    }

    async fn explain(
        &self,
        tables: &dyn Tables,
        text: &str,
        options: &QueryOptions,
    ) -> Result<String, QueryError> {
        let run = Run { text, options };
        let query = self.understood(tables, &run).await?;
        let sources = self.sources(&query, tables)?;
        let constants = self.constants(&query, &sources, &run).await?;
        let job = self.prepare(&query.plan, &constants, &sources, &run)?;
        let ready = job.ready().await.map_err(|error| self.told(&error))?;
        let physical =
            datafusion::physical_plan::displayable(ready.physical.as_ref()).indent(false).to_string();
        Ok(format!("{}\n\n{physical}", job.plan.display_indent()))
    }

    /// The query that the text means. Where its columns depend on rows, those are asked, one plugin after the other.
    async fn understood(&self, tables: &dyn Tables, run: &Run<'_>) -> Result<Query, QueryError> {
        let mut answers: Vec<Vec<Value>> = Vec::new();
        loop {
            let question = match bind(run.text, tables, run.options.now, &answers)? {
                Bound::Query(query) => return Ok(query),
                Bound::Question(question) => question,
            };
            let span = question.plan.steps.last().map_or_else(Span::default, |step| step.span);
            if answers.len() == MAX_QUESTIONS {
                let message = format!("more than {MAX_QUESTIONS} plugins ask for rows");
                return Err(too_large(run, span, message));
            }
            let sources = self.sources(&question, tables)?;
            let constants = self.constants(&question, &sources, run).await?;
            let job = self.prepare(&question.plan, &constants, &sources, run)?;
            let limits = Limits { rows: MAX_LIST_ROWS, bytes: run.options.max_bytes };
            let collected = job.collect(limits).await.map_err(|error| self.told(&error))?;
            if collected.truncated.is_some() {
                return Err(too_large(run, span, "the bags have too many different shapes"));
            }
            answers.push(first_column(&collected.batches, ScalarType::String));
        }
    }

    /// Trouble of the engine as the caller is told of it.
    fn told(&self, error: &DataFusionError) -> QueryError {
        QueryError::from_engine(error, self.options.memory_bytes)
    }

    /// Computes what the query uses as constants, one after the other: a later one may use an earlier one.
    async fn constants(
        &self,
        query: &Query,
        sources: &Sources<'_>,
        run: &Run<'_>,
    ) -> Result<Vec<Vec<Value>>, QueryError> {
        let mut constants: Vec<Vec<Value>> = Vec::new();
        for constant in &query.constants {
            let job = self.prepare(&constant.plan, &constants, sources, run)?;
            let rows = if constant.takes_all { MAX_LIST_ROWS } else { 1 };
            let limits = Limits { rows, bytes: run.options.max_bytes };
            let collected = job.collect(limits).await.map_err(|error| self.told(&error))?;
            if constant.takes_all && collected.truncated.is_some() {
                let message = format!(
                    "this query gives more than the {MAX_LIST_ROWS} values that a list may have; use a join instead"
                );
                return Err(too_large(run, constant.span, message));
            }
            let ty = constant.plan.schema().columns.first().map_or(ScalarType::Dynamic, |column| column.ty);
            constants.push(first_column(&collected.batches, ty));
        }
        Ok(constants)
    }

    /// Takes one snapshot of all tables of the query, which its constants see as well.
    fn sources<'q>(&self, query: &'q Query, tables: &dyn Tables) -> Result<Sources<'q>, QueryError> {
        let context = self.context().map_err(|error| self.told(&error))?;
        let tables_of_query = query.tables();
        let snapshots = tables.snapshots(&tables_of_query)?;
        Ok(Sources { context, tables: tables_of_query, snapshots })
    }

    /// Translates a plan.
    fn prepare(
        &self,
        plan: &Plan,
        constants: &[Vec<Value>],
        sources: &Sources<'_>,
        run: &Run<'_>,
    ) -> Result<Job, QueryError> {
        let table = |name: &TableName, schema: &Schema| {
            let position = sources.tables.iter().position(|known| *known == name).unwrap_or_default();
            let snapshots = sources.snapshots.get(position).filter(|snapshots| !snapshots.is_empty());
            let snapshots = snapshots.ok_or_else(|| {
                DataFusionError::Internal(format!("the table {} of the plan has no snapshot", name.table))
            })?;
            let scans = snapshots.iter().enumerate().map(|(number, snapshot)| {
                // Each snapshot's store has a name of its own, whatever it is.
                let url = ObjectStoreUrl::parse(format!("fim-table://t{position}w{number}"))?;
                scan(&sources.context, url, snapshot.clone(), schema, run.options)
            });
            union(scans.collect::<Lowered<Vec<_>>>()?)
        };
        let lowered = Lowering { table, constants, redefinitions: Cell::new(0) }.plan(plan);
        let plan = lowered.map_err(|error| match error {
            LowerError::NotSupported { span, .. } => QueryError::Language(vec![Diagnostic::at(
                run.text,
                Code::NotSupported,
                span,
                error.to_string(),
            )]),
            LowerError::Engine(error) => self.told(&error),
        })?;
        Ok(Job { context: sources.context.clone(), plan, memory_bytes: self.options.memory_bytes })
    }

    /// A session for one query, with memory and object stores of its own.
    fn context(&self) -> Result<SessionContext, DataFusionError> {
        let runtime = RuntimeEnvBuilder::from_runtime_env(self.session.runtime_env())
            .with_memory_pool(Arc::new(FairSpillPool::new(self.options.memory_bytes)))
            .with_object_store_registry(Arc::new(DefaultObjectStoreRegistry::new()))
            .build_arc()?;
        let state =
            SessionStateBuilder::new_from_existing(self.session.clone()).with_runtime_env(runtime).build();
        Ok(SessionContext::new_with_state(state))
    }
}

/// What all sessions start from: the settings that were measured to be best for our files, and all functions, so
/// that a process that decodes a plan finds them by name.
fn session(options: &EngineOptions, runtime: Arc<RuntimeEnv>) -> SessionState {
    let mut config = SessionConfig::new()
        .with_target_partitions(options.threads.max(1))
        .with_create_default_catalog_and_schema(false);
    let settings = config.options_mut();
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .build();
    // Names are unique, so nothing is replaced and registering cannot fail.
    for function in functions::registry().values() {
        let _ = state.register_udf(Arc::clone(function));
    }
    for function in aggregates::registry().values() {
        let _ = state.register_udaf(Arc::clone(function));
    }
    for function in windows::registry().values() {
        let _ = state.register_udwf(Arc::clone(function));
    }
    state
}

impl Drop for QueryEngine {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

fn bind(text: &str, tables: &dyn Tables, now: DateTime, answers: &[Vec<Value>]) -> Result<Bound, QueryError> {
    fim_kql::compile_with(text, tables, &BindOptions { now }, answers).map_err(QueryError::Language)
}

fn too_large(run: &Run<'_>, span: Span, message: impl Into<String>) -> QueryError {
    QueryError::Language(vec![Diagnostic::at(run.text, Code::TooLarge, span, message)])
}

/// One run of a query, whose constants are queries too.
struct Run<'q> {
    text: &'q str,
    options: &'q QueryOptions,
}

/// The tables of one query as they were at one moment.
struct Sources<'q> {
    context: SessionContext,
    tables: Vec<&'q TableName>,
    /// For each table the rows of each workspace that it is read of.
    snapshots: Vec<Vec<TableSnapshot>>,
}

/// The most values that a query in a list may give. Each becomes a constant of the plan.
const MAX_LIST_ROWS: u64 = 100_000;

/// How many plugins of a query may ask for rows before its columns are known. Each binds the query anew.
const MAX_QUESTIONS: usize = 16;

/// A task that ends with its owner.
struct StopOnDrop<T>(JoinHandle<T>);

impl<T> StopOnDrop<T> {
    async fn outcome(mut self) -> Result<T, QueryError> {
        (&mut self.0).await.map_err(|error| QueryError::Internal(error.to_string()))
    }
}

impl<T> Drop for StopOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
