//! Files that were touched under a name that no rule names: which names of theirs the state knows, is looked up there.
//!
//! The state is sorted by path, so that all of it is gone through for that. However often files are touched, that takes
//! a small part of the time only.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use fim_core::{
    Attribution, ChangeEvent, ChangeSource, Deed, Deeds, Entity, EntityPath, FileId, GapCause, GapScope,
    Hint, Input, Loss, Notice, Timestamp, WhoUnknown, error_chain,
};
use fim_log::Disk;
use fim_scan::FileTree;

use super::Engine;
use crate::state_file::ReadStateError;

/// The files whose names are to be found.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    files: BTreeMap<FileId, Touched>,
    /// Files that were looked for while a scan was under way. The state does not have the names yet that the scan is the
    /// first to find, so that they are looked for again once it has ended.
    again: BTreeMap<FileId, Touched>,
    /// Files that were looked for and are not monitored: what was monitored has gone, say, and its number is another's.
    strangers: HashSet<FileId>,
    /// After when files were touched for which there was no room; nothing once that is told.
    refused: Option<Timestamp>,
    /// When names are looked for again, at the earliest.
    next: Option<Instant>,
}

/// What was noticed of a file.
#[derive(Debug)]
struct Touched {
    /// It happened after this.
    since: Timestamp,
    deeds: Deeds,
}

impl Touched {
    fn merge(&mut self, other: Self) {
        self.since = self.since.min(other.since);
        self.deeds.merge(other.deeds);
    }
}

impl Elsewhere {
    /// When names are to be looked for, if there are files that wait for it.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.refused.is_some() {
            return Some(Instant::now());
        }
        if self.files.is_empty() { None } else { Some(self.next.unwrap_or_else(Instant::now)) }
    }

    /// After when the oldest of what waits happened.
    pub(super) fn since(&self) -> Option<Timestamp> {
        oldest(self.files.values().chain(self.again.values())).into_iter().chain(self.refused).min()
    }

    /// Lets names be looked for at once.
    pub(super) fn hurry(&mut self) {
        self.next = None;
    }

    /// Notes a file. If there is no room, that is to be told when names are looked for.
    fn note(&mut self, file: FileId, since: Timestamp, deed: Deed) {
        if self.strangers.contains(&file) {
            return;
        }
        let is_new = !self.files.contains_key(&file) && !self.again.contains_key(&file);
        if is_new && self.files.len() + self.again.len() >= MOST_FILES {
            self.refused = self.refused.into_iter().chain([since.min(deed.last)]).min();
            return;
        }
        let mut touched = Touched { since: since.min(deed.last), deeds: Deeds::default() };
        touched.deeds.add(deed);
        match self.files.entry(file) {
            Entry::Vacant(place) => {
                place.insert(touched);
            }
            Entry::Occupied(mut place) => place.get_mut().merge(touched),
        }
    }
}

impl Elsewhere {
    /// Notes that a scan begins. It may find names of those who were strangers, and nobody becomes one until it has ended.
    pub(super) fn begin_scan(&mut self) {
        self.strangers.clear();
    }

    /// Notes that the scan has ended: what was looked for meanwhile is looked for in the state that came of it.
    pub(super) fn end_scan(&mut self) {
        merge(&mut self.files, std::mem::take(&mut self.again));
    }

    fn note_strangers(&mut self, files: &BTreeMap<FileId, Touched>, names: &[(EntityPath, FileId)]) {
        let found: HashSet<FileId> = names.iter().map(|(_, file)| *file).collect();
        if self.strangers.len() + files.len() > MOST_STRANGERS {
            self.strangers.clear();
        }
        self.strangers.extend(files.keys().filter(|file| !found.contains(file)));
    }
}

impl<T: FileTree, D: Disk + Clone> Engine<T, D> {
    /// Takes in hints. Those about files whose names are not known wait until these are found.
    pub(super) fn take_hints(&mut self, hints: Vec<Hint>) {
        let mut inputs = Vec::with_capacity(hints.len());
        for hint in hints {
            match hint.notice {
                Notice::TouchedFile(file) => {
                    let Hint { time, since, by, .. } = hint;
                    self.elsewhere.note(file, since, Deed { by, after: since, last: time });
                }
                Notice::Touched(_)
                | Notice::TouchedByNumber { .. }
                | Notice::Created { .. }
                | Notice::Removed { .. }
                | Notice::Moved { .. }
                | Notice::Below(_)
                | Notice::ContentRead(_)
                | Notice::Lost(_) => inputs.push(Input::Noticed(hint)),
            }
        }
        self.take_in_all(inputs.into_iter());
        self.find_names();
    }

    /// Notes that the watcher shall tell of a file whatever it is called.
    pub(super) fn know(&mut self, entity: &Entity) {
        self.parts.contents.offer(entity);
        let Some(file) = FileId::of(entity) else { return };
        self.parts.known.add(file);
        if self.elsewhere.strangers.remove(&file) {
            // What was told of it since it was looked at is forgotten.
            let now = (self.parts.clock)();
            let by = Err(WhoUnknown::NoticeLost);
            self.elsewhere.note(file, now, Deed { by, after: now, last: now });
        }
    }

