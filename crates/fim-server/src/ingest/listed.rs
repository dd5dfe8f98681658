//! What a change in a list is in the columns of the published tables; pure.

use fim_core::{
    Aspect, Change, ChangeCategory, ChangeEvent, Controller, Daemon, DaemonState, Listed, PackageManager,
    Software, StartupType, Timestamp,
};
use fim_store::Value;

use super::columns::{Columns, Source, common_columns, fields_changed, text};

/// The row of `ConfigurationChange` for a change in a list; `None` if it has neither a before nor an after, which no
/// sensor sends.
pub fn listed_change_columns(
    source: Source<'_>,
    event: &ChangeEvent<Listed>,
    received: Timestamp,
) -> Option<Columns> {
    let change = &event.change;
    let category = change.category()?;
    let mut columns = common_columns(source, event, category, &fields_changed(event), received);
    columns.push(("ConfigChangeType", text(change.key.list().name())));
    columns.push(("Name", text(change.key.name())));
    match change.after.as_ref().or(change.before.as_ref())? {
        Listed::Daemon(daemon) | Listed::Service(daemon) => {
            let before = change.before.as_ref().and_then(as_daemon);
            let after = change.after.as_ref().and_then(as_daemon);
            columns.push(("SvcName", text(&daemon.name)));
            columns.push(("SvcDisplayName", known(daemon.display_name.as_deref())));
            columns.extend(after.into_iter().flat_map(|after| NOW.into_iter().zip(daemon_values(after))));
            let is_told = |aspect| category == ChangeCategory::Removed || change.fields.contains(aspect);
            let earlier = BEFORE.into_iter().zip(before.into_iter().flat_map(daemon_values));
            columns.extend(
                earlier.filter(|((aspect, _), _)| is_told(*aspect)).map(|((_, name), value)| (name, value)),
            );
            columns.push(("SvcChangeType", Value::Owned(change_types(event))));
        }
        Listed::Software(software) => {
            let version =
                |side: &Option<Listed>| known(side.as_ref().and_then(as_software).and_then(version_of));
            columns.extend([
                ("SoftwareName", text(&software.name)),
                ("SoftwareType", text(software.software_type.name())),
                ("Publisher", known(software.publisher.as_deref())),
                ("SoftwareDescription", known(software.description.as_deref())),
                ("Previous", version(&change.before)),
                ("Current", version(&change.after)),
                ("Attributes", Value::Owned(software_attributes(software))),
            ]);
        }
    }
    Some(columns)
}

/// The versions of software before and after, as far as they are known.
pub fn versions(change: &Change<Listed>) -> [Option<String>; 2] {
    [&change.before, &change.after]
        .map(|side| side.as_ref().and_then(as_software).and_then(version_of).map(str::to_owned))
}

/// The published words for what of a service changed, with a space between.
fn change_types(event: &ChangeEvent<Listed>) -> String {
    let word = |aspect| match aspect {
        Aspect::State => Some("State"),
        Aspect::StartupType => Some("StartupType"),
        Aspect::Command => Some("Path"),
        Aspect::Account => Some("ServiceAccount"),
        Aspect::RunLevels => Some("Runlevels"),
        Aspect::Controller => Some("Controller"),
        Aspect::DisplayName => Some("DisplayName"),
        _ => None,
    };
    event.change.fields.iter().filter_map(word).collect::<Vec<_>>().join(" ")
}

/// The values of one side, in the order of [`NOW`] and [`BEFORE`].
fn daemon_values(daemon: &Daemon) -> [Value<'static>; 6] {
    [
        known(daemon.state.map(DaemonState::name)),
        known(daemon.startup.map(StartupType::name)),
        known(daemon.account.as_deref()),
        Value::Owned(daemon.run_levels.map(|levels| levels.to_string()).unwrap_or_default()),
        known(daemon.controller.map(Controller::name)),
        known(daemon.path.as_deref()),
    ]
}

