//! The thread that waits for notices of lists and wakes the engine with them.

use std::sync::Arc;
use std::time::Duration;

use fim_core::error_chain;
use fim_scan::lists::{ListNotices, ListWatcher};

use crate::inbox::Inbox;
use crate::status::SharedStatus;

/// What the thread works with.
pub(crate) struct ListWatch {
    pub watcher: Arc<dyn ListWatcher>,
    pub inbox: Arc<Inbox>,
    pub status: SharedStatus,
}

impl ListWatch {
    /// Works until the inbox says to stop, or nothing more is noticed: then lists are compared from time to time.
    pub fn run(self) {
        let mut shown = None;
        while !self.inbox.is_stopping() {
            let why = match self.watcher.wait(WAIT) {
                Ok(notices) => {
                    if notices != ListNotices::default() {
                        self.inbox.put_list_notices(notices);
                    }
                    self.watcher.trouble()
                }
                Err(error) => return self.show(Some(error_chain(&error))),
            };
            if why != shown {
                self.show(why.clone());
                shown = why;
            }
        }
    }

    /// Shows why changes are not noticed when they happen, if they are not.
    fn show(&self, why: Option<String>) {
        if let Some(why) = &why {
            tracing::warn!(why, "changes of lists are not noticed when they happen; comparing finds them");
        }
        self.status.update(|status| status.lists_unnoticed = why);
    }
}

/// How long one wait is; stopping waits for its end.
const WAIT: Duration = Duration::from_millis(100);
