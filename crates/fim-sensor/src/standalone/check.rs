//! Checking against a baseline.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fim_core::{
    Aspect, AspectSet, Change, ChangeCategory, Entity, EntityKind, EntityPath, Observation, OutOfSight,
    Sighting, Timestamp, diff,
};
use fim_scan::{FileTree, Scan, ScanControl, ScanEnd, ScanOptions, StartScanError, TreeError};

use super::baseline::Metadata;
use super::{Scope, Unseen};
use crate::state_file::{Pair, Pairs, ReadStateError, StateReader};

/// Something that a check has to tell, in path order.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The baseline and the machine differ.
    Change {
        /// What kind of difference it is.
        category: ChangeCategory,
        /// The difference.
        change: Box<Change>,
    },
    /// It cannot be told whether they do.
    Unseen(Unseen),
}

/// What a check came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CheckSummary {
    /// How many entities there are now.
    pub entities: u64,
    /// How many bytes of content were read.
    pub bytes: u64,
    /// How many entities were not there before.
    pub added: u64,
    /// How many entities differ.
    pub modified: u64,
    /// How many entities are gone.
    pub removed: u64,
    /// How many places could not be read.
    pub unseen: u64,
    /// When the baseline was taken.
    pub baseline_taken: Timestamp,
}

impl CheckSummary {
    /// How many differences there are.
    pub fn differences(&self) -> u64 {
        self.added + self.modified + self.removed
    }

    fn count(&mut self, finding: &Finding) {
        let counter = match finding {
            Finding::Unseen(_) => &mut self.unseen,
            Finding::Change { category, .. } => match category {
                ChangeCategory::Added => &mut self.added,
                ChangeCategory::Modified => &mut self.modified,
                ChangeCategory::Removed => &mut self.removed,
            },
        };
        *counter += 1;
    }
}

/// Why a check came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The baseline cannot be used.
    #[error(transparent)]
    Read(#[from] ReadStateError),
    /// The file is a state, but no baseline of the stand-alone mode.
    #[error("{path} is a state, but not one that a baseline wrote")]
    NotABaseline {
        /// The file.
        path: PathBuf,
    },
    /// A path was named that the baseline does not cover.
    #[error("the baseline {file} does not cover {path}; it covers {covered}")]
    NotCovered {
        /// The baseline.
        file: PathBuf,
        /// The path.
        path: EntityPath,
        /// What it covers, for a person.
        covered: String,
    },
    /// A path was named that leads through a link, which the baseline has and does not follow.
    #[error(
        "the baseline {file} does not cover {path}: {link} is a link, of which it has the link alone; name the path \
         that the link leads to"
    )]
    BehindLink {
        /// The baseline.
        file: PathBuf,
        /// The path.
        path: EntityPath,
        /// The link on the way to it.
        link: EntityPath,
    },
    /// A path was named that was not there when the baseline was taken, and is not there now.
    #[error(
        "there is no {path} on this machine, and the baseline {file} does not cover one either; look at how it is spelled"
    )]
    NowhereToBeFound {
        /// The baseline.
        file: PathBuf,
        /// The path.
        path: EntityPath,
    },
    /// The scan did not start.
    #[error(transparent)]
    StartScan(#[from] StartScanError),
    /// The scan did not get to its end.
    #[error("the scan was stopped before its end")]
    CutShort,
}

/// Compares what is now with the baseline in `file`, as it goes, and hands each finding to `report`. With `paths` it
/// looks within those alone, each of which the baseline or the machine has to have: a name that was mistyped would have
/// no differences for ever.
pub fn check<T: FileTree>(
    tree: Arc<T>,
    file: &Path,
    paths: Vec<EntityPath>,
    options: ScanOptions,
    report: &mut dyn FnMut(&Finding),
) -> Result<CheckSummary, CheckError> {
    let state = StateReader::open(file)?;
    let not_a_baseline = || CheckError::NotABaseline { path: file.to_owned() };
    let metadata: Metadata = serde_json::from_slice(state.metadata()).map_err(|_| not_a_baseline())?;
    let all = Scope::from_stored(&metadata.scope).ok_or_else(not_a_baseline)?;
    let scope = if paths.is_empty() {
        all
    } else {
        let narrowed = narrow(&all, paths, file)?;
        find_each(narrowed.roots(), &all, &*tree, file)?;
        narrowed
    };

    let mut summary = CheckSummary { baseline_taken: Timestamp(metadata.taken), ..CheckSummary::default() };
    let mut found = |summary: &mut CheckSummary, finding: Finding| {
        summary.count(&finding);
        report(&finding);
    };
    let roots = scope.roots().to_vec();
    let is_looked_at = move |path: &EntityPath| roots.iter().any(|root| path.is_within(root));
    let control = Arc::new(ScanControl::default());
    let scan = Scan::start(tree, Arc::new(scope), options, Arc::clone(&control))?;
    let mut judge = Judge::default();
    let mut pairs = Pairs::new(state, scan);
    for pair in pairs.by_ref() {
        let Pair { before, seen } = pair?;
        if seen.is_some() || before.as_ref().is_some_and(|before| is_looked_at(before.key.path())) {
            judge.judge(before, seen, &mut |finding| found(&mut summary, finding));
        }
    }
    match pairs.source().end() {
        ScanEnd::Complete => {}
        ScanEnd::CutShort { .. } => return Err(CheckError::CutShort),
    }
    for before in pairs.into_rest() {
        let before = Box::new(before?);
        if is_looked_at(before.key.path()) {
            judge.judge(Some(before), None, &mut |finding| found(&mut summary, finding));
        }
    }
    (summary.entities, summary.bytes) = (judge.entities, control.progress().bytes);
    Ok(summary)
}

