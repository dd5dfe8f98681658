//! Findings as text for a person, or as a line of JSON each for a program.

use std::io::{self, Write};

use fim_core::{
    Aspect, Change, ChangeCategory, Entity, EntityPath, Principal, PrincipalId, Timestamp, Xattr, acl_text,
    capabilities_text, flags_text, label_text, value_text,
};
use serde_json::{Map, Value, json};

use super::{BaselineSummary, CheckSummary, Finding, Unseen};
use crate::time::rfc3339;

/// How findings are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReportFormat {
    /// For a person.
    Text,
    /// A JSON object a line.
    Json,
}

/// Writes findings as they come, and a summary after them.
pub struct Report<W> {
    out: W,
    format: ReportFormat,
    /// The first error in writing; nothing is written after it.
    failed: Option<io::Error>,
}

impl<W: Write> Report<W> {
    /// A report to `out`.
    pub fn new(out: W, format: ReportFormat) -> Self {
        Self { out, format, failed: None }
    }

    /// Writes a finding.
    pub fn finding(&mut self, finding: &Finding) {
        match (finding, self.format) {
            (Finding::Change { category, change }, ReportFormat::Text) => {
                self.write(&change_text(*category, change));
            }
            (Finding::Change { category, change }, ReportFormat::Json) => {
                self.write_json(&change_json(*category, change));
            }
            (Finding::Unseen(unseen), _) => self.unseen(unseen),
        }
    }

    /// Writes a place that could not be read.
    pub fn unseen(&mut self, unseen: &Unseen) {
        match self.format {
            ReportFormat::Text => self.write(&format!("Unreadable {}\n    {}\n", unseen.path, unseen.why)),
            ReportFormat::Json => {
                self.write_json(&json!({
                    "type": "unreadable", "path": unseen.path.to_string(), "why": unseen.why,
                }));
            }
        }
    }

    /// Writes what a check came to, and says whether everything could be written.
    pub fn end_check(mut self, summary: &CheckSummary) -> io::Result<()> {
        let taken = rfc3339(summary.baseline_taken);
        match self.format {
            ReportFormat::Text => {
                let blank = if summary.differences() + summary.unseen > 0 { "\n" } else { "" };
                let unread = unread_text(summary.unseen);
                let text = if summary.differences() == 0 {
                    format!("No differences in {}", counted(summary.entities, "entity", "entities"))
                } else {
                    format!(
                        "{} in {}: {} added, {} modified, {} removed",
                        counted(summary.differences(), "difference", "differences"),
                        counted(summary.entities, "entity", "entities"),
                        summary.added,
                        summary.modified,
                        summary.removed
                    )
                };
                self.write(&format!("{blank}{text}{unread} (baseline of {taken}).\n"));
            }
            ReportFormat::Json => self.write_json(&json!({
                "type": "summary", "entities": summary.entities, "bytesRead": summary.bytes,
                "added": summary.added, "modified": summary.modified, "removed": summary.removed,
                "unreadable": summary.unseen, "baselineTaken": taken,
            })),
        }
        self.end()
    }

    /// Writes what a baseline covers, and says whether everything could be written.
    pub fn end_baseline(mut self, summary: &BaselineSummary) -> io::Result<()> {
        match self.format {
            ReportFormat::Text => {
                let entities = counted(summary.entities, "entity", "entities");
                let read = counted(summary.bytes, "byte", "bytes");
                let unread = unread_text(summary.unseen);
                self.write(&format!("Baseline of {entities}, {read} of content read{unread}.\n"));
            }
            ReportFormat::Json => self.write_json(&json!({
                "type": "summary", "entities": summary.entities, "bytesRead": summary.bytes,
                "unreadable": summary.unseen, "leavesItselfOut": summary.leaves_itself_out,
            })),
        }
        self.end()
    }

    fn end(mut self) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    fn write_json(&mut self, value: &Value) {
        self.write(&format!("{value}\n"));
    }

    fn write(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(text.as_bytes()).err();
        }
    }
}

fn change_text(category: ChangeCategory, change: &Change) -> String {
    let path: &EntityPath = change.key.path();
    let mut text = format!("{:<10} {path}\n", category.name());
    if let (Some(before), Some(after)) = (&change.before, &change.after) {
        for aspect in change.fields.iter() {
            let (before, after) = (aspect_text(before, aspect), aspect_text(after, aspect));
            text.push_str(&format!("    {:<20} {before} → {after}\n", aspect.field_name()));
        }
    }
    text
}

