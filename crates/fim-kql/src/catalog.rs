//! The tables that a query may name.

use crate::types::Schema;

/// Knows the tables of a workspace. Names are case-sensitive, as everywhere in KQL.
pub trait Catalog {
    /// The columns of the table that is spelled exactly like this.
    fn table(&self, name: &str) -> Option<Schema>;

    /// The names of all tables, for "did you mean".
    fn table_names(&self) -> Vec<String>;
}

/// A catalog without tables, for queries that bring their own rows (`print`, `range`, `datatable`).
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyCatalog;

impl Catalog for EmptyCatalog {
    fn table(&self, _name: &str) -> Option<Schema> {
        None
    }

    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }
}
