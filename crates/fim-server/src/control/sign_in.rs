//! Users, their passwords, sessions and one-time sign-in codes.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::{By, Control, ControlError, audit, failed, uuid};
use crate::authz::{Grant, Role, Scope};
use crate::connection::Transport;

/// A user as kept.
#[derive(Clone, Debug)]
pub struct UserRecord {
    /// The id.
    pub id: Uuid,
    /// The unique name.
    pub name: String,
    /// The password's argon2id hash; none until one is set.
    pub password_hash: Option<String>,
    /// What the user holds.
    pub grants: Vec<Grant>,
}

/// A session that is good.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// Whose it is.
    pub user: UserRecord,
    /// What is kept of its key.
    pub key_digest: [u8; 32],
    /// On what it was made, and on what alone it is good.
    pub transport: Transport,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// True if it came by a link that signs in once, and has set no password since.
    pub by_link: bool,
}

/// A session to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// What is kept of its id.
    pub digest: [u8; 32],
    /// What is kept of its key.
    pub key_digest: [u8; 32],
    /// Whose it is.
    pub user: Uuid,
    /// On what it is made.
    pub transport: Transport,
    /// How the user signed in.
    pub how: SignedInBy,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
}

/// How somebody signed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignedInBy {
    /// By name and password.
    Password,
    /// By a link that signs in once.
    Link,
}

impl SignedInBy {
    /// As logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "one-time code",
        }
    }
}

