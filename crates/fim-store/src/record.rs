//! One accepted ingest call as the bytes of a log record, and back.
//!
//! ```text
//! version u8 = 1 · origin? u8 · workspace 16 · [source 16 · epoch 16 · sequence u64] · length u32 · zstd body
//! body: tables u8 · per table: name length u8 · name · length u32 · Arrow IPC stream     (numbers little-endian)
//! ```
//!
//! Columns that are blank in every row are left out, which is most of them: a record is several times smaller, and
//! a table that has gained a column since reads its old records without a translation.

use std::io::{self, Cursor};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use thiserror::Error;
use uuid::Uuid;

use crate::marks::Origin;
use crate::schema::{self, Column, ColumnType, Table};

/// The rows of one ingest call, as they are kept in the ingest log.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestRecord {
    /// The workspace that the rows belong to.
    pub workspace: Uuid,
    /// Where they come from; `None` if they cannot come twice.
    pub origin: Option<Origin>,
    /// The rows of each table.
    pub tables: Vec<(&'static Table, RecordBatch)>,
}

/// Why a record could not be written.
#[derive(Debug, Error)]
pub enum EncodeRecordError {
    /// The rows cannot be encoded.
    #[error("cannot encode rows of {table}")]
    Rows {
        /// The table.
        table: &'static str,
        /// Why.
        source: ArrowError,
    },
    /// The rows cannot be compressed.
    #[error("cannot compress the rows")]
    Compress {
        /// Why.
        source: io::Error,
    },
    /// Too much for one record.
    #[error("{bytes} bytes of rows are more than the {max} that one record can have")]
    TooLarge {
        /// How much it is.
        bytes: usize,
        /// How much it may be.
        max: usize,
    },
}

/// Why bytes are not a record.
#[derive(Debug, Error)]
pub enum DecodeRecordError {
    /// Written by a program that is newer than this one.
    #[error("the record has version {found}, and this program knows version {VERSION}")]
    Version {
        /// The version.
        found: u8,
    },
    /// The bytes end too early, or a length in them is wrong.
    #[error("the record is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// The body cannot be decompressed.
    #[error("cannot decompress the record")]
    Decompress {
        /// Why.
        source: io::Error,
    },
    /// A table that this program does not have.
    #[error("the record has rows of the table {name}, which this program does not know")]
    UnknownTable {
        /// The table.
        name: String,
    },
    /// The rows of a table cannot be read.
    #[error("cannot read the rows of {table}")]
    Rows {
        /// The table.
        table: &'static str,
        /// Why.
        source: ArrowError,
    },
    /// A column that the table does not have, or has with another type.
    #[error("the record has a column {table}.{column} that the table does not have")]
    Column {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
    },
}

impl IngestRecord {
    /// The bytes of the record.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeRecordError> {
        let too_large = |bytes| EncodeRecordError::TooLarge { bytes, max: MAX_BODY };
        let mut body = Vec::new();
        body.push(u8::try_from(self.tables.len()).map_err(|_| too_large(self.tables.len()))?);
        for (table, rows) in &self.tables {
            let stream = encode_rows(rows, table)
                .map_err(|source| EncodeRecordError::Rows { table: table.name, source })?;
            let len = u32::try_from(stream.len()).map_err(|_| too_large(stream.len()))?;
            body.push(table.name.len() as u8);
            body.extend_from_slice(table.name.as_bytes());
            body.extend_from_slice(&len.to_le_bytes());
            body.extend_from_slice(&stream);
        }
        if body.len() > MAX_BODY {
            return Err(too_large(body.len()));
        }
        let packed = zstd::bulk::compress(&body, COMPRESSION_LEVEL)
            .map_err(|source| EncodeRecordError::Compress { source })?;
        let mut bytes = Vec::with_capacity(packed.len() + 64);
        bytes.extend_from_slice(&[VERSION, u8::from(self.origin.is_some())]);
        bytes.extend_from_slice(self.workspace.as_bytes());
        if let Some(origin) = self.origin {
            bytes.extend_from_slice(&origin.source);
            bytes.extend_from_slice(&origin.epoch);
            bytes.extend_from_slice(&origin.sequence.to_le_bytes());
        }
        bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&packed);
        Ok(bytes)
    }

    /// The record that these bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeRecordError> {
        let mut input = Input(bytes);
        let version = input.byte()?;
        if version != VERSION {
            return Err(DecodeRecordError::Version { found: version });
        }
        let has_origin = input.byte()? != 0;
        let workspace = Uuid::from_bytes(input.array()?);
        let origin = if has_origin { Some(decode_origin(&mut input)?) } else { None };
        let len = u32::from_le_bytes(input.array()?) as usize;
        if len > MAX_BODY {
            return Err(DecodeRecordError::Malformed { what: "the body is longer than a body can be" });
        }
        let body = zstd::bulk::decompress(input.0, len)
            .map_err(|source| DecodeRecordError::Decompress { source })?;
        let mut body = Input(&body);
        let mut tables = Vec::new();
        for _ in 0..body.byte()? {
            tables.push(decode_table(&mut body)?);
        }
        Ok(Self { workspace, origin, tables })
    }
}

