//! What is said about workspaces and what their machines changed and watched.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Moment;

/// Whether file integrity monitoring is on in a workspace.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FimState {
    /// Agents of the workspace monitor the rules in force.
    Enabled,
    /// Agents of the workspace monitor nothing.
    Disabled,
    /// The subscription's plan does not contain it.
    Upgrade,
}

/// A workspace as the list of workspaces shows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    /// The workspace's UUID.
    pub id: String,
    /// The unique name, which works wherever the id does.
    pub name: String,
    /// Changes of the last seven days; null when monitoring is off.
    #[schema(required)]
    pub changes_last_week: Option<u64>,
    /// The last seven days, the oldest first.
    #[schema(min_items = 7, max_items = 7)]
    pub trend: Vec<TrendStep>,
    /// Machines enrolled.
    pub machines: u64,
    /// Of these, machines that run Windows.
    pub windows: u64,
    /// Of these, machines that run Linux.
    pub linux: u64,
    /// Of the machines, those that were heard within the last three heartbeats.
    pub machines_reporting: u64,
    /// Stretches that are not watched right now, of all machines: each is a row of `Coverage` without an end.
    pub open_gaps: u64,
    /// Of these, those where the first look at what a rule names is still under way: nothing is wrong with them, and
    /// they end by themselves.
    pub pending_baselines: u64,
    /// Where the workspace is, as its owner calls it.
    pub location: String,
    /// The subscription that it belongs to.
    pub subscription: String,
    /// The immutable id of the data collection rule by which programs send records directly.
    pub dcr_immutable_id: String,
    /// Whether monitoring is on.
    pub state: FimState,
}

/// What a new workspace is made from.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewWorkspace {
    /// Letters, digits, `-`, `_` and `.`; at most 63 characters.
    pub name: String,
    /// Where it is; `local` if nothing is said.
    pub location: Option<String>,
    /// The subscription's name; `Local` if nothing is said.
    pub subscription: Option<String>,
}

/// The dashboard's figures for a period.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Machines enrolled.
    pub machines: u64,
    /// Of these, machines heard within the last three heartbeats.
    pub machines_reporting: u64,
    /// Changes in the period.
    pub total: u64,
    /// Changes in the period of the same length before it.
    pub previous_total: u64,
    /// How much of that period was watched: a total of what nobody watched cannot be compared with.
    pub previous_watched: Watched,
    /// Changes by `ConfigChangeType`.
    pub by_type: BTreeMap<String, u64>,
    /// Changes by `ChangeCategory`; every category is there.
    pub by_category: BTreeMap<String, u64>,
    /// Changes by time, in steps of equal length that cover the period.
    pub histogram: Vec<HistogramStep>,
    /// How long one step of the histogram is, in seconds.
    pub step_seconds: u64,
    /// Stretches that are not watched right now.
    pub open_gaps: u64,
}

/// Changes of one step of time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HistogramStep {
    /// When the step starts.
    pub t: Moment,
    /// Entities that differ.
    #[serde(rename = "Modified")]
    pub modified: u64,
    /// Entities that were not there before.
    #[serde(rename = "Added")]
    pub added: u64,
    /// Entities that are gone.
    #[serde(rename = "Removed")]
    pub removed: u64,
    /// How much of the step was watched; null if it has not come yet.
    #[schema(required)]
    pub watched: Option<Watched>,
}

/// One of the steps of equal length that a trend is made of.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TrendStep {
    /// How many changes it has.
    pub changes: u64,
    /// How much of it was watched; null if it has not come yet.
    #[schema(required)]
    pub watched: Option<Watched>,
}

/// How much of a stretch of time was watched.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Watched {
    /// Every machine, all the time, without a gap.
    All,
    /// All but single places: only gaps of one path and what is below it are in it. A count of nought says that nothing
    /// changed anywhere else.
    Most,
    /// Some of it: a machine, or a list of one, has a gap in it, or nobody was to watch for a part of it.
    Part,
    /// Nothing: no machine was enrolled, monitoring was off, no rule was in force, or each machine has a gap of
    /// everything.
    Nothing,
}
