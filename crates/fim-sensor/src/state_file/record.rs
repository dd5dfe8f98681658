//! One entity as bytes in a block.
//!
//! ```text
//! record = bytes shared with the path before (varint) rest of the path (bytes)
//!          kind (u8) which attributes are known (varint, a bit each) the known attributes in the bits' order
//! bytes  = length (varint) that many bytes
//! ```
//!
//! The first record of a block shares nothing, so that blocks can be read by themselves.

use fim_core::{
    Acl, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes, FileFlags, PathStyle, Principal,
    Timestamp, Xattr,
};

/// Adds the record of an entity whose predecessor in the block has the path `before`.
pub(super) fn encode(entity: &Entity, before: &[u8], out: &mut Vec<u8>) {
    let path = entity.key.path();
    let bytes = path.as_bytes();
    let shared = bytes.iter().zip(before).take_while(|(one, other)| one == other).count();
    put_number(out, shared as u64);
    put_bytes(out, &bytes[shared..]);
    out.push(kind_number(entity.kind));
    put_number(out, known(entity));
    let attributes = &entity.attributes;
    for number in [attributes.size_bytes, attributes.mode.map(u64::from)].into_iter().flatten() {
        put_number(out, number);
    }
    for principal in [&attributes.owner, &attributes.group].into_iter().flatten() {
        put_number(out, principal.id.into());
        // An empty name is no name.
        put_bytes(out, principal.name.as_deref().unwrap_or_default().as_bytes());
    }
    for time in [attributes.modified, attributes.changed, attributes.created].into_iter().flatten() {
        out.extend_from_slice(&time.0.to_le_bytes());
    }
    for number in [attributes.inode, attributes.device, attributes.links].into_iter().flatten() {
        put_number(out, number);
    }
    if let Some(acl) = &attributes.acl {
        put_bytes(out, acl.0.as_bytes());
    }
    if let Some(xattrs) = &attributes.xattrs {
        put_number(out, xattrs.len() as u64);
        for xattr in xattrs {
            put_bytes(out, &xattr.name);
            put_bytes(out, &xattr.value);
        }
    }
    if let Some(target) = &attributes.target {
        put_bytes(out, target);
    }
    if let Some(digest) = &entity.digest {
        out.extend_from_slice(&digest.0);
    }
    for number in
        [attributes.flags.map(|flags| flags.bits().into()), attributes.mount_id].into_iter().flatten()
    {
        put_number(out, number);
    }
}

