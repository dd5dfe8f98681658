//! Entities that a system keeps in lists: its daemons or services, and its software.
//!
//! They have no place that a rule could name: a list is collected whole and compared whole, so that what is missing in
//! it is gone. Each list has its own interval, since they change for other reasons than files do.

mod daemon;
mod lists;
mod software;

pub use daemon::{Controller, Daemon, DaemonState, RunLevels, StartupType};
pub use lists::{ListDemand, ListMemory, Lists, PartMemory, Uncollected};
pub use software::{PackageManager, Software, SoftwareType};

use std::fmt;

use crate::{AspectSet, GapScope, Monitored, PathStyle};

/// A list that a system keeps.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ListKind {
    /// What runs in the background, or may.
    Daemons,
    /// What is installed.
    Software,
    /// What runs in the background of Windows, or may, drivers included.
    Services,
}

impl ListKind {
    /// Every list.
    pub const ALL: [Self; 3] = [Self::Daemons, Self::Software, Self::Services];

    /// The lists that a system has that spells paths so.
    pub const fn of(style: PathStyle) -> [Self; 2] {
        match style {
            PathStyle::Unix => [Self::Daemons, Self::Software],
            PathStyle::Windows => [Self::Services, Self::Software],
        }
    }

    /// The name that the published columns `ConfigChangeType` and `ConfigDataType` have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Daemons => "Daemons",
            Self::Software => "Software",
            Self::Services => "WindowsServices",
        }
    }
}

/// What of a list is read by itself: what cannot be read of one part says nothing of the others.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ListPart {
    /// The units of systemd.
    Systemd,
    /// The scripts of System V init.
    Init,
    /// What Debian's package manager keeps.
    Dpkg,
    /// What Red Hat's and SUSE's keeps.
    Rpm,
    /// What Alpine's keeps.
    Apk,
    /// Snaps.
    Snap,
    /// Flatpaks.
    Flatpak,
    /// All services of Windows.
    Services,
    /// All programs of Windows.
    Programs,
}

impl ListPart {
    /// Every part of every list.
    pub const ALL: [Self; 9] = [
        Self::Systemd,
        Self::Init,
        Self::Dpkg,
        Self::Rpm,
        Self::Apk,
        Self::Snap,
        Self::Flatpak,
        Self::Services,
        Self::Programs,
    ];

    /// The parts that the lists of a system have that spells paths so.
    pub fn of(style: PathStyle) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |part| part.style() == style)
    }

    /// The list that it is a part of.
    pub fn list(self) -> ListKind {
        match self {
            Self::Systemd | Self::Init => ListKind::Daemons,
            Self::Dpkg | Self::Rpm | Self::Apk | Self::Snap | Self::Flatpak | Self::Programs => {
                ListKind::Software
            }
            Self::Services => ListKind::Services,
        }
    }

    /// What it is called where a stretch tells that it was not watched, in small letters as its tools are.
    pub fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Init => "init",
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
            Self::Services => "services",
            Self::Programs => "programs",
        }
    }

    /// What is not watched if it cannot be read.
    pub fn scope(self) -> GapScope {
        match self {
            Self::Services | Self::Programs => GapScope::List(self.list()),
            Self::Systemd | Self::Init | Self::Dpkg | Self::Rpm | Self::Apk | Self::Snap | Self::Flatpak => {
                GapScope::Part(self)
            }
        }
    }

    fn style(self) -> PathStyle {
        match self {
            Self::Services | Self::Programs => PathStyle::Windows,
            Self::Systemd | Self::Init | Self::Dpkg | Self::Rpm | Self::Apk | Self::Snap | Self::Flatpak => {
                PathStyle::Unix
            }
        }
    }
}

/// What identifies an entity of a list on a machine.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ListedKey {
    /// The daemon of that name.
    Daemon(String),
    /// The software of that name.
    Software {
        /// Who keeps it in its list.
        manager: PackageManager,
        /// Its name there.
        name: String,
        /// The processor that it is for; several may be installed side by side.
        architecture: Option<String>,
    },
    /// The service of Windows of that name.
    Service(String),
}

impl ListedKey {
    /// The list that it is in.
    pub fn list(&self) -> ListKind {
        match self {
            Self::Daemon(_) => ListKind::Daemons,
            Self::Software { .. } => ListKind::Software,
            Self::Service(_) => ListKind::Services,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Daemon(name) | Self::Software { name, .. } | Self::Service(name) => name,
        }
    }
}

/// Shows the name.
impl fmt::Display for ListedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An entity of a list as someone saw it, once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listed {
    /// A daemon.
    Daemon(Daemon),
    /// A piece of software.
    Software(Software),
    /// A service of Windows, of which the same is known as of a daemon, but for run levels and who starts it.
    Service(Daemon),
}

impl Listed {
    /// The list that it is in.
    pub fn list(&self) -> ListKind {
        match self {
            Self::Daemon(_) => ListKind::Daemons,
            Self::Software(_) => ListKind::Software,
            Self::Service(_) => ListKind::Services,
        }
    }

    /// The part of the list that it is in.
    pub fn part(&self) -> ListPart {
        match self {
            Self::Daemon(Daemon { controller: Some(Controller::Init), .. }) => ListPart::Init,
            Self::Daemon(_) => ListPart::Systemd,
            Self::Software(software) => match software.manager {
                PackageManager::Dpkg => ListPart::Dpkg,
                PackageManager::Rpm => ListPart::Rpm,
                PackageManager::Apk => ListPart::Apk,
                PackageManager::Snap => ListPart::Snap,
                PackageManager::Flatpak => ListPart::Flatpak,
                PackageManager::Windows => ListPart::Programs,
            },
            Self::Service(_) => ListPart::Services,
        }
    }
}

impl Monitored for Listed {
    type Key = ListedKey;

    fn key(&self) -> ListedKey {
        match self {
            Self::Daemon(daemon) => ListedKey::Daemon(daemon.name.clone()),
            Self::Software(software) => ListedKey::Software {
                manager: software.manager,
                name: software.name.clone(),
                architecture: software.architecture.clone(),
            },
            Self::Service(service) => ListedKey::Service(service.name.clone()),
        }
    }

    fn compare(&self, after: &Self, watched: AspectSet) -> AspectSet {
        match (self, after) {
            (Self::Daemon(before), Self::Daemon(after)) | (Self::Service(before), Self::Service(after)) => {
                before.compare(after, watched)
            }
            (Self::Software(before), Self::Software(after)) => before.compare(after, watched),
            // They are of two lists, so that they are never before and after of one entity.
            (Self::Daemon(_) | Self::Software(_) | Self::Service(_), _) => AspectSet::NONE,
        }
    }

    fn absorb(older: Self, newer: Self) -> Self {
        match (older, newer) {
            (Self::Daemon(older), Self::Daemon(newer)) => Self::Daemon(Daemon::absorb(older, newer)),
            (Self::Software(older), Self::Software(newer)) => Self::Software(Software::absorb(older, newer)),
            (Self::Service(older), Self::Service(newer)) => Self::Service(Daemon::absorb(older, newer)),
            (_, newer) => newer,
        }
    }
}