fn aspect_text(entity: &Entity, aspect: Aspect) -> String {
    let attributes = &entity.attributes;
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let time = |time: Option<Timestamp>| time.map(precise);
    let none = || "none".to_owned();
    let text = match aspect {
        Aspect::Kind => Some(entity.kind.name().to_owned()),
        Aspect::Content => entity.digest.map(|digest| digest.to_string()),
        Aspect::Size => number(attributes.size_bytes),
        Aspect::Mode => attributes.mode.map(|mode| format!("{mode:04o}")),
        Aspect::Owner => attributes.owner.as_ref().map(principal_text),
        Aspect::Group => attributes.group.as_ref().map(principal_text),
        Aspect::Modified => time(attributes.modified),
        Aspect::Changed => time(attributes.changed),
        Aspect::Created => time(attributes.created),
        Aspect::Inode => attributes.inode.map(|inode| match attributes.device {
            Some(device) => format!("{inode} on device {device}"),
            None => inode.to_string(),
        }),
        Aspect::Links => number(attributes.links),
        Aspect::Acl => Some(acl_text(entity)),
        Aspect::Capabilities => Some(capabilities_text(attributes).unwrap_or_else(none)),
        Aspect::Label => Some(label_text(attributes).unwrap_or_else(none)),
        Aspect::Flags => {
            attributes.flags.map(flags_text).map(|text| if text.is_empty() { none() } else { text })
        }
        Aspect::Mount => number(attributes.mount_id),
        Aspect::ValueType => value_text(entity).map(|(value_type, _)| value_type),
        Aspect::ValueData => value_text(entity).map(|(_, data)| data),
        Aspect::Xattrs => attributes.xattrs.as_deref().map(xattrs_text),
        Aspect::Target => attributes.target.as_deref().map(shown),
        Aspect::Path => Some(entity.key.path().to_string()),
        // These are of entities of lists, which are not looked at here.
        Aspect::State
        | Aspect::StartupType
        | Aspect::Command
        | Aspect::Account
        | Aspect::RunLevels
        | Aspect::Controller
        | Aspect::DisplayName
        | Aspect::Version
        | Aspect::Publisher
        | Aspect::Description => None,
    };
    text.unwrap_or_else(|| "unknown".to_owned())
}

fn change_json(category: ChangeCategory, change: &Change) -> Value {
    json!({
        "type": "change",
        "category": category.name(),
        "path": change.key.path().to_string(),
        "fields": change.fields.iter().map(Aspect::field_name).collect::<Vec<_>>(),
        "before": change.before.as_ref().map(entity_json),
        "after": change.after.as_ref().map(entity_json),
    })
}

fn entity_json(entity: &Entity) -> Value {
    let attributes = &entity.attributes;
    let mut fields = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(name.to_owned(), value);
        }
    };
    let principal = |principal: &Principal| json!({ "id": principal_id(principal), "name": principal.name });
    let xattr = |xattr: &Xattr| (shown(&xattr.name), json!(hex(&xattr.value)));
    add("kind", Some(json!(entity.kind.name())));
    add("sha256", entity.digest.map(|digest| json!(digest.to_string())));
    add("size", attributes.size_bytes.map(Value::from));
    add("mode", attributes.mode.map(|mode| json!(format!("{mode:04o}"))));
    add("owner", attributes.owner.as_ref().map(principal));
    add("group", attributes.group.as_ref().map(principal));
    add("modified", attributes.modified.map(|time| json!(precise(time))));
    add("changed", attributes.changed.map(|time| json!(precise(time))));
    add("created", attributes.created.map(|time| json!(precise(time))));
    add("inode", attributes.inode.map(Value::from));
    add("device", attributes.device.map(Value::from));
    add("links", attributes.links.map(Value::from));
    add("acl", attributes.acl.as_ref().map(|acl| json!(acl.0.lines().collect::<Vec<_>>())));
    add(
        "xattrs",
        attributes.xattrs.as_ref().map(|xattrs| xattrs.iter().map(xattr).collect::<Map<_, _>>().into()),
    );
    add("capabilities", capabilities_text(attributes).map(Value::from));
    add("label", label_text(attributes).map(Value::from));
    add("flags", attributes.flags.map(|flags| json!(flags_text(flags))));
    add("target", attributes.target.as_deref().map(|target| json!(shown(target))));
    fields.into()
}

/// The time in UTC with its nanoseconds: two changes in one second differ.
fn precise(time: Timestamp) -> String {
    let nanos = time.0.rem_euclid(1_000_000_000);
    rfc3339(time).replace('Z', &format!(".{nanos:09}Z"))
}

fn principal_id(principal: &Principal) -> Value {
    match &principal.id {
        PrincipalId::Number(number) => json!(number),
        PrincipalId::Sid(sid) => json!(sid.as_str()),
    }
}

fn principal_text(principal: &Principal) -> String {
    match &principal.name {
        Some(name) => format!("{name}({})", principal.id),
        None => principal.id.to_string(),
    }
}

fn xattrs_text(xattrs: &[Xattr]) -> String {
    let one = |xattr: &Xattr| format!("{}=0x{}", shown(&xattr.name), hex(&xattr.value));
    if xattrs.is_empty() { "none".to_owned() } else { xattrs.iter().map(one).collect::<Vec<_>>().join(" ") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes as paths are shown, from which they can be had back.
fn shown(bytes: &[u8]) -> String {
    EntityPath::unix(bytes).to_string()
}

fn unread_text(count: u64) -> String {
    if count == 0 {
        String::new()
    } else {
        format!("; {} could not be read", counted(count, "place", "places"))
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
