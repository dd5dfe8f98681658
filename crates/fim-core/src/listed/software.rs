//! What is installed.

use crate::compare::both_differ;
use crate::{Aspect, AspectSet};

/// A piece of software as someone saw it. `None` is *unknown*, never *empty*.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Software {
    /// Who keeps it in its list.
    pub manager: PackageManager,
    /// Its name there.
    pub name: String,
    /// The processor that it is for.
    pub architecture: Option<String>,
    /// What kind of software it is.
    pub software_type: SoftwareType,
    /// The version; where several are installed side by side, as kernels are, all of them, in order, with `, ` between.
    pub version: Option<String>,
    /// Who made or packaged it.
    pub publisher: Option<String>,
    /// What it is, in a line.
    pub description: Option<String>,
}

/// Who keeps software in a list.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PackageManager {
    /// Debian's.
    Dpkg,
    /// Red Hat's and SUSE's.
    Rpm,
    /// Alpine's.
    Apk,
    /// Snap.
    Snap,
    /// Flatpak.
    Flatpak,
    /// Windows, of what can be removed in its settings.
    Windows,
}

/// What kind of software it is, as the published column `SoftwareType` says it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SoftwareType {
    /// A program that brings what it needs with it.
    Application,
    /// A package of the distribution.
    Package,
    /// A change of other software by who made that.
    Update,
}

impl SoftwareType {
    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::Package => "Package",
            Self::Update => "Update",
        }
    }
}

impl Software {
    pub(super) fn compare(&self, after: &Self, watched: AspectSet) -> AspectSet {
        watched.iter().filter(|&aspect| self.differs(after, aspect)).collect()
    }

    pub(super) fn absorb(older: Self, newer: Self) -> Self {
        Self {
            version: newer.version.or(older.version),
            publisher: newer.publisher.or(older.publisher),
            description: newer.description.or(older.description),
            ..Self { version: None, publisher: None, description: None, ..newer }
        }
    }

    fn differs(&self, after: &Self, aspect: Aspect) -> bool {
        match aspect {
            Aspect::Kind => self.software_type != after.software_type,
            Aspect::Version => both_differ(&self.version, &after.version),
            Aspect::Publisher => both_differ(&self.publisher, &after.publisher),
            Aspect::Description => both_differ(&self.description, &after.description),
            Aspect::Content
            | Aspect::Size
            | Aspect::Mode
            | Aspect::Owner
            | Aspect::Group
            | Aspect::Modified
            | Aspect::Changed
            | Aspect::Created
            | Aspect::Inode
            | Aspect::Links
            | Aspect::Acl
            | Aspect::Xattrs
            | Aspect::Target
            | Aspect::Capabilities
            | Aspect::Label
            | Aspect::Flags
            | Aspect::Mount
            | Aspect::ValueType
            | Aspect::ValueData
            | Aspect::Path
            | Aspect::State
            | Aspect::StartupType
            | Aspect::Command
            | Aspect::Account
            | Aspect::RunLevels
            | Aspect::Controller
            | Aspect::DisplayName => false,
        }
    }
}
