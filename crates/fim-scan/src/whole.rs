//! A small file as a whole.

use fim_core::EntityPath;

use crate::tree::{FileTree, TreeError, open_followed};
use crate::walk::split;

/// Why a file was not read as a whole.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadWholeError {
    /// It has more bytes than were asked for.
    #[error("it is too large")]
    TooLarge,
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[source] TreeError),
}

/// The content of the file at a path, a link there followed, if it has at most so many bytes. The file may be written
/// meanwhile: whether this is what was looked at, its digest says.
pub fn read_whole<T: FileTree>(
    tree: &T,
    path: &EntityPath,
    most_bytes: usize,
) -> Result<Vec<u8>, ReadWholeError> {
    let (parent, name) = split(path).ok_or(ReadWholeError::Unreadable(TreeError::NotThat))?;
    let read = || {
        let file = open_followed(tree, &tree.open_root(&parent)?, &name)?;
        let mut content = Vec::new();
        let mut stretch = vec![0; STRETCH_BYTES];
        loop {
            let count = tree.read_at(&file, content.len() as u64, &mut stretch)?;
            content.extend_from_slice(&stretch[..count]);
            if count == 0 || content.len() > most_bytes {
                return Ok(content);
            }
        }
    };
    let content = read().map_err(ReadWholeError::Unreadable)?;
    if content.len() > most_bytes { Err(ReadWholeError::TooLarge) } else { Ok(content) }
}

const STRETCH_BYTES: usize = 64 << 10;
