//! Buffered rows as data files: one Parquet file for each day, sorted for the queries that people ask.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch};
use arrow::compute::{SortColumn, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use bytes::Bytes;
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use thiserror::Error;

use crate::schema::{Column, ColumnType, TIME_GENERATED, Table};

/// The rows of one day as a Parquet file.
#[derive(Debug)]
pub(crate) struct EncodedFile {
    pub(crate) day: NaiveDate,
    pub(crate) bytes: Bytes,
    pub(crate) rows: u64,
    /// Microseconds since the Unix epoch of the earliest and the latest row.
    pub(crate) times: (i64, i64),
}

/// Why rows could not be made into files.
#[derive(Debug, Error)]
pub enum EncodeFileError {
    /// The rows cannot be sorted.
    #[error("cannot sort {rows} rows of {table}")]
    Sort {
        /// The table.
        table: &'static str,
        /// How many rows.
        rows: usize,
        /// Why.
        source: ArrowError,
    },
    /// The file cannot be written.
    #[error("cannot write {rows} rows of {table} as Parquet")]
    Parquet {
        /// The table.
        table: &'static str,
        /// How many rows.
        rows: usize,
        /// Why.
        source: ParquetError,
    },
}

/// Encodes the rows, sorted by the table's order within each day of `TimeGenerated` in UTC.
pub(crate) fn encode(
    table: &'static Table,
    batches: &[RecordBatch],
) -> Result<Vec<EncodedFile>, EncodeFileError> {
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let in_sort = |source| EncodeFileError::Sort { table: table.name, rows, source };
    let in_parquet = |source| EncodeFileError::Parquet { table: table.name, rows, source };
    let (days, sorted) = sort(table, batches).map_err(in_sort)?;
    let mut files = Vec::new();
    for (day, range) in runs(&days) {
        let part = sorted.slice(range.start, range.len());
        let bytes = write_parquet(table, &part).map_err(in_parquet)?;
        files.push(EncodedFile {
            day: date(day),
            bytes,
            rows: part.num_rows() as u64,
            times: times(table, &part),
        });
    }
    Ok(files)
}

/// All rows by day, then by the table's order; and the day of each.
fn sort(table: &Table, batches: &[RecordBatch]) -> Result<(Int32Array, RecordBatch), ArrowError> {
    let all = concat_batches(&table.arrow_schema(), batches)?;
    let days: Int32Array = column(table, &all, TIME_GENERATED)
        .as_primitive::<TimestampMicrosecondType>()
        .unary(|micros| micros.div_euclid(MICROS_PER_DAY) as i32);
    let ascending = |values: ArrayRef| SortColumn { values, options: None };
    let mut keys = vec![ascending(Arc::new(days.clone()))];
    keys.extend(table.sort_by.iter().map(|name| ascending(Arc::clone(column(table, &all, name)))));
    let order = lexsort_to_indices(&keys, None)?;
    let days = arrow::compute::take(&days, &order, None)?;
    Ok((days.as_primitive::<Int32Type>().clone(), take_record_batch(&all, &order)?))
}

/// The stretches of equal days.
fn runs(days: &Int32Array) -> Vec<(i32, Range<usize>)> {
    let mut runs: Vec<(i32, Range<usize>)> = Vec::new();
    for (index, &day) in days.values().iter().enumerate() {
        match runs.last_mut() {
            Some((last, range)) if *last == day => range.end = index + 1,
            Some(_) | None => runs.push((day, index..index + 1)),
        }
    }
    runs
}

fn write_parquet(table: &Table, rows: &RecordBatch) -> Result<Bytes, ParquetError> {
    let properties = writer_properties(table, rows.num_rows() as u64)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties))?;
    writer.write(rows)?;
    writer.close()?;
    Ok(bytes.into())
}

/// How a file of the table with at most so many rows is laid out.
pub(crate) fn writer_properties(table: &Table, rows: u64) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(DATA_PAGE_BYTES);
    for name in table.bloom_filters {
        let values = rows.min(ROW_GROUP_ROWS as u64);
        properties = properties.set_column_bloom_filter_max_ndv(ColumnPath::from(*name), values);
    }
    for column in table.columns {
        let Some(layout) = Layout::of(table, column) else { continue };
        let path = || ColumnPath::from(column.name);
        properties = properties
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), layout.encoding)
            .set_column_compression(path(), Compression::ZSTD(ZstdLevel::try_new(layout.zstd_level)?));
    }
    Ok(properties.build())
}

/// How the values of a column lie that would not be smaller with a dictionary.
#[derive(Clone, Copy, Debug)]
struct Layout {
    encoding: Encoding,
    zstd_level: i32,
}

impl Layout {
    /// The column's layout; `None` if it has the usual one, with a dictionary.
    fn of(table: &Table, column: &Column) -> Option<Self> {
        match column.column_type {
            // Digits of digests and ids: four bits a digit is all that can be had. With the lengths apart, and without
            // the matches by chance that higher levels find and pay for, there is little above that.
            _ if table.plain.contains(&column.name) => {
                Some(Self { encoding: Encoding::DELTA_LENGTH_BYTE_ARRAY, zstd_level: 1 })
            }
            // A dictionary of numbers that hardly repeat is larger than the numbers.
            ColumnType::DateTime | ColumnType::Long | ColumnType::TimeSpan => {
                Some(Self { encoding: Encoding::DELTA_BINARY_PACKED, zstd_level: ZSTD_LEVEL })
            }
            ColumnType::String
            | ColumnType::Int
            | ColumnType::Real
            | ColumnType::Bool
            | ColumnType::Dynamic
            | ColumnType::Guid => None,
        }
    }
}

/// The earliest and the latest `TimeGenerated`, in microseconds since the Unix epoch.
pub(crate) fn times(table: &Table, rows: &RecordBatch) -> (i64, i64) {
    let times = column(table, rows, TIME_GENERATED).as_primitive::<TimestampMicrosecondType>();
    let min = arrow::compute::min(times).unwrap_or_default();
    (min, arrow::compute::max(times).unwrap_or_default())
}

#[expect(
    clippy::expect_used,
    reason = "every batch in a buffer was given its table's schema by `Table::adopt`"
)]
fn column<'r>(table: &Table, rows: &'r RecordBatch, name: &str) -> &'r ArrayRef {
    rows.column(table.column_index(name).expect("the table has the column"))
}

/// The day, as far as a date has four digits of year: other times are made by no clock, and only pruning is lost.
fn date(days_since_epoch: i32) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(1, 1, 1).unwrap_or(NaiveDate::MIN);
    let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX);
    let nearest = if days_since_epoch < 0 { first } else { last };
    NaiveDate::from_epoch_days(days_since_epoch).unwrap_or(nearest).clamp(first, last)
}

const MICROS_PER_DAY: i64 = 86_400_000_000;
const ZSTD_LEVEL: i32 = 3;
/// A row group is what a merge holds in memory before it is written, and what a query reads on one core.
const ROW_GROUP_ROWS: usize = 256 << 10;
const DATA_PAGE_BYTES: usize = 128 << 10;
