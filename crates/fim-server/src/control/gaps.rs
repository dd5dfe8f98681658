//! Which stretches are not watched right now.

use std::collections::BTreeMap;

use fim_core::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{Control, ControlError, failed, uuid};

/// A stretch that has no end yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenGap {
    /// The machine.
    pub machine: Uuid,
    /// The path, or `*`.
    pub scope: String,
    /// Why, by the name that the table has.
    pub cause: String,
    /// Since when, as the table tells it.
    pub start: Timestamp,
    /// Since when, as the agent claims it and calls it by.
    pub claimed_start: Timestamp,
    /// The particulars.
    pub detail: String,
}

impl Control {
    /// Keeps which stretches have begun and which have ended, and when a machine was heard, all of it or nothing. Twice is
    /// once.
    pub async fn keep_gaps(
        &self,
        opened: &[OpenGap],
        closed: &[OpenGap],
        heard: Option<(Uuid, Timestamp)>,
    ) -> Result<(), ControlError> {
        let keeping = failed("keeping which gaps are open");
        let mut transaction = self.write("keeping which gaps are open").await?;
        for gap in closed {
            sqlx::query(
                "DELETE FROM open_gaps WHERE machine_id = ? AND scope = ? AND cause = ? AND start = ?",
            )
            .bind(gap.machine.to_string())
            .bind(&gap.scope)
            .bind(&gap.cause)
            .bind(gap.start.0)
            .execute(&mut *transaction)
            .await
            .map_err(&keeping)?;
        }
        for gap in opened {
            sqlx::query(
                "INSERT INTO open_gaps (machine_id, scope, cause, start, claimed_start, detail) \
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET detail = excluded.detail",
            )
            .bind(gap.machine.to_string())
            .bind(&gap.scope)
            .bind(&gap.cause)
            .bind(gap.start.0)
            .bind(gap.claimed_start.0)
            .bind(&gap.detail)
            .execute(&mut *transaction)
            .await
            .map_err(&keeping)?;
        }
        if let Some((machine, at)) = heard {
            sqlx::query("UPDATE machines SET last_seen = ? WHERE id = ?")
                .bind(at.0)
                .bind(machine.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(&keeping)?;
        }
        transaction.commit().await.map_err(keeping)
    }

    /// The machine's open stretches, the oldest first.
    pub async fn open_gaps(&self, machine: Uuid) -> Result<Vec<OpenGap>, ControlError> {
        let reading = failed("reading the open gaps");
        let rows = sqlx::query("SELECT * FROM open_gaps WHERE machine_id = ? ORDER BY start")
            .bind(machine.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        rows.iter().map(gap).collect::<Result<_, _>>().map_err(reading)
    }

    /// Every machine's open stretches of everything, of one cause.
    pub async fn open_gaps_by_cause(&self, cause: &str) -> Result<Vec<OpenGap>, ControlError> {
        let reading = failed("reading the open gaps");
        let rows = sqlx::query("SELECT * FROM open_gaps WHERE scope = '*' AND cause = ? ORDER BY start")
            .bind(cause)
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        rows.iter().map(gap).collect::<Result<_, _>>().map_err(reading)
    }

    /// The machine's open stretch of everything, of one cause.
    pub async fn open_gap_of_everything(
        &self,
        machine: Uuid,
        cause: &str,
    ) -> Result<Vec<OpenGap>, ControlError> {
        let reading = failed("reading the open gaps");
        let rows = sqlx::query("SELECT * FROM open_gaps WHERE machine_id = ? AND scope = '*' AND cause = ?")
            .bind(machine.to_string())
            .bind(cause)
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        rows.iter().map(gap).collect::<Result<_, _>>().map_err(reading)
    }

    /// How many stretches are open for each machine of a workspace that has any.
    pub async fn open_gap_counts(&self, workspace: Uuid) -> Result<BTreeMap<Uuid, u64>, ControlError> {
        let reading = failed("counting the open gaps");
        let rows = sqlx::query(
            "SELECT g.machine_id, count(*) AS gaps FROM open_gaps g JOIN machines m ON m.id = g.machine_id \
             WHERE m.workspace_id = ? AND m.removed_at IS NULL GROUP BY g.machine_id",
        )
        .bind(workspace.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        rows.iter()
            .map(|row| Ok((uuid(row, "machine_id")?, super::count(row, "gaps")?)))
            .collect::<Result<_, _>>()
            .map_err(reading)
    }
}

fn gap(row: &SqliteRow) -> Result<OpenGap, sqlx::Error> {
    Ok(OpenGap {
        machine: uuid(row, "machine_id")?,
        scope: row.try_get("scope")?,
        cause: row.try_get("cause")?,
        start: Timestamp(row.try_get("start")?),
        claimed_start: Timestamp(row.try_get("claimed_start")?),
        detail: row.try_get("detail")?,
    })
}