fn software_attributes(software: &Software) -> String {
    let manager = match software.manager {
        PackageManager::Dpkg => "dpkg",
        PackageManager::Rpm => "rpm",
        PackageManager::Apk => "apk",
        PackageManager::Snap => "snap",
        PackageManager::Flatpak => "flatpak",
        PackageManager::Windows => "windows",
    };
    match &software.architecture {
        Some(architecture) => format!("Manager={manager}; Architecture={architecture}"),
        None => format!("Manager={manager}"),
    }
}

fn as_daemon(listed: &Listed) -> Option<&Daemon> {
    match listed {
        Listed::Daemon(daemon) | Listed::Service(daemon) => Some(daemon),
        Listed::Software(_) => None,
    }
}

fn as_software(listed: &Listed) -> Option<&Software> {
    match listed {
        Listed::Software(software) => Some(software),
        Listed::Daemon(_) | Listed::Service(_) => None,
    }
}

fn version_of(software: &Software) -> Option<&str> {
    software.version.as_deref()
}

/// The text, or what the tables have for what is unknown.
fn known(value: Option<&str>) -> Value<'static> {
    value.map_or(Value::Null, text)
}

/// The columns of what a service is now.
const NOW: [&str; 6] =
    ["SvcState", "SvcStartupType", "SvcAccount", "SvcRunlevels", "SvcController", "SvcPath"];

/// The columns of what a service was, each only filled if that changed.
const BEFORE: [(Aspect, &str); 6] = [
    (Aspect::State, "SvcPreviousState"),
    (Aspect::StartupType, "SvcPreviousStartupType"),
    (Aspect::Account, "SvcPreviousAccount"),
    (Aspect::RunLevels, "SvcPreviousRunlevels"),
    (Aspect::Controller, "SvcPreviousController"),
    (Aspect::Command, "SvcPreviousPath"),
];

#[cfg(test)]
mod tests {
    use fim_core::{AspectSet, ChangeId, ChangeSource, Monitored as _, RunLevels, SoftwareType, Who, diff};

    use super::*;

    fn daemon() -> Daemon {
        Daemon {
            name: "ssh".to_owned(),
            display_name: Some("OpenSSH".to_owned()),
            state: Some(DaemonState::Running),
            startup: Some(StartupType::Auto),
            path: Some("/usr/sbin/sshd -D".to_owned()),
            account: Some("root".to_owned()),
            run_levels: Some(RunLevels::default().with(2).with(3)),
            controller: Some(Controller::Systemd),
        }
    }

    fn package(version: &str) -> Software {
        Software {
            manager: PackageManager::Dpkg,
            name: "bash".to_owned(),
            architecture: Some("amd64".to_owned()),
            software_type: SoftwareType::Package,
            version: Some(version.to_owned()),
            publisher: Some("Debian".to_owned()),
            description: None,
        }
    }

    /// What is particular to the list in the row of a change.
    fn row(before: Option<Listed>, after: Option<Listed>) -> Vec<String> {
        let key = after.as_ref().or(before.as_ref()).unwrap().key();
        let event = ChangeEvent {
            id: ChangeId([1; 16]),
            change: diff(before.as_ref(), after.as_ref(), AspectSet::ALL).unwrap(),
            source: ChangeSource::Scan,
            observed: Timestamp(0),
            happened: None,
            rule: String::new(),
            snapshot_age_seconds: None,
            who: Who::default(),
            moved_from: None,
            is_fleeting: false,
        };
        assert_eq!(event.change.key, key);
        let source =
            Source { computer: "web01", machine: "id", os_type: "Linux", resource: "/r", subscription: "s" };
        let columns = listed_change_columns(source, &event, Timestamp(9)).unwrap();
        let told = |(name, value): &(&str, Value<'_>)| match value {
            Value::Owned(text) if !text.is_empty() && !COMMON.contains(name) => {
                Some(format!("{name}={text}"))
            }
            _ => None,
        };
        let mut told: Vec<String> = columns.iter().filter_map(told).collect();
        told.sort();
        told
    }

