//! What a scan has to look at: the decisions of a walk.

use super::compiled::Verdict;
use super::{CompiledRule, Links, Rule, RuleSet};
use crate::{EntityKind, EntityPath};

/// Where a scan starts and what it decides at each place that it comes to. The walker performs it.
///
/// On the way the walker may come to a symbolic link to a directory that is monitored at its real place as well: `/bin`
/// is a link to `usr/bin` on most machines, and both are recommended. Nothing is monitored twice: [`ScanPlan::link`] and
/// [`ScanPlan::entity_at`] leave out what a rule names at its real place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScanPlan {
    rules: RuleSet,
    roots: Vec<EntityPath>,
}

/// What a walk does at a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DirectoryDecision {
    /// It lists the directory: something in it, or further below, may be monitored.
    Descend,
    /// It need not list the directory.
    Skip,
}

impl DirectoryDecision {
    /// True if the walk lists the directory.
    pub fn is_descend(self) -> bool {
        match self {
            Self::Descend => true,
            Self::Skip => false,
        }
    }
}

/// What a walk does with an entity that it comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EntityDecision<'a> {
    /// It looks at it, and this rule monitors it.
    Watch(&'a Rule),
    /// It leaves it alone.
    Ignore,
}

/// What a walk does at a symbolic link, beside looking at the link itself if [`ScanPlan::entity`] says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkDecision {
    /// Nothing: no rule asks for what the link points to.
    Stay,
    /// Nothing: what it points to is monitored at its real place.
    WatchedElsewhere,
    /// It reads the content of a file that the link points to as the link's own, and walks a directory under the link's
    /// path, asking [`ScanPlan::entity_at`] with the real path of what it finds.
    Follow,
}

impl ScanPlan {
    pub(super) fn new(rules: &RuleSet) -> Self {
        let mut roots: Vec<EntityPath> = rules.active().map(|rule| rule.root.clone()).collect();
        roots.sort();
        // Sorted, so that the outermost of several comes first.
        roots.dedup_by(|inner, outer| inner.is_within(outer));
        Self { rules: rules.clone(), roots }
    }

    /// The rules that the plan is made from.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Where walks start: in order, and none within another. A root may be a file, a directory, a link or nothing.
    pub fn roots(&self) -> &[EntityPath] {
        &self.roots
    }

    /// The root of each rule that is used, also within another.
    pub fn named(&self) -> impl Iterator<Item = &EntityPath> {
        self.rules.active().map(|rule| &rule.root)
    }

    /// True if there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// Whether a walk lists the directory.
    pub fn directory(&self, path: &EntityPath) -> DirectoryDecision {
        if self.reaching_below(path).next().is_some() {
            DirectoryDecision::Descend
        } else {
            DirectoryDecision::Skip
        }
    }

    /// Whether a walk looks at the entity, and by which rule.
    pub fn entity(&self, path: &EntityPath, kind: EntityKind) -> EntityDecision<'_> {
        match self.rules.rule_for_path(path, Some(kind)) {
            Some(rule) => EntityDecision::Watch(rule),
            None => EntityDecision::Ignore,
        }
    }

    /// As [`ScanPlan::entity`], for an entity that was reached through a followed link: `real` is its path without
    /// links. It is left out if a rule names it there.
    pub fn entity_at(&self, path: &EntityPath, real: &EntityPath, kind: EntityKind) -> EntityDecision<'_> {
        if path != real && self.is_watched(real, kind) {
            EntityDecision::Ignore
        } else {
            self.entity(path, kind)
        }
    }

    /// What a walk does at the link at `path`, which points to something of kind `target_kind` whose path without
    /// links is `real`. A link whose target is not there has nothing to follow.
    pub fn link(&self, path: &EntityPath, real: &EntityPath, target_kind: EntityKind) -> LinkDecision {
        match target_kind {
            EntityKind::Directory => self.link_to_directory(path, real),
            EntityKind::File => self.link_to_file(path, real),
            EntityKind::Symlink
            | EntityKind::BlockDevice
            | EntityKind::CharDevice
            | EntityKind::Fifo
            | EntityKind::Socket => LinkDecision::Stay,
        }
    }

    fn link_to_file(&self, path: &EntityPath, real: &EntityPath) -> LinkDecision {
        let rule = self.rules.rule_for_path(path, Some(EntityKind::Symlink));
        if rule.is_none_or(|rule| rule.links != Links::Follow) {
            LinkDecision::Stay
        } else if self.is_watched(real, EntityKind::File) {
            LinkDecision::WatchedElsewhere
        } else {
            LinkDecision::Follow
        }
    }

    fn link_to_directory(&self, path: &EntityPath, real: &EntityPath) -> LinkDecision {
        // A path that the user spelled out is about what it leads to; elsewhere the rule's setting decides.
        let follows = |rule: &&CompiledRule| rule.rule.links == Links::Follow || rule.leads_through(path);
        let mut following = self.reaching_below(path).filter(follows).peekable();
        if following.peek().is_none() {
            LinkDecision::Stay
        } else if following.all(|rule| self.is_covered(rule, path, real)) {
            LinkDecision::WatchedElsewhere
        } else {
            LinkDecision::Follow
        }
    }

    /// True if all that the rule could name below the link is monitored at the real place. Says so only where that is
    /// certain: otherwise the walk goes there and asks for each entity.
    fn is_covered(&self, rule: &CompiledRule, path: &EntityPath, real: &EntityPath) -> bool {
        let deeply = rule.reaches_deeply(path);
        self.rules.active().any(|other| {
            let sees_the_same_links = other.rule.links == rule.rule.links;
            sees_the_same_links && !real.is_within(path) && other.names_all_within(real, deeply)
        })
    }

    fn is_watched(&self, real: &EntityPath, kind: EntityKind) -> bool {
        self.rules.active().any(|rule| matches!(rule.verdict(real, Some(kind)), Verdict::Named(_)))
    }

    fn reaching_below<'a>(&'a self, path: &'a EntityPath) -> impl Iterator<Item = &'a CompiledRule> {
        self.rules.active().filter(move |rule| rule.reaches_below(path))
    }
}
