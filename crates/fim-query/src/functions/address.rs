//! IPv4 and IPv6 addresses with a prefix; pure.

use std::cmp::Ordering;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An IPv4 address and the length of its prefix, 32 if none is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ipv4Net {
    address: u32,
    pub prefix: u8,
}

impl Ipv4Net {
    pub const MAX_PREFIX: i64 = 32;

    /// Reads `a.b.c.d` or `a.b.c.d/prefix`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = split_prefix(text.trim(), 32)?;
        Some(Self { address: address.parse::<Ipv4Addr>().ok()?.into(), prefix })
    }

    pub fn of_number(address: u32) -> Self {
        Self { address, prefix: 32 }
    }

    /// With the shorter of its prefix and this one; `None` if there is no such prefix.
    pub fn cut(self, prefix: i64) -> Option<Self> {
        let prefix = u8::try_from(prefix).ok().filter(|prefix| *prefix <= 32)?;
        Some(Self { prefix: self.prefix.min(prefix), ..self })
    }

    /// The address with zeros behind its prefix.
    pub fn masked(self) -> Ipv4Addr {
        Ipv4Addr::from(self.address & mask(self.prefix))
    }

    /// -1, 0 or 1 by the order of both in the shortest of the three prefixes.
    pub fn compare(self, other: Self, prefix: i64) -> i64 {
        let prefix = u8::try_from(prefix).unwrap_or(32).min(self.prefix).min(other.prefix);
        sign((self.address & mask(prefix)).cmp(&(other.address & mask(prefix))))
    }

    pub fn contains(self, other: Self) -> bool {
        other.address & mask(other.prefix) & mask(self.prefix) == self.address & mask(self.prefix)
    }

    pub fn is_private(self) -> bool {
        const PRIVATE: [(Ipv4Addr, u8); 3] = [
            (Ipv4Addr::new(10, 0, 0, 0), 8),
            (Ipv4Addr::new(172, 16, 0, 0), 12),
            (Ipv4Addr::new(192, 168, 0, 0), 16),
        ];
        PRIVATE.iter().any(|&(network, prefix)| {
            self.prefix >= prefix && self.address & mask(prefix) == u32::from(network)
        })
    }
}

/// An IPv6 address and the length of its prefix, 128 if none is written; an IPv4 address is mapped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ipv6Net {
    address: u128,
    prefix: u8,
}

impl Ipv6Net {
    pub const MAX_PREFIX: i64 = 128;
    /// How many bits stand before an IPv4 address that is written as an IPv6 one.
    pub const MAPPED_PREFIX: i64 = 96;

    /// Reads an IPv6 or IPv4 address with a prefix or without.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(net) = Ipv4Net::parse(text) {
            let address = Ipv4Addr::from(net.address).to_ipv6_mapped().into();
            return Some(Self { address, prefix: net.prefix + 96 });
        }
        let (address, prefix) = split_prefix(text.trim(), 128)?;
        Some(Self { address: address.parse::<Ipv6Addr>().ok()?.into(), prefix })
    }

    /// With the shorter of its prefix and this one; `None` if there is no such prefix.
    pub fn cut(self, prefix: i64) -> Option<Self> {
        let prefix = u8::try_from(prefix).ok().filter(|prefix| *prefix <= 128)?;
        Some(Self { prefix: self.prefix.min(prefix), ..self })
    }

    /// -1, 0 or 1 by the order of both in the shortest of the three prefixes.
    pub fn compare(self, other: Self, prefix: i64) -> i64 {
        let prefix = u8::try_from(prefix).unwrap_or(128).min(self.prefix).min(other.prefix);
        sign((self.address & mask6(prefix)).cmp(&(other.address & mask6(prefix))))
    }

    pub fn contains(self, other: Self) -> bool {
        other.address & mask6(other.prefix) & mask6(self.prefix) == self.address & mask6(self.prefix)
    }

    /// All eight groups with all their digits, cut to the prefix.
    pub fn full_text(self) -> String {
        let groups = Ipv6Addr::from(self.address & mask6(self.prefix)).segments();
        groups.map(|group| format!("{group:04x}")).join(":")
    }
}

