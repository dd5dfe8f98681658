//! Ways to change a file for which the standard library has no call. What an attacker would use, tests must use too.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// A stretch of memory that the kernel gave.
pub struct Mapping {
    start: *mut u8,
    length: usize,
}

impl Mapping {
    /// Maps the beginning of the file, so that stores go to it; the file may be closed afterwards.
    pub fn of(file: &File, length: usize) -> io::Result<Self> {
        Self::at(file.as_raw_fd(), 0, length)
    }

    #[expect(unsafe_code, reason = "the C library has no safe function for this system call")]
    fn at(fd: i32, offset: i64, length: usize) -> io::Result<Self> {
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses the place, so that nothing else is there.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, rights, libc::MAP_SHARED, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start: start.cast(), length })
    }

    /// Stores bytes at its beginning, as a program stores to its memory.
    #[expect(
        unsafe_code,
        reason = "memory that is shared with the kernel has no owner that the language knows"
    )]
    pub fn store(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.length);
        // SAFETY: so many bytes were mapped for writing, and `bytes` is memory of ours, so that they are apart.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.start, bytes.len()) }
    }

    /// A number at that place.
    #[expect(
        unsafe_code,
        reason = "memory that is shared with the kernel has no owner that the language knows"
    )]
    fn number(&self, at: u32) -> &AtomicU32 {
        let at = at as usize;
        assert!(at.is_multiple_of(4) && at + 4 <= self.length);
        // SAFETY: the place is within the mapping, where a number may stand, and lives as long as the mapping.
        unsafe { AtomicU32::from_ptr(self.start.add(at).cast()) }
    }
}

impl Drop for Mapping {
    #[expect(unsafe_code, reason = "the C library has no safe function for this system call")]
    fn drop(&mut self) {
        // SAFETY: it was mapped with that length, and nobody refers to it any more.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

/// Writes to the file by a ring that the kernel reads (`io_uring`), without any call that writes.
pub fn write_by_ring(file: &File, bytes: &[u8]) -> io::Result<()> {
    // `struct io_uring_params` of `linux/io_uring.h`, by the numbers in it.
    let mut params = [0_u32; 30];
    let ring = set_up_ring(&mut params)?;
    let (queue, done) = (&params[10..20], &params[20..30]);
    let requests = Mapping::at(ring.as_raw_fd(), 0, (queue[6] + 4 * params[0]) as usize)?;
    let answers = Mapping::at(ring.as_raw_fd(), 0x800_0000, (done[5] + 16 * params[1]) as usize)?;
    let mut entries = Mapping::at(ring.as_raw_fd(), 0x1000_0000, 64 * params[0] as usize)?;
    let mut entry = [0; 64];
    entry[0] = OP_WRITE;
    entry[4..8].copy_from_slice(&file.as_raw_fd().to_ne_bytes());
    entry[16..24].copy_from_slice(&(bytes.as_ptr() as u64).to_ne_bytes());
    entry[24..28].copy_from_slice(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_ne_bytes());
    entries.store(&entry);
    requests.number(queue[6]).store(0, Ordering::Relaxed);
    requests.number(queue[1]).fetch_add(1, Ordering::Release);
    submit_and_wait(&ring)?;
    let first =
        answers.number(done[0]).load(Ordering::Acquire) & answers.number(done[2]).load(Ordering::Relaxed);
    let written = answers.number(done[5] + 16 * first + 8).load(Ordering::Relaxed).cast_signed();
    if written < 0 { Err(io::Error::from_raw_os_error(-written)) } else { Ok(()) }
}

#[expect(unsafe_code, reason = "the C library has no function for this system call")]
fn set_up_ring(params: &mut [u32; 30]) -> io::Result<OwnedFd> {
    // SAFETY: the call reads and writes the parameters, which are as long as their structure.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, params.as_mut_ptr()) };
    owned(fd)
}

#[expect(unsafe_code, reason = "the C library has no function for this system call")]
fn submit_and_wait(ring: &OwnedFd) -> io::Result<()> {
    const WAIT: u32 = 1;
    // SAFETY: what the request names lives until the answer, which is waited for.
    let taken = unsafe {
        libc::syscall(
            libc::SYS_io_uring_enter,
            ring.as_raw_fd(),
            1,
            1,
            WAIT,
            ptr::null::<libc::sigset_t>(),
            0,
        )
    };
    if taken < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Moves bytes from a pipe to the file without a copy (`splice(2)`).
#[expect(unsafe_code, reason = "the C library has no safe function for this system call")]
pub fn splice_from(pipe: &impl AsRawFd, file: &File, length: usize) -> io::Result<()> {
    let (from, to) = (pipe.as_raw_fd(), file.as_raw_fd());
    // SAFETY: the call takes descriptors and numbers, and null pointers for where each stands.
    let moved = unsafe { libc::splice(from, ptr::null_mut(), to, ptr::null_mut(), length, 0) };
    if moved < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Opens what the path leads to for writing by its handle, without naming it (`open_by_handle_at(2)`).
#[expect(unsafe_code, reason = "the C library has no safe function for these system calls")]
pub fn open_by_handle(path: &Path) -> io::Result<File> {
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes())?;
    let folder = File::open(path.parent().unwrap_or(path))?;
    // The header is two integers: the room behind it, and the kind.
    let mut handle = [0_u32; 2 + 32];
    handle[0] = 128;
    let mut mount = 0;
    // SAFETY: the path ends with a zero, the handle has the room that it says, and both live until the calls return.
    let fd = unsafe {
        let handle = handle.as_mut_ptr().cast();
        if libc::name_to_handle_at(libc::AT_FDCWD, name.as_ptr(), handle, &raw mut mount, 0) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::open_by_handle_at(folder.as_raw_fd(), handle, libc::O_WRONLY | libc::O_CLOEXEC)
    };
    owned(fd.into()).map(File::from)
}

#[expect(unsafe_code, reason = "a system call gives its descriptor as a number")]
fn owned(fd: i64) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: the kernel made the descriptor for the caller, who hands it in once.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `IORING_OP_WRITE` of `linux/io_uring.h`.
const OP_WRITE: u8 = 23;
