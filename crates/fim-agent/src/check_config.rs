//! `config check`: what the agent would do.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use fim_os::LiveTree;
use fim_sensor::{FileTree as _, Preview, RulesHere, Settings, SettingsSource, current_settings, preview};
use serde::Serialize;

use crate::DataDirArg;
use crate::exit::{FAILURE, PARTIAL, fail, print, print_json};

/// Says exactly what the agent would do: which rules, how many entities and bytes each, and what is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent config check
  steadfast-agent config check --json

Exit codes:
  0  everything that the rules name can be read
  2  usage: an option is wrong
  3  part of the scope cannot be read
  4  failure: there are no settings")]
pub struct CheckConfigArgs {
    #[command(flatten)]
    data_dir: DataDirArg,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What the agent would do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    source: SettingsSource,
    revision: String,
    fim_enabled: bool,
    scan_interval_seconds: u64,
    #[serde(flatten)]
    preview: Preview,
    warnings: Vec<String>,
}

/// Runs `config check`.
pub fn check_config(args: &CheckConfigArgs) -> ExitCode {
    let (settings, source, server_error) = match current_settings(&args.data_dir.data_dir()) {
        Ok(settings) => settings,
        Err(error) => return fail(FAILURE, error),
    };
    let mut plan = plan(&settings, source);
    plan.warnings.extend(server_error.map(|error| format!("{:#}", anyhow::Error::new(error))));
    if args.json {
        if let Err(error) = print_json(&plan) {
            return fail(FAILURE, error);
        }
    } else {
        print_plan(&plan);
    }
    let is_whole = plan.preview.unreadable_count == 0 && plan.preview.problem.is_none();
    if is_whole { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) }
}

fn plan(settings: &Settings, source: SettingsSource) -> Plan {
    let tree = Arc::new(LiveTree::new());
    let RulesHere { rules, warnings, .. } =
        settings.rules_here(tree.style(), &|name| std::env::var(name).ok());
    Plan {
        source,
        revision: settings.revision_text(),
        fim_enabled: settings.fim_enabled,
        scan_interval_seconds: settings.scan_interval_seconds,
        preview: if settings.fim_enabled {
            preview(tree, &rules, Arc::default())
        } else {
            Preview::default()
        },
        warnings,
    }
}

fn print_plan(plan: &Plan) {
    let source = match plan.source {
        SettingsSource::Server => "from the server",
        SettingsSource::Kept => "kept from the last contact with the server",
    };
    print(&format!("settings {} ({source})", plan.revision));
    if !plan.fim_enabled {
        print("file integrity monitoring is disabled: nothing is watched");
        return;
    }
    print(&format!("a scan every {} s of:", plan.scan_interval_seconds));
    let width = plan.preview.rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in &plan.preview.rules {
        print(&format!(
            "  {:<width$}  {:>8} entities  {:>13} bytes  {}",
            rule.name, rule.entities, rule.bytes, rule.path
        ));
    }
    let entities: u64 = plan.preview.rules.iter().map(|rule| rule.entities).sum();
    let bytes: u64 = plan.preview.rules.iter().map(|rule| rule.bytes).sum();
    print(&format!("  {:<width$}  {entities:>8} entities  {bytes:>13} bytes", "all"));
    for place in &plan.preview.unreadable {
        print(&format!("cannot read {}: {}", place.path, place.why));
    }
    let unnamed = plan.preview.unreadable_count.saturating_sub(plan.preview.unreadable.len() as u64);
    if unnamed > 0 {
        print(&format!("cannot read {unnamed} more places"));
    }
    for rule in &plan.preview.rules {
        for warning in &rule.warnings {
            print(&format!("warning: rule `{}`: {warning}", rule.name));
        }
    }
    for rule in &plan.preview.rules {
        for note in &rule.notes {
            print(&format!("note: rule `{}`: {note}", rule.name));
        }
    }
    for warning in plan.warnings.iter().chain(&plan.preview.problem) {
        print(&format!("warning: {warning}"));
    }
}
