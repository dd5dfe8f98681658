//! The laws of comparing, knowing and identifying.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use fim_core::{
    Aspect, AspectSet, ChangeId, Digest, Entity, EntityKind, EntityPath, FileAttributes, FileFlags,
    Principal, Timestamp, Xattr, absorb, apply, compare, diff,
};
use proptest::prelude::*;
use support::{aspects, entity, entity_at};

fn path() -> EntityPath {
    EntityPath::unix("/etc/a.conf")
}

/// True if `known` says nothing else than `all`, which may say more.
fn tells_no_more(known: &Entity, all: &Entity) -> bool {
    absorb(all.clone(), known.clone()) == *all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_differs_from_itself(one in entity(), watched in aspects()) {
        prop_assert!(compare(&one, &one, watched).is_empty());
        prop_assert_eq!(diff(Some(&one), Some(&one), watched), None);
    }

    #[test]
    fn comparing_is_the_same_both_ways(a in entity_at(path()), b in entity_at(path()), watched in aspects()) {
        prop_assert_eq!(compare(&a, &b, watched), compare(&b, &a, watched));
    }

    #[test]
    fn only_watched_aspects_differ(a in entity_at(path()), b in entity_at(path()), watched in aspects()) {
        let all = compare(&a, &b, AspectSet::ALL);
        let expected: AspectSet = watched.iter().filter(|&aspect| all.contains(aspect)).collect();
        prop_assert_eq!(compare(&a, &b, watched), expected);
    }

    #[test]
    fn applying_the_difference_gives_the_newer(
        a in prop::option::of(entity_at(path())),
        b in prop::option::of(entity_at(path())),
    ) {
        let held = match (a.clone(), b.clone()) {
            (Some(a), Some(b)) => Some(absorb(a, b)),
            (None, b) => b,
            (Some(_), None) => None,
        };
        match diff(a.as_ref(), b.as_ref(), AspectSet::ALL) {
            Some(change) => {
                prop_assert_eq!(apply(&change, a), held.clone());
                prop_assert_eq!(apply(&change, held.clone()), held, "folding twice is folding once");
            }
            // Nothing that is watched differs, so the newer says nothing that contradicts the older.
            None => prop_assert_eq!(a.is_some(), b.is_some()),
        }
    }

    #[test]
    fn knowledge_is_never_erased_by_ignorance(a in entity_at(path()), b in entity_at(path())) {
        let held = absorb(a.clone(), b.clone());
        prop_assert!(tells_no_more(&b, &held), "the newer is believed");
        if a.kind == b.kind {
            let kept = [
                (a.digest.is_some(), held.digest.is_some()),
                (a.attributes.size_bytes.is_some(), held.attributes.size_bytes.is_some()),
                (a.attributes.mode.is_some(), held.attributes.mode.is_some()),
                (a.attributes.owner.is_some(), held.attributes.owner.is_some()),
                (a.attributes.xattrs.is_some(), held.attributes.xattrs.is_some()),
                (a.attributes.acl.is_some(), held.attributes.acl.is_some()),
                (a.attributes.target.is_some(), held.attributes.target.is_some()),
            ];
            prop_assert!(kept.iter().all(|&(was_known, is_known)| is_known || !was_known));
        }
    }

    #[test]
    fn a_change_behind_ignorance_is_found(a in entity_at(path()), b in entity_at(path()), mut poor in entity_at(path())) {
        // The entity is looked at, then only poorly, then fully again.
        poor.kind = a.kind;
        poor.digest = None;
        let held = absorb(a.clone(), poor);
        prop_assert_eq!(
            compare(&held, &b, AspectSet::NONE.with(Aspect::Content)),
            compare(&a, &b, AspectSet::NONE.with(Aspect::Content))
        );
    }

    #[test]
    fn absorbing_twice_is_absorbing_once(a in entity_at(path()), b in entity_at(path())) {
        let once = absorb(a, b.clone());
        prop_assert_eq!(absorb(once.clone(), b), once);
    }

    #[test]
    fn an_id_tells_the_machine_the_time_and_the_change(
        a in prop::option::of(entity_at(path())),
        b in prop::option::of(entity_at(path())),
        c in entity_at(path()),
    ) {
        let change = diff(a.as_ref(), b.as_ref(), AspectSet::ALL);
        if let Some(change) = change {
            let now = Timestamp(7);
            let id = ChangeId::derive(&[1; 16], now, &change);
            prop_assert_eq!(id, ChangeId::derive(&[1; 16], now, &change.clone()));
            prop_assert_ne!(id, ChangeId::derive(&[2; 16], now, &change));
            prop_assert_ne!(id, ChangeId::derive(&[1; 16], Timestamp(8), &change));
            let mut other = change.clone();
            other.after = Some(c);
            let differs = match (&other.after, &change.after) {
                (Some(other), Some(after)) => !compare(other, after, AspectSet::ALL).is_empty(),
                (None | Some(_), None | Some(_)) => true,
            };
            if differs {
                prop_assert_ne!(id, ChangeId::derive(&[1; 16], now, &other));
            }
        }
    }
}

fn file() -> Entity {
    let mut file = Entity {
        key: fim_core::EntityKey::File(path()),
        kind: EntityKind::File,
        attributes: FileAttributes::default(),
        digest: Some(Digest([1; 32])),
    };
    file.attributes.modified = Some(Timestamp(1));
    file.attributes.changed = Some(Timestamp(1));
    file.attributes.inode = Some(1);
    file
}

