//! In-memory trees and a faulty disk: doubles for tests only; a plan of everything; the real rpm with a database of its
//! own; and a word for tests that cannot run here.

mod faulty_disk;
mod plan;
mod rpm;
mod silent;
mod skip;
mod tree;

pub use faulty_disk::{Fault, FaultyDisk, FaultyFile, Survives};
pub use plan::Below;
pub use rpm::Rpm;
pub use silent::SilentMount;
pub use skip::{may_notice_in_real_time, skip};
pub use tree::{MemoryDirectory, MemoryFile, MemoryTree};
