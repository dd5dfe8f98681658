//! Machines and what their agents last said.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{By, Control, ControlError, audit, failed, uuid};
use crate::ingest::heartbeat::Heartbeat;

/// A machine as it is kept.
#[derive(Clone, Debug)]
pub struct MachineRecord {
    /// The id.
    pub id: Uuid,
    /// The workspace that it joined.
    pub workspace: Uuid,
    /// Its name.
    pub name: String,
    /// The id of its workspace's subscription.
    pub subscription_id: String,
    /// The machine as a resource, spelled as published resource ids of machines outside a cloud are.
    pub resource_id: String,
    /// `Linux` or `Windows`.
    pub os_type: String,
    /// The operating system's name and version.
    pub os_name: String,
    /// The agent's version.
    pub agent_version: String,
    /// When it joined.
    pub enrolled_at: Timestamp,
    /// When its agent was last heard.
    pub last_seen: Option<Timestamp>,
    /// What its agent last said.
    pub heartbeat: Option<Heartbeat>,
    /// The seconds between two signs of life that its agent was told last; `None` if it was told none.
    pub heartbeat_seconds: Option<u64>,
}

impl Control {
    /// The machines of a workspace by name; those that were removed are not there.
    pub async fn machines(&self, workspace: Uuid) -> Result<Vec<MachineRecord>, ControlError> {
        let reading = failed("reading the machines");
        let rows = sqlx::query(
            "SELECT * FROM machines_in_place WHERE workspace_id = ? AND removed_at IS NULL ORDER BY name, id",
        )
        .bind(workspace.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        rows.iter().map(machine).collect::<Result<_, _>>().map_err(reading)
    }

    /// Each machine that a workspace ever had: its id, when it joined, and when it was removed if it was.
    pub async fn enrolments(
        &self,
        workspace: Uuid,
    ) -> Result<Vec<(Uuid, Timestamp, Option<Timestamp>)>, ControlError> {
        let reading = failed("reading when machines were enrolled");
        let rows = sqlx::query("SELECT id, enrolled_at, removed_at FROM machines WHERE workspace_id = ?")
            .bind(workspace.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        let enrolment = |row: &SqliteRow| {
            let removed: Option<i64> = row.try_get("removed_at")?;
            Ok((uuid(row, "id")?, Timestamp(row.try_get("enrolled_at")?), removed.map(Timestamp)))
        };
        rows.iter().map(enrolment).collect::<Result<_, sqlx::Error>>().map_err(reading)
    }

    /// The machines of every workspace that were not heard after `moment`, and did not join after it.
    pub async fn machines_not_heard_since(
        &self,
        moment: Timestamp,
    ) -> Result<Vec<MachineRecord>, ControlError> {
        let reading = failed("reading the machines");
        let rows = sqlx::query(
            "SELECT * FROM machines_in_place WHERE removed_at IS NULL AND coalesce(last_seen, enrolled_at) <= ?",
        )
        .bind(moment.0)
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        rows.iter().map(machine).collect::<Result<_, _>>().map_err(reading)
    }

    /// The machine of that id, or else those of that name. More than one has a name only where an earlier version let
    /// them in.
    pub async fn machines_called(
        &self,
        workspace: Uuid,
        id_or_name: &str,
    ) -> Result<Vec<MachineRecord>, ControlError> {
        let reading = failed("reading a machine");
        let id = Uuid::parse_str(id_or_name).map(|id| id.to_string()).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT * FROM machines_in_place WHERE workspace_id = ? AND removed_at IS NULL AND (id = ? OR name = ? COLLATE NOCASE) \
             ORDER BY id = ? DESC, enrolled_at DESC",
        )
        .bind(workspace.to_string())
        .bind(&id)
        .bind(id_or_name)
        .bind(&id)
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        let mut machines: Vec<MachineRecord> =
            rows.iter().map(machine).collect::<Result<_, _>>().map_err(reading)?;
        if machines.first().is_some_and(|machine| machine.id.to_string() == id) {
            machines.truncate(1);
        }
        Ok(machines)
    }

    /// The machine that a certificate names, unless it was removed.
    pub async fn enrolled_machine(&self, id: Uuid) -> Result<Option<MachineRecord>, ControlError> {
        let reading = failed("reading a machine");
        let row = sqlx::query("SELECT * FROM machines_in_place WHERE id = ? AND removed_at IS NULL")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(&reading)?;
        row.as_ref().map(machine).transpose().map_err(reading)
    }

    /// Takes the machine out: its certificate is good no more, its records stay.
    pub async fn remove_machine(&self, id: Uuid, by: By<'_>) -> Result<(), ControlError> {
        let removing = failed("removing a machine");
        let mut transaction = self.write("removing a machine").await?;
        sqlx::query("UPDATE machines SET removed_at = ? WHERE id = ?")
            .bind(by.at.0)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&removing)?;
        audit(&mut transaction, by, "machine.remove", &id.to_string(), &json!({})).await?;
        transaction.commit().await.map_err(removing)
    }

