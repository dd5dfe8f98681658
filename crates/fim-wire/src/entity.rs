//! Entities and their keys.

use fim_core::windows::Sid;
use fim_core::{
    Acl, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes, FileFlags, PathStyle, Principal,
    PrincipalId, RegistryAttributes, Timestamp, Xattr,
};
use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};
use minicbor::{Decode, Encode};

use crate::WireError;
use crate::error::{append, from_bytes, take, to_bytes};

/// The bytes of an entity.
pub fn encode_entity(entity: &Entity) -> Vec<u8> {
    to_bytes(&EntityRecord::from(entity))
}

/// Adds the bytes of an entity to others, as the sensor's state holds many of them.
pub fn append_entity(entity: &Entity, out: &mut Vec<u8>) {
    append(&EntityRecord::from(entity), out);
}

/// Takes the entity off that the bytes begin with. Where it is refused, `bytes` stay as they were.
///
/// # Errors
///
/// Says what is wrong with the bytes and where.
pub fn take_entity(bytes: &mut &[u8]) -> Result<Entity, WireError> {
    let (record, rest) = take::<EntityRecord<'_>>(WHAT, bytes)?;
    let entity = record.try_into()?;
    *bytes = rest;
    Ok(entity)
}

/// The entity in the bytes.
///
/// # Errors
///
/// Says what is wrong with the bytes and where.
pub fn decode_entity(bytes: &[u8]) -> Result<Entity, WireError> {
    from_bytes::<EntityRecord<'_>>(WHAT, bytes)?.try_into()
}

#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct KeyRecord<'b> {
    #[n(0)]
    kind: u8,
    #[n(1)]
    style: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    path: &'b [u8],
}

#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct EntityRecord<'b> {
    #[b(0)]
    key: KeyRecord<'b>,
    #[n(1)]
    kind: u8,
    #[n(2)]
    size_bytes: Option<u64>,
    #[n(3)]
    mode: Option<u16>,
    #[b(4)]
    owner: Option<PrincipalRecord<'b>>,
    #[b(5)]
    group: Option<PrincipalRecord<'b>>,
    #[n(6)]
    modified: Option<i64>,
    #[n(7)]
    changed: Option<i64>,
    #[n(8)]
    created: Option<i64>,
    #[n(9)]
    inode: Option<u64>,
    #[n(10)]
    device: Option<u64>,
    #[n(11)]
    links: Option<u64>,
    #[b(12)]
    acl: Option<&'b str>,
    #[cbor(b(13), decode_with = "decode_xattrs", default)]
    xattrs: Option<Vec<XattrRecord<'b>>>,
    #[cbor(n(14), with = "minicbor::bytes")]
    target: Option<&'b [u8]>,
    #[cbor(n(15), with = "minicbor::bytes")]
    digest: Option<&'b [u8]>,
    #[n(16)]
    flags: Option<u16>,
    #[n(17)]
    mount_id: Option<u64>,
    #[b(18)]
    class: Option<&'b str>,
    #[n(19)]
    value_type: Option<u32>,
    #[cbor(n(20), with = "minicbor::bytes")]
    value_data: Option<&'b [u8]>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct PrincipalRecord<'b> {
    #[n(0)]
    number: Option<u32>,
    #[b(1)]
    name: Option<&'b str>,
    #[b(2)]
    sid: Option<&'b str>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct XattrRecord<'b> {
    #[cbor(n(0), with = "minicbor::bytes")]
    name: &'b [u8],
    #[cbor(n(1), with = "minicbor::bytes")]
    value: &'b [u8],
}

impl<'b> From<&'b EntityKey> for KeyRecord<'b> {
    fn from(key: &'b EntityKey) -> Self {
        match key {
            EntityKey::File(path) => Self { kind: KEY_FILE, ..Self::from(path) },
        }
    }
}

impl<'b> From<&'b EntityPath> for KeyRecord<'b> {
    fn from(path: &'b EntityPath) -> Self {
        let style = match path.style() {
            PathStyle::Unix => 0,
            PathStyle::Windows => 1,
        };
        Self { kind: KEY_FILE, style, path: path.as_bytes() }
    }
}

impl TryFrom<KeyRecord<'_>> for EntityKey {
    type Error = WireError;

    fn try_from(record: KeyRecord<'_>) -> Result<Self, WireError> {
        if record.kind != KEY_FILE {
            return Err(unknown("kind of key", record.kind));
        }
        let style = match record.style {
            0 => PathStyle::Unix,
            1 => PathStyle::Windows,
            other => return Err(unknown("path style", other)),
        };
        Ok(Self::File(EntityPath::new(style, record.path)))
    }
}

impl<'b> From<&'b Entity> for EntityRecord<'b> {
    fn from(entity: &'b Entity) -> Self {
        let attributes = &entity.attributes;
        let xattrs = |xattrs: &'b Vec<Xattr>| {
            xattrs.iter().map(|xattr| XattrRecord { name: &xattr.name, value: &xattr.value }).collect()
        };
        let (class, value_type, value_data) = match &attributes.registry {
            None => (None, None, None),
            Some(RegistryAttributes::Key { class }) => (Some(class.as_str()), None, None),
            Some(RegistryAttributes::Value { value_type, data }) => {
                (None, Some(*value_type), data.as_deref())
            }
        };
        Self {
            key: (&entity.key).into(),
            kind: kind_number(entity.kind),
            size_bytes: attributes.size_bytes,
            mode: attributes.mode,
            owner: attributes.owner.as_ref().map(Into::into),
            group: attributes.group.as_ref().map(Into::into),
            modified: attributes.modified.map(|time| time.0),
            changed: attributes.changed.map(|time| time.0),
            created: attributes.created.map(|time| time.0),
            inode: attributes.inode,
            device: attributes.device,
            links: attributes.links,
            acl: attributes.acl.as_ref().map(|acl| acl.0.as_str()),
            xattrs: attributes.xattrs.as_ref().map(xattrs),
            target: attributes.target.as_deref(),
            digest: entity.digest.as_ref().map(|digest| digest.0.as_slice()),
            flags: attributes.flags.map(FileFlags::bits),
            mount_id: attributes.mount_id,
            class,
            value_type,
            value_data,
        }
    }
}

