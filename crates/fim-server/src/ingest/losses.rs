//! Rows that were acknowledged and that the medium has lost: told in the log, and as gaps of the workspaces.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use fim_core::{Gap, GapCause, GapScope, Timestamp, error_chain};
use fim_store::{Loss, LostRows};
use tokio::sync::watch;
use uuid::Uuid;

use super::columns::{EVERYTHING, SERVER, Source};
use crate::app::{App, AppState, stopped};
use crate::clock::Moment;
use crate::problem::Problem;

/// What is lost of a workspace that was made at `made`, as gaps that do not overlap. Of a loss whose workspace cannot be
/// read any more, each workspace has the gap.
///
/// Its start is the same at every opening, so that a loss that is told again, because a crash came before it was known to
/// be told, is the same gap.
pub fn gaps(lost: &[Loss], workspace: Uuid, made: Timestamp, opened: Timestamp) -> Vec<Gap> {
    let is_of_workspace = |loss: &&Loss| loss.workspace.is_none_or(|of| of == workspace);
    let stretch = |loss| Stretch::of(loss, made, opened);
    let mut stretches: Vec<Stretch> = lost.iter().filter(is_of_workspace).map(stretch).collect();
    stretches.sort_by_key(|stretch| stretch.start);
    let mut apart: Vec<Stretch> = Vec::new();
    for next in stretches {
        match apart.last_mut() {
            Some(last) if next.start <= last.end => {
                last.end = last.end.max(next.end);
                last.losses.extend(next.losses);
            }
            Some(_) | None => apart.push(next),
        }
    }
    apart.into_iter().map(Stretch::into_gap).collect()
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
    if recovery.lost.is_empty() {
        return;
    }
    for what in described(&recovery.lost) {
        tracing::error!(
            what,
            "rows that were acknowledged are lost; check the disk and who can write to the data directory, and see the \
             gaps with the cause RecordsLost"
        );
    }
    while let Err(reason) = store(&app, &recovery.lost).await {
        tracing::error!(reason, "cannot keep that rows are lost; will try again");
        tokio::select! {
            () = app.clock.sleep(PAUSE) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

async fn store(app: &AppState, lost: &[Loss]) -> Result<(), String> {
    store_gaps(app, lost).await.map_err(|problem| problem.detail)?;
    let app = AppState::clone(app);
    let told = tokio::task::spawn_blocking(move || app.store.losses_told()).await;
    told.map_err(|died| error_chain(&died))?.map_err(|failure| error_chain(&failure))
}

async fn store_gaps(app: &App, lost: &[Loss]) -> Result<(), Problem> {
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
        let gaps = gaps(lost, workspace.id, workspace.created_at, app.started);
        if gaps.is_empty() {
            continue;
        }
        let mut rows = app.rows(workspace.id)?;
        for gap in gaps {
            rows.gap(source, &gap, SERVER, app.clock.now())
                .map_err(|error| Problem::internal("making a gap's row", &error))?;
        }
        app.store_rows(workspace.id, rows, None).await?;
    }
    Ok(())
}

/// A time of which rows may be missing, and why.
#[derive(Debug)]
struct Stretch<'l> {
    start: Timestamp,
    end: Timestamp,
    losses: Vec<&'l Loss>,
}

impl<'l> Stretch<'l> {
    fn of(loss: &'l Loss, made: Timestamp, opened: Timestamp) -> Self {
        let start = loss.after.unwrap_or(made);
        let start = match loss.rows {
            LostRows::Calls(_) | LostRows::Log | LostRows::Table(_) | LostRows::Commits(_) => start.max(made),
            // Rows may be of before their workspace was made: an agent sends what it had noticed.
            LostRows::File { .. } => start,
        };
        // What was accepted next may have been older than what was accepted before.
        let end = loss.before.filter(|before| *before >= start).unwrap_or(opened).max(start);
        Self { start, end, losses: vec![loss] }
    }

    fn into_gap(self) -> Gap {
        let is_file = |loss: &&Loss| matches!(loss.rows, LostRows::File { .. });
        let (from, to) = (Moment(self.start), Moment(self.end));
        let what = described(self.losses.iter().copied());
        let missing = if self.losses.iter().all(is_file) {
            format!("these rows, of {from} to {to}, are missing")
        } else {
            format!(
                "what the server accepted from {from} to {to}, from any machine and of earlier times too, may be missing"
            )
        };
        let detail = format!("{}; {missing}", what.join("; "));
        let (start, end) = (self.start, Some(self.end));
        Gap { scope: GapScope::Everything, start, end, cause: GapCause::RecordsLost, detail }
    }
}

/// What is lost, in a few clauses: the data files of a table together, and so the many stretches of the ingest log.
fn described<'l>(lost: impl IntoIterator<Item = &'l Loss>) -> Vec<String> {
    let mut clauses = Vec::new();
    let mut files: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut calls: Vec<&RangeInclusive<u64>> = Vec::new();
    for loss in lost {
        match &loss.rows {
            LostRows::Calls(positions) => calls.push(positions),
            LostRows::Log => clauses.push("the ingest log has fewer records than were in it".to_owned()),
            LostRows::Table(table) => clauses.push(format!("the table {table} is gone from the store")),
            LostRows::Commits(table) => clauses.push(format!("the table {table} is older than it was")),
            LostRows::File { table, rows } => {
                let (count, sum) = files.entry(table).or_default();
                *count += 1;
                *sum += rows;
            }
        }
    }
    match calls.as_slice() {
        [] => {}
        [one] => clauses.push(format!("{} of the ingest log cannot be read any more", records(one))),
        [first, .., last] => {
            let (count, first, last) = (calls.len(), first.start(), last.end());
            clauses.push(format!(
                "{count} stretches of the ingest log, between records {first} and {last}, cannot be read any more"
            ));
        }
    }
    for (table, (count, rows)) in files {
        clauses.push(match count {
            1 => format!("a data file of {table} with {rows} rows is gone or not whole"),
            _ => format!("{count} data files of {table} with {rows} rows are gone or not whole"),
        });
    }
    clauses
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
    use super::*;

    const WORKSPACE: Uuid = Uuid::from_u128(1);

    #[test]
    fn a_loss_is_a_gap_between_its_neighbours() {
        check(&[calls(Some(100), Some(200))], &[(100, 200)]);
    }

    #[test]
    fn a_loss_without_neighbours_reaches_from_the_workspace_s_making_to_the_opening() {
        check(&[calls(None, None)], &[(10, 900)]);
        check(&[calls(Some(5), None)], &[(10, 900)]);
        check(&[loss(LostRows::Table("Heartbeat".to_owned()), None, None)], &[(10, 900)]);
    }

    #[test]
    fn a_late_batch_after_a_loss_does_not_shorten_it() {
        check(&[calls(Some(100), Some(50))], &[(100, 900)]);
    }

    #[test]
    fn a_log_that_is_gone_is_a_gap_since_the_last_row_in_files() {
        check(&[loss(LostRows::Log, Some(300), None)], &[(300, 900)]);
    }

    #[test]
    fn a_table_that_is_older_than_it_was_is_a_gap_since_its_last_row() {
        check(&[loss(LostRows::Commits("Heartbeat".to_owned()), Some(300), None)], &[(300, 900)]);
    }

    #[test]
    fn lost_files_are_gaps_over_the_times_of_their_rows_also_before_the_workspace_was_made() {
        check(&[file(200, 300), file(500, 600), file(3, 5)], &[(3, 5), (200, 300), (500, 600)]);
    }

    #[test]
    fn losses_of_times_that_overlap_are_one_gap_that_says_them_all() {
        let lost = [file(200, 300), file(250, 400), calls(Some(300), Some(350)), calls(Some(350), Some(360))];
        check(&lost, &[(200, 400)]);
        let gap = gaps(&lost, WORKSPACE, Timestamp(10), Timestamp(900)).remove(0);
        let what = "2 stretches of the ingest log, between records 3 and 4, cannot be read any more; 2 data files of \
                    Heartbeat with 14 rows are gone or not whole; what the server accepted from";
        assert!(gap.detail.starts_with(what), "{}", gap.detail);
    }

    #[test]
    fn what_another_workspace_has_lost_is_no_gap() {
        let other = Loss { workspace: Some(Uuid::from_u128(2)), ..file(200, 300) };
        check(&[other], &[]);
    }

    fn loss(rows: LostRows, after: Option<i64>, before: Option<i64>) -> Loss {
        let workspace = match rows {
            LostRows::Calls(_) | LostRows::Log => None,
            LostRows::Table(_) | LostRows::Commits(_) | LostRows::File { .. } => Some(WORKSPACE),
        };
        Loss { rows, workspace, after: after.map(Timestamp), before: before.map(Timestamp) }
    }

    fn calls(after: Option<i64>, before: Option<i64>) -> Loss {
        loss(LostRows::Calls(3..=4), after, before)
    }

    fn file(first: i64, last: i64) -> Loss {
        loss(LostRows::File { table: "Heartbeat".to_owned(), rows: 7 }, Some(first), Some(last))
    }

    fn check(lost: &[Loss], stretches: &[(i64, i64)]) {
        let gaps = gaps(lost, WORKSPACE, Timestamp(10), Timestamp(900));
        let found: Vec<_> = gaps.iter().map(|gap| (gap.start.0, gap.end.unwrap().0)).collect();
        assert_eq!(found, stretches);
    }
}
