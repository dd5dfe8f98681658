//! Linux.

mod acl;
mod attributes;
mod event_log;
mod file_systems;
mod host;
mod memory;
mod names;
mod open_files;
mod principals;
mod priority;
mod privacy;
mod service;
mod stop;
mod tree;
mod watch;

pub use event_log::report_event;
pub(crate) use host::host_facts;
pub use host::{OS_NAME, default_data_dir};
pub use memory::keep_little_memory;
pub use names::as_stored;
pub use open_files::raise_open_files;
pub use priority::lower_priority;
pub use privacy::{KEEP_PRIVATE, check_private, is_private, keep_private};
pub use service::{install_service, remove_service};
pub use stop::StopRequests;
pub use tree::LiveTree;
pub use watch::{PROVIDERS, best_watcher, list_watcher};
