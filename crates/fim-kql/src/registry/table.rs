//! The rows: one per function and aggregate, by name.

use super::{AggregateEntry, FunctionEntry, Naming, Parameter, Shape};
use crate::function::{Aggregate, Function};
use crate::types::ScalarType;

use Parameter::{Any, AnyAsText, Length, Moment, Number, OneOf, Text, TextOrDynamic, Whole};
use ScalarType::{Bool, DateTime, Decimal, Dynamic, Guid, Int, Long, Real, String as Str, TimeSpan};

const fn fixed(
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
const fn renamed(entry: FunctionEntry) -> FunctionEntry {
    FunctionEntry { naming: Naming::FirstArgument, ..entry }
}

const fn shaped(name: &'static str, shape: Shape, summary: &'static str) -> FunctionEntry {
    FunctionEntry { name, shape, naming: Naming::Position, summary }
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
    shaped("ago", Shape::Ago, "The moment so long before the query started."),
    renamed(shaped("bin", Shape::Bin, "Rounds down to a multiple of the second argument.")),
    renamed(shaped("bin_at", Shape::BinAt, "Rounds down to a multiple counted from a fixed point.")),
    shaped("case", Shape::Case, "The value beside the first condition that is true."),
    renamed(shaped("ceiling", Shape::Rounding { function: Function::Ceiling, has_digits: false }, "Rounds up.")),
    shaped("coalesce", Shape::Common { function: Function::Coalesce, is_ordered: false }, "The first value that is not null, or not empty for text."),
    fixed("datetime_add", Function::DateTimeAdd, &[OneOf("part", ADD_PARTS), Whole("amount"), Moment("moment")], 3, DateTime, "The moment so many parts later."),
    fixed("datetime_diff", Function::DateTimeDiff, &[OneOf("part", ADD_PARTS), Moment("later"), Moment("earlier")], 3, Long, "The number of boundaries of a part between two moments."),
    fixed("datetime_part", Function::DateTimePart, &[OneOf("part", ALL_PARTS), Moment("moment")], 2, Int, "A part of a moment as a number."),
    fixed("dayofmonth", Function::DayOfMonth, &[Moment("moment")], 1, Int, "The day of the month, from 1."),
    fixed("dayofweek", Function::DayOfWeek, &[Moment("moment")], 1, TimeSpan, "The days since Sunday."),
    fixed("dayofyear", Function::DayOfYear, &[Moment("moment")], 1, Int, "The day of the year, from 1."),
    fixed("endofday", Function::EndOfDay, &[Moment("moment"), Whole("days")], 1, DateTime, "The last tick of the day."),
    fixed("endofmonth", Function::EndOfMonth, &[Moment("moment"), Whole("months")], 1, DateTime, "The last tick of the month."),
    fixed("endofweek", Function::EndOfWeek, &[Moment("moment"), Whole("weeks")], 1, DateTime, "The last tick of the week, which ends on Saturday."),
    fixed("endofyear", Function::EndOfYear, &[Moment("moment"), Whole("years")], 1, DateTime, "The last tick of the year."),
    renamed(fixed("exp", Function::Exp, &[Number("x")], 1, Real, "e to the power of x.")),
    renamed(fixed("exp10", Function::Exp10, &[Number("x")], 1, Real, "10 to the power of x.")),
    renamed(fixed("exp2", Function::Exp2, &[Number("x")], 1, Real, "2 to the power of x.")),
    shaped("extract", Shape::Extract, "What a group of a regular expression matches."),
    renamed(shaped("floor", Shape::Bin, "The same as `bin`.")),
    renamed(fixed("format_datetime", Function::FormatDateTime, &[Moment("moment"), Text("format")], 2, Str, "A moment as text in a given format.")),
    renamed(fixed("format_timespan", Function::FormatTimeSpan, &[Length("timespan"), Text("format")], 2, Str, "A timespan as text in a given format.")),
    fixed("getmonth", Function::MonthOfYear, &[Moment("moment")], 1, Int, "The month, from 1."),
    fixed("getyear", Function::GetYear, &[Moment("moment")], 1, Int, "The year."),
    fixed("hourofday", Function::HourOfDay, &[Moment("moment")], 1, Int, "The hour, from 0."),
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
    fixed("monthofyear", Function::MonthOfYear, &[Moment("moment")], 1, Int, "The month, from 1."),
    shaped("not", Shape::Not, "The opposite of a truth value."),
    fixed("notempty", Function::IsNotEmpty, &[Any("value")], 1, Bool, "The same as `isnotempty`."),
    fixed("notnull", Function::IsNotNull, &[Any("value")], 1, Bool, "The same as `isnotnull`."),
    shaped("now", Shape::Now, "The moment when the query started, moved by a timespan."),
    renamed(shaped("parse_json", Shape::ParseJson, "The value that a JSON text says.")),
    renamed(shaped("parsejson", Shape::ParseJson, "The same as `parse_json`.")),
    renamed(fixed("pow", Function::Pow, &[Number("base"), Number("exponent")], 2, Real, "A number to the power of another.")),
    fixed("replace_regex", Function::ReplaceRegex, &[Text("text"), Text("regex"), Text("rewrite")], 3, Str, "Replaces all matches of a regular expression."),
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
    FunctionEntry { naming: Naming::FunctionAndArgument, ..fixed("strlen", Function::Strlen, &[TextOrDynamic("text")], 1, Long, "The length of a text in characters.") },
    fixed("substring", Function::Substring, &[AnyAsText("text"), Whole("start"), Whole("length")], 2, Str, "A part of a text, by characters from 0."),
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
    fixed("trim", Function::Trim, &[Text("regex"), Text("text")], 2, Str, "Removes what a regular expression matches at both ends."),
    fixed("trim_end", Function::TrimEnd, &[Text("regex"), Text("text")], 2, Str, "Removes what a regular expression matches at the end."),
    fixed("trim_start", Function::TrimStart, &[Text("regex"), Text("text")], 2, Str, "Removes what a regular expression matches at the start."),
];

const fn aggregates(
    name: &'static str,
    aggregate: Aggregate,
    parameters: &'static [&'static str],
    required: usize,
    result: &'static str,
    summary: &'static str,
) -> AggregateEntry {
    AggregateEntry { name, aggregate, parameters, required, result, summary }
}

