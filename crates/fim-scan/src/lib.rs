//! Walks and hashes anything that is a FileTree.
