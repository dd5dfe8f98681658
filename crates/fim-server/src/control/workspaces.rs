//! Workspaces and whether monitoring is on in them.

use std::collections::HashMap;

use fim_core::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::rules::apply_recommended;
use super::settings_changes::Changed;
use super::{By, Control, ControlError, audit, count, failed, is_duplicate, spelled, uuid};
use crate::api::model::{Collection, EnableFim, Rule};

/// A workspace as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WorkspaceRecord {
    /// The id.
    pub id: Uuid,
    /// The unique name.
    pub name: String,
    /// Where it is.
    pub location: String,
    /// The subscription's name.
    pub subscription: String,
    /// The subscription's id.
    pub subscription_id: String,
    /// True if monitoring is on.
    pub fim_enabled: bool,
    /// When it was last turned on or off.
    pub fim_switched_at: Timestamp,
    /// Seconds between two scans.
    pub scan_interval_seconds: u64,
    /// How often lists and the inventory are collected.
    pub collection: Collection,
    /// Grows with every change that agents must hear of.
    pub settings_revision: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Why a workspace was not made.
#[derive(Debug, thiserror::Error)]
pub enum AddWorkspaceError {
    /// There is one of that name.
    #[error("there is a workspace \"{0}\" already; choose another name")]
    NameTaken(String),
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Workspaces by what callers may call them: name, id or resource id, in any case of the letters.
pub struct Called(HashMap<String, WorkspaceRecord>);

impl Called {
    /// Those of `workspaces`.
    pub fn of(workspaces: Vec<WorkspaceRecord>) -> Self {
        let names = |workspace: WorkspaceRecord| {
            let names = [workspace.name.clone(), workspace.resource_id(), workspace.id.to_string()];
            names.map(|name| (name.to_ascii_lowercase(), workspace.clone()))
        };
        Self(workspaces.into_iter().flat_map(names).collect())
    }

    /// The workspace that is called so.
    pub fn find(&self, name: &str) -> Option<&WorkspaceRecord> {
        // An id may be spelled with braces or without hyphens.
        let name = Uuid::try_parse(name).map_or_else(|_| name.to_ascii_lowercase(), |id| id.to_string());
        self.0.get(&name)
    }
}

impl WorkspaceRecord {
    /// What the immutable id of every data collection rule begins with.
    pub const DCR_PREFIX: &str = "dcr-";

    /// The immutable id of the data collection rule that the workspace has for records that are sent directly: the
    /// prefix and 32 digits, as published ones are.
    pub fn dcr_immutable_id(&self) -> String {
        format!("{}{}", Self::DCR_PREFIX, self.id.simple())
    }

    /// The workspace as a resource, spelled as published resource ids are.
    pub fn resource_id(&self) -> String {
        let name = self.name.to_lowercase();
        format!(
            "/subscriptions/{}/resourcegroups/{name}/providers/microsoft.operationalinsights/workspaces/{name}",
            self.subscription_id
        )
    }
}

impl Control {
    /// Every workspace by name.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceRecord>, ControlError> {
        let reading = failed("reading the workspaces");
        let rows = sqlx::query(
            "SELECT w.*, s.name AS subscription FROM workspaces w JOIN subscriptions s ON s.id = w.subscription_id \
             ORDER BY w.name",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        rows.iter().map(workspace).collect::<Result<_, _>>().map_err(reading)
    }

    /// The workspace of that id or name.
    pub async fn workspace(&self, id_or_name: &str) -> Result<Option<WorkspaceRecord>, ControlError> {
        let reading = failed("reading a workspace");
        // An id is found in whatever spelling; a name that looks like an id cannot be given.
        let id = Uuid::parse_str(id_or_name).map(|id| id.to_string()).unwrap_or_default();
        let row = sqlx::query(
            "SELECT w.*, s.name AS subscription FROM workspaces w JOIN subscriptions s ON s.id = w.subscription_id \
             WHERE w.id = ? OR w.name = ?",
        )
        .bind(id)
        .bind(id_or_name)
        .fetch_optional(&self.pool)
        .await
        .map_err(&reading)?;
        row.as_ref().map(workspace).transpose().map_err(reading)
    }

