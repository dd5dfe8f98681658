//! What is said about rules.

use fim_core::PathStyle;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a rule monitors.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleType {
    /// Files of Linux machines.
    #[default]
    LinuxFile,
    /// Files of Windows machines.
    WindowsFile,
    /// Keys and values of the registry of Windows machines.
    Registry,
}

impl RuleType {
    /// Every type, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::LinuxFile, Self::WindowsFile, Self::Registry];

    /// The word for it, in the API and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::LinuxFile => "linux-file",
            Self::WindowsFile => "windows-file",
            Self::Registry => "registry",
        }
    }

    /// The heading of such rules.
    pub const fn title(self) -> &'static str {
        match self {
            Self::LinuxFile => "Linux files",
            Self::WindowsFile => "Windows files",
            Self::Registry => "Windows registry",
        }
    }

    /// How the machines that such rules are for spell paths.
    pub const fn style(self) -> PathStyle {
        match self {
            Self::LinuxFile => PathStyle::Unix,
            Self::WindowsFile | Self::Registry => PathStyle::Windows,
        }
    }
}

/// What a rule does at symbolic links.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    /// What the link points to is monitored under the link's path.
    #[default]
    Follow,
    /// Links are left out.
    Ignore,
    /// The link itself is the entity.
    Manage,
}

/// What a rule's path is meant to name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PathType {
    /// Whatever is there.
    #[default]
    Any,
    /// Files only.
    File,
    /// Directories and what they contain.
    Folder,
}

/// A monitored entity's setting.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// The name, unique in its workspace.
    pub name: String,
    /// The group it is shown in.
    #[serde(default = "custom_group")]
    pub group: String,
    /// What it monitors.
    #[serde(rename = "type", default)]
    pub rule_type: RuleType,
    /// The path pattern.
    pub path: String,
    /// Patterns of what is left out.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// True if everything below a matched directory is monitored too.
    #[serde(default)]
    pub recurse: bool,
    /// What is done at symbolic links.
    #[serde(default)]
    pub links: Links,
    /// What the path is meant to name.
    #[serde(default)]
    pub path_type: PathType,
    /// True if the text of the files is stored before and after a change, with secrets in known formats masked.
    #[serde(default)]
    pub upload_content: bool,
    /// True if the rule is in force.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl Rule {
    /// True if both watch the same, whatever they are called and whether or not they are in force.
    pub fn watches_as(&self, other: &Self) -> bool {
        let Self { rule_type, path, exclude, recurse, links, path_type, .. } = self;
        (rule_type, path, exclude, recurse, links, path_type)
            == (&other.rule_type, &other.path, &other.exclude, &other.recurse, &other.links, &other.path_type)
    }
}

/// A rule that was saved, and what a person should know of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SavedRule {
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
    /// What may be unwise about it, though it is in order: a path that takes in nearly everything or what changes
    /// by itself, a variable that a service may not have, a recommended item that watches something else.
    pub warnings: Vec<String>,
}

/// What of a rule is to be different; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RulePatch {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The new path pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The new exclusions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude: Option<Vec<String>>,
    /// Whether it reaches below matched directories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurse: Option<bool>,
    /// What is done at symbolic links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Links>,
    /// What the path is meant to name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_type: Option<PathType>,
    /// Whether the text of the files is stored before and after a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_content: Option<bool>,
    /// Whether it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// How many rules there are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct RuleCounts {
    /// Rules in force.
    pub enabled: u64,
    /// All rules.
    pub total: u64,
}

/// The group of rules that are not recommended items.
pub fn custom_group() -> String {
    "Custom".to_owned()
}

fn yes() -> bool {
    true
}
