//! Fetches the settings by calls that the server answers once it has others than ours.
//!
//! A server that does not hold a call, or something between that does not let it, is asked at growing distances, and again
//! at once when a heartbeat tells of other settings: no server is worse than one that is asked by heartbeats alone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fim_core::{Timestamp, error_chain};

use crate::backoff::{backoff, retry_after};
use crate::client::{Breakable, CallError, ServerClient};
use crate::identity::DataDir;
use crate::inbox::Inbox;
use crate::settings::Settings;
use crate::status::SharedStatus;
use crate::time::now;

/// What fetches the settings.
pub(crate) struct SettingsPoll {
    pub news: Arc<SettingsNews>,
    pub inbox: Arc<Inbox>,
    pub status: SharedStatus,
    pub dir: DataDir,
}

/// What is known of the settings, and who waits for others: shared by what fetches them and the uplink.
#[derive(Debug)]
pub(crate) struct SettingsNews {
    slots: Mutex<Slots>,
    changed: Condvar,
}

#[derive(Debug)]
struct Slots {
    is_stopping: bool,
    /// The server has said that it has others than ours.
    is_wanted: bool,
    /// The server has answered somebody since the last call was begun.
    is_reached: bool,
    /// The certificate is another than that of the calls so far.
    is_renewed: bool,
    /// The revision of the settings that the engine has.
    known: Option<String>,
    /// When the server was last known to have no others; at first, when this run began.
    known_at: Timestamp,
    /// The call under way, if it may be broken off.
    held: Option<Breakable>,
}

/// When the next call is made.
#[derive(Debug)]
struct Turns {
    /// Not before this, whoever tells of others.
    not_before: Instant,
    /// Not before this unless somebody tells of others, or that a server that was away is there.
    due: Instant,
    /// The server did not answer the last call.
    is_away: bool,
    /// Calls in a row that had no success.
    failures: u32,
    /// Calls in a row that were not held though nothing was new.
    hurried: u32,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// There were others.
    New,
    /// There were none, after so long a time.
    Same(Duration),
    /// There were none, and it was not to wait for any.
    Looked,
    /// It was broken off, since somebody told of others.
    BrokenOff,
    /// The server did not answer.
    Away,
    /// The server refused it, and may have said how long to pause.
    Refused(Option<Duration>),
}

impl SettingsNews {
    /// What is known at first: the revision of the settings that were kept, and when this run began.
    pub fn new(known: Option<String>, known_at: Timestamp) -> Self {
        let slots = Slots {
            is_stopping: false,
            is_wanted: false,
            is_reached: false,
            is_renewed: false,
            known,
            known_at,
            held: None,
        };
        Self { slots: Mutex::new(slots), changed: Condvar::new() }
    }

    /// The server said that it had that revision when it was asked at that time.
    pub fn heard(&self, revision: &str, asked: Timestamp) {
        let mut slots = self.lock();
        slots.is_reached = true;
        if slots.known.as_deref() == Some(revision) {
            slots.known_at = slots.known_at.max(asked);
        } else {
            slots.is_wanted = true;
            // Something may keep the answer from us.
            slots.break_off();
        }
        self.changed.notify_all();
    }

    /// The agent has another certificate: the next call is made with that.
    pub fn renewed(&self) {
        self.lock().is_renewed = true;
    }

    /// Ends the calls, also the one under way.
    pub fn stop(&self) {
        let mut slots = self.lock();
        slots.is_stopping = true;
        slots.break_off();
        self.changed.notify_all();
    }

