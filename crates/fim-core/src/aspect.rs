//! Properties that can differ.

use std::fmt;

/// A property of an entity that can differ between two looks.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Aspect {
    /// What kind of thing it is.
    Kind,
    /// The content, by its digest.
    Content,
    /// The length.
    Size,
    /// Permission bits.
    Mode,
    /// The owner.
    Owner,
    /// The owning group.
    Group,
    /// The modification time.
    Modified,
    /// The inode's change time.
    Changed,
    /// The creation time.
    Created,
    /// The inode's number or its device.
    Inode,
    /// The number of names.
    Links,
    /// The access control list.
    Acl,
    /// Extended attributes.
    Xattrs,
    /// A link's target or a device's numbers.
    Target,
    /// What running it grants beyond the rights of whoever runs it (`capabilities(7)`).
    Capabilities,
    /// The label that a security module decides by (SELinux).
    Label,
    /// The marks of `chattr(1)`.
    Flags,
    /// The mount through which it is seen.
    Mount,
    /// The path itself: the entity was moved. No comparison of two looks at one path finds it.
    Path,
    /// Whether a daemon runs.
    State,
    /// Whether the system starts a daemon by itself.
    StartupType,
    /// What a daemon runs.
    Command,
    /// The user that a daemon runs as.
    Account,
    /// The run levels in which a daemon is started.
    RunLevels,
    /// Who starts a daemon.
    Controller,
    /// What a daemon calls itself.
    DisplayName,
    /// The version of software.
    Version,
    /// Who made or packaged software.
    Publisher,
    /// What software says that it is.
    Description,
    /// What type of data a value of the registry holds.
    ValueType,
    /// What a value of the registry holds, by its digest.
    ValueData,
}

impl Aspect {
    /// Every aspect, in the order in which they are shown.
    pub const ALL: [Self; 31] = [
        Self::Kind,
        Self::ValueType,
        Self::ValueData,
        Self::Content,
        Self::Size,
        Self::Mode,
        Self::Owner,
        Self::Group,
        Self::Modified,
        Self::Changed,
        Self::Created,
        Self::Inode,
        Self::Links,
        Self::Acl,
        Self::Capabilities,
        Self::Label,
        Self::Flags,
        Self::Xattrs,
        Self::Target,
        Self::Mount,
        Self::Path,
        Self::State,
        Self::StartupType,
        Self::Command,
        Self::Account,
        Self::RunLevels,
        Self::Controller,
        Self::DisplayName,
        Self::Version,
        Self::Publisher,
        Self::Description,
    ];

    /// The name that `FieldsChanged` shows: the published column's where there is one.
    pub fn field_name(self) -> &'static str {
        match self {
            Self::Kind => "Kind",
            Self::Content => "FileContentChecksum",
            Self::Size => "Size",
            Self::Mode => "Mode",
            Self::Owner => "Owner",
            Self::Group => "Group",
            Self::Modified => "DateModified",
            Self::Changed => "DateStatusChanged",
            Self::Created => "DateCreated",
            Self::Inode => "Inode",
            Self::Links => "Links",
            Self::Acl => "Acls",
            Self::Xattrs => "Xattrs",
            Self::Target => "Target",
            Self::Capabilities => "Capabilities",
            Self::Label => "SecurityLabel",
            Self::Flags => "Flags",
            Self::Mount => "Mount",
            Self::Path => "FileSystemPath",
            Self::State => "SvcState",
            Self::StartupType => "SvcStartupType",
            Self::Command => "SvcPath",
            Self::Account => "SvcAccount",
            Self::RunLevels => "SvcRunlevels",
            Self::Controller => "SvcController",
            Self::DisplayName => "SvcDisplayName",
            Self::Version => "Current",
            Self::Publisher => "Publisher",
            Self::Description => "SoftwareDescription",
            Self::ValueType => "ValueType",
            Self::ValueData => "ValueData",
        }
    }
}

/// A set of aspects.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct AspectSet(u32);

impl AspectSet {
    /// No aspect.
    pub const NONE: Self = Self(0);
    /// Every aspect.
    pub const ALL: Self = Self((1 << Aspect::ALL.len()) - 1);

    /// What a rule watches unless it says otherwise: every aspect whose difference is a change in its own right.
    ///
    /// Left out are four that differ without anything having changed that a person could see or use; they are kept
    /// and shown all the same. *Changed*: every real change moves it and is found by what it changed, content put back
    /// with its old modification time included, by its digest; alone it says that something was set to what it was.
    /// *Inode* and *created*: a file replaced by an identical one, as package managers and editors do, is the same
    /// file to whoever opens it; one that differs is found by what differs. Device numbers also move at a restart, and
    /// so does the number of the *mount*. And *path* is no aspect of two looks at one path.
    pub const WATCHED_BY_DEFAULT: Self = Self::ALL
        .without(Aspect::Changed)
        .without(Aspect::Inode)
        .without(Aspect::Created)
        .without(Aspect::Mount)
        .without(Aspect::Path);

    /// This set with `aspect` in it.
    #[must_use]
    pub const fn with(self, aspect: Aspect) -> Self {
        Self(self.0 | 1 << aspect as u32)
    }

    /// This set without `aspect`.
    #[must_use]
    pub const fn without(self, aspect: Aspect) -> Self {
        Self(self.0 & !(1 << aspect as u32))
    }

    /// True if `aspect` is in the set.
    pub const fn contains(self, aspect: Aspect) -> bool {
        self.0 & 1 << aspect as u32 != 0
    }

    /// True if no aspect is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The aspects in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Aspect> {
        Aspect::ALL.into_iter().filter(move |&aspect| self.contains(aspect))
    }

    /// The set as bits, one for each aspect by its number; what the wire carries.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set with those bits; bits that name no aspect are dropped.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl FromIterator<Aspect> for AspectSet {
    fn from_iter<I: IntoIterator<Item = Aspect>>(aspects: I) -> Self {
        aspects.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for AspectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
