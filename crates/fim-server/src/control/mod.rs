//! What the server is told and decides: workspaces, rules, machines, users, tokens, and who changed what of them.
//!
//! SQLite through sqlx. Every statement is a literal with bound values; every change writes its line of the audit log
//! in the same transaction.

mod access_tokens;
mod contents;
mod enrollment;
mod gaps;
mod machines;
mod rules;
mod secrets;
mod settings_changes;
mod sign_in;
mod storage;
mod tokens;
mod workspaces;

pub use access_tokens::Exchanged;
pub use enrollment::{ConsumeTokenError, Joined, NewMachine};
pub use gaps::{OpenGap, Unwatched};
pub use machines::MachineRecord;
pub use rules::{AddRuleError, EditRuleError};
pub use secrets::{Secret, digest_of};
pub use sign_in::{NewSession, SessionRecord, SignedInBy, UserRecord};
pub use storage::{Period, Reading, StorageSettings};
pub use tokens::{AddTokenError, TokenRecord};
pub use workspaces::{AddWorkspaceError, Called, WorkspaceRecord};

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fim_core::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};
use tokio::sync::watch;
use uuid::Uuid;

use self::settings_changes::SettingsChanges;

/// The database of the control plane.
#[derive(Clone, Debug)]
pub struct Control {
    pool: SqlitePool,
    /// How often something that lets a caller in was taken back.
    revocations: Arc<watch::Sender<u64>>,
    settings_changes: Arc<SettingsChanges>,
}

/// Why the control database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenControlError {
    /// The file cannot be made.
    #[error("cannot create the control database {path}")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database cannot be opened, or brought to this version's schema.
    #[error("cannot open the control database {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A newer version made it.
    #[error(
        "the control database {path} has schema {found}, and this version knows schemas up to {known}; \
         start the version that made it, or a newer one"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema this version knows.
        known: u32,
    },
}

/// The control database failed.
#[derive(Debug, thiserror::Error)]
#[error("the control database failed while {doing}")]
pub struct ControlError {
    /// What was being done.
    pub doing: &'static str,
    /// What the database said.
    pub source: sqlx::Error,
}

impl Control {
    /// Opens the database, making it or bringing it to this version's schema.
    pub async fn open(path: &Path) -> Result<Self, OpenControlError> {
        // SQLite would make the file readable to others where the umask lets it; its journal takes the file's mode.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| OpenControlError::Create { path: path.to_owned(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let open = |source| OpenControlError::Open { path: path.to_owned(), source };
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await.map_err(open)?;
        let control = Self { pool, revocations: Arc::default(), settings_changes: Arc::default() };
        control.migrate(path).await?;
        Ok(control)
    }

    /// Ends every connection, so that the journal is folded into the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn migrate(&self, path: &Path) -> Result<(), OpenControlError> {
        let open = |source| OpenControlError::Open { path: path.to_owned(), source };
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(open)?;
        let found: i64 =
            sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await.map_err(open)?;
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
        if found > known {
            return Err(OpenControlError::Newer { path: path.to_owned(), found, known });
        }
        for (number, script) in (1_u32..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
            sqlx::raw_sql(script.schema).execute(&mut *transaction).await.map_err(open)?;
            tracing::info!(schema = number, "brought the control database to the next schema");
            sqlx::raw_sql(script.version).execute(&mut *transaction).await.map_err(open)?;
        }
        transaction.commit().await.map_err(open)
    }

    /// A value that the server keeps about itself.
    pub async fn state(&self, key: &'static str) -> Result<Option<String>, ControlError> {
        sqlx::query_scalar("SELECT value FROM server_state WHERE key = ?")
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed("reading the server's state"))
    }

    /// Keeps a value about the server itself.
    pub async fn set_state(&self, key: &'static str, value: &str) -> Result<(), ControlError> {
        sqlx::query(
            "INSERT INTO server_state (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&self.pool)
        .await
        .map_err(failed("keeping the server's state"))?;
        Ok(())
    }

    /// True if the database answers.
    pub async fn is_alive(&self) -> bool {
        sqlx::query_scalar::<_, i64>("SELECT 1").fetch_one(&self.pool).await.is_ok()
    }

    /// Tells whenever something that lets a caller in was taken back: a token, a session, a workspace. Whoever goes on
    /// answering a call that was let through before looks again then.
    pub fn revocations(&self) -> watch::Receiver<u64> {
        self.revocations.subscribe()
    }

    /// Tells that something was taken back; to be called when the database no longer has it.
    fn tell_revocation(&self) {
        self.revocations.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// Starts a transaction that may write. It takes the write lock at once, since upgrading later can deadlock.
    async fn write(&self, doing: &'static str) -> Result<Transaction<'static, Sqlite>, ControlError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed(doing))
    }
}

