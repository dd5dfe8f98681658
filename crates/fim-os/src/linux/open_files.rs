//! How many files this process may have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process have as many files open at once as its owner lets it have. A shell gives few, which whoever changes
/// many files could use up: each notice of a change brings a handle of the process that made it. What the system refuses
/// is left as it is.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise how many files may be open at once");
    }
}

/// How many files this process may have open at once.
pub(super) fn most_open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