impl TryFrom<EntityRecord<'_>> for Entity {
    type Error = WireError;

    fn try_from(record: EntityRecord<'_>) -> Result<Self, WireError> {
        let digest = |bytes: &[u8]| {
            let bytes: [u8; 32] = bytes.try_into().map_err(|_| WireError::Contradiction {
                what: WHAT,
                problem: "its digest has not 32 bytes",
            })?;
            Ok(Digest(bytes))
        };
        let xattrs = |xattrs: Vec<XattrRecord<'_>>| {
            xattrs
                .iter()
                .map(|xattr| Xattr { name: xattr.name.to_vec(), value: xattr.value.to_vec() })
                .collect()
        };
        let registry = match (record.class, record.value_type) {
            (None, None) => None,
            (Some(class), None) => Some(RegistryAttributes::Key { class: class.to_owned() }),
            (None, Some(value_type)) => {
                let data = record.value_data.map(<[u8]>::to_vec);
                Some(RegistryAttributes::Value { value_type, data })
            }
            (Some(_), Some(_)) => {
                let problem = "it is a key of the registry as well as a value";
                return Err(WireError::Contradiction { what: WHAT, problem });
            }
        };
        Ok(Self {
            key: record.key.try_into()?,
            kind: kind_of(record.kind)?,
            attributes: FileAttributes {
                size_bytes: record.size_bytes,
                mode: record.mode,
                owner: record.owner.map(TryInto::try_into).transpose()?,
                group: record.group.map(TryInto::try_into).transpose()?,
                modified: record.modified.map(Timestamp),
                changed: record.changed.map(Timestamp),
                created: record.created.map(Timestamp),
                inode: record.inode,
                device: record.device,
                links: record.links,
                acl: record.acl.map(|text| Acl(text.to_owned())),
                xattrs: record.xattrs.map(xattrs),
                target: record.target.map(<[u8]>::to_vec),
                flags: record.flags.map(FileFlags::from_bits),
                registry,
                mount_id: record.mount_id,
            },
            digest: record.digest.map(digest).transpose()?,
        })
    }
}

impl<'b> From<&'b Principal> for PrincipalRecord<'b> {
    fn from(principal: &'b Principal) -> Self {
        let (number, sid) = match &principal.id {
            PrincipalId::Number(number) => (Some(*number), None),
            PrincipalId::Sid(sid) => (None, Some(sid.as_str())),
        };
        Self { number, name: principal.name.as_deref(), sid }
    }
}

impl TryFrom<PrincipalRecord<'_>> for Principal {
    type Error = WireError;

    fn try_from(record: PrincipalRecord<'_>) -> Result<Self, WireError> {
        let id = match (record.number, record.sid) {
            (Some(number), None) => Some(PrincipalId::Number(number)),
            (None, Some(sid)) => Sid::parse(sid).map(PrincipalId::Sid),
            (Some(_), Some(_)) | (None, None) => None,
        };
        let problem = "a user or group has neither a number nor a security identifier, or both";
        let id = id.ok_or(WireError::Contradiction { what: WHAT, problem })?;
        Ok(Self { id, name: record.name.map(str::to_owned) })
    }
}

/// Stops at a number that no file system allows, before there is memory for more.
fn decode_xattrs<'b, Ctx>(
    decoder: &mut Decoder<'b>,
    _: &mut Ctx,
) -> Result<Option<Vec<XattrRecord<'b>>>, Error> {
    if decoder.datatype()? == Type::Null {
        return decoder.null().map(|()| None);
    }
    let mut xattrs = Vec::new();
    for xattr in decoder.array_iter()? {
        if xattrs.len() == MAX_XATTRS {
            let parts = "extended attributes";
            return Err(Error::custom(WireError::TooMany { what: WHAT, parts, limit: MAX_XATTRS }));
        }
        xattrs.push(xattr?);
    }
    Ok(Some(xattrs))
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

fn kind_of(number: u8) -> Result<EntityKind, WireError> {
    Ok(match number {
        0 => EntityKind::File,
        1 => EntityKind::Directory,
        2 => EntityKind::Symlink,
        3 => EntityKind::BlockDevice,
        4 => EntityKind::CharDevice,
        5 => EntityKind::Fifo,
        6 => EntityKind::Socket,
        other => return Err(unknown("kind", other)),
    })
}

fn unknown(field: &'static str, value: u8) -> WireError {
    WireError::Unknown { what: WHAT, field, value: value.into() }
}

/// Linux lists at most 64 KiB of names for one file, and a name has at least a namespace and a letter.
const MAX_XATTRS: usize = 16_384;
const KEY_FILE: u8 = 0;
const WHAT: &str = "entity";
