//! Two clocks side by side tell that the machine's was set, and that this process was held.

use std::time::{Duration, Instant};

use fim_core::{GapCause, Hint, Timestamp};

use crate::real_time::lost_everything;

/// What the two clocks said last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    wall: Timestamp,
    steady: Instant,
}

impl Clocks {
    pub(crate) fn new(wall: Timestamp, steady: Instant) -> Self {
        Self { wall, steady }
    }

    /// Looks at the clocks again. Between two looks there is hardly more than a second, unless something held it; and
    /// both clocks go equally far, unless one was set or the machine slept.
    pub(crate) fn look(&mut self, wall: Timestamp, steady: Instant) -> Option<Hint> {
        let passed = steady.saturating_duration_since(self.steady);
        let passed_nanos = i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX);
        let jump_nanos = wall.nanos_since(self.wall).saturating_sub(passed_nanos);
        let before = std::mem::replace(self, Self { wall, steady });
        if jump_nanos.abs() > TOLERATED_JUMP_NANOS {
            let seconds = jump_nanos as f64 / 1e9;
            let detail = format!("the clock jumped by {seconds:+.1} seconds, or the machine slept");
            return Some(lost_everything(before.wall.min(wall), GapCause::ClockChanged, detail));
        }
        if passed > TOLERATED_HOLD {
            let detail = format!("the agent was held for {:.1} seconds", passed.as_secs_f64());
            return Some(lost_everything(before.wall, GapCause::AgentSuspended, detail));
        }
        None
    }
}

/// Time services move a clock by less than this without setting it.
const TOLERATED_JUMP_NANOS: i64 = 5_000_000_000;

/// A machine that is overloaded may keep a process waiting for some seconds.
const TOLERATED_HOLD: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use fim_core::Notice;

    use super::*;

    #[test]
    fn clocks_that_go_together_tell_nothing() {
        assert_eq!(after(1000, 1000), None);
        assert_eq!(after(5000, 1000), None);
        assert_eq!(after(-2000, 1000), None);
    }

    #[test]
    fn a_clock_that_was_set_is_told_with_how_far() {
        let jumped = after(3_600_050, 50).unwrap();
        assert_eq!(
            jumped,
            (GapCause::ClockChanged, "the clock jumped by +3600.0 seconds, or the machine slept".to_owned())
        );
        let jumped = after(-3_599_950, 50).unwrap();
        assert_eq!(
            jumped,
            (GapCause::ClockChanged, "the clock jumped by -3600.0 seconds, or the machine slept".to_owned())
        );
    }

    #[test]
    fn a_process_that_was_held_tells_for_how_long() {
        let held = after(60_000, 60_000).unwrap();
        assert_eq!(held, (GapCause::AgentSuspended, "the agent was held for 60.0 seconds".to_owned()));
    }

    fn after(wall_millis: i64, steady_millis: u64) -> Option<(GapCause, String)> {
        let (wall, steady) = (Timestamp(0), Instant::now());
        let mut clocks = Clocks::new(wall, steady);
        let hint = clocks
            .look(wall.plus_nanos(wall_millis * 1_000_000), steady + Duration::from_millis(steady_millis))?;
        match hint.notice {
            Notice::Lost(loss) => Some((loss.cause, loss.detail)),
            other => panic!("{other:?}"),
        }
    }
}
