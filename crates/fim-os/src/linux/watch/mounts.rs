//! The mounts that this process sees (`proc_pid_mountinfo(5)`).

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use fim_core::{EntityPath, GapScope, ScanPlan};
use fim_scan::Unwatched;

use crate::linux::file_systems;

/// One mount.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mount {
    /// The mount's number; numbers of mounts that are gone are used again.
    pub id: u64,
    /// The file system, as `major:minor`.
    pub device: String,
    /// Which place of the file system is mounted.
    pub root: EntityPath,
    /// Where it is mounted.
    pub point: EntityPath,
    /// The type of the file system.
    pub kind: String,
}

/// The mounts, and the file by which the kernel tells that they have changed.
#[derive(Debug)]
pub(super) struct MountTable {
    table: File,
    mounts: Vec<Mount>,
}

impl MountTable {
    /// A table that has not been read yet.
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self { table: File::open(TABLE)?, mounts: Vec::new() })
    }

    pub(super) fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The mount that is seen at a path, without asking any file system: the last that was made at or above it.
    pub(super) fn at(&self, path: &EntityPath) -> Option<&Mount> {
        seen_at(&self.mounts, path)
    }

    pub(super) fn read(&mut self) -> io::Result<()> {
        self.mounts = read()?;
        Ok(())
    }

    /// Finds out what was mounted and unmounted since it was read last. Gives the places of the plan that may look
    /// different now, with what happened there.
    pub(super) fn compare(&mut self, plan: &ScanPlan) -> io::Result<Vec<(GapScope, String)>> {
        let before = std::mem::replace(&mut self.mounts, read()?);
        let is_same = |one: &Mount, other: &Mount| {
            one.id == other.id && one.point == other.point && one.device == other.device
        };
        let came = self.mounts.iter().filter(|mount| !before.iter().any(|other| is_same(mount, other)));
        let went = before.iter().filter(|mount| !self.mounts.iter().any(|other| is_same(mount, other)));
        let told: Vec<(&EntityPath, String)> = came
            .map(|mount| (mount, "was mounted"))
            .chain(went.map(|mount| (mount, "was unmounted")))
            .map(|(mount, what)| (&mount.point, format!("a {} file system {what}", mount.kind)))
            .collect();
        if told.is_empty() && !before.is_empty() {
            let detail = "something was mounted and unmounted before it could be seen where".to_owned();
            return Ok(vec![(GapScope::Everything, detail)]);
        }
        let mut changed = Vec::new();
        for (point, detail) in told {
            let scopes = scopes_at(plan, point).into_iter();
            changed.extend(scopes.map(|scope| (GapScope::Within(scope), detail.clone())));
        }
        Ok(changed)
    }
}

/// True if whoever asks for something there may have to wait for ever. What the agent's own directory lies in, where the
/// canary is, it has to ask anyway.
pub(super) fn may_hang(mount: &Mount, canary: &EntityPath) -> bool {
    file_systems::may_hang(&mount.kind) && !canary.is_within(&mount.point)
}

/// Why nothing is asked of a file system of that kind, for a person.
pub(super) fn why_not_asked(kind: &str) -> String {
    format!("a {kind} file system may hang, and what others do there is not told")
}

/// That nothing is watched, since it cannot be read where which file system is.
pub(super) fn without_mounts(error: &io::Error) -> Unwatched {
    let why = format!("which file systems are mounted cannot be read: {error}");
    Unwatched { path: EntityPath::unix("/"), why }
}

/// What of the plan may look different if what is at `point` does.
pub(super) fn scopes_at(plan: &ScanPlan, point: &EntityPath) -> Vec<EntityPath> {
    if plan.roots().iter().any(|root| point.is_within(root)) {
        return vec![point.clone()];
    }
    // What a rule names may lie below the place.
    plan.roots().iter().filter(|root| root.is_within(point)).cloned().collect()
}

impl AsRawFd for MountTable {
    fn as_raw_fd(&self) -> RawFd {
        self.table.as_raw_fd()
    }
}

/// The mounts that this process sees, in the order in which they were made.
fn read() -> io::Result<Vec<Mount>> {
    std::fs::read(TABLE).map(|table| parse(&table))
}

/// The last mount that was made at or above a path: it hides what was mounted there and below before.
fn seen_at<'m>(mounts: &'m [Mount], path: &EntityPath) -> Option<&'m Mount> {
    mounts.iter().rev().find(|mount| path.is_within(&mount.point))
}

