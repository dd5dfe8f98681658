//! Which stretches are open: kept for the figures, and ended where their agent no longer can.

use fim_core::{Gap, GapCause, Timestamp};
use fim_wire::Report;
use uuid::Uuid;

use super::agent::source;
use crate::app::App;
use crate::control::{MachineRecord, OpenGap};
use crate::problem::Problem;

/// The end of a stretch that was open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ending {
    /// The stretch.
    pub gap: OpenGap,
    /// When it ended.
    pub at: Timestamp,
}

/// The stretches that nobody will end, because the agent that opened them has lost its memory: they end with the
/// stretch of which it remembers nothing, and what still holds is opened anew.
///
/// `open` are the machine's open stretches before the reports.
pub fn forgotten(machine: Uuid, open: Vec<OpenGap>, reports: &[Report]) -> Vec<Ending> {
    let mut open: Vec<OpenGap> = open.into_iter().filter(|gap| !is_of_server(gap)).collect();
    let mut endings = Vec::new();
    for report in reports {
        let Report::Gap(gap) = report else { continue };
        let same = of_machine(machine, gap);
        open.retain(|known| {
            known.scope != same.scope || known.cause != same.cause || known.start != same.start
        });
        match (gap.cause, gap.end) {
            (GapCause::StateLost, Some(at)) => {
                endings.extend(open.drain(..).map(|gap| Ending { gap, at }));
            }
            (_, None) => open.push(same),
            (_, Some(_)) => {}
        }
    }
    endings
}

/// What [`forgotten`] says of these reports; the open stretches are read only if it could say anything.
pub async fn endings(app: &App, machine: &MachineRecord, reports: &[Report]) -> Result<Vec<Ending>, Problem> {
    let is_loss = |report: &Report| matches!(report, Report::Gap(gap) if gap.cause == GapCause::StateLost);
    if !reports.iter().any(is_loss) {
        return Ok(Vec::new());
    }
    let open = app.control.open_gaps(machine.id).await;
    let open = open.map_err(|error| Problem::internal("reading the open gaps", &error))?;
    Ok(forgotten(machine.id, open, reports))
}

/// Keeps which stretches are open after the reports. Twice is once.
pub async fn track(
    app: &App,
    machine: &MachineRecord,
    reports: &[Report],
    endings: &[Ending],
) -> Result<(), Problem> {
    for report in reports {
        let Report::Gap(gap) = report else { continue };
        let kept = of_machine(machine.id, gap);
        match gap.end {
            Some(_) => forget(app, &kept).await?,
            None => remember(app, &kept).await?,
        }
    }
    for ending in endings {
        forget(app, &ending.gap).await?;
    }
    Ok(())
}

/// Opens a stretch that the server itself noticed.
pub async fn open(app: &App, machine: &MachineRecord, gap: &Gap, now: Timestamp) -> Result<(), Problem> {
    let id = machine.id.to_string();
    let mut rows = app.rows(machine.workspace)?;
    rows.gap(source(machine, &id), gap, super::columns::SERVER, now)
        .map_err(|error| Problem::internal("making a gap's row", &error))?;
    app.store_rows(machine.workspace, rows, None).await?;
    remember(app, &of_machine(machine.id, gap)).await
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
    for gap in gaps {
        forget(app, gap).await?;
    }
    Ok(())
}

/// Ends everything that the machine has open: nobody will any more.
pub async fn end_all(app: &App, machine: &MachineRecord, now: Timestamp) -> Result<(), Problem> {
    let gaps = app.control.open_gaps(machine.id).await;
    let gaps = gaps.map_err(|error| Problem::internal("reading the open gaps", &error))?;
    end(app, machine, &gaps, now).await
}

/// True if the server opened it and ends it.
pub fn is_of_server(gap: &OpenGap) -> bool {
    gap.cause == GapCause::AgentNotReporting.name()
}

fn of_machine(machine: Uuid, gap: &Gap) -> OpenGap {
    OpenGap {
        machine,
        scope: gap.scope.to_string(),
        cause: gap.cause.name().to_owned(),
        start: gap.start,
        detail: gap.detail.clone(),
    }
}

async fn remember(app: &App, gap: &OpenGap) -> Result<(), Problem> {
    app.control.open_gap(gap).await.map_err(|error| Problem::internal("keeping a gap", &error))
}

async fn forget(app: &App, gap: &OpenGap) -> Result<(), Problem> {
    let closed = app.control.close_gap(gap.machine, &gap.scope, &gap.cause, gap.start).await;
    closed.map_err(|error| Problem::internal("closing a gap", &error))
}

#[cfg(test)]
mod tests {
    use fim_core::{EntityPath, GapScope};

    use super::*;

    const MACHINE: Uuid = Uuid::from_u128(1);

    #[test]
    fn an_agent_without_memory_ends_what_it_had_opened_and_nothing_newer() {
        let open = vec![kept("/a", GapCause::Unreadable, 1), kept("*", GapCause::AgentNotReporting, 2)];
        let reports = [
            report("/b", GapCause::Unreadable, 3, None),
            report("/c", GapCause::Unreadable, 3, None),
            report("/c", GapCause::Unreadable, 3, Some(4)),
            report("*", GapCause::StateLost, 3, Some(9)),
            report("/a", GapCause::Unreadable, 10, None),
        ];
        let ended = forgotten(MACHINE, open, &reports);
        let ended: Vec<_> = ended.iter().map(|ending| (ending.gap.scope.as_str(), ending.at.0)).collect();
        assert_eq!(ended, [("/a", 9), ("/b", 9)]);
    }

    #[test]
    fn without_a_loss_nothing_is_forgotten() {
        let reports = [report("/b", GapCause::Unreadable, 3, None)];
        assert_eq!(forgotten(MACHINE, vec![kept("/a", GapCause::Unreadable, 1)], &reports), []);
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
