//! What a walk needs from a file system, whichever it is.

use fim_core::{EntityKind, EntityPath, FileAttributes, PathStyle, Timestamp, Unreadable};

/// A file system that can be walked and read: the live machine's, a disk image's, one in memory.
///
/// Everything but [`open_root`](Self::open_root) works relative to an open directory, so that a directory that is
/// swapped for a link during the walk leads nowhere else, and so that a live tree needs the fewest system calls: a
/// file costs one `open_file`, one `describe_file`, its reads and one `stamp`.
pub trait FileTree: Send + Sync + 'static {
    /// An open directory.
    type Directory: Send + Sync;
    /// An open regular file.
    type File: Send;
    /// What a link leads to, held and not opened.
    type Reached: Send + Sync;

    /// Opens the directory that a person or a rule names, following links on the way as that person would.
    fn open_root(&self, path: &EntityPath) -> Result<Self::Directory, TreeError>;

    /// The names in a directory, without `.` and `..`, in byte order.
    fn list(&self, directory: &Self::Directory) -> Result<Listing, TreeError>;

    /// Describes an open directory.
    fn describe_directory(&self, directory: &Self::Directory) -> Result<Look, TreeError>;

    /// Opens a directory in a directory. A link is [`TreeError::NotThat`].
    fn enter(&self, directory: &Self::Directory, name: &[u8]) -> Result<Self::Directory, TreeError>;

    /// The names of the alternate data streams of a file or directory, without the one that is its content. Each is
    /// looked at and opened as a file of the directory, by the name of what it belongs to, a colon and its own.
    fn streams(&self, _directory: &Self::Directory, _name: &[u8]) -> Result<Vec<Vec<u8>>, TreeError> {
        Ok(Vec::new())
    }

    /// Describes a name without opening it: links, devices, pipes and sockets, and whatever cannot be opened.
    fn look(&self, directory: &Self::Directory, name: &[u8]) -> Result<Look, TreeError>;

    /// Follows a link to its end and takes hold of what is there, without opening it; says what it is and where.
    /// [`TreeError::NotFound`] if it leads nowhere, or round and round.
    fn resolve(&self, directory: &Self::Directory, name: &[u8])
    -> Result<Resolved<Self::Reached>, TreeError>;

    /// Opens the directory that a link was followed to: the very one that was judged, wherever the link leads by now.
    fn enter_reached(&self, reached: &Self::Reached) -> Result<Self::Directory, TreeError>;

    /// Opens a regular file for reading, without ever waiting for another process (pipes, leases) and, where that
    /// is possible, without leaving a trace in its access time. A link is [`TreeError::NotThat`].
    fn open_file(&self, directory: &Self::Directory, name: &[u8]) -> Result<Self::File, TreeError>;

    /// Opens the regular file that a link was followed to: the very one that was judged, wherever the link leads by
    /// now.
    fn open_reached(&self, reached: &Self::Reached) -> Result<Self::File, TreeError>;

    /// Describes the object that an open file is, whatever its name stands for by now.
    fn describe_file(&self, file: &Self::File) -> Result<Look, TreeError>;

    /// Says what would differ if the file's content had changed since it was described.
    fn stamp(&self, file: &Self::File) -> Result<Stamp, TreeError>;

    /// Reads at `offset`; 0 at and behind the end.
    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> Result<usize, TreeError>;

    /// Where the file may hold something other than zeros at `offset` or behind it: up to there it is a hole.
    /// `u64::MAX` if it is one to its end. A tree that knows of no holes says `offset`.
    fn next_data(&self, _file: &Self::File, offset: u64) -> u64 {
        offset
    }

    /// How the observed system spells paths: as Unix systems do unless it says otherwise.
    fn style(&self) -> PathStyle {
        PathStyle::Unix
    }

    /// The services and drivers that a manager of services knows on a live system; nothing where there is none, as on
    /// Unix systems and in disk images.
    fn services(&self) -> Result<Option<Vec<ServiceStatus>>, TreeError> {
        Ok(None)
    }

    /// Says why the file system that a directory is on should not be entered unless something in it is named, if so.
    fn keep_out(&self, directory: &Self::Directory) -> Option<KeepOut>;

    /// Where file systems begin that may hang ([`KeepOut::MayHang`]), by their paths without links and with their types.
    /// Told without asking anything of them.
    fn may_hang(&self) -> Vec<(EntityPath, String)> {
        Vec::new()
    }
}

