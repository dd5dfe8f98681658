//! What the system's manager of services tells of them.
#![expect(unsafe_code, reason = "the manager is asked by calls that fill plain memory")]

use std::io;
use std::ptr::null;

use fim_core::windows::from_wide;
use fim_scan::ServiceStatus;
use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW, OpenSCManagerW,
    SC_ENUM_PROCESS_INFO, SC_HANDLE, SC_MANAGER_ENUMERATE_SERVICE, SERVICE_DRIVER, SERVICE_STATE_ALL,
    SERVICE_STOPPED, SERVICE_WIN32,
};

/// All services and drivers that the manager shows.
pub(super) fn all() -> io::Result<Vec<ServiceStatus>> {
    let manager = Manager::open()?;
    let mut services = Vec::new();
    let mut resume = 0;
    // More services come while they are listed at most; a manager that says so for ever is not believed.
    for _ in 0..MOST_CALLS {
        if manager.list(&mut resume, &mut services)? {
            return Ok(services);
        }
    }
    Err(io::Error::other(format!("the list of services has no end after {} of them", services.len())))
}

/// An open connection to the manager of this machine.
struct Manager(SC_HANDLE);

impl Manager {
    fn open() -> io::Result<Self> {
        // SAFETY: without names the call connects to this machine's own manager, and takes nothing else from memory.
        let handle = unsafe { OpenSCManagerW(null(), null(), SC_MANAGER_ENUMERATE_SERVICE) };
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }

    /// Adds the services from `resume` on, which is then where the next begin. True if these were the last.
    fn list(&self, resume: &mut u32, services: &mut Vec<ServiceStatus>) -> io::Result<bool> {
        let mut words = vec![0_u64; BUFFER_BYTES / 8];
        let (mut needed, mut count) = (0, 0);
        // SAFETY: the handle is open, and the call writes at most as many bytes as it is told that the buffer has, and
        // three numbers.
        let done = unsafe {
            EnumServicesStatusExW(
                self.0,
                SC_ENUM_PROCESS_INFO,
                SERVICE_WIN32 | SERVICE_DRIVER,
                SERVICE_STATE_ALL,
                words.as_mut_ptr().cast(),
                BUFFER_BYTES as u32,
                &raw mut needed,
                &raw mut count,
                &raw mut *resume,
                null(),
            )
        };
        let error = io::Error::last_os_error();
        if done == 0 && error.raw_os_error() != Some(ERROR_MORE_DATA.cast_signed()) {
            return Err(error);
        }
        let units: Vec<u16> =
            words.iter().flat_map(|word| [0, 16, 32, 48].map(|shift| (word >> shift) as u16)).collect();
        // The texts are behind the entries, which point to them.
        let text = |at: *const u16| text(&units, (at as usize).checked_sub(words.as_ptr() as usize));
        let most = BUFFER_BYTES / size_of::<ENUM_SERVICE_STATUS_PROCESSW>();
        let entries = words.as_ptr().cast::<ENUM_SERVICE_STATUS_PROCESSW>();
        for position in 0..(count as usize).min(most) {
            // SAFETY: the call has written `count` entries to the beginning of the buffer, which is aligned for them.
            let entry = unsafe { entries.add(position).read() };
            services.push(ServiceStatus {
                name: text(entry.lpServiceName),
                display_name: text(entry.lpDisplayName),
                is_running: entry.ServiceStatusProcess.dwCurrentState != SERVICE_STOPPED,
            });
        }
        Ok(done != 0)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `open`, and is closed once.
        unsafe { CloseServiceHandle(self.0) };
    }
}

/// The text that many bytes behind the beginning, which ends in 0.
fn text(units: &[u16], at_byte: Option<usize>) -> String {
    let text = at_byte.and_then(|at| units.get(at / 2..)).unwrap_or_default();
    String::from_utf8_lossy(&from_wide(text.iter().copied().take_while(|&unit| unit != 0))).into_owned()
}

/// What the manager gives at once is at most this (`EnumServicesStatusExW`).
const BUFFER_BYTES: usize = 256 << 10;
/// Some hundred thousand services.
const MOST_CALLS: usize = 100;
