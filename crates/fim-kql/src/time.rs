//! Moments and lengths of time in the ticks of KQL: 100 ns each.

use std::fmt;

/// Ticks in one second.
pub const TICKS_PER_SECOND: i64 = 10_000_000;
/// Ticks in one day.
pub const TICKS_PER_DAY: i64 = 86_400 * TICKS_PER_SECOND;

/// A moment in UTC: ticks of 100 ns since 1970-01-01, negative before it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DateTime(pub i64);

/// A length of time in ticks of 100 ns, which may be negative.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TimeSpan(pub i64);

impl DateTime {
    /// 0001-01-01, the first moment that KQL can express.
    pub const MIN: DateTime = DateTime(-719_162 * TICKS_PER_DAY);
    /// The last tick of the year 9999.
    pub const MAX: DateTime = DateTime(2_932_897 * TICKS_PER_DAY - 1);

    /// The moment with this date and time of day, or none if there is no such date, or it is out of range.
    ///
    /// `ticks` is the fraction of the second, below [`TICKS_PER_SECOND`].
    pub fn from_parts(date: Date, hour: u32, minute: u32, second: u32, ticks: i64) -> Option<Self> {
        let is_time = hour < 24 && minute < 60 && second < 60 && (0..TICKS_PER_SECOND).contains(&ticks);
        if !is_time {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Self(date.days_since_epoch()? * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + ticks).in_range()
    }

    /// The same moment, or none if KQL cannot express it.
    pub fn in_range(self) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&self).then_some(self)
    }

    /// The calendar date of this moment.
    pub fn date(self) -> Date {
        Date::from_days_since_epoch(self.0.div_euclid(TICKS_PER_DAY))
    }

    /// The ticks since midnight.
    pub fn time_of_day(self) -> TimeSpan {
        TimeSpan(self.0.rem_euclid(TICKS_PER_DAY))
    }
}

/// A day of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Date {
    /// The year, 1 to 9999.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: u32,
    /// The day of the month, from 1.
    pub day: u32,
}

impl Date {
    /// Days since 1970-01-01, or none if the calendar has no such day.
    pub fn days_since_epoch(self) -> Option<i64> {
        let is_date = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_in_month(self.year, self.month)).contains(&self.day);
        if !is_date {
            return None;
        }
        // The year is taken to start in March, so that the leap day is its last; 400 years are 146,097 days.
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = i64::from((self.month + 9) % 12);
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(era * 146_097 + day_of_era - 719_468)
    }

    /// The date that is `days` after 1970-01-01.
    pub fn from_days_since_epoch(days: i64) -> Self {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month + 2) / 5 + 1) as u32;
        let calendar_month = if month < 10 { month + 3 } else { month - 9 } as u32;
        let year = year_of_era + era * 400 + i64::from(calendar_month <= 2);
        Self { year, month: calendar_month, day }
    }
}

/// How many days the month has, 28 to 31.
pub fn days_in_month(year: i64, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// As the query API writes it: `2026-11-22T18:05:00.0000000Z`.
impl fmt::Display for DateTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date { year, month, day } = self.date();
        let ticks = self.time_of_day().0;
        let (seconds, fraction) = (ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:07}Z")
    }
}

/// As the query API writes it: `-1.02:03:04.5000000`; whole days and the fraction only where they are not zero.
impl fmt::Display for TimeSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ticks = self.0.unsigned_abs();
        let per_second = TICKS_PER_SECOND.unsigned_abs();
        let (seconds, fraction) = (ticks / per_second, ticks % per_second);
        let (days, hour, minute, second) =
            (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        if self.0 < 0 {
            formatter.write_str("-")?;
        }
        if days > 0 {
            write!(formatter, "{days}.")?;
        }
        write!(formatter, "{hour:02}:{minute:02}:{second:02}")?;
        if fraction > 0 {
            write!(formatter, ".{fraction:07}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_survives_the_way_through_days() {
        for days in (-719_162..2_932_897).step_by(97) {
            assert_eq!(Date::from_days_since_epoch(days).days_since_epoch(), Some(days));
        }
    }

    #[test]
    fn the_ends_of_the_range_are_the_first_and_last_day() {
        assert_eq!(DateTime::MIN.to_string(), "0001-01-01T00:00:00.0000000Z");
        assert_eq!(DateTime::MAX.to_string(), "9999-12-31T23:59:59.9999999Z");
    }

    #[test]
    fn a_day_that_the_calendar_lacks_is_none() {
        assert_eq!(Date { year: 2023, month: 2, day: 29 }.days_since_epoch(), None);
        assert!(Date { year: 2024, month: 2, day: 29 }.days_since_epoch().is_some());
    }

    #[test]
    fn a_timespan_is_written_as_the_query_api_writes_it() {
        assert_eq!(TimeSpan(0).to_string(), "00:00:00");
        assert_eq!(TimeSpan(TICKS_PER_DAY + 1).to_string(), "1.00:00:00.0000001");
        assert_eq!(TimeSpan(-36_005_000_000).to_string(), "-01:00:00.5000000");
        assert_eq!(TimeSpan(i64::MIN).to_string(), "-10675199.02:48:05.4775808");
    }
}
