//! What an entity, an observation, a state, a change, a rule and a gap are; pure.
//!
//! Nothing in this crate reads a file, a clock or the environment. It decides; other crates fetch and deliver.

mod aspect;
mod capability;
mod change;
mod change_id;
mod compare;
mod content;
mod deeds;
mod entity;
mod error_chain;
mod gap;
mod hint;
mod listed;
mod masking;
mod observation;
mod path;
mod pattern;
mod rule;
mod sight;
mod summary;
mod time;
mod tracker;
mod who;
pub mod windows;

pub use aspect::{Aspect, AspectSet};
pub use change::{Change, ChangeCategory, ChangeEvent, ChangeId, ChangeSource, apply, diff};
pub use change_id::{IdWriter, Identified};
pub use compare::{Monitored, absorb, compare};
pub use content::NoText;
pub use deeds::{Deed, Deeds};
pub use entity::{
    Acl, Digest, Entity, EntityKey, EntityKind, FileAttributes, FileFlags, Principal, PrincipalId,
    RegistryAttributes, Xattr,
};
pub use error_chain::error_chain;
pub use gap::{Gap, GapCause, GapScope};
pub use hint::{FileId, Hint, Loss, Notice, Spot};
pub use listed::{
    Controller, Daemon, DaemonState, ListDemand, ListKind, ListMemory, ListPart, Listed, ListedKey, Lists,
    PackageManager, PartMemory, RunLevels, Software, SoftwareType, StartupType, Uncollected,
};

pub use masking::{mask, text_of};
pub use observation::{Observation, Unreadable};
pub use path::{EntityPath, ParsePathError, PathStyle, is_hidden};
pub use pattern::{Pattern, PatternError, ResolveError};
pub use rule::{
    DirectoryDecision, EntityDecision, Explanation, How, InvalidRule, LinkDecision, Links, PathType,
    RECOMMENDED_GROUP, Rule, RuleError, RuleSet, ScanPlan, UnusableRule, WhyNot, recommended_linux,
    recommended_registry, recommended_windows_files,
};
pub use sight::{OutOfSight, Sighting};
pub use summary::{
    acl_text, attributes_text, capabilities_text, checksum_text, flags_text, label_text, value_text,
};
pub use time::Timestamp;
pub use tracker::{Demand, Input, Memory, OpenGap, ScanEnd, Settings, SpotsEnd, Stop, Tracker};
pub use who::{Actor, Ancestor, Attribution, Who, WhoUnknown};
