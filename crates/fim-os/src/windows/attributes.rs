//! From what the system says of a file to attributes.

use std::os::windows::io::AsHandle;

use fim_core::windows::{SecurityDescriptor, Sid, link_target};
use fim_core::{Acl, EntityKind, FileAttributes, FileFlags, Principal, PrincipalId, Timestamp};
use fim_scan::{Look, Stamp, TreeError};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO, FILE_BASIC_INFO, FILE_ID_INFO, FILE_STANDARD_INFO,
};

use super::tree::failed;
use super::{listing, nt};

/// Describes an open file, directory or link.
pub(super) fn describe(handle: impl AsHandle) -> Result<Look, TreeError> {
    let handle = handle.as_handle();
    let basic: FILE_BASIC_INFO = nt::info(handle).map_err(failed)?;
    let standard: FILE_STANDARD_INFO = nt::info(handle).map_err(failed)?;
    let id: Option<FILE_ID_INFO> = nt::info(handle).ok();
    let kind = kind_of(handle, basic.FileAttributes)?;
    let is_link = kind == EntityKind::Symlink;
    // One that cannot be read, or not understood, is not known.
    let security = nt::security(handle).and_then(|bytes| SecurityDescriptor::parse(&bytes).ok());
    let (owner, group, acl) = match security {
        Some(security) => (security.owner, security.group, Some(Acl(security.dacl))),
        None => (None, None, None),
    };
    let attributes = FileAttributes {
        size_bytes: u64::try_from(standard.EndOfFile).ok(),
        owner: owner.map(principal),
        group: group.map(principal),
        modified: Timestamp::from_windows(basic.LastWriteTime),
        changed: Timestamp::from_windows(basic.ChangeTime),
        created: Timestamp::from_windows(basic.CreationTime),
        inode: id.map(|id| short_id(id.FileId.Identifier)),
        device: id.map(|id| id.VolumeSerialNumber),
        links: Some(standard.NumberOfLinks.into()),
        acl,
        target: if is_link { nt::reparse_data(handle).and_then(|data| link_target(&data)) } else { None },
        flags: Some(FileFlags::from_windows(basic.FileAttributes)),
        ..FileAttributes::default()
    };
    Ok(Look { kind, attributes })
}

/// What is a stream's own of an open alternate data stream: its length. Everything else is its file's.
pub(super) fn describe_stream(handle: impl AsHandle) -> Result<Look, TreeError> {
    let standard: FILE_STANDARD_INFO = nt::info(handle).map_err(failed)?;
    let size_bytes = u64::try_from(standard.EndOfFile).ok();
    Ok(Look {
        kind: EntityKind::File,
        attributes: FileAttributes { size_bytes, ..FileAttributes::default() },
    })
}

/// What would differ if the content of an open file had changed.
pub(super) fn stamp(handle: impl AsHandle) -> Result<Stamp, TreeError> {
    let handle = handle.as_handle();
    let basic: FILE_BASIC_INFO = nt::info(handle).map_err(failed)?;
    let standard: FILE_STANDARD_INFO = nt::info(handle).map_err(failed)?;
    Ok(Stamp {
        size_bytes: u64::try_from(standard.EndOfFile).ok(),
        modified: Timestamp::from_windows(basic.LastWriteTime),
        changed: Timestamp::from_windows(basic.ChangeTime),
    })
}

/// What an open file is.
pub(super) fn kind(handle: impl AsHandle) -> Result<EntityKind, TreeError> {
    let handle = handle.as_handle();
    let basic: FILE_BASIC_INFO = nt::info(handle).map_err(failed)?;
    kind_of(handle, basic.FileAttributes)
}

/// True if an open file is stored in another way than usual: compressed in a second way, deduplicated, in a cloud.
pub(super) fn is_stored_otherwise(handle: impl AsHandle) -> Result<bool, TreeError> {
    let basic: FILE_BASIC_INFO = nt::info(handle).map_err(failed)?;
    Ok(basic.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT != 0)
}

/// What tells an open file from every other: its volume's number and its own on it.
pub(super) fn identity(handle: impl AsHandle) -> Option<(u64, [u8; 16])> {
    let id: FILE_ID_INFO = nt::info(handle).ok()?;
    Some((id.VolumeSerialNumber, id.FileId.Identifier))
}

fn kind_of(handle: impl AsHandle, attributes: u32) -> Result<EntityKind, TreeError> {
    let tag = if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        0
    } else {
        let tagged: FILE_ATTRIBUTE_TAG_INFO = nt::info(handle).map_err(failed)?;
        tagged.ReparseTag
    };
    listing::kind(attributes, tag)
        .ok_or_else(|| TreeError::Failed("the file system does not tell what it stands for".to_owned()))
}

/// A file's id is a number of 64 bits on NTFS, and the upper half is 0. ReFS uses more, which are folded.
fn short_id(identifier: [u8; 16]) -> u64 {
    let id = u128::from_le_bytes(identifier);
    (id as u64) ^ ((id >> 64) as u64).rotate_left(32)
}

/// Whoever has this identifier.
pub(super) fn principal(sid: Sid) -> Principal {
    let name = sid.name().map(str::to_owned);
    Principal { id: PrincipalId::Sid(sid), name }
}
