//! How much comes in: a row of `Usage` for each table and hour, and the daily cap of a workspace.
//!
//! The store's meters only grow, and a crash neither loses nor repeats what they count. What they showed when the hour and
//! the day began is kept in the control database; the difference is what came in since.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fim_core::Timestamp;
use fim_store::{Metered, Origin, Retention, TableBuilder, Value, schema};
use tokio::sync::watch;
use uuid::Uuid;

use super::columns::Columns;
use super::rows::push_own;
use super::troubles::Troubles;
use crate::app::{App, AppState, stopped};
use crate::clock::Moment;
use crate::control::{Period, Reading, WorkspaceRecord};
use crate::problem::{Kind, Problem};

/// The workspaces that have reached their cap today.
#[derive(Debug, Default)]
pub struct Caps(Mutex<HashSet<Uuid>>);

impl Caps {
    /// Refuses what is billed of a workspace that has reached its cap, until the day is over.
    pub fn check(&self, workspace: Uuid, now: Timestamp) -> Result<(), Problem> {
        if !self.is_reached(workspace) {
            return Ok(());
        }
        let left = Period::Day.begin(now).plus_nanos(Period::Day.nanos()).nanos_since(now);
        let seconds = u64::try_from(left / 1_000_000_000).unwrap_or(0) + 1;
        let detail = "the workspace has reached its daily cap; records wait with those who send them until the next day (UTC), or \
                      until its owner raises the cap";
        Err(Problem::new(Kind::TooManyRequests, detail).retry_after(seconds.min(LONGEST_WAIT_SECONDS)))
    }

    /// True if the workspace has reached its cap today.
    pub fn is_reached(&self, workspace: Uuid) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&workspace)
    }

    /// Forgets a workspace that is deleted.
    pub fn forget(&self, workspace: Uuid) {
        self.note(workspace, false);
    }

    /// Notes whether it has; true if that is new.
    fn note(&self, workspace: Uuid, is_reached: bool) -> bool {
        let mut reached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_reached { reached.insert(workspace) } else { reached.remove(&workspace) }
    }
}

/// Looks after the meters until the server stops.
pub async fn watch(app: AppState, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stopped(&mut stop) => return,
        }
        match look(&app).await {
            Ok(troubles) => troubles.warn("cannot keep the meters of every workspace; will try again"),
            Err(problem) => {
                tracing::warn!(detail = %problem.detail, "cannot read the meters; will try again");
            }
        }
    }
}

/// Billed bytes that have come in today.
pub async fn used_today(app: &App, workspace: Uuid) -> Result<f64, Problem> {
    let internal = |error| Problem::internal("reading the meters", &error);
    let begun = app.control.readings(workspace, Period::Day).await.map_err(internal)?;
    Ok(billed(&app.store.metered(workspace), &begun))
}

/// Tells the store how long each table of each workspace keeps its rows.
pub async fn tell_retention(app: &App) -> Result<(), Problem> {
    let internal = |error| Problem::internal("reading the storage settings", &error);
    let mut retention = Retention::default();
    for workspace in app.control.workspaces().await.map_err(internal)? {
        let settings = app.control.storage_settings(workspace.id).await.map_err(internal)?;
        for table in schema::tables() {
            if let Some(days) = settings.tables.get(table.name).copied().or(settings.retention_days) {
                retention.set(workspace.id, table.name, days);
            }
        }
    }
    app.store.set_retention(retention);
    Ok(())
}

/// Looks at every workspace; the trouble with one keeps nobody from the next.
async fn look(app: &App) -> Result<Troubles, Problem> {
    let internal = |error| Problem::internal("reading the meters", &error);
    let mut troubles = Troubles::default();
    let now = app.clock.now();
    for workspace in app.control.workspaces().await.map_err(internal)? {
        troubles.note(&workspace.name, look_at(app, &workspace, now).await);
    }
    Ok(troubles)
}

async fn look_at(app: &App, workspace: &WorkspaceRecord, now: Timestamp) -> Result<(), Problem> {
    close_hour(app, workspace, now).await?;
    begin_day(app, workspace, now).await?;
    look_at_cap(app, workspace, now).await
}

