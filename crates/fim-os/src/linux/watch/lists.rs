//! Inotify on the few hundred places that lists are read from.
//!
//! Control groups tell by no other way that a service was started or has ended, and what else lists are read from is
//! little: so it is watched by this alone, whatever notices changes of files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fim_core::{ListPart, Timestamp};
use fim_scan::WatchError;
use fim_scan::lists::{ListNotices, ListWatcher, Place};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::{group, now};

/// Notices what happens where lists are read from.
#[derive(Debug)]
pub(super) struct InotifyLists {
    fd: OwnedFd,
    table: Mutex<Table>,
}

/// What is watched, and what was noticed.
#[derive(Debug)]
struct Table {
    watches: HashMap<i32, Watched>,
    /// What was noticed and not yet handed out.
    notices: ListNotices,
    /// Watches of which something came before it was known what they are of.
    strays: BTreeSet<i32>,
    /// Why a place that a part is read from is not watched, of several the last.
    trouble: BTreeMap<ListPart, String>,
    /// Until when everything that had happened has been heard of.
    heard: Timestamp,
}

/// A watched file or directory: what each part reads of it. It may have several paths.
#[derive(Debug, Default)]
struct Watched(BTreeMap<ListPart, Reads>);

/// What a part reads of a file or directory: in its last look at all that it is read from, and in the one under way.
#[derive(Debug, Default)]
struct Reads {
    before: Interest,
    now: Interest,
}

/// What concerns a part of what happens at a file or in a directory.
#[derive(Debug, Default)]
struct Interest {
    /// True if the file or directory itself does.
    is_read: bool,
    /// True if it is which names are in it.
    names: bool,
    /// What is called so in it.
    entries: BTreeSet<Vec<u8>>,
}

impl InotifyLists {
    /// A watcher that watches nothing yet.
    pub(super) fn new() -> io::Result<Self> {
        let fd = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let table = Table {
            watches: HashMap::new(),
            notices: ListNotices::default(),
            strays: BTreeSet::new(),
            trouble: BTreeMap::new(),
            heard: now(),
        };
        Ok(Self { fd, table: Mutex::new(table) })
    }

