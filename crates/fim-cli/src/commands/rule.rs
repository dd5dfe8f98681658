//! `steadfast rule`: what a workspace monitors.

use serde_json::{Map, Value, json};

use crate::args::{RuleAddArgs, RuleCommand, RuleEditArgs, RuleListArgs, RuleNameArgs, RuleSettings};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::table::{Column, plain, print_list, text};

/// Does what was asked with rules.
pub fn run(client: &Client, command: &RuleCommand) -> Result<(), Failure> {
    match command {
        RuleCommand::Add(args) => add(client, args),
        RuleCommand::List(args) => list(client, args),
        RuleCommand::Edit(args) => edit(client, args),
        RuleCommand::Enable(args) => switch(client, args, Switch::On),
        RuleCommand::Disable(args) => switch(client, args, Switch::Off),
        RuleCommand::Delete(args) => delete(client, args),
    }
}

/// Shows the rules that were asked for: for a program as the server has them, in the order in which they are tried, and
/// for a person one's own before the recommended items.
fn list(client: &Client, args: &RuleListArgs) -> Result<(), Failure> {
    let mut rules: Vec<Value> = client.get(&rules_path(&args.workspace.workspace))?;
    let all = rules.len();
    rules.retain(|rule| is_wanted(rule, args));
    if args.format.json {
        print_json(&Value::from(rules));
        return Ok(());
    }
    rules.sort_by_key(is_recommended);
    let what = if rules.len() < all { "such rules" } else { "rules" };
    let rows: Vec<Value> = rules.iter().map(row).collect();
    if print_list(&Value::from(rows), COLUMNS, what) {
        eprintln!("cut to the terminal's width; `steadfast rule list --json` has everything whole");
    }
    Ok(())
}

fn is_wanted(rule: &Value, args: &RuleListArgs) -> bool {
    let is_enabled = rule["enabled"] == true;
    args.rule_type.is_none_or(|wanted| rule["type"] == wanted.word())
        && (!args.enabled || is_enabled)
        && (!args.disabled || !is_enabled)
        && (!args.custom || !is_recommended(rule))
        && (!args.recommended || is_recommended(rule))
}

fn is_recommended(rule: &Value) -> bool {
    rule["group"] == fim_core::RECOMMENDED_GROUP
}

