//! What a sensor reports: changes, gaps, and what there is.

use fim_core::{
    AspectSet, Change, ChangeEvent, ChangeId, ChangeSource, Entity, EntityKey, Gap, GapCause, GapScope,
    Listed, Timestamp, Who,
};
use minicbor::{Decode, Encode};

use crate::WireError;
use crate::entity::{EntityRecord, KeyRecord};
use crate::error::{from_bytes, to_bytes};
use crate::listed::{ListedChangeRecord, ListedRecord, list_number, list_of, part_number, part_of};
use crate::who::WhoRecord;

/// What a sensor reports.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every report is a change, so that a box would save nothing"
)]
pub enum Report {
    /// An entity changed.
    Change(ChangeEvent),
    /// A stretch was not watched.
    Gap(Gap),
    /// An entity of a list changed.
    Listed(ChangeEvent<Listed>),
    /// What an entity is, whether it changed or not.
    Inventory(Inventory),
}

/// What an entity is at a moment: a record of the machine's inventory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inventory {
    /// When it was seen, by the sensor's clock.
    pub observed: Timestamp,
    /// What was seen.
    pub seen: Seen,
}

/// What an inventory is about.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every record is of a file, so that a box would save nothing"
)]
pub enum Seen {
    /// Something with a path.
    File(Entity),
    /// An entity of a list.
    Listed(Listed),
}

/// The bytes of a report; what the sensor's spool holds.
pub fn encode_report(report: &Report) -> Vec<u8> {
    to_bytes(&ReportRecord::from(report))
}

/// The report in the bytes.
///
/// # Errors
///
/// Says what is wrong with the bytes and where.
pub fn decode_report(bytes: &[u8]) -> Result<Report, WireError> {
    from_bytes::<ReportRecord<'_>>(WHAT, bytes)?.try_into()
}

/// Exactly one of them is there. A kind of report that is added later gets a number of its own.
#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct ReportRecord<'b> {
    #[b(0)]
    change: Option<ChangeRecord<'b>>,
    #[b(1)]
    gap: Option<GapRecord<'b>>,
    #[b(2)]
    listed: Option<ListedChangeRecord<'b>>,
    #[b(3)]
    inventory: Option<InventoryRecord<'b>>,
}

/// Exactly one of the two is there.
#[derive(Decode, Encode)]
#[cbor(map)]
struct InventoryRecord<'b> {
    #[n(0)]
    observed: i64,
    #[b(1)]
    file: Option<EntityRecord<'b>>,
    #[b(2)]
    listed: Option<ListedRecord<'b>>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct ChangeRecord<'b> {
    #[cbor(n(0), with = "minicbor::bytes")]
    id: &'b [u8],
    #[b(1)]
    key: KeyRecord<'b>,
    #[b(2)]
    before: Option<EntityRecord<'b>>,
    #[b(3)]
    after: Option<EntityRecord<'b>>,
    #[n(4)]
    fields: u32,
    #[n(5)]
    source: u8,
    #[n(6)]
    observed: i64,
    #[n(7)]
    happened: Option<i64>,
    #[b(8)]
    rule: &'b str,
    #[n(9)]
    snapshot_age_seconds: Option<u64>,
    #[b(10)]
    who: Option<WhoRecord<'b>>,
    #[b(11)]
    moved_from: Option<KeyRecord<'b>>,
    #[n(12)]
    is_fleeting: Option<bool>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
pub(crate) struct GapRecord<'b> {
    /// Everything, if it is missing.
    #[b(0)]
    within: Option<KeyRecord<'b>>,
    #[n(1)]
    start: i64,
    #[n(2)]
    end: Option<i64>,
    #[n(3)]
    cause: u8,
    #[b(4)]
    detail: &'b str,
    /// The list, if it is all of one that was not watched.
    #[n(5)]
    list: Option<u8>,
    /// The part of that list, if it is one that was not watched.
    #[n(6)]
    part: Option<u8>,
}

impl<'b> From<&'b Report> for ReportRecord<'b> {
    fn from(report: &'b Report) -> Self {
        let none = Self { change: None, gap: None, listed: None, inventory: None };
        match report {
            Report::Change(event) => Self { change: Some(event.into()), ..none },
            Report::Gap(gap) => Self { gap: Some(gap.into()), ..none },
            Report::Listed(event) => Self { listed: Some(event.into()), ..none },
            Report::Inventory(inventory) => Self { inventory: Some(inventory.into()), ..none },
        }
    }
}