    /// Has a file that changed looked at under its other names as well. A name that went or was given to another file
    /// changes both: each has another number of names than before.
    pub(super) fn note_other_names(&mut self, event: &ChangeEvent) {
        if event.source != ChangeSource::RealTime {
            return;
        }
        let states = [&event.change.before, &event.change.after].into_iter().flatten();
        let has_others = |state: &&Entity| state.attributes.links.is_some_and(|links| links > 1);
        let files: BTreeSet<FileId> = states.filter(has_others).filter_map(FileId::of).collect();
        let happened = event.happened.unwrap_or(event.observed);
        // What changed may have changed several times since the first notice of it.
        let since = self.tracker.unsettled_since().map_or(happened, |since| since.min(happened));
        let known = event.who.actors.iter().cloned().map(Ok);
        let who: Vec<Attribution> = known.chain(event.who.unknown.map(Err)).collect();
        for file in files {
            for by in &who {
                let by = by.clone();
                self.elsewhere.note(file, since, Deed { by, after: happened, last: happened });
            }
        }
    }

    /// Looks for the names of the files that wait for it, unless that was done just now.
    pub(super) fn find_names(&mut self) {
        if let Some(since) = self.elsewhere.refused.take() {
            let detail = "more files were touched under other names than can be looked up".to_owned();
            let lost = self.lose_names(since, detail);
            self.take_in(lost);
        }
        let Some(due) = self.elsewhere.due() else { return };
        let begun = Instant::now();
        if due > begun {
            return;
        }
        let files = std::mem::take(&mut self.elsewhere.files);
        let inputs = match self.names_of(&files) {
            Ok(names) => {
                let inputs =
                    names.iter().flat_map(|(path, file)| hints_of(path, *file, &files[file])).collect();
                if self.control.is_some() {
                    merge(&mut self.elsewhere.again, files);
                } else {
                    self.elsewhere.note_strangers(&files, &names);
                }
                inputs
            }
            // The next scan reads all of the state and moves it aside if it is damaged.
            Err(error) => {
                let since = oldest(files.values()).unwrap_or_else(|| (self.parts.clock)());
                vec![self.lose_names(since, error_chain(&error))]
            }
        };
        self.elsewhere.next = Some(Instant::now() + (begun.elapsed() * RESTS).max(LEAST_REST));
        self.take_in_all(inputs.into_iter());
    }

    /// The names under which the files are known.
    fn names_of(
        &self,
        files: &BTreeMap<FileId, Touched>,
    ) -> Result<Vec<(EntityPath, FileId)>, ReadStateError> {
        let mut names = Vec::new();
        let mut take = |entity: &Entity| {
            if let Some(file) = FileId::of(entity).filter(|file| files.contains_key(file)) {
                names.push((entity.key.path().clone(), file));
            }
        };
        if let Some(held) = self.parts.store.entities()? {
            for entity in held {
                let entity = entity?;
                if self.recent.get(entity.key.path()).is_none() {
                    take(&entity);
                }
            }
        }
        self.recent.entities().for_each(take);
        Ok(names)
    }

    /// That other names of files were touched after `since` which will not be looked at.
    fn lose_names(&self, since: Timestamp, detail: String) -> Input {
        let time = (self.parts.clock)();
        let scope = GapScope::Everything;
        let loss = Loss { scope, since, cause: GapCause::NoticesLost, detail };
        Input::Noticed(Hint { notice: Notice::Lost(loss), time, since, by: Err(WhoUnknown::NotTold) })
    }
}

/// After when the oldest of them was touched.
fn oldest<'t>(files: impl Iterator<Item = &'t Touched>) -> Option<Timestamp> {
    files.map(|touched| touched.since).min()
}

/// Adds what was noticed of other files, or of the same.
fn merge(files: &mut BTreeMap<FileId, Touched>, others: BTreeMap<FileId, Touched>) {
    for (file, other) in others {
        match files.entry(file) {
            Entry::Vacant(place) => {
                place.insert(other);
            }
            Entry::Occupied(mut place) => place.get_mut().merge(other),
        }
    }
}

/// That the place was touched by all who touched the file, if the number is still the same file's.
fn hints_of(path: &EntityPath, file: FileId, touched: &Touched) -> Vec<Input> {
    let hint = |deed: &Deed| {
        let Deed { by, after, last } = deed.clone();
        let notice = Notice::TouchedByNumber { path: path.clone(), file, after };
        Input::Noticed(Hint { notice, time: last, since: touched.since, by })
    };
    touched.deeds.in_order().map(hint).collect()
}

/// How many files may wait for their names; with them some megabytes.
const MOST_FILES: usize = 8192;

const MOST_STRANGERS: usize = 16_384;

/// How long the engine does other things after it has looked for names, in times that this took.
const RESTS: u32 = 29;

/// Short beside the time that a place is left to keep still: who touched a file is to be known before it is looked at.
const LEAST_REST: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests;
