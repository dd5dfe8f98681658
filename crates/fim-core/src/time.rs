//! Time as a number that an observer gave.

/// Nanoseconds since the Unix epoch, by the clock of the observer.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment that Windows writes as so many tenths of a microsecond since 1601, or the nearest that can be
    /// written; nothing for 0, which means that there is none.
    pub fn from_windows(ticks: i64) -> Option<Self> {
        (ticks != 0).then(|| Self(ticks.saturating_sub(TICKS_BEFORE_1970).saturating_mul(100)))
    }

    /// The moment `nanos` later, or the last moment that can be written.
    pub fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// How long after `earlier` this is, in nanoseconds; negative if it is before.
    pub fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// From the beginning of 1601 to that of 1970.
const TICKS_BEFORE_1970: i64 = 116_444_736_000_000_000;
