//! Loads the program that tells of processes, and takes what it tells.

use std::error::Error;

use aya::maps::{Array, MapData, RingBuf};
use aya::programs::BtfTracePoint;
use aya::{Btf, Ebpf, EbpfLoader};

use crate::record::ProcessRecord;

/// What happens to the machine's processes, as long as this lives.
pub struct ProcessEvents {
    records: RingBuf<MapData>,
    lost: Array<MapData, u64>,
    /// How many were lost by the last look.
    lost_before: u64,
    /// Keeps the programs where they are.
    _programs: Ebpf,
}

/// Why the kernel does not tell of processes.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The kernel does not describe its types.
    #[error(
        "the kernel does not describe its types in /sys/kernel/btf/vmlinux; it takes one that was built with \
         CONFIG_DEBUG_INFO_BTF"
    )]
    Types(#[source] Box<dyn Error + Send + Sync>),
    /// The kernel refused the programs, or they do not fit it.
    #[error("the kernel refused {what}; it takes CAP_BPF, CAP_PERFMON and Linux 5.17")]
    Refused {
        /// What it refused.
        what: String,
        /// The kernel's answer.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ProcessEvents {
    /// Begins: what happens from the return on is told.
    ///
    /// # Errors
    ///
    /// Fails where the kernel cannot run the programs or does not let this process load them.
    pub fn start() -> Result<Self, StartError> {
        let types = Btf::from_sys_fs().map_err(|error| StartError::Types(Box::new(error)))?;
        let mut programs = EbpfLoader::new()
            .btf(Some(&types))
            .load(OBJECT)
            .map_err(|source| refused("the maps of the programs", source))?;
        for (name, tracepoint) in PROGRAMS {
            let what = || format!("a program at the tracepoint {tracepoint}");
            let program: &mut BtfTracePoint = programs
                .program_mut(name)
                .ok_or_else(|| refused(what(), format!("the object has no program {name}")))?
                .try_into()
                .map_err(|source| refused(what(), source))?;
            program.load(tracepoint, &types).map_err(|source| refused(what(), source))?;
            program.attach().map_err(|source| refused(what(), source))?;
        }
        let mut map = |name: &str| {
            programs.take_map(name).ok_or_else(|| refused("a map", format!("the object has no map {name}")))
        };
        let records = RingBuf::try_from(map("records")?).map_err(|source| refused("the ring", source))?;
        let lost = Array::try_from(map("lost")?).map_err(|source| refused("the count of losses", source))?;
        Ok(Self { records, lost, lost_before: 0, _programs: programs })
    }

    /// Hands over everything that was told and not yet taken, in the order in which it happened on each processor.
    pub fn take(&mut self, mut each: impl FnMut(&ProcessRecord<'_>)) {
        while let Some(bytes) = self.records.next() {
            if let Some(record) = ProcessRecord::parse(&bytes) {
                each(&record);
            }
        }
    }

    /// How many records found no room since this was asked last.
    pub fn take_lost(&mut self) -> u64 {
        // Without an answer nothing is known to be complete.
        let lost = self.lost.get(&0, 0).unwrap_or(self.lost_before.wrapping_add(1));
        let before = std::mem::replace(&mut self.lost_before, lost);
        lost.wrapping_sub(before)
    }
}

fn refused(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> StartError {
    StartError::Refused { what: what.into(), source: source.into() }
}

/// The compiled programs; `bpf/build` makes them.
const OBJECT: &[u8] = aya::include_bytes_aligned!("../kernel/processes.bpf.o");

/// The programs, with where they are attached.
const PROGRAMS: [(&str, &str); 3] = [
    ("told_of_fork", "sched_process_fork"),
    ("told_of_exec", "sched_process_exec"),
    ("told_of_exit", "sched_process_exit"),
];
