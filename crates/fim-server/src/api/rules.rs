//! Monitored entities.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use fim_core::windows::Hive;
use fim_core::{InvalidRule, PatternError, RuleError, error_chain};

use super::model::{Diagnostic, Links, PathType, Rule, RulePatch, RuleType, SavedRule};
use crate::app::{App, AppState};
use crate::authz::Actor;
use crate::control::{AddRuleError, By, EditRuleError, WorkspaceRecord};
use crate::problem::{ApiJson, ItemName, Kind, Problem};

/// A call about one rule: by whom, in which workspace, about which rule.
type RuleCall = (State<AppState>, Extension<Actor>, Extension<WorkspaceRecord>, ItemName);

/// The workspace's rules in the order in which they are tried.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/rules", tag = "rules",
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 200, description = "The rules.", body = Vec<Rule>))
)]
pub async fn list_rules(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
) -> Result<Json<Vec<Rule>>, Problem> {
    app.control
        .rules(workspace.id)
        .await
        .map(Json)
        .map_err(|error| Problem::internal("reading the rules", &error))
}

/// Adds a rule.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/rules", tag = "rules", request_body = Rule,
    params(("ws" = String, Path, description = "The workspace's id or name.")),
    responses((status = 201, description = "Added.", body = SavedRule))
)]
pub async fn create_rule(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiJson(rule): ApiJson<Rule>,
) -> Result<(StatusCode, Json<SavedRule>), Problem> {
    check(&rule)?;
    let by = By { actor: &actor.name, at: app.clock.now() };
    app.control.add_rule(workspace.id, &rule, by).await.map_err(|error| match error {
        AddRuleError::NameTaken(_) => Problem::new(Kind::Conflict, error.to_string()),
        AddRuleError::Control(error) => Problem::internal("adding the rule", &error),
    })?;
    Ok((StatusCode::CREATED, Json(saved(rule))))
}

/// One rule.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/rules/{name}", tag = "rules",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("name" = String, Path, description = "The rule's name.")
    ),
    responses((status = 200, description = "The rule.", body = Rule))
)]
pub async fn show_rule(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(name): ItemName,
) -> Result<Json<Rule>, Problem> {
    rule(&app, &workspace, &name).await.map(Json)
}

/// Changes a rule.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{ws}/rules/{name}", tag = "rules", request_body = RulePatch,
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("name" = String, Path, description = "The rule's name.")
    ),
    responses((status = 200, description = "Changed.", body = SavedRule))
)]
pub async fn edit_rule(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(name): ItemName,
    ApiJson(patch): ApiJson<RulePatch>,
) -> Result<Json<SavedRule>, Problem> {
    edit(&app, &actor, &workspace, &name, patch).await
}

/// Puts a rule in force.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/rules/{name}/enable", tag = "rules",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("name" = String, Path, description = "The rule's name.")
    ),
    responses((status = 200, description = "In force.", body = SavedRule))
)]
pub async fn enable_rule(call: RuleCall) -> Result<Json<SavedRule>, Problem> {
    switch(call, true).await
}

/// Puts a rule out of force.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{ws}/rules/{name}/disable", tag = "rules",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("name" = String, Path, description = "The rule's name.")
    ),
    responses((status = 200, description = "Out of force.", body = SavedRule))
)]
pub async fn disable_rule(call: RuleCall) -> Result<Json<SavedRule>, Problem> {
    switch(call, false).await
}

/// Takes a rule away; the records that it made stay.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{ws}/rules/{name}", tag = "rules",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("name" = String, Path, description = "The rule's name.")
    ),
    responses((status = 204, description = "Gone."))
)]
pub async fn delete_rule(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(name): ItemName,
) -> Result<StatusCode, Problem> {
    let by = By { actor: &actor.name, at: app.clock.now() };
    let was_there = app
        .control
        .delete_rule(workspace.id, &name, by)
        .await
        .map_err(|error| Problem::internal("deleting the rule", &error))?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("rule", &name)) }
}

/// The recommended items as rules, those of each type together.
pub fn recommended() -> Vec<Rule> {
    let of_type = |rule_type| {
        let items = match rule_type {
            RuleType::LinuxFile => fim_core::recommended_linux(),
            RuleType::WindowsFile => fim_core::recommended_windows_files(),
            RuleType::Registry => fim_core::recommended_registry(),
        };
        items.into_iter().map(move |item| from_core(item, rule_type))
    };
    RuleType::ALL.into_iter().flat_map(of_type).collect()
}

