//! Records that were acknowledged and that the medium has lost: told in the log, and as a gap in every workspace.

use std::ops::RangeInclusive;
use std::time::Duration;

use fim_core::{Gap, GapCause, GapScope, Timestamp};
use fim_store::Recovery;
use tokio::sync::watch;

use super::columns::{EVERYTHING, SERVER, Source};
use crate::app::{App, AppState, stopped};
use crate::clock::Moment;
use crate::problem::Problem;

/// What the opening of the store has lost, as gaps of a workspace that was made at `made`. Which workspace a record was
/// of cannot be read any more, so each has the gap.
///
/// The stretch is that in which the records were accepted. Its start is the same at every opening, so that a loss that
/// is told again, because a crash came before the next flush, is the same gap.
pub fn gaps(recovery: &Recovery, made: Timestamp, opened: Timestamp) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = recovery
        .lost
        .iter()
        .map(|loss| {
            let start = loss.after.unwrap_or(made).max(made);
            // What was accepted next may have been older than what was accepted before.
            let end = loss.before.filter(|before| *before >= start).unwrap_or(opened);
            gap(
                start,
                end,
                &format!("{} of the ingest log cannot be read any more", records(&loss.positions)),
            )
        })
        .collect();
    if recovery.was_log_replaced {
        let start = recovery.newest_in_tables.unwrap_or(made).max(made);
        gaps.push(gap(start, opened, "the ingest log has fewer records than were in it"));
    }
    gaps
}

/// Tells what the opening of the store has lost, and tries until it is told.
pub async fn tell(app: AppState, mut stop: watch::Receiver<bool>) {
    let recovery = app.store.recovery();
    if recovery.torn_bytes > 0 {
        tracing::warn!(
            bytes = recovery.torn_bytes,
            "the end of the ingest log was not whole and was cut off; a crash leaves that of a batch that was not \
             acknowledged, but without a crash the disk has damaged the last batch that was: check it"
        );
    }
    if recovery.lost.is_empty() && !recovery.was_log_replaced {
        return;
    }
    for loss in &recovery.lost {
        tracing::error!(
            records = records(&loss.positions),
            "records that were acknowledged are lost: the disk has damaged the ingest log; check the disk, and see \
             the gaps with the cause RecordsLost"
        );
    }
    while let Err(problem) = store(&app, recovery).await {
        tracing::error!(detail = %problem.detail, "cannot keep that records are lost; will try again");
        tokio::select! {
            () = app.clock.sleep(PAUSE) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

async fn store(app: &App, recovery: &Recovery) -> Result<(), Problem> {
    let workspaces = app.control.workspaces().await;
    for workspace in workspaces.map_err(|error| Problem::internal("reading the workspaces", &error))? {
        let resource = workspace.resource_id();
        let source = Source {
            computer: EVERYTHING,
            machine: "",
            os_type: "",
            resource: &resource,
            subscription: &workspace.subscription_id,
        };
        let mut rows = app.rows(workspace.id)?;
        for gap in gaps(recovery, workspace.created_at, app.started) {
            rows.gap(source, &gap, SERVER, app.clock.now())
                .map_err(|error| Problem::internal("making a gap's row", &error))?;
        }
        app.store_rows(workspace.id, rows, None).await?;
    }
    Ok(())
}

fn gap(start: Timestamp, end: Timestamp, what: &str) -> Gap {
    let end = end.max(start);
    let detail = format!(
        "{what}; what the server accepted from {} to {}, from any machine and of earlier times too, may be missing",
        Moment(start),
        Moment(end)
    );
    Gap { scope: GapScope::Everything, start, end: Some(end), cause: GapCause::RecordsLost, detail }
}

fn records(positions: &RangeInclusive<u64>) -> String {
    match (positions.start(), positions.end()) {
        (first, last) if first == last => format!("record {first}"),
        (first, last) => format!("records {first} to {last}"),
    }
}

const PAUSE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use fim_store::Loss;

    use super::*;

    #[test]
    fn a_loss_is_a_gap_between_its_neighbours() {
        check(Some(100), Some(200), (100, 200));
    }

    #[test]
    fn a_loss_without_neighbours_reaches_from_the_workspace_s_making_to_the_opening() {
        check(None, None, (10, 900));
        check(Some(5), None, (10, 900));
    }

    #[test]
    fn a_late_batch_after_a_loss_does_not_shorten_it() {
        check(Some(100), Some(50), (100, 900));
    }

    #[test]
    fn a_log_that_is_gone_is_a_gap_since_the_last_row_in_files() {
        let recovery = Recovery {
            was_log_replaced: true,
            newest_in_tables: Some(Timestamp(300)),
            ..Recovery::default()
        };
        assert_eq!(stretches(&recovery), [(300, 900)]);
    }

    fn check(after: Option<i64>, before: Option<i64>, stretch: (i64, i64)) {
        let loss = Loss { positions: 3..=4, after: after.map(Timestamp), before: before.map(Timestamp) };
        let recovery = Recovery { lost: vec![loss], ..Recovery::default() };
        assert_eq!(stretches(&recovery), [stretch]);
    }

    fn stretches(recovery: &Recovery) -> Vec<(i64, i64)> {
        let gaps = gaps(recovery, Timestamp(10), Timestamp(900));
        gaps.iter().map(|gap| (gap.start.0, gap.end.unwrap().0)).collect()
    }
}
