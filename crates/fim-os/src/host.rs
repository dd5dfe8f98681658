//! What is known of the machine itself, on whatever system.

use std::net::IpAddr;

/// What this machine is called and what runs on it. What cannot be told is `None` or empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostFacts {
    /// The name that the machine gives itself.
    pub host_name: String,
    /// The system as it calls itself: `Debian GNU/Linux 12 (bookworm)`, `Windows Server 2022 Datacenter 21H2`.
    pub os_name: Option<String>,
    /// The system's short name: `debian`, `windows`.
    pub os_id: Option<String>,
    /// The system's version: `12`, `10.0.20348`.
    pub os_version: Option<String>,
    /// The kernel's release: `6.1.0-28-amd64`; on Windows the version with the number of its last update.
    pub kernel: String,
    /// The processor's architecture: `x86_64`.
    pub architecture: String,
    /// The addresses of its interfaces that are up, without loopback and link-local ones, in order.
    pub addresses: Vec<IpAddr>,
    /// What the system tells this installation from every other by (`machine-id(5)`, `MachineGuid`).
    pub machine_id: Option<[u8; 16]>,
}

impl HostFacts {
    /// Asks this machine.
    pub fn read() -> Self {
        crate::platform::host_facts()
    }
}

/// The addresses that others can reach a machine by, in order and each once: neither loopback nor link-local.
pub(crate) fn reachable(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.retain(|address| match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    });
    addresses.sort();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_and_a_version() {
        let facts = HostFacts::read();
        assert!(!facts.host_name.is_empty());
        assert!(!facts.kernel.is_empty());
        assert!(!facts.architecture.is_empty());
        assert_eq!(reachable(facts.addresses.clone()), facts.addresses);
    }

    #[test]
    fn an_address_that_nobody_else_can_use_is_left_out() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let found = ["fe80::1", "10.0.0.2", "127.0.0.1", "169.254.1.1", "2001:db8::1", "::1", "10.0.0.2"];
        assert_eq!(reachable(found.map(address).to_vec()), ["10.0.0.2", "2001:db8::1"].map(address));
    }
}
