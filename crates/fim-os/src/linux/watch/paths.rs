//! From the handles of events to paths that rules may name.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsRawFd, OwnedFd};

use fim_core::{EntityPath, FileId};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags};
use rustix::io::Errno;

use super::event::{HANDLE_HEADER_BYTES, Handle, Name};
use super::group;
use super::mounts::Mount;

/// The file systems that are watched, and the directories on them that events named lately.
#[derive(Debug, Default)]
pub(super) struct Paths {
    file_systems: HashMap<[u8; 8], FileSystem>,
    /// Where directories are, by file system and handle. Forgotten whenever a directory moves.
    directories: HashMap<DirectoryKey, Place>,
    /// What the paths of the directories take.
    directory_bytes: usize,
    /// Places in which something was noticed of which nobody can tell where it was, and why.
    untold: BTreeMap<EntityPath, String>,
}

/// Where a directory, or a name in it, is seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    /// Under these paths.
    At(Vec<EntityPath>),
    /// Somewhere below these: its own paths are longer than the system tells.
    Below(Vec<EntityPath>),
}

/// Why a directory is under no path.
#[derive(Debug)]
enum Nowhere {
    /// It was removed, or it lies deeper than scans go.
    Gone,
    /// It may well be somewhere.
    Unknown(String),
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
    /// The file system of the mounts, which are all of one device, and the number by which events name it; nothing if
    /// others of `all` are mounted over each of them, so that nobody sees it.
    pub(super) fn of(mounts: Vec<Mount>, all: &[Mount]) -> std::io::Result<Option<([u8; 8], Self)>> {
        let mut candidates: Vec<&Mount> = mounts.iter().collect();
        candidates.sort_by_key(|mount| mount.root.as_bytes().len());
        let mut refusal = None;
        for base in candidates {
            match open_point(&base.point) {
                Ok(point) if point.mount == base.id => {
                    return Ok(Some((point.id, Self { base: base.clone(), mounts })));
                }
                Ok(point) if all.iter().any(|mount| mount.id == point.mount) => {}
                Ok(_) => refusal = Some(std::io::Error::other("what is mounted there is not what was told")),
                Err(error) => refusal = Some(error.into()),
            }
        }
        refusal.map_or(Ok(None), Err)
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

impl FileSystem {
    /// Opens what a handle names, without any right to it but to ask what it is.
    fn open(&self, handle: &Handle<'_>) -> Option<OwnedFd> {
        // Another one may have been mounted there meanwhile.
        let point = open_point(&self.base.point).ok()?;
        if point.id != handle.file_system {
            return None;
        }
        group::open_handle(&point.place, handle.handle).ok()
    }

    /// The inode that a handle means, where the file system writes it there (`generic_encode_ino32_fh` and
    /// `xfs_fs_encode_fh` of the kernel). It is asked for all that happens on the file system.
    fn inode(&self, handle: &[u8]) -> Option<u64> {
        let (head, inode) = handle.split_at_checked(HANDLE_HEADER_BYTES)?;
        let kind = u32::from_ne_bytes(head.get(4..8)?.try_into().ok()?);
        match (self.base.kind.as_str(), kind, inode.len()) {
            ("ext2" | "ext3" | "ext4" | "xfs", 1, 8) => {
                Some(u32::from_ne_bytes(inode.get(..4)?.try_into().ok()?).into())
            }
            // `shmem_encode_fh`, behind the generation.
            ("tmpfs", 1, 12) => Some(u64::from_ne_bytes(inode.get(4..12)?.try_into().ok()?)),
            ("xfs", 0x81, 12) => Some(u64::from_ne_bytes(inode.get(..8)?.try_into().ok()?)),
            _ => None,
        }
    }

    fn device_number(&self) -> Option<u64> {
        let (major, minor) = self.base.device.split_once(':')?;
        Some(rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl Paths {
    /// Takes other file systems in place of those it had. Gives those that are no longer among them.
    pub(super) fn replace(&mut self, file_systems: HashMap<[u8; 8], FileSystem>) -> Vec<FileSystem> {
        self.forget_directories();
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
        self.directory_bytes = 0;
    }

    /// The places in which something was noticed since this was asked last of which nobody can tell where it was.
    pub(super) fn take_untold(&mut self) -> BTreeMap<EntityPath, String> {
        std::mem::take(&mut self.untold)
    }

    /// Where a name is seen; under no path if its directory is gone. What cannot be told is told by
    /// [`Self::take_untold`].
    pub(super) fn of(&mut self, name: &Name<'_>) -> Place {
        match self.of_directory(&name.directory) {
            Ok(Place::At(directories)) if name.name == b"." => Place::At(directories.clone()),
            Ok(Place::At(directories)) => {
                Place::At(directories.iter().map(|directory| directory.join(name.name)).collect())
            }
            Ok(Place::Below(above)) => {
                let above = above.clone();
                for place in &above {
                    self.cannot_tell(place, TOO_LONG);
                }
                Place::Below(above)
            }
            Err(Nowhere::Gone) => Place::At(Vec::new()),
            Err(Nowhere::Unknown(why)) => {
                let mounts = self.file_systems.get(&name.directory.file_system);
                let points: Vec<EntityPath> = mounts
                    .map(|known| known.mounts.iter().map(|mount| mount.point.clone()).collect())
                    .unwrap_or_default();
                for point in points {
                    self.cannot_tell(&point, &why);
                }
                Place::At(Vec::new())
            }
        }
    }

    fn cannot_tell(&mut self, place: &EntityPath, why: &str) {
        if !self.untold.contains_key(place) {
            self.untold.insert(place.clone(), why.to_owned());
        }
    }

    fn of_directory(&mut self, handle: &Handle<'_>) -> Result<&Place, Nowhere> {
        let key = (handle.file_system, Box::from(handle.handle));
        if !self.directories.contains_key(&key) {
            let found = self.find(handle)?;
            let bytes = found.bytes();
            if self.directories.len() >= MOST_DIRECTORIES || self.directory_bytes + bytes > MOST_BYTES {
                self.forget_directories();
            }
            self.directory_bytes += bytes;
            self.directories.insert(key.clone(), found);
        }
        self.directories.get(&key).ok_or(Nowhere::Gone)
    }

    /// Which file a handle means; nothing if it is gone.
    pub(super) fn file(&self, handle: &Handle<'_>) -> Option<FileId> {
        let file_system = self.file_systems.get(&handle.file_system)?;
        if let Some(inode) = file_system.inode(handle.handle) {
            return Some(FileId { device: file_system.device_number()?, inode });
        }
        let opened = file_system.open(handle)?;
        let stat = rustix::fs::fstat(opened).ok()?;
        Some(FileId { device: stat.st_dev, inode: stat.st_ino })
    }

    /// True if the file has more names than so many, or that cannot be told.
    pub(super) fn has_more_names(&self, handle: &Handle<'_>, than: u32) -> bool {
        let Some(file_system) = self.file_systems.get(&handle.file_system) else { return false };
        let look = || {
            let point = open_point(&file_system.base.point)?;
            std::io::Result::Ok(rustix::fs::fstat(group::open_handle(&point.place, handle.handle)?)?)
        };
        match look() {
            Ok(stat) => stat.st_nlink > than.into(),
            Err(error) => error.raw_os_error() != Some(libc::ESTALE),
        }
    }

    fn find(&self, handle: &Handle<'_>) -> Result<Place, Nowhere> {
        // What is not watched any more concerns nobody.
        let file_system = self.file_systems.get(&handle.file_system).ok_or(Nowhere::Gone)?;
        let point = open_point(&file_system.base.point)
            .map_err(|error| cannot("open the place where the file system is mounted", error.into()))?;
        if point.id != handle.file_system {
            return Err(Nowhere::Unknown("another file system is mounted over it".to_owned()));
        }
        let opened = unless_short_of_memory(|| group::open_handle(&point.place, handle.handle));
        let opened = opened.map_err(|error| {
            if error.raw_os_error() == Some(libc::ESTALE) {
                Nowhere::Gone
            } else {
                cannot("open the directory", error)
            }
        })?;
        match nearest_path(&opened)? {
            (path, true) => Ok(Place::At(file_system.everywhere(&path))),
            (above, false) => Ok(Place::Below(file_system.everywhere(&above))),
        }
    }
}

impl Place {
    fn bytes(&self) -> usize {
        let (Self::At(paths) | Self::Below(paths)) = self;
        paths.iter().map(|path| path.as_bytes().len()).sum()
    }
}

/// Tries once more where there was no memory: that is so for a moment, and says nothing of the directory.
fn unless_short_of_memory<T>(mut open: impl FnMut() -> std::io::Result<T>) -> std::io::Result<T> {
    open().or_else(|error| if error.kind() == std::io::ErrorKind::OutOfMemory { open() } else { Err(error) })
}

/// The path of a directory and true; or, where that is longer than the system tells, the nearest one above whose path is
/// not, and false.
fn nearest_path(directory: &OwnedFd) -> Result<(EntityPath, bool), Nowhere> {
    let tell =
        |opened: &OwnedFd| rustix::fs::readlink(format!("/proc/self/fd/{}", opened.as_raw_fd()), Vec::new());
    let told = tell(directory);
    let is_certain = matches!(&told, Ok(path) if !path.as_bytes().ends_with(DELETED));
    if !is_certain && rustix::fs::fstat(directory).is_ok_and(|stat| stat.st_nlink == 0) {
        return Err(Nowhere::Gone);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let up = |from: &OwnedFd| {
        rustix::fs::openat(from, c"..", flags, Mode::empty())
            .map_err(|error| cannot("open the directory above", error.into()))
    };
    let mut above = match told {
        Ok(path) => return Ok((EntityPath::unix(path.into_bytes()), true)),
        Err(Errno::NAMETOOLONG) => up(directory)?,
        Err(error) => return Err(cannot("tell where the directory is", error.into())),
    };
    for _ in 0..MOST_LEVELS {
        match tell(&above) {
            Ok(path) => return Ok((EntityPath::unix(path.into_bytes()), false)),
            Err(Errno::NAMETOOLONG) => above = up(&above)?,
            Err(error) => return Err(cannot("tell where a directory is", error.into())),
        }
    }
    // So deep scans do not go, which they tell.
    Err(Nowhere::Gone)
}

fn cannot(what: &str, error: std::io::Error) -> Nowhere {
    Nowhere::Unknown(format!("something was noticed and the agent could not {what}: {error}"))
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
    /// The number of the mount. Its device would not do: btrfs gives each subvolume one, and the table of mounts another.
    mount: u64,
}

fn open_point(point: &EntityPath) -> rustix::io::Result<Point> {
    // Handles are not opened through a place that is open for its path alone.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let place = rustix::fs::openat(CWD, point.as_bytes(), flags, Mode::empty())?;
    let id = id_bytes(rustix::fs::fstatfs(&place)?.f_fsid);
    let told = rustix::fs::statx(&place, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?;
    if told.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        return Err(Errno::NOSYS);
    }
    Ok(Point { place, id, mount: told.stx_mnt_id })
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

/// How many directories are remembered, and what their paths may take.
const MOST_DIRECTORIES: usize = 8192;
const MOST_BYTES: usize = 4 << 20;

/// As deep as scans go: what is deeper is not monitored.
const MOST_LEVELS: usize = 512;

/// Why what is noticed at such a path is not told by it.
const TOO_LONG: &str = "something was noticed at a path of more than 4,095 bytes, which the system does not tell; all of it is looked at";

/// Under how many paths one place is told.
const MOST_NAMES: usize = 16;
