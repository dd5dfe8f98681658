//! Who touched what is known by its number alone.
//!
//! A file system gives the number of a file that has gone to the next one that is made, whoever makes it. So that nobody is
//! named for what he did to another file, those who are known in that way count only where a look finds a file of that
//! number which had been made before they touched it.

use super::hints::{FoundBy, Noticed, Remark};
use crate::{Deed, Deeds, Entity, FileId, Timestamp, Who, WhoUnknown};

/// What was noticed of a place by the number of the file that was there.
#[derive(Clone, Debug)]
pub(super) struct ByNumber {
    file: FileId,
    first: Timestamp,
    /// When something was noticed last.
    pub(super) last: Timestamp,
    deeds: Deeds,
}

/// Whether a deed was done to what a look found.
enum Verdict {
    Done,
    NotDone,
    Unknown,
}

impl ByNumber {
    pub(super) fn new(file: FileId, after: Timestamp, remark: Remark) -> Self {
        let last = remark.time;
        let mut deeds = Deeds::default();
        deeds.add(Deed { by: remark.by, after, last });
        Self { file, first: last, last, deeds }
    }

    /// Adds what was noticed before or after; of another number, what is newer takes its place.
    pub(super) fn merge(&mut self, other: Self) {
        if other.file != self.file {
            if other.last >= self.last {
                *self = other;
            }
            return;
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.deeds.merge(other.deeds);
    }

    /// All who touched what a look found, those who did up to that moment and those who did after it; nothing if nobody
    /// may have.
    fn who_touched(&self, seen: &Entity, moment: Timestamp) -> Option<(Who, Who)> {
        if FileId::of(seen) != Some(self.file) {
            return None;
        }
        let (mut before, mut after) = (Who::default(), Who::default());
        let mut is_touched = false;
        for deed in self.deeds.in_order() {
            let by = match verdict(deed, seen.attributes.created) {
                Verdict::Done => deed.by.clone(),
                Verdict::Unknown => deed.by.clone().and(Err(WhoUnknown::FileNumberReused)),
                Verdict::NotDone => continue,
            };
            is_touched = true;
            if deed.last > moment { after.add(by) } else { before.add(by) }
        }
        before.more = before.more.saturating_add(u32::from(self.deeds.has_more));
        is_touched.then_some((before, after))
    }
}

impl Noticed {
    /// Notes what was noticed by number, at the very place or only in the directory that takes it in.
    pub(super) fn take_in_by_number(&mut self, noticed: ByNumber, is_very_place: bool) {
        if self.found_by > FoundBy::Look {
            self.found_by = FoundBy::Look;
        }
        match &mut self.by_number {
            _ if !is_very_place => self.who.add(Err(WhoUnknown::FileNumberReused)),
            Some(known) => known.merge(noticed),
            none => *none = Some(Box::new(noticed)),
        }
    }

    /// Forgets who touched it by number, since it is put together with others.
    pub(super) fn give_up_number(&mut self) {
        if let Some(by_number) = self.by_number.take() {
            self.last = self.last.max(by_number.last);
            self.who.add(Err(WhoUnknown::FileNumberReused));
        }
    }

    /// What was noticed of what a look found at the place, if it found something.
    pub(super) fn as_of(&self, seen: Option<&Entity>) -> Self {
        let mut noticed = self.clone();
        let by_number = noticed.by_number.take();
        if let Some(by_number) = by_number
            && let Some((mut who, after)) = seen.and_then(|seen| by_number.who_touched(seen, noticed.last))
        {
            let mut named = std::mem::take(&mut noticed.who);
            if noticed.found_by != FoundBy::Notice {
                // Whom a notice names is more than what was found. Others may be missing all the same.
                let lost = named.unknown.filter(|why| *why == WhoUnknown::NoticeLost);
                named = Who::of(Vec::new(), 0, lost);
            }
            // In the order in which they acted last.
            who.merge(named);
            who.merge(after);
            (noticed.who, noticed.found_by) = (who, FoundBy::Notice);
            noticed.first = noticed.first.min(by_number.first);
            noticed.last = noticed.last.max(by_number.last);
        }
        noticed
    }
}

/// `born` is when the file was made that is there, by a clock that goes in steps.
fn verdict(deed: &Deed, born: Option<Timestamp>) -> Verdict {
    match born {
        Some(born) if deed.after >= born.plus_nanos(CLOCK_STEP_NANOS) => Verdict::Done,
        Some(born) if deed.last < born => Verdict::NotDone,
        Some(_) | None => Verdict::Unknown,
    }
}

/// In what steps the clock goes by which files are told when they were made, at most: a hundred a second (`CONFIG_HZ`).
const CLOCK_STEP_NANOS: i64 = 10_000_000;
