//! How rows are made, and the functions of every query: conditions, conversions, plain texts, numbers and moments.

use super::{FunctionEntry, Naming, Parameter, Shape};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{Any, AnyAsText, Length, Moment, Number, OneOf, Regex, Text, Whole};
use ScalarType::{Bool, DateTime, Decimal, Dynamic, Guid, Int, Long, Real, String as Str, TimeSpan};

pub(super) const fn fixed(
    name: &'static str,
    function: Function,
    parameters: &'static [Parameter],
    required: usize,
    result: ScalarType,
    summary: &'static str,
) -> FunctionEntry {
    let shape = Shape::Fixed { function, parameters, required, result };
    FunctionEntry { name, shape, naming: Naming::Position, summary }
}

/// As [`fixed`], and a column that holds it is called like its first argument.
pub(super) const fn renamed(entry: FunctionEntry) -> FunctionEntry {
    FunctionEntry { naming: Naming::FirstArgument, ..entry }
}

pub(super) const fn shaped(name: &'static str, shape: Shape, summary: &'static str) -> FunctionEntry {
    FunctionEntry { name, shape, naming: Naming::Position, summary }
}

/// As [`fixed`], and a column that holds it is called by a prefix and its first argument.
pub(super) const fn prefixed(prefix: &'static str, entry: FunctionEntry) -> FunctionEntry {
    FunctionEntry { naming: Naming::Prefixed(prefix), ..entry }
}

pub(super) const fn variadic(
    name: &'static str,
    function: Function,
    fixed: &'static [Parameter],
    rest: Parameter,
    required: usize,
    result: ScalarType,
    summary: &'static str,
) -> FunctionEntry {
    shaped(name, Shape::Variadic { function, fixed, rest, required, result }, summary)
}

const ADD_PARTS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
];
const ALL_PARTS: &[&str] = &[
    "year",
    "quarter",
    "month",
    "weekofyear",
    "week_of_year",
    "day",
    "dayofyear",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "nanosecond",
];

