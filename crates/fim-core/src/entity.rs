//! One monitored thing as someone saw it.

use std::fmt;

use crate::windows::Sid;
use crate::{EntityPath, Timestamp};

/// What identifies an entity on a machine.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EntityKey {
    /// Anything that has a path in a file system.
    File(EntityPath),
}

impl EntityKey {
    /// The path, for entities that have one.
    pub fn path(&self) -> &EntityPath {
        match self {
            Self::File(path) => path,
        }
    }
}

/// What kind of thing an entity is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum EntityKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; its target is an attribute.
    Symlink,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// A SHA-256 of all of an entity's content.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// What a system tells users and groups apart by.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PrincipalId {
    /// The number that a Unix system has for it.
    Number(u32),
    /// The security identifier that Windows has for it.
    Sid(Sid),
}

impl From<u32> for PrincipalId {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Sid(sid) => write!(f, "{sid}"),
        }
    }
}

/// A user or a group: what the system decides by, and the name it had when it was seen.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Principal {
    /// What it is told from others by.
    pub id: PrincipalId,
    /// The name, unless the system knows none.
    pub name: Option<String>,
}

/// One extended attribute.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Xattr {
    /// The full name, with its namespace: `user.comment`, `security.capability`.
    pub name: Vec<u8>,
    /// The value as stored.
    pub value: Vec<u8>,
}

/// An access control list as text: a POSIX one in the long form of `acl(5)`, one entry a line, empty if the file has
/// none beyond its mode; a Windows one in the security descriptor definition language.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Acl(pub String);

/// Marks that a file system keeps of a file: those that `chattr(1)` sets beside its mode, those of the `attrib` command
/// on Windows.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct FileFlags(u16);

impl FileFlags {
    /// The content may only grow.
    pub const APPEND_ONLY: Self = Self(1);
    /// Nothing of it may be changed.
    pub const IMMUTABLE: Self = Self(1 << 1);
    /// Backups leave it out.
    pub const NO_DUMP: Self = Self(1 << 2);
    /// It is stored compressed.
    pub const COMPRESSED: Self = Self(1 << 3);
    /// It is stored encrypted.
    pub const ENCRYPTED: Self = Self(1 << 4);
    /// Its content is sealed by a Merkle tree (`fs-verity`).
    pub const VERITY: Self = Self(1 << 5);
    /// It is accessed without the page cache.
    pub const DIRECT_ACCESS: Self = Self(1 << 6);
    /// Windows: nothing may be written to it.
    pub const READ_ONLY: Self = Self(1 << 7);
    /// Windows: listings leave it out.
    pub const HIDDEN: Self = Self(1 << 8);
    /// Windows: it is part of the system, and listings leave it out.
    pub const SYSTEM: Self = Self(1 << 9);
    /// Windows: searches do not find its content.
    pub const NOT_INDEXED: Self = Self(1 << 10);
    /// Windows: the file system checks its content by sums.
    pub const INTEGRITY: Self = Self(1 << 11);
    /// Windows: what repairs a disk in the background leaves it out.
    pub const NO_SCRUB: Self = Self(1 << 12);

    /// Every flag with the letter that `lsattr(1)` or `attrib` shows for it, in their order. A letter that both have
    /// means one of them on each system.
    pub const LETTERS: [(Self, char); 13] = [
        (Self::IMMUTABLE, 'i'),
        (Self::APPEND_ONLY, 'a'),
        (Self::NO_DUMP, 'd'),
        (Self::COMPRESSED, 'c'),
        (Self::ENCRYPTED, 'E'),
        (Self::VERITY, 'V'),
        (Self::DIRECT_ACCESS, 'x'),
        (Self::SYSTEM, 'S'),
        (Self::HIDDEN, 'H'),
        (Self::READ_ONLY, 'R'),
        (Self::NOT_INDEXED, 'I'),
        (Self::NO_SCRUB, 'X'),
        (Self::INTEGRITY, 'V'),
    ];