impl Control {
    /// Makes a user who owns everything and has no password, unless there is one of that name.
    pub async fn ensure_owner(&self, name: &str, by: By<'_>) -> Result<Uuid, ControlError> {
        let making = failed("making a user");
        let mut transaction = self.write("making a user").await?;
        let known = sqlx::query("SELECT id FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(&making)?;
        if let Some(row) = known {
            return uuid(&row, "id").map_err(making);
        }
        let id = Uuid::new_v4();
        sqlx::query("INSERT INTO users (id, name, created_at) VALUES (?, ?, ?)")
            .bind(id.to_string())
            .bind(name)
            .bind(by.at.0)
            .execute(&mut *transaction)
            .await
            .map_err(&making)?;
        sqlx::query("INSERT INTO grants (user_id, role, workspace_id) VALUES (?, ?, NULL)")
            .bind(id.to_string())
            .bind(Role::Owner.name())
            .execute(&mut *transaction)
            .await
            .map_err(&making)?;
        audit(&mut transaction, by, "user.create", name, &json!({ "role": Role::Owner.name() })).await?;
        transaction.commit().await.map_err(making)?;
        Ok(id)
    }

    /// The user of that name.
    pub async fn user(&self, name: &str) -> Result<Option<UserRecord>, ControlError> {
        let reading = failed("reading a user");
        let mut connection = self.pool.acquire().await.map_err(&reading)?;
        let row = sqlx::query("SELECT id AS user_id, name, password_hash FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *connection)
            .await
            .map_err(&reading)?;
        match row {
            Some(row) => user(&mut connection, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Sets a user's password and ends every session but the one that is given; sign-in codes that wait are good no more.
    pub async fn set_password(
        &self,
        id: Uuid,
        hash: &str,
        keep_session: [u8; 32],
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let setting = failed("setting a password");
        let mut transaction = self.write("setting a password").await?;
        sqlx::query("UPDATE users SET password_hash = ? WHERE id = ?")
            .bind(hash)
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&setting)?;
        sqlx::query("DELETE FROM sessions WHERE user_id = ? AND digest <> ?")
            .bind(id.to_string())
            .bind(&keep_session[..])
            .execute(&mut *transaction)
            .await
            .map_err(&setting)?;
        sqlx::query("UPDATE sessions SET by_link = 0 WHERE digest = ?")
            .bind(&keep_session[..])
            .execute(&mut *transaction)
            .await
            .map_err(&setting)?;
        sqlx::query("DELETE FROM sign_in_codes WHERE user_id = ?")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(&setting)?;
        audit(&mut transaction, by, "user.set-password", by.actor, &json!({})).await?;
        transaction.commit().await.map_err(setting)?;
        self.tell_revocation();
        Ok(())
    }

    /// Keeps a new session's digests, and forgets those that have ended.
    pub async fn add_session(&self, session: NewSession, by: By<'_>) -> Result<(), ControlError> {
        let adding = failed("keeping a session");
        let mut transaction = self.write("keeping a session").await?;
        sqlx::query("DELETE FROM sessions WHERE expires_at <= ?")
            .bind(by.at.0)
            .execute(&mut *transaction)
            .await
            .map_err(&adding)?;
        sqlx::query(
            "INSERT INTO sessions (digest, key_digest, user_id, is_plain, by_link, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&session.digest[..])
        .bind(&session.key_digest[..])
        .bind(session.user.to_string())
        .bind(session.transport == Transport::Loopback)
        .bind(session.how == SignedInBy::Link)
        .bind(by.at.0)
        .bind(session.expires_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(&adding)?;
        audit(&mut transaction, by, "session.create", by.actor, &json!({ "how": session.how.name() }))
            .await?;
        transaction.commit().await.map_err(adding)
    }

    /// The session of that digest, if it has not ended.
    pub async fn session(
        &self,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionRecord>, ControlError> {
        let reading = failed("reading a session");
        let mut connection = self.pool.acquire().await.map_err(&reading)?;
        let row = sqlx::query(
            "SELECT s.user_id, s.key_digest, s.is_plain, s.created_at, s.expires_at, s.by_link, u.name, \
             u.password_hash FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.digest = ? AND s.expires_at > ?",
        )
        .bind(&digest[..])
        .bind(now.0)
        .fetch_optional(&mut *connection)
        .await
        .map_err(&reading)?;
        let Some(row) = row else { return Ok(None) };
        let user = user(&mut connection, &row).await?;
        let read = || {
            let key_digest: Vec<u8> = row.try_get("key_digest")?;
            let transport = if row.try_get("is_plain")? { Transport::Loopback } else { Transport::Tls };
            Ok::<_, sqlx::Error>(SessionRecord {
                user,
                key_digest: key_digest.try_into().map_err(|_| sqlx::Error::ColumnDecode {
                    index: "key_digest".to_owned(),
                    source: "it has not 32 bytes".into(),
                })?,
                transport,
                created_at: Timestamp(row.try_get("created_at")?),
                expires_at: Timestamp(row.try_get("expires_at")?),
                by_link: row.try_get("by_link")?,
            })
        };
        read().map(Some).map_err(reading)
    }

    /// Puts off a session's end.
    pub async fn extend_session(&self, digest: [u8; 32], expires_at: Timestamp) -> Result<(), ControlError> {
        sqlx::query("UPDATE sessions SET expires_at = ? WHERE digest = ?")
            .bind(expires_at.0)
            .bind(&digest[..])
            .execute(&self.pool)
            .await
            .map_err(failed("extending a session"))?;
        Ok(())
    }

    /// Ends a session.
    pub async fn end_session(&self, digest: [u8; 32]) -> Result<(), ControlError> {
        sqlx::query("DELETE FROM sessions WHERE digest = ?")
            .bind(&digest[..])
            .execute(&self.pool)
            .await
            .map_err(failed("ending a session"))?;
        self.tell_revocation();
        Ok(())
    }

    /// Ends the sessions of the plain page. While no server had its port, another user of the machine may have had it,
    /// and then has what the browser keeps for it.
    pub async fn end_plain_sessions(&self) -> Result<(), ControlError> {
        sqlx::query("DELETE FROM sessions WHERE is_plain")
            .execute(&self.pool)
            .await
            .map_err(failed("ending the sessions of the plain page"))?;
        self.tell_revocation();
        Ok(())
    }

    /// Keeps a new one-time code's digest.
    pub async fn add_sign_in_code(
        &self,
        digest: [u8; 32],
        id: Uuid,
        expires_at: Timestamp,
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let adding = failed("keeping a sign-in code");
        let mut transaction = self.write("keeping a sign-in code").await?;
        sqlx::query("DELETE FROM sign_in_codes WHERE expires_at <= ?")
            .bind(by.at.0)
            .execute(&mut *transaction)
            .await
            .map_err(&adding)?;
        sqlx::query("INSERT INTO sign_in_codes (digest, user_id, expires_at) VALUES (?, ?, ?)")
            .bind(&digest[..])
            .bind(id.to_string())
            .bind(expires_at.0)
            .execute(&mut *transaction)
            .await
            .map_err(&adding)?;
        audit(&mut transaction, by, "sign-in-link.create", &id.to_string(), &json!({})).await?;
        transaction.commit().await.map_err(adding)
    }

    /// Uses a one-time code up; `None` if it is unknown, used or too old.
    pub async fn take_sign_in_code(
        &self,
        digest: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<UserRecord>, ControlError> {
        let taking = failed("using a sign-in code");
        let mut transaction = self.write("using a sign-in code").await?;
        // The row is gone before anyone can act on it, so two callers cannot both have it.
        let row =
            sqlx::query("DELETE FROM sign_in_codes WHERE digest = ? AND expires_at > ? RETURNING user_id")
                .bind(&digest[..])
                .bind(now.0)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(&taking)?;
        let Some(row) = row else { return Ok(None) };
        let id = uuid(&row, "user_id").map_err(&taking)?;
        let row = sqlx::query("SELECT id AS user_id, name, password_hash FROM users WHERE id = ?")
            .bind(id.to_string())
            .fetch_one(&mut *transaction)
            .await
            .map_err(&taking)?;
        let record = user(&mut transaction, &row).await?;
        transaction.commit().await.map_err(taking)?;
        Ok(Some(record))
    }
}

async fn user(connection: &mut SqliteConnection, row: &SqliteRow) -> Result<UserRecord, ControlError> {
    let reading = failed("reading a user");
    let id = uuid(row, "user_id").map_err(&reading)?;
    let rows = sqlx::query("SELECT role, workspace_id FROM grants WHERE user_id = ?")
        .bind(id.to_string())
        .fetch_all(connection)
        .await
        .map_err(&reading)?;
    let read = || {
        Ok::<_, sqlx::Error>(UserRecord {
            id,
            name: row.try_get("name")?,
            password_hash: row.try_get("password_hash")?,
            grants: rows.iter().map(grant).collect::<Result<_, _>>()?,
        })
    };
    read().map_err(reading)
}

/// A grant that the columns `role` and `workspace_id` hold.
pub(super) fn grant(row: &SqliteRow) -> Result<Grant, sqlx::Error> {
    let role: String = row.try_get("role")?;
    let role: Role = role.parse().map_err(|error: crate::authz::UnknownRole| sqlx::Error::ColumnDecode {
        index: "role".to_owned(),
        source: error.into(),
    })?;
    let workspace: Option<String> = row.try_get("workspace_id")?;
    let scope = match workspace {
        Some(_) => Scope::Workspace(uuid(row, "workspace_id")?),
        None => Scope::Tenant,
    };
    Ok(Grant { role, scope })
}
