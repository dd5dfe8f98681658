//! A scan on several threads: one walks, the others read and hash, the caller takes the results in order.
//!
//! Two bounded queues, both under one lock: tasks for the readers (full: the walk waits) and the window of results
//! (full: the walk waits). Readers never wait for room, because every task has its place in the window.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_core::Observation;

use crate::awaited::AwaitedThread;
use crate::control::ScanControl;
use crate::lanes::Lanes;
use crate::scan::{Pace, ScanOptions};
use crate::tree::FileTree;
use crate::walk::{Step, Task, Walker};
use crate::window::Window;

/// The threads of a scan. Dropping it stops and joins them; where the scan has a patience, it leaves those behind that
/// the file system does not let go.
pub(crate) struct Pool {
    results: Arc<dyn Results>,
    is_patient: bool,
    threads: Vec<AwaitedThread>,
}

/// The caller's side of what the threads share; it need not know the tree.
trait Results: Send + Sync {
    /// The next observation; waits for it. `None` at the end or once the scan is cancelled.
    fn next(&self, control: &ScanControl) -> Option<Observation>;
    /// Waits until [`next`](Self::next) need not wait, at most that long; false if it would.
    fn is_ready(&self, control: &ScanControl, at_most: Duration) -> bool;
    fn is_done(&self) -> bool;
    fn stop(&self);
}

struct Shared<T: FileTree> {
    patience: Option<Duration>,
    state: Mutex<SharedState<T>>,
    task_came: Condvar,
    room_came: Condvar,
    result_came: Condvar,
}

struct SharedState<T: FileTree> {
    tasks: VecDeque<(u64, Task<T>)>,
    window: Window,
    is_walked: bool,
    is_stopped: bool,
    /// How many answers the file system had given when somebody began to wait for a result, and since when there were
    /// no more.
    waiting: Option<(u64, Instant)>,
}

impl Pool {
    pub(crate) fn start<T: FileTree>(
        options: ScanOptions,
        walker: Walker<T>,
        lanes: impl Fn() -> Lanes<T>,
        pace: &Pace,
        control: &Arc<ScanControl>,
    ) -> io::Result<Self> {
        let readers = options.threads.max(1);
        let shared = Arc::new(Shared {
            patience: options.patience,
            state: Mutex::new(SharedState {
                tasks: VecDeque::with_capacity(MAX_TASKS),
                window: Window::default(),
                is_walked: false,
                is_stopped: false,
                waiting: None,
            }),
            task_came: Condvar::new(),
            room_came: Condvar::new(),
            result_came: Condvar::new(),
        });
        // A pool that is dropped half made stops and joins what it has.
        let results: Arc<dyn Results> = Arc::<Shared<T>>::clone(&shared);
        let is_patient = options.patience.is_none();
        let mut pool = Self { results, is_patient, threads: Vec::with_capacity(readers + 1) };
        for _ in 0..readers {
            let (shared, lanes, pace) = (Arc::clone(&shared), lanes(), pace.clone());
            let live = control.enter_thread();
            let read = move || {
                let _live = live;
                shared.read(lanes, &pace);
            };
            pool.threads.push(AwaitedThread::spawn("scan-read", read)?);
        }
        let control = Arc::clone(control);
        let live = control.enter_thread();
        let walk = move || {
            let _live = live;
            shared.walk(walker, &control);
        };
        pool.threads.push(AwaitedThread::spawn("scan-walk", walk)?);
        Ok(pool)
    }

    pub(crate) fn next(&self, control: &ScanControl) -> Option<Observation> {
        self.results.next(control)
    }

    pub(crate) fn is_ready(&self, control: &ScanControl, at_most: Duration) -> bool {
        self.results.is_ready(control, at_most)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.results.is_done()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.results.stop();
        let deadline = Instant::now() + GRACE;
        for thread in self.threads.drain(..) {
            if !self.is_patient && !thread.wait_until(deadline) {
                // It holds nothing that another scan needs, and ends as soon as the file system answers.
                continue;
            }
            // A thread that panicked has said so itself, and its tasks were never resolved.
            let _ = thread.join();
        }
    }
}

