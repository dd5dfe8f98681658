//! Hints that wait for their place to keep still.
//!
//! A place is looked at once nothing was noticed of it for a while (quiet), and at the latest some time after the first
//! notice (patience): otherwise touching a file without end would hide it. All who were noticed meanwhile are kept.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::by_number::ByNumber;
use crate::{Attribution, EntityPath, Notice, Timestamp, Who, WhoUnknown};

/// The places that hints are about, until they are looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    places: BTreeMap<EntityPath, Noticed>,
    /// Nothing is due before this.
    earliest: Option<Timestamp>,
    /// A look was cut short: the next one begins no sooner than this.
    rest_end: Option<Timestamp>,
    /// Until when notices of anything at all may be missing beside those that wait.
    lost_until: Option<Timestamp>,
    /// Nothing that waits happened before this.
    oldest: Option<Timestamp>,
    /// Directories in which names came that are not kept apart any more, and since when.
    crowded: BTreeMap<EntityPath, Timestamp>,
}

/// What a notice says beside its place.
#[derive(Clone, Debug)]
pub(super) struct Remark {
    /// When it was taken in.
    pub now: Timestamp,
    /// When it happened, and after when for certain.
    pub time: Timestamp,
    pub since: Timestamp,
    pub by: Attribution,
}

/// What was noticed of one place.
#[derive(Clone, Debug)]
pub(super) struct Noticed {
    /// What was noticed happened after this.
    pub since: Timestamp,
    /// When something was noticed first.
    pub first: Timestamp,
    /// When something was noticed last.
    pub last: Timestamp,
    /// Since when it has waited to be looked at.
    waiting_since: Timestamp,
    /// All who had a part in it.
    pub who: Who,
    /// Who acted first.
    pub first_by: Option<Attribution>,
    /// Those who had one if it is the file of that number that is found there.
    pub by_number: Option<Box<ByNumber>>,
    /// True if all that is below is to be looked at as well.
    pub is_deep: bool,
    /// What says so.
    pub found_by: FoundBy,
    /// True if what is within it came, went or changed with it, so that who did the one did the other.
    pub takes_along: bool,
    /// True if the name came and, as far as was noticed, is there.
    pub came: bool,
    /// True if the name went.
    went: bool,
    /// True if the name came and went, whatever happened before and after.
    pub came_and_went: bool,
    /// True if what came is, or was, a directory.
    pub is_directory: bool,
    /// How often it was looked at and did not keep still.
    pub attempts: u32,
    /// It did not answer: it is not looked at before this.
    rest_end: Option<Timestamp>,
    /// Places that are to be looked at together with this one: what a name became, or was before.
    partners: Vec<EntityPath>,
}

/// What says that something happened at a place, the surest first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum FoundBy {
    /// A notice of it.
    Notice,
    /// A look at a directory that it is in, or a number that its file had; the notice of it, with who did it, may be on
    /// its way.
    Look,
    /// A scan; so may it be here.
    Scan,
}

/// There is no room for more places, even with those of one directory put together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoRoom;

impl Hints {
    /// Takes in a notice of what somebody did at a place; [`Notice::Lost`], [`Notice::ContentRead`] and
    /// [`Notice::TouchedFile`] are none.
    ///
    /// `is_named` says whether a rule names a place: what moves to one that none names is gone, and what moves from
    /// one that none names has come.
    pub(super) fn take_in(
        &mut self,
        notice: Notice,
        remark: Remark,
        is_named: impl Fn(&EntityPath) -> bool,
    ) -> Result<(), NoRoom> {
        match notice {
            Notice::Touched(path) => self.at(path, remark).map(|_| ()),
            Notice::Created { path, is_directory } => {
                let since = remark.since;
                self.at(path.clone(), remark)?.is_deep |= is_directory;
                self.come(&path, is_directory, since);
                Ok(())
            }
            Notice::Removed { path, is_directory } => {
                self.at(path.clone(), remark)?.is_deep |= is_directory;
                self.go(&path);
                Ok(())
            }
            Notice::Moved { from, to, is_directory } => {
                let are_named = (is_named(&from), is_named(&to));
                self.join(&from, &to, remark, is_directory, are_named)
            }
            Notice::Below(path) => {
                self.at(path, remark)?.is_deep = true;
                Ok(())
            }
            Notice::TouchedByNumber { path, file, after } => {
                let place = self.room_for(path.clone())?;
                let is_very_place = place == path;
                let noticed = self.place(place, &remark, FoundBy::Look)?;
                noticed.take_in_by_number(ByNumber::new(file, after, remark), is_very_place);
                Ok(())
            }
            Notice::TouchedFile(_) | Notice::ContentRead(_) | Notice::Lost(_) => Ok(()),
        }
    }

