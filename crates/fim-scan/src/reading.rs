//! One file from open to digest.

use fim_core::{Digest, EntityKey, EntityKind, Observation, Unreadable};

use crate::sha256::{BLOCK_BYTES, Kernel, State, pad};
use crate::tree::{FileTree, Look, TreeError};
use crate::walk::{Source, Task, entity, unreadable_observation};

/// A file between its two stamps.
pub(crate) struct Reading<T: FileTree> {
    task: Task<T>,
    file: T::File,
    before: Look,
    pub(crate) content: Content,
    attempts: u32,
}

/// How far the content of a file has been read and hashed.
pub(crate) struct Content {
    /// The size that was told; `None` where the kernel makes the content up, which is read to where it ends.
    size: Option<u64>,
    state: State,
    /// How much has been read.
    offset: u64,
    /// Up to here it is a hole, as far as is known.
    data_at: u64,
    /// What of the buffer has been read and not hashed yet; whole blocks.
    start: usize,
    end: usize,
    /// True if what has not been hashed yet is zeros, which are not in the buffer.
    is_hole: bool,
    is_at_end: bool,
}

/// What reading on led to.
pub(crate) enum Fill {
    Ready,
    /// The file does not end where it did.
    Changed,
    Failed(TreeError),
}

/// What a file came to whose content was read to its end.
pub(crate) enum Outcome {
    Seen(Observation),
    /// It changed meanwhile and is read again.
    Again,
}

impl<T: FileTree> Reading<T> {
    /// Opens a file; or says at once what became of it, `None` if it is gone.
    pub(crate) fn open(tree: &T, task: Task<T>) -> Result<Self, Option<Observation>> {
        let file = match task.source.open(tree) {
            Ok(file) => file,
            Err(TreeError::NotFound) => return Err(gone(task)),
            Err(error) => {
                let partial = task.source.look(tree).map(|look| task.source.as_observed(look));
                return Err(Some(unreadable_observation(task.path, partial, error.into_unreadable())));
            }
        };
        let before = match tree.describe_file(&file) {
            Ok(look) => look,
            Err(error) => {
                return Err(Some(unreadable_observation(task.path, None, error.into_unreadable())));
            }
        };
        if before.kind != EntityKind::File {
            // It was a file when it was listed. Nothing else is ever read.
            return Err(Some(unreadable_observation(task.path, Some(before), Unreadable::Unstable)));
        }
        let content = Content::of(&before);
        Ok(Self { task, file, before, content, attempts: 1 })
    }

    /// What the file looked like when it was opened.
    pub(crate) fn before(&self) -> &Look {
        &self.before
    }

    /// Takes what the file looks like now for what it looked like when it was opened.
    pub(crate) fn look_again(&mut self, tree: &T) {
        // Whoever cannot be described any more is found out when it is read.
        if let Ok(look) = tree.describe_file(&self.file) {
            self.content = Content::of(&look);
            self.before = look;
        }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &fim_core::EntityPath {
        &self.task.path
    }

    /// Reads the next stretch into the buffer.
    pub(crate) fn fill(&mut self, tree: &T, buffer: &mut [u8]) -> Fill {
        self.content.fill(tree, &self.file, buffer)
    }

    /// Takes the last stamp of a file that is hashed to its end. With a digest, everything is known of it.
    pub(crate) fn finish(&mut self, tree: &T) -> Outcome {
        match tree.stamp(&self.file) {
            Ok(after) if after == self.before.stamp() => {
                Outcome::Seen(self.with_digest(self.content.digest()))
            }
            Ok(_) => self.again(tree),
            Err(error) => Outcome::Seen(self.give_up(error.into_unreadable())),
        }
    }

    /// Begins the file again from its start, unless it has had its chances.
    pub(crate) fn again(&mut self, tree: &T) -> Outcome {
        if self.attempts >= MAX_ATTEMPTS {
            return Outcome::Seen(self.give_up(Unreadable::Unstable));
        }
        match tree.describe_file(&self.file) {
            Ok(look) => {
                self.content = Content::of(&look);
                self.before = look;
                self.attempts += 1;
                Outcome::Again
            }
            Err(error) => Outcome::Seen(self.give_up(error.into_unreadable())),
        }
    }

    /// The file with the digest of its content.
    pub(crate) fn with_digest(&self, digest: Digest) -> Observation {
        let look = self.task.source.as_observed(self.before.clone());
        let mut seen = entity(self.task.path.clone(), look);
        seen.digest = Some(digest);
        Observation::Present(Box::new(seen))
    }

    /// The file as far as it could be read.
    pub(crate) fn give_up(&self, why: Unreadable) -> Observation {
        let look = self.task.source.as_observed(self.before.clone());
        unreadable_observation(self.task.path.clone(), Some(look), why)
    }
}

impl Content {
    /// Of a file that looks like this, nothing.
    pub(crate) fn of(look: &Look) -> Self {
        Self::from_stretch(look, State::INITIAL, 0)
    }

