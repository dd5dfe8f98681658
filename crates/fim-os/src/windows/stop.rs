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

/// Hears when this process is asked to stop: Ctrl+C, Ctrl+Break, a console that is closed, the end of a session or of
/// the system.
#[derive(Debug)]
pub struct StopRequests(Receiver<&'static str>);

impl StopRequests {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// Fails if the system does not let it.
    pub fn listen() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        *ASKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        // SAFETY: the function has the signature that the call wants, and lives as long as the program.
        let done = unsafe { SetConsoleCtrlHandler(Some(on_event), TRUE) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(receiver)) }
    }

    /// Waits until something asks this process to stop, at most that long, and says what it was.
    ///
    /// # Errors
    ///
    /// Fails if nothing can be heard any more.
    pub fn wait(&self, at_most: Duration) -> io::Result<Option<&'static str>> {
        match self.0.recv_timeout(at_most) {
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
    let (asked, is_last_call) = match event {
        CTRL_C_EVENT => ("Ctrl+C", false),
        CTRL_BREAK_EVENT => ("Ctrl+Break", false),
        CTRL_CLOSE_EVENT => ("a closed console", true),
        CTRL_LOGOFF_EVENT => ("the end of the session", true),
        _ => ("the end of the system", true),
    };
    if let Some(sender) = &*ASKED.lock().unwrap_or_else(PoisonError::into_inner) {
        let _ = sender.send(asked);
    }
    // The system ends the process as soon as this returns, or else after some seconds, in which it can stop by itself.
    while is_last_call {
        std::thread::park();
    }
    TRUE
}

/// Who is told. The system's call takes a function and nothing that it could be given.
static ASKED: Mutex<Option<Sender<&'static str>>> = Mutex::new(None);
