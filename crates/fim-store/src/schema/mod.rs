//! The tables: their columns, what each is in KQL, in Arrow and on disk.

mod columns;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use thiserror::Error;

/// The key of an Arrow field's metadata under which the column's KQL type stands, spelled as
/// [`ColumnType::kql_name`] does.
pub const KQL_TYPE_KEY: &str = "kql.type";

/// The column that every table has and that every row must fill.
pub const TIME_GENERATED: &str = "TimeGenerated";

/// The column with the resource that a row is of.
pub const RESOURCE_ID: &str = "_ResourceId";

/// The column with the size of the row as data volume counts it, in bytes.
pub const BILLED_SIZE: &str = "_BilledSize";

/// A table that every workspace has.
#[derive(Debug, Eq, PartialEq)]
pub struct Table {
    /// The name, as it stands in queries and in the column `Type`.
    pub name: &'static str,
    /// All columns, in the order of the published table.
    pub columns: &'static [Column],
    /// True if a row counts as data volume; tables about the service itself do not.
    pub is_billable: bool,
    /// The columns that rows of a data file are sorted by, most significant first.
    pub sort_by: &'static [&'static str],
    /// The columns whose data files have a Bloom filter, so that a search for one value skips whole files.
    pub bloom_filters: &'static [&'static str],
    /// Columns of unique text, which a dictionary would only make larger.
    pub plain: &'static [&'static str],
}

/// A column of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    /// The name; KQL is case-sensitive.
    pub name: &'static str,
    /// The type.
    pub column_type: ColumnType,
}

/// The scalar types of KQL that a column can have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ColumnType {
    /// UTF-8 text, never null: unknown is "". Arrow `Utf8`.
    String,
    /// A moment. Arrow `Timestamp(Microsecond, "UTC")`, so the seventh decimal of KQL's 100 ns ticks is not kept.
    DateTime,
    /// Arrow `Int64`.
    Long,
    /// Arrow `Int32`.
    Int,
    /// Arrow `Float64`.
    Real,
    /// Arrow `Boolean`.
    Bool,
    /// JSON text. Arrow `Utf8`.
    Dynamic,
    /// A UUID's text. Arrow `Utf8`.
    Guid,
    /// A duration in ticks of 100 ns. Arrow `Int64`.
    TimeSpan,
}

/// Why rows are not rows of a table.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum SchemaMismatch {
    /// The number of columns differs.
    #[error("the table {table} has {expected} columns, the rows have {found}")]
    ColumnCount {
        /// The table.
        table: &'static str,
        /// How many it has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A column has another name or type.
    #[error("column {index} of the table {table} is {expected}, the rows have {found} there")]
    Column {
        /// The table.
        table: &'static str,
        /// The position, from 0.
        index: usize,
        /// The table's name and Arrow type.
        expected: String,
        /// The given name and Arrow type.
        found: String,
    },
    /// The rows contradict themselves.
    #[error("the rows for the table {table} are not valid: {reason}")]
    Invalid {
        /// The table.
        table: &'static str,
        /// What Arrow says.
        reason: String,
    },
    /// A row has no `TimeGenerated`.
    #[error("a row for the table {table} has no TimeGenerated")]
    MissingTime {
        /// The table.
        table: &'static str,
    },
}

/// All tables, by name.
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// The table of that name, if there is one.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

impl Table {
    /// The columns as an Arrow schema; each field's metadata has the KQL type under [`KQL_TYPE_KEY`].
    ///
    /// All fields are nullable, strings too: in a data file that is older than a column, the column reads as null,
    /// and a query shows a string of these as "".
    pub fn arrow_schema(&self) -> SchemaRef {
        SCHEMAS.get(self.name).cloned().unwrap_or_else(|| Arc::new(build_schema(self)))
    }

