//! What happens to processes.

use crate::load::{KernelTypes, Place, Programs, StartError, Telling};
use crate::record::ProcessRecord;

/// What happens to the machine's processes, as long as this lives.
pub struct ProcessEvents(Telling);

impl ProcessEvents {
    /// Begins: what happens from the return on is told.
    ///
    /// # Errors
    ///
    /// Fails where the kernel cannot run the programs or does not let this process load them.
    pub fn start(types: &KernelTypes) -> Result<Self, StartError> {
        Telling::start(&PROGRAMS, types).map(Self)
    }

    /// Hands over everything that was told and not yet taken, in the order in which it happened on each processor.
    pub fn take(&mut self, mut each: impl FnMut(&ProcessRecord<'_>)) {
        self.0.take(|bytes| {
            if let Some(record) = ProcessRecord::parse(bytes) {
                each(&record);
            }
        });
    }

    /// How many records found no room since this was asked last.
    pub fn take_lost(&mut self) -> u64 {
        self.0.take_lost()
    }
}

/// The compiled programs; `bpf/build` makes them.
const PROGRAMS: Programs = Programs {
    object: aya::include_bytes_aligned!("../kernel/processes.bpf.o"),
    at: &[
        ("told_of_fork", Place::Tracepoint("sched_process_fork")),
        ("told_of_exec", Place::Tracepoint("sched_process_exec")),
        ("told_of_exit", Place::Tracepoint("sched_process_exit")),
    ],
    since: "Linux 5.17",
};
