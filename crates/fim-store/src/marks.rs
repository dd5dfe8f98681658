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
///
/// Of a source that counts anew again and again, only the epochs that were heard of last are remembered: an older one
/// cannot be on its way any more.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks {
    by_workspace: BTreeMap<Uuid, BTreeMap<Uuid, BTreeMap<Uuid, Mark>>>,
}

/// What is remembered of one epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredMark")]
struct Mark {
    /// The highest number stored.
    highest: u64,
    /// The log's position that it is at.
    position: u64,
}

/// A mark on disk: the first format had the number alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredMark {
    Number(u64),
    Whole { highest: u64, position: u64 },
}

impl From<StoredMark> for Mark {
    fn from(stored: StoredMark) -> Self {
        match stored {
            StoredMark::Number(highest) => Self { highest, position: 0 },
            StoredMark::Whole { highest, position } => Self { highest, position },
        }
    }
}

impl Marks {
    /// True if the batch has been stored before.
    pub fn covers(&self, workspace: Uuid, origin: Origin) -> bool {
        self.highest(workspace, origin).is_some_and(|highest| origin.sequence <= highest)
    }

    /// Remembers that the batch is stored, at that position of the log.
    pub fn remember(&mut self, workspace: Uuid, origin: Origin, position: u64) {
        let sources = self.by_workspace.entry(workspace).or_default();
        let epochs = sources.entry(Uuid::from_bytes(origin.source)).or_default();
        let mark = epochs.entry(Uuid::from_bytes(origin.epoch)).or_insert(Mark { highest: 0, position });
        *mark = Mark { highest: origin.sequence.max(mark.highest), position: position.max(mark.position) };
        if epochs.len() > REMEMBERED_EPOCHS
            && let Some(oldest) = epochs.iter().min_by_key(|(_, mark)| mark.position).map(|(epoch, _)| *epoch)
        {
            epochs.remove(&oldest);
        }
    }

    /// Forgets a workspace that is no more.
    pub fn forget(&mut self, workspace: Uuid) {
        self.by_workspace.remove(&workspace);
    }

    fn highest(&self, workspace: Uuid, origin: Origin) -> Option<u64> {
        let epochs = self.by_workspace.get(&workspace)?.get(&Uuid::from_bytes(origin.source))?;
        epochs.get(&Uuid::from_bytes(origin.epoch)).map(|mark| mark.highest)
    }
}

/// A sensor has a new epoch when its spool is made anew. A client of the public ingestion has one for each request and
/// repeats a request at once, a few at a time.
const REMEMBERED_EPOCHS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: Uuid = Uuid::from_u128(1);

    fn origin(epoch: u8, sequence: u64) -> Origin {
        let mut origin = Origin { source: [1; 16], epoch: [0; 16], sequence };
        origin.epoch[0] = epoch;
        origin.epoch[1] = 1;
        origin
    }

    #[test]
    fn only_the_epochs_heard_of_last_are_remembered() {
        let mut marks = Marks::default();
        for epoch in 0..=255_u8 {
            marks.remember(WORKSPACE, origin(epoch, 1), u64::from(epoch) + 1);
        }
        // The first epoch is heard of again, so the second is now the oldest.
        marks.remember(WORKSPACE, origin(0, 2), 300);
        let other = Origin { epoch: [9; 16], ..origin(0, 1) };
        marks.remember(WORKSPACE, other, 301);
        assert!(marks.covers(WORKSPACE, other));
        assert!(marks.covers(WORKSPACE, origin(0, 2)));
        assert!(!marks.covers(WORKSPACE, origin(1, 1)));
        assert!(marks.covers(WORKSPACE, origin(2, 1)));
    }

    #[test]
    fn marks_of_the_first_format_are_read() {
        let workspace = WORKSPACE.to_string();
        let (source, epoch) = (Uuid::from_bytes([1; 16]), Uuid::from_bytes([2; 16]));
        let text = format!(r#"{{"{workspace}":{{"{source}":{{"{epoch}":7}}}}}}"#);
        let marks: Marks = serde_json::from_str(&text).unwrap();
        let origin = |sequence| Origin { source: [1; 16], epoch: [2; 16], sequence };
        assert!(marks.covers(WORKSPACE, origin(7)) && !marks.covers(WORKSPACE, origin(8)));
        let again: Marks = serde_json::from_str(&serde_json::to_string(&marks).unwrap()).unwrap();
        assert_eq!(again, marks);
    }
}
