//! Changes of files that no notice names: marks of `chattr`, and what is stored through a mapping. The kernel tells of them
//! when its functions for that return, or when it sets the time of the file's last change.
//!
//! It tells so of other changes, too. What a notice names as well is looked at because of that, so that only what is left
//! after a moment is handed on.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::RangeInclusive;

use fim_bpf::{FileEvents, FileHooks, FileRecord, KernelTypes, StartError};
use fim_core::FileId;
use fim_scan::KnownFiles;

use super::process;
use super::proof::{Proof, Unproven};

/// Changes that no notice may have named.
pub(super) struct Unnamed {
    events: FileEvents,
    waiting: Waiting,
    /// How it is proven that the kernel tells.
    proof: Option<Proof>,
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
    /// However often a deed is repeated, it waits once.
    changes: BTreeMap<Deed, Since>,
    /// The same by when they are due.
    due: BTreeSet<(u64, Deed)>,
    /// When the last notice of it was read.
    named: BTreeMap<Deed, u64>,
    /// True if there was no room for a change since the last [`Self::catch_up`].
    is_full: bool,
    /// When what the kernel had told was taken in last.
    caught_up_nanos: u64,
    /// Since when changes may be missing of which nobody was told so.
    lost_since_nanos: Option<u64>,
    /// The process that watches, which changes nothing that is monitored. The kernel may tell of it: overlayfs takes over
    /// a file's times when that is looked at.
    watcher: u32,
}

/// That a process changed a file. What a notice tells of one process says nothing of another.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Deed {
    file: FileId,
    process: u32,
}

/// Since when a deed waits: when it was done first after it was told last.
#[derive(Clone, Copy, Debug)]
struct Since {
    at_nanos: u64,
    due_nanos: u64,
}

