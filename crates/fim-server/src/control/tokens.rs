//! API tokens: what programs sign in with.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::sign_in::grant;
use super::{By, Control, ControlError, audit, failed, is_duplicate, spelled, uuid};
use crate::authz::{Grant, Scope};

/// An API token as kept: never the token itself.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// The id, by which OAuth 2.0 knows the client.
    pub id: Uuid,
    /// The unique name.
    pub name: String,
    /// What it lets do, and where.
    pub grant: Grant,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is good no more.
    pub expires_at: Option<Timestamp>,
}

/// Why an API token was not made.
#[derive(Debug, thiserror::Error)]
pub enum AddTokenError {
    /// There is one of that name.
    #[error("there is an API token \"{0}\" already; choose another name, or delete that one first")]
    NameTaken(String),
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Control {
    /// Keeps a new token's digest.
    pub async fn add_token(
        &self,
        digest: [u8; 32],
        name: &str,
        grant: Grant,
        expires_at: Option<Timestamp>,
        by: By<'_>,
    ) -> Result<TokenRecord, AddTokenError> {
        let adding = failed("keeping an API token");
        let workspace = match grant.scope {
            Scope::Tenant => None,
            Scope::Workspace(id) => Some(id.to_string()),
        };
        let id = Uuid::new_v4();
        let mut transaction = self.write("keeping an API token").await?;
        let inserted = sqlx::query(
            "INSERT INTO api_tokens (id, name, digest, role, workspace_id, created_by, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(&digest[..])
        .bind(grant.role.name())
        .bind(&workspace)
        .bind(by.actor)
        .bind(by.at.0)
        .bind(expires_at.map(|time| time.0))
        .execute(&mut *transaction)
        .await;
        match inserted {
            Ok(_) => {}
            Err(error) if is_duplicate(&error) => {
                let query = "SELECT name FROM api_tokens WHERE name = ?";
                return Err(AddTokenError::NameTaken(spelled(&mut transaction, query, name, None).await?));
            }
            Err(error) => return Err(adding(error).into()),
        }
        let detail = json!({ "role": grant.role.name(), "scope": workspace });
        audit(&mut transaction, by, "token.create", name, &detail).await?;
        transaction.commit().await.map_err(adding)?;
        Ok(TokenRecord {
            id,
            name: name.to_owned(),
            grant,
            created_by: by.actor.to_owned(),
            created_at: by.at,
            expires_at,
        })
    }

    /// Every API token by name.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>, ControlError> {
        let reading = failed("reading the API tokens");
        let rows = sqlx::query("SELECT * FROM api_tokens ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        rows.iter().map(token).collect::<Result<_, _>>().map_err(reading)
    }

    /// The API token of that digest, or whose access token has it, if that is good. An access token's end is the one in
    /// the record.
    pub async fn token(&self, digest: [u8; 32], now: Timestamp) -> Result<Option<TokenRecord>, ControlError> {
        let reading = failed("reading an API token");
        let row = sqlx::query(
            "SELECT id, name, role, workspace_id, created_by, created_at, expires_at, digest FROM api_tokens \
             WHERE digest = ?1 AND (expires_at IS NULL OR expires_at > ?2) \
             UNION ALL \
             SELECT t.id, t.name, t.role, t.workspace_id, t.created_by, t.created_at, a.expires_at, a.digest \
             FROM access_tokens a JOIN api_tokens t ON t.id = a.token_id \
             WHERE a.digest = ?1 AND a.expires_at > ?2",
        )
        .bind(&digest[..])
        .bind(now.0)
        .fetch_optional(&self.pool)
        .await
        .map_err(&reading)?;
        let Some(row) = row else { return Ok(None) };
        // The index finds by digest, whose timing says nothing of the token; this is for whoever changes that.
        let kept: Vec<u8> = row.try_get("digest").map_err(&reading)?;
        if !bool::from(kept.ct_eq(&digest)) {
            return Ok(None);
        }
        token(&row).map(Some).map_err(reading)
    }

    /// Takes a token away; false if there was none.
    pub async fn delete_token(&self, name: &str, by: By<'_>) -> Result<bool, ControlError> {
        let deleting = failed("deleting an API token");
        let mut transaction = self.write("deleting an API token").await?;
        let deleted = sqlx::query("DELETE FROM api_tokens WHERE name = ?")
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&deleting)?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        audit(&mut transaction, by, "token.delete", name, &json!({})).await?;
        transaction.commit().await.map_err(deleting)?;
        self.tell_revocation();
        Ok(true)
    }
}

fn token(row: &SqliteRow) -> Result<TokenRecord, sqlx::Error> {
    Ok(TokenRecord {
        id: uuid(row, "id")?,
        name: row.try_get("name")?,
        grant: grant(row)?,
        created_by: row.try_get("created_by")?,
        created_at: Timestamp(row.try_get("created_at")?),
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp),
    })
}
