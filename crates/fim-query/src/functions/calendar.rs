//! Moments on the calendar; pure.

use fim_kql::{Date, DateTime, TICKS_PER_DAY, TICKS_PER_SECOND, days_in_month};

/// Ticks in a microsecond, a millisecond, a minute and an hour.
pub(crate) const TICKS_PER_MICROSECOND: i64 = 10;
pub(crate) const TICKS_PER_MILLISECOND: i64 = 10_000;
pub(crate) const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub(crate) const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;

/// The parts of a moment that the language can name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Part {
    /// The part that a query calls `name`, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" | "weekofyear" | "week_of_year" => Self::Week,
            "day" => Self::Day,
            "dayofyear" | "day_of_year" => Self::DayOfYear,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            "microsecond" => Self::Microsecond,
            "nanosecond" => Self::Nanosecond,
            _ => return None,
        })
    }

    /// The number of this part in a moment.
    pub fn of(self, moment: DateTime) -> i64 {
        let date = moment.date();
        let ticks = moment.time_of_day().0;
        let fraction = ticks % TICKS_PER_SECOND;
        match self {
            Self::Year => date.year,
            Self::Quarter => i64::from((date.month - 1) / 3 + 1),
            Self::Month => date.month.into(),
            Self::Week => iso_week(moment),
            Self::Day => date.day.into(),
            Self::DayOfYear => day_of_year(moment),
            Self::Hour => ticks / TICKS_PER_HOUR,
            Self::Minute => ticks / TICKS_PER_MINUTE % 60,
            Self::Second => ticks / TICKS_PER_SECOND % 60,
            Self::Millisecond => fraction / TICKS_PER_MILLISECOND,
            Self::Microsecond => fraction / TICKS_PER_MICROSECOND,
            Self::Nanosecond => fraction * 100,
        }
    }

    /// How many boundaries of this part lie between two moments, positive if `later` is later.
    pub fn boundaries(self, later: DateTime, earlier: DateTime) -> i64 {
        let between = |size: i64| later.0.div_euclid(size) - earlier.0.div_euclid(size);
        match self {
            Self::Year => later.date().year - earlier.date().year,
            Self::Quarter => quarters(later) - quarters(earlier),
            Self::Month => months(later) - months(earlier),
            // Weeks start on Sunday; 1970-01-01 was a Thursday.
            Self::Week => {
                let week = |moment: DateTime| (day_number(moment) + 4).div_euclid(7);
                week(later) - week(earlier)
            }
            Self::Day | Self::DayOfYear => between(TICKS_PER_DAY),
            Self::Hour => between(TICKS_PER_HOUR),
            Self::Minute => between(TICKS_PER_MINUTE),
            Self::Second => between(TICKS_PER_SECOND),
            Self::Millisecond => between(TICKS_PER_MILLISECOND),
            Self::Microsecond => between(TICKS_PER_MICROSECOND),
            Self::Nanosecond => later.0.wrapping_sub(earlier.0).wrapping_mul(100),
        }
    }

    /// The moment `amount` of these later; `None` beyond the years 1 to 9999.
    pub fn add(self, moment: DateTime, amount: i64) -> Option<DateTime> {
        let shifted = |size: i64| DateTime(moment.0.checked_add(amount.checked_mul(size)?)?).in_range();
        match self {
            Self::Year => add_months(moment, amount.checked_mul(12)?),
            Self::Quarter => add_months(moment, amount.checked_mul(3)?),
            Self::Month => add_months(moment, amount),
            Self::Week => shifted(7 * TICKS_PER_DAY),
            Self::Day | Self::DayOfYear => shifted(TICKS_PER_DAY),
            Self::Hour => shifted(TICKS_PER_HOUR),
            Self::Minute => shifted(TICKS_PER_MINUTE),
            Self::Second => shifted(TICKS_PER_SECOND),
            Self::Millisecond => shifted(TICKS_PER_MILLISECOND),
            Self::Microsecond => shifted(TICKS_PER_MICROSECOND),
            Self::Nanosecond => DateTime(moment.0.checked_add(amount / 100)?).in_range(),
        }
    }
}

/// The stretches of the calendar that have a start and an end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stretch {
    Day,
    Week,
    Month,
    Year,
}

impl Stretch {
    /// The first moment of the stretch that is `offset` after the one that holds `moment`.
    pub fn start(self, moment: DateTime, offset: i64) -> Option<DateTime> {
        let date = moment.date();
        match self {
            Self::Day => midnight(day_number(moment).checked_add(offset)?),
            Self::Week => {
                let sunday = day_number(moment) - days_since_sunday(moment);
                midnight(sunday.checked_add(offset.checked_mul(7)?)?)
            }
            Self::Month => first_of_month(months(moment).checked_add(offset)?),
            Self::Year => first_of_month(date.year.checked_add(offset)?.checked_mul(12)?),
        }
    }

