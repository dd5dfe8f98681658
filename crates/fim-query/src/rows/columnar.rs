//! Rows as files of columns: Parquet, and Arrow's own format.
//!
//! Texts are plain UTF-8 there, since not every reader knows views, and each field says under `kql.type` what its column
//! is in the language: a `timespan` is a number of 100 ns ticks, a `dynamic` JSON text.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use fim_store::schema::KQL_TYPE_KEY;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::QueryRows;
use crate::values::arrow_type;

/// Writes the rows as a Parquet file.
pub fn write_parquet(rows: &QueryRows, to: &mut (impl Write + Send)) -> io::Result<()> {
    let schema = schema(rows);
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer =
        ArrowWriter::try_new(to, Arc::clone(&schema), Some(properties)).map_err(io::Error::other)?;
    for batch in &rows.batches {
        writer.write(&plain(batch, &schema)?).map_err(io::Error::other)?;
    }
    writer.close().map(drop).map_err(io::Error::other)
}

/// Writes the rows as a file of Arrow's interprocess format.
pub fn write_arrow(rows: &QueryRows, to: &mut impl Write) -> io::Result<()> {
    let schema = schema(rows);
    let mut writer = FileWriter::try_new(to, &schema).map_err(io::Error::other)?;
    for batch in &rows.batches {
        writer.write(&plain(batch, &schema)?).map_err(io::Error::other)?;
    }
    writer.finish().map_err(io::Error::other)
}

fn schema(rows: &QueryRows) -> SchemaRef {
    let fields = rows.columns.iter().map(|column| {
        // What has no type of its own in the engine is text.
        let ty = match arrow_type(column.ty) {
            None | Some(DataType::Utf8View) => DataType::Utf8,
            Some(other) => other,
        };
        let kql = HashMap::from([(KQL_TYPE_KEY.to_owned(), column.ty.name().to_owned())]);
        Field::new(&column.name, ty, true).with_metadata(kql)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The batch in the types of the file.
fn plain(batch: &RecordBatch, schema: &SchemaRef) -> io::Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns: Result<Vec<ArrayRef>, ArrowError> =
        columns.map(|(values, field)| cast(values, field.data_type())).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let made =
        columns.and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options));
    made.map_err(io::Error::other)
}
