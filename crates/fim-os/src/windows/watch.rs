//! What notices changes in real time.

use fim_scan::WatcherChoice;

/// What the providers are called, the best first.
pub const PROVIDERS: [&str; 1] = ["scan"];

/// The best watcher that works on this machine, and why better ones do not: there is none yet, and scans find what
/// changes.
pub fn best_watcher(_at_best: &str) -> WatcherChoice {
    WatcherChoice::default()
}
