//! What the kernel program tells of a process, from bytes (`struct record` in `bpf/kernel/processes.bpf.c`).

/// One thing that happened to a process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProcessRecord<'b> {
    /// The process's number in the machine's own counting.
    pub process: u32,
    /// When it began, in nanoseconds after the machine did. With the number it names one process for good.
    pub started_nanos: u64,
    /// When this happened, in nanoseconds after the machine began.
    pub at_nanos: u64,
    /// Whose it was at that moment.
    pub ids: Ids,
    /// The process's short name at that moment.
    pub name: &'b [u8],
    /// What happened.
    pub step: Step<'b>,
}

/// Whose a process is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Ids {
    /// The user whose rights it has.
    pub user: u32,
    /// The user who signed in; nothing if nobody did.
    pub login: Option<u32>,
    /// The session that began with that.
    pub session: Option<u32>,
    /// The number of its control group.
    pub group: u64,
}

/// What can happen to a process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step<'b> {
    /// Another one made it. It goes on as the same program until it executes another.
    Forked {
        /// The one that made it.
        parent: u32,
        /// When that one began.
        parent_started_nanos: u64,
    },
    /// It became another program.
    Executed {
        /// The program's path; nothing if it is longer than what is told.
        program: Option<Vec<u8>>,
        /// The file that it was read from.
        file: ProgramFile,
        /// The arguments, each ended by a zero and cut at some thousand bytes; nothing if they could not be read.
        arguments: Option<&'b [u8]>,
        /// The path of its control group.
        group: Vec<u8>,
    },
    /// It ended.
    Ended,
}

/// The file of a program, which its path names only in the view of the file systems that the process has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ProgramFile {
    /// The number of the mount namespace in which the process executed it.
    pub view: u32,
    /// The device of its file system: major and minor.
    pub device: (u32, u32),
    /// Its inode there.
    pub inode: u64,
}

impl<'b> ProcessRecord<'b> {
    /// Reads a record; nothing if the bytes are none.
    pub fn parse(bytes: &'b [u8]) -> Option<Self> {
        let (head, text) = bytes.split_at_checked(HEAD_BYTES)?;
        let u16_at = |at: usize| Some(u16::from_ne_bytes(head.get(at..at + 2)?.try_into().ok()?));
        let u32_at = |at: usize| Some(u32::from_ne_bytes(head.get(at..at + 4)?.try_into().ok()?));
        let u64_at = |at: usize| Some(u64::from_ne_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let flags = u16_at(78)?;
        let step = match u32_at(0)? {
            FORKED => Step::Forked { parent: u32_at(24)?, parent_started_nanos: u64_at(32)? },
            EXECUTED => {
                let (arguments, text) = text.split_at_checked(u16_at(72)?.into())?;
                let (program, text) = text.split_at_checked(u16_at(74)?.into())?;
                let group = text.get(..usize::from(u16_at(76)?))?;
                let program = (flags & PROGRAM_CUT == 0).then(|| {
                    let mut path = path_of(program);
                    if flags & PROGRAM_UNLINKED != 0 {
                        path.extend(DELETED);
                    }
                    path
                });
                let device = u32_at(84)?;
                let device = (device >> MINOR_BITS, device & ((1 << MINOR_BITS) - 1));
                let file = ProgramFile { view: u32_at(80)?, device, inode: u64_at(88)? };
                let arguments = (flags & NO_ARGUMENTS == 0).then_some(arguments);
                Step::Executed { program, file, arguments, group: path_of(group) }
            }
            ENDED => Step::Ended,
            _ => return None,
        };
        let known = |id: u32| (id != NOBODY).then_some(id);
        Some(Self {
            process: u32_at(4)?,
            at_nanos: u64_at(8)?,
            started_nanos: u64_at(16)?,
            ids: Ids {
                user: u32_at(28)?,
                login: known(u32_at(40)?),
                session: known(u32_at(44)?),
                group: u64_at(48)?,
            },
            name: head.get(56..72)?.split(|&byte| byte == 0).next()?,
            step,
        })
    }
}

/// The path whose names stand there from the last to the first, each ended by a zero.
fn path_of(names: &[u8]) -> Vec<u8> {
    let names = names.strip_suffix(b"\0").unwrap_or(names);
    let mut path = Vec::with_capacity(names.len() + 1);
    for name in names.rsplit(|&byte| byte == 0) {
        path.push(b'/');
        path.extend(name);
    }
    path
}

const FORKED: u32 = 1;
const EXECUTED: u32 = 2;
const ENDED: u32 = 3;

const NO_ARGUMENTS: u16 = 1;
const PROGRAM_CUT: u16 = 2;
const PROGRAM_UNLINKED: u16 = 4;

/// What the kernel says where nobody signed in.
const NOBODY: u32 = u32::MAX;

const HEAD_BYTES: usize = 96;

/// How the kernel keeps a device (`linux/kdev_t.h`).
const MINOR_BITS: u32 = 20;

/// As `/proc` marks a program whose file is gone.
const DELETED: &[u8] = b" (deleted)";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fork_names_both_processes() {
        let bytes = head(FORKED, [0; 4]);
        let record = ProcessRecord::parse(&bytes).unwrap();
        assert_eq!((record.process, record.at_nanos, record.started_nanos), (42, 1_000, 900));
        assert_eq!(record.ids, Ids { user: 33, login: Some(1000), session: None, group: 5 });
        assert_eq!(record.name, b"sh");
        assert_eq!(record.step, Step::Forked { parent: 7, parent_started_nanos: 100 });
    }

