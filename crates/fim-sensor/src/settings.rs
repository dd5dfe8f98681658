//! What the server wants the sensor to watch, and how often.

use std::io;

use fim_core::{AspectSet, Links, PathStyle, PathType, Rule, RuleSet, Timestamp, UnusableRule};
use fim_log::{Disk as _, RealDisk, replace_file};
use serde::{Deserialize, Serialize};

use crate::identity::DataDir;

/// The settings as the server gives them, and as the sensor keeps them for a start without the server.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Which settings these are: a number or a text that differs whenever they do.
    pub revision: serde_json::Value,
    /// Seconds from the start of one scan to the start of the next.
    pub scan_interval_seconds: u64,
    /// False if nothing is to be watched at all.
    pub fim_enabled: bool,
    /// Seconds from one collection of the daemons, or of the services of Windows, to the next; they are not collected
    /// without it.
    #[serde(default)]
    pub daemon_interval_seconds: Option<u64>,
    /// Seconds from one collection of the software to the next; it is not collected without it.
    #[serde(default)]
    pub software_interval_seconds: Option<u64>,
    /// Seconds from one inventory of everything to the next; none is made without it.
    #[serde(default)]
    pub inventory_interval_seconds: Option<u64>,
    /// What is watched, in the order in which rules are asked.
    pub rules: Vec<RuleSetting>,
    /// Since when the server may have had them: when it was known last to have others. Nothing for those that were kept.
    #[serde(skip)]
    pub since: Option<Timestamp>,
}

/// A rule as the API spells it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleSetting {
    /// The name, unique in its workspace.
    pub name: String,
    /// The group it is shown in.
    #[serde(default)]
    pub group: String,
    /// `linux-file`, `windows-file` or `registry`; those of another system than the sensor's are for other sensors.
    #[serde(rename = "type")]
    pub kind: String,
    /// The path pattern.
    pub path: String,
    /// Patterns of what is left out.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// True if everything below a matched directory is watched too.
    #[serde(default)]
    pub recurse: bool,
    /// `follow`, `ignore` or `manage`.
    #[serde(default)]
    pub links: String,
    /// `any`, `file` or `folder`.
    #[serde(default)]
    pub path_type: String,
    /// True if the text of the files is stored before and after a change.
    #[serde(default)]
    pub upload_content: bool,
    /// True if the rule is in force.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What a sensor can work by.
#[derive(Clone, Debug, Default)]
pub struct RulesHere {
    /// The rules for its system, in their order.
    pub rules: RuleSet,
    /// Those of its system that it cannot use.
    pub unusable: Vec<UnusableRule>,
    /// What a person should know of those and others.
    pub warnings: Vec<String>,
}

impl Settings {
    /// The revision as text.
    pub fn revision_text(&self) -> String {
        revision_text(&self.revision)
    }

    /// The rules that a sensor of a system that spells paths in `style` can work by, and what a person should know of
    /// those that it cannot. `lookup` gives the values of variables.
    ///
    /// A rule that is not understood never stops the others.
    pub fn rules_here(&self, style: PathStyle, lookup: &dyn Fn(&str) -> Option<String>) -> RulesHere {
        let mut warnings = Vec::new();
        let rules = self.rules.iter().filter_map(|setting| setting.rule(style, &mut warnings)).collect();
        let (rules, unusable) = RuleSet::usable(rules, style, lookup);
        warnings.extend(unusable.iter().map(|rule| rule.why.clone()));
        RulesHere { rules, unusable, warnings }
    }

    /// The settings that were kept at the last start, if there are any that can be read.
    pub(crate) fn load(dir: &DataDir) -> Option<Self> {
        let bytes = RealDisk.read(&dir.settings_path()).ok()?;
        match serde_json::from_slice(&bytes) {
            Ok(settings) => Some(settings),
            Err(error) => {
                tracing::warn!(path = %dir.settings_path().display(), %error, "kept settings are damaged");
                None
            }
        }
    }

    /// Keeps the settings for a start without the server.
    pub(crate) fn keep(&self, dir: &DataDir) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        replace_file(&RealDisk, &dir.settings_path(), &text)
    }
}

