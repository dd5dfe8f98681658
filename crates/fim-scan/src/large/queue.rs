//! Which large file is read next, and what is known of each; pure, with the time from its caller.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fim_core::{Digest, EntityPath, Unreadable};

use super::{LargeFiles, LargeProgress};
use crate::sha256::State;
use crate::tree::{Look, Stamp};

/// The files that were asked for. Bounded: its answer to "full" is that the content is not known; the next scan asks
/// again.
#[derive(Debug)]
pub(super) struct Queue {
    /// What scans read themselves.
    scanned_bytes: u64,
    files: BTreeMap<EntityPath, Large>,
    /// Those that are to be read, in the order of their turns.
    turns: VecDeque<EntityPath>,
}

/// What a file is told from another one by, and from itself with other content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Identity {
    stamp: Stamp,
    inode: Option<u64>,
    device: Option<u64>,
}

/// A file that is to be read on.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) path: EntityPath,
    pub(super) identity: Identity,
    /// What has been read of it already.
    pub(super) part: Option<Part>,
}

/// How far a file has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) state: State,
    pub(super) offset: u64,
}

/// What came of a turn.
#[derive(Debug)]
pub(super) enum Came {
    Part(Part),
    Whole(Digest),
    /// It is not what was asked for any more.
    Changed,
    /// There is no file of that name.
    Gone,
    Failed(Unreadable),
}

#[derive(Debug)]
struct Large {
    identity: Identity,
    size: u64,
    known: Option<Known>,
    part: Option<Part>,
    is_queued: bool,
    /// Why it could not be read the last time.
    trouble: Option<Unreadable>,
    not_before: Duration,
    asked: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    digest: Digest,
    read: Duration,
}

impl Identity {
    pub(super) fn of(look: &Look) -> Self {
        Self { stamp: look.stamp(), inode: look.attributes.inode, device: look.attributes.device }
    }
}

