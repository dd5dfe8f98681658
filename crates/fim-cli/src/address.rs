//! The address of a server, however it was typed.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ureq::http::Uri;

/// `https://host:port` in one spelling, so that two that are the same compare as the same.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Reads what was typed: the scheme may be left out, and a slash at the end means nothing.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let fault =
            |why: &str| format!("\"{typed}\" is not a server's address: {why}; write https://HOST:PORT");
        let (scheme, rest) = typed.trim().split_once("://").unwrap_or(("https", typed.trim()));
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(fault("a server is reached by https only"));
        }
        let rest = rest.trim_end_matches('/');
        if rest.contains(['/', '?', '#', '@']) {
            return Err(fault("it has more than a host and a port"));
        }
        let uri: Uri = format!("https://{rest}").parse().map_err(|error| fault(&format!("{error}")))?;
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let port = uri.port_u16();
        if host.is_empty() {
            return Err(fault("it has no host"));
        }
        if port.is_none() && rest.len() != host.len() {
            return Err(fault("its port is not a number from 1 to 65535"));
        }
        Ok(Self { host: one_spelling(host), port: port.unwrap_or(HTTPS_PORT) })
    }

    /// True if it is this machine's own, which no other can reach.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            HTTPS_PORT => write!(f, "https://{}", self.host),
            port => write!(f, "https://{}:{port}", self.host),
        }
    }
}

/// An address of IPv6 can be written in many ways.
fn one_spelling(host: String) -> String {
    match host.trim_matches(['[', ']']).parse::<Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host,
    }
}

const HTTPS_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_however_it_is_typed() {
        for (typed, read) in [
            ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("127.0.0.1:8443", "https://127.0.0.1:8443"),
            ("https://127.0.0.1:8443/", "https://127.0.0.1:8443"),
            (" HTTPS://FIM.Example.org:443// ", "https://fim.example.org"),
            ("fim.example.org", "https://fim.example.org"),
            ("localhost:8443/", "https://localhost:8443"),
            ("https://[0:0::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(
                Address::parse(typed).map(|address| address.to_string()).as_deref(),
                Ok(read),
                "{typed}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_told_with_what_to_write() {
        for (typed, why) in [
            ("http://127.0.0.1:8443", "by https only"),
            ("https://host/api", "more than a host and a port"),
            ("https://user@host", "more than a host and a port"),
            ("https://host:99999", "port is not a number"),
            ("https://host:", "port is not a number"),
            ("https://", "not a server's address"),
            ("a b", "not a server's address"),
        ] {
            let said = Address::parse(typed).unwrap_err();
            assert!(said.contains(why) && said.contains("write https://HOST:PORT"), "{said}");
        }
    }

    #[test]
    fn this_machine_s_own_addresses_are_known() {
        let is_loopback = |typed: &str| Address::parse(typed).is_ok_and(|address| address.is_loopback());
        for own in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost", "a.localhost:1"] {
            assert!(is_loopback(own), "{own}");
        }
        for other in ["10.0.0.1:1", "localhost.example.org", "[::2]:1", "0.0.0.0:1"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