    #[test]
    fn a_program_has_its_path_its_arguments_and_its_control_group() {
        let mut bytes = head(EXECUTED, [9, 15, 12, 0]);
        bytes.extend(b"ls\0-l\0/e\0ls\0bin\0usr\0srv\0a.scope\0sys\0");
        let step = |program: Option<&str>, arguments: Option<&'static [u8]>| Step::Executed {
            program: program.map(|path| path.as_bytes().to_vec()),
            file: ProgramFile { view: 77, device: (8, 1), inode: 1234 },
            arguments,
            group: b"/sys/a.scope".to_vec(),
        };
        let check = |flags: u16, expected: Step<'_>| {
            let mut bytes = bytes.clone();
            bytes[78..80].copy_from_slice(&flags.to_ne_bytes());
            assert_eq!(ProcessRecord::parse(&bytes).unwrap().step, expected);
        };
        let arguments: Option<&[u8]> = Some(b"ls\0-l\0/e\0");
        check(0, step(Some("/srv/usr/bin/ls"), arguments));
        check(PROGRAM_UNLINKED, step(Some("/srv/usr/bin/ls (deleted)"), arguments));
        check(PROGRAM_CUT, step(None, arguments));
        check(NO_ARGUMENTS, step(Some("/srv/usr/bin/ls"), None));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0_u32..5) {
            ProcessRecord::parse(&bytes);
            if bytes.len() >= HEAD_BYTES {
                bytes[..4].copy_from_slice(&kind.to_ne_bytes());
                for length in [73, 75, 77] {
                    bytes[length] = 0;
                }
            }
            ProcessRecord::parse(&bytes);
        }
    }

    fn head(kind: u32, lengths: [u16; 4]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(42_u32.to_ne_bytes());
        bytes.extend(1_000_u64.to_ne_bytes());
        bytes.extend(900_u64.to_ne_bytes());
        bytes.extend(7_u32.to_ne_bytes());
        bytes.extend(33_u32.to_ne_bytes());
        bytes.extend(100_u64.to_ne_bytes());
        bytes.extend(1000_u32.to_ne_bytes());
        bytes.extend(NOBODY.to_ne_bytes());
        bytes.extend(5_u64.to_ne_bytes());
        bytes.extend(b"sh\0of what was there");
        bytes.truncate(72);
        bytes.extend(lengths.map(u16::to_ne_bytes).as_flattened());
        bytes.extend(77_u32.to_ne_bytes());
        bytes.extend((8_u32 << MINOR_BITS | 1).to_ne_bytes());
        bytes.extend(1234_u64.to_ne_bytes());
        bytes
    }
}
