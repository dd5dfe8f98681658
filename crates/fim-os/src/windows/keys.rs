//! The machine's registry, by the system's own calls: the usual ones end names at a NUL, show some programs another view,
//! and follow links.
#![expect(unsafe_code, reason = "the system is asked by calls that take and fill plain memory")]

use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::null_mut;

use fim_core::windows::{Hive, SecurityDescriptor, from_wide, key_segment, original, to_wide, value_segment};
use fim_core::{Acl, EntityKind, EntityPath, FileAttributes, RegistryAttributes, Timestamp};
use fim_scan::{Listing, Look, TreeError};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::System::Registry::{
    KEY_INFORMATION_CLASS, KeyBasicInformation, KeyFullInformation, KeyValueBasicInformation,
    KeyValuePartialInformation, NtEnumerateKey, NtEnumerateValueKey, NtOpenKeyEx, NtQueryKey,
    NtQueryValueKey,
};
use windows_sys::Win32::Foundation::{
    HANDLE, NTSTATUS, OBJ_CASE_INSENSITIVE, OBJ_OPENLINK, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL,
    STATUS_NO_MORE_ENTRIES, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::Registry::{
    KEY_ENUMERATE_SUB_KEYS, KEY_NOTIFY, KEY_QUERY_VALUE, REG_LINK, REG_OPTION_OPEN_LINK,
};

use super::attributes::principal;
use super::nt::{self, Links, Status};
use super::tree::refused;

/// What a value holds, read at once.
#[derive(Debug)]
pub struct Value {
    value_type: u32,
    data: Vec<u8>,
}

/// Opens the key at a path, through whatever links lead there.
pub(super) fn open_root(hive: Hive, path: &EntityPath) -> Result<OwnedHandle, TreeError> {
    open_path(hive, path, ACCESS)
}

/// Opens the key at a path, through whatever links lead there, to be told when something in it changes.
pub(super) fn open_to_watch(hive: Hive, path: &EntityPath) -> Result<OwnedHandle, TreeError> {
    open_path(hive, path, KEY_NOTIFY)
}

fn open_path(hive: Hive, path: &EntityPath, access: u32) -> Result<OwnedHandle, TreeError> {
    let mut native = hive.native.as_bytes().to_vec();
    for segment in path.segments().skip(1) {
        native.push(b'\\');
        native.extend(original(segment));
    }
    open(None, &wide(&native)?, Links::Followed, access).map_err(refused)
}

/// The names of the keys in a key.
pub(super) fn list(key: &OwnedHandle) -> Result<Listing, TreeError> {
    let mut names = Listing::default();
    steadily(key, || {
        names = Listing::default();
        for index in 0.. {
            let Some(entry) = enumerate(key, index, Entries::Keys)? else { break };
            // Whether it is a link is told by a look at it.
            names.push(&key_segment(&name_in(&entry, 12)), None);
        }
        Ok(())
    })?;
    names.sort();
    names.shrink();
    Ok(names)
}

/// The names of the values of a key in a key, as streams are named. A link has none.
pub(super) fn values(parent: &OwnedHandle, name: &[u8]) -> Result<Vec<Vec<u8>>, TreeError> {
    if name.contains(&b':') {
        return Ok(Vec::new());
    }
    let key = open_in(parent, name)?;
    if link_target(&key)?.is_some() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    steadily(&key, || {
        names.clear();
        for index in 0.. {
            let Some(entry) = enumerate(&key, index, Entries::Values)? else { break };
            names.push(value_segment(&name_in(&entry, 8)));
        }
        Ok(())
    })?;
    Ok(names)
}

/// Opens a key in a key. A link is [`TreeError::NotThat`].
pub(super) fn enter(parent: &OwnedHandle, name: &[u8]) -> Result<OwnedHandle, TreeError> {
    let key = open_in(parent, name)?;
    if link_target(&key)?.is_some() { Err(TreeError::NotThat) } else { Ok(key) }
}

/// Describes a key in a key, or a value of one.
pub(super) fn look(parent: &OwnedHandle, name: &[u8]) -> Result<Look, TreeError> {
    match split(name) {
        (_, Some(_)) => Ok(read(parent, name)?.look()),
        (name, None) => describe(&open_in(parent, name)?),
    }
}

/// Describes an open key.
pub(super) fn describe(key: &OwnedHandle) -> Result<Look, TreeError> {
    let full = query(key)?;
    let target = link_target(key)?;
    // What cannot be read, or not understood, is not known.
    let security = nt::security(key).and_then(|bytes| SecurityDescriptor::parse(&bytes).ok());
    let (owner, group, acl) = match security {
        Some(security) => (security.owner, security.group, Some(Acl(security.dacl))),
        None => (None, None, None),
    };
    let attributes = FileAttributes {
        owner: owner.map(principal),
        group: group.map(principal),
        modified: number_at(&full, 0).map(i64::from_le_bytes).and_then(Timestamp::from_windows),
        acl,
        registry: class_in(&full).map(|class| RegistryAttributes::Key { class }),
        target,
        ..FileAttributes::default()
    };
    let kind = if attributes.target.is_some() { EntityKind::Symlink } else { EntityKind::Directory };
    Ok(Look { kind, attributes })
}

/// Reads a value of a key in a key.
pub(super) fn read(parent: &OwnedHandle, name: &[u8]) -> Result<Value, TreeError> {
    let (key, Some(value)) = split(name) else { return Err(TreeError::NotThat) };
    let key = open_in(parent, key)?;
    value_of(&key, &wide(&original(value))?)?.ok_or(TreeError::NotFound)
}

impl Value {
    /// Reads at `offset`; 0 at and behind the end.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.data.get(start..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        length
    }

    /// What is told of it: what type of data it holds, how much, and the data unless it is long.
    pub(super) fn look(&self) -> Look {
        Look {
            kind: EntityKind::File,
            attributes: FileAttributes {
                size_bytes: Some(self.data.len() as u64),
                registry: Some(RegistryAttributes::Value {
                    value_type: self.value_type,
                    data: (self.data.len() <= MOST_KEPT_BYTES).then(|| self.data.clone()),
                }),
                ..FileAttributes::default()
            },
        }
    }
}

