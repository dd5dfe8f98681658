//! A whole scan: walk, read, hash, in path order.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{EntityPath, Observation};

use crate::control::ScanControl;
use crate::lanes::{Lanes, ReadLimit};
use crate::large::LargeFiles;
use crate::plan::Plan;
use crate::pool::Pool;
use crate::throttle::{SpeedLimit, Throttle};
use crate::tree::FileTree;
use crate::walk::{Step, Walker};
use crate::window::Window;

/// How a scan goes about its work.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ScanOptions {
    /// How many threads read and hash. With 0 or 1 the caller's own thread does everything.
    pub threads: usize,
    /// How fast it may go.
    pub speed: SpeedLimit,
    /// How long the file system may take for one answer. A scan that waits longer is cut short, and its threads are
    /// left behind to end when they can; all its work is done in threads of its own then. Without it a scan waits for
    /// ever.
    pub patience: Option<Duration>,
    /// The largest file whose content is read by the scan itself; of a larger one the content is what is known of it
    /// ([`Scan::start_beside`]), or too large. Without it all are read.
    pub most_file_bytes: Option<u64>,
}

/// How a scan ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ScanEnd {
    /// Everything in its scope was looked at.
    Complete,
    /// It was cancelled. Nothing behind `after` in path order was looked at, nothing at all if that is `None`.
    CutShort {
        /// The path of the last observation that was handed out.
        after: Option<EntityPath>,
    },
}

/// Why a scan could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartScanError {
    /// The system gives no more threads.
    #[error("cannot start a thread to read files with; use fewer threads")]
    SpawnThread(#[source] io::Error),
}

/// A scan under way: an iterator over what it observes, in path order and each path once.
///
/// Nothing is said of what is not there, except of roots: what the state knows below a root that this does not
/// mention is gone. An [`Observation::Unreadable`] speaks for everything within its path: what is below was not seen,
/// and so is not gone. After the last observation [`end`](Self::end) tells whether the scan saw everything.
pub struct Scan<T: FileTree> {
    engine: Engine<T>,
    control: Arc<ScanControl>,
    last: Option<EntityPath>,
    is_cut_short: bool,
}

enum Engine<T: FileTree> {
    Inline(Box<Inline<T>>),
    Pool(Pool),
}

impl<T: FileTree> Scan<T> {
    /// Starts a scan. `control` tells its progress to others and lets them cancel it.
    pub fn start(
        tree: Arc<T>,
        plan: Arc<dyn Plan>,
        options: ScanOptions,
        control: Arc<ScanControl>,
    ) -> Result<Self, StartScanError> {
        Self::begin(tree, plan, options, control, None)
    }

    /// Starts a scan that leaves the content of files that are too large for it to `large`.
    pub fn start_beside(
        tree: Arc<T>,
        plan: Arc<dyn Plan>,
        options: ScanOptions,
        control: Arc<ScanControl>,
        large: Arc<LargeFiles>,
    ) -> Result<Self, StartScanError> {
        Self::begin(tree, plan, options, control, Some(large))
    }

    fn begin(
        tree: Arc<T>,
        plan: Arc<dyn Plan>,
        options: ScanOptions,
        control: Arc<ScanControl>,
        large: Option<Arc<LargeFiles>>,
    ) -> Result<Self, StartScanError> {
        let limit = ReadLimit { most_file_bytes: options.most_file_bytes, large };
        let walker = Walker::new(Arc::clone(&tree), plan, Arc::clone(&control));
        let pace = Pace::new(options.speed, Arc::clone(&control));
        let engine = if options.threads > 1 || options.patience.is_some() {
            let lanes = || Lanes::new(Arc::clone(&tree), Arc::clone(&control), limit.clone());
            let pool = Pool::start(options, walker, lanes, &pace, &control);
            Engine::Pool(pool.map_err(StartScanError::SpawnThread)?)
        } else {
            let lanes = Lanes::new(tree, Arc::clone(&control), limit);
            let (window, done) = (Window::default(), Vec::with_capacity(2));
            Engine::Inline(Box::new(Inline { walker, lanes, window, pace, done, is_walked: false }))
        };
        Ok(Self { engine, control, last: None, is_cut_short: false })
    }

