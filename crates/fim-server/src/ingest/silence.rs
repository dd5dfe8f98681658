//! Agents that are not heard: a gap is opened, and closed when they are heard again.

use std::time::Duration;

use fim_core::{Gap, GapScope, Timestamp};
use tokio::sync::watch;

use super::agent::{NOT_REPORTING, source};
use super::columns::{cause_name, scope_text};
use super::heartbeat::silence_nanos;
use crate::app::{AppState, Downtime, stopped};
use crate::clock::Moment;
use crate::control::{MachineRecord, OpenGap};
use crate::problem::Problem;

/// What is to be done about a machine's silence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// It was heard, or may still be.
    Wait,
    /// It is silent.
    Open {
        /// Since when it cannot be said to watch.
        start: Timestamp,
        /// The particulars.
        detail: String,
    },
}

/// Judges a machine's silence. While the server itself was down nothing could be heard, and that is not held against
/// the agent: silence counts from the server's start.
pub fn judge(
    last_seen: Option<Timestamp>,
    started: Timestamp,
    downtime: Option<Downtime>,
    allowed_nanos: i64,
    now: Timestamp,
) -> Judgement {
    // A machine that was never heard has not begun to watch; its page says so.
    let Some(last_seen) = last_seen else { return Judgement::Wait };
    let since = last_seen.max(started);
    if now.nanos_since(since) <= allowed_nanos {
        return Judgement::Wait;
    }
    let seconds = now.nanos_since(since) / 1_000_000_000;
    let heard = Moment(last_seen);
    let detail = match downtime.filter(|_| last_seen < started) {
        None => format!("nothing heard for {seconds} s; last heard {heard}"),
        Some(Downtime { from, until }) => format!(
            "nothing heard for {seconds} s since this server started; last heard {heard}; from {} to {} the server \
             itself was not running, which says nothing of the agent",
            Moment(from),
            Moment(until)
        ),
    };
    Judgement::Open { start: since, detail }
}

/// Looks after every machine's silence until the server stops.
pub async fn watch(app: AppState, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stopped(&mut stop) => return,
        }
        if let Err(problem) = look(&app).await {
            tracing::warn!(detail = %problem.detail, "cannot look for silent agents; will try again");
        }
    }
}

async fn look(app: &AppState) -> Result<(), Problem> {
    let internal = |error| Problem::internal("looking for silent agents", &error);
    let now = app.clock.now();
    app.control.set_state(LAST_ALIVE, &now.0.to_string()).await.map_err(internal)?;
    let intervals: std::collections::HashMap<_, _> = app
        .control
        .workspaces()
        .await
        .map_err(internal)?
        .into_iter()
        .map(|workspace| (workspace.id, workspace.scan_interval_seconds))
        .collect();
    for machine in app.control.all_machines().await.map_err(internal)? {
        let Some(interval) = intervals.get(&machine.workspace) else { continue };
        match judge(machine.last_seen, app.started, app.downtime, silence_nanos(*interval), now) {
            Judgement::Wait => {}
            Judgement::Open { start, detail } => open(app, &machine, start, detail, now).await?,
        }
    }
    Ok(())
}

async fn open(
    app: &AppState,
    machine: &MachineRecord,
    start: Timestamp,
    detail: String,
    now: Timestamp,
) -> Result<(), Problem> {
    let internal = |error| Problem::internal("opening a gap", &error);
    let cause = cause_name(NOT_REPORTING);
    if !app.control.open_gaps(machine.id, cause).await.map_err(internal)?.is_empty() {
        return Ok(());
    }
    tracing::warn!(machine = %machine.name, id = %machine.id, detail, "an agent is silent");
    let gap = Gap { scope: GapScope::Everything, start, end: None, cause: NOT_REPORTING, detail };
    store(app, machine, &gap, now).await?;
    let open = OpenGap {
        machine: machine.id,
        scope: scope_text(&gap.scope),
        cause: cause.to_owned(),
        start,
        detail: gap.detail,
    };
    app.control.open_gap(&open).await.map_err(internal)
}

/// Closes the gap that the machine's silence opened, if there is one.
pub async fn heard_again(app: &AppState, machine: &MachineRecord, now: Timestamp) -> Result<(), Problem> {
    let internal = |error| Problem::internal("closing a gap", &error);
    let cause = cause_name(NOT_REPORTING);
    for open in app.control.open_gaps(machine.id, cause).await.map_err(internal)? {
        tracing::info!(machine = %machine.name, id = %machine.id, "an agent is heard again");
        let gap = Gap {
            scope: GapScope::Everything,
            start: open.start,
            end: Some(now),
            cause: NOT_REPORTING,
            detail: open.detail,
        };
        store(app, machine, &gap, now).await?;
        app.control.close_gap(machine.id, &open.scope, cause, open.start).await.map_err(internal)?;
    }
    Ok(())
}

async fn store(app: &AppState, machine: &MachineRecord, gap: &Gap, now: Timestamp) -> Result<(), Problem> {
    let id = machine.id.to_string();
    let mut rows = app.rows(machine.workspace)?;
    rows.gap(source(machine, &id), gap, "server", now)
        .map_err(|error| Problem::internal("making a gap's row", &error))?;
    app.store_rows(machine.workspace, rows, None).await.map(|_| ())
}

/// Under this key the server keeps when it was last alive.
pub const LAST_ALIVE: &str = "last_alive";

const TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * SECOND)
    }

    #[test]
    fn silence_within_what_is_allowed_is_no_gap() {
        assert_eq!(judge(Some(at(100)), at(0), None, 180 * SECOND, at(280)), Judgement::Wait);
    }

    #[test]
    fn longer_silence_is_a_gap_since_the_machine_was_last_heard() {
        let judgement = judge(Some(at(100)), at(0), None, 180 * SECOND, at(281));
        assert!(matches!(judgement, Judgement::Open { start, .. } if start == at(100)), "{judgement:?}");
    }

    #[test]
    fn the_time_the_server_was_down_is_not_held_against_the_agent() {
        let downtime = Some(Downtime { from: at(110), until: at(100_000) });
        assert_eq!(judge(Some(at(100)), at(100_000), downtime, 180 * SECOND, at(100_180)), Judgement::Wait);
        let judgement = judge(Some(at(100)), at(100_000), downtime, 180 * SECOND, at(100_181));
        let Judgement::Open { start, detail } = judgement else { panic!("{judgement:?}") };
        assert_eq!(start, at(100_000));
        assert!(detail.contains("the server itself was not running"), "{detail}");
    }

    #[test]
    fn a_machine_that_was_never_heard_is_not_silent() {
        assert_eq!(judge(None, at(0), None, SECOND, at(1_000_000)), Judgement::Wait);
    }
}
