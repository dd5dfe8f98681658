//! Functions that make moments and timespans.

use super::table::fixed;
use super::{FunctionEntry, Parameter};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{Length, Moment, Number, Whole};
use ScalarType::{Bool, DateTime, Long, TimeSpan};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    fixed("around", Function::Around, &[Moment("moment"), Moment("center"), Length("delta")], 3, Bool, "Whether a moment is at most so far from another."),
    fixed("make_datetime", Function::MakeDateTime, &[Whole("year"), Whole("month"), Whole("day"), Whole("hour"), Whole("minute"), Number("second")], 3, DateTime, "The moment with these parts."),
    fixed("make_timespan", Function::MakeTimeSpan, &[Whole("hour or day"), Whole("minute or hour"), Number("second or minute"), Number("second")], 2, TimeSpan, "The timespan with these parts; with four of them the first are days."),
    fixed("unixtime_microseconds_todatetime", Function::UnixMicroseconds, &[Whole("microseconds")], 1, DateTime, "The moment so many microseconds after 1970."),
    fixed("unixtime_milliseconds_todatetime", Function::UnixMilliseconds, &[Number("milliseconds")], 1, DateTime, "The moment so many milliseconds after 1970."),
    fixed("unixtime_nanoseconds_todatetime", Function::UnixNanoseconds, &[Whole("nanoseconds")], 1, DateTime, "The moment so many nanoseconds after 1970."),
    fixed("unixtime_seconds_todatetime", Function::UnixSeconds, &[Number("seconds")], 1, DateTime, "The moment so many seconds after 1970."),
    fixed("week_of_year", Function::WeekOfYear, &[Moment("moment")], 1, Long, "The number of the week by ISO 8601."),
    fixed("weekofyear", Function::WeekOfYear, &[Moment("moment")], 1, Long, "The same as `week_of_year`."),
];
