//! How Windows writes down what is monitored: read from its bytes, on whatever machine.

mod descriptor;
mod notices;
mod path;
mod registry;
mod reparse;
mod sid;
mod trust;
mod wide;

pub use descriptor::{DescriptorError, SecurityDescriptor};
pub use notices::{FolderAct, FolderNotice, folder_notices};
pub use path::{leads_elsewhere, native_path, without_prefix};
pub use registry::{Hive, RegistryName, data_text, key_segment, original, type_name, value_segment};
pub use reparse::{is_link_tag, link_target};
pub use sid::Sid;
pub use trust::{Distrust, Reliance};
pub use wide::{from_wide, to_wide};
