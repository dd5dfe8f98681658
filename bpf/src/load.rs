//! Loads programs, attaches them, and takes what they put into their ring.

use std::error::Error;
use std::fmt;

use aya::maps::{Array, MapData, RingBuf};
use aya::programs::{BtfTracePoint, FExit, Program, ProgramError};
use aya::{Btf, BtfError, Ebpf, EbpfLoader};

/// Why the kernel does not tell of something.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The kernel does not describe its types.
    #[error(
        "the kernel does not describe its types in /sys/kernel/btf/vmlinux; it takes one that was built with \
         CONFIG_DEBUG_INFO_BTF"
    )]
    Types(#[source] Box<dyn Error + Send + Sync>),
    /// The kernel refused the programs, or they do not fit it.
    #[error("the kernel refused {what}; it takes CAP_BPF, CAP_PERFMON and {since}")]
    Refused {
        /// What it refused.
        what: String,
        /// The first kernel that has all that they need.
        since: &'static str,
        /// The kernel's answer.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The kernel's description of its types. It is large, and wanted only while programs are loaded.
pub struct KernelTypes(Btf);

impl KernelTypes {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// Fails where the kernel has none.
    pub fn read() -> Result<Self, StartError> {
        Btf::from_sys_fs().map(Self).map_err(|error| StartError::Types(Box::new(error)))
    }
}

/// Some programs, and where they are attached.
pub(crate) struct Programs {
    pub object: &'static [u8],
    /// Each by its name, with where the kernel runs it.
    pub at: &'static [(&'static str, Place)],
    /// The first kernel that has all that they need.
    pub since: &'static str,
}

/// Where the kernel runs a program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// At a tracepoint.
    Tracepoint(&'static str),
    /// When one of its functions returns.
    Return(&'static str),
    /// The same, of a function that not every kernel has.
    ReturnIfAny(&'static str),
}

/// Programs at work, and what they tell.
pub(crate) struct Telling {
    records: RingBuf<MapData>,
    lost: Array<MapData, u64>,
    /// How many were lost by the last look.
    lost_before: u64,
    /// Keeps the programs where they are.
    _programs: Ebpf,
}

impl Place {
    fn attach(self, program: &mut Program, types: &KernelTypes) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self {
            Self::Tracepoint(name) => {
                let program: &mut BtfTracePoint = program.try_into()?;
                program.load(name, &types.0)?;
                program.attach()?;
            }
            Self::Return(function) | Self::ReturnIfAny(function) => {
                let program: &mut FExit = program.try_into()?;
                match program.load(function, &types.0) {
                    Err(ProgramError::Btf(BtfError::UnknownBtfTypeName { .. })) if self.is_optional() => {
                        return Ok(());
                    }
                    loaded => loaded?,
                }
                program.attach()?;
            }
        }
        Ok(())
    }

    fn is_optional(self) -> bool {
        matches!(self, Self::ReturnIfAny(_))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracepoint(name) => write!(to, "the tracepoint {name}"),
            Self::Return(function) | Self::ReturnIfAny(function) => write!(to, "the return of {function}"),
        }
    }
}

impl Telling {
    /// Begins: what happens from the return on is told.
    pub(crate) fn start(programs: &Programs, types: &KernelTypes) -> Result<Self, StartError> {
        let refused = |what: String, source: Box<dyn Error + Send + Sync>| StartError::Refused {
            what,
            since: programs.since,
            source,
        };
        let mut loaded = EbpfLoader::new()
            .btf(Some(&types.0))
            .load(programs.object)
            .map_err(|source| refused("the maps of the programs".to_owned(), source.into()))?;
        for (name, place) in programs.at {
            let program =
                loaded.program_mut(name).ok_or_else(|| format!("the object has no program {name}").into());
            program
                .and_then(|program| place.attach(program, types))
                .map_err(|source| refused(format!("a program at {place}"), source))?;
        }
        let mut map = |name: &str| {
            let map = loaded.take_map(name);
            map.ok_or_else(|| refused("a map".to_owned(), format!("the object has no map {name}").into()))
        };
        let records = RingBuf::try_from(map("records")?);
        let records = records.map_err(|source| refused("the ring".to_owned(), source.into()))?;
        let lost = Array::try_from(map("lost")?);
        let lost = lost.map_err(|source| refused("the count of losses".to_owned(), source.into()))?;
        Ok(Self { records, lost, lost_before: 0, _programs: loaded })
    }

    /// Hands over everything that was told and not yet taken, in the order in which it happened on each processor.
    pub(crate) fn take(&mut self, mut each: impl FnMut(&[u8])) {
        while let Some(bytes) = self.records.next() {
            each(&bytes);
        }
    }

    /// How many records found no room since this was asked last.
    pub(crate) fn take_lost(&mut self) -> u64 {
        // Without an answer nothing is known to be complete.
        let lost = self.lost.get(&0, 0).unwrap_or(self.lost_before.wrapping_add(1));
        let before = std::mem::replace(&mut self.lost_before, lost);
        lost.wrapping_sub(before)
    }
}
