//! The state and the tracker's memory on the disk, which change together or not at all.
//!
//! ```text
//! commit          which state file is in force, up to which spool record it goes, the tracker's memory, and gaps
//!                 that wait for room in the spool
//! state-N         the entities (see `state_file`)
//! damaged-T-*     what was found damaged at the time T, for a person to look at
//! ```
//!
//! A new state is written under a name of its own. It is in force once the commit, replaced in one step, names it. From
//! the first start on there is always a commit: a directory without one has lost it.

use std::io;
use std::path::{Path, PathBuf};

use fim_core::{Gap, Memory, Timestamp, error_chain};
use fim_log::{Disk, create_dir_all, replace_file};
use fim_wire::{Report, WireError, decode_memory, decode_report, encode_memory, encode_report};
use thiserror::Error;

use crate::state_file::{self, ReadStateError, StateBlocks, StateReader, StateWriter, WriteStateError};
use crate::time::rfc3339;

/// The state and the memory of one sensor.
pub(crate) struct StateStore<D: Disk> {
    disk: D,
    dir: PathBuf,
    commit: Commit,
    /// The spool sequence of the commit on the disk.
    durable_sequence: u64,
}

/// What is kept beside the entities.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Notes {
    /// The state contains what the spool's records up to this one say.
    pub spool_sequence: u64,
    /// When the server was last known to have all reports.
    pub delivered: Option<Timestamp>,
    /// The tracker's memory.
    pub memory: Memory,
    /// Gaps that are not in the spool, or were not when this was written.
    pub waiting: Vec<Gap>,
}

/// What was found where the state is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// All that was left there.
    Whole,
    /// Nothing: this is the first start, or somebody removed it.
    Nothing,
    /// Something that is not what was left there: what, for a person. There is no state until
    /// [`StateStore::lose`] was called.
    Damaged(String),
}

/// What is in force.
#[derive(Clone, Debug, Default, PartialEq)]
struct Commit {
    /// The number of the state file; 0 if there is none.
    generation: u64,
    notes: Notes,
}

