//! Keys of the registry of Windows by their path, with the values of the keys in them.

use fim_core::windows::{data_text, original};
use fim_core::{EntityPath, RegistryAttributes};

use super::CollectError;
use crate::tree::{FileTree, TreeError};

/// A key that is open.
pub(super) struct Key<'t, T: FileTree> {
    tree: &'t T,
    path: EntityPath,
    key: T::Directory,
}

/// What a value holds.
pub(super) struct Value {
    value_type: u32,
    data: Vec<u8>,
}

impl<'t, T: FileTree> Key<'t, T> {
    /// Opens a key; nothing if there is none.
    pub(super) fn open(tree: &'t T, path: &str) -> Result<Option<Self>, CollectError> {
        let path = EntityPath::windows(path);
        let opened = tree.open_root(&path);
        Ok(found(&path, opened)?.map(|key| Self { tree, path, key }))
    }

    /// Opens a key in this one, by its segment of a path; nothing if there is none, or it is a link.
    pub(super) fn enter(&self, name: &[u8]) -> Result<Option<Self>, CollectError> {
        let path = self.path.join(name);
        let opened = self.tree.enter(&self.key, name);
        Ok(found(&path, opened)?.map(|key| Self { tree: self.tree, path, key }))
    }

    /// The keys in this one, each as a segment of a path.
    pub(super) fn names(&self) -> Result<Vec<Vec<u8>>, CollectError> {
        let listing = found(&self.path, self.tree.list(&self.key))?.unwrap_or_default();
        let names = (0..listing.len()).filter_map(|position| listing.get(position));
        Ok(names.map(|(name, _)| name.to_vec()).collect())
    }

    /// A value of a key in this one, whose segment of a path is `key`; nothing if there is none of that name.
    pub(super) fn value(&self, key: &[u8], name: &str) -> Result<Option<Value>, CollectError> {
        let segment = [key, b":", name.as_bytes()].concat();
        let look = found(&self.path.join(&segment), self.tree.look(&self.key, &segment))?;
        Ok(look.and_then(|look| match look.attributes.registry {
            Some(RegistryAttributes::Value { value_type, data: Some(data) }) => {
                Some(Value { value_type, data })
            }
            Some(RegistryAttributes::Value { data: None, .. } | RegistryAttributes::Key { .. }) | None => {
                None
            }
        }))
    }

    /// The text of such a value; nothing if it is empty.
    pub(super) fn text(&self, key: &[u8], name: &str) -> Result<Option<String>, CollectError> {
        let value = self.value(key, name)?;
        Ok(value.map(|value| data_text(value.value_type, &value.data)).filter(|text| !text.is_empty()))
    }

    /// The number that such a value holds; nothing if it holds something else.
    pub(super) fn number(&self, key: &[u8], name: &str) -> Result<Option<u32>, CollectError> {
        let value = self.value(key, name)?.filter(|value| value.value_type == NUMBER);
        Ok(value.and_then(|value| value.data.try_into().ok()).map(u32::from_le_bytes))
    }
}

/// The name of a key for a reader.
pub(super) fn shown(name: &[u8]) -> String {
    EntityPath::windows(original(name)).to_string()
}

/// What is not there, or not any more, is no error.
fn found<V>(path: &EntityPath, answer: Result<V, TreeError>) -> Result<Option<V>, CollectError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(TreeError::NotFound | TreeError::NotThat) => Ok(None),
        Err(source) => Err(CollectError { path: path.to_string(), source }),
    }
}

/// `REG_DWORD`.
const NUMBER: u32 = 4;
