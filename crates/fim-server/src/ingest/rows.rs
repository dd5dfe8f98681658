//! Reports as the batches of rows that the store takes.

use arrow::array::RecordBatch;
use fim_core::{ChangeEvent, Gap, Listed, Timestamp};
use fim_store::{BuildError, TableBuilder, Value};
use fim_wire::{Inventory, Seen};
use uuid::Uuid;

use super::columns::{Columns, Source, change_columns, ended_columns, gap_columns};
use super::event_columns::event_columns;
use super::heartbeat::Heartbeat;
use super::inventory::inventory_columns;
use super::listed::listed_change_columns;
use crate::control::OpenGap;

/// Rows of several tables that are stored together or not at all.
#[derive(Debug)]
pub struct Rows {
    changes: TableBuilder,
    events: TableBuilder,
    inventory: TableBuilder,
    coverage: TableBuilder,
    heartbeats: TableBuilder,
}

impl Rows {
    /// No rows yet.
    pub fn new(workspace: Uuid) -> Result<Self, BuildError> {
        Ok(Self {
            changes: TableBuilder::new(CHANGES, workspace)?,
            events: TableBuilder::new(EVENTS, workspace)?,
            inventory: TableBuilder::new(INVENTORY, workspace)?,
            coverage: TableBuilder::new(COVERAGE, workspace)?,
            heartbeats: TableBuilder::new(HEARTBEAT, workspace)?,
        })
    }

    /// Adds a change; one that was seen as it happened is a row of two tables.
    pub fn change(
        &mut self,
        source: Source<'_>,
        event: &ChangeEvent,
        received: Timestamp,
    ) -> Result<(), BuildError> {
        if let Some(columns) = change_columns(source, event, received) {
            push(&mut self.changes, source, columns)?;
        }
        if let Some(columns) = event_columns(source, event, received) {
            push(&mut self.events, source, columns)?;
        }
        // With each change comes what there is now, as published.
        match &event.change.after {
            Some(after) => {
                let seen = Seen::File(after.clone());
                self.inventory(source, &Inventory { observed: event.observed, seen }, received)
            }
            None => Ok(()),
        }
    }

    /// Adds a change in a list.
    pub fn listed_change(
        &mut self,
        source: Source<'_>,
        event: &ChangeEvent<Listed>,
        received: Timestamp,
    ) -> Result<(), BuildError> {
        if let Some(columns) = listed_change_columns(source, event, received) {
            push(&mut self.changes, source, columns)?;
        }
        match &event.change.after {
            Some(after) => {
                let seen = Seen::Listed(after.clone());
                self.inventory(source, &Inventory { observed: event.observed, seen }, received)
            }
            None => Ok(()),
        }
    }

    /// Adds what an entity is.
    pub fn inventory(
        &mut self,
        source: Source<'_>,
        inventory: &Inventory,
        received: Timestamp,
    ) -> Result<(), BuildError> {
        push(&mut self.inventory, source, inventory_columns(source, inventory, received))
    }

    /// Adds a gap; `provider` is what was watching.
    pub fn gap(
        &mut self,
        source: Source<'_>,
        gap: &Gap,
        provider: &str,
        received: Timestamp,
    ) -> Result<(), BuildError> {
        push(&mut self.coverage, source, gap_columns(source, gap, provider, received))
    }

    /// Adds the end of a gap that the server has kept as open.
    pub fn gap_end(
        &mut self,
        source: Source<'_>,
        gap: &OpenGap,
        end: Timestamp,
        received: Timestamp,
    ) -> Result<(), BuildError> {
        push(&mut self.coverage, source, ended_columns(source, gap, end, received))
    }

    /// Adds a sign of life.
    pub fn heartbeat(
        &mut self,
        source: Source<'_>,
        heartbeat: &Heartbeat,
        address: &str,
        received: Timestamp,
    ) -> Result<(), BuildError> {
        push(&mut self.heartbeats, source, heartbeat.columns(source, address, received))
    }

    /// The batches of the tables that got rows.
    pub fn finish(self) -> Result<Vec<(&'static str, RecordBatch)>, BuildError> {
        [self.changes, self.inventory, self.events, self.coverage, self.heartbeats]
            .into_iter()
            .filter(|builder| !builder.is_empty())
            .map(|builder| Ok((builder.table(), builder.finish()?)))
            .collect()
    }
}

/// Adds a row of a machine's.
fn push(builder: &mut TableBuilder, source: Source<'_>, mut columns: Columns) -> Result<(), BuildError> {
    columns.push(("_ResourceId", Value::Owned(source.resource.to_owned())));
    columns.push(("_SubscriptionId", Value::Owned(source.subscription.to_owned())));
    push_own(builder, columns)
}

/// Adds a row of the server's own.
pub(crate) fn push_own(builder: &mut TableBuilder, columns: Columns) -> Result<(), BuildError> {
    let mut row = builder.row();
    for (name, value) in columns {
        row.set(name, value)?;
    }
    row.push()
}

/// The table of change records.
pub const CHANGES: &str = "ConfigurationChange";
/// The table of changes that were seen as they happened, in the newest published shape.
pub const EVENTS: &str = "MDCFileIntegrityMonitoringEvents";
/// The table of what there is.
pub const INVENTORY: &str = "ConfigurationData";
/// The table of stretches that were not watched.
pub const COVERAGE: &str = "Coverage";
/// The table of agents' signs of life.
pub const HEARTBEAT: &str = "Heartbeat";
