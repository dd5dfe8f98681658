//! Which stretches are open: kept for the figures, and ended where their agent no longer can.

use std::collections::HashMap;

use fim_core::{Gap, GapCause, GapScope, Memory, Timestamp};
use fim_wire::Report;
use uuid::Uuid;

use super::agent::source;
use super::columns::SERVER;
use super::heartbeat::Heartbeat;
use crate::app::App;
use crate::control::{MachineRecord, OpenGap, Unwatched};
use crate::problem::Problem;

/// The end of a stretch that was open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ending {
    /// The stretch.
    pub gap: OpenGap,
    /// When it ended.
    pub at: Timestamp,
}

/// What the gaps of a batch come to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// The gaps as they are stored, in the order of the reports: with times that can be, and none of them open that is
    /// not kept as open.
    pub told: Vec<Gap>,
    /// Stretches that end without their agent's word.
    pub endings: Vec<Ending>,
    /// The stretch that begins for those that are too many to be kept one by one.
    pub merged: Option<Gap>,
    /// What is to be kept as open from now on, or has other particulars now.
    pub opened: Vec<OpenGap>,
    /// What is to be kept as open no more.
    pub closed: Vec<OpenGap>,
}

/// What the gaps of these reports come to, for a machine that has `open` open and may have `most`.
///
/// - Times are the agent's claim: no stretch reaches beyond `received`, or begins before 1970. A stretch is known by the
///   start that the agent claims.
/// - The server keeps at most `most` of an agent's stretches as open. One more ends in the table when it is received, and
///   from then on a stretch of everything stands for it and for all further ones, until the agent has few again.
/// - An agent that has lost its memory will not end what it had opened: that ends with the stretch of which the agent
///   remembers nothing, and what still holds is opened anew.
pub fn outcome(
    machine: Uuid,
    open: &[OpenGap],
    reports: &[Report],
    most: usize,
    received: Timestamp,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut now_open: HashMap<Key, OpenGap> =
        open.iter().filter(|gap| !is_silence(gap)).map(|gap| (Key::of(gap), gap.clone())).collect();
    let before = now_open.clone();
    let mut is_merged = open.iter().any(is_merged_gap);
    for report in reports {
        let Report::Gap(gap) = report else { continue };
        let key = Key::of_report(gap);
        let known = now_open.get(&key);
        let start =
            known.map_or_else(|| gap.start.clamp(EARLIEST, received.max(EARLIEST)), |known| known.start);
        let is_kept = known.is_some() || now_open.len() < most;
        let end = gap.end.map(|end| end.clamp(start, received.max(start)));
        if end.is_some() {
            now_open.remove(&key);
        } else if is_kept {
            now_open.insert(key, OpenGap { start, ..of_machine(machine, gap) });
        } else if !is_merged {
            is_merged = true;
            let merged = merged_gap(most, received);
            let kept = of_machine(machine, &merged);
            now_open.insert(Key::of(&kept), kept);
            outcome.merged = Some(merged);
        }
        let end = end.or_else(|| (!is_kept).then_some(received.max(start)));
        outcome.told.push(Gap { start, end, ..gap.clone() });
        if gap.cause == GapCause::StateLost
            && let Some(at) = end
        {
            // A list that was lost is none of the agent's memory of everything else.
            let is_forgotten = |open: &OpenGap| match gap.scope {
                GapScope::Everything => true,
                GapScope::Within(_) => false,
                GapScope::List(kind) => match open.unwatched {
                    Unwatched::List(of) => of == kind,
                    Unwatched::Part(part) => part.list() == kind,
                    Unwatched::Everything | Unwatched::Files(_) => false,
                },
                GapScope::Part(_) => false,
            };
            let lost = now_open.extract_if(|_, open| is_forgotten(open));
            let mut lost: Vec<OpenGap> = lost.map(|(_, gap)| gap).collect();
            lost.sort_by(|left, right| (left.start, &left.unwatched).cmp(&(right.start, &right.unwatched)));
            outcome.endings.extend(lost.into_iter().map(|gap| Ending { gap, at }));
        }
    }
    outcome.closed =
        before.iter().filter(|(key, _)| !now_open.contains_key(key)).map(|(_, gap)| gap.clone()).collect();
    outcome.opened =
        now_open.into_iter().filter(|(key, gap)| before.get(key) != Some(gap)).map(|(_, gap)| gap).collect();
    outcome
}

