//! Threads whose end is waited for no longer than it is worth.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

/// A thread that can be waited for until some moment, where the standard library's can be for ever only. One that a file
/// system does not answer is so left behind in time; it goes on by itself if this is dropped.
#[derive(Debug)]
pub struct AwaitedThread {
    handle: JoinHandle<()>,
    end: Arc<End>,
}

/// Whether the thread has done its work, and who waits for that.
#[derive(Debug, Default)]
struct End {
    has_come: Mutex<bool>,
    came: Condvar,
}

/// Tells the end, also of a thread that panics.
struct TellsEnd(Arc<End>);

impl AwaitedThread {
    /// Starts a thread of that name.
    ///
    /// # Errors
    ///
    /// Fails if the system starts no more threads.
    pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let end = Arc::new(End::default());
        let teller = TellsEnd(Arc::clone(&end));
        let handle = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _teller = teller;
            work();
        })?;
        Ok(Self { handle, end })
    }

    /// True if its work is done.
    pub fn has_ended(&self) -> bool {
        *self.end.has_come.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until its work is done; false if it is not by then.
    pub fn wait_until(&self, deadline: Instant) -> bool {
        let has_come = self.end.has_come.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.end.came.wait_timeout_while(has_come, left, |has_come| !*has_come);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for its end however long that takes.
    ///
    /// # Errors
    ///
    /// Fails with what it panicked with.
    pub fn join(self) -> thread::Result<()> {
        self.handle.join()
    }
}

impl Drop for TellsEnd {
    fn drop(&mut self) {
        *self.0.has_come.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_is_waited_for_until_it_ends_and_not_longer_than_said() {
        let (end, ended) = mpsc::channel();
        let thread = AwaitedThread::spawn("awaited", move || {
            let _ = ended.recv();
        })
        .unwrap();
        assert!(!thread.wait_until(Instant::now() + Duration::from_millis(1)));
        assert!(!thread.has_ended());
        end.send(()).unwrap();
        assert!(thread.wait_until(Instant::now() + Duration::from_secs(60)));
        assert!(thread.has_ended());
        thread.join().unwrap();
    }

    #[test]
    fn a_thread_that_panics_has_ended() {
        let thread =
            AwaitedThread::spawn("panics", || std::panic::resume_unwind(Box::new("on purpose"))).unwrap();
        assert!(thread.wait_until(Instant::now() + Duration::from_secs(60)));
        assert_eq!(thread.join().unwrap_err().downcast_ref(), Some(&"on purpose"));
    }
}
