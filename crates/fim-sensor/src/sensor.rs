//! A running sensor: its threads, started and joined in one place.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use fim_core::{EntityPath, Hint, Notice, Timestamp, WhoUnknown};
use fim_log::{LogOptions, RealDisk};
use fim_scan::lists::ListWatcher;
use fim_scan::{AwaitedThread, FileTree, KnownFiles, LargeFiles, ScanOptions};
use thiserror::Error;

use crate::alive::{self, STAMP_EVERY};
use crate::backoff::backoff;
use crate::client::{CallError, ServerClient};
use crate::contents::{Contents, Uploader};
use crate::engine::{Engine, EngineParts};
use crate::identity::{DataDir, DataDirLock, IdentityError, days_left, expiry_advice};
use crate::inbox::Inbox;
use crate::list_watch::ListWatch;
use crate::pace::Pace;
use crate::real_time::{CanaryTimes, MakeWatcher, RealTime, WatchOrders};
use crate::renew::renewal_due;
use crate::settings::Settings;
use crate::settings_poll::{SettingsNews, SettingsPoll};
use crate::shared_spool::SharedSpool;
use crate::spool::{OpenSpoolError, Spool};
use crate::state_store::{OpenStateError, StateStore};
use crate::status::{SharedStatus, Status};
use crate::time::{now, rfc3339};
use crate::uplink::Uplink;
use crate::vigil::Vigil;

/// What a sensor is started with.
#[derive(Clone, Debug)]
pub struct SensorConfig {
    /// Where it keeps everything; the machine must be enrolled there.
    pub data_dir: DataDir,
    /// The program's version.
    pub agent_version: String,
    /// The operating system's name and version, for people.
    pub os_name: String,
    /// How scans go about their work.
    pub scan: ScanOptions,
    /// How large the spool may grow.
    pub spool: LogOptions,
    /// What notices changes of lists; else why nothing does, and they are compared from time to time.
    pub list_watcher: Result<Arc<dyn ListWatcher>, String>,
}

/// Starts sensors.
#[derive(Clone, Copy, Debug)]
pub struct Sensor;

/// A sensor at work. It goes on until [`RunningSensor::stop`]; dropping it stops it too.
pub struct RunningSensor {
    status: SharedStatus,
    inbox: Arc<Inbox>,
    pace: Arc<Pace>,
    spool: Arc<SharedSpool<RealDisk>>,
    engine: Option<AwaitedThread>,
    uplink: Option<AwaitedThread>,
    news: Arc<SettingsNews>,
    settings: Option<AwaitedThread>,
    pulse: Option<AwaitedThread>,
    vigil: Option<AwaitedThread>,
    watch: Option<AwaitedThread>,
    list_watch: Option<AwaitedThread>,
    large: Option<AwaitedThread>,
    large_files: Arc<LargeFiles>,
    content: Option<AwaitedThread>,
    contents: Arc<Contents>,
    data_dir: DataDir,
    lock: Option<DataDirLock>,
}

