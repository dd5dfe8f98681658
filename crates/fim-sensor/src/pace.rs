//! Whether the engine goes on: it says so at each step, and others see when it has not for long.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_core::Timestamp;

/// When the engine was last known to go on.
#[derive(Debug)]
pub(crate) struct Pace {
    patience: Duration,
    /// Nothing while it has nothing to do.
    last: Mutex<Option<Step>>,
}

/// A step of the engine. Waits are told by the clock that does not jump.
#[derive(Clone, Copy, Debug)]
struct Step {
    when: Instant,
    at: Timestamp,
}

impl Pace {
    /// An engine that may take so long over one step.
    pub fn new(patience: Duration) -> Self {
        Self { patience, last: Mutex::default() }
    }

    /// Notes that the engine goes on at `now`. If the step before took too long, that is since when nothing was done.
    pub fn step(&self, now: Timestamp) -> Option<Timestamp> {
        let before = self.lock().replace(Step { when: Instant::now(), at: now });
        before.filter(|step| self.is_over(step)).map(|step| step.at)
    }

    /// Notes that the engine has nothing to do.
    pub fn rest(&self) {
        *self.lock() = None;
    }

    /// Since when the engine has not gone on, if that is too long.
    pub fn stuck_since(&self) -> Option<Timestamp> {
        self.lock().filter(|step| self.is_over(step)).map(|step| step.at)
    }

    /// When the engine went on last, by both clocks, if it has something to do.
    pub fn last(&self) -> Option<(Instant, Timestamp)> {
        self.lock().map(|step| (step.when, step.at))
    }

    /// How long the engine may take over one step.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    fn is_over(&self, step: &Step) -> bool {
        step.when.elapsed() >= self.patience
    }

    fn lock(&self) -> MutexGuard<'_, Option<Step>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_takes_too_long_over_a_step_is_stuck_since_the_step_began() {
        let pace = Pace::new(Duration::ZERO);
        assert_eq!(pace.stuck_since(), None, "it has not begun");
        assert_eq!(pace.step(Timestamp(1)), None);
        assert_eq!(pace.stuck_since(), Some(Timestamp(1)));
        assert_eq!(pace.step(Timestamp(2)), Some(Timestamp(1)), "what it passed over is told");
        pace.rest();
        assert_eq!((pace.stuck_since(), pace.step(Timestamp(3))), (None, None), "who rests is not stuck");
    }

    #[test]
    fn an_engine_that_goes_on_is_not_stuck() {
        let pace = Pace::new(Duration::MAX);
        assert_eq!((pace.step(Timestamp(1)), pace.step(Timestamp(2))), (None, None));
        assert_eq!(pace.stuck_since(), None);
    }
}