async fn rule(app: &App, workspace: &WorkspaceRecord, name: &str) -> Result<Rule, Problem> {
    let failed = |error| Problem::internal("reading the rule", &error);
    match app.control.rule(workspace.id, name).await.map_err(failed)? {
        Some(rule) => Ok(rule),
        None => Err(missing(app, workspace, name).await?),
    }
}

/// That there is no such rule, and which there are.
async fn missing(app: &App, workspace: &WorkspaceRecord, name: &str) -> Result<Problem, Problem> {
    let rules = app.control.rules(workspace.id).await;
    let rules = rules.map_err(|error| Problem::internal("reading the rules", &error))?;
    Ok(Problem::not_found_among("rule", name, rules.iter().map(|rule| rule.name.as_str())))
}

/// Puts a rule in force or out of it.
async fn switch(
    (State(app), Extension(actor), Extension(workspace), ItemName(name)): RuleCall,
    enabled: bool,
) -> Result<Json<SavedRule>, Problem> {
    edit(&app, &actor, &workspace, &name, RulePatch { enabled: Some(enabled), ..RulePatch::default() }).await
}

async fn edit(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceRecord,
    name: &str,
    patch: RulePatch,
) -> Result<Json<SavedRule>, Problem> {
    let change = |before: Rule| {
        let after = Rule {
            name: patch.name.unwrap_or(before.name),
            group: patch.group.unwrap_or(before.group),
            rule_type: before.rule_type,
            path: patch.path.unwrap_or(before.path),
            exclude: patch.exclude.unwrap_or(before.exclude),
            recurse: patch.recurse.unwrap_or(before.recurse),
            links: patch.links.unwrap_or(before.links),
            path_type: patch.path_type.unwrap_or(before.path_type),
            upload_content: patch.upload_content.unwrap_or(before.upload_content),
            enabled: patch.enabled.unwrap_or(before.enabled),
        };
        check(&after).map(|()| after)
    };
    let by = By { actor: &actor.name, at: app.clock.now() };
    match app.control.edit_rule(workspace.id, name, change, by).await {
        Ok(after) => Ok(Json(saved(after))),
        Err(EditRuleError::Refused(problem)) => Err(problem),
        Err(EditRuleError::Missing(_)) => Err(missing(app, workspace, name).await?),
        Err(error @ EditRuleError::NameTaken(_)) => Err(Problem::new(Kind::Conflict, error.to_string())),
        Err(EditRuleError::Control(error)) => Err(Problem::internal("editing the rule", &error)),
    }
}

/// The rule with what a person should be warned of.
fn saved(rule: Rule) -> SavedRule {
    let mut warnings = to_core(&rule).warnings(rule.rule_type.style()).unwrap_or_default();
    warnings.extend(recommended_otherwise(&rule));
    SavedRule { rule, warnings }
}

/// What is to be known of a rule with the name of a recommended item that watches something else.
fn recommended_otherwise(rule: &Rule) -> Option<String> {
    let item = recommended().into_iter().find(|item| item.name.eq_ignore_ascii_case(&rule.name))?;
    (!rule.watches_as(&item)).then(|| {
        format!(
            "the recommended item \"{}\" is about {} and set otherwise now: it counts as changed until it is put back; to \
             watch more, leave it as it is and add a rule",
            item.name, item.path
        )
    })
}

/// Refuses what no agent could use, naming the pattern, the place in it and the fix.
fn check(rule: &Rule) -> Result<(), Problem> {
    if rule.group.trim().is_empty()
        || rule.group.chars().count() > 100
        || rule.group.chars().any(fim_core::is_hidden)
    {
        return Err(Problem::new(Kind::BadRequest, "the group must be 1 to 100 characters on one line"));
    }
    check_place(rule)?;
    to_core(rule).validate(rule.rule_type.style()).map_err(|error| rule_problem(&error))
}

