//! The id that a change is told under.

use sha2::{Digest as _, Sha256};

use crate::{
    Change, ChangeId, Controller, Daemon, DaemonState, Entity, EntityKey, EntityKind, Listed, ListedKey,
    Monitored, PackageManager, PathStyle, Principal, PrincipalId, RegistryAttributes, Software, StartupType,
    Timestamp,
};

impl ChangeId {
    /// The id of a change on a machine that was noticed at that time.
    ///
    /// It is the first half of a SHA-256 over the machine's id, the time, the key and all that is known of both sides,
    /// each part with its length, so that no two different changes are written alike. The time tells apart what
    /// happens again: a package that goes back to an old version and on to the new one leaves no other trace of the
    /// turns. Names of users and groups are left out: what a number is called may be looked up differently the second
    /// time.
    pub fn derive<E: Identified>(machine: &[u8; 16], observed: Timestamp, change: &Change<E>) -> Self {
        let mut writer = IdWriter(Sha256::new());
        writer.bytes(b"steadfast change 2");
        writer.bytes(machine);
        writer.time(observed);
        E::write_key(&change.key, &mut writer);
        for side in [&change.before, &change.after] {
            writer.maybe(side.as_ref(), |writer, entity| entity.write(writer));
        }
        let hash: [u8; 32] = writer.0.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self(id)
    }
}

/// What is monitored and has changes with ids of their own.
pub trait Identified: Monitored {
    /// Writes what identifies the entity.
    fn write_key(key: &Self::Key, writer: &mut IdWriter);

    /// Writes all that is known of the entity.
    fn write(&self, writer: &mut IdWriter);
}

impl Identified for Entity {
    fn write_key(key: &EntityKey, writer: &mut IdWriter) {
        writer.key(key);
    }

    fn write(&self, writer: &mut IdWriter) {
        writer.entity(self);
    }
}

impl Identified for Listed {
    fn write_key(key: &ListedKey, writer: &mut IdWriter) {
        match key {
            ListedKey::Daemon(name) => {
                writer.0.update([3]);
                writer.bytes(name.as_bytes());
            }
            ListedKey::Software { manager, name, architecture } => {
                writer.0.update([4, manager_number(*manager)]);
                writer.bytes(name.as_bytes());
                writer.text(architecture.as_deref());
            }
            ListedKey::Service(name) => {
                writer.0.update([5]);
                writer.bytes(name.as_bytes());
            }
        }
    }

    fn write(&self, writer: &mut IdWriter) {
        match self {
            Self::Daemon(daemon) | Self::Service(daemon) => writer.daemon(daemon),
            Self::Software(software) => writer.software(software),
        }
    }
}

/// Feeds values to the hash so that their borders can be told.
pub struct IdWriter(Sha256);

impl IdWriter {
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
        match &attributes.registry {
            None => {}
            Some(RegistryAttributes::Key { class }) => {
                self.0.update([4]);
                self.bytes(class.as_bytes());
            }
            // The digest tells the data.
            Some(RegistryAttributes::Value { value_type, .. }) => self.later(5, Some((*value_type).into())),
        }
    }

    fn daemon(&mut self, daemon: &Daemon) {
        self.text(daemon.display_name.as_deref());
        self.text(daemon.state.map(DaemonState::name));
        self.text(daemon.startup.map(StartupType::name));
        self.text(daemon.path.as_deref());
        self.text(daemon.account.as_deref());
        self.maybe(daemon.run_levels.map(|levels| levels.bits().into()), Self::number);
        self.text(daemon.controller.map(Controller::name));
    }

    fn software(&mut self, software: &Software) {
        self.text(Some(software.software_type.name()));
        self.text(software.version.as_deref());
        self.text(software.publisher.as_deref());
        self.text(software.description.as_deref());
    }

    fn text(&mut self, text: Option<&str>) {
        self.maybe(text, |writer, text| writer.bytes(text.as_bytes()));
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
        match &principal.id {
            PrincipalId::Number(number) => self.number((*number).into()),
            PrincipalId::Sid(sid) => self.bytes(sid.as_str().as_bytes()),
        }
    }

    fn time(&mut self, time: Timestamp) {
        self.0.update(time.0.to_be_bytes());
    }
}

/// The numbers are never used again for something else.
fn manager_number(manager: PackageManager) -> u8 {
    match manager {
        PackageManager::Dpkg => 1,
        PackageManager::Rpm => 2,
        PackageManager::Apk => 3,
        PackageManager::Snap => 4,
        PackageManager::Flatpak => 5,
        PackageManager::Windows => 6,
    }
}
