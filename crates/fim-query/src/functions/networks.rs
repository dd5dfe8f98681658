//! IP addresses and networks. A text that is no address gives null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array};
use datafusion::common::Result;

use super::address::{Ipv4Net, Ipv6Net, cidr_list, ipv4_at, is_delimited};
use super::arrays::at;
use super::convert::quoted;
use super::json_text::{array, elements, text_of};
use super::{Call, FunctionSpec, Returns};

pub(super) static NETWORKS: &[&FunctionSpec] = &[
    &FORMAT_IPV4,
    &FORMAT_IPV4_MASK,
    &HAS_ANY_IPV4,
    &HAS_ANY_IPV4_PREFIX,
    &HAS_IPV4,
    &HAS_IPV4_PREFIX,
    &IPV4_COMPARE,
    &IPV4_IS_IN_ANY_RANGE,
    &IPV4_IS_IN_RANGE,
    &IPV4_IS_MATCH,
    &IPV4_IS_PRIVATE,
    &IPV4_NETMASK_SUFFIX,
    &IPV4_RANGE_TO_CIDR_LIST,
    &IPV6_COMPARE,
    &IPV6_IS_IN_ANY_RANGE,
    &IPV6_IS_IN_RANGE,
    &IPV6_IS_MATCH,
    &PARSE_IPV4,
    &PARSE_IPV4_MASK,
    &PARSE_IPV6,
    &PARSE_IPV6_MASK,
];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// `kql_format_ipv4(address or number, prefix)`: empty for what is none.
spec!(FORMAT_IPV4, "kql_format_ipv4", Text, |call| formatted(call, |net| net.masked().to_string()));
spec!(FORMAT_IPV4_MASK, "kql_format_ipv4_mask", Text, |call| formatted(call, |net| {
    format!("{}/{}", net.masked(), net.prefix)
}));
spec!(HAS_IPV4, "kql_has_ipv4", Bool, |call| of_texts(call, |text, wanted| {
    Some(has_address(text, wanted, false))
}));
spec!(HAS_IPV4_PREFIX, "kql_has_ipv4_prefix", Bool, |call| of_texts(call, |text, wanted| {
    Some(has_address(text, wanted, true))
}));
spec!(HAS_ANY_IPV4, "kql_has_any_ipv4", Bool, |call| of_any(call, |text, wanted| {
    Some(has_address(text, wanted, false))
}));
spec!(HAS_ANY_IPV4_PREFIX, "kql_has_any_ipv4_prefix", Bool, |call| of_any(call, |text, wanted| {
    Some(has_address(text, wanted, true))
}));
spec!(IPV4_COMPARE, "kql_ipv4_compare", Long, |call| compared(
    call,
    Ipv4Net::MAX_PREFIX,
    |left, right, prefix| { Some(Ipv4Net::parse(left)?.compare(Ipv4Net::parse(right)?, prefix)) }
));
spec!(IPV4_IS_MATCH, "kql_ipv4_is_match", Bool, |call| equal(
    call,
    Ipv4Net::MAX_PREFIX,
    |left, right, prefix| { Some(Ipv4Net::parse(left)?.compare(Ipv4Net::parse(right)?, prefix)) }
));
spec!(IPV4_IS_IN_RANGE, "kql_ipv4_is_in_range", Bool, |call| of_texts(call, is_in_ipv4));
spec!(IPV4_IS_IN_ANY_RANGE, "kql_ipv4_is_in_any_range", Bool, |call| of_any(call, is_in_ipv4));
spec!(IPV4_IS_PRIVATE, "kql_ipv4_is_private", Bool, |call| {
    let texts = call.texts(0)?;
    let answers = (0..call.rows).map(|row| Some(Ipv4Net::parse(texts.get(row))?.is_private()));
    Ok(Arc::new(answers.collect::<BooleanArray>()))
});
spec!(IPV4_NETMASK_SUFFIX, "kql_ipv4_netmask_suffix", Long, |call| {
    let texts = call.texts(0)?;
    let suffixes = (0..call.rows).map(|row| Some(Ipv4Net::parse(texts.get(row))?.prefix.into()));
    Ok(Arc::new(suffixes.collect::<Int64Array>()))
});
spec!(IPV4_RANGE_TO_CIDR_LIST, "kql_ipv4_range_to_cidr_list", Text, |call| {
    let (firsts, lasts) = (call.texts(0)?, call.texts(1)?);
    call.collect((0..call.rows).map(|row| {
        let (first, last) = (Ipv4Net::parse(firsts.get(row))?, Ipv4Net::parse(lasts.get(row))?);
        let networks = cidr_list(first.masked(), last.masked())?;
        Some(array(networks.iter().map(|network| quoted(network))))
    }))
});
spec!(IPV6_COMPARE, "kql_ipv6_compare", Long, |call| compared(
    call,
    Ipv6Net::MAX_PREFIX,
    |left, right, prefix| { Some(Ipv6Net::parse(left)?.compare(Ipv6Net::parse(right)?, prefix)) }
));
spec!(IPV6_IS_MATCH, "kql_ipv6_is_match", Bool, |call| equal(
    call,
    Ipv6Net::MAX_PREFIX,
    |left, right, prefix| { Some(Ipv6Net::parse(left)?.compare(Ipv6Net::parse(right)?, prefix)) }
));
spec!(IPV6_IS_IN_RANGE, "kql_ipv6_is_in_range", Bool, |call| of_texts(call, is_in_ipv6));
spec!(IPV6_IS_IN_ANY_RANGE, "kql_ipv6_is_in_any_range", Bool, |call| of_any(call, is_in_ipv6));
spec!(PARSE_IPV4, "kql_parse_ipv4", Long, |call| {
    let texts = call.texts(0)?;
    let numbers = (0..call.rows).map(|row| Some(u32::from(Ipv4Net::parse(texts.get(row))?.masked()).into()));
    Ok(Arc::new(numbers.collect::<Int64Array>()))
});
// `kql_parse_ipv4_mask(address, prefix)`
spec!(PARSE_IPV4_MASK, "kql_parse_ipv4_mask", Long, |call| {
    let (texts, prefixes) = (call.texts(0)?, call.longs(1)?);
    let numbers = prefixes.iter().enumerate().map(|(row, prefix)| {
        let net = Ipv4Net::parse(texts.get(row))?.cut(prefix?)?;
        Some(u32::from(net.masked()).into())
    });
    Ok(Arc::new(numbers.collect::<Int64Array>()))
});
spec!(PARSE_IPV6, "kql_parse_ipv6", Text, |call| {
    let texts = call.texts(0)?;
    let full = |text: &str| Ipv6Net::parse(text).map(Ipv6Net::full_text).unwrap_or_default();
    call.collect((0..call.rows).map(|row| Some(full(texts.get(row)))))
});
// `kql_parse_ipv6_mask(address, prefix)`: for an IPv4 address the prefix is one of IPv4.
spec!(PARSE_IPV6_MASK, "kql_parse_ipv6_mask", Text, |call| {
    let (texts, prefixes) = (call.texts(0)?, call.longs(1)?);
    call.collect(prefixes.iter().enumerate().map(|(row, prefix)| {
        let full = || {
            let text = texts.get(row);
            let is_ipv4 = Ipv4Net::parse(text).is_some();
            let prefix = prefix? + if is_ipv4 { Ipv6Net::MAPPED_PREFIX } else { 0 };
            Some(Ipv6Net::parse(text)?.cut(prefix)?.full_text())
        };
        Some(full().unwrap_or_default())
    }))
});

