//! What asks this process to stop.
#![expect(unsafe_code, reason = "the system calls back by its own rules")]

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use windows_sys::Win32::Foundation::TRUE;
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;

use super::service::{self, Service};

/// Hears when this process is asked to stop: by the manager of services, if that has started it; else by Ctrl+C,
/// Ctrl+Break, a console that is closed, the end of a session or of the system.
#[derive(Debug)]
pub struct StopRequests {
    asked: Receiver<&'static str>,
    service: Option<Service>,
}

impl StopRequests {
    /// Listens from now on. A service counts as starting from the return on.
    ///
    /// # Errors
    ///
    /// Fails if the system does not let it.
    pub fn listen() -> io::Result<Self> {
        let (sender, asked) = mpsc::channel();
        let service = service::connect(sender.clone())?;
        *ASKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        // SAFETY: the function has the signature that the call wants, and lives as long as the program.
        let done = unsafe { SetConsoleCtrlHandler(Some(on_event), TRUE) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self { asked, service }) }
    }

    /// True if the manager of services has started this process.
    pub fn are_for_a_service(&self) -> bool {
        self.service.is_some()
    }

    /// Says that the work has begun, to the manager of services if that has started this process.
    pub fn at_work(&self) {
        if let Some(service) = &self.service {
            service.is_running();
        }
    }

    /// Says that the work has ended, and with which exit code, to the manager of services if that has started this
    /// process. To one that ends without a word, or with another code than 0, it does what it is set to do at failures.
    pub fn ended(self, code: u8) {
        if let Some(service) = self.service {
            service.has_stopped(code);
        }
    }

    /// Waits until something asks this process to stop, at most that long, and says what it was.
    ///
    /// # Errors
    ///
    /// Fails if nothing can be heard any more.
    pub fn wait(&self, at_most: Duration) -> io::Result<Option<&'static str>> {
        match self.asked.recv_timeout(at_most) {
            Ok(asked) => Ok(Some(asked)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("another part of the program listens instead"))
            }
        }
    }
}

/// Called by the system, in a thread of its own.
unsafe extern "system" fn on_event(event: u32) -> BOOL {
    let Some(Request { asked, is_last_call }) = request(event, service::is_one()) else { return TRUE };
    if let Some(sender) = &*ASKED.lock().unwrap_or_else(PoisonError::into_inner) {
        let _ = sender.send(asked);
    }
    // The system ends the process as soon as this returns, or else after some seconds, in which it can stop by itself.
    if is_last_call {
        loop {
            std::thread::park();
        }
    }
    TRUE
}

/// What an event of the console asks for.
#[derive(Debug, Eq, PartialEq)]
struct Request {
    asked: &'static str,
    is_last_call: bool,
}

fn request(event: u32, is_service: bool) -> Option<Request> {
    let (asked, is_last_call) = match event {
        CTRL_C_EVENT => ("Ctrl+C", false),
        CTRL_BREAK_EVENT => ("Ctrl+Break", false),
        CTRL_CLOSE_EVENT => ("a closed console", true),
        // Services are told of the end of everybody's session, and stay.
        CTRL_LOGOFF_EVENT if is_service => return None,
        CTRL_LOGOFF_EVENT => ("the end of the session", true),
        _ => ("the end of the system", true),
    };
    Some(Request { asked, is_last_call })
}

/// Who is told. The system's call takes a function and nothing that it could be given.
static ASKED: Mutex<Option<Sender<&'static str>>> = Mutex::new(None);

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Console::CTRL_SHUTDOWN_EVENT;

    use super::*;

    #[test]
    fn the_end_of_somebodys_session_does_not_stop_a_service() {
        assert_eq!(request(CTRL_LOGOFF_EVENT, true), None);
        assert!(request(CTRL_LOGOFF_EVENT, false).is_some_and(|request| request.is_last_call));
        for is_service in [false, true] {
            assert!(request(CTRL_SHUTDOWN_EVENT, is_service).is_some_and(|request| request.is_last_call));
            assert!(request(CTRL_C_EVENT, is_service).is_some_and(|request| !request.is_last_call));
        }
    }
}
