//! Word of each change of a workspace's settings, for who waits for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Sqlite, Transaction};
use tokio::sync::watch;
use uuid::Uuid;

use super::{Control, ControlError, failed};

/// How often the settings of each workspace were changed since somebody waited for that first.
#[derive(Debug, Default)]
pub(super) struct SettingsChanges(Mutex<HashMap<Uuid, watch::Sender<u64>>>);

/// The workspaces whose settings a transaction changes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Changed {
    /// This one.
    One(Uuid),
    /// Any may be.
    All,
}

impl Control {
    /// Tells of each change of the workspace's settings from now on, once it is in the database; ends when the workspace
    /// is deleted. Who looks at the settings after this and then waits misses none.
    pub fn settings_changes(&self, workspace: Uuid) -> watch::Receiver<u64> {
        let mut workspaces = self.settings_changes.0.lock().unwrap_or_else(PoisonError::into_inner);
        workspaces.entry(workspace).or_insert_with(|| watch::channel(0).0).subscribe()
    }

    /// Commits a change of settings and tells of it: both are done though the caller hangs up meanwhile.
    pub(super) async fn commit_settings(
        &self,
        transaction: Transaction<'static, Sqlite>,
        changed: Changed,
        doing: &'static str,
    ) -> Result<(), ControlError> {
        let changes = Arc::clone(&self.settings_changes);
        let work = async move {
            let committed = transaction.commit().await;
            // Also after a failure: who looks in vain waits on.
            changes.tell(changed);
            committed
        };
        let done = tokio::spawn(work).await;
        done.unwrap_or(Err(sqlx::Error::WorkerCrashed)).map_err(failed(doing))
    }

    /// Ends what waits for changes of a workspace that is no more.
    pub(super) fn end_settings_changes(&self, workspace: Uuid) {
        self.settings_changes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&workspace);
    }
}

impl SettingsChanges {
    fn tell(&self, changed: Changed) {
        let workspaces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = workspaces.iter().filter(|(workspace, _)| match changed {
            Changed::One(one) => **workspace == one,
            Changed::All => true,
        });
        told.for_each(|(_, changes)| changes.send_modify(|times| *times = times.wrapping_add(1)));
    }
}