    /// Notes a place that reading it found different, or may have, unless there is no room. Without a notice of it, `unknown`
    /// is why nobody is known.
    pub(super) fn find(
        &mut self,
        path: EntityPath,
        now: Timestamp,
        unknown: WhoUnknown,
    ) -> Result<(), NoRoom> {
        if self.places.contains_key(&path) {
            return Ok(());
        }
        let noticed = self.at(path, Remark::of(now, unknown))?;
        noticed.found_by = FoundBy::Scan;
        Ok(())
    }

    /// The same of a place that is different by a look at the directory `within`, of which something was noticed.
    pub(super) fn find_within(
        &mut self,
        path: EntityPath,
        now: Timestamp,
        within: &Noticed,
    ) -> Result<(), NoRoom> {
        if self.places.contains_key(&path) {
            return Ok(());
        }
        let unknown = within.who.unknown.unwrap_or(WhoUnknown::NotNoticed);
        let remark = Remark { since: within.since, ..Remark::of(now, unknown) };
        let noticed = self.at(path, remark)?;
        noticed.first = within.first;
        noticed.found_by = FoundBy::Look;
        Ok(())
    }

    /// Notes a place that is to be looked at with all below it, because notices of it are lost.
    pub(super) fn look_deep(&mut self, path: EntityPath, now: Timestamp) -> Result<(), NoRoom> {
        let noticed = self.at(path, Remark::of(now, WhoUnknown::NoticeLost))?;
        noticed.is_deep = true;
        noticed.takes_along = true;
        Ok(())
    }

    /// Notes that notices of anything may be missing: of what was noticed by now, not all who did it may be known.
    pub(super) fn lose_track(&mut self, now: Timestamp) {
        self.lost_until = Some(now);
    }

    /// The directories in which names came that could not be kept apart, and since when; each is told once.
    pub(super) fn take_crowded(&mut self) -> BTreeMap<EntityPath, Timestamp> {
        std::mem::take(&mut self.crowded)
    }