    /// The marks among the attributes of a file as Windows has them (MS-FSCC 2.6). Left out are those that say how the
    /// content is stored or what it is; and that it changed since it was backed up, which backups take away.
    pub fn from_windows(attributes: u32) -> Self {
        let set = WINDOWS_ATTRIBUTES.iter().filter(|(bit, _)| attributes & bit != 0);
        set.fold(Self::default(), |flags, (_, flag)| flags.with(*flag))
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// True if all flags of `other` are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags as bits, for storing them.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The flags of stored bits; bits that a newer version stored are kept, so that they are compared all the same.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

/// What the registry of Windows has of a key or a value beside what file systems have.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum RegistryAttributes {
    /// A key that was given a class when it was made.
    Key {
        /// The class.
        class: String,
    },
    /// A value.
    Value {
        /// The number of what type of data it holds (`winnt.h`).
        value_type: u32,
        /// The data; nothing if it is too long to be kept.
        data: Option<Vec<u8>>,
    },
}

/// What a file system says of a file. `None` is *unknown*, never *empty*.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FileAttributes {
    /// Length in bytes.
    pub size_bytes: Option<u64>,
    /// Permission bits, with set-user-id, set-group-id and sticky: `0o7777`.
    pub mode: Option<u16>,
    /// The owner.
    pub owner: Option<Principal>,
    /// The owning group.
    pub group: Option<Principal>,
    /// When the content last changed.
    pub modified: Option<Timestamp>,
    /// When the inode last changed; nobody can set it at will, except on Windows.
    pub changed: Option<Timestamp>,
    /// When the inode was made.
    pub created: Option<Timestamp>,
    /// The inode's number; on Windows the file's id.
    pub inode: Option<u64>,
    /// The number of the file system's device; on Windows of the volume.
    pub device: Option<u64>,
    /// How many names the inode has.
    pub links: Option<u64>,
    /// The access ACL, then the default ACL of a directory (`default:` before each of its lines); on Windows the
    /// discretionary list.
    pub acl: Option<Acl>,
    /// Extended attributes other than the ACLs, sorted by name.
    pub xattrs: Option<Vec<Xattr>>,
    /// Where a symbolic link points, as stored; device numbers `major:minor` for devices.
    pub target: Option<Vec<u8>>,
    /// The marks of `chattr(1)` or `attrib`, as far as the file system tells them.
    pub flags: Option<FileFlags>,
    /// What only keys and values of the registry of Windows have.
    pub registry: Option<RegistryAttributes>,
    /// The mount through which it was seen; the number is the kernel's and lasts until the machine restarts.
    pub mount_id: Option<u64>,
}

impl FileAttributes {
    /// The value of an extended attribute: `Some(None)` if it is known that there is none of that name, `None` if
    /// it is not known which there are.
    pub fn xattr(&self, name: &[u8]) -> Option<Option<&[u8]>> {
        let xattrs = self.xattrs.as_ref()?;
        Some(xattrs.iter().find(|xattr| xattr.name == name).map(|xattr| &xattr.value[..]))
    }
}

/// One monitored thing as someone saw it, once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entity {
    /// What identifies it.
    pub key: EntityKey,
    /// What it is.
    pub kind: EntityKind,
    /// What the system says of it.
    pub attributes: FileAttributes,
    /// The SHA-256 of its content; `None` where it has none, or it could not be read.
    pub digest: Option<Digest>,
}

const WINDOWS_ATTRIBUTES: [(u32, FileFlags); 8] = [
    (0x1, FileFlags::READ_ONLY),
    (0x2, FileFlags::HIDDEN),
    (0x4, FileFlags::SYSTEM),
    (0x800, FileFlags::COMPRESSED),
    (0x2000, FileFlags::NOT_INDEXED),
    (0x4000, FileFlags::ENCRYPTED),
    (0x8000, FileFlags::INTEGRITY),
    (0x2_0000, FileFlags::NO_SCRUB),
];
