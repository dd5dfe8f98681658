//! Whether the server lives, whether it can work, and what it counts.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use fim_core::Timestamp;
use tokio::sync::Mutex;

use crate::app::{App, AppState};
use crate::auth;
use crate::connection::{ConnectionPlace, Peer};
use crate::metrics::Gauge;
use crate::network::is_this_machine;
use crate::problem::{Kind, Problem};

/// The process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// The server can work: its control database answers, its store takes rows, and it is not stopping.
pub async fn ready(State(app): State<AppState>) -> Result<&'static str, Problem> {
    if *app.stop.borrow() {
        return Err(Problem::new(Kind::Unavailable, "the server is stopping").retry_after(5));
    }
    if !app.control.is_alive().await {
        return Err(Problem::new(Kind::Unavailable, "the control database does not answer").retry_after(5));
    }
    if !app.store.is_working() {
        let detail =
            "a thread of the store has ended; the server's log says why, and a new start sets it right";
        return Err(Problem::new(Kind::Unavailable, detail).retry_after(30));
    }
    Ok("ready\n")
}

/// Counters and gauges in the Prometheus text format. They name nobody and nothing; yet how many machines there are, and
/// how much of them is not watched, is for those alone who are on the server's machine or have credentials of any role.
pub async fn metrics(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    Extension(connection): Extension<Arc<ConnectionPlace>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    if !is_this_machine(peer.address.ip()) {
        let actor = auth::known_caller(&app, peer.transport, &headers).await?;
        connection.authorised(&actor.holder());
    }
    let now = app.clock.now();
    let figures = app.figures.get(&app, now).await?;
    let uptime = u64::try_from(now.nanos_since(app.started) / 1_000_000_000).unwrap_or(0);
    let [connections, connections_limit] = app.connection_places.gauges();
    let [waiting_agents, waiting_agents_limit] = app.settings_waits.gauges();
    let gauges = [
        Gauge { name: "workspaces", help: "Workspaces.", value: figures.workspaces },
        Gauge { name: "machines", help: "Machines enrolled.", value: figures.machines },
        Gauge {
            name: "machines_reporting",
            help: "Machines heard within three heartbeats.",
            value: figures.machines_reporting,
        },
        Gauge {
            name: "open_gaps",
            help: "Stretches that are not watched right now.",
            value: figures.open_gaps,
        },
        Gauge { name: "uptime_seconds", help: "Seconds since the server started.", value: uptime },
        connections,
        connections_limit,
        waiting_agents,
        waiting_agents_limit,
    ];
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.metrics.render(&gauges)))
}

/// Figures that the control database is asked for, kept for a few seconds: whoever may ask for them asks as often as he
/// likes.
#[derive(Debug, Default)]
pub struct Figures(Mutex<Option<(Timestamp, Counts)>>);

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    workspaces: u64,
    machines: u64,
    machines_reporting: u64,
    open_gaps: u64,
}

impl Figures {
    async fn get(&self, app: &App, now: Timestamp) -> Result<Counts, Problem> {
        // Who comes while another counts waits for that one's figures.
        let mut kept = self.0.lock().await;
        if let Some((counted, counts)) = *kept
            && (0..KEPT_NANOS).contains(&now.nanos_since(counted))
        {
            return Ok(counts);
        }
        let counts = count(app, now).await?;
        *kept = Some((now, counts));
        Ok(counts)
    }
}

async fn count(app: &App, now: Timestamp) -> Result<Counts, Problem> {
    let internal = |error| Problem::internal("counting", &error);
    let workspaces = app.control.workspaces().await.map_err(internal)?;
    let mut counts = Counts { workspaces: workspaces.len() as u64, ..Counts::default() };
    for workspace in &workspaces {
        let machines = app.control.machines(workspace.id).await.map_err(internal)?;
        let is_reporting = |machine: &&_| crate::api::is_reporting(machine, workspace, now);
        counts.machines += machines.len() as u64;
        counts.machines_reporting += machines.iter().filter(is_reporting).count() as u64;
        let open = app.control.open_gap_counts(workspace.id).await.map_err(internal)?;
        counts.open_gaps += open.values().map(|open| open.all).sum::<u64>();
    }
    Ok(counts)
}

/// Five seconds, which is less than the time between two visits of a collector.
const KEPT_NANOS: i64 = 5_000_000_000;
