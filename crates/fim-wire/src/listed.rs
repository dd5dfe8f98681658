//! Entities of lists, their changes, and what a sensor stores of its lists.

use fim_core::{
    AspectSet, Change, ChangeEvent, ChangeId, Controller, Daemon, DaemonState, ListKind, ListMemory,
    ListPart, Listed, ListedKey, Monitored as _, PackageManager, PartMemory, RunLevels, Software,
    SoftwareType, StartupType, Timestamp, Who,
};
use minicbor::{Decode, Encode};

use crate::WireError;
use crate::error::{from_bytes, to_bytes};
use crate::report::{GapRecord, source_number, source_of};

/// The bytes of what a sensor stores of its lists.
pub fn encode_lists(lists: &[ListMemory]) -> Vec<u8> {
    to_bytes(&ListsRecord { lists: lists.iter().map(Into::into).collect() })
}

/// What a sensor stored of its lists.
///
/// # Errors
///
/// Says what is wrong with the bytes and where.
pub fn decode_lists(bytes: &[u8]) -> Result<Vec<ListMemory>, WireError> {
    let record: ListsRecord<'_> = from_bytes(WHAT, bytes)?;
    record.lists.into_iter().map(TryInto::try_into).collect()
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct ListsRecord<'b> {
    #[b(0)]
    lists: Vec<ListRecord<'b>>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct ListRecord<'b> {
    #[n(0)]
    kind: u8,
    /// What an earlier version wrote of all parts together, as `collected` is.
    #[b(1)]
    entities: Option<Vec<ListedRecord<'b>>>,
    #[n(2)]
    collected: Option<i64>,
    #[b(3)]
    unreadable: Option<GapRecord<'b>>,
    #[b(4)]
    pending: Option<GapRecord<'b>>,
    #[b(5)]
    parts: Option<Vec<PartRecord<'b>>>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct PartRecord<'b> {
    #[n(0)]
    part: u8,
    #[b(1)]
    entities: Option<Vec<ListedRecord<'b>>>,
    #[n(2)]
    collected: Option<i64>,
    #[b(3)]
    unreadable: Option<GapRecord<'b>>,
}

/// Exactly one of them is there. A kind of list that is added later gets a number of its own.
#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct ListedRecord<'b> {
    #[b(0)]
    daemon: Option<DaemonRecord<'b>>,
    #[b(1)]
    software: Option<SoftwareRecord<'b>>,
    #[b(2)]
    service: Option<DaemonRecord<'b>>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct DaemonRecord<'b> {
    #[b(0)]
    name: &'b str,
    #[b(1)]
    display_name: Option<&'b str>,
    #[n(2)]
    state: Option<u8>,
    #[n(3)]
    startup: Option<u8>,
    #[b(4)]
    path: Option<&'b str>,
    #[b(5)]
    account: Option<&'b str>,
    #[n(6)]
    run_levels: Option<u8>,
    #[n(7)]
    controller: Option<u8>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct SoftwareRecord<'b> {
    #[n(0)]
    manager: u8,
    #[b(1)]
    name: &'b str,
    #[b(2)]
    architecture: Option<&'b str>,
    #[n(3)]
    software_type: u8,
    #[b(4)]
    version: Option<&'b str>,
    #[b(5)]
    publisher: Option<&'b str>,
    #[b(6)]
    description: Option<&'b str>,
}

/// A change in a list. Its key is that of its sides.
#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct ListedChangeRecord<'b> {
    #[cbor(n(0), with = "minicbor::bytes")]
    id: &'b [u8],
    #[b(1)]
    before: Option<ListedRecord<'b>>,
    #[b(2)]
    after: Option<ListedRecord<'b>>,
    #[n(3)]
    fields: u32,
    #[n(4)]
    source: u8,
    #[n(5)]
    observed: i64,
    #[n(6)]
    happened: Option<i64>,
    #[n(7)]
    snapshot_age_seconds: Option<u64>,
}

impl<'b> From<&'b ListMemory> for ListRecord<'b> {
    fn from(list: &'b ListMemory) -> Self {
        Self {
            kind: list_number(list.kind),
            entities: None,
            collected: None,
            unreadable: list.unreadable.as_ref().map(Into::into),
            pending: list.pending.as_ref().map(Into::into),
            parts: Some(list.parts.iter().map(Into::into).collect()),
        }
    }
}

