//! Texts in other spellings: Base64, hexadecimal, URLs, Punycode; digests; decompression.

use std::io::Read;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion::common::Result;
use sha2::Digest;

use super::arrays::several;
use super::convert::quoted;
use super::json_text::{array, elements};
use super::{Call, FunctionSpec, Returns, punycode};
use crate::values::guid_text;

pub(super) static ENCODINGS: &[&FunctionSpec] = &[
    &BASE64_DECODE_TO_ARRAY,
    &BASE64_DECODE_TO_GUID,
    &BASE64_DECODE_TO_STRING,
    &BASE64_ENCODE_FROM_ARRAY,
    &BASE64_ENCODE_FROM_GUID,
    &BASE64_ENCODE_TO_STRING,
    &CODE_POINTS_TO_STRING,
    &GZIP_DECOMPRESS,
    &HASH_MD5,
    &HASH_SHA1,
    &HASH_SHA256,
    &HASH_TEXT,
    &HASH_TICKS,
    &PUNYCODE_DOMAIN_FROM_STRING,
    &PUNYCODE_DOMAIN_TO_STRING,
    &PUNYCODE_FROM_STRING,
    &PUNYCODE_TO_STRING,
    &TO_HEX,
    &TO_UTF8,
    &URL_DECODE,
    &URL_ENCODE,
    &URL_ENCODE_COMPONENT,
    &ZLIB_DECOMPRESS,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

spec!(BASE64_DECODE_TO_ARRAY, "kql_base64_decode_toarray", Text, |call| {
    let texts = call.texts(0)?;
    let bytes =
        |text: &str| STANDARD.decode(text.trim()).ok().map(|bytes| array(bytes.iter().map(u8::to_string)));
    call.collect((0..call.rows).map(|row| bytes(texts.get(row))))
});
// The first three groups of a guid are stored with their lowest byte first.
spec!(BASE64_DECODE_TO_GUID, "kql_base64_decode_toguid", Text, |call| {
    let texts = call.texts(0)?;
    let guid = |text: &str| {
        let bytes: [u8; 16] = STANDARD.decode(text.trim()).ok()?.try_into().ok()?;
        Some(guid_text(u128::from_be_bytes(guid_order(bytes))))
    };
    call.collect((0..call.rows).map(|row| guid(texts.get(row))))
});
spec!(BASE64_DECODE_TO_STRING, "kql_base64_decode_tostring", Text, |call| of_text(call, |text| {
    STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}));
spec!(BASE64_ENCODE_FROM_ARRAY, "kql_base64_encode_fromarray", Text, |call| several(call, |values| {
    let bytes = || {
        let elements = elements((*values.first()?)?)?;
        elements.into_iter().map(|element| element.parse().ok()).collect::<Option<Vec<u8>>>()
    };
    Some(bytes().map(|bytes| STANDARD.encode(bytes)).unwrap_or_default())
}));
spec!(BASE64_ENCODE_FROM_GUID, "kql_base64_encode_fromguid", Text, |call| {
    let encoded = |guid: &str| {
        let bits = u128::from_str_radix(&guid.replace('-', ""), 16).ok()?;
        Some(STANDARD.encode(guid_order(bits.to_be_bytes())))
    };
    call.collect(call.nullable_texts(0)?.iter().map(|guid| Some(guid.and_then(encoded).unwrap_or_default())))
});
spec!(BASE64_ENCODE_TO_STRING, "kql_base64_encode_tostring", Text, |call| of_text(call, |text| STANDARD
    .encode(text)));
// `kql_unicode_codepoints_to_string(number or array, …)`
spec!(CODE_POINTS_TO_STRING, "kql_unicode_codepoints_to_string", Text, |call| several(call, |values| {
    let mut text = String::new();
    for json in values.iter().flatten() {
        for element in elements(json).unwrap_or_else(|| vec![json]) {
            text.extend(element.parse::<u32>().ok().and_then(char::from_u32));
        }
    }
    Some(text)
}));
spec!(GZIP_DECOMPRESS, "kql_gzip_decompress_from_base64_string", Text, |call| of_text(call, |text| {
    decompressed(text, |bytes| Box::new(flate2::read::GzDecoder::new(bytes)))
}));
spec!(ZLIB_DECOMPRESS, "kql_zlib_decompress_from_base64_string", Text, |call| of_text(call, |text| {
    decompressed(text, |bytes| Box::new(flate2::read::ZlibDecoder::new(bytes)))
}));
spec!(HASH_MD5, "kql_hash_md5", Text, |call| of_text(call, |text| hexadecimal(&md5::Md5::digest(text))));
spec!(HASH_SHA1, "kql_hash_sha1", Text, |call| of_text(call, |text| hexadecimal(&sha1::Sha1::digest(text))));
spec!(HASH_SHA256, "kql_hash_sha256", Text, |call| of_text(call, |text| hexadecimal(&sha2::Sha256::digest(
    text
))));
// `kql_hash_text(text, modulus?)`
spec!(HASH_TEXT, "kql_hash_text", Long, |call| {
    let texts = call.texts(0)?;
    hashed(call, |row| Some(texts.get(row).as_bytes().to_vec()))
});
// `kql_hash_ticks(ticks, modulus?)`
spec!(HASH_TICKS, "kql_hash_ticks", Long, |call| {
    let ticks = call.longs(0)?;
    hashed(call, |row| ticks.is_valid(row).then(|| ticks.value(row).to_le_bytes().to_vec()))
});
spec!(PUNYCODE_FROM_STRING, "kql_punycode_from_string", Text, |call| of_text(call, |text| {
    punycode::encode(text).unwrap_or_default()
}));
spec!(PUNYCODE_TO_STRING, "kql_punycode_to_string", Text, |call| of_text(call, |text| {
    punycode::decode(text).unwrap_or_default()
}));
spec!(PUNYCODE_DOMAIN_FROM_STRING, "kql_punycode_domain_from_string", Text, |call| of_text(call, |text| {
    let label = |label: &str| match label.strip_prefix("xn--") {
        Some(encoded) => punycode::decode(encoded).unwrap_or_else(|| label.to_owned()),
        None => label.to_owned(),
    };
    text.split('.').map(label).collect::<Vec<_>>().join(".")
}));
// A domain's dots may be those of other scripts.
spec!(PUNYCODE_DOMAIN_TO_STRING, "kql_punycode_domain_to_string", Text, |call| of_text(call, |text| {
    let label = |label: &str| match label.is_ascii() {
        true => label.to_owned(),
        false => punycode::encode(label).map_or_else(|| label.to_owned(), |encoded| format!("xn--{encoded}")),
    };
    text.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).map(label).collect::<Vec<_>>().join(".")
}));
// `kql_tohex(number, length?)`: at least so many digits.
spec!(TO_HEX, "kql_tohex", Text, |call| {
    let (numbers, lengths) = (call.longs(0)?, call.longs_or(1, 0)?);
    call.collect(numbers.iter().zip(&lengths).map(|(number, length)| {
        let hex = || {
            let (number, length) = (number?, usize::try_from(length?).ok()?.min(16));
            let digits = format!("{number:0length$x}");
            // A negative number has all 64 bits; what is cut are only digits that repeat its sign.
            let sign = digits.len().saturating_sub(length.max(1));
            let is_cut =
                number < 0 && length > 0 && digits.as_bytes()[..sign].iter().all(|digit| *digit == b'f');
            Some(if is_cut { digits[sign..].to_owned() } else { digits })
        };
        Some(hex().unwrap_or_default())
    }))
});
spec!(TO_UTF8, "kql_to_utf8", Text, |call| of_text(call, |text| {
    array(text.chars().map(|character| u32::from(character).to_string()))
}));
spec!(URL_DECODE, "kql_url_decode", Text, |call| of_text(call, url_decoded));
spec!(URL_ENCODE, "kql_url_encode", Text, |call| of_text(call, |text| url_encoded(text, "+")));
spec!(URL_ENCODE_COMPONENT, "kql_url_encode_component", Text, |call| of_text(call, |text| url_encoded(
    text, "%20"
)));