/// Who does something, and when; what the audit log starts a line with.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    /// The name.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Writes a line of the audit log within the transaction of the change.
async fn audit(
    connection: &mut SqliteConnection,
    by: By<'_>,
    action: &'static str,
    object: &str,
    detail: &serde_json::Value,
) -> Result<(), ControlError> {
    sqlx::query("INSERT INTO audit (at, actor, action, object, detail) VALUES (?, ?, ?, ?, ?)")
        .bind(by.at.0)
        .bind(by.actor)
        .bind(action)
        .bind(object)
        .bind(detail.to_string())
        .execute(connection)
        .await
        .map_err(failed("writing the audit log"))?;
    Ok(())
}

fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> ControlError {
    move |source| ControlError { doing, source }
}

/// A UUID that a column holds as text.
fn uuid(row: &SqliteRow, column: &'static str) -> Result<Uuid, sqlx::Error> {
    let text: String = row.try_get(column)?;
    Uuid::parse_str(&text)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
}

/// A count that a column holds.
fn count(row: &SqliteRow, column: &'static str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
}

/// The name as it is spelled where `query` finds it: names that differ in case only are one. It selects a `name` by a name
/// and, if there is one, a workspace.
async fn spelled(
    connection: &mut SqliteConnection,
    query: &'static str,
    name: &str,
    workspace: Option<Uuid>,
) -> Result<String, ControlError> {
    let mut found = sqlx::query_scalar(query).bind(name);
    if let Some(workspace) = workspace {
        found = found.bind(workspace.to_string());
    }
    let found: Option<String> =
        found.fetch_optional(connection).await.map_err(failed("reading the name that is there"))?;
    Ok(found.unwrap_or_else(|| name.to_owned()))
}

/// True if the statement failed because something of that name is there.
fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

struct Migration {
    schema: &'static str,
    version: &'static str,
}

