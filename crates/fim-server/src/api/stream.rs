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
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::model::Change;
use crate::app::{App, AppState, stopped};
use crate::clock::Moment;
use crate::control::WorkspaceRecord;
use crate::ingest::feed::Subscription;
use crate::problem::{ApiQuery, Kind, Problem};
use crate::report::changes;

/// From where to watch.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamFrom {
    /// The id of the last change seen, or a moment; from now on if absent. `Last-Event-ID` does the same.
    pub after: Option<String>,
}

/// Changes as server-sent events: `change` with a change as its data and its id as the event's. A reader that is too
/// slow gets `lagged`, and the stream ends; it comes back with `after`.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/changes/stream", tag = "changes",
    params(("ws" = String, Path, description = "The workspace's id or name."), StreamFrom),
    responses((status = 200, description = "Events without end.", body = Change, content_type = "text/event-stream"))
)]
pub async fn stream_changes(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    headers: HeaderMap,
    ApiQuery(from): ApiQuery<StreamFrom>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let Ok(place) = Arc::clone(&app.stream_places).try_acquire_owned() else {
        return Err(Problem::new(Kind::Unavailable, "as many streams as may are open; try again later")
            .retry_after(10));
    };
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let after = last.or(from.after).filter(|after| !after.is_empty());
    let subscription = app.feeds.subscribe(workspace.id, after.as_deref());
    let missed = match &after {
        Some(after) if !subscription.is_seamless => catch_up(&app, &workspace, after).await?,
        Some(_) | None => subscription.missed.iter().map(|change| Change::clone(change)).collect(),
    };
    let watcher = Watcher::new(missed, subscription, app.stop.clone(), place);
    let events = futures::stream::unfold(watcher, Watcher::next);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("still here")))
}

/// What came after a change or a moment that the feed no longer remembers, from the tables.
async fn catch_up(app: &App, workspace: &WorkspaceRecord, after: &str) -> Result<Vec<Change>, Problem> {
    let internal = |error| Problem::internal("reading the changes", &error);
    let (since, seen) = match Moment::parse(after) {
        Some(moment) => (moment.0, None),
        None => {
            let table = app.report(workspace.id, &changes::by_id_query(after)).await?;
            let row = table.rows().next().ok_or_else(|| {
                Problem::new(
                    Kind::BadRequest,
                    format!("after is \"{after}\", which is neither a change's id nor a moment"),
                )
            })?;
            (row.time("TimeGenerated").map_err(internal)?.0, Some(after))
        }
    };
    let table = app.report(workspace.id, &changes::since_query(since, MOST_CAUGHT_UP)).await?;
    let found: Vec<Change> = table.rows().map(changes::change).collect::<Result<_, _>>().map_err(internal)?;
    Ok(found.into_iter().filter(|change| is_after(change, since, seen)).collect())
}

/// Of the moment itself, what follows the change that was seen.
fn is_after(change: &Change, since: Timestamp, seen: Option<&str>) -> bool {
    change.time.0 > since || seen.is_some_and(|seen| change.id.as_str() > seen)
}

/// One reader's place in the stream.
struct Watcher {
    missed: std::vec::IntoIter<Change>,
    /// Changes that were caught up from the tables and may come again live.
    caught_up: HashSet<String>,
    changes: broadcast::Receiver<Arc<Change>>,
    stop: watch::Receiver<bool>,
    has_lagged: bool,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    fn new(
        missed: Vec<Change>,
        subscription: Subscription,
        stop: watch::Receiver<bool>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let caught_up = missed.iter().map(|change| change.id.clone()).collect();
        Self {
            missed: missed.into_iter(),
            caught_up,
            changes: subscription.changes,
            stop,
            has_lagged: false,
            _place: place,
        }
    }

    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        if self.has_lagged {
            return None;
        }
        if let Some(change) = self.missed.next() {
            return Some((Ok(event(&change)), self));
        }
        loop {
            let received = tokio::select! {
                received = self.changes.recv() => received,
                () = stopped(&mut self.stop) => return None,
            };
            match received {
                Ok(change) if self.caught_up.remove(&change.id) => {}
                Ok(change) => return Some((Ok(event(&change)), self)),
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    self.has_lagged = true;
                    return Some((Ok(Event::default().event("lagged").data(lost.to_string())), self));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

fn event(change: &Change) -> Event {
    let event = Event::default().event("change").id(change.id.clone());
    // JSON has no line ends, so it is one line of data.
    event.data(serde_json::to_string(change).unwrap_or_default())
}

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const MOST_CAUGHT_UP: usize = 10_000;