    /// The last moment of that stretch, to the microsecond.
    ///
    /// The language has one more digit, but a stored moment has not, so nothing lies between this and the next start.
    pub fn end(self, moment: DateTime, offset: i64) -> Option<DateTime> {
        let next = self.start(moment, offset.checked_add(1)?);
        let next = match (next, self.start(moment, offset)) {
            (Some(next), _) => next.0,
            // The stretch that ends with the last moment of all has no next one.
            (None, Some(_)) => DateTime::MAX.0 + 1,
            (None, None) => return None,
        };
        Some(DateTime(next - TICKS_PER_MICROSECOND))
    }
}

/// Whole days since Sunday, 0 to 6.
pub(crate) fn days_since_sunday(moment: DateTime) -> i64 {
    (day_number(moment) + 4).rem_euclid(7)
}

/// The day of the year, from 1.
pub(crate) fn day_of_year(moment: DateTime) -> i64 {
    let start = Date { year: moment.date().year, month: 1, day: 1 };
    day_number(moment) - start.days_since_epoch().unwrap_or_default() + 1
}

fn day_number(moment: DateTime) -> i64 {
    moment.0.div_euclid(TICKS_PER_DAY)
}

fn midnight(day: i64) -> Option<DateTime> {
    DateTime(day.checked_mul(TICKS_PER_DAY)?).in_range()
}

/// Months since the year 0.
fn months(moment: DateTime) -> i64 {
    let date = moment.date();
    date.year * 12 + i64::from(date.month) - 1
}

fn quarters(moment: DateTime) -> i64 {
    months(moment).div_euclid(3)
}

fn first_of_month(months: i64) -> Option<DateTime> {
    let date = Date { year: months.div_euclid(12), month: months.rem_euclid(12) as u32 + 1, day: 1 };
    midnight(date.days_since_epoch()?)
}

fn add_months(moment: DateTime, amount: i64) -> Option<DateTime> {
    let months = months(moment).checked_add(amount)?;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
    // A day that the month lacks becomes its last one.
    let day = moment.date().day.min(days_in_month(year, month));
    let date = Date { year, month, day };
    Some(DateTime(midnight(date.days_since_epoch()?)?.0 + moment.time_of_day().0))
}

/// The week of the year by ISO 8601: weeks start on Monday, and the first has the year's first Thursday.
fn iso_week(moment: DateTime) -> i64 {
    let days_since_monday = (day_number(moment) + 3).rem_euclid(7);
    let thursday = DateTime((day_number(moment) - days_since_monday + 3) * TICKS_PER_DAY);
    (day_of_year(thursday) - 1) / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;
    use proptest::prelude::*;

    fn moment(year: i64, month: u32, day: u32) -> DateTime {
        DateTime::from_parts(Date { year, month, day }, 0, 0, 0, 0).unwrap()
    }

    #[test]
    fn a_day_that_the_month_lacks_becomes_its_last() {
        assert_eq!(Part::Month.add(moment(2024, 1, 31), 1), Some(moment(2024, 2, 29)));
        assert_eq!(Part::Year.add(moment(2024, 2, 29), -1), Some(moment(2023, 2, 28)));
    }

    #[test]
    fn the_last_stretch_of_all_has_an_end() {
        let last_day = Stretch::Year.end(moment(9999, 5, 1), 0).unwrap();
        assert_eq!(last_day.to_string(), "9999-12-31T23:59:59.9999990Z");
        assert_eq!(Stretch::Year.end(moment(9999, 5, 1), 1), None);
    }

    proptest! {
        #[test]
        fn weeks_days_and_shifts_agree_with_another_calendar(days in -700_000_i64..2_900_000, amount in -500_i64..500) {
            let ours = DateTime(days * TICKS_PER_DAY);
            let theirs = chrono::DateTime::from_timestamp(days * 86_400, 0).unwrap();
            prop_assert_eq!(Part::Week.of(ours), i64::from(theirs.iso_week().week()));
            prop_assert_eq!(Part::DayOfYear.of(ours), i64::from(theirs.ordinal()));
            prop_assert_eq!(days_since_sunday(ours), i64::from(theirs.weekday().num_days_from_sunday()));
            let months = chrono::Months::new(amount.unsigned_abs() as u32);
            let shifted = if amount < 0 { theirs.checked_sub_months(months) } else { theirs.checked_add_months(months) };
            let expected = shifted.map(|moment| DateTime(moment.timestamp() * TICKS_PER_SECOND)).and_then(DateTime::in_range);
            prop_assert_eq!(Part::Month.add(ours, amount), expected);
        }

        #[test]
        fn a_moment_is_inside_its_own_stretch(ticks in -600_000_000_000_000_000_i64..2_000_000_000_000_000_000) {
            let moment = DateTime(ticks / 10 * 10);
            for stretch in [Stretch::Day, Stretch::Week, Stretch::Month, Stretch::Year] {
                let (start, end) = (stretch.start(moment, 0).unwrap(), stretch.end(moment, 0).unwrap());
                prop_assert!(start <= moment && moment <= end);
                prop_assert_eq!(stretch.start(moment, 1).unwrap().0, end.0 + TICKS_PER_MICROSECOND);
            }
        }
    }
}
