//! Who a process is, from `/proc`.

use std::fs;
use std::mem::MaybeUninit;
use std::sync::Arc;

use fim_core::{Actor, Ancestor, Attribution, EntityPath, WhoUnknown};
use rustix::fs::readlink;

use super::views;
use crate::linux::principals::Principals;

/// Looks at the process of that number while it runs. What is read is its own only if it is still there afterwards,
/// which is for the caller to find out. `own_view` is the view of the file systems that we have.
pub(super) fn look(pid: i32, people: &Principals, own_view: u32) -> Attribution {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).ok();
    let (Some(status), Some(stat)) = (read("status"), read("stat")) else { return Err(WhoUnknown::Ended) };
    let status = Status::parse(&status);
    let owners = owners_by(pid, &status);
    let executable = readlink(format!("/proc/{pid}/exe"), Vec::new()).ok();
    let executable = executable.map(|path| EntityPath::unix(path.into_bytes()));
    Ok(Arc::new(Actor {
        process_id: u32::try_from(pid).unwrap_or_default(),
        started_nanos: started_nanos(&stat),
        has_own_view: views::is_own_of(pid, executable.as_ref(), own_view),
        executable,
        command_line: read("cmdline").as_deref().and_then(command_line),
        user: owners.user.map(|id| people.user(id)),
        login_user: owners.login.map(|id| people.user(id)),
        session: owners.session,
        parents: status.parent.map(parents).unwrap_or_default(),
        container: read("cgroup").as_deref().and_then(container),
    }))
}

/// Whose a process is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Owners {
    pub user: Option<u32>,
    pub login: Option<u32>,
    pub session: Option<u32>,
}

/// Whose the process of that number is; nothing if there is none.
pub(super) fn owners(pid: i32) -> Option<Owners> {
    let status = fs::read(format!("/proc/{pid}/status")).ok()?;
    Some(owners_by(pid, &Status::parse(&status)))
}

fn owners_by(pid: i32, status: &Status) -> Owners {
    let id = |name: &str| number(&fs::read(format!("/proc/{pid}/{name}")).ok()?).filter(|&id| id != UNSET);
    Owners { user: status.user, login: id("loginuid"), session: id("sessionid") }
}

