//! The system calls of fanotify: a group, its marks, its events, and the handles that events name things by.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use super::event::{HANDLE_HEADER_BYTES, mask};

/// A group of fanotify: what is marked, and the queue of events.
#[derive(Debug)]
pub(super) struct Group {
    fd: OwnedFd,
    events: u64,
}

impl Group {
    /// A group that tells names, objects and processes. Needs `CAP_SYS_ADMIN` and Linux 5.17.
    #[expect(unsafe_code, reason = "the C library has no safe function for this system call")]
    pub(super) fn new() -> io::Result<Self> {
        let flags = CLASS_NOTIF
            | CLOEXEC
            | NONBLOCK
            | REPORT_FID
            | REPORT_DFID_NAME
            | REPORT_TARGET_FID
            | REPORT_PIDFD;
        // SAFETY: the call takes two integers and gives a descriptor that nobody else has.
        let fd = unsafe { libc::fanotify_init(flags, (libc::O_RDONLY | libc::O_LARGEFILE) as libc::c_uint) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: as above, the descriptor is ours alone.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        // Writing is noticed while a file is open as well as when it is closed, or what is held open would be hidden.
        let events = mask::CREATE
            | mask::DELETE
            | mask::RENAME
            | mask::ATTRIB
            | mask::MODIFY
            | mask::CLOSE_WRITE
            | mask::ON_DIRECTORY;
        Ok(Self { fd, events })
    }

    /// Marks the file system that the path is on.
    pub(super) fn mark(&self, path: &[u8]) -> io::Result<()> {
        self.change_mark(MARK_ADD | MARK_FILESYSTEM, path)
    }

    /// Takes the mark off the file system that the path is on.
    pub(super) fn unmark(&self, path: &[u8]) -> io::Result<()> {
        self.change_mark(MARK_REMOVE | MARK_FILESYSTEM, path)
    }

    #[expect(unsafe_code, reason = "the C library has no safe function for this system call")]
    fn change_mark(&self, flags: libc::c_uint, path: &[u8]) -> io::Result<()> {
        let path = CString::new(path)?;
        // SAFETY: the path is a string that ends with a zero and lives until the call returns.
        let done = unsafe {
            libc::fanotify_mark(self.fd.as_raw_fd(), flags, self.events, libc::AT_FDCWD, path.as_ptr())
        };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Reads what events there are; 0 if there are none.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(&self.fd, &mut *buffer) {
                Ok(bytes) => return Ok(bytes),
                Err(rustix::io::Errno::AGAIN) => return Ok(0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsRawFd for Group {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

/// Whether handles of events may be opened: without that right no event says where something happened.
pub(super) fn may_open_handles() -> io::Result<()> {
    let root = rustix::fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    // A number of bytes, a kind (`FILEID_INO32_GEN` of linux/exportfs.h), and a file that no file system has. The right is
    // asked for before the file is looked for.
    let of_nothing = [8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    match open_handle(&root, &of_nothing) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Opens what a handle of an event names, without any right to it but to ask where it is. `mount` is any open
/// directory of the file system.
#[expect(unsafe_code, reason = "the C library has no safe function for this system call")]
pub(super) fn open_handle(mount: &OwnedFd, handle: &[u8]) -> io::Result<OwnedFd> {
    if handle.len() < HANDLE_HEADER_BYTES || handle.len() > MOST_HANDLE_BYTES {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // The kernel reads two integers from it, so it stands where integers may.
    let mut aligned = [0_u32; MOST_HANDLE_BYTES.div_ceil(4)];
    for (place, bytes) in aligned.iter_mut().zip(handle.chunks(4)) {
        let mut four = [0; 4];
        four[..bytes.len()].copy_from_slice(bytes);
        *place = u32::from_ne_bytes(four);
    }
    // SAFETY: the call reads a handle, whose header says that it is no longer than what was copied, and gives a
    // descriptor that nobody else has.
    let fd = unsafe {
        libc::open_by_handle_at(
            mount.as_fd().as_raw_fd(),
            aligned.as_mut_ptr().cast(),
            libc::O_PATH | libc::O_CLOEXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above, the descriptor is ours alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes over a descriptor that came with an event.
#[expect(unsafe_code, reason = "an event gives its descriptors as numbers")]
pub(super) fn own(fd: i32) -> Option<OwnedFd> {
    // SAFETY: the kernel made the descriptor for the reader of the event, who hands it in once.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A handle of the process that has that number now.
pub(super) fn open_process(pid: i32) -> io::Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
}

/// True if the process is still there, so that what was read of it by its number was its own.
#[expect(unsafe_code, reason = "the C library has no function for this system call")]
pub(super) fn is_alive(process: &OwnedFd) -> bool {
    // SAFETY: the call takes integers and a null pointer for what it need not be told.
    let done = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            0,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    done == 0
}

/// Waits until one of the descriptors has something, at most that long. Says which have.
#[expect(unsafe_code, reason = "the binding to this call is not among the features in use")]
pub(super) fn wait<const N: usize>(fds: [(RawFd, i16); N], at_most: Duration) -> io::Result<[bool; N]> {
    let mut polled = fds.map(|(fd, events)| libc::pollfd { fd, events, revents: 0 });
    let millis = i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the array has as many elements as is said, and lives until the call returns.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, millis) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok([false; N]) } else { Err(error) };
    }
    Ok(polled.map(|polled| polled.revents != 0))
}

/// `MAX_HANDLE_SZ` of `linux/exportfs.h`, and the header.
const MOST_HANDLE_BYTES: usize = 128 + HANDLE_HEADER_BYTES;

// `linux/fanotify.h`; the C library's header is older than some of them.
const CLOEXEC: libc::c_uint = 0x1;
const NONBLOCK: libc::c_uint = 0x2;
const CLASS_NOTIF: libc::c_uint = 0;
const REPORT_PIDFD: libc::c_uint = 0x80;
const REPORT_FID: libc::c_uint = 0x200;
const REPORT_DFID_NAME: libc::c_uint = 0x400 | 0x800;
const REPORT_TARGET_FID: libc::c_uint = 0x1000;
const MARK_ADD: libc::c_uint = 0x1;
const MARK_REMOVE: libc::c_uint = 0x2;
const MARK_FILESYSTEM: libc::c_uint = 0x100;