/// Every aggregate that runs, by name.
#[rustfmt::skip]
pub(crate) const AGGREGATES: &[AggregateEntry] = &[
    aggregates("arg_max", Aggregate::ArgMax, &["maximised: ordered", "returned: any, … | *"], 1, "the arguments", "The greatest value, and other columns of its row."),
    aggregates("arg_min", Aggregate::ArgMin, &["minimised: ordered", "returned: any, … | *"], 1, "the arguments", "The least value, and other columns of its row."),
    aggregates("avg", Aggregate::Avg, &["value: number, datetime or timespan"], 1, "real, decimal, datetime or timespan", "The average."),
    aggregates("count", Aggregate::Count, &["predicate: bool"], 0, "long", "The number of rows, or of those for which the predicate is true."),
    aggregates("countif", Aggregate::CountIf, &["predicate: bool"], 1, "long", "The number of rows for which the predicate is true."),
    aggregates("dcount", Aggregate::DCount, &["value: any", "accuracy: 0 to 4"], 1, "long", "The number of different values, estimated."),
    aggregates("dcountif", Aggregate::DCountIf, &["value: any", "predicate: bool", "accuracy: 0 to 4"], 2, "long", "The number of different values where the predicate is true."),
    aggregates("max", Aggregate::Max, &["value: ordered"], 1, "as the value", "The greatest value."),
    aggregates("min", Aggregate::Min, &["value: ordered"], 1, "as the value", "The least value."),
    aggregates("sum", Aggregate::Sum, &["value: number or timespan"], 1, "long, real, decimal or timespan", "The sum."),
    aggregates("sumif", Aggregate::SumIf, &["value: number or timespan", "predicate: bool"], 2, "long, real, decimal or timespan", "The sum where the predicate is true."),
];

