//! Whether the server lives, whether it can work, and what it counts.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::app::AppState;
use crate::metrics::Gauge;
use crate::problem::{Kind, Problem};

/// The process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// The server can work: its control database answers and it is not stopping.
pub async fn ready(State(app): State<AppState>) -> Result<&'static str, Problem> {
    if *app.stop.borrow() {
        return Err(Problem::new(Kind::Unavailable, "the server is stopping").retry_after(5));
    }
    if !app.control.is_alive().await {
        return Err(Problem::new(Kind::Unavailable, "the control database does not answer").retry_after(5));
    }
    Ok("ready\n")
}

/// Counters and gauges in the Prometheus text format. They name nobody and nothing.
pub async fn metrics(State(app): State<AppState>) -> Result<impl IntoResponse, Problem> {
    let internal = |error| Problem::internal("counting", &error);
    let now = app.clock.now();
    let workspaces = app.control.workspaces().await.map_err(internal)?;
    let (mut machines, mut reporting, mut gaps) = (0, 0, 0);
    for workspace in &workspaces {
        let records = app.control.machines(workspace.id).await.map_err(internal)?;
        machines += records.len() as u64;
        let is_reporting = |record: &&_| crate::api::is_reporting(record, workspace, now);
        reporting += records.iter().filter(is_reporting).count() as u64;
        gaps += app.control.open_gap_counts(workspace.id).await.map_err(internal)?.values().sum::<u64>();
    }
    let uptime = u64::try_from(now.nanos_since(app.started) / 1_000_000_000).unwrap_or(0);
    let gauges = [
        Gauge { name: "workspaces", help: "Workspaces.", value: workspaces.len() as u64 },
        Gauge { name: "machines", help: "Machines enrolled.", value: machines },
        Gauge {
            name: "machines_reporting",
            help: "Machines heard within three heartbeats.",
            value: reporting,
        },
        Gauge { name: "open_gaps", help: "Stretches that are not watched right now.", value: gaps },
        Gauge { name: "uptime_seconds", help: "Seconds since the server started.", value: uptime },
    ];
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render(&gauges)))
}
