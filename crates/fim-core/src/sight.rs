//! What is in sight of a walk and what is not, so that what was not seen is never taken for gone.

use crate::{Entity, EntityPath, Observation, Unreadable};

/// The place that a walk in path order could not see into last, if any: nothing within it is known to be gone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct OutOfSight(Option<EntityPath>);

/// What one place came to, before anybody asks whether a rule wants it told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sighting {
    /// The entity is there, as far as it could be read.
    There {
        /// What was known of it.
        before: Option<Box<Entity>>,
        /// What is seen of it.
        seen: Box<Entity>,
    },
    /// What was known of it is all there is: it is not there any more.
    Gone(Box<Entity>),
    /// What was known of it is all that is known: it could not be seen.
    Unseen(Box<Entity>),
    /// Nothing was known, and nothing is.
    Nothing,
}

impl OutOfSight {
    /// Judges one place in path order: what was known of it, and what a walk says of it, if anything. Says too where and
    /// why it lost sight, if it did.
    pub fn judge(
        &mut self,
        before: Option<Box<Entity>>,
        seen: Option<Observation>,
    ) -> (Sighting, Option<(EntityPath, Unreadable)>) {
        match seen {
            Some(Observation::Present(seen)) => (Sighting::There { before, seen }, None),
            Some(Observation::Absent(_)) => (before.map_or(Sighting::Nothing, Sighting::Gone), None),
            Some(Observation::Unreadable { key, partial, why }) => {
                let path = key.path().clone();
                self.lose(&path);
                let sighting = match partial {
                    Some(seen) => Sighting::There { before, seen },
                    None => before.map_or(Sighting::Nothing, Sighting::Unseen),
                };
                (sighting, Some((path, why)))
            }
            None => {
                let known = before.map_or(Sighting::Nothing, |before| {
                    let is_hidden = self.hides(before.key.path());
                    if is_hidden { Sighting::Unseen(before) } else { Sighting::Gone(before) }
                });
                (known, None)
            }
        }
    }

    fn lose(&mut self, path: &EntityPath) {
        if !self.hides(path) {
            self.0 = Some(path.clone());
        }
    }

    fn hides(&self, path: &EntityPath) -> bool {
        self.0.as_ref().is_some_and(|place| path.is_within(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntityKey, EntityKind, FileAttributes};

    fn entity(path: &str) -> Box<Entity> {
        let key = EntityKey::File(EntityPath::unix(path));
        Box::new(Entity { key, kind: EntityKind::File, attributes: FileAttributes::default(), digest: None })
    }

    fn unreadable(path: &str, partial: Option<Box<Entity>>) -> Observation {
        let key = EntityKey::File(EntityPath::unix(path));
        Observation::Unreadable { key, partial, why: Unreadable::Locked }
    }

    #[test]
    fn what_is_not_mentioned_is_gone_only_where_it_was_in_sight() {
        let mut sight = OutOfSight::default();
        let mut missed = |path| sight.judge(Some(entity(path)), None);
        assert_eq!(missed("/a"), (Sighting::Gone(entity("/a")), None));
        let lost = (EntityPath::unix("/b"), Unreadable::Locked);
        let seen = sight.judge(Some(entity("/b")), Some(unreadable("/b", None)));
        assert_eq!(seen, (Sighting::Unseen(entity("/b")), Some(lost)));
        let mut missed = |path| sight.judge(Some(entity(path)), None).0;
        assert_eq!(missed("/b/c"), Sighting::Unseen(entity("/b/c")));
        assert_eq!(missed("/b.c"), Sighting::Gone(entity("/b.c")), "a neighbour is not within it");
        let partial = unreadable("/b/d", Some(entity("/b/d")));
        let there = Sighting::There { before: None, seen: entity("/b/d") };
        assert_eq!(sight.judge(None, Some(partial)).0, there);
        assert_eq!(sight.judge(Some(entity("/b/e")), None).0, Sighting::Unseen(entity("/b/e")));
        let absent = Observation::Absent(EntityKey::File(EntityPath::unix("/b/f")));
        assert_eq!(sight.judge(Some(entity("/b/f")), Some(absent)).0, Sighting::Gone(entity("/b/f")));
    }
}
