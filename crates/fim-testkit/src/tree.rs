//! A file system in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use fim_core::{
    Acl, EntityKind, EntityPath, FileAttributes, PathStyle, Principal, RegistryAttributes, Timestamp,
};
use fim_scan::{FileTree, KeepOut, Listing, Look, Resolved, ServiceStatus, Stamp, TreeError};

/// A file system in memory, with whatever a real one can do to a walk: names of any bytes, links that lead in circles,
/// hard links, devices, directories that cannot be read, files that change while they are read.
///
/// Paths are absolute Unix paths as bytes. Making an entity makes the directories above it. Everything can be changed
/// while a scan is under way. A tree of keys and values of the registry of Windows is opened by paths as Windows spells
/// them.
#[derive(Debug)]
pub struct MemoryTree {
    inner: Mutex<Inner>,
    answered: Condvar,
}

#[derive(Debug)]
struct Inner {
    names: BTreeMap<Vec<u8>, u64>,
    nodes: BTreeMap<u64, Node>,
    refused: BTreeMap<Vec<u8>, TreeError>,
    invisible: BTreeMap<Vec<u8>, TreeError>,
    kept_out: BTreeMap<Vec<u8>, KeepOut>,
    devices: BTreeMap<Vec<u8>, u64>,
    streams: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
    value_types: BTreeMap<Vec<u8>, u32>,
    services: Option<Vec<ServiceStatus>>,
    style: PathStyle,
    opened: BTreeSet<Vec<u8>>,
    hanging: BTreeSet<u64>,
    turned: BTreeMap<Vec<u8>, Vec<u8>>,
    bytes_read: u64,
    lists_kinds: bool,
    clock: i64,
}

#[derive(Clone, Debug)]
struct Node {
    kind: EntityKind,
    content: Vec<u8>,
    /// How long a hole is behind the content.
    hole: u64,
    mode: u16,
    changed: i64,
    changes_left: u32,
}

/// A directory of a [`MemoryTree`] that is open.
#[derive(Debug)]
pub struct MemoryDirectory(Vec<u8>);

/// A file of a [`MemoryTree`] that is open.
#[derive(Debug)]
pub struct MemoryFile(u64);

/// What a link in a [`MemoryTree`] was followed to.
#[derive(Debug)]
pub struct MemoryReached {
    number: u64,
    path: Vec<u8>,
}

impl Default for MemoryTree {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryTree {
    /// A tree with nothing but `/` in it.
    pub fn new() -> Self {
        let inner = Inner {
            names: BTreeMap::new(),
            nodes: BTreeMap::new(),
            refused: BTreeMap::new(),
            invisible: BTreeMap::new(),
            kept_out: BTreeMap::new(),
            devices: BTreeMap::new(),
            streams: BTreeMap::new(),
            value_types: BTreeMap::new(),
            services: None,
            style: PathStyle::Unix,
            opened: BTreeSet::new(),
            hanging: BTreeSet::new(),
            turned: BTreeMap::new(),
            bytes_read: 0,
            lists_kinds: true,
            clock: 0,
        };
        let tree = Self { inner: Mutex::new(inner), answered: Condvar::new() };
        tree.directory("/");
        tree
    }

    /// A registry of Windows with nothing in it.
    pub fn registry() -> Self {
        let tree = Self::new();
        tree.lock().style = PathStyle::Windows;
        tree
    }

    /// Makes a directory.
    pub fn directory(&self, path: impl AsRef<[u8]>) -> &Self {
        self.put(path.as_ref(), EntityKind::Directory, Vec::new())
    }

    /// Makes a file, or gives it other content.
    pub fn file(&self, path: impl AsRef<[u8]>, content: impl Into<Vec<u8>>) -> &Self {
        self.put(path.as_ref(), EntityKind::File, content.into())
    }

    /// Gives a file or directory an alternate data stream, or that other content. No listing has it.
    pub fn stream(&self, path: impl AsRef<[u8]>, name: &str, content: impl Into<Vec<u8>>) -> &Self {
        let whole = [path.as_ref(), b":", name.as_bytes()].concat();
        self.file(whole, content);
        self.lock().streams.entry(path.as_ref().to_vec()).or_default().insert(name.as_bytes().to_vec());
        self
    }