/// The rule in a table's words. Most are called by their paths, and work as new rules do: that is not said again.
fn row(rule: &Value) -> Value {
    let words = |field: &str, usual: &str, name: &str| match rule[field].as_str() {
        Some(word) if word != usual => Some(format!("{name}: {word}")),
        Some(_) | None => None,
    };
    let exclude: Vec<&str> =
        rule["exclude"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let settings = [
        (rule["recurse"] == true).then(|| "recurse".to_owned()),
        (rule["uploadContent"] == true).then(|| "content stored".to_owned()),
        words("links", "follow", "links"),
        words("pathType", "any", "path type"),
        (!exclude.is_empty()).then(|| format!("exclude: {}", exclude.join(", "))),
    ];
    let path = if rule["path"] == rule["name"] { &Value::Null } else { &rule["path"] };
    json!({
        "enabled": if rule["enabled"] == true { "yes" } else { "no" },
        "type": rule["type"],
        "group": rule["group"],
        "name": rule["name"],
        "path": path,
        "settings": settings.into_iter().flatten().collect::<Vec<_>>().join("; "),
    })
}

fn delete(client: &Client, args: &RuleNameArgs) -> Result<(), Failure> {
    // Names ignore case, and the one that is there has its own spelling.
    let rule: Value = client.get(&rule_path(args))?;
    client.delete(&rule_path(args))?;
    let name = rule["name"].as_str().unwrap_or(&args.name);
    if args.format.json {
        print_json(&json!({ "deleted": name }));
        return Ok(());
    }
    eprintln!("deleted rule {}", plain(name));
    if is_recommended(&rule) {
        eprintln!(
            "`steadfast fim enable` puts recommended items back; one that is disabled instead stays so"
        );
    }
    Ok(())
}

fn add(client: &Client, args: &RuleAddArgs) -> Result<(), Failure> {
    let mut rule = json!({ "name": args.name, "type": args.rule_type.word(), "path": args.path });
    if let Some(fields) = rule.as_object_mut() {
        put(fields, "group", args.group.as_deref());
        put_settings(fields, &args.settings);
    }
    let rule: Value = client.post(&rules_path(&args.workspace.workspace), &rule).map_err(with_options)?;
    report(&rule, args.format.json, "added");
    // The server's own machine alone can be looked at from here.
    if !args.format.json
        && client.is_local()
        && let Some(note) = local_note(&rule)
    {
        eprintln!("note: {note}");
    }
    Ok(())
}

/// What the rule is about on this machine, where that may be less than was thought.
fn local_note(rule: &Value) -> Option<String> {
    let path = rule["path"].as_str()?;
    let is_plain = path.starts_with('/') && !path.contains(['*', '?', '[', '$', '{', '\\']);
    if rule["type"] != "linux-file" || rule["recurse"] == true || !is_plain {
        return None;
    }
    let shown = plain(path);
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => Some(format!(
            "{shown} is a folder here: the rule is about it and what is directly in it; with --recurse it is about \
             everything below it"
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(format!(
            "there is no {shown} on this machine: the rule is about it once it is there, and about what is directly in it \
             if it is a folder then"
        )),
        Ok(_) | Err(_) => None,
    }
}

fn edit(client: &Client, args: &RuleEditArgs) -> Result<(), Failure> {
    let mut fields = Map::new();
    put(&mut fields, "name", args.rename.as_deref());
    put(&mut fields, "path", args.path.as_deref());
    put(&mut fields, "group", args.group.as_deref());
    put_settings(&mut fields, &args.settings);
    if args.no_exclude {
        fields.insert("exclude".to_owned(), json!([]));
    }
    if fields.is_empty() {
        return Err(Failure::Usage(
            "nothing to change was given; see 'steadfast rule edit --help'".to_owned(),
        ));
    }
    let path = format!("{}/{}", rules_path(&args.workspace.workspace), segment(&args.name));
    let rule: Value = client.patch(&path, &fields).map_err(with_options)?;
    report(&rule, args.format.json, "changed");
    Ok(())
}

/// The failure with our options in the place of the server's fields.
fn with_options(failure: Failure) -> Failure {
    failure.with_options(&[("path", "--path"), ("exclude", "--exclude")])
}

#[derive(Clone, Copy)]
enum Switch {
    On,
    Off,
}

fn switch(client: &Client, args: &RuleNameArgs, to: Switch) -> Result<(), Failure> {
    let before: Value = client.get(&rule_path(args))?;
    let (verb, done) = match to {
        Switch::On => ("enable", "enabled"),
        Switch::Off => ("disable", "disabled"),
    };
    let rule: Value = client.post(&format!("{}/{verb}", rule_path(args)), &json!({}))?;
    if before["enabled"] == rule["enabled"] && !args.format.json {
        eprintln!("rule {} was {done} already", text(&rule["name"]));
    } else {
        report(&rule, args.format.json, done);
    }
    Ok(())
}

fn report(rule: &Value, as_json: bool, done: &str) {
    if as_json {
        print_json(rule);
        return;
    }
    eprintln!("{done} rule {}; agents work by it from their next look at the settings", text(&rule["name"]));
    for warning in rule["warnings"].as_array().into_iter().flatten() {
        eprintln!("warning: {}", text(warning));
    }
}

fn put(fields: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), Value::from(value));
    }
}

fn put_settings(fields: &mut Map<String, Value>, settings: &RuleSettings) {
    if !settings.exclude.is_empty() {
        fields.insert("exclude".to_owned(), json!(settings.exclude));
    }
    if let Some(recurse) = settings.recurse {
        fields.insert("recurse".to_owned(), Value::from(recurse));
    }
    if let Some(upload_content) = settings.upload_content {
        fields.insert("uploadContent".to_owned(), Value::from(upload_content));
    }
    put(fields, "links", settings.links.map(|links| links.word()));
    put(fields, "pathType", settings.path_type.map(|path_type| path_type.word()));
}

fn rules_path(workspace: &str) -> String {
    format!("/workspaces/{}/rules", segment(workspace))
}

fn rule_path(args: &RuleNameArgs) -> String {
    format!("{}/{}", rules_path(&args.workspace.workspace), segment(&args.name))
}

const COLUMNS: &[Column] = &[
    Column::new("ENABLED", "enabled"),
    Column::new("TYPE", "type"),
    Column::new("GROUP", "group"),
    Column::new("NAME", "name").shrinks(),
    Column::new("PATH", "path").shrinks(),
    Column::new("SETTINGS", "settings").shrinks(),
];
