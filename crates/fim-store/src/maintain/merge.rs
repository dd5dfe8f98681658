//! Several sorted files into one, in bounded memory.
//!
//! Each input is read a small batch at a time; the next rows are those of the input whose first row is the smallest, up
//! to the first row of the second smallest. The output goes to the object store in parts while it is made.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetResultPayload, MultipartUpload, ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use thiserror::Error;
use tokio::runtime::Handle;

use crate::data_file::{times, writer_properties};
use crate::delta::DataFile;
use crate::schema::Table;

/// Why files could not be merged. They are as they were.
#[derive(Debug, Error)]
pub(crate) enum MergeError {
    /// An input cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Path,
        /// Why.
        source: ParquetError,
    },
    /// An input cannot be opened.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: Path,
        /// Why.
        source: object_store::Error,
    },
    /// The rows cannot be put in order.
    #[error("cannot put the rows of {table} in order")]
    Sort {
        /// The table.
        table: &'static str,
        /// Why.
        source: ArrowError,
    },
    /// The output cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: Path,
        /// Why.
        source: ParquetError,
    },
    /// The output cannot be made durable.
    #[error("cannot finish {path}")]
    Finish {
        /// The file.
        path: Path,
        /// Why.
        source: object_store::Error,
    },
    /// The rows read are not those that the table says it has.
    #[error("the files have {found} rows, and the table says {expected}")]
    Rows {
        /// How many the table says.
        expected: u64,
        /// How many were read.
        found: u64,
    },
    /// The store is closing.
    #[error("the merge was cut short because the store is closing")]
    Stopped,
}

/// Where files are, and how to wait for them from a thread of one's own.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) runtime: Handle,
}

/// Merges `inputs`, which are of one day, into files of about `target_bytes`, named by `name`. `go_on` is told the rows
/// done and says whether to go on. What was written before an error is removed again, as far as that can be done.
pub(crate) fn merge(
    files: &Files,
    table: &'static Table,
    inputs: &[DataFile],
    target_bytes: u64,
    name: impl Fn() -> Path,
    go_on: impl Fn(u64) -> bool,
) -> Result<Vec<DataFile>, MergeError> {
    let mut written = Vec::new();
    let merged = merge_into(&mut written, files, table, inputs, target_bytes, name, go_on);
    match merged {
        Ok(()) => Ok(written),
        Err(failure) => {
            for file in &written {
                // The next opening removes it if this does not: no table has it.
                let _ = files.runtime.block_on(files.store.delete(&file.path));
            }
            Err(failure)
        }
    }
}

fn merge_into(
    written: &mut Vec<DataFile>,
    files: &Files,
    table: &'static Table,
    inputs: &[DataFile],
    target_bytes: u64,
    name: impl Fn() -> Path,
    go_on: impl Fn(u64) -> bool,
) -> Result<(), MergeError> {
    let Some(day) = inputs.first().map(|input| input.day) else { return Ok(()) };
    let expected: u64 = inputs.iter().map(|input| input.rows).sum();
    let mut rows = SortedRows::open(files, table, inputs)?;
    let mut output: Option<Output> = None;
    let mut done = 0;
    while let Some(batch) = rows.next_batch()? {
        done += batch.num_rows() as u64;
        let current = match &mut output {
            Some(current) => current,
            None => output.insert(Output::start(files, table, name(), expected)?),
        };
        current.write(table, &batch)?;
        if current.size() >= target_bytes
            && let Some(full) = output.take()
        {
            written.push(full.finish(day)?);
        }
        if !go_on(done) {
            return Err(MergeError::Stopped);
        }
    }
    if done != expected {
        return Err(MergeError::Rows { expected, found: done });
    }
    if let Some(last) = output {
        written.push(last.finish(day)?);
    }
    Ok(())
}

/// All rows of several sorted files, in order.
struct SortedRows {
    table: &'static Table,
    schema: SchemaRef,
    /// Makes the columns that the order goes by into bytes that compare as the order does.
    keys: RowConverter,
    inputs: Vec<Input>,
}

/// One file, at a row.
struct Input {
    path: Path,
    reader: ParquetRecordBatchReader,
    /// The batch that the next row is in; `None` after the last row.
    current: Option<Batch>,
}

struct Batch {
    rows: RecordBatch,
    keys: Rows,
    next: usize,
}

