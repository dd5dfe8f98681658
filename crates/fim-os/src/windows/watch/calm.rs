//! Keeps what changes all the time from being looked at all the time.

use std::time::{Duration, Instant};

use fim_core::Timestamp;

/// When a key is told of which the system says only that something in it changed, so that all of it is looked at: at once,
/// and while it goes on changing after a second, two, four and so on, up to a minute.
#[derive(Debug, Default)]
pub(super) struct Calm {
    pause: Duration,
    rest_end: Option<Instant>,
    waiting_since: Option<Timestamp>,
}

impl Calm {
    /// Notes a change, which happened after `since`.
    pub(super) fn notice(&mut self, since: Timestamp) {
        self.waiting_since.get_or_insert(since);
    }

    /// Since when something waits to be told.
    pub(super) fn waiting_since(&self) -> Option<Timestamp> {
        self.waiting_since
    }

    /// After when what is to be told now happened, if there is something.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timestamp> {
        if self.rest_end.is_some_and(|end| now < end) {
            return None;
        }
        let since = self.waiting_since.take()?;
        let was_calm = self.rest_end.is_none_or(|end| now >= end + self.pause);
        self.pause = if was_calm { SHORTEST } else { (self.pause * 2).min(LONGEST) };
        self.rest_end = Some(now + self.pause);
        Some(since)
    }
}

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_all_the_time_is_told_ever_more_seldom_and_nothing_is_left_out() {
        let begin = Instant::now();
        let mut calm = Calm::default();
        let mut told = Vec::new();
        for second in 0..200_u32 {
            calm.notice(Timestamp(second.into()));
            let since = calm.take_due(begin + Duration::from_secs(second.into()));
            told.extend(since.map(|since| (second, since.0)));
        }
        assert_eq!(
            told,
            [(0, 0), (1, 1), (3, 2), (7, 4), (15, 8), (31, 16), (63, 32), (123, 64), (183, 124)],
            "when, and since when"
        );
        assert_eq!(calm.waiting_since(), Some(Timestamp(184)));
        let late = begin + Duration::from_secs(1000);
        assert_eq!(calm.take_due(late), Some(Timestamp(184)));
        assert_eq!(calm.take_due(late), None);
        calm.notice(Timestamp(1000));
        assert_eq!(calm.take_due(late + Duration::from_secs(1)), Some(Timestamp(1000)), "calm again");
    }
}
