//! One plan that computes, up to its limits.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::config::ConfigNonZeroUsize;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use fim_kql::{ScalarType, Value};
use futures::StreamExt;

use super::batches::batch_rows;
use super::window_rows::counted;
use crate::functions::QueryMemory;
use crate::rows::{Cell, Truncation};

/// A plan that is ready to compute.
pub(super) struct Job {
    pub context: SessionContext,
    pub plan: LogicalPlan,
    /// How much memory it may use, in bytes.
    pub memory_bytes: usize,
}

/// How much is computed at most.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub rows: u64,
    pub bytes: u64,
}

/// What a query computed.
pub(super) struct Collected {
    pub batches: Vec<RecordBatch>,
    pub truncated: Option<Truncation>,
    pub scanned_rows: u64,
    pub opened_files: u64,
}

/// A plan of the engine with what it computes by.
pub(super) struct Ready {
    pub physical: Arc<dyn ExecutionPlan>,
    pub tasks: Arc<TaskContext>,
}

impl Job {
    /// Plans how to compute: with batches of so many rows that they have room in the query's memory.
    pub async fn ready(&self) -> Result<Ready, DataFusionError> {
        let mut state = self.context.state();
        let pool = Arc::clone(&state.runtime_env().memory_pool);
        state.config_mut().options_mut().extensions.insert(QueryMemory::Planning);
        let plan = state.optimize(&self.plan)?;
        let options = state.config_mut().options_mut();
        options.extensions.insert(QueryMemory::Running(pool));
        let threads = options.execution.target_partitions.max(1);
        let rows = batch_rows(&plan, self.memory_bytes / threads);
        options.execution.batch_size = ConfigNonZeroUsize::try_new(rows)?;
        // The functions of the plan get the settings that were marked last.
        state.mark_start_execution();
        let physical = counted(state.query_planner().create_physical_plan(&plan, &state).await?)?;
        Ok(Ready { physical, tasks: state.task_ctx() })
    }

    /// Computes rows until there are no more, or a limit is reached: then the rest is not computed.
    pub async fn collect(self, limits: Limits) -> Result<Collected, DataFusionError> {
        let Limits { rows: max_rows, bytes: max_bytes } = limits;
        let Ready { physical, tasks } = self.ready().await?;
        let mut stream = execute_stream(Arc::clone(&physical), tasks)?;
        let mut batches = Vec::new();
        let (mut rows, mut bytes, mut truncated) = (0_u64, 0_u64, None);
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let room = max_rows - rows;
            let batch = if batch.num_rows() as u64 > room {
                truncated = Some(Truncation::Rows(max_rows));
                batch.slice(0, room as usize)
            } else {
                batch
            };
            bytes += memory_of(&batch);
            if bytes > max_bytes {
                truncated = Some(Truncation::Bytes(max_bytes));
                break;
            }
            rows += batch.num_rows() as u64;
            if batch.num_rows() > 0 {
                batches.push(detached(&batch)?);
            }
            if truncated.is_some() {
                break;
            }
        }
        drop(stream);
        let (scanned_rows, opened_files) = scanned(physical.as_ref());
        Ok(Collected { batches, truncated, scanned_rows, opened_files })
    }
}

/// The values of the first column, those of a `guid` as such.
pub(super) fn first_column(batches: &[RecordBatch], ty: ScalarType) -> Vec<Value> {
    let columns = batches.iter().filter_map(|batch| batch.columns().first());
    columns
        .flat_map(|column| (0..column.len()).map(move |row| Cell::read(column, ty, row).to_value(ty)))
        .collect()
}

/// The memory that the values of a batch take, in bytes.
pub(super) fn memory_of(batch: &RecordBatch) -> u64 {
    let bytes = |column: &ArrayRef| match column.as_string_view_opt() {
        Some(texts) => texts.len() * size_of::<u128>() + text_bytes(texts),
        None => column
            .data_type()
            .primitive_width()
            .map_or(column.len().div_ceil(8), |width| column.len() * width),
    };
    batch.columns().iter().map(|column| bytes(column) as u64).sum()
}

/// The batch with texts of its own. A view shares the buffers of what it was filtered from: a few texts would keep
/// whole pages of data files in memory.
fn detached(batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
    let column = |column: &ArrayRef| -> ArrayRef {
        match column.as_string_view_opt() {
            Some(texts) if texts.total_buffer_bytes_used() * 2 < buffer_bytes(texts) => Arc::new(texts.gc()),
            Some(_) | None => Arc::clone(column),
        }
    };
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = batch.columns().iter().map(column).collect();
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

fn text_bytes(texts: &StringViewArray) -> usize {
    texts.lengths().map(|length| length as usize).sum()
}

fn buffer_bytes(texts: &StringViewArray) -> usize {
    texts.data_buffers().iter().map(|buffer| buffer.capacity()).sum()
}

/// The rows that the leaves of a plan handed on, and the files that they opened.
fn scanned(plan: &dyn ExecutionPlan) -> (u64, u64) {
    let children = plan.children();
    if children.is_empty() {
        let metrics = plan.metrics().unwrap_or_default();
        // Rows in memory are not counted as they are read, because all of them are.
        let rows = metrics.output_rows().or_else(|| rows_in_memory(plan)).unwrap_or(0);
        let files = metrics.sum_by_name("files_opened").map_or(0, |files| files.as_usize());
        return (rows as u64, files as u64);
    }
    let counts = children.into_iter().map(|child| scanned(child.as_ref()));
    counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1))
}

fn rows_in_memory(plan: &dyn ExecutionPlan) -> Option<usize> {
    let source = plan.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<MemorySourceConfig>()?;
    Some(source.partitions().iter().flatten().map(RecordBatch::num_rows).sum())
}