impl<T: FileTree> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, SharedState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn walk(&self, mut walker: Walker<T>, control: &ScanControl) {
        let _stop = StopOnPanic(self);
        loop {
            let steps: Vec<Step<T>> = walker.by_ref().take(WALK_STEPS).collect();
            let mut state = self.lock();
            if steps.is_empty() {
                state.is_walked = true;
                self.task_came.notify_all();
                self.result_came.notify_all();
                return;
            }
            for step in steps {
                while (state.window.is_full() || state.tasks.len() >= MAX_TASKS) && !state.is_stopped {
                    self.result_came.notify_one();
                    state = self.room_came.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.is_stopped || control.is_cancelled() {
                    state.is_stopped = true;
                    drop(state);
                    return self.wake_all();
                }
                match step {
                    Step::Seen(observation) => state.window.push_ready(observation),
                    Step::Content(task) => {
                        let number = state.window.push_waiting();
                        state.tasks.push_back((number, task));
                        self.task_came.notify_one();
                    }
                }
            }
            if state.window.is_ready() {
                self.result_came.notify_one();
            }
        }
    }

    fn read(&self, mut lanes: Lanes<T>, pace: &Pace) {
        let _stop = StopOnPanic(self);
        let mut done = Vec::with_capacity(4);
        loop {
            let mut files = 0;
            while lanes.has_free() {
                let Some((number, task)) = self.take(lanes.is_idle() && done.is_empty()) else { break };
                files += 1;
                done.extend(lanes.begin(number, task));
            }
            if lanes.is_idle() && done.is_empty() {
                return;
            }
            let bytes = lanes.turn(&mut done);
            if !done.is_empty() {
                let mut state = self.lock();
                for (number, observation) in done.drain(..) {
                    state.window.resolve(number, observation);
                }
                if state.is_stopped {
                    return;
                }
                if state.window.is_ready() {
                    self.result_came.notify_one();
                }
            }
            pace.pay(bytes, files);
        }
    }

    /// The next task; `None` if there is none, for good if `waits`.
    fn take(&self, waits: bool) -> Option<(u64, Task<T>)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(task) = state.tasks.pop_front() {
                if state.tasks.len() == MAX_TASKS / 2 {
                    self.room_came.notify_one();
                }
                return Some(task);
            }
            if !waits || state.is_walked {
                return None;
            }
            state = self.task_came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wake_all(&self) {
        self.task_came.notify_all();
        self.room_came.notify_all();
        self.result_came.notify_all();
    }
}

impl<T: FileTree> Results for Shared<T> {
    fn next(&self, control: &ScanControl) -> Option<Observation> {
        let mut state = self.lock();
        let (mut answers, mut last_answer) = (control.answers(), Instant::now());
        loop {
            if control.is_cancelled() {
                state.is_stopped = true;
            }
            let was_full = state.window.is_full();
            let first = state.window.pop();
            if was_full {
                self.room_came.notify_one();
            }
            if first.is_some() {
                return first;
            }
            if state.is_stopped || (state.is_walked && state.window.is_empty()) {
                drop(state);
                self.wake_all();
                return None;
            }
            // The timeout lets a scan end that is cancelled while a thread hangs in the file system.
            let waited = self.result_came.wait_timeout(state, CANCEL_CHECK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if answers != control.answers() {
                (answers, last_answer) = (control.answers(), Instant::now());
            } else if self.patience.is_some_and(|patience| last_answer.elapsed() >= patience) {
                control.stall();
            }
        }
    }

    fn is_ready(&self, control: &ScanControl, at_most: Duration) -> bool {
        let end = Instant::now() + at_most;
        let mut state = self.lock();
        loop {
            let is_over = state.is_stopped || (state.is_walked && state.window.is_empty());
            if control.is_cancelled() || is_over || state.window.is_ready() {
                state.waiting = None;
                return true;
            }
            let answers = control.answers();
            let (before, since) = *state.waiting.get_or_insert((answers, Instant::now()));
            if answers != before {
                state.waiting = Some((answers, Instant::now()));
            } else if self.patience.is_some_and(|patience| since.elapsed() >= patience) {
                control.stall();
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.result_came.wait_timeout(state, left.min(CANCEL_CHECK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_done(&self) -> bool {
        let state = self.lock();
        state.is_walked && state.window.is_empty()
    }

    fn stop(&self) {
        self.lock().is_stopped = true;
        self.wake_all();
    }
}

/// Ends the scan as cut short if its thread panics; nobody may wait for ever for what it did not finish.
struct StopOnPanic<'s, T: FileTree>(&'s Shared<T>);

impl<T: FileTree> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// How far the walk goes between two visits to the lock.
const WALK_STEPS: usize = 32;

/// Each waiting task may hold its directory open, and open files are limited.
const MAX_TASKS: usize = 256;

const CANCEL_CHECK: Duration = Duration::from_millis(100);

/// How long the threads of a scan with a patience may take to end.
const GRACE: Duration = Duration::from_secs(1);