impl TryFrom<ReportRecord<'_>> for Report {
    type Error = WireError;

    fn try_from(record: ReportRecord<'_>) -> Result<Self, WireError> {
        match (record.change, record.gap, record.listed, record.inventory) {
            (Some(change), None, None, None) => Ok(Self::Change(change.try_into()?)),
            (None, Some(gap), None, None) => Ok(Self::Gap(gap.try_into()?)),
            (None, None, Some(change), None) => Ok(Self::Listed(change.try_into()?)),
            (None, None, None, Some(inventory)) => Ok(Self::Inventory(inventory.try_into()?)),
            (None, None, None, None) => Err(contradiction(
                "it is of no kind that is known here: the writer may be newer, upgrade the reader",
            )),
            _ => Err(contradiction("it is two reports in one")),
        }
    }
}

impl<'b> From<&'b Inventory> for InventoryRecord<'b> {
    fn from(inventory: &'b Inventory) -> Self {
        let (file, listed) = match &inventory.seen {
            Seen::File(entity) => (Some(entity.into()), None),
            Seen::Listed(listed) => (None, Some(listed.into())),
        };
        Self { observed: inventory.observed.0, file, listed }
    }
}

impl TryFrom<InventoryRecord<'_>> for Inventory {
    type Error = WireError;

    fn try_from(record: InventoryRecord<'_>) -> Result<Self, WireError> {
        let seen = match (record.file, record.listed) {
            (Some(entity), None) => Seen::File(entity.try_into()?),
            (None, Some(listed)) => Seen::Listed(listed.try_into()?),
            (None, None) | (Some(_), Some(_)) => {
                return Err(contradiction("its inventory is not of exactly one entity"));
            }
        };
        Ok(Self { observed: Timestamp(record.observed), seen })
    }
}

impl<'b> From<&'b ChangeEvent> for ChangeRecord<'b> {
    fn from(event: &'b ChangeEvent) -> Self {
        Self {
            id: &event.id.0,
            key: (&event.change.key).into(),
            before: event.change.before.as_ref().map(Into::into),
            after: event.change.after.as_ref().map(Into::into),
            fields: event.change.fields.bits(),
            source: source_number(event.source),
            observed: event.observed.0,
            happened: event.happened.map(|time| time.0),
            rule: &event.rule,
            snapshot_age_seconds: event.snapshot_age_seconds,
            who: (event.who != Who::default()).then(|| (&event.who).into()),
            moved_from: event.moved_from.as_ref().map(Into::into),
            is_fleeting: event.is_fleeting.then_some(true),
        }
    }
}

impl TryFrom<ChangeRecord<'_>> for ChangeEvent {
    type Error = WireError;

    fn try_from(record: ChangeRecord<'_>) -> Result<Self, WireError> {
        let id = record.id.try_into().map_err(|_| contradiction("its id has not 16 bytes"))?;
        let key: EntityKey = record.key.try_into()?;
        let change: Change = Change {
            before: record.before.map(TryInto::try_into).transpose()?,
            after: record.after.map(TryInto::try_into).transpose()?,
            fields: AspectSet::from_bits(record.fields),
            key,
        };
        if change.before.is_none() && change.after.is_none() {
            return Err(contradiction("it is a change with neither a before nor an after"));
        }
        if [&change.before, &change.after].into_iter().flatten().any(|entity| entity.key != change.key) {
            return Err(contradiction("its before or after is of another entity"));
        }
        Ok(Self {
            id: ChangeId(id),
            change,
            source: source_of(record.source)?,
            observed: Timestamp(record.observed),
            happened: record.happened.map(Timestamp),
            rule: record.rule.to_owned(),
            snapshot_age_seconds: record.snapshot_age_seconds,
            who: record.who.map(TryInto::try_into).transpose()?.unwrap_or_default(),
            moved_from: record.moved_from.map(TryInto::try_into).transpose()?,
            is_fleeting: record.is_fleeting.unwrap_or(false),
        })
    }
}