/// The name of the key and that of its value, which is behind a colon.
fn split(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().position(|&byte| byte == b':') {
        Some(at) => (&name[..at], Some(&name[at + 1..])),
        None => (name, None),
    }
}

/// Opens a key in a key, or the key itself by an empty name. A link is opened itself.
fn open_in(parent: &OwnedHandle, name: &[u8]) -> Result<OwnedHandle, TreeError> {
    open(Some(parent.as_handle()), &wide(&original(name))?, Links::Opened, ACCESS).map_err(refused)
}

fn open(
    parent: Option<BorrowedHandle<'_>>,
    name: &[u16],
    links: Links,
    access: u32,
) -> Result<OwnedHandle, Status> {
    let name = Counted::new(name)?;
    let link = match links {
        Links::Followed => 0,
        Links::Opened => OBJ_OPENLINK,
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: parent.map_or(null_mut(), |parent| parent.as_raw_handle()),
        ObjectName: &raw const name.0,
        Attributes: OBJ_CASE_INSENSITIVE | link,
        ..OBJECT_ATTRIBUTES::default()
    };
    let options = if link == 0 { 0 } else { REG_OPTION_OPEN_LINK };
    let mut handle: HANDLE = null_mut();
    // SAFETY: every pointer is to a value that lives until the call is over, `name` with the units that it points to
    // among them; the call writes to the handle alone.
    let status = unsafe { NtOpenKeyEx(&raw mut handle, access, &raw const attributes, options) };
    if status < 0 {
        return Err(Status(status));
    }
    // SAFETY: the call succeeded, so the handle is open, and nobody else has it. Keys are closed as files are.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Where a key leads that is a link; nothing if it is none.
fn link_target(key: &OwnedHandle) -> Result<Option<Vec<u8>>, TreeError> {
    let name: Vec<u16> = LINK_VALUE.encode_utf16().collect();
    let value = value_of(key, &name)?.filter(|value| value.value_type == REG_LINK);
    Ok(value
        .map(|value| from_wide(value.data.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)))))
}

