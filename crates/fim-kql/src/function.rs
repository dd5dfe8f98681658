//! The functions that a plan may call, and what each promises.
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
    /// `acos(real x) -> real`: the angle whose cosine is x.
    Acos,
    /// `around(datetime moment, datetime center, timespan delta) -> bool`: whether a moment is at most so far
    /// from another.
    Around,
    /// `array_concat(dynamic array, dynamic array, …) -> dynamic`: all elements of several arrays, one array
    /// after the other.
    ArrayConcat,
    /// `array_iff(dynamic conditions, dynamic if_true, dynamic if_false) -> dynamic`: for each condition the
    /// element beside it of one array or the other, or a value.
    ArrayIff,
    /// `array_index_of(dynamic array, dynamic value, long? start, long? length, long? occurrence) -> long`: the
    /// position of a value in an array, from 0, or -1.
    ArrayIndexOf,
    /// `array_length(dynamic array) -> long`: the number of elements of an array.
    ArrayLength,
    /// `array_reverse(dynamic array) -> dynamic`: the elements in reverse order.
    ArrayReverse,
    /// `array_rotate_left(dynamic array, long places) -> dynamic`: the elements moved to the left, those that
    /// fall out put back at the end.
    ArrayRotateLeft,
    /// `array_rotate_right(dynamic array, long places) -> dynamic`: the elements moved to the right, those that
    /// fall out put back at the start.
    ArrayRotateRight,
    /// `array_shift_left(dynamic array, long places, dynamic? fill) -> dynamic`: the elements moved to the
    /// left, with a value in the places that become free.
    ArrayShiftLeft,
    /// `array_shift_right(dynamic array, long places, dynamic? fill) -> dynamic`: the elements moved to the
    /// right, with a value in the places that become free.
    ArrayShiftRight,
    /// `array_slice(dynamic array, long start, long end) -> dynamic`: the elements from one position up to and
    /// including another.
    ArraySlice,
    /// `array_sort(dynamic array, …, bool is_descending, bool nulls_last) -> dynamic`: an array of the arrays:
    /// the first
    /// one ordered, and the others in the same order, or null where their length differs from that of the first.
    ArraySort,
    /// `array_split(dynamic array, dynamic positions) -> dynamic`: an array of arrays, split at positions.
    ArraySplit,
    /// `array_sum(dynamic array) -> real`: the sum of the numbers of an array.
    ArraySum,
    /// `asin(real x) -> real`: the angle whose sine is x.
    Asin,
    /// `atan(real x) -> real`: the angle whose tangent is x.
    Atan,
    /// `atan2(real y, real x) -> real`: the angle between the x axis and the ray to a point.
    Atan2,
    /// `bag_has_key(dynamic bag, string key) -> bool`: whether a bag has a property, by name or by path.
    BagHasKey,
    /// `bag_keys(dynamic bag) -> dynamic`: the names of the properties of a bag.
    BagKeys,
    /// `bag_merge(dynamic bag, dynamic bag, …) -> dynamic`: the properties of several bags; of two with one
    /// name that of the first.
    BagMerge,
    /// `bag_pack(string name, dynamic value, …) -> dynamic`: a bag of these properties.
    BagPack,
    /// As `BagPack`, without the properties that are null or an empty text.
    BagPackPresent,
    /// `bag_remove_keys(dynamic bag, dynamic keys) -> dynamic`: a bag without some properties, by name or by path.
    BagRemoveKeys,
    /// `bag_set_key(dynamic bag, string key, dynamic value) -> dynamic`: a bag with a property set, by name or
    /// by path.
    BagSetKey,
    /// `bag_zip(dynamic keys, dynamic values) -> dynamic`: a bag with the names of one array and the values of
    /// another.
    BagZip,
    /// `base64_decode_toarray(string text) -> dynamic`: the bytes that a Base64 text stands for.
    Base64DecodeToArray,
    /// `base64_decode_toguid(string text) -> guid`: the guid that a Base64 text stands for.
    Base64DecodeToGuid,
    /// `base64_decode_tostring(string text) -> string`: the text that a Base64 text stands for.
    Base64DecodeToString,
    /// `base64_encode_fromarray(dynamic bytes) -> string`: the Base64 text of an array of bytes.
    Base64EncodeFromArray,
    /// `base64_encode_fromguid(guid guid) -> string`: the Base64 text of a guid.
    Base64EncodeFromGuid,
    /// `base64_encode_tostring(string text) -> string`: the Base64 text of a text.
    Base64EncodeToString,
    /// `bag_shape(dynamic bag) -> string`: the properties of a bag in the order of their names, each as its type, the
    /// length of its name in bytes and its name: `long 3 Age`, one behind the other; a null has the type `null`. What is
    /// no bag has none. No query can call it: the binder asks it for the columns of `bag_unpack`.
    BagShape,
    /// `beta_cdf(real x, real alpha, real beta) -> real`: the cumulative beta distribution; NaN outside of 0 to 1.
    BetaCdf,
    /// `beta_inv(real p, real alpha, real beta) -> real`: the x that has this cumulative probability.
    BetaInv,
    /// `beta_pdf(real x, real alpha, real beta) -> real`: the density of the beta distribution.
    BetaPdf,
    /// `bin(value, size)`: rounds down to a multiple of `size`, counted from 0 or 0001-01-01, also for negative
    /// values. `long, long -> long`; `real, real -> real`; `decimal, decimal -> decimal`;
    /// `timespan, timespan -> timespan`; `datetime, timespan -> datetime`. Null if `size` is not above zero.
    Bin,
    /// `bin_at(value, size, at)`: as `bin`, but so that `at` is a boundary; `at` has the type of `value`.
    BinAt,
    /// `binary_and(long x, long y) -> long`: the bits that both numbers have.
    BinaryAnd,
    /// `binary_not(long x) -> long`: the bits that a number has not.
    BinaryNot,
    /// `binary_or(long x, long y) -> long`: the bits that any of two numbers has.
    BinaryOr,
    /// `binary_shift_left(long x, long places) -> long`: the bits of a number moved to the left.
    BinaryShiftLeft,
    /// `binary_shift_right(long x, long places) -> long`: the bits of a number moved to the right.
    BinaryShiftRight,
    /// `binary_xor(long x, long y) -> long`: the bits that one of two numbers has.
    BinaryXor,
    /// `bitset_count_ones(long x) -> long`: how many bits of a number are set.
    BitsetCountOnes,
    /// `ceiling(x) -> x`: `int`, `long`, `real` or `decimal`, rounded up.
    Ceiling,
    /// `coalesce(x, y, …) -> x`: the first that is not null, for `string` the first that is not empty. All of
    /// one type, at least two.
    Coalesce,
    /// `unicode_codepoints_to_string(dynamic code points, …) -> string`: the text of code points, which may be
    /// in arrays.
    CodePointsToString,
    /// `convert_…(real value, string from, string to) -> real`: a quantity in another unit.
    ConvertUnit(Quantity),
    /// `cos(real x) -> real`: the cosine.
    Cos,
    /// `cot(real x) -> real`: the cotangent.
    Cot,
    /// `countof(string text, string what, string? kind) -> long`: how often a text occurs in another,
    /// overlapping or by a regular expression.
    CountOf,
    /// `datetime_add(string part, long amount, datetime) -> datetime`. Parts: year, quarter, month, week, day,
    /// hour, minute, second, millisecond, microsecond, nanosecond, in any case. A day that the month lacks
    /// becomes its last one.
    DateTimeAdd,
    /// `datetime_diff(string part, datetime a, datetime b) -> long`: how many boundaries of `part` lie between
    /// the two, positive if `a` is later; parts as for `datetime_add`.
    DateTimeDiff,
    /// `datetime_part(string part, datetime) -> long`. Parts: year, quarter, month, weekofyear (ISO 8601), day,
    /// dayofyear, hour, minute, second, millisecond, microsecond, nanosecond, in any case.
    DateTimePart,
    /// `dayofmonth(datetime) -> long`, from 1.
    DayOfMonth,
    /// `dayofweek(datetime) -> timespan`: whole days since Sunday.
    DayOfWeek,
    /// `dayofyear(datetime) -> long`, from 1.
    DayOfYear,
    /// `degrees(real radians) -> real`: an angle in degrees.
    Degrees,
    /// `dynamic_to_json(dynamic value) -> string`: the JSON text of a value, with the properties ordered by name.
    DynamicToJson,
    /// `endofday(datetime, long? days) -> datetime`: the last tick of the day, moved by so many days.
    EndOfDay,
    /// `endofmonth(datetime, long? months) -> datetime`.
    EndOfMonth,
    /// `endofweek(datetime, long? weeks) -> datetime`: of the Saturday.
    EndOfWeek,
    /// `endofyear(datetime, long? years) -> datetime`.
    EndOfYear,
    /// `erf(real x) -> real`: the error function.
    Erf,
    /// `erfc(real x) -> real`: the complementary error function.
    Erfc,
    /// `exp(real) -> real`.
    Exp,
    /// `exp10(real) -> real`.
    Exp10,
    /// `exp2(real) -> real`.
    Exp2,
    /// `extract(string regex, long group, string text) -> string`: what the group of the first match holds;
    /// group 0 is the whole match; empty if there is none.
    Extract,
    /// `extract_all(string regex, dynamic groups, string text) -> dynamic`: what the groups of all matches
    /// hold; all
    /// groups if `groups` is null.
    ExtractAll,
    /// `extract_json(string path, string text) -> string`: the text of the value at a path in a JSON text.
    ExtractJson,
    /// `format_bytes(real size, long? precision, string? unit) -> string`: a number of bytes as text with a unit.
    FormatBytes,
    /// `format_datetime(datetime, string format) -> string` with `d dd f…fffffff F…FFFFFFF h hh H HH m mm M MM
    /// s ss
    /// y yy yyyy tt` and the delimiters `/ - : , . _ [ ]` and space.
    FormatDateTime,
    /// `format_ipv4(string address, long? prefix) -> string`: an IPv4 address as text, cut to a prefix.
    FormatIpv4,
    /// `format_ipv4_mask(string address, long? prefix) -> string`: an IPv4 network as text, with its prefix.
    FormatIpv4Mask,
    /// `format_timespan(timespan, string format) -> string` with `d…dddddddd f…fffffff F…FFFFFFF H HH m mm s ss`.
    FormatTimeSpan,
    /// `gamma(real x) -> real`: the gamma function.
    Gamma,
    /// `gettype(x value) -> string`: the type of a value, looking into a dynamic one.
    GetType,
    /// `getyear(datetime) -> long`.
    GetYear,
    /// `gzip_decompress_from_base64_string(string text) -> string`: the text that was compressed by gzip and
    /// written as Base64.
    GzipDecompress,
    /// `has_any_index(string text, dynamic terms) -> long`: the position of the first term of an array that a
    /// text has, or -1.
    HasAnyIndex,
    /// `has_any_ipv4(string text, dynamic address, …) -> bool`: whether a text has any of several IPv4 addresses.
    HasAnyIpv4,
    /// `has_any_ipv4_prefix(string text, dynamic prefix, …) -> bool`: whether a text has an IPv4 address that
    /// starts with any of several prefixes.
    HasAnyIpv4Prefix,
    /// `has_ipv4(string text, string address) -> bool`: whether a text has an IPv4 address.
    HasIpv4,
    /// `has_ipv4_prefix(string text, string prefix) -> bool`: whether a text has an IPv4 address that starts
    /// with a prefix.
    HasIpv4Prefix,
    /// `hash_md5(string value) -> string`: the MD5 digest of a value's text in hexadecimal digits.
    HashMd5,
    /// `hash_sha1(string value) -> string`: the SHA-1 digest of a value's text in hexadecimal digits.
    HashSha1,
    /// `hash_sha256(string value) -> string`: the SHA-256 digest of a value's text in hexadecimal digits.
    HashSha256,
    /// `hash(string, long? modulus) -> long`: xxHash64 of a text.
    HashText,
    /// `hash(long ticks, long? modulus) -> long`: xxHash64 of a moment's ticks since the year 1.
    HashTicks,
    /// `hourofday(datetime) -> long`, 0 to 23.
    HourOfDay,
    /// `indexof(string text, string what, long? start, long? length, long? occurrence) -> long`: the position in
    /// characters from 0, or -1; a negative start counts from the end, length -1 is no limit.
    IndexOf,
    /// `indexof_regex(string text, string regex, long? start, long? length, long? occurrence) -> long`: the
    /// position where a regular expression matches, from 0, or -1.
    IndexOfRegex,
    /// `ipv4_compare(string address, string other, long? prefix) -> long`: compares two IPv4 addresses by their
    /// prefixes: -1, 0 or 1.
    Ipv4Compare,
    /// `ipv4_is_in_any_range(string address, dynamic range, …) -> bool`: whether an IPv4 address is in any of
    /// several networks.
    Ipv4IsInAnyRange,
    /// `ipv4_is_in_range(string address, string range) -> bool`: whether an IPv4 address is in a network.
    Ipv4IsInRange,
    /// `ipv4_is_match(string address, string other, long? prefix) -> bool`: whether two IPv4 addresses are
    /// equal in their prefixes.
    Ipv4IsMatch,
    /// `ipv4_is_private(string address) -> bool`: whether an IPv4 address is in one of the private networks.
    Ipv4IsPrivate,
    /// `ipv4_netmask_suffix(string address) -> long`: the length of the prefix of an IPv4 address.
    Ipv4NetmaskSuffix,
    /// `ipv4_range_to_cidr_list(string first, string last) -> dynamic`: the fewest networks that cover a range
    /// of IPv4 addresses.
    Ipv4RangeToCidrList,
    /// `ipv6_compare(string address, string other, long? prefix) -> long`: compares two IPv6 or IPv4 addresses
    /// by their prefixes: -1, 0 or 1.
    Ipv6Compare,
    /// `ipv6_is_in_any_range(string address, dynamic range, …) -> bool`: whether an IPv6 address is in any of
    /// several networks.
    Ipv6IsInAnyRange,
    /// `ipv6_is_in_range(string address, string range) -> bool`: whether an IPv6 address is in a network.
    Ipv6IsInRange,
    /// `ipv6_is_match(string address, string other, long? prefix) -> bool`: whether two IPv6 or IPv4 addresses
    /// are equal in their prefixes.
    Ipv6IsMatch,
    /// `isascii(string text) -> bool`: whether a text has only ASCII characters.
    IsAscii,
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
    /// `isutf8(string text) -> bool`: whether a text is valid UTF-8.
    IsUtf8,
    /// `jaccard_index(dynamic set, dynamic other) -> real`: how alike two sets are: the size of their
    /// intersection by that of their union.
    JaccardIndex,
    /// `log(real) -> real`: the natural logarithm; null where it is not defined.
    Log,
    /// `log10(real) -> real`; null where it is not defined.
    Log10,
    /// `log2(real) -> real`; null where it is not defined.
    Log2,
    /// `loggamma(real x) -> real`: the logarithm of the gamma function.
    LogGamma,
    /// `make_datetime(long year, long month, long day, long? hour, long? minute, real? second) -> datetime`:
    /// the moment with these parts.
    MakeDateTime,
    /// `make_timespan(long hour or day, long minute or hour, real? second or minute, real? second) ->
    /// timespan`: the timespan with these parts; with four of them the first are days.
    MakeTimeSpan,
    /// `max_of(x, y, …) -> x`: the greatest, nulls left out. All of one ordered type, at least two.
    MaxOf,
    /// `min_of(x, y, …) -> x`: the least, nulls left out. All of one ordered type, at least two.
    MinOf,
    /// `monthofyear(datetime) -> long`, 1 to 12.
    MonthOfYear,
    /// `merge_tdigest(dynamic digest, dynamic digest, …) -> dynamic`: one digest of the values of several.
    MergeTDigest,
    /// `pack_array(dynamic value, …) -> dynamic`: an array of the values.
    PackArray,
    /// `parse_command_line(string text, string kind) -> dynamic`: the arguments of a command line.
    ParseCommandLine,
    /// `parse_csv(string text) -> dynamic`: the fields of the first record of comma-separated values.
    ParseCsv,
    /// `parse_ipv4(string address) -> long`: an IPv4 address as a number, cut to its prefix.
    ParseIpv4,
    /// `parse_ipv4_mask(string address, long prefix) -> long`: an IPv4 address as a number, cut to a prefix.
    ParseIpv4Mask,
    /// `parse_ipv6(string address) -> string`: an IPv6 or IPv4 address as a full IPv6 address.
    ParseIpv6,
    /// `parse_ipv6_mask(string address, long prefix) -> string`: an IPv6 or IPv4 address as a full IPv6
    /// address, cut to a prefix.
    ParseIpv6Mask,
    /// `parse_json(string) -> dynamic`: the value that the JSON text says; text that is no JSON stays a text.
    ParseJson,
    /// `parse_path(string path) -> dynamic`: the parts of a file's path.
    ParsePath,
    /// `parse_url(string url) -> dynamic`: the parts of a URL.
    ParseUrl,
    /// `parse_urlquery(string query) -> dynamic`: the parameters of a URL's query.
    ParseUrlQuery,
    /// `percentile_tdigest(dynamic digest, real percentage) -> dynamic`: the value that so many percent of the values
    /// of a digest do not exceed.
    PercentileTDigest,
    /// `pi() -> real`: the number π.
    Pi,
    /// `parse(string text, string pattern) -> dynamic`: the texts of the columns of a pattern as an array, or null if the
    /// text does not match. The pattern is JSON: `{"kind":…,"flags":…,"parts":[["any"],["text",…],["column",type]]}`.
    ParsePattern,
    /// `pow(real, real) -> real`.
    Pow,
    /// `punycode_domain_from_string(string domain) -> string`: a domain name in the letters that it was written
    /// in.
    PunycodeDomainFromString,
    /// `punycode_domain_to_string(string domain) -> string`: a domain name with each label in Punycode.
    PunycodeDomainToString,
    /// `punycode_from_string(string text) -> string`: a text in Punycode.
    PunycodeFromString,
    /// `punycode_to_string(string text) -> string`: the text that a Punycode text stands for.
    PunycodeToString,
    /// `radians(real degrees) -> real`: an angle in radians.
    Radians,
    /// `range(start, stop, step) -> dynamic`: an array from `start` up to `stop`: of `long`, `real` or
    /// `timespan`, or of
    /// `datetime` with a `timespan` as step.
    Range,
    /// `rank_tdigest(dynamic digest, real value) -> real`: how many values of a digest do not exceed a value.
    RankTDigest,
    /// `regex_quote(string text) -> string`: a text with all characters escaped that mean something in a
    /// regular expression.
    RegexQuote,
    /// `repeat(dynamic value, long count) -> dynamic`: an array with one value so many times.
    Repeat,
    /// `replace_regex(string text, string regex, string rewrite) -> string`; `\1` in the rewrite is a group.
    ReplaceRegex,
    /// `replace_string(string text, string what, string with) -> string`: all occurrences.
    ReplaceString,
    /// `replace_strings(string text, dynamic what, dynamic with) -> string`: replaces all occurrences of
    /// several texts.
    ReplaceStrings,
    /// `reverse(string text) -> string`: the characters in reverse order.
    Reverse,
    /// `round(x, long? digits) -> x`: `int`, `long`, `real` or `decimal`; half away from zero; digits may be
    /// negative.
    Round,
    /// `series_abs(dynamic series) -> dynamic`: the magnitude of each element.
    SeriesAbs,
    /// `series_acos(dynamic series) -> dynamic`: the arc cosine of each element.
    SeriesAcos,
    /// `series_add(dynamic series, dynamic other) -> dynamic`: the sums of the elements of two arrays.
    SeriesAdd,
    /// `series_asin(dynamic series) -> dynamic`: the arc sine of each element.
    SeriesAsin,
    /// `series_atan(dynamic series) -> dynamic`: the arc tangent of each element.
    SeriesAtan,
    /// `series_ceiling(dynamic series) -> dynamic`: each element rounded up.
    SeriesCeiling,
    /// `series_cos(dynamic series) -> dynamic`: the cosine of each element.
    SeriesCos,
    /// `series_cosine_similarity(dynamic series, dynamic other) -> real`: the cosine of the angle between two
    /// vectors.
    SeriesCosineSimilarity,
    /// `series_divide(dynamic series, dynamic other) -> dynamic`: the quotients of the elements of two arrays.
    SeriesDivide,
    /// `series_dot_product(dynamic series, dynamic other) -> real`: the sum of the products of the elements of
    /// two arrays.
    SeriesDotProduct,
    /// `series_equals(dynamic series, dynamic other) -> dynamic`: whether the elements of two arrays are equal.
    SeriesEquals,
    /// `series_exp(dynamic series) -> dynamic`: e to the power of each element.
    SeriesExp,
    /// `series_fill_backward(dynamic series, dynamic? missing) -> dynamic`: missing elements filled with the
    /// next one that is there.
    SeriesFillBackward,
    /// `series_fill_const(dynamic series, dynamic constant, dynamic? missing) -> dynamic`: missing elements
    /// filled with a constant.
    SeriesFillConst,
    /// `series_fill_forward(dynamic series, dynamic? missing) -> dynamic`: missing elements filled with the
    /// last one that was there.
    SeriesFillForward,
    /// `series_floor(dynamic series) -> dynamic`: each element rounded down.
    SeriesFloor,
    /// `series_greater(dynamic series, dynamic other) -> dynamic`: whether the elements of one array are
    /// greater than those of another.
    SeriesGreater,
    /// `series_greater_equals(dynamic series, dynamic other) -> dynamic`: whether the elements of one array are
    /// not less than those of another.
    SeriesGreaterEquals,
    /// `series_iir(dynamic series, dynamic numerators, dynamic denominators) -> dynamic`: an array after an
    /// infinite impulse response filter.
    SeriesIir,
    /// `series_less(dynamic series, dynamic other) -> dynamic`: whether the elements of one array are less than
    /// those of another.
    SeriesLess,
    /// `series_less_equals(dynamic series, dynamic other) -> dynamic`: whether the elements of one array are
    /// not greater than those of another.
    SeriesLessEquals,
    /// `series_log(dynamic series) -> dynamic`: the natural logarithm of each element.
    SeriesLog,
    /// `series_magnitude(dynamic series) -> real`: the length of a vector.
    SeriesMagnitude,
    /// `series_multiply(dynamic series, dynamic other) -> dynamic`: the products of the elements of two arrays,
    /// or of an array and a number.
    SeriesMultiply,
    /// `series_not_equals(dynamic series, dynamic other) -> dynamic`: whether the elements of two arrays differ.
    SeriesNotEquals,
    /// `series_pearson_correlation(dynamic series, dynamic other) -> real`: the correlation of two arrays.
    SeriesPearsonCorrelation,
    /// `series_pow(dynamic series, dynamic other) -> dynamic`: the elements of one array to the power of those
    /// of another.
    SeriesPow,
    /// `series_product(dynamic series) -> real`: the product of the elements.
    SeriesProduct,
    /// `series_sign(dynamic series) -> dynamic`: the sign of each element: -1, 0 or 1.
    SeriesSign,
    /// `series_sin(dynamic series) -> dynamic`: the sine of each element.
    SeriesSin,
    /// `series_stats_dynamic(dynamic series) -> dynamic`: least, greatest, average and spread of the elements
    /// as a bag.
    SeriesStatsDynamic,
    /// `series_subtract(dynamic series, dynamic other) -> dynamic`: the differences of the elements of two arrays.
    SeriesSubtract,
    /// `series_sum(dynamic series) -> real`: the sum of the elements.
    SeriesSum,
    /// `series_tan(dynamic series) -> dynamic`: the tangent of each element.
    SeriesTan,
    /// `set_difference(dynamic set, dynamic other, …) -> dynamic`: the different elements of the first array
    /// that no other has.
    SetDifference,
    /// `set_equals(dynamic set, dynamic other) -> bool`: whether two arrays have the same elements, in any order.
    SetEquals,
    /// `set_has_element(dynamic set, dynamic value) -> bool`: whether an array has an element.
    SetHasElement,
    /// `set_intersect(dynamic set, dynamic other, …) -> dynamic`: the different elements that all arrays have.
    SetIntersect,
    /// `set_union(dynamic set, dynamic other, …) -> dynamic`: the different elements that any array has.
    SetUnion,
    /// `sign(real) -> real`: -1, 0 or 1.
    Sign,
    /// `sin(real x) -> real`: the sine.
    Sin,
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
    /// `strcmp(string text, string other) -> long`: compares two texts: -1, 0 or 1.
    StrCmp,
    /// `strrep(string text, long times, string? delimiter) -> string`: a text repeated, with a delimiter between.
    StrRep,
    /// `strcat(string, …) -> string`: one to 64 texts, one after the other.
    Strcat,
    /// `strcat_array(dynamic array, string delimiter) -> string`: the elements as one text with a delimiter
    /// between them.
    StrcatArray,
    /// `strcat_delim(string delimiter, string, …) -> string`.
    StrcatDelim,
    /// `string_size(string text) -> long`: the length of a text in bytes of UTF-8.
    StringSize,
    /// `strlen(string) -> long`: in characters.
    Strlen,
    /// `substring(string, long start, long? length) -> string`: in characters; a negative start counts from the
    /// end, a length that is too long ends with the text.
    Substring,
    /// `tan(real x) -> real`: the tangent.
    Tan,
    /// `tohex(long number, long? length) -> string`: a number in hexadecimal digits.
    ToHex,
    /// `tolower(string) -> string`.
    ToLower,
    /// `toupper(string) -> string`.
    ToUpper,
    /// `to_utf8(string text) -> dynamic`: the code points of a text.
    ToUtf8,
    /// `translate(string characters, string with, string text) -> string`: replaces characters by others, one
    /// by one.
    Translate,
    /// `treepath(dynamic value) -> dynamic`: the paths to all values inside of a dynamic value.
    TreePath,
    /// `trim(string regex, string) -> string`: without what the regular expression matches at the start and end.
    Trim,
    /// `trim_end(string regex, string) -> string`.
    TrimEnd,
    /// `trim_start(string regex, string) -> string`.
    TrimStart,
    /// `unixtime_microseconds_todatetime(long microseconds) -> datetime`: the moment so many microseconds after
    /// 1970.
    UnixMicroseconds,
    /// `unixtime_milliseconds_todatetime(real milliseconds) -> datetime`: the moment so many milliseconds after
    /// 1970.
    UnixMilliseconds,
    /// `unixtime_nanoseconds_todatetime(long nanoseconds) -> datetime`: the moment so many nanoseconds after 1970.
    UnixNanoseconds,
    /// `unixtime_seconds_todatetime(real seconds) -> datetime`: the moment so many seconds after 1970.
    UnixSeconds,
    /// `url_decode(string text) -> string`: a text with the escapes of URLs resolved.
    UrlDecode,
    /// `url_encode(string text) -> string`: a text with escapes for a URL's query; a space becomes `+`.
    UrlEncode,
    /// `url_encode_component(string text) -> string`: a text with escapes for a part of a URL; a space becomes
    /// `%20`.
    UrlEncodeComponent,
    /// `week_of_year(datetime moment) -> long`: the number of the week by ISO 8601.
    WeekOfYear,
    /// `zip(dynamic array, dynamic array, …) -> dynamic`: an array of arrays: the first elements, the second
    /// ones, and so on.
    Zip,
    /// `zlib_decompress_from_base64_string(string text) -> string`: the text that was compressed by zlib and
    /// written as Base64.
    ZlibDecompress,
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Quantity {
    /// `convert_angle`
    Angle,
    /// `convert_energy`
    Energy,
    /// `convert_force`
    Force,
    /// `convert_length`
    Length,
    /// `convert_mass`
    Mass,
    /// `convert_speed`
    Speed,
    /// `convert_temperature`
    Temperature,
    /// `convert_volume`
    Volume,
}
