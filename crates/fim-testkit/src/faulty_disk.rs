//! A disk in memory that forgets, tears and fails like a real one.
//!
//! It keeps two versions of everything: what programs see (the page cache) and what is on the platter. A power loss
//! leaves, of what was never synced, any part: each 16-byte sector of each file the old bytes, the new ones or
//! zeros, any length between, and any subset of the names that were created, renamed or removed; a directory whose
//! name is lost is lost with all that is in it. Directories directly below the root are there from the beginning.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fim_log::{Disk, DiskFile};

/// What an operation does instead of its work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// This operation and all after it fail, until [`FaultyDisk::lose_power`] starts the disk again. An append
    /// may have reached the cache in part.
    PowerLoss,
    /// This operation alone fails for want of space; an append reaches the cache in part.
    NoSpace,
    /// This operation alone fails with an input/output error. A sync that fails leaves the cache marked as clean:
    /// programs go on seeing bytes that will not survive a power loss.
    Broken,
}

/// What survives a power loss of that which was never synced.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Survives {
    /// Nothing: the strictest disk.
    Nothing,
    /// Everything: as if only the program had died.
    Everything,
    /// Any part, chosen by the number.
    Any(u64),
}

/// The disk. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct FaultyDisk {
    inner: Arc<Mutex<Inner>>,
}

/// A file of a [`FaultyDisk`] open for appending. It fails after a power loss.
#[derive(Debug)]
pub struct FaultyFile {
    disk: FaultyDisk,
    inode: usize,
    boot: u64,
}

#[derive(Clone, Debug)]
struct Inner {
    inodes: Vec<Inode>,
    names: Names,
    durable_names: Names,
    /// Changes of names that no directory sync has made durable.
    pending_names: Vec<NameChange>,
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    boot: u64,
    is_without_power: bool,
    capacity_bytes: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Bytes before this one are the same in both since the last sync.
    settled: usize,
    /// Bytes of the cache from `settled` to this one were lost by a sync that failed, and are marked clean.
    forgotten: usize,
}

/// What each directory has, by its number; the root is 0.
type Names = Vec<BTreeMap<OsString, Node>>;

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
enum Node {
    File(usize),
    Dir(usize),
}

/// A name and the directory that it is in.
#[derive(Clone, Debug)]
struct Place {
    dir: usize,
    name: OsString,
}

#[derive(Clone, Debug)]
enum NameChange {
    Made { at: Place, node: Node },
    Removed { at: Place },
    Renamed { from: Place, to: Place, node: Node },
}