    /// Gives a key of the registry, which is made, a value of that type.
    pub fn value(&self, key: &str, name: &str, value_type: u32, data: impl Into<Vec<u8>>) -> &Self {
        let key = as_unix(key.as_bytes());
        self.directory(&key).stream(&key, name, data);
        self.lock().value_types.insert([&key[..], b":", name.as_bytes()].concat(), value_type);
        self
    }

    /// Has a manager of services, which tells of these.
    pub fn manages(&self, services: impl Into<Vec<ServiceStatus>>) -> &Self {
        self.lock().services = Some(services.into());
        self
    }

    /// Makes a file that ends with a hole of that many bytes.
    pub fn sparse(&self, path: impl AsRef<[u8]>, content: impl Into<Vec<u8>>, hole: u64) -> &Self {
        self.file(path.as_ref(), content);
        if let Some(node) = self.lock().node_mut(path.as_ref()) {
            node.hole = hole;
        }
        self
    }

    /// Makes a symbolic link.
    pub fn link(&self, path: impl AsRef<[u8]>, target: impl Into<Vec<u8>>) -> &Self {
        self.put(path.as_ref(), EntityKind::Symlink, target.into())
    }

    /// Makes a device, a pipe or a socket.
    pub fn special(&self, path: impl AsRef<[u8]>, kind: EntityKind) -> &Self {
        self.put(path.as_ref(), kind, Vec::new())
    }

    /// Gives an entity a second name.
    pub fn hard_link(&self, path: impl AsRef<[u8]>, existing: impl AsRef<[u8]>) -> &Self {
        let mut inner = self.lock();
        if let Some(&number) = inner.names.get(existing.as_ref()) {
            inner.names.insert(path.as_ref().to_vec(), number);
        }
        drop(inner);
        self
    }

    /// Takes a name and all below it away.
    pub fn remove(&self, path: impl AsRef<[u8]>) -> &Self {
        let removed = EntityPath::unix(path.as_ref());
        self.lock().names.retain(|name, _| !EntityPath::unix(&name[..]).is_within(&removed));
        self
    }

    /// Sets the permission bits.
    pub fn mode(&self, path: impl AsRef<[u8]>, mode: u16) -> &Self {
        let mut inner = self.lock();
        inner.clock += 1;
        let clock = inner.clock;
        if let Some(node) = inner.node_mut(path.as_ref()) {
            node.mode = mode;
            node.changed = clock;
        }
        drop(inner);
        self
    }

    /// Makes opening the file or directory fail; it can still be looked at.
    pub fn refuse(&self, path: impl AsRef<[u8]>, error: TreeError) -> &Self {
        self.lock().refused.insert(path.as_ref().to_vec(), error);
        self
    }

    /// Makes any look at the name fail, as in a directory that can be listed and not passed through.
    pub fn hide(&self, path: impl AsRef<[u8]>, error: TreeError) -> &Self {
        self.lock().invisible.insert(path.as_ref().to_vec(), error);
        self
    }

    /// Lets opening and looking succeed again.
    pub fn allow(&self, path: impl AsRef<[u8]>) -> &Self {
        let mut inner = self.lock();
        inner.refused.remove(path.as_ref());
        inner.invisible.remove(path.as_ref());
        drop(inner);
        self
    }

    /// Makes the directory the first of another file system, with a reason to keep out of it if there is one.
    pub fn mount(&self, path: impl AsRef<[u8]>, why: Option<KeepOut>) -> &Self {
        let mut inner = self.lock();
        let device = inner.devices.len() as u64 + 2;
        inner.devices.insert(path.as_ref().to_vec(), device);
        if let Some(why) = why {
            inner.kept_out.insert(path.as_ref().to_vec(), why);
        }
        drop(inner);
        self
    }

    /// Makes the file change at each of its next `times` reads.
    pub fn change_while_read(&self, path: impl AsRef<[u8]>, times: u32) -> &Self {
        if let Some(node) = self.lock().node_mut(path.as_ref()) {
            node.changes_left = times;
        }
        self
    }

    /// Turns the link to another target as soon as it has been followed, as somebody does who wants to have read what
    /// was never judged.
    pub fn turn_once_followed(&self, path: impl AsRef<[u8]>, target: impl Into<Vec<u8>>) -> &Self {
        self.lock().turned.insert(path.as_ref().to_vec(), target.into());
        self
    }

