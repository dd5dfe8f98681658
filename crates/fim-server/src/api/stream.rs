//! Changes as they arrive.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use fim_core::Timestamp;
use futures::Stream;
use serde::Deserialize;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::model::Change;
use crate::app::{App, AppState, stopped};
use crate::auth::Pass;
use crate::clock::{Moment, nanos_of};
use crate::control::WorkspaceRecord;
use crate::ingest::feed::Subscription;
use crate::problem::{ApiQuery, Kind, Problem};
use crate::report::changes::{self, Receipt};
use crate::shares::Place;

/// From where to watch.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamFrom {
    /// The id of the last event seen, or a moment; from now on if absent. `Last-Event-ID` does the same.
    pub after: Option<String>,
}

/// Changes as server-sent events: `change` with a change as its data and its id as the event's. The first event has an
/// id only, to come back with if there was no change. What was received after the event that is named comes first, the
/// late ones too, and then `caught-up`; after a restart of the server some of before come again, so that none is missed. A
/// reader that is too slow gets `lagged`, and the stream ends; it comes back with `after`. The stream also ends when its caller's token,
/// session or workspace does.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/changes/stream", tag = "changes",
    params(("ws" = String, Path, description = "The workspace's id or name."), StreamFrom),
    responses((status = 200, description = "Events without end.", body = Change, content_type = "text/event-stream"))
)]
pub async fn stream_changes(
    State(app): State<AppState>,
    Extension(pass): Extension<Pass>,
    Extension(workspace): Extension<WorkspaceRecord>,
    headers: HeaderMap,
    ApiQuery(from): ApiQuery<StreamFrom>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let place = app.stream_places.take(workspace.id, Duration::ZERO).await.map_err(|why| {
        Problem::new(Kind::Unavailable, format!("no stream is opened: {why}; close one or try again later"))
            .retry_after(10)
    })?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let after = last.or(from.after).filter(|after| !after.is_empty());
    let guard = Guard::new(&app, pass);
    let subscription = app.feeds.subscribe(workspace.id, after.as_deref());
    let since = app.clock.now().plus_nanos(-nanos_of(UNDER_WAY));
    let behind = match &after {
        Some(after) if !subscription.is_seamless => Some(receipt(&app, &workspace, after).await?),
        Some(_) | None => None,
    };
    let watcher = Watcher::new(app, guard, workspace.id, subscription, Beginning { behind, since, place });
    let events = futures::stream::unfold(watcher, Watcher::next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("still here")))
}

/// Where the reader is who saw that event last, which the feed no longer remembers.
async fn receipt(app: &App, workspace: &WorkspaceRecord, after: &str) -> Result<Receipt, Problem> {
    if let Some(moment) = Moment::parse(after) {
        return Ok(Receipt { at: moment.0, id: String::new() });
    }
    let table = app.report(workspace.id, &changes::receipt_query(after)).await?;
    let row = table.rows().next().ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            format!("after is \"{after}\", which is neither a change's id nor a moment"),
        )
    })?;
    let seen = changes::received(row).map_err(|error| Problem::internal("reading the changes", &error))?;
    // Batches that were received a little before it may have been stored after it.
    Ok(Receipt { at: seen.at.plus_nanos(-nanos_of(UNDER_WAY)), id: String::new() })
}

/// Where a stream begins, and the place among all streams that it takes.
struct Beginning {
    /// From where the tables are to be read, if the feed does not remember what was missed.
    behind: Option<Receipt>,
    /// What was received from then on may come live.
    since: Timestamp,
    place: Place,
}

/// One reader's place in the stream.
struct Watcher {
    app: AppState,
    guard: Guard,
    workspace: Uuid,
    /// The event without a change, until it is sent.
    first: Option<Event>,
    missed: std::vec::IntoIter<Change>,
    behind: Option<Receipt>,
    /// The event after what was missed, until it is sent.
    caught_up_event: Option<Event>,
    since: Timestamp,
    /// Changes that were caught up from the tables and may come again live.
    caught_up: HashSet<String>,
    changes: broadcast::Receiver<Arc<Change>>,
    stop: watch::Receiver<bool>,
    has_lagged: bool,
    _place: Place,
}

