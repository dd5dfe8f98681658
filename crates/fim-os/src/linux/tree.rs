//! The live machine's files.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use fim_core::{EntityKind, EntityPath};
use fim_scan::{FileTree, KeepOut, Listing, Look, Resolved, Stamp, TreeError};
use rustix::fs::{
    Advice, AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Statx, StatxFlags,
};
use rustix::io::Errno;

use super::attributes::{self, Described};
use super::file_systems;
use super::principals::Principals;
use super::watch::mounts_that_may_hang;

/// The files of the machine that this runs on.
///
/// Regular files and directories are opened relative to their directory and described through the handle, so that
/// what is described is what is read. Nothing else is ever opened. Opening never waits: neither for the other end of
/// a pipe nor for a lease to be given back.
#[derive(Debug)]
pub struct LiveTree {
    principals: Principals,
}

impl LiveTree {
    /// The tree with the names that users and groups have now. Names change rarely, so a tree is made for each scan.
    pub fn new() -> Self {
        Self { principals: Principals::of_this_machine() }
    }

    fn described(&self, stat: &Statx, xattrs: Option<attributes::Xattrs>) -> Look {
        Described { stat, xattrs, target: None }.into_look(&self.principals)
    }
}

impl Default for LiveTree {
    fn default() -> Self {
        Self::new()
    }
}

impl FileTree for LiveTree {
    type Directory = OwnedFd;
    type File = OwnedFd;
    type Reached = OwnedFd;

    fn open_root(&self, path: &EntityPath) -> Result<OwnedFd, TreeError> {
        let directory = OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open_following(CWD, path.as_bytes(), directory | OFlags::RDONLY) {
            // A directory that may only be passed through still leads to the name that is wanted in it.
            Err(Errno::ACCESS) => {
                open_following(CWD, path.as_bytes(), directory | OFlags::PATH).map_err(failed)
            }
            opened => opened.map_err(failed),
        }
    }

    fn list(&self, directory: &OwnedFd) -> Result<Listing, TreeError> {
        rustix::fs::seek(directory, SeekFrom::Start(0)).map_err(failed)?;
        let mut buffer = vec![MaybeUninit::uninit(); LIST_BYTES];
        let mut entries = RawDir::new(directory, &mut buffer);
        let mut listing = Listing::default();
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                listing.push(name, kind_of(entry.file_type()));
            }
        }
        listing.sort();
        listing.shrink();
        Ok(listing)
    }

    fn describe_directory(&self, directory: &OwnedFd) -> Result<Look, TreeError> {
        let stat = stat_handle(directory)?;
        Ok(self.described(&stat, attributes::of_handle(directory)))
    }

    fn enter(&self, directory: &OwnedFd, name: &[u8]) -> Result<OwnedFd, TreeError> {
        open(directory, name, DIRECTORY)
    }

    fn look(&self, directory: &OwnedFd, name: &[u8]) -> Result<Look, TreeError> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let stat = rustix::fs::statx(directory, name, flags, WANTED).map_err(failed)?;
        let is_link = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Symlink;
        let target = if is_link {
            let target = rustix::fs::readlinkat(directory, name, Vec::new()).map_err(failed)?;
            Some(target.into_bytes())
        } else {
            None
        };
        let xattrs = attributes::of_name(directory, name);
        Ok(Described { stat: &stat, xattrs, target }.into_look(&self.principals))
    }

    fn resolve(&self, directory: &OwnedFd, name: &[u8]) -> Result<Resolved<OwnedFd>, TreeError> {
        let reached = match open_following(directory, name, OFlags::PATH | OFlags::CLOEXEC) {
            Ok(reached) => reached,
            Err(Errno::LOOP) => return Err(TreeError::NotFound),
            Err(error) => return Err(failed(error)),
        };
        let stat = stat_handle(&reached)?;
        let path = rustix::fs::readlink(path_of_handle(&reached), Vec::new())
            .map_err(|error| TreeError::Failed(format!("cannot tell where a link leads: {}", text(error))))?;
        let path = EntityPath::unix(path.into_bytes());
        Ok(Resolved { look: self.described(&stat, None), path, reached })
    }

    fn enter_reached(&self, reached: &OwnedFd) -> Result<OwnedFd, TreeError> {
        reopen(reached, DIRECTORY)
    }

    fn open_file(&self, directory: &OwnedFd, name: &[u8]) -> Result<OwnedFd, TreeError> {
        open(directory, name, FILE)
    }

    fn open_reached(&self, reached: &OwnedFd) -> Result<OwnedFd, TreeError> {
        reopen(reached, FILE)
    }

    fn describe_file(&self, file: &OwnedFd) -> Result<Look, TreeError> {
        let stat = stat_handle(file)?;
        if stat.stx_size >= READ_AHEAD_FROM_BYTES {
            // Only advice, so it does not matter whether the file system takes it.
            let _ = rustix::fs::fadvise(file, 0, None, Advice::Sequential);
        }
        Ok(self.described(&stat, attributes::of_handle(file)))
    }

    fn stamp(&self, file: &OwnedFd) -> Result<Stamp, TreeError> {
        let stat = stat_handle(file)?;
        Ok(Stamp {
            size_bytes: Some(stat.stx_size),
            modified: Some(attributes::timestamp(&stat.stx_mtime)),
            changed: Some(attributes::timestamp(&stat.stx_ctime)),
        })
    }

    fn read_at(&self, file: &OwnedFd, offset: u64, buffer: &mut [u8]) -> Result<usize, TreeError> {
        loop {
            match rustix::io::pread(file, &mut *buffer, offset) {
                Err(Errno::INTR) => {}
                read => return read.map_err(failed),
            }
        }
    }

    fn next_data(&self, file: &OwnedFd, offset: u64) -> u64 {
        match rustix::fs::seek(file, SeekFrom::Data(offset)) {
            Ok(data) => data,
            Err(Errno::NXIO) => u64::MAX,
            // A file system that cannot tell is read through.
            Err(_) => offset,
        }
    }

    fn keep_out(&self, directory: &OwnedFd) -> Option<KeepOut> {
        file_systems::keep_out(directory)
    }

    fn may_hang(&self) -> Vec<(EntityPath, String)> {
        mounts_that_may_hang()
    }
}

