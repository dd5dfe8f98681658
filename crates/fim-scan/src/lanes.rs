//! Two files at a time from open to digest.

use std::sync::Arc;

use fim_core::{Observation, Unreadable};

use crate::control::ScanControl;
use crate::large::LargeFiles;
use crate::reading::{BUFFER_BYTES, Fill, Outcome, Reading};
use crate::sha256::Kernel;
use crate::tree::FileTree;
use crate::walk::Task;

/// Reads and hashes up to two files in lockstep, each through one fixed buffer.
pub(crate) struct Lanes<T: FileTree> {
    tree: Arc<T>,
    control: Arc<ScanControl>,
    kernel: Kernel,
    limit: ReadLimit,
    lanes: [Lane<T>; 2],
}

/// Up to which size files are read by a scan itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadLimit {
    /// The largest file that is read; without it all are.
    pub(crate) most_file_bytes: Option<u64>,
    /// Who reads the larger ones, if anybody does.
    pub(crate) large: Option<Arc<LargeFiles>>,
}

/// What became of a task; the number is the one it was begun with. `None` if the file is gone.
pub(crate) type Done = (u64, Option<Observation>);

struct Lane<T: FileTree> {
    buffer: Box<[u8]>,
    reading: Option<(u64, Reading<T>)>,
}

impl<T: FileTree> Lanes<T> {
    pub(crate) fn new(tree: Arc<T>, control: Arc<ScanControl>, limit: ReadLimit) -> Self {
        let lane = || Lane { buffer: vec![0; BUFFER_BYTES].into_boxed_slice(), reading: None };
        Self { tree, control, kernel: Kernel::detect(), limit, lanes: [lane(), lane()] }
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
        let mut reading = match Reading::open(&*self.tree, task) {
            Ok(reading) => reading,
            Err(became) => return Some((number, became)),
        };
        if self.control.meet(reading.before()) && self.limit.leaves_out(&reading) {
            // What is read has its last stamp taken after this.
            reading.look_again(&*self.tree);
        }
        if let Some(observation) = self.limit.without_reading(&reading) {
            return Some((number, Some(observation)));
        }
        if let Some(free) = self.lanes.iter_mut().find(|lane| lane.reading.is_none()) {
            free.reading = Some((number, reading));
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
            (Some((_, one)), Some((_, two))) => {
                let (one, two) = (&mut one.content, &mut two.content);
                let blocks = [one.pending(&left.buffer), two.pending(&right.buffer)];
                let count = blocks[0].len().min(blocks[1].len());
                self.kernel.two([one.state_mut(), two.state_mut()], blocks);
                one.advance(count);
                two.advance(count);
            }
            (Some((_, only)), None) => only.content.hash_alone(self.kernel, &left.buffer),
            (None, Some((_, only))) => only.content.hash_alone(self.kernel, &right.buffer),
            (None, None) => {}
        }
    }
}

impl<T: FileTree> Lane<T> {
    /// Reads on if everything read so far is hashed; gives a file up that cannot be read or does not keep still.
    fn fill(&mut self, tree: &T, done: &mut Vec<Done>) -> u64 {
        let Some((_, reading)) = self.reading.as_mut() else { return 0 };
        if reading.content.has_pending() {
            return 0;
        }
        let before = reading.content.offset();
        let filled = reading.fill(tree, &mut self.buffer);
        let bytes = reading.content.offset() - before;
        match filled {
            Fill::Ready => {}
            Fill::Changed => {
                let outcome = reading.again(tree);
                self.settle(outcome, done);
            }
            Fill::Failed(error) => {
                let outcome = Outcome::Seen(reading.give_up(error.into_unreadable()));
                self.settle(outcome, done);
            }
        }
        bytes
    }

    /// Takes the last stamp of a file that is hashed to its end. True if that made a digest.
    fn finish(&mut self, tree: &T, done: &mut Vec<Done>) -> bool {
        let Some((_, reading)) = self.reading.as_mut().filter(|(_, reading)| reading.content.is_done())
        else {
            return false;
        };
        let outcome = reading.finish(tree);
        let is_digest = matches!(outcome, Outcome::Seen(Observation::Present(_)));
        self.settle(outcome, done);
        is_digest
    }

    fn settle(&mut self, outcome: Outcome, done: &mut Vec<Done>) {
        match outcome {
            Outcome::Again => {}
            Outcome::Seen(observation) => {
                done.extend(self.reading.take().map(|(number, _)| (number, Some(observation))));
            }
        }
    }
}

impl ReadLimit {
    /// True if the file is too large to be read here.
    fn leaves_out<T: FileTree>(&self, reading: &Reading<T>) -> bool {
        let size = reading.before().attributes.size_bytes;
        size.zip(self.most_file_bytes).is_some_and(|(size, most)| size > most)
    }

    /// What is said of a file that is too large to be read here; nothing of others.
    fn without_reading<T: FileTree>(&self, reading: &Reading<T>) -> Option<Observation> {
        if !self.leaves_out(reading) {
            return None;
        }
        let unknown = Err(Unreadable::TooLarge);
        let known = self.large.as_ref().map_or(unknown, |large| large.ask(reading.path(), reading.before()));
        Some(match known {
            Ok(digest) => reading.with_digest(digest),
            Err(why) => reading.give_up(why),
        })
    }
}
