//! Agents that are not heard: a gap is opened, and closed when they are heard again.

use std::collections::HashMap;
use std::time::Duration;

use fim_core::{Gap, GapCause, GapScope, Timestamp};
use tokio::sync::watch;
use uuid::Uuid;

use super::gaps;
use super::heartbeat::{SHORTEST_SILENCE_SECONDS, silence_nanos};
use super::troubles::Troubles;
use crate::app::{App, AppState, Downtime, stopped};
use crate::clock::{Moment, nanos_of, seconds_to_nanos};
use crate::control::{MachineRecord, OpenGap, WorkspaceRecord};
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
    /// Nothing is to be monitored there, so that silence is none.
    End,
}

/// What is known of a machine that is not heard.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// When it joined.
    pub enrolled_at: Timestamp,
    /// When it was last heard; `None` if it never was.
    pub last_seen: Option<Timestamp>,
    /// Since when it is to be monitored; `None` if it is not.
    pub monitored_since: Option<Timestamp>,
    /// How long it may be silent, in nanoseconds.
    pub allowed_nanos: i64,
}

impl Silence {
    /// The silence of a machine that is kept so, in a workspace that is kept so.
    fn of(machine: &MachineRecord, workspace: &WorkspaceRecord) -> Self {
        Self {
            enrolled_at: machine.enrolled_at,
            last_seen: machine.last_seen,
            monitored_since: workspace.fim_enabled.then_some(workspace.fim_switched_at),
            allowed_nanos: silence_nanos(machine.heartbeat_seconds, workspace.scan_interval_seconds),
        }
    }

    /// Up to when somebody knows of it.
    fn known_since(self) -> Timestamp {
        self.last_seen.unwrap_or(self.enrolled_at)
    }

    /// Since when it cannot be said to watch; `None` if it is not to.
    fn start(self) -> Option<Timestamp> {
        Some(self.known_since().max(self.monitored_since?))
    }

    /// When it was heard, in moments only: the gap's row outlives the silence and has nothing that is true of now alone.
    fn heard(self) -> String {
        match self.last_seen {
            Some(last_seen) => format!("last heard {}", Moment(last_seen)),
            None => format!("never heard since it was enrolled, {}", Moment(self.enrolled_at)),
        }
    }
}

/// The stretch of a machine that is removed at `now`, before its silence was judged: nobody can say whether it watched
/// after it was last heard, and what it has to tell of that is not taken any more. `None` if it was not to be monitored,
/// or was just heard.
fn gap_at_removal(silence: Silence, now: Timestamp) -> Option<Gap> {
    let start = silence.start().filter(|start| *start < now)?;
    let detail = format!("{}; the machine was removed before it was heard again", silence.heard());
    Some(Gap { scope: GapScope::Everything, start, end: Some(now), cause: NOT_REPORTING, detail })
}

/// Judges a machine's silence at `now`, by a server that runs since `started`.
///
/// While the server was down nothing could be heard, and an agent is given its time from the server's start on. What
/// is not heard then was silent since it was last heard: nobody knows how long it still watched. A machine that joined
/// and was never heard is silent since it joined: whoever enrolled it takes it for watched.
pub fn judge(silence: Silence, started: Timestamp, downtime: Option<Downtime>, now: Timestamp) -> Judgement {
    let Some(start) = silence.start() else { return Judgement::End };
    if now.nanos_since(start.max(started)) <= silence.allowed_nanos {
        return Judgement::Wait;
    }
    let heard = silence.heard();
    let detail = match downtime.filter(|_| silence.known_since() < started) {
        None => heard,
        Some(Downtime { from, until }) => format!(
            "{heard}; from {} to {} the server itself was not running and could not hear it",
            Moment(from),
            Moment(until)
        ),
    };
    Judgement::Open { start, detail }
}

