//! A rule with its patterns parsed, and what it says of a path.

use std::collections::BTreeSet;

use super::{How, InvalidRule, Links, PathType, Rule, RuleError};
use crate::pattern::Progress;
use crate::windows::Hive;
use crate::{EntityKind, EntityPath, PathStyle, Pattern, ResolveError};

/// A rule with its patterns parsed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct CompiledRule {
    pub(super) rule: Rule,
    /// The path as it was written.
    written: Pattern,
    /// The path with what recursion adds to it.
    pub(super) pattern: Pattern,
    pub(super) exclusions: Vec<Pattern>,
    /// Everything that the rule names is within this path.
    pub(super) root: EntityPath,
}

/// Folders of Linux whose contents change by themselves, and why.
const UNSTEADY_FOLDERS: [(&str, &str); 4] = [
    ("/proc", "which the kernel makes up as it is read"),
    ("/sys", "which the kernel makes up as it is read"),
    ("/dev", "where devices and terminals come and go"),
    ("/run", "which is made anew at each start of the machine, and changes with every service"),
];

/// What a rule says of a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict<'a> {
    /// The rule does not name it.
    NotNamed,
    /// The rule names it.
    Named(How),
    /// The rule would name it, but leaves it out.
    Excluded(&'a Pattern),
    /// The rule would name it, but not what it is: a directory, say, where it means files.
    WrongKind,
}

