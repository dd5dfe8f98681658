//! New settings: what was noticed by the old ones is looked into first.

use std::sync::Arc;

use fim_core::{EntityKey, EntityPath, Input, RuleSet, ScanPlan};
use fim_log::Disk;
use fim_scan::FileTree;

use super::{Engine, variable};
use crate::settings::{RulesHere, Settings};

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Takes new settings, and scans if that is due then.
    pub fn change_settings(&mut self, settings: Settings) {
        self.adopt(settings);
        self.collect_lists();
        self.run_due();
    }

    /// Keeps new settings and works by them from now on.
    pub(super) fn adopt(&mut self, settings: Settings) {
        if let Err(error) = settings.keep(&self.parts.dir) {
            self.trouble(format!("cannot keep the settings: {error}"));
        }
        self.work_by(settings);
    }

    pub(super) fn work_by(&mut self, settings: Settings) {
        let RulesHere { rules, unusable, warnings } = settings.rules_here(self.parts.style, &variable);
        for warning in &warnings {
            tracing::warn!(warning, "a rule cannot be used as it is");
        }
        let to_come = fim_core::Settings {
            is_enabled: settings.fim_enabled,
            rules,
            unusable,
            scan_interval_seconds: settings.scan_interval_seconds,
            since: settings.since,
        };
        self.look_into_all(&to_come);
        let in_force =
            to_come.rules.rules().filter(|rule| rule.enabled && settings.fim_enabled).count() as u64;
        self.parts.status.update(|status| {
            status.settings_revision = Some(settings.revision_text());
            status.scan_interval_seconds = settings.scan_interval_seconds;
            status.rules = in_force;
            status.warnings = warnings;
        });
        // What is watched is watched from before the look that makes the baseline.
        self.watch(&to_come.rules, settings.fim_enabled);
        let is_monitored =
            |path: &EntityPath| to_come.rules.rule_for(&EntityKey::File(path.clone())).is_some();
        self.parts.large.retain(|path| settings.fim_enabled && is_monitored(path));
        self.set_lists(&settings);
        self.take_in(Input::SettingsChanged(to_come));
    }

    /// Has watched what the settings name that were kept, from before anything is looked at by them.
    pub(super) fn watch_by(&mut self, settings: &Settings) {
        let RulesHere { rules, .. } = settings.rules_here(self.parts.style, &variable);
        self.watch(&rules, settings.fim_enabled);
    }

    fn watch(&mut self, rules: &RuleSet, is_enabled: bool) {
        self.plan = Arc::new(if is_enabled { rules.scan_plan() } else { ScanPlan::default() });
        self.parts.orders.watch(&self.plan);
        self.parts.contents.work_by(rules, is_enabled);
    }

    /// Looks into what was noticed by the settings in force, if those to come have other things monitored.
    fn look_into_all(&mut self, to_come: &fim_core::Settings) {
        if !self.tracker.is_other_scope(to_come) {
            return;
        }
        self.elsewhere.hurry();
        let hints = self.parts.inbox.take_hints();
        self.take_hints(hints);
        self.take_in(Input::SettingsComing);
        self.look_at_due_spots();
    }
}