/// What the gaps of these reports come to; the open stretches are read only if there is a gap.
pub async fn judge(
    app: &App,
    machine: &MachineRecord,
    reports: &[Report],
    received: Timestamp,
) -> Result<Outcome, Problem> {
    if !reports.iter().any(|report| matches!(report, Report::Gap(_))) {
        return Ok(Outcome::default());
    }
    let open = open_gaps(app, machine).await?;
    Ok(outcome(machine.id, &open, reports, MOST_OPEN, received))
}

/// Tells a stretch that the server itself noticed.
pub async fn tell(app: &App, machine: &MachineRecord, gap: &Gap, now: Timestamp) -> Result<(), Problem> {
    let id = machine.id.to_string();
    let mut rows = app.rows(machine.workspace)?;
    rows.gap(source(machine, &id), gap, SERVER, now)
        .map_err(|error| Problem::internal("making a gap's row", &error))?;
    app.store_rows(machine.workspace, rows, None).await?;
    Ok(())
}

/// Opens a stretch that the server itself noticed.
pub async fn open(app: &App, machine: &MachineRecord, gap: &Gap, now: Timestamp) -> Result<(), Problem> {
    tell(app, machine, gap, now).await?;
    let kept = app.control.keep_gaps(&[of_machine(machine.id, gap)], &[], None).await;
    kept.map_err(|error| Problem::internal("keeping a gap", &error))
}

/// Ends stretches that the machine has open.
pub async fn end(
    app: &App,
    machine: &MachineRecord,
    gaps: &[OpenGap],
    now: Timestamp,
) -> Result<(), Problem> {
    if gaps.is_empty() {
        return Ok(());
    }
    let id = machine.id.to_string();
    let mut rows = app.rows(machine.workspace)?;
    for gap in gaps {
        rows.gap_end(source(machine, &id), gap, now, now)
            .map_err(|error| Problem::internal("making a gap's row", &error))?;
    }
    // A crash before they are forgotten ends them twice, which is one stretch in the table.
    app.store_rows(machine.workspace, rows, None).await?;
    let kept = app.control.keep_gaps(&[], gaps, None).await;
    kept.map_err(|error| Problem::internal("closing a gap", &error))
}

/// Ends everything that the machine has open: nobody will any more.
pub async fn end_all(app: &App, machine: &MachineRecord, now: Timestamp) -> Result<(), Problem> {
    let gaps = open_gaps(app, machine).await?;
    end(app, machine, &gaps, now).await
}

/// Ends the stretch that stands for those that were too many, once the agent says that no more are open than are kept
/// one by one, and that all it has to tell has been told.
pub async fn end_merged(
    app: &App,
    machine: &MachineRecord,
    heartbeat: &Heartbeat,
    now: Timestamp,
) -> Result<(), Problem> {
    let merged = app.control.open_gap_of_everything(machine.id, GapCause::TooManyGaps.name()).await;
    let merged = merged.map_err(|error| Problem::internal("reading the open gaps", &error))?;
    if merged.is_empty() || heartbeat.spool_records > 0 {
        return Ok(());
    }
    let open = open_gaps(app, machine).await?;
    let kept = open.iter().filter(|gap| !is_silence(gap) && !is_merged_gap(gap)).count();
    if heartbeat.open_gaps > kept as u64 {
        return Ok(());
    }
    end(app, machine, &merged, now).await
}

/// True if it is the silence of the agent, which the server opened and ends.
fn is_silence(gap: &OpenGap) -> bool {
    is_of_everything(gap, GapCause::AgentNotReporting)
}

fn is_merged_gap(gap: &OpenGap) -> bool {
    is_of_everything(gap, GapCause::TooManyGaps)
}

fn is_of_everything(gap: &OpenGap, cause: GapCause) -> bool {
    gap.unwatched == Unwatched::Everything && gap.cause == cause.name()
}

async fn open_gaps(app: &App, machine: &MachineRecord) -> Result<Vec<OpenGap>, Problem> {
    let open = app.control.open_gaps(machine.id).await;
    open.map_err(|error| Problem::internal("reading the open gaps", &error))
}

