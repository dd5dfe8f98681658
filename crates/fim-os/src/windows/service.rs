//! Being a service: the system's manager of services starts the program and tells it when to stop.
//!
//! Not by the crate that installs it: that frees what its callback uses at the first word to stop, and the manager may
//! ask how the service is after that.
#![expect(unsafe_code, reason = "the manager calls back by its own rules")]

use std::io;
use std::ptr::null;
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, ERROR_SERVICE_SPECIFIC_ERROR,
    NO_ERROR,
};
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_SHUTDOWN, SERVICE_ACCEPT_STOP, SERVICE_CONTROL_INTERROGATE,
    SERVICE_CONTROL_SHUTDOWN, SERVICE_CONTROL_STOP, SERVICE_RUNNING, SERVICE_START_PENDING, SERVICE_STATUS,
    SERVICE_STATUS_HANDLE, SERVICE_STOP_PENDING, SERVICE_STOPPED, SERVICE_TABLE_ENTRYW,
    SERVICE_WIN32_OWN_PROCESS, SetServiceStatus, StartServiceCtrlDispatcherW,
};
use windows_sys::core::PWSTR;

/// That the manager of services has started this process.
#[derive(Debug)]
pub(super) struct Service {
    /// Ends once the manager knows that the service has stopped.
    dispatcher: JoinHandle<()>,
}

/// Tells the manager of services that this process is about to begin its work, if that has started it, and has it say in
/// `asked` when it is to stop.
///
/// # Errors
///
/// Fails if the manager has started it and cannot be reached.
pub(super) fn connect(asked: Sender<&'static str>) -> io::Result<Option<Service>> {
    let (sender, begun) = mpsc::channel();
    *lock() = Some(Manager { asked, begun: sender.clone(), handle: None, state: State::Starting });
    // The call comes back once the service has stopped, or at once if there is none.
    let dispatcher = std::thread::Builder::new().name("service".to_owned()).spawn(move || {
        let mut name = [0_u16; 1];
        let table = [
            SERVICE_TABLE_ENTRYW { lpServiceName: name.as_mut_ptr(), lpServiceProc: Some(service_main) },
            SERVICE_TABLE_ENTRYW::default(),
        ];
        // SAFETY: the table ends in an entry of zeros, and lives until the call comes back; the name of the only service
        // of a process does not matter, and ends in 0.
        let done = unsafe { StartServiceCtrlDispatcherW(table.as_ptr()) };
        if done == 0 {
            let _ = sender.send(Err(io::Error::last_os_error()));
        }
    })?;
    match begun.recv_timeout(LONGEST_START) {
        Ok(Ok(())) => Ok(Some(Service { dispatcher })),
        Ok(Err(error)) if error.raw_os_error() == Some(NOT_A_SERVICE) => Ok(None),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other("the manager of services says nothing")),
    }
}

impl Service {
    /// Tells the manager that the service is at work.
    pub(super) fn is_running(&self) {
        if let Some(manager) = &mut *lock()
            && manager.state == State::Starting
        {
            manager.tell(State::Running);
        }
    }

    /// Tells the manager that the service has stopped, and with which exit code.
    pub(super) fn has_stopped(self, code: u8) {
        let is_told = match &mut *lock() {
            Some(manager) => manager.tell(State::Stopped { code }),
            None => false,
        };
        // Where the manager does not listen any more, the end of the process tells it all.
        if is_told {
            let _ = self.dispatcher.join();
        }
    }
}

/// True if the manager of services has started this process.
pub(super) fn is_one() -> bool {
    lock().as_ref().is_some_and(|manager| manager.handle.is_some())
}

/// What the manager's calls have to know.
struct Manager {
    asked: Sender<&'static str>,
    begun: Sender<io::Result<()>>,
    handle: Option<Handle>,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Starting,
    Running,
    Stopping,
    Stopped { code: u8 },
}

/// Who is told what becomes of the service.
#[derive(Clone, Copy)]
struct Handle(SERVICE_STATUS_HANDLE);

// SAFETY: it is a number that the manager knows the service by, and may be used in any thread.
unsafe impl Send for Handle {}

impl Manager {
    /// Takes the state up and tells the manager of it; false if that does not listen.
    fn tell(&mut self, state: State) -> bool {
        self.state = state;
        let Some(Handle(handle)) = self.handle else { return false };
        let status = status(state);
        // SAFETY: the handle is the one that the manager gave, and the structure lives until the call is over.
        unsafe { SetServiceStatus(handle, &raw const status) != 0 }
    }
}

