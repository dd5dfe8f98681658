//! Events: what the system sets once something has happened that was waited for.
#![expect(unsafe_code, reason = "events are made and waited for by calls of the system")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::null;
use std::time::Duration;

use windows_sys::Win32::Foundation::{HANDLE, WAIT_FAILED, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    CreateEventW, ResetEvent, WaitForMultipleObjects, WaitForSingleObject,
};

/// An event that stays set until it is reset.
pub(super) struct Event(OwnedHandle);

impl Event {
    /// One that is not set.
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: the call takes no memory of ours.
        let handle = unsafe { CreateEventW(null(), 1, 0, null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so the handle is open, and nobody else has it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub(super) fn handle(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    pub(super) fn is_set(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.handle(), 0) == WAIT_OBJECT_0 }
    }

    pub(super) fn reset(&self) {
        // SAFETY: the handle is open. It fails for no open event.
        unsafe { ResetEvent(self.handle()) };
    }
}

/// Waits until one of the events is set, at most that long. Of many, those behind the first are looked at when the wait
/// is over.
pub(super) fn wait_for_any(events: &[HANDLE], at_most: Duration) -> io::Result<()> {
    let first = &events[..events.len().min(MOST_AT_ONCE)];
    if first.is_empty() {
        // The system waits for no empty list; that the time passes is all there is to wait for.
        std::thread::sleep(at_most);
        return Ok(());
    }
    let milliseconds = u32::try_from(at_most.as_millis()).unwrap_or(u32::MAX - 1);
    // SAFETY: the handles are open, and there are as many as the call is told.
    let answer = unsafe { WaitForMultipleObjects(first.len() as u32, first.as_ptr(), 0, milliseconds) };
    if answer == WAIT_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// `MAXIMUM_WAIT_OBJECTS`.
const MOST_AT_ONCE: usize = 64;