/// Looks after every machine's silence until the server stops.
pub async fn watch(app: AppState, mut stop: watch::Receiver<bool>) {
    loop {
        // Counted from before the look, so that time that goes on during it is not waited for once more.
        let next = app.clock.now().plus_nanos(nanos_of(BETWEEN_LOOKS));
        match look(&app).await {
            Ok(troubles) => {
                troubles.warn("cannot keep of every silent agent that it is silent; will try again")
            }
            Err(problem) => {
                tracing::warn!(detail = %problem.detail, "cannot look for silent agents; will try again");
            }
        }
        tokio::select! {
            () = app.clock.sleep_until(next) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

/// Looks at every machine; the trouble with one keeps nobody from the next.
async fn look(app: &AppState) -> Result<Troubles, Problem> {
    let internal = |error| Problem::internal("looking for silent agents", &error);
    let mut troubles = Troubles::default();
    let now = app.clock.now();
    app.control.set_state(LAST_ALIVE, &now.0.to_string()).await.map_err(internal)?;
    let shortest = seconds_to_nanos(SHORTEST_SILENCE_SECONDS);
    let machines = app.control.machines_not_heard_since(now.plus_nanos(-shortest)).await.map_err(internal)?;
    if machines.is_empty() {
        return Ok(troubles);
    }
    let workspaces = app.control.workspaces().await.map_err(internal)?.into_iter();
    let workspaces: HashMap<Uuid, WorkspaceRecord> =
        workspaces.map(|workspace| (workspace.id, workspace)).collect();
    let open = open_by_machine(app).await?;
    for machine in &machines {
        let Some(workspace) = workspaces.get(&machine.workspace) else { continue };
        let silence = Silence::of(machine, workspace);
        let open = open.get(&machine.id).map_or(&[][..], Vec::as_slice);
        let done = match judge(silence, app.started, app.downtime, now) {
            Judgement::Open { start, detail } if open.is_empty() => {
                begin(app, machine, start, detail, now).await
            }
            Judgement::Wait | Judgement::Open { .. } => Ok(()),
            Judgement::End => gaps::end(app, machine, open, now).await,
        };
        troubles.note(&machine.name, done);
    }
    Ok(troubles)
}

async fn open_by_machine(app: &App) -> Result<HashMap<Uuid, Vec<OpenGap>>, Problem> {
    let open = app.control.open_gaps_by_cause(NOT_REPORTING.name()).await;
    let mut by_machine: HashMap<Uuid, Vec<OpenGap>> = HashMap::new();
    for gap in open.map_err(|error| Problem::internal("reading the open gaps", &error))? {
        by_machine.entry(gap.machine).or_default().push(gap);
    }
    Ok(by_machine)
}

async fn begin(
    app: &App,
    machine: &MachineRecord,
    start: Timestamp,
    detail: String,
    now: Timestamp,
) -> Result<(), Problem> {
    tracing::warn!(machine = %machine.name, id = %machine.id, detail, "an agent is silent");
    let gap = Gap { scope: GapScope::Everything, start, end: None, cause: NOT_REPORTING, detail };
    gaps::open(app, machine, &gap, now).await
}

/// Ends the gap that the machine's silence opened, if there is one.
pub async fn heard_again(app: &App, machine: &MachineRecord, now: Timestamp) -> Result<(), Problem> {
    let open = app.control.open_gap_of_everything(machine.id, NOT_REPORTING.name()).await;
    let open = open.map_err(|error| Problem::internal("reading the open gaps", &error))?;
    if !open.is_empty() {
        tracing::info!(machine = %machine.name, id = %machine.id, "an agent is heard again");
    }
    gaps::end(app, machine, &open, now).await
}

/// Tells of the silence of a machine that is removed now; one that is a gap already ends with all that is open.
pub async fn tell_at_removal(
    app: &App,
    workspace: &WorkspaceRecord,
    machine: &MachineRecord,
    now: Timestamp,
) -> Result<(), Problem> {
    let Some(gap) = gap_at_removal(Silence::of(machine, workspace), now) else { return Ok(()) };
    let open = app.control.open_gap_of_everything(machine.id, NOT_REPORTING.name()).await;
    match open.map_err(|error| Problem::internal("reading the open gaps", &error))?.is_empty() {
        true => gaps::tell(app, machine, &gap, now).await,
        false => Ok(()),
    }
}

/// Ends the silence of every machine of a workspace in which monitoring was turned off.
pub async fn end_in_workspace(app: &App, workspace: Uuid, now: Timestamp) -> Result<(), Problem> {
    let internal = |error| Problem::internal("reading the machines", &error);
    let open = open_by_machine(app).await?;
    for machine in app.control.machines(workspace).await.map_err(internal)? {
        if let Some(open) = open.get(&machine.id) {
            gaps::end(app, &machine, open, now).await?;
        }
    }
    Ok(())
}

/// Under this key the server keeps when it was last alive.
pub const LAST_ALIVE: &str = "last_alive";

/// The cause that the server itself notices.
const NOT_REPORTING: GapCause = GapCause::AgentNotReporting;

/// Each look writes to the disk that the server is alive, so that it is not done more often than a gap's start matters.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const DOWN: Option<Downtime> =
        Some(Downtime { from: Timestamp(110 * SECOND), until: Timestamp(100_000 * SECOND) });

    #[test]
    fn silence_within_what_is_allowed_is_no_gap() {
        assert_eq!(judge(silence(Some(100), Some(0)), at(0), None, at(280)), Judgement::Wait);
    }

    #[test]
    fn longer_silence_is_a_gap_since_the_machine_was_last_heard() {
        assert_eq!(start_of(silence(Some(100), Some(0)), at(0), None, at(281)).0, at(100));
    }

    #[test]
    fn after_its_downtime_the_server_gives_an_agent_its_time() {
        assert_eq!(judge(silence(Some(100), Some(0)), at(100_000), DOWN, at(100_180)), Judgement::Wait);
    }

    #[test]
    fn silence_that_began_in_the_server_s_downtime_is_a_gap_since_the_machine_was_last_heard() {
        let (start, detail) = start_of(silence(Some(100), Some(0)), at(100_000), DOWN, at(100_181));
        assert_eq!(start, at(100));
        assert!(detail.contains("the server itself was not running"), "{detail}");
    }

    #[test]
    fn a_machine_that_was_never_heard_is_silent_since_it_was_enrolled() {
        let never = silence(None, Some(0));
        assert_eq!(judge(never, at(0), None, at(50 + 180)), Judgement::Wait);
        let (start, detail) = start_of(never, at(0), None, at(50 + 181));
        assert_eq!(start, at(50));
        assert_eq!(detail, "never heard since it was enrolled, 1970-01-01T00:00:50.0000000Z");
    }

    #[test]
    fn what_a_gap_says_of_silence_stays_true_when_it_has_ended() {
        let (_, early) = start_of(silence(Some(100), Some(0)), at(0), None, at(281));
        let (_, late) = start_of(silence(Some(100), Some(0)), at(0), None, at(9000));
        assert_eq!(early, late);
        assert_eq!(early, "last heard 1970-01-01T00:01:40.0000000Z");
    }

    #[test]
    fn a_machine_that_was_never_heard_is_silent_only_since_it_is_monitored() {
        let never = silence(None, Some(5000));
        assert_eq!(judge(never, at(0), None, at(5180)), Judgement::Wait);
        assert_eq!(start_of(never, at(0), None, at(5181)).0, at(5000));
        assert_eq!(judge(silence(None, None), at(0), None, at(1_000_000)), Judgement::End);
    }

    #[test]
    fn where_nothing_is_monitored_nobody_is_silent() {
        assert_eq!(judge(silence(Some(100), None), at(0), None, at(1_000_000)), Judgement::End);
    }

    #[test]
    fn silence_begins_when_monitoring_does() {
        let silence = silence(Some(100), Some(5000));
        assert_eq!(judge(silence, at(0), None, at(5180)), Judgement::Wait);
        assert_eq!(start_of(silence, at(0), None, at(5181)).0, at(5000));
    }

    #[test]
    fn a_machine_that_is_removed_before_its_silence_is_judged_has_a_gap_since_it_was_last_heard() {
        let gap = |silence, now: i64| gap_at_removal(silence, at(now)).map(|gap| (gap.start, gap.end));
        assert_eq!(gap(silence(Some(100), Some(0)), 130), Some((at(100), Some(at(130)))));
        assert_eq!(gap(silence(None, Some(0)), 130), Some((at(50), Some(at(130)))));
        assert_eq!(gap(silence(Some(100), Some(120)), 130), Some((at(120), Some(at(130)))));
        assert_eq!(gap(silence(Some(130), Some(0)), 130), None);
        assert_eq!(gap(silence(Some(100), None), 130), None);
        let told = gap_at_removal(silence(Some(100), Some(0)), at(130)).unwrap().detail;
        assert!(told.starts_with("last heard 1970-01-01T00:01:40"), "{told}");
        assert!(told.ends_with("; the machine was removed before it was heard again"), "{told}");
    }

    fn silence(last_seen: Option<i64>, monitored_since: Option<i64>) -> Silence {
        Silence {
            enrolled_at: at(50),
            last_seen: last_seen.map(at),
            monitored_since: monitored_since.map(at),
            allowed_nanos: 180 * SECOND,
        }
    }

    fn start_of(
        silence: Silence,
        started: Timestamp,
        downtime: Option<Downtime>,
        now: Timestamp,
    ) -> (Timestamp, String) {
        match judge(silence, started, downtime, now) {
            Judgement::Open { start, detail } => (start, detail),
            other => panic!("{other:?}"),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * SECOND)
    }
}
