//! What each source has already delivered: the memory that makes twice once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where rows come from, and their number there.
///
/// A source delivers in order and one batch at a time: a batch whose number is not above the highest number stored of
/// the same source and epoch has been stored before. Numbers may leave holes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Origin {
    /// Who delivers; a machine's id.
    pub source: [u8; 16],
    /// Random; another one when the source has started to count anew.
    pub epoch: [u8; 16],
    /// The batch's number in the epoch.
    pub sequence: u64,
}

/// The highest number stored of each source and epoch of each workspace.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks {
    by_workspace: BTreeMap<Uuid, BTreeMap<Uuid, BTreeMap<Uuid, u64>>>,
}

impl Marks {
    /// True if the batch has been stored before.
    pub fn covers(&self, workspace: Uuid, origin: Origin) -> bool {
        self.highest(workspace, origin).is_some_and(|highest| origin.sequence <= highest)
    }

    /// Remembers that the batch is stored.
    pub fn remember(&mut self, workspace: Uuid, origin: Origin) {
        let epochs = self.by_workspace.entry(workspace).or_default();
        let sequences = epochs.entry(Uuid::from_bytes(origin.source)).or_default();
        let highest = sequences.entry(Uuid::from_bytes(origin.epoch)).or_default();
        *highest = origin.sequence.max(*highest);
    }

    /// Forgets a workspace that is no more.
    pub fn forget(&mut self, workspace: Uuid) {
        self.by_workspace.remove(&workspace);
    }

    fn highest(&self, workspace: Uuid, origin: Origin) -> Option<u64> {
        let epochs = self.by_workspace.get(&workspace)?.get(&Uuid::from_bytes(origin.source))?;
        epochs.get(&Uuid::from_bytes(origin.epoch)).copied()
    }
}
