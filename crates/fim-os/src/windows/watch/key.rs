//! One key of the registry that is watched, alone or with all below it. The system says that something changed, not what.
#![expect(unsafe_code, reason = "the system is asked by a call")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, OwnedHandle};

use fim_core::EntityPath;
use fim_core::windows::Hive;
use fim_scan::TreeError;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::Registry::{
    REG_NOTIFY_CHANGE_ATTRIBUTES, REG_NOTIFY_CHANGE_LAST_SET, REG_NOTIFY_CHANGE_NAME,
    REG_NOTIFY_CHANGE_SECURITY, REG_NOTIFY_FILTER, RegNotifyChangeKeyValue,
};

use super::event::Event;
use crate::windows::keys;

/// A key of which the system tells that something in it changed.
pub(super) struct Key {
    handle: OwnedHandle,
    event: Event,
    is_deep: bool,
}

impl Key {
    /// Watches a key from the return on: all of it with all below it, or which keys are in it.
    pub(super) fn watch(hive: Hive, path: &EntityPath, is_deep: bool) -> io::Result<Self> {
        let handle = keys::open_to_watch(hive, path).map_err(|error| match error {
            TreeError::NotFound => io::Error::from(io::ErrorKind::NotFound),
            TreeError::PermissionDenied => io::Error::from(io::ErrorKind::PermissionDenied),
            other => io::Error::other(other),
        })?;
        let key = Self { handle, event: Event::new()?, is_deep };
        key.ask()?;
        Ok(key)
    }

    pub(super) fn event(&self) -> HANDLE {
        self.event.handle()
    }

    /// True if something changed since the last time. What changes from then on is told the next time.
    ///
    /// # Errors
    ///
    /// Fails if nothing more will be told: the key is gone.
    pub(super) fn take(&self) -> io::Result<bool> {
        if !self.event.is_set() {
            return Ok(false);
        }
        self.ask()?;
        Ok(true)
    }

    fn ask(&self) -> io::Result<()> {
        self.event.reset();
        let what = if self.is_deep { ANYTHING } else { REG_NOTIFY_CHANGE_NAME };
        // SAFETY: key and event are open; the call keeps no memory of ours.
        let status = unsafe {
            RegNotifyChangeKeyValue(
                self.handle.as_raw_handle(),
                self.is_deep.into(),
                what,
                self.event.handle(),
                1,
            )
        };
        if status == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(status.cast_signed())) }
    }
}

const ANYTHING: REG_NOTIFY_FILTER = REG_NOTIFY_CHANGE_NAME
    | REG_NOTIFY_CHANGE_ATTRIBUTES
    | REG_NOTIFY_CHANGE_LAST_SET
    | REG_NOTIFY_CHANGE_SECURITY;
