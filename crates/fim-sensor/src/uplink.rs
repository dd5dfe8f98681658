//! The uplink: brings reports to the server in their order, gives signs of life and hears of new settings.
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
use crate::pace::Pace;
use crate::renew::{renew, renewal_due};
use crate::settings::revision_text;
use crate::settings_poll::SettingsNews;
use crate::shared_spool::SharedSpool;
use crate::spool::BatchLimits;
use crate::status::{SensorState, SharedStatus, Status};
use crate::time::{now, rfc3339};

/// What the uplink works with.
pub(crate) struct Uplink<D: Disk> {
    pub client: ServerClient,
    pub spool: Arc<SharedSpool<D>>,
    pub news: Arc<SettingsNews>,
    pub pace: Arc<Pace>,
    pub status: SharedStatus,
    pub machine: [u8; 16],
    pub dir: DataDir,
    pub certificate_expires: Timestamp,
    /// When the certificate should be renewed; nothing if that cannot be told.
    pub renewal_due: Option<Timestamp>,
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
    /// What the server was told last.
    told: Option<Told>,
    /// When the last heartbeat was made, or put off.
    last_heartbeat: Option<Instant>,
    /// No renewal of the certificate is tried before this.
    renewal_blocked_until: Instant,
}

/// Of what a heartbeat says, that which the server is to know at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Told {
    state: SensorState,
    /// A scan has ended since the start.
    has_scanned: bool,
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
                self.spool.wait_for_ring(times.next_heartbeat(self.to_tell()))
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
        if times.is_open() && Instant::now() >= times.next_heartbeat(self.to_tell()) {
            // Who looks at nothing is not to count as watching: the server tells the silence.
            match self.pace.stuck_since() {
                None => self.give_heartbeat(times),
                Some(_) => times.put_heartbeat_off(Instant::now()),
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
        self.news.renewed();
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

    fn give_heartbeat(&mut self, times: &mut Timetable) {
        self.spool.show(&self.status);
        let status = self.status.get();
        let (made, asked, told) = (Instant::now(), now(), Told::of(&status));
        match self.client.heartbeat(&status.heartbeat()) {
            Ok(answer) => {
                times.heartbeat_seconds = answer.heartbeat_seconds.clamp(1, 3600);
                times.has_told(told, made);
                self.news.heard(&revision_text(&answer.settings_revision), asked);
                self.reached(times);
            }
            Err(error @ (CallError::Refused { .. } | CallError::BadAnswer { .. })) => {
                // Reports may be taken all the same, so this blocks nothing.
                times.has_told(told, made);
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

    fn to_tell(&self) -> Told {
        Told::of(&self.status.get())
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
        self.status.tell_call(error);
    }
}

impl Told {
    fn of(status: &Status) -> Self {
        Self { state: status.state, has_scanned: status.last_scan_end.is_some() }
    }
}

impl Timetable {
    /// True if calls may be made.
    fn is_open(&self) -> bool {
        Instant::now() >= self.blocked_until
    }

    /// When a sign of life is due: by the clock, or because the server does not know what is `to_tell`.
    fn next_heartbeat(&self, to_tell: Told) -> Instant {
        if self.told == Some(to_tell) {
            return self.heartbeat_due;
        }
        self.last_heartbeat
            .map_or(self.heartbeat_due, |last| self.heartbeat_due.min(last + SHORTEST_HEARTBEAT))
    }

    fn put_heartbeat_off(&mut self, now: Instant) {
        self.heartbeat_due = now + STUCK_PAUSE;
        self.last_heartbeat = Some(now);
    }

    fn has_told(&mut self, told: Told, when: Instant) {
        let pause = match told.state {
            SensorState::Baselining => SHORTEST_HEARTBEAT,
            SensorState::Starting | SensorState::Scanning | SensorState::Idle | SensorState::Stopped => {
                Duration::from_secs(self.heartbeat_seconds)
            }
        };
        self.told = Some(told);
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