    const COMMON: [&str; 7] =
        ["Computer", "SourceComputerId", "VMUUID", "SourceSystem", "ChangeSource", "ChangeId", "RuleName"];

    #[test]
    fn a_daemon_that_changes_tells_what_it_is_and_what_of_it_was_otherwise() {
        let before =
            Daemon { state: Some(DaemonState::Stopped), startup: Some(StartupType::Manual), ..daemon() };
        assert_eq!(
            row(Some(Listed::Daemon(before)), Some(Listed::Daemon(daemon()))),
            [
                "ChangeCategory=Modified",
                "ConfigChangeType=Daemons",
                "FieldsChanged=SvcState, SvcStartupType",
                "Name=ssh",
                "SvcAccount=root",
                "SvcChangeType=State StartupType",
                "SvcController=systemd",
                "SvcDisplayName=OpenSSH",
                "SvcName=ssh",
                "SvcPath=/usr/sbin/sshd -D",
                "SvcPreviousStartupType=Manual",
                "SvcPreviousState=Stopped",
                "SvcRunlevels=2, 3",
                "SvcStartupType=Auto",
                "SvcState=Running",
            ]
        );
    }

    #[test]
    fn a_service_tells_the_same_under_its_own_type() {
        let service = |startup| {
            Listed::Service(Daemon {
                name: "Spooler".to_owned(),
                startup: Some(startup),
                path: Some(r"C:\Windows\System32\spoolsv.exe".to_owned()),
                ..Daemon::default()
            })
        };
        assert_eq!(
            row(Some(service(StartupType::Auto)), Some(service(StartupType::Disabled))),
            [
                "ChangeCategory=Modified",
                "ConfigChangeType=WindowsServices",
                "FieldsChanged=SvcStartupType",
                "Name=Spooler",
                "SvcChangeType=StartupType",
                "SvcName=Spooler",
                r"SvcPath=C:\Windows\System32\spoolsv.exe",
                "SvcPreviousStartupType=Auto",
                "SvcStartupType=Disabled",
            ]
        );
    }

    #[test]
    fn a_daemon_that_is_gone_tells_what_it_was() {
        assert_eq!(
            row(Some(Listed::Daemon(daemon())), None),
            [
                "ChangeCategory=Removed",
                "ConfigChangeType=Daemons",
                "Name=ssh",
                "SvcDisplayName=OpenSSH",
                "SvcName=ssh",
                "SvcPreviousAccount=root",
                "SvcPreviousController=systemd",
                "SvcPreviousPath=/usr/sbin/sshd -D",
                "SvcPreviousRunlevels=2, 3",
                "SvcPreviousStartupType=Auto",
                "SvcPreviousState=Running",
            ]
        );
    }

    #[test]
    fn software_tells_its_versions_before_and_now() {
        let versions = |row: Vec<String>| {
            row.into_iter()
                .filter(|column| column.contains("Previous=") || column.contains("Current="))
                .collect::<Vec<_>>()
        };
        let (old, new) = (Listed::Software(package("1")), Listed::Software(package("2")));
        assert_eq!(versions(row(None, Some(old.clone()))), ["Current=1"]);
        assert_eq!(versions(row(Some(old.clone()), None)), ["Previous=1"]);
        assert_eq!(
            row(Some(old), Some(new)),
            [
                "Attributes=Manager=dpkg; Architecture=amd64",
                "ChangeCategory=Modified",
                "ConfigChangeType=Software",
                "Current=2",
                "FieldsChanged=Current",
                "Name=bash",
                "Previous=1",
                "Publisher=Debian",
                "SoftwareName=bash",
                "SoftwareType=Package",
            ]
        );
    }
}