    /// Watches a directory for what concerns the part. Where there is none, that it comes.
    fn watch_directory(&self, part: ListPart, directory: &str, names: bool, entry: Option<&str>) {
        let add = || inotify::add_watch(&self.fd, directory_or_root(directory), IN_DIRECTORIES);
        let mut added = add();
        if matches!(added, Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP))
            && let Some((above, name)) = directory.rsplit_once('/')
        {
            self.watch_directory(part, above, false, Some(name));
            // It may have come before that was watched.
            added = add();
        }
        self.note(part, directory, added, |interest| {
            interest.is_read = true;
            interest.names |= names;
            interest.entries.extend(entry.map(|entry| entry.as_bytes().to_vec()));
        });
    }

    /// Watches a file of which its directory tells nothing: one that a link leads to, or that the kernel writes.
    fn watch_file(&self, part: ListPart, path: &str) {
        let added = inotify::add_watch(&self.fd, path, IN_FILES);
        self.note(part, path, added, |interest| interest.is_read = true);
    }

    /// Notes what a watch is for, if there is one.
    fn note(&self, part: ListPart, path: &str, added: Result<i32, Errno>, take: impl FnOnce(&mut Interest)) {
        let mut table = self.lock();
        match added {
            Ok(watch) => {
                take(&mut table.watches.entry(watch).or_default().0.entry(part).or_default().now);
                if table.strays.remove(&watch) {
                    table.notices.touched.insert(part);
                }
            }
            // What is not there is watched where it may come.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(error) => {
                table.trouble.insert(part, format!("{path}: {}", super::inotify::why(error)));
            }
        }
    }

    /// Takes in what waits. True if that was all.
    fn take(&self) -> Result<bool, Errno> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut reader = Reader::new(&self.fd, &mut buffer);
        for _ in 0..MOST_EVENTS {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(std::ffi::CStr::to_bytes);
                    self.lock().take(event.wd(), event.events(), name);
                }
                Err(Errno::AGAIN) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListWatcher for InotifyLists {
    fn begin(&self, part: ListPart) {
        let mut table = self.lock();
        table.trouble.remove(&part);
        for watched in table.watches.values_mut() {
            if let Some(reads) = watched.0.get_mut(&part) {
                // A look that was not whole may have left out what the one before it saw.
                let now = std::mem::take(&mut reads.now);
                reads.before.add(now);
            }
        }
    }

    fn reads(&self, part: ListPart, place: Place<'_>) {
        let (Place::Names(path) | Place::Entry(path)) = place;
        // Nothing is noticed there.
        if path.starts_with("/proc/") {
            return;
        }
        let mut table = self.lock();
        if table.watches.len() >= MOST_WATCHES {
            let why = format!("{path}: lists are read from more than {MOST_WATCHES} places");
            table.trouble.insert(part, why);
            return;
        }
        drop(table);
        match place {
            Place::Names(directory) => self.watch_directory(part, directory, true, None),
            Place::Entry(path) => {
                let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
                self.watch_directory(part, directory, false, Some(name));
                if path.starts_with(CONTROL_GROUPS) || is_link_to_file(path) {
                    self.watch_file(part, path);
                }
            }
        }
    }

    fn end(&self, part: ListPart, is_complete: bool) {
        if !is_complete {
            return;
        }
        let mut table = self.lock();
        let mut unused = Vec::new();
        table.watches.retain(|watch, watched| {
            if let Some(reads) = watched.0.get_mut(&part) {
                reads.before = std::mem::take(&mut reads.now);
            }
            watched.0.retain(|_, reads| reads.before.is_read || reads.now.is_read);
            if watched.0.is_empty() {
                unused.push(*watch);
            }
            !watched.0.is_empty()
        });
        drop(table);
        for watch in unused {
            // It is gone already if what it was of is.
            let _ = inotify::remove_watch(&self.fd, watch);
        }
    }

    fn wait(&self, at_most: Duration) -> Result<ListNotices, WatchError> {
        let asked = now();
        let [has_events] = group::wait([(self.fd.as_raw_fd(), libc::POLLIN)], at_most)
            .map_err(|source| WatchError::System { doing: "wait for notices of lists", source })?;
        let is_all = if has_events {
            self.take().map_err(|error| WatchError::System {
                doing: "read what was noticed of lists",
                source: error.into(),
            })?
        } else {
            true
        };
        let mut table = self.lock();
        if is_all {
            table.heard = asked;
        }
        Ok(std::mem::take(&mut table.notices))
    }

    fn trouble(&self) -> Option<String> {
        self.lock().trouble.values().next().cloned()
    }
}

impl Table {
    fn take(&mut self, watch: i32, flags: ReadFlags, name: Option<&[u8]>) {
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.notices.lost_since.get_or_insert(self.heard);
            return;
        }
        let Some(watched) = self.watches.get(&watch) else {
            if self.strays.len() < MOST_WATCHES && !flags.contains(ReadFlags::IGNORED) {
                self.strays.insert(watch);
            }
            return;
        };
        let concerned = watched.0.iter().filter(|(_, reads)| {
            reads.before.is_concerned(flags, name) || reads.now.is_concerned(flags, name)
        });
        self.notices.touched.extend(concerned.map(|(part, _)| *part));
        if flags.contains(ReadFlags::IGNORED) {
            self.watches.remove(&watch);
        }
    }
}

impl Interest {
    fn add(&mut self, other: Self) {
        self.is_read |= other.is_read;
        self.names |= other.names;
        self.entries.extend(other.entries);
    }

    fn is_concerned(&self, flags: ReadFlags, name: Option<&[u8]>) -> bool {
        let is_of_names = flags.intersects(
            ReadFlags::CREATE
                .union(ReadFlags::DELETE)
                .union(ReadFlags::MOVED_FROM)
                .union(ReadFlags::MOVED_TO),
        );
        match name {
            Some(name) => (is_of_names && self.names) || self.entries.contains(name),
            None => self.is_read,
        }
    }
}

/// True if the path is a link, and what it leads to a regular file: devices are written to all the time.
fn is_link_to_file(path: &str) -> bool {
    let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    is_link && std::fs::metadata(path).is_ok_and(|found| found.is_file())
}

fn directory_or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

const IN_FILES: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF);

const IN_DIRECTORIES: WatchFlags = IN_FILES
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ONLYDIR);

/// The kernel writes the files of control groups. Notices of them come for sure only where they are watched themselves.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup/";

const BUFFER_BYTES: usize = 16 << 10;
const MOST_EVENTS: usize = 8192;

