//! Functions over IP addresses.

use super::table::{fixed, variadic};
use super::{FunctionEntry, Parameter};
use crate::function::Function;
use crate::types::ScalarType;

use Parameter::{AnyAsDynamic, AnyAsText, Text, Whole};
use ScalarType::{Bool, Dynamic, Long, String as Str};

#[rustfmt::skip]
pub(super) const FUNCTIONS: &[FunctionEntry] = &[
    fixed("format_ipv4", Function::FormatIpv4, &[AnyAsText("address"), Whole("prefix")], 1, Str, "An IPv4 address as text, cut to a prefix."),
    fixed("format_ipv4_mask", Function::FormatIpv4Mask, &[AnyAsText("address"), Whole("prefix")], 1, Str, "An IPv4 network as text, with its prefix."),
    variadic("has_any_ipv4", Function::HasAnyIpv4, &[Text("text")], AnyAsDynamic("address"), 2, Bool, "Whether a text has any of several IPv4 addresses."),
    variadic("has_any_ipv4_prefix", Function::HasAnyIpv4Prefix, &[Text("text")], AnyAsDynamic("prefix"), 2, Bool, "Whether a text has an IPv4 address that starts with any of several prefixes."),
    fixed("has_ipv4", Function::HasIpv4, &[Text("text"), Text("address")], 2, Bool, "Whether a text has an IPv4 address."),
    fixed("has_ipv4_prefix", Function::HasIpv4Prefix, &[Text("text"), Text("prefix")], 2, Bool, "Whether a text has an IPv4 address that starts with a prefix."),
    fixed("ipv4_compare", Function::Ipv4Compare, &[Text("address"), Text("other"), Whole("prefix")], 2, Long, "Compares two IPv4 addresses by their prefixes: -1, 0 or 1."),
    variadic("ipv4_is_in_any_range", Function::Ipv4IsInAnyRange, &[Text("address")], AnyAsDynamic("range"), 2, Bool, "Whether an IPv4 address is in any of several networks."),
    fixed("ipv4_is_in_range", Function::Ipv4IsInRange, &[Text("address"), Text("range")], 2, Bool, "Whether an IPv4 address is in a network."),
    fixed("ipv4_is_match", Function::Ipv4IsMatch, &[Text("address"), Text("other"), Whole("prefix")], 2, Bool, "Whether two IPv4 addresses are equal in their prefixes."),
    fixed("ipv4_is_private", Function::Ipv4IsPrivate, &[Text("address")], 1, Bool, "Whether an IPv4 address is in one of the private networks."),
    fixed("ipv4_netmask_suffix", Function::Ipv4NetmaskSuffix, &[Text("address")], 1, Long, "The length of the prefix of an IPv4 address."),
    fixed("ipv4_range_to_cidr_list", Function::Ipv4RangeToCidrList, &[Text("first"), Text("last")], 2, Dynamic, "The fewest networks that cover a range of IPv4 addresses."),
    fixed("ipv6_compare", Function::Ipv6Compare, &[Text("address"), Text("other"), Whole("prefix")], 2, Long, "Compares two IPv6 or IPv4 addresses by their prefixes: -1, 0 or 1."),
    variadic("ipv6_is_in_any_range", Function::Ipv6IsInAnyRange, &[Text("address")], AnyAsDynamic("range"), 2, Bool, "Whether an IPv6 address is in any of several networks."),
    fixed("ipv6_is_in_range", Function::Ipv6IsInRange, &[Text("address"), Text("range")], 2, Bool, "Whether an IPv6 address is in a network."),
    fixed("ipv6_is_match", Function::Ipv6IsMatch, &[Text("address"), Text("other"), Whole("prefix")], 2, Bool, "Whether two IPv6 or IPv4 addresses are equal in their prefixes."),
    fixed("parse_ipv4", Function::ParseIpv4, &[Text("address")], 1, Long, "An IPv4 address as a number, cut to its prefix."),
    fixed("parse_ipv4_mask", Function::ParseIpv4Mask, &[Text("address"), Whole("prefix")], 2, Long, "An IPv4 address as a number, cut to a prefix."),
    fixed("parse_ipv6", Function::ParseIpv6, &[Text("address")], 1, Str, "An IPv6 or IPv4 address as a full IPv6 address."),
    fixed("parse_ipv6_mask", Function::ParseIpv6Mask, &[Text("address"), Whole("prefix")], 2, Str, "An IPv6 or IPv4 address as a full IPv6 address, cut to a prefix."),
];