impl<'b> From<&'b Gap> for GapRecord<'b> {
    fn from(gap: &'b Gap) -> Self {
        Self {
            within: match &gap.scope {
                GapScope::Everything | GapScope::List(_) | GapScope::Part(_) => None,
                GapScope::Within(path) => Some(path.into()),
            },
            list: match &gap.scope {
                GapScope::List(kind) => Some(list_number(*kind)),
                GapScope::Part(part) => Some(list_number(part.list())),
                GapScope::Everything | GapScope::Within(_) => None,
            },
            part: match &gap.scope {
                GapScope::Part(part) => Some(part_number(*part)),
                GapScope::Everything | GapScope::Within(_) | GapScope::List(_) => None,
            },
            start: gap.start.0,
            end: gap.end.map(|time| time.0),
            cause: cause_number(gap.cause),
            detail: &gap.detail,
        }
    }
}

impl TryFrom<GapRecord<'_>> for Gap {
    type Error = WireError;

    fn try_from(record: GapRecord<'_>) -> Result<Self, WireError> {
        if record.end.is_some_and(|end| end < record.start) {
            return Err(contradiction("it is a gap that ends before it starts"));
        }
        let part = record.part.map(part_of).transpose()?;
        let scope = match (record.within, record.list) {
            (None, None) if part.is_some() => {
                return Err(contradiction("it is a gap of a part of no list"));
            }
            (None, None) => GapScope::Everything,
            (Some(key), None) => match key.try_into()? {
                EntityKey::File(path) => GapScope::Within(path),
            },
            (None, Some(list)) => match (list_of(list)?, part) {
                (kind, None) => GapScope::List(kind),
                (kind, Some(part)) if part.list() == kind => GapScope::Part(part),
                (_, Some(_)) => return Err(contradiction("it is a gap of a part of another list")),
            },
            (Some(_), Some(_)) => return Err(contradiction("it is a gap of a place and of a list")),
        };
        Ok(Self {
            scope,
            start: Timestamp(record.start),
            end: record.end.map(Timestamp),
            cause: cause_of(record.cause)?,
            detail: record.detail.to_owned(),
        })
    }
}

pub(crate) fn source_number(source: ChangeSource) -> u8 {
    match source {
        ChangeSource::Scan => 0,
        ChangeSource::RealTime => 1,
        ChangeSource::Agentless => 2,
    }
}

pub(crate) fn source_of(number: u8) -> Result<ChangeSource, WireError> {
    match number {
        0 => Ok(ChangeSource::Scan),
        1 => Ok(ChangeSource::RealTime),
        2 => Ok(ChangeSource::Agentless),
        other => Err(unknown("source", other)),
    }
}

fn cause_number(cause: GapCause) -> u8 {
    match cause {
        GapCause::AgentStopped => 0,
        GapCause::AgentNotReporting => 1,
        GapCause::Unreadable => 2,
        GapCause::ScanCutShort => 3,
        GapCause::StateLost => 4,
        GapCause::SpoolFull => 5,
        GapCause::SpoolDamaged => 6,
        GapCause::ReportRejected => 7,
        GapCause::RecordsLost => 12,
        GapCause::TooManyGaps => 13,
        GapCause::NoticesLost => 8,
        GapCause::MountsChanged => 9,
        GapCause::AgentSuspended => 10,
        GapCause::ClockChanged => 11,
        GapCause::BaselinePending => 14,
        GapCause::RuleUnusable => 15,
    }
}

fn cause_of(number: u8) -> Result<GapCause, WireError> {
    Ok(match number {
        0 => GapCause::AgentStopped,
        1 => GapCause::AgentNotReporting,
        2 => GapCause::Unreadable,
        3 => GapCause::ScanCutShort,
        4 => GapCause::StateLost,
        5 => GapCause::SpoolFull,
        6 => GapCause::SpoolDamaged,
        7 => GapCause::ReportRejected,
        12 => GapCause::RecordsLost,
        13 => GapCause::TooManyGaps,
        8 => GapCause::NoticesLost,
        9 => GapCause::MountsChanged,
        10 => GapCause::AgentSuspended,
        11 => GapCause::ClockChanged,
        14 => GapCause::BaselinePending,
        15 => GapCause::RuleUnusable,
        other => return Err(unknown("cause", other)),
    })
}

fn unknown(field: &'static str, value: u8) -> WireError {
    WireError::Unknown { what: WHAT, field, value: value.into() }
}

fn contradiction(problem: &'static str) -> WireError {
    WireError::Contradiction { what: WHAT, problem }
}

const WHAT: &str = "report";
