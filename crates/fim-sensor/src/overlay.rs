//! The state with what is known since the state file was written.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::iter::Peekable;

use fim_core::{Entity, EntityPath, Spot};
use fim_wire::Report;

/// What became of entities after the state was written: the entity, or that it is gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay(BTreeMap<EntityPath, Option<Entity>>);

/// Entities in path order, with an overlay over them.
pub(crate) struct Overlaid<S: Iterator> {
    state: Peekable<S>,
    newer: Peekable<btree_map::IntoIter<EntityPath, Option<Entity>>>,
}

impl Overlay {
    /// Folds reports, in the order in which they were made, until there are `most` changes. Says the number of the last
    /// report that it took if it left any.
    pub fn fold(reports: impl Iterator<Item = (u64, Report)>, most: usize) -> (Self, Option<u64>) {
        let (mut overlay, mut taken) = (Self::default(), None);
        for (sequence, report) in reports {
            if overlay.0.len() >= most {
                return (overlay, taken);
            }
            taken = Some(sequence);
            overlay.take(report);
        }
        (overlay, None)
    }

    /// Folds all reports over it, in the order in which they were made.
    pub fn fold_in(&mut self, reports: impl Iterator<Item = (u64, Report)>) {
        for (_, report) in reports {
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Change(event) => {
                if let Some(old) = event.moved_from {
                    self.put(old.path().clone(), None);
                }
                self.put(event.change.key.path().clone(), event.change.after);
            }
            Report::Gap(_) | Report::Listed(_) | Report::Inventory(_) => {}
        }
    }

    /// Notes what became of an entity.
    pub fn put(&mut self, path: EntityPath, entity: Option<Entity>) {
        self.0.insert(path, entity);
    }

    /// What became of the entity, if it is known here.
    pub fn get(&self, path: &EntityPath) -> Option<&Option<Entity>> {
        self.0.get(path)
    }

    /// What it says of the spots.
    pub fn at(&self, spots: &[Spot]) -> Self {
        let mut part = BTreeMap::new();
        for spot in spots {
            let from = self.0.range(spot.path.clone()..);
            let within = from
                .take_while(|(path, _)| **path == spot.path || (spot.is_deep && path.is_within(&spot.path)));
            part.extend(within.map(|(path, entity)| (path.clone(), entity.clone())));
        }
        Self(part)
    }

    /// The entities that are there.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.0.values().flatten()
    }

    /// How many entities it speaks of.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if the reports say nothing of entities.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entities of `state` as the reports leave them.
    pub fn over<S, E>(self, state: S) -> Overlaid<S>
    where
        S: Iterator<Item = Result<Entity, E>>,
    {
        Overlaid { state: state.peekable(), newer: self.0.into_iter().peekable() }
    }
}

impl<S, E> Iterator for Overlaid<S>
where
    S: Iterator<Item = Result<Entity, E>>,
{
    type Item = Result<Entity, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some((newer, _)) = self.newer.peek() else { return self.state.next() };
            match self.state.peek() {
                Some(Err(_)) => return self.state.next(),
                Some(Ok(older)) if older.key.path() < newer => return self.state.next(),
                Some(Ok(older)) if older.key.path() == newer => {
                    self.state.next();
                }
                Some(Ok(_)) | None => {}
            }
            let (_, entity) = self.newer.next()?;
            if let Some(entity) = entity {
                return Some(Ok(entity));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::{EntityKey, EntityKind, FileAttributes};
    use proptest::prelude::*;

    fn entity(path: u8, size: u64) -> Entity {
        Entity {
            key: EntityKey::File(EntityPath::unix(vec![b'/', b'a' + path])),
            kind: EntityKind::File,
            attributes: FileAttributes { size_bytes: Some(size), ..FileAttributes::default() },
            digest: None,
        }
    }

    proptest! {
        #[test]
        fn an_overlay_gives_what_applying_the_changes_gives(
            state in proptest::collection::btree_map(0_u8..12, 0_u64..3, 0..12),
            changes in proptest::collection::vec((0_u8..12, proptest::option::of(3_u64..6)), 0..20),
        ) {
            let mut expected = state.clone();
            let mut overlay = BTreeMap::new();
            for (path, size) in changes {
                match size {
                    Some(size) => expected.insert(path, size),
                    None => expected.remove(&path),
                };
                let key = entity(path, 0).key.path().clone();
                overlay.insert(key, size.map(|size| entity(path, size)));
            }
            let state = state.into_iter().map(|(path, size)| Ok::<_, ()>(entity(path, size)));
            let seen: Vec<Entity> = Overlay(overlay).over(state).map(Result::unwrap).collect();
            let expected: Vec<Entity> = expected.into_iter().map(|(path, size)| entity(path, size)).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