    /// Keeps what the agent said, that it was heard, and in how many seconds it is told to say something again.
    pub async fn heard(
        &self,
        id: Uuid,
        heartbeat: &Heartbeat,
        again_seconds: u64,
        now: Timestamp,
    ) -> Result<(), ControlError> {
        let text = serde_json::to_string(heartbeat).unwrap_or_default();
        sqlx::query(
            "UPDATE machines SET last_seen = ?, heartbeat = ?, agent_version = ?, os_name = ?, heartbeat_seconds = ? \
             WHERE id = ?",
        )
        .bind(now.0)
        .bind(text)
        .bind(&heartbeat.agent_version)
        .bind(&heartbeat.os_name)
        .bind(i64::try_from(again_seconds).unwrap_or(i64::MAX))
        .bind(id.to_string())
        .execute(&self.pool)
        .await
        .map_err(failed("keeping a heartbeat"))?;
        Ok(())
    }

    /// True, once, if the machine's last row of `Heartbeat` is older than `spacing_nanos`.
    pub async fn take_heartbeat_row(
        &self,
        id: Uuid,
        now: Timestamp,
        spacing_nanos: i64,
    ) -> Result<bool, ControlError> {
        let taken = sqlx::query(
            "UPDATE machines SET last_row = ? WHERE id = ? AND (last_row IS NULL OR last_row <= ? OR last_row > ?)",
        )
        .bind(now.0)
        .bind(id.to_string())
        .bind(now.0.saturating_sub(spacing_nanos))
        .bind(now.0)
        .execute(&self.pool)
        .await
        .map_err(failed("taking the turn to write a heartbeat"))?;
        Ok(taken.rows_affected() > 0)
    }
}

/// A machine that a row of the table holds.
pub(super) fn machine(row: &SqliteRow) -> Result<MachineRecord, sqlx::Error> {
    let heartbeat: Option<String> = row.try_get("heartbeat")?;
    let (name, subscription_id): (String, String) = (row.try_get("name")?, row.try_get("subscription_id")?);
    let heartbeat_seconds: Option<i64> = row.try_get("heartbeat_seconds")?;
    let group: String = row.try_get("workspace_name")?;
    Ok(MachineRecord {
        id: uuid(row, "id")?,
        workspace: uuid(row, "workspace_id")?,
        resource_id: format!(
            "/subscriptions/{subscription_id}/resourcegroups/{}/providers/microsoft.hybridcompute/machines/{}",
            group.to_lowercase(),
            name.to_lowercase()
        ),
        name,
        subscription_id,
        os_type: row.try_get("os_type")?,
        os_name: row.try_get("os_name")?,
        agent_version: row.try_get("agent_version")?,
        enrolled_at: Timestamp(row.try_get("enrolled_at")?),
        last_seen: row.try_get::<Option<i64>, _>("last_seen")?.map(Timestamp),
        // What an older version kept and this one cannot read is as if the agent had not spoken yet.
        heartbeat: heartbeat.and_then(|text| serde_json::from_str(&text).ok()),
        heartbeat_seconds: heartbeat_seconds.and_then(|seconds| u64::try_from(seconds).ok()),
    })
}