/// Functions and aggregates of the language that do not run yet, so that a message can say so.
pub(super) const NOT_YET: &str = "
    acos all any anyif argmax argmin around array_concat array_iff array_iif array_index_of array_length
    array_reverse array_rotate_left array_rotate_right array_shift_left array_shift_right array_slice
    array_sort_asc array_sort_desc array_split array_strcat array_sum arraylength asin assert atan atan2
    avgif bag_has_key bag_keys bag_merge bag_pack bag_pack_columns bag_remove_keys bag_set_key bag_zip
    base64_decode_toarray base64_decode_toguid base64_decode_tostring base64_decodestring
    base64_encode_fromarray base64_encode_fromguid base64_encode_tostring base64_encodestring beta_cdf
    beta_inv beta_pdf bin_auto binary_all_and binary_all_or binary_all_xor binary_and binary_not
    binary_or binary_shift_left binary_shift_right binary_xor bitset_count_ones buildschema cluster cnt
    column_ifexists column_names_of columnifexists convert_angle convert_energy convert_force
    convert_length convert_mass convert_speed convert_temperature convert_volume cos cot count_distinct
    count_distinctif countof covariance covarianceif covariancep covariancepif current_cluster_endpoint
    current_cursor current_database current_node_id current_principal current_principal_details
    current_principal_is_member_of cursor_after cursor_before_or_at cursor_current database datepart
    datetime_list_timezones datetime_local_to_utc datetime_utc_to_local dcount_hll degrees
    dynamic_to_json entity_group erf erfc estimate_data_size extent_id extent_tags extentid
    external_table extract_all extract_json extractall extractjson format_bytes format_ipv4
    format_ipv4_mask gamma geo_angle geo_azimuth geo_closest_point_on_line geo_closest_point_on_polygon
    geo_distance_2points geo_distance_point_to_line geo_distance_point_to_polygon geo_from_wkt
    geo_geohash_neighbors geo_geohash_to_central_point geo_geohash_to_polygon geo_h3cell_children
    geo_h3cell_level geo_h3cell_neighbors geo_h3cell_parent geo_h3cell_rings geo_h3cell_to_central_point
    geo_h3cell_to_polygon geo_info_from_ip_address geo_intersection_2lines geo_intersection_2polygons
    geo_intersection_line_with_polygon geo_intersects_2lines geo_intersects_2polygons
    geo_intersects_line_with_polygon geo_line_buffer geo_line_centroid geo_line_densify
    geo_line_interpolate_point geo_line_length geo_line_locate_point geo_line_simplify
    geo_line_to_s2cells geo_point_buffer geo_point_in_circle geo_point_in_polygon geo_point_to_geohash
    geo_point_to_h3cell geo_point_to_s2cell geo_polygon_area geo_polygon_buffer geo_polygon_centroid
    geo_polygon_densify geo_polygon_perimeter geo_polygon_simplify geo_polygon_to_h3cells
    geo_polygon_to_s2cells geo_s2cell_neighbors geo_s2cell_to_central_point geo_s2cell_to_polygon
    geo_simplify_polygons_array geo_union_lines_array geo_union_polygons_array gettype graph
    gzip_compress_to_base64_string gzip_decompress_from_base64_string has_any_index has_any_ipv4
    has_any_ipv4_prefix has_ipv4 has_ipv4_prefix hash hash_combine hash_many hash_md5 hash_sha1
    hash_sha256 hash_xxhash64 hll hll_if hll_isvalid hll_merge indexof_regex ingestion_time inner_nodes
    ipv4_compare ipv4_is_in_any_range ipv4_is_in_range ipv4_is_match ipv4_is_private ipv4_netmask_suffix
    ipv4_range_to_cidr_list ipv6_compare ipv6_is_in_any_range ipv6_is_in_range ipv6_is_match isascii
    iscolumnexists isutf8 jaccard_index labels loggamma make_bag make_bag_if make_datetime
    make_dictionary make_list make_list_if make_list_with_nulls make_set make_set_if make_string
    make_timespan makelist makeset map materialized_view maxif merge_tdigest minif new_guid
    node_degree_in node_degree_out node_id pack pack_all pack_array pack_dictionary parse_command_line
    parse_csv parse_ipv4 parse_ipv4_mask parse_ipv6 parse_ipv6_mask parse_path parse_url parse_urlquery
    parse_user_agent parse_version parse_xml parseurl parseurlquery passthrough percentile
    percentile_tdigest percentiles percentiles_array percentiles_array_tdigest percentilesw
    percentilesw_array percentilew percentrank_tdigest pi punycode_domain_from_string
    punycode_domain_to_string punycode_from_string punycode_to_string radians rand range rank_tdigest
    regex_quote repeat replace replace_strings reverse row_id row_rank rowstore_ordinal_range series_abs
    series_acos series_add series_asin series_atan series_ceiling series_cos series_cosine_similarity
    series_decompose series_decompose_anomalies series_decompose_forecast series_divide
    series_dot_product series_equals series_exp series_fft series_fill_backward series_fill_const
    series_fill_forward series_fill_linear series_fir series_fit_2lines series_fit_2lines_dynamic
    series_fit_line series_fit_line_dynamic series_fit_poly series_floor series_greater
    series_greater_equals series_ifft series_iir series_less series_less_equals series_log
    series_magnitude series_multiply series_not_equals series_outliers series_pearson_correlation
    series_periods_detect series_periods_validate series_pow series_product series_seasonal series_sign
    series_sin series_stats series_stats_dynamic series_subtract series_sum series_tan set_difference
    set_equals set_has_element set_intersect set_union sin stdev stdevif stdevp stored_query_result
    strcat_array strcmp string_size strrep take_any take_anyif tan tdigest tdigest_isvalid tdigest_merge
    to_utf8 tohex toobject totable translate treepath unicode_codepoints_from_string
    unicode_codepoints_to_string unixtime_microseconds_todatetime unixtime_milliseconds_todatetime
    unixtime_nanoseconds_todatetime unixtime_seconds_todatetime url_decode url_encode
    url_encode_component variance varianceif variancep variancepif week_of_year weekofyear welch_test
    zip zlib_compress_to_base64_string zlib_decompress_from_base64_string
";
