//! Changes of files that no notice names: marks of `chattr`, and what is stored through a mapping. The kernel tells of them
//! when it sets the time of the file's last change.
//!
//! It tells so of every change. What a notice names as well is looked at because of that, so that only what is left
//! after a moment is handed on.

use std::collections::{HashMap, VecDeque};

use fim_bpf::{FileEvents, FileRecord, KernelTypes, StartError};
use fim_core::FileId;
use fim_scan::KnownFiles;

use super::process;

/// Changes that no notice may have named.
pub(super) struct Unnamed {
    events: FileEvents,
    waiting: Waiting,
}

/// A change of a file that no notice named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Change {
    pub file: FileId,
    pub process: u32,
    /// When, in nanoseconds after the machine began.
    pub at_nanos: u64,
}

/// Changes that wait for a notice.
#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Change>,
    /// When files were named by a notice last.
    named: HashMap<FileId, u64>,
    /// True if there was no room for a change since the last [`Self::catch_up`].
    is_full: bool,
    /// When what the kernel had told was taken in last.
    caught_up_nanos: u64,
    /// Since when changes may be missing of which nobody was told so.
    lost_since_nanos: Option<u64>,
}

impl Unnamed {
    /// Begins: what happens from the return on is told.
    pub(super) fn start(types: &KernelTypes) -> Result<Self, StartError> {
        let caught_up_nanos = process::nanos_since_boot();
        let waiting = Waiting { caught_up_nanos, ..Waiting::default() };
        Ok(Self { events: FileEvents::start(types)?, waiting })
    }

    /// Notes that a notice of the file was read.
    pub(super) fn name(&mut self, file: FileId, now_nanos: u64) {
        self.waiting.name(file, now_nanos);
    }

    /// Takes in what the kernel told of files that are known.
    pub(super) fn catch_up(&mut self, known: &KnownFiles) {
        let asked_nanos = process::nanos_since_boot();
        let waiting = &mut self.waiting;
        self.events.take(|record| {
            let change = Change::of(&record);
            if known.may_have(change.file) {
                waiting.put(change);
            }
        });
        waiting.catch_up(asked_nanos, self.events.take_lost() > 0);
    }

    /// If changes were lost since this was asked last: since when they may be missing, in nanoseconds after the machine
    /// began.
    pub(super) fn take_lost(&mut self) -> Option<u64> {
        self.waiting.lost_since_nanos.take()
    }

    /// The changes of which no notice came.
    pub(super) fn take_due(&mut self, now_nanos: u64) -> Vec<Change> {
        self.waiting.take_due(now_nanos)
    }
}

impl Change {
    fn of(record: &FileRecord) -> Self {
        let (major, minor) = record.device;
        let file = FileId { device: rustix::fs::makedev(major, minor), inode: record.inode };
        Self { file, process: record.process, at_nanos: record.at_nanos }
    }
}

impl Waiting {
    fn put(&mut self, change: Change) {
        if self.changes.len() >= MOST_WAITING {
            self.is_full = true;
        } else {
            self.changes.push_back(change);
        }
    }

    /// Notes that all was put in that the kernel had told by then, and whether it told that there is more.
    fn catch_up(&mut self, asked_nanos: u64, is_more: bool) {
        let is_lost = std::mem::take(&mut self.is_full) || is_more;
        let before = std::mem::replace(&mut self.caught_up_nanos, asked_nanos);
        if is_lost {
            // A record may come into the ring a moment after its change.
            let since = before.saturating_sub(PATIENCE_NANOS);
            self.lost_since_nanos = Some(self.lost_since_nanos.map_or(since, |known| known.min(since)));
        }
    }

    fn name(&mut self, file: FileId, now_nanos: u64) {
        if self.named.len() >= MOST_WAITING {
            // Some will be looked at once more.
            self.named.clear();
        }
        self.named.insert(file, now_nanos);
    }

