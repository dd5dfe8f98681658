//! A machine's side: its key, its certificate and its batches.

use std::sync::Arc;

use fim_core::{
    Actor, Ancestor, Aspect, AspectSet, Change, ChangeEvent, ChangeId, ChangeSource, Daemon, DaemonState,
    Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes, Gap, GapCause, GapScope, Listed,
    PackageManager, Principal, Software, SoftwareType, Timestamp, Who, diff,
};
use fim_wire::{Batch, Inventory, Report, Seen, encode_batch};
use rcgen::{CertificateParams, KeyPair};
use serde::Deserialize;
use uuid::Uuid;

use crate::client::Client;
use crate::running::Running;

/// A machine that may have joined.
pub struct Machine {
    pub key_pem: String,
    pub csr_pem: String,
    pub certificate_pem: Option<String>,
    pub id: Uuid,
}

impl Machine {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap();
        Self {
            key_pem: key.serialize_pem(),
            csr_pem: request.pem().unwrap(),
            certificate_pem: None,
            id: Uuid::nil(),
        }
    }

    /// What it calls the server with.
    pub fn client(&self, running: &Running) -> Client {
        let certificate = self.certificate_pem.as_deref().unwrap();
        Client::new(&running.url(), running.server().ca_pem(), Some((certificate, &self.key_pem)))
    }
}

/// What a scenario's batch holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchText {
    pub sequence: u64,
    #[serde(default)]
    pub added: Vec<String>,
    #[serde(default)]
    pub modified: Vec<String>,
    #[serde(default)]
    pub removed: Vec<String>,
    /// Paths that were called the same with `.old` behind before, and were moved by somebody.
    #[serde(default)]
    pub moved: Vec<String>,
    /// Paths that two processes have changed together.
    #[serde(default)]
    pub shared: Vec<String>,
    /// Paths that cannot be read, from now on.
    #[serde(default)]
    pub unreadable: Vec<String>,
    /// Paths that can be read again.
    #[serde(default)]
    pub readable: Vec<String>,
    /// True if the agent has lost its state, up to now.
    #[serde(default)]
    pub state_lost: bool,
    /// Daemons that have stopped.
    #[serde(default)]
    pub stopped: Vec<String>,
    /// Software that was installed.
    #[serde(default)]
    pub installed: Vec<String>,
    /// When everything was seen; the clock's time if absent.
    #[serde(default)]
    pub seconds_ago: i64,
}

/// A machine that has joined, and what it calls with.
pub fn joined(running: &Running, name: &str) -> (Client, Machine) {
    let mut machine = Machine::new();
    let request = serde_json::json!({
        "token": running.enrollment_token(), "machineName": name, "osType": "Linux", "osName": "Debian 12",
        "agentVersion": "0.1.0", "csrPem": machine.csr_pem,
    });
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let mut nobody = Client::new(&running.url(), running.server().ca_pem(), None);
    let body = Some(request.to_string().into_bytes());
    let enrolled = nobody.call("POST", "/agent/v1/enroll", &headers, body).unwrap().json();
    machine.id = enrolled["machineId"].as_str().unwrap().parse().unwrap();
    machine.certificate_pem = enrolled["certificatePem"].as_str().map(str::to_owned);
    (machine.client(running), machine)
}

