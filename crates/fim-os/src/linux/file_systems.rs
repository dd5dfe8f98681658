//! Which file systems a walk enters only if it is told to.

use std::os::fd::OwnedFd;

use fim_scan::KeepOut;

/// Says why a directory on such a file system should be kept out of. What cannot be told is entered.
pub(super) fn keep_out(directory: &OwnedFd) -> Option<KeepOut> {
    let kind =
        u32::try_from(rustix::fs::fstatfs(directory).ok()?.f_type as u64 & u64::from(u32::MAX)).ok()?;
    let named =
        |list: &[(u32, &'static str)]| list.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name);
    if let Some(name) = named(&NOTHING_STORED) {
        return Some(KeepOut::NothingStored(name));
    }
    named(&MAY_HANG).map(KeepOut::MayHang)
}

/// True if file systems whose kind the table of mounts calls so may hang: those of [`MAY_HANG`], whose versions have names
/// of their own.
pub(super) fn may_hang(kind: &str) -> bool {
    // `fuse.sshfs` is a kind of `fuse`.
    let family = kind.split('.').next().unwrap_or_default();
    MAY_HANG.iter().any(|(_, name)| *name == family) || VERSIONS_THAT_MAY_HANG.contains(&family)
}

/// Numbers of `linux/magic.h` and of the kernel sources for those that are not in it.
const NOTHING_STORED: [(u32, &str); 16] = [
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x1cd1, "devpts"),
    (0xcafe_4a11, "bpf"),
    (0x1980_0202, "mqueue"),
    (0x9584_58f6, "hugetlbfs"),
    (0x6265_6570, "configfs"),
    (0x6573_5543, "fusectl"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x6165_676c, "pstore"),
];

const MAY_HANG: [(u32, &str); 9] = [
    (0x6969, "nfs"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb"),
    (0x00c3_6400, "ceph"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "afs"),
    (0x6573_5546, "fuse"),
    (0x0187, "autofs"),
    (0x7461_636f, "ocfs2"),
];

/// What else file systems with these numbers are called.
const VERSIONS_THAT_MAY_HANG: [&str; 4] = ["nfs4", "smb3", "fuseblk", "virtiofs"];

#[cfg(test)]
mod tests {
    use super::may_hang;

    #[test]
    fn what_asks_others_for_its_content_may_hang() {
        for (kind, expected) in [
            ("nfs", true),
            ("nfs4", true),
            ("cifs", true),
            ("fuse", true),
            ("fuse.sshfs", true),
            ("fusectl", false),
            ("autofs", true),
            ("ext4", false),
            ("tmpfs", false),
            ("overlay", false),
        ] {
            assert_eq!(may_hang(kind), expected, "{kind}");
        }
    }
}
