//! What the API says and takes: one type for each noun, as JSON in camelCase.

mod access;
mod collection;
mod rules;
mod storage;
mod workspaces;

pub use access::*;
pub use collection::{Collection, CollectionPatch};
pub use rules::*;
pub use storage::*;
pub use workspaces::*;

use fim_core::EntityKind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Moment;

/// The operating system's family.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OsKind {
    /// Any Linux.
    Linux,
    /// Any Windows.
    Windows,
}

/// Whether a machine is heard.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MachineStatus {
    /// Heard within the last three heartbeats.
    Online,
    /// Heard within the last hour.
    Stale,
    /// Not heard for an hour, or never.
    Offline,
}

/// What an agent is doing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AgentState {
    /// Seeing its entities for the first time; nothing can be compared yet.
    Baselining,
    /// Comparing the entities with its state.
    Scanning,
    /// Waiting for the next scan.
    Idle,
}

/// How far a scan has come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Entities seen.
    pub files_done: u64,
    /// Bytes hashed.
    pub bytes_done: u64,
    /// Entities that there are, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_total: Option<u64>,
    /// Bytes that there are to hash, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
}

/// A machine with its figures for a period.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The machine's UUID, which is also the common name of its certificate.
    pub id: String,
    /// The machine's name: `Computer` in every table.
    pub name: String,
    /// The operating system's name and version.
    pub os: String,
    /// The operating system's family.
    pub os_kind: OsKind,
    /// Changes in the period.
    pub total: u64,
    /// Of these, changes of files.
    pub files: u64,
    /// Of these, changes of registry keys and values.
    pub registry: u64,
    /// Of these, changes of Windows services and Linux daemons.
    pub services: u64,
    /// Of these, changes of installed software.
    pub software: u64,
    /// When the agent was last heard; null if it never was.
    #[schema(required)]
    pub last_seen: Option<Moment>,
    /// Whether it is heard now.
    pub status: MachineStatus,
    /// Twelve steps of equal length that cover the period.
    pub trend: Vec<TrendStep>,
    /// The agent's version.
    pub agent_version: String,
    /// What the agent is doing; null unless it is heard.
    #[schema(required)]
    pub state: Option<AgentState>,
    /// How changes are noticed there: `scan`, or what notices them in real time; null unless the agent is heard.
    #[schema(required)]
    pub provider: Option<String>,
    /// How far the running scan is; absent unless the agent is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// When the last complete scan ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_scan: Option<Moment>,
    /// When the next scan starts; absent unless the agent is heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_scan: Option<Moment>,
    /// Reports that wait on the machine to be sent, as the agent said last.
    pub spool_records: u64,
    /// Stretches of this machine that are not watched right now.
    pub open_gaps: u64,
}

/// The published kinds of monitored entities.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
pub enum ChangeType {
    /// Files and all else that has a path.
    Files,
    /// Windows registry keys and values.
    Registry,
    /// Windows services.
    WindowsServices,
    /// Linux daemons.
    Daemons,
    /// Installed software.
    Software,
}

/// The published categories of a change.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
pub enum ChangeCategory {
    /// The entity differs.
    Modified,
    /// The entity was not there before.
    Added,
    /// The entity is gone.
    Removed,
}

/// What can be at a path: `Type` in the columns `Attributes`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl From<EntityKind> for FileKind {
    fn from(kind: EntityKind) -> Self {
        match kind {
            EntityKind::File => Self::File,
            EntityKind::Directory => Self::Directory,
            EntityKind::Symlink => Self::Symlink,
            EntityKind::BlockDevice => Self::BlockDevice,
            EntityKind::CharDevice => Self::CharDevice,
            EntityKind::Fifo => Self::Fifo,
            EntityKind::Socket => Self::Socket,
        }
    }
}