/// Refuses a rule whose path is of another type than the rule: that would be in force and name nothing.
fn check_place(rule: &Rule) -> Result<(), Problem> {
    let hive = Hive::in_text(&rule.path);
    let why = match (rule.rule_type, hive) {
        (RuleType::Registry, None) => {
            "a key is named with its hive: write a path such as HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor, or \
             HKLM\\SOFTWARE\\Vendor:Value for one value"
        }
        (RuleType::LinuxFile | RuleType::WindowsFile, Some(_)) => {
            "this names a key of the registry, for which a rule has the type registry (--type registry)"
        }
        (RuleType::LinuxFile, None) if is_of_windows(&rule.path) => {
            "this is a path of Windows, for which a rule has the type windows-file (--type windows-file)"
        }
        (RuleType::WindowsFile, None) if rule.path.starts_with('/') => {
            "this is a path of Linux, for which a rule has the type linux-file (--type linux-file); one of Windows is \
             such as C:\\Windows\\*.ini"
        }
        (RuleType::LinuxFile | RuleType::WindowsFile, None) | (RuleType::Registry, Some(_)) => return Ok(()),
    };
    let message = format!("rule `{}`, path `{}`: {why}", rule.name, rule.path);
    let mistake = path_diagnostic("path", &rule.path, why.to_owned(), None);
    Err(Problem::new(Kind::BadPattern, message).with_diagnostics(vec![mistake]))
}

/// True if it begins as a path of Windows does and none of Linux: with a drive, a share, or a variable and a backslash.
fn is_of_windows(path: &str) -> bool {
    let has_drive = matches!(path.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic());
    has_drive || path.starts_with('\\') || (path.starts_with('%') && path.contains('\\'))
}

fn rule_problem(error: &RuleError) -> Problem {
    let pattern = match &error.invalid {
        InvalidRule::Path { path, source } => Some(("path", path, source)),
        InvalidRule::Exclusion { exclusion, source } => Some(("exclude", exclusion, source)),
        InvalidRule::NoName
        | InvalidRule::BadName
        | InvalidRule::NameTaken
        | InvalidRule::TooManyExclusions { .. }
        | InvalidRule::NothingWatched => None,
    };
    match pattern {
        Some((field, text, source)) => Problem::new(Kind::BadPattern, error_chain(error))
            .with_diagnostics(vec![pattern_diagnostic(field, text, source)]),
        None => Problem::new(Kind::BadRequest, error_chain(error)),
    }
}

fn pattern_diagnostic(field: &str, text: &str, error: &PatternError) -> Diagnostic {
    path_diagnostic(field, text, error.to_string(), error.position())
}

/// The mistake in a path or pattern at this character, counted from 1, or in all of it.
fn path_diagnostic(field: &str, text: &str, message: String, position: Option<usize>) -> Diagnostic {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (column, end_column) = match position {
        Some(at) => (number(at), number(at.saturating_add(1))),
        None => (1, number(text.chars().count().saturating_add(1))),
    };
    Diagnostic {
        code: "PATTERN".to_owned(),
        message,
        line: 1,
        column,
        end_line: 1,
        end_column,
        expected: Vec::new(),
        suggestion: None,
        field: Some(field.to_owned()),
        text: Some(text.to_owned()),
    }
}

fn to_core(rule: &Rule) -> fim_core::Rule {
    fim_core::Rule {
        exclude: rule.exclude.clone(),
        recurse: rule.recurse,
        links: match rule.links {
            Links::Follow => fim_core::Links::Follow,
            Links::Ignore => fim_core::Links::Ignore,
            Links::Manage => fim_core::Links::Manage,
        },
        path_type: match rule.path_type {
            PathType::Any => fim_core::PathType::Any,
            PathType::File => fim_core::PathType::File,
            PathType::Folder => fim_core::PathType::Folder,
        },
        upload_content: rule.upload_content,
        enabled: rule.enabled,
        ..fim_core::Rule::new(&rule.name, &rule.group, &rule.path)
    }
}

