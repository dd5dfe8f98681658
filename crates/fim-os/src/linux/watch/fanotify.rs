//! Fanotify on whole file systems: every change on them is noticed, with its name and the process that made it.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use fim_core::{
    Attribution, EntityPath, GapCause, GapScope, Hint, Loss, Notice, ScanPlan, Timestamp, WhoUnknown,
};
use fim_scan::{Unwatched, WatchError, Watcher};

use super::event::{self, Event, Name, mask};
use super::group::{self, Group};
use super::mounts::{self, Mount};
use super::paths::{FileSystem, Paths};
use super::process;
use crate::linux::principals::Principals;

/// Notices what changes on the file systems on which something is monitored.
pub(super) struct FanotifyWatcher {
    group: Group,
    paths: Paths,
    /// The kernel tells by it that the mounts have changed.
    table: File,
    mounts: Vec<Mount>,
    plan: Arc<ScanPlan>,
    canary: EntityPath,
    people: Principals,
    people_read: Instant,
    buffer: Vec<u8>,
    /// Until when everything that had happened has been heard of.
    heard: Timestamp,
}

/// Why fanotify cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
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
    /// A watcher that watches nothing yet.
    pub(super) fn new() -> Result<Self, StartError> {
        let group = Group::new().map_err(StartError::Group)?;
        // Some sandboxes give a group and then refuse every mark.
        group.mark(b"/").and_then(|()| group.unmark(b"/")).map_err(StartError::Mark)?;
        Ok(Self {
            group,
            paths: Paths::default(),
            table: File::open(mounts::TABLE).map_err(StartError::Mounts)?,
            mounts: Vec::new(),
            plan: Arc::default(),
            canary: EntityPath::unix("/"),
            people: Principals::of_this_machine(),
            people_read: Instant::now(),
            buffer: vec![0; BUFFER_BYTES],
            heard: now(),
        })
    }

    /// Marks the file systems on which something is monitored, and takes the marks off others.
    fn mark(&mut self) -> Vec<Unwatched> {
        let mut unwatched = Vec::new();
        let mut by_device: HashMap<&str, Vec<Mount>> = HashMap::new();
        for mount in self.mounts.iter().filter(|mount| self.shows_something(mount)) {
            by_device.entry(&mount.device).or_default().push(mount.clone());
        }
        let mut file_systems = HashMap::new();
        for mounts in by_device.into_values() {
            let point = mounts[0].point.clone();
            let kind = mounts[0].kind.clone();
            let marked = FileSystem::of(mounts).and_then(|opened| {
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
                    unwatched.push(Unwatched { path: point, why });
                }
            }
        }
        for gone in self.paths.replace(file_systems) {
            // It may be unmounted, and then there is no mark to take off.
            let _ = self.group.unmark(gone.point().as_bytes());
        }
        unwatched
    }

    /// True if something monitored may be seen through the mount.
    fn shows_something(&self, mount: &Mount) -> bool {
        let mut places = self.plan.roots().iter().chain(std::iter::once(&self.canary));
        places.any(|root| root.is_within(&mount.point) || mount.point.is_within(root))
    }

    /// Finds out what was mounted and unmounted, and tells the places that may look different now.
    fn compare_mounts(&mut self, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let mounts = mounts::read()
            .map_err(|source| WatchError::System { doing: "read which file systems are mounted", source })?;
        let before = std::mem::replace(&mut self.mounts, mounts);
        let now = now();
        let is_same = |one: &Mount, other: &Mount| {
            one.id == other.id && one.point == other.point && one.device == other.device
        };
        let came = self.mounts.iter().filter(|mount| !before.iter().any(|other| is_same(mount, other)));
        let went = before.iter().filter(|mount| !self.mounts.iter().any(|other| is_same(mount, other)));
        let told: Vec<(EntityPath, String)> = came
            .map(|mount| (mount, "was mounted"))
            .chain(went.map(|mount| (mount, "was unmounted")))
            .map(|(mount, what)| (mount.point.clone(), format!("a {} file system {what}", mount.kind)))
            .collect();
        if told.is_empty() && !before.is_empty() {
            let detail = "something was mounted and unmounted before it could be seen where".to_owned();
            hints.push(self.lost(GapScope::Everything, GapCause::MountsChanged, detail, now));
        }
        let relevant = told.into_iter().filter(|(point, _)| {
            self.plan.roots().iter().any(|root| root.is_within(point) || point.is_within(root))
        });
        for (point, detail) in relevant {
            // What a rule names may lie below the place.
            let scopes = self.plan.roots().iter().filter(|root| root.is_within(&point) && **root != point);
            let mut scopes: Vec<EntityPath> = scopes.cloned().collect();
            if scopes.is_empty() {
                scopes.push(point);
            }
            for scope in scopes {
                let scope = GapScope::Within(scope);
                hints.push(self.lost(scope, GapCause::MountsChanged, detail.clone(), now));
            }
        }
        for place in self.mark() {
            tracing::warn!(path = %place.path, why = place.why, "cannot be watched in real time");
        }
        Ok(())
    }

    fn lost(&self, scope: GapScope, cause: GapCause, detail: String, time: Timestamp) -> Hint {
        let loss = Loss { scope, since: self.heard.min(time), cause, detail };
        Hint { notice: Notice::Lost(loss), time, by: Err(WhoUnknown::NotTold) }
    }

    /// Takes in all events that wait, up to a bound, so that mounts and orders get their turn.
    fn take_events(&mut self, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        for _ in 0..MOST_READS {
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
                self.heard = now();
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_batch(&mut self, mut bytes: &[u8], hints: &mut Vec<Hint>) {
        // Who a process is does not change within a batch, which is read at one moment.
        let mut actors: HashMap<i32, Attribution> = HashMap::new();
        let time = now();
        while let Some(event) = event::next(&mut bytes) {
            let process = event.pidfd.and_then(group::own);
            if event.mask & mask::OVERFLOW != 0 {
                let detail = "the kernel's queue of notices was full".to_owned();
                hints.push(self.lost(GapScope::Everything, GapCause::NoticesLost, detail, time));
                continue;
            }
            let notices = self.notices(&event);
            if notices.is_empty() {
                continue;
            }
            let by = actors.entry(event.pid).or_insert_with(|| {
                let seen = process::look(event.pid, &self.people);
                match process {
                    Some(process) if group::is_alive(&process) => seen,
                    Some(_) | None => Err(WhoUnknown::Ended),
                }
            });
            hints.extend(notices.into_iter().map(|notice| Hint { notice, time, by: by.clone() }));
        }
    }

    /// What an event says of places that rules may name.
    fn notices(&mut self, event: &Event<'_>) -> Vec<Notice> {
        let is_directory = event.mask & mask::ON_DIRECTORY != 0;
        let mut notices = Vec::new();
        if event.mask & mask::RENAME != 0 {
            let old = event.old_name.as_ref().map(|name| self.told(name)).unwrap_or_default();
            if is_directory {
                self.paths.forget_directories();
            }
            let new = event.new_name.as_ref().map(|name| self.told(name)).unwrap_or_default();
            return moved(old, new, is_directory);
        }
        let Some(name) = &event.name else { return notices };
        let paths = self.told(name);
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

    /// The paths of a name that the plan may be concerned with.
    fn told(&mut self, name: &Name<'_>) -> Vec<EntityPath> {
        let mut paths = self.paths.of(name);
        let roots = self.plan.roots();
        paths.retain(|path| {
            *path == self.canary || roots.iter().any(|root| path.is_within(root) || root.is_within(path))
        });
        paths
    }
}

/// A name that became another, as far as both can be seen.
fn moved(old: Vec<EntityPath>, new: Vec<EntityPath>, is_directory: bool) -> Vec<Notice> {
    let pairs = old.iter().zip(&new).map(|(from, to)| Notice::Moved {
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
        "fanotify"
    }

    fn watch(&mut self, plan: &Arc<ScanPlan>, canary: &EntityPath) -> Vec<Unwatched> {
        self.plan = Arc::clone(plan);
        self.canary = canary.clone();
        match mounts::read() {
            Ok(mounts) => self.mounts = mounts,
            Err(error) => {
                let why = format!("which file systems are mounted cannot be read: {error}");
                return vec![Unwatched { path: EntityPath::unix("/"), why }];
            }
        }
        self.heard = now();
        self.mark()
    }

    fn wait(&mut self, at_most: Duration, hints: &mut Vec<Hint>) -> Result<(), WatchError> {
        let fds = [(self.group.as_raw_fd(), libc::POLLIN), (self.table.as_raw_fd(), libc::POLLPRI)];
        let [has_events, has_mounts] = group::wait(fds, at_most)
            .map_err(|source| WatchError::System { doing: "wait for notices", source })?;
        if self.people_read.elapsed() > PEOPLE_LAST {
            self.people = Principals::of_this_machine();
            self.people_read = Instant::now();
        }
        if has_mounts {
            self.compare_mounts(hints)?;
        }
        if has_events {
            self.take_events(hints)?;
        } else {
            self.heard = now();
        }
        Ok(())
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Room for some thousand events at once.
const BUFFER_BYTES: usize = 256 << 10;

const MOST_READS: usize = 16;

/// How old the names of users are at most.
const PEOPLE_LAST: Duration = Duration::from_secs(10);

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
