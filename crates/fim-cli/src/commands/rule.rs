//! `steadfast rule`: what a workspace monitors.

use serde_json::{Map, Value, json};

use crate::args::{RuleAddArgs, RuleCommand, RuleEditArgs, RuleNameArgs, RuleSettings};
use crate::client::{Client, segment};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::table::{Column, plain, print_list};

/// Does what was asked with rules.
pub fn run(client: &Client, command: &RuleCommand) -> Result<(), Failure> {
    match command {
        RuleCommand::Add(args) => add(client, args),
        RuleCommand::List(args) => {
            let rules: Value = client.get(&rules_path(&args.workspace.workspace))?;
            if args.format.json {
                print_json(&rules);
            } else {
                print_list(&rules, COLUMNS, "rules");
            }
            Ok(())
        }
        RuleCommand::Edit(args) => edit(client, args),
        RuleCommand::Enable(args) => switch(client, args, "enable"),
        RuleCommand::Disable(args) => switch(client, args, "disable"),
        RuleCommand::Delete(args) => {
            // Names ignore case, and the one that is there has its own spelling.
            let rule: Value = client.get(&rule_path(args))?;
            client.delete(&rule_path(args))?;
            let name = rule["name"].as_str().unwrap_or(&args.name);
            if args.format.json {
                print_json(&json!({ "deleted": name }));
            } else {
                eprintln!("deleted rule {}", plain(name));
            }
            Ok(())
        }
    }
}

fn add(client: &Client, args: &RuleAddArgs) -> Result<(), Failure> {
    let mut rule = json!({ "name": args.name, "type": args.rule_type.word(), "path": args.path });
    if let Some(fields) = rule.as_object_mut() {
        put(fields, "group", args.group.as_deref());
        put_settings(fields, &args.settings);
    }
    let rule: Value = client.post(&rules_path(&args.workspace.workspace), &rule).map_err(with_options)?;
    report(&rule, args.format.json, "added")
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
    report(&rule, args.format.json, "changed")
}

/// The failure with our options in the place of the server's fields.
fn with_options(failure: Failure) -> Failure {
    failure.with_options(&[("path", "--path"), ("exclude", "--exclude")])
}

fn switch(client: &Client, args: &RuleNameArgs, verb: &str) -> Result<(), Failure> {
    let rule: Value = client.post(&format!("{}/{verb}", rule_path(args)), &json!({}))?;
    report(&rule, args.format.json, if verb == "enable" { "enabled" } else { "disabled" })
}

fn report(rule: &Value, as_json: bool, done: &str) -> Result<(), Failure> {
    if as_json {
        print_json(rule);
        return Ok(());
    }
    let name = crate::table::text(&rule["name"]);
    eprintln!("{done} rule {name}; agents work by it from their next look at the settings");
    for warning in rule["warnings"].as_array().into_iter().flatten() {
        eprintln!("warning: {}", crate::table::text(warning));
    }
    Ok(())
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
    Column::new("NAME", "name"),
    Column::new("PATH", "path"),
    Column::new("EXCLUDE", "exclude"),
    Column::new("ENABLED", "enabled"),
    Column::new("RECURSE", "recurse"),
    Column::new("LINKS", "links"),
    Column::new("PATH TYPE", "pathType"),
    Column::new("GROUP", "group"),
    Column::new("TYPE", "type"),
];
