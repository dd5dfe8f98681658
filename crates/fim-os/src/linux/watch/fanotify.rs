//! Fanotify on whole file systems: every change on them is noticed, with its name and the process that made it.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use fim_core::{
    EntityKey, EntityKind, EntityPath, FileId, GapCause, GapScope, Hint, Loss, Notice, RuleSet, ScanPlan,
    Timestamp, WhoUnknown,
};
use fim_scan::{KnownFiles, Unwatched, WatchError, Watcher};
use rustix::fs::{AtFlags, StatxFlags};

use super::actors::Actors;
use super::event::{self, Event, LEAST_EVENT_BYTES, Name, ProcessHandle, mask};
use super::group::{self, Group};
use super::mounts::{Mount, MountTable, may_hang, scopes_at, why_not_asked, without_mounts};
use super::paths::{FileSystem, Paths, Place};
use super::unnamed::Unnamed;
use super::{now, process};
use crate::linux::open_files::most_open_files;

/// Notices what changes on the file systems on which something is monitored.
pub(super) struct FanotifyWatcher {
    group: Group,
    paths: Paths,
    table: MountTable,
    plan: Arc<ScanPlan>,
    canary: EntityPath,
    known: Arc<KnownFiles>,
    unnamed: Option<Unnamed>,
    actors: Actors,
    unwatched: Vec<Unwatched>,
    provider: &'static str,
    buffer: Vec<u8>,
    /// Until when everything that had happened has been heard of.
    heard: Timestamp,
    /// The same, in nanoseconds after the machine began.
    heard_nanos: u64,
}

/// Why fanotify cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    /// The system refuses to say where something changes.
    #[error("no places of what changes: {0}; it takes CAP_DAC_READ_SEARCH")]
    Handles(io::Error),
    /// The system refused a group.
    #[error("no group: {0}; it takes CAP_SYS_ADMIN and Linux 5.17")]
    Group(io::Error),
    /// The system refused a mark.
    #[error("no mark on the file system of the root: {0}")]
    Mark(io::Error),
    /// The mounts cannot be read.
    #[error("the mounts cannot be read: {0}")]
    Mounts(io::Error),
}

impl FanotifyWatcher {
    /// A watcher that watches nothing yet, and is called `provider`.
    pub(super) fn new(
        provider: &'static str,
        actors: Actors,
        unnamed: Option<Unnamed>,
    ) -> Result<Self, StartError> {
        let group = Group::new().map_err(StartError::Group)?;
        // Some sandboxes give a group and then refuse every mark.
        group.mark(b"/").and_then(|()| group.unmark(b"/")).map_err(StartError::Mark)?;
        group::may_open_handles().map_err(StartError::Handles)?;
        Ok(Self {
            group,
            paths: Paths::default(),
            table: MountTable::open().map_err(StartError::Mounts)?,
            plan: Arc::default(),
            canary: EntityPath::unix("/"),
            known: Arc::default(),
            unnamed,
            actors,
            unwatched: Vec::new(),
            provider,
            buffer: vec![0; buffer_bytes(most_open_files())],
            heard: now(),
            heard_nanos: process::nanos_since_boot(),
        })
    }

    /// Marks the file systems on which something is monitored, and takes the marks off others.
    fn mark(&mut self) {
        let mut unwatched = Vec::new();
        let mut by_device: HashMap<&str, Vec<Mount>> = HashMap::new();
        for mount in self.table.mounts().iter().filter(|mount| self.shows_something(mount)) {
            by_device.entry(&mount.device).or_default().push(mount.clone());
        }
        let mut file_systems = HashMap::new();
        for mounts in by_device.into_values() {
            let points: Vec<EntityPath> = mounts.iter().map(|mount| mount.point.clone()).collect();
            let kind = mounts[0].kind.clone();
            if mounts.iter().all(|mount| may_hang(mount, &self.canary)) {
                unwatched
                    .extend(points.into_iter().map(|path| Unwatched { path, why: why_not_asked(&kind) }));
                continue;
            }
            let marked = FileSystem::of(mounts, self.table.mounts()).and_then(|opened| {
                let Some((id, file_system)) = opened else { return Ok(None) };
                if !self.paths.watches(&id) {
                    self.group.mark(file_system.point().as_bytes())?;
                }
                Ok(Some((id, file_system)))
            });
            match marked {
                Ok(opened) => file_systems.extend(opened),
                Err(_) if STORES_NOTHING.contains(&kind.as_str()) => {}
                Err(error) => {
                    let why = format!("fanotify cannot watch this {kind} file system: {error}");
                    unwatched.extend(points.into_iter().map(|path| Unwatched { path, why: why.clone() }));
                }
            }
        }
        for gone in self.paths.replace(file_systems) {
            // It may be unmounted, and then there is no mark to take off.
            let _ = self.group.unmark(gone.point().as_bytes());
        }
        self.unwatched = unwatched;
    }

