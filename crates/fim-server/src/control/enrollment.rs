//! Enrolment tokens: what one machine joins a workspace with, once.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::Row;
use uuid::Uuid;

use super::secrets::digest_of;
use super::{By, Control, ControlError, audit, failed, uuid};

/// What a machine says of itself when it joins.
#[derive(Clone, Debug)]
pub struct NewMachine {
    /// The id that the server gave it.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `Linux` or `Windows`.
    pub os_type: String,
    /// The operating system's name and version.
    pub os_name: String,
    /// The agent's version.
    pub agent_version: String,
}

/// Why a machine was not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeTokenError {
    /// The token is not one of ours.
    #[error(
        "this server never gave out that enrolment token; make one with `steadfast machine enroll-token`"
    )]
    Unknown,
    /// The token was used.
    #[error(
        "the enrolment token has been used; each is good for one machine: make another with `steadfast machine enroll-token`"
    )]
    Used,
    /// The token is too old.
    #[error("the enrolment token has expired; make another with `steadfast machine enroll-token`")]
    Expired,
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Control {
    /// Keeps a new token's digest.
    pub async fn add_enrollment_token(
        &self,
        digest: [u8; 32],
        workspace: Uuid,
        expires_at: Timestamp,
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let adding = failed("keeping an enrolment token");
        let mut transaction = self.write("keeping an enrolment token").await?;
        // Tokens that were used or have expired are told apart from unknown ones for a month.
        sqlx::query("DELETE FROM enrollment_tokens WHERE expires_at < ?")
            .bind(by.at.0.saturating_sub(REMEMBERED_NANOS))
            .execute(&mut *transaction)
            .await
            .map_err(&adding)?;
        sqlx::query(
            "INSERT INTO enrollment_tokens (digest, workspace_id, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(&digest[..])
        .bind(workspace.to_string())
        .bind(by.actor)
        .bind(by.at.0)
        .bind(expires_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(&adding)?;
        let object = workspace.to_string();
        audit(&mut transaction, by, "enrollment-token.create", &object, &json!({ "expires": expires_at.0 }))
            .await?;
        transaction.commit().await.map_err(adding)
    }

    /// Uses the token up and enrols the machine, both or neither; returns the workspace that it joins.
    pub async fn enroll(
        &self,
        token: &str,
        machine: &NewMachine,
        now: Timestamp,
    ) -> Result<Uuid, ConsumeTokenError> {
        let enrolling = failed("enrolling a machine");
        let mut transaction = self.write("enrolling a machine").await?;
        let digest = digest_of(token);
        let row =
            sqlx::query("SELECT workspace_id, expires_at, used_at FROM enrollment_tokens WHERE digest = ?")
                .bind(&digest[..])
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&enrolling)?;
        let Some(row) = row else { return Err(ConsumeTokenError::Unknown) };
        let used_at: Option<i64> = row.try_get("used_at").map_err(&enrolling)?;
        let expires_at: i64 = row.try_get("expires_at").map_err(&enrolling)?;
        let workspace = uuid(&row, "workspace_id").map_err(&enrolling)?;
        if used_at.is_some() {
            return Err(ConsumeTokenError::Used);
        }
        if expires_at <= now.0 {
            return Err(ConsumeTokenError::Expired);
        }
        sqlx::query("UPDATE enrollment_tokens SET used_at = ? WHERE digest = ?")
            .bind(now.0)
            .bind(&digest[..])
            .execute(&mut *transaction)
            .await
            .map_err(&enrolling)?;
        sqlx::query(
            "INSERT INTO machines (id, workspace_id, name, os_type, os_name, agent_version, enrolled_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(machine.id.to_string())
        .bind(workspace.to_string())
        .bind(&machine.name)
        .bind(&machine.os_type)
        .bind(&machine.os_name)
        .bind(&machine.agent_version)
        .bind(now.0)
        .execute(&mut *transaction)
        .await
        .map_err(&enrolling)?;
        let by = By { actor: &machine.name, at: now };
        let detail = json!({ "workspace": workspace, "name": machine.name, "os": machine.os_name });
        audit(&mut transaction, by, "machine.enroll", &machine.id.to_string(), &detail).await?;
        transaction.commit().await.map_err(enrolling)?;
        Ok(workspace)
    }
}

/// 30 days.
const REMEMBERED_NANOS: i64 = 30 * 24 * 3600 * 1_000_000_000;
