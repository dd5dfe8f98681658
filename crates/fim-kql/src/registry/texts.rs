//! Functions over texts: codes, digests, paths, addresses of the web.

use super::table::{fixed, prefixed, renamed, shaped, variadic};
use super::{FunctionEntry, Parameter, Shape};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{AnyAsDynamic, AnyAsText, Number, OneOf, Regex, Text, Whole};
use ScalarType::{Bool, Dynamic, Guid, Long, String as Str};

const COUNT_KINDS: &[&str] = &["normal", "regex"];
const COMMAND_LINES: &[&str] = &["windows"];

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    fixed("base64_decode_toarray", Function::Base64DecodeToArray, &[Text("text")], 1, Dynamic, "The bytes that a Base64 text stands for."),
    fixed("base64_decode_toguid", Function::Base64DecodeToGuid, &[Text("text")], 1, Guid, "The guid that a Base64 text stands for."),
    fixed("base64_decode_tostring", Function::Base64DecodeToString, &[Text("text")], 1, Str, "The text that a Base64 text stands for."),
    fixed("base64_decodestring", Function::Base64DecodeToString, &[Text("text")], 1, Str, "The same as `base64_decode_tostring`."),
    fixed("base64_encode_fromarray", Function::Base64EncodeFromArray, &[Parameter::Dynamic("bytes")], 1, Str, "The Base64 text of an array of bytes."),
    fixed("base64_encode_fromguid", Function::Base64EncodeFromGuid, &[Parameter::Guid("guid")], 1, Str, "The Base64 text of a guid."),
    fixed("base64_encode_tostring", Function::Base64EncodeToString, &[Text("text")], 1, Str, "The Base64 text of a text."),
    fixed("base64_encodestring", Function::Base64EncodeToString, &[Text("text")], 1, Str, "The same as `base64_encode_tostring`."),
    fixed("countof", Function::CountOf, &[AnyAsText("text"), AnyAsText("what"), OneOf("kind", COUNT_KINDS)], 2, Long, "How often a text occurs in another, overlapping or by a regular expression."),
    shaped("extract_all", Shape::ExtractAll, "What the groups of all matches of a regular expression hold."),
    shaped("extract_json", Shape::Typed { function: Function::ExtractJson, parameters: &[Text("path"), Text("text")], gives: ScalarType::String }, "The value at a path in a JSON text."),
    shaped("extractjson", Shape::Typed { function: Function::ExtractJson, parameters: &[Text("path"), Text("text")], gives: ScalarType::String }, "The same as `extract_json`."),
    renamed(fixed("format_bytes", Function::FormatBytes, &[Number("size"), Whole("precision"), Text("unit")], 1, Str, "A number of bytes as text with a unit.")),
    fixed("gzip_decompress_from_base64_string", Function::GzipDecompress, &[Text("text")], 1, Str, "The text that was compressed by gzip and written as Base64."),
    fixed("has_any_index", Function::HasAnyIndex, &[Text("text"), Parameter::Dynamic("terms")], 2, Long, "The position of the first term of an array that a text has, or -1."),
    shaped("hash", Shape::Hash, "A number that stands for a text or moment (xxHash64)."),
    fixed("hash_md5", Function::HashMd5, &[AnyAsText("value")], 1, Str, "The MD5 digest of a value's text in hexadecimal digits."),
    fixed("hash_sha1", Function::HashSha1, &[AnyAsText("value")], 1, Str, "The SHA-1 digest of a value's text in hexadecimal digits."),
    fixed("hash_sha256", Function::HashSha256, &[AnyAsText("value")], 1, Str, "The SHA-256 digest of a value's text in hexadecimal digits."),
    shaped("hash_xxhash64", Shape::Hash, "The same as `hash`."),
    fixed("indexof_regex", Function::IndexOfRegex, &[AnyAsText("text"), Regex, Whole("start"), Whole("length"), Whole("occurrence")], 2, Long, "The position where a regular expression matches, from 0, or -1."),
    fixed("isascii", Function::IsAscii, &[Text("text")], 1, Bool, "Whether a text has only ASCII characters."),
    fixed("isutf8", Function::IsUtf8, &[Text("text")], 1, Bool, "Whether a text is valid UTF-8."),
    variadic("make_string", Function::CodePointsToString, &[], AnyAsDynamic("code points"), 1, Str, "The same as `unicode_codepoints_to_string`."),
    fixed("parse_command_line", Function::ParseCommandLine, &[Text("text"), OneOf("kind", COMMAND_LINES)], 2, Dynamic, "The arguments of a command line."),
    renamed(fixed("parse_csv", Function::ParseCsv, &[Text("text")], 1, Dynamic, "The fields of the first record of comma-separated values.")),
    fixed("parse_path", Function::ParsePath, &[Text("path")], 1, Dynamic, "The parts of a file's path."),
    fixed("parse_url", Function::ParseUrl, &[Text("url")], 1, Dynamic, "The parts of a URL."),
    fixed("parse_urlquery", Function::ParseUrlQuery, &[Text("query")], 1, Dynamic, "The parameters of a URL's query."),
    fixed("parseurl", Function::ParseUrl, &[Text("url")], 1, Dynamic, "The same as `parse_url`."),
    fixed("parseurlquery", Function::ParseUrlQuery, &[Text("query")], 1, Dynamic, "The same as `parse_urlquery`."),
    fixed("punycode_domain_from_string", Function::PunycodeDomainFromString, &[Text("domain")], 1, Str, "A domain name in the letters that it was written in."),
    fixed("punycode_domain_to_string", Function::PunycodeDomainToString, &[Text("domain")], 1, Str, "A domain name with each label in Punycode."),
    fixed("punycode_from_string", Function::PunycodeFromString, &[Text("text")], 1, Str, "A text in Punycode."),
    fixed("punycode_to_string", Function::PunycodeToString, &[Text("text")], 1, Str, "The text that a Punycode text stands for."),
    fixed("regex_quote", Function::RegexQuote, &[Text("text")], 1, Str, "A text with all characters escaped that mean something in a regular expression."),
    fixed("replace_strings", Function::ReplaceStrings, &[Text("text"), Parameter::Dynamic("what"), Parameter::Dynamic("with")], 3, Str, "Replaces all occurrences of several texts."),
    fixed("reverse", Function::Reverse, &[AnyAsText("text")], 1, Str, "The characters in reverse order."),
    fixed("strcmp", Function::StrCmp, &[Text("text"), Text("other")], 2, Long, "Compares two texts: -1, 0 or 1."),
    prefixed("string_size", fixed("string_size", Function::StringSize, &[Text("text")], 1, Long, "The length of a text in bytes of UTF-8.")),
    fixed("strrep", Function::StrRep, &[AnyAsText("text"), Whole("times"), AnyAsText("delimiter")], 2, Str, "A text repeated, with a delimiter between."),
    fixed("to_utf8", Function::ToUtf8, &[Text("text")], 1, Dynamic, "The code points of a text."),
    renamed(fixed("tohex", Function::ToHex, &[Whole("number"), Whole("length")], 1, Str, "A number in hexadecimal digits.")),
    fixed("translate", Function::Translate, &[Text("characters"), Text("with"), Text("text")], 3, Str, "Replaces characters by others, one by one."),
    fixed("unicode_codepoints_from_string", Function::ToUtf8, &[Text("text")], 1, Dynamic, "The code points of a text."),
    variadic("unicode_codepoints_to_string", Function::CodePointsToString, &[], AnyAsDynamic("code points"), 1, Str, "The text of code points, which may be in arrays."),
    fixed("url_decode", Function::UrlDecode, &[Text("text")], 1, Str, "A text with the escapes of URLs resolved."),
    fixed("url_encode", Function::UrlEncode, &[Text("text")], 1, Str, "A text with escapes for a URL's query; a space becomes `+`."),
    fixed("url_encode_component", Function::UrlEncodeComponent, &[Text("text")], 1, Str, "A text with escapes for a part of a URL; a space becomes `%20`."),
    fixed("zlib_decompress_from_base64_string", Function::ZlibDecompress, &[Text("text")], 1, Str, "The text that was compressed by zlib and written as Base64."),
];