/// What tells one open stretch of a machine from another: what it is about, cause, and the start as the agent claims it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Key(Unwatched, String, Timestamp);

impl Key {
    fn of(gap: &OpenGap) -> Self {
        Self(gap.unwatched.clone(), gap.cause.clone(), gap.claimed_start)
    }

    fn of_report(gap: &Gap) -> Self {
        Self(Unwatched::from(&gap.scope), gap.cause.name().to_owned(), gap.start)
    }
}

fn of_machine(machine: Uuid, gap: &Gap) -> OpenGap {
    OpenGap {
        machine,
        unwatched: Unwatched::from(&gap.scope),
        cause: gap.cause.name().to_owned(),
        start: gap.start,
        claimed_start: gap.start,
        detail: gap.detail.clone(),
    }
}

fn merged_gap(most: usize, received: Timestamp) -> Gap {
    Gap {
        scope: GapScope::Everything,
        start: received,
        end: None,
        cause: GapCause::TooManyGaps,
        detail: format!(
            "the agent has more than {most} stretches open at once; from here on this one stands for the further ones, \
             until the agent says that no more are open than are kept"
        ),
    }
}

/// An agent that works as ours keeps to half of it.
const MOST_OPEN: usize = 2 * Memory::MAX_OPEN_GAPS;
/// No stretch begins before.
const EARLIEST: Timestamp = Timestamp(0);

#[cfg(test)]
mod tests {
    use fim_core::{EntityPath, ListKind, ListPart};

    use super::*;

    const MACHINE: Uuid = Uuid::from_u128(1);
    const NOW: i64 = 100;

    #[test]
    fn what_begins_is_open_and_what_ends_is_open_no_more() {
        let outcome = judged(
            &[kept("/a", GapCause::Unreadable, 1)],
            &[
                report("/a", GapCause::Unreadable, 1, Some(9)),
                report("/b", GapCause::Unreadable, 3, None),
                report("/c", GapCause::Unreadable, 4, None),
                report("/c", GapCause::Unreadable, 4, Some(5)),
                report("*", GapCause::AgentStopped, 5, Some(6)),
            ],
        );
        assert_eq!(scopes(&outcome.opened), ["/b"]);
        assert_eq!(scopes(&outcome.closed), ["/a"]);
        assert_eq!(outcome.told.len(), 5);
    }

    #[test]
    fn a_repeat_changes_nothing() {
        let reports = [
            report("/b", GapCause::Unreadable, 3, None),
            report("*", GapCause::StateLost, 3, Some(9)),
            report("/a", GapCause::Unreadable, 10, None),
        ];
        let first = judged(&[], &reports);
        assert_eq!(scopes(&first.opened), ["/a"]);
        let again = judged(&first.opened, &reports);
        assert_eq!((again.opened, again.closed), (vec![], vec![]));
    }

    #[test]
    fn an_agent_without_memory_ends_what_it_had_opened_and_nothing_newer() {
        let open = [kept("/a", GapCause::Unreadable, 1), kept("*", GapCause::AgentNotReporting, 2)];
        let outcome = judged(
            &open,
            &[
                report("/b", GapCause::Unreadable, 3, None),
                report("/c", GapCause::Unreadable, 3, None),
                report("/c", GapCause::Unreadable, 3, Some(4)),
                report("*", GapCause::StateLost, 3, Some(9)),
                report("/a", GapCause::Unreadable, 10, None),
            ],
        );
        let ended: Vec<_> =
            outcome.endings.iter().map(|ending| (ending.gap.unwatched.scope(), ending.at.0)).collect();
        assert_eq!(ended, [("/a", 9), ("/b", 9)]);
        assert_eq!(scopes(&outcome.closed), ["/a"]);
        assert_eq!(outcome.opened.iter().map(|gap| gap.start.0).collect::<Vec<_>>(), [10]);
    }

