//! Moments and timespans that are made of numbers.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array};
use datafusion::common::Result;
use fim_kql::{Date, DateTime, TICKS_PER_DAY, TICKS_PER_SECOND};

use super::calendar::{Part, TICKS_PER_HOUR, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND, TICKS_PER_MINUTE};
use super::moments::{collect_moments, ticks};
use super::numbers::ticks_of;
use super::{FunctionSpec, Returns};

pub(super) static MAKING_TIMES: &[&FunctionSpec] = &[
    &AROUND,
    &MAKE_DATE_TIME,
    &MAKE_TIME_SPAN,
    &UNIX_MICROSECONDS,
    &UNIX_MILLISECONDS,
    &UNIX_NANOSECONDS,
    &UNIX_SECONDS,
    &WEEK_OF_YEAR,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_around(moment, center, delta)`
spec!(AROUND, "kql_around", Bool, |call| {
    let (moments, centers, deltas) = (call.moments(0)?, call.moments(1)?, call.longs(2)?);
    let answers = moments.iter().zip(&centers).zip(&deltas).map(|((moment, center), delta)| {
        let apart = i128::from(ticks(moment?).0) - i128::from(ticks(center?).0);
        Some(apart.abs() <= i128::from(delta?))
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
});
// `kql_make_datetime(year, month, day, hour?, minute?, second?)`
spec!(MAKE_DATE_TIME, "kql_make_datetime", Moment, |call| {
    let parts = (0..5).map(|at| call.longs_or(at, 0)).collect::<Result<Vec<_>>>()?;
    let seconds = if call.len() > 5 { Some(call.reals(5)?) } else { None };
    Ok(collect_moments((0..call.rows).map(|row| {
        let part = |at: usize| parts[at].is_valid(row).then(|| parts[at].value(row));
        let small = |at: usize| u32::try_from(part(at)?).ok();
        let date = Date { year: part(0)?, month: small(1)?, day: small(2)? };
        let ticks = match &seconds {
            Some(seconds) => second_ticks(seconds.is_valid(row).then(|| seconds.value(row))?)?,
            None => 0,
        };
        let second = u32::try_from(ticks / TICKS_PER_SECOND).ok()?;
        DateTime::from_parts(date, small(3)?, small(4)?, second, ticks % TICKS_PER_SECOND)
    })))
});
// `kql_make_timespan(hour, minute, second?)` or `(day, hour, minute, second)`
spec!(MAKE_TIME_SPAN, "kql_make_timespan", Long, |call| {
    let has_days = call.len() > 3;
    let (days, hours) =
        if has_days { (call.longs(0)?, call.longs(1)?) } else { (call.longs_or(9, 0)?, call.longs(0)?) };
    let minutes: Vec<Option<i64>> = match has_days {
        true => call
            .reals(2)?
            .iter()
            .map(|minute| minute.filter(|minute| minute.fract() == 0.0).and_then(ticks_of))
            .collect(),
        false => call.longs(1)?.iter().collect(),
    };
    let seconds = match (has_days, call.len()) {
        (true, _) => Some(call.reals(3)?),
        (false, 3) => Some(call.reals(2)?),
        (false, _) => None,
    };
    let spans = (0..call.rows).map(|row| {
        let inside = |value: Option<i64>, end: i64| value.filter(|value| (0..end).contains(value));
        let day = days.is_valid(row).then(|| days.value(row))?;
        let hour = inside(hours.is_valid(row).then(|| hours.value(row)), 24)?;
        let minute = inside(minutes[row], 60)?;
        let ticks = match &seconds {
            Some(seconds) => second_ticks(seconds.is_valid(row).then(|| seconds.value(row))?)?,
            None => 0,
        };
        day.checked_mul(TICKS_PER_DAY)?.checked_add(hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + ticks)
    });
    Ok(Arc::new(spans.collect::<Int64Array>()))
});
spec!(UNIX_MICROSECONDS, "kql_unixtime_microseconds_todatetime", Moment, |call| {
    let moment = |number: Option<i64>| number?.checked_mul(TICKS_PER_MICROSECOND).map(DateTime);
    Ok(collect_moments(call.longs(0)?.iter().map(moment)))
});
spec!(UNIX_MILLISECONDS, "kql_unixtime_milliseconds_todatetime", Moment, |call| {
    let moment = |number: Option<f64>| ticks_of(number? * TICKS_PER_MILLISECOND as f64).map(DateTime);
    Ok(collect_moments(call.reals(0)?.iter().map(moment)))
});
spec!(UNIX_NANOSECONDS, "kql_unixtime_nanoseconds_todatetime", Moment, |call| {
    Ok(collect_moments(call.longs(0)?.iter().map(|number| Some(DateTime(number?.div_euclid(100))))))
});
spec!(UNIX_SECONDS, "kql_unixtime_seconds_todatetime", Moment, |call| {
    let moment = |number: Option<f64>| ticks_of(number? * TICKS_PER_SECOND as f64).map(DateTime);
    Ok(collect_moments(call.reals(0)?.iter().map(moment)))
});
spec!(WEEK_OF_YEAR, "kql_week_of_year", Long, |call| {
    let weeks =
        call.moments(0)?.iter().map(|moment| Some(Part::Week.of(ticks(moment?)))).collect::<Int64Array>();
    Ok(Arc::new(weeks))
});

/// The ticks of a second of a minute: from 0 up to 60.
fn second_ticks(second: f64) -> Option<i64> {
    if !(0.0..60.0).contains(&second) {
        return None;
    }
    ticks_of(second * TICKS_PER_SECOND as f64).filter(|ticks| *ticks < 60 * TICKS_PER_SECOND)
}
