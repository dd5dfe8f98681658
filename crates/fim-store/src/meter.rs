//! How much was stored, by workspace and table: what data volume is counted from.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Float64Type;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::schema::{self, BILLED_SIZE, Table};

/// Rows and their size.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Metered {
    /// How many rows.
    pub rows: u64,
    /// The sum of their `_BilledSize`, in bytes.
    pub billed_bytes: f64,
}

/// All that was ever stored of each table. It only grows; a row that was delivered twice counts once. It is recorded with
/// the position of the log that it is of, so that a crash neither loses nor repeats any of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Meter {
    by_workspace: BTreeMap<Uuid, BTreeMap<String, Metered>>,
}

impl Metered {
    /// Those of a batch of a table's rows.
    pub(crate) fn of(table: &Table, rows: &RecordBatch) -> Self {
        let sizes = table.column_index(BILLED_SIZE).and_then(|index| {
            rows.column(index).as_primitive_opt::<Float64Type>().and_then(arrow::compute::sum)
        });
        Self { rows: rows.num_rows() as u64, billed_bytes: sizes.unwrap_or(0.0) }
    }

    /// What came since `before`.
    pub fn since(self, before: Self) -> Self {
        Self {
            rows: self.rows.saturating_sub(before.rows),
            billed_bytes: (self.billed_bytes - before.billed_bytes).max(0.0),
        }
    }
}

impl Meter {
    /// Counts rows.
    pub(crate) fn count(&mut self, workspace: Uuid, table: &'static str, metered: Metered) {
        let tables = self.by_workspace.entry(workspace).or_default();
        // The name is copied only when the table is new.
        if !tables.contains_key(table) {
            tables.insert(table.to_owned(), Metered::default());
        }
        if let Some(sum) = tables.get_mut(table) {
            sum.rows += metered.rows;
            sum.billed_bytes += metered.billed_bytes;
        }
    }

    /// Forgets a workspace that is no more.
    pub(crate) fn forget(&mut self, workspace: Uuid) {
        self.by_workspace.remove(&workspace);
    }

    /// What each table of a workspace has got.
    pub(crate) fn of(&self, workspace: Uuid) -> Vec<(&'static str, Metered)> {
        let tables = self.by_workspace.get(&workspace).into_iter().flatten();
        tables.filter_map(|(name, metered)| Some((schema::table(name)?.name, *metered))).collect()
    }
}