/// What a value of an open key holds; nothing if there is none of that name.
fn value_of(key: &OwnedHandle, name: &[u16]) -> Result<Option<Value>, TreeError> {
    let name = Counted::new(name).map_err(refused)?;
    let handle = key.as_raw_handle();
    let filled = fill(|buffer, length, needed| {
        // SAFETY: the name lives until the call is over, which writes at most `length` bytes into the buffer, and how many
        // it needs.
        unsafe {
            NtQueryValueKey(handle, &raw const name.0, KeyValuePartialInformation, buffer, length, needed)
        }
    });
    match filled {
        Ok(bytes) => {
            let value_type = number_at(&bytes, 4).map(u32::from_le_bytes).unwrap_or_default();
            let length = number_at(&bytes, 8).map(u32::from_le_bytes).unwrap_or_default();
            let data = bytes.get(12..).unwrap_or_default();
            let data = data.get(..length as usize).unwrap_or(data).to_vec();
            Ok(Some(Value { value_type, data }))
        }
        Err(Refusal::Status(Status(STATUS_OBJECT_NAME_NOT_FOUND))) => Ok(None),
        Err(refusal) => Err(refusal.into_error()),
    }
}

/// All that the system tells of an open key (`KEY_FULL_INFORMATION`).
fn query(key: &OwnedHandle) -> Result<Vec<u8>, TreeError> {
    const WHAT: KEY_INFORMATION_CLASS = KeyFullInformation;
    let handle = key.as_raw_handle();
    // SAFETY: the call writes at most `length` bytes into the buffer, and how many it needs.
    fill(|buffer, length, needed| unsafe { NtQueryKey(handle, WHAT, buffer, length, needed) })
        .map_err(Refusal::into_error)
}

/// What is enumerated of a key.
#[derive(Clone, Copy)]
enum Entries {
    Keys,
    Values,
}

/// One entry of a key (`KEY_BASIC_INFORMATION`, `KEY_VALUE_BASIC_INFORMATION`); nothing behind the last.
fn enumerate(key: &OwnedHandle, index: u32, entries: Entries) -> Result<Option<Vec<u8>>, TreeError> {
    let handle = key.as_raw_handle();
    let filled = fill(|buffer, length, needed| match entries {
        // SAFETY: the call writes at most `length` bytes into the buffer, and how many it needs.
        Entries::Keys => unsafe {
            NtEnumerateKey(handle, index, KeyBasicInformation, buffer, length, needed)
        },
        // SAFETY: as above.
        Entries::Values => unsafe {
            NtEnumerateValueKey(handle, index, KeyValueBasicInformation, buffer, length, needed)
        },
    });
    match filled {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Refusal::Status(Status(STATUS_NO_MORE_ENTRIES))) => Ok(None),
        Err(refusal) => Err(refusal.into_error()),
    }
}

/// Lists what is in a key until nothing of it has changed meanwhile: entries are told by number, so that what comes and
/// goes makes others be left out, which would look as if they were removed.
fn steadily(key: &OwnedHandle, mut list: impl FnMut() -> Result<(), TreeError>) -> Result<(), TreeError> {
    let write_time = || query(key).map(|full| number_at::<8>(&full, 0));
    for _ in 0..MOST_ATTEMPTS {
        let before = write_time()?;
        list()?;
        if write_time()? == before {
            return Ok(());
        }
    }
    Err(TreeError::Failed("what is in the key comes and goes while it is listed".to_owned()))
}

