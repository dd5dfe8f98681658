//! Two files at a time from open to digest.

use std::sync::Arc;

use fim_core::{EntityKey, EntityKind, Observation, Unreadable};

use crate::control::ScanControl;
use crate::sha256::{BLOCK_BYTES, Kernel, State, pad};
use crate::tree::{FileTree, Look, TreeError};
use crate::walk::{Task, entity, through_link, unreadable_observation};

/// Reads and hashes up to two files in lockstep, each through one fixed buffer.
pub(crate) struct Lanes<T: FileTree> {
    tree: Arc<T>,
    control: Arc<ScanControl>,
    kernel: Kernel,
    most_file_bytes: Option<u64>,
    lanes: [Lane<T>; 2],
}

/// What became of a task; the number is the one it was begun with. `None` if the file is gone.
pub(crate) type Done = (u64, Option<Observation>);

struct Lane<T: FileTree> {
    buffer: Box<[u8]>,
    reading: Option<Reading<T>>,
}

/// A file between its two stamps.
struct Reading<T: FileTree> {
    number: u64,
    task: Task<T>,
    file: T::File,
    before: Look,
    state: State,
    /// How much has been read.
    offset: u64,
    /// What of the buffer has been read and not hashed yet; whole blocks.
    start: usize,
    end: usize,
    is_at_end: bool,
    attempts: u32,
}

/// What reading on led to.
enum Fill {
    Ready,
    Changed,
    Failed(TreeError),
}

impl<T: FileTree> Lanes<T> {
    pub(crate) fn new(tree: Arc<T>, control: Arc<ScanControl>, most_file_bytes: Option<u64>) -> Self {
        let lane =
            || Lane { buffer: vec![0; READ_BYTES + 2 * BLOCK_BYTES].into_boxed_slice(), reading: None };
        Self { tree, control, kernel: Kernel::detect(), most_file_bytes, lanes: [lane(), lane()] }
    }

    /// True if another task can begin.
    pub(crate) fn has_free(&self) -> bool {
        self.lanes.iter().any(|lane| lane.reading.is_none())
    }

    /// True if no task is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.reading.is_none())
    }

    /// Opens a file and gives it the free lane, or says at once what became of it.
    pub(crate) fn begin(&mut self, number: u64, task: Task<T>) -> Option<Done> {
        let opened = self.tree.open_file(&task.directory, &task.name, task.at_links());
        let file = match opened {
            Ok(file) => file,
            Err(TreeError::NotFound) => return Some((number, gone(task))),
            Err(error) => {
                let partial = match task.target {
                    None => self.tree.look(&task.directory, &task.name).ok(),
                    Some(_) => {
                        self.tree.resolve(&task.directory, &task.name).ok().map(|resolved| resolved.look)
                    }
                };
                let partial = partial.map(|look| through_link(look, task.target));
                let why = error.into_unreadable();
                return Some((number, Some(unreadable_observation(task.path, partial, why))));
            }
        };
        let before = match self.tree.describe_file(&file) {
            Ok(look) => look,
            Err(error) => {
                return Some((
                    number,
                    Some(unreadable_observation(task.path, None, error.into_unreadable())),
                ));
            }
        };
        if before.kind != EntityKind::File {
            // It was a file when it was listed. Nothing else is ever read.
            let observation = unreadable_observation(task.path, Some(before), Unreadable::Unstable);
            return Some((number, Some(observation)));
        }
        let is_too_large = self
            .most_file_bytes
            .is_some_and(|most| before.attributes.size_bytes.is_some_and(|size| size > most));
        if is_too_large {
            let look = through_link(before, task.target);
            let observation = unreadable_observation(task.path, Some(look), Unreadable::TooLarge);
            return Some((number, Some(observation)));
        }
        let reading = Reading {
            number,
            task,
            file,
            before,
            state: State::INITIAL,
            offset: 0,
            start: 0,
            end: 0,
            is_at_end: false,
            attempts: 1,
        };
        if let Some(free) = self.lanes.iter_mut().find(|lane| lane.reading.is_none()) {
            free.reading = Some(reading);
            return None;
        }
        debug_assert!(false, "a task was begun without a free lane");
        None
    }

    /// Reads and hashes one stretch of each file under way. Says how many bytes were read.
    pub(crate) fn turn(&mut self, done: &mut Vec<Done>) -> u64 {
        let mut bytes = 0;
        for lane in &mut self.lanes {
            bytes += lane.fill(&self.tree, done);
        }
        self.control.count_bytes(bytes);
        self.hash();
        for lane in &mut self.lanes {
            if lane.finish(&self.tree, done) {
                self.control.count_file();
            }
        }
        bytes
    }

    fn hash(&mut self) {
        let [left, right] = &mut self.lanes;
        match (left.reading.as_mut(), right.reading.as_mut()) {
            (Some(one), Some(two)) => {
                let blocks = [one.pending(&left.buffer), two.pending(&right.buffer)];
                let count = blocks[0].len().min(blocks[1].len());
                self.kernel.two([&mut one.state, &mut two.state], blocks);
                one.start += count * BLOCK_BYTES;
                two.start += count * BLOCK_BYTES;
            }
            (Some(only), None) => only.hash_alone(self.kernel, &left.buffer),
            (None, Some(only)) => only.hash_alone(self.kernel, &right.buffer),
            (None, None) => {}
        }
    }
}