/// A change record as lists show it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What identifies the change: `ChangeId`.
    pub id: String,
    /// When it was noticed: `TimeGenerated`.
    pub time: Moment,
    /// When it happened, where that is known: `EventTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Moment>,
    /// The machine's name.
    pub machine: String,
    /// What kind of entity it is.
    #[serde(rename = "type")]
    pub change_type: ChangeType,
    /// What happened to it.
    pub category: ChangeCategory,
    /// The path or key.
    pub entity: String,
    /// What is, or was, at the path; null of what is no file, and where that is not known.
    #[schema(required)]
    pub kind: Option<FileKind>,
    /// What it was called before it was moved here: `PreviousFileSystemPath`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// Which fields differ.
    pub fields: Vec<String>,
    /// The rule that the entity is monitored by.
    pub rule: String,
    /// How it was noticed: `Scan`, `RealTime` or `Agentless`.
    pub source: String,
    /// The user who changed it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The process that changed it, where that is known; of several the one that acted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ChangeActor>,
    /// Other processes that had a part in it, in the order in which they first acted; absent if none is known:
    /// `OtherInitiatingProcesses`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherActor>,
    /// How many more had a part in it than `actor` and `others` name; absent if none: `MoreInitiatingProcesses`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_others: u64,
    /// Why it is not known who made it, in a few words; absent where somebody is named, and where nothing is known of why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who_unknown: Option<String>,
    /// What the other fields have no room for, in sentences: how it came about, why it is not known who else had a part in
    /// it. `Explanation`, without what `whoUnknown` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The version that software had before: `Previous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_before: Option<String>,
    /// The version that software has now: `Current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_after: Option<String>,
}

/// A process that changed something, as far as it is known.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeActor {
    /// The program's path: `InitiatingProcessName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// The process's id, as the machine counts: `InitiatingProcessId`.
    pub process_id: u64,
    /// Program and arguments: `InitiatingProcessCommandLine`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_line: Option<String>,
    /// Whose rights it had: `InitiatingProcessAccountName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who had signed in, whatever user they became since: `LoginAccountName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_user: Option<String>,
    /// The names of what started it, the nearest first, as in `bash < sshd < systemd`: `InitiatingProcessParentName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<String>,
    /// The container that it ran in: `ContainerId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// A process that had a part in a change which is put down to another one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OtherActor {
    /// The process, as far as it is known.
    #[serde(flatten)]
    pub actor: ChangeActor,
    /// True if the program is named as the process sees it, in a view of the file systems of its own: elsewhere on the
    /// machine that name is another file's, or may be. Absent if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_own_view: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A page of changes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ChangePage {
    /// The changes.
    pub items: Vec<Change>,
    /// How many there are in all that answer the filter.
    pub total: u64,
    /// What to ask the next page with; null on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// One attribute before and after a change.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Attribute {
    /// The attribute's name.
    pub name: String,
    /// What it was; null if there was nothing.
    #[schema(required)]
    pub before: Option<String>,
    /// What it is; null if there is nothing.
    #[schema(required)]
    pub after: Option<String>,
    /// True if the two differ.
    pub changed: bool,
    /// True if it reads best in a fixed-width face.
    pub mono: bool,
}

/// A change record with all that is known of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ChangeDetail {
    /// What lists show.
    #[serde(flatten)]
    pub change: Change,
    /// Every attribute before and after.
    pub attrs: Vec<Attribute>,
    /// Other changes of the same entity, the newest first.
    pub related: Vec<Change>,
}

/// A stretch that could not be watched.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Gap {
    /// The machine's name.
    pub machine: String,
    /// The path, the key, or `*` for everything.
    pub scope: String,
    /// What kind of entities: `Files`, or `*` for all.
    #[serde(rename = "type")]
    pub change_type: String,
    /// Since when.
    pub start: Moment,
    /// Until when; null while it lasts.
    #[schema(required)]
    pub end: Option<Moment>,
    /// Why.
    pub cause: String,
    /// The particulars.
    pub detail: String,
    /// What was watching: `scan`, or `server` for what the server itself noticed.
    pub provider: String,
}

/// File integrity monitoring in a workspace.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fim {
    /// Whether it is on.
    pub state: FimState,
    /// The published name of the solution that is on the workspace, `ChangeTracking`; null while monitoring is off, which
    /// removes it.
    #[schema(required)]
    pub solution: Option<String>,
    /// The workspace's rules.
    pub rules: RuleCounts,
    /// What has become of the recommended items.
    pub recommended: RecommendedCounts,
    /// Machines enrolled.
    pub machines: u64,
    /// Seconds between the starts of two scans.
    pub scan_interval_seconds: u64,
    /// How often lists and the inventory are collected.
    pub collection: Collection,
}

/// The recommended items among a workspace's rules.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RecommendedCounts {
    /// How many of them are in force, as they are recommended.
    pub enabled: u64,
    /// How many there are.
    pub total: u64,
    /// The names of those that no rule has, which enabling monitoring adds.
    pub missing: Vec<String>,
    /// The names of those that watch something else than what is recommended, whether they are in force or not: their
    /// type, path, exclusions, recursion, links or path type was edited.
    pub changed: Vec<String>,
}