fn encode_rows(rows: &RecordBatch, table: &Table) -> Result<Vec<u8>, ArrowError> {
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for (column, array) in table.columns.iter().zip(rows.columns()) {
        if !is_blank(column, array) {
            fields.push(Field::new(column.name, array.data_type().clone(), true));
            arrays.push(Arc::clone(array));
        }
    }
    let schema = Arc::new(Schema::new(fields));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?;
    let mut stream = Vec::new();
    let mut writer = StreamWriter::try_new(&mut stream, &schema)?;
    writer.write(&batch)?;
    writer.finish()?;
    drop(writer);
    Ok(stream)
}

/// True if the column can be made again from the number of rows alone; see [`blank`].
fn is_blank(column: &Column, array: &ArrayRef) -> bool {
    match column.column_type {
        ColumnType::String => {
            let empty =
                |strings: &StringArray| strings.value_offsets().windows(2).all(|pair| pair[0] == pair[1]);
            array.null_count() == 0 && array.as_string_opt::<i32>().is_some_and(empty)
        }
        ColumnType::DateTime
        | ColumnType::Long
        | ColumnType::Int
        | ColumnType::Real
        | ColumnType::Bool
        | ColumnType::Dynamic
        | ColumnType::Guid
        | ColumnType::TimeSpan => array.null_count() == array.len(),
    }
}

fn blank(column: &Column, rows: usize) -> ArrayRef {
    match column.column_type {
        ColumnType::String => Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows))),
        ColumnType::DateTime
        | ColumnType::Long
        | ColumnType::Int
        | ColumnType::Real
        | ColumnType::Bool
        | ColumnType::Dynamic
        | ColumnType::Guid
        | ColumnType::TimeSpan => new_null_array(&column.column_type.arrow_type(), rows),
    }
}

fn decode_origin(input: &mut Input<'_>) -> Result<Origin, DecodeRecordError> {
    Ok(Origin { source: input.array()?, epoch: input.array()?, sequence: u64::from_le_bytes(input.array()?) })
}

fn decode_table(body: &mut Input<'_>) -> Result<(&'static Table, RecordBatch), DecodeRecordError> {
    let name_len = usize::from(body.byte()?);
    let name = body.take(name_len)?;
    let table = std::str::from_utf8(name).ok().and_then(schema::table).ok_or_else(|| {
        DecodeRecordError::UnknownTable { name: String::from_utf8_lossy(name).into_owned() }
    })?;
    let len = u32::from_le_bytes(body.array()?) as usize;
    let stream = body.take(len)?;
    let in_table = |source| DecodeRecordError::Rows { table: table.name, source };
    let stored = read_stream(stream)?.map_err(in_table)?;
    Ok((table, widen(table, &stored)?))
}

/// The only batch of a stream.
fn read_stream(stream: &[u8]) -> Result<Result<RecordBatch, ArrowError>, DecodeRecordError> {
    let read = || {
        let mut reader = StreamReader::try_new(Cursor::new(stream), None)?;
        reader.next().unwrap_or_else(|| Err(ArrowError::IpcError("the stream has no batch".to_owned())))
    };
    // Arrow's reader trusts offsets in a stream and panics at some that are wrong. The log's checksum keeps such streams
    // away from here, but if one passes, it must be one error and not the end of the store.
    std::panic::catch_unwind(AssertUnwindSafe(read))
        .map_err(|_| DecodeRecordError::Malformed { what: "an offset in the rows is wrong" })
}

/// Gives the blank columns back.
fn widen(table: &'static Table, stored: &RecordBatch) -> Result<RecordBatch, DecodeRecordError> {
    let schema = stored.schema();
    let type_of = |name: &str| table.column_index(name).map(|at| table.columns[at].column_type.arrow_type());
    let is_foreign = |field: &&Arc<Field>| {
        let expected: Option<DataType> = type_of(field.name());
        expected.as_ref() != Some(field.data_type())
    };
    if let Some(field) = schema.fields().iter().find(is_foreign) {
        return Err(DecodeRecordError::Column { table: table.name, column: field.name().clone() });
    }
    let rows = stored.num_rows();
    let arrays = table
        .columns
        .iter()
        .map(|column| stored.column_by_name(column.name).map_or_else(|| blank(column, rows), Arc::clone));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(table.arrow_schema(), arrays.collect(), &options)
        .map_err(|source| DecodeRecordError::Rows { table: table.name, source })
}

/// Bytes not yet read.
struct Input<'b>(&'b [u8]);

impl<'b> Input<'b> {
    fn take(&mut self, len: usize) -> Result<&'b [u8], DecodeRecordError> {
        let (head, rest) =
            self.0.split_at_checked(len).ok_or(DecodeRecordError::Malformed { what: "it ends too early" })?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeRecordError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, DecodeRecordError> {
        self.array::<1>().map(|[byte]| byte)
    }
}

/// Of the record's layout.
const VERSION: u8 = 1;
/// Bytes of a body before compression. The log's own bound on a record is lower still for what does not compress.
const MAX_BODY: usize = 256 << 20;
/// The log is written once and read once, so speed counts more than size.
const COMPRESSION_LEVEL: i32 = 1;
