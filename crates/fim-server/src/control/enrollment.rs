//! Enrolment tokens: what one machine joins a workspace with, once.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::machines::{MachineRecord, machine};
use super::secrets::digest_of;
use super::workspaces::{WorkspaceRecord, workspace_of_id};
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

/// What became of a machine that joined.
#[derive(Clone, Debug)]
pub struct Joined {
    /// The workspace that it is in now.
    pub workspace: WorkspaceRecord,
    /// The machines whose place it took; they are removed.
    pub replaced: Vec<MachineRecord>,
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
    /// A machine of that name is there.
    #[error(
        "there is a machine \"{0}\" in the workspace already; give this one another name with `--name`, remove that one \
         with `steadfast machine remove`, or enrol in its place with a token of `steadfast machine enroll-token --replace`"
    )]
    NameTaken(String),
    /// The token is for a machine of another name.
    #[error(
        "the enrolment token is for a machine called \"{token}\", and this one is called \"{machine}\"; enrol with \
         `--name`, or make another token with `steadfast machine enroll-token`"
    )]
    OtherName {
        /// The name that the token is for.
        token: String,
        /// The machine's.
        machine: String,
    },
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Control {
    /// Keeps a new token's digest. With `replaces` only a machine of that name can join, and takes the place of the one
    /// that has it.
    pub async fn add_enrollment_token(
        &self,
        digest: [u8; 32],
        workspace: Uuid,
        replaces: Option<&str>,
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
            "INSERT INTO enrollment_tokens (digest, workspace_id, replaces, created_by, created_at, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&digest[..])
        .bind(workspace.to_string())
        .bind(replaces)
        .bind(by.actor)
        .bind(by.at.0)
        .bind(expires_at.0)
        .execute(&mut *transaction)
        .await
        .map_err(&adding)?;
        let object = workspace.to_string();
        let detail = json!({ "expires": expires_at.0, "replaces": replaces });
        audit(&mut transaction, by, "enrollment-token.create", &object, &detail).await?;
        transaction.commit().await.map_err(adding)
    }

    /// Whether the token is one that lets a machine in. It waits for nobody: who knows none costs a reading.
    pub async fn check_enrollment_token(&self, token: &str, now: Timestamp) -> Result<(), ConsumeTokenError> {
        let mut connection = self.pool.acquire().await.map_err(failed("reading an enrolment token"))?;
        enrollment_token(&mut connection, token, now).await.map(|_| ())
    }

    /// Uses the token up and enrols the machine, both or neither. A name is one machine's in its workspace: rows are
    /// told apart by it, so nobody takes another's without a token that was made for that.
    pub async fn enroll(
        &self,
        token: &str,
        machine: &NewMachine,
        now: Timestamp,
    ) -> Result<Joined, ConsumeTokenError> {
        let enrolling = failed("enrolling a machine");
        let mut transaction = self.write("enrolling a machine").await?;
        let EnrollmentToken { digest, workspace, replaces } =
            enrollment_token(&mut transaction, token, now).await?;
        let replaced = give_way(&mut transaction, workspace, &machine.name, replaces, now).await?;
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
        let gone: Vec<Uuid> = replaced.iter().map(|machine| machine.id).collect();
        let detail =
            json!({ "workspace": workspace, "name": machine.name, "os": machine.os_name, "replaced": gone });
        audit(&mut transaction, by, "machine.enroll", &machine.id.to_string(), &detail).await?;
        let workspace = workspace_of_id(&mut transaction, workspace).await?;
        transaction.commit().await.map_err(enrolling)?;
        Ok(Joined { workspace, replaced })
    }
}

/// A token that is there, is not used, and has not expired.
struct EnrollmentToken {
    digest: [u8; 32],
    workspace: Uuid,
    /// The name of the machine whose place is taken with it.
    replaces: Option<String>,
}

