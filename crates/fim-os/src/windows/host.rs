//! What is known of the machine itself.
#![expect(unsafe_code, reason = "the system tells of itself by calls that fill buffers")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::ptr::null;

use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses,
    IP_ADAPTER_ADDRESSES_LH,
};
use windows_sys::Win32::NetworkManagement::Ndis::IfOperStatusUp;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
};
use windows_sys::Win32::System::SystemInformation::{ComputerNamePhysicalDnsHostname, GetComputerNameExW};

use super::registry;
use crate::host::{HostFacts, reachable};

/// Which system it is, and what it is called where nothing more is known of it.
pub const OS_NAME: &str = "Windows";

/// Where the agent keeps everything unless it is told otherwise: beside its program, where only administrators may make
/// folders. Where every user may make some, whoever is first says whose the agent's is.
pub fn default_data_dir() -> PathBuf {
    program_folder().join("Agent")
}

/// Where the program belongs. The system's own word for the folder counts: variables may be those of a user.
pub(super) fn program_folder() -> PathBuf {
    let folder = registry::text(WINDOWS, "ProgramFilesDir").unwrap_or_else(|| PROGRAM_FILES.to_owned());
    PathBuf::from(folder).join("Steadfast")
}

/// Asks this machine.
pub(crate) fn host_facts() -> HostFacts {
    let text = |name| registry::text(CURRENT_VERSION, name);
    let build = text("CurrentBuildNumber").and_then(|build| build.parse().ok());
    let version = version(
        registry::number(CURRENT_VERSION, "CurrentMajorVersionNumber"),
        registry::number(CURRENT_VERSION, "CurrentMinorVersionNumber"),
        text("CurrentVersion"),
        build,
    );
    let update = registry::number(CURRENT_VERSION, "UBR");
    let kernel = version.clone().map(|version| match update {
        Some(update) => format!("{version}.{update}"),
        None => version,
    });
    HostFacts {
        host_name: host_name(),
        os_name: text("ProductName").map(|product| os_name(&product, text("DisplayVersion"), build)),
        os_id: Some("windows".to_owned()),
        os_version: version,
        kernel: kernel.unwrap_or_default(),
        architecture: std::env::consts::ARCH.to_owned(),
        addresses: addresses(),
        machine_id: registry::text(CRYPTOGRAPHY, "MachineGuid").and_then(|guid| parse_guid(&guid)),
    }
}

/// Windows 11 still calls itself Windows 10 there; its builds are from 22000 on.
fn os_name(product: &str, display_version: Option<String>, build: Option<u32>) -> String {
    let is_eleven = build.is_some_and(|build| build >= 22_000);
    let product = match product.strip_prefix("Windows 10") {
        Some(edition) if is_eleven => format!("Windows 11{edition}"),
        Some(_) | None => product.to_owned(),
    };
    match display_version {
        Some(version) => format!("{product} {version}"),
        None => product,
    }
}

/// Systems before Windows 10 have one text for both numbers, which later ones leave at `6.3`.
fn version(
    major: Option<u32>,
    minor: Option<u32>,
    old: Option<String>,
    build: Option<u32>,
) -> Option<String> {
    let numbers = match (major, minor) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        (None, _) | (_, None) => old?,
    };
    Some(match build {
        Some(build) => format!("{numbers}.{build}"),
        None => numbers,
    })
}

fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let parts: Vec<&str> = text.trim_matches(['{', '}']).split('-').collect();
    let is_guid = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_guid { u128::from_str_radix(&parts.concat(), 16).ok().map(u128::to_be_bytes) } else { None }
}

fn host_name() -> String {
    let mut buffer = [0_u16; 256];
    let mut length = buffer.len() as u32;
    // SAFETY: the call writes at most as many units as the buffer has, and how many it were.
    let done =
        unsafe { GetComputerNameExW(ComputerNamePhysicalDnsHostname, buffer.as_mut_ptr(), &raw mut length) };
    if done == 0 { String::new() } else { String::from_utf16_lossy(&buffer[..length as usize]) }
}