impl<T: FileTree> Lane<T> {
    /// Reads on if everything read so far is hashed; gives a file up that cannot be read or does not keep still.
    fn fill(&mut self, tree: &T, done: &mut Vec<Done>) -> u64 {
        let Some(reading) = self.reading.as_mut() else { return 0 };
        if reading.start < reading.end {
            return 0;
        }
        let before = reading.offset;
        let filled = reading.fill(tree, &mut self.buffer);
        let bytes = reading.offset - before;
        match filled {
            Fill::Ready => {}
            Fill::Changed => self.again(tree, done),
            Fill::Failed(error) => self.give_up(error.into_unreadable(), done),
        }
        bytes
    }

    /// Takes the last stamp of a file that is hashed to its end. True if that made a digest.
    fn finish(&mut self, tree: &T, done: &mut Vec<Done>) -> bool {
        let Some(reading) = self.reading.take_if(|reading| reading.is_at_end && reading.start == reading.end)
        else {
            return false;
        };
        match tree.stamp(&reading.file) {
            Ok(after) if after == reading.before.stamp() => {
                let Reading { number, task, before, state, .. } = reading;
                let mut seen = entity(task.path, through_link(before, task.target));
                seen.digest = Some(state.digest());
                done.push((number, Some(Observation::Present(Box::new(seen)))));
                true
            }
            Ok(_) => {
                self.reading = Some(reading);
                self.again(tree, done);
                false
            }
            Err(error) => {
                self.reading = Some(reading);
                self.give_up(error.into_unreadable(), done);
                false
            }
        }
    }

    /// Begins the file again from its start, unless it has had its chances.
    fn again(&mut self, tree: &T, done: &mut Vec<Done>) {
        let Some(reading) = self.reading.as_mut() else { return };
        if reading.attempts >= MAX_ATTEMPTS {
            return self.give_up(Unreadable::Unstable, done);
        }
        match tree.describe_file(&reading.file) {
            Ok(look) => {
                reading.before = look;
                reading.state = State::INITIAL;
                (reading.offset, reading.start, reading.end) = (0, 0, 0);
                reading.is_at_end = false;
                reading.attempts += 1;
            }
            Err(error) => self.give_up(error.into_unreadable(), done),
        }
    }

    fn give_up(&mut self, why: Unreadable, done: &mut Vec<Done>) {
        if let Some(Reading { number, task, before, .. }) = self.reading.take() {
            let partial = through_link(before, task.target);
            done.push((number, Some(unreadable_observation(task.path, Some(partial), why))));
        }
    }
}

impl<T: FileTree> Reading<T> {
    fn pending<'b>(&self, buffer: &'b [u8]) -> &'b [[u8; BLOCK_BYTES]] {
        buffer[self.start..self.end].as_chunks().0
    }

    fn hash_alone(&mut self, kernel: Kernel, buffer: &[u8]) {
        let blocks = self.pending(buffer);
        kernel.one(&mut self.state, blocks);
        self.start = self.end;
    }

    /// Fills the buffer from the file. The last stretch is padded; every other is the whole buffer.
    fn fill(&mut self, tree: &T, buffer: &mut [u8]) -> Fill {
        if self.is_at_end {
            return Fill::Ready;
        }
        // Files that the kernel makes up have no size and yet a content: they are read to where they end.
        let expected = self.before.attributes.size_bytes.filter(|&size| size > 0);
        let mut filled = 0;
        while filled < READ_BYTES && !self.is_at_end {
            match tree.read_at(&self.file, self.offset, &mut buffer[filled..READ_BYTES]) {
                Ok(0) => self.is_at_end = true,
                Ok(bytes) => {
                    filled += bytes;
                    self.offset += bytes as u64;
                }
                Err(error) => return Fill::Failed(error),
            }
            match expected {
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
}

fn gone<T: FileTree>(task: Task<T>) -> Option<Observation> {
    // A link that was followed still exists when what it points to is gone, and a root is listed by nothing.
    let Task { path, target, is_root, .. } = task;
    match target {
        Some(_) => Some(unreadable_observation(path, None, Unreadable::Unstable)),
        None => is_root.then_some(Observation::Absent(EntityKey::File(path))),
    }
}

/// Two buffers of this size and their source fit the second-level cache; larger ones were measured to be slower.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// How often a file is read that does not keep still before it is called unstable.
const MAX_ATTEMPTS: u32 = 3;