    /// True if something monitored may be seen through the mount.
    fn shows_something(&self, mount: &Mount) -> bool {
        let mut places = self.plan.roots().iter().chain(std::iter::once(&self.canary));
        places.any(|root| root.is_within(&mount.point) || mount.point.is_within(root))
    }

    /// Tells the places that may look different since something was mounted or unmounted.
    fn compare_mounts(&mut self, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let changed = self
            .table
            .compare(&self.plan)
            .map_err(|source| WatchError::System { doing: "read which file systems are mounted", source })?;
        let now = now();
        for (scope, detail) in changed {
            hints.push(lost(scope, GapCause::MountsChanged, detail, (self.heard, now)));
        }
        self.mark();
        Ok(())
    }

    /// Takes in all events that wait, up to a bound, so that mounts and orders get their turn.
    fn take_events(&mut self, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        for reads in 0..MOST_READS {
            if reads > 0 && self.actors.are_told() {
                std::thread::sleep(GATHERED);
            }
            let asked = (now(), process::nanos_since_boot());
            let mut buffer = std::mem::take(&mut self.buffer);
            let read = self.group.read(&mut buffer);
            let bytes = match read {
                Ok(bytes) => bytes,
                Err(source) => {
                    self.buffer = buffer;
                    return Err(WatchError::System { doing: "read what was noticed", source });
                }
            };
            self.take_batch(&buffer[..bytes], hints);
            self.buffer = buffer;
            if bytes == 0 {
                (self.heard, self.heard_nanos) = asked;
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_batch(&mut self, mut bytes: &[u8], hints: &mut Vec<Hint>) {
        let read_nanos = process::nanos_since_boot();
        self.actors.catch_up();
        let time = now();
        while let Some(event) = event::next(&mut bytes) {
            let process = process_of(&event, read_nanos);
            if event.mask & mask::OVERFLOW != 0 {
                // That a directory moved may be among what is lost.
                self.paths.forget_directories();
                let detail = "the kernel's queue of notices was full".to_owned();
                hints.push(lost(GapScope::Everything, GapCause::NoticesLost, detail, (self.heard, time)));
                continue;
            }
            let (notices, is_looked_at) = self.notices(&event);
            if notices.is_empty() {
                continue;
            }
            if is_looked_at {
                self.note_named(&event);
            }
            let by = process.and_then(|process| self.actors.of(event.pid, process, self.heard_nanos));
            let since = self.heard;
            hints.extend(notices.into_iter().map(|notice| Hint { notice, time, since, by: by.clone() }));
        }
        for (place, why) in self.paths.take_untold() {
            for scope in scopes_at(&self.plan, &place) {
                let scope = GapScope::Within(scope);
                hints.push(lost(scope, GapCause::NoticesLost, why.clone(), (self.heard, time)));
            }
        }
    }

    /// Sees to it that what the kernel tells of the same change, by the same process, is not told again.
    fn note_named(&mut self, event: &Event<'_>) {
        if event.mask & mask::ON_DIRECTORY == 0
            && let Some(unnamed) = &mut self.unnamed
            && let Some(file) = event.object.as_ref().and_then(|object| self.paths.file(object))
            && let Ok(number) = u32::try_from(event.pid)
        {
            unnamed.name(file, number, process::nanos_since_boot());
        }
    }

    /// Hands on the changes of files of which no notice came.
    fn take_unnamed(&mut self, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let Some(unnamed) = &mut self.unnamed else { return Ok(()) };
        let proven = unnamed.catch_up(&self.known);
        let (now, now_nanos) = (now(), process::nanos_since_boot());
        let lost_since = unnamed.take_lost();
        let at = |nanos: u64| {
            let age = i64::try_from(now_nanos.saturating_sub(nanos)).unwrap_or(i64::MAX);
            now.plus_nanos(age.saturating_neg())
        };
        for change in unnamed.take_due(now_nanos) {
            let by = self.actors.at(change.process, change.at_nanos);
            let time = at(change.at_nanos);
            hints.push(Hint { notice: Notice::TouchedFile(change.file), time, since: time, by });
        }
        if let Some(since) = lost_since {
            let detail = "what the kernel told of changes was too much to be taken".to_owned();
            // That all notices have been read since says nothing of these records.
            hints.push(lost(GapScope::Everything, GapCause::NoticesLost, detail, (at(since), now)));
        }
        proven.map_err(|unproven| {
            let (detail, since) = (unproven.to_string(), at(unproven.since_nanos));
            hints.push(lost(GapScope::Everything, GapCause::NoticesLost, detail, (since, now)));
            WatchError::Deaf { provider: self.provider, source: unproven.into() }
        })
    }

    /// What an event says of places that rules may name, and of a file that may have such a name beside those. True with
    /// it if the file will be looked at because of that.
    fn notices(&mut self, event: &Event<'_>) -> (Vec<Notice>, bool) {
        let mut notices = self.notices_of_places(event);
        let is_named = notices.iter().any(|notice| leads_to_file(notice, self.plan.rules()));
        match self.file_of(event).filter(|file| self.known.may_have(*file)) {
            // A rule may leave out a name below its root that is another name of what it monitors.
            Some(file) if !is_named || self.is_elsewhere(event, file, &notices) => {
                notices.push(Notice::TouchedFile(file));
                (notices, true)
            }
            Some(_) | None => (notices, is_named),
        }
    }

    /// True if the file of the event is not under the names that will be looked at because of it, and has others: one
    /// that was linked, written to and unlinked is found under none of them when they are looked at.
    fn is_elsewhere(&self, event: &Event<'_>, file: FileId, notices: &[Notice]) -> bool {
        if notices.iter().filter_map(left_at).any(|path| is_at(file, path)) {
            return false;
        }
        // What was moved away has its new name.
        let moved_to = u32::from(event.mask & mask::RENAME != 0);
        event.object.as_ref().is_some_and(|object| self.paths.has_more_names(object, moved_to))
    }

    /// The file that an event is about, if it may differ because of it.
    fn file_of(&self, event: &Event<'_>) -> Option<FileId> {
        // A name that comes or goes changes the file. Without a name nothing but a change of content is told: that the
        // number of names changed is said so as well, whichever names these are.
        let of_interest = match &event.name {
            _ if event.mask & mask::RENAME != 0 => mask::RENAME,
            Some(_) => mask::CREATE | mask::DELETE | mask::ATTRIB | mask::MODIFY | mask::CLOSE_WRITE,
            None => mask::MODIFY | mask::CLOSE_WRITE,
        };
        if event.mask & mask::ON_DIRECTORY != 0 || event.mask & of_interest == 0 {
            return None;
        }
        self.paths.file(event.object.as_ref()?)
    }

    fn notices_of_places(&mut self, event: &Event<'_>) -> Vec<Notice> {
        let is_directory = event.mask & mask::ON_DIRECTORY != 0;
        let mut notices = Vec::new();
        if event.mask & mask::RENAME != 0 {
            let mut told = |watcher: &mut Self, name: &Option<Name<'_>>| {
                name.as_ref().map(|name| watcher.told(name, &mut notices)).unwrap_or_default()
            };
            let old = told(self, &event.old_name);
            if is_directory {
                self.paths.forget_directories();
            }
            let new = told(self, &event.new_name);
            notices.extend(moved(&old, &new, is_directory));
            return notices;
        }
        let Some(name) = &event.name else { return notices };
        let paths = self.told(name, &mut notices);
        for path in paths {
            if event.mask & mask::CREATE != 0 {
                notices.push(Notice::Created { path: path.clone(), is_directory });
            }
            if event.mask & (mask::MODIFY | mask::ATTRIB | mask::CLOSE_WRITE) != 0 {
                notices.push(Notice::Touched(path.clone()));
            }
            if event.mask & mask::DELETE != 0 {
                notices.push(Notice::Removed { path, is_directory });
            }
        }
        if is_directory && event.mask & mask::DELETE != 0 {
            self.paths.forget_directories();
        }
        notices
    }

    /// The paths of a name that the plan may be concerned with. One that has none goes to the notices as what it is below.
    fn told(&mut self, name: &Name<'_>, notices: &mut Vec<Notice>) -> Vec<EntityPath> {
        let (mut paths, are_told) = match self.paths.of(name) {
            Place::At(paths) => (paths, true),
            Place::Below(above) => (above, false),
        };
        let roots = self.plan.roots();
        paths.retain(|path| {
            *path == self.canary || roots.iter().any(|root| path.is_within(root) || root.is_within(path))
        });
        if are_told {
            return paths;
        }
        notices.extend(paths.into_iter().map(Notice::Below));
        Vec::new()
    }
}

/// True if the file that the notice of a place is about will be looked at because of it: a rule names it there. That a rule
/// may name something below the place, were it a directory, is not enough.
fn leads_to_file(notice: &Notice, rules: &RuleSet) -> bool {
    let is_named =
        |path: &EntityPath| rules.rule_for_kind(&EntityKey::File(path.clone()), EntityKind::File).is_some();
    match notice {
        Notice::Touched(path) | Notice::Created { path, .. } | Notice::Removed { path, .. } => is_named(path),
        Notice::Moved { from, to, .. } => is_named(from) || is_named(to),
        Notice::TouchedFile(_)
        | Notice::TouchedByNumber { .. }
        | Notice::Below(_)
        | Notice::ContentRead(_)
        | Notice::Lost(_) => false,
    }
}

/// Where what the notice of a place is about was left.
fn left_at(notice: &Notice) -> Option<&EntityPath> {
    match notice {
        Notice::Touched(path) | Notice::Created { path, .. } | Notice::Moved { to: path, .. } => Some(path),
        Notice::Removed { .. }
        | Notice::TouchedFile(_)
        | Notice::TouchedByNumber { .. }
        | Notice::Below(_)
        | Notice::ContentRead(_)
        | Notice::Lost(_) => None,
    }
}

/// True if the file is what is at the path. No file system is asked over the network.
fn is_at(file: FileId, path: &EntityPath) -> bool {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
    let found = rustix::fs::statx(rustix::fs::CWD, path.as_bytes(), flags, StatxFlags::INO);
    found.is_ok_and(|found| {
        let device = rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor);
        file == FileId { device, inode: found.stx_ino }
    })
}

/// That something is missing of what happened between the two moments.
fn lost(scope: GapScope, cause: GapCause, detail: String, (since, time): (Timestamp, Timestamp)) -> Hint {
    let loss = Loss { scope, since: since.min(time), cause, detail };
    Hint { since: loss.since, notice: Notice::Lost(loss), time, by: Err(WhoUnknown::NotTold) }
}

/// A handle of the process behind an event that was read by `read_nanos`; nothing if the process had ended.
fn process_of(event: &Event<'_>, read_nanos: u64) -> Result<Option<OwnedFd>, WhoUnknown> {
    match event.handle {
        ProcessHandle::Open(fd) => Ok(group::own(fd)),
        ProcessHandle::Ended => Ok(None),
        ProcessHandle::Refused => match group::open_process(event.pid) {
            // It was there when the event was read, so whoever has its number and began before is the one.
            Ok(process)
                if process::started(event.pid).is_some_and(|start| start < process::as_told(read_nanos)) =>
            {
                Ok(Some(process))
            }
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            Ok(_) | Err(_) => Err(WhoUnknown::NoHandle),
        },
    }
}

/// Room for events whose handles of processes take a quarter of the files that may be open at once: as many as are read
/// at once are open at once.
fn buffer_bytes(most_open_files: u64) -> usize {
    let events = usize::try_from(most_open_files / 4).unwrap_or(usize::MAX);
    events.saturating_mul(LEAST_EVENT_BYTES).clamp(LEAST_BUFFER_BYTES, BUFFER_BYTES)
}

/// A name that became another, as far as both can be seen.
fn moved(old: &[EntityPath], new: &[EntityPath], is_directory: bool) -> Vec<Notice> {
    let pairs = old.iter().zip(new).map(|(from, to)| Notice::Moved {
        from: from.clone(),
        to: to.clone(),
        is_directory,
    });
    let gone = old.iter().skip(new.len()).map(|path| Notice::Removed { path: path.clone(), is_directory });
    let come = new.iter().skip(old.len()).map(|path| Notice::Created { path: path.clone(), is_directory });
    pairs.chain(gone).chain(come).collect()
}

impl Watcher for FanotifyWatcher {
    fn provider(&self) -> &'static str {
        self.provider
    }

