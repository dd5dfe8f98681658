//! What notices changes in real time, in steps of quality: the best that works is taken, found out by trying.

mod actors;
mod event;
mod fanotify;
mod group;
mod inotify;
mod mounts;
mod paths;
mod process;
mod processes;
mod views;

use std::error::Error;
use std::time::SystemTime;

use fim_core::Timestamp;
use fim_scan::{Refused, Watcher, WatcherChoice};

use actors::Actors;
use fanotify::FanotifyWatcher;
use inotify::InotifyWatcher;

/// What the providers are called, the best first.
pub const PROVIDERS: [&str; 3] = [JOINED, ALONE, BY_DIRECTORY];

/// The best watcher that works on this machine, and why better ones do not. None better than `at_best` is tried, which
/// is one of [`PROVIDERS`].
pub fn best_watcher(at_best: &str) -> WatcherChoice {
    let mut refused = Vec::new();
    for provider in PROVIDERS.into_iter().skip_while(|&provider| provider != at_best) {
        match watcher(provider) {
            Ok(watcher) => return WatcherChoice { watcher: Some(watcher), refused },
            Err(error) => refused.push(Refused { provider, why: error.to_string() }),
        }
    }
    WatcherChoice { watcher: None, refused }
}

fn watcher(provider: &'static str) -> Result<Box<dyn Watcher>, Box<dyn Error>> {
    Ok(match provider {
        JOINED => Box::new(FanotifyWatcher::new(provider, Actors::told_by_kernel()?)?),
        ALONE => Box::new(FanotifyWatcher::new(provider, Actors::by_asking())?),
        _ => Box::new(InotifyWatcher::new()?),
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Notices by fanotify, and by the kernel's word on processes who made them.
const JOINED: &str = "fanotify+ebpf";

/// Notices by fanotify, and who made them by asking those that still run.
const ALONE: &str = "fanotify";

/// Notices by inotify, without who made them.
const BY_DIRECTORY: &str = "inotify";
