//! Gaps that the spool does not have yet: it had no room, or they have to be on the disk first.

use std::collections::{BTreeSet, VecDeque};

use fim_core::{Gap, GapCause, GapScope, Memory, Timestamp};

/// Gaps in the order in which they are to be told.
///
/// Of a gap that nobody was told of yet when it ends, its beginning and its end become one. So there is room for as many as
/// may be open, and what ends a gap that was told is never without.
#[derive(Debug, Default)]
pub(super) struct WaitingGaps {
    waiting: VecDeque<Gap>,
    /// The gaps that were told when they began and have not been told to end: as many as may be open at most.
    told: BTreeSet<GapId>,
}

/// By what the end of a gap finds its beginning.
type GapId = (GapScope, Timestamp, GapCause);

impl WaitingGaps {
    /// Those that waited when the last sensor ended, of which `open` were open.
    pub fn recall<'g>(waiting: Vec<Gap>, open: impl Iterator<Item = &'g Gap>) -> Self {
        let mut told: BTreeSet<GapId> = open.map(id).collect();
        for gap in waiting.iter().filter(|gap| gap.end.is_none()) {
            told.remove(&id(gap));
        }
        Self { waiting: waiting.into(), told }
    }

    /// Lets a gap wait. If there is no room for it, it is the answer.
    pub fn put(&mut self, gap: Gap) -> Result<(), Gap> {
        let begun = |waiting: &&mut Gap| waiting.end.is_none() && id(waiting) == id(&gap);
        if gap.end.is_some()
            && let Some(waiting) = self.waiting.iter_mut().find(begun)
        {
            *waiting = gap;
            return Ok(());
        }
        let ends_told = gap.end.is_some() && self.told.contains(&id(&gap));
        if self.waiting.len() >= MOST && !ends_told {
            return Err(gap);
        }
        self.waiting.push_back(gap);
        Ok(())
    }

    /// The gap that is to be told next.
    pub fn first(&self) -> Option<&Gap> {
        self.waiting.front()
    }

    /// Notes that the first of them has been told.
    pub fn tell_first(&mut self) {
        let Some(gap) = self.waiting.pop_front() else { return };
        if gap.end.is_none() {
            self.told.insert(id(&gap));
        } else {
            self.told.remove(&id(&gap));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All of them, in order.
    pub fn to_vec(&self) -> Vec<Gap> {
        self.waiting.iter().cloned().collect()
    }
}

fn id(gap: &Gap) -> GapId {
    (gap.scope.clone(), gap.start, gap.cause)
}

/// As many gaps as the tracker has open at most, opened and closed, and some.
const MOST: usize = 2 * Memory::MAX_OPEN_GAPS + 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(start: usize, end: Option<usize>) -> Gap {
        let time = |seconds: usize| Timestamp(seconds as i64);
        let (scope, cause) = (GapScope::Everything, GapCause::NoticesLost);
        Gap { scope, start: time(start), end: end.map(time), cause, detail: String::new() }
    }

    #[test]
    fn a_gap_that_ends_before_it_was_told_is_told_once() {
        let mut gaps = WaitingGaps::default();
        gaps.put(gap(1, None)).unwrap();
        gaps.put(gap(2, None)).unwrap();
        gaps.put(gap(1, Some(3))).unwrap();
        assert_eq!(gaps.to_vec(), [gap(1, Some(3)), gap(2, None)]);
    }

    #[test]
    fn the_end_of_a_gap_that_was_told_has_room_however_many_wait() {
        let mut gaps = WaitingGaps::default();
        gaps.put(gap(1, None)).unwrap();
        gaps.tell_first();
        for number in 0..MOST {
            gaps.put(gap(10 + number, None)).unwrap();
        }
        assert_eq!(gaps.put(gap(5, None)), Err(gap(5, None)));
        assert_eq!(gaps.put(gap(5, Some(6))), Err(gap(5, Some(6))), "nobody was told that it began");
        gaps.put(gap(1, Some(2))).unwrap();
        gaps.put(gap(10, Some(11))).unwrap();
        assert_eq!(gaps.to_vec().len(), MOST + 1);
        for _ in 0..=MOST {
            gaps.tell_first();
        }
        assert!(gaps.is_empty() && gaps.told.len() == MOST - 1, "{}", gaps.told.len());
    }

    #[test]
    fn what_was_told_before_a_start_is_known_after_it() {
        let open = [gap(1, None), gap(2, None)];
        let waiting: Vec<Gap> = (0..MOST).map(|number| gap(2 + number, None)).collect();
        let mut gaps = WaitingGaps::recall(waiting, open.iter());
        gaps.put(gap(1, Some(9))).unwrap();
        gaps.put(gap(2, Some(9))).unwrap();
        assert_eq!(gaps.to_vec().len(), MOST + 1);
    }
}