    fn heard(&self) -> Timestamp {
        // What waits for a notice is not told yet.
        let waits_since = self.unnamed.as_ref().and_then(Unnamed::waits_since);
        let untold = waits_since.map_or(0, |since| self.heard_nanos.saturating_sub(since));
        self.heard.plus_nanos(i64::try_from(untold).unwrap_or(i64::MAX).saturating_neg())
    }

    fn tells_who(&self) -> bool {
        true
    }

    fn watch(&mut self, plan: &Arc<ScanPlan>, canary: &EntityPath) {
        self.plan = Arc::clone(plan);
        self.canary = canary.clone();
        match self.table.read() {
            Ok(()) => self.mark(),
            Err(error) => self.unwatched = vec![without_mounts(&error)],
        }
    }

    fn unwatched(&self) -> &[Unwatched] {
        &self.unwatched
    }

    fn tell_of(&mut self, files: &Arc<KnownFiles>) {
        self.known = Arc::clone(files);
    }

    fn wait(&mut self, at_most: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let asked = (now(), process::nanos_since_boot());
        let fds = [(self.group.as_raw_fd(), libc::POLLIN), (self.table.as_raw_fd(), libc::POLLPRI)];
        let [has_events, has_mounts] = group::wait(fds, at_most)
            .map_err(|source| WatchError::System { doing: "wait for notices", source })?;
        if has_mounts {
            self.compare_mounts(hints)?;
        }
        if has_events {
            self.take_events(hints)?;
        } else {
            (self.heard, self.heard_nanos) = asked;
            self.actors.catch_up();
        }
        self.take_unnamed(hints)
    }
}

