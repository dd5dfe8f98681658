//! How often what is monitored is collected.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often what is no file is collected on each machine, in seconds. What is null is not collected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// The daemons of Linux and the services of Windows.
    #[schema(required)]
    pub daemons_seconds: Option<u64>,
    /// The software that is installed.
    #[schema(required)]
    pub software_seconds: Option<u64>,
    /// The inventory of all that is monitored.
    #[schema(required)]
    pub inventory_seconds: Option<u64>,
}

/// How often to scan the files, and to collect what is no file. What is absent stays; 0 is for what is not to be
/// collected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollectionPatch {
    /// Seconds between the beginnings of two scans of the files; never 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_seconds: Option<u64>,
    /// Seconds between two collections of the daemons of Linux and the services of Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemons_seconds: Option<u64>,
    /// Seconds between two collections of the software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_seconds: Option<u64>,
    /// Seconds between two inventories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory_seconds: Option<u64>,
}