/// A function of one text.
pub(super) fn of_text(call: &Call<'_>, of_row: impl Fn(&str) -> String) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.collect((0..call.rows).map(|row| Some(of_row(texts.get(row)))))
}

/// xxHash64 with the seed 0, or its remainder by a modulus.
fn hashed(call: &Call<'_>, bytes: impl Fn(usize) -> Option<Vec<u8>>) -> Result<ArrayRef> {
    let moduli = call.longs_or(1, 0)?;
    let has_modulus = call.len() > 1;
    let hashes = moduli.iter().enumerate().map(|(row, modulus)| {
        let hash = twox_hash::XxHash64::oneshot(0, &bytes(row)?);
        if !has_modulus {
            return Some(hash.cast_signed());
        }
        let modulus = u64::try_from(modulus?).ok().filter(|modulus| *modulus > 0)?;
        i64::try_from(hash % modulus).ok()
    });
    Ok(Arc::new(hashes.collect::<Int64Array>()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Turns the bytes of the first three groups round, or back.
fn guid_order(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[0..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

/// The text that compressed bytes hold; empty if they hold none, or more than [`MOST_DECOMPRESSED_BYTES`].
fn decompressed(text: &str, open: impl for<'b> Fn(&'b [u8]) -> Box<dyn Read + 'b>) -> String {
    let read = || {
        let compressed = STANDARD.decode(text.trim()).ok()?;
        let mut bytes = Vec::new();
        open(&compressed).take(MOST_DECOMPRESSED_BYTES + 1).read_to_end(&mut bytes).ok()?;
        let is_whole = bytes.len() as u64 <= MOST_DECOMPRESSED_BYTES;
        String::from_utf8(bytes).ok().filter(|_| is_whole)
    };
    read().unwrap_or_default()
}

/// `%41` is an `A` and `+` a space; what is no escape stays, and so does a text whose bytes would be no UTF-8.
fn url_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = escape
            .filter(|digits| bytes[at] == b'%' && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], byte) {
            (_, Some(byte)) => {
                decoded.push(byte);
                at += 3;
                continue;
            }
            (b'+', None) => decoded.push(b' '),
            (other, None) => decoded.push(other),
        }
        at += 1;
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

fn url_encoded(text: &str, space: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push_str(space),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            other => encoded.push_str(&format!("%{other:02x}")),
        }
    }
    encoded
}

/// A few bytes can stand for gigabytes; more than this is not read.
const MOST_DECOMPRESSED_BYTES: u64 = 16 << 20;

/// A dynamic value of texts.
pub(super) fn text_array<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    array(texts.map(quoted))
}