/// Room for some thousand events at once.
const BUFFER_BYTES: usize = 256 << 10;

/// Room for one event with the longest names.
const LEAST_BUFFER_BYTES: usize = 4096;

const MOST_READS: usize = 16;

/// How long notices gather once there are more: who makes many is asked for once for each reading. Who has ended by
/// then is known only where the kernel tells of processes.
const GATHERED: Duration = Duration::from_millis(2);

/// File systems whose content the kernel makes up; scans keep out of them as well.
const STORES_NOTHING: [&str; 15] = [
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "debugfs",
    "tracefs",
    "securityfs",
    "devpts",
    "bpf",
    "mqueue",
    "hugetlbfs",
    "configfs",
    "fusectl",
    "binfmt_misc",
    "pstore",
];

#[cfg(test)]
mod tests {
    use fim_core::Rule;

    use super::*;

    #[test]
    fn a_notice_leads_to_its_file_where_a_rule_names_it_and_not_where_one_may_name_what_is_below() {
        let rules = [("/w", &["*.log"][..]), ("/n/**/*.conf", &[])].map(|(path, exclude)| Rule {
            recurse: exclude.len() == 1,
            exclude: exclude.iter().map(|name| (*name).to_owned()).collect(),
            ..Rule::new(path, "group", path)
        });
        let rules = RuleSet::new(rules.to_vec(), fim_core::PathStyle::Unix).unwrap();
        let touched = |path: &str| Notice::Touched(EntityPath::unix(path));
        for (path, is_named) in
            [("/w/a.conf", true), ("/w/a.log", false), ("/n/d/a.conf", true), ("/n/d/a.log", false)]
        {
            assert_eq!(leads_to_file(&touched(path), &rules), is_named, "{path}");
            for (from, to) in [(path, "/n/a.log"), ("/n/a.log", path)] {
                let (from, to) = (EntityPath::unix(from), EntityPath::unix(to));
                let moved = Notice::Moved { from, to, is_directory: false };
                assert_eq!(leads_to_file(&moved, &rules), is_named, "{path}");
            }
        }
    }

    #[test]
    fn events_that_are_read_at_once_take_a_quarter_of_the_files_that_may_be_open() {
        for most in [1024, 4096, 65_536] {
            let events = buffer_bytes(most) / LEAST_EVENT_BYTES;
            assert!(events as u64 <= most / 4, "{most}: {events}");
        }
        assert_eq!(buffer_bytes(0), LEAST_BUFFER_BYTES);
        assert_eq!(buffer_bytes(u64::MAX), BUFFER_BYTES);
    }
}
