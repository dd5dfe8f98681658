//! One folder that is watched, alone or with all below it.
#![expect(unsafe_code, reason = "the system is asked by calls that fill memory while others go on")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};

use fim_core::EntityPath;
use fim_core::windows::{FolderNotice, folder_notices, native_path, to_wide};
use windows_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, ERROR_NOTIFY_ENUM_DIR, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OVERLAPPED, FILE_LIST_DIRECTORY, FILE_NOTIFY_CHANGE,
    FILE_NOTIFY_CHANGE_ATTRIBUTES, FILE_NOTIFY_CHANGE_CREATION, FILE_NOTIFY_CHANGE_DIR_NAME,
    FILE_NOTIFY_CHANGE_FILE_NAME, FILE_NOTIFY_CHANGE_LAST_WRITE, FILE_NOTIFY_CHANGE_SECURITY,
    FILE_NOTIFY_CHANGE_SIZE, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_EXISTING,
    ReadDirectoryChangesW,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};

use super::event::Event;
use crate::windows::nt;

/// A folder of which the system tells what happens in it. It can be renamed and removed meanwhile.
pub(super) struct Folder {
    handle: OwnedHandle,
    event: Event,
    is_deep: bool,
    /// What the system writes to while it is asked; made by `Box`, and nobody else's.
    shared: *mut Shared,
    /// True while the system may write to it.
    is_asked: bool,
}

// SAFETY: the memory behind the pointer belongs to this value alone, whichever thread has it.
unsafe impl Send for Folder {}

struct Shared {
    operation: OVERLAPPED,
    buffer: [u64; BUFFER_BYTES / 8],
}

/// What was told of a folder.
pub(super) enum Told {
    /// What happened, in order.
    Notices(Vec<FolderNotice>),
    /// More happened than the system keeps; or it told what is not understood.
    TooMuch,
}

impl Folder {
    /// Watches a folder from the return on.
    pub(super) fn watch(path: &EntityPath, is_deep: bool) -> io::Result<Self> {
        let path = verbatim(path).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        // SAFETY: the path ends in 0.
        let handle: HANDLE = unsafe {
            CreateFileW(
                path.as_ptr(),
                FILE_LIST_DIRECTORY,
                FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                null(),
                OPEN_EXISTING,
                FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED,
                null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so the handle is open, and nobody else has it.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        let event = Event::new()?;
        let shared = Shared { operation: OVERLAPPED::default(), buffer: [0; BUFFER_BYTES / 8] };
        let shared = Box::into_raw(Box::new(shared));
        let mut folder = Self { handle, event, is_deep, shared, is_asked: false };
        folder.ask()?;
        Ok(folder)
    }

    pub(super) fn event(&self) -> HANDLE {
        self.event.handle()
    }

    /// What was told since the last time; nothing if nothing was. What happens meanwhile is kept by the system.
    ///
    /// # Errors
    ///
    /// Fails if nothing more will be told: the folder is gone.
    pub(super) fn take(&mut self) -> io::Result<Option<Told>> {
        if !self.event.is_set() {
            return Ok(None);
        }
        let mut length = 0;
        let handle = self.handle.as_raw_handle();
        // SAFETY: the handle is open, and the operation is the one that was begun with it; the call writes a number.
        let done =
            unsafe { GetOverlappedResult(handle, &raw const (*self.shared).operation, &raw mut length, 0) };
        let told = if done != 0 {
            // SAFETY: the operation has ended, so that the system writes to the buffer no more.
            let words = unsafe { &(*self.shared).buffer };
            folder_notices(&nt::first_bytes(words, length)).map_or(Told::TooMuch, Told::Notices)
        } else {
            let error = io::Error::last_os_error();
            match error.raw_os_error().map(i32::cast_unsigned) {
                Some(ERROR_IO_INCOMPLETE) => return Ok(None),
                Some(ERROR_NOTIFY_ENUM_DIR) => Told::TooMuch,
                _ => {
                    self.is_asked = false;
                    return Err(error);
                }
            }
        };
        self.is_asked = false;
        self.ask()?;
        Ok(Some(told))
    }

    /// Asks for what happens from now on, or has since the last time.
    fn ask(&mut self) -> io::Result<()> {
        self.event.reset();
        // SAFETY: nothing is under way, so that nobody else uses the memory; it lives until this value is dropped, which
        // waits for the end of what is asked here. The call writes at most as many bytes as the buffer has.
        let done = unsafe {
            (*self.shared).operation = OVERLAPPED { hEvent: self.event.handle(), ..OVERLAPPED::default() };
            ReadDirectoryChangesW(
                self.handle.as_raw_handle(),
                (&raw mut (*self.shared).buffer).cast(),
                BUFFER_BYTES as u32,
                self.is_deep.into(),
                ANYTHING,
                null_mut(),
                &raw mut (*self.shared).operation,
                None,
            )
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        self.is_asked = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_asked {
            let handle = self.handle.as_raw_handle();
            let mut length = 0;
            // SAFETY: the handle is open, and the operation is the one that is under way; the second call waits until
            // the system writes to it and to its buffer no more.
            unsafe {
                CancelIoEx(handle, &raw const (*self.shared).operation);
                GetOverlappedResult(handle, &raw const (*self.shared).operation, &raw mut length, 1);
            }
        }
        // SAFETY: it was made by `Box`, the system does not use it any more, and it is dropped once.
        drop(unsafe { Box::from_raw(self.shared) });
    }
}

/// The path as the usual calls take it without changing it; ends in 0.
pub(super) fn verbatim(path: &EntityPath) -> Option<Vec<u16>> {
    let mut native = to_wide(&native_path(path)?)?;
    // The system's own `\??\` is `\\?\` for the usual calls.
    *native.get_mut(1)? = u16::from(b'\\');
    native.push(0);
    Some(native)
}

/// All that makes a file another one to who looks at it.
const ANYTHING: FILE_NOTIFY_CHANGE = FILE_NOTIFY_CHANGE_FILE_NAME
    | FILE_NOTIFY_CHANGE_DIR_NAME
    | FILE_NOTIFY_CHANGE_ATTRIBUTES
    | FILE_NOTIFY_CHANGE_SIZE
    | FILE_NOTIFY_CHANGE_LAST_WRITE
    | FILE_NOTIFY_CHANGE_CREATION
    | FILE_NOTIFY_CHANGE_SECURITY;

/// The most that is told of a folder on another machine.
const BUFFER_BYTES: usize = 64 << 10;
