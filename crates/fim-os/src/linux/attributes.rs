//! From what the kernel says of a file to attributes.

use std::os::fd::{AsRawFd, OwnedFd};

use fim_core::{Acl, EntityKind, FileAttributes, FileFlags, Timestamp, Xattr};
use fim_scan::Look;
use rustix::fs::{FileType, Statx, StatxAttributes, StatxFlags, StatxTimestamp};
use rustix::io::Errno;

use super::acl;
use super::principals::Principals;

/// Extended attributes as stored, in any order. The ACLs are among them.
pub(super) type Xattrs = Vec<Xattr>;

/// What the kernel said of one file.
pub(super) struct Described<'s> {
    pub(super) stat: &'s Statx,
    /// `None` if they could not be read.
    pub(super) xattrs: Option<Xattrs>,
    /// Where a link points.
    pub(super) target: Option<Vec<u8>>,
}

impl Described<'_> {
    pub(super) fn into_look(self, principals: &Principals) -> Look {
        let Self { stat, xattrs, target } = self;
        let kind = kind_of(stat);
        let has_birth = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        let (acl, xattrs) = match xattrs {
            Some(all) => split_acls(all, principals),
            None => (None, None),
        };
        let attributes = FileAttributes {
            size_bytes: Some(stat.stx_size),
            mode: Some(stat.stx_mode & 0o7777),
            owner: Some(principals.user(stat.stx_uid)),
            group: Some(principals.group(stat.stx_gid)),
            modified: Some(timestamp(&stat.stx_mtime)),
            changed: Some(timestamp(&stat.stx_ctime)),
            created: has_birth.then(|| timestamp(&stat.stx_btime)),
            inode: Some(stat.stx_ino),
            device: Some(rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor)),
            links: Some(stat.stx_nlink.into()),
            acl,
            xattrs,
            target: target.or_else(|| device_numbers(stat, kind)),
            flags: flags(stat),
            registry: None,
            mount_id: (stat.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(stat.stx_mnt_id),
        };
        Look { kind, attributes }
    }
}

/// Nanoseconds since the epoch; times that do not fit are the nearest that does.
pub(super) fn timestamp(time: &StatxTimestamp) -> Timestamp {
    Timestamp(time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec.into()))
}

/// The extended attributes of an open file or directory.
pub(super) fn of_handle(handle: &OwnedFd) -> Option<Xattrs> {
    read_all(
        |names| rustix::fs::flistxattr(handle, names),
        |name, value| rustix::fs::fgetxattr(handle, name, value),
    )
}

/// The extended attributes of what cannot be opened, a link itself for instance.
pub(super) fn of_name(directory: &OwnedFd, name: &[u8]) -> Option<Xattrs> {
    let mut path = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    read_all(
        |names| rustix::fs::llistxattr(&path[..], names),
        |name, value| rustix::fs::lgetxattr(&path[..], name, value),
    )
}

fn read_all(
    list: impl Fn(&mut [u8]) -> Result<usize, Errno>,
    get: impl Fn(&[u8], &mut [u8]) -> Result<usize, Errno>,
) -> Option<Xattrs> {
    // Almost no file has any, so that the usual case is one call into a buffer on the stack.
    let names = match read_growing(list) {
        Ok(names) => names,
        // A file system without extended attributes has none, which is known, not unknown.
        Err(Errno::NOTSUP) => return Some(Vec::new()),
        Err(_) => return None,
    };
    let mut xattrs = Vec::new();
    let mut total = 0;
    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        match read_growing(|value| get(name, value)) {
            Ok(value) => {
                total += name.len() + value.len();
                xattrs.push(Xattr { name: name.to_vec(), value });
            }
            // Removed since it was listed.
            Err(Errno::NODATA) => {}
            Err(_) => return None,
        }
        if total > MOST_XATTR_BYTES {
            return None;
        }
    }
    Some(xattrs)
}