    /// Lets reads of the file wait until [`answer`](Self::answer), as a server that is away does.
    pub fn hang(&self, path: impl AsRef<[u8]>) -> &Self {
        let mut inner = self.lock();
        if let Some(&number) = inner.names.get(path.as_ref()) {
            inner.hanging.insert(number);
        }
        drop(inner);
        self
    }

    /// Lets the reads go on that wait.
    pub fn answer(&self) -> &Self {
        self.lock().hanging.clear();
        self.answered.notify_all();
        self
    }

    /// Makes listings tell names only, as some file systems do.
    pub fn without_kinds(&self) -> &Self {
        self.lock().lists_kinds = false;
        self
    }

    /// How many bytes were read of all files.
    pub fn bytes_read(&self) -> u64 {
        self.lock().bytes_read
    }

    /// The names by which something was opened for reading.
    pub fn opened(&self) -> BTreeSet<Vec<u8>> {
        self.lock().opened.clone()
    }

    fn put(&self, path: &[u8], kind: EntityKind, content: Vec<u8>) -> &Self {
        let mut inner = self.lock();
        inner.clock += 1;
        let changed = inner.clock;
        for (cut, _) in path.iter().enumerate().filter(|&(cut, byte)| *byte == b'/' && cut > 0) {
            inner.make(&path[..cut], EntityKind::Directory, Vec::new(), changed);
        }
        inner.names.remove(path).and_then(|number| inner.nodes.remove(&number));
        inner.make(path, kind, content, changed);
        drop(inner);
        self
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn make(&mut self, path: &[u8], kind: EntityKind, content: Vec<u8>, changed: i64) {
        if !self.names.contains_key(path) {
            let number = self.nodes.last_key_value().map_or(2, |(last, _)| last + 1);
            let mode = if kind == EntityKind::Directory { 0o755 } else { 0o644 };
            self.names.insert(path.to_vec(), number);
            self.nodes.insert(number, Node { kind, content, hole: 0, mode, changed, changes_left: 0 });
        }
    }

    fn node_mut(&mut self, path: &[u8]) -> Option<&mut Node> {
        self.nodes.get_mut(self.names.get(path)?)
    }

    fn node(&self, path: &[u8]) -> Result<(u64, &Node), TreeError> {
        if let Some(error) = self.invisible.get(path) {
            return Err(error.clone());
        }
        let number = *self.names.get(path).ok_or(TreeError::NotFound)?;
        Ok((number, self.nodes.get(&number).ok_or(TreeError::NotFound)?))
    }

    /// The path without links; `hops` is what is left of the patience with them.
    fn real(&self, path: &[u8], hops: u32) -> Result<Vec<u8>, TreeError> {
        let mut real = Vec::new();
        for segment in
            path.split(|&byte| byte == b'/').filter(|segment| !segment.is_empty() && segment != b".")
        {
            if segment == b".." {
                let cut = real.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                real.truncate(cut);
                continue;
            }
            let next = [&real[..], b"/", segment].concat();
            let (_, node) = self.node(&next)?;
            if node.kind != EntityKind::Symlink {
                real = next;
                continue;
            }
            let hops = hops.checked_sub(1).ok_or(TreeError::NotFound)?;
            let target = match node.content.first() {
                Some(b'/') => node.content.clone(),
                Some(_) | None => [&real[..], b"/", &node.content].concat(),
            };
            real = self.real(&target, hops)?;
            if real == b"/" {
                real.clear();
            }
        }
        Ok(if real.is_empty() { b"/".to_vec() } else { real })
    }

    fn device(&self, path: &[u8]) -> u64 {
        self.mount_of(path).and_then(|mount| self.devices.get(mount).copied()).unwrap_or(1)
    }

    /// The innermost mount that the path is in, if any.
    fn mount_of(&self, path: &[u8]) -> Option<&Vec<u8>> {
        let path = EntityPath::unix(path);
        let above = self.devices.keys().filter(|mount| path.is_within(&EntityPath::unix(&mount[..])));
        above.max_by_key(|mount| mount.len())
    }

    fn look(&self, path: &[u8]) -> Result<Look, TreeError> {
        let (number, node) = self.node(path)?;
        let links = self.names.values().filter(|&&other| other == number).count() as u64;
        let root = || Some(Principal { id: 0.into(), name: Some("root".to_owned()) });
        let target = match node.kind {
            EntityKind::Symlink => Some(node.content.clone()),
            EntityKind::BlockDevice | EntityKind::CharDevice => Some(b"1:3".to_vec()),
            EntityKind::File | EntityKind::Directory | EntityKind::Fifo | EntityKind::Socket => None,
        };
        let attributes = FileAttributes {
            size_bytes: Some(node.content.len() as u64 + node.hole),
            mode: Some(node.mode),
            owner: root(),
            group: root(),
            modified: Some(Timestamp(node.changed)),
            changed: Some(Timestamp(node.changed)),
            // No number is given twice.
            created: i64::try_from(number).ok().map(Timestamp),
            inode: Some(number),
            device: Some(self.device(path)),
            links: Some(links),
            acl: Some(Acl::default()),
            xattrs: Some(Vec::new()),
            target,
            registry: self.value_types.get(path).map(|&value_type| RegistryAttributes::Value {
                value_type,
                data: Some(node.content.clone()),
            }),
            ..FileAttributes::default()
        };
        Ok(Look { kind: node.kind, attributes })
    }

    fn open(&self, path: &[u8]) -> Result<(u64, EntityKind), TreeError> {
        if let Some(error) = self.refused.get(path) {
            return Err(error.clone());
        }
        let (number, node) = self.node(path)?;
        Ok((number, node.kind))
    }

    fn open_directory(&self, path: Vec<u8>) -> Result<MemoryDirectory, TreeError> {
        match self.open(&path)? {
            (_, EntityKind::Directory) => Ok(MemoryDirectory(path)),
            _ => Err(TreeError::NotThat),
        }
    }
}

impl FileTree for MemoryTree {
    type Directory = MemoryDirectory;
    type File = MemoryFile;
    type Reached = MemoryReached;

