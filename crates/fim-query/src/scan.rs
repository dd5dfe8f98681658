//! A snapshot of a table as DataFusion reads it: a plain Parquet scan of its files, and the rows in memory beside it.
//!
//! No table format's own provider is in the plan. The list of files is resolved by the store, so that the plan is
//! made of operators that every DataFusion process can decode.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatchOptions;
use async_trait::async_trait;
use chrono::DateTime;
use datafusion::catalog::Session;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::{conjunction, disjunction, split_conjunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use fim_store::schema::TIME_GENERATED;
use fim_store::{DataFile, TableSnapshot};
use object_store::ObjectMeta;

use crate::functions;
use crate::values::UTC;

/// A snapshot of one table.
#[derive(Debug)]
pub(crate) struct SnapshotTable {
    snapshot: TableSnapshot,
    /// The columns with texts as views; see [`crate::values`].
    schema: SchemaRef,
    /// Under which the snapshot's object store is registered for the query.
    store: ObjectStoreUrl,
}

impl SnapshotTable {
    /// Reads `snapshot`, whose object store is registered as `store`.
    pub fn new(snapshot: TableSnapshot, store: ObjectStoreUrl) -> Self {
        let fields = snapshot.schema.fields().iter().map(|field| {
            let ty = match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 => &DataType::Utf8View,
                other => other,
            };
            Field::new(field.name(), ty.clone(), true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { snapshot, schema, store }
    }

    /// The files that may have rows for which the predicate is true, by their times.
    fn candidates(&self, predicate: Option<&Arc<dyn PhysicalExpr>>) -> Result<Vec<&DataFile>> {
        let files = self.snapshot.files.iter();
        // The engine cannot make statistics of no file at all, and warns about the first column that it tries.
        if files.len() == 0 {
            return Ok(Vec::new());
        }
        let Some(predicate) = predicate else { return Ok(files.collect()) };
        let statistics =
            files.clone().map(|file| Arc::new(self.statistics(file, Precision::Exact))).collect();
        let predicate = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.schema))
            .try_build(Arc::clone(predicate))?;
        let keeps = predicate.prune(&PrunableStatistics::new(statistics, Arc::clone(&self.schema)))?;
        Ok(files.zip(keeps).filter_map(|(file, keep)| keep.then_some(file)).collect())
    }

    /// What is known of a file without opening it. The bounds of its times hold, but no row need have them: for
    /// pruning that is as good as exact, for `max(TimeGenerated)` it is not.
    fn statistics(&self, file: &DataFile, bound: fn(ScalarValue) -> Precision<ScalarValue>) -> Statistics {
        let moment = |micros| bound(ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into())));
        let columns = self.schema.fields().iter().map(|field| {
            if field.name() != TIME_GENERATED {
                return ColumnStatistics::new_unknown();
            }
            ColumnStatistics {
                null_count: Precision::Exact(0),
                min_value: moment(file.min_time),
                max_value: moment(file.max_time),
                ..ColumnStatistics::new_unknown()
            }
        });
        Statistics {
            num_rows: Precision::Exact(file.rows as usize),
            total_byte_size: Precision::Absent,
            column_statistics: columns.collect(),
        }
    }

    fn scan_files(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let files = self.candidates(predicate.as_ref())?;
        if files.is_empty() {
            return Ok(None);
        }
        let statistics = Statistics {
            num_rows: Precision::Exact(files.iter().map(|file| file.rows as usize).sum()),
            ..Statistics::new_unknown(&self.schema)
        };
        let partitioned = files.into_iter().map(|file| {
            let meta = ObjectMeta {
                location: file.path.clone(),
                // Data files never change, so any constant serves the metadata cache.
                last_modified: DateTime::UNIX_EPOCH,
                size: file.size,
                e_tag: None,
                version: None,
            };
            PartitionedFile::new_from_meta(meta)
                .with_statistics(Arc::new(self.statistics(file, Precision::Inexact)))
        });
        let partitions = state.config_options().execution.target_partitions;
        let groups = FileGroup::new(partitioned.collect()).split_files(partitions);

        let reader = CachedParquetFileReaderFactory::new(
            Arc::clone(&self.snapshot.object_store),
            state.runtime_env().cache_manager.get_file_metadata_cache(),
        );
        let mut source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(state.default_table_options().parquet)
            .with_parquet_file_reader_factory(Arc::new(reader))
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_enable_page_index(true)
            .with_bloom_filter_on_read(true);
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let config = FileScanConfigBuilder::new(self.store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(Some(DataSourceExec::from_data_source(config)))
    }

    fn scan_buffer(&self, projection: Option<&Vec<usize>>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if self.snapshot.buffered.iter().all(|batch| batch.num_rows() == 0) {
            return Ok(None);
        }
        let schema = self.projected(projection)?;
        let columns: Vec<usize> =
            projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let batches = self.snapshot.buffered.iter().map(|batch| {
            let arrays = columns.iter().zip(schema.fields());
            let arrays = arrays.map(|(&column, field)| cast(batch.column(column), field.data_type()));
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
            Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?)
        });
        let batches = batches.collect::<Result<Vec<_>>>()?;
        Ok(Some(MemorySourceConfig::try_new_exec(&[batches], schema, None)?))
    }

    fn projected(&self, projection: Option<&Vec<usize>>) -> Result<SchemaRef> {
        Ok(match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        })
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Files, row groups and pages are left out by a filter, but not every row: the filter stays above the scan,
        // from where the optimizer moves it into the Parquet reader and beside the rows in memory.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = DFSchema::try_from(Arc::clone(&self.schema))?;
        let predicate = conjunction(filters.iter().filter_map(on_stored_columns))
            .map(|predicate| state.create_physical_expr(predicate, &schema))
            .transpose()?;
        let mut inputs = Vec::new();
        inputs.extend(self.scan_files(state, projection, predicate)?);
        inputs.extend(self.scan_buffer(projection)?);
        match inputs.len() {
            0 => Ok(Arc::new(EmptyExec::new(self.projected(projection)?))),
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }
}