/// Where file systems are mounted that may hang, with their types; nothing where the table cannot be read.
pub(in crate::linux) fn mounts_that_may_hang() -> Vec<(EntityPath, String)> {
    seen_that_may_hang(read().unwrap_or_default())
}

fn seen_that_may_hang(mounts: Vec<Mount>) -> Vec<(EntityPath, String)> {
    let mut seen: Vec<Mount> = Vec::new();
    for mount in mounts {
        // What is mounted later hides what was mounted there and below.
        seen.retain(|before| !before.point.is_within(&mount.point));
        if file_systems::may_hang(&mount.kind) {
            seen.push(mount);
        }
    }
    seen.into_iter().map(|mount| (mount.point, mount.kind)).collect()
}

/// The mounts in the table; lines that are none are passed over.
fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|&byte| byte == b'\n').filter_map(parse_line).collect()
}

fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let text = |field: &[u8]| std::str::from_utf8(field).ok().map(str::to_owned);
    let id = text(fields.next()?)?.parse().ok()?;
    let device = text(fields.nth(1)?)?;
    let root = EntityPath::unix(unescape(fields.next()?));
    let point = EntityPath::unix(unescape(fields.next()?));
    // Options, then any number of optional fields, which a lone hyphen ends.
    let kind = text(fields.skip_while(|&field| field != b"-").nth(1)?)?;
    Some(Mount { id, device, root, point, kind })
}

/// Space, tab, newline and backslash are written as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, behind)) = rest.split_first() {
        let octal = |digit: u8| (b'0'..=b'7').contains(&digit).then(|| u16::from(digit - b'0'));
        let escaped = match (byte, behind) {
            (b'\\', [one, two, three, ..]) => octal(*one).zip(octal(*two)).zip(octal(*three)),
            _ => None,
        };
        match escaped.and_then(|((one, two), three)| u8::try_from(one * 64 + two * 8 + three).ok()) {
            Some(special) => {
                plain.push(special);
                rest = &behind[3..];
            }
            None => {
                plain.push(byte);
                rest = behind;
            }
        }
    }
    plain
}

const TABLE: &str = "/proc/self/mountinfo";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_mounted_later_hides_what_was_mounted_there_and_below() {
        let table = b"20 1 8:1 / / rw - ext4 /dev/sda rw\n\
            30 20 8:2 / /srv/deep rw - ext4 /dev/sdb rw\n\
            31 20 8:3 / /srv rw - xfs /dev/sdc rw\n\
            32 31 8:4 / /srv/own rw - btrfs /dev/sdd rw\n";
        let mounts = parse(table);
        let seen = |path| seen_at(&mounts, &EntityPath::unix(path)).map(|mount| mount.id);
        assert_eq!(["/etc", "/srv/x", "/srv/deep/x", "/srv/own"].map(seen), [20, 31, 31, 32].map(Some));
    }

    #[test]
    fn a_line_is_read_with_its_escapes() {
        let table =
            b"36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw\nnonsense\n";
        let expected = Mount {
            id: 36,
            device: "98:0".to_owned(),
            root: EntityPath::unix("/mnt1"),
            point: EntityPath::unix("/mnt 2"),
            kind: "ext3".to_owned(),
        };
        assert_eq!(parse(table), [expected]);
    }

    #[test]
    fn what_may_hang_is_told_unless_something_else_is_seen_there() {
        let mount =
            |id: u64, point: &str, kind: &str| format!("{id} 1 0:{id} / {point} rw - {kind} source rw\n");
        let table = [
            mount(1, "/", "ext4"),
            mount(2, "/a/share", "nfs4"),
            mount(3, "/b", "fuse.sshfs"),
            mount(4, "/a", "tmpfs"),
            mount(5, "/c", "autofs"),
            mount(6, "/c", "nfs"),
        ];
        let seen = seen_that_may_hang(parse(table.concat().as_bytes()));
        let seen: Vec<_> = seen.iter().map(|(point, kind)| (point.to_string(), kind.as_str())).collect();
        assert_eq!(seen, [("/b".to_owned(), "fuse.sshfs"), ("/c".to_owned(), "nfs")]);
    }

    #[test]
    fn this_machine_has_a_root() {
        assert!(read().unwrap().iter().any(|mount| mount.point == EntityPath::unix("/")));
    }

    proptest! {
        #[test]
        fn no_table_does_harm(table in prop::collection::vec(any::<u8>(), 0..200), line in "[ -~]{0,80}") {
            parse(&table);
            parse(line.as_bytes());
        }
    }
}
