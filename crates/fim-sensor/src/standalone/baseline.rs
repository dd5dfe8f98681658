//! Taking a baseline.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fim_core::{Observation, Timestamp};
use fim_log::RealDisk;
use fim_scan::{FileTree, Scan, ScanControl, ScanEnd, ScanOptions, StartScanError};
use serde::{Deserialize, Serialize};

use super::scope::StoredScope;
use super::{Scope, ScopeError, Unseen, entity_path};
use crate::state_file::{StateWriter, WriteStateError, unfinished};

/// What a baseline covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaselineSummary {
    /// How many entities it holds.
    pub entities: u64,
    /// How many bytes of content were read for it.
    pub bytes: u64,
    /// How many places could not be read.
    pub unseen: u64,
    /// True if the file itself lies in the scope, and was left out of it.
    pub leaves_itself_out: bool,
}

/// Why there is no new baseline. What was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// There is a file of that name.
    #[error("{path} exists already; name another file, or replace it with --force")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Where the file would be cannot be told.
    #[error("cannot tell where {path} is")]
    Locate {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The scope cannot be worked with.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The scan did not start.
    #[error(transparent)]
    StartScan(#[from] StartScanError),
    /// The scan did not get to its end.
    #[error("the scan was stopped before its end")]
    CutShort,
    /// The state could not be written.
    #[error(transparent)]
    Write(#[from] WriteStateError),
}

/// What is stored beside the entities.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Metadata {
    pub(super) scope: StoredScope,
    /// When the baseline was begun, in nanoseconds since the epoch.
    pub(super) taken: i64,
}

/// Writes what is within the scope now to `file`. Each place that could not be read goes to `unseen`; what could be
/// learned of it is in the baseline all the same. `replaces` lets it take the place of a file that is there.
pub fn baseline<T: FileTree>(
    tree: Arc<T>,
    file: &Path,
    scope: Scope,
    replaces: bool,
    options: ScanOptions,
    now: Timestamp,
    unseen: &mut dyn FnMut(Unseen),
) -> Result<BaselineSummary, BaselineError> {
    if !replaces && file.symlink_metadata().is_ok() {
        return Err(BaselineError::Exists { path: file.to_owned() });
    }
    let locate = |path: &Path| {
        entity_path(path).map_err(|source| BaselineError::Locate { path: path.to_owned(), source })
    };
    let own_path = locate(file)?;
    let leaves_itself_out = scope.contains(&own_path);
    let temporary = locate(&unfinished(file))?;
    let scope = if leaves_itself_out { scope.without(&own_path)?.without(&temporary)? } else { scope };

    let metadata = Metadata { scope: scope.to_stored(), taken: now.0 };
    // Strings and numbers alone, which JSON always takes.
    let metadata = serde_json::to_vec(&metadata).unwrap_or_default();
    let mut writer = StateWriter::create(&RealDisk, file, &metadata)?;
    let control = Arc::new(ScanControl::default());
    let mut scan = Scan::start(tree, Arc::new(scope), options, Arc::clone(&control))?;
    let mut unseen_count = 0;
    for observation in scan.by_ref() {
        let (entity, problem) = match observation {
            Observation::Present(entity) => (Some(entity), None),
            Observation::Absent(key) => (None, Some((key, "not found".to_owned()))),
            Observation::Unreadable { key, partial, why } => (partial, Some((key, why.to_string()))),
        };
        if let Some(entity) = entity {
            writer.push(&entity)?;
        }
        if let Some((key, why)) = problem {
            unseen_count += 1;
            unseen(Unseen { path: key.path().clone(), why });
        }
    }
    match scan.end() {
        ScanEnd::Complete => {}
        ScanEnd::CutShort { .. } => return Err(BaselineError::CutShort),
    }
    let entities = writer.finish()?;
    let bytes = control.progress().bytes;
    Ok(BaselineSummary { entities, bytes, unseen: unseen_count, leaves_itself_out })
}
