//! Where the tables of a query come from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fim_kql::{Catalog, Column, ScalarType, Schema, TableName};
use fim_store::schema::{self, ColumnType, Table};
use fim_store::{SnapshotError, Store, TableSnapshot};
use uuid::Uuid;

/// Tables that a query may name, and their rows at one moment.
pub trait Tables: Catalog + Send + Sync {
    /// The rows of each of these tables: of one workspace all at the same moment. A table that is read of several
    /// workspaces has a snapshot of each.
    fn snapshots(&self, tables: &[&TableName]) -> Result<Vec<Vec<TableSnapshot>>, SnapshotError>;
}

/// The tables of workspaces of a store.
#[derive(Clone)]
pub struct WorkspaceTables {
    store: Arc<Store>,
    asked: Vec<Uuid>,
    named: BTreeMap<String, Uuid>,
}

impl WorkspaceTables {
    /// The tables of `workspace`, and of no other.
    pub fn new(store: Arc<Store>, workspace: Uuid) -> Self {
        Self::of(store, vec![workspace], BTreeMap::new())
    }

    /// The tables of all `asked` workspaces together; with `workspace("…")` before them, that of the workspace that has
    /// this text in `named`.
    pub fn of(store: Arc<Store>, asked: Vec<Uuid>, named: BTreeMap<String, Uuid>) -> Self {
        Self { store, asked, named }
    }

    /// The workspaces whose rows a table has. The language has let no other through than those that are known.
    fn workspaces_of(&self, table: &TableName) -> Vec<Uuid> {
        match &table.workspace {
            None => self.asked.clone(),
            Some(name) => self.named.get(name).copied().into_iter().collect(),
        }
    }
}

impl Catalog for WorkspaceTables {
    fn table(&self, name: &str) -> Option<Schema> {
        schema::table(name).map(table_schema)
    }

    fn table_names(&self) -> Vec<String> {
        schema::tables().iter().map(|table| table.name.to_owned()).collect()
    }

    fn has_workspace(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }
}

impl Tables for WorkspaceTables {
    fn snapshots(&self, tables: &[&TableName]) -> Result<Vec<Vec<TableSnapshot>>, SnapshotError> {
        let read: Vec<Vec<Uuid>> = tables.iter().map(|table| self.workspaces_of(table)).collect();
        let workspaces: BTreeSet<Uuid> = read.iter().flatten().copied().collect();
        let mut snapshots: Vec<Vec<TableSnapshot>> = tables.iter().map(|_| Vec::new()).collect();
        for workspace in workspaces {
            let of_it = |position: &usize| read[*position].contains(&workspace);
            let positions: Vec<usize> = (0..tables.len()).filter(of_it).collect();
            let names: Vec<&str> =
                positions.iter().map(|&position| tables[position].table.as_str()).collect();
            for (position, snapshot) in positions.into_iter().zip(self.store.snapshots(workspace, &names)?) {
                snapshots[position].push(snapshot);
            }
        }
        Ok(snapshots)
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
