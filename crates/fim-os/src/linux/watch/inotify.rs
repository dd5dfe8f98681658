//! Inotify, a watch for each directory: for those who may not mark whole file systems. It does not tell who.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use fim_core::{EntityPath, GapCause, GapScope, Hint, Loss, Notice, ScanPlan, Timestamp, WhoUnknown};
use fim_scan::{Unwatched, WatchError, Watcher};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::mounts::{MountTable, may_hang, why_not_asked, without_mounts};
use super::{group, now};

/// Notices what changes in the directories in which something is monitored.
pub(super) struct InotifyWatcher {
    fd: OwnedFd,
    table: MountTable,
    plan: Arc<ScanPlan>,
    canary: EntityPath,
    /// Where each watched directory is, by its watch and the other way round.
    places: HashMap<i32, EntityPath>,
    watches: BTreeMap<EntityPath, i32>,
    /// The directories that cannot be watched, of very many the first.
    unwatched: Vec<Unwatched>,
    /// Until when everything that had happened has been heard of.
    heard: Timestamp,
}

/// Why inotify cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The system gives no queue.
    #[error("no queue of notices: {0}; see fs.inotify.max_user_instances")]
    Queue(io::Error),
    /// The mounts cannot be read.
    #[error("the mounts cannot be read: {0}")]
    Mounts(io::Error),
}

/// One event, as it is needed.
struct Event {
    watch: i32,
    flags: ReadFlags,
    cookie: u32,
    name: Option<Vec<u8>>,
}

impl InotifyWatcher {
    /// A watcher that watches nothing yet.
    pub(super) fn new() -> Result<Self, StartError> {
        let flags = CreateFlags::NONBLOCK | CreateFlags::CLOEXEC;
        Ok(Self {
            fd: inotify::init(flags).map_err(|error| StartError::Queue(error.into()))?,
            table: MountTable::open().map_err(StartError::Mounts)?,
            plan: Arc::default(),
            canary: EntityPath::unix("/"),
            places: HashMap::new(),
            watches: BTreeMap::new(),
            unwatched: Vec::new(),
            heard: now(),
        })
    }

    /// Watches every directory that the plan leads through, and those above, in which it may come and go.
    fn watch_all(&mut self) {
        self.unwatched.clear();
        let plan = Arc::clone(&self.plan);
        for root in plan.roots() {
            for directory in std::iter::successors(root.parent(), EntityPath::parent) {
                self.try_add(&directory);
            }
            self.watch_below(root);
        }
        if let Some(directory) = self.canary.parent() {
            self.try_add(&directory);
        }
    }

    /// Watches a directory and those below that the plan leads through. What is made in one while it is listed is
    /// noticed by its watch, which is there before.
    fn watch_below(&mut self, top: &EntityPath) {
        let mut waiting = vec![top.clone()];
        while let Some(directory) = waiting.pop() {
            if self.plan.directory(&directory).is_descend() && self.try_add(&directory) {
                waiting.extend(directories_in(&directory));
            }
        }
    }

    /// Watches one directory. False if it cannot be, or is none.
    fn try_add(&mut self, directory: &EntityPath) -> bool {
        if let Some(mount) = self.table.at(directory).filter(|mount| may_hang(mount, &self.canary)) {
            let why = why_not_asked(&mount.kind);
            self.leave_unwatched(directory, why);
            return false;
        }
        if self.watches.len() >= MOST_WATCHES && !self.watches.contains_key(directory) {
            self.leave_unwatched(directory, format!("inotify watches {MOST_WATCHES} directories at most"));
            return false;
        }
        match inotify::add_watch(&self.fd, directory.as_bytes(), EVENTS) {
            Ok(watch) => {
                if let Some(before) = self.places.insert(watch, directory.clone()) {
                    self.watches.remove(&before);
                }
                let before = self.watches.insert(directory.clone(), watch);
                if let Some(before) = before.filter(|&before| before != watch) {
                    // What was there is elsewhere now, and what happens in it shall not be told under this path.
                    self.places.remove(&before);
                    let _ = inotify::remove_watch(&self.fd, before);
                }
                self.unwatched.retain(|place| place.path != *directory);
                true
            }
            // What is not there or no directory is not watched in itself, but where it may come.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => false,
            Err(error) => {
                self.leave_unwatched(directory, why(error));
                false
            }
        }
    }

