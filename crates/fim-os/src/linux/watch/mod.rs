//! What notices changes in real time, in steps of quality: the best that works is taken, found out by trying.

mod actors;
mod event;
mod fanotify;
mod group;
mod inotify;
mod lists;
mod mounts;
mod paths;
mod process;
mod processes;
mod unnamed;
mod views;

use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use fim_bpf::KernelTypes;
use fim_core::Timestamp;
use fim_scan::lists::ListWatcher;
use fim_scan::{Refused, Watcher, WatcherChoice};

use actors::Actors;
use fanotify::FanotifyWatcher;
use inotify::InotifyWatcher;
use lists::InotifyLists;
pub(super) use mounts::mounts_that_may_hang;
use unnamed::Unnamed;

/// What the providers are called, the best first.
pub const PROVIDERS: [&str; 3] = [JOINED, ALONE, BY_DIRECTORY];

/// The best watcher that works on this machine, and why better ones do not. None better than `at_best` is tried, which
/// is one of [`PROVIDERS`].
pub fn best_watcher(at_best: &str) -> WatcherChoice {
    let mut refused = Vec::new();
    for provider in PROVIDERS.into_iter().skip_while(|&provider| provider != at_best) {
        match watcher(provider, &mut refused) {
            Ok(watcher) => return WatcherChoice { watcher: Some(watcher), refused },
            Err(error) => refused.push(Refused { provider, why: error.to_string() }),
        }
    }
    WatcherChoice { watcher: None, refused }
}

/// What notices changes of lists; else why nothing does.
///
/// # Errors
///
/// Fails if the system gives no queue of notices.
pub fn list_watcher() -> Result<Arc<dyn ListWatcher>, String> {
    let watcher = InotifyLists::new();
    let watcher = watcher
        .map_err(|error| format!("no queue of notices: {error}; see fs.inotify.max_user_instances"))?;
    Ok(Arc::new(watcher))
}

fn watcher(provider: &'static str, refused: &mut Vec<Refused>) -> Result<Box<dyn Watcher>, Box<dyn Error>> {
    Ok(match provider {
        JOINED => {
            let watcher = joined(refused);
            give_memory_back();
            Box::new(watcher?)
        }
        ALONE => Box::new(FanotifyWatcher::new(provider, Actors::by_asking(), None)?),
        _ => Box::new(InotifyWatcher::new()?),
    })
}

fn joined(refused: &mut Vec<Refused>) -> Result<FanotifyWatcher, Box<dyn Error>> {
    let types = KernelTypes::read()?;
    let actors = Actors::told_by_kernel(&types)?;
    let unnamed = match Unnamed::start(&types) {
        Ok(unnamed) => Some(unnamed),
        Err(error) => {
            let why = format!(
                "{}; marks of chattr and what is stored through mappings are found by scans",
                actors::chain(&error)
            );
            refused.push(Refused { provider: UNNAMED, why });
            None
        }
    };
    Ok(FanotifyWatcher::new(JOINED, actors, unnamed)?)
}

/// Gives the system what the loader took to read the kernel's types: tens of megabytes, once.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the C library has no safe function for it")]
fn give_memory_back() {
    // SAFETY: the call takes a number and touches only what nobody has.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give it back by themselves.
#[cfg(not(target_env = "gnu"))]
fn give_memory_back() {}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Notices by fanotify, and by the kernel's word on processes who made them.
const JOINED: &str = "fanotify+ebpf";

/// What tells of changes that fanotify gives no notice of.
const UNNAMED: &str = "inode-changes";

/// Notices by fanotify, and who made them by asking those that still run.
const ALONE: &str = "fanotify";

/// Notices by inotify, without who made them.
const BY_DIRECTORY: &str = "inotify";
