//! In-memory trees, a fake clock, a faulty disk: doubles for tests only.

mod faulty_disk;

pub use faulty_disk::{Fault, FaultyDisk, FaultyFile, Survives};