fn addresses() -> Vec<IpAddr> {
    let mut found = Vec::new();
    // What the system recommends to begin with; it says if it needs more.
    let mut buffer = vec![0_u64; 15_000 / 8];
    for _ in 0..MOST_ATTEMPTS {
        let mut length = (buffer.len() * 8) as u32;
        let flags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
        let first = buffer.as_mut_ptr().cast::<IP_ADAPTER_ADDRESSES_LH>();
        // SAFETY: the call writes at most `length` bytes into the buffer, which is aligned for what they hold.
        let status = unsafe { GetAdaptersAddresses(AF_UNSPEC.into(), flags, null(), first, &raw mut length) };
        match status {
            NO_ERROR => {
                // SAFETY: the call succeeded, so that a list begins there, which the buffer holds.
                unsafe { collect(first, &mut found) };
                break;
            }
            ERROR_BUFFER_OVERFLOW => buffer = vec![0_u64; (length as usize).div_ceil(8)],
            _ => break,
        }
    }
    reachable(found)
}

/// # Safety
/// `first` is null or a list of adapters that the system wrote, and all that it points to lives.
unsafe fn collect(first: *const IP_ADAPTER_ADDRESSES_LH, found: &mut Vec<IpAddr>) {
    let mut next = first;
    while !next.is_null() {
        // SAFETY: not null, and so one of the list's nodes.
        let adapter = unsafe { &*next };
        let mut unicast = if adapter.OperStatus == IfOperStatusUp {
            adapter.FirstUnicastAddress
        } else {
            std::ptr::null_mut()
        };
        while !unicast.is_null() {
            // SAFETY: not null, and so one of the nodes of the adapter's list of addresses.
            let node = unsafe { &*unicast };
            // SAFETY: the system says that a socket address is there.
            found.extend(unsafe { address(node.Address.lpSockaddr) });
            unicast = node.Next;
        }
        next = adapter.Next;
    }
}

/// # Safety
/// `address` is null or points to a socket address of the family that it names.
unsafe fn address(address: *const SOCKADDR) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: not null, and every socket address begins with its family.
    match unsafe { (*address).sa_family } {
        AF_INET => {
            // SAFETY: the family says that this is a `SOCKADDR_IN`; it may not be aligned as one. Any bytes are a number.
            let number = unsafe { address.cast::<SOCKADDR_IN>().read_unaligned().sin_addr.S_un.S_addr };
            Some(Ipv4Addr::from_bits(u32::from_be(number)).into())
        }
        AF_INET6 => {
            // SAFETY: the family says that this is a `SOCKADDR_IN6`; it may not be aligned as one. Any bytes are bytes.
            let bytes = unsafe { address.cast::<SOCKADDR_IN6>().read_unaligned().sin6_addr.u.Byte };
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

const WINDOWS: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion";
const PROGRAM_FILES: &str = r"C:\Program Files";
const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
const CRYPTOGRAPHY: &str = r"SOFTWARE\Microsoft\Cryptography";
/// Adapters may come between two attempts.
const MOST_ATTEMPTS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_tells_what_the_system_is() {
        let facts = host_facts();
        assert!(facts.os_name.as_deref().unwrap_or_default().contains("Windows"), "{facts:?}");
        assert!(facts.os_version.is_some(), "{facts:?}");
        assert!(facts.machine_id.is_some(), "{facts:?}");
    }

    #[test]
    fn systems_are_called_what_they_are() {
        assert_eq!(os_name("Windows 10 Pro", Some("23H2".to_owned()), Some(22_631)), "Windows 11 Pro 23H2");
        assert_eq!(os_name("Windows 10 Pro", None, Some(19_045)), "Windows 10 Pro");
        assert_eq!(
            os_name("Windows Server 2025 Standard", Some("24H2".to_owned()), Some(26_100)),
            "Windows Server 2025 Standard 24H2"
        );
        let old = || Some("6.3".to_owned());
        assert_eq!(version(Some(10), Some(0), old(), Some(20_348)).as_deref(), Some("10.0.20348"));
        assert_eq!(version(None, None, old(), Some(9600)).as_deref(), Some("6.3.9600"));
        assert_eq!(version(None, None, None, Some(9600)), None);
    }

    #[test]
    fn a_guid_is_its_digits() {
        let id = parse_guid("00112233-4455-6677-8899-aabbccddeeff").unwrap_or_default();
        assert_eq!(id[..3], [0x00, 0x11, 0x22]);
        for bad in ["", "00112233445566778899aabbccddeeff", "+0112233-4455-6677-8899-aabbccddeeff"] {
            assert_eq!(parse_guid(bad), None, "{bad}");
        }
    }
}
