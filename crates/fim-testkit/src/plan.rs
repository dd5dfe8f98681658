use fim_core::{EntityKind, EntityPath};
use fim_scan::Plan;

/// A plan of everything below one path, with what links lead to or without it.
#[derive(Clone, Debug)]
pub struct Below {
    /// The path that the scan begins at.
    pub root: EntityPath,
    /// True if links are followed, everywhere.
    pub follows: bool,
}

impl Plan for Below {
    fn roots(&self) -> Vec<EntityPath> {
        vec![self.root.clone()]
    }

    fn watches(&self, _path: &EntityPath, _real: &EntityPath, _kind: EntityKind) -> bool {
        true
    }

    fn descends(&self, _path: &EntityPath) -> bool {
        true
    }

    fn follows(&self, _link: &EntityPath, _real: &EntityPath, _kind: EntityKind) -> bool {
        self.follows
    }
}
