//! Where the tables of a query come from.

use std::sync::Arc;

use fim_kql::{Catalog, Column, ScalarType, Schema};
use fim_store::schema::{self, ColumnType, Table};
use fim_store::{SnapshotError, Store, TableSnapshot};
use uuid::Uuid;

/// Tables that a query may name, and their rows at one moment.
pub trait Tables: Catalog + Send + Sync {
    /// The rows of the named tables, all at the same moment.
    fn snapshots(&self, names: &[&str]) -> Result<Vec<TableSnapshot>, SnapshotError>;
}

/// The tables of one workspace of a store.
#[derive(Clone)]
pub struct WorkspaceTables {
    store: Arc<Store>,
    workspace: Uuid,
}

impl WorkspaceTables {
    /// The tables of `workspace`.
    pub fn new(store: Arc<Store>, workspace: Uuid) -> Self {
        Self { store, workspace }
    }
}

impl Catalog for WorkspaceTables {
    fn table(&self, name: &str) -> Option<Schema> {
        schema::table(name).map(table_schema)
    }

    fn table_names(&self) -> Vec<String> {
        schema::tables().iter().map(|table| table.name.to_owned()).collect()
    }
}

impl Tables for WorkspaceTables {
    fn snapshots(&self, names: &[&str]) -> Result<Vec<TableSnapshot>, SnapshotError> {
        self.store.snapshots(self.workspace, names)
    }
}

/// The columns of a table as the language sees them.
pub fn table_schema(table: &Table) -> Schema {
    let column = |column: &schema::Column| Column::new(column.name, scalar_type(column.column_type));
    Schema::new(table.columns.iter().map(column).collect())
}

fn scalar_type(ty: ColumnType) -> ScalarType {
    match ty {
        ColumnType::String => ScalarType::String,
        ColumnType::DateTime => ScalarType::DateTime,
        ColumnType::Long => ScalarType::Long,
        ColumnType::Int => ScalarType::Int,
        ColumnType::Real => ScalarType::Real,
        ColumnType::Bool => ScalarType::Bool,
        ColumnType::Dynamic => ScalarType::Dynamic,
        ColumnType::Guid => ScalarType::Guid,
        ColumnType::TimeSpan => ScalarType::TimeSpan,
    }
}