/// A system has some hundred units in some ten directories.
const MOST_WATCHES: usize = 8192;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Says which parts were noticed to have changed by what is done.
    fn noticed(watcher: &InotifyLists, what: impl FnOnce()) -> Vec<ListPart> {
        while !watcher.wait(Duration::ZERO).unwrap().touched.is_empty() {}
        what();
        watcher.wait(Duration::ZERO).unwrap().touched.into_iter().collect()
    }

    fn read(watcher: &InotifyLists, part: ListPart, places: &[Place<'_>]) {
        watcher.begin(part);
        places.iter().for_each(|place| watcher.reads(part, *place));
        watcher.end(part, true);
    }

    #[test]
    fn what_a_part_is_read_from_is_noticed_and_what_is_beside_it_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        fs::create_dir(path("dpkg")).unwrap();
        fs::create_dir(path("units")).unwrap();
        let watcher = InotifyLists::new().unwrap();
        read(&watcher, ListPart::Dpkg, &[Place::Entry(&path("dpkg/status"))]);
        read(&watcher, ListPart::Systemd, &[Place::Names(&path("units"))]);
        assert_eq!(noticed(&watcher, || fs::write(path("dpkg/lock"), "x").unwrap()), []);
        let rename = || fs::rename(path("dpkg/lock"), path("dpkg/status")).unwrap();
        assert_eq!(noticed(&watcher, rename), [ListPart::Dpkg]);
        let write = || fs::write(path("dpkg/status"), "y").unwrap();
        assert_eq!(noticed(&watcher, write), [ListPart::Dpkg]);
        let add = || fs::write(path("units/a.service"), "").unwrap();
        assert_eq!(noticed(&watcher, add), [ListPart::Systemd]);
        let away = || fs::rename(path("dpkg"), path("elsewhere")).unwrap();
        assert_eq!(
            noticed(&watcher, away),
            [ListPart::Dpkg],
            "the folder itself is what it is read from too"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_noticed_when_it_comes() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let watcher = InotifyLists::new().unwrap();
        read(&watcher, ListPart::Apk, &[Place::Entry(&path("lib/apk/db/installed"))]);
        assert_eq!(noticed(&watcher, || fs::create_dir(path("other")).unwrap()), []);
        let come = || fs::create_dir_all(path("lib/apk/db")).unwrap();
        assert_eq!(noticed(&watcher, come), [ListPart::Apk]);
    }

    #[test]
    fn the_file_that_a_link_leads_to_is_noticed_and_a_device_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        for folder in ["units", "opt"] {
            fs::create_dir(path(folder)).unwrap();
        }
        fs::write(path("opt/a.service"), "x").unwrap();
        std::os::unix::fs::symlink(path("opt/a.service"), path("units/a.service")).unwrap();
        std::os::unix::fs::symlink("/dev/null", path("units/masked.service")).unwrap();
        let watcher = InotifyLists::new().unwrap();
        let units = [path("units/a.service"), path("units/masked.service")];
        read(&watcher, ListPart::Systemd, &units.each_ref().map(|unit| Place::Entry(unit)));
        assert_eq!(noticed(&watcher, || fs::write("/dev/null", "x").unwrap()), []);
        let write = || fs::write(path("opt/a.service"), "y").unwrap();
        assert_eq!(noticed(&watcher, write), [ListPart::Systemd]);
    }

    #[test]
    fn what_a_part_is_no_longer_read_from_is_watched_no_more_but_after_a_look_that_was_not_whole() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        for folder in ["a", "b"] {
            fs::create_dir(path(folder)).unwrap();
        }
        let watcher = InotifyLists::new().unwrap();
        read(&watcher, ListPart::Rpm, &[Place::Names(&path("a"))]);
        watcher.begin(ListPart::Rpm);
        watcher.reads(ListPart::Rpm, Place::Names(&path("b")));
        watcher.end(ListPart::Rpm, false);
        assert_eq!(noticed(&watcher, || fs::write(path("a/1"), "").unwrap()), [ListPart::Rpm]);
        read(&watcher, ListPart::Rpm, &[Place::Names(&path("b"))]);
        assert_eq!(noticed(&watcher, || fs::write(path("a/2"), "").unwrap()), []);
        assert_eq!(noticed(&watcher, || fs::write(path("b/1"), "").unwrap()), [ListPart::Rpm]);
        assert_eq!(watcher.lock().watches.len(), 1);
    }
}
