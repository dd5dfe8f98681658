//! The memory of functions over all rows in their order.
//!
//! They need all rows at once and give them all at once. The engine counts neither, so both are reserved here, and
//! what is given goes on in batches of the usual size.

use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::WindowAggExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::job::memory_of;

/// The plan with what goes into and comes out of such functions counted.
pub(super) fn counted(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let count = |node: Arc<dyn ExecutionPlan>| {
        if !node.is::<WindowAggExec>() {
            return Ok(Transformed::no(node));
        }
        let inputs = node.children().into_iter();
        let inputs = inputs.map(|input| WindowRows::around(Arc::clone(input), Until::End)).collect();
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
        let node = node.replace_children(inputs, options)?;
        Ok(Transformed::yes(WindowRows::around(node, Until::HandedOn)))
    };
    plan.transform_up(count).data()
}

/// How long rows are counted.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// Until all are there.
    End,
    /// Until the last of their batch is handed on.
    HandedOn,
}

/// Counts the rows of its input, and hands them on in batches of the usual size.
#[derive(Debug)]
struct WindowRows {
    input: Arc<dyn ExecutionPlan>,
    until: Until,
}

impl WindowRows {
    fn around(input: Arc<dyn ExecutionPlan>, until: Until) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { input, until })
    }
}

impl DisplayAs for WindowRows {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Until::End => f.write_str("WindowRows: all at once"),
            Until::HandedOn => f.write_str("WindowRows: in batches"),
        }
    }
}

impl ExecutionPlan for WindowRows {
    fn name(&self) -> &str {
        "WindowRows"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Self::around(input, self.until)),
            _ => Err(DataFusionError::Internal("window rows have one input".into())),
        }
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = Counted {
            input: self.input.execute(partition, Arc::clone(&context))?,
            until: self.until,
            reservation: MemoryConsumer::new("rows in their order").register(context.memory_pool()),
            batch_rows: context.session_config().batch_size(),
            left: None,
        };
        let batches = futures::stream::try_unfold(rows, |mut rows| async move {
            Ok(rows.next().await?.map(|batch| (batch, rows)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

struct Counted {
    input: SendableRecordBatchStream,
    until: Until,
    reservation: MemoryReservation,
    batch_rows: usize,
    /// What of the last batch is to be handed on.
    left: Option<RecordBatch>,
}

impl Counted {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.left.take() {
            Some(batch) => batch,
            None => {
                if matches!(self.until, Until::HandedOn) {
                    self.reservation.free();
                }
                let Some(batch) = self.input.next().await.transpose()? else { return Ok(None) };
                let bytes = usize::try_from(memory_of(&batch)).unwrap_or(usize::MAX);
                self.reservation.try_grow(bytes.saturating_mul(COPIES))?;
                batch
            }
        };
        let rows = batch.num_rows();
        if rows <= self.batch_rows {
            return Ok(Some(batch));
        }
        self.left = Some(batch.slice(self.batch_rows, rows - self.batch_rows));
        Ok(Some(batch.slice(0, self.batch_rows)))
    }
}

/// How often the rows are there: as they came, and put together.
const COPIES: usize = 2;