impl Queue {
    pub(super) fn new(scanned_bytes: u64) -> Self {
        Self { scanned_bytes, files: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// What is known of the content of a file. What is not, or was read too long ago, is queued.
    pub(super) fn ask(
        &mut self,
        path: &EntityPath,
        identity: Identity,
        size: u64,
        now: Duration,
    ) -> Result<Digest, Unreadable> {
        if !self.files.contains_key(path) && self.files.len() >= LargeFiles::MOST_FILES && !self.make_room() {
            return Err(Unreadable::TooLarge);
        }
        let large = match self.files.entry(path.clone()) {
            Entry::Vacant(vacant) => vacant.insert(Large::new(identity, size)),
            Entry::Occupied(known) => known.into_mut(),
        };
        if large.identity != identity {
            // Whoever writes to it without end has it read from its start no more often than anybody else.
            *large = Large {
                not_before: large.not_before,
                is_queued: large.is_queued,
                ..Large::new(identity, size)
            };
        }
        large.asked = now;
        let known = large.known;
        if size <= self.scanned_bytes && known.is_some() {
            // Scans read it themselves, and what they see is newer.
            self.files.remove(path);
            self.turns.retain(|queued| queued != path);
        } else if !large.is_queued && known.is_none_or(|known| now.saturating_sub(known.read) >= LASTS) {
            large.is_queued = true;
            self.turns.push_back(path.clone());
        }
        let trouble = || self.files.get(path).and_then(|large| large.trouble.clone());
        known.map(|known| known.digest).ok_or_else(|| trouble().unwrap_or(Unreadable::TooLarge))
    }

    /// The file whose turn it is; or for how long there is none, `None` until one is asked for.
    pub(super) fn take(&mut self, now: Duration) -> Result<Turn, Option<Duration>> {
        for _ in 0..self.turns.len() {
            let Some(path) = self.turns.pop_front() else { break };
            match self.files.get(&path) {
                Some(large) if large.not_before <= now => {
                    return Ok(Turn { path, identity: large.identity, part: large.part });
                }
                Some(_) => self.turns.push_back(path),
                None => {}
            }
        }
        let waiting = self.turns.iter().filter_map(|path| self.files.get(path));
        Err(waiting.map(|large| large.not_before.saturating_sub(now)).min())
    }

    /// True if it is the turn of a file.
    pub(super) fn has_due(&self, now: Duration) -> bool {
        self.turns.iter().any(|path| self.files.get(path).is_some_and(|large| large.not_before <= now))
    }

    /// Takes in what came of a turn. True if another digest is known now than before.
    pub(super) fn settle(&mut self, turn: Turn, came: Came, now: Duration) -> bool {
        let Turn { path, identity, .. } = turn;
        let Some(large) = self.files.get_mut(&path) else { return false };
        if large.identity != identity {
            // It was asked for as what it is now while it was still read as what it was.
            self.queue_up(path);
            return false;
        }
        large.part = None;
        match came {
            Came::Part(part) => large.part = Some(part),
            Came::Whole(digest) => {
                let is_news = large.known.is_none_or(|known| known.digest != digest);
                (large.known, large.trouble) = (Some(Known { digest, read: now }), None);
                large.is_queued = false;
                return is_news;
            }
            Came::Changed => large.not_before = now + RETRY,
            Came::Gone => {
                self.files.remove(&path);
                return false;
            }
            Came::Failed(why) => {
                (large.trouble, large.known) = (Some(why), None);
                large.not_before = now + RETRY;
            }
        }
        self.queue_up(path);
        false
    }

    /// Gives a file its turn after all others. It may have one already: forgotten and asked for again while it was read.
    fn queue_up(&mut self, path: EntityPath) {
        if !self.turns.contains(&path) {
            self.turns.push_back(path);
        }
    }

    /// Forgets all files but those.
    pub(super) fn retain(&mut self, is_monitored: impl Fn(&EntityPath) -> bool) {
        self.files.retain(|path, _| is_monitored(path));
        self.turns.retain(|path| self.files.contains_key(path));
    }

    pub(super) fn progress(&self) -> LargeProgress {
        let waiting = self.files.values().filter(|large| large.is_queued);
        waiting.fold(LargeProgress::default(), |sum, large| {
            let left = large.size.saturating_sub(large.part.map_or(0, |part| part.offset));
            LargeProgress { waiting: sum.waiting + 1, bytes_left: sum.bytes_left.saturating_add(left) }
        })
    }

    /// Forgets the file that nobody has asked for the longest and that is not to be read; false if all are.
    fn make_room(&mut self) -> bool {
        let idle = self.files.iter().filter(|(_, large)| !large.is_queued);
        let Some(path) = idle.min_by_key(|(_, large)| large.asked).map(|(path, _)| path.clone()) else {
            return false;
        };
        self.files.remove(&path).is_some()
    }
}

impl Large {
    fn new(identity: Identity, size: u64) -> Self {
        Self {
            identity,
            size,
            known: None,
            part: None,
            is_queued: false,
            trouble: None,
            not_before: Duration::ZERO,
            asked: Duration::ZERO,
        }
    }
}

/// How long a digest is handed out before the file is read again, though it looks the same: writing below the file
/// system leaves no trace in its times.
const LASTS: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a file is left alone that changed while it was read, or could not be.
const RETRY: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use fim_core::{EntityKind, FileAttributes, Timestamp};

    use super::*;

    const SCANNED: u64 = 1000;
    const HUGE: u64 = SCANNED + 1;
    const DIGEST: Digest = Digest([1; 32]);

    fn path(name: &str) -> EntityPath {
        EntityPath::unix(name)
    }

    fn looks(changed: i64) -> Identity {
        let attributes = FileAttributes { changed: Some(Timestamp(changed)), ..FileAttributes::default() };
        Identity::of(&Look { kind: EntityKind::File, attributes })
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn part(offset: u64) -> Came {
        Came::Part(Part { state: State::INITIAL, offset })
    }

    #[test]
    fn files_are_read_in_turns_so_that_none_keeps_another_waiting() {
        let mut queue = Queue::new(SCANNED);
        for name in ["/8-tebibytes", "/b", "/c"] {
            let size = if name == "/8-tebibytes" { 8 << 40 } else { HUGE };
            assert_eq!(queue.ask(&path(name), looks(1), size, seconds(0)), Err(Unreadable::TooLarge));
        }
        let mut order = Vec::new();
        for round in 0..6 {
            let turn = queue.take(seconds(round)).unwrap();
            order.push(turn.path.to_string());
            let offset = turn.part.map_or(0, |part| part.offset);
            assert_eq!(offset, round / 3 * 100, "it goes on where it was");
            assert!(!queue.settle(turn, part(offset + 100), seconds(round)));
        }
        assert_eq!(order, ["/8-tebibytes", "/b", "/c", "/8-tebibytes", "/b", "/c"]);
        let left = (8 << 40) + 2 * HUGE - 600;
        assert_eq!(queue.progress(), LargeProgress { waiting: 3, bytes_left: left });
    }

    #[test]
    fn a_digest_is_known_while_the_file_looks_the_same_and_is_made_sure_of_each_day() {
        let mut queue = Queue::new(SCANNED);
        let ask = |queue: &mut Queue, changed, at| queue.ask(&path("/f"), looks(changed), HUGE, seconds(at));
        assert_eq!(ask(&mut queue, 1, 0), Err(Unreadable::TooLarge));
        let turn = queue.take(seconds(1)).unwrap();
        assert!(queue.settle(turn, Came::Whole(DIGEST), seconds(2)), "it is news");
        assert_eq!(ask(&mut queue, 1, 3), Ok(DIGEST));
        assert_eq!(queue.take(seconds(3)).unwrap_err(), None, "nothing is read twice");
        assert_eq!(ask(&mut queue, 1, 2 + 24 * 3600), Ok(DIGEST));
        let turn = queue.take(seconds(100_000)).unwrap();
        assert!(!queue.settle(turn, Came::Whole(DIGEST), seconds(100_001)), "the same is no news");
        assert_eq!(ask(&mut queue, 1, 200_000), Ok(DIGEST));
        let turn = queue.take(seconds(200_000)).unwrap();
        assert!(queue.settle(turn, Came::Whole(Digest([2; 32])), seconds(200_001)));
        assert_eq!(ask(&mut queue, 2, 200_002), Err(Unreadable::TooLarge), "what was known is of another");
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_from_its_start_after_a_while() {
        let mut queue = Queue::new(SCANNED);
        queue.ask(&path("/f"), looks(1), HUGE, seconds(0)).unwrap_err();
        let turn = queue.take(seconds(0)).unwrap();
        // A scan comes by while it is read, and sees it changed.
        queue.ask(&path("/f"), looks(2), HUGE, seconds(1)).unwrap_err();
        assert!(
            !queue.settle(turn, Came::Whole(DIGEST), seconds(1)),
            "the digest is of what was there before"
        );
        assert_eq!(queue.ask(&path("/f"), looks(2), HUGE, seconds(1)), Err(Unreadable::TooLarge));
        let turn = queue.take(seconds(1)).unwrap();
        assert!(turn.part.is_none());
        queue.settle(turn, Came::Changed, seconds(2));
        queue.ask(&path("/f"), looks(3), HUGE, seconds(3)).unwrap_err();
        assert_eq!(queue.take(seconds(3)).unwrap_err(), Some(seconds(599)));
        assert!(!queue.has_due(seconds(3)) && queue.has_due(seconds(602)));
        assert_eq!(queue.take(seconds(602)).unwrap().identity, looks(3));
    }

    #[test]
    fn what_scans_read_themselves_is_handed_out_once() {
        let mut queue = Queue::new(SCANNED);
        let size = SCANNED;
        queue.ask(&path("/f"), looks(1), size, seconds(0)).unwrap_err();
        let turn = queue.take(seconds(0)).unwrap();
        assert!(queue.settle(turn, Came::Whole(DIGEST), seconds(1)));
        assert_eq!(queue.ask(&path("/f"), looks(1), size, seconds(1)), Ok(DIGEST));
        assert_eq!(queue.ask(&path("/f"), looks(1), size, seconds(2)), Err(Unreadable::TooLarge));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_what_is_gone_is_forgotten() {
        let mut queue = Queue::new(SCANNED);
        let ask = |queue: &mut Queue, at| queue.ask(&path("/f"), looks(1), HUGE, seconds(at));
        ask(&mut queue, 0).unwrap_err();
        let turn = queue.take(seconds(0)).unwrap();
        let why = Unreadable::Damaged("bad sector".to_owned());
        queue.settle(turn, Came::Failed(why.clone()), seconds(1));
        assert_eq!(ask(&mut queue, 2), Err(why));
        let turn = queue.take(seconds(700)).unwrap();
        queue.settle(turn, Came::Gone, seconds(700));
        assert_eq!(queue.progress(), LargeProgress::default());
        assert_eq!(queue.take(seconds(2000)).unwrap_err(), None);
    }

    #[test]
    fn what_is_not_monitored_any_more_is_not_read() {
        let mut queue = Queue::new(SCANNED);
        for name in ["/8-tebibytes", "/b"] {
            queue.ask(&path(name), looks(1), HUGE, seconds(0)).unwrap_err();
        }
        let turn = queue.take(seconds(0)).unwrap();
        queue.retain(|kept| *kept == path("/b"));
        assert!(!queue.settle(turn, part(100), seconds(1)), "not even the one whose turn it was");
        assert_eq!(queue.progress(), LargeProgress { waiting: 1, bytes_left: HUGE });
        let turn = queue.take(seconds(1)).unwrap();
        assert_eq!(turn.path, path("/b"));
        queue.retain(|_| false);
        queue.ask(&path("/b"), looks(1), HUGE, seconds(1)).unwrap_err();
        queue.settle(turn, part(100), seconds(1));
        assert_eq!(queue.turns.len(), 1, "it has one turn, though it was asked for again while it was read");
    }

    #[test]
    fn more_files_than_there_is_room_for_stay_unknown_and_known_ones_give_way() {
        let mut queue = Queue::new(SCANNED);
        let ask = |queue: &mut Queue, number: usize, at| {
            queue.ask(&path(&format!("/{number:05}")), looks(1), HUGE, seconds(at))
        };
        for number in 0..LargeFiles::MOST_FILES + 5 {
            ask(&mut queue, number, number as u64).unwrap_err();
        }
        assert_eq!(queue.progress().waiting, LargeFiles::MOST_FILES as u64);
        let turn = queue.take(seconds(2000)).unwrap();
        queue.settle(turn, Came::Whole(DIGEST), seconds(2000));
        ask(&mut queue, LargeFiles::MOST_FILES, 2001).unwrap_err();
        assert_eq!(queue.files.len(), LargeFiles::MOST_FILES);
        assert!(queue.files.contains_key(&path(&format!("/{:05}", LargeFiles::MOST_FILES))));
        assert_eq!(ask(&mut queue, 0, 2002), Err(Unreadable::TooLarge), "it gave way");
    }
}
