//! What a change and a gap are in the columns of the published tables; pure.

use fim_core::windows::{Hive, RegistryName};
use fim_core::{
    Aspect, AspectSet, ChangeCategory, ChangeEvent, Entity, EntityPath, Gap, Monitored, PathStyle, Timestamp,
    acl_text, attributes_text, checksum_text, value_text,
};
use fim_store::Value;

use super::who::{principal_text, who_columns};
use crate::control::{OpenGap, Unwatched};

/// One row as column names with their values; columns that are not named are unknown.
pub type Columns = Vec<(&'static str, Value<'static>)>;

/// Whose rows they are.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The machine's name.
    pub computer: &'a str,
    /// The machine's id.
    pub machine: &'a str,
    /// `Linux` or `Windows`.
    pub os_type: &'a str,
    /// The machine's resource id.
    pub resource: &'a str,
    /// Its subscription's id.
    pub subscription: &'a str,
}

impl Source<'_> {
    /// What the column `SourceSystem` says of machines of its kind.
    pub fn system(&self) -> &str {
        match self.os_type {
            "Windows" => "OpsManager",
            other => other,
        }
    }
}

/// The row of `ConfigurationChange` for a change; `None` if it has neither a before nor an after, which no sensor
/// sends. Its time is [`row_time`]; where that is not what the sensor claims, the claim is in `EventTime`.
pub fn change_columns(source: Source<'_>, event: &ChangeEvent, received: Timestamp) -> Option<Columns> {
    let change = &event.change;
    let category = change.category()?;
    let path = change.key.path();
    let mut columns = common_columns(source, event, category, &file_fields_changed(event), received);
    columns.push(("ConfigChangeType", text(type_of(path))));
    columns.extend(place_columns(path));
    if let Some(from) = &event.moved_from {
        columns.push(("PreviousFileSystemPath", Value::Owned(from.path().to_string())));
    }
    if let Some(after) = &change.after {
        columns.extend(CURRENT.into_iter().zip(entity_values(after)));
        columns.extend(value_columns(after, ["ValueType", "ValueData"]));
    }
    if let Some(before) = &change.before {
        columns.extend(PREVIOUS.into_iter().zip(entity_values(before)));
        columns.extend(value_columns(before, ["PreviousValueType", "PreviousValueData"]));
    }
    columns.extend(who_columns(event));
    Some(columns)
}

/// What kind of thing lies at a path, in the words of the columns `ConfigChangeType` and `ConfigDataType`.
pub(super) fn type_of(path: &EntityPath) -> &'static str {
    if Hive::of(path).is_some() { REGISTRY } else { FILES }
}

/// The columns that say where something is.
pub(super) fn place_columns(path: &EntityPath) -> Columns {
    match RegistryName::of(path) {
        None => {
            vec![("Name", Value::Owned(name_of(path))), ("FileSystemPath", Value::Owned(path.to_string()))]
        }
        Some(RegistryName { hive, key, value }) => {
            let last = key.rsplit('\\').next().unwrap_or_default().to_owned();
            let mut columns = vec![
                ("Name", Value::Owned(value.clone().unwrap_or(last))),
                ("Hive", text(hive)),
                ("RegistryKey", Value::Owned(key)),
            ];
            columns.extend(value.map(|name| ("ValueName", Value::Owned(name))));
            columns
        }
    }
}

