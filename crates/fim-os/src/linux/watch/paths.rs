//! From the handles of events to paths that rules may name.

use std::collections::HashMap;
use std::os::fd::{AsRawFd, OwnedFd};

use fim_core::EntityPath;
use rustix::fs::{CWD, Mode, OFlags};

use super::event::{Handle, Name};
use super::group;
use super::mounts::Mount;

/// The file systems that are watched, and the directories on them that events named lately.
#[derive(Debug, Default)]
pub(super) struct Paths {
    file_systems: HashMap<[u8; 8], FileSystem>,
    /// Where directories are, by file system and handle. Forgotten whenever a directory moves.
    directories: HashMap<DirectoryKey, Vec<EntityPath>>,
}

/// A file system and a handle on it.
type DirectoryKey = ([u8; 8], Box<[u8]>);

/// A file system that is watched. Nothing on it is kept open, so that it can be unmounted.
#[derive(Debug)]
pub(super) struct FileSystem {
    /// The mount through which handles are opened: the one that shows most of it.
    base: Mount,
    /// All mounts of it through which something monitored can be seen.
    mounts: Vec<Mount>,
}

impl FileSystem {
    /// The file system of the mounts, which are all of one device, and the number by which events name it.
    pub(super) fn of(mounts: Vec<Mount>) -> std::io::Result<Option<([u8; 8], Self)>> {
        let mut candidates: Vec<&Mount> = mounts.iter().collect();
        candidates.sort_by_key(|mount| mount.root.as_bytes().len());
        let mut refusal = None;
        for base in candidates {
            match open_point(&base.point) {
                // Another file system may be mounted over it.
                Ok(point) if point.device != base.device => {}
                Ok(point) => return Ok(Some((point.id, Self { base: base.clone(), mounts }))),
                Err(error) => refusal = Some(error),
            }
        }
        refusal.map_or(Ok(None), |error| Err(error.into()))
    }

    /// Where it is marked.
    pub(super) fn point(&self) -> &EntityPath {
        &self.base.point
    }

    /// The paths under which a place is seen that is at `path` through the base mount.
    fn everywhere(&self, path: &EntityPath) -> Vec<EntityPath> {
        let Some(inner) = rest_of(path, &self.base.point) else { return Vec::new() };
        let within = append(&self.base.root, inner);
        let through = |mount: &Mount| Some(append(&mount.point, rest_of(&within, &mount.root)?));
        self.mounts.iter().filter_map(through).take(MOST_NAMES).collect()
    }
}

impl Paths {
    /// Takes other file systems in place of those it had. Gives those that are no longer among them.
    pub(super) fn replace(&mut self, file_systems: HashMap<[u8; 8], FileSystem>) -> Vec<FileSystem> {
        self.directories.clear();
        let before = std::mem::replace(&mut self.file_systems, file_systems);
        before
            .into_iter()
            .filter(|(id, _)| !self.file_systems.contains_key(id))
            .map(|(_, gone)| gone)
            .collect()
    }

    pub(super) fn watches(&self, id: &[u8; 8]) -> bool {
        self.file_systems.contains_key(id)
    }

    /// Forgets where directories are, because one of them moved.
    pub(super) fn forget_directories(&mut self) {
        self.directories.clear();
    }

    /// The paths of a name; none if its directory is gone, or cannot be seen from here.
    pub(super) fn of(&mut self, name: &Name<'_>) -> Vec<EntityPath> {
        let directories = self.of_directory(&name.directory);
        if name.name == b"." {
            return directories.to_vec();
        }
        directories.iter().map(|directory| directory.join(name.name)).collect()
    }

    fn of_directory(&mut self, handle: &Handle<'_>) -> &[EntityPath] {
        let key = (handle.file_system, Box::from(handle.handle));
        if !self.directories.contains_key(&key) {
            if self.directories.len() >= MOST_DIRECTORIES {
                self.directories.clear();
            }
            let Some(found) = self.find(handle) else { return &[] };
            self.directories.insert(key.clone(), found);
        }
        self.directories.get(&key).map_or(&[], Vec::as_slice)
    }

    fn find(&self, handle: &Handle<'_>) -> Option<Vec<EntityPath>> {
        let file_system = self.file_systems.get(&handle.file_system)?;
        // Another one may have been mounted there meanwhile.
        let point = open_point(&file_system.base.point).ok()?;
        if point.id != handle.file_system {
            return None;
        }
        let opened = group::open_handle(&point.place, handle.handle).ok()?;
        let link = format!("/proc/self/fd/{}", opened.as_raw_fd());
        let path = rustix::fs::readlink(link, Vec::new()).ok()?.into_bytes();
        if path.ends_with(DELETED) && rustix::fs::fstat(&opened).ok()?.st_nlink == 0 {
            return None;
        }
        Some(file_system.everywhere(&EntityPath::unix(path)))
    }
}

/// The file system's number as events give it: two integers.
#[expect(unsafe_code, reason = "the C library hides the two integers")]
fn id_bytes(id: rustix::fs::Fsid) -> [u8; 8] {
    // SAFETY: `fsid_t` is two integers of four bytes and nothing else, and any bytes are a value of an array of bytes.
    unsafe { std::mem::transmute::<rustix::fs::Fsid, [u8; 8]>(id) }
}

/// The place where something is mounted.
struct Point {
    place: OwnedFd,
    /// The number of the file system that is seen there.
    id: [u8; 8],
    /// Its device, as the table of mounts writes it.
    device: String,
}

fn open_point(point: &EntityPath) -> rustix::io::Result<Point> {
    // Handles are not opened through a place that is open for its path alone.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let place = rustix::fs::openat(CWD, point.as_bytes(), flags, Mode::empty())?;
    let id = id_bytes(rustix::fs::fstatfs(&place)?.f_fsid);
    let device = rustix::fs::fstat(&place)?.st_dev;
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    Ok(Point { place, id, device })
}

/// What of `path` lies below `above`, without a separator before it.
fn rest_of<'p>(path: &'p EntityPath, above: &EntityPath) -> Option<&'p [u8]> {
    let rest = path.is_within(above).then(|| &path.as_bytes()[above.as_bytes().len()..])?;
    Some(rest.strip_prefix(b"/").unwrap_or(rest))
}

fn append(above: &EntityPath, rest: &[u8]) -> EntityPath {
    if rest.is_empty() { above.clone() } else { above.join(rest) }
}

const DELETED: &[u8] = b" (deleted)";

/// How many directories are remembered; with them about a megabyte.
const MOST_DIRECTORIES: usize = 8192;

/// Under how many paths one place is told.
const MOST_NAMES: usize = 16;
