//! Linux.

mod acl;
mod attributes;
mod file_systems;
mod host;
mod principals;
mod priority;
mod tree;
mod watch;

pub use host::HostFacts;
pub use priority::lower_priority;
pub use tree::LiveTree;
pub use watch::{PROVIDERS, best_watcher};