    fn open_root(&self, path: &EntityPath) -> Result<MemoryDirectory, TreeError> {
        let inner = self.lock();
        match path.style() {
            PathStyle::Unix => inner.open_directory(inner.real(path.as_bytes(), MOST_HOPS)?),
            PathStyle::Windows => inner.open_directory(as_unix(path.as_bytes())),
        }
    }

    fn list(&self, directory: &MemoryDirectory) -> Result<Listing, TreeError> {
        let inner = self.lock();
        let mut listing = Listing::default();
        for (path, number) in &inner.names {
            let Some(cut) = path.iter().rposition(|&byte| byte == b'/') else { continue };
            let (parent, name) = (&path[..cut.max(1)], &path[cut + 1..]);
            let is_stream = |(file, names): (&Vec<u8>, &BTreeSet<Vec<u8>>)| {
                path.strip_prefix(&file[..])
                    .and_then(|rest| rest.strip_prefix(b":"))
                    .is_some_and(|name| names.contains(name))
            };
            if parent == directory.0 && !name.is_empty() && !inner.streams.iter().any(is_stream) {
                let kind = inner.nodes.get(number).map(|node| node.kind).filter(|_| inner.lists_kinds);
                listing.push(name, kind);
            }
        }
        listing.sort();
        Ok(listing)
    }

    fn describe_directory(&self, directory: &MemoryDirectory) -> Result<Look, TreeError> {
        self.lock().look(&directory.0)
    }

    fn enter(&self, directory: &MemoryDirectory, name: &[u8]) -> Result<MemoryDirectory, TreeError> {
        self.lock().open_directory(child(directory, name))
    }

    fn streams(&self, directory: &MemoryDirectory, name: &[u8]) -> Result<Vec<Vec<u8>>, TreeError> {
        let streams = self.lock().streams.get(&child(directory, name)).cloned();
        Ok(streams.into_iter().flatten().collect())
    }

    fn look(&self, directory: &MemoryDirectory, name: &[u8]) -> Result<Look, TreeError> {
        self.lock().look(&child(directory, name))
    }

