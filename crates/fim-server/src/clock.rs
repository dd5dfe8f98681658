//! Time as the server tells it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use fim_core::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokio::sync::watch;
use utoipa::ToSchema;

/// Where the server's time comes from.
///
/// A test sets its own time, so that expiry and silence are tested without waiting. Certificates are judged by it too.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<watch::Sender<i64>>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is set.
    pub fn manual(now: Timestamp) -> Self {
        Self(Some(Arc::new(watch::Sender::new(now.0))))
    }

    /// Moves a manual clock; the machine's own goes by itself.
    pub fn advance(&self, by: Duration) {
        if let Some(nanos) = &self.0 {
            nanos.send_modify(|now| *now = now.saturating_add(nanos_of(by)));
        }
    }

    /// Waits until the clock has gone on by that much.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now().plus_nanos(nanos_of(duration))).await;
    }

    /// Waits until the clock says that moment or a later one.
    pub async fn sleep_until(&self, until: Timestamp) {
        let Some(nanos) = &self.0 else {
            let left = u64::try_from(until.nanos_since(self.now())).unwrap_or(0);
            return tokio::time::sleep(Duration::from_nanos(left)).await;
        };
        // The sender is ours, so it cannot be gone.
        let _ = nanos.subscribe().wait_for(|now| *now >= until.0).await;
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(nanos) => Timestamp(*nanos.borrow()),
            None => Timestamp(Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX)),
        }
    }
}

/// A duration in nanoseconds, or the longest that can be written.
pub fn nanos_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// `seconds` in nanoseconds, or the longest that can be written.
pub fn seconds_to_nanos(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000)
}

/// A moment as the API writes it: ISO 8601 in UTC with `Z`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, ToSchema)]
#[schema(value_type = String, format = DateTime, examples("2026-11-22T18:00:00.0000000Z"))]
pub struct Moment(pub Timestamp);

impl Moment {
    /// Reads RFC 3339; `None` if the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text.trim())
            .ok()?
            .timestamp_nanos_opt()
            .map(|nanos| Self(Timestamp(nanos)))
    }
}

impl std::fmt::Display for Moment {
    /// Seven digits of a second, as the published tables have them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text =
            DateTime::<Utc>::from_timestamp_nanos(self.0.0).to_rfc3339_opts(SecondsFormat::Nanos, true);
        // Nine digits and `Z` become seven and `Z`.
        match text.get(..text.len().saturating_sub(3)) {
            Some(seven) => write!(f, "{seven}Z"),
            None => f.write_str(&text),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("\"{text}\" is no moment; write it as 2026-11-22T18:00:00Z"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_seven_digits_and_reads_back() {
        let moment = Moment(Timestamp(1_700_000_000_123_456_700));
        assert_eq!(moment.to_string(), "2023-11-14T22:13:20.1234567Z");
        assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
    }

    #[test]
    fn a_manual_clock_moves_when_it_is_told() {
        let clock = Clock::manual(Timestamp(5));
        clock.clone().advance(Duration::from_nanos(7));
        assert_eq!(clock.now(), Timestamp(12));
    }

    #[tokio::test]
    async fn sleep_ends_when_the_clock_that_it_goes_by_is_there() {
        let clock = Clock::manual(Timestamp(5));
        let mut sleep = std::pin::pin!(clock.sleep(Duration::from_nanos(10)));
        assert!(futures::poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_nanos(9));
        assert!(futures::poll!(&mut sleep).is_pending());
        clock.advance(Duration::from_nanos(1));
        assert!(futures::poll!(&mut sleep).is_ready());
    }
}
