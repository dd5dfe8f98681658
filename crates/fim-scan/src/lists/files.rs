//! Small files and directories by their path.

use fim_core::{EntityKind, EntityPath};

use super::CollectError;
use crate::tree::{FileTree, TreeError, open_followed};

/// A tree whose small files are read whole.
pub(super) struct Files<'t, T> {
    tree: &'t T,
}

/// A name in a directory.
pub(super) struct Name {
    /// As text; names that are not UTF-8 are left out, since no tool makes such.
    pub(super) name: String,
    /// What it is; `None` if the listing does not tell.
    pub(super) kind: Option<EntityKind>,
}

impl<'t, T: FileTree> Files<'t, T> {
    pub(super) fn new(tree: &'t T) -> Self {
        Self { tree }
    }

    /// All of a file, links followed; nothing if there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, CollectError> {
        found(path, self.try_read(path))
    }

    /// The names in a directory, in order; none if there is no such directory.
    pub(super) fn names(&self, path: &str) -> Result<Vec<Name>, CollectError> {
        let root = EntityPath::unix(path.as_bytes());
        let listing = self.tree.open_root(&root).and_then(|directory| self.tree.list(&directory));
        let Some(listing) = found(path, listing)? else { return Ok(Vec::new()) };
        let names = (0..listing.len()).filter_map(|position| listing.get(position));
        let name = |(name, kind)| Some(Name { name: std::str::from_utf8(name).ok()?.to_owned(), kind });
        Ok(names.filter_map(name).collect())
    }

    /// Where a link points, as stored; nothing if there is none, or it is no link.
    pub(super) fn link(&self, path: &str) -> Result<Option<String>, CollectError> {
        let (parent, name) = split(path);
        let look = self.tree.open_root(&parent).and_then(|directory| self.tree.look(&directory, name));
        let target = found(path, look)?.filter(|look| look.kind == EntityKind::Symlink);
        let target = target.and_then(|look| look.attributes.target);
        Ok(target.and_then(|target| String::from_utf8(target).ok()))
    }

    /// True if there is something of that name.
    pub(super) fn exists(&self, path: &str) -> Result<bool, CollectError> {
        let (parent, name) = split(path);
        let look = self.tree.open_root(&parent).and_then(|directory| self.tree.look(&directory, name));
        Ok(found(path, look)?.is_some())
    }

    fn try_read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let (parent, name) = split(path);
        let directory = self.tree.open_root(&parent)?;
        let file = open_followed(self.tree, &directory, name)?;
        let mut content = Vec::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = self.tree.read_at(&file, content.len() as u64, &mut buffer)?;
            if read == 0 {
                return Ok(content);
            }
            content.extend_from_slice(&buffer[..read]);
            if content.len() > MOST_BYTES {
                return Err(TreeError::Failed(format!("it has more than {MOST_BYTES} bytes")));
            }
        }
    }
}

/// What is not there is no error.
fn found<V>(path: &str, answer: Result<V, TreeError>) -> Result<Option<V>, CollectError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(TreeError::NotFound | TreeError::NotThat) => Ok(None),
        Err(source) => Err(CollectError { path: path.to_owned(), source }),
    }
}

fn split(path: &str) -> (EntityPath, &[u8]) {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    (EntityPath::unix(if parent.is_empty() { "/" } else { parent }), name.as_bytes())
}

const READ_BYTES: usize = 64 << 10;

/// Far more than the largest list of packages; what is larger is none.
const MOST_BYTES: usize = 64 << 20;