    /// Since when something may have happened that was noticed and not looked into.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.oldest
    }

    /// Puts a place back that did not keep still, or was not in sight.
    pub(super) fn put_back(&mut self, path: EntityPath, now: Timestamp, noticed: Noticed) {
        let attempts = noticed.attempts + 1;
        let again = Noticed { waiting_since: now, attempts, ..noticed };
        self.expect_by(now.plus_nanos(QUIET_NANOS));
        self.put_in(path, again);
    }

    /// Puts a place back that was not reached.
    pub(super) fn put_back_whole(&mut self, path: EntityPath, now: Timestamp, noticed: Noticed) {
        self.put_in(path, noticed);
        self.expect_by(now);
    }

    /// Puts a place back that did not answer, to be looked at with all below it after a rest.
    pub(super) fn put_aside(&mut self, path: EntityPath, now: Timestamp, noticed: Noticed) {
        let rest_end = Some(now.plus_nanos(REST_NANOS));
        self.put_back_whole(path, now, Noticed { is_deep: true, rest_end, ..noticed });
    }

    /// Puts places back that could not be looked at. They are due after a
    /// rest, for what kept the look from ending may well keep the next one.
    pub(super) fn put_off(&mut self, hints: impl Iterator<Item = (EntityPath, Noticed)>, now: Timestamp) {
        for (path, noticed) in hints {
            self.put_in(path, noticed);
        }
        self.rest_end = Some(now.plus_nanos(REST_NANOS));
        self.expect_by(now);
    }

    /// Lets everything be due that did not refuse to answer, whether it keeps still or not.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        for noticed in self.places.values_mut().filter(|noticed| noticed.rest_end.is_none()) {
            noticed.waiting_since = noticed.waiting_since.min(now.plus_nanos(-PATIENCE_NANOS));
            self.earliest = Some(now);
        }
    }

    /// Removes the places that are not to be looked at any more; gives those at which something was noticed, and since
    /// when.
    pub(super) fn take_out(
        &mut self,
        is_dropped: impl Fn(&EntityPath) -> bool,
    ) -> Vec<(EntityPath, Timestamp)> {
        let dropped = self.places.extract_if(.., |path, _| is_dropped(path));
        let noticed = dropped.filter_map(|(path, noticed)| Some((path, noticed.unsettled_since()?)));
        let noticed = noticed.collect();
        self.oldest = self.places.values().filter_map(Noticed::unsettled_since).min();
        noticed
    }

    /// True if something is known to have happened at the place since it was looked at last.
    pub(super) fn covers(&self, path: &EntityPath) -> bool {
        if self.places.is_empty() {
            return false;
        }
        self.places.contains_key(path)
            || std::iter::successors(path.parent(), EntityPath::parent)
                .any(|above| self.places.get(&above).is_some_and(|noticed| noticed.is_deep))
    }

    /// When something may be due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.earliest.map(|earliest| self.rest_end.map_or(earliest, |rest_end| rest_end.max(earliest)))
    }

    /// Removes and returns the places that should be looked at now, each with those that belong to it; at most
    /// [`MOST_AT_ONCE`] and their partners, the first in path order.
    pub(super) fn take_due(&mut self, now: Timestamp) -> BTreeMap<EntityPath, Noticed> {
        let mut due = BTreeMap::new();
        if self.rest_end.is_some_and(|end| end > now && end <= now.plus_nanos(REST_NANOS)) {
            return due;
        }
        self.rest_end = None;
        // A clock that is set back makes all of them due rather than none.
        let is_set_back = self.earliest.is_some_and(|earliest| earliest > now.plus_nanos(PATIENCE_NANOS));
        if self.earliest.is_none_or(|earliest| earliest > now && !is_set_back) {
            return due;
        }
        let paths: Vec<EntityPath> = self
            .places
            .iter()
            .filter(|(_, noticed)| noticed.is_due(now))
            .map(|(path, _)| path.clone())
            .take(MOST_AT_ONCE)
            .collect();
        for path in paths {
            self.take_with_partners(path, &mut due);
        }
        if let Some(lost_until) = self.lost_until {
            for noticed in due.values_mut().filter(|noticed| noticed.first <= lost_until) {
                noticed.who.add(Err(WhoUnknown::NoticeLost));
            }
            // Whatever is noticed from now on is noticed after the loss.
            self.lost_until = Some(lost_until).filter(|_| !self.places.is_empty());
        }
        let next = self.places.values().map(Noticed::due).min();
        self.oldest = self.places.values().filter_map(Noticed::unsettled_since).min();
        // Looking through all of them is not done more often than this.
        self.earliest = next.map(|next| next.max(now.plus_nanos(STEP_NANOS)));
        if due.len() >= MOST_AT_ONCE && !self.places.is_empty() {
            self.earliest = Some(now);
        }
        due
    }

    /// Forgets everything: it is not monitored any more.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.earliest = None;
        self.rest_end = None;
        self.lost_until = None;
        self.oldest = None;
        self.crowded.clear();
    }

    /// Puts a place in that was taken out before; what was noticed of it meanwhile is added.
    fn put_in(&mut self, path: EntityPath, older: Noticed) {
        self.oldest = self.oldest.into_iter().chain(older.unsettled_since()).min();
        match self.places.entry(path) {
            Entry::Vacant(place) => {
                place.insert(older);
            }
            Entry::Occupied(mut place) => place.get_mut().take_in_older(older),
        }
    }

    fn take_with_partners(&mut self, path: EntityPath, due: &mut BTreeMap<EntityPath, Noticed>) {
        let mut waiting = vec![path];
        while let Some(path) = waiting.pop() {
            if let Some(noticed) = self.places.remove(&path) {
                waiting.extend(noticed.partners.iter().cloned());
                due.insert(path, noticed);
            }
        }
    }

    /// Notes that one name became another.
    fn join(
        &mut self,
        from: &EntityPath,
        to: &EntityPath,
        remark: Remark,
        is_directory: bool,
        (is_from_named, is_to_named): (bool, bool),
    ) -> Result<(), NoRoom> {
        let since = remark.since;
        if is_directory {
            self.take_along(from, &remark);
        }
        for (place, partner) in [(from, to), (to, from)] {
            let noticed = self.at(place.clone(), remark.clone())?;
            noticed.is_deep |= is_directory;
            noticed.takes_along |= is_directory;
            if noticed.partners.len() < MOST_PARTNERS && !noticed.partners.contains(partner) {
                noticed.partners.push(partner.clone());
            }
        }
        // What is at the new name is replaced.
        self.go(to);
        // What was only on its way, as the file that an editor writes beside, has not come and gone: it goes on under
        // its other name.
        let has_come =
            is_to_named && self.places.get_mut(from).is_some_and(|from| std::mem::take(&mut from.came));
        self.go(from);
        if is_to_named && (has_come || !is_from_named) {
            self.come(to, is_directory, since);
        }
        Ok(())
    }

    /// Notes that the names within a directory went with it which came there and were not looked at yet.
    fn take_along(&mut self, directory: &EntityPath, remark: &Remark) {
        let places = self.places.range_mut(directory.clone()..);
        let within = places.take_while(|(place, _)| place.is_within(directory));
        for (_, noticed) in within.filter(|(place, noticed)| *place != directory && noticed.came) {
            (noticed.came, noticed.went, noticed.came_and_went) = (false, true, true);
            noticed.last = noticed.last.max(remark.time);
            noticed.who.add(remark.by.clone());
        }
    }

    /// Notes that a name came, which has a place of its own or that of a directory that takes it in.
    fn come(&mut self, path: &EntityPath, is_directory: bool, since: Timestamp) {
        match self.places.get_mut(path) {
            Some(noticed) => {
                noticed.came = true;
                noticed.is_directory = is_directory;
            }
            None => {
                if let Some(directory) = path.parent() {
                    self.crowd(directory, since);
                }
            }
        }
    }

    /// Notes that a name went.
    fn go(&mut self, path: &EntityPath) {
        if let Some(noticed) = self.places.get_mut(path) {
            noticed.went = true;
            noticed.came_and_went |= std::mem::take(&mut noticed.came);
        }
    }

    /// Notes that names came in the directory that are not kept apart: of those that are gone when it is looked at,
    /// nothing is known.
    fn crowd(&mut self, directory: EntityPath, since: Timestamp) {
        let known = self.crowded.entry(directory).or_insert(since);
        *known = since.min(*known);
    }

    fn at(&mut self, path: EntityPath, remark: Remark) -> Result<&mut Noticed, NoRoom> {
        let noticed = self.place(path, &remark, FoundBy::Notice)?;
        if noticed.found_by != FoundBy::Notice {
            // The notice has come after all.
            noticed.found_by = FoundBy::Notice;
            (noticed.who, noticed.first_by) = (Who::default(), None);
        }
        noticed.last = noticed.last.max(remark.time);
        noticed.first_by.get_or_insert_with(|| remark.by.clone());
        noticed.who.add(remark.by);
        Ok(noticed)
    }

    /// The place to note the remark at, of which nothing else is said yet if it is new.
    fn place(
        &mut self,
        path: EntityPath,
        remark: &Remark,
        found_by: FoundBy,
    ) -> Result<&mut Noticed, NoRoom> {
        let path = self.room_for(path)?;
        self.expect_by(remark.now.plus_nanos(QUIET_NANOS));
        let since = remark.since;
        self.oldest = Some(self.oldest.map_or(since, |oldest| oldest.min(since)));
        let new = || Noticed { found_by, ..Noticed::new(remark.time) };
        let noticed = self.places.entry(path).or_insert_with(new);
        noticed.since = noticed.since.min(since);
        Ok(noticed)
    }

    /// The place to note something at: the path itself, or the directory that takes the path and its neighbours in when
    /// there are too many places.
    fn room_for(&mut self, path: EntityPath) -> Result<EntityPath, NoRoom> {
        if self.places.len() < MOST_PLACES || self.places.contains_key(&path) {
            return Ok(path);
        }
        let directory = path.parent().ok_or(NoRoom)?;
        if self.places.get(&directory).is_some_and(|noticed| noticed.is_deep) {
            return Ok(directory);
        }
        let neighbours: Vec<EntityPath> = self
            .places
            .range(directory.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.is_within(&directory))
            .cloned()
            .collect();
        if neighbours.len() < 2 {
            return Err(NoRoom);
        }
        let mut all: Option<Noticed> = None;
        for neighbour in neighbours {
            let Some(mut noticed) = self.places.remove(&neighbour) else { continue };
            if neighbour != directory {
                if noticed.came || noticed.came_and_went {
                    self.crowd(directory.clone(), noticed.since);
                }
                (noticed.came, noticed.went, noticed.came_and_went) = (false, false, false);
                noticed.is_directory = false;
                noticed.give_up_number();
            }
            noticed.partners.clear();
            match &mut all {
                None => all = Some(noticed),
                Some(all) => all.take_in_older(noticed),
            }
        }
        if let Some(mut all) = all {
            (all.is_deep, all.takes_along) = (true, true);
            self.places.insert(directory.clone(), all);
        }
        Ok(directory)
    }

    fn expect_by(&mut self, time: Timestamp) {
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
    }
}

