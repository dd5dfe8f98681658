//! Small files and directories by their path.

use fim_core::{EntityKind, EntityPath};

use super::{CollectError, Place};
use crate::tree::{FileTree, Look, Stamp, TreeError, open_followed};

/// A tree whose small files are read whole.
pub(super) struct Files<'t, T> {
    tree: &'t T,
    /// Told each place before it is read.
    reads: &'t dyn Fn(Place<'_>),
}

/// A file of which parts are read.
pub(super) struct OpenFile<'t, T: FileTree> {
    tree: &'t T,
    file: T::File,
}

/// A name in a directory.
pub(super) struct Name {
    /// As text; names that are not UTF-8 are left out, since no tool makes such.
    pub(super) name: String,
    /// What it is; `None` if the listing does not tell.
    pub(super) kind: Option<EntityKind>,
}

impl<'t, T: FileTree> Files<'t, T> {
    pub(super) fn new(tree: &'t T, reads: &'t dyn Fn(Place<'_>)) -> Self {
        Self { tree, reads }
    }

    /// All of a file, links followed; nothing if there is none.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, CollectError> {
        found(path, self.try_read(path))
    }

    /// The names in a directory, in order; none if there is no such directory.
    pub(super) fn names(&self, path: &str) -> Result<Vec<Name>, CollectError> {
        (self.reads)(Place::Names(path));
        let root = EntityPath::unix(path.as_bytes());
        let listing = self.tree.open_root(&root).and_then(|directory| self.tree.list(&directory));
        let Some(listing) = found(path, listing)? else { return Ok(Vec::new()) };
        let names = (0..listing.len()).filter_map(|position| listing.get(position));
        let name = |(name, kind)| Some(Name { name: std::str::from_utf8(name).ok()?.to_owned(), kind });
        Ok(names.filter_map(name).collect())
    }

    /// Where a link points, as stored; nothing if there is none, or it is no link.
    pub(super) fn link(&self, path: &str) -> Result<Option<String>, CollectError> {
        (self.reads)(Place::Entry(path));
        let (parent, name) = split(path);
        let look = self.tree.open_root(&parent).and_then(|directory| self.tree.look(&directory, name));
        let target = found(path, look)?.filter(|look| look.kind == EntityKind::Symlink);
        let target = target.and_then(|look| look.attributes.target);
        Ok(target.and_then(|target| String::from_utf8(target).ok()))
    }

    /// True if there is something of that name.
    pub(super) fn exists(&self, path: &str) -> Result<bool, CollectError> {
        (self.reads)(Place::Entry(path));
        let (parent, name) = split(path);
        let look = self.tree.open_root(&parent).and_then(|directory| self.tree.look(&directory, name));
        Ok(found(path, look)?.is_some())
    }

    /// A file that is not read whole, links followed; nothing if there is none.
    pub(super) fn open(&self, path: &str) -> Result<Option<OpenFile<'t, T>>, CollectError> {
        found(path, self.try_open(path))
    }

    fn try_open(&self, path: &str) -> Result<OpenFile<'t, T>, TreeError> {
        (self.reads)(Place::Entry(path));
        let (parent, name) = split(path);
        let directory = self.tree.open_root(&parent)?;
        let file = open_followed(self.tree, &directory, name)?;
        Ok(OpenFile { tree: self.tree, file })
    }

    fn try_read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let open = self.try_open(path)?;
        let mut content = Vec::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = open.read_at(content.len() as u64, &mut buffer)?;
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

impl<T: FileTree> OpenFile<'_, T> {
    /// Describes it.
    pub(super) fn look(&self) -> Result<Look, TreeError> {
        self.tree.describe_file(&self.file)
    }

    /// Says what would differ if its content had changed.
    pub(super) fn stamp(&self) -> Result<Stamp, TreeError> {
        self.tree.stamp(&self.file)
    }

    /// Reads at `offset`; 0 at and behind the end.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, TreeError> {
        self.tree.read_at(&self.file, offset, buffer)
    }

    /// Reads at `offset` until the buffer is full; false if the file ends before.
    pub(super) fn fill(&self, offset: u64, buffer: &mut [u8]) -> Result<bool, TreeError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(offset + filled as u64, &mut buffer[filled..])? {
                0 => return Ok(false),
                read => filled += read,
            }
        }
        Ok(true)
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
