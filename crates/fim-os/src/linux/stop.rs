//! What asks this process to stop.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

/// Hears when this process is asked to stop, by SIGTERM or SIGINT.
#[derive(Debug)]
pub struct StopRequests {
    asked: Receiver<&'static str>,
    signals: Handle,
    listener: Option<JoinHandle<()>>,
}

impl StopRequests {
    /// Listens from now on, in a thread of its own.
    ///
    /// # Errors
    ///
    /// Fails if the system does not let it.
    pub fn listen() -> io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let (told, asked) = mpsc::channel();
        let handle = signals.handle();
        let listener = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                let _ = told.send(if signal == SIGTERM { "SIGTERM" } else { "SIGINT" });
            }
        })?;
        Ok(Self { asked, signals: handle, listener: Some(listener) })
    }

    /// False: what systemd has started prints what it has to say.
    pub fn are_for_a_service(&self) -> bool {
        false
    }

    /// Says that the work has begun, to whoever has started this process. Here nobody asks: systemd takes a program that
    /// runs for one at work.
    pub fn at_work(&self) {}

    /// Says that the work has ended, and with which exit code. Here the exit code itself says so.
    pub fn ended(self, _code: u8) {}

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
                Err(io::Error::other("the thread that listens to signals has ended"))
            }
        }
    }
}

impl Drop for StopRequests {
    fn drop(&mut self) {
        self.signals.close();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}