impl Noticed {
    pub(super) fn new(time: Timestamp) -> Self {
        Self {
            since: time,
            first: time,
            last: time,
            waiting_since: time,
            who: Who::default(),
            first_by: None,
            by_number: None,
            is_deep: false,
            found_by: FoundBy::Notice,
            takes_along: false,
            came: false,
            went: false,
            came_and_went: false,
            is_directory: false,
            attempts: 0,
            rest_end: None,
            partners: Vec::new(),
        }
    }

    /// True unless it is looked at only because notices of it are lost.
    pub(super) fn has_actor(&self) -> bool {
        self.who.unknown != Some(WhoUnknown::NoticeLost) || !self.who.actors.is_empty()
    }

    /// Adds what was noticed of the place before.
    fn take_in_older(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        self.since = self.since.min(newer.since);
        self.first = self.first.min(newer.first);
        self.waiting_since = self.waiting_since.min(newer.waiting_since);
        self.last = self.last.max(newer.last);
        match self.found_by.cmp(&newer.found_by) {
            Ordering::Equal => {
                self.who.merge(newer.who);
                self.first_by = self.first_by.take().or(newer.first_by);
            }
            // Whom a notice names is more than what was found.
            Ordering::Greater => (self.who, self.first_by) = (newer.who, newer.first_by),
            Ordering::Less => {}
        }
        self.found_by = self.found_by.min(newer.found_by);
        match (&mut self.by_number, newer.by_number) {
            (Some(older), Some(newer)) => older.merge(*newer),
            (known, newer) => *known = known.take().or(newer),
        }
        self.takes_along |= newer.takes_along;
        self.rest_end = self.rest_end.max(newer.rest_end);
        self.is_deep |= newer.is_deep;
        self.came_and_went |= newer.came_and_went || (self.came && newer.went);
        self.came = newer.came || (self.came && !newer.went);
        self.went |= newer.went;
        self.is_directory |= newer.is_directory;
        let more = newer.partners.into_iter().filter(|partner| !self.partners.contains(partner));
        let more: Vec<EntityPath> = more.take(MOST_PARTNERS - self.partners.len()).collect();
        self.partners.extend(more);
    }

