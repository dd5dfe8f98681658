//! File capabilities, from the kernel's form to the text of `getcap(8)`.
//!
//! The form is `struct vfs_cap_data` of `linux/capability.h`: a word with the revision and whether the capabilities
//! are effective at once, then pairs of permitted and inheritable words, and in revision 3 the user id of the
//! namespace's root; all little endian.

use std::fmt::Write as _;

/// The capabilities as `getcap(8)` shows them, `cap_net_admin,cap_net_raw=ep`; the bytes in hexadecimal if they are
/// not in a form that is known.
pub(crate) fn to_text(value: &[u8]) -> String {
    parse(value).map_or_else(|| hexadecimal(value), |capabilities| capabilities.shown())
}

struct Capabilities {
    is_effective: bool,
    permitted: u64,
    inheritable: u64,
    /// The user id that is root in the namespace to which they are limited.
    root: Option<u32>,
}

impl Capabilities {
    fn shown(&self) -> String {
        let both = self.permitted & self.inheritable;
        let effective = if self.is_effective { "e" } else { "" };
        let groups = [
            (both, format!("={effective}ip")),
            (self.permitted & !both, format!("={effective}p")),
            (self.inheritable & !both, format!("={effective}i")),
        ];
        let shown = groups.iter().filter(|(set, _)| *set != 0);
        let mut text = shown.map(|(set, how)| names(*set) + how).collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            text.push('=');
        }
        if let Some(root) = self.root {
            // Writing to a string cannot fail.
            let _ = write!(text, " [rootid={root}]");
        }
        text
    }
}

fn parse(value: &[u8]) -> Option<Capabilities> {
    let (words, []) = value.as_chunks::<4>() else { return None };
    let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let (first, sets) = words.split_first()?;
    let wide = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
    let (permitted, inheritable, root) = match (first & REVISION_MASK, sets) {
        (REVISION_1, &[permitted, inheritable]) => (permitted.into(), inheritable.into(), None),
        (REVISION_2, &[p0, i0, p1, i1]) => (wide(p0, p1), wide(i0, i1), None),
        (REVISION_3, &[p0, i0, p1, i1, root]) => (wide(p0, p1), wide(i0, i1), Some(root)),
        _ => return None,
    };
    Some(Capabilities { is_effective: first & EFFECTIVE != 0, permitted, inheritable, root })
}

fn names(set: u64) -> String {
    let bits = (0..u64::BITS).filter(|bit| set >> bit & 1 == 1);
    let name = |bit: u32| match NAMES.get(bit as usize) {
        Some(name) => format!("cap_{name}"),
        None => format!("{bit}"),
    };
    bits.map(name).collect::<Vec<_>>().join(",")
}

fn hexadecimal(value: &[u8]) -> String {
    value.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

const REVISION_MASK: u32 = 0xff00_0000;
const REVISION_1: u32 = 0x0100_0000;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
const EFFECTIVE: u32 = 1;

/// The names of `capabilities(7)` by their numbers in `linux/capability.h`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn capabilities_read_as_getcap_shows_them() {
        let raw = bytes(&[REVISION_2 | EFFECTIVE, 1 << 13, 0, 0, 0]);
        assert_eq!(to_text(&raw), "cap_net_raw=ep");
        let several = bytes(&[REVISION_2, 1 << 12 | 1 << 13, 1 << 13, 1 << 7, 0]);
        assert_eq!(to_text(&several), "cap_net_raw=ip cap_net_admin,cap_bpf=p");
        let limited = bytes(&[REVISION_3 | EFFECTIVE, 1, 0, 0, 0, 1000]);
        assert_eq!(to_text(&limited), "cap_chown=ep [rootid=1000]");
    }

    #[test]
    fn a_form_that_nobody_knows_is_shown_as_it_is() {
        assert_eq!(to_text(&[1, 2, 0xff]), "0x0102ff");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(value in prop::collection::vec(any::<u8>(), 0..32)) {
            let _ = to_text(&value);
        }
    }
}