    /// Makes a workspace in which monitoring is off.
    pub async fn add_workspace(
        &self,
        name: &str,
        location: &str,
        subscription: &str,
        by: By<'_>,
    ) -> Result<WorkspaceRecord, AddWorkspaceError> {
        let making = failed("making a workspace");
        let mut transaction = self.write("making a workspace").await?;
        sqlx::query("INSERT INTO subscriptions (id, name) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")
            .bind(Uuid::new_v4().to_string())
            .bind(subscription)
            .execute(&mut *transaction)
            .await
            .map_err(&making)?;
        let id = Uuid::new_v4();
        let inserted = sqlx::query(
            "INSERT INTO workspaces (id, name, location, subscription_id, fim_enabled, scan_interval_seconds, \
             settings_revision, created_at) VALUES (?, ?, ?, (SELECT id FROM subscriptions WHERE name = ?), 0, ?, 1, ?)",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(location)
        .bind(subscription)
        .bind(DEFAULT_SCAN_INTERVAL_SECONDS)
        .bind(by.at.0)
        .execute(&mut *transaction)
        .await;
        match inserted {
            Ok(_) => {}
            Err(error) if is_duplicate(&error) => {
                let query = "SELECT name FROM workspaces WHERE name = ?";
                return Err(AddWorkspaceError::NameTaken(
                    spelled(&mut transaction, query, name, None).await?,
                ));
            }
            Err(error) => return Err(making(error).into()),
        }
        audit(&mut transaction, by, "workspace.create", name, &json!({ "location": location })).await?;
        let record = workspace_of_id(&mut transaction, id).await?;
        transaction.commit().await.map_err(&making)?;
        Ok(record)
    }

    /// Deletes a workspace with all that is kept of it here: rules, machines, grants, tokens and settings. Its rows are
    /// the store's, and are [owed](Self::owed_deletions) until they are gone. The audit log keeps its name.
    pub async fn delete_workspace(
        &self,
        workspace: &WorkspaceRecord,
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let deleting = failed("deleting a workspace");
        let mut transaction = self.write("deleting a workspace").await?;
        let id = workspace.id.to_string();
        let machines: i64 =
            sqlx::query_scalar("SELECT count(*) FROM machines WHERE workspace_id = ? AND removed_at IS NULL")
                .bind(&id)
                .fetch_one(&mut *transaction)
                .await
                .map_err(&deleting)?;
        sqlx::query("DELETE FROM workspaces WHERE id = ?")
            .bind(&id)
            .execute(&mut *transaction)
            .await
            .map_err(&deleting)?;
        sqlx::query("INSERT INTO deleted_workspaces (id, name, deleted_at) VALUES (?, ?, ?)")
            .bind(&id)
            .bind(&workspace.name)
            .bind(by.at.0)
            .execute(&mut *transaction)
            .await
            .map_err(&deleting)?;
        let detail = json!({ "id": workspace.id, "machines": machines });
        audit(&mut transaction, by, "workspace.delete", &workspace.name, &detail).await?;
        transaction.commit().await.map_err(deleting)?;
        self.tell_revocation();
        self.end_settings_changes(workspace.id);
        Ok(())
    }

    /// Deleted workspaces whose rows are not known to be gone.
    pub async fn owed_deletions(&self) -> Result<Vec<Uuid>, ControlError> {
        let reading = failed("reading the deleted workspaces");
        let rows = sqlx::query("SELECT id FROM deleted_workspaces ORDER BY deleted_at")
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        rows.iter().map(|row| uuid(row, "id")).collect::<Result<_, _>>().map_err(reading)
    }

    /// Notes that a deleted workspace's rows are gone.
    pub async fn deletion_done(&self, workspace: Uuid) -> Result<(), ControlError> {
        sqlx::query("DELETE FROM deleted_workspaces WHERE id = ?")
            .bind(workspace.to_string())
            .execute(&self.pool)
            .await
            .map_err(failed("noting that a workspace's records are gone"))?;
        Ok(())
    }

    /// Turns monitoring on, all of it or nothing: with the recommended items but those that are `chosen` to be disabled, if
    /// that is said, else with the rules that there are and the recommended items that are missing among them.
    pub async fn enable_fim(
        &self,
        workspace: Uuid,
        items: &[Rule],
        chosen: &EnableFim,
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let mut transaction = self.write("turning monitoring on").await?;
        apply_recommended(&mut transaction, workspace, items, chosen, by).await?;
        switch_fim(&mut transaction, workspace, true, by).await?;
        self.commit_settings(transaction, Changed::One(workspace), "turning monitoring on").await
    }

    /// Turns monitoring off.
    pub async fn disable_fim(&self, workspace: Uuid, by: By<'_>) -> Result<(), ControlError> {
        let mut transaction = self.write("turning monitoring off").await?;
        switch_fim(&mut transaction, workspace, false, by).await?;
        self.commit_settings(transaction, Changed::One(workspace), "turning monitoring off").await
    }

    /// Each time that monitoring was turned on or off, in order; the audit log keeps them all.
    pub async fn fim_switches(&self, workspace: Uuid) -> Result<Vec<(Timestamp, bool)>, ControlError> {
        let reading = failed("reading when monitoring was turned on and off");
        let rows =
            sqlx::query("SELECT at, action FROM audit WHERE object = ? AND action IN (?, ?) ORDER BY number")
                .bind(workspace.to_string())
                .bind(FIM_ENABLE)
                .bind(FIM_DISABLE)
                .fetch_all(&self.pool)
                .await
                .map_err(&reading)?;
        let switch = |row: &SqliteRow| {
            let action: String = row.try_get("action")?;
            Ok((Timestamp(row.try_get("at")?), action == FIM_ENABLE))
        };
        rows.iter().map(switch).collect::<Result<_, sqlx::Error>>().map_err(reading)
    }

    /// Sets how often files are scanned (in seconds), and lists and the inventory are collected, to what `change` makes
    /// of how often they are. Nobody sets it between the reading and the writing.
    pub async fn edit_collection(
        &self,
        workspace: Uuid,
        change: impl FnOnce(u64, Collection) -> (u64, Collection),
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let setting = failed("setting what is collected");
        let seconds =
            |interval: Option<u64>| interval.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        let mut transaction = self.write("setting what is collected").await?;
        let before = workspace_of_id(&mut transaction, workspace).await?;
        let (files_seconds, collection) = change(before.scan_interval_seconds, before.collection);
        if (files_seconds, collection) == (before.scan_interval_seconds, before.collection) {
            return Ok(());
        }
        sqlx::query(
            "UPDATE workspaces SET scan_interval_seconds = ?, daemon_interval_seconds = ?, \
             software_interval_seconds = ?, inventory_interval_seconds = ?, \
             settings_revision = settings_revision + 1 WHERE id = ?",
        )
        .bind(seconds(Some(files_seconds)))
        .bind(seconds(collection.daemons_seconds))
        .bind(seconds(collection.software_seconds))
        .bind(seconds(collection.inventory_seconds))
        .bind(workspace.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(&setting)?;
        let set = json!({ "filesSeconds": files_seconds, "collection": collection });
        audit(&mut transaction, by, "collection.set", &workspace.to_string(), &set).await?;
        self.commit_settings(transaction, Changed::One(workspace), "setting what is collected").await
    }

    /// Sets the time between two scans in every workspace where it differs.
    pub async fn set_scan_interval(&self, seconds: u64, by: By<'_>) -> Result<(), ControlError> {
        let setting = failed("setting the scan interval");
        let interval = i64::try_from(seconds).unwrap_or(i64::MAX);
        let mut transaction = self.write("setting the scan interval").await?;
        let changed = sqlx::query(
            "UPDATE workspaces SET scan_interval_seconds = ?, settings_revision = settings_revision + 1 \
             WHERE scan_interval_seconds <> ?",
        )
        .bind(interval)
        .bind(interval)
        .execute(&mut *transaction)
        .await
        .map_err(&setting)?;
        if changed.rows_affected() > 0 {
            audit(&mut transaction, by, "scan-interval.set", "*", &json!({ "seconds": seconds })).await?;
        }
        self.commit_settings(transaction, Changed::All, "setting the scan interval").await
    }
}

/// The workspace of that id, which is there.
pub(super) async fn workspace_of_id(
    connection: &mut SqliteConnection,
    id: Uuid,
) -> Result<WorkspaceRecord, ControlError> {
    let reading = failed("reading a workspace");
    let row = sqlx::query(
        "SELECT w.*, s.name AS subscription FROM workspaces w JOIN subscriptions s ON s.id = w.subscription_id \
         WHERE w.id = ?",
    )
    .bind(id.to_string())
    .fetch_one(connection)
    .await
    .map_err(&reading)?;
    workspace(&row).map_err(reading)
}

async fn switch_fim(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    enabled: bool,
    by: By<'_>,
) -> Result<(), ControlError> {
    sqlx::query(
        "UPDATE workspaces SET settings_revision = settings_revision + (fim_enabled <> ?), \
         fim_switched_at = iif(fim_enabled <> ?, ?, fim_switched_at), fim_enabled = ? WHERE id = ?",
    )
    .bind(enabled)
    .bind(enabled)
    .bind(by.at.0)
    .bind(enabled)
    .bind(workspace.to_string())
    .execute(&mut *connection)
    .await
    .map_err(failed("turning monitoring on or off"))?;
    let action = if enabled { FIM_ENABLE } else { FIM_DISABLE };
    audit(connection, by, action, &workspace.to_string(), &json!({})).await
}

fn workspace(row: &SqliteRow) -> Result<WorkspaceRecord, sqlx::Error> {
    Ok(WorkspaceRecord {
        id: uuid(row, "id")?,
        name: row.try_get("name")?,
        location: row.try_get("location")?,
        subscription: row.try_get("subscription")?,
        subscription_id: row.try_get("subscription_id")?,
        fim_enabled: row.try_get("fim_enabled")?,
        fim_switched_at: Timestamp(row.try_get("fim_switched_at")?),
        scan_interval_seconds: count(row, "scan_interval_seconds")?,
        collection: Collection {
            daemons_seconds: interval(row, "daemon_interval_seconds")?,
            software_seconds: interval(row, "software_interval_seconds")?,
            inventory_seconds: interval(row, "inventory_interval_seconds")?,
        },
        settings_revision: count(row, "settings_revision")?,
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

/// An interval that may be none.
fn interval(row: &SqliteRow, column: &'static str) -> Result<Option<u64>, sqlx::Error> {
    let seconds: Option<i64> = row.try_get(column)?;
    Ok(seconds.and_then(|seconds| u64::try_from(seconds).ok()))
}

/// The published interval for Linux files: 15 minutes.
const DEFAULT_SCAN_INTERVAL_SECONDS: i64 = 900;
/// What the audit log calls it that monitoring is turned on.
const FIM_ENABLE: &str = "fim.enable";
/// What the audit log calls it that monitoring is turned off.
const FIM_DISABLE: &str = "fim.disable";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_deleted_workspace_is_owed_until_its_rows_are_gone() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::open(&dir.path().join("control.sqlite")).await.unwrap();
        let by = By { actor: "a test", at: Timestamp(1) };
        let workspace = control.add_workspace("trial", "local", "Local", by).await.unwrap();
        let revocations = control.revocations();
        control.delete_workspace(&workspace, by).await.unwrap();
        assert!(control.workspace("trial").await.unwrap().is_none());
        assert!(revocations.has_changed().unwrap(), "whoever reads it is told");
        assert_eq!(control.owed_deletions().await.unwrap(), [workspace.id]);
        control.deletion_done(workspace.id).await.unwrap();
        assert!(control.owed_deletions().await.unwrap().is_empty());
    }
}