/// Takes the next record off `bytes`, the path of the one before it in the block at hand. `None` if there is no such
/// record: the block was not written by [`encode`].
pub(super) fn decode(bytes: &mut &[u8], before: &[u8]) -> Option<Entity> {
    let shared = usize::try_from(take_number(bytes)?).ok()?;
    let rest = take_bytes(bytes)?;
    let path = [before.get(..shared)?, rest].concat();
    let kind = kind_of(*take(bytes, 1)?.first()?)?;
    let known = take_number(bytes)?;
    if known >> KNOWN_BITS != 0 {
        return None;
    }
    let has = |bit: u32| known >> bit & 1 == 1;
    let mut field = bytes;
    let mut attributes = FileAttributes {
        size_bytes: take_if(has(SIZE), &mut field, take_number)?,
        mode: take_if(has(MODE), &mut field, |bytes| take_number(bytes)?.try_into().ok())?,
        owner: take_if(has(OWNER), &mut field, take_principal)?,
        group: take_if(has(GROUP), &mut field, take_principal)?,
        modified: take_if(has(MODIFIED), &mut field, take_time)?,
        changed: take_if(has(CHANGED), &mut field, take_time)?,
        created: take_if(has(CREATED), &mut field, take_time)?,
        inode: take_if(has(INODE), &mut field, take_number)?,
        device: take_if(has(DEVICE), &mut field, take_number)?,
        links: take_if(has(LINKS), &mut field, take_number)?,
        acl: take_if(has(ACL), &mut field, |bytes| take_text(bytes).map(Acl))?,
        xattrs: take_if(has(XATTRS), &mut field, take_xattrs)?,
        target: take_if(has(TARGET), &mut field, |bytes| take_bytes(bytes).map(<[u8]>::to_vec))?,
        ..FileAttributes::default()
    };
    let digest = take_if(has(DIGEST), &mut field, |bytes| {
        let (digest, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(Digest(*digest))
    })?;
    attributes.flags = take_if(has(FLAGS), &mut field, |bytes| take_number(bytes)?.try_into().ok())?
        .map(FileFlags::from_bits);
    attributes.mount_id = take_if(has(MOUNT), &mut field, take_number)?;
    let path = if has(WINDOWS) { EntityPath::windows(path) } else { EntityPath::unix(path) };
    Some(Entity { key: EntityKey::File(path), kind, attributes, digest })
}

fn known(entity: &Entity) -> u64 {
    let attributes = &entity.attributes;
    let is_windows = match entity.key.path().style() {
        PathStyle::Unix => false,
        PathStyle::Windows => true,
    };
    [
        (SIZE, attributes.size_bytes.is_some()),
        (MODE, attributes.mode.is_some()),
        (OWNER, attributes.owner.is_some()),
        (GROUP, attributes.group.is_some()),
        (MODIFIED, attributes.modified.is_some()),
        (CHANGED, attributes.changed.is_some()),
        (CREATED, attributes.created.is_some()),
        (INODE, attributes.inode.is_some()),
        (DEVICE, attributes.device.is_some()),
        (LINKS, attributes.links.is_some()),
        (ACL, attributes.acl.is_some()),
        (XATTRS, attributes.xattrs.is_some()),
        (TARGET, attributes.target.is_some()),
        (DIGEST, entity.digest.is_some()),
        (WINDOWS, is_windows),
        (FLAGS, attributes.flags.is_some()),
        (MOUNT, attributes.mount_id.is_some()),
    ]
    .into_iter()
    .fold(0, |bits, (bit, is_known)| bits | u64::from(is_known) << bit)
}

fn kind_number(kind: EntityKind) -> u8 {
    match kind {
        EntityKind::File => 0,
        EntityKind::Directory => 1,
        EntityKind::Symlink => 2,
        EntityKind::BlockDevice => 3,
        EntityKind::CharDevice => 4,
        EntityKind::Fifo => 5,
        EntityKind::Socket => 6,
    }
}

fn kind_of(number: u8) -> Option<EntityKind> {
    [
        EntityKind::File,
        EntityKind::Directory,
        EntityKind::Symlink,
        EntityKind::BlockDevice,
        EntityKind::CharDevice,
        EntityKind::Fifo,
        EntityKind::Socket,
    ]
    .into_iter()
    .find(|&kind| kind_number(kind) == number)
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take<'b>(bytes: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(byte & 0x7f);
        if shift == 63 && low > 1 {
            return None;
        }
        number |= low << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_bytes<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    take(bytes, length)
}

fn take_text(bytes: &mut &[u8]) -> Option<String> {
    Some(std::str::from_utf8(take_bytes(bytes)?).ok()?.to_owned())
}

fn take_principal(bytes: &mut &[u8]) -> Option<Principal> {
    let id = u32::try_from(take_number(bytes)?).ok()?;
    let name = take_text(bytes)?;
    Some(Principal { id, name: (!name.is_empty()).then_some(name) })
}

fn take_time(bytes: &mut &[u8]) -> Option<Timestamp> {
    let (nanos, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(Timestamp(i64::from_le_bytes(*nanos)))
}

fn take_xattrs(bytes: &mut &[u8]) -> Option<Vec<Xattr>> {
    let count = take_number(bytes)?;
    let mut xattrs = Vec::new();
    for _ in 0..count {
        let (name, value) = (take_bytes(bytes)?.to_vec(), take_bytes(bytes)?.to_vec());
        xattrs.push(Xattr { name, value });
    }
    Some(xattrs)
}

/// `Some(None)` if the attribute is not known; `None` if it is said to be and is not there.
fn take_if<'b, V>(
    is_known: bool,
    bytes: &mut &mut &'b [u8],
    take: impl FnOnce(&mut &'b [u8]) -> Option<V>,
) -> Option<Option<V>> {
    if is_known { take(bytes).map(Some) } else { Some(None) }
}

const SIZE: u32 = 0;
const MODE: u32 = 1;
const OWNER: u32 = 2;
const GROUP: u32 = 3;
const MODIFIED: u32 = 4;
const CHANGED: u32 = 5;
const CREATED: u32 = 6;
const INODE: u32 = 7;
const DEVICE: u32 = 8;
const LINKS: u32 = 9;
const ACL: u32 = 10;
const XATTRS: u32 = 11;
const TARGET: u32 = 12;
const DIGEST: u32 = 13;
const WINDOWS: u32 = 14;
const FLAGS: u32 = 15;
const MOUNT: u32 = 16;
const KNOWN_BITS: u32 = 17;