impl RuleSetting {
    fn rule(&self, style: PathStyle, warnings: &mut Vec<String>) -> Option<Rule> {
        let own_kinds: &[&str] = match style {
            PathStyle::Unix => &["linux-file"],
            PathStyle::Windows => &["windows-file", "registry"],
        };
        if !own_kinds.contains(&self.kind.as_str()) {
            return None;
        }
        let links = match self.links.as_str() {
            "follow" | "" => Links::Follow,
            "ignore" => Links::Ignore,
            "manage" => Links::Manage,
            other => {
                warnings.push(format!("rule `{}`: links `{other}` is not known; follow is used", self.name));
                Links::Follow
            }
        };
        let path_type = match self.path_type.as_str() {
            "any" | "" => PathType::Any,
            "file" => PathType::File,
            "folder" => PathType::Folder,
            other => {
                warnings.push(format!("rule `{}`: path type `{other}` is not known; any is used", self.name));
                PathType::Any
            }
        };
        Some(Rule {
            name: self.name.clone(),
            group: self.group.clone(),
            path: self.path.clone(),
            exclude: self.exclude.clone(),
            recurse: self.recurse,
            links,
            path_type,
            watched: AspectSet::WATCHED_BY_DEFAULT,
            upload_content: self.upload_content,
            enabled: self.enabled,
        })
    }
}

/// The revision as text: a text is itself, anything else its JSON.
pub(crate) fn revision_text(revision: &serde_json::Value) -> String {
    revision.as_str().map_or_else(|| revision.to_string(), str::to_owned)
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use fim_core::{EntityKey, EntityPath};

    use super::*;

    fn settings(text: &str) -> Settings {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn one_bad_rule_does_not_stop_the_others() {
        let settings = settings(
            r#"{"revision":7,"scanIntervalSeconds":900,"fimEnabled":true,"new":1,"rules":[
                {"name":"bad","group":"g","type":"linux-file","path":"relative","recurse":false,"links":"follow","pathType":"any","enabled":true},
                {"name":"other","type":"windows-file","path":"c:\\x"},
                {"name":"etc","type":"linux-file","path":"/etc","links":"sideways"}]}"#,
        );
        let RulesHere { rules, warnings, .. } = settings.rules_here(PathStyle::Unix, &|_| None);
        assert_eq!(names(&rules), ["etc"]);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert_eq!(settings.revision_text(), "7");
    }

    #[test]
    fn a_sensor_works_by_the_rules_of_its_own_system() {
        let settings = settings(
            r#"{"revision":1,"scanIntervalSeconds":900,"fimEnabled":true,"rules":[
                {"name":"etc","type":"linux-file","path":"/etc"},
                {"name":"hosts","type":"windows-file","path":"%SystemRoot%\\System32\\drivers\\etc\\*"},
                {"name":"lost","type":"windows-file","path":"%Nowhere%\\x"},
                {"name":"later","type":"of-a-newer-server","path":"?"}]}"#,
        );
        let lookup = |name: &str| name.eq_ignore_ascii_case("systemroot").then(|| r"C:\Windows".to_owned());
        let RulesHere { rules, warnings, .. } = settings.rules_here(PathStyle::Unix, &lookup);
        assert_eq!((names(&rules), warnings.len()), (vec!["etc"], 0));
        let RulesHere { rules, warnings, .. } = settings.rules_here(PathStyle::Windows, &lookup);
        assert_eq!(rules.style(), PathStyle::Windows);
        assert_eq!(names(&rules), ["hosts", "lost"]);
        let hosts = EntityKey::File(EntityPath::windows(r"c:\windows\system32\DRIVERS\etc\hosts"));
        assert_eq!(rules.rule_for(&hosts).map(|rule| rule.name.as_str()), Some("hosts"));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("`lost`") && warnings[0].contains("`Nowhere`"), "{warnings:?}");
    }

    fn names(rules: &RuleSet) -> Vec<&str> {
        rules.rules().map(|rule| rule.name.as_str()).collect()
    }
}