    fn leave_unwatched(&mut self, directory: &EntityPath, why: String) {
        let is_known = self.unwatched.iter().any(|place| place.path == *directory);
        if !is_known && self.unwatched.len() < MOST_UNWATCHED {
            self.unwatched.push(Unwatched { path: directory.clone(), why });
        }
    }

    /// Takes the watches off directories that the plan does not lead to. Those that stay are never without one.
    fn drop_unwanted(&mut self) {
        let (plan, canary) = (Arc::clone(&self.plan), self.canary.clone());
        let is_wanted = |directory: &EntityPath| {
            let is_above = |place: &EntityPath| place != directory && place.is_within(directory);
            plan.directory(directory).is_descend()
                || plan.roots().iter().any(is_above)
                || canary.parent().as_ref() == Some(directory)
        };
        let unwanted: Vec<_> = self.watches.extract_if(.., |directory, _| !is_wanted(directory)).collect();
        for (_, watch) in unwanted {
            self.places.remove(&watch);
            // It is gone already if the directory is.
            let _ = inotify::remove_watch(&self.fd, watch);
        }
    }

    /// The watches of a directory and of all below it, which are no longer known by their paths.
    fn take_below(&mut self, directory: &EntityPath) -> Vec<(EntityPath, i32)> {
        let below = self.watches.range(directory.clone()..).map(|(path, &watch)| (path.clone(), watch));
        let below: Vec<_> = below.take_while(|(path, _)| path.is_within(directory)).collect();
        for (path, watch) in &below {
            self.watches.remove(path);
            self.places.remove(watch);
        }
        self.unwatched.retain(|place| !place.path.is_within(directory));
        below
    }

    /// Takes the watches off a directory that is gone, and off all below it.
    fn forget(&mut self, directory: &EntityPath) {
        for (_, watch) in self.take_below(directory) {
            // It is gone already if the directory is.
            let _ = inotify::remove_watch(&self.fd, watch);
        }
    }

    /// Remembers where a directory and all below it are now.
    fn rename(&mut self, from: &EntityPath, to: &EntityPath) {
        self.forget(to);
        for (path, watch) in self.take_below(from) {
            let rest = path.as_bytes().get(from.as_bytes().len() + 1..).unwrap_or_default();
            let path = if rest.is_empty() { to.clone() } else { to.join(rest) };
            self.places.insert(watch, path.clone());
            self.watches.insert(path, watch);
        }
    }

    /// Some of the events that wait. All that one call of the system gave is among them: nobody gives it again.
    fn read(&self) -> Result<Vec<Event>, Errno> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        let mut events = Vec::new();
        // The second half of a move is in the queue once the first is. What is moved out of sight has none.
        let is_half = |events: &[Event]| {
            let is_half = |event: &Event| event.flags.contains(ReadFlags::MOVED_FROM);
            events.len() < 2 * MOST_EVENTS && events.last().is_some_and(is_half)
        };
        while events.len() < MOST_EVENTS || !reader.is_buffer_empty() || is_half(&events) {
            match reader.next() {
                Ok(event) => events.push(Event {
                    watch: event.wd(),
                    flags: event.events(),
                    cookie: event.cookie(),
                    name: event.file_name().map(|name| name.to_bytes().to_vec()),
                }),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    fn take(&mut self, events: Vec<Event>, hints: &mut Vec<Hint>) {
        let time = now();
        let mut events = events.into_iter().peekable();
        while let Some(event) = events.next() {
            let other = event.flags.contains(ReadFlags::MOVED_FROM).then(|| {
                events.next_if(|next| next.cookie == event.cookie && next.flags.contains(ReadFlags::MOVED_TO))
            });
            if let Some(notice) = self.notice(&event, other.flatten().as_ref(), time) {
                hints.push(Hint { notice, time, since: self.heard, by: Err(WhoUnknown::NotTold) });
            }
        }
    }

    /// What an event says; `other` is the second half of a move of which it is the first.
    fn notice(&mut self, event: &Event, other: Option<&Event>, time: Timestamp) -> Option<Notice> {
        if event.flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            // Directories may have come that are not watched.
            self.watch_all();
            let detail = "the kernel's queue of notices was full";
            return Some(self.lost(GapScope::Everything, GapCause::NoticesLost, detail, time));
        }
        let directory = self.places.get(&event.watch)?.clone();
        if event.flags.contains(ReadFlags::IGNORED) {
            self.places.remove(&event.watch);
            // Another directory may be there by now, with a watch of its own.
            if self.watches.get(&directory) == Some(&event.watch) {
                self.watches.remove(&directory);
            }
            return None;
        }
        let is_directory = event.flags.contains(ReadFlags::ISDIR);
        let path = event.name.as_ref().map_or_else(|| directory.clone(), |name| directory.join(name));
        let to = other.and_then(|other| Some(self.places.get(&other.watch)?.join(other.name.as_deref()?)));
        let has_come = event.flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
        let has_gone = event.flags.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM);
        if is_directory {
            match &to {
                Some(to) => self.rename(&path, to),
                None if has_gone => self.forget(&path),
                None => {}
            }
            if to.is_some() || has_come {
                self.watch_below(to.as_ref().unwrap_or(&path));
            }
        }
        Some(match to {
            Some(to) => Notice::Moved { from: path, to, is_directory },
            None if has_come => Notice::Created { path, is_directory },
            None if has_gone => Notice::Removed { path, is_directory },
            None => Notice::Touched(path),
        })
    }

