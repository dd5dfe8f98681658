//! Which stretches are not watched right now.

use std::collections::BTreeMap;

use fim_core::windows::Hive;
use fim_core::{GapCause, GapScope, ListKind, ListPart, Timestamp};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{Control, ControlError, failed, uuid};

/// What a stretch is about, as the columns `Scope` and `ConfigChangeType` tell it: the two together are its identity.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Unwatched {
    /// Everything on the machine.
    Everything,
    /// What is at the path, as text that can be read back, and all below it: of files, or of the registry.
    Files(String),
    /// All of a list.
    List(ListKind),
    /// A part of a list: what one package manager keeps, say.
    Part(ListPart),
}

/// A stretch that has no end yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenGap {
    /// The machine.
    pub machine: Uuid,
    /// What it is about.
    pub unwatched: Unwatched,
    /// Why, by the name that the table has.
    pub cause: String,
    /// Since when, as the table tells it.
    pub start: Timestamp,
    /// Since when, as the agent claims it and calls it by.
    pub claimed_start: Timestamp,
    /// The particulars.
    pub detail: String,
}

/// How many stretches have no end yet.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpenCount {
    /// All of them.
    pub all: u64,
    /// Of these, those where the first look at what a rule names is under way.
    pub pending_baselines: u64,
}

impl Unwatched {
    /// What the column `Scope` has; of a part of a list its name.
    pub fn scope(&self) -> &str {
        match self {
            Self::Everything | Self::List(_) => EVERYTHING,
            Self::Files(path) => path,
            Self::Part(part) => part.name(),
        }
    }

    /// What the column `ConfigChangeType` has.
    pub fn change_type(&self) -> &'static str {
        match self {
            Self::Everything => EVERYTHING,
            Self::Files(path) if Hive::in_text(path).is_some() => REGISTRY,
            Self::Files(_) => FILES,
            Self::List(kind) => kind.name(),
            Self::Part(part) => part.list().name(),
        }
    }

    /// What two columns tell; nothing if no stretch has them.
    fn of_columns(scope: String, change_type: &str) -> Option<Self> {
        match change_type {
            EVERYTHING => Some(Self::Everything),
            FILES | REGISTRY => Some(Self::Files(scope)),
            list if scope == EVERYTHING => {
                ListKind::ALL.into_iter().find(|kind| kind.name() == list).map(Self::List)
            }
            list => {
                let is_it = |part: &ListPart| part.name() == scope && part.list().name() == list;
                ListPart::ALL.into_iter().find(is_it).map(Self::Part)
            }
        }
    }
}

impl From<&GapScope> for Unwatched {
    fn from(scope: &GapScope) -> Self {
        match scope {
            GapScope::Everything => Self::Everything,
            GapScope::Within(path) => Self::Files(path.to_string()),
            GapScope::List(kind) => Self::List(*kind),
            GapScope::Part(part) => Self::Part(*part),
        }
    }
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
                "DELETE FROM open_gaps \
                 WHERE machine_id = ? AND scope = ? AND change_type = ? AND cause = ? AND start = ?",
            )
            .bind(gap.machine.to_string())
            .bind(gap.unwatched.scope())
            .bind(gap.unwatched.change_type())
            .bind(&gap.cause)
            .bind(gap.start.0)
            .execute(&mut *transaction)
            .await
            .map_err(&keeping)?;
        }
        for gap in opened {
            sqlx::query(
                "INSERT INTO open_gaps (machine_id, scope, change_type, cause, start, claimed_start, detail) \
                 VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET detail = excluded.detail",
            )
            .bind(gap.machine.to_string())
            .bind(gap.unwatched.scope())
            .bind(gap.unwatched.change_type())
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
        let rows =
            sqlx::query("SELECT * FROM open_gaps WHERE change_type = '*' AND cause = ? ORDER BY start")
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
        let rows =
            sqlx::query("SELECT * FROM open_gaps WHERE machine_id = ? AND change_type = '*' AND cause = ?")
                .bind(machine.to_string())
                .bind(cause)
                .fetch_all(&self.pool)
                .await
                .map_err(&reading)?;
        rows.iter().map(gap).collect::<Result<_, _>>().map_err(reading)
    }

    /// How many stretches are open for each machine of a workspace that has any.
    pub async fn open_gap_counts(&self, workspace: Uuid) -> Result<BTreeMap<Uuid, OpenCount>, ControlError> {
        let reading = failed("counting the open gaps");
        let rows = sqlx::query(
            "SELECT g.machine_id, count(*) AS gaps, count(*) FILTER (WHERE g.cause = ?) AS pending \
             FROM open_gaps g JOIN machines m ON m.id = g.machine_id \
             WHERE m.workspace_id = ? AND m.removed_at IS NULL GROUP BY g.machine_id",
        )
        .bind(GapCause::BaselinePending.name())
        .bind(workspace.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        rows.iter()
            .map(|row| {
                let (all, pending_baselines) = (super::count(row, "gaps")?, super::count(row, "pending")?);
                Ok((uuid(row, "machine_id")?, OpenCount { all, pending_baselines }))
            })
            .collect::<Result<_, _>>()
            .map_err(reading)
    }
}

fn gap(row: &SqliteRow) -> Result<OpenGap, sqlx::Error> {
    let change_type: String = row.try_get("change_type")?;
    let unknown = || sqlx::Error::Decode(format!("no stretch is about `{change_type}`").into());
    Ok(OpenGap {
        machine: uuid(row, "machine_id")?,
        unwatched: Unwatched::of_columns(row.try_get("scope")?, &change_type).ok_or_else(unknown)?,
        cause: row.try_get("cause")?,
        start: Timestamp(row.try_get("start")?),
        claimed_start: Timestamp(row.try_get("claimed_start")?),
        detail: row.try_get("detail")?,
    })
}

/// What the columns have for everything.
const EVERYTHING: &str = "*";
const FILES: &str = "Files";
const REGISTRY: &str = "Registry";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stretch_is_about_can_be_read_back_from_its_two_columns() {
        let lists = ListKind::ALL.map(Unwatched::List).into_iter().chain(ListPart::ALL.map(Unwatched::Part));
        // A file may be called as a list is.
        let key = Unwatched::Files(r"HKEY_LOCAL_MACHINE\SOFTWARE\x".to_owned());
        assert_eq!(key.change_type(), "Registry");
        let others = [Unwatched::Everything, Unwatched::Files("Daemons".to_owned()), key];
        for unwatched in lists.chain(others) {
            let (scope, change_type) = (unwatched.scope().to_owned(), unwatched.change_type());
            assert_eq!(Unwatched::of_columns(scope, change_type), Some(unwatched));
        }
        assert_eq!(Unwatched::of_columns("*".to_owned(), "Nonsense"), None);
        assert_eq!(Unwatched::of_columns("dpkg".to_owned(), "Daemons"), None);
    }
}
