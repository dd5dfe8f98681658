//! How fast a scan may go.

/// The speeds that a scan keeps to; `None` is as fast as it can.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SpeedLimit {
    /// How many bytes may be read in a second.
    pub bytes_per_second: Option<u64>,
    /// How many files may be opened in a second.
    pub files_per_second: Option<u64>,
}

/// Two token buckets, one for bytes and one for files, that know the time only from their caller.
///
/// A bucket holds at most a second's worth. Work is done first and paid afterwards, so that a file larger than the
/// bucket gets through; the debt is waited off before the next.
#[derive(Clone, Debug)]
pub struct Throttle {
    bytes: Option<Bucket>,
    files: Option<Bucket>,
}

impl Throttle {
    /// Full buckets at `now_nanos`, the reading of any clock that does not go back.
    pub fn new(limit: SpeedLimit, now_nanos: u64) -> Self {
        let bucket = |per_second: u64| Bucket::new(per_second, now_nanos);
        Self { bytes: limit.bytes_per_second.map(bucket), files: limit.files_per_second.map(bucket) }
    }

    /// True if there is any limit to keep.
    pub fn is_limited(&self) -> bool {
        self.bytes.is_some() || self.files.is_some()
    }

    /// Pays for work that has been done, and says how many nanoseconds to wait before more.
    pub fn pay(&mut self, bytes: u64, files: u64, now_nanos: u64) -> u64 {
        let for_bytes = self.bytes.as_mut().map_or(0, |bucket| bucket.pay(bytes, now_nanos));
        let for_files = self.files.as_mut().map_or(0, |bucket| bucket.pay(files, now_nanos));
        for_bytes.max(for_files)
    }
}

/// Counts in billionths of a token, so that no time is too short to fill something in.
#[derive(Clone, Debug)]
struct Bucket {
    per_second: u64,
    level: i128,
    at_nanos: u64,
}

impl Bucket {
    fn new(per_second: u64, now_nanos: u64) -> Self {
        // A limit of nothing would wait for ever; the slowest speed that gets anywhere is 1.
        let per_second = per_second.max(1);
        Self { per_second, level: i128::from(per_second) * NANOS_PER_SECOND, at_nanos: now_nanos }
    }

    fn pay(&mut self, tokens: u64, now_nanos: u64) -> u64 {
        let elapsed = now_nanos.saturating_sub(self.at_nanos);
        self.at_nanos = self.at_nanos.max(now_nanos);
        let rate = i128::from(self.per_second);
        self.level = (self.level + i128::from(elapsed) * rate).min(rate * NANOS_PER_SECOND);
        self.level -= i128::from(tokens) * NANOS_PER_SECOND;
        let debt = (-self.level).max(0);
        u64::try_from((debt + rate - 1) / rate).unwrap_or(u64::MAX)
    }
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn bytes(per_second: u64) -> Throttle {
        Throttle::new(SpeedLimit { bytes_per_second: Some(per_second), files_per_second: None }, 0)
    }

    #[test]
    fn without_a_limit_nothing_waits() {
        let mut throttle = Throttle::new(SpeedLimit::default(), 0);
        assert!(!throttle.is_limited());
        assert_eq!(throttle.pay(u64::MAX, u64::MAX, 0), 0);
    }

    #[test]
    fn a_second_s_worth_passes_at_once_and_the_rest_is_waited_for() {
        let mut throttle = bytes(1000);
        assert_eq!(throttle.pay(1000, 0, 0), 0);
        assert_eq!(throttle.pay(500, 0, 0), SECOND / 2);
        assert_eq!(throttle.pay(0, 0, SECOND / 2), 0);
    }

    #[test]
    fn idle_time_is_not_saved_up_beyond_a_second() {
        let mut throttle = bytes(1000);
        assert_eq!(throttle.pay(3000, 0, 100 * SECOND), 2 * SECOND);
    }

    #[test]
    fn the_tighter_of_two_limits_decides() {
        let limit = SpeedLimit { bytes_per_second: Some(1_000_000), files_per_second: Some(10) };
        let mut throttle = Throttle::new(limit, 0);
        assert_eq!(throttle.pay(100, 20, 0), SECOND);
    }

    #[test]
    fn a_limit_of_nothing_is_slow_but_ends() {
        assert_eq!(bytes(0).pay(3, 0, 0), 2 * SECOND);
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let mut throttle = bytes(1000);
        throttle.pay(1000, 0, 5 * SECOND);
        assert_eq!(throttle.pay(1000, 0, SECOND), SECOND);
    }

    proptest! {
        #[test]
        fn whoever_waits_as_told_keeps_the_limit(
            per_second in 1u64..100_000,
            work in prop::collection::vec(0u64..200_000, 1..50),
        ) {
            let mut throttle = bytes(per_second);
            let (mut now, mut done) = (0, 0);
            for amount in work {
                now += throttle.pay(amount, 0, now);
                done += amount;
                let allowed = u128::from(now) * u128::from(per_second) / u128::from(SECOND) + u128::from(per_second);
                prop_assert!(u128::from(done) <= allowed + 1);
            }
        }
    }
}