fn from_core(rule: fim_core::Rule, rule_type: RuleType) -> Rule {
    Rule {
        name: rule.name,
        group: rule.group,
        rule_type,
        path: rule.path,
        exclude: rule.exclude,
        recurse: rule.recurse,
        links: match rule.links {
            fim_core::Links::Follow => Links::Follow,
            fim_core::Links::Ignore => Links::Ignore,
            fim_core::Links::Manage => Links::Manage,
        },
        path_type: match rule.path_type {
            fim_core::PathType::Any => PathType::Any,
            fim_core::PathType::File => PathType::File,
            fim_core::PathType::Folder => PathType::Folder,
        },
        upload_content: rule.upload_content,
        enabled: rule.enabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recommended_items_are_valid_and_come_back_the_same() {
        let items = recommended();
        assert_eq!(items.len(), 56);
        for item in &items {
            assert!(check(item).is_ok(), "{}", item.name);
            assert_eq!(from_core(to_core(item), item.rule_type), *item);
        }
    }

    #[test]
    fn a_recommended_item_that_watches_something_else_is_warned_of_and_one_that_is_only_switched_is_not() {
        let item = recommended().remove(0);
        let is_warned =
            |rule: Rule| saved(rule).warnings.iter().any(|told| told.contains("counts as changed"));
        assert!(!is_warned(item.clone()));
        assert!(!is_warned(Rule { enabled: false, group: "Ours".to_owned(), ..item.clone() }));
        assert!(!is_warned(Rule { name: "mine".to_owned(), path: "/etc/foo".to_owned(), ..item.clone() }));
        for changed in [
            Rule { path: "/etc/foo".to_owned(), ..item.clone() },
            Rule { name: item.name.to_uppercase(), path: "/etc/foo".to_owned(), ..item.clone() },
            Rule { exclude: vec!["*".to_owned()], ..item.clone() },
            Rule { recurse: !item.recurse, ..item.clone() },
            Rule { links: Links::Ignore, ..item.clone() },
            Rule { path_type: PathType::Folder, ..item.clone() },
        ] {
            assert!(is_warned(changed.clone()), "{changed:?}");
        }
    }

    #[test]
    fn a_path_of_another_type_is_told_with_the_type_that_it_is_of() {
        for (rule_type, path, told) in [
            (RuleType::LinuxFile, r"C:\srv", "--type windows-file"),
            (RuleType::LinuxFile, r"%SystemRoot%\System32", "--type windows-file"),
            (RuleType::LinuxFile, r"\\server\share", "--type windows-file"),
            (RuleType::LinuxFile, r"HKLM\SOFTWARE\Vendor", "--type registry"),
            (RuleType::WindowsFile, r"HKLM\SOFTWARE\Vendor", "--type registry"),
            (RuleType::WindowsFile, "/etc", "--type linux-file"),
            (RuleType::Registry, r"SOFTWARE\Vendor", "with its hive"),
            (RuleType::Registry, "/etc", "with its hive"),
        ] {
            let rule = Rule { rule_type, path: path.to_owned(), ..recommended().remove(0) };
            let problem = check(&rule).unwrap_err();
            assert!(problem.detail.contains(told), "{}", problem.detail);
            let place = &problem.diagnostics[0];
            assert_eq!((place.field.as_deref(), place.text.as_deref()), (Some("path"), Some(path)));
            assert!(place.message.contains(told), "{}", place.message);
        }
        for (rule_type, path) in [
            (RuleType::LinuxFile, "/C:/x"),
            (RuleType::LinuxFile, "$HOME/%a\\b"),
            (RuleType::WindowsFile, r"C:\x"),
        ] {
            let rule = Rule { rule_type, path: path.to_owned(), ..recommended().remove(0) };
            assert!(check_place(&rule).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_bad_exclusion_is_told_as_the_one_of_them_that_it_is() {
        let exclude = vec!["*.log".to_owned(), "[".to_owned()];
        let problem = check(&Rule { exclude, ..recommended().remove(0) }).unwrap_err();
        let told = &problem.diagnostics[0];
        assert_eq!((told.field.as_deref(), told.text.as_deref()), (Some("exclude"), Some("[")));
    }

    #[test]
    fn a_bad_pattern_is_told_with_its_place() {
        let rule = Rule { path: "/etc/[a".to_owned(), ..recommended().remove(0) };
        let problem = check(&rule).unwrap_err();
        assert_eq!(problem.diagnostics[0].column, 6);
        assert_eq!(problem.diagnostics[0].field.as_deref(), Some("path"));
        assert!(problem.detail.contains("/etc/[a"), "{}", problem.detail);
    }
}
