//! The functions and aggregates that a plan may call, and what each promises.
//!
//! The binder converted the arguments to the types written here and checked their number, so that `f(string, long?)`
//! below means: one or two arguments, a `string` and a `long`. If an argument is null, the result is null, unless
//! said otherwise; a function that gives `string` gives the empty text instead.

/// A scalar function of a plan.
///
/// Some functions of the language never reach a plan as a call: `now` and `ago` are folded to constants, `not`,
/// `iff`, `case` and the conversions (`tolong`, …) have expressions of their own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Function {
    /// `abs(x) -> x`: `long`, `real`, `decimal` or `timespan`.
    Abs,
    /// `bin(value, size)`: rounds down to a multiple of `size`, counted from 0 or 0001-01-01, also for negative
    /// values. `long, long -> long`; `real, real -> real`; `decimal, decimal -> decimal`;
    /// `timespan, timespan -> timespan`; `datetime, timespan -> datetime`. Null if `size` is not above zero.
    Bin,
    /// `bin_at(value, size, at)`: as `bin`, but so that `at` is a boundary; `at` has the type of `value`.
    BinAt,
    /// `ceiling(x) -> x`: `int`, `long`, `real` or `decimal`, rounded up.
    Ceiling,
    /// `coalesce(x, y, …) -> x`: the first that is not null, for `string` the first that is not empty. All of
    /// one type, at least two.
    Coalesce,
    /// `datetime_add(string part, long amount, datetime) -> datetime`. Parts: year, quarter, month, week, day,
    /// hour, minute, second, millisecond, microsecond, nanosecond, in any case. A day that the month lacks
    /// becomes its last one.
    DateTimeAdd,
    /// `datetime_diff(string part, datetime a, datetime b) -> long`: how many boundaries of `part` lie between
    /// the two, positive if `a` is later; parts as for `datetime_add`.
    DateTimeDiff,
    /// `datetime_part(string part, datetime) -> int`. Parts: year, quarter, month, weekofyear (ISO 8601), day,
    /// dayofyear, hour, minute, second, millisecond, microsecond, nanosecond, in any case.
    DateTimePart,
    /// `dayofmonth(datetime) -> int`, from 1.
    DayOfMonth,
    /// `dayofweek(datetime) -> timespan`: whole days since Sunday.
    DayOfWeek,
    /// `dayofyear(datetime) -> int`, from 1.
    DayOfYear,
    /// `endofday(datetime, long? days) -> datetime`: the last tick of the day, moved by so many days.
    EndOfDay,
    /// `endofmonth(datetime, long? months) -> datetime`.
    EndOfMonth,
    /// `endofweek(datetime, long? weeks) -> datetime`: of the Saturday.
    EndOfWeek,
    /// `endofyear(datetime, long? years) -> datetime`.
    EndOfYear,
    /// `exp(real) -> real`.
    Exp,
    /// `exp10(real) -> real`.
    Exp10,
    /// `exp2(real) -> real`.
    Exp2,
    /// `extract(string regex, long group, string text) -> string`: what the group of the first match holds;
    /// group 0 is the whole match; empty if there is none.
    Extract,
    /// `format_datetime(datetime, string format) -> string` with `d dd f…fffffff F…FFFFFFF h hh H HH m mm M MM s ss
    /// y yy yyyy tt` and the delimiters `/ - : , . _ [ ]` and space.
    FormatDateTime,
    /// `format_timespan(timespan, string format) -> string` with `d…dddddddd f…fffffff F…FFFFFFF H HH m mm s ss`.
    FormatTimeSpan,
    /// `getyear(datetime) -> int`.
    GetYear,
    /// `hourofday(datetime) -> int`, 0 to 23.
    HourOfDay,
    /// `indexof(string text, string what, long? start, long? length, long? occurrence) -> long`: the position in
    /// characters from 0, or -1; a negative start counts from the end, length -1 is no limit.
    IndexOf,
    /// `isempty(x) -> bool`: any type; true for the empty text and for null. Never null.
    IsEmpty,
    /// `isfinite(real) -> bool`.
    IsFinite,
    /// `isinf(real) -> bool`.
    IsInf,
    /// `isnan(real) -> bool`.
    IsNan,
    /// `isnotempty(x) -> bool`: the opposite of `isempty`. Never null.
    IsNotEmpty,
    /// `isnotnull(x) -> bool`: the opposite of `isnull`. Never null.
    IsNotNull,
    /// `isnull(x) -> bool`: any type; always false for `string`. Never null.
    IsNull,
    /// `log(real) -> real`: the natural logarithm; null where it is not defined.
    Log,
    /// `log10(real) -> real`; null where it is not defined.
    Log10,
    /// `log2(real) -> real`; null where it is not defined.
    Log2,
    /// `max_of(x, y, …) -> x`: the greatest, nulls left out. All of one ordered type, at least two.
    MaxOf,
    /// `min_of(x, y, …) -> x`: the least, nulls left out. All of one ordered type, at least two.
    MinOf,
    /// `monthofyear(datetime) -> int`, 1 to 12.
    MonthOfYear,
    /// `parse_json(string) -> dynamic`: the value that the JSON text says; text that is no JSON stays a text.
    ParseJson,
    /// `pow(real, real) -> real`.
    Pow,
    /// `replace_regex(string text, string regex, string rewrite) -> string`; `\1` in the rewrite is a group.
    ReplaceRegex,
    /// `replace_string(string text, string what, string with) -> string`: all occurrences.
    ReplaceString,
    /// `round(x, long? digits) -> x`: `int`, `long`, `real` or `decimal`; half away from zero; digits may be
    /// negative.
    Round,
    /// `sign(real) -> real`: -1, 0 or 1.
    Sign,
    /// `split(string text, string delimiter, long? index) -> dynamic`: an array of the parts, or with `index` an
    /// array of that one part.
    Split,
    /// `sqrt(real) -> real`; null for a negative number.
    Sqrt,
    /// `startofday(datetime, long? days) -> datetime`: midnight, moved by so many days.
    StartOfDay,
    /// `startofmonth(datetime, long? months) -> datetime`.
    StartOfMonth,
    /// `startofweek(datetime, long? weeks) -> datetime`: of the Sunday.
    StartOfWeek,
    /// `startofyear(datetime, long? years) -> datetime`.
    StartOfYear,
    /// `strcat(string, …) -> string`: one to 64 texts, one after the other.
    Strcat,
    /// `strcat_delim(string delimiter, string, …) -> string`.
    StrcatDelim,
    /// `strlen(string) -> long`: in characters.
    Strlen,
    /// `substring(string, long start, long? length) -> string`: in characters; a negative start counts from the
    /// end, a length that is too long ends with the text.
    Substring,
    /// `tolower(string) -> string`.
    ToLower,
    /// `toupper(string) -> string`.
    ToUpper,
    /// `trim(string regex, string) -> string`: without what the regular expression matches at the start and end.
    Trim,
    /// `trim_end(string regex, string) -> string`.
    TrimEnd,
    /// `trim_start(string regex, string) -> string`.
    TrimStart,
}

