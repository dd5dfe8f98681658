//! Who holds how much of the memory for rows that are not in data files; pure.

use std::collections::HashMap;

use uuid::Uuid;

/// The memory that rows take, by workspace.
///
/// No workspace may hold more than what is free for all the others. So one that floods alone gets half of the memory,
/// two get a third each, and there is always room for one that sends little. (The rule is known from the buffers of
/// network switches as dynamic thresholds.)
#[derive(Debug)]
pub(crate) struct Held {
    by_workspace: HashMap<Uuid, u64>,
    total: u64,
    max: u64,
}

impl Held {
    /// Nothing held of `max` bytes.
    pub(crate) fn new(max: u64) -> Self {
        Self { by_workspace: HashMap::new(), total: 0, max }
    }

    /// Takes room for rows; false if the workspace may not have so much now.
    pub(crate) fn reserve(&mut self, workspace: Uuid, bytes: u64) -> bool {
        let own = self.by_workspace.get(&workspace).copied().unwrap_or(0);
        let others = self.total - own;
        let mine = own.saturating_add(bytes);
        // A workspace alone may take half, and a single call may take all if nothing else is held.
        let fits = mine.saturating_add(mine).saturating_add(others) <= self.max
            || (self.total == 0 && bytes <= self.max);
        if fits {
            self.add(workspace, bytes);
        }
        fits
    }

    /// Counts bytes that are held whether there is room or not.
    pub(crate) fn add(&mut self, workspace: Uuid, bytes: u64) {
        *self.by_workspace.entry(workspace).or_default() += bytes;
        self.total += bytes;
    }

    /// Gives room back.
    pub(crate) fn release(&mut self, workspace: Uuid, bytes: u64) {
        let Some(own) = self.by_workspace.get_mut(&workspace) else { return };
        let bytes = bytes.min(*own);
        *own -= bytes;
        self.total -= bytes;
        if *own == 0 {
            self.by_workspace.remove(&workspace);
        }
    }

    /// Bytes held by all.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The most bytes that may be held.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workspace(number: u64) -> Uuid {
        Uuid::from_u128(u128::from(number))
    }

    #[test]
    fn a_workspace_that_floods_leaves_room_for_others() {
        let mut held = Held::new(1_200);
        while held.reserve(workspace(1), 10) {}
        assert_eq!(held.total(), 600);
        while held.reserve(workspace(2), 10) {}
        assert_eq!(held.total(), 900, "the second gets half of what is left, the first keeps what it has");
        assert!(held.reserve(workspace(3), 10));
        held.release(workspace(1), 600);
        assert!(held.reserve(workspace(2), 10));
    }

    #[test]
    fn a_call_that_needs_all_the_memory_is_taken_when_nothing_else_is_held() {
        let mut held = Held::new(100);
        assert!(held.reserve(workspace(1), 100));
        assert!(!held.reserve(workspace(2), 1));
        held.release(workspace(1), 100);
        assert!(!held.reserve(workspace(1), 101));
    }

    proptest! {
        /// Never more than there is, and what is given back is there again.
        #[test]
        fn no_more_is_held_than_there_is(calls in prop::collection::vec((0_u64..4, 1_u64..50, any::<bool>()), 1..200)) {
            let mut held = Held::new(100);
            let mut given = Vec::new();
            for (number, bytes, gives_back) in calls {
                if gives_back && let Some((number, bytes)) = given.pop() {
                    held.release(workspace(number), bytes);
                } else if held.reserve(workspace(number), bytes) {
                    given.push((number, bytes));
                }
                prop_assert!(held.total() <= 100);
                prop_assert_eq!(held.total(), given.iter().map(|(_, bytes)| bytes).sum::<u64>());
            }
            for (number, bytes) in given {
                held.release(workspace(number), bytes);
            }
            prop_assert_eq!((held.total(), held.by_workspace.len()), (0, 0));
        }
    }
}