    #[test]
    fn an_agent_that_lost_a_list_ends_what_it_had_opened_of_that_and_nothing_else() {
        let of = |scope, cause, start, end: Option<i64>| {
            let (start, end) = (Timestamp(start), end.map(Timestamp));
            Report::Gap(Gap { scope, start, end, cause, detail: String::new() })
        };
        let daemons = GapScope::List(ListKind::Daemons);
        let reports = [
            report("/a", GapCause::Unreadable, 1, None),
            of(daemons.clone(), GapCause::Unreadable, 1, None),
            of(GapScope::Part(ListPart::Init), GapCause::Unreadable, 1, None),
            of(GapScope::List(ListKind::Software), GapCause::Unreadable, 1, None),
            of(GapScope::Part(ListPart::Rpm), GapCause::Unreadable, 1, None),
        ];
        let open = judged(&[], &reports).opened;
        let outcome = judged(&open, &[of(daemons, GapCause::StateLost, 2, Some(9))]);
        let ended: Vec<_> =
            outcome.endings.iter().map(|ending| (ending.gap.unwatched.clone(), ending.at.0)).collect();
        let lost = [Unwatched::List(ListKind::Daemons), Unwatched::Part(ListPart::Init)];
        assert_eq!(ended, lost.map(|unwatched| (unwatched, 9)));
    }

    #[test]
    fn no_stretch_reaches_into_the_future_or_before_the_epoch() {
        let far = i64::MAX - 1;
        let outcome = judged(
            &[],
            &[
                report("/a", GapCause::Unreadable, i64::MIN, Some(far)),
                report("/b", GapCause::Unreadable, far, None),
                report("/c", GapCause::Unreadable, 50, Some(40)),
            ],
        );
        let told: Vec<_> = outcome.told.iter().map(|gap| (gap.start.0, gap.end.map(|end| end.0))).collect();
        assert_eq!(told, [(0, Some(NOW)), (NOW, None), (50, Some(50))]);
        // The agent goes on to call the stretch by the start that it has claimed.
        let ended = judged_at(200, &outcome.opened, &[report("/b", GapCause::Unreadable, far, Some(far))]);
        assert_eq!(scopes(&ended.closed), ["/b"]);
        assert_eq!((ended.told[0].start.0, ended.told[0].end), (NOW, Some(Timestamp(200))));
    }

    #[test]
    fn stretches_that_are_too_many_are_one_of_everything() {
        let reports: Vec<Report> =
            (0..9).map(|number| report(&format!("/{number}"), GapCause::Unreadable, 1, None)).collect();
        let outcome = judged(&[], &reports);
        let merged = outcome.merged.as_ref().unwrap();
        assert_eq!((merged.scope.to_string(), merged.start.0), ("*".to_owned(), NOW));
        assert_eq!(outcome.opened.len(), MOST + 1);
        // Those that are not kept are told up to the moment from which the one stands for them.
        let ended: Vec<_> = outcome.told.iter().filter_map(|gap| gap.end).collect();
        assert_eq!(ended, [Timestamp(NOW); 9 - MOST]);
        // Another is one more of them.
        let more = judged(&outcome.opened, &[report("/more", GapCause::Unreadable, 2, None)]);
        assert_eq!((more.merged, more.opened), (None, vec![]));
        // An agent without memory ends all.
        let lost = judged(&outcome.opened, &[report("*", GapCause::StateLost, 3, Some(9))]);
        assert_eq!(lost.closed.len(), MOST + 1);
    }

    const MOST: usize = 5;

    fn judged(open: &[OpenGap], reports: &[Report]) -> Outcome {
        judged_at(NOW, open, reports)
    }

    fn judged_at(now: i64, open: &[OpenGap], reports: &[Report]) -> Outcome {
        let mut outcome = outcome(MACHINE, open, reports, MOST, Timestamp(now));
        outcome.opened.sort_by(|left, right| left.unwatched.cmp(&right.unwatched));
        outcome
    }

    fn scopes(gaps: &[OpenGap]) -> Vec<&str> {
        gaps.iter().map(|gap| gap.unwatched.scope()).collect()
    }

    fn kept(scope: &str, cause: GapCause, start: i64) -> OpenGap {
        let Report::Gap(gap) = report(scope, cause, start, None) else { unreachable!() };
        of_machine(MACHINE, &gap)
    }

    fn report(scope: &str, cause: GapCause, start: i64, end: Option<i64>) -> Report {
        let scope = match scope {
            "*" => GapScope::Everything,
            path => GapScope::Within(EntityPath::unix(path.as_bytes())),
        };
        let (start, end) = (Timestamp(start), end.map(Timestamp));
        Report::Gap(Gap { scope, start, end, cause, detail: String::new() })
    }
}
