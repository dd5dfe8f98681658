//! The server is killed at random moments while machines write without a pause.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fim_core::{
    AspectSet, Change, ChangeEvent, ChangeId, ChangeSource, Entity, EntityKey, EntityKind, EntityPath,
    FileAttributes, Timestamp,
};
use fim_wire::{Batch, Report, encode_batch};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};
use uuid::Uuid;

use crate::installation::{Installation, until};

/// Flushes ten times a second and small segments: most kills meet a flush, a commit or the removal of a segment.
const SETTINGS: &str = "[store]\nflush_milliseconds = 100\nlog_segment_bytes = 16384";

#[test]
fn what_was_acknowledged_is_there_once_after_kills_of_the_server_at_random_moments() {
    let seed = seed();
    println!("seed {seed}; STEADFAST_SEED={seed} chooses the same moments again");
    let mut random = Random(seed);
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let world = Arc::new(World::default());
    let senders: Vec<_> = (0..SENDERS).map(|number| Sender::enroll(&here, number)).collect();
    here.stop_server();
    let threads: Vec<_> = senders
        .into_iter()
        .map(|sender| {
            let world = Arc::clone(&world);
            thread::spawn(move || sender.run(&world))
        })
        .collect();

    let started = Instant::now();
    let mut kills = 0;
    while kills < FEWEST_KILLS || started.elapsed() < HOW_LONG {
        let before = world.acknowledged.load(Ordering::SeqCst);
        here.serve(SETTINGS);
        // Every fourth kill may meet the opening; the others come after something was acknowledged.
        if random.below(4) > 0 {
            let is_news = || world.acknowledged.load(Ordering::SeqCst) > before;
            assert!(until(|| is_news().then_some(()).ok_or(())).is_ok(), "{}", here.read_log("server.log"));
        }
        // Nothing is waited for: a moment by chance is what the kill needs.
        thread::sleep(Duration::from_millis(random.below(700)));
        here.kill_server();
        kills += 1;
    }
    here.serve(SETTINGS);
    world.is_over.store(true, Ordering::SeqCst);
    let batches: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{kills} kills, {batches} batches acknowledged");

    let paths = "ConfigurationChange | where RuleName == 'kill'";
    let expected = json!(batches * CHANGES);
    assert_eq!(here.query(&format!("{paths} | count"))[0]["Count"], expected, "seed {seed}");
    let distinct = here.query(&format!("{paths} | distinct FileSystemPath | count"));
    assert_eq!(distinct[0]["Count"], expected, "seed {seed}");
    let (commits, first_segment) = progress(&here.path("data/store"));
    assert!(commits > kills && first_segment > 1, "{commits} commits, segments from {first_segment} on");
}

/// What the threads share.
#[derive(Default)]
struct World {
    acknowledged: AtomicU64,
    is_over: AtomicBool,
}

/// A machine that sends batch after batch, each until it is acknowledged, as an agent does.
struct Sender {
    agent: Agent,
    url: String,
    machine: Uuid,
    number: u64,
}

impl Sender {
    fn enroll(here: &Installation, number: u64) -> Self {
        let folder = format!("sender-{number}");
        here.enroll_agent_in(&folder);
        let identity = fs::read_to_string(here.path(&folder).join("identity.json")).unwrap();
        let identity: Value = serde_json::from_str(&identity).unwrap();
        let text = |name: &str| identity[name].as_str().unwrap().to_owned();
        let certificate = Certificate::from_pem(text("certificatePem").as_bytes()).unwrap();
        let key = PrivateKey::from_pem(text("keyPem").as_bytes()).unwrap();
        let authority = Certificate::from_pem(text("caPem").as_bytes()).unwrap();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&[authority]))
            .client_cert(Some(ClientCert::new_with_certs(&[certificate], key)))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        let url = format!("https://{}/agent/v1/batches", here.address());
        Self { agent, url, machine: text("machineId").parse().unwrap(), number }
    }

    /// Sends until it is over; how many batches were acknowledged.
    fn run(self, world: &World) -> u64 {
        let mut sequence = 0;
        loop {
            sequence += 1;
            let bytes = self.batch(sequence);
            let taken = until(|| self.send(&bytes));
            assert!(taken.is_ok(), "batch {sequence} is not taken: {taken:?}");
            world.acknowledged.fetch_add(1, Ordering::SeqCst);
            if world.is_over.load(Ordering::SeqCst) {
                return sequence;
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> Result<(), String> {
        let request = self.agent.post(&self.url).header("content-type", "application/cbor");
        let answer = request.send(bytes).map_err(|error| error.to_string())?;
        match answer.status().as_u16() {
            200 => Ok(()),
            // Busy, or just about to stop or to be ready.
            429 | 503 => Err("busy".to_owned()),
            other => panic!("a batch is answered with {other}"),
        }
    }

    fn batch(&self, sequence: u64) -> Vec<u8> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp(i64::try_from(now.as_nanos()).unwrap());
        let event = |index| {
            let path = EntityPath::unix(format!("/kill/{}/{sequence}/{index}", self.number).as_bytes());
            Report::Change(arrival(path, now))
        };
        encode_batch(&Batch {
            sensor: *self.machine.as_bytes(),
            epoch: [9; 16],
            sequence,
            sent: now,
            events: (0..CHANGES).map(event).collect(),
        })
    }
}

/// A file that came.
fn arrival(path: EntityPath, observed: Timestamp) -> ChangeEvent {
    let key = EntityKey::File(path);
    let entity = Entity {
        key: key.clone(),
        kind: EntityKind::File,
        attributes: FileAttributes { size_bytes: Some(1), ..FileAttributes::default() },
        digest: None,
    };
    ChangeEvent {
        id: ChangeId(*Uuid::new_v4().as_bytes()),
        change: Change { key, before: None, after: Some(entity), fields: AspectSet::NONE },
        source: ChangeSource::Scan,
        observed,
        happened: None,
        rule: "kill".to_owned(),
        snapshot_age_seconds: None,
        who: fim_core::Who::default(),
        moved_from: None,
        is_fleeting: false,
    }
}

/// How many commits the table of changes has, and with which number the oldest segment of the ingest log begins.
fn progress(store: &Path) -> (u64, u64) {
    let numbers = |folder: &Path| -> BTreeSet<u64> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter_map(|name| name.to_str()?.split('.').next()?.parse().ok()).collect()
    };
    let workspace = fs::read_dir(store.join("tables")).unwrap().next().unwrap().unwrap().path();
    let commits = numbers(&workspace.join("ConfigurationChange/_delta_log"));
    (*commits.last().unwrap(), *numbers(&store.join("log")).first().unwrap())
}

/// Another one each time, unless one is asked for.
fn seed() -> u64 {
    match std::env::var("STEADFAST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => Uuid::new_v4().as_u64_pair().0,
    }
}

/// SplitMix64: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

const SENDERS: u64 = 3;
/// Of each batch.
const CHANGES: u64 = 5;
const FEWEST_KILLS: u64 = 8;
const HOW_LONG: Duration = Duration::from_secs(20);
