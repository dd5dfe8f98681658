//! Generators of core values.
#![allow(dead_code, reason = "each test file uses its own part")]

use fim_core::windows::Sid;
use fim_core::{
    Acl, Aspect, AspectSet, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes, FileFlags,
    Principal, PrincipalId, RegistryAttributes, Timestamp, Xattr,
};
use proptest::prelude::*;

/// Few values, so that equal ones are common.
pub fn few_u64() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0_u64..3).prop_map(Some)]
}

pub fn time() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![
        Just(None),
        (0_i64..3).prop_map(|time| Some(Timestamp(time))),
        any::<i64>().prop_map(|time| Some(Timestamp(time)))
    ]
}

pub fn principal() -> impl Strategy<Value = Option<Principal>> {
    let name = prop_oneof![Just(None), Just(Some("root".to_owned())), Just(Some("é".to_owned()))];
    let sid = |text: &str| Sid::parse(text).map(PrincipalId::Sid);
    let ids = [Some(0.into()), Some(1.into()), sid("S-1-5-18"), sid("S-1-5-32-544")];
    let id = prop::sample::select(ids.into_iter().flatten().collect::<Vec<_>>());
    prop_oneof![Just(None), (id, name).prop_map(|(id, name)| Some(Principal { id, name }))]
}

pub fn kind() -> impl Strategy<Value = EntityKind> {
    prop::sample::select(vec![
        EntityKind::File,
        EntityKind::Directory,
        EntityKind::Symlink,
        EntityKind::BlockDevice,
        EntityKind::CharDevice,
        EntityKind::Fifo,
        EntityKind::Socket,
    ])
}

pub fn attributes() -> impl Strategy<Value = FileAttributes> {
    let numbers = (few_u64(), few_u64(), few_u64(), few_u64(), prop::option::of(0_u16..0o10000));
    let people = (principal(), principal());
    let times = (time(), time(), time());
    let acl = prop_oneof![
        Just(None),
        Just(Some(Acl::default())),
        Just(Some(Acl("user::rw-\nuser:ann:r--".to_owned())))
    ];
    let name = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        Just(b"security.selinux".to_vec()),
        Just(b"security.capability".to_vec())
    ];
    let xattr =
        (name, prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(name, value)| Xattr { name, value });
    let xattrs = prop::option::of(prop::collection::vec(xattr, 0..3));
    let target = prop::option::of(prop::collection::vec(any::<u8>(), 0..6));
    let marks = (prop::option::of(any::<u16>().prop_map(FileFlags::from_bits)), few_u64(), registry());
    (numbers, people, times, acl, xattrs, target, marks).prop_map(
        |(
            (size_bytes, inode, device, links, mode),
            (owner, group),
            (modified, changed, created),
            acl,
            xattrs,
            target,
            (flags, mount_id, registry),
        )| {
            FileAttributes {
                size_bytes,
                mode,
                owner,
                group,
                modified,
                changed,
                created,
                inode,
                device,
                links,
                acl,
                xattrs,
                target,
                flags,
                registry,
                mount_id,
            }
        },
    )
}

fn registry() -> impl Strategy<Value = Option<RegistryAttributes>> {
    let data = prop::option::of(prop::collection::vec(any::<u8>(), 0..4));
    prop_oneof![
        Just(None),
        "[a-c]{1,2}".prop_map(|class| Some(RegistryAttributes::Key { class })),
        (0_u32..3, data).prop_map(|(value_type, data)| Some(RegistryAttributes::Value { value_type, data })),
    ]
}

pub fn digest() -> impl Strategy<Value = Option<Digest>> {
    prop_oneof![Just(None), (0_u8..3).prop_map(|byte| Some(Digest([byte; 32])))]
}

/// An entity of the given path.
pub fn entity_at(path: EntityPath) -> impl Strategy<Value = Entity> {
    (kind(), attributes(), digest()).prop_map(move |(kind, attributes, digest)| Entity {
        key: EntityKey::File(path.clone()),
        kind,
        attributes,
        digest,
    })
}

/// Any entity, of any path.
pub fn entity() -> impl Strategy<Value = Entity> {
    prop::collection::vec(any::<u8>(), 1..12)
        .prop_flat_map(|name| entity_at(EntityPath::unix([b"/".as_slice(), &name].concat())))
}

pub fn aspects() -> impl Strategy<Value = AspectSet> {
    prop::collection::vec(prop::sample::select(Aspect::ALL.to_vec()), 0..19)
        .prop_map(|aspects| aspects.into_iter().collect())
}
