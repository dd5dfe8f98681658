//! The programs that run in the kernel, and what they tell.
//!
//! They are written in C (`bpf/kernel`) and committed compiled, so that building this needs no compiler for them. The
//! loader fits them to the running kernel by the kernel's own description of its types.

mod files;
mod load;
mod processes;
mod record;

pub use files::{FileEvents, FileHooks, FileRecord};
pub use load::{KernelTypes, StartError};
pub use processes::ProcessEvents;
pub use record::{Ids, ProcessRecord, ProgramFile, Step};