    /// Tells the places that may look different since something was mounted or unmounted, and watches what is there.
    fn compare_mounts(&mut self, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let changed = self
            .table
            .compare(&self.plan)
            .map_err(|source| WatchError::System { doing: "read which file systems are mounted", source })?;
        if changed.is_empty() {
            return Ok(());
        }
        self.watch_all();
        let time = now();
        for (scope, detail) in changed {
            let notice = self.lost(scope, GapCause::MountsChanged, &detail, time);
            hints.push(Hint { notice, time, since: self.heard, by: Err(WhoUnknown::NotTold) });
        }
        Ok(())
    }

    fn lost(&self, scope: GapScope, cause: GapCause, detail: &str, time: Timestamp) -> Notice {
        Notice::Lost(Loss { scope, since: self.heard.min(time), cause, detail: detail.to_owned() })
    }
}

impl Watcher for InotifyWatcher {
    fn provider(&self) -> &'static str {
        "inotify"
    }

    fn heard(&self) -> Timestamp {
        self.heard
    }

    fn tells_who(&self) -> bool {
        false
    }

    fn watch(&mut self, plan: &Arc<ScanPlan>, canary: &EntityPath) {
        self.plan = Arc::clone(plan);
        self.canary = canary.clone();
        self.drop_unwanted();
        match self.table.read() {
            Ok(()) => self.watch_all(),
            Err(error) => self.unwatched = vec![without_mounts(&error)],
        }
    }

    fn unwatched(&self) -> &[Unwatched] {
        &self.unwatched
    }

    fn wait(&mut self, at_most: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let asked = now();
        let fds = [(self.fd.as_raw_fd(), libc::POLLIN), (self.table.as_raw_fd(), libc::POLLPRI)];
        let [has_events, has_mounts] = group::wait(fds, at_most)
            .map_err(|source| WatchError::System { doing: "wait for notices", source })?;
        if has_mounts {
            self.compare_mounts(hints)?;
        }
        if has_events {
            let events = self.read().map_err(|error| WatchError::System {
                doing: "read what was noticed",
                source: error.into(),
            })?;
            let are_all = events.len() < MOST_EVENTS;
            self.take(events, hints);
            if !are_all {
                return Ok(());
            }
        }
        self.heard = asked;
        Ok(())
    }
}

/// The directories in a directory; none if it cannot be listed, which the scan tells.
fn directories_in(directory: &EntityPath) -> Vec<EntityPath> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let Ok(opened) = rustix::fs::openat(CWD, directory.as_bytes(), flags, Mode::empty()) else {
        return Vec::new();
    };
    let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
    let mut entries = RawDir::new(opened, &mut buffer);
    let mut directories = Vec::new();
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name().to_bytes();
        // Where the listing does not tell, a watch of anything else is refused.
        let may_be = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        if may_be && name != b"." && name != b".." {
            directories.push(directory.join(name));
        }
    }
    directories
}

pub(super) fn why(error: Errno) -> String {
    match error {
        Errno::NOSPC => "the system gives no more watches; raise fs.inotify.max_user_watches".to_owned(),
        other => io::Error::from(other).to_string(),
    }
}

const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::DONT_FOLLOW);

const BUFFER_BYTES: usize = 16 << 10;
const MOST_EVENTS: usize = 8192;

/// With their paths about ten megabytes.
const MOST_WATCHES: usize = 50_000;

/// How many directories that cannot be watched are known by name.
const MOST_UNWATCHED: usize = 100;