impl CompiledRule {
    pub(super) fn new(rule: Rule, style: PathStyle) -> Result<Self, RuleError> {
        let fail = |invalid| RuleError { rule: rule.name.clone(), invalid };
        if rule.name.trim().is_empty() {
            return Err(fail(InvalidRule::NoName));
        }
        if rule.name.chars().count() > Rule::MAX_NAME_CHARACTERS || rule.name.chars().any(crate::is_hidden) {
            return Err(fail(InvalidRule::BadName));
        }
        if rule.watched.is_empty() {
            return Err(fail(InvalidRule::NothingWatched));
        }
        if rule.exclude.len() > Rule::MAX_EXCLUSIONS {
            return Err(fail(InvalidRule::TooManyExclusions { count: rule.exclude.len() }));
        }
        let pattern = Pattern::parse(&rule.path, style)
            .map_err(|source| fail(InvalidRule::Path { path: rule.path.clone(), source }))?;
        let exclusion = |text: &String| {
            Pattern::parse_exclusion(text, style)
                .map_err(|source| fail(InvalidRule::Exclusion { exclusion: text.clone(), source }))
        };
        let exclusions = rule.exclude.iter().map(exclusion).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::from_parts(rule, pattern, exclusions))
    }

    /// True if both rules name the same places and kinds.
    pub(super) fn has_scope_of(&self, other: &Self) -> bool {
        self.pattern == other.pattern
            && self.exclusions == other.exclusions
            && self.rule.recurse == other.rule.recurse
            && self.rule.links == other.rule.links
            && self.rule.path_type == other.rule.path_type
    }

    /// The rule with the variables in its patterns replaced.
    pub(super) fn resolve(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ResolveError> {
        let exclusions =
            self.exclusions.iter().map(|exclusion| exclusion.resolve(lookup)).collect::<Result<_, _>>()?;
        Ok(Self::from_parts(self.rule.clone(), self.written.resolve(lookup)?, exclusions))
    }

    fn from_parts(rule: Rule, written: Pattern, exclusions: Vec<Pattern>) -> Self {
        let is_deepened = rule.recurse && !written.ends_literally();
        let pattern = if is_deepened { written.at_any_depth() } else { written.clone() };
        Self { rule, root: written.root(), written, pattern, exclusions }
    }

    /// True if the rule is in force and can be asked.
    pub(super) fn is_active(&self) -> bool {
        self.rule.enabled && self.is_resolved()
    }

    pub(super) fn is_resolved(&self) -> bool {
        self.pattern.is_resolved() && self.exclusions.iter().all(Pattern::is_resolved)
    }

    pub(super) fn is_general(&self) -> bool {
        let is_top = self.root.file_name().is_none()
            || (self.root.segments().count() == 1 && self.root.style() == PathStyle::Windows)
            // Most of a hive is in a few keys at its top.
            || (self.root.segments().count() == 2 && Hive::of(&self.root).is_some());
        self.written.is_general() || (self.rule.recurse && self.pattern.is_literal() && is_top)
    }

    /// The folder whose contents change by themselves that the rule names more than one file of, and why they do
    /// (`hier(7)`, `proc(5)`, `sysfs(5)`).
    pub(super) fn unsteady_folder(&self) -> Option<(&'static str, &'static str)> {
        let names_several = self.rule.recurse || !self.pattern.is_literal();
        let is_within = |folder: &str| self.root.is_within(&EntityPath::unix(folder));
        UNSTEADY_FOLDERS.into_iter().find(|(folder, _)| names_several && is_within(folder))
    }

    /// The variables in its patterns that a machine puts in, each once.
    pub(super) fn variables(&self) -> BTreeSet<&str> {
        [&self.written].into_iter().chain(&self.exclusions).flat_map(Pattern::variables).collect()
    }

    /// What the rule says of the path; a kind that is not known is taken to be one that it means.
    pub(super) fn verdict(&self, path: &EntityPath, kind: Option<EntityKind>) -> Verdict<'_> {
        let Some(how) = self.progress(path).and_then(|progress| self.names(progress, kind)) else {
            return Verdict::NotNamed;
        };
        // A key stands for its values and for which keys are in it, and not for what those hold.
        let is_in_child = how == How::InFolder && !self.rule.recurse;
        if is_in_child && path.is_stream() && Hive::of(path).is_some() {
            return Verdict::NotNamed;
        }
        if let Some(exclusion) = self.exclusion_of(path) {
            return Verdict::Excluded(exclusion);
        }
        match kind {
            Some(kind) if !self.means(kind) => Verdict::WrongKind,
            Some(_) | None => Verdict::Named(how),
        }
    }

    /// True if the rule names something below the directory.
    pub(super) fn reaches_below(&self, directory: &EntityPath) -> bool {
        self.progress(directory).is_some_and(|progress| self.names_below(progress))
            && self.exclusion_of(directory).is_none()
    }

    /// True if the rule's path leads through the directory by segments that the user spelled out.
    pub(super) fn leads_through(&self, directory: &EntityPath) -> bool {
        self.progress(directory).is_some_and(|progress| self.pattern.is_spelled_out(progress))
    }

    /// True if every direct child of the directory, of whatever kind, is named; with `deeply`, all that is below it.
    pub(super) fn names_all_within(&self, directory: &EntityPath, deeply: bool) -> bool {
        let Some(progress) = self.progress(directory) else { return false };
        let below = self.rule.recurse && (progress.is_match || progress.one_above_matches);
        let children =
            (progress.is_match && self.names_children()) || self.pattern.matches_every_child(progress);
        self.exclusions.is_empty() && self.rule.path_type == PathType::Any && (below || (children && !deeply))
    }

    /// True if the rule names more below the directory than its direct children.
    pub(super) fn reaches_deeply(&self, directory: &EntityPath) -> bool {
        let Some(progress) = self.progress(directory) else { return false };
        self.rule.recurse || self.pattern.is_alive(progress)
    }

    fn progress(&self, path: &EntityPath) -> Option<Progress> {
        // Most paths are nowhere near most rules, which the first bytes tell. Windows folds case, so there they do not.
        if path.style() == PathStyle::Unix && !path.is_within(&self.root) && !self.root.is_within(path) {
            return None;
        }
        self.pattern.progress(path)
    }

    fn names(&self, progress: Progress, kind: Option<EntityKind>) -> Option<How> {
        let may_be_folder = kind.is_none_or(|kind| kind == EntityKind::Directory);
        if progress.is_match && (self.rule.path_type != PathType::Folder || may_be_folder) {
            Some(How::Itself)
        } else if progress.parent_matches && self.names_children() {
            Some(How::InFolder)
        } else if progress.one_above_matches && self.rule.recurse {
            Some(How::Below)
        } else {
            None
        }
    }

    fn names_below(&self, progress: Progress) -> bool {
        self.pattern.is_alive(progress)
            || (progress.is_match && self.names_children())
            || (self.rule.recurse && (progress.is_match || progress.one_above_matches))
    }

    fn names_children(&self) -> bool {
        self.pattern.ends_literally() || self.rule.path_type == PathType::Folder
    }

    /// The exclusion that takes out the path or a directory above it.
    fn exclusion_of(&self, path: &EntityPath) -> Option<&Pattern> {
        self.exclusions.iter().find(|exclusion| {
            exclusion.progress(path).is_some_and(|progress| progress.is_match || progress.one_above_matches)
        })
    }

    fn means(&self, kind: EntityKind) -> bool {
        let is_meant = match self.rule.path_type {
            PathType::Any | PathType::Folder => true,
            PathType::File => kind != EntityKind::Directory,
        };
        is_meant && (kind != EntityKind::Symlink || self.rule.links != Links::Ignore)
    }
}
