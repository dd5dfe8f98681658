//! What an entity, an observation, a state, a change, a rule and a gap are; pure.
//!
//! Nothing in this crate reads a file, a clock or the environment. It decides; other crates fetch and deliver.

mod aspect;
mod change;
mod entity;
mod gap;
mod observation;
mod path;
mod rule;
mod time;

pub use aspect::{Aspect, AspectSet};
pub use change::{Change, ChangeCategory, ChangeEvent, ChangeId, ChangeSource};
pub use entity::{Acl, Digest, Entity, EntityKey, EntityKind, FileAttributes, Principal, Xattr};
pub use gap::{Gap, GapCause, GapScope};
pub use observation::{Observation, Unreadable};
pub use path::{EntityPath, PathStyle};
pub use rule::{Links, PathType, Rule, RuleSet};
pub use time::Timestamp;