    /// Waits until the next observation is there or there is none, at most that long; false if taking it would wait on.
    /// On the caller's own thread there is nothing to wait for: taking it does the work.
    pub fn is_ready(&self, at_most: Duration) -> bool {
        match &self.engine {
            Engine::Inline(_) => true,
            Engine::Pool(pool) => pool.is_ready(&self.control, at_most),
        }
    }

    /// How the scan ended; before it has ended, how it would if nothing more were taken from it.
    pub fn end(&self) -> ScanEnd {
        let is_complete = !self.is_cut_short
            && match &self.engine {
                Engine::Inline(inline) => inline.is_done(),
                Engine::Pool(pool) => pool.is_done(),
            };
        if is_complete { ScanEnd::Complete } else { ScanEnd::CutShort { after: self.last.clone() } }
    }
}

impl<T: FileTree> Iterator for Scan<T> {
    type Item = Observation;

    fn next(&mut self) -> Option<Observation> {
        if self.is_cut_short {
            return None;
        }
        let observation = match &mut self.engine {
            Engine::Inline(inline) => inline.next(&self.control),
            Engine::Pool(pool) => pool.next(&self.control),
        };
        match &observation {
            Some(seen) => {
                self.control.count_entity();
                self.last = Some(seen.path().clone());
            }
            None => self.is_cut_short = self.end() != ScanEnd::Complete,
        }
        observation
    }
}

/// A scan on the caller's own thread.
struct Inline<T: FileTree> {
    walker: Walker<T>,
    lanes: Lanes<T>,
    window: Window,
    pace: Pace,
    done: Vec<crate::lanes::Done>,
    is_walked: bool,
}

impl<T: FileTree> Inline<T> {
    fn is_done(&self) -> bool {
        self.is_walked && self.window.is_empty()
    }

    fn next(&mut self, control: &ScanControl) -> Option<Observation> {
        loop {
            if let Some(observation) = self.window.pop() {
                return Some(observation);
            }
            if control.is_cancelled() || self.is_done() {
                return None;
            }
            let files = self.feed();
            let bytes = self.lanes.turn(&mut self.done);
            for (number, observation) in self.done.drain(..) {
                self.window.resolve(number, observation);
            }
            self.pace.pay(bytes, files);
        }
    }

    /// Walks on until both lanes have work or the window is full. Says how many files were opened.
    fn feed(&mut self) -> u64 {
        let mut files = 0;
        while self.lanes.has_free() && !self.window.is_full() && !self.is_walked {
            match self.walker.next() {
                None => self.is_walked = true,
                Some(Step::Seen(observation)) => self.window.push_ready(observation),
                Some(Step::Content(task)) => {
                    files += 1;
                    let number = self.window.push_waiting();
                    if let Some((number, observation)) = self.lanes.begin(number, task) {
                        self.window.resolve(number, observation);
                    }
                }
            }
        }
        files
    }
}

/// Keeps the scan to its speed by sleeping, in short stretches so that cancelling is noticed.
#[derive(Clone)]
pub(crate) struct Pace {
    throttle: Option<Arc<std::sync::Mutex<Throttle>>>,
    started: Instant,
    control: Arc<ScanControl>,
}

impl Pace {
    fn new(limit: SpeedLimit, control: Arc<ScanControl>) -> Self {
        let throttle = Throttle::new(limit, 0);
        let throttle = throttle.is_limited().then(|| Arc::new(std::sync::Mutex::new(throttle)));
        Self { throttle, started: Instant::now(), control }
    }

    /// Pays for work done and waits off the debt.
    pub(crate) fn pay(&self, bytes: u64, files: u64) {
        let Some(throttle) = &self.throttle else { return };
        let now = self.started.elapsed();
        let now_nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        // A panic in another thread leaves the buckets as they were, which is fit for use.
        let mut buckets = throttle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let wait = Duration::from_nanos(buckets.pay(bytes, files, now_nanos));
        drop(buckets);
        let until = now.saturating_add(wait);
        while !self.control.is_cancelled() {
            let left = until.saturating_sub(self.started.elapsed());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(LONGEST_SLEEP));
            // It is our own wish to wait, and no fault of the file system.
            self.control.count_answer();
        }
    }
}

const LONGEST_SLEEP: Duration = Duration::from_millis(50);