/// The columns of what a value of the registry holds.
pub(super) fn value_columns(entity: &Entity, names: [&'static str; 2]) -> Columns {
    let texts = value_text(entity).map(|(value_type, data)| [value_type, data]);
    texts.map_or_else(Vec::new, |texts| names.into_iter().zip(texts.map(Value::Owned)).collect())
}

/// What an entity is called in lists: its path, or key and value.
pub(super) fn entity_text(path: &EntityPath) -> String {
    RegistryName::of(path).map_or_else(|| path.to_string(), |name| name.to_string())
}

/// The time of a row about something that was seen at `observed`, by the sensor's clock. A clock that is ahead does not
/// write into the future, and none writes further back than agents keep reports: tables are kept in files of one day,
/// so that times at will would be files at will.
pub fn row_time(observed: Timestamp, received: Timestamp) -> Timestamp {
    observed.clamp(received.plus_nanos(-OLDEST_NANOS), received)
}

/// When it happened, as the sensor claims. Clocks that differ a little are no claim.
pub fn event_time<E: Monitored>(event: &ChangeEvent<E>, received: Timestamp) -> Option<Timestamp> {
    let row_time = row_time(event.observed, received);
    let is_moved = row_time.nanos_since(event.observed).saturating_abs() > SKEW_NANOS;
    event.happened.or_else(|| is_moved.then_some(event.observed))
}

/// The name of the user that a change is put down to: of the process that acted last.
pub fn account_of<E: Monitored>(event: &ChangeEvent<E>) -> Option<String> {
    event.who.actors.last()?.user.as_ref().map(principal_text)
}

/// What the rows of all changes have in common.
pub(super) fn common_columns<E: Monitored>(
    source: Source<'_>,
    event: &ChangeEvent<E>,
    category: ChangeCategory,
    fields_changed: &[&str],
    received: Timestamp,
) -> Columns {
    let age = event.snapshot_age_seconds.and_then(|age| i64::try_from(age).ok());
    let mut columns: Columns = vec![
        ("TimeGenerated", Value::Time(row_time(event.observed, received))),
        ("Computer", text(source.computer)),
        ("SourceComputerId", text(source.machine)),
        ("VMUUID", text(source.machine)),
        ("SourceSystem", text(source.system())),
        ("ChangeCategory", text(category.name())),
        ("ChangeSource", text(event.source.name())),
        ("EventTime", Value::from(event_time(event, received))),
        ("RuleName", text(&event.rule)),
        ("ChangeId", Value::Owned(event.id.to_string())),
        ("_TimeReceived", Value::Time(received)),
        ("LastSnapshotAge", Value::from(age)),
    ];
    if category == ChangeCategory::Modified {
        columns.push(("FieldsChanged", Value::Owned(fields_changed.join(", "))));
    }
    columns
}

/// The names of the fields that differ, as `FieldsChanged` lists them.
pub fn fields_changed<E: Monitored>(event: &ChangeEvent<E>) -> Vec<&'static str> {
    event.change.fields.iter().map(Aspect::field_name).collect()
}

/// The names of the fields of a file that differ. The published column names columns of the record, and `Acls` is one that
/// says what the mode grants where there is no list beyond it: it is named wherever it is known to differ.
pub fn file_fields_changed(event: &ChangeEvent) -> Vec<&'static str> {
    let acls = event.change.before.as_ref().zip(event.change.after.as_ref());
    let acls = acls.map(|(before, after)| (acl_text(before), acl_text(after)));
    let differs = acls.is_some_and(|(before, after)| {
        // What is not known is empty, and says nothing of a difference.
        !before.is_empty() && !after.is_empty() && before != after
    });
    let fields: AspectSet = event.change.fields.iter().chain(differs.then_some(Aspect::Acl)).collect();
    fields.iter().map(Aspect::field_name).collect()
}

/// The row of `Coverage` for a gap.
pub fn gap_columns(source: Source<'_>, gap: &Gap, provider: &str, received: Timestamp) -> Columns {
    let unwatched = Unwatched::from(&gap.scope);
    let cause = gap.cause.name();
    coverage_columns(source, (&unwatched, cause, gap.start), gap.end, &gap.detail, provider, received)
}

/// The row of `Coverage` that ends a gap which the server has kept as open.
pub fn ended_columns(source: Source<'_>, gap: &OpenGap, end: Timestamp, received: Timestamp) -> Columns {
    let key = (&gap.unwatched, gap.cause.as_str(), gap.start);
    coverage_columns(source, key, Some(end.max(gap.start)), &gap.detail, SERVER, received)
}

/// What it is about, cause and start tell one gap of a machine from another.
fn coverage_columns(
    source: Source<'_>,
    (unwatched, cause, start): (&Unwatched, &str, Timestamp),
    end: Option<Timestamp>,
    detail: &str,
    provider: &str,
    received: Timestamp,
) -> Columns {
    vec![
        ("TimeGenerated", Value::Time(row_time(end.unwrap_or(start), received))),
        ("Computer", text(source.computer)),
        ("SourceComputerId", text(source.machine)),
        ("SourceSystem", text(source.system())),
        ("Scope", text(unwatched.scope())),
        ("ConfigChangeType", text(unwatched.change_type())),
        ("StartTime", Value::Time(start)),
        ("EndTime", Value::from(end)),
        ("Cause", text(cause)),
        ("Detail", text(detail)),
        ("Provider", text(provider)),
    ]
}