impl<'b> From<&'b PartMemory> for PartRecord<'b> {
    fn from(part: &'b PartMemory) -> Self {
        Self {
            part: part_number(part.part),
            entities: part.entities.as_ref().map(|entities| entities.iter().map(Into::into).collect()),
            collected: part.collected.map(|time| time.0),
            unreadable: part.unreadable.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<ListRecord<'_>> for ListMemory {
    type Error = WireError;

    fn try_from(record: ListRecord<'_>) -> Result<Self, WireError> {
        let kind = list_of(record.kind)?;
        let parts = match record.parts {
            Some(parts) => parts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            None => parts_of_whole(kind, entities_of(record.entities)?, record.collected.map(Timestamp)),
        };
        Ok(Self {
            kind,
            parts,
            unreadable: record.unreadable.map(TryInto::try_into).transpose()?,
            pending: record.pending.map(TryInto::try_into).transpose()?,
        })
    }
}

impl TryFrom<PartRecord<'_>> for PartMemory {
    type Error = WireError;

    fn try_from(record: PartRecord<'_>) -> Result<Self, WireError> {
        Ok(Self {
            part: part_of(record.part)?,
            entities: entities_of(record.entities)?,
            collected: record.collected.map(Timestamp),
            unreadable: record.unreadable.map(TryInto::try_into).transpose()?,
        })
    }
}

fn entities_of(records: Option<Vec<ListedRecord<'_>>>) -> Result<Option<Vec<Listed>>, WireError> {
    records.map(|records| records.into_iter().map(TryInto::try_into).collect()).transpose()
}

/// The parts of a list that an earlier version collected as a whole.
fn parts_of_whole(
    kind: ListKind,
    entities: Option<Vec<Listed>>,
    collected: Option<Timestamp>,
) -> Vec<PartMemory> {
    let part = |part: ListPart| PartMemory {
        part,
        entities: entities.as_ref().map(|all| {
            let of_part = all.iter().filter(|entity| entity.part() == part);
            of_part.cloned().collect()
        }),
        collected,
        unreadable: None,
    };
    ListPart::ALL.into_iter().filter(|part| part.list() == kind).map(part).collect()
}

impl<'b> From<&'b Listed> for ListedRecord<'b> {
    fn from(listed: &'b Listed) -> Self {
        let none = Self { daemon: None, software: None, service: None };
        match listed {
            Listed::Daemon(daemon) => Self { daemon: Some(daemon.into()), ..none },
            Listed::Software(software) => Self { software: Some(software.into()), ..none },
            Listed::Service(service) => Self { service: Some(service.into()), ..none },
        }
    }
}

impl TryFrom<ListedRecord<'_>> for Listed {
    type Error = WireError;

    fn try_from(record: ListedRecord<'_>) -> Result<Self, WireError> {
        match (record.daemon, record.software, record.service) {
            (Some(daemon), None, None) => Ok(Self::Daemon(daemon.try_into()?)),
            (None, Some(software), None) => Ok(Self::Software(software.try_into()?)),
            (None, None, Some(service)) => Ok(Self::Service(service.try_into()?)),
            (None, None, None) => Err(contradiction("it is of no list known here: the writer may be newer")),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                Err(contradiction("it is of two lists"))
            }
        }
    }
}

impl<'b> From<&'b Daemon> for DaemonRecord<'b> {
    fn from(daemon: &'b Daemon) -> Self {
        Self {
            name: &daemon.name,
            display_name: daemon.display_name.as_deref(),
            state: daemon.state.map(|state| match state {
                DaemonState::Running => 0,
                DaemonState::Stopped => 1,
            }),
            startup: daemon.startup.map(|startup| match startup {
                StartupType::Auto => 0,
                StartupType::Manual => 1,
                StartupType::Disabled => 2,
                StartupType::Boot => 3,
                StartupType::System => 4,
            }),
            path: daemon.path.as_deref(),
            account: daemon.account.as_deref(),
            run_levels: daemon.run_levels.map(RunLevels::bits),
            controller: daemon.controller.map(|controller| match controller {
                Controller::Systemd => 0,
                Controller::Init => 1,
            }),
        }
    }
}

impl TryFrom<DaemonRecord<'_>> for Daemon {
    type Error = WireError;

    fn try_from(record: DaemonRecord<'_>) -> Result<Self, WireError> {
        let state = |number| match number {
            0 => Ok(DaemonState::Running),
            1 => Ok(DaemonState::Stopped),
            other => Err(unknown("state", other)),
        };
        let startup = |number| match number {
            0 => Ok(StartupType::Auto),
            1 => Ok(StartupType::Manual),
            2 => Ok(StartupType::Disabled),
            3 => Ok(StartupType::Boot),
            4 => Ok(StartupType::System),
            other => Err(unknown("start-up type", other)),
        };
        let controller = |number| match number {
            0 => Ok(Controller::Systemd),
            1 => Ok(Controller::Init),
            other => Err(unknown("controller", other)),
        };
        Ok(Self {
            name: record.name.to_owned(),
            display_name: record.display_name.map(str::to_owned),
            state: record.state.map(state).transpose()?,
            startup: record.startup.map(startup).transpose()?,
            path: record.path.map(str::to_owned),
            account: record.account.map(str::to_owned),
            run_levels: record.run_levels.map(RunLevels::from_bits),
            controller: record.controller.map(controller).transpose()?,
        })
    }
}