/// Writes what came in in the hour that is over.
async fn close_hour(app: &App, workspace: &WorkspaceRecord, now: Timestamp) -> Result<(), Problem> {
    let internal = |error| Problem::internal("keeping the meters", &error);
    let hour = Period::Hour.begin(now);
    let meters = app.store.metered(workspace.id);
    let begun = app.control.readings(workspace.id, Period::Hour).await.map_err(internal)?;
    let changed = changed_readings(&meters, &begun, hour);
    if changed.is_empty() {
        return Ok(());
    }
    let mut rows = TableBuilder::new(USAGE, workspace.id).map_err(|error| usage_problem(&error))?;
    for (table, metered) in &meters {
        // A table that is new this hour has no row yet.
        let Some(before) = begun.iter().find(|reading| reading.table == *table) else { continue };
        let came = metered.since(before.metered);
        if before.begins < hour && came.rows > 0 {
            push_own(&mut rows, usage_row(workspace, table, came, before.begins))
                .map_err(|error| usage_problem(&error))?;
        }
    }
    if !rows.is_empty() {
        let rows = rows.finish().map_err(|error| usage_problem(&error))?;
        app.store_tables(workspace.id, vec![(USAGE, rows)], own_origin(USAGE_SOURCE, hour)).await?;
    }
    app.control.set_readings(workspace.id, Period::Hour, &changed).await.map_err(internal)
}

async fn begin_day(app: &App, workspace: &WorkspaceRecord, now: Timestamp) -> Result<(), Problem> {
    let internal = |error| Problem::internal("keeping the meters", &error);
    let begun = app.control.readings(workspace.id, Period::Day).await.map_err(internal)?;
    let changed = changed_readings(&app.store.metered(workspace.id), &begun, Period::Day.begin(now));
    match changed.is_empty() {
        true => Ok(()),
        false => app.control.set_readings(workspace.id, Period::Day, &changed).await.map_err(internal),
    }
}

async fn look_at_cap(app: &App, workspace: &WorkspaceRecord, now: Timestamp) -> Result<(), Problem> {
    let internal = |error| Problem::internal("reading the storage settings", &error);
    let cap = app.control.storage_settings(workspace.id).await.map_err(internal)?.daily_cap_bytes;
    let used = used_today(app, workspace.id).await?;
    let is_reached = cap.is_some_and(|cap| used >= cap as f64);
    if !app.caps.note(workspace.id, is_reached) {
        return Ok(());
    }
    let (status, detail) = if is_reached {
        // The sentence is the published one, which queries look for.
        (
            "Warning",
            "Data collection stopped due to daily limit of free data reached. Ingestion status = OverQuota",
        )
    } else {
        ("Information", "Data collection resumed. Ingestion status = UnderQuota")
    };
    tracing::warn!(workspace = %workspace.name, used_bytes = used, cap_bytes = cap, detail, "the daily cap");
    let columns: Columns = vec![
        ("TimeGenerated", Value::Time(now)),
        ("SourceSystem", Value::Text("OMS")),
        ("OperationStatus", Value::Text(status)),
        ("OperationCategory", Value::Text("Data Collection Status")),
        ("Detail", Value::Text(detail)),
        ("Solution", Value::Text("LogManagement")),
        ("_SubscriptionId", Value::Owned(workspace.subscription_id.clone())),
        ("_ResourceId", Value::Owned(workspace.resource_id())),
    ];
    let operation_problem = |error| Problem::internal("making a row of Operation", &error);
    let mut rows = TableBuilder::new(OPERATION, workspace.id).map_err(operation_problem)?;
    push_own(&mut rows, columns).map_err(operation_problem)?;
    let rows = rows.finish().map_err(operation_problem)?;
    app.store_tables(workspace.id, vec![(OPERATION, rows)], None).await.map(|_| ())
}

