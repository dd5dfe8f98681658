//! Where a walk goes.

use fim_core::{DirectoryDecision, EntityDecision, EntityKind, EntityPath, LinkDecision, ScanPlan};

/// Decides where a walk goes and what it looks at.
///
/// A decision depends on the path and the kind alone, never on the root that led there: a root within another root
/// is met on the way, so the outer one must descend towards it. `real` is the path without links; it differs from
/// `path` only below a link that is followed.
pub trait Plan: Send + Sync + 'static {
    /// Where the walk begins.
    fn roots(&self) -> Vec<EntityPath>;

    /// The places that are asked for by their own path, wherever the walk begins. A file system that is kept out of
    /// ([`KeepOut`](crate::KeepOut)) is entered for them: one that may hang with all that is in it, one that stores
    /// nothing as far as they lie in it.
    fn named(&self) -> Vec<EntityPath> {
        self.roots()
    }

    /// True if the entity is observed.
    fn watches(&self, path: &EntityPath, real: &EntityPath, kind: EntityKind) -> bool;

    /// True if the walk lists the directory.
    fn descends(&self, path: &EntityPath) -> bool;

    /// True if [`follows`](Self::follows) may be so for the link; if not, the walk does not look where it leads.
    fn may_follow(&self, _link: &EntityPath) -> bool {
        true
    }

    /// True if the walk follows the link at `link` to something of the kind whose path is `real`: a file's attributes
    /// and content are then observed as the link's, a directory is walked under the link's path.
    fn follows(&self, link: &EntityPath, real: &EntityPath, kind: EntityKind) -> bool;
}

impl Plan for ScanPlan {
    fn roots(&self) -> Vec<EntityPath> {
        self.roots().to_vec()
    }

    fn named(&self) -> Vec<EntityPath> {
        Self::named(self).cloned().collect()
    }

    fn watches(&self, path: &EntityPath, real: &EntityPath, kind: EntityKind) -> bool {
        match self.entity_at(path, real, kind) {
            EntityDecision::Watch(_) => true,
            EntityDecision::Ignore => false,
        }
    }

    fn descends(&self, path: &EntityPath) -> bool {
        match self.directory(path) {
            DirectoryDecision::Descend => true,
            DirectoryDecision::Skip => false,
        }
    }

    fn follows(&self, link: &EntityPath, real: &EntityPath, kind: EntityKind) -> bool {
        match self.link(link, real, kind) {
            LinkDecision::Follow => true,
            LinkDecision::Stay | LinkDecision::WatchedElsewhere => false,
        }
    }
}