    /// Waits until the next call is due; what is known then and how long the call may wait. Nothing if there is to be none.
    fn wait_for_turn(&self, turns: &Turns) -> Option<Ask> {
        let mut slots = self.lock();
        loop {
            if slots.is_stopping {
                return None;
            }
            let is_early = slots.is_wanted || slots.is_reached && turns.is_away;
            let due = if is_early { turns.not_before } else { turns.not_before.max(turns.due) };
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let wait = (!std::mem::take(&mut slots.is_wanted)).then_some(WAIT);
                slots.is_reached = false;
                let is_renewed = std::mem::take(&mut slots.is_renewed);
                return Some(Ask { known: slots.known.clone(), wait, is_renewed });
            }
            slots = self.changed.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Names the call that is made now, so that it can be broken off; false if it is not to be made.
    fn hold(&self, call: Breakable) -> bool {
        let mut slots = self.lock();
        let goes_on = !slots.is_stopping && !slots.is_wanted;
        slots.held = goes_on.then_some(call);
        goes_on
    }

    /// The call is over; true if it was broken off.
    fn release(&self) -> bool {
        self.lock().held.take().is_none()
    }

    /// The server had these settings, which are others than those before, and was asked at that time. Since when it may
    /// have had them.
    fn fetched(&self, revision: String, asked: Timestamp) -> Timestamp {
        let mut slots = self.lock();
        slots.known = Some(revision);
        let since = slots.known_at;
        slots.known_at = since.max(asked);
        since
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call to be made.
struct Ask {
    known: Option<String>,
    /// How long the server may let it wait; nothing if it is to answer at once.
    wait: Option<Duration>,
    is_renewed: bool,
}

impl Slots {
    fn break_off(&mut self) {
        if let Some(call) = self.held.take() {
            call.break_off();
        }
    }
}

impl SettingsPoll {
    /// Works until it is told to stop.
    pub fn run(self) {
        let mut turns = Turns::new(Instant::now());
        let mut client = None;
        while let Some(ask) = self.news.wait_for_turn(&turns) {
            if ask.is_renewed {
                client = None;
            }
            let begun = Instant::now();
            let outcome = self.ask(&ask, &mut client, begun);
            turns.take_in(outcome, Instant::now(), getrandom::u64().unwrap_or_default());
        }
    }

    /// Makes one call. A client whose call was broken off makes no other.
    fn ask(&self, ask: &Ask, client: &mut Option<ServerClient>, begun: Instant) -> Outcome {
        let asked = now();
        let opened = match client.take().map_or_else(|| self.open(), Ok) {
            Ok(opened) => opened,
            Err(failed) => return failed,
        };
        if !self.news.hold(opened.breakable()) {
            return Outcome::BrokenOff;
        }
        let answer = opened.settings(ask.known.as_deref(), ask.wait);
        if self.news.release() {
            return Outcome::BrokenOff;
        }
        let outcome = match answer {
            Ok(Some(settings)) if ask.known.as_ref() != Some(&settings.revision_text()) => {
                self.take(settings, asked);
                Outcome::New
            }
            // Also if they come though they are ours: what is between may not hand on which we have.
            Ok(Some(_)) | Ok(None) => {
                if let Some(known) = &ask.known {
                    self.news.heard(known, asked);
                }
                ask.wait.map_or(Outcome::Looked, |_| Outcome::Same(begun.elapsed()))
            }
            Err(error) => self.failed(&error),
        };
        *client = Some(opened);
        outcome
    }

    fn open(&self) -> Result<ServerClient, Outcome> {
        let identity = self.dir.identity().map_err(|error| {
            tracing::warn!(error = error_chain(&error), "cannot read the agent's identity");
            Outcome::Refused(None)
        })?;
        ServerClient::of(&identity).map_err(|error| self.failed(&error))
    }

    fn take(&self, settings: Settings, asked: Timestamp) {
        let revision = settings.revision_text();
        tracing::info!(revision, "new settings");
        let since = self.news.fetched(revision, asked);
        self.inbox.put_settings(Settings { since: Some(since), ..settings });
    }

    fn failed(&self, error: &CallError) -> Outcome {
        match error {
            CallError::Refused { .. } | CallError::BadAnswer { .. } => {
                self.status.tell_call(error);
                Outcome::Refused(None)
            }
            CallError::Busy { retry_after: asked, .. } => {
                self.status.tell_call(error);
                Outcome::Refused(asked.map(retry_after))
            }
            // The uplink, which calls the same server, tells that.
            CallError::Unreachable { .. }
            | CallError::Untrusted { .. }
            | CallError::OwnCertificate { .. }
            | CallError::BadAddress { .. } => {
                tracing::debug!(error = error_chain(error), "cannot ask for the settings");
                Outcome::Away
            }
        }
    }
}

impl Turns {
    fn new(now: Instant) -> Self {
        Self { not_before: now, due: now, is_away: false, failures: 0, hurried: 0 }
    }

    /// Notes what became of a call that ended now. `random` keeps a fleet from calling all at once.
    fn take_in(&mut self, outcome: Outcome, now: Instant, random: u64) {
        let floor = backoff(0, random);
        self.not_before = now + floor;
        self.due = now;
        self.is_away = outcome == Outcome::Away;
        match outcome {
            Outcome::BrokenOff | Outcome::Looked => {}
            Outcome::New => (self.failures, self.hurried) = (0, 0),
            Outcome::Same(waited) if waited >= HELD => (self.failures, self.hurried) = (0, 0),
            Outcome::Same(_) => {
                self.failures = 0;
                self.due = now + backoff(self.hurried, random);
                self.hurried = self.hurried.saturating_add(1);
            }
            Outcome::Away => {
                self.due = now + backoff(self.failures, random);
                self.failures = self.failures.saturating_add(1);
            }
            Outcome::Refused(pause) => {
                let pause = pause.map_or_else(|| backoff(self.failures, random), |pause| pause + floor);
                self.not_before = now + pause;
                self.failures = self.failures.saturating_add(1);
            }
        }
    }
}

/// How long the server may let a call wait. What lies between may end a connection on which nothing is said for a minute.
const WAIT: Duration = Duration::from_secs(50);
/// A call that took as long was held.
const HELD: Duration = Duration::from_secs(25);

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::status::Status;

    /// After how long the calls are made whose predecessors ended so, while nobody tells of others, and if somebody does.
    fn pauses(outcomes: &[Outcome]) -> Vec<(u64, u64)> {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        let millis = |until: Instant| until.saturating_duration_since(now).as_millis() as u64;
        let pause = |outcome: &Outcome| {
            turns.take_in(*outcome, now, 0);
            (millis(turns.not_before.max(turns.due)), millis(turns.not_before))
        };
        outcomes.iter().map(pause).collect()
    }

    #[test]
    fn a_server_that_holds_calls_is_asked_again_soon_and_never_without_a_pause() {
        let outcomes = [Outcome::Same(WAIT), Outcome::New, Outcome::Same(WAIT), Outcome::BrokenOff];
        assert_eq!(pauses(&outcomes), [(500, 500); 4]);
    }

    #[test]
    fn a_server_that_does_not_hold_them_is_asked_at_growing_distances_or_when_others_are_told_of() {
        let outcomes = [Outcome::Same(Duration::ZERO); 12];
        let pauses_made = pauses(&outcomes);
        assert_eq!(pauses_made[..3], [(500, 500), (1000, 500), (2000, 500)]);
        assert_eq!(pauses_made[11], (150_000, 500));
        let told = [Outcome::Same(Duration::ZERO), Outcome::Same(Duration::ZERO), Outcome::Looked];
        assert_eq!(pauses(&told)[2], (500, 500));
    }

    #[test]
    fn a_server_that_refuses_is_left_alone_though_others_are_told_of() {
        let asked = Duration::from_secs(7);
        let outcomes = [Outcome::Refused(None), Outcome::Refused(None), Outcome::Refused(Some(asked))];
        assert_eq!(pauses(&outcomes), [(500, 500), (1000, 1000), (7500, 7500)]);
        assert_eq!(pauses(&[Outcome::Away, Outcome::Away]), [(500, 500), (1000, 500)]);
    }

    /// A poll whose server takes connections and says nothing, and what tells of each connection and of the poll's end.
    fn unanswered() -> (tempfile::TempDir, Arc<SettingsNews>, Receiver<()>, Receiver<()>) {
        let home = tempfile::tempdir().unwrap();
        let dir = DataDir::new(home.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
        let identity = serde_json::json!({
            "server": format!("https://{}", listener.local_addr().unwrap()),
            "machineId": uuid::Uuid::nil(), "workspaceId": uuid::Uuid::nil(), "workspaceName": "default",
            "caFingerprint": "", "caPem": certificate, "certificatePem": certificate, "keyPem": key.serialize_pem(),
        });
        std::fs::write(dir.identity_path(), identity.to_string()).unwrap();
        dir.identity().unwrap();
        let (connected, connections) = channel();
        thread::spawn(move || {
            // They stay open until the test ends.
            let mut kept = Vec::new();
            while let Ok((socket, _)) = listener.accept() {
                kept.push(socket);
                let _ = connected.send(());
            }
        });
        let news = Arc::new(SettingsNews::new(Some("1".to_owned()), Timestamp(1)));
        let (status, inbox) = (SharedStatus::new(Status::default()), Arc::default());
        let poll = SettingsPoll { news: Arc::clone(&news), inbox, status, dir };
        let (ended, end) = channel();
        thread::spawn(move || {
            poll.run();
            let _ = ended.send(());
        });
        (home, news, connections, end)
    }

    /// Less than a call takes that nobody breaks off.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_call_that_is_not_answered_is_broken_off_when_others_are_told_of_and_by_a_stop() {
        let (_home, news, connections, end) = unanswered();
        connections.recv_timeout(PATIENCE).unwrap();
        news.heard("2", Timestamp(2));
        connections.recv_timeout(PATIENCE).expect("it asks once more");
        news.stop();
        end.recv_timeout(PATIENCE).expect("it ends");
    }

    #[test]
    fn settings_may_be_the_server_s_since_it_was_last_known_to_have_no_others() {
        let news = SettingsNews::new(Some("1".to_owned()), Timestamp(10));
        news.heard("1", Timestamp(30));
        news.heard("1", Timestamp(20));
        assert_eq!(news.fetched("2".to_owned(), Timestamp(25)), Timestamp(30));
        assert_eq!(news.fetched("3".to_owned(), Timestamp(40)), Timestamp(30));
        assert_eq!(news.fetched("4".to_owned(), Timestamp(50)), Timestamp(40));
    }
}