    /// The position of the column of that name.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Checks that the rows have exactly this table's columns and a time each, and gives them this table's schema.
    pub fn adopt(&'static self, rows: RecordBatch) -> Result<RecordBatch, SchemaMismatch> {
        let expected = self.arrow_schema();
        if rows.num_columns() != expected.fields().len() {
            return Err(SchemaMismatch::ColumnCount {
                table: self.name,
                expected: expected.fields().len(),
                found: rows.num_columns(),
            });
        }
        let table = self.name;
        for (index, (want, have)) in expected.fields().iter().zip(rows.schema().fields()).enumerate() {
            if want.name() != have.name() || want.data_type() != have.data_type() {
                return Err(SchemaMismatch::Column {
                    table,
                    index,
                    expected: format!("{} ({})", want.name(), want.data_type()),
                    found: format!("{} ({})", have.name(), have.data_type()),
                });
            }
        }
        let has_times =
            self.column_index(TIME_GENERATED).is_some_and(|time| rows.column(time).null_count() == 0);
        if !has_times {
            return Err(SchemaMismatch::MissingTime { table });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(expected, rows.columns().to_vec(), &options)
            .map_err(|cause| SchemaMismatch::Invalid { table, reason: cause.to_string() })
    }
}

impl Column {
    const fn new(name: &'static str, column_type: ColumnType) -> Self {
        Self { name, column_type }
    }
}

impl ColumnType {
    /// The type's name in KQL.
    pub fn kql_name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::DateTime => "datetime",
            Self::Long => "long",
            Self::Int => "int",
            Self::Real => "real",
            Self::Bool => "bool",
            Self::Dynamic => "dynamic",
            Self::Guid => "guid",
            Self::TimeSpan => "timespan",
        }
    }

    /// The Arrow type of the column's values.
    pub fn arrow_type(self) -> DataType {
        match self {
            Self::String | Self::Dynamic | Self::Guid => DataType::Utf8,
            Self::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Long | Self::TimeSpan => DataType::Int64,
            Self::Int => DataType::Int32,
            Self::Real => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kql_name())
    }
}

fn build_schema(table: &Table) -> Schema {
    let field = |column: &Column| {
        let kql_type = column.column_type.kql_name().to_owned();
        Field::new(column.name, column.column_type.arrow_type(), true)
            .with_metadata(HashMap::from([(KQL_TYPE_KEY.to_owned(), kql_type)]))
    };
    Schema::new(table.columns.iter().map(field).collect::<Vec<_>>())
}

/// How every table of machines' rows is sorted: measured to make grouping by machine two to three times faster.
const BY_COMPUTER: &[&str] = &["Computer", TIME_GENERATED];
/// How a table that is not about machines is sorted.
const BY_TIME: &[&str] = &[TIME_GENERATED];

static TABLES: [Table; 8] = [
    Table {
        name: "ConfigurationChange",
        columns: columns::CONFIGURATION_CHANGE,
        is_billable: true,
        sort_by: BY_COMPUTER,
        bloom_filters: &["Computer", "FileSystemPath", "FileContentChecksum"],
        plain: &["FileContentChecksum", "PreviousFileContentChecksum", "ChangeId"],
    },
    Table {
        name: "ConfigurationData",
        columns: columns::CONFIGURATION_DATA,
        is_billable: true,
        sort_by: BY_COMPUTER,
        bloom_filters: &["Computer", "FileSystemPath", "FileContentChecksum"],
        plain: &["FileContentChecksum"],
    },
    Table {
        name: "Coverage",
        columns: columns::COVERAGE,
        is_billable: false,
        sort_by: BY_COMPUTER,
        bloom_filters: &["Computer"],
        plain: &[],
    },
    Table {
        name: "Heartbeat",
        columns: columns::HEARTBEAT,
        is_billable: false,
        sort_by: BY_COMPUTER,
        bloom_filters: &["Computer"],
        plain: &[],
    },
    Table {
        name: "LAQueryLogs",
        columns: columns::LA_QUERY_LOGS,
        is_billable: false,
        sort_by: BY_TIME,
        bloom_filters: &[],
        plain: &["CorrelationId"],
    },
    Table {
        name: "MDCFileIntegrityMonitoringEvents",
        columns: columns::MDC_FILE_INTEGRITY_MONITORING_EVENTS,
        is_billable: true,
        sort_by: BY_COMPUTER,
        bloom_filters: &["Computer", "FilePath", "FileSha256"],
        plain: &["FileMd5", "FileSha256", "FileSha1"],
    },
    Table {
        name: "Operation",
        columns: columns::OPERATION,
        is_billable: false,
        sort_by: BY_COMPUTER,
        bloom_filters: &["Computer"],
        plain: &[],
    },
    Table {
        name: "Usage",
        columns: columns::USAGE,
        is_billable: false,
        sort_by: BY_TIME,
        bloom_filters: &[],
        plain: &[],
    },
];

static SCHEMAS: LazyLock<HashMap<&'static str, SchemaRef>> =
    LazyLock::new(|| TABLES.iter().map(|table| (table.name, Arc::new(build_schema(table)))).collect());
