//! Which entities are monitored, and how.

mod compiled;
mod error;
mod plan;
mod recommended;
mod set;

use compiled::CompiledRule;
pub use error::{InvalidRule, RuleError};
pub use plan::{DirectoryDecision, EntityDecision, LinkDecision, ScanPlan};
pub use recommended::{
    RECOMMENDED_GROUP, recommended_linux, recommended_registry, recommended_windows_files,
};
pub use set::{Explanation, How, RuleSet, UnusableRule, WhyNot};

use crate::{AspectSet, PathStyle};

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
    /// Anything but directories.
    File,
    /// Directories and what they contain.
    Folder,
}

/// A monitored entity's setting: which paths, and what of them.
///
/// The path names whatever its [`Pattern`](crate::Pattern) matches. If its last segment holds no wildcard, or if it is meant to name
/// folders, it names the direct children of a matched directory too. With `recurse` it names everything below a matched
/// directory, and a last segment with a wildcard names at any depth: `/etc/*.conf` names `/etc/a/b.conf` as well, as
/// the published collector does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// The name, unique in its workspace.
    pub name: String,
    /// The group it is shown in: `Recommended` or the user's.
    pub group: String,
    /// The path pattern as the user wrote it.
    pub path: String,
    /// Patterns of what is left out, with all that is below it; one without a separator is a name at any depth.
    pub exclude: Vec<String>,
    /// True if everything below a matched directory is monitored too.
    pub recurse: bool,
    /// What is done at symbolic links.
    pub links: Links,
    /// What the path is meant to name.
    pub path_type: PathType,
    /// Which differences are changes.
    pub watched: AspectSet,
    /// True if the text of the files is stored before and after a change.
    pub upload_content: bool,
    /// True if the rule is in force.
    pub enabled: bool,
}

impl Rule {
    /// The longest name of a rule, in characters.
    pub const MAX_NAME_CHARACTERS: usize = 200;
    /// The most exclusions of one rule.
    pub const MAX_EXCLUSIONS: usize = 1000;

    /// A rule in force with the usual settings: not recursive, links followed, whatever is there.
    pub fn new(name: impl Into<String>, group: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            group: group.into(),
            path: path.into(),
            exclude: Vec::new(),
            recurse: false,
            links: Links::default(),
            path_type: PathType::default(),
            watched: AspectSet::WATCHED_BY_DEFAULT,
            upload_content: false,
            enabled: true,
        }
    }

    /// Checks everything that can be known of the rule without a machine.
    ///
    /// # Errors
    ///
    /// Names the rule, the part of it that is wrong, where, and what to write instead.
    pub fn validate(&self, style: PathStyle) -> Result<(), RuleError> {
        CompiledRule::new(self.clone(), style).map(|_| ())
    }

    /// What a person should be warned of who saves the rule, which is valid all the same: a sentence for each.
    ///
    /// # Errors
    ///
    /// Fails as [`Rule::validate`] does.
    pub fn warnings(&self, style: PathStyle) -> Result<Vec<String>, RuleError> {
        let rule = CompiledRule::new(self.clone(), style)?;
        let general = rule.is_general().then(|| {
            format!(
                "the path `{}` takes in so much that changes will be many: name a folder below it",
                self.path
            )
        });
        let unsteady = rule.unsteady_folder().map(|(folder, why)| {
            format!(
                "the path `{}` takes in more than one file of {folder}, {why}: name what matters alone",
                self.path
            )
        });
        let variables = rule.variables().into_iter().map(|name| {
            format!(
                "each agent takes the value of `{name}` from its own environment, which is that of a service: where it \
                 has none, the rule names nothing; `*` stands for any one name"
            )
        });
        Ok(general.into_iter().chain(unsteady).chain(variables).collect())
    }
}
