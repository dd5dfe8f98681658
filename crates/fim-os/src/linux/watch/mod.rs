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
mod proof;
mod unnamed;
mod views;

use std::cell::LazyCell;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use fim_bpf::{KernelTypes, StartError};
use fim_core::Timestamp;
use fim_scan::lists::ListWatcher;
use fim_scan::{Refused, Watcher, WatcherChoice};

use super::memory::give_memory_back;
use actors::Actors;
use fanotify::FanotifyWatcher;
use inotify::InotifyWatcher;
use lists::InotifyLists;
pub(super) use mounts::mounts_that_may_hang;
use unnamed::Unnamed;

/// What the providers are called, the best first.
pub const PROVIDERS: [&str; 4] = [AT_RETURNS, JOINED, ALONE, BY_DIRECTORY];

/// The best watcher that works on this machine, and why better ones do not. None better than `at_best` is tried, which
/// is one of [`PROVIDERS`].
pub fn best_watcher(at_best: &str) -> WatcherChoice {
    let types = Types::new(KernelTypes::read);
    let mut refused = Vec::new();
    let mut found = None;
    for provider in PROVIDERS.into_iter().skip_while(|&provider| provider != at_best) {
        match watcher(provider, &types, &mut refused) {
            Ok(watcher) => {
                found = Some(watcher);
                break;
            }
            Err(error) => refused.push(Refused { provider, why: error.to_string() }),
        }
    }
    drop(types);
    // Reading the types took tens of megabytes.
    give_memory_back();
    WatcherChoice { watcher: found, refused }
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

fn watcher(
    provider: &'static str,
    types: &Types,
    refused: &mut Vec<Refused>,
) -> Result<Box<dyn Watcher>, Box<dyn Error>> {
    let told_by_kernel = || types.as_ref().map_err(ToString::to_string);
    Ok(match provider {
        AT_RETURNS => {
            let types = told_by_kernel()?;
            let unnamed = Unnamed::at_returns(types).map_err(|error| actors::chain(&error))?;
            Box::new(FanotifyWatcher::new(AT_RETURNS, Actors::told_by_kernel(types)?, Some(unnamed))?)
        }
        JOINED => {
            let types = told_by_kernel()?;
            let actors = Actors::told_by_kernel(types)?;
            let before = refused.len();
            let unnamed = unnamed_by_times(types, refused);
            let tells_all = unnamed.is_some();
            let watcher = FanotifyWatcher::new(JOINED, actors, unnamed)?;
            if tells_all {
                // What was refused before would not tell more than this, so that nothing is amiss.
                for Refused { provider, why } in refused.drain(..before) {
                    tracing::info!(provider, why, "another that tells as much is used");
                }
            }
            Box::new(watcher)
        }
        ALONE => Box::new(FanotifyWatcher::new(provider, Actors::by_asking(), None)?),
        _ => Box::new(InotifyWatcher::new()?),
    })
}

/// What tells of changes without a notice, where the kernel has the tracepoints for it; else why it does not is added.
fn unnamed_by_times(types: &KernelTypes, refused: &mut Vec<Refused>) -> Option<Unnamed> {
    let error = match Unnamed::at_times(types) {
        Ok(unnamed) => return Some(unnamed),
        Err(error) => error,
    };
    let why = format!(
        "{}; marks of chattr and what is stored through mappings are found by scans",
        actors::chain(&error)
    );
    refused.push(Refused { provider: UNNAMED, why });
    None
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The kernel's types, which the first provider reads that wants them.
type Types = LazyCell<Result<KernelTypes, StartError>>;

/// Notices by fanotify, by the kernel's word on processes who made them, and by the return of its functions what fanotify
/// gives no notice of.
const AT_RETURNS: &str = "fanotify+fentry";

/// Notices by fanotify, and by the kernel's word on processes who made them.
const JOINED: &str = "fanotify+ebpf";

/// What tells of changes that fanotify gives no notice of.
const UNNAMED: &str = "inode-changes";

/// Notices by fanotify, and who made them by asking those that still run.
const ALONE: &str = "fanotify";

/// Notices by inotify, without who made them.
const BY_DIRECTORY: &str = "inotify";