    fn resolve(
        &self,
        directory: &MemoryDirectory,
        name: &[u8],
    ) -> Result<Resolved<MemoryReached>, TreeError> {
        let mut inner = self.lock();
        let link = child(directory, name);
        let path = inner.real(&link, MOST_HOPS)?;
        let (number, _) = inner.node(&path)?;
        let look = inner.look(&path)?;
        if let Some(target) = inner.turned.remove(&link)
            && let Some(node) = inner.node_mut(&link)
        {
            node.content = target;
        }
        let reached = MemoryReached { number, path: path.clone() };
        Ok(Resolved { look, path: EntityPath::unix(path), reached })
    }

    fn enter_reached(&self, reached: &MemoryReached) -> Result<MemoryDirectory, TreeError> {
        self.lock().open_directory(reached.path.clone())
    }

    fn open_file(&self, directory: &MemoryDirectory, name: &[u8]) -> Result<MemoryFile, TreeError> {
        let mut inner = self.lock();
        let path = child(directory, name);
        inner.opened.insert(path.clone());
        match inner.open(&path)? {
            (_, EntityKind::Symlink) => Err(TreeError::NotThat),
            (number, _) => Ok(MemoryFile(number)),
        }
    }

    fn open_reached(&self, reached: &MemoryReached) -> Result<MemoryFile, TreeError> {
        let mut inner = self.lock();
        inner.opened.insert(reached.path.clone());
        if let Some(error) = inner.refused.get(&reached.path) {
            return Err(error.clone());
        }
        Ok(MemoryFile(reached.number))
    }

    fn describe_file(&self, file: &MemoryFile) -> Result<Look, TreeError> {
        let inner = self.lock();
        let path = inner.names.iter().find(|(_, number)| **number == file.0).map(|(path, _)| path);
        inner.look(path.ok_or(TreeError::NotFound)?)
    }

    fn stamp(&self, file: &MemoryFile) -> Result<Stamp, TreeError> {
        self.describe_file(file).map(|look| look.stamp())
    }

    fn read_at(&self, file: &MemoryFile, offset: u64, buffer: &mut [u8]) -> Result<usize, TreeError> {
        let mut inner = self.lock();
        while inner.hanging.contains(&file.0) {
            inner = self.answered.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        inner.clock += 1;
        let clock = inner.clock;
        let node = inner.nodes.get_mut(&file.0).ok_or(TreeError::NotFound)?;
        if node.changes_left > 0 {
            node.changes_left -= 1;
            node.changed = clock;
        }
        let content = node.content.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let stored = content.len().min(buffer.len());
        buffer[..stored].copy_from_slice(&content[..stored]);
        let behind = (node.content.len() as u64 + node.hole).saturating_sub(offset + stored as u64);
        let zeros = usize::try_from(behind).unwrap_or(usize::MAX).min(buffer.len() - stored);
        buffer[stored..stored + zeros].fill(0);
        inner.bytes_read += (stored + zeros) as u64;
        Ok(stored + zeros)
    }

    fn next_data(&self, file: &MemoryFile, offset: u64) -> u64 {
        let inner = self.lock();
        let stored = inner.nodes.get(&file.0).map_or(0, |node| node.content.len() as u64);
        if offset < stored { offset } else { u64::MAX }
    }

    fn style(&self) -> PathStyle {
        self.lock().style
    }

    fn services(&self) -> Result<Option<Vec<ServiceStatus>>, TreeError> {
        Ok(self.lock().services.clone())
    }

    fn keep_out(&self, directory: &MemoryDirectory) -> Option<KeepOut> {
        let inner = self.lock();
        let mount = inner.mount_of(&directory.0)?;
        inner.kept_out.get(mount).cloned()
    }

    fn may_hang(&self) -> Vec<(EntityPath, String)> {
        let may_hang = |(point, why): (&Vec<u8>, &KeepOut)| match why {
            KeepOut::MayHang(kind) => Some((EntityPath::unix(&point[..]), (*kind).to_owned())),
            KeepOut::NothingStored(_) => None,
        };
        self.lock().kept_out.iter().filter_map(may_hang).collect()
    }
}

fn child(directory: &MemoryDirectory, name: &[u8]) -> Vec<u8> {
    let parent = if directory.0 == b"/" { &[][..] } else { &directory.0 };
    [parent, b"/", name].concat()
}

/// The name in the tree of a path as Windows spells it.
fn as_unix(path: &[u8]) -> Vec<u8> {
    let separated = path.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte });
    std::iter::once(b'/').chain(separated).collect()
}

const MOST_HOPS: u32 = 40;
