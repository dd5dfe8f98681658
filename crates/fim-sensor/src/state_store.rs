//! The state and the tracker's memory on the disk, which change together or not at all.
//!
//! ```text
//! commit          which state file is in force, up to which spool record it goes, and the tracker's memory
//! state-N         the entities (see `state_file`)
//! ```
//!
//! A new state is written under a name of its own. It is in force once the commit, replaced in one step, names it.

use std::io;
use std::path::{Path, PathBuf};

use fim_core::{Memory, Timestamp};
use fim_log::{Disk, replace_file};
use fim_wire::{WireError, decode_memory, encode_memory};
use thiserror::Error;

use crate::settings::error_text;
use crate::state_file::{ReadStateError, StateReader, StateWriter, WriteStateError};
use crate::time::rfc3339;

/// The state and the memory of one sensor.
pub(crate) struct StateStore<D: Disk> {
    disk: D,
    dir: PathBuf,
    commit: Commit,
    /// The spool sequence of the commit on the disk.
    durable_sequence: u64,
}

/// What is in force.
#[derive(Clone, Debug, PartialEq)]
struct Commit {
    /// The number of the state file; 0 if there is none.
    generation: u64,
    /// The state contains what the spool's records up to this one say.
    spool_sequence: u64,
    memory: Memory,
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
    /// Opens what is kept in `dir`. If it is damaged it is moved aside, and the text says what was found: there is no
    /// state then, and the memory is empty.
    pub fn open(disk: D, dir: &Path, now: Timestamp) -> Result<(Self, Option<String>), OpenStateError> {
        let failed = |source| OpenStateError::Directory { dir: dir.to_owned(), source };
        disk.create_dir_all(dir).map_err(failed)?;
        let mut store = Self { disk, dir: dir.to_owned(), commit: Commit::none(), durable_sequence: 0 };
        let path = store.commit_path();
        let damage = match store.disk.read(&path) {
            Ok(bytes) => match Commit::decode(&bytes) {
                Ok(commit) => {
                    store.commit = commit;
                    store.find_damage()?
                }
                Err(BadCommit::Newer(found)) => return Err(OpenStateError::Newer { path, found }),
                Err(BadCommit::Damaged(why)) => Some(format!("{} is damaged: {why}", path.display())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(failed(source)),
        };
        if damage.is_some() {
            store.move_aside(now).map_err(failed)?;
        }
        store.remove_leftovers().map_err(failed)?;
        store.durable_sequence = store.commit.spool_sequence;
        Ok((store, damage))
    }

    /// The tracker's memory that belongs to the state. Its rules' variables are to be resolved again.
    pub fn memory(&self) -> &Memory {
        &self.commit.memory
    }

    /// The state contains what the spool's records up to this one say.
    pub fn spool_sequence(&self) -> u64 {
        self.commit.spool_sequence
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

    /// Begins the state that shall follow this one. It is written with `disk`, a clone of the store's own.
    pub fn begin<'d>(&self, disk: &'d D) -> Result<StateWriter<'d, D>, WriteStateError> {
        StateWriter::create(disk, &self.state_path(self.commit.generation + 1), &[])
    }

    /// Makes what `writer` holds durable; it comes into force with [`Self::adopt`].
    pub fn finish(writer: StateWriter<'_, D>) -> Result<u64, KeepStateError> {
        writer.finish().map_err(KeepStateError::Write)
    }

    /// Puts the state that was finished last in force, together with the memory.
    ///
    /// After an error it is so for this process, while the disk still has what was in force before; the next change
    /// tries again. Only what [`Self::durable_sequence`] says may leave the spool.
    pub fn adopt(&mut self, spool_sequence: u64, memory: Memory) -> Result<(), KeepStateError> {
        self.commit = Commit { generation: self.commit.generation + 1, spool_sequence, memory };
        self.keep()
    }

    /// Keeps the memory with the state as it is, which contains what the spool says up to `spool_sequence`. An error
    /// is as with [`Self::adopt`].
    pub fn remember(&mut self, spool_sequence: u64, memory: Memory) -> Result<(), KeepStateError> {
        self.commit.spool_sequence = spool_sequence;
        self.commit.memory = memory;
        self.keep()
    }

    /// Moves a state aside that was found damaged; there is none then, and the memory is empty.
    pub fn lose(&mut self, now: Timestamp) -> Result<(), KeepStateError> {
        let path = self.commit_path();
        self.move_aside(now).map_err(|source| KeepStateError::Commit { path, source })
    }

    /// The state on the disk contains what the spool's records up to this one say.
    pub fn durable_sequence(&self) -> u64 {
        self.durable_sequence
    }

    /// True if there is a state.
    pub fn has_state(&self) -> bool {
        self.commit.generation > 0
    }

    fn keep(&mut self) -> Result<(), KeepStateError> {
        let path = self.commit_path();
        replace_file(&self.disk, &path, &self.commit.encode())
            .map_err(|source| KeepStateError::Commit { path, source })?;
        self.durable_sequence = self.commit.spool_sequence;
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
            Err(error @ (ReadStateError::Damaged { .. } | ReadStateError::NotAState { .. })) => {
                Ok(Some(error_text(&error)))
            }
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

    /// Leaves what there is under other names, for a person to look at, and starts without a state.
    fn move_aside(&mut self, now: Timestamp) -> io::Result<()> {
        let stamp = rfc3339(now).replace(':', "");
        for name in self.disk.list(&self.dir)? {
            if name == COMMIT || name.starts_with(STATE) {
                let aside = self.dir.join(format!("damaged-{stamp}-{name}"));
                self.disk.rename(&self.dir.join(name), &aside)?;
            }
        }
        self.disk.sync_dir(&self.dir)?;
        self.commit = Commit::none();
        self.durable_sequence = 0;
        Ok(())
    }

    /// Removes states that never came into force, or no longer are.
    fn remove_leftovers(&self) -> io::Result<()> {
        let current = self.state_path(self.commit.generation);
        for name in self.disk.list(&self.dir)? {
            let path = self.dir.join(&name);
            if name.starts_with(STATE) && (path != current || self.commit.generation == 0) {
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
    fn none() -> Self {
        Self { generation: 0, spool_sequence: 0, memory: Memory::default() }
    }

    /// Magic, format, generation, spool sequence, memory, and a CRC-32 of all before it; numbers in little endian.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.generation.to_le_bytes());
        bytes.extend_from_slice(&self.spool_sequence.to_le_bytes());
        bytes.extend_from_slice(&encode_memory(&self.memory));
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, BadCommit> {
        let damaged = |why: &str| BadCommit::Damaged(why.to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged("it does not begin as it should"))?;
        let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("it ends too soon"))?;
        let format = u32::from_le_bytes(*format);
        let (before_crc, crc) = bytes.split_last_chunk::<4>().ok_or_else(|| damaged("it ends too soon"))?;
        if crc32fast::hash(before_crc) != u32::from_le_bytes(*crc) {
            return Err(damaged("its checksum is wrong"));
        }
        if format > FORMAT {
            return Err(BadCommit::Newer(format));
        }
        let (generation, rest) = rest.split_first_chunk::<8>().ok_or_else(|| damaged("it ends too soon"))?;
        let (sequence, rest) = rest.split_first_chunk::<8>().ok_or_else(|| damaged("it ends too soon"))?;
        let (memory, _) = rest.split_last_chunk::<4>().ok_or_else(|| damaged("it ends too soon"))?;
        Ok(Self {
            generation: u64::from_le_bytes(*generation),
            spool_sequence: u64::from_le_bytes(*sequence),
            memory: decode_memory(memory)
                .map_err(|error: WireError| BadCommit::Damaged(error.to_string()))?,
        })
    }
}

const COMMIT: &str = "commit";
const STATE: &str = "state-";
const MAGIC: &[u8] = b"SFCOMMIT";
const FORMAT: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_commit_is_read_as_it_was_written() {
        let memory = Memory { last_complete: Some(Timestamp(7)), ..Memory::default() };
        let commit = Commit { generation: 3, spool_sequence: 9, memory };
        assert!(matches!(Commit::decode(&commit.encode()), Ok(read) if read == commit));
    }

    proptest! {
        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Commit::decode(&bytes);
            let _ = Commit::decode(&[MAGIC, &bytes].concat());
        }
    }
}
