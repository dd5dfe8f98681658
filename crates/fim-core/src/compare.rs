//! The one judge of difference, and what is kept when a look tells less than the one before.

use std::fmt;

use crate::summary::{CAPABILITY_XATTR, LABEL_XATTR};
use crate::windows::Hive;
use crate::{
    Aspect, AspectSet, Entity, EntityKey, EntityKind, FileAttributes, Principal, RegistryAttributes, Xattr,
};

/// Anything that is monitored: it can be told from others, and compared with an earlier look at itself.
pub trait Monitored: Clone {
    /// What identifies it on a machine.
    type Key: Clone + fmt::Debug + Eq;

    /// What identifies it.
    fn key(&self) -> Self::Key;

    /// Which of the watched aspects differ; what one of the two does not know is never a difference.
    fn compare(&self, after: &Self, watched: AspectSet) -> AspectSet;

    /// The newer look, with what it does not know taken from the older one.
    fn absorb(older: Self, newer: Self) -> Self;
}

impl Monitored for Entity {
    type Key = EntityKey;

    fn key(&self) -> EntityKey {
        self.key.clone()
    }

    fn compare(&self, after: &Self, watched: AspectSet) -> AspectSet {
        compare(self, after, watched)
    }

    fn absorb(older: Self, newer: Self) -> Self {
        absorb(older, newer)
    }
}

/// Which of the watched aspects differ between two looks at one entity.
///
/// What one of the two does not know is never a difference; [`absorb`] sees to it that knowledge is there to compare
/// with. A user or group is its number or identifier: the name that the machine gives it is not the file's. Size, modification time
/// and link count of a directory say only that its entries changed, which the entries say themselves, so they are no
/// difference while it stays a directory; so with keys of the registry. What a value of the registry holds is an aspect of
/// its own, of which its length is part.
pub fn compare(before: &Entity, after: &Entity, watched: AspectSet) -> AspectSet {
    let stays_directory = before.kind == EntityKind::Directory && after.kind == EntityKind::Directory;
    watched
        .iter()
        .filter(|&aspect| !(stays_directory && tells_only_of_entries(aspect)))
        .filter(|&aspect| differs(before, after, aspect))
        .collect()
}

/// The newer look, with what it does not know taken from the older one.
///
/// So an entity that was made unreadable, changed and made readable again is compared with what was known before it
/// became unreadable. What is known of another kind of thing is not knowledge of this one.
pub fn absorb(older: Entity, newer: Entity) -> Entity {
    if older.kind != newer.kind || older.key != newer.key {
        return newer;
    }
    let (old, new) = (older.attributes, newer.attributes);
    Entity {
        key: newer.key,
        kind: newer.kind,
        attributes: FileAttributes {
            size_bytes: new.size_bytes.or(old.size_bytes),
            mode: new.mode.or(old.mode),
            owner: absorb_principal(old.owner, new.owner),
            group: absorb_principal(old.group, new.group),
            modified: new.modified.or(old.modified),
            changed: new.changed.or(old.changed),
            created: new.created.or(old.created),
            inode: new.inode.or(old.inode),
            device: new.device.or(old.device),
            links: new.links.or(old.links),
            acl: new.acl.or(old.acl),
            xattrs: new.xattrs.or(old.xattrs),
            target: new.target.or(old.target),
            flags: new.flags.or(old.flags),
            registry: new.registry.or(old.registry),
            mount_id: new.mount_id.or(old.mount_id),
        },
        digest: newer.digest.or(older.digest),
    }
}

fn differs(before: &Entity, after: &Entity, aspect: Aspect) -> bool {
    let (old, new) = (&before.attributes, &after.attributes);
    match aspect {
        Aspect::Kind => before.kind != after.kind,
        Aspect::Content => !is_registry_value(after) && both_differ(&before.digest, &after.digest),
        Aspect::ValueData => is_registry_value(after) && both_differ(&before.digest, &after.digest),
        Aspect::ValueType => both_differ(&value_type(old), &value_type(new)),
        Aspect::Size => !is_registry_value(after) && both_differ(&old.size_bytes, &new.size_bytes),
        Aspect::Mode => both_differ(&old.mode, &new.mode),
        Aspect::Owner => both_differ(
            &old.owner.as_ref().map(|owner| &owner.id),
            &new.owner.as_ref().map(|owner| &owner.id),
        ),
        Aspect::Group => both_differ(
            &old.group.as_ref().map(|group| &group.id),
            &new.group.as_ref().map(|group| &group.id),
        ),
        Aspect::Modified => both_differ(&old.modified, &new.modified),
        Aspect::Changed => both_differ(&old.changed, &new.changed),
        Aspect::Created => both_differ(&old.created, &new.created),
        Aspect::Inode => both_differ(&old.inode, &new.inode) || both_differ(&old.device, &new.device),
        Aspect::Links => both_differ(&old.links, &new.links),
        Aspect::Acl => both_differ(&old.acl, &new.acl),
        Aspect::Capabilities => both_differ(&old.xattr(CAPABILITY_XATTR), &new.xattr(CAPABILITY_XATTR)),
        Aspect::Label => both_differ(&old.xattr(LABEL_XATTR), &new.xattr(LABEL_XATTR)),
        Aspect::Flags => both_differ(&old.flags, &new.flags),
        Aspect::Xattrs => match (&old.xattrs, &new.xattrs) {
            (Some(old), Some(new)) => !other_xattrs(old).eq(other_xattrs(new)),
            (None, _) | (_, None) => false,
        },
        Aspect::Target => both_differ(&old.target, &new.target),
        Aspect::Mount => both_differ(&old.mount_id, &new.mount_id),
        Aspect::Path => before.key != after.key,
        Aspect::State
        | Aspect::StartupType
        | Aspect::Command
        | Aspect::Account
        | Aspect::RunLevels
        | Aspect::Controller
        | Aspect::DisplayName
        | Aspect::Version
        | Aspect::Publisher
        | Aspect::Description => false,
    }
}

fn is_registry_value(entity: &Entity) -> bool {
    entity.kind == EntityKind::File && Hive::of(entity.key.path()).is_some()
}

fn value_type(attributes: &FileAttributes) -> Option<u32> {
    match attributes.registry {
        Some(RegistryAttributes::Value { value_type, .. }) => Some(value_type),
        Some(RegistryAttributes::Key { .. }) | None => None,
    }
}

fn tells_only_of_entries(aspect: Aspect) -> bool {
    matches!(aspect, Aspect::Size | Aspect::Modified | Aspect::Links)
}

/// The extended attributes that are no aspect of their own.
fn other_xattrs(xattrs: &[Xattr]) -> impl Iterator<Item = &Xattr> {
    xattrs.iter().filter(|xattr| xattr.name != CAPABILITY_XATTR && xattr.name != LABEL_XATTR)
}

pub(crate) fn both_differ<T: PartialEq>(before: &Option<T>, after: &Option<T>) -> bool {
    matches!((before, after), (Some(before), Some(after)) if before != after)
}

fn absorb_principal(older: Option<Principal>, newer: Option<Principal>) -> Option<Principal> {
    match (older, newer) {
        (Some(old), Some(new)) if old.id == new.id => {
            Some(Principal { id: new.id, name: new.name.or(old.name) })
        }
        (_, Some(new)) => Some(new),
        (old, None) => old,
    }
}