/// Opens a regular file by its name, or what a link of that name leads to if that is one. Nothing else is opened.
pub(crate) fn open_followed<T: FileTree>(
    tree: &T,
    directory: &T::Directory,
    name: &[u8],
) -> Result<T::File, TreeError> {
    match tree.open_file(directory, name) {
        // Sockets are answered the same, and lead to themselves.
        Err(TreeError::NotThat) => {
            let resolved = tree.resolve(directory, name)?;
            match resolved.look.kind {
                EntityKind::File => tree.open_reached(&resolved.reached),
                EntityKind::Directory
                | EntityKind::Symlink
                | EntityKind::BlockDevice
                | EntityKind::CharDevice
                | EntityKind::Fifo
                | EntityKind::Socket => Err(TreeError::NotThat),
            }
        }
        opened => opened,
    }
}

/// What one look at an entity told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Look {
    /// What it is.
    pub kind: EntityKind,
    /// What the file system says of it.
    pub attributes: FileAttributes,
}

impl Look {
    /// What would differ if the content changed.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            size_bytes: self.attributes.size_bytes,
            modified: self.attributes.modified,
            changed: self.attributes.changed,
        }
    }
}

/// What the manager of services of Windows tells of a service or driver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceStatus {
    /// The name of its key in the registry.
    pub name: String,
    /// What it calls itself.
    pub display_name: String,
    /// True unless it is stopped.
    pub is_running: bool,
}

/// What a link leads to in the end.
#[derive(Debug)]
pub struct Resolved<R> {
    /// What is there.
    pub look: Look,
    /// Its path without links.
    pub path: EntityPath,
    /// A hold on it. What is opened through it is what `look` describes, though the link may be turned meanwhile to a
    /// device or a pipe.
    pub reached: R,
}

/// What differs when a file's content has changed between two looks at the same handle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// The length in bytes.
    pub size_bytes: Option<u64>,
    /// When the content last changed; anybody who may write the file can set it.
    pub modified: Option<Timestamp>,
    /// When the inode last changed; nobody can set it at will.
    pub changed: Option<Timestamp>,
}

/// Why a directory that begins another file system is not entered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeepOut {
    /// The kernel makes its content up as it is read (`proc`, `sysfs`): nothing is stored there. Holds the type.
    NothingStored(&'static str),
    /// Another machine or program answers for it, perhaps never. Holds the type.
    MayHang(&'static str),
}

/// Why an operation on a tree did not do what was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TreeError {
    /// No such name, at least not any more.
    #[error("not found")]
    NotFound,
    /// It is there, but of another kind than asked for: a link where links are not followed, a file for a directory.
    #[error("it is of another kind than expected")]
    NotThat,
    /// The system refused.
    #[error("permission denied")]
    PermissionDenied,
    /// Someone holds it locked.
    #[error("it is locked")]
    Locked,
    /// Anything else: the file system's own words.
    #[error("{0}")]
    Failed(String),
}

impl TreeError {
    /// The same as the core tells it of an entity that is there.
    pub fn into_unreadable(self) -> Unreadable {
        match self {
            Self::NotFound => Unreadable::Damaged("its name is listed but leads nowhere".to_owned()),
            Self::NotThat => Unreadable::Unstable,
            Self::PermissionDenied => Unreadable::PermissionDenied,
            Self::Locked => Unreadable::Locked,
            Self::Failed(why) => Unreadable::Damaged(why),
        }
    }
}

/// The names of one directory with what the listing itself told of their kinds, packed: a directory may hold
/// millions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    names: Vec<u8>,
    entries: Vec<Listed>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Listed {
    start: usize,
    length: u32,
    kind: Option<EntityKind>,
}

impl Listing {
    /// Adds a name. `kind` is what the listing told without a look at the entity, if anything.
    pub fn push(&mut self, name: &[u8], kind: Option<EntityKind>) {
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        self.entries.push(Listed { start: self.names.len(), length, kind });
        self.names.extend_from_slice(&name[..length as usize]);
    }

    /// Puts the names in byte order, which is the order of [`EntityPath`]s in one directory.
    pub fn sort(&mut self) {
        let names = &self.names;
        let bytes = |entry: &Listed| &names[entry.start..entry.start + entry.length as usize];
        self.entries.sort_unstable_by(|one, other| bytes(one).cmp(bytes(other)));
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True if there is no name.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The name at a position, and its kind if the listing told it.
    pub fn get(&self, position: usize) -> Option<(&[u8], Option<EntityKind>)> {
        let entry = self.entries.get(position)?;
        Some((&self.names[entry.start..entry.start + entry.length as usize], entry.kind))
    }

    /// Gives back the memory that growing took beyond what is needed.
    pub fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.entries.shrink_to_fit();
    }
}
