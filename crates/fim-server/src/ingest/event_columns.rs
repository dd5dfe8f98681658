//! What a change that was seen as it happened is in the columns of `MDCFileIntegrityMonitoringEvents`; pure.

use fim_core::{ChangeCategory, ChangeEvent, ChangeSource, Timestamp};
use fim_store::Value;

use super::columns::{Columns, Source, name_of};

/// The row of `MDCFileIntegrityMonitoringEvents` for a change; `None` if it was not seen as it happened, for which the
/// table has no words.
pub fn event_columns(source: Source<'_>, event: &ChangeEvent, received: Timestamp) -> Option<Columns> {
    match event.source {
        ChangeSource::RealTime => {}
        ChangeSource::Scan | ChangeSource::Agentless => return None,
    }
    let text = |text: &str| Value::Owned(text.to_owned());
    let path = event.change.key.path();
    // Of what is gone, the last that was known.
    let entity = event.change.after.as_ref().or(event.change.before.as_ref())?;
    let size = entity.attributes.size_bytes.and_then(|size| i64::try_from(size).ok());
    let digest = entity.digest.map(|digest| Value::Owned(digest.to_string()));
    Some(vec![
        ("TimeGenerated", Value::Time(event.happened.unwrap_or(event.observed).min(received))),
        ("AzureResourceId", text(source.resource)),
        ("Computer", text(source.computer)),
        ("CloudIdentifier", text(source.resource)),
        ("CloudResourceType", text("Server")),
        ("MonitoredEntityType", text("File")),
        ("ChangeType", text(change_type(event.change.category()?))),
        ("FileName", Value::Owned(name_of(path))),
        ("FilePath", Value::Owned(path.to_string())),
        ("FileSize", Value::from(size)),
        ("FileSha256", digest.unwrap_or(Value::Null)),
        ("SourceSystem", text(source.system())),
    ])
}

/// The published words for files.
fn change_type(category: ChangeCategory) -> &'static str {
    match category {
        ChangeCategory::Added => "Created",
        ChangeCategory::Modified => "Modified",
        ChangeCategory::Removed => "Deleted",
    }
}

#[cfg(test)]
mod tests {
    use fim_core::{
        AspectSet, Change, ChangeId, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes,
    };

    use super::*;

    const SOURCE: Source<'_> = Source {
        computer: "web01",
        machine: "11111111-2222-3333-4444-555555555555",
        os_type: "Linux",
        resource: "/subscriptions/s/machines/web01",
        subscription: "s",
    };

    fn event(source: ChangeSource) -> ChangeEvent {
        let key = EntityKey::File(EntityPath::unix(*b"/etc/hosts"));
        let entity = Entity {
            key: key.clone(),
            kind: EntityKind::File,
            attributes: FileAttributes { size_bytes: Some(12), ..FileAttributes::default() },
            digest: Some(Digest([1; 32])),
        };
        ChangeEvent {
            id: ChangeId([0xab; 16]),
            change: Change { key, before: Some(entity), after: None, fields: AspectSet::NONE },
            source,
            observed: Timestamp(2_000_000_000),
            happened: Some(Timestamp(1_000_000_000)),
            rule: "/etc".to_owned(),
            snapshot_age_seconds: None,
            who: fim_core::Who::default(),
            moved_from: None,
            is_fleeting: false,
        }
    }

    #[test]
    fn what_was_removed_is_told_with_the_last_that_was_known_of_it() {
        let columns =
            event_columns(SOURCE, &event(ChangeSource::RealTime), Timestamp(3_000_000_000)).unwrap();
        let value = |name| columns.iter().find(|(column, _)| *column == name).map(|(_, value)| value.clone());
        assert_eq!(value("TimeGenerated"), Some(Value::Time(Timestamp(1_000_000_000))));
        assert_eq!(value("ChangeType"), Some(Value::Owned("Deleted".to_owned())));
        assert_eq!(value("FileName"), Some(Value::Owned("hosts".to_owned())));
        assert_eq!(value("FileSize"), Some(Value::Number(12)));
        assert_eq!(value("FileSha256"), Some(Value::Owned("01".repeat(32))));
    }

    #[test]
    fn what_a_scan_found_is_not_in_that_table() {
        assert_eq!(event_columns(SOURCE, &event(ChangeSource::Scan), Timestamp(3_000_000_000)), None);
    }
}
