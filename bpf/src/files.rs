//! Which files change.

use crate::load::{KernelTypes, Place, Programs, StartError, Telling};

/// Changes of the machine's regular files, as long as this lives.
pub struct FileEvents(Telling);

/// Where the kernel is listened to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileHooks {
    /// When its functions return that set a file's marks, that write to it, and that begin a store through a mapping.
    Returns,
    /// Where it sets the time of a file's last change: every change is told.
    Times,
}

/// A file changed (`struct change` in `bpf/kernel/files.bpf.c`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileRecord {
    /// When, in nanoseconds after the machine began.
    pub at_nanos: u64,
    /// The file's inode.
    pub inode: u64,
    /// The file system's device, by its two numbers.
    pub device: (u32, u32),
    /// The number of the process that did it, in the machine's own counting.
    pub process: u32,
}

impl FileEvents {
    /// Begins: what happens from the return on is told.
    ///
    /// # Errors
    ///
    /// Fails where the kernel cannot run the programs or does not let this process load them.
    pub fn start(hooks: FileHooks, types: &KernelTypes) -> Result<Self, StartError> {
        let programs = match hooks {
            FileHooks::Returns => &AT_RETURNS,
            FileHooks::Times => &AT_TIMES,
        };
        Telling::start(programs, types).map(Self)
    }

    /// Hands over everything that was told and not yet taken, in the order in which it happened on each processor. What
    /// one process does to one file within a hundredth of a second is told once.
    pub fn take(&mut self, mut each: impl FnMut(FileRecord)) {
        self.0.take(|bytes| {
            if let Some(record) = FileRecord::parse(bytes) {
                each(record);
            }
        });
    }

    /// How many records found no room since this was asked last.
    pub fn take_lost(&mut self) -> u64 {
        self.0.take_lost()
    }
}

impl FileRecord {
    /// Reads a record; nothing if the bytes are none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let u32_at = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let u64_at = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let device = u32_at(16)?;
        Some(Self {
            at_nanos: u64_at(0)?,
            inode: u64_at(8)?,
            device: (device >> MINOR_BITS, device & ((1 << MINOR_BITS) - 1)),
            process: u32_at(20)?,
        })
    }
}

/// How the kernel keeps a device's two numbers in one (`linux/kdev_t.h`).
const MINOR_BITS: u32 = 20;

const AT_RETURNS: Programs = Programs {
    object: OBJECT,
    at: &[
        ("told_of_store", Place::Return("file_update_time")),
        ("told_of_write", Place::Return("file_modified")),
        ("told_of_request", Place::ReturnIfAny("kiocb_modified")),
        ("told_of_marks", Place::Return("vfs_fileattr_set")),
    ],
    since: "Linux 5.17 with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
};

const AT_TIMES: Programs = Programs {
    object: OBJECT,
    at: &[
        ("told_of_time", Place::Tracepoint("inode_set_ctime_to_ts")),
        ("told_of_newer_time", Place::Tracepoint("ctime_ns_xchg")),
        ("told_of_same_time", Place::Tracepoint("ctime_xchg_skip")),
    ],
    since: "Linux 6.13",
};

/// The compiled programs; `bpf/build` makes them.
const OBJECT: &[u8] = aya::include_bytes_aligned!("../kernel/files.bpf.o");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_names_file_and_process() {
        let mut bytes = Vec::new();
        bytes.extend(1_000_u64.to_ne_bytes());
        bytes.extend(12_u64.to_ne_bytes());
        bytes.extend((254_u32 << 20 | 3).to_ne_bytes());
        bytes.extend(42_u32.to_ne_bytes());
        let expected = FileRecord { at_nanos: 1_000, inode: 12, device: (254, 3), process: 42 };
        assert_eq!(FileRecord::parse(&bytes), Some(expected));
    }

    proptest! {
        #[test]
        fn no_bytes_of_a_file_s_record_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            FileRecord::parse(&bytes);
        }
    }
}