    /// Since when what was noticed may have happened; nothing if only a scan found it, as the next scan will again.
    pub(super) fn unsettled_since(&self) -> Option<Timestamp> {
        match self.found_by {
            FoundBy::Notice | FoundBy::Look => Some(self.since),
            FoundBy::Scan => None,
        }
    }

    fn due(&self) -> Timestamp {
        let last = self.by_number.as_ref().map_or(self.last, |by_number| by_number.last.max(self.last));
        // What was put back waits since then.
        let quiet = last.max(self.waiting_since).plus_nanos(QUIET_NANOS);
        let due = quiet.min(self.waiting_since.plus_nanos(PATIENCE_NANOS));
        self.rest_end.map_or(due, |rest_end| rest_end.max(due))
    }

    fn is_due(&self, now: Timestamp) -> bool {
        now >= self.due() || now < self.waiting_since
    }
}

impl Remark {
    /// What is noted for a look without anybody's having done anything.
    fn of(now: Timestamp, unknown: WhoUnknown) -> Self {
        Self { now, time: now, since: now, by: Err(unknown) }
    }
}

/// How long a place must be quiet before it is looked at: longer than an editor or a package manager takes from the
/// first to the last step of replacing a file, and short beside the second that a record may take.
pub(super) const QUIET_NANOS: i64 = 200_000_000;

/// How long after the first notice a place is looked at though it is not quiet.
pub(super) const PATIENCE_NANOS: i64 = 2_000_000_000;

/// How long after a look that was cut short the next one begins.
const REST_NANOS: i64 = 10_000_000_000;

const STEP_NANOS: i64 = 10_000_000;

/// How many places wait at most; with them a few megabytes.
pub(super) const MOST_PLACES: usize = 16_384;

/// How many places are looked at in one go; between two goes other work gets its turn.
const MOST_AT_ONCE: usize = 512;

const MOST_PARTNERS: usize = 8;