/// Why the state could not be opened.
#[derive(Debug, Error)]
pub enum OpenStateError {
    /// The directory could not be used.
    #[error("cannot use the state's directory {}", dir.display())]
    Directory {
        /// The directory.
        dir: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The commit was written by a newer program.
    #[error(
        "{} has format {found}, and this version knows up to {FORMAT}; use the version that wrote it, or a newer one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format's number in the file.
        found: u32,
    },
    /// The state could not be read, though it may be whole.
    #[error("cannot read the state")]
    Read(#[source] ReadStateError),
}

/// Why the state could not be kept. What was in force still is.
#[derive(Debug, Error)]
pub enum KeepStateError {
    /// The state file.
    #[error("cannot keep the state")]
    Write(#[source] WriteStateError),
    /// The commit.
    #[error("cannot write {}", path.display())]
    Commit {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// What is wrong with a commit.
enum BadCommit {
    Newer(u32),
    Damaged(String),
}

impl<D: Disk + Clone> StateStore<D> {
    /// Opens what is kept in `dir`, and changes nothing of it that matters: what was lost is told first, in
    /// [`Self::lose`].
    pub fn open(disk: D, dir: &Path) -> Result<(Self, Found), OpenStateError> {
        let failed = |source| OpenStateError::Directory { dir: dir.to_owned(), source };
        create_dir_all(&disk, dir).map_err(failed)?;
        let mut store = Self { disk, dir: dir.to_owned(), commit: Commit::default(), durable_sequence: 0 };
        let path = store.commit_path();
        let found = match store.disk.read(&path) {
            Ok(bytes) => match Commit::decode(&bytes) {
                Ok(commit) => {
                    store.commit = commit;
                    store.find_damage()?.map_or(Found::Whole, Found::Damaged)
                }
                Err(BadCommit::Newer(found)) => return Err(OpenStateError::Newer { path, found }),
                Err(BadCommit::Damaged(why)) => {
                    Found::Damaged(format!("{} is damaged: {why}", path.display()))
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(source) => return Err(failed(source)),
        };
        if found == Found::Whole {
            store.remove_leftovers().map_err(failed)?;
            store.durable_sequence = store.commit.notes.spool_sequence;
        }
        Ok((store, found))
    }

    /// What is kept beside the state; the default if it was damaged. The variables in the memory's rules are to be
    /// resolved again.
    pub fn notes(&self) -> &Notes {
        &self.commit.notes
    }

    /// The state contains what the spool's records up to this one say.
    pub fn spool_sequence(&self) -> u64 {
        self.commit.notes.spool_sequence
    }

    /// The entities of the state, in path order; nothing if there is no state.
    pub fn entities(&self) -> Result<Option<StateReader<D::Reader>>, ReadStateError> {
        if self.commit.generation == 0 {
            return Ok(None);
        }
        let path = self.state_path(self.commit.generation);
        let source = self
            .disk
            .open_read(&path)
            .map_err(|source| ReadStateError::Open { path: path.clone(), source })?;
        StateReader::new(source, &path).map(Some)
    }

    /// The state for looking up places; nothing if there is no state.
    pub fn blocks(&self) -> Result<Option<StateBlocks<D::Reader>>, ReadStateError> {
        if self.commit.generation == 0 {
            return Ok(None);
        }
        let path = self.state_path(self.commit.generation);
        let source = self
            .disk
            .open_read(&path)
            .map_err(|source| ReadStateError::Open { path: path.clone(), source })?;
        StateBlocks::new(source, &path).map(Some)
    }

    /// Begins the state that shall follow this one. It is written with `disk`, a clone of the store's own.
    pub fn begin<'d>(&self, disk: &'d D) -> Result<StateWriter<'d, D>, WriteStateError> {
        StateWriter::create(disk, &self.state_path(self.commit.generation + 1), &[])
    }

    /// Makes what `writer` holds durable; it comes into force with [`Self::adopt`].
    pub fn finish(writer: StateWriter<'_, D>) -> Result<u64, KeepStateError> {
        writer.finish().map_err(KeepStateError::Write)
    }

    /// Puts the state that was finished last in force, together with the notes.
    ///
    /// After an error it is so for this process, while the disk still has what was in force before; the next change
    /// tries again. Only what [`Self::durable_sequence`] says may leave the spool.
    pub fn adopt(&mut self, notes: Notes) -> Result<(), KeepStateError> {
        self.commit = Commit { generation: self.commit.generation + 1, notes };
        self.keep()
    }

    /// Keeps the notes with the state as it is. An error is as with [`Self::adopt`].
    pub fn remember(&mut self, notes: Notes) -> Result<(), KeepStateError> {
        self.commit.notes = notes;
        self.keep()
    }

    /// Moves a state aside that is not what was left here, and keeps the notes without one.
    ///
    /// The notes say what was lost, and come into force in the same step in which the loss cannot be found any more. An
    /// error is as with [`Self::adopt`]; the loss is found again at the next start then.
    pub fn lose(&mut self, now: Timestamp, notes: Notes) -> Result<(), KeepStateError> {
        self.commit = Commit { generation: 0, notes };
        let path = self.commit_path();
        self.move_aside(now).map_err(|source| KeepStateError::Commit { path, source })?;
        self.keep()
    }

    /// The state on the disk contains what the spool's records up to this one say.
    pub fn durable_sequence(&self) -> u64 {
        self.durable_sequence
    }

    /// Where the state is kept.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// True if there is a state.
    pub fn has_state(&self) -> bool {
        self.commit.generation > 0
    }

    fn keep(&mut self) -> Result<(), KeepStateError> {
        let path = self.commit_path();
        replace_file(&self.disk, &path, &self.commit.encode())
            .map_err(|source| KeepStateError::Commit { path, source })?;
        self.durable_sequence = self.commit.notes.spool_sequence;
        // What cannot be removed now is removed at the next start.
        let _ = self.remove_leftovers();
        Ok(())
    }

    /// Reads all of the state. Damage that were found in the middle of a scan would come too late.
    fn find_damage(&self) -> Result<Option<String>, OpenStateError> {
        let whole = self.entities().and_then(|entities| match entities {
            Some(mut entities) => entities.try_for_each(|entity| entity.map(|_| ())),
            None => Ok(()),
        });
        match whole {
            Ok(()) => Ok(None),
            // A state that an earlier version wrote is no state to compare with: that is told as what it is.
            Err(
                error @ (ReadStateError::Damaged { .. }
                | ReadStateError::NotAState { .. }
                | ReadStateError::Older { .. }),
            ) => Ok(Some(error_chain(&error))),
            Err(ReadStateError::Open { path, source }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Some(format!("{} is missing", path.display())))
            }
            Err(
                error @ (ReadStateError::Open { .. }
                | ReadStateError::Read { .. }
                | ReadStateError::Newer { .. }),
            ) => Err(OpenStateError::Read(error)),
        }
    }

    /// Leaves what there is under other names, for a person to look at. The commit stays until another takes its place:
    /// it says that there was a state.
    fn move_aside(&mut self, now: Timestamp) -> io::Result<()> {
        let stamp = rfc3339(now).replace(':', "");
        for name in self.disk.list(&self.dir)? {
            let (path, aside) = (self.dir.join(&name), self.dir.join(format!("damaged-{stamp}-{name}")));
            if name == COMMIT {
                replace_file(&self.disk, &aside, &self.disk.read(&path)?)?;
            } else if name.starts_with(STATE) {
                self.disk.rename(&path, &aside)?;
            }
        }
        Ok(())
    }

    /// Removes states that never came into force, or no longer are. The next one may be in the making: a scan writes it
    /// while other things come into force; one that was left behind goes when it is begun anew.
    fn remove_leftovers(&self) -> io::Result<()> {
        let current = self.state_path(self.commit.generation);
        let next = state_file::unfinished(&self.state_path(self.commit.generation + 1));
        for name in self.disk.list(&self.dir)? {
            let path = self.dir.join(&name);
            let is_current = path == current && self.commit.generation > 0;
            if name.starts_with(STATE) && !is_current && path != next {
                self.disk.remove(&path)?;
            }
        }
        Ok(())
    }

    fn commit_path(&self) -> PathBuf {
        self.dir.join(COMMIT)
    }

    fn state_path(&self, generation: u64) -> PathBuf {
        self.dir.join(format!("{STATE}{generation}"))
    }
}

impl Commit {
    /// Magic, format, generation, spool sequence, time of delivery, memory, gaps, and a CRC-32 of all before it;
    /// numbers in little endian, each memory and gap after its length.
    fn encode(&self) -> Vec<u8> {
        let Notes { spool_sequence, delivered, memory, waiting } = &self.notes;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&spool_sequence.to_le_bytes());
        bytes.push(u8::from(delivered.is_some()));
        bytes.extend_from_slice(&delivered.map_or(0, |time| time.0).to_le_bytes());
        let gaps = waiting.iter().map(|gap| encode_report(&Report::Gap(gap.clone())));
        for part in std::iter::once(encode_memory(memory)).chain(gaps) {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&part);
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, BadCommit> {
        let damaged = |why: &str| BadCommit::Damaged(why.to_owned());
        let short = || damaged("it ends too soon");
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin as it should"))?;
        let format = u32::from_le_bytes(take(&mut rest).ok_or_else(short)?);
        let (before_crc, crc) = bytes.split_last_chunk::<4>().ok_or_else(short)?;
        if crc32fast::hash(before_crc) != u32::from_le_bytes(*crc) {
            return Err(damaged("its checksum is wrong"));
        }
        if format > FORMAT {
            return Err(BadCommit::Newer(format));
        }
        rest = rest.split_last_chunk::<4>().ok_or_else(short)?.0;
        let generation = u64::from_le_bytes(take(&mut rest).ok_or_else(short)?);
        let spool_sequence = u64::from_le_bytes(take(&mut rest).ok_or_else(short)?);
        if format == 1 {
            let notes = Notes { spool_sequence, memory: decode_memory(rest)?, ..Notes::default() };
            return Ok(Self { generation, notes });
        }
        let [is_delivered] = take(&mut rest).ok_or_else(short)?;
        let delivered = Timestamp(i64::from_le_bytes(take(&mut rest).ok_or_else(short)?));
        let memory = decode_memory(take_part(&mut rest).ok_or_else(short)?)?;
        let mut waiting = Vec::new();
        while !rest.is_empty() {
            match decode_report(take_part(&mut rest).ok_or_else(short)?)? {
                Report::Gap(gap) => waiting.push(gap),
                Report::Change(_) | Report::Listed(_) | Report::Inventory(_) => {
                    return Err(damaged("it holds something else where a gap should be"));
                }
            }
        }
        let delivered = Some(delivered).filter(|_| is_delivered == 1);
        Ok(Self { generation, notes: Notes { spool_sequence, delivered, memory, waiting } })
    }
}

impl From<WireError> for BadCommit {
    fn from(error: WireError) -> Self {
        Self::Damaged(error.to_string())
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

/// Takes bytes that come after their length.
fn take_part<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(u64::from_le_bytes(take(rest)?)).ok()?;
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

const COMMIT: &str = "commit";
const STATE: &str = "state-";
const MAGIC: &[u8] = b"SFCOMMIT";
const FORMAT: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use fim_core::{GapCause, GapScope};
    use proptest::prelude::*;

    #[test]
    fn a_commit_is_read_as_it_was_written() {
        let memory = Memory { last_complete: Some(Timestamp(7)), ..Memory::default() };
        let gap = |start| Gap {
            scope: GapScope::Everything,
            start: Timestamp(start),
            end: None,
            cause: GapCause::StateLost,
            detail: "gone".to_owned(),
        };
        for waiting in [Vec::new(), vec![gap(1), gap(2)]] {
            for delivered in [None, Some(Timestamp(-3))] {
                let notes =
                    Notes { spool_sequence: 9, delivered, memory: memory.clone(), waiting: waiting.clone() };
                let commit = Commit { generation: 3, notes };
                assert!(matches!(Commit::decode(&commit.encode()), Ok(read) if read == commit));
            }
        }
    }

    proptest! {
        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Commit::decode(&bytes);
            let _ = Commit::decode(&[MAGIC, &bytes].concat());
            for format in [1_u32, 2] {
                let mut whole = [MAGIC, &format.to_le_bytes(), &bytes].concat();
                whole.extend_from_slice(&crc32fast::hash(&whole).to_le_bytes());
                let _ = Commit::decode(&whole);
            }
        }
    }
}
