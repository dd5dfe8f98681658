//! Changes as they arrive, for whoever watches a workspace.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use uuid::Uuid;

use crate::api::model::Change;

/// The live feeds of all workspaces.
#[derive(Debug, Default)]
pub struct Feeds(Mutex<HashMap<Uuid, Feed>>);

/// A watcher's place in a feed.
#[derive(Debug)]
pub struct Subscription {
    /// Changes that came after the one asked for and are still remembered, the oldest first.
    pub missed: Vec<Arc<Change>>,
    /// True if the change asked for is still remembered, so that nothing lies between it and `missed`.
    pub is_seamless: bool,
    /// Changes from now on. Whoever reads too slowly is told how many were lost.
    pub changes: broadcast::Receiver<Arc<Change>>,
}

#[derive(Debug)]
struct Feed {
    recent: VecDeque<Arc<Change>>,
    sender: broadcast::Sender<Arc<Change>>,
}

impl Feeds {
    /// Hands changes to everyone who watches the workspace. Never waits: a slow watcher loses its place instead.
    pub fn publish(&self, workspace: Uuid, changes: Vec<Change>) {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let feed = feeds.entry(workspace).or_insert_with(Feed::new);
        for change in changes {
            let change = Arc::new(change);
            if feed.recent.len() == REMEMBERED {
                feed.recent.pop_front();
            }
            feed.recent.push_back(Arc::clone(&change));
            // Nobody watching is no error.
            let _ = feed.sender.send(change);
        }
    }

    /// Watches the workspace, from right after the change `after` if that is still remembered.
    pub fn subscribe(&self, workspace: Uuid, after: Option<&str>) -> Subscription {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let feed = feeds.entry(workspace).or_insert_with(Feed::new);
        // Under one lock with `publish`: no change is both missed and live, and none is neither.
        let changes = feed.sender.subscribe();
        let place = after.and_then(|after| feed.recent.iter().rposition(|change| change.id == after));
        let missed = place.map(|place| feed.recent.range(place + 1..).cloned().collect());
        Subscription { is_seamless: missed.is_some(), missed: missed.unwrap_or_default(), changes }
    }

    /// Ends a workspace's feed for whoever watches it.
    pub fn end(&self, workspace: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&workspace);
    }
}

impl Feed {
    fn new() -> Self {
        Self { recent: VecDeque::new(), sender: broadcast::channel(QUEUED).0 }
    }
}

/// Changes remembered for watchers who come back.
const REMEMBERED: usize = 2048;
/// Changes that wait for one watcher before it loses its place.
const QUEUED: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::model::{ChangeCategory, ChangeType};
    use crate::clock::Moment;

    #[test]
    fn who_comes_back_gets_what_was_missed_and_then_what_comes() {
        let feeds = Feeds::default();
        let workspace = Uuid::from_u128(1);
        feeds.publish(workspace, vec![change("a"), change("b"), change("c")]);
        let mut back = feeds.subscribe(workspace, Some("a"));
        feeds.publish(workspace, vec![change("d")]);
        assert!(back.is_seamless);
        assert_eq!(back.missed.iter().map(|change| change.id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(back.changes.try_recv().unwrap().id, "d");
    }

    #[test]
    fn who_was_away_too_long_is_told() {
        let feeds = Feeds::default();
        let workspace = Uuid::from_u128(1);
        feeds.publish(workspace, vec![change("a")]);
        feeds.publish(workspace, (0..REMEMBERED).map(|number| change(&number.to_string())).collect());
        assert!(!feeds.subscribe(workspace, Some("a")).is_seamless);
    }

    #[test]
    fn one_workspace_hears_nothing_of_another() {
        let feeds = Feeds::default();
        let mut there = feeds.subscribe(Uuid::from_u128(2), None);
        feeds.publish(Uuid::from_u128(1), vec![change("a")]);
        assert!(there.changes.try_recv().is_err());
    }

    fn change(id: &str) -> Change {
        Change {
            id: id.to_owned(),
            time: Moment::default(),
            event_time: None,
            machine: "m".to_owned(),
            change_type: ChangeType::Files,
            category: ChangeCategory::Added,
            entity: "/x".to_owned(),
            kind: None,
            moved_from: None,
            fields: vec![],
            rule: "r".to_owned(),
            source: "Scan".to_owned(),
            who: None,
            actor: None,
            others: vec![],
            more_others: 0,
            who_unknown: None,
            explanation: None,
            version_before: None,
            version_after: None,
        }
    }
}
