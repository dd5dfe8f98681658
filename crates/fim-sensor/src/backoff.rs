//! How long to wait before a failed call to the server is made again.

use std::time::Duration;

/// The wait after `attempt` failures in a row (0 for the first), between half and all of a time that doubles from
/// one second to five minutes. `random` chooses within that, so that a fleet does not come back all at once.
pub fn backoff(attempt: u32, random: u64) -> Duration {
    let whole = FIRST_MILLIS.saturating_mul(1 << attempt.min(20)).min(LONGEST_MILLIS);
    Duration::from_millis(whole / 2 + random % (whole / 2 + 1))
}

/// The wait that the server asked for, within reason: it never silences a sensor for longer than an hour.
pub fn retry_after(asked: Duration) -> Duration {
    asked.clamp(Duration::from_millis(100), Duration::from_secs(3600))
}

const FIRST_MILLIS: u64 = 1_000;
const LONGEST_MILLIS: u64 = 300_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let longest: Vec<u64> = (0..12).map(|attempt| backoff(attempt, 0).as_millis() as u64 * 2).collect();
        assert_eq!(longest[..4], [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(longest[9..], [300_000; 3]);
    }

    proptest! {
        #[test]
        fn the_wait_is_never_nothing_and_never_above_five_minutes(attempt: u32, random: u64) {
            let wait = backoff(attempt, random);
            prop_assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(300));
        }
    }
}