impl SortedRows {
    fn open(files: &Files, table: &'static Table, inputs: &[DataFile]) -> Result<Self, MergeError> {
        let schema = table.arrow_schema();
        let in_sort = |source| MergeError::Sort { table: table.name, source };
        let fields = table.sort_by.iter().filter_map(|name| schema.field_with_name(name).ok());
        let fields = fields.map(|field| SortField::new(field.data_type().clone())).collect();
        let keys = RowConverter::new(fields).map_err(in_sort)?;
        let mut sorted = Self { table, schema, keys, inputs: Vec::new() };
        for file in inputs {
            let input = Input { path: file.path.clone(), reader: open(files, file)?, current: None };
            sorted.inputs.push(input);
        }
        for index in 0..sorted.inputs.len() {
            sorted.advance(index)?;
        }
        Ok(sorted)
    }

    /// The next rows; `None` after the last.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, MergeError> {
        // Batches that rows were taken of, and which rows, as the batch's place here and the row's in it.
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let mut places: Vec<Option<usize>> = vec![None; self.inputs.len()];
        while taken.len() < OUTPUT_ROWS {
            let Some((first, second)) = self.smallest_two() else { break };
            let run = self.run(first, second, OUTPUT_ROWS - taken.len());
            let Some(batch) = &mut self.inputs[first].current else { break };
            let place = *places[first].get_or_insert_with(|| {
                batches.push(batch.rows.clone());
                batches.len() - 1
            });
            taken.extend((batch.next..batch.next + run).map(|row| (place, row)));
            batch.next += run;
            if batch.next == batch.rows.num_rows() {
                places[first] = None;
                self.advance(first)?;
            }
        }
        if taken.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = batches.iter().collect();
        let merged = interleave_record_batch(&batches, &taken);
        merged.map(Some).map_err(|source| MergeError::Sort { table: self.table.name, source })
    }

    /// The input whose next row is the smallest, and the one whose is the smallest of the others. Among equals the first.
    fn smallest_two(&self) -> Option<(usize, Option<usize>)> {
        let mut order: [Option<usize>; 2] = [None, None];
        for (index, input) in self.inputs.iter().enumerate() {
            let Some(batch) = &input.current else { continue };
            let key = batch.keys.row(batch.next);
            let is_before = |other: Option<usize>| {
                let other = other.and_then(|other| self.inputs[other].current.as_ref());
                other.is_none_or(|other| key < other.keys.row(other.next))
            };
            if is_before(order[0]) {
                order = [Some(index), order[0]];
            } else if is_before(order[1]) {
                order[1] = Some(index);
            }
        }
        order[0].map(|first| (first, order[1]))
    }

    /// How many rows of `first`'s batch, one at least and `most` at the most, come before the next row of `second`.
    fn run(&self, first: usize, second: Option<usize>, most: usize) -> usize {
        let Some(batch) = &self.inputs[first].current else { return 0 };
        let left = (batch.rows.num_rows() - batch.next).min(most);
        let Some(other) = second.and_then(|second| self.inputs[second].current.as_ref()) else { return left };
        let bound = other.keys.row(other.next);
        let before = |&offset: &usize| batch.keys.row(batch.next + offset) < bound;
        1 + (1..left).take_while(before).count()
    }

    /// Reads the next batch of an input.
    fn advance(&mut self, index: usize) -> Result<(), MergeError> {
        let input = &mut self.inputs[index];
        input.current = None;
        let Some(read) = input.reader.next() else { return Ok(()) };
        let path = &input.path;
        let rows = read.map_err(|source| MergeError::Read { path: path.clone(), source: source.into() })?;
        let in_sort = |source| MergeError::Sort { table: self.table.name, source };
        let rows = widen(&self.schema, &rows).map_err(in_sort)?;
        let columns = self.table.sort_by.iter().filter_map(|name| rows.column_by_name(name));
        let columns: Vec<ArrayRef> = columns.map(Arc::clone).collect();
        let keys = self.keys.convert_columns(&columns).map_err(in_sort)?;
        input.current = (rows.num_rows() > 0).then_some(Batch { rows, keys, next: 0 });
        Ok(())
    }
}