/// The filter in terms of stored columns, true for at least the rows for which the filter is true; `None` if it
/// cannot be told in such terms.
///
/// A plan reads a text column through `kql_text`, which makes a stored null the empty text. The statistics of a file
/// are of the column itself. A null equals no text that is not empty, nor is it greater, so there the function can
/// be left out; elsewhere not.
fn on_stored_columns(filter: &Expr) -> Option<Expr> {
    if matches!(filter, Expr::BinaryExpr(BinaryExpr { op: Operator::And, .. })) {
        return conjunction(split_conjunction(filter).into_iter().filter_map(on_stored_columns));
    }
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            disjunction([on_stored_columns(left)?, on_stored_columns(right)?])
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if reads_text(left) => {
            let is_safe = matches!(op, Operator::Eq | Operator::Gt | Operator::GtEq) && is_some_text(right);
            let column = stored_text(left).filter(|_| is_safe)?;
            Some(Expr::BinaryExpr(BinaryExpr::new(Box::new(column), *op, right.clone())))
        }
        Expr::InList(list) if reads_text(&list.expr) => {
            let is_safe = !list.negated && list.list.iter().all(is_some_text);
            let column = stored_text(&list.expr).filter(|_| is_safe)?;
            Some(column.in_list(list.list.clone(), false))
        }
        other => (!reads_text(other)).then(|| other.clone()),
    }
}

/// Whether an expression calls `kql_text` anywhere.
fn reads_text(expr: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    expr.exists(|part| Ok(stored_text(part).is_some())).unwrap_or(true)
}

/// The column that `kql_text` is called with.
fn stored_text(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == functions::TEXT.name => call.args.first().cloned(),
        _ => None,
    }
}

/// Whether an expression is a constant text that is not empty.
fn is_some_text(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten().is_some_and(|text| !text.is_empty()),
        _ => false,
    }
}