/// The fewest networks that hold exactly the addresses from `first` to `last`; `None` if they are the wrong way round.
pub(super) fn cidr_list(first: Ipv4Addr, last: Ipv4Addr) -> Option<Vec<String>> {
    let (mut start, end) = (u64::from(u32::from(first)), u64::from(u32::from(last)));
    if start > end {
        return None;
    }
    let mut networks = Vec::new();
    while start <= end {
        let aligned = if start == 0 { 32 } else { start.trailing_zeros().min(32) };
        let mut bits = aligned;
        while bits > 0 && start + (1_u64 << bits) - 1 > end {
            bits -= 1;
        }
        networks.push(format!("{}/{}", Ipv4Addr::from(start as u32), 32 - bits));
        start += 1 << bits;
    }
    Some(networks)
}

/// The length of the IPv4 address that a text starts with.
pub(super) fn ipv4_at(text: &str) -> Option<usize> {
    let mut length = 0;
    for octet in 0..4 {
        if octet > 0 {
            text[length..].starts_with('.').then_some(())?;
            length += 1;
        }
        let digits = text[length..].bytes().take_while(u8::is_ascii_digit).count();
        text[length..length + digits].parse::<u8>().ok().filter(|_| digits <= 3)?;
        length += digits;
    }
    Some(length)
}

/// Whether no letter or digit stands right before `start` or at `end`.
pub(super) fn is_delimited(text: &str, start: usize, end: usize) -> bool {
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    !is_word(text[..start].chars().next_back()) && !is_word(text[end..].chars().next())
}

fn split_prefix(text: &str, longest: u8) -> Option<(&str, u8)> {
    match text.split_once('/') {
        Some((address, prefix)) => {
            Some((address, prefix.trim().parse().ok().filter(|prefix| *prefix <= longest)?))
        }
        None => Some((text, longest)),
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

fn sign(order: Ordering) -> i64 {
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_is_covered_by_the_fewest_networks() {
        let list = |first: [u8; 4], last: [u8; 4]| cidr_list(first.into(), last.into()).unwrap();
        assert_eq!(list([1, 1, 128, 0], [1, 1, 140, 255]), ["1.1.128.0/21", "1.1.136.0/22", "1.1.140.0/24"]);
        assert_eq!(list([0, 0, 0, 0], [255, 255, 255, 255]), ["0.0.0.0/0"]);
        assert_eq!(list([255, 255, 255, 255], [255, 255, 255, 255]), ["255.255.255.255/32"]);
        assert_eq!(cidr_list([2, 0, 0, 0].into(), [1, 0, 0, 0].into()), None);
    }

    #[test]
    fn private_networks_are_those_of_rfc_1918() {
        let is_private = |text: &str| Ipv4Net::parse(text).unwrap().is_private();
        assert!(is_private("10.1.2.3/24") && is_private("172.31.0.1") && is_private("192.168.1.1/24"));
        assert!(!is_private("172.32.0.1") && !is_private("127.0.0.1") && !is_private("10.1.2.3/4"));
    }

    proptest! {
        #[test]
        fn networks_of_a_range_are_as_many_addresses_as_the_range(first in any::<u32>(), size in 0..100_000_u32) {
            let last = first.saturating_add(size);
            let networks = cidr_list(first.into(), last.into()).unwrap();
            let prefix = |network: &String| network.split_once('/').unwrap().1.parse::<u32>().unwrap();
            let covered: u64 = networks.iter().map(|network| 1_u64 << (32 - prefix(network))).sum();
            prop_assert_eq!(covered, u64::from(last - first) + 1);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f.:/é ]{0,24}") {
            let _ = (Ipv4Net::parse(&text), Ipv6Net::parse(&text), ipv4_at(&text));
        }
    }
}