fn differences(after: &Entity) -> Vec<Aspect> {
    compare(&file(), after, AspectSet::WATCHED_BY_DEFAULT).iter().collect()
}

#[test]
fn a_change_time_alone_is_no_change() {
    let mut after = file();
    after.attributes.changed = Some(Timestamp(2));
    assert_eq!(differences(&after), []);
}

#[test]
fn a_modification_time_alone_is_a_change() {
    let mut after = file();
    after.attributes.modified = Some(Timestamp(2));
    assert_eq!(differences(&after), [Aspect::Modified]);
}

#[test]
fn content_changed_with_its_time_put_back_is_found() {
    let mut after = file();
    after.attributes.changed = Some(Timestamp(2));
    after.digest = Some(Digest([2; 32]));
    assert_eq!(differences(&after), [Aspect::Content]);
}

#[test]
fn a_file_replaced_by_an_identical_one_is_no_change() {
    let mut after = file();
    after.attributes.inode = Some(2);
    after.attributes.changed = Some(Timestamp(2));
    assert_eq!(differences(&after), []);
}

#[test]
fn a_user_renamed_is_no_change_of_the_file() {
    let (mut before, mut after) = (file(), file());
    before.attributes.owner = Some(Principal { id: 7.into(), name: Some("ann".to_owned()) });
    after.attributes.owner = Some(Principal { id: 7.into(), name: Some("anna".to_owned()) });
    assert!(compare(&before, &after, AspectSet::ALL).is_empty());
}

#[test]
fn a_directory_does_not_tell_again_what_its_entries_tell() {
    let mut before = file();
    before.kind = EntityKind::Directory;
    let mut after = before.clone();
    after.attributes.modified = Some(Timestamp(2));
    after.attributes.links = Some(3);
    assert!(compare(&before, &after, AspectSet::ALL).is_empty());
    after.attributes.mode = Some(0o777);
    before.attributes.mode = Some(0o755);
    assert_eq!(compare(&before, &after, AspectSet::ALL).iter().collect::<Vec<_>>(), [Aspect::Mode]);
}

#[test]
fn each_attribute_that_differs_is_the_change_of_its_own_aspect() {
    type Act = fn(&mut Entity);
    fn somebody(number: u32) -> Option<Principal> {
        Some(Principal { id: number.into(), name: None })
    }
    let set: [(Aspect, Act); 9] = [
        (Aspect::Content, |seen| seen.digest = Some(Digest([9; 32]))),
        (Aspect::Size, |seen| seen.attributes.size_bytes = Some(99)),
        (Aspect::Mode, |seen| seen.attributes.mode = Some(0o7777)),
        (Aspect::Owner, |seen| seen.attributes.owner = somebody(99)),
        (Aspect::Group, |seen| seen.attributes.group = somebody(99)),
        (Aspect::Modified, |seen| seen.attributes.modified = Some(Timestamp(99))),
        (Aspect::Changed, |seen| seen.attributes.changed = Some(Timestamp(99))),
        (Aspect::Inode, |seen| seen.attributes.inode = Some(99)),
        (Aspect::Links, |seen| seen.attributes.links = Some(99)),
    ];
    for (aspect, change) in set {
        let mut before = file();
        before.attributes = FileAttributes {
            size_bytes: Some(1),
            mode: Some(0o600),
            owner: somebody(1),
            group: somebody(1),
            modified: Some(Timestamp(1)),
            changed: Some(Timestamp(1)),
            inode: Some(1),
            links: Some(1),
            ..before.attributes
        };
        let mut after = before.clone();
        change(&mut after);
        assert_eq!(compare(&before, &after, AspectSet::ALL).iter().collect::<Vec<_>>(), [aspect]);
    }
}

#[test]
fn capabilities_and_the_label_are_told_apart_from_other_attributes() {
    let with = |name: &[u8], value: &[u8]| {
        let mut seen = file();
        seen.attributes.xattrs = Some(vec![Xattr { name: name.to_vec(), value: value.to_vec() }]);
        seen
    };
    for (name, aspect) in [
        (&b"security.capability"[..], Aspect::Capabilities),
        (b"security.selinux", Aspect::Label),
        (b"user.comment", Aspect::Xattrs),
    ] {
        let fields: Vec<Aspect> =
            compare(&with(name, b"1"), &with(name, b"2"), AspectSet::ALL).iter().collect();
        assert_eq!(fields, [aspect]);
        let mut none = file();
        none.attributes.xattrs = Some(Vec::new());
        assert_eq!(compare(&none, &with(name, b""), AspectSet::ALL).iter().collect::<Vec<_>>(), [aspect]);
    }
}

#[test]
fn a_mark_that_is_set_is_a_change_and_another_mount_is_none() {
    let (mut before, mut after) = (file(), file());
    (before.attributes.flags, after.attributes.flags) =
        (Some(FileFlags::default()), Some(FileFlags::IMMUTABLE));
    (before.attributes.mount_id, after.attributes.mount_id) = (Some(7), Some(8));
    let fields = compare(&before, &after, AspectSet::WATCHED_BY_DEFAULT);
    assert_eq!(fields.iter().collect::<Vec<_>>(), [Aspect::Flags]);
}
