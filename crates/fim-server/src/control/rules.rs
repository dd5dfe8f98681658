//! The monitored entities' settings of each workspace.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::settings_changes::Changed;
use super::{By, Control, ControlError, audit, failed, is_duplicate, spelled};
use crate::api::model::{EnableFim, Links, PathType, Rule, RuleCounts, RuleType};

/// Why a rule was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddRuleError {
    /// There is one of that name.
    #[error("there is a rule \"{0}\" already; choose another name, or edit that one")]
    NameTaken(String),
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

/// Why a rule was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditRuleError<E> {
    /// There is none of that name.
    #[error("there is no rule \"{0}\"")]
    Missing(String),
    /// There is another of the new name.
    #[error("there is a rule \"{0}\" already; choose another name")]
    NameTaken(String),
    /// The rule would be one that cannot be.
    #[error("the rule cannot be changed so")]
    Refused(E),
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl Control {
    /// The rules in the order in which they are tried.
    pub async fn rules(&self, workspace: Uuid) -> Result<Vec<Rule>, ControlError> {
        let reading = failed("reading the rules");
        let rows = sqlx::query("SELECT * FROM rules WHERE workspace_id = ? ORDER BY number")
            .bind(workspace.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        rows.iter().map(rule).collect::<Result<_, _>>().map_err(reading)
    }

    /// The rule of that name.
    pub async fn rule(&self, workspace: Uuid, name: &str) -> Result<Option<Rule>, ControlError> {
        let mut connection = self.pool.acquire().await.map_err(failed("reading a rule"))?;
        rule_called(&mut connection, workspace, name).await
    }

    /// How many rules there are.
    pub async fn rule_counts(&self, workspace: Uuid) -> Result<RuleCounts, ControlError> {
        let reading = failed("counting the rules");
        let row = sqlx::query(
            "SELECT count(*) AS total, coalesce(sum(enabled), 0) AS enabled FROM rules WHERE workspace_id = ?",
        )
        .bind(workspace.to_string())
        .fetch_one(&self.pool)
        .await
        .map_err(&reading)?;
        let read = || {
            Ok(RuleCounts { enabled: super::count(&row, "enabled")?, total: super::count(&row, "total")? })
        };
        read().map_err(reading)
    }

    /// Each time that a rule came into force where none was, or the last one went, in order. None is before the first.
    pub async fn rule_switches(&self, workspace: Uuid) -> Result<Vec<(Timestamp, bool)>, ControlError> {
        let reading = failed("reading when rules were in force");
        let rows =
            sqlx::query("SELECT at, any_enabled FROM rule_switches WHERE workspace_id = ? ORDER BY number")
                .bind(workspace.to_string())
                .fetch_all(&self.pool)
                .await
                .map_err(&reading)?;
        let switch =
            |row: &SqliteRow| Ok((Timestamp(row.try_get("at")?), row.try_get::<bool, _>("any_enabled")?));
        rows.iter().map(switch).collect::<Result<_, sqlx::Error>>().map_err(reading)
    }

    /// Adds a rule after all others.
    pub async fn add_rule(&self, workspace: Uuid, rule: &Rule, by: By<'_>) -> Result<(), AddRuleError> {
        let adding = failed("adding a rule");
        let mut transaction = self.write("adding a rule").await?;
        match insert_rule(&mut transaction, workspace, rule).await {
            Ok(()) => {}
            Err(error) if is_duplicate(&error) => {
                let there = spelled(&mut transaction, RULE_NAME, &rule.name, Some(workspace)).await?;
                return Err(AddRuleError::NameTaken(there));
            }
            Err(error) => return Err(adding(error).into()),
        }
        touch(&mut transaction, workspace, by.at).await?;
        audit(
            &mut transaction,
            by,
            "rule.create",
            &rule.name,
            &json!({ "workspace": workspace, "after": rule }),
        )
        .await?;
        self.commit_settings(transaction, Changed::One(workspace), "adding a rule").await?;
        Ok(())
    }

    /// Puts what `change` makes of the rule of that name in its place. Nobody changes the rule between the reading and
    /// the writing, so that of two changes at the same time none is lost.
    pub async fn edit_rule<E>(
        &self,
        workspace: Uuid,
        name: &str,
        change: impl FnOnce(Rule) -> Result<Rule, E>,
        by: By<'_>,
    ) -> Result<Rule, EditRuleError<E>> {
        let editing = failed("editing a rule");
        let mut transaction = self.write("editing a rule").await?;
        let before = rule_called(&mut transaction, workspace, name).await?;
        let Some(before) = before else { return Err(EditRuleError::Missing(name.to_owned())) };
        let after = change(before.clone()).map_err(EditRuleError::Refused)?;
        match put_rule(&mut transaction, workspace, name, &after).await {
            Ok(()) => {}
            Err(error) if is_duplicate(&error) => {
                let there = spelled(&mut transaction, RULE_NAME, &after.name, Some(workspace)).await?;
                return Err(EditRuleError::NameTaken(there));
            }
            Err(error) => return Err(editing(error).into()),
        }
        if before != after {
            touch(&mut transaction, workspace, by.at).await?;
            let detail = json!({ "workspace": workspace, "before": before, "after": after });
            audit(&mut transaction, by, "rule.edit", name, &detail).await?;
        }
        self.commit_settings(transaction, Changed::One(workspace), "editing a rule").await?;
        Ok(after)
    }

    /// Takes the rule away; false if there was none.
    pub async fn delete_rule(&self, workspace: Uuid, name: &str, by: By<'_>) -> Result<bool, ControlError> {
        let deleting = failed("deleting a rule");
        let mut transaction = self.write("deleting a rule").await?;
        let Some(before) = rule_called(&mut transaction, workspace, name).await? else { return Ok(false) };
        sqlx::query("DELETE FROM rules WHERE workspace_id = ? AND name = ?")
            .bind(workspace.to_string())
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(&deleting)?;
        touch(&mut transaction, workspace, by.at).await?;
        let detail = json!({ "workspace": workspace, "before": before });
        audit(&mut transaction, by, "rule.delete", name, &detail).await?;
        self.commit_settings(transaction, Changed::One(workspace), "deleting a rule").await?;
        Ok(true)
    }
}

async fn rule_called(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    name: &str,
) -> Result<Option<Rule>, ControlError> {
    let reading = failed("reading a rule");
    let row = sqlx::query("SELECT * FROM rules WHERE workspace_id = ? AND name = ?")
        .bind(workspace.to_string())
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(&reading)?;
    row.as_ref().map(rule).transpose().map_err(reading)
}

/// Adds the recommended items that are missing. If it is said which are to be disabled, puts all others in force and
/// those out of it; else those that are there stay as they are, and those that are added are in force. Those that watch
/// something else are put back as they are recommended only if that is `chosen`.
pub(super) async fn apply_recommended(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    items: &[Rule],
    chosen: &EnableFim,
    by: By<'_>,
) -> Result<(), ControlError> {
    let applying = failed("applying the recommended items");
    let disabled = chosen.disabled_items.as_deref();
    let (mut added, mut restored) = (Vec::new(), Vec::new());
    for item in items {
        let is_disabled =
            |disabled: &[String]| disabled.iter().any(|name| name.eq_ignore_ascii_case(&item.name));
        let is_wanted = disabled.map(|disabled| !is_disabled(disabled));
        let Some(before) = rule_called(connection, workspace, &item.name).await? else {
            let rule = Rule { enabled: is_wanted.unwrap_or(true), ..item.clone() };
            insert_rule(connection, workspace, &rule).await.map_err(&applying)?;
            added.push(&item.name);
            continue;
        };
        let enabled = is_wanted.unwrap_or(before.enabled);
        let after = if chosen.restore_changed && !before.watches_as(item) {
            restored.push(json!({ "before": before }));
            Rule { enabled, ..item.clone() }
        } else {
            Rule { enabled, ..before }
        };
        put_rule(connection, workspace, &item.name, &after).await.map_err(&applying)?;
    }
    if disabled.is_none() && added.is_empty() && restored.is_empty() {
        return Ok(());
    }
    touch(connection, workspace, by.at).await?;
    let object = workspace.to_string();
    let detail = json!({ "disabled": disabled, "added": added, "restored": restored });
    audit(connection, by, "rules.recommend", &object, &detail).await
}

/// Tells agents that the settings differ, and notes if rules have come into force where none was, or the last has gone.
async fn touch(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    at: Timestamp,
) -> Result<(), ControlError> {
    sqlx::query("UPDATE workspaces SET settings_revision = settings_revision + 1 WHERE id = ?")
        .bind(workspace.to_string())
        .execute(&mut *connection)
        .await
        .map_err(failed("raising the settings' revision"))?;
    sqlx::query(
        "INSERT INTO rule_switches (workspace_id, at, any_enabled) \
         SELECT id, ?, any_enabled FROM \
         (SELECT w.id, EXISTS (SELECT 1 FROM rules r WHERE r.workspace_id = w.id AND r.enabled) AS any_enabled, \
          coalesce((SELECT s.any_enabled FROM rule_switches s WHERE s.workspace_id = w.id \
                    ORDER BY s.number DESC LIMIT 1), 0) AS was_enabled \
          FROM workspaces w WHERE w.id = ?) \
         WHERE any_enabled <> was_enabled",
    )
    .bind(at.0)
    .bind(workspace.to_string())
    .execute(connection)
    .await
    .map_err(failed("noting whether any rule is in force"))?;
    Ok(())
}

async fn insert_rule(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    rule: &Rule,
) -> Result<(), sqlx::Error> {
    let statement = sqlx::query(
        "INSERT INTO rules (name, rule_group, type, path, exclude, recurse, links, path_type, enabled, \
         upload_content, workspace_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    bind_rule(statement, rule).bind(workspace.to_string()).execute(connection).await?;
    Ok(())
}

/// Puts the rule in the place of the one that is called `name`.
async fn put_rule(
    connection: &mut SqliteConnection,
    workspace: Uuid,
    name: &str,
    rule: &Rule,
) -> Result<(), sqlx::Error> {
    let statement = sqlx::query(
        "UPDATE rules SET name = ?, rule_group = ?, type = ?, path = ?, exclude = ?, recurse = ?, links = ?, \
         path_type = ?, enabled = ?, upload_content = ? WHERE workspace_id = ? AND name = ?",
    );
    bind_rule(statement, rule).bind(workspace.to_string()).bind(name).execute(connection).await?;
    Ok(())
}

/// Binds what a rule is, in the order of the table's columns.
fn bind_rule<'q>(
    statement: Query<'q, Sqlite, SqliteArguments>,
    rule: &Rule,
) -> Query<'q, Sqlite, SqliteArguments> {
    statement
        .bind(&rule.name)
        .bind(&rule.group)
        .bind(rule.rule_type.word())
        .bind(&rule.path)
        .bind(json!(rule.exclude).to_string())
        .bind(rule.recurse)
        .bind(links_word(rule.links))
        .bind(path_type_word(rule.path_type))
        .bind(rule.enabled)
        .bind(rule.upload_content)
}

