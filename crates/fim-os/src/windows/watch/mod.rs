//! What notices changes in real time: the system's notices of folders and of keys of the registry. They do not say who.

mod calm;
mod event;
mod folder;
mod key;
mod places;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use fim_core::windows::{FolderAct, FolderNotice, Hive};
use fim_core::{EntityPath, GapCause, GapScope, Hint, Loss, Notice, ScanPlan, Timestamp, WhoUnknown};
use fim_scan::lists::ListWatcher;
use fim_scan::{Unwatched, WatchError, Watcher, WatcherChoice};

use calm::Calm;
use folder::{Folder, Told};
use key::Key;
use places::{is_directory, spelled, stored, wanted, without_value};

/// What the providers are called, the best first.
pub const PROVIDERS: [&str; 1] = [BY_PLACE];

/// The best watcher that works on this machine: there is one, which works on each.
pub fn best_watcher(_at_best: &str) -> WatcherChoice {
    WatcherChoice { watcher: Some(Box::new(PlaceWatcher::new())), refused: Vec::new() }
}

/// What notices changes of lists; else why nothing does.
///
/// # Errors
///
/// Nothing does so on Windows.
pub fn list_watcher() -> Result<Arc<dyn ListWatcher>, String> {
    Err("services and software of Windows are compared from time to time".to_owned())
}

/// Notices what changes in the folders and keys in which something is monitored.
struct PlaceWatcher {
    plan: Arc<ScanPlan>,
    canary: EntityPath,
    places: BTreeMap<EntityPath, Place>,
    /// The folders and keys that cannot be watched.
    unwatched: Vec<Unwatched>,
    /// Until when everything that had happened has been heard of.
    heard: Timestamp,
}

/// A folder or key that is watched.
struct Place {
    watch: Watch,
    /// True if all below it is watched as well; else it is watched for what leads to places that are.
    is_deep: bool,
}

enum Watch {
    Folder {
        folder: Folder,
        /// What a name was called of which it is not told yet what it is called now.
        renamed: Option<EntityPath>,
    },
    Key {
        key: Key,
        calm: Calm,
    },
}

/// What one round of listening found.
#[derive(Default)]
struct Round {
    notices: Vec<(Notice, Timestamp)>,
    /// Places that are told no more: they are gone.
    ended: Vec<EntityPath>,
    /// True if folders or keys came or went, so that others may be to be watched.
    is_other: bool,
    /// True if there may be more to take.
    is_cut: bool,
}

impl PlaceWatcher {
    fn new() -> Self {
        Self {
            plan: Arc::default(),
            canary: EntityPath::windows(""),
            places: BTreeMap::new(),
            unwatched: Vec::new(),
            heard: now(),
        }
    }

    /// Watches what is to be and is not yet, and no more what need not be. Tells what came under watch.
    fn cover(&mut self) -> Vec<EntityPath> {
        let mut wanted = wanted(self.plan.roots(), &self.canary);
        self.places.retain(|path, place| wanted.get(path) == Some(&place.is_deep));
        wanted.retain(|path, _| !self.places.contains_key(path));
        let mut new = Vec::new();
        self.unwatched.clear();
        for (path, is_deep) in wanted {
            if self.places.len() >= MOST_PLACES {
                let why = format!("{MOST_PLACES} folders and keys are watched at most");
                self.unwatched.push(Unwatched { path, why });
                continue;
            }
            match watch(&path, is_deep) {
                Ok(watch) => {
                    self.places.insert(path.clone(), Place { watch, is_deep });
                    new.push(path);
                }
                // It went just now, which is noticed above it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.unwatched.push(Unwatched { path, why: error.to_string() }),
            }
        }
        new
    }

    /// Takes what was told since the last time.
    fn listen(&mut self) -> Round {
        let mut round = Round::default();
        for (path, place) in &mut self.places {
            let at = At { folder: path, is_deep: place.is_deep, roots: self.plan.roots(), heard: self.heard };
            match &mut place.watch {
                Watch::Folder { folder, renamed } => {
                    if let Err(error) = listen_to_folder(at, folder, renamed, &mut round) {
                        tracing::debug!(%path, %error, "a folder is not watched any more");
                        round.ended.push(path.clone());
                    }
                }
                Watch::Key { key, calm } => {
                    match key.take() {
                        Ok(true) => calm.notice(self.heard),
                        Ok(false) => {}
                        Err(_) => round.ended.push(path.clone()),
                    }
                    if let Some(since) = calm.take_due(Instant::now()) {
                        if place.is_deep {
                            round.look(path, self.plan.roots(), since);
                        } else {
                            round.is_other = true;
                        }
                    }
                }
            }
        }
        round
    }

    /// Watches other places where some came or went. What is in them may have come before they were watched.
    fn follow(&mut self, round: &mut Round) {
        for path in &round.ended {
            self.places.remove(path);
        }
        if round.is_other || !round.ended.is_empty() {
            let new = self.cover();
            for path in new.into_iter().chain(std::mem::take(&mut round.ended)) {
                round.look(&path, self.plan.roots(), self.heard);
            }
        }
    }
}

