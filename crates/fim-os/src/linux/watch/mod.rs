//! What notices changes in real time, in steps of quality: the best that works is taken, found out by trying.

mod event;
mod fanotify;
mod group;
mod mounts;
mod paths;
mod process;

use fim_scan::Watcher;

use fanotify::FanotifyWatcher;

/// The best watcher that works on this machine. What does not work is said in the log, with the reason.
pub fn best_watcher() -> Option<Box<dyn Watcher>> {
    match FanotifyWatcher::new() {
        Ok(watcher) => return Some(Box::new(watcher)),
        Err(error) => tracing::warn!(%error, "fanotify cannot be used"),
    }
    None
}
