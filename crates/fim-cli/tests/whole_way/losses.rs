//! What somebody removes from an agent's data directory is told as a gap.

use std::fs;

use serde_json::Value;

use crate::installation::{Installation, until};
use crate::{about, now, wait_until_rule_has_a_baseline, with_agent};

#[test]
fn a_state_that_somebody_removed_is_told_with_the_time_without_the_agent() {
    let mut here = with_agent();
    fs::write(here.watched("a"), "1").unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);

    here.stop_agent();
    let when = now();
    fs::write(here.watched("a"), "22").unwrap();
    fs::remove_dir_all(here.path("agent").join("state")).unwrap();
    here.start_agent();
    for cause in ["AgentStopped", "StateLost"] {
        here.query_until(&gaps_around(cause, &when), |rows| !rows.is_empty());
    }
    wait_until_rule_has_a_baseline(&here);
    fs::write(here.watched("a"), "333").unwrap();
    here.query_until(&about("a"), |rows| !rows.is_empty());
}

#[test]
fn reports_that_somebody_removed_are_told() {
    let mut here = with_agent();
    fs::write(here.watched("a"), "1").unwrap();
    here.start_agent();
    wait_until_rule_has_a_baseline(&here);

    here.stop_server();
    let when = now();
    fs::write(here.watched("a"), "22").unwrap();
    wait_for_scans(&here, 2);
    here.kill_agent();
    fs::remove_dir_all(here.path("agent").join("spool/log")).unwrap();
    here.start_agent();
    here.up(&["--no-agent"]);
    here.query_until(&gaps_around("SpoolDamaged", &when), |rows| !rows.is_empty());
    fs::write(here.watched("b"), "later").unwrap();
    here.query_until(&about("b"), |rows| !rows.is_empty());
}

/// Gaps with that cause and an end that the time lies in.
fn gaps_around(cause: &str, time: &str) -> String {
    format!(
        "Coverage | where Cause == '{cause}' | where StartTime < datetime({time}) and EndTime > datetime({time})"
    )
}

/// Waits until so many scans have ended, one after the other.
fn wait_for_scans(here: &Installation, scans: usize) {
    for _ in 0..scans {
        let before = here.agent_status()["lastScanEnd"].clone();
        let ended: Result<(), Value> = until(|| {
            let status = here.agent_status();
            if status["lastScanEnd"] == before { Err(status) } else { Ok(()) }
        });
        ended.unwrap_or_else(|status| panic!("no scan: {status:#}\n{}", here.read_log("agent.log")));
    }
}