/// The values of one side, in the order of [`CURRENT`] and [`PREVIOUS`].
fn entity_values(entity: &Entity) -> [Value<'static>; 6] {
    let attributes = &entity.attributes;
    [
        Value::from(attributes.size_bytes.and_then(|size| i64::try_from(size).ok())),
        // A file system that keeps no birth time leaves the inode's change time, as the published collector does.
        Value::from(attributes.created.or(attributes.changed)),
        Value::from(attributes.modified),
        Value::Owned(attributes_text(entity)),
        Value::Owned(acl_text(entity)),
        Value::Owned(checksum_text(entity)),
    ]
}

/// The last segment, escaped as the path is.
pub(super) fn name_of(path: &EntityPath) -> String {
    match (path.file_name(), path.style()) {
        (Some(name), PathStyle::Unix) => EntityPath::unix(name).to_string(),
        (Some(name), PathStyle::Windows) => EntityPath::windows(name).to_string(),
        (None, PathStyle::Unix | PathStyle::Windows) => path.to_string(),
    }
}

pub(super) fn text(text: &str) -> Value<'static> {
    Value::Owned(text.to_owned())
}

/// A minute.
const SKEW_NANOS: i64 = 60 * 1_000_000_000;
/// 30 days.
pub const OLDEST_NANOS: i64 = 30 * 24 * 3600 * 1_000_000_000;
/// Everything, in the columns that name a part: all that is monitored, all machines.
pub const EVERYTHING: &str = "*";
/// What the column `ConfigChangeType` says of files and all else that has a path.
pub const FILES: &str = "Files";
/// What it says of keys and values of the registry of Windows.
pub const REGISTRY: &str = "Registry";
/// What the column `Provider` says of stretches that the server itself noticed.
pub const SERVER: &str = "server";
/// The columns of what is there now.
const CURRENT: [&str; 6] =
    ["Size", "DateCreated", "DateModified", "Attributes", "Acls", "FileContentChecksum"];
/// The columns of what was there before, in the same order.
const PREVIOUS: [&str; 6] = [
    "PreviousSize",
    "PreviousDateCreated",
    "PreviousDateModified",
    "PreviousAttributes",
    "PreviousAcls",
    "PreviousFileContentChecksum",
];

#[cfg(test)]
mod tests {
    use fim_core::{
        Acl, Change, ChangeId, ChangeSource, Digest, EntityKey, EntityKind, FileAttributes, GapCause,
        GapScope, Principal, RegistryAttributes, Who, Xattr,
    };

    use super::*;
    use crate::clock::Moment;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn an_added_file_fills_only_the_current_columns() {
        check(
            event(None, Some(hosts())),
            "
            TimeGenerated = 2027-01-15T08:00:05.0000000Z
            Computer = web01
            SourceComputerId = 11111111-2222-3333-4444-555555555555
            VMUUID = 11111111-2222-3333-4444-555555555555
            SourceSystem = Linux
            ChangeCategory = Added
            ChangeSource = Scan
            RuleName = /etc
            ChangeId = abababababababababababababababab
            _TimeReceived = 2027-01-15T08:16:40.0000000Z
            LastSnapshotAge = 900
            ConfigChangeType = Files
            Name = hosts
            FileSystemPath = /etc/hosts
            Size = 12
            DateCreated = 2027-01-15T08:00:00.0000000Z
            DateModified = 2027-01-15T08:00:01.0000000Z
            Attributes = Type=File; Mode=0644; Owner=root(0); Group=(5); Inode=42; Links=1
            Acls = user::rw-,group::r--,other::r--
            FileContentChecksum = @{{Algoritm=SHA-256 Hash=0101010101010101010101010101010101010101010101010101010101010101 Path=/etc/hosts}}
            ",
        );
    }

    #[test]
    fn a_removed_file_fills_only_the_previous_columns_and_its_path() {
        check_some(
            event(Some(hosts()), None),
            &[
                "ChangeCategory",
                "FileSystemPath",
                "PreviousSize",
                "PreviousDateCreated",
                "PreviousAcls",
                "Size",
                "Acls",
                "FieldsChanged",
            ],
            "
            ChangeCategory = Removed
            FileSystemPath = /etc/hosts
            PreviousSize = 12
            PreviousDateCreated = 2027-01-15T08:00:00.0000000Z
            PreviousAcls = user::rw-,group::r--,other::r--
            ",
        );
    }