fn narrow(all: &Scope, paths: Vec<EntityPath>, file: &Path) -> Result<Scope, CheckError> {
    all.narrowed(paths).map_err(|outside| {
        let path = outside.into_iter().next().unwrap_or_else(|| EntityPath::unix(""));
        let roots: Vec<String> = all.roots().iter().map(EntityPath::to_string).collect();
        let covered = match all.exclusion_of(&path) {
            Some(pattern) => format!("{} but for {pattern}", roots.join(", ")),
            None => roots.join(", "),
        };
        CheckError::NotCovered { file: file.to_owned(), path, covered }
    })
}

/// Makes sure that each path is in the baseline or on the machine, and not behind a link that the baseline did not follow.
///
/// # Errors
///
/// Names the first of the paths for which that is not so, or says why the baseline cannot be read.
fn find_each<T: FileTree>(
    paths: &[EntityPath],
    all: &Scope,
    tree: &T,
    file: &Path,
) -> Result<(), CheckError> {
    let file = || file.to_owned();
    for (path, in_baseline) in paths.iter().zip(look_up(paths, all, &file())?) {
        let path = || path.clone();
        match in_baseline {
            InBaseline::Something => {}
            // What has become a directory since is new with all that is in it.
            InBaseline::BehindLink(link) if kind_of(tree, &link) == Ok(EntityKind::Symlink) => {
                return Err(CheckError::BehindLink { file: file(), path: path(), link });
            }
            InBaseline::Nothing | InBaseline::BehindLink(_) => match kind_of(tree, &path()) {
                Err(TreeError::NotFound | TreeError::NotThat) => {
                    return Err(CheckError::NowhereToBeFound { file: file(), path: path() });
                }
                // What cannot be looked at may be there: the scan tells of it.
                Ok(_) | Err(TreeError::PermissionDenied | TreeError::Locked | TreeError::Failed(_)) => {}
            },
        }
    }
    Ok(())
}

/// What a baseline has of a path.
#[derive(Clone)]
enum InBaseline {
    Nothing,
    Something,
    BehindLink(EntityPath),
}

/// What the baseline has of each of the paths.
fn look_up(paths: &[EntityPath], all: &Scope, file: &Path) -> Result<Vec<InBaseline>, ReadStateError> {
    let mut found = vec![InBaseline::Nothing; paths.len()];
    for entity in StateReader::open(file)? {
        let entity = entity?;
        let at = entity.key.path();
        for (path, found) in paths.iter().zip(&mut found) {
            if at.is_within(path) {
                *found = InBaseline::Something;
            } else if entity.kind == EntityKind::Symlink && path.is_within(at) && !all.roots().contains(at) {
                *found = InBaseline::BehindLink(at.clone());
            }
        }
        if found.iter().all(|found| matches!(found, InBaseline::Something)) {
            break;
        }
    }
    Ok(found)
}

/// What is at the path on the machine; a link is one itself.
fn kind_of<T: FileTree>(tree: &T, path: &EntityPath) -> Result<EntityKind, TreeError> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(tree.look(&tree.open_root(&parent)?, name)?.kind),
        (None, _) | (_, None) => Ok(tree.describe_directory(&tree.open_root(path)?)?.kind),
    }
}

/// Judges pair after pair, and remembers where it could not see.
#[derive(Default)]
struct Judge {
    out_of_sight: OutOfSight,
    entities: u64,
}

impl Judge {
    fn judge(
        &mut self,
        before: Option<Box<Entity>>,
        seen: Option<Observation>,
        found: &mut dyn FnMut(Finding),
    ) {
        let (sighting, lost) = self.out_of_sight.judge(before, seen);
        if let Some((path, why)) = lost {
            found(Finding::Unseen(Unseen { path, why: why.to_string() }));
        }
        match sighting {
            Sighting::There { before, seen } => {
                self.entities += 1;
                tell(diff(before.as_deref(), Some(&seen), watched(seen.kind)), found);
            }
            Sighting::Gone(before) => tell(diff(Some(&before), None, AspectSet::ALL), found),
            Sighting::Unseen(_) | Sighting::Nothing => {}
        }
    }
}

fn tell(change: Option<Change>, found: &mut dyn FnMut(Finding)) {
    if let Some(change) = change
        && let Some(category) = change.category()
    {
        found(Finding::Change { category, change: Box::new(change) });
    }
}

/// The number of a mount is another one after a restart. A directory's inode changes with every name in it, which the
/// names say themselves; what else changes it has an aspect of its own.
fn watched(kind: EntityKind) -> AspectSet {
    let lasting = AspectSet::ALL.without(Aspect::Mount);
    match kind {
        EntityKind::Directory => lasting.without(Aspect::Changed),
        EntityKind::File
        | EntityKind::Symlink
        | EntityKind::BlockDevice
        | EntityKind::CharDevice
        | EntityKind::Fifo
        | EntityKind::Socket => lasting,
    }
}