impl FaultyDisk {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the operation with that number, counted from 0 since the disk was made, do `fault` instead of its work.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.lock().faults.insert(operation, fault);
    }

    /// Lets appends fail for want of space once all files together would pass this many bytes; `None` lifts it.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.lock().capacity_bytes = bytes;
    }

    /// How many operations that change the disk, or make it durable, were asked for.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Another disk that has the same on it, durable or not, and no faults.
    pub fn fork(&self) -> Self {
        let mut inner = self.lock().clone();
        inner.faults.clear();
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Kills the program and starts it again, with the disk as the program had left it: what was not synced is there
    /// and still not durable. Files that were open fail from now on; planned faults are dropped.
    pub fn kill(&self) {
        let mut inner = self.lock();
        inner.faults.clear();
        inner.is_without_power = false;
        inner.boot += 1;
    }

    /// Cuts the power and turns it on again: what was synced is there, and of the rest what `survives` says. Files
    /// that were open fail from now on; planned faults are dropped.
    pub fn lose_power(&self, survives: Survives) {
        let mut inner = self.lock();
        let mut choice = Choice::new(survives);
        let mut names = inner.durable_names.clone();
        for change in std::mem::take(&mut inner.pending_names) {
            if choice.keeps() {
                change.apply(&mut names);
            }
        }
        for inode in &mut inner.inodes {
            inode.lose_power(&mut choice);
        }
        inner.names.clone_from(&names);
        inner.durable_names = names;
        inner.faults.clear();
        inner.is_without_power = false;
        inner.boot += 1;
    }

    /// Changes one byte of a file, as a failing medium does.
    pub fn damage(&self, path: &Path, at: usize) {
        let mut inner = self.lock();
        if let Ok(inode) = inner.inode(path) {
            let Inode { cached, durable, .. } = &mut inner.inodes[inode];
            for byte in [cached.get_mut(at), durable.get_mut(at)].into_iter().flatten() {
                *byte ^= 0x55;
            }
        }
    }

    /// The paths of all files that programs see.
    pub fn paths(&self) -> Vec<PathBuf> {
        let inner = self.lock();
        let mut paths = Vec::new();
        let mut dirs = vec![(PathBuf::from("/"), 0)];
        while let Some((path, dir)) = dirs.pop() {
            for (name, node) in &inner.names[dir] {
                match node {
                    Node::File(_) => paths.push(path.join(name)),
                    Node::Dir(below) => dirs.push((path.join(name), *below)),
                }
            }
        }
        paths.sort_unstable();
        paths
    }

    fn names(&self, dir: &Path, is_kind: impl Fn(&Node) -> bool) -> io::Result<Vec<String>> {
        let mut inner = self.lock();
        inner.powered()?;
        let dir = inner.dir(dir)?;
        let of_kind = inner.names[dir].iter().filter(|(_, node)| is_kind(node));
        Ok(of_kind.filter_map(|(name, _)| name.to_str().map(str::to_owned)).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for FaultyDisk {
    type File = FaultyFile;
    type Reader = io::Cursor<Vec<u8>>;

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.begin()?;
        let at = inner.free_place(dir)?;
        inner.names.push(BTreeMap::new());
        inner.durable_names.push(BTreeMap::new());
        let node = Node::Dir(inner.names.len() - 1);
        inner.change_name(NameChange::Made { at, node });
        Ok(())
    }

    fn is_dir(&self, dir: &Path) -> bool {
        self.lock().dir(dir).is_ok()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.names(dir, |node| matches!(node, Node::File(_)))
    }

    fn list_dirs(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.names(dir, |node| matches!(node, Node::Dir(_)))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut inner = self.lock();
        inner.powered()?;
        let inode = inner.inode(path)?;
        Ok(inner.inodes[inode].cached.clone())
    }

    fn open_read(&self, path: &Path) -> io::Result<io::Cursor<Vec<u8>>> {
        self.read(path).map(io::Cursor::new)
    }

    fn open_append(&self, path: &Path) -> io::Result<FaultyFile> {
        let mut inner = self.lock();
        inner.powered()?;
        let inode = match inner.inode(path) {
            Ok(inode) => inode,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => {
                inner.begin()?;
                let at = inner.free_place(path)?;
                inner.inodes.push(Inode::default());
                let inode = inner.inodes.len() - 1;
                inner.change_name(NameChange::Made { at, node: Node::File(inode) });
                inode
            }
        };
        Ok(FaultyFile { disk: self.clone(), inode, boot: inner.boot })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.begin()?;
        let dir = inner.dir(dir)?;
        let pending = std::mem::take(&mut inner.pending_names);
        for change in pending {
            if change.is_in(dir) {
                change.apply(&mut inner.durable_names);
            } else {
                inner.pending_names.push(change);
            }
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.begin()?;
        let (node, from, to) = (inner.node(from)?, inner.place(from)?, inner.place(to)?);
        inner.change_name(NameChange::Renamed { from, to, node });
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.begin()?;
        let (inode, at) = (inner.inode(from)?, inner.free_place(to)?);
        inner.change_name(NameChange::Made { at, node: Node::File(inode) });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.lock();
        inner.powered()?;
        inner.inode(path)?;
        inner.begin()?;
        let at = inner.place(path)?;
        inner.change_name(NameChange::Removed { at });
        Ok(())
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        for name in self.list(dir)? {
            self.remove(&dir.join(name))?;
        }
        for name in self.list_dirs(dir)? {
            self.remove_dir_all(&dir.join(name))?;
        }
        let mut inner = self.lock();
        inner.begin()?;
        let at = inner.place(dir)?;
        inner.change_name(NameChange::Removed { at });
        Ok(())
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut inner = self.lock();
        inner.begin()?;
        let inode = inner.inode(path)?;
        let inode = &mut inner.inodes[inode];
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        inode.cached.resize(len, 0);
        inode.settled = inode.settled.min(len);
        inode.forgotten = inode.forgotten.min(len);
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.disk.lock();
        if inner.boot != self.boot {
            return Err(io::Error::other("the file was open when the power was lost"));
        }
        let started = inner.begin();
        let used = inner.used_bytes();
        let room = inner.capacity_bytes.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
        let written = match &started {
            Ok(()) => bytes.len().min(room),
            Err(_) => bytes.len().min(room) / 2,
        };
        let inode = &mut inner.inodes[self.inode];
        inode.cached.extend_from_slice(&bytes[..written]);
        started?;
        if written < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn len(&self) -> io::Result<u64> {
        let inner = self.disk.lock();
        inner.powered()?;
        Ok(inner.inodes[self.inode].cached.len() as u64)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.disk.lock();
        if inner.boot != self.boot {
            return Err(io::Error::other("the file was open when the power was lost"));
        }
        let started = inner.begin();
        let is_without_power = inner.is_without_power;
        let inode = &mut inner.inodes[self.inode];
        match started {
            Ok(()) => inode.sync(),
            Err(error) => {
                if !is_without_power {
                    inode.forgotten = inode.cached.len();
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            inodes: Vec::new(),
            names: vec![BTreeMap::new()],
            durable_names: vec![BTreeMap::new()],
            pending_names: Vec::new(),
            operations: 0,
            faults: BTreeMap::new(),
            boot: 0,
            is_without_power: false,
            capacity_bytes: None,
        }
    }
}

impl Inner {
    fn powered(&self) -> io::Result<()> {
        if self.is_without_power { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    /// Counts an operation, and fails it if that was planned.
    fn begin(&mut self) -> io::Result<()> {
        self.powered()?;
        let operation = self.operations;
        self.operations += 1;
        match self.faults.get(&operation) {
            None => Ok(()),
            Some(Fault::PowerLoss) => {
                self.is_without_power = true;
                self.powered()
            }
            Some(Fault::NoSpace) => Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::Broken) => Err(io::Error::other("the disk answered with an error")),
        }
    }

    /// The number of a directory.
    fn dir(&mut self, path: &Path) -> io::Result<usize> {
        let mut dir = 0;
        for name in path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        }) {
            dir = match self.names[dir].get(name) {
                Some(Node::Dir(below)) => *below,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None if dir == 0 => self.mount(name),
                None => return Err(io::ErrorKind::NotFound.into()),
            };
        }
        Ok(dir)
    }

    /// A directory below the root, as if another file system were mounted there.
    fn mount(&mut self, name: &OsStr) -> usize {
        let dir = self.names.len();
        for names in [&mut self.names, &mut self.durable_names] {
            names.push(BTreeMap::new());
            names[0].insert(name.to_owned(), Node::Dir(dir));
        }
        dir
    }

    fn place(&mut self, path: &Path) -> io::Result<Place> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
        Ok(Place { dir: self.dir(path.parent().unwrap_or(Path::new("/")))?, name })
    }

    /// The place of a name that is not taken.
    fn free_place(&mut self, path: &Path) -> io::Result<Place> {
        let at = self.place(path)?;
        if self.names[at.dir].contains_key(&at.name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(at)
    }

    fn node(&mut self, path: &Path) -> io::Result<Node> {
        let at = self.place(path)?;
        self.names[at.dir].get(&at.name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn inode(&mut self, path: &Path) -> io::Result<usize> {
        match self.node(path)? {
            Node::File(inode) => Ok(inode),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn used_bytes(&self) -> usize {
        let bytes = |node: &Node| match node {
            Node::File(inode) => self.inodes[*inode].cached.len(),
            Node::Dir(_) => 0,
        };
        self.names.iter().flat_map(BTreeMap::values).map(bytes).sum()
    }

    fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending_names.push(change);
    }
}

impl Inode {
    fn sync(&mut self) {
        if self.forgotten > self.settled {
            // Pages that an earlier sync failed to write count as clean, so they stay as the platter has them.
            let mut durable = self.cached.clone();
            let end = self.forgotten.min(durable.len());
            for (at, byte) in durable[self.settled..end].iter_mut().enumerate() {
                *byte = self.durable.get(self.settled + at).copied().unwrap_or(0);
            }
            self.durable = durable;
        } else {
            self.durable.clone_from(&self.cached);
            self.settled = self.cached.len();
        }
    }

    fn lose_power(&mut self, choice: &mut Choice) {
        let longest = self.cached.len();
        let mut bytes = match choice.version() {
            Version::Old => self.durable.clone(),
            Version::New => self.cached.clone(),
            Version::Mixed => {
                let length = self.settled + choice.below(longest - self.settled + 1);
                let mut bytes = self.cached[..length].to_vec();
                for (sector, chunk) in bytes[self.settled..].chunks_mut(SECTOR_BYTES).enumerate() {
                    let start = self.settled + sector * SECTOR_BYTES;
                    match choice.version() {
                        Version::New => {}
                        Version::Mixed => chunk.fill(0),
                        Version::Old => {
                            for (at, byte) in chunk.iter_mut().enumerate() {
                                *byte = self.durable.get(start + at).copied().unwrap_or(0);
                            }
                        }
                    }
                }
                bytes
            }
        };
        // What a failed sync forgot never comes back, whatever else survives.
        let end = self.forgotten.min(bytes.len());
        if self.settled < end {
            for (at, byte) in bytes[self.settled..end].iter_mut().enumerate() {
                *byte = self.durable.get(self.settled + at).copied().unwrap_or(0);
            }
        }
        *self = Self { settled: bytes.len(), forgotten: 0, durable: bytes.clone(), cached: bytes };
    }
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Made { at, node } => {
                names[at.dir].insert(at.name.clone(), *node);
            }
            Self::Removed { at } => {
                names[at.dir].remove(&at.name);
            }
            Self::Renamed { from, to, node } => {
                names[from.dir].remove(&from.name);
                names[to.dir].insert(to.name.clone(), *node);
            }
        }
    }

    /// True if a sync of the directory makes it durable.
    fn is_in(&self, dir: usize) -> bool {
        match self {
            Self::Made { at, .. } | Self::Removed { at } | Self::Renamed { to: at, .. } => at.dir == dir,
        }
    }
}

enum Version {
    Old,
    New,
    Mixed,
}

/// Chooses what survives: always the same way, or by a xorshift generator.
struct Choice {
    survives: Survives,
    state: u64,
}

impl Choice {
    fn new(survives: Survives) -> Self {
        let seed = match survives {
            Survives::Nothing | Survives::Everything => 0,
            Survives::Any(seed) => seed,
        };
        Self { survives, state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    fn keeps(&mut self) -> bool {
        match self.survives {
            Survives::Nothing => false,
            Survives::Everything => true,
            Survives::Any(_) => self.below(2) == 0,
        }
    }

    fn version(&mut self) -> Version {
        match self.survives {
            Survives::Nothing => Version::Old,
            Survives::Everything => Version::New,
            Survives::Any(_) => match self.below(4) {
                0 => Version::Old,
                1 => Version::New,
                _ => Version::Mixed,
            },
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or(0) % bound
    }
}

const SECTOR_BYTES: usize = 16;