    #[test]
    fn a_modified_file_names_the_fields_that_differ_in_their_order() {
        let mut after = hosts();
        after.attributes.mode = Some(0o4755);
        after.attributes.size_bytes = Some(99);
        after.digest = None;
        let mut event = event(Some(hosts()), Some(after));
        event.change.fields = [Aspect::Mode, Aspect::Size, Aspect::Content].into_iter().collect();
        check_some(
            event,
            &["FieldsChanged", "Size", "PreviousSize", "Attributes", "Acls", "FileContentChecksum"],
            "
            FieldsChanged = FileContentChecksum, Size, Mode, Acls
            Size = 99
            PreviousSize = 12
            Attributes = Type=File; Mode=4755; Owner=root(0); Group=(5); Inode=42; Links=1
            Acls = user::rwx,group::r-x,other::r-x
            FileContentChecksum =
            ",
        );
    }

    #[test]
    fn the_list_that_stands_for_the_mode_is_named_only_where_it_is_known_to_differ() {
        let fields = |before: Option<u16>, after: Option<u16>| {
            let of = |mode| {
                let mut entity = hosts();
                entity.attributes.mode = mode;
                entity
            };
            let mut event = event(Some(of(before)), Some(of(after)));
            event.change.fields = [Aspect::Owner].into_iter().collect();
            file_fields_changed(&event)
        };
        assert_eq!(fields(Some(0o644), Some(0o600)), ["Owner", "Acls"]);
        // The list has nothing of what lies beyond the nine rights.
        assert_eq!(fields(Some(0o644), Some(0o4644)), ["Owner"]);
        assert_eq!(fields(None, Some(0o600)), ["Owner"]);
    }

    #[test]
    fn links_xattrs_and_lists_are_told_in_one_line() {
        let mut link = hosts();
        link.kind = EntityKind::Symlink;
        link.attributes.target = Some(b"../a\nb\xff".to_vec());
        link.attributes.acl = Some(Acl("user::rw-\nuser:7:r--\n".to_owned()));
        link.attributes.xattrs = Some(vec![
            Xattr { name: b"security.capability".to_vec(), value: vec![1] },
            Xattr { name: b"user.x".to_vec(), value: vec![] },
        ]);
        check_some(
            event(None, Some(link)),
            &["Attributes", "Acls"],
            "
            Attributes = Type=Symlink; Mode=0644; Owner=root(0); Group=(5); Inode=42; Links=1; Target=../a\\x0ab\\xff; Capabilities=0x01; Xattrs=user.x
            Acls = user::rw-,user:7:r--
            ",
        );
    }

    #[test]
    fn a_value_of_the_registry_tells_key_type_and_data_before_and_after() {
        let value = |value_type: u32, data: &[u8], digest: u8| Entity {
            key: EntityKey::File(EntityPath::windows(*br"HKEY_LOCAL_MACHINE\SOFTWARE\Run:Updater")),
            attributes: FileAttributes {
                registry: Some(RegistryAttributes::Value { value_type, data: Some(data.to_vec()) }),
                ..FileAttributes::default()
            },
            digest: Some(Digest([digest; 32])),
            ..hosts()
        };
        let mut event = event(Some(value(1, b"a\0\0\0", 1)), Some(value(4, &[7, 0, 0, 0], 2)));
        event.change.key = value(1, b"", 1).key;
        event.change.fields = [Aspect::ValueType, Aspect::ValueData].into_iter().collect();
        check_some(
            event,
            &[
                "ConfigChangeType",
                "Name",
                "FileSystemPath",
                "Hive",
                "RegistryKey",
                "ValueName",
                "ValueType",
                "ValueData",
                "PreviousValueType",
                "PreviousValueData",
                "FieldsChanged",
                "Attributes",
            ],
            r"
            ConfigChangeType = Registry
            Name = Updater
            Hive = HKEY_LOCAL_MACHINE
            RegistryKey = HKEY_LOCAL_MACHINE\SOFTWARE\Run
            ValueName = Updater
            ValueType = REG_DWORD
            ValueData = 7
            PreviousValueType = REG_SZ
            PreviousValueData = a
            FieldsChanged = ValueType, ValueData
            Attributes = Type=RegistryValue
            ",
        );
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let mut poor = hosts();
        poor.attributes = FileAttributes { changed: Some(at(9)), ..FileAttributes::default() };
        poor.digest = None;
        check_some(
            event(None, Some(poor)),
            &["Size", "DateCreated", "DateModified", "Attributes", "Acls", "FileContentChecksum"],
            "
            DateCreated = 2027-01-15T08:00:09.0000000Z
            Attributes = Type=File
            Acls =
            FileContentChecksum =
            ",
        );
    }

    #[test]
    fn a_sensor_whose_clock_is_ahead_cannot_write_into_the_future() {
        let mut event = event(None, Some(hosts()));
        event.observed = at(1_000_000);
        check_some(
            event,
            &["TimeGenerated", "EventTime"],
            "TimeGenerated = 2027-01-15T08:16:40.0000000Z
            EventTime = 2027-01-26T21:46:40.0000000Z",
        );
    }