/// Why the kernel does not tell of changes that no notice names.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnnamedError {
    /// It does not run the programs.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is nothing to prove by that it does.
    #[error("cannot make the files by which it is proven")]
    Proof(#[source] io::Error),
    /// It runs them, and they tell nothing.
    #[error(transparent)]
    Unproven(#[from] Unproven),
}

impl Unnamed {
    /// Begins to listen where the kernel's functions return: what happens from the return on is told, which is proven.
    pub(super) fn at_returns(types: &KernelTypes) -> Result<Self, UnnamedError> {
        let proof = Proof::new().map_err(UnnamedError::Proof)?;
        let mut started = Self::start(FileHooks::Returns, types)?;
        started.proof = Some(proof);
        started.catch_up(&KnownFiles::default())?;
        Ok(started)
    }

    /// Begins to listen where the kernel sets times: what happens from the return on is told.
    pub(super) fn at_times(types: &KernelTypes) -> Result<Self, StartError> {
        Self::start(FileHooks::Times, types)
    }

    fn start(hooks: FileHooks, types: &KernelTypes) -> Result<Self, StartError> {
        let caught_up_nanos = process::nanos_since_boot();
        let waiting = Waiting { caught_up_nanos, watcher: std::process::id(), ..Waiting::default() };
        Ok(Self { events: FileEvents::start(hooks, types)?, waiting, proof: None })
    }

    /// Notes that a notice was read of what the process did to the file.
    pub(super) fn name(&mut self, file: FileId, process: u32, now_nanos: u64) {
        self.waiting.name(Deed { file, process }, now_nanos);
    }

    /// Takes in what the kernel told of files that are known. Fails if it was proven that it does not tell any more.
    pub(super) fn catch_up(&mut self, known: &KnownFiles) -> Result<(), Unproven> {
        let asked_nanos = process::nanos_since_boot();
        let Some(mut proof) = self.proof.take() else {
            self.take_in(known, asked_nanos, |_| {});
            return Ok(());
        };
        let tried =
            proof.attempt(asked_nanos, |proof| self.take_in(known, asked_nanos, |file| proof.hear(file)));
        self.proof = Some(proof);
        tried
    }

    /// Takes in what the kernel told, and gives each file. True if something is missing.
    fn take_in(&mut self, known: &KnownFiles, asked_nanos: u64, mut each: impl FnMut(FileId)) -> bool {
        let waiting = &mut self.waiting;
        self.events.take(|record| {
            let change = Change::of(&record);
            each(change.file);
            if known.may_have(change.file) {
                waiting.put(change);
            }
        });
        let is_more = self.events.take_lost() > 0;
        waiting.catch_up(asked_nanos, is_more);
        is_more
    }

    /// If changes were lost since this was asked last: since when they may be missing, in nanoseconds after the machine
    /// began.
    pub(super) fn take_lost(&mut self) -> Option<u64> {
        self.waiting.lost_since_nanos.take()
    }

    /// If a change waits: a moment before which none that waits was made, in nanoseconds after the machine began.
    pub(super) fn waits_since(&self) -> Option<u64> {
        self.waiting.since()
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
        let Change { file, process, at_nanos } = change;
        let deed = Deed { file, process };
        // The look that the notice leads to comes after the notice was read, and no moment more is certain: a place that
        // does not keep still is looked at all the same.
        if process == self.watcher
            || self.changes.contains_key(&deed)
            || self.named.get(&deed).is_some_and(|named| *named >= at_nanos)
        {
            return;
        }
        if self.changes.len() >= MOST_WAITING {
            self.is_full = true;
            return;
        }
        let patience = if self.is_named_for_another(deed) { HASTE_NANOS } else { PATIENCE_NANOS };
        let due_nanos = at_nanos.saturating_add(patience);
        self.changes.insert(deed, Since { at_nanos, due_nanos });
        self.due.insert((due_nanos, deed));
    }

    /// True if somebody else is known to have touched the file lately.
    fn is_named_for_another(&self, deed: Deed) -> bool {
        self.named.range(Deed::all_of(deed.file)).any(|(named, _)| *named != deed)
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

    fn name(&mut self, deed: Deed, now_nanos: u64) {
        if let Some(since) = self.changes.remove(&deed) {
            self.due.remove(&(since.due_nanos, deed));
        }
        // The file is looked at soon, and whoever else changed it is to be known by then.
        for (other, since) in self.changes.range_mut(Deed::all_of(deed.file)) {
            self.due.remove(&(since.due_nanos, *other));
            since.due_nanos = since.due_nanos.min(since.at_nanos.saturating_add(HASTE_NANOS));
            self.due.insert((since.due_nanos, *other));
        }
        if self.named.len() >= MOST_WAITING {
            // Some will be looked at once more.
            self.named.clear();
        }
        self.named.insert(deed, now_nanos);
    }

    fn since(&self) -> Option<u64> {
        // Nothing is due later after it was done.
        self.due.first().map(|(due_nanos, _)| due_nanos.saturating_sub(PATIENCE_NANOS))
    }

    fn take_due(&mut self, now_nanos: u64) -> Vec<Change> {
        let mut due = Vec::new();
        while let Some(&(due_nanos, deed)) = self.due.first()
            && due_nanos <= now_nanos
        {
            self.due.pop_first();
            if let Some(Since { at_nanos, .. }) = self.changes.remove(&deed) {
                due.push(Change { file: deed.file, process: deed.process, at_nanos });
            }
        }
        if self.changes.is_empty() {
            self.named.retain(|_, named| named.saturating_add(2 * PATIENCE_NANOS) > now_nanos);
        }
        due
    }
}

impl Deed {
    /// All that anybody may have done to the file.
    fn all_of(file: FileId) -> RangeInclusive<Self> {
        Self { file, process: 0 }..=Self { file, process: u32::MAX }
    }
}

/// How long a notice of the same change may take to be read: less than the place is left to keep still after a notice.
const PATIENCE_NANOS: u64 = 100_000_000;

/// The same of a file that somebody else touched as well, which is looked at because of that: who changed it is to be known
/// before. One whose notice takes longer is told twice, and looked at once.
const HASTE_NANOS: u64 = 20_000_000;

/// How many deeds may wait, or be remembered; with them some megabytes.
const MOST_WAITING: usize = 16_384;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fim_core::{Hint, Notice};
    use fim_scan::{WatchError, Watcher};

    use super::super::actors::Actors;
    use super::super::fanotify::FanotifyWatcher;
    use super::super::now;
    use super::*;

    const MILLI: u64 = 1_000_000;

    fn change(process: u32, inode: u64, at_millis: u64) -> Change {
        Change { file: FileId { device: 1, inode }, process, at_nanos: at_millis * MILLI }
    }

    fn deed(process: u32, inode: u64) -> Deed {
        Deed { file: FileId { device: 1, inode }, process }
    }

    #[test]
    fn what_a_notice_names_is_not_told_again_whichever_is_read_first() {
        let mut waiting = Waiting::default();
        waiting.put(change(7, 1, 999));
        waiting.name(deed(7, 1), 1_000 * MILLI);
        waiting.put(change(7, 1, 1_000));
        waiting.put(change(7, 2, 1_002));
        assert_eq!(waiting.take_due(1_101 * MILLI), []);
        assert_eq!(waiting.take_due(1_102 * MILLI), [change(7, 2, 1_002)]);
        assert_eq!(waiting.take_due(1_300 * MILLI), []);
        assert!(waiting.named.is_empty() && waiting.changes.is_empty() && waiting.due.is_empty());
    }

    #[test]
    fn what_comes_after_a_notice_is_told_however_soon() {
        let mut waiting = Waiting::default();
        waiting.name(deed(7, 1), 1_000 * MILLI);
        waiting.put(change(7, 1, 1_001));
        assert_eq!(waiting.take_due(1_200 * MILLI), [change(7, 1, 1_001)]);
    }

    #[test]
    fn a_notice_of_one_process_says_nothing_of_another() {
        let mut waiting = Waiting::default();
        waiting.put(change(7, 1, 999));
        waiting.put(change(8, 1, 999));
        waiting.put(change(9, 1, 999));
        waiting.name(deed(7, 1), 1_000 * MILLI);
        waiting.put(change(8, 1, 1_000));
        assert_eq!(waiting.take_due(1_200 * MILLI), [change(8, 1, 999), change(9, 1, 999)]);
    }

    #[test]
    fn who_else_changed_a_file_that_is_looked_at_soon_is_told_before_that() {
        for is_named_first in [true, false] {
            let mut waiting = Waiting::default();
            let named = |waiting: &mut Waiting, now| {
                if now == is_named_first {
                    waiting.name(deed(7, 1), 1_000 * MILLI);
                }
            };
            named(&mut waiting, true);
            waiting.put(change(8, 1, 1_001));
            waiting.put(change(8, 2, 1_001));
            named(&mut waiting, false);
            assert_eq!(waiting.take_due(1_020 * MILLI), []);
            assert_eq!(waiting.take_due(1_021 * MILLI), [change(8, 1, 1_001)]);
            assert_eq!(waiting.take_due(1_101 * MILLI), [change(8, 2, 1_001)]);
        }
    }

    #[test]
    fn the_process_that_watches_is_not_told_as_who_did_it() {
        let mut waiting = Waiting { watcher: 8, ..Waiting::default() };
        waiting.put(change(8, 1, 1_000));
        waiting.put(change(9, 1, 1_000));
        assert_eq!(waiting.take_due(1_200 * MILLI), [change(9, 1, 1_000)]);
    }

    #[test]
    fn a_moment_is_told_that_nothing_that_waits_was_done_before() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.since(), None);
        waiting.put(change(8, 1, 1_000));
        assert_eq!(waiting.since(), Some(1_000 * MILLI));
        waiting.name(deed(9, 1), 1_001 * MILLI);
        assert!(waiting.since().is_some_and(|since| since <= 1_000 * MILLI), "it is due sooner");
        waiting.take_due(1_020 * MILLI);
        assert_eq!(waiting.since(), None);
    }

    #[test]
    fn what_is_repeated_takes_the_room_of_one() {
        let mut waiting = Waiting::default();
        for at_millis in 0..MOST_WAITING as u64 + 1 {
            waiting.put(change(7, at_millis % 2, at_millis));
        }
        assert!(!waiting.is_full);
        assert_eq!(waiting.take_due(200 * MILLI), [change(7, 0, 0), change(7, 1, 1)]);
    }

    #[test]
    fn what_there_is_no_room_for_is_lost_since_before_what_was_taken_in_last() {
        let mut waiting = Waiting::default();
        (0..MOST_WAITING as u64).for_each(|inode| waiting.put(change(7, inode, 1_000)));
        waiting.catch_up(1_001 * MILLI, false);
        assert_eq!(waiting.lost_since_nanos, None);
        waiting.put(change(7, MOST_WAITING as u64, 1_002));
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
    fn a_kernel_that_tells_nothing_ends_the_watcher_with_a_gap_since_the_last_proof() {
        let Ok(types) = KernelTypes::read() else {
            return fim_testkit::skip("the kernel does not describe its types");
        };
        let mut unnamed = match Unnamed::at_times(&types) {
            Ok(unnamed) => unnamed,
            Err(error) => return fim_testkit::skip(&format!("the kernel does not tell of changes: {error}")),
        };
        unnamed.proof = Some(Proof::of_nothing());
        let mut watcher = match FanotifyWatcher::new("fanotify+fentry", Actors::by_asking(), Some(unnamed)) {
            Ok(watcher) => watcher,
            Err(error) => return fim_testkit::skip(&error.to_string()),
        };
        let before = now();
        let mut hints = Vec::new();
        let ended = watcher.wait(Duration::ZERO, &mut hints);
        assert!(matches!(ended, Err(WatchError::Deaf { provider: "fanotify+fentry", .. })), "{ended:?}");
        let [Hint { notice: Notice::Lost(loss), .. }] = hints.as_slice() else { panic!("{hints:?}") };
        let seconds = (before.0 - loss.since.0) / 1_000_000_000;
        assert!(seconds.unsigned_abs() >= process::nanos_since_boot() / 2_000_000_000, "{loss:?}");
    }

    #[test]
    fn a_quiet_moment_before_a_loss_is_told_does_not_shorten_it() {
        let Ok(types) = KernelTypes::read() else {
            return fim_testkit::skip("the kernel does not describe its types");
        };
        let mut unnamed = match Unnamed::at_times(&types) {
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