/// What to leave out when monitoring is enabled.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnableFim {
    /// Names of recommended items that are not to be in force, while all others are. If absent, rules that there are stay
    /// as they are, and recommended items that are missing among them, such as those that were deleted, are put in force.
    #[serde(default)]
    pub disabled_items: Option<Vec<String>>,
    /// True if recommended items that were edited to watch something else are to be put back as they are recommended.
    #[serde(default)]
    pub restore_changed: bool,
}

impl EnableFim {
    /// All recommended items in force but these.
    pub fn but(disabled: &[String]) -> Self {
        Self { disabled_items: Some(disabled.to_vec()), restore_changed: false }
    }
}

/// The recommended items.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Recommended {
    /// By type.
    pub groups: Vec<RecommendedGroup>,
}

/// Recommended items of one type.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RecommendedGroup {
    /// The type of the rules.
    #[serde(rename = "type")]
    pub rule_type: RuleType,
    /// What a page calls it.
    pub title: String,
    /// The items.
    pub items: Vec<RecommendedItem>,
}

/// One recommended item.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RecommendedItem {
    /// The name of its rule.
    pub name: String,
    /// The path that it monitors.
    pub path: String,
}

/// A question in KQL.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The query's text.
    pub query: String,
    /// Which `TimeGenerated` it may see: an ISO 8601 duration up to now (`P1D`), or two moments or a moment and a
    /// duration with a slash between. All time if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timespan: Option<String>,
}

/// A question in KQL of which only the correctness is asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateRequest {
    /// The query's text.
    pub query: String,
}

/// What is wrong with a query.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Validation {
    /// Nothing, if it is correct.
    pub diagnostics: Vec<Diagnostic>,
}

/// One mistake in a query, or in another text that has lines.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// What kind of mistake it is; stays the same from version to version.
    pub code: String,
    /// What is wrong, for a person.
    pub message: String,
    /// The line it starts on, from 1.
    pub line: u32,
    /// The character in the line it starts at, from 1.
    pub column: u32,
    /// The line it ends on, from 1.
    pub end_line: u32,
    /// The character in the line right after it, from 1.
    pub end_column: u32,
    /// What could stand there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// What was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The field of the body that the text is in, where that has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The text that has the mistake, where it is not all that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A column of an answer or of a table.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
pub struct Column {
    /// The name; case matters.
    pub name: String,
    /// The scalar type's name in KQL.
    #[serde(rename = "type")]
    pub scalar_type: String,
}

/// An answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct QueryResult {
    /// The columns in order.
    pub columns: Vec<Column>,
    /// The rows: a value for each column. Moments are ISO 8601 with seven digits, spans of time `d.hh:mm:ss.fffffff`.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    pub rows: Vec<Vec<serde_json::Value>>,
    /// What the answer cost.
    pub stats: QueryStats,
    /// True if rows are missing because a limit was reached.
    pub truncated: bool,
}

/// What an answer cost.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryStats {
    /// Rows in the answer.
    pub rows: u64,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Rows that were read for it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanned_rows: Option<u64>,
}

/// What of KQL this server answers.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Capabilities {
    /// Tabular operators.
    pub operators: Vec<String>,
    /// Scalar functions.
    pub functions: Vec<String>,
    /// Aggregation functions.
    pub aggregates: Vec<String>,
}

/// The tables that can be asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TableSchemas {
    /// In order of their names.
    pub tables: Vec<TableSchema>,
}

/// One table.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TableSchema {
    /// The name.
    pub name: String,
    /// The columns in order.
    pub columns: Vec<Column>,
}

/// How long an enrolment token is to be good, and for whom.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEnrollmentToken {
    /// Seconds from now; an hour if nothing is said, at most 30 days.
    pub expires_in_seconds: Option<u64>,
    /// The name of a machine whose place the new one takes: that one is removed when the new one joins. The token lets
    /// nothing join that is called otherwise. Without it the new machine must have a name of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// What one machine enrols with, once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrollmentToken {
    /// The token; the server keeps only its digest, so this is the only time it is seen.
    pub token: String,
    /// When it is good no more.
    pub expires_at: Moment,
    /// The SHA-256 of the server's CA certificate, in hex.
    pub ca_fingerprint: String,
    /// What to run on the machine. It reads the token from its standard input, so that no list of processes and no
    /// shell's history shows it.
    pub command: String,
}
