//! The vigil: a thread that waits for nobody, and so tells when the others, or all of them, could not go on.
//!
//! It looks at the clocks, whether or not anything notices changes in real time, and whether what does still answers: it
//! may wait for a file system that is dead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::Timestamp;
use fim_log::RealDisk;

use crate::clocks::Clocks;
use crate::inbox::Inbox;
use crate::shared_spool::SharedSpool;
use crate::status::SharedStatus;
use crate::time::now;

/// What keeps the vigil.
pub(crate) struct Vigil {
    pub inbox: Arc<Inbox>,
    pub status: SharedStatus,
    /// Where it hears that the sensor ends.
    pub spool: Arc<SharedSpool<RealDisk>>,
}

impl Vigil {
    /// Looks every second until the sensor ends.
    pub fn run(self) {
        let mut clocks = Clocks::new(now(), Instant::now());
        while self.spool.wait_until(Instant::now() + LOOK_EVERY) {
            look(&self.inbox, &self.status, &mut clocks, now(), Instant::now());
        }
    }
}

/// Looks once, when the clocks show this.
fn look(inbox: &Inbox, status: &SharedStatus, clocks: &mut Clocks, wall: Timestamp, steady: Instant) {
    inbox.put_hints(&mut clocks.look(wall, steady).into_iter().collect());
    if inbox.miss_heard(MOST_MISSED, WHY) {
        tracing::error!(WHY, "scans find what changes until it answers");
        // Unless it has answered meanwhile, and said so.
        status.update(|status| {
            if inbox.is_given_up() {
                status.show_silence(WHY);
            }
        });
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often in a row nothing may be heard of what notices changes: it says a word each twentieth of a second, and a canary
/// that it does not hear is missed earlier.
const MOST_MISSED: u32 = 30;

const WHY: &str =
    "what notices changes in real time has not answered for 30 seconds: it may wait for a file system";

#[cfg(test)]
mod tests {
    use fim_core::{GapCause, Loss, Notice};

    use super::*;
    use crate::inbox::Message;

    /// What the engine is told: whether changes are noticed, and what was lost.
    fn told(inbox: &Inbox) -> (Option<bool>, Vec<Loss>) {
        let is_on = inbox.take_real_time();
        let Message::Hints(hints) = inbox.take() else { return (is_on, Vec::new()) };
        let losses = hints.into_iter().map(|hint| match hint.notice {
            Notice::Lost(loss) => loss,
            other => panic!("{other:?}"),
        });
        (is_on, losses.collect())
    }

    #[test]
    fn a_sensor_that_notices_nothing_in_real_time_tells_that_it_was_held_as_well() {
        let (inbox, status) = (Inbox::default(), SharedStatus::default());
        let (wall, steady) = (Timestamp(5), Instant::now());
        let mut clocks = Clocks::new(wall, steady);
        let hour = Duration::from_secs(3600);
        look(&inbox, &status, &mut clocks, wall.plus_nanos(3600 * 1_000_000_000), steady + hour);
        let (is_on, losses) = told(&inbox);
        let [loss] = losses.as_slice() else { panic!("{losses:?}") };
        assert_eq!((is_on, loss.cause, loss.since), (None, GapCause::AgentSuspended, wall));
    }

    #[test]
    fn what_notices_changes_and_does_not_answer_is_a_loss_since_it_was_heard_and_told_once() {
        let (inbox, status) = (Inbox::default(), SharedStatus::default());
        let steady = Instant::now();
        let mut clocks = Clocks::new(now(), steady);
        let mut looks = |times: u32| {
            (0..times).for_each(|_| look(&inbox, &status, &mut clocks, now(), steady));
            told(&inbox)
        };
        assert_eq!(looks(2 * MOST_MISSED), (None, Vec::new()), "nothing is there that could be heard");
        inbox.set_heard(Some(Timestamp(7)));
        assert_eq!(looks(MOST_MISSED), (None, Vec::new()));
        inbox.set_heard(Some(Timestamp(8)));
        assert_eq!(looks(MOST_MISSED), (None, Vec::new()));
        let (is_on, losses) = looks(2 * MOST_MISSED);
        let [loss] = losses.as_slice() else { panic!("{losses:?}") };
        assert_eq!((is_on, loss.cause, loss.since), (Some(false), GapCause::NoticesLost, Timestamp(8)));
        let shown = status.get();
        assert_eq!((shown.provider.as_str(), shown.real_time_error.as_deref()), ("scan", Some(WHY)));
        assert_eq!(inbox.settled_until(Timestamp(9)), Timestamp(8), "nothing since is claimed");
        assert!(inbox.set_heard(Some(Timestamp(20))), "it is told when it answers");
        let (is_on, losses) = told(&inbox);
        let [loss] = losses.as_slice() else { panic!("{losses:?}") };
        assert_eq!((is_on, loss.cause, loss.since), (Some(true), GapCause::NoticesLost, Timestamp(8)));
        assert!(!inbox.set_heard(Some(Timestamp(21))));
    }
}
