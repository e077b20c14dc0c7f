//! Parquet: rows into bytes or a local file, and out of it again.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::columns::VERSION;

/// Rows that are read at once, and rows of a row group.
pub const ROWS_AT_ONCE: usize = 8192;
const ROW_GROUP: usize = 256 << 10;
/// Encoded bytes of a row group: what a writer holds in memory.
const ROW_GROUP_BYTES: usize = 32 << 20;
const ZSTD: i32 = 3;
/// The key of the columns' version in a file's metadata.
const VERSION_KEY: &str = "matinee.columns";

fn properties() -> Result<WriterProperties, ParquetError> {
    let version = KeyValue::new(VERSION_KEY.to_owned(), VERSION.to_owned());
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD)?))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .set_created_by("matinee".to_owned())
        .set_key_value_metadata(Some(vec![version]))
        .build())
}

/// A writer of rows.
pub fn writer<W: Write + Send>(to: W, schema: SchemaRef) -> Result<ArrowWriter<W>, ParquetError> {
    ArrowWriter::try_new(to, schema, Some(properties()?))
}

/// A reader of a local file, of all its columns or of some.
pub fn reader(path: &Path, columns: Option<&[&str]>) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.with_batch_size(ROWS_AT_ONCE);
    let mask = match columns {
        Some(names) => ProjectionMask::columns(builder.parquet_schema(), names.iter().copied()),
        None => ProjectionMask::all(),
    };
    builder.with_projection(mask).build()
}

/// The columns of a local file and how many rows it has.
pub fn shape(path: &Path) -> Result<(SchemaRef, u64), ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let rows = builder.metadata().file_metadata().num_rows();
    Ok((builder.schema().clone(), u64::try_from(rows).unwrap_or(0)))
}

/// Writes what `keep` leaves of the files' rows into a new local file, synced. Says how many rows.
pub fn copy(
    from: &[&Path],
    to: &Path,
    schema: SchemaRef,
    mut keep: impl FnMut(RecordBatch) -> Result<RecordBatch, ParquetError>,
) -> Result<u64, ParquetError> {
    let mut writer = writer(File::create(to)?, schema)?;
    let mut rows = 0;
    for path in from {
        for batch in reader(path, None)? {
            let kept = keep(batch?)?;
            rows += kept.num_rows() as u64;
            writer.write(&kept)?;
        }
    }
    writer.into_inner()?.sync_all()?;
    Ok(rows)
}