async fn enrollment_token(
    connection: &mut SqliteConnection,
    token: &str,
    now: Timestamp,
) -> Result<EnrollmentToken, ConsumeTokenError> {
    let reading = failed("reading an enrolment token");
    let digest = digest_of(token);
    let row = sqlx::query(
        "SELECT workspace_id, replaces, expires_at, used_at FROM enrollment_tokens WHERE digest = ?",
    )
    .bind(&digest[..])
    .fetch_optional(connection)
    .await
    .map_err(&reading)?;
    let Some(row) = row else { return Err(ConsumeTokenError::Unknown) };
    let used_at: Option<i64> = row.try_get("used_at").map_err(&reading)?;
    let expires_at: i64 = row.try_get("expires_at").map_err(&reading)?;
    if used_at.is_some() {
        return Err(ConsumeTokenError::Used);
    }
    if expires_at <= now.0 {
        return Err(ConsumeTokenError::Expired);
    }
    let workspace = uuid(&row, "workspace_id").map_err(&reading)?;
    let replaces = row.try_get("replaces").map_err(&reading)?;
    Ok(EnrollmentToken { digest, workspace, replaces })
}

/// Removes the machines of that name if the token is for it, and refuses the name otherwise.
async fn give_way(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    name: &str,
    replaces: Option<String>,
    now: Timestamp,
) -> Result<Vec<MachineRecord>, ConsumeTokenError> {
    let enrolling = failed("enrolling a machine");
    // Names that differ in case only are one to whoever reads them.
    let rows = sqlx::query(
        "SELECT * FROM machines_in_place WHERE workspace_id = ? AND removed_at IS NULL AND name = ? COLLATE NOCASE",
    )
    .bind(workspace.to_string())
    .bind(name)
    .fetch_all(&mut *connection)
    .await
    .map_err(&enrolling)?;
    let known: Vec<MachineRecord> = rows.iter().map(machine).collect::<Result<_, _>>().map_err(&enrolling)?;
    match replaces {
        None if known.is_empty() => {}
        None => return Err(ConsumeTokenError::NameTaken(name.to_owned())),
        Some(token) if !token.eq_ignore_ascii_case(name) => {
            return Err(ConsumeTokenError::OtherName { token, machine: name.to_owned() });
        }
        Some(_) => {
            for machine in &known {
                sqlx::query("UPDATE machines SET removed_at = ? WHERE id = ?")
                    .bind(now.0)
                    .bind(machine.id.to_string())
                    .execute(&mut *connection)
                    .await
                    .map_err(&enrolling)?;
            }
        }
    }
    Ok(known)
}

/// 30 days.
const REMEMBERED_NANOS: i64 = 30 * 24 * 3600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_joins_under_the_name_of_a_machine_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::open(&dir.path().join("control.sqlite")).await.unwrap();
        let now = Timestamp(1);
        let by = By { actor: "a test", at: now };
        let workspace = control.add_workspace("default", "local", "Local", by).await.unwrap().id;
        for (token, replaces) in [("one", None), ("two", None), ("three", Some("web01"))] {
            let digest = digest_of(token);
            control.add_enrollment_token(digest, workspace, replaces, Timestamp(100), by).await.unwrap();
        }
        let first = control.enroll("one", &machine_called("web01"), now).await.unwrap();
        assert!(first.replaced.is_empty());
        let refused = control.enroll("two", &machine_called("WEB01"), now).await.unwrap_err();
        assert!(matches!(refused, ConsumeTokenError::NameTaken(_)), "{refused}");
        // The refusal has not used the token up.
        control.enroll("two", &machine_called("web02"), now).await.unwrap();
        let refused = control.enroll("three", &machine_called("web02"), now).await.unwrap_err();
        assert!(matches!(refused, ConsumeTokenError::OtherName { .. }), "{refused}");
        let second = control.enroll("three", &machine_called("web01"), now).await.unwrap();
        assert_eq!(second.replaced.len(), 1);
        let names: Vec<String> =
            control.machines(workspace).await.unwrap().into_iter().map(|machine| machine.name).collect();
        assert_eq!(names, ["web01", "web02"]);
    }

    fn machine_called(name: &str) -> NewMachine {
        NewMachine {
            id: Uuid::new_v4(),
            name: name.to_owned(),
            os_type: "Linux".to_owned(),
            os_name: "Debian 12".to_owned(),
            agent_version: "0.1.0".to_owned(),
        }
    }
}