    fn take_due(&mut self, now_nanos: u64) -> Vec<Change> {
        let mut due = Vec::new();
        while let Some(change) = self.changes.front().copied()
            && change.at_nanos.saturating_add(PATIENCE_NANOS) <= now_nanos
        {
            self.changes.pop_front();
            // The look that a notice leads to comes later than this after it.
            let is_named = self
                .named
                .get(&change.file)
                .is_some_and(|named| named.saturating_add(PATIENCE_NANOS) > change.at_nanos);
            if !is_named && due.last().is_none_or(|last: &Change| last.file != change.file) {
                due.push(change);
            }
        }
        if self.changes.is_empty() {
            self.named.retain(|_, named| named.saturating_add(2 * PATIENCE_NANOS) > now_nanos);
        }
        due
    }
}

/// How long a notice of the same change may take to be read: less than the place is left to keep still after a notice.
const PATIENCE_NANOS: u64 = 150_000_000;

/// With them about a megabyte.
const MOST_WAITING: usize = 16_384;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fim_core::{Hint, Notice};
    use fim_scan::Watcher;

    use super::super::actors::Actors;
    use super::super::fanotify::FanotifyWatcher;
    use super::super::now;
    use super::*;

    const MILLI: u64 = 1_000_000;

    fn change(inode: u64, at_millis: u64) -> Change {
        Change { file: FileId { device: 1, inode }, process: 7, at_nanos: at_millis * MILLI }
    }

    #[test]
    fn what_a_notice_names_is_not_told_again_and_what_it_came_too_early_for_is() {
        let mut waiting = Waiting::default();
        waiting.name(change(1, 0).file, 1_000 * MILLI);
        waiting.put(change(1, 1_001));
        waiting.put(change(2, 1_002));
        // The look that the notice led to was made by then.
        waiting.put(change(1, 1_200));
        assert_eq!(waiting.take_due(1_100 * MILLI), []);
        assert_eq!(waiting.take_due(1_300 * MILLI), [change(2, 1_002)]);
        assert_eq!(waiting.take_due(1_400 * MILLI), [change(1, 1_200)]);
        assert!(waiting.named.is_empty());
    }

    #[test]
    fn what_there_is_no_room_for_is_lost_since_before_what_was_taken_in_last() {
        let mut waiting = Waiting::default();
        (0..MOST_WAITING as u64).for_each(|inode| waiting.put(change(inode, 1_000)));
        waiting.catch_up(1_001 * MILLI, false);
        assert_eq!(waiting.lost_since_nanos, None);
        waiting.put(change(0, 1_002));
        waiting.catch_up(1_400 * MILLI, false);
        assert_eq!(waiting.lost_since_nanos.take(), Some(1_001 * MILLI - PATIENCE_NANOS));
        waiting.catch_up(1_500 * MILLI, false);
        assert_eq!(waiting.lost_since_nanos, None, "it is said once");
    }

    #[test]
    fn of_losses_that_nobody_was_told_of_the_first_counts() {
        let mut waiting = Waiting::default();
        for (asked_millis, is_lost) in [(1_000, false), (1_100, true), (1_200, false), (1_300, true)] {
            waiting.catch_up(asked_millis * MILLI, is_lost);
        }
        assert_eq!(waiting.lost_since_nanos, Some(1_000 * MILLI - PATIENCE_NANOS));
    }

    #[test]
    fn a_quiet_moment_before_a_loss_is_told_does_not_shorten_it() {
        let Ok(types) = KernelTypes::read() else {
            return fim_testkit::skip("the kernel does not describe its types");
        };
        let mut unnamed = match Unnamed::start(&types) {
            Ok(unnamed) => unnamed,
            Err(error) => return fim_testkit::skip(&format!("the kernel does not tell of changes: {error}")),
        };
        unnamed.waiting.is_full = true;
        let mut watcher = match FanotifyWatcher::new("fanotify+ebpf", Actors::by_asking(), Some(unnamed)) {
            Ok(watcher) => watcher,
            Err(error) => return fim_testkit::skip(&error.to_string()),
        };
        let (before, mut hints) = (now(), Vec::new());
        // Nothing is marked, so that nothing can be noticed.
        watcher.wait(Duration::ZERO, &mut hints).unwrap();
        let [Hint { notice: Notice::Lost(loss), since, .. }] = hints.as_slice() else { panic!("{hints:?}") };
        assert_eq!(loss.since, *since);
        assert!(*since < before, "lost by {before:?}, and a gap since {since:?}");
        assert!(watcher.heard() > before, "what was lost is told, so that it has been heard of");
    }
}
