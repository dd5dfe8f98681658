//! Which entities are monitored, and how.

use crate::{AspectSet, EntityKey};

/// What a rule does at symbolic links (the published settings' words).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Links {
    /// Links are left out.
    Ignore,
    /// The link is an entity, and what it points to is monitored under the link's path.
    #[default]
    Follow,
    /// The link itself is the entity; it is not followed.
    Manage,
}

/// What a rule's path is meant to name.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum PathType {
    /// Whatever is there.
    #[default]
    Any,
    /// Files only.
    File,
    /// Directories and what they contain.
    Folder,
}

/// A monitored entity's setting: which paths, and what of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// The name, unique in its workspace.
    pub name: String,
    /// The group it is shown in: `Recommended` or the user's.
    pub group: String,
    /// The path pattern as the user wrote it.
    pub path: String,
    /// Patterns of what is left out.
    pub exclude: Vec<String>,
    /// True if everything below a matched directory is monitored too.
    pub recurse: bool,
    /// What is done at symbolic links.
    pub links: Links,
    /// What the path is meant to name.
    pub path_type: PathType,
    /// Which differences are changes.
    pub watched: AspectSet,
    /// True if the rule is in force.
    pub enabled: bool,
}

/// The rules that a sensor works by.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The rules as they were given.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule in force that names the entity.
    pub fn rule_for(&self, _key: &EntityKey) -> Option<&Rule> {
        None
    }
}
