//! What a walk reaches beyond the file systems that it enters by itself.

use fim_core::EntityPath;

/// What is asked for by its own path, and where nothing may answer.
pub(crate) struct Reach {
    /// In path order.
    named: Vec<EntityPath>,
    may_hang: Vec<(EntityPath, String)>,
}

impl Reach {
    /// Of a walk for which these places are named, on a machine on which there are file systems that may hang, each with
    /// its type.
    pub(crate) fn new(mut named: Vec<EntityPath>, may_hang: Vec<(EntityPath, String)>) -> Self {
        named.sort();
        Self { named, may_hang }
    }

    pub(crate) fn named(&self) -> impl Iterator<Item = &EntityPath> {
        self.named.iter()
    }

    pub(crate) fn is_named(&self, path: &EntityPath) -> bool {
        self.named.binary_search(path).is_ok()
    }

    /// The innermost that is named of the path and what is above it.
    pub(crate) fn named_above(&self, path: &EntityPath) -> Option<&EntityPath> {
        let above = self.named.iter().filter(|named| path.is_within(named));
        above.max_by_key(|named| named.as_bytes().len())
    }

    /// True if the path or something below it is named.
    pub(crate) fn is_named_below(&self, path: &EntityPath) -> bool {
        // What is within a place comes right behind it.
        let at = self.named.partition_point(|named| named < path);
        self.named.get(at).is_some_and(|named| named.is_within(path))
    }

    /// The type of the file system that a path without links leads into, if that may hang and nothing in it is named.
    pub(crate) fn may_hang(&self, real: &EntityPath) -> Option<&str> {
        let is_kept_out = |point: &EntityPath| real.is_within(point) && !self.is_named_below(point);
        self.may_hang.iter().find(|(point, _)| is_kept_out(point)).map(|(_, kind)| kind.as_str())
    }

    /// The same of where the text of a link leads to that is in the directory `above`, as far as no other link is on the
    /// way.
    pub(crate) fn may_hang_by_link(&self, above: &EntityPath, target: &[u8]) -> Option<&str> {
        if self.may_hang.is_empty() {
            return None;
        }
        let top = EntityPath::unix("/");
        let mut place = if target.starts_with(b"/") { top.clone() } else { above.clone() };
        for segment in target.split(|&byte| byte == b'/') {
            match segment {
                b"" | b"." => {}
                b".." => place = place.parent().unwrap_or_else(|| top.clone()),
                name => place = place.join(name),
            }
        }
        self.may_hang(&place)
    }
}
