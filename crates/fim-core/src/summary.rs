//! What is known of an entity, as text for the published columns.

use std::fmt::Write as _;

use crate::windows::{Hive, data_text, type_name};
use crate::{
    Entity, EntityKind, FileAttributes, FileFlags, Principal, RegistryAttributes, Xattr, capability,
    is_hidden,
};

impl EntityKind {
    /// The name that the `Attributes` column shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Directory => "Directory",
            Self::Symlink => "Symlink",
            Self::BlockDevice => "BlockDevice",
            Self::CharDevice => "CharDevice",
            Self::Fifo => "Fifo",
            Self::Socket => "Socket",
        }
    }
}

/// Kind and attributes in one line, what is not known left out:
/// `Type=File; Mode=0755; Owner=root(0); Group=root(0); Inode=12; Links=1; Capabilities=cap_net_raw=ep; Flags=i`.
pub fn attributes_text(entity: &Entity) -> String {
    let attributes = &entity.attributes;
    let mut text = format!("Type={}", kind_text(entity));
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(text, "; {name}={value}");
        }
    };
    add("Mode", attributes.mode.map(|mode| format!("{mode:04o}")));
    add("Owner", attributes.owner.as_ref().map(principal_text));
    add("Group", attributes.group.as_ref().map(principal_text));
    add("Inode", attributes.inode.map(|inode| inode.to_string()));
    add("Links", attributes.links.map(|links| links.to_string()));
    add(
        "Class",
        match &attributes.registry {
            Some(RegistryAttributes::Key { class }) => Some(shown_bytes(class.as_bytes())),
            Some(RegistryAttributes::Value { .. }) | None => None,
        },
    );
    add("Target", attributes.target.as_deref().map(shown_bytes));
    add("Capabilities", capabilities_text(attributes));
    add("SecurityLabel", label_text(attributes));
    add("Flags", attributes.flags.filter(|&flags| flags != FileFlags::default()).map(flags_text));
    add("Xattrs", attributes.xattrs.as_deref().map(xattr_names).filter(|names| !names.is_empty()));
    text
}

/// What kind of thing an entity is, with the registry's own words for what lies there.
fn kind_text(entity: &Entity) -> &'static str {
    match (Hive::of(entity.key.path()), entity.kind) {
        (Some(_), EntityKind::File) => "RegistryValue",
        (Some(_), EntityKind::Directory) => "RegistryKey",
        (Some(_), EntityKind::Symlink) => "RegistryLink",
        (_, kind) => kind.name(),
    }
}

/// The type and the data of a value of the registry, for a reader; data that is too long to be kept is told by its length.
pub fn value_text(entity: &Entity) -> Option<(String, String)> {
    match entity.attributes.registry.as_ref()? {
        RegistryAttributes::Key { .. } => None,
        RegistryAttributes::Value { value_type, data: Some(data) } => {
            Some((type_name(*value_type), data_text(*value_type, data)))
        }
        RegistryAttributes::Value { value_type, data: None } => {
            let length =
                entity.attributes.size_bytes.map_or_else(String::new, |size| format!("({size} bytes)"));
            Some((type_name(*value_type), length))
        }
    }
}

/// The access control list in one line, `user::rw-,group::r--,other::r--`; made from the mode if the file has none
/// beyond it, and empty if neither is known. A symbolic link has none: its permissions are never asked for.
pub fn acl_text(entity: &Entity) -> String {
    let listed = entity.attributes.acl.as_ref().map(|acl| {
        acl.0.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(",")
    });
    match (listed, entity.attributes.mode) {
        (Some(text), _) if !text.is_empty() => text,
        (_, Some(mode)) if entity.kind != EntityKind::Symlink => mode_as_acl(mode),
        (_, Some(_) | None) => String::new(),
    }
}

/// The content's checksum as published queries parse it, `@{{Algoritm=SHA-256 Hash=<HEX> Path=<path>}}` with the
/// spelling of the published collector; empty if there is none.
pub fn checksum_text(entity: &Entity) -> String {
    entity.digest.map_or_else(String::new, |digest| {
        format!("@{{{{Algoritm=SHA-256 Hash={digest} Path={}}}}}", entity.key.path())
    })
}

fn mode_as_acl(mode: u16) -> String {
    let rights = |shift: u16| -> String {
        [(4, 'r'), (2, 'w'), (1, 'x')]
            .map(|(bit, letter)| if mode >> shift & bit != 0 { letter } else { '-' })
            .iter()
            .collect()
    };
    format!("user::{},group::{},other::{}", rights(6), rights(3), rights(0))
}

fn principal_text(principal: &Principal) -> String {
    match &principal.name {
        Some(name) => format!("{name}({})", principal.id),
        None => format!("({})", principal.id),
    }
}

/// The names of the extended attributes that are not shown with their meaning.
fn xattr_names(xattrs: &[Xattr]) -> String {
    let is_shown = |xattr: &&Xattr| xattr.name == CAPABILITY_XATTR || xattr.name == LABEL_XATTR;
    let names = xattrs.iter().filter(|xattr| !is_shown(xattr)).map(|xattr| shown_bytes(&xattr.name));
    names.collect::<Vec<_>>().join(",")
}

/// What running the file grants, as `getcap(8)` shows it; `None` if it grants nothing, or that is not known.
pub fn capabilities_text(attributes: &FileAttributes) -> Option<String> {
    attributes.xattr(CAPABILITY_XATTR).flatten().map(capability::to_text)
}

/// SELinux's label, which is stored with a NUL behind it; `None` if there is none, or that is not known.
pub fn label_text(attributes: &FileAttributes) -> Option<String> {
    let value = attributes.xattr(LABEL_XATTR).flatten()?;
    Some(shown_bytes(value.strip_suffix(b"\0").unwrap_or(value)))
}

/// The letters of `lsattr(1)` and `attrib`; flags that have none are a number behind them.
pub fn flags_text(flags: FileFlags) -> String {
    let mut text: String = FileFlags::LETTERS
        .iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .map(|(_, letter)| letter)
        .collect();
    let named = FileFlags::LETTERS.iter().fold(FileFlags::default(), |all, (flag, _)| all.with(*flag));
    let unnamed = flags.bits() & !named.bits();
    if unnamed != 0 {
        let _ = write!(text, "+{unnamed:#x}");
    }
    text
}

/// Bytes of unknown meaning as text on one line, escaped as paths of a Unix system are.
fn shown_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                hidden if is_hidden(hidden) => {
                    let mut buffer = [0; 4];
                    for byte in hidden.encode_utf8(&mut buffer).bytes() {
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
                plain => text.push(plain),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Where Linux keeps what a program is granted by its file.
pub(crate) const CAPABILITY_XATTR: &[u8] = b"security.capability";
/// Where SELinux keeps its label.
pub(crate) const LABEL_XATTR: &[u8] = b"security.selinux";