impl<'b> From<&'b Software> for SoftwareRecord<'b> {
    fn from(software: &'b Software) -> Self {
        Self {
            manager: match software.manager {
                PackageManager::Dpkg => 0,
                PackageManager::Rpm => 1,
                PackageManager::Apk => 2,
                PackageManager::Snap => 3,
                PackageManager::Flatpak => 4,
                PackageManager::Windows => 5,
            },
            name: &software.name,
            architecture: software.architecture.as_deref(),
            software_type: match software.software_type {
                SoftwareType::Application => 0,
                SoftwareType::Package => 1,
                SoftwareType::Update => 2,
            },
            version: software.version.as_deref(),
            publisher: software.publisher.as_deref(),
            description: software.description.as_deref(),
        }
    }
}

impl TryFrom<SoftwareRecord<'_>> for Software {
    type Error = WireError;

    fn try_from(record: SoftwareRecord<'_>) -> Result<Self, WireError> {
        Ok(Self {
            manager: match record.manager {
                0 => PackageManager::Dpkg,
                1 => PackageManager::Rpm,
                2 => PackageManager::Apk,
                3 => PackageManager::Snap,
                4 => PackageManager::Flatpak,
                5 => PackageManager::Windows,
                other => return Err(unknown("package manager", other)),
            },
            name: record.name.to_owned(),
            architecture: record.architecture.map(str::to_owned),
            software_type: match record.software_type {
                0 => SoftwareType::Application,
                1 => SoftwareType::Package,
                2 => SoftwareType::Update,
                other => return Err(unknown("type of software", other)),
            },
            version: record.version.map(str::to_owned),
            publisher: record.publisher.map(str::to_owned),
            description: record.description.map(str::to_owned),
        })
    }
}

impl<'b> From<&'b ChangeEvent<Listed>> for ListedChangeRecord<'b> {
    fn from(event: &'b ChangeEvent<Listed>) -> Self {
        Self {
            id: &event.id.0,
            before: event.change.before.as_ref().map(Into::into),
            after: event.change.after.as_ref().map(Into::into),
            fields: event.change.fields.bits(),
            source: source_number(event.source),
            observed: event.observed.0,
            happened: event.happened.map(|time| time.0),
            snapshot_age_seconds: event.snapshot_age_seconds,
        }
    }
}

impl TryFrom<ListedChangeRecord<'_>> for ChangeEvent<Listed> {
    type Error = WireError;

    fn try_from(record: ListedChangeRecord<'_>) -> Result<Self, WireError> {
        let id = record.id.try_into().map_err(|_| contradiction("its change's id has not 16 bytes"))?;
        let before: Option<Listed> = record.before.map(TryInto::try_into).transpose()?;
        let after: Option<Listed> = record.after.map(TryInto::try_into).transpose()?;
        let keys: Vec<ListedKey> = [&before, &after].into_iter().flatten().map(|side| side.key()).collect();
        let Some(key) = keys.first().cloned() else {
            return Err(contradiction("it is a change with neither a before nor an after"));
        };
        if keys.iter().any(|other| *other != key) {
            return Err(contradiction("it is a change from one entity to another"));
        }
        Ok(Self {
            id: ChangeId(id),
            change: Change { key, before, after, fields: AspectSet::from_bits(record.fields) },
            source: source_of(record.source)?,
            observed: Timestamp(record.observed),
            happened: record.happened.map(Timestamp),
            rule: String::new(),
            snapshot_age_seconds: record.snapshot_age_seconds,
            who: Who::default(),
            moved_from: None,
            is_fleeting: false,
        })
    }
}

pub(crate) fn list_number(kind: ListKind) -> u8 {
    match kind {
        ListKind::Daemons => 0,
        ListKind::Software => 1,
        ListKind::Services => 2,
    }
}

pub(crate) fn list_of(number: u8) -> Result<ListKind, WireError> {
    match number {
        0 => Ok(ListKind::Daemons),
        1 => Ok(ListKind::Software),
        2 => Ok(ListKind::Services),
        other => Err(unknown("list", other)),
    }
}

pub(crate) fn part_number(part: ListPart) -> u8 {
    match part {
        ListPart::Systemd => 0,
        ListPart::Init => 1,
        ListPart::Dpkg => 2,
        ListPart::Rpm => 3,
        ListPart::Apk => 4,
        ListPart::Snap => 5,
        ListPart::Flatpak => 6,
        ListPart::Services => 7,
        ListPart::Programs => 8,
    }
}

pub(crate) fn part_of(number: u8) -> Result<ListPart, WireError> {
    let part = ListPart::ALL.into_iter().find(|part| part_number(*part) == number);
    part.ok_or_else(|| unknown("part of a list", number))
}

fn unknown(field: &'static str, value: u8) -> WireError {
    WireError::Unknown { what: WHAT, field, value: value.into() }
}

fn contradiction(problem: &'static str) -> WireError {
    WireError::Contradiction { what: WHAT, problem }
}

const WHAT: &str = "entity of a list";
