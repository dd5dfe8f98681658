//! What an agent says of itself.

use fim_core::Timestamp;
use fim_store::Value;
use serde::{Deserialize, Serialize};

use super::columns::{Columns, Source};
use super::enrollment::{MOST_OS_NAME, MOST_VERSION, is_text};
use crate::api::model::{AgentState, Progress};
use crate::clock::Moment;

/// What an agent says of itself, each minute and more often while it is busy.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// The agent's version.
    pub agent_version: String,
    /// The operating system's name and version.
    pub os_name: String,
    /// What it is doing.
    pub state: AgentState,
    /// How far the running scan is.
    #[serde(default)]
    pub progress: Option<Progress>,
    /// When the last complete scan ended.
    #[serde(default)]
    pub last_scan_end: Option<Moment>,
    /// When the next scan starts.
    #[serde(default)]
    pub next_scan: Option<Moment>,
    /// Reports that wait to be sent.
    #[serde(default)]
    pub spool_records: u64,
    /// How long the oldest of them has waited.
    #[serde(default)]
    pub oldest_unsent_seconds: Option<u64>,
    /// Stretches that are not watched right now.
    #[serde(default)]
    pub open_gaps: u64,
    /// What is watching.
    #[serde(default = "scan")]
    pub provider: String,
}

/// What the agent is told in return.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatAnswer {
    /// The settings' revision; if the agent has another it asks for the settings.
    pub settings_revision: u64,
    /// Seconds until the next sign of life is expected.
    pub heartbeat_seconds: u64,
}

impl Heartbeat {
    /// What no agent says; `None` if there is nothing.
    pub fn fault(&self) -> Option<&'static str> {
        if !is_text(&self.agent_version, MOST_VERSION) || !is_text(&self.provider, MOST_VERSION) {
            return Some("agentVersion and provider must be at most 64 characters that can be seen");
        }
        if !is_text(&self.os_name, MOST_OS_NAME) {
            return Some("osName must be at most 255 characters that can be seen");
        }
        let progress = self.progress.as_ref();
        let numbers = [
            Some(self.spool_records),
            Some(self.open_gaps),
            self.oldest_unsent_seconds,
            progress.map(|progress| progress.files_done),
            progress.map(|progress| progress.bytes_done),
            progress.and_then(|progress| progress.files_total),
            progress.and_then(|progress| progress.bytes_total),
        ];
        numbers
            .into_iter()
            .flatten()
            .any(|number| number > MOST)
            .then_some("a number is larger than 2^53, which JSON does not carry to everyone")
    }

    /// The row of `Heartbeat`.
    pub fn columns(&self, source: Source<'_>, address: &str, received: Timestamp) -> Columns {
        let text = |text: &str| Value::Owned(text.to_owned());
        vec![
            ("TimeGenerated", Value::Time(received)),
            ("Computer", text(source.computer)),
            ("VMUUID", text(source.machine)),
            ("SourceSystem", text(source.system())),
            ("ComputerIP", text(address)),
            ("Category", text("Direct Agent")),
            ("OSType", text(source.os_type)),
            ("OSName", text(&self.os_name)),
            ("Version", text(&self.agent_version)),
            ("SCAgentChannel", text("Direct")),
            ("ComputerEnvironment", text("Non-Azure")),
            ("Solutions", text("changeTracking")),
        ]
    }
}

/// Seconds between two signs of life for a scan interval: a minute, or less so that a fast scan is seen.
pub fn heartbeat_seconds(scan_interval_seconds: u64) -> u64 {
    scan_interval_seconds.clamp(1, LONGEST_SECONDS)
}

/// How long an agent may be silent before it counts as not reporting: three signs of life, yet never so short that a
/// slow network would do it.
///
/// Between two signs of life lies what the agent was `told` last. Where the scan interval was made shorter since, it does
/// not know that before it says something again; where it was made longer, it is about to.
pub fn silence_nanos(told_seconds: Option<u64>, scan_interval_seconds: u64) -> i64 {
    let between = heartbeat_seconds(scan_interval_seconds).max(told_seconds.unwrap_or(0));
    crate::clock::seconds_to_nanos(between.saturating_mul(3).max(SHORTEST_SILENCE_SECONDS))
}

fn scan() -> String {
    "scan".to_owned()
}

/// The largest number that every reader of JSON keeps exactly.
const MOST: u64 = 1 << 53;
const LONGEST_SECONDS: u64 = 60;
/// No agent that was heard within this time counts as not reporting.
pub const SHORTEST_SILENCE_SECONDS: u64 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_a_minute_apart_unless_scans_are_closer() {
        assert_eq!(heartbeat_seconds(900), 60);
        assert_eq!(heartbeat_seconds(5), 5);
        assert_eq!(silence_nanos(None, 900), 180_000_000_000);
        assert_eq!(silence_nanos(None, 1), 15_000_000_000);
    }

    #[test]
    fn an_agent_is_given_the_time_that_it_was_told() {
        assert_eq!(silence_nanos(Some(60), 5), 180_000_000_000);
        assert_eq!(silence_nanos(Some(5), 5), 15_000_000_000);
        assert_eq!(silence_nanos(Some(5), 900), 180_000_000_000);
    }

    #[test]
    fn a_heartbeat_needs_little() {
        let text = r#"{"agentVersion":"0.1.0","osName":"Debian 12","state":"idle","later":"ignored"}"#;
        let heartbeat: Heartbeat = serde_json::from_str(text).unwrap();
        assert_eq!(heartbeat.provider, "scan");
        assert_eq!(heartbeat.progress, None);
        assert_eq!(heartbeat.fault(), None);
    }

    #[test]
    fn what_no_agent_says_is_a_fault() {
        let check = |change: fn(&mut Heartbeat), word: &str| {
            let text = r#"{"agentVersion":"0.1.0","osName":"Debian 12","state":"idle"}"#;
            let mut heartbeat = serde_json::from_str(text).unwrap();
            change(&mut heartbeat);
            assert!(heartbeat.fault().unwrap_or_default().contains(word), "{:?}", heartbeat.fault());
        };
        check(|heartbeat| heartbeat.agent_version = "1\u{1b}[2J".to_owned(), "agentVersion");
        check(|heartbeat| heartbeat.agent_version = "1".repeat(65), "agentVersion");
        check(|heartbeat| heartbeat.provider = "\u{202e}".to_owned(), "provider");
        check(|heartbeat| heartbeat.os_name = "\n".to_owned(), "osName");
        check(|heartbeat| heartbeat.open_gaps = 1 << 63, "number");
        check(|heartbeat| heartbeat.spool_records = u64::MAX, "number");
    }
}