/// Why a sensor did not start.
#[derive(Debug, Error)]
pub enum StartSensorError {
    /// Its identity is missing or damaged, or another sensor works in the directory.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its identity cannot be used.
    #[error("the agent's identity cannot be used; enrol this machine again")]
    Client(#[source] CallError),
    /// Its spool could not be opened.
    #[error(transparent)]
    Spool(#[from] OpenSpoolError),
    /// Its state could not be opened.
    #[error(transparent)]
    State(#[from] OpenStateError),
    /// The system gives no more threads.
    #[error("cannot start the thread `{name}`")]
    Thread {
        /// The thread's name.
        name: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

/// A thread of the sensor ended by a panic.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the agent's {thread} ended unexpectedly; its log says why")]
pub struct ThreadFailed {
    /// Which one.
    pub thread: &'static str,
}

impl Sensor {
    /// Starts a sensor that watches what `tree` gives, which is asked before each scan. `make_watcher` is asked for what
    /// notices changes in real time, at the start and when that has failed; without it scans find them.
    ///
    /// It goes on where the last one ended: reports that wait are sent, and what changed meanwhile is found by the
    /// first scan.
    pub fn start<T: FileTree>(
        config: SensorConfig,
        tree: impl Fn() -> Arc<T> + Send + Sync + 'static,
        make_watcher: MakeWatcher,
    ) -> Result<RunningSensor, StartSensorError> {
        let dir = config.data_dir;
        let identity = dir.identity()?;
        let lock = dir.lock()?;
        let expires = identity.certificate_expiry(&dir)?;
        let client = ServerClient::of(&identity).map_err(StartSensorError::Client)?;
        let started = now();
        let last_run = alive::last_run(&dir);
        let spool = Spool::open(RealDisk, dir.spool_path(), config.spool, started)?;
        let spool = Arc::new(SharedSpool::new(spool));
        let (store, found) = StateStore::open(RealDisk, &dir.state_path())?;
        let settings = Settings::load(&dir);
        let status = SharedStatus::new(Status {
            agent_version: config.agent_version,
            os_name: config.os_name,
            server: identity.server.clone(),
            workspace: identity.workspace_name.clone(),
            machine_id: identity.machine_id.to_string(),
            provider: "scan".to_owned(),
            certificate_expires: Some(rfc3339(expires)),
            certificate_days_left: Some(days_left(expires, started)),
            server_error: expiry_advice(expires, &identity.server),
            lists_unnoticed: config.list_watcher.as_ref().err().cloned(),
            ..Status::default()
        });
        let inbox = Arc::new(Inbox::default());
        let patience = config.scan.patience.unwrap_or(PATIENCE);
        let pace = Arc::new(Pace::new(patience.min(STEP_PATIENCE)));
        let orders = Arc::new(WatchOrders::default());
        let news = Arc::new(SettingsNews::new(settings.as_ref().map(Settings::revision_text), started));
        let poll = SettingsPoll {
            news: Arc::clone(&news),
            inbox: Arc::clone(&inbox),
            status: status.clone(),
            dir: dir.clone(),
        };
        let uplink = Uplink {
            client,
            spool: Arc::clone(&spool),
            news: Arc::clone(&news),
            pace: Arc::clone(&pace),
            status: status.clone(),
            machine: identity.sensor_id(),
            dir: dir.clone(),
            certificate_expires: expires,
            renewal_due: renewal_due(&identity.certificate_pem),
        };
        let large = Arc::new(LargeFiles::default());
        let known = Arc::new(KnownFiles::default());
        let contents = Arc::new(Contents::default());
        let tree = Arc::new(tree);
        let content_tree = Arc::clone(&tree);
        let large_tree = Arc::clone(&tree);
        let parts = EngineParts {
            machine: identity.sensor_id(),
            dir: dir.clone(),
            style: tree().style(),
            tree: Arc::new(move || tree()),
            disk: RealDisk,
            store,
            found,
            spool: Arc::clone(&spool),
            inbox: Arc::clone(&inbox),
            pace: Arc::clone(&pace),
            status: status.clone(),
            clock: Arc::new(now),
            scan_options: ScanOptions { patience: Some(patience), ..config.scan },
            list_watcher: config.list_watcher.as_ref().ok().cloned(),
            orders: Arc::clone(&orders),
            large: Arc::clone(&large),
            contents: Arc::clone(&contents),
            known: Arc::clone(&known),
        };
        let mut real_time = RealTime {
            own_dir: std::fs::canonicalize(dir.path()).unwrap_or_else(|_| dir.path().to_owned()),
            orders: Arc::clone(&orders),
            inbox: Arc::clone(&inbox),
            status: status.clone(),
            make: make_watcher,
            canary: CanaryTimes::default(),
            known,
            rest: Box::new(|failures| backoff(failures, getrandom::u64().unwrap_or_default())),
            heard: now(),
        };
        let mut running = RunningSensor {
            status,
            inbox,
            pace,
            spool,
            engine: None,
            uplink: None,
            news,
            settings: None,
            pulse: None,
            vigil: None,
            watch: None,
            list_watch: None,
            large: None,
            large_files: Arc::clone(&large),
            content: None,
            contents: Arc::clone(&contents),
            data_dir: dir,
            lock: Some(lock),
        };
        // What is noticed must be so from before the first look, so the watcher is made before the engine begins.
        let (made, is_made) = mpsc::channel();
        running.watch = Some(spawn("watch", move || {
            let watcher = real_time.choose();
            let is_real_time = watcher.is_some();
            real_time.orders.serve(is_real_time);
            let _ = made.send(is_real_time);
            if is_real_time {
                real_time.run(watcher);
            }
        })?);
        running.inbox.put_real_time(is_made.recv().unwrap_or(false));
        // Before the new run's first sign of life is written down: the last one's is what the gap between begins with.
        let engine = Engine::start(parts, last_run, settings);
        running.engine = Some(spawn("engine", move || engine.run())?);
        running.uplink = Some(spawn("uplink", move || uplink.run())?);
        running.settings = Some(spawn("settings", move || poll.run())?);
        let inbox = Arc::clone(&running.inbox);
        let large_files = Arc::clone(&large);
        running.large = Some(spawn("large-files", move || {
            large_files.run(|| large_tree(), |path| inbox.put_hints(&mut vec![content_read(path)]));
        })?);
        let uploader = Uploader { contents, dir: running.data_dir.clone(), tree: move || content_tree() };
        running.content = Some(spawn("content", move || uploader.run())?);
        if let Ok(watcher) = config.list_watcher {
            let watch =
                ListWatch { watcher, inbox: Arc::clone(&running.inbox), status: running.status.clone() };
            running.list_watch = Some(spawn("list-watch", move || watch.run())?);
        }
        let vigil = Vigil {
            inbox: Arc::clone(&running.inbox),
            status: running.status.clone(),
            spool: Arc::clone(&running.spool),
        };
        running.vigil = Some(spawn("vigil", move || vigil.run())?);
        let pulse = Pulse {
            large,
            status: running.status.clone(),
            spool: Arc::clone(&running.spool),
            inbox: Arc::clone(&running.inbox),
            pace: Arc::clone(&running.pace),
            dir: running.data_dir.clone(),
        };
        running.pulse = Some(spawn("pulse", move || pulse.run())?);
        Ok(running)
    }
}

impl RunningSensor {
    /// How it is doing.
    pub fn status(&self) -> Status {
        self.status.get()
    }

    /// The thread that ended though nobody told it to, if any did.
    pub fn failure(&self) -> Option<ThreadFailed> {
        let threads = [
            ("engine", &self.engine),
            ("uplink", &self.uplink),
            ("settings", &self.settings),
            ("pulse", &self.pulse),
            ("vigil", &self.vigil),
            ("large-files", &self.large),
            ("content", &self.content),
        ];
        threads
            .into_iter()
            .find(|(_, handle)| handle.as_ref().is_some_and(AwaitedThread::has_ended))
            .map(|(thread, _)| ThreadFailed { thread })
    }

    /// Stops it in good order: a scan under way is cut short and told as a gap, reports wait for the next start. A
    /// call to a server that does not answer is waited for, half a minute at most, unless it asks for settings. An engine that the system lets wait
    /// is left behind after some seconds: the next start tells the time since it went on last.
    pub fn stop(mut self) -> Result<(), ThreadFailed> {
        self.end()
    }

    fn end(&mut self) -> Result<(), ThreadFailed> {
        self.inbox.stop();
        self.news.stop();
        self.large_files.stop();
        self.contents.stop();
        let is_left = !self.await_engine();
        let mut outcome = if is_left { self.leave_engine() } else { join(&mut self.engine, "engine") };
        // From here on nothing is watched, however long the server lets the uplink wait.
        let stopped = now();
        self.spool.stop();
        outcome = outcome.and(join(&mut self.uplink, "uplink"));
        // A connection that is just being made is not broken off, and is left behind.
        outcome = outcome.and(join_or_leave(&mut self.settings, "settings"));
        outcome = outcome.and(join(&mut self.pulse, "pulse"));
        outcome = outcome.and(join(&mut self.vigil, "vigil"));
        outcome = outcome.and(join_or_leave(&mut self.watch, "watch"));
        outcome = outcome.and(join_or_leave(&mut self.list_watch, "list-watch"));
        outcome = outcome.and(join_or_leave(&mut self.large, "large-files"));
        outcome = outcome.and(join_or_leave(&mut self.content, "content"));
        if outcome.is_ok()
            && !is_left
            && let Err(error) = alive::stamp_stopped(
                &self.data_dir,
                self.inbox.settled_until(stopped),
                self.status.last_complete(),
            )
        {
            tracing::warn!(%error, "cannot note that the agent stopped in good order");
        }
        outcome
    }
}

impl RunningSensor {
    /// Waits for the engine's end; false if the system lets it wait.
    fn await_engine(&self) -> bool {
        let Some(engine) = &self.engine else { return true };
        let most = LEAVE_ENGINE.min(self.pace.patience());
        let mut went_on = Instant::now();
        while !engine.wait_until(went_on + most) {
            match self.pace.last() {
                Some((last, _)) if last > went_on => went_on = last,
                _ => return false,
            }
        }
        true
    }

    /// Leaves the engine behind. It may yet go on and write, so that the directory stays locked until the process ends.
    fn leave_engine(&mut self) -> Result<(), ThreadFailed> {
        tracing::error!("the system lets the agent wait, which ends without an answer");
        let last = self.pace.last().map_or_else(now, |(_, at)| at);
        let alive = self.inbox.settled_until(last);
        if let Err(error) = alive::stamp(&self.data_dir, alive, self.status.last_complete()) {
            tracing::warn!(%error, "cannot note until when the agent watched");
        }
        std::mem::forget((self.engine.take(), self.lock.take()));
        Ok(())
    }
}

impl Drop for RunningSensor {
    fn drop(&mut self) {
        if self.engine.is_some() || self.uplink.is_some() || self.pulse.is_some() {
            let _ = self.end();
        }
    }
}

/// Writes down that the sensor is alive, and how it is doing.
struct Pulse {
    large: Arc<LargeFiles>,
    status: SharedStatus,
    spool: Arc<SharedSpool<RealDisk>>,
    inbox: Arc<Inbox>,
    pace: Arc<Pace>,
    dir: DataDir,
}

impl Pulse {
    fn run(self) {
        loop {
            let goes_on = !self.spool.is_stopping();
            let stuck = self.pace.stuck_since();
            // What was noticed and not yet told is lost if this process is killed now.
            let alive = self.inbox.settled_until(now());
            let alive = stuck.map_or(alive, |stuck| stuck.min(alive));
            if goes_on && let Err(error) = alive::stamp(&self.dir, alive, self.status.last_complete()) {
                tracing::warn!(%error, "cannot note that the agent is alive");
            }
            self.show_stuck(stuck);
            self.spool.show(&self.status);
            let large = self.large.progress();
            self.status.update(|status| {
                status.stamp(now());
                status.large_files_waiting = large.waiting;
                status.large_bytes_left = large.bytes_left;
            });
            if let Err(error) = alive::put(&self.dir, &self.dir.status_path(), &self.status.get()) {
                tracing::warn!(%error, "cannot write the status");
            }
            if !goes_on {
                return;
            }
            self.spool.wait_until(Instant::now() + STAMP_EVERY);
        }
    }

    fn show_stuck(&self, since: Option<Timestamp>) {
        let since = since.map(rfc3339);
        if let Some(since) = since.as_ref().filter(|_| self.status.get().stuck_since.is_none()) {
            tracing::error!(since, "the system does not answer the agent, and nothing is looked at");
        }
        self.status.update(|status| status.stuck_since = since);
    }
}

/// How long the file system may take for one answer before a scan gives it up.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long the engine may take over one step before it counts as stuck: more than reading a file of 64 MiB while
/// everything else waits, or writing the state, takes on a slow disk.
const STEP_PATIENCE: Duration = Duration::from_secs(120);

/// How long an engine that does not go on is waited for at a stop; the service's unit allows 45 s for all.
const LEAVE_ENGINE: Duration = Duration::from_secs(10);

fn spawn(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> Result<AwaitedThread, StartSensorError> {
    AwaitedThread::spawn(name, work).map_err(|source| StartSensorError::Thread { name, source })
}

/// Joins a thread that may wait for a file system or the network; leaves it behind if that does not answer. It holds
/// nothing that another sensor needs.
fn join_or_leave(handle: &mut Option<AwaitedThread>, thread: &'static str) -> Result<(), ThreadFailed> {
    let deadline = Instant::now() + GRACE;
    match handle.take_if(|handle| handle.wait_until(deadline)) {
        Some(ended) => join(&mut Some(ended), thread),
        None => Ok(()),
    }
}

/// That the content of a large file is known.
fn content_read(path: EntityPath) -> Hint {
    let time = now();
    Hint { notice: Notice::ContentRead(path), time, since: time, by: Err(WhoUnknown::NotNoticed) }
}

/// How long a thread that waits for file systems may take to end.
const GRACE: Duration = Duration::from_secs(1);

fn join(handle: &mut Option<AwaitedThread>, thread: &'static str) -> Result<(), ThreadFailed> {
    match handle.take().map(AwaitedThread::join) {
        Some(Err(_)) => Err(ThreadFailed { thread }),
        Some(Ok(())) | None => Ok(()),
    }
}
