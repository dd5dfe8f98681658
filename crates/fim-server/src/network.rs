//! What counts as one caller's addresses.

use std::net::{IpAddr, Ipv6Addr};

/// The addresses that one caller has at hand: one of IPv4, or a /64 of IPv6, which is what a single line is given.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Network(IpAddr);

impl Network {
    /// The network of the address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

/// True if the address is the server's own machine's.
pub fn is_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_s_addresses_are_one_network_however_they_are_written() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn only_loopback_is_this_machine() {
        for ours in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_this_machine(ours.parse().unwrap()), "{ours}");
        }
        for other in ["10.0.0.1", "0.0.0.0", "::ffff:10.0.0.1", "fe80::1"] {
            assert!(!is_this_machine(other.parse().unwrap()), "{other}");
        }
    }
}
