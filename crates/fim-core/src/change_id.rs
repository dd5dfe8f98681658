//! The id that makes a repeated report of one change harmless.

use sha2::{Digest as _, Sha256};

use crate::{Change, ChangeId, Entity, EntityKey, EntityKind, PathStyle, Principal, Timestamp};

impl ChangeId {
    /// The id of a change on a machine: the same whoever derives it and however often.
    ///
    /// It is the first half of a SHA-256 over the machine's id, the key and all that is known of both sides, each part
    /// with its length, so that no two different changes are written alike. Names of users and groups are left out:
    /// what a number is called may be looked up differently the second time.
    pub fn derive(machine: &[u8; 16], change: &Change) -> Self {
        let mut writer = Writer(Sha256::new());
        writer.bytes(b"steadfast change 1");
        writer.bytes(machine);
        writer.key(&change.key);
        writer.side(change.before.as_ref());
        writer.side(change.after.as_ref());
        let hash: [u8; 32] = writer.0.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

/// Feeds values to the hash so that their borders can be told.
struct Writer(Sha256);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.update([u8::from(value.is_some())]);
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn key(&mut self, key: &EntityKey) {
        match key {
            EntityKey::File(path) => {
                self.0.update([match path.style() {
                    PathStyle::Unix => 1,
                    PathStyle::Windows => 2,
                }]);
                self.bytes(path.as_bytes());
            }
        }
    }

    fn side(&mut self, side: Option<&Entity>) {
        self.maybe(side, Self::entity);
    }

    fn entity(&mut self, entity: &Entity) {
        self.0.update([match entity.kind {
            EntityKind::File => 1,
            EntityKind::Directory => 2,
            EntityKind::Symlink => 3,
            EntityKind::BlockDevice => 4,
            EntityKind::CharDevice => 5,
            EntityKind::Fifo => 6,
            EntityKind::Socket => 7,
        }]);
        let attributes = &entity.attributes;
        self.maybe(attributes.size_bytes, Self::number);
        self.maybe(attributes.mode.map(u64::from), Self::number);
        self.maybe(attributes.owner.as_ref(), Self::principal);
        self.maybe(attributes.group.as_ref(), Self::principal);
        self.maybe(attributes.modified, Self::time);
        self.maybe(attributes.changed, Self::time);
        self.maybe(attributes.created, Self::time);
        self.maybe(attributes.inode, Self::number);
        self.maybe(attributes.device, Self::number);
        self.maybe(attributes.links, Self::number);
        self.maybe(attributes.acl.as_ref(), |writer, acl| writer.bytes(acl.0.as_bytes()));
        self.maybe(attributes.xattrs.as_ref(), |writer, xattrs| {
            writer.number(xattrs.len() as u64);
            for xattr in xattrs {
                writer.bytes(&xattr.name);
                writer.bytes(&xattr.value);
            }
        });
        self.maybe(attributes.target.as_deref(), Self::bytes);
        self.maybe(entity.digest, |writer, digest| writer.bytes(&digest.0));
        self.later(2, attributes.flags.map(|flags| flags.bits().into()));
        self.later(3, attributes.mount_id);
    }

    /// An attribute that older versions do not know: where it is unknown the id is the one that they derive. The tag
    /// is none that anything else begins with.
    fn later(&mut self, tag: u8, value: Option<u64>) {
        if let Some(value) = value {
            self.0.update([tag]);
            self.number(value);
        }
    }

    fn principal(&mut self, principal: &Principal) {
        self.number(principal.id.into());
    }

    fn time(&mut self, time: Timestamp) {
        self.0.update(time.0.to_be_bytes());
    }
}