fn stat_handle(handle: impl AsFd) -> Result<Statx, TreeError> {
    rustix::fs::statx(handle, c"", AtFlags::EMPTY_PATH, WANTED).map_err(failed)
}

fn open(directory: &OwnedFd, name: &[u8], flags: OFlags) -> Result<OwnedFd, TreeError> {
    without_trace(flags | OFlags::NOFOLLOW, |flags| rustix::fs::openat(directory, name, flags, Mode::empty()))
        .map_err(failed)
}

/// Opens what a handle holds for reading. No name is looked up, so that it is nothing else. Without `/proc` there is no
/// such way, and no handle either: following a link asks `/proc` where it led.
fn reopen(handle: &OwnedFd, flags: OFlags) -> Result<OwnedFd, TreeError> {
    let path = path_of_handle(handle);
    without_trace(flags, |flags| rustix::fs::openat(CWD, &path, flags, Mode::empty())).map_err(failed)
}

fn path_of_handle(handle: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", handle.as_raw_fd())
}

/// Opens what links lead to, except by the links that `/proc` makes up: they lead to whatever a process has open.
fn open_following(directory: impl AsFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let open =
        |flags| rustix::fs::openat2(&directory, path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS);
    let opened = if flags.contains(OFlags::PATH) { open(flags) } else { without_trace(flags, open) };
    match opened {
        // Sandboxes that are older than the call refuse it.
        Err(Errno::NOSYS) => rustix::fs::openat(&directory, path, flags, Mode::empty()),
        opened => opened,
    }
}

/// Opens without a trace in the access time, which only the owner and the superuser may; others open as usual.
fn without_trace(flags: OFlags, open: impl Fn(OFlags) -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    match open(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => open(flags),
        opened => opened,
    }
}

fn kind_of(listed: FileType) -> Option<EntityKind> {
    match listed {
        FileType::RegularFile => Some(EntityKind::File),
        FileType::Directory => Some(EntityKind::Directory),
        FileType::Symlink => Some(EntityKind::Symlink),
        FileType::Fifo => Some(EntityKind::Fifo),
        FileType::Socket => Some(EntityKind::Socket),
        FileType::CharacterDevice => Some(EntityKind::CharDevice),
        FileType::BlockDevice => Some(EntityKind::BlockDevice),
        FileType::Unknown => None,
    }
}

fn failed(error: Errno) -> TreeError {
    match error {
        Errno::NOENT => TreeError::NotFound,
        // What `O_NOFOLLOW`, `O_DIRECTORY` and the opening of a socket answer with.
        Errno::LOOP | Errno::NOTDIR | Errno::NXIO => TreeError::NotThat,
        // A directory that could be opened only to pass through cannot be listed.
        Errno::ACCESS | Errno::PERM | Errno::BADF => TreeError::PermissionDenied,
        // A lease that somebody holds, a mandatory lock, a file that is being executed or swapped on.
        Errno::AGAIN | Errno::TXTBSY | Errno::BUSY => TreeError::Locked,
        other => TreeError::Failed(text(other)),
    }
}

fn text(error: Errno) -> String {
    std::io::Error::from(error).to_string()
}

const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME).union(StatxFlags::MNT_ID);

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opening waits for nobody, and takes no terminal over.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

const LIST_BYTES: usize = 32 << 10;

/// Below this the kernel's own read-ahead has the whole file after a read or two.
const READ_AHEAD_FROM_BYTES: u64 = 1 << 20;
