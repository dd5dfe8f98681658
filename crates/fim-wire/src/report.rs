//! What a sensor reports: changes and gaps.

use fim_core::{
    AspectSet, Change, ChangeEvent, ChangeId, ChangeSource, EntityKey, Gap, GapCause, GapScope, Timestamp,
    Who,
};
use minicbor::{Decode, Encode};

use crate::WireError;
use crate::entity::{EntityRecord, KeyRecord};
use crate::error::{from_bytes, to_bytes};
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
}

impl<'b> From<&'b Report> for ReportRecord<'b> {
    fn from(report: &'b Report) -> Self {
        match report {
            Report::Change(event) => Self { change: Some(event.into()), gap: None },
            Report::Gap(gap) => Self { change: None, gap: Some(gap.into()) },
        }
    }
}

impl TryFrom<ReportRecord<'_>> for Report {
    type Error = WireError;

    fn try_from(record: ReportRecord<'_>) -> Result<Self, WireError> {
        match (record.change, record.gap) {
            (Some(change), None) => Ok(Self::Change(change.try_into()?)),
            (None, Some(gap)) => Ok(Self::Gap(gap.try_into()?)),
            (None, None) => Err(contradiction(
                "it is neither a change nor a gap: the writer may be newer, upgrade the reader",
            )),
            (Some(_), Some(_)) => Err(contradiction("it is both a change and a gap")),
        }
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
            source: match event.source {
                ChangeSource::Scan => 0,
                ChangeSource::RealTime => 1,
                ChangeSource::Agentless => 2,
            },
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
        let change = Change {
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
            source: match record.source {
                0 => ChangeSource::Scan,
                1 => ChangeSource::RealTime,
                2 => ChangeSource::Agentless,
                other => return Err(unknown("source", other)),
            },
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
                GapScope::Everything => None,
                GapScope::Within(path) => Some(path.into()),
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
        let scope = match record.within {
            None => GapScope::Everything,
            Some(key) => match key.try_into()? {
                EntityKey::File(path) => GapScope::Within(path),
            },
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
