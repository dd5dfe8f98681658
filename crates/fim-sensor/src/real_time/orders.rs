//! What the engine wants to be watched, as it is told to the thread that listens.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fim_core::{ScanPlan, Timestamp};

use crate::time::now;

/// What the engine wants to be watched.
#[derive(Debug)]
pub(crate) struct WatchOrders {
    slots: Mutex<Orders>,
    changed: Condvar,
    /// How long an order is waited for.
    patience: Duration,
}

#[derive(Debug, Default)]
struct Orders {
    /// True while somebody performs orders.
    is_served: bool,
    plan: Option<Arc<ScanPlan>>,
    /// How many orders there were, and how many have been performed.
    given: u64,
    performed: u64,
    /// When the first of those orders was given that nobody waits for any more though they have not been performed.
    late_since: Option<Timestamp>,
}

impl Default for WatchOrders {
    fn default() -> Self {
        Self::with_patience(LONGEST_ORDER)
    }
}

impl WatchOrders {
    /// Orders that are waited for so long.
    pub fn with_patience(patience: Duration) -> Self {
        Self { slots: Mutex::default(), changed: Condvar::new(), patience }
    }

    /// Has the plan watched, unless that is ordered already; returns once it is, or somebody takes too long over it.
    /// What happens from the order on until it is performed is told as a loss then.
    pub fn watch(&self, plan: &Arc<ScanPlan>) {
        let asked = now();
        let mut slots = self.lock();
        if slots.plan.as_ref() == Some(plan) {
            return;
        }
        slots.plan = Some(Arc::clone(plan));
        slots.given += 1;
        let wanted = slots.given;
        self.changed.notify_all();
        let waits = |slots: &mut Orders| slots.is_served && slots.performed < wanted;
        let waited = self.changed.wait_timeout_while(slots, self.patience, waits);
        let (mut slots, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            tracing::warn!("what is watched in real time takes long to be changed");
            slots.late_since.get_or_insert(asked);
        }
    }

    /// Says that orders are performed from now on, or no more.
    pub fn serve(&self, is_served: bool) {
        self.lock().is_served = is_served;
        self.changed.notify_all();
    }

    /// The plan, if it is another than that of the order `performed`.
    pub fn newer_than(&self, performed: u64) -> Option<(u64, Arc<ScanPlan>)> {
        let slots = self.lock();
        let plan = slots.plan.as_ref().filter(|_| slots.given > performed)?;
        Some((slots.given, Arc::clone(plan)))
    }

    /// Notes that an order has been performed. Gives when it was given, if nobody has waited for that: what happened
    /// since may not have been watched.
    pub fn perform(&self, order: u64) -> Option<Timestamp> {
        let mut slots = self.lock();
        slots.performed = order;
        self.changed.notify_all();
        slots.late_since.take()
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LONGEST_ORDER: Duration = Duration::from_secs(10);