/// The readings that a period begins with, of the tables whose last reading is of an earlier one. A table that has none
/// was empty when the period began.
fn changed_readings(
    meters: &[(&'static str, Metered)],
    begun: &[Reading],
    begins: Timestamp,
) -> Vec<Reading> {
    let readings = meters.iter().filter_map(|(table, metered)| {
        let metered = match begun.iter().find(|reading| reading.table == *table) {
            Some(before) if before.begins >= begins => return None,
            Some(_) => *metered,
            None => Metered::default(),
        };
        Some(Reading { table: (*table).to_owned(), begins, metered })
    });
    readings.collect()
}

/// What came in of billable tables since the readings.
fn billed(meters: &[(&'static str, Metered)], begun: &[Reading]) -> f64 {
    let is_billable = |table: &str| schema::table(table).is_some_and(|table| table.is_billable);
    let came = meters.iter().filter(|(table, _)| is_billable(table)).map(|(table, metered)| {
        let before = begun.iter().find(|reading| reading.table == *table);
        metered.since(before.map(|reading| reading.metered).unwrap_or_default()).billed_bytes
    });
    came.sum()
}

fn usage_row(workspace: &WorkspaceRecord, table: &'static str, came: Metered, begins: Timestamp) -> Columns {
    let is_billable = schema::table(table).is_some_and(|table| table.is_billable);
    let solution = if table.starts_with("Configuration") { "ChangeTracking" } else { "LogManagement" };
    vec![
        ("TimeGenerated", Value::Time(begins)),
        ("StartTime", Value::Time(begins)),
        ("EndTime", Value::Time(begins.plus_nanos(Period::Hour.nanos()))),
        ("Plan", Value::Text("Analytics")),
        ("SourceSystem", Value::Text("OMS")),
        ("ResourceUri", Value::Owned(workspace.resource_id())),
        ("DataType", Value::Text(table)),
        ("Solution", Value::Text(solution)),
        ("Quantity", Value::Real(came.billed_bytes / BYTES_PER_MBYTE)),
        ("QuantityUnit", Value::Text("MBytes")),
        ("IsBillable", Value::Bool(is_billable)),
        ("_SubscriptionId", Value::Owned(workspace.subscription_id.clone())),
        ("_ResourceId", Value::Owned(workspace.resource_id())),
    ]
}

/// Numbers what the server writes once a period, so that a crash between writing and remembering does not repeat it.
fn own_origin(source: [u8; 16], begins: Timestamp) -> Option<Origin> {
    let sequence = u64::try_from(begins.0 / Period::Hour.nanos()).ok()?;
    Some(Origin { source, epoch: [0; 16], sequence })
}

fn usage_problem(error: &fim_store::BuildError) -> Problem {
    Problem::internal("making rows of Usage", error)
}

/// When the day that a moment is in is over.
pub fn day_ends(now: Timestamp) -> Moment {
    Moment(Period::Day.begin(now).plus_nanos(Period::Day.nanos()))
}

/// The free allowance of a machine and day.
/// Source: the published data allowance of file integrity monitoring's plan, 500 MB a node and day, pooled.
pub const ALLOWANCE_BYTES: u64 = 500_000_000;
const USAGE: &str = "Usage";
const OPERATION: &str = "Operation";
const USAGE_SOURCE: [u8; 16] = *b"steadfast--usage";
/// `Usage` counts in units of 1000 × 1000 bytes.
const BYTES_PER_MBYTE: f64 = 1e6;
/// An agent asks again after this at the latest, because an owner may have raised the cap.
const LONGEST_WAIT_SECONDS: u64 = 300;
const TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn metered(rows: u64) -> Metered {
        Metered { rows, billed_bytes: rows as f64 * 100.0 }
    }

    fn reading(table: &str, begins: i64, rows: u64) -> Reading {
        Reading { table: table.to_owned(), begins: Timestamp(begins), metered: metered(rows) }
    }

    #[test]
    fn a_table_that_is_new_counts_from_nothing_and_others_from_where_their_meter_stands() {
        let meters = [("ConfigurationChange", metered(7)), ("Heartbeat", metered(3))];
        let begun = [reading("ConfigurationChange", 0, 5)];
        let changed = changed_readings(&meters, &begun, Timestamp(100));
        assert_eq!(changed, [reading("ConfigurationChange", 100, 7), reading("Heartbeat", 100, 0)]);
        assert_eq!(changed_readings(&meters, &changed, Timestamp(100)), []);
    }

    #[test]
    fn only_billable_tables_count_towards_the_cap() {
        let meters = [("ConfigurationChange", metered(7)), ("Heartbeat", metered(3))];
        assert!((billed(&meters, &[reading("ConfigurationChange", 0, 5)]) - 200.0).abs() < 1e-9);
        assert!((billed(&meters, &[]) - 700.0).abs() < 1e-9);
    }

    #[test]
    fn a_day_begins_at_midnight_of_utc() {
        let noon = Timestamp(1_795_305_600_000_000_000 + 43_200_000_000_000);
        assert_eq!(Period::Day.begin(noon), Timestamp(1_795_305_600_000_000_000));
        assert_eq!(Period::Hour.begin(noon), noon);
    }
}