impl Watcher for PlaceWatcher {
    fn provider(&self) -> &'static str {
        BY_PLACE
    }

    fn heard(&self) -> Timestamp {
        let waiting = self.places.values().filter_map(|place| match &place.watch {
            Watch::Folder { .. } => None,
            Watch::Key { calm, .. } => calm.waiting_since(),
        });
        waiting.chain([self.heard]).min().unwrap_or(self.heard)
    }

    fn tells_who(&self) -> bool {
        false
    }

    fn watch(&mut self, plan: &Arc<ScanPlan>, canary: &EntityPath) {
        self.plan = Arc::clone(plan);
        self.canary = canary.clone();
        self.cover();
    }

    fn unwatched(&self) -> &[Unwatched] {
        &self.unwatched
    }

    fn wait(&mut self, at_most: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let asked = now();
        let events: Vec<_> = self.places.values().map(|place| place.watch.event()).collect();
        event::wait_for_any(&events, at_most)
            .map_err(|source| WatchError::System { doing: "wait for notices", source })?;
        let mut round = self.listen();
        self.follow(&mut round);
        let time = now();
        hints.extend(round.notices.into_iter().map(|(notice, since)| Hint {
            notice,
            time,
            since: since.min(time),
            by: Err(WhoUnknown::NotTold),
        }));
        if !round.is_cut {
            self.heard = asked;
        }
        Ok(())
    }
}

impl Watch {
    fn event(&self) -> windows_sys::Win32::Foundation::HANDLE {
        match self {
            Self::Folder { folder, .. } => folder.event(),
            Self::Key { key, .. } => key.event(),
        }
    }
}

fn watch(path: &EntityPath, is_deep: bool) -> io::Result<Watch> {
    Ok(match Hive::of(path) {
        Some(hive) => Watch::Key { key: Key::watch(hive, path, is_deep)?, calm: Calm::default() },
        None => Watch::Folder { folder: Folder::watch(path, is_deep)?, renamed: None },
    })
}

/// Where something is told.
#[derive(Clone, Copy)]
struct At<'w> {
    folder: &'w EntityPath,
    is_deep: bool,
    roots: &'w [EntityPath],
    heard: Timestamp,
}

impl At<'_> {
    /// The path of what the system calls so. Where a rule spells it in another case, that is what it is known by.
    fn path(self, name: &[u8]) -> EntityPath {
        let path = stored(self.folder, name);
        if self.is_deep { path } else { spelled(path, self.roots) }
    }
}

/// Takes what was told of a folder. Fails if that is gone.
fn listen_to_folder(
    at: At<'_>,
    folder: &mut Folder,
    renamed: &mut Option<EntityPath>,
    round: &mut Round,
) -> io::Result<()> {
    for _ in 0..MOST_BUFFERS {
        match folder.take()? {
            None => {
                // What it became would have been told with it.
                if let Some(from) = renamed.take() {
                    round.tell(Notice::Removed { path: from, is_directory: true }, at.heard);
                }
                return Ok(());
            }
            Some(Told::Notices(notices)) => {
                for notice in notices {
                    round.take_in(at, &notice, renamed);
                }
            }
            Some(Told::TooMuch) => {
                let loss = Loss {
                    scope: GapScope::Within(at.folder.clone()),
                    since: at.heard,
                    cause: GapCause::NoticesLost,
                    detail: "more happened at once than the system keeps notices of".to_owned(),
                };
                round.tell(Notice::Lost(loss), at.heard);
                round.is_other |= !at.is_deep;
            }
        }
    }
    round.is_cut = true;
    Ok(())
}

impl Round {
    fn tell(&mut self, notice: Notice, since: Timestamp) {
        self.notices.push((notice, since));
    }

    /// Has all be looked at that is monitored in a folder or key and below it.
    fn look(&mut self, path: &EntityPath, roots: &[EntityPath], since: Timestamp) {
        // A value that is named alone is looked at by its own name.
        let values = roots.iter().filter(|root| *root != path && without_value(root) == *path);
        for path in values.chain([path]) {
            self.tell(Notice::Below(path.clone()), since);
        }
    }

    /// Takes in one notice about what is in a folder.
    fn take_in(&mut self, at: At<'_>, notice: &FolderNotice, renamed: &mut Option<EntityPath>) {
        // A stream is looked at with what it belongs to.
        let name = notice.name.split(|&byte| byte == b':').next().unwrap_or_default();
        let path = at.path(name);
        let from = match notice.act {
            FolderAct::WasAnother => renamed.take(),
            FolderAct::Came
            | FolderAct::Went
            | FolderAct::Changed
            | FolderAct::BecameAnother
            | FolderAct::Stream => {
                if let Some(from) = renamed.take() {
                    self.tell(Notice::Removed { path: from, is_directory: true }, at.heard);
                }
                None
            }
        };
        let notice = match notice.act {
            FolderAct::BecameAnother => {
                *renamed = Some(path);
                return;
            }
            FolderAct::Came | FolderAct::WasAnother => {
                let is_directory = is_directory(&path);
                match from {
                    Some(from) => Notice::Moved { from, to: path, is_directory },
                    None => Notice::Created { path, is_directory },
                }
            }
            // What went is not there any more to be asked what it was.
            FolderAct::Went => Notice::Removed { path, is_directory: true },
            // What is in a folder is told by itself, and the streams of a file are not.
            FolderAct::Changed | FolderAct::Stream if is_directory(&path) => Notice::Touched(path),
            FolderAct::Changed | FolderAct::Stream => Notice::Below(path),
        };
        // What comes and goes above the roots may be what leads to one.
        self.is_other |= !at.is_deep && !matches!(notice, Notice::Touched(_) | Notice::Below(_));
        self.tell(notice, at.heard);
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Notices by the system's calls for each folder and key, without who made them.
const BY_PLACE: &str = "notices";

/// With their buffers sixteen megabytes.
const MOST_PLACES: usize = 256;

/// What is told of one folder before others are listened to again.
const MOST_BUFFERS: usize = 16;
