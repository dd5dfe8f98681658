//! Lets go what nobody can ask for any more: texts of machines and workspaces that are gone, and those that were not seen
//! for as long as records are kept.

use std::collections::HashMap;
use std::time::Duration;

use fim_core::{Timestamp, error_chain};
use sqlx::Row;
use tokio::sync::watch::Receiver;
use uuid::Uuid;

use super::{Contents, ContentsError, failed};
use crate::app::{AppState, stopped};
use crate::control::{ControlError, Period};

impl Contents {
    /// Removes every text of a machine.
    pub async fn remove_machine(&self, machine: Uuid) -> Result<(), ContentsError> {
        let statement = sqlx::query("DELETE FROM contents WHERE machine_id = ?").bind(machine.to_string());
        statement.execute(&self.pool).await.map_err(failed("removing a machine's texts"))?;
        Ok(())
    }

    /// Removes every text of a workspace.
    pub async fn remove_workspace(&self, workspace: Uuid) -> Result<(), ContentsError> {
        let statement =
            sqlx::query("DELETE FROM contents WHERE workspace_id = ?").bind(workspace.to_string());
        statement.execute(&self.pool).await.map_err(failed("removing a workspace's texts"))?;
        Ok(())
    }

    /// Removes the texts of a workspace that were not seen since the moment.
    pub async fn remove_unseen(&self, workspace: Uuid, since: Timestamp) -> Result<(), ContentsError> {
        let statement = sqlx::query("DELETE FROM contents WHERE workspace_id = ? AND seen_at < ?")
            .bind(workspace.to_string())
            .bind(since.0);
        statement.execute(&self.pool).await.map_err(failed("removing texts that are too old"))?;
        Ok(())
    }

    /// Every machine that has texts, with its workspace.
    async fn owners(&self) -> Result<HashMap<Uuid, Uuid>, ContentsError> {
        let failed = failed("looking whose texts there are");
        let rows = sqlx::query("SELECT DISTINCT machine_id, workspace_id FROM contents")
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        let owner = |row: &sqlx::sqlite::SqliteRow| {
            let (machine, workspace): (String, String) =
                (row.try_get("machine_id")?, row.try_get("workspace_id")?);
            // Nobody else writes there, so that both are ids.
            Ok((
                Uuid::parse_str(&machine).unwrap_or_default(),
                Uuid::parse_str(&workspace).unwrap_or_default(),
            ))
        };
        rows.iter().map(owner).collect::<Result<_, sqlx::Error>>().map_err(failed)
    }
}

/// Why texts could not be let go.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Contents(#[from] ContentsError),
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Sweeps from time to time until the server is to stop. A removal that a crash came between is made good here.
pub async fn watch(app: AppState, mut stop: Receiver<bool>) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stopped(&mut stop) => return,
        }
        if let Err(error) = sweep(&app).await {
            tracing::error!(error = %error_chain(&error), "cannot let texts of files go; will try again");
        }
    }
}

async fn sweep(app: &AppState) -> Result<(), SweepError> {
    let now = app.clock.now();
    for (machine, workspace) in app.contents.owners().await? {
        let there = app.control.enrolled_machine(machine).await?;
        if there.is_none_or(|there| there.workspace != workspace) {
            app.contents.remove_machine(machine).await?;
        }
    }
    for workspace in app.control.workspaces().await? {
        let settings = app.control.storage_settings(workspace.id).await?;
        let days = settings.tables.get("ConfigurationChange").copied().or(settings.retention_days);
        if let Some(days) = days {
            let kept = Period::Day.nanos().saturating_mul(i64::from(days));
            app.contents.remove_unseen(workspace.id, Timestamp(now.0.saturating_sub(kept))).await?;
        }
    }
    Ok(())
}

const SWEEP_EVERY: Duration = Duration::from_secs(3600);
