//! The uplink: brings reports to the server in their order, gives signs of life and fetches the settings.
//!
//! A server that is away for days is normal: reports wait in the spool, and the calls come at growing distances.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{Timestamp, error_chain};
use fim_log::Disk;
use fim_wire::{Batch, encode_batch};

use crate::backoff::{backoff, retry_after};
use crate::client::{CallError, ServerClient};
use crate::identity::{DataDir, certificate_expiry, days_left, expiry_advice};
use crate::inbox::Inbox;
use crate::pace::Pace;
use crate::renew::{renew, renewal_due};
use crate::settings::{Settings, revision_text};
use crate::shared_spool::SharedSpool;
use crate::spool::BatchLimits;
use crate::status::{SensorState, SharedStatus};
use crate::time::{now, rfc3339};

/// What the uplink works with.
pub(crate) struct Uplink<D: Disk> {
    pub client: ServerClient,
    pub spool: Arc<SharedSpool<D>>,
    pub inbox: Arc<Inbox>,
    pub pace: Arc<Pace>,
    pub status: SharedStatus,
    pub machine: [u8; 16],
    pub dir: DataDir,
    pub certificate_expires: Timestamp,
    /// When the certificate should be renewed; nothing if that cannot be told.
    pub renewal_due: Option<Timestamp>,
    /// The revision of the settings that the engine has.
    pub known_revision: Option<String>,
    /// When the server was last known to have no other settings than the engine; at first, when this run began.
    pub settings_known: Timestamp,
}

/// When the uplink does what.
struct Timetable {
    /// No call before this: the server was not reachable, or asked for a pause.
    blocked_until: Instant,
    /// Calls in a row that had no success.
    failures: u32,
    /// Reports set aside since the server took a batch last. Many in a row mean that the server, not the report, is
    /// the trouble: an older version, say.
    set_aside: u32,
    heartbeat_due: Instant,
    heartbeat_seconds: u64,
    /// The state that the server was told last.
    told: Option<SensorState>,
    last_heartbeat: Option<Instant>,
    wants_settings: bool,
    /// The server has trouble with the settings; they are asked for again then, and block nothing else.
    settings_due: Instant,
    /// Calls for the settings in a row that had no success.
    settings_failures: u32,
    /// No renewal of the certificate is tried before this.
    renewal_blocked_until: Instant,
}

/// What a failed call to hand over a batch means for the batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reaction {
    /// The same again, later.
    Retry,
    /// The same again, after the pause that the server asked for.
    Pause(Duration),
    /// The server will not take it as it is.
    Divide,
}