/// Every function that runs, by name.
#[rustfmt::skip]
pub(crate) const FUNCTIONS: &[FunctionEntry] = &[
    renamed(shaped("abs", Shape::Magnitude, "The value without its sign.")),
    shaped("assert", Shape::Assert, "True; a query whose condition is false is refused with the message."),
    shaped("ago", Shape::Ago, "The moment so long before the query started."),
    renamed(shaped("bin", Shape::Bin, "Rounds down to a multiple of the second argument.")),
    renamed(shaped("bin_at", Shape::BinAt, "Rounds down to a multiple counted from a fixed point.")),
    renamed(shaped("bin_auto", Shape::BinAuto, "Rounds down to a multiple of what `set query_bin_auto_size` says.")),
    shaped("case", Shape::Case, "The value beside the first condition that is true."),
    renamed(shaped("ceiling", Shape::Rounding { function: Function::Ceiling, has_digits: false }, "Rounds up.")),
    shaped("coalesce", Shape::Common { function: Function::Coalesce, is_ordered: false }, "The first value that is not null, or not empty for text."),
    FunctionEntry { naming: Naming::FirstArgument, ..shaped("column_ifexists", Shape::ColumnIfExists, "A column, or a value where the table has no such column.") },
    shaped("column_names_of", Shape::ColumnNames, "The names of the columns of a table."),
    FunctionEntry { naming: Naming::FirstArgument, ..shaped("columnifexists", Shape::ColumnIfExists, "The same as `column_ifexists`.") },
    fixed("datetime_add", Function::DateTimeAdd, &[OneOf("part", ADD_PARTS), Whole("amount"), Moment("moment")], 3, DateTime, "The moment so many parts later."),
    fixed("datetime_diff", Function::DateTimeDiff, &[OneOf("part", ADD_PARTS), Moment("later"), Moment("earlier")], 3, Long, "The number of boundaries of a part between two moments."),
    fixed("datepart", Function::DateTimePart, &[OneOf("part", ALL_PARTS), Moment("moment")], 2, Long, "The same as `datetime_part`."),
    fixed("datetime_part", Function::DateTimePart, &[OneOf("part", ALL_PARTS), Moment("moment")], 2, Long, "A part of a moment as a number."),
    fixed("dayofmonth", Function::DayOfMonth, &[Moment("moment")], 1, Long, "The day of the month, from 1."),
    fixed("dayofweek", Function::DayOfWeek, &[Moment("moment")], 1, TimeSpan, "The days since Sunday."),
    fixed("dayofyear", Function::DayOfYear, &[Moment("moment")], 1, Long, "The day of the year, from 1."),
    fixed("endofday", Function::EndOfDay, &[Moment("moment"), Whole("days")], 1, DateTime, "The last tick of the day."),
    fixed("endofmonth", Function::EndOfMonth, &[Moment("moment"), Whole("months")], 1, DateTime, "The last tick of the month."),
    fixed("endofweek", Function::EndOfWeek, &[Moment("moment"), Whole("weeks")], 1, DateTime, "The last tick of the week, which ends on Saturday."),
    fixed("endofyear", Function::EndOfYear, &[Moment("moment"), Whole("years")], 1, DateTime, "The last tick of the year."),
    renamed(fixed("exp", Function::Exp, &[Number("x")], 1, Real, "e to the power of x.")),
    renamed(fixed("exp10", Function::Exp10, &[Number("x")], 1, Real, "10 to the power of x.")),
    renamed(fixed("exp2", Function::Exp2, &[Number("x")], 1, Real, "2 to the power of x.")),
    shaped("estimate_data_size", Shape::DataSize, "How many bytes the values of some columns take."),
    shaped("extract", Shape::Typed { function: Function::Extract, parameters: &[Regex, Whole("group"), Text("text")], gives: ScalarType::String }, "What a group of a regular expression matches."),
    renamed(shaped("floor", Shape::Bin, "The same as `bin`.")),
    renamed(fixed("format_datetime", Function::FormatDateTime, &[Moment("moment"), Text("format")], 2, Str, "A moment as text in a given format.")),
    renamed(fixed("format_timespan", Function::FormatTimeSpan, &[Length("timespan"), Text("format")], 2, Str, "A timespan as text in a given format.")),
    fixed("getmonth", Function::MonthOfYear, &[Moment("moment")], 1, Long, "The month, from 1."),
    fixed("getyear", Function::GetYear, &[Moment("moment")], 1, Long, "The year."),
    fixed("hourofday", Function::HourOfDay, &[Moment("moment")], 1, Long, "The hour, from 0."),
    shaped("iff", Shape::Iff, "The second argument if the first is true, otherwise the third."),
    shaped("iif", Shape::Iff, "The same as `iff`."),
    fixed("indexof", Function::IndexOf, &[AnyAsText("text"), AnyAsText("what"), Whole("start"), Whole("length"), Whole("occurrence")], 2, Long, "The position of one text in another, from 0, or -1."),
    fixed("isempty", Function::IsEmpty, &[Any("value")], 1, Bool, "Whether the value is the empty text or null."),
    fixed("isfinite", Function::IsFinite, &[Number("x")], 1, Bool, "Whether the number is neither infinite nor NaN."),
    fixed("isinf", Function::IsInf, &[Number("x")], 1, Bool, "Whether the number is infinite."),
    fixed("isnan", Function::IsNan, &[Number("x")], 1, Bool, "Whether the number is NaN."),
    fixed("isnotempty", Function::IsNotEmpty, &[Any("value")], 1, Bool, "Whether the value is neither the empty text nor null."),
    fixed("isnotnull", Function::IsNotNull, &[Any("value")], 1, Bool, "Whether the value is not null."),
    fixed("isnull", Function::IsNull, &[Any("value")], 1, Bool, "Whether the value is null; never for text."),
    renamed(fixed("log", Function::Log, &[Number("x")], 1, Real, "The natural logarithm.")),
    renamed(fixed("log10", Function::Log10, &[Number("x")], 1, Real, "The logarithm to base 10.")),
    renamed(fixed("log2", Function::Log2, &[Number("x")], 1, Real, "The logarithm to base 2.")),
    shaped("max_of", Shape::Common { function: Function::MaxOf, is_ordered: true }, "The greatest of several values."),
    shaped("min_of", Shape::Common { function: Function::MinOf, is_ordered: true }, "The least of several values."),
    fixed("monthofyear", Function::MonthOfYear, &[Moment("moment")], 1, Long, "The month, from 1."),
    shaped("not", Shape::Not, "The opposite of a truth value."),
    fixed("notempty", Function::IsNotEmpty, &[Any("value")], 1, Bool, "The same as `isnotempty`."),
    fixed("notnull", Function::IsNotNull, &[Any("value")], 1, Bool, "The same as `isnotnull`."),
    shaped("now", Shape::Now, "The moment when the query started, moved by a timespan."),
    renamed(shaped("parse_json", Shape::ParseJson, "The value that a JSON text says.")),
    renamed(shaped("parsejson", Shape::ParseJson, "The same as `parse_json`.")),
    renamed(fixed("pow", Function::Pow, &[Number("base"), Number("exponent")], 2, Real, "A number to the power of another.")),
    shaped("replace", Shape::Replace, "Replaces all matches of a regular expression; an older form of `replace_regex`."),
    fixed("replace_regex", Function::ReplaceRegex, &[Text("text"), Regex, Text("rewrite")], 3, Str, "Replaces all matches of a regular expression."),
    fixed("replace_string", Function::ReplaceString, &[Text("text"), Text("what"), Text("with")], 3, Str, "Replaces all occurrences of a text."),
    renamed(shaped("round", Shape::Rounding { function: Function::Round, has_digits: true }, "Rounds to so many digits.")),
    fixed("sign", Function::Sign, &[Number("x")], 1, Real, "-1, 0 or 1."),
    renamed(fixed("split", Function::Split, &[AnyAsText("text"), Text("delimiter"), Whole("index")], 2, Dynamic, "The parts of a text between delimiters.")),
    renamed(fixed("sqrt", Function::Sqrt, &[Number("x")], 1, Real, "The square root.")),
    renamed(fixed("startofday", Function::StartOfDay, &[Moment("moment"), Whole("days")], 1, DateTime, "Midnight of the day.")),
    fixed("startofmonth", Function::StartOfMonth, &[Moment("moment"), Whole("months")], 1, DateTime, "The start of the month."),
    fixed("startofweek", Function::StartOfWeek, &[Moment("moment"), Whole("weeks")], 1, DateTime, "The start of the week, which is Sunday."),
    fixed("startofyear", Function::StartOfYear, &[Moment("moment"), Whole("years")], 1, DateTime, "The start of the year."),
    shaped("strcat", Shape::Texts { function: Function::Strcat, fixed: 0 }, "Several values as one text."),
    shaped("strcat_delim", Shape::Texts { function: Function::StrcatDelim, fixed: 1 }, "Several values as one text with a delimiter between them."),
    prefixed("strlen", fixed("strlen", Function::Strlen, &[Text("text")], 1, Long, "The length of a text in characters.")),
    fixed("substring", Function::Substring, &[AnyAsText("text"), Whole("start"), Whole("length")], 2, Str, "A part of a text, by characters from 0."),
    renamed(shaped("toobject", Shape::ParseJson, "The same as `parse_json`.")),
    renamed(shaped("tobool", Shape::Convert(Bool), "The value as `bool`.")),
    renamed(shaped("toboolean", Shape::Convert(Bool), "The value as `bool`.")),
    renamed(shaped("todatetime", Shape::Convert(DateTime), "The value as `datetime`.")),
    renamed(shaped("todecimal", Shape::Convert(Decimal), "The value as `decimal`.")),
    renamed(shaped("todouble", Shape::Convert(Real), "The value as `real`.")),
    renamed(shaped("todynamic", Shape::ParseJson, "The same as `parse_json`.")),
    renamed(shaped("toguid", Shape::Convert(Guid), "The value as `guid`.")),
    renamed(shaped("toint", Shape::Convert(Int), "The value as `int`.")),
    renamed(shaped("tolong", Shape::Convert(Long), "The value as `long`.")),
    fixed("tolower", Function::ToLower, &[AnyAsText("text")], 1, Str, "The text in lower case."),
    renamed(shaped("toreal", Shape::Convert(Real), "The value as `real`.")),
    renamed(shaped("tostring", Shape::Convert(Str), "The value as `string`.")),
    renamed(shaped("totime", Shape::Convert(TimeSpan), "The value as `timespan`.")),
    renamed(shaped("totimespan", Shape::Convert(TimeSpan), "The value as `timespan`.")),
    fixed("toupper", Function::ToUpper, &[AnyAsText("text")], 1, Str, "The text in upper case."),
    fixed("trim", Function::Trim, &[Regex, Text("text")], 2, Str, "Removes what a regular expression matches at both ends."),
    fixed("trim_end", Function::TrimEnd, &[Regex, Text("text")], 2, Str, "Removes what a regular expression matches at the end."),
    fixed("trim_start", Function::TrimStart, &[Regex, Text("text")], 2, Str, "Removes what a regular expression matches at the start."),
];

