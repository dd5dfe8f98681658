//! Agents that wait for new settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rustix::process::{Resource, getrlimit};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::auth::locked;
use crate::config::Limits;
use crate::metrics::Gauge;

/// So many agents may wait at a time, each machine once.
#[derive(Debug)]
pub struct SettingsWaits {
    most: usize,
    machines: Arc<Mutex<HashMap<Uuid, Arc<Notify>>>>,
}

/// A machine's wait until it is dropped.
#[derive(Debug)]
pub struct SettingsWait {
    machine: Uuid,
    end: Arc<Notify>,
    machines: Arc<Mutex<HashMap<Uuid, Arc<Notify>>>>,
}

impl SettingsWaits {
    /// As many may wait as the limits say, and no more than leave files for all else of those that may be open.
    pub fn within(limits: &Limits, open_files: u64) -> Self {
        let taken = FILES_BESIDE_CONNECTIONS.saturating_add(limits.connections as u64);
        let left = usize::try_from(open_files.saturating_sub(taken)).unwrap_or(usize::MAX);
        if left < limits.waiting_agents {
            tracing::warn!(
                "this process may have {open_files} files open at once, so that no more than {left} agents wait for new \
                 settings; the others have them with their heartbeats, or raise that limit (LimitNOFILE, ulimit -n)"
            );
        }
        Self::new(limits.waiting_agents.min(left))
    }

    /// `most` may wait, and nobody does.
    fn new(most: usize) -> Self {
        Self { most, machines: Arc::default() }
    }

    /// Lets the machine wait, and ends the wait that it may have begun before: whoever began that has gone and not said so,
    /// or is another who calls himself the same. `None` if as many wait as may.
    pub fn begin(&self, machine: Uuid) -> Option<SettingsWait> {
        let end = Arc::new(Notify::new());
        let mut machines = locked(&self.machines);
        if machines.len() >= self.most && !machines.contains_key(&machine) {
            return None;
        }
        if let Some(before) = machines.insert(machine, Arc::clone(&end)) {
            before.notify_one();
        }
        Some(SettingsWait { machine, end, machines: Arc::clone(&self.machines) })
    }

    /// Ends the machine's wait, if there is one.
    pub fn end(&self, machine: Uuid) {
        if let Some(end) = locked(&self.machines).remove(&machine) {
            end.notify_one();
        }
    }

    /// How many wait, of how many that may.
    pub fn gauges(&self) -> [Gauge; 2] {
        let waiting = locked(&self.machines).len();
        let help = "Agents that wait for new settings.";
        let help_most = "Agents that may wait for new settings.";
        [
            Gauge { name: "waiting_agents", help, value: waiting as u64 },
            Gauge { name: "waiting_agents_limit", help: help_most, value: self.most as u64 },
        ]
    }
}

/// How many files this process may have open at once.
pub fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// What tables, logs and the database have open, and room.
const FILES_BESIDE_CONNECTIONS: u64 = 1024;

impl SettingsWait {
    /// Waits until the machine waits elsewhere, or may not any more.
    pub async fn ended(&self) {
        self.end.notified().await;
    }
}

impl Drop for SettingsWait {
    fn drop(&mut self) {
        let mut machines = locked(&self.machines);
        if machines.get(&self.machine).is_some_and(|end| Arc::ptr_eq(end, &self.end)) {
            machines.remove(&self.machine);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn is_ended(wait: &SettingsWait) -> bool {
        wait.ended().now_or_never().is_some()
    }

    #[test]
    fn those_who_wait_leave_files_for_all_else() {
        let limits = Limits { connections: 2000, waiting_agents: 500, ..Limits::default() };
        for (open_files, most) in [(0, 0), (3024, 0), (3025, 1), (4000, 500), (u64::MAX, 500)] {
            let waits = SettingsWaits::within(&limits, open_files);
            assert_eq!(waits.gauges()[1].value, most, "{open_files} files");
        }
    }

    #[test]
    fn so_many_machines_wait_at_a_time_and_each_once() {
        let waits = SettingsWaits::new(2);
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let first = waits.begin(a).unwrap();
        let other = waits.begin(b).unwrap();
        assert!(waits.begin(c).is_none(), "two wait");
        let second = waits.begin(a).expect("a machine has its place");
        assert!(is_ended(&first) && !is_ended(&second) && !is_ended(&other));
        drop(first);
        assert!(waits.begin(c).is_none(), "what was ended before keeps nobody's place and gives none away");
        drop(other);
        assert!(waits.begin(c).is_some());
        waits.end(a);
        assert!(is_ended(&second));
        drop(second);
        assert_eq!(waits.gauges()[0].value, 0);
    }
}
