//! What is asked for by its own path.

use fim_core::EntityPath;

/// What is named: what a walk keeps out of otherwise is entered for it.
pub(crate) struct Named(Vec<EntityPath>);

impl Named {
    pub(crate) fn new(mut paths: Vec<EntityPath>) -> Self {
        paths.sort();
        Self(paths)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &EntityPath> {
        self.0.iter()
    }

    pub(crate) fn is_named(&self, path: &EntityPath) -> bool {
        self.0.binary_search(path).is_ok()
    }

    /// True if the path or something below it is named.
    pub(crate) fn is_below(&self, path: &EntityPath) -> bool {
        // What is within a place comes right behind it.
        let at = self.0.partition_point(|named| named < path);
        self.0.get(at).is_some_and(|named| named.is_within(path))
    }
}