/// The schemas in order; each is made from the one before it.
const MIGRATIONS: [Migration; 13] = [
    Migration { schema: include_str!("migrations/0001.sql"), version: "PRAGMA user_version = 1" },
    Migration { schema: include_str!("migrations/0002.sql"), version: "PRAGMA user_version = 2" },
    Migration { schema: include_str!("migrations/0003.sql"), version: "PRAGMA user_version = 3" },
    Migration { schema: include_str!("migrations/0004.sql"), version: "PRAGMA user_version = 4" },
    Migration { schema: include_str!("migrations/0005.sql"), version: "PRAGMA user_version = 5" },
    Migration { schema: include_str!("migrations/0006.sql"), version: "PRAGMA user_version = 6" },
    Migration { schema: include_str!("migrations/0007.sql"), version: "PRAGMA user_version = 7" },
    Migration { schema: include_str!("migrations/0008.sql"), version: "PRAGMA user_version = 8" },
    Migration { schema: include_str!("migrations/0009.sql"), version: "PRAGMA user_version = 9" },
    Migration { schema: include_str!("migrations/0010.sql"), version: "PRAGMA user_version = 10" },
    Migration { schema: include_str!("migrations/0011.sql"), version: "PRAGMA user_version = 11" },
    Migration { schema: include_str!("migrations/0012.sql"), version: "PRAGMA user_version = 12" },
    Migration { schema: include_str!("migrations/0013.sql"), version: "PRAGMA user_version = 13" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::EnableFim;

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sqlite");
        let control = Control::open(&path).await.unwrap();
        sqlx::raw_sql("PRAGMA user_version = 99").execute(&control.pool).await.unwrap();
        control.close().await;
        let error = Control::open(&path).await.unwrap_err();
        assert!(matches!(error, OpenControlError::Newer { found: 99, .. }), "{error}");
    }

    #[tokio::test]
    async fn opening_twice_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sqlite");
        let control = Control::open(&path).await.unwrap();
        control.set_state("a", "1").await.unwrap();
        control.close().await;
        let control = Control::open(&path).await.unwrap();
        assert_eq!(control.state("a").await.unwrap().as_deref(), Some("1"));
    }

    #[tokio::test]
    async fn gaps_that_an_older_version_left_open_are_known_by_scope_and_type() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sqlite");
        let control = Control::open(&path).await.unwrap();
        let by = By { actor: "a test", at: Timestamp(1) };
        let workspace = control.add_workspace("default", "local", "Local", by).await.unwrap().id;
        let machine = Uuid::from_u128(7);
        let older = format!(
            "INSERT INTO machines (id, workspace_id, name, os_type, os_name, agent_version, enrolled_at)
             VALUES ('{machine}', '{workspace}', 'web01', 'Linux', 'Debian', '1', 1);
             DROP TABLE open_gaps;
             CREATE TABLE open_gaps (
                 machine_id TEXT NOT NULL REFERENCES machines (id) ON DELETE CASCADE, scope TEXT NOT NULL,
                 cause TEXT NOT NULL, start INTEGER NOT NULL, detail TEXT NOT NULL,
                 claimed_start INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (machine_id, scope, cause, start)
             ) STRICT;
             INSERT INTO open_gaps VALUES
                 ('{machine}', '*', 'AgentNotReporting', 1, 'a', 1), ('{machine}', '/etc', 'Unreadable', 2, 'b', 0),
                 ('{machine}', 'Daemons', 'Unreadable', 3, 'c', 3), ('{machine}', 'Software', 'Unreadable', 4, 'd', 4);
             DROP TABLE rule_switches;
             {BEFORE_0010}
             PRAGMA user_version = 7"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(older)).execute(&control.pool).await.unwrap();
        control.close().await;
        let control = Control::open(&path).await.unwrap();
        let open = control.open_gaps(machine).await.unwrap();
        let known: Vec<_> =
            open.iter().map(|gap| (&gap.unwatched, gap.claimed_start.0, gap.detail.as_str())).collect();
        assert_eq!(
            known,
            [
                (&Unwatched::Everything, 1, "a"),
                (&Unwatched::Files("/etc".to_owned()), 0, "b"),
                (&Unwatched::List(fim_core::ListKind::Daemons), 3, "c"),
                (&Unwatched::List(fim_core::ListKind::Software), 4, "d"),
            ]
        );
        control.keep_gaps(&[], &open, None).await.unwrap();
        assert!(control.open_gaps(machine).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn rules_of_an_older_version_were_in_force_from_their_first_change_until_now_or_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sqlite");
        let control = Control::open(&path).await.unwrap();
        let items = crate::api::recommended();
        let all: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
        let by = |at| By { actor: "a test", at: Timestamp(at) };
        let mut workspaces = Vec::new();
        for name in ["ruled", "emptied", "new"] {
            workspaces.push(control.add_workspace(name, "local", "Local", by(1)).await.unwrap().id);
        }
        control.enable_fim(workspaces[0], &items, &EnableFim::but(&[]), by(10)).await.unwrap();
        control.add_rule(workspaces[1], &items[0], by(20)).await.unwrap();
        control.enable_fim(workspaces[1], &items, &EnableFim::but(&all), by(30)).await.unwrap();
        let older = format!("DROP TABLE rule_switches; {BEFORE_0010} PRAGMA user_version = 8");
        sqlx::raw_sql(sqlx::AssertSqlSafe(older)).execute(&control.pool).await.unwrap();
        control.close().await;
        let control = Control::open(&path).await.unwrap();
        let mut known = Vec::new();
        for workspace in workspaces {
            let switches = control.rule_switches(workspace).await.unwrap();
            known.push(switches.into_iter().map(|(at, is_on)| (at.0, is_on)).collect::<Vec<_>>());
        }
        assert_eq!(known, [vec![(10, true)], vec![(20, true), (30, false)], vec![]]);
    }

    #[tokio::test]
    async fn that_no_rule_is_in_force_is_noted_when_it_comes_to_be_so_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::open(&dir.path().join("control.sqlite")).await.unwrap();
        let by = |at| By { actor: "a test", at: Timestamp(at) };
        let [id, other] =
            ["default", "other"].map(|name| control.add_workspace(name, "local", "Local", by(1)));
        let (id, other) = (id.await.unwrap().id, other.await.unwrap().id);
        let [first, second] = [0, 1].map(|index| crate::api::recommended().remove(index));
        let off = |rule: &crate::api::model::Rule| crate::api::model::Rule { enabled: false, ..rule.clone() };
        let edit = async |name: &str, rule: &crate::api::model::Rule, by: By<'_>| {
            control.edit_rule(id, name, |_| Ok::<_, ()>(rule.clone()), by).await.unwrap();
        };
        control.add_rule(id, &off(&first), by(2)).await.unwrap();
        edit(&first.name, &first, by(3)).await;
        control.add_rule(id, &second, by(4)).await.unwrap();
        edit(&first.name, &off(&first), by(5)).await;
        control.add_rule(other, &first, by(6)).await.unwrap();
        control.delete_rule(id, &second.name, by(7)).await.unwrap();
        control.delete_rule(id, &first.name, by(8)).await.unwrap();
        control.enable_fim(id, std::slice::from_ref(&first), &EnableFim::default(), by(9)).await.unwrap();
        let of_all: Vec<String> = vec![first.name.clone()];
        control.enable_fim(id, std::slice::from_ref(&first), &EnableFim::but(&of_all), by(10)).await.unwrap();
        let switches = control.rule_switches(id).await.unwrap();
        let known: Vec<_> = switches.into_iter().map(|(at, is_on)| (at.0, is_on)).collect();
        assert_eq!(known, [(3, true), (7, false), (9, true), (10, false)]);
    }

    const BY: By<'_> = By { actor: "a test", at: Timestamp(1) };

    /// A database with one workspace, in a folder that goes with the first value.
    async fn with_a_workspace() -> (tempfile::TempDir, Control, Uuid) {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::open(&dir.path().join("control.sqlite")).await.unwrap();
        let id = control.add_workspace("default", "local", "Local", BY).await.unwrap().id;
        (dir, control, id)
    }

    #[tokio::test]
    async fn monitoring_is_turned_on_with_its_rules_or_not_at_all() {
        let (_dir, control, id) = with_a_workspace().await;
        let fails = "CREATE TRIGGER fails BEFORE UPDATE OF fim_enabled ON workspaces BEGIN SELECT RAISE(ABORT, 'no'); END";
        sqlx::raw_sql(fails).execute(&control.pool).await.unwrap();
        let items = crate::api::recommended();
        control.enable_fim(id, &items, &EnableFim::default(), BY).await.unwrap_err();
        assert!(control.rules(id).await.unwrap().is_empty());
        sqlx::raw_sql("DROP TRIGGER fails").execute(&control.pool).await.unwrap();
        control.enable_fim(id, &items, &EnableFim::default(), BY).await.unwrap();
        assert_eq!(control.rules(id).await.unwrap().len(), items.len());
    }

    /// Takes back what the migrations from 10 on have made.
    const BEFORE_0010: &str = "ALTER TABLE machines DROP COLUMN heartbeat_seconds; \
         ALTER TABLE sessions DROP COLUMN by_link; DROP INDEX audit_of_an_object; \
         ALTER TABLE rules DROP COLUMN upload_content;";

    #[tokio::test]
    async fn when_monitoring_was_switched_is_found_without_reading_the_whole_audit_log() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control::open(&dir.path().join("control.sqlite")).await.unwrap();
        let plan = "EXPLAIN QUERY PLAN \
             SELECT at, action FROM audit WHERE object = 'w' AND action IN ('a', 'b') ORDER BY number";
        let steps = sqlx::raw_sql(plan).fetch_all(&control.pool).await.unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        assert!(steps[0].contains("audit_of_an_object"), "{steps:?}");
    }

    #[tokio::test]
    async fn the_audit_log_says_what_a_rule_that_is_gone_was() {
        let (_dir, control, id) = with_a_workspace().await;
        let rule = crate::api::recommended().remove(0);
        control.add_rule(id, &rule, BY).await.unwrap();
        assert!(control.delete_rule(id, &rule.name, BY).await.unwrap());
        let detail: String = sqlx::query_scalar("SELECT detail FROM audit WHERE action = 'rule.delete'")
            .fetch_one(&control.pool)
            .await
            .unwrap();
        let detail: serde_json::Value = serde_json::from_str(&detail).unwrap();
        assert_eq!(detail["before"], serde_json::to_value(&rule).unwrap());
    }

    #[tokio::test]
    async fn of_two_changes_of_a_rule_at_the_same_time_none_is_lost() {
        let (_dir, control, id) = with_a_workspace().await;
        let rule = crate::api::recommended().remove(0);
        control.add_rule(id, &rule, BY).await.unwrap();
        let noted = |text: String| {
            let (control, name) = (control.clone(), rule.name.clone());
            async move {
                let change = |mut rule: crate::api::model::Rule| {
                    rule.exclude.push(text);
                    Ok::<_, ()>(rule)
                };
                control.edit_rule(id, &name, change, BY).await.unwrap();
            }
        };
        let edits: Vec<_> = (0..20).map(|number| tokio::spawn(noted(format!("/x/{number}")))).collect();
        for edit in edits {
            edit.await.unwrap();
        }
        let edited = control.rule(id, &rule.name).await.unwrap().unwrap();
        assert_eq!(edited.exclude.len(), rule.exclude.len() + 20);
    }

    #[test]
    fn every_migration_sets_its_own_number() {
        for (number, migration) in (1..).zip(&MIGRATIONS) {
            assert_eq!(migration.version, format!("PRAGMA user_version = {number}"));
        }
    }
}
