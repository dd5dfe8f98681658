//! What there is, in the columns of the published table `ConfigurationData`; pure.

use fim_core::{
    Controller, DaemonState, Entity, Listed, StartupType, Timestamp, acl_text, attributes_text, checksum_text,
};
use fim_store::Value;
use fim_wire::{Inventory, Seen};

use super::columns::{Columns, Source, place_columns, row_time, text, type_of, value_columns};

/// The row of `ConfigurationData` for what was seen. A sensor whose clock is ahead of ours cannot write into the
/// future: `received` is the latest time there is.
pub fn inventory_columns(source: Source<'_>, inventory: &Inventory, received: Timestamp) -> Columns {
    let mut columns: Columns = vec![
        ("TimeGenerated", Value::Time(row_time(inventory.observed, received))),
        ("Computer", text(source.computer)),
        ("SourceComputerId", text(source.machine)),
        ("VMUUID", text(source.machine)),
        ("SourceSystem", text(source.system())),
    ];
    match &inventory.seen {
        Seen::File(entity) => add_file(&mut columns, entity),
        Seen::Listed(listed) => add_listed(&mut columns, listed),
    }
    columns
}

fn add_file(columns: &mut Columns, entity: &Entity) {
    let attributes = &entity.attributes;
    let path = entity.key.path();
    columns.extend([
        ("ConfigDataType", text(type_of(path))),
        ("Size", Value::from(attributes.size_bytes.and_then(|size| i64::try_from(size).ok()))),
        ("DateCreated", Value::from(attributes.created.or(attributes.changed))),
        ("DateModified", Value::from(attributes.modified)),
        ("Attributes", Value::Owned(attributes_text(entity))),
        ("Acls", Value::Owned(acl_text(entity))),
        ("FileContentChecksum", Value::Owned(checksum_text(entity))),
    ]);
    columns.extend(place_columns(path));
    columns.extend(value_columns(entity, ["ValueType", "ValueData"]));
}

fn add_listed(columns: &mut Columns, listed: &Listed) {
    let known = |value: Option<&str>| value.map_or(Value::Null, text);
    columns.push(("ConfigDataType", text(listed.list().name())));
    match listed {
        Listed::Daemon(daemon) | Listed::Service(daemon) => columns.extend([
            ("Name", text(&daemon.name)),
            ("SvcName", text(&daemon.name)),
            ("SvcDisplayName", known(daemon.display_name.as_deref())),
            ("SvcState", known(daemon.state.map(DaemonState::name))),
            ("SvcStartupType", known(daemon.startup.map(StartupType::name))),
            ("SvcAccount", known(daemon.account.as_deref())),
            (
                "SvcRunlevels",
                Value::Owned(daemon.run_levels.map(|levels| levels.to_string()).unwrap_or_default()),
            ),
            ("SvcController", known(daemon.controller.map(Controller::name))),
            ("SvcPath", known(daemon.path.as_deref())),
            ("SvcDescription", known(daemon.display_name.as_deref())),
        ]),
        Listed::Software(software) => columns.extend([
            ("Name", text(&software.name)),
            ("SoftwareName", text(&software.name)),
            ("SoftwareType", text(software.software_type.name())),
            ("Publisher", known(software.publisher.as_deref())),
            ("CurrentVersion", known(software.version.as_deref())),
            ("Architecture", known(software.architecture.as_deref())),
            ("SoftwareDescription", known(software.description.as_deref())),
        ]),
    }
}