    #[test]
    fn times_at_will_are_rows_of_a_month_and_the_claim_is_kept() {
        const DAY: i64 = 24 * 3600;
        let days: std::collections::BTreeSet<i64> =
            (0..4000).map(|day| row_time(at(-day * DAY), at(0)).0.div_euclid(DAY * SECOND)).collect();
        assert_eq!(days.len(), 31);
        let mut event = event(None, Some(hosts()));
        event.observed = at(-1000 * DAY);
        check_some(
            event,
            &["TimeGenerated", "EventTime"],
            "TimeGenerated = 2026-12-16T08:16:40.0000000Z
            EventTime = 2024-04-20T08:00:00.0000000Z",
        );
        assert_eq!(row_time(Timestamp(i64::MIN), Timestamp(i64::MIN)), Timestamp(i64::MIN));
    }

    #[test]
    fn a_gap_tells_scope_interval_and_cause() {
        let gap = Gap {
            scope: GapScope::Within(EntityPath::unix(*b"/root/x")),
            start: at(1),
            end: None,
            cause: GapCause::Unreadable,
            detail: "permission denied".to_owned(),
        };
        let columns = gap_columns(SOURCE, &gap, "scan", at(1000));
        assert_eq!(
            shown(&columns, None),
            lines(
                "TimeGenerated = 2027-01-15T08:00:01.0000000Z
                Computer = web01
                SourceComputerId = 11111111-2222-3333-4444-555555555555
                SourceSystem = Linux
                Scope = /root/x
                ConfigChangeType = Files
                StartTime = 2027-01-15T08:00:01.0000000Z
                Cause = Unreadable
                Detail = permission denied
                Provider = scan"
            )
        );
    }

    #[test]
    fn a_change_without_sides_is_no_row() {
        assert!(change_columns(SOURCE, &event(None, None), at(1000)).is_none());
    }

    const SOURCE: Source<'static> = Source {
        computer: "web01",
        machine: "11111111-2222-3333-4444-555555555555",
        os_type: "Linux",
        resource: "/r",
        subscription: "s",
    };

    fn check(event: ChangeEvent, expected: &str) {
        assert_eq!(shown(&change_columns(SOURCE, &event, at(1000)).unwrap(), None), lines(expected));
    }

    fn check_some(event: ChangeEvent, columns: &[&str], expected: &str) {
        let mut expected = lines(expected);
        let mut found = shown(&change_columns(SOURCE, &event, at(1000)).unwrap(), Some(columns));
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    fn shown(columns: &Columns, only: Option<&[&str]>) -> Vec<String> {
        let wanted = |name: &str| only.is_none_or(|only| only.contains(&name));
        let text = |value: &Value<'_>| match value {
            Value::Null => None,
            Value::Text(text) => Some((*text).to_owned()),
            Value::Owned(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Real(real) => Some(real.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Time(time) => Some(Moment(*time).to_string()),
        };
        let shown = columns.iter().filter(|(name, _)| wanted(name));
        shown
            .filter_map(|(name, value)| Some(format!("{name} = {}", text(value)?).trim_end().to_owned()))
            .collect()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp((1_800_000_000 + seconds) * SECOND)
    }

    fn event(before: Option<Entity>, after: Option<Entity>) -> ChangeEvent {
        ChangeEvent {
            id: ChangeId([0xab; 16]),
            change: Change {
                key: EntityKey::File(EntityPath::unix(*b"/etc/hosts")),
                before,
                after,
                fields: AspectSet::NONE,
            },
            source: ChangeSource::Scan,
            observed: at(5),
            happened: None,
            rule: "/etc".to_owned(),
            snapshot_age_seconds: Some(900),
            who: Who::default(),
            moved_from: None,
            is_fleeting: false,
        }
    }

    fn hosts() -> Entity {
        Entity {
            key: EntityKey::File(EntityPath::unix(*b"/etc/hosts")),
            kind: EntityKind::File,
            attributes: FileAttributes {
                size_bytes: Some(12),
                mode: Some(0o644),
                owner: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
                group: Some(Principal { id: 5.into(), name: None }),
                modified: Some(at(1)),
                changed: Some(at(2)),
                created: Some(at(0)),
                inode: Some(42),
                links: Some(1),
                acl: Some(Acl::default()),
                ..FileAttributes::default()
            },
            digest: Some(Digest([1; 32])),
        }
    }
}