fn rule(row: &SqliteRow) -> Result<Rule, sqlx::Error> {
    let exclude: String = row.try_get("exclude")?;
    let bad = |column: &str, text: String| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("unknown word \"{text}\"").into(),
    };
    let (type_text, links_text, path_text): (String, String, String) =
        (row.try_get("type")?, row.try_get("links")?, row.try_get("path_type")?);
    Ok(Rule {
        name: row.try_get("name")?,
        group: row.try_get("rule_group")?,
        rule_type: RuleType::ALL
            .into_iter()
            .find(|known| known.word() == type_text)
            .ok_or_else(|| bad("type", type_text))?,
        path: row.try_get("path")?,
        exclude: serde_json::from_str(&exclude).map_err(|error| sqlx::Error::ColumnDecode {
            index: "exclude".to_owned(),
            source: error.into(),
        })?,
        recurse: row.try_get("recurse")?,
        links: match links_text.as_str() {
            "follow" => Links::Follow,
            "ignore" => Links::Ignore,
            "manage" => Links::Manage,
            _ => return Err(bad("links", links_text)),
        },
        path_type: match path_text.as_str() {
            "any" => PathType::Any,
            "file" => PathType::File,
            "folder" => PathType::Folder,
            _ => return Err(bad("path_type", path_text)),
        },
        upload_content: row.try_get("upload_content")?,
        enabled: row.try_get("enabled")?,
    })
}

const RULE_NAME: &str = "SELECT name FROM rules WHERE name = ? AND workspace_id = ?";

fn links_word(links: Links) -> &'static str {
    match links {
        Links::Follow => "follow",
        Links::Ignore => "ignore",
        Links::Manage => "manage",
    }
}

fn path_type_word(path_type: PathType) -> &'static str {
    match path_type {
        PathType::Any => "any",
        PathType::File => "file",
        PathType::Folder => "folder",
    }
}
