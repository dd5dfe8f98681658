//! Linux.

mod acl;
mod attributes;
mod file_systems;
mod host;
mod open_files;
mod principals;
mod priority;
mod tree;
mod watch;

pub use host::HostFacts;
pub use open_files::raise_open_files;
pub use priority::lower_priority;
pub use tree::LiveTree;
pub use watch::{PROVIDERS, best_watcher};