fn is_in_ipv4(address: &str, range: &str) -> Option<bool> {
    Some(Ipv4Net::parse(range)?.contains(Ipv4Net::parse(address)?))
}

fn is_in_ipv6(address: &str, range: &str) -> Option<bool> {
    Some(Ipv6Net::parse(range)?.contains(Ipv6Net::parse(address)?))
}

/// Whether a text has the address, or one that starts with it, with no letter or digit right beside it.
fn has_address(text: &str, wanted: &str, is_prefix: bool) -> bool {
    let is_whole = ipv4_at(wanted).is_some_and(|length| length == wanted.len());
    // A part of an address ends with a point, so that no digits can follow in the same octet.
    if !(is_whole || is_prefix && wanted.ends_with('.')) {
        return false;
    }
    text.match_indices(wanted).any(|(start, _)| {
        let rest = &text[start..];
        ipv4_at(rest).is_some_and(|length| {
            (!is_whole || length == wanted.len()) && is_delimited(text, start, start + length)
        })
    })
}

fn formatted(call: &Call<'_>, text: fn(Ipv4Net) -> String) -> Result<ArrayRef> {
    let (addresses, prefixes) = (call.texts(0)?, call.longs_or(1, Ipv4Net::MAX_PREFIX)?);
    call.collect(prefixes.iter().enumerate().map(|(row, prefix)| {
        let address = addresses.get(row);
        let net = || match address.parse::<u32>() {
            Ok(number) => Some(Ipv4Net::of_number(number)),
            Err(_) => Ipv4Net::parse(address),
        };
        let cut = || net()?.cut(prefix?);
        Some(cut().map(text).unwrap_or_default())
    }))
}

fn of_texts(call: &Call<'_>, test: fn(&str, &str) -> Option<bool>) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    let answers = (0..call.rows).map(|row| test(left.get(row), right.get(row)));
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

/// `f(text, wanted or array of wanted, …)`: true if one of them is found, null if none can be read.
fn of_any(call: &Call<'_>, test: fn(&str, &str) -> Option<bool>) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let wanted = (1..call.len()).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
    let answers = (0..call.rows).map(|row| {
        let mut answer = None;
        for json in wanted.iter().filter_map(|column| at(column, row)) {
            for one in elements(json).unwrap_or_else(|| vec![json]) {
                answer = match (answer, test(texts.get(row), &text_of(one))) {
                    (_, Some(true)) => return Some(true),
                    (answer, found) => answer.or(found),
                };
            }
        }
        answer
    });
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}

fn comparisons(
    call: &Call<'_>,
    max_prefix: i64,
    compare: fn(&str, &str, i64) -> Option<i64>,
) -> Result<Vec<Option<i64>>> {
    let (left, right, prefixes) = (call.texts(0)?, call.texts(1)?, call.longs_or(2, max_prefix)?);
    let compared = (0..call.rows).map(|row| {
        let prefix = prefixes.is_valid(row).then(|| prefixes.value(row))?;
        let is_prefix = (0..=max_prefix).contains(&prefix);
        is_prefix.then(|| compare(left.get(row), right.get(row), prefix)).flatten()
    });
    Ok(compared.collect())
}

fn compared(
    call: &Call<'_>,
    max_prefix: i64,
    compare: fn(&str, &str, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    Ok(Arc::new(Int64Array::from(comparisons(call, max_prefix, compare)?)))
}

fn equal(call: &Call<'_>, max_prefix: i64, compare: fn(&str, &str, i64) -> Option<i64>) -> Result<ArrayRef> {
    let answers = comparisons(call, max_prefix, compare)?.into_iter().map(|order| Some(order? == 0));
    Ok(Arc::new(answers.collect::<BooleanArray>()))
}
