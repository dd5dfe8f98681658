//! Moments and timespans: arithmetic, parts, stretches of the calendar.
//!
//! A moment is a number of microseconds since 1970, a timespan a number of 100 ns ticks. What would lie outside the
//! years 1 to 9999 is null.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, PrimitiveArray};
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::{Result, exec_err};
use fim_kql::{DateTime, TICKS_PER_DAY, TimeSpan};

use super::calendar::{Part, Stretch, day_of_year, days_since_sunday};
use super::format::{DateTimeFormat, TimeSpanFormat};
use super::numbers::{bin_ticks, remainder};
use super::{Call, FunctionSpec, Returns};
use crate::values::{MICROSECOND_TICKS, UTC};

pub(super) static MOMENTS: &[&FunctionSpec] = &[
    &MOMENT_PLUS,
    &MOMENT_MINUS,
    &MOMENTS_APART,
    &MOMENT_REMAINDER,
    &MOMENT_BIN,
    &DATETIME_ADD,
    &DATETIME_DIFF,
    &DATETIME_PART,
    &DAY_OF_WEEK,
    &DAY_OF_YEAR,
    &DAY_OF_MONTH,
    &MONTH_OF_YEAR,
    &YEAR,
    &HOUR_OF_DAY,
    &START_OF_DAY,
    &START_OF_WEEK,
    &START_OF_MONTH,
    &START_OF_YEAR,
    &END_OF_DAY,
    &END_OF_WEEK,
    &END_OF_MONTH,
    &END_OF_YEAR,
    &FORMAT_DATETIME,
    &FORMAT_TIMESPAN,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(MOMENT_PLUS, "kql_moment_plus", Moment, |call| shift(call, i64::checked_add));
spec!(MOMENT_MINUS, "kql_moment_minus", Moment, |call| shift(call, i64::checked_sub));
spec!(MOMENTS_APART, "kql_moments_apart", Long, |call| {
    let (later, earlier) = (call.moments(0)?, call.moments(1)?);
    let spans = later.iter().zip(&earlier);
    Ok(Arc::new(
        spans
            .map(|pair| pair.0?.checked_sub(pair.1?)?.checked_mul(MICROSECOND_TICKS))
            .collect::<Int64Array>(),
    ))
});
spec!(MOMENT_REMAINDER, "kql_moment_remainder", Long, |call| {
    let (moments, sizes) = (call.moments(0)?, call.longs(1)?);
    let remainders = moments.iter().zip(&sizes);
    Ok(Arc::new(
        remainders.map(|pair| remainder(ticks(pair.0?).0 - DateTime::MIN.0, pair.1?)).collect::<Int64Array>(),
    ))
});
// `kql_moment_bin(moment, size, origin?)`: without an origin, bins are counted from the year 1.
spec!(MOMENT_BIN, "kql_moment_bin", Moment, |call| {
    let (moments, sizes) = (call.moments(0)?, call.longs(1)?);
    if call.len() > 2 {
        let origins = call.moments(2)?;
        let rows = moments.iter().zip(&sizes).zip(&origins);
        return Ok(collect_moments(rows.map(|((moment, size), origin)| {
            bin_ticks(ticks(moment?).0, size?, ticks(origin?).0).map(DateTime)
        })));
    }
    let rows = moments.iter().zip(&sizes);
    Ok(collect_moments(rows.map(|pair| bin_ticks(ticks(pair.0?).0, pair.1?, DateTime::MIN.0).map(DateTime))))
});
spec!(DATETIME_ADD, "kql_datetime_add", Moment, |call| {
    let (parts, amounts, moments) = (call.texts(0)?, call.longs(1)?, call.moments(2)?);
    let rows = amounts.iter().zip(&moments).enumerate();
    Ok(collect_moments(rows.map(|(row, pair)| Part::from_name(parts.get(row))?.add(ticks(pair.1?), pair.0?))))
});
spec!(DATETIME_DIFF, "kql_datetime_diff", Long, |call| {
    let (parts, later, earlier) = (call.texts(0)?, call.moments(1)?, call.moments(2)?);
    let rows = later.iter().zip(&earlier).enumerate();
    let spans = rows
        .map(|(row, pair)| Some(Part::from_name(parts.get(row))?.boundaries(ticks(pair.0?), ticks(pair.1?))));
    Ok(Arc::new(spans.collect::<Int64Array>()))
});
spec!(DATETIME_PART, "kql_datetime_part", Long, |call| {
    let (parts, moments) = (call.texts(0)?, call.moments(1)?);
    let numbers = moments.iter().enumerate();
    let numbers = numbers.map(|(row, moment)| Some(Part::from_name(parts.get(row))?.of(ticks(moment?))));
    Ok(Arc::new(numbers.collect::<Int64Array>()))
});
spec!(DAY_OF_WEEK, "kql_dayofweek", Long, |call| {
    let moments = call.moments(0)?;
    let spans = moments.iter().map(|moment| Some(days_since_sunday(ticks(moment?)) * TICKS_PER_DAY));
    Ok(Arc::new(spans.collect::<Int64Array>()))
});
spec!(DAY_OF_YEAR, "kql_dayofyear", Long, |call| part_numbers(call, day_of_year));
spec!(DAY_OF_MONTH, "kql_dayofmonth", Long, |call| part_numbers(call, |moment| Part::Day.of(moment)));
spec!(MONTH_OF_YEAR, "kql_monthofyear", Long, |call| part_numbers(call, |moment| Part::Month.of(moment)));
spec!(YEAR, "kql_getyear", Long, |call| part_numbers(call, |moment| Part::Year.of(moment)));
spec!(HOUR_OF_DAY, "kql_hourofday", Long, |call| part_numbers(call, |moment| Part::Hour.of(moment)));
spec!(START_OF_DAY, "kql_startofday", Moment, |call| edges(call, |moment, offset| Stretch::Day
    .start(moment, offset)));
spec!(START_OF_WEEK, "kql_startofweek", Moment, |call| edges(call, |moment, offset| Stretch::Week
    .start(moment, offset)));
spec!(START_OF_MONTH, "kql_startofmonth", Moment, |call| edges(call, |moment, offset| Stretch::Month
    .start(moment, offset)));
spec!(START_OF_YEAR, "kql_startofyear", Moment, |call| edges(call, |moment, offset| Stretch::Year
    .start(moment, offset)));
spec!(END_OF_DAY, "kql_endofday", Moment, |call| edges(call, |moment, offset| Stretch::Day
    .end(moment, offset)));
spec!(END_OF_WEEK, "kql_endofweek", Moment, |call| edges(call, |moment, offset| Stretch::Week
    .end(moment, offset)));
spec!(END_OF_MONTH, "kql_endofmonth", Moment, |call| edges(call, |moment, offset| Stretch::Month
    .end(moment, offset)));
spec!(END_OF_YEAR, "kql_endofyear", Moment, |call| edges(call, |moment, offset| Stretch::Year
    .end(moment, offset)));
spec!(FORMAT_DATETIME, "kql_format_datetime", Text, |call| {
    let (moments, formats) = (call.moments(0)?, call.texts(1)?);
    let constant = call.constant_text(1)?.map(DateTimeFormat::parse);
    let text = |(row, moment): (usize, Option<i64>)| {
        let Some(moment) = moment else { return Some(String::new()) };
        Some(match &constant {
            Some(format) => format.write(ticks(moment)),
            None => DateTimeFormat::parse(formats.get(row)).write(ticks(moment)),
        })
    };
    call.collect(moments.iter().enumerate().map(text))
});
spec!(FORMAT_TIMESPAN, "kql_format_timespan", Text, |call| {
    let (spans, formats) = (call.longs(0)?, call.texts(1)?);
    let constant = call.constant_text(1)?.map(TimeSpanFormat::parse);
    let text = |(row, span): (usize, Option<i64>)| {
        let Some(span) = span.map(TimeSpan) else { return Some(String::new()) };
        Some(match &constant {
            Some(format) => format.write(span),
            None => TimeSpanFormat::parse(formats.get(row)).write(span),
        })
    };
    call.collect(spans.iter().enumerate().map(text))
});

/// The moment that a column holds as microseconds.
pub(crate) fn ticks(microseconds: i64) -> DateTime {
    DateTime(microseconds.saturating_mul(MICROSECOND_TICKS))
}

/// Collects moments; what the language cannot express is null.
pub(crate) fn collect_moments(moments: impl Iterator<Item = Option<DateTime>>) -> ArrayRef {
    let microseconds = moments.map(|moment| Some(moment?.in_range()?.0.div_euclid(MICROSECOND_TICKS)));
    let column: PrimitiveArray<TimestampMicrosecondType> = microseconds.collect();
    Arc::new(column.with_timezone(UTC))
}

fn shift(call: &Call<'_>, shift: fn(i64, i64) -> Option<i64>) -> Result<ArrayRef> {
    let (moments, spans) = (call.moments(0)?, call.longs(1)?);
    Ok(collect_moments(moments.iter().zip(&spans).map(|pair| shift(ticks(pair.0?).0, pair.1?).map(DateTime))))
}

fn part_numbers(call: &Call<'_>, number: fn(DateTime) -> i64) -> Result<ArrayRef> {
    let moments = call.moments(0)?;
    Ok(Arc::new(moments.iter().map(|moment| Some(number(ticks(moment?)))).collect::<Int64Array>()))
}

fn edges(call: &Call<'_>, edge: fn(DateTime, i64) -> Option<DateTime>) -> Result<ArrayRef> {
    let (moments, offsets) = (call.moments(0)?, call.longs_or(1, 0)?);
    if moments.len() != offsets.len() {
        return exec_err!("the arguments of a function differ in length");
    }
    Ok(collect_moments(moments.iter().zip(&offsets).map(|pair| edge(ticks(pair.0?), pair.1?))))
}
