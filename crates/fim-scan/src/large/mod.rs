//! Files that are too large for a scan to wait for: their content is read beside the scans, a stretch at a time.
//!
//! A scan asks for what is known of such a file's content. What is not known it tells as too large, and the file is
//! queued. One thread reads the queued files in turns, so that no file, however large it claims to be, keeps another
//! from being read. Between two turns nothing is held but how far a hash has got: no open file, whose space could not
//! be freed, and no lock. A digest is handed out for as long as the file looks as it did when it was read.

mod queue;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_core::{Digest, EntityKind, EntityPath, Unreadable};

use crate::reading::{BUFFER_BYTES, Content, Fill};
use crate::sha256::Kernel;
use crate::tree::{FileTree, Look, TreeError, open_followed};
use crate::walk::split;
use queue::{Came, Identity, Part, Queue, Turn};

/// The content of large files, and which of them are to be read.
#[derive(Debug)]
pub struct LargeFiles {
    started: Instant,
    scanned_bytes: u64,
    queue: Mutex<Queue>,
    queued: Condvar,
    is_stopping: AtomicBool,
}

/// What is still to be read beside the scans.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LargeProgress {
    /// How many files wait for their content to be read, or read again.
    pub waiting: u64,
    /// How many bytes of them are to be read.
    pub bytes_left: u64,
}

/// What became of a turn.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LargeTurn {
    /// There is nothing to read for that long; for ever, if that is not known.
    Idle(Option<Duration>),
    /// A stretch was read, or it turned out that there is nothing to be read.
    Worked,
    /// More is known now of the content at the place than scans were told: it should be looked at.
    News(EntityPath),
}

impl Default for LargeFiles {
    fn default() -> Self {
        Self::beyond(SCANNED_BYTES)
    }
}

impl LargeFiles {
    /// Files that are larger than what a scan reads itself. Looks that wait less may leave smaller ones as well.
    pub fn beyond(scanned_bytes: u64) -> Self {
        Self {
            started: Instant::now(),
            scanned_bytes,
            queue: Mutex::new(Queue::new(scanned_bytes)),
            queued: Condvar::new(),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// The largest file that a scan reads itself.
    pub fn scanned_bytes(&self) -> u64 {
        self.scanned_bytes
    }

    /// How many files are read beside the scans at most. Of more than these the content is not known.
    pub const MOST_FILES: usize = 1000;

    /// Reads what is asked for, half of the time at most, until [`stop`](Self::stop); hands each place of which there
    /// are news to `tell`.
    pub fn run<T: FileTree>(&self, tree: impl Fn() -> Arc<T>, tell: impl Fn(EntityPath)) {
        while !self.is_stopping() {
            let begun = Instant::now();
            match self.turn(&tree, STRETCH) {
                LargeTurn::Idle(until) => self.wait(until, true),
                LargeTurn::Worked => self.wait(Some(begun.elapsed()), false),
                LargeTurn::News(path) => tell(path),
            }
        }
    }

    /// Ends [`run`](Self::run) soon.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
        drop(self.lock());
        self.queued.notify_all();
    }

    /// Forgets all files but those: others are not monitored any more.
    pub fn retain(&self, is_monitored: impl Fn(&EntityPath) -> bool) {
        self.lock().retain(is_monitored);
    }

    /// What is still to be read.
    pub fn progress(&self) -> LargeProgress {
        self.lock().progress()
    }

    /// Reads for about that long, at least one stretch, at the file whose turn it is.
    pub fn turn<T: FileTree>(&self, tree: impl FnOnce() -> Arc<T>, most: Duration) -> LargeTurn {
        let taken = self.lock().take(self.now());
        let turn = match taken {
            Ok(turn) => turn,
            Err(until) => return LargeTurn::Idle(until),
        };
        let came = self.read_on(&*tree(), &turn, most);
        let path = turn.path.clone();
        let is_news = self.lock().settle(turn, came, self.now());
        if is_news { LargeTurn::News(path) } else { LargeTurn::Worked }
    }

    /// The digest of a file that looks like this, as far as it is known. If it is not, or not any more, it will be read.
    pub(crate) fn ask(&self, path: &EntityPath, look: &Look) -> Result<Digest, Unreadable> {
        let size = look.attributes.size_bytes.unwrap_or(u64::MAX);
        let answer = self.lock().ask(path, Identity::of(look), size, self.now());
        self.queued.notify_all();
        answer
    }

    fn read_on<T: FileTree>(&self, tree: &T, turn: &Turn, most: Duration) -> Came {
        let file = match open(tree, &turn.path) {
            Ok(file) => file,
            Err(TreeError::NotFound | TreeError::NotThat) => return Came::Gone,
            Err(error) => return Came::Failed(error.into_unreadable()),
        };
        let look = match tree.describe_file(&file) {
            Ok(look) => look,
            Err(error) => return Came::Failed(error.into_unreadable()),
        };
        if look.kind != EntityKind::File {
            return Came::Gone;
        }
        if Identity::of(&look) != turn.identity {
            return Came::Changed;
        }
        let mut content = match &turn.part {
            Some(part) => Content::from_stretch(&look, part.state, part.offset),
            None => Content::of(&look),
        };
        let (begun, kernel) = (Instant::now(), Kernel::detect());
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match content.fill(tree, &file, &mut buffer) {
                Fill::Ready => content.hash_alone(kernel, &buffer),
                Fill::Changed => return Came::Changed,
                Fill::Failed(error) => return Came::Failed(error.into_unreadable()),
            }
            if content.is_done() {
                break;
            }
            if begun.elapsed() >= most || self.is_stopping() {
                return Came::Part(Part { state: content.state(), offset: content.offset() });
            }
        }
        match tree.stamp(&file) {
            Ok(after) if after == look.stamp() => Came::Whole(content.digest()),
            Ok(_) => Came::Changed,
            Err(error) => Came::Failed(error.into_unreadable()),
        }
    }

    fn wait(&self, at_most: Option<Duration>, ends_when_queued: bool) {
        let end = at_most.map(|at_most| Instant::now() + at_most);
        let mut queue = self.lock();
        while !(self.is_stopping() || ends_when_queued && queue.has_due(self.now())) {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            queue = match left {
                Some(left) if left.is_zero() => return,
                Some(left) => self.queued.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.queued.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the file at a path, a link there followed. Whether it is the file that was asked for, its looks say.
fn open<T: FileTree>(tree: &T, path: &EntityPath) -> Result<T::File, TreeError> {
    let (parent, name) = split(path).ok_or(TreeError::NotThat)?;
    open_followed(tree, &tree.open_root(&parent)?, &name)
}

/// What a scan reads of one file at most: at the speed of an ordinary disk some seconds.
const SCANNED_BYTES: u64 = 1 << 30;

/// How long a file is read before it is another's turn.
const STRETCH: Duration = Duration::from_millis(250);