/// The rows with all columns of today's table; those that the file is older than are null.
fn widen(schema: &SchemaRef, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let column = |name: &str, absent: &arrow::datatypes::DataType| {
        rows.column_by_name(name).map_or_else(|| new_null_array(absent, rows.num_rows()), Arc::clone)
    };
    let columns = schema.fields().iter().map(|field| column(field.name(), field.data_type())).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// Opens a file for reading it page by page if it is on this machine, and takes it into memory if not.
fn open(files: &Files, file: &DataFile) -> Result<ParquetRecordBatchReader, MergeError> {
    let in_open = |source| MergeError::Open { path: file.path.clone(), source };
    let in_read = |source| MergeError::Read { path: file.path.clone(), source };
    let got = files.runtime.block_on(files.store.get(&file.path)).map_err(in_open)?;
    match got.payload {
        GetResultPayload::File(local, _) => reader::<File>(local).map_err(in_read),
        GetResultPayload::Stream(_) => {
            let bytes = files.runtime.block_on(got.bytes()).map_err(in_open)?;
            reader::<Bytes>(bytes).map_err(in_read)
        }
    }
}

fn reader<R: parquet::file::reader::ChunkReader + 'static>(
    input: R,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    ParquetRecordBatchReaderBuilder::try_new(input)?.with_batch_size(INPUT_ROWS).build()
}

/// A file that is being written.
struct Output {
    path: Path,
    writer: ArrowWriter<Parts>,
    rows: u64,
    times: (i64, i64),
}

impl Output {
    /// `rows` is how many rows there will be at most.
    fn start(files: &Files, table: &'static Table, path: Path, rows: u64) -> Result<Self, MergeError> {
        let parts =
            Parts::start(files, &path).map_err(|source| MergeError::Finish { path: path.clone(), source })?;
        let writer = writer_properties(table, rows)
            .and_then(|properties| ArrowWriter::try_new(parts, table.arrow_schema(), Some(properties)))
            .map_err(|source| MergeError::Write { path: path.clone(), source })?;
        Ok(Self { path, writer, rows: 0, times: (i64::MAX, i64::MIN) })
    }

    fn write(&mut self, table: &Table, rows: &RecordBatch) -> Result<(), MergeError> {
        let written = self.writer.write(rows);
        written.map_err(|source| MergeError::Write { path: self.path.clone(), source })?;
        let (min, max) = times(table, rows);
        self.times = (self.times.0.min(min), self.times.1.max(max));
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// How large it is about to be.
    fn size(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    fn finish(mut self, day: chrono::NaiveDate) -> Result<DataFile, MergeError> {
        let finished = self.writer.finish();
        finished.map_err(|source| MergeError::Write { path: self.path.clone(), source })?;
        let parts = self.writer.inner_mut();
        let size =
            parts.complete().map_err(|source| MergeError::Finish { path: self.path.clone(), source })?;
        let (min_time, max_time) = self.times;
        Ok(DataFile { path: self.path, size, rows: self.rows, day, min_time, max_time })
    }
}

/// Bytes on their way to the object store, in parts.
struct Parts {
    runtime: Handle,
    upload: Box<dyn MultipartUpload>,
    buffer: Vec<u8>,
    sent: u64,
    is_complete: bool,
}

impl Parts {
    fn start(files: &Files, path: &Path) -> object_store::Result<Self> {
        let upload = files.runtime.block_on(files.store.put_multipart(path))?;
        Ok(Self { runtime: files.runtime.clone(), upload, buffer: Vec::new(), sent: 0, is_complete: false })
    }

    fn send(&mut self) -> object_store::Result<()> {
        let part = std::mem::take(&mut self.buffer);
        self.sent += part.len() as u64;
        self.runtime.block_on(self.upload.put_part(part.into()))
    }

    /// Sends the rest and makes the file durable under its name; returns its size.
    fn complete(&mut self) -> object_store::Result<u64> {
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.runtime.block_on(self.upload.complete())?;
        self.is_complete = true;
        Ok(self.sent)
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART_BYTES {
            self.send().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if !self.is_complete {
            // What stays behind has no name that anyone looks for.
            let _ = self.runtime.block_on(self.upload.abort());
        }
    }
}

/// Rows that are read of a file at a time: with sixteen files some tens of megabytes.
const INPUT_ROWS: usize = 1_024;
/// Rows that are put together at a time.
const OUTPUT_ROWS: usize = 8_192;
/// Bytes that are handed to the object store at a time; some take no fewer than 5 MiB.
const PART_BYTES: usize = 8 << 20;
