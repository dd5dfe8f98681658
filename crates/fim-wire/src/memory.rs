//! What a tracker is given at the next start.

use fim_core::{AspectSet, Gap, Links, Memory, OpenGap, PathStyle, PathType, Rule, RuleSet, Timestamp};
use minicbor::{Decode, Encode};

use crate::WireError;
use crate::error::{from_bytes, to_bytes};
use crate::report::GapRecord;

/// The bytes of a tracker's memory.
pub fn encode_memory(memory: &Memory) -> Vec<u8> {
    to_bytes(&MemoryRecord {
        is_windows: memory.baselined.style() == PathStyle::Windows,
        baselined: memory.baselined.rules().map(Into::into).collect(),
        last_complete: memory.last_complete.map(|time| time.0),
        open_gaps: memory.open_gaps.iter().map(Into::into).collect(),
    })
}

/// The memory in the bytes. The variables in its rules are to be resolved again.
///
/// # Errors
///
/// Says what is wrong with the bytes and where.
pub fn decode_memory(bytes: &[u8]) -> Result<Memory, WireError> {
    let record: MemoryRecord<'_> = from_bytes(WHAT, bytes)?;
    let style = if record.is_windows { PathStyle::Windows } else { PathStyle::Unix };
    let rules = record.baselined.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    let baselined = RuleSet::new(rules, style)
        .map_err(|_| WireError::Contradiction { what: WHAT, problem: "one of its rules is not valid" })?;
    Ok(Memory {
        baselined,
        last_complete: record.last_complete.map(Timestamp),
        open_gaps: record.open_gaps.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
    })
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct MemoryRecord<'b> {
    #[n(0)]
    is_windows: bool,
    #[b(1)]
    baselined: Vec<RuleRecord<'b>>,
    #[n(2)]
    last_complete: Option<i64>,
    #[b(3)]
    open_gaps: Vec<OpenGapRecord<'b>>,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct OpenGapRecord<'b> {
    #[b(0)]
    gap: GapRecord<'b>,
    #[n(1)]
    is_unknown: bool,
    #[n(2)]
    is_merged: bool,
}

#[derive(Decode, Encode)]
#[cbor(map)]
struct RuleRecord<'b> {
    #[b(0)]
    name: &'b str,
    #[b(1)]
    group: &'b str,
    #[b(2)]
    path: &'b str,
    #[b(3)]
    exclude: Vec<&'b str>,
    #[n(4)]
    recurse: bool,
    #[n(5)]
    links: u8,
    #[n(6)]
    path_type: u8,
    #[n(7)]
    watched: u32,
    #[n(8)]
    enabled: bool,
}

impl<'b> From<&'b OpenGap> for OpenGapRecord<'b> {
    fn from(open: &'b OpenGap) -> Self {
        Self { gap: (&open.gap).into(), is_unknown: open.is_unknown, is_merged: open.is_merged }
    }
}

impl TryFrom<OpenGapRecord<'_>> for OpenGap {
    type Error = WireError;

    fn try_from(record: OpenGapRecord<'_>) -> Result<Self, WireError> {
        let gap = Gap::try_from(record.gap)?;
        Ok(Self { gap, is_unknown: record.is_unknown, is_merged: record.is_merged })
    }
}

impl<'b> From<&'b Rule> for RuleRecord<'b> {
    fn from(rule: &'b Rule) -> Self {
        Self {
            name: &rule.name,
            group: &rule.group,
            path: &rule.path,
            exclude: rule.exclude.iter().map(String::as_str).collect(),
            recurse: rule.recurse,
            links: match rule.links {
                Links::Ignore => 0,
                Links::Follow => 1,
                Links::Manage => 2,
            },
            path_type: match rule.path_type {
                PathType::Any => 0,
                PathType::File => 1,
                PathType::Folder => 2,
            },
            watched: rule.watched.bits(),
            enabled: rule.enabled,
        }
    }
}

impl TryFrom<RuleRecord<'_>> for Rule {
    type Error = WireError;

    fn try_from(record: RuleRecord<'_>) -> Result<Self, WireError> {
        let unknown = |field, value: u8| WireError::Unknown { what: WHAT, field, value: value.into() };
        Ok(Self {
            name: record.name.to_owned(),
            group: record.group.to_owned(),
            path: record.path.to_owned(),
            exclude: record.exclude.into_iter().map(str::to_owned).collect(),
            recurse: record.recurse,
            links: match record.links {
                0 => Links::Ignore,
                1 => Links::Follow,
                2 => Links::Manage,
                other => return Err(unknown("links", other)),
            },
            path_type: match record.path_type {
                0 => PathType::Any,
                1 => PathType::File,
                2 => PathType::Folder,
                other => return Err(unknown("path type", other)),
            },
            watched: AspectSet::from_bits(record.watched),
            // Of what has had its baseline, the places matter.
            upload_content: false,
            enabled: record.enabled,
        })
    }
}

const WHAT: &str = "tracker's memory";