fn read_growing(read: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut small = [0; 512];
    match read(&mut small) {
        Ok(bytes) => return Ok(small[..bytes].to_vec()),
        Err(Errno::RANGE) => {}
        Err(error) => return Err(error),
    }
    let mut large = vec![0; LARGEST_XATTR_BYTES];
    let bytes = read(&mut large)?;
    large.truncate(bytes);
    large.shrink_to_fit();
    Ok(large)
}

fn split_acls(all: Xattrs, principals: &Principals) -> (Option<Acl>, Option<Xattrs>) {
    let mut lists = [Vec::new(), Vec::new()];
    let mut rest = Vec::new();
    for xattr in all {
        match &xattr.name[..] {
            b"system.posix_acl_access" => lists[0] = xattr.value,
            b"system.posix_acl_default" => lists[1] = xattr.value,
            _ => rest.push(xattr),
        }
    }
    rest.sort();
    let [access, default] = &lists;
    match acl::to_text(access, default, principals) {
        Some(text) => (Some(Acl(text)), Some(rest)),
        // An ACL in a form that nobody knows is still compared, byte by byte.
        None => {
            let names = [&b"system.posix_acl_access"[..], b"system.posix_acl_default"];
            let raw = names.into_iter().zip(lists).filter(|(_, value)| !value.is_empty());
            rest.extend(raw.map(|(name, value)| Xattr { name: name.to_vec(), value }));
            rest.sort();
            (None, Some(rest))
        }
    }
}

fn kind_of(stat: &Statx) -> EntityKind {
    match FileType::from_raw_mode(stat.stx_mode.into()) {
        FileType::Directory => EntityKind::Directory,
        FileType::Symlink => EntityKind::Symlink,
        FileType::Fifo => EntityKind::Fifo,
        FileType::Socket => EntityKind::Socket,
        FileType::CharacterDevice => EntityKind::CharDevice,
        FileType::BlockDevice => EntityKind::BlockDevice,
        FileType::RegularFile | FileType::Unknown => EntityKind::File,
    }
}

fn device_numbers(stat: &Statx, kind: EntityKind) -> Option<Vec<u8>> {
    match kind {
        EntityKind::BlockDevice | EntityKind::CharDevice => {
            Some(format!("{}:{}", stat.stx_rdev_major, stat.stx_rdev_minor).into_bytes())
        }
        EntityKind::File
        | EntityKind::Directory
        | EntityKind::Symlink
        | EntityKind::Fifo
        | EntityKind::Socket => None,
    }
}

/// The marks of `chattr(1)` that come with the description, at no cost; a file system that tells none of them is not
/// known to have none.
fn flags(stat: &Statx) -> Option<FileFlags> {
    let known = FLAGS.iter().filter(|(attribute, _)| stat.stx_attributes_mask.contains(*attribute));
    let set = known.clone().filter(|(attribute, _)| stat.stx_attributes.contains(*attribute));
    known.clone().next().map(|_| set.fold(FileFlags::default(), |flags, (_, flag)| flags.with(*flag)))
}

/// Attributes of `statx(2)` that are marks of a file.
const FLAGS: [(StatxAttributes, FileFlags); 7] = [
    (StatxAttributes::IMMUTABLE, FileFlags::IMMUTABLE),
    (StatxAttributes::APPEND, FileFlags::APPEND_ONLY),
    (StatxAttributes::NODUMP, FileFlags::NO_DUMP),
    (StatxAttributes::COMPRESSED, FileFlags::COMPRESSED),
    (StatxAttributes::ENCRYPTED, FileFlags::ENCRYPTED),
    (StatxAttributes::VERITY, FileFlags::VERITY),
    (StatxAttributes::DAX, FileFlags::DIRECT_ACCESS),
];

/// The kernel's own limit for names together and for one value (`limits.h`).
const LARGEST_XATTR_BYTES: usize = 64 << 10;

/// Some file systems take any number of attributes; a file with more than this is not described by them.
const MOST_XATTR_BYTES: usize = 1 << 20;
