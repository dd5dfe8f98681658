//! What runs in the background, or may: daemons, and services of Windows.

use std::fmt;

use crate::compare::both_differ;
use crate::{Aspect, AspectSet};

/// A daemon as someone saw it. `None` is *unknown*, never *empty*.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Daemon {
    /// The name that the system calls it by: `ssh`, without `.service`.
    pub name: String,
    /// What it calls itself.
    pub display_name: Option<String>,
    /// Whether it runs.
    pub state: Option<DaemonState>,
    /// Whether the system starts it by itself.
    pub startup: Option<StartupType>,
    /// What is run, with its arguments; several commands with `; ` between.
    pub path: Option<String>,
    /// The user that it runs as.
    pub account: Option<String>,
    /// The run levels in which the system starts it.
    pub run_levels: Option<RunLevels>,
    /// Who starts it.
    pub controller: Option<Controller>,
}

/// Whether a daemon runs, as the published column `SvcState` says it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DaemonState {
    /// A process of it is alive.
    Running,
    /// None is.
    Stopped,
}

impl DaemonState {
    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Stopped => "Stopped",
        }
    }
}

/// Whether the system starts a daemon by itself, as the published column `SvcStartupType` says it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum StartupType {
    /// With the machine.
    Auto,
    /// Only when something asks for it.
    Manual,
    /// Not even then: it is masked.
    Disabled,
    /// With the machine, by what loads the kernel of Windows: a driver.
    Boot,
    /// With the machine, by the kernel of Windows: a driver.
    System,
}

impl StartupType {
    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Manual => "Manual",
            Self::Disabled => "Disabled",
            Self::Boot => "Boot",
            Self::System => "System",
        }
    }
}

/// Who starts a daemon, as the published column `SvcController` says it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Controller {
    /// systemd.
    Systemd,
    /// Scripts of System V init.
    Init,
}

impl Controller {
    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Init => "init",
        }
    }
}

/// A set of the run levels 0 to 6.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct RunLevels(u8);

impl RunLevels {
    /// The set with `level` in it; levels above 6 are none.
    #[must_use]
    pub const fn with(self, level: u8) -> Self {
        if level <= 6 { Self(self.0 | 1 << level) } else { self }
    }

    /// These levels and those of `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set as bits, one for each level.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with those bits; bits that name no level are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 0x7f)
    }
}

/// Shows the levels as the published collector does: `2, 3, 4, 5`.
impl fmt::Display for RunLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for level in (0..7).filter(|level| self.0 >> level & 1 == 1) {
            write!(f, "{separator}{level}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl Daemon {
    pub(super) fn compare(&self, after: &Self, watched: AspectSet) -> AspectSet {
        watched.iter().filter(|&aspect| self.differs(after, aspect)).collect()
    }

    pub(super) fn absorb(older: Self, newer: Self) -> Self {
        Self {
            name: newer.name,
            display_name: newer.display_name.or(older.display_name),
            state: newer.state.or(older.state),
            startup: newer.startup.or(older.startup),
            path: newer.path.or(older.path),
            account: newer.account.or(older.account),
            run_levels: newer.run_levels.or(older.run_levels),
            controller: newer.controller.or(older.controller),
        }
    }

    fn differs(&self, after: &Self, aspect: Aspect) -> bool {
        match aspect {
            Aspect::DisplayName => both_differ(&self.display_name, &after.display_name),
            Aspect::State => both_differ(&self.state, &after.state),
            Aspect::StartupType => both_differ(&self.startup, &after.startup),
            Aspect::Command => both_differ(&self.path, &after.path),
            Aspect::Account => both_differ(&self.account, &after.account),
            Aspect::RunLevels => both_differ(&self.run_levels, &after.run_levels),
            Aspect::Controller => both_differ(&self.controller, &after.controller),
            Aspect::Kind
            | Aspect::Content
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
            | Aspect::Version
            | Aspect::Publisher
            | Aspect::Description => false,
        }
    }
}
