//! In-memory trees, a fake clock, a faulty disk: doubles for tests only.

mod faulty_disk;
mod tree;

pub use faulty_disk::{Fault, FaultyDisk, FaultyFile, Survives};
pub use tree::{MemoryDirectory, MemoryFile, MemoryTree};