impl<D: Disk + Clone> Uplink<D> {
    /// Works until the spool is told to stop.
    pub fn run(mut self) {
        let started = Instant::now();
        let mut times = Timetable {
            blocked_until: started,
            failures: 0,
            set_aside: 0,
            heartbeat_due: started,
            heartbeat_seconds: 60,
            told: None,
            last_heartbeat: None,
            wants_settings: true,
            settings_due: started,
            settings_failures: 0,
            renewal_blocked_until: started,
        };
        while !self.spool.is_stopping() {
            if let Some(advice) = expiry_advice(self.certificate_expires, self.client.server()) {
                self.status.update(|status| status.server_error = Some(advice.clone()));
                tracing::error!(advice, "cannot reach the server");
                times.blocked_until = Instant::now() + EXPIRED_PAUSE;
            }
            let is_more = Instant::now() >= times.blocked_until && self.turn(&mut times);
            self.spool.show(&self.status);
            let goes_on = if is_more {
                true
            } else if Instant::now() < times.blocked_until {
                self.spool.wait_until(times.blocked_until)
            } else {
                self.spool.wait_for_ring(times.next_due())
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Makes the calls that are due; true if there may be more to send at once. Reports go first: no trouble with
    /// anything else keeps them here.
    fn turn(&mut self, times: &mut Timetable) -> bool {
        let is_more = self.send(times);
        if times.is_open() && times.are_settings_due() {
            self.fetch_settings(times);
        }
        if times.is_open() && times.is_heartbeat_due(self.status.get().state, Instant::now()) {
            // Who looks at nothing is not to count as watching: the server tells the silence.
            match self.pace.stuck_since() {
                None => self.give_heartbeat(times),
                Some(_) => times.heartbeat_due = Instant::now() + STUCK_PAUSE,
            }
        }
        if times.is_open() {
            self.renew_certificate(times);
        }
        is_more && times.is_open()
    }

    /// Renews the certificate if that is due. If it fails the old one goes on to be used, and it is tried again later.
    fn renew_certificate(&mut self, times: &mut Timetable) {
        let is_due = self.renewal_due.is_some_and(|due| due <= now());
        if !is_due || Instant::now() < times.renewal_blocked_until {
            return;
        }
        times.renewal_blocked_until = Instant::now() + RENEWAL_PAUSE;
        let renewed = match renew(&self.dir, &self.client) {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the agent's certificate was not renewed");
                return;
            }
        };
        match ServerClient::of(&renewed) {
            Ok(client) => self.client = client,
            Err(error) => return self.tell(&error),
        }
        self.renewal_due = renewal_due(&renewed.certificate_pem);
        if let Some(expires) = certificate_expiry(&renewed.certificate_pem) {
            tracing::info!(expires = rfc3339(expires), "the agent's certificate was renewed");
            self.certificate_expires = expires;
            self.status.update(|status| {
                status.certificate_expires = Some(rfc3339(expires));
                status.certificate_days_left = Some(days_left(expires, now()));
            });
        }
    }

    fn fetch_settings(&mut self, times: &mut Timetable) {
        let asked = now();
        match self.client.settings(self.known_revision.as_deref()) {
            Ok(settings) => {
                times.wants_settings = false;
                times.settings_failures = 0;
                let since = std::mem::replace(&mut self.settings_known, asked);
                if let Some(settings) = settings {
                    let settings = Settings { since: Some(since), ..settings };
                    self.known_revision = Some(settings.revision_text());
                    tracing::info!(revision = settings.revision_text(), "new settings");
                    self.inbox.put_settings(settings);
                }
                self.reached(times);
            }
            Err(
                error @ (CallError::Refused { .. } | CallError::BadAnswer { .. } | CallError::Busy { .. }),
            ) => {
                self.tell(&error);
                let wait = match reaction(&error) {
                    Reaction::Pause(wait) => wait,
                    Reaction::Retry | Reaction::Divide => random_backoff(times.settings_failures),
                };
                times.settings_failures = times.settings_failures.saturating_add(1);
                times.settings_due = Instant::now() + wait;
            }
            Err(
                error @ (CallError::Unreachable { .. }
                | CallError::Untrusted { .. }
                | CallError::OwnCertificate { .. }
                | CallError::BadAddress { .. }),
            ) => {
                self.failed(times, &error);
            }
        }
    }

    fn give_heartbeat(&mut self, times: &mut Timetable) {
        self.spool.show(&self.status);
        let status = self.status.get();
        let (made, asked) = (Instant::now(), now());
        match self.client.heartbeat(&status.heartbeat()) {
            Ok(answer) => {
                times.heartbeat_seconds = answer.heartbeat_seconds.clamp(1, 3600);
                times.told_state(status.state, made);
                let revision = revision_text(&answer.settings_revision);
                times.wants_settings = self.known_revision.as_deref() != Some(&revision);
                if !times.wants_settings {
                    self.settings_known = asked;
                }
                self.reached(times);
                if times.are_settings_due() {
                    self.fetch_settings(times);
                }
            }
            Err(error @ (CallError::Refused { .. } | CallError::BadAnswer { .. })) => {
                // Reports may be taken all the same, so this blocks nothing.
                times.told_state(status.state, made);
                self.tell(&error);
            }
            Err(error) => {
                self.failed(times, &error);
            }
        }
    }

    /// True if there may be more to send.
    fn send(&mut self, times: &mut Timetable) -> bool {
        let next = self.spool.lock().next_batch(LIMITS, now());
        let outgoing = match next {
            Ok(Some(outgoing)) => outgoing,
            Ok(None) => return false,
            Err(error) => return self.local_trouble(times, &error),
        };
        let batch = Batch {
            sensor: self.machine,
            epoch: outgoing.epoch,
            sequence: outgoing.sequence,
            sent: now(),
            events: outgoing.reports,
        };
        let compressed = match zstd::bulk::compress(&encode_batch(&batch), COMPRESSION_LEVEL) {
            Ok(compressed) => compressed,
            Err(error) => return self.local_trouble(times, &error),
        };
        match self.client.send_batch(&compressed) {
            Ok(acknowledged) if acknowledged >= batch.sequence => {
                self.spool.lock().acknowledge();
                times.set_aside = 0;
                self.reached(times);
                true
            }
            Ok(acknowledged) => {
                let server = self.client.server().to_owned();
                let why = format!("it acknowledged {acknowledged} instead of {}", batch.sequence);
                self.failed(times, &CallError::BadAnswer { server, why })
            }
            Err(error) => match reaction(&error) {
                Reaction::Retry | Reaction::Pause(_) => self.failed(times, &error),
                Reaction::Divide => self.divide(times, &error),
            },
        }
    }

    /// Sends less at once, or sets the one report aside that the server does not take.
    fn divide(&mut self, times: &mut Timetable, refusal: &CallError) -> bool {
        self.tell(refusal);
        let divided = {
            let mut spool = self.spool.lock();
            match spool.split() {
                Ok(true) => Ok(true),
                Ok(false) => spool.set_aside(&error_chain(refusal), now()).map(|()| false),
                Err(error) => Err(error),
            }
        };
        match divided {
            Ok(true) => true,
            Ok(false) => {
                times.set_aside = times.set_aside.saturating_add(1);
                let Some(more) = times.set_aside.checked_sub(SET_ASIDE_AT_ONCE) else { return true };
                times.blocked_until = Instant::now() + random_backoff(more);
                false
            }
            Err(error) => self.local_trouble(times, &error),
        }
    }

    fn reached(&self, times: &mut Timetable) {
        times.failures = 0;
        self.status.update(|status| {
            status.last_contact = Some(rfc3339(now()));
            status.server_error = None;
        });
    }

    /// Notes a call without success, and when to try again.
    fn failed(&self, times: &mut Timetable, error: &CallError) -> bool {
        self.tell(error);
        let wait = match reaction(error) {
            Reaction::Pause(wait) => wait,
            Reaction::Retry | Reaction::Divide => self.next_wait(times),
        };
        times.blocked_until = Instant::now() + wait;
        false
    }

    fn local_trouble(&self, times: &mut Timetable, error: &dyn std::error::Error) -> bool {
        let text = error_chain(error);
        tracing::error!(error = text, "cannot read or write the spool");
        self.status.update(|status| status.error = Some(text));
        times.blocked_until = Instant::now() + self.next_wait(times);
        false
    }

    fn next_wait(&self, times: &mut Timetable) -> Duration {
        let wait = random_backoff(times.failures);
        times.failures = times.failures.saturating_add(1);
        wait
    }

    fn tell(&self, error: &CallError) {
        let text = error_chain(error);
        let is_news = self.status.get().server_error.as_deref() != Some(&text);
        if is_news {
            tracing::warn!(error = text, "the server did not take a call");
        }
        self.status.update(|status| status.server_error = Some(text));
    }
}

impl Timetable {
    /// True if calls may be made.
    fn is_open(&self) -> bool {
        Instant::now() >= self.blocked_until
    }

    fn are_settings_due(&self) -> bool {
        self.wants_settings && Instant::now() >= self.settings_due
    }

    /// When there is something to do though nobody rings.
    fn next_due(&self) -> Instant {
        if self.wants_settings { self.heartbeat_due.min(self.settings_due) } else { self.heartbeat_due }
    }

    /// True if a sign of life is due by the clock, or because the sensor does something else than the server knows.
    fn is_heartbeat_due(&self, state: SensorState, now: Instant) -> bool {
        let is_news = self.told != Some(state);
        let is_spaced = self.last_heartbeat.is_none_or(|last| now >= last + SHORTEST_HEARTBEAT);
        now >= self.heartbeat_due || is_news && is_spaced
    }

    fn told_state(&mut self, state: SensorState, when: Instant) {
        let pause = match state {
            SensorState::Baselining => SHORTEST_HEARTBEAT,
            SensorState::Starting | SensorState::Scanning | SensorState::Idle | SensorState::Stopped => {
                Duration::from_secs(self.heartbeat_seconds)
            }
        };
        self.told = Some(state);
        self.last_heartbeat = Some(when);
        self.heartbeat_due = when + pause;
    }
}

fn random_backoff(failures: u32) -> Duration {
    backoff(failures, getrandom::u64().unwrap_or_default())
}

fn reaction(error: &CallError) -> Reaction {
    match error {
        CallError::Busy { retry_after: Some(asked), .. } => Reaction::Pause(retry_after(*asked)),
        CallError::Refused { status: 400 | 413 | 422, .. } => Reaction::Divide,
        CallError::Busy { retry_after: None, .. }
        | CallError::Refused { .. }
        | CallError::Unreachable { .. }
        | CallError::Untrusted { .. }
        | CallError::OwnCertificate { .. }
        | CallError::BadAddress { .. }
        | CallError::BadAnswer { .. } => Reaction::Retry,
    }
}

/// How much one batch holds.
const LIMITS: BatchLimits = BatchLimits { reports: 1000, bytes: 1 << 20 };
/// How many reports in a row are set aside without a pause.
const SET_ASIDE_AT_ONCE: u32 = 3;
const COMPRESSION_LEVEL: i32 = 3;
const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(1);
/// How soon it is looked again whether the engine goes on.
const STUCK_PAUSE: Duration = Duration::from_secs(1);
const EXPIRED_PAUSE: Duration = Duration::from_secs(60);
const RENEWAL_PAUSE: Duration = Duration::from_secs(3600);