    /// Of a file that looks like this, what is hashed already; `offset` is a multiple of [`READ_BYTES`].
    pub(crate) fn from_stretch(look: &Look, state: State, offset: u64) -> Self {
        let size = look.attributes.size_bytes.filter(|&size| size > 0);
        Self { size, state, offset, data_at: 0, start: 0, end: 0, is_hole: false, is_at_end: false }
    }

    /// How much has been read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The hash of what has been read, where all of it is hashed.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// True if something has been read and not hashed.
    pub(crate) fn has_pending(&self) -> bool {
        self.start < self.end
    }

    /// True if the file is hashed to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.is_at_end && self.start == self.end
    }

    pub(crate) fn digest(&self) -> Digest {
        self.state.digest()
    }

    /// What has been read and not hashed.
    pub(crate) fn pending<'b>(&self, buffer: &'b [u8]) -> &'b [[u8; BLOCK_BYTES]] {
        let from = if self.is_hole { &ZEROS[..] } else { buffer };
        from[self.start..self.end].as_chunks().0
    }

    /// Notes that so many blocks of what was pending are hashed.
    pub(crate) fn advance(&mut self, blocks: usize) {
        self.start += blocks * BLOCK_BYTES;
    }

    pub(crate) fn hash_alone(&mut self, kernel: Kernel, buffer: &[u8]) {
        let blocks = self.pending(buffer);
        kernel.one(&mut self.state, blocks);
        self.start = self.end;
    }

    /// Fills the buffer from the file. The last stretch is padded; every other is [`READ_BYTES`]. Holes are not read.
    pub(crate) fn fill<T: FileTree>(&mut self, tree: &T, file: &T::File, buffer: &mut [u8]) -> Fill {
        if self.is_at_end {
            return Fill::Ready;
        }
        if self.is_in_hole(tree, file) {
            (self.start, self.end, self.is_hole) = (0, READ_BYTES, true);
            self.offset += READ_BYTES as u64;
            return Fill::Ready;
        }
        self.is_hole = false;
        let mut filled = 0;
        while filled < READ_BYTES && !self.is_at_end {
            match tree.read_at(file, self.offset, &mut buffer[filled..READ_BYTES]) {
                Ok(0) => self.is_at_end = true,
                Ok(bytes) => {
                    filled += bytes;
                    self.offset += bytes as u64;
                }
                Err(error) => return Fill::Failed(error),
            }
            match self.size {
                Some(size) if self.offset > size => return Fill::Changed,
                Some(size) => self.is_at_end |= self.offset == size,
                None => {}
            }
        }
        self.start = 0;
        self.end = filled;
        if self.is_at_end {
            let tail = filled % BLOCK_BYTES;
            self.end = filled - tail + pad(buffer, filled - tail, tail, self.offset);
        }
        Fill::Ready
    }

    /// True if a whole stretch from here on lies in a hole, with at least a byte of the file behind it: the last
    /// stretch is read, so that its end is seen.
    fn is_in_hole<T: FileTree>(&mut self, tree: &T, file: &T::File) -> bool {
        let Some(size) = self.size else { return false };
        let end = self.offset + READ_BYTES as u64;
        if end >= size {
            return false;
        }
        if self.data_at < end && self.offset.is_multiple_of(HOLE_CHECK_BYTES) && size >= HOLE_CHECK_BYTES {
            self.data_at = tree.next_data(file, self.offset);
        }
        self.data_at >= end
    }
}

fn gone<T: FileTree>(task: Task<T>) -> Option<Observation> {
    let Task { path, source, is_root } = task;
    match source {
        // The link still exists though what it points to is gone.
        Source::Linked { .. } => Some(unreadable_observation(path, None, Unreadable::Unstable)),
        // A root is listed by nothing.
        Source::Named { .. } => is_root.then_some(Observation::Absent(EntityKey::File(path))),
    }
}

/// Two buffers of this size and their source fit the second-level cache; larger ones were measured to be slower.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// How long a buffer is: a stretch, and room for what is padded to it.
pub(crate) const BUFFER_BYTES: usize = READ_BYTES + 2 * BLOCK_BYTES;

/// So often in a file it is asked where the next data is: a call for each sixteen reads, and none for small files.
const HOLE_CHECK_BYTES: u64 = 1 << 20;

/// What is in a hole.
static ZEROS: [u8; READ_BYTES] = [0; READ_BYTES];

/// How often a file is read that does not keep still before it is called unstable.
const MAX_ATTEMPTS: u32 = 3;