/// An aggregate of a plan. Rows where the aggregated argument is null are left out.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Aggregate {
    /// `arg_max(x, y, …) -> x, y, …`: the greatest `x`, and what the others are in its row.
    ArgMax,
    /// `arg_min(x, y, …) -> x, y, …`: the least `x`, and what the others are in its row.
    ArgMin,
    /// `avg(x)`: `long -> real`, `real -> real`, `decimal -> decimal`, `timespan -> timespan`,
    /// `datetime -> datetime`; null (NaN for `real`) for no rows.
    Avg,
    /// `count() -> long`: the number of rows.
    Count,
    /// `countif(bool) -> long`: the number of rows for which it is true.
    CountIf,
    /// `dcount(x, long? accuracy) -> long`: the number of different values, of any type. The accuracy is a constant
    /// from 0 (fast) to 4 (exact as can be), 1 if absent.
    DCount,
    /// `dcountif(x, bool, long? accuracy) -> long`: as `dcount` over the rows for which the condition is true.
    DCountIf,
    /// `max(x) -> x`: of an ordered type; null for no rows.
    Max,
    /// `min(x) -> x`: of an ordered type; null for no rows.
    Min,
    /// `sum(x)`: `long`, `real`, `decimal` or `timespan`; zero for no rows.
    Sum,
    /// `sumif(x, bool)`: as `sum` over the rows for which the condition is true.
    SumIf,
}

/// A function over rows in their order. The rows must have one: behind `sort`, `top`, `range` or `serialize`.
///
/// A last argument `restart` is a `bool` that starts over where it is true.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WindowFunction {
    /// `next(x, long offset, x default) -> x`: the value so many rows further on, or the default.
    Next,
    /// `prev(x, long offset, x default) -> x`: the value so many rows before, or the default.
    Prev,
    /// `row_cumsum(x, bool restart) -> x`: the sum up to this row; of `int`, `long`, `real` or `timespan`.
    RowCumSum,
    /// `row_number(long first, bool restart) -> long`: counts rows from `first`.
    RowNumber,
    /// `row_rank_dense(x, bool restart) -> long`: counts the different values in a row, from 1.
    RowRankDense,
    /// `row_rank_min(x, bool restart) -> long`: the number of the first of the rows in a row that are equal, from 1.
    RowRankMin,
    /// `row_window_session(datetime, timespan longest, timespan gap, bool restart) -> datetime`: when the session of
    /// this row began. A row starts one if it is more than `longest` behind its begin or `gap` behind the row before.
    RowWindowSession,
}
