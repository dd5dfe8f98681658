//! What is known of the machine itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use crate::host::{HostFacts, reachable};

/// Which system it is, and what it is called where nothing more is known of it.
pub const OS_NAME: &str = "Linux";

/// Where the agent keeps everything unless it is told otherwise.
pub fn default_data_dir() -> PathBuf {
    PathBuf::from("/var/lib/steadfast-agent")
}

/// Asks this machine.
pub(crate) fn host_facts() -> HostFacts {
    let system = rustix::system::uname();
    let text = |field: &std::ffi::CStr| field.to_string_lossy().into_owned();
    let release = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default();
    HostFacts {
        host_name: text(system.nodename()),
        os_name: os_release_value(&release, "PRETTY_NAME"),
        os_id: os_release_value(&release, "ID"),
        os_version: os_release_value(&release, "VERSION_ID"),
        kernel: text(system.release()),
        architecture: text(system.machine()),
        addresses: addresses(),
        machine_id: read_machine_id(Path::new("/etc/machine-id")),
    }
}

/// The value of a key of `os-release(5)`, without its quotes.
fn os_release_value(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    let value = line.trim();
    let quoted = ['"', '\''].iter().find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let mut plain = String::new();
    let mut characters = quoted.unwrap_or(value).chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    (!plain.is_empty()).then_some(plain)
}

fn read_machine_id(path: &Path) -> Option<[u8; 16]> {
    parse_machine_id(std::fs::read_to_string(path).ok()?.trim())
}

fn parse_machine_id(text: &str) -> Option<[u8; 16]> {
    if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)
}

#[expect(unsafe_code, reason = "the system's list of interfaces is a linked list of C structures")]
fn addresses() -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut first: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: `getifaddrs` writes the list's head through the pointer, which is valid.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return found;
    }
    let mut next = first;
    while !next.is_null() {
        // SAFETY: the list that `getifaddrs` made is not freed yet, and `next` is one of its nodes.
        let interface = unsafe { &*next };
        let is_up = interface.ifa_flags & libc::IFF_UP as libc::c_uint != 0;
        if is_up {
            // SAFETY: `ifa_addr` is null or an address of the family that it names, for as long as the list is.
            found.extend(unsafe { address(interface.ifa_addr) });
        }
        next = interface.ifa_next;
    }
    // SAFETY: `first` is what `getifaddrs` gave, nothing refers to the list any more, and it is freed once.
    unsafe { libc::freeifaddrs(first) };
    reachable(found)
}

/// # Safety
/// `address` is null or points to a socket address of the family that it names.
#[expect(unsafe_code, reason = "the system gives addresses as C structures")]
unsafe fn address(address: *const libc::sockaddr) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: not null, and every socket address begins with its family.
    match i32::from(unsafe { (*address).sa_family }) {
        libc::AF_INET => {
            // SAFETY: the family says that this is a `sockaddr_in`; it may not be aligned as one.
            let inet = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from_bits(u32::from_be(inet.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that this is a `sockaddr_in6`; it may not be aligned as one.
            let inet = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(inet.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_values_lose_their_quotes() {
        let text =
            "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID='12'\nBUG=\"a\\\"b\"\n";
        assert_eq!(os_release_value(text, "ID").as_deref(), Some("debian"));
        assert_eq!(os_release_value(text, "PRETTY_NAME").as_deref(), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(os_release_value(text, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(os_release_value(text, "BUG").as_deref(), Some("a\"b"));
        assert_eq!(os_release_value(text, "VARIANT"), None);
    }

    #[test]
    fn a_machine_id_is_32_hexadecimal_digits_and_nothing_else() {
        let id = parse_machine_id("00112233445566778899aabbccddeeff").unwrap();
        assert_eq!(id[..3], [0x00, 0x11, 0x22]);
        for bad in
            ["", "uninitialized", "00112233445566778899aabbccddeef", "+0112233445566778899aabbccddeeff"]
        {
            assert_eq!(parse_machine_id(bad), None, "{bad}");
        }
    }
}