/// When the process of that number was started, in nanoseconds after the machine was, to the hundredth of a second.
pub(super) fn started(pid: i32) -> Option<u64> {
    started_nanos(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// The numbers of all processes that run.
pub(super) fn running() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// How long ago the machine began, in nanoseconds; the time in which it slept counts.
#[expect(unsafe_code, reason = "the binding to this call is not among the features in use")]
pub(super) fn nanos_since_boot() -> u64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call writes the time to where it is told to, and nothing is read of it if it does not.
    let time = unsafe {
        if libc::clock_gettime(libc::CLOCK_BOOTTIME, time.as_mut_ptr()) != 0 {
            return 0;
        }
        time.assume_init()
    };
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds.saturating_mul(1_000_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// The time of a process's start as `/proc` would tell it.
pub(super) fn as_told(started_nanos: u64) -> u64 {
    started_nanos / NANOS_PER_TICK * NANOS_PER_TICK
}

/// What started the process, what started that, and so on.
pub(super) fn parents(pid: u32) -> Vec<Ancestor> {
    let mut parents = Vec::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|&pid| pid > 0 && parents.len() < Actor::MAX_PARENTS) {
        let Some(status) = fs::read(format!("/proc/{pid}/status")).ok().map(|bytes| Status::parse(&bytes))
        else {
            break;
        };
        parents.push(Ancestor { process_id: pid, name: status.name });
        next = status.parent;
    }
    parents
}

/// What is wanted of `/proc/PID/status`.
#[derive(Debug, Default, Eq, PartialEq)]
struct Status {
    name: String,
    parent: Option<u32>,
    /// The effective user.
    user: Option<u32>,
}

impl Status {
    fn parse(bytes: &[u8]) -> Self {
        let mut status = Self::default();
        for line in bytes.split(|&byte| byte == b'\n') {
            if let Some(name) = line.strip_prefix(b"Name:") {
                status.name = String::from_utf8_lossy(name).trim().to_owned();
            } else if let Some(parent) = line.strip_prefix(b"PPid:") {
                status.parent = number(parent);
            } else if let Some(ids) = line.strip_prefix(b"Uid:") {
                let second = ids.split(|byte| byte.is_ascii_whitespace()).filter(|id| !id.is_empty()).nth(1);
                status.user = second.and_then(number);
            }
        }
        status
    }
}

/// When the process was started, from field 22 of `/proc/PID/stat`. The name in field 2 may hold anything, so that
/// counting begins behind its last parenthesis.
fn started_nanos(stat: &[u8]) -> Option<u64> {
    let behind_name = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let mut fields = stat.get(behind_name..)?.split(|&byte| byte == b' ').filter(|field| !field.is_empty());
    let ticks: u64 = std::str::from_utf8(fields.nth(19)?).ok()?.trim().parse().ok()?;
    ticks.checked_mul(NANOS_PER_TICK)
}

/// Program and arguments with a space between; nothing for a thread of the kernel, which has none.
pub(super) fn command_line(bytes: &[u8]) -> Option<String> {
    let bytes = &bytes[..bytes.len().min(Actor::MAX_COMMAND_BYTES)];
    let end = bytes.iter().rposition(|&byte| byte != 0)? + 1;
    let words: Vec<_> = bytes[..end].split(|&byte| byte == 0).map(String::from_utf8_lossy).collect();
    let mut line = words.join(" ");
    // What was not UTF-8 has grown.
    while line.len() > Actor::MAX_COMMAND_BYTES {
        line.pop();
    }
    Some(line)
}

/// The id of the container, as the usual runtimes name control groups after it: 64 hexadecimal digits.
pub(super) fn container(cgroup: &[u8]) -> Option<String> {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    let mut runs = cgroup.split(|byte| !is_digit(byte)).filter(|run| run.len() == 64);
    runs.next_back().and_then(|run| std::str::from_utf8(run).ok()).map(str::to_owned)
}

fn number(bytes: &[u8]) -> Option<u32> {
    std::str::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// What the kernel says where nobody signed in.
const UNSET: u32 = u32::MAX;

/// `/proc` counts in hundredths of a second whatever the kernel's own clock does.
const NANOS_PER_TICK: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn this_process_knows_itself() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let actor = look(pid, &Principals::of_this_machine(), views::own()).unwrap();
        assert_eq!(actor.process_id, std::process::id());
        let own = std::env::current_exe().unwrap();
        assert_eq!(actor.executable, Some(EntityPath::unix(own.as_os_str().as_encoded_bytes())));
        assert_eq!(
            actor.user.as_ref().map(|user| user.id.clone()),
            Some(rustix::process::geteuid().as_raw().into())
        );
        assert!(actor.started_nanos.is_some_and(|started| started > 0));
        assert!(!actor.parents.is_empty());
    }

    #[test]
    fn a_process_that_is_not_there_is_not_made_up() {
        assert_eq!(look(i32::MAX, &Principals::default(), views::own()), Err(WhoUnknown::Ended));
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = b"7 (a) b) c) S 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 123 0 0";
        assert_eq!(started_nanos(stat), Some(123 * NANOS_PER_TICK));
    }

    #[test]
    fn a_container_is_known_by_its_control_group() {
        let id = "0123456789abcdef".repeat(4);
        let docker = format!("0::/system.slice/docker-{id}.scope\n");
        assert_eq!(container(docker.as_bytes()), Some(id.clone()));
        let pod = format!("0::/kubepods/burstable/pod12/{id}\n");
        assert_eq!(container(pod.as_bytes()), Some(id));
        assert_eq!(container(b"0::/user.slice/user-0.slice\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            Status::parse(&bytes);
            started_nanos(&bytes);
            container(&bytes);
            let line = command_line(&bytes).unwrap_or_default();
            prop_assert!(line.len() <= Actor::MAX_COMMAND_BYTES);
        }
    }
}