/// Functions and aggregates of the language that do not run yet, so that a message can say so.
pub(super) const NOT_YET: &str = "
    all bag_pack_columns cluster cnt parse_version
    current_cluster_endpoint current_cursor current_database
    current_node_id current_principal current_principal_details current_principal_is_member_of
    cursor_after cursor_before_or_at cursor_current database datetime_list_timezones
    datetime_local_to_utc datetime_utc_to_local dcount_hll entity_group extent_id
    extent_tags extentid external_table extractall geo_angle geo_azimuth geo_closest_point_on_line
    geo_closest_point_on_polygon geo_distance_2points geo_distance_point_to_line
    geo_distance_point_to_polygon geo_from_wkt geo_geohash_neighbors geo_geohash_to_central_point
    geo_geohash_to_polygon geo_h3cell_children geo_h3cell_level geo_h3cell_neighbors geo_h3cell_parent
    geo_h3cell_rings geo_h3cell_to_central_point geo_h3cell_to_polygon geo_info_from_ip_address
    geo_intersection_2lines geo_intersection_2polygons geo_intersection_line_with_polygon
    geo_intersects_2lines geo_intersects_2polygons geo_intersects_line_with_polygon geo_line_buffer
    geo_line_centroid geo_line_densify geo_line_interpolate_point geo_line_length geo_line_locate_point
    geo_line_simplify geo_line_to_s2cells geo_point_buffer geo_point_in_circle geo_point_in_polygon
    geo_point_to_geohash geo_point_to_h3cell geo_point_to_s2cell geo_polygon_area geo_polygon_buffer
    geo_polygon_centroid geo_polygon_densify geo_polygon_perimeter geo_polygon_simplify
    geo_polygon_to_h3cells geo_polygon_to_s2cells geo_s2cell_neighbors geo_s2cell_to_central_point
    geo_s2cell_to_polygon geo_simplify_polygons_array geo_union_lines_array geo_union_polygons_array
    graph gzip_compress_to_base64_string hash_combine hash_many hll hll_if hll_isvalid hll_merge
    ingestion_time inner_nodes iscolumnexists labels make_dictionary map materialized_view new_guid node_degree_in node_degree_out node_id parse_user_agent parse_xml passthrough
    percentiles_array_tdigest percentilesw percentilesw_array percentilew
    percentrank_tdigest rand row_id row_rank
    rowstore_ordinal_range series_decompose series_decompose_anomalies series_decompose_forecast
    series_fft series_fill_linear series_fir series_fit_2lines series_fit_2lines_dynamic series_fit_line
    series_fit_line_dynamic series_fit_poly series_ifft series_outliers series_periods_detect
    series_periods_validate series_seasonal stored_query_result tdigest_isvalid
    totable welch_test zlib_compress_to_base64_string
";