/// Why a call gave nothing.
enum Refusal {
    Status(Status),
    TooLong(u32),
}

impl Refusal {
    fn into_error(self) -> TreeError {
        match self {
            Self::Status(status) => refused(status),
            Self::TooLong(bytes) => {
                TreeError::Failed(format!("it has {bytes} bytes, and at most {MOST_BYTES} are read"))
            }
        }
    }
}

/// Gives a call a buffer, and a larger one if it says that it needs that.
fn fill(mut call: impl FnMut(*mut core::ffi::c_void, u32, *mut u32) -> NTSTATUS) -> Result<Vec<u8>, Refusal> {
    let mut words = vec![0_u64; 64];
    loop {
        let length = size_of_val(&words[..]) as u32;
        let mut needed = 0;
        match call(words.as_mut_ptr().cast(), length, &raw mut needed) {
            STATUS_BUFFER_OVERFLOW | STATUS_BUFFER_TOO_SMALL => {
                if needed > MOST_BYTES {
                    return Err(Refusal::TooLong(needed));
                }
                // It may have grown again by the next call.
                let wanted = needed.max(length.saturating_mul(2)).min(MOST_BYTES);
                if wanted <= length {
                    return Err(Refusal::TooLong(needed));
                }
                words = vec![0; (wanted as usize).div_ceil(8)];
            }
            status if status < 0 => return Err(Refusal::Status(Status(status))),
            _ => return Ok(nt::first_bytes(&words, needed.min(length))),
        }
    }
}

/// The name in an entry: how many bytes it has stands at `length_at`, and the name behind that.
fn name_in(entry: &[u8], length_at: usize) -> Vec<u16> {
    let length = number_at(entry, length_at).map_or(0, u32::from_le_bytes) as usize;
    let rest = entry.get(length_at + 4..).unwrap_or_default();
    let name = rest.get(..length).unwrap_or(rest);
    name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect()
}

/// The class that a key was given when it was made; nothing if it was given none.
fn class_in(full: &[u8]) -> Option<String> {
    let offset = number_at(full, 12).map(u32::from_le_bytes)? as usize;
    let length = number_at(full, 16).map(u32::from_le_bytes)? as usize;
    let class = full.get(offset..)?.get(..length).filter(|class| !class.is_empty())?;
    let units: Vec<u16> = class.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Some(String::from_utf16_lossy(&units))
}

fn number_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A name as the system's own calls take it: with its length, so that a NUL is a character as others are.
struct Counted<'n>(UNICODE_STRING, std::marker::PhantomData<&'n [u16]>);

impl<'n> Counted<'n> {
    fn new(name: &'n [u16]) -> Result<Self, Status> {
        let length =
            u16::try_from(name.len().saturating_mul(2)).map_err(|_| Status(STATUS_OBJECT_NAME_INVALID))?;
        let name = UNICODE_STRING { Length: length, MaximumLength: length, Buffer: name.as_ptr().cast_mut() };
        Ok(Self(name, std::marker::PhantomData))
    }
}

fn wide(name: &[u8]) -> Result<Vec<u16>, TreeError> {
    // A name that the system cannot have is one of nothing.
    to_wide(name).ok_or(TreeError::NotFound)
}

/// Reading what is in a key and who may do what with it.
const ACCESS: u32 = KEY_QUERY_VALUE | KEY_ENUMERATE_SUB_KEYS | READ_CONTROL;
/// Where a key that is a link has what it leads to.
const LINK_VALUE: &str = "SymbolicLinkValue";
/// What is kept of a value's data, to show it; all of it is compared.
const MOST_KEPT_BYTES: usize = 16 << 10;
/// A value may have as much as there is memory; usual ones have some kilobytes, and the longest about a megabyte.
const MOST_BYTES: u32 = 64 << 20;
const MOST_ATTEMPTS: usize = 3;