/// Sends the batch, which must be taken.
pub fn send(running: &Running, client: &mut Client, machine: &Machine, text: &BatchText) {
    let bytes = batch_bytes(machine.id, text, running.clock.now());
    let answer = client.call("POST", "/agent/v1/batches", &cbor(), Some(bytes)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// A batch of files that came.
pub fn added(sequence: u64, paths: &[&str]) -> BatchText {
    let added = paths.iter().map(|path| (*path).to_owned()).collect();
    BatchText { sequence, added, ..BatchText::default() }
}

/// The headers of a batch that is not compressed.
pub fn cbor() -> [(String, String); 1] {
    [("content-type".to_owned(), "application/cbor".to_owned())]
}

/// The bytes of the batch.
pub fn batch_bytes(sensor: Uuid, text: &BatchText, now: Timestamp) -> Vec<u8> {
    let observed = now.plus_nanos(-text.seconds_ago * 1_000_000_000);
    let file = |path: &String, size| entity(path, size);
    let mut events = Vec::new();
    for path in &text.added {
        events.push(change(path, None, Some(file(path, 10)), observed));
    }
    for path in &text.modified {
        events.push(change(path, Some(file(path, 10)), Some(file(path, 20)), observed));
    }
    for path in &text.removed {
        events.push(change(path, Some(file(path, 20)), None, observed));
    }
    for path in &text.moved {
        events.push(moved(path, file(path, 20), observed));
    }
    for path in &text.shared {
        events.push(shared(change(path, Some(file(path, 20)), Some(file(path, 30)), observed)));
    }
    // A gap is known by its start, so both of its reports must have the same.
    let start = Timestamp(1_700_000_000_000_000_000);
    let gap = |path: &String, end| {
        Report::Gap(Gap {
            scope: GapScope::Within(EntityPath::unix(path.as_bytes())),
            start,
            end,
            cause: GapCause::Unreadable,
            detail: "permission denied".to_owned(),
        })
    };
    events.extend(text.unreadable.iter().map(|path| gap(path, None)));
    events.extend(text.readable.iter().map(|path| gap(path, Some(observed))));
    if text.state_lost {
        let (scope, end) = (GapScope::Everything, Some(observed));
        let detail = "a test".to_owned();
        events.push(Report::Gap(Gap { scope, start, end, cause: GapCause::StateLost, detail }));
    }
    for name in &text.stopped {
        let daemon = |state| {
            let name = name.clone();
            Listed::Daemon(Daemon {
                name,
                state: Some(state),
                path: Some("/bin/x".to_owned()),
                ..Daemon::default()
            })
        };
        events.push(listed(Some(daemon(DaemonState::Running)), Some(daemon(DaemonState::Stopped)), observed));
    }
    for name in &text.installed {
        let software = Listed::Software(Software {
            manager: PackageManager::Dpkg,
            name: name.clone(),
            architecture: Some("amd64".to_owned()),
            software_type: SoftwareType::Package,
            version: Some("1.2".to_owned()),
            publisher: None,
            description: None,
        });
        events.push(Report::Inventory(Inventory { observed, seen: Seen::Listed(software.clone()) }));
        events.push(listed(None, Some(software), observed));
    }
    batch_of(sensor, text.sequence, events, now)
}

/// The bytes of a batch of these reports.
pub fn batch_of(sensor: Uuid, sequence: u64, events: Vec<Report>, now: Timestamp) -> Vec<u8> {
    encode_batch(&Batch { sensor: *sensor.as_bytes(), epoch: [7; 16], sequence, sent: now, events })
}

/// A gap of a path, or of everything if it is `*`, that has no end yet.
pub fn open_gap(scope: &str, cause: GapCause, start: Timestamp) -> Report {
    let scope = match scope {
        "*" => GapScope::Everything,
        path => GapScope::Within(EntityPath::unix(path.as_bytes())),
    };
    Report::Gap(Gap { scope, start, end: None, cause, detail: "a test".to_owned() })
}

fn listed(before: Option<Listed>, after: Option<Listed>, observed: Timestamp) -> Report {
    let change = diff(before.as_ref(), after.as_ref(), AspectSet::ALL).unwrap();
    Report::Listed(ChangeEvent {
        id: ChangeId::derive(&[7; 16], observed, &change),
        change,
        source: ChangeSource::Scan,
        observed,
        happened: None,
        rule: String::new(),
        snapshot_age_seconds: None,
        who: Who::default(),
        moved_from: None,
        is_fleeting: false,
    })
}

fn change(path: &str, before: Option<Entity>, after: Option<Entity>, observed: Timestamp) -> Report {
    let fields = match (&before, &after) {
        (Some(before), Some(after)) => fim_core::compare(before, after, AspectSet::ALL),
        _ => AspectSet::NONE,
    };
    let mut id = [0; 16];
    let text = format!("{path} {} {}", before.is_some(), after.is_some());
    for (place, byte) in text.bytes().enumerate() {
        id[place % 16] ^= byte.rotate_left(u32::try_from(place % 8).unwrap());
    }
    Report::Change(ChangeEvent {
        id: ChangeId(id),
        change: Change { key: EntityKey::File(EntityPath::unix(path.as_bytes())), before, after, fields },
        source: ChangeSource::Scan,
        observed,
        happened: None,
        rule: "/etc".to_owned(),
        snapshot_age_seconds: Some(900),
        who: Who::default(),
        moved_from: None,
        is_fleeting: false,
    })
}

/// A file that becomes another at each of these moments, and what it was before at every second, as an agent tells it.
pub fn to_and_fro(path: &str, moments: &[Timestamp]) -> Vec<Report> {
    let sides = [entity(path, 10), entity(path, 20)];
    let turn = |(number, observed): (usize, &Timestamp)| {
        let (before, after) = (sides[number % 2].clone(), sides[(number + 1) % 2].clone());
        let Report::Change(event) = change(path, Some(before), Some(after), *observed) else {
            unreachable!("a change is one")
        };
        Report::Change(ChangeEvent { id: ChangeId::derive(&[7; 16], *observed, &event.change), ..event })
    };
    moments.iter().enumerate().map(turn).collect()
}

/// The path got its name by a move that was seen as it happened, and so was who made it.
fn moved(path: &str, entity: Entity, observed: Timestamp) -> Report {
    let Report::Change(mut event) = change(path, Some(entity.clone()), Some(entity), observed) else {
        unreachable!("a change is one")
    };
    event.id.0[0] ^= 0x55;
    event.change.fields = AspectSet::NONE.with(Aspect::Path);
    event.source = ChangeSource::RealTime;
    event.who.add(Ok(Arc::new(mover())));
    event.moved_from = Some(EntityKey::File(EntityPath::unix(format!("{path}.old").as_bytes())));
    Report::Change(event)
}

/// The change as made by a process with a view of its own, by the one that moves, and by more than are kept.
fn shared(report: Report) -> Report {
    let Report::Change(mut event) = report else { unreachable!("a change is one") };
    let hidden = Actor {
        process_id: 69,
        executable: Some(EntityPath::unix(*b"/bin/dd")),
        has_own_view: true,
        user: Some(Principal { id: 65534.into(), name: None }),
        ..Actor::default()
    };
    event.source = ChangeSource::RealTime;
    event.who.add(Ok(Arc::new(hidden)));
    event.who.add(Ok(Arc::new(mover())));
    event.who.more = 2;
    Report::Change(event)
}

fn mover() -> Actor {
    Actor {
        process_id: 70,
        executable: Some(EntityPath::unix(*b"/usr/bin/mv")),
        command_line: Some("mv old new".to_owned()),
        user: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
        login_user: Some(Principal { id: 1000.into(), name: Some("amira".to_owned()) }),
        parents: ["sudo", "bash"].map(|name| Ancestor { process_id: 1, name: name.to_owned() }).into(),
        ..Actor::default()
    }
}

fn entity(path: &str, size: u64) -> Entity {
    Entity {
        key: EntityKey::File(EntityPath::unix(path.as_bytes())),
        kind: EntityKind::File,
        attributes: FileAttributes {
            size_bytes: Some(size),
            mode: Some(0o644),
            owner: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
            group: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
            modified: Some(Timestamp(1_700_000_000_000_000_000 + i64::try_from(size).unwrap())),
            inode: Some(12),
            links: Some(1),
            ..FileAttributes::default()
        },
        digest: Some(Digest([u8::try_from(size).unwrap(); 32])),
    }
}