/// The state as the manager is told of it.
fn status(state: State) -> SERVICE_STATUS {
    let (number, hint, code) = match state {
        State::Starting => (SERVICE_START_PENDING, LONGEST_START_OR_STOP_MILLISECONDS, 0),
        State::Running => (SERVICE_RUNNING, 0, 0),
        State::Stopping => (SERVICE_STOP_PENDING, LONGEST_START_OR_STOP_MILLISECONDS, 0),
        State::Stopped { code } => (SERVICE_STOPPED, 0, code),
    };
    SERVICE_STATUS {
        dwServiceType: SERVICE_WIN32_OWN_PROCESS,
        dwCurrentState: number,
        // One that begins stops as soon as it has begun; one that stops needs no second word.
        dwControlsAccepted: match state {
            State::Starting | State::Running => SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN,
            State::Stopping | State::Stopped { .. } => 0,
        },
        dwWin32ExitCode: if code == 0 { NO_ERROR } else { ERROR_SERVICE_SPECIFIC_ERROR },
        dwServiceSpecificExitCode: code.into(),
        dwCheckPoint: 0,
        dwWaitHint: hint,
    }
}

/// Called by the manager once it has started this process, in a thread of its own.
unsafe extern "system" fn service_main(_count: u32, _arguments: *mut PWSTR) {
    let name = [0_u16; 1];
    // SAFETY: the name ends in 0 and does not matter, and the function has the signature that the call wants.
    let handle = unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(on_control), null()) };
    let begun = if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(()) };
    if let Some(manager) = &mut *lock() {
        manager.handle = begun.is_ok().then_some(Handle(handle));
        manager.tell(State::Starting);
        let _ = manager.begun.send(begun);
    }
}

/// Called by the manager, in the thread that waits for it.
unsafe extern "system" fn on_control(
    control: u32,
    _kind: u32,
    _data: *mut core::ffi::c_void,
    _context: *mut core::ffi::c_void,
) -> u32 {
    let asked = match control {
        SERVICE_CONTROL_STOP => "the manager of services",
        SERVICE_CONTROL_SHUTDOWN => "the end of the system",
        SERVICE_CONTROL_INTERROGATE => return NO_ERROR,
        _ => return ERROR_CALL_NOT_IMPLEMENTED,
    };
    if let Some(manager) = &mut *lock() {
        manager.tell(State::Stopping);
        let _ = manager.asked.send(asked);
    }
    NO_ERROR
}

fn lock() -> MutexGuard<'static, Option<Manager>> {
    MANAGER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the manager's calls take functions for, and nothing that these could be given.
static MANAGER: Mutex<Option<Manager>> = Mutex::new(None);

const NOT_A_SERVICE: i32 = ERROR_FAILED_SERVICE_CONTROLLER_CONNECT.cast_signed();

/// As long as the manager itself waits for a service to begin.
const LONGEST_START: Duration = Duration::from_secs(30);
/// Reading what was known at the last end, or writing it, is a matter of seconds.
const LONGEST_START_OR_STOP_MILLISECONDS: u32 = 60_000;

#[cfg(test)]
mod tests {
    use std::ptr::null_mut;

    use windows_sys::Win32::System::Services::SERVICE_CONTROL_PAUSE;

    use super::*;

    #[test]
    fn the_manager_is_told_what_the_service_hears_and_how_it_ended() {
        let told = |state| {
            let status = status(state);
            let exit = (status.dwWin32ExitCode, status.dwServiceSpecificExitCode);
            (status.dwCurrentState, status.dwControlsAccepted != 0, exit)
        };
        assert_eq!(told(State::Starting), (SERVICE_START_PENDING, true, (NO_ERROR, 0)));
        assert_eq!(told(State::Running), (SERVICE_RUNNING, true, (NO_ERROR, 0)));
        assert_eq!(told(State::Stopping), (SERVICE_STOP_PENDING, false, (NO_ERROR, 0)));
        assert_eq!(told(State::Stopped { code: 0 }), (SERVICE_STOPPED, false, (NO_ERROR, 0)));
        let failed = (SERVICE_STOPPED, false, (ERROR_SERVICE_SPECIFIC_ERROR, 4));
        assert_eq!(told(State::Stopped { code: 4 }), failed);
    }

    /// One test, since what the manager calls has one place for all of a process.
    #[test]
    fn a_program_that_somebody_runs_is_no_service_and_one_that_is_stops_with_the_system() {
        let (asked, requests) = mpsc::channel();
        assert!(connect(asked).unwrap().is_none());
        assert!(!is_one());
        let state = || lock().as_ref().map(|manager| manager.state);
        // SAFETY: the function uses the number alone.
        let control = |number| unsafe { on_control(number, 0, null_mut(), null_mut()) };
        assert_eq!(control(SERVICE_CONTROL_INTERROGATE), NO_ERROR);
        assert_eq!(control(SERVICE_CONTROL_PAUSE), ERROR_CALL_NOT_IMPLEMENTED);
        assert_eq!((state(), requests.try_recv().ok()), (Some(State::Starting), None));
        for (number, asked_by) in [
            (SERVICE_CONTROL_SHUTDOWN, "the end of the system"),
            (SERVICE_CONTROL_STOP, "the manager of services"),
        ] {
            assert_eq!(control(number), NO_ERROR);
            assert_eq!((state(), requests.try_recv().ok()), (Some(State::Stopping), Some(asked_by)));
        }
    }
}
