//! Places of which no caller and no workspace can take all.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::auth::locked;

tokio::task_local! {
    /// Whose call is answered. The gate says it for everything that is done while a call is answered, so that no handler
    /// on the way to a place has to hand it on.
    static HOLDER: Holder;
}

/// Who holds places, whatever the call: a user with all sessions, or a token.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Holder {
    /// The user with this id.
    User(Uuid),
    /// The API token of this name, also by what it was exchanged for.
    Token(String),
}

impl Holder {
    /// Whose call is answered here; none outside of the API's calls.
    pub fn current() -> Option<Self> {
        HOLDER.try_with(Clone::clone).ok()
    }

    /// Answers what the caller asked for. The body is his as well, however long it goes on: what asks while it is sent
    /// asks for him.
    pub async fn answer(self, answering: impl Future<Output = Response>) -> Response {
        let answer = HOLDER.scope(self.clone(), answering).await;
        answer.map(|body| Body::new(HeldBody { holder: self, body }))
    }
}

/// The body of an answer, made in its caller's name.
struct HeldBody {
    holder: Holder,
    body: Body,
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { holder, body } = &mut *self;
        HOLDER.sync_scope(holder.clone(), || Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How many places there are, and whose.
#[derive(Clone, Copy, Debug)]
pub struct SharesOf {
    /// All of them.
    pub all: usize,
    /// The most that one caller has.
    pub caller: usize,
    /// The most that the callers of one workspace have.
    pub workspace: usize,
}

/// Places of which no caller and no workspace can take all.
#[derive(Debug)]
pub struct Shares {
    most: SharesOf,
    all: Arc<Semaphore>,
    callers: Holders<Option<Holder>>,
    workspaces: Holders<Uuid>,
}

/// A place until it is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "they are kept for being dropped")] [OwnedSemaphorePermit; 3]);

/// Why there is no place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoPlace {
    /// The caller has so many, which are as many as one may have.
    Caller(usize),
    /// The workspace's callers have so many, which are as many as those of one may have.
    Workspace(usize),
    /// All of so many are taken.
    All(usize),
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(most) => write!(f, "{most} of yours are under way, as many as one caller may have"),
            Self::Workspace(most) => {
                write!(f, "{most} of this workspace are under way, as many as one workspace may have")
            }
            Self::All(most) => write!(f, "{most} are under way, as many as may at the same time"),
        }
    }
}

impl Shares {
    /// Places, none of them taken.
    pub fn new(most: SharesOf) -> Self {
        Self {
            most,
            all: Arc::new(Semaphore::new(most.all)),
            callers: Holders::new(most.caller),
            workspaces: Holders::new(most.workspace),
        }
    }

    /// A place for the caller whose call is answered; waits for one at most so long.
    pub async fn take(&self, workspace: Uuid, patience: Duration) -> Result<Place, NoPlace> {
        let until = Instant::now() + patience;
        let place = |places: Arc<Semaphore>, why: NoPlace| async move {
            // A place that is free is taken even by whoever has no time to wait. The semaphores are never closed.
            match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => Ok(place),
                Err(_) => timeout_at(until, places.acquire_owned()).await.map_err(|_| why)?.map_err(|_| why),
            }
        };
        // The widest comes last, so that nobody keeps it from others while he waits for his own.
        let of_caller = place(self.callers.of(Holder::current()), NoPlace::Caller(self.most.caller)).await?;
        let of_workspace =
            place(self.workspaces.of(workspace), NoPlace::Workspace(self.most.workspace)).await?;
        let of_all = place(Arc::clone(&self.all), NoPlace::All(self.most.all)).await?;
        Ok(Place([of_caller, of_workspace, of_all]))
    }

    /// Returns when no place is taken.
    pub async fn drained(&self) {
        // The semaphore is never closed, so there is no error.
        let _ = self.all.acquire_many(u32::try_from(self.most.all).unwrap_or(u32::MAX)).await;
    }
}

/// The places of each who has some.
#[derive(Debug)]
pub struct Holders<K> {
    most: usize,
    places: Mutex<HashMap<K, Arc<Semaphore>>>,
}

impl<K: Eq + Hash> Holders<K> {
    /// So many places for each.
    pub fn new(most: usize) -> Self {
        Self { most, places: Mutex::default() }
    }

    /// A place of his, if he has one left.
    pub fn try_take(&self, holder: K) -> Option<OwnedSemaphorePermit> {
        self.of(holder).try_acquire_owned().ok()
    }

    fn of(&self, holder: K) -> Arc<Semaphore> {
        let mut places = locked(&self.places);
        // Whoever has a place or waits for one has the semaphore as well: the others start anew.
        places.retain(|_, places| Arc::strong_count(places) > 1);
        Arc::clone(places.entry(holder).or_insert_with(|| Arc::new(Semaphore::new(self.most))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Uuid = Uuid::from_u128(1);
    const B: Uuid = Uuid::from_u128(2);

    async fn take(shares: &Shares, caller: u8, workspace: Uuid) -> Result<Place, NoPlace> {
        HOLDER.scope(Holder::Token(caller.to_string()), shares.take(workspace, Duration::ZERO)).await
    }

    #[tokio::test]
    async fn no_caller_and_no_workspace_takes_all() {
        let shares = Shares::new(SharesOf { all: 4, caller: 2, workspace: 3 });
        let mut held = vec![take(&shares, 1, A).await.unwrap(), take(&shares, 1, B).await.unwrap()];
        assert_eq!(take(&shares, 1, A).await.unwrap_err(), NoPlace::Caller(2));
        held.push(take(&shares, 2, A).await.unwrap());
        held.push(take(&shares, 2, A).await.unwrap());
        assert_eq!(take(&shares, 3, A).await.unwrap_err(), NoPlace::Workspace(3));
        assert_eq!(take(&shares, 3, B).await.unwrap_err(), NoPlace::All(4));
        held.remove(1);
        held.push(take(&shares, 3, B).await.unwrap());
        held.clear();
        // Who was refused keeps nothing, and nobody is remembered for ever.
        assert!(take(&shares, 1, A).await.is_ok());
        assert!(locked(&shares.callers.places).len() == 1 && locked(&shares.workspaces.places).len() == 1);
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_that_becomes_free() {
        let shares = Shares::new(SharesOf { all: 1, caller: 1, workspace: 1 });
        let first = take(&shares, 1, A).await.unwrap();
        let waits = HOLDER.scope(Holder::Token("2".to_owned()), shares.take(B, Duration::from_secs(600)));
        tokio::pin!(waits);
        assert!(futures::poll!(&mut waits).is_pending());
        drop(first);
        assert!(waits.await.is_ok());
    }
}