impl Watcher {
    fn new(
        app: AppState,
        guard: Guard,
        workspace: Uuid,
        subscription: Subscription,
        Beginning { behind, since, place }: Beginning,
    ) -> Self {
        let missed: Vec<Change> = subscription.missed.iter().map(|change| Change::clone(change)).collect();
        let is_new = !subscription.is_seamless && behind.is_none();
        Self {
            stop: app.stop.clone(),
            app,
            guard,
            workspace,
            first: is_new.then(|| Event::default().id(Moment(since).to_string())),
            missed: missed.into_iter(),
            behind,
            caught_up_event: (!is_new).then(|| Event::default().event("caught-up").data("{}")),
            since,
            caught_up: HashSet::new(),
            changes: subscription.changes,
            has_lagged: false,
            _place: place,
        }
    }

    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.has_lagged {
            return None;
        }
        let mut received: Option<Arc<Change>> = None;
        loop {
            // Before every event, so that none goes to whoever may read no more.
            if !self.guard.lets_on().await {
                return None;
            }
            if let Some(first) = self.first.take() {
                return Some((Ok(first), self));
            }
            if let Some(change) = received.take() {
                return Some((Ok(event(&change)), self));
            }
            if let Some(change) = self.missed.next() {
                return Some((Ok(event(&change)), self));
            }
            if let Some(behind) = self.behind.take() {
                self.catch_up(&behind).await.ok()?;
                continue;
            }
            if let Some(event) = self.caught_up_event.take() {
                return Some((Ok(event), self));
            }
            tokio::select! {
                change = self.changes.recv() => match change {
                    Ok(change) if self.caught_up.remove(&change.id) => {}
                    Ok(change) => received = Some(change),
                    Err(broadcast::error::RecvError::Lagged(lost)) => {
                        self.has_lagged = true;
                        return Some((Ok(Event::default().event("lagged").data(lost.to_string())), self));
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                () = self.guard.wait() => {}
                () = stopped(&mut self.stop) => return None,
            }
        }
    }

    /// Reads a page of what was received after that place from the tables, and remembers where the next one begins.
    async fn catch_up(&mut self, behind: &Receipt) -> Result<(), Problem> {
        let internal = |error| Problem::internal("reading the changes", &error);
        let query = changes::received_after_query(behind, PAGE_ROWS);
        let table = self.app.report(self.workspace, &query).await?;
        let mut page = Vec::new();
        let mut last = None;
        for row in table.rows() {
            let change = changes::change(row).map_err(internal)?;
            let place = changes::received(row).map_err(internal)?;
            if place.at >= self.since {
                self.caught_up.insert(change.id.clone());
            }
            page.push(change);
            last = Some(place);
        }
        self.behind = last.filter(|_| page.len() == PAGE_ROWS);
        self.missed = page.into_iter();
        Ok(())
    }
}

/// Asks whether a stream's reader may still read: at once when anything was revoked, else now and then, since what lets
/// a caller in can also run out.
struct Guard {
    app: AppState,
    pass: Pass,
    revocations: watch::Receiver<u64>,
    ask_at: Timestamp,
}

impl Guard {
    fn new(app: &AppState, pass: Pass) -> Self {
        let app = AppState::clone(app);
        // Asked at once: what was revoked between the gate and here is not told.
        Self { revocations: app.control.revocations(), ask_at: app.clock.now(), app, pass }
    }

    async fn lets_on(&mut self) -> bool {
        let now = self.app.clock.now();
        if now < self.ask_at && !self.revocations.has_changed().unwrap_or(true) {
            return true;
        }
        // Before the answer, so that what is revoked meanwhile is asked for again.
        self.revocations.mark_unchanged();
        self.ask_at = now.plus_nanos(nanos_of(KEEP_ALIVE));
        self.pass.is_good(&self.app).await
    }

    /// Waits until it is time to ask again.
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.revocations.changed() => self.ask_at = self.app.clock.now(),
            () = self.app.clock.sleep_until(self.ask_at) => {}
        }
    }
}

fn event(change: &Change) -> Event {
    let event = Event::default().event("change").id(change.id.clone());
    // JSON has no line ends, so it is one line of data.
    event.data(serde_json::to_string(change).unwrap_or_default())
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Rows that are read from the tables at a time.
const PAGE_ROWS: usize = 1_000;
/// Longer than a batch is under way from its receipt until it is stored and told to those who watch.
const UNDER_WAY: Duration = Duration::from_secs(120);
