//! The lists of a system, from the files that it keeps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;

use fim_core::{Daemon, ListPart, Listed, RunLevels};
use fim_scan::lists::{CollectError, Place};
use fim_scan::{ServiceStatus, TreeError};
use fim_testkit::MemoryTree;

fn collect(tree: &MemoryTree, part: ListPart) -> Result<Vec<Listed>, CollectError> {
    fim_scan::lists::collect(tree, part, &|_| ())
}

fn collect_all(tree: &MemoryTree, parts: &[ListPart]) -> Vec<Listed> {
    parts.iter().flat_map(|part| collect(tree, *part).unwrap()).collect()
}

fn daemons(tree: &MemoryTree) -> Vec<Daemon> {
    let listed = collect_all(tree, &[ListPart::Init, ListPart::Systemd]);
    let daemon = |listed| match listed {
        Listed::Daemon(daemon) => daemon,
        Listed::Software(_) | Listed::Service(_) => panic!("something else among the daemons"),
    };
    listed.into_iter().map(daemon).collect()
}

fn text(daemon: &Daemon) -> String {
    format!(
        "{} {} {} [{}] {} {} {}",
        daemon.name,
        daemon.state.map_or("?", fim_core::DaemonState::name),
        daemon.startup.map_or("?", fim_core::StartupType::name),
        daemon.run_levels.unwrap_or_default(),
        daemon.account.as_deref().unwrap_or("?"),
        daemon.path.as_deref().unwrap_or("?"),
        daemon.controller.map_or("?", fim_core::Controller::name),
    )
}

fn machine() -> MemoryTree {
    let tree = MemoryTree::new();
    let units = "/usr/lib/systemd/system";
    tree.directory("/run/systemd/system");
    tree.file(format!("{units}/ssh.service"), "[Service]\nExecStart=/usr/sbin/sshd -D\n");
    tree.link("/etc/systemd/system/sshd.service", "/usr/lib/systemd/system/ssh.service");
    tree.link(
        "/etc/systemd/system/multi-user.target.wants/ssh.service",
        "/usr/lib/systemd/system/ssh.service",
    );
    tree.file("/sys/fs/cgroup/system.slice/ssh.service/cgroup.events", "populated 1\nfrozen 0\n");
    tree.file(format!("{units}/web.service"), "[Service]\nExecStart=/usr/bin/web\nUser=www\n");
    tree.file(
        "/etc/systemd/system/web.service.d/10-evil.conf",
        "[Service]\nExecStart=\nExecStart=/opt/x\nUser=\n",
    );
    tree.file("/sys/fs/cgroup/system.slice/web.service/cgroup.events", "populated 0\n");
    tree.file(format!("{units}/masked.service"), "[Service]\nExecStart=/usr/bin/m\n");
    tree.link("/etc/systemd/system/masked.service", "/dev/null");
    tree.file(format!("{units}/getty@.service"), "[Service]\nExecStart=-/sbin/agetty\n");
    tree.link(
        "/etc/systemd/system/getty.target.wants/getty@tty1.service",
        "/usr/lib/systemd/system/getty@.service",
    );
    tree.file("/sys/fs/cgroup/system.slice/system-getty.slice/getty@tty1.service/cgroup.procs", "77\n");
    tree
}

#[test]
fn units_are_told_as_systemd_would_run_them() {
    let told: Vec<String> = daemons(&machine()).iter().map(text).collect();
    assert_eq!(
        told,
        [
            "getty@tty1 Running Auto [] root /sbin/agetty systemd",
            "masked Stopped Disabled [] ? ? systemd",
            "ssh Running Auto [2, 3, 4, 5] root /usr/sbin/sshd -D systemd",
            "web Stopped Manual [] root /opt/x systemd",
        ]
    );
}

#[test]
fn a_script_without_a_unit_is_a_daemon_of_init() {
    let tree = machine();
    tree.file("/etc/init.d/old", "#!/bin/sh\n# Short-Description: An old one\n");
    tree.file("/etc/init.d/ssh", "#!/bin/sh\n").file("/etc/init.d/README", "");
    tree.link("/etc/rc3.d/S02old", "../init.d/old").link("/etc/rc5.d/S02old", "../init.d/old");
    tree.file("/run/old.pid", "4711\n").directory("/proc/1").directory("/proc/4711");
    let all = daemons(&tree);
    let old = all.iter().find(|daemon| daemon.name == "old").unwrap();
    assert_eq!(text(old), "old Running Auto [3, 5] ? /etc/init.d/old init");
    assert_eq!(old.display_name.as_deref(), Some("An old one"));
    assert_eq!(all.iter().filter(|daemon| daemon.name == "ssh").count(), 1);
    assert!(all.iter().all(|daemon| daemon.name != "README"));
}

#[test]
fn without_systemd_at_work_it_is_unknown_what_runs() {
    let tree = machine();
    tree.remove("/run");
    assert!(daemons(&tree).iter().all(|daemon| daemon.state.is_none()));
    assert_eq!(daemons(&MemoryTree::new()), []);
    assert_eq!(daemons(&tree)[0].run_levels, Some(RunLevels::default()));
}

#[test]
fn software_of_every_manager_is_told_once_and_in_order() {
    let tree = MemoryTree::new();
    tree.file(
        "/var/lib/dpkg/status",
        "Package: b\nArchitecture: i386\nVersion: 1\n\nPackage: b\nArchitecture: amd64\nVersion: 1\n",
    );
    tree.file("/var/lib/dpkg/status.d/tz", "Package: tzdata\nVersion: 2\n")
        .file("/var/lib/dpkg/status.d/tz.md5sums", "x");
    tree.file("/lib/apk/db/installed", "P:musl\nV:1.2\n\n");
    tree.directory("/snap/bin").directory("/snap/core/16").link("/snap/core/current", "16");
    tree.file("/snap/core/16/meta/snap.yaml", "version: '22'\n");
    tree.directory("/var/lib/flatpak/app/org.x/x86_64/stable/abcdef0123456789");
    tree.link("/var/lib/flatpak/app/org.x/current", "x86_64/stable");
    tree.link("/var/lib/flatpak/app/org.x/x86_64/stable/active", "abcdef0123456789");
    let parts = [ListPart::Dpkg, ListPart::Rpm, ListPart::Apk, ListPart::Snap, ListPart::Flatpak];
    let listed = collect_all(&tree, &parts);
    let told = |listed: &Listed| match listed {
        Listed::Software(software) => format!(
            "{:?} {} {} {}",
            software.manager,
            software.name,
            software.architecture.as_deref().unwrap_or("-"),
            software.version.as_deref().unwrap_or("-")
        ),
        Listed::Daemon(_) | Listed::Service(_) => panic!("something else among the software"),
    };
    assert_eq!(
        listed.iter().map(told).collect::<Vec<_>>(),
        [
            "Dpkg b amd64 1",
            "Dpkg b i386 1",
            "Dpkg tzdata - 2",
            "Apk musl - 1.2",
            "Snap core - 22 (rev 16)",
            "Flatpak org.x x86_64 stable (abcdef012345)",
        ]
    );
}

#[test]
fn a_part_of_which_something_cannot_be_read_is_none_and_says_nothing_of_others() {
    let tree = MemoryTree::new();
    tree.file("/var/lib/dpkg/status", "Package: a\n");
    tree.refuse("/var/lib/dpkg/status", TreeError::PermissionDenied);
    tree.file("/lib/apk/db/installed", "P:musl\nV:1.2\n\n");
    let error = collect(&tree, ListPart::Dpkg).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /var/lib/dpkg/status: permission denied");
    assert!(!error.is_missing());
    assert_eq!(collect(&tree, ListPart::Apk).unwrap().len(), 1);
}

#[test]
fn a_folder_without_its_database_is_told_apart_from_no_folder() {
    for (part, folder) in [
        (ListPart::Dpkg, "/var/lib/dpkg"),
        (ListPart::Rpm, "/usr/lib/sysimage/rpm"),
        (ListPart::Rpm, "/var/lib/rpm"),
        (ListPart::Apk, "/lib/apk/db"),
        (ListPart::Apk, "/usr/lib/apk/db"),
    ] {
        let tree = MemoryTree::new();
        assert_eq!(collect(&tree, part), Ok(Vec::new()));
        tree.directory(folder);
        let error = collect(&tree, part).unwrap_err();
        assert!(error.is_missing() && error.path.starts_with(folder), "{error}");
    }
    // The packages of an image that is made without dpkg are all that there is.
    let tree = MemoryTree::new();
    tree.file("/var/lib/dpkg/status.d/tz", "Package: tzdata\nVersion: 2\n");
    assert_eq!(collect(&tree, ListPart::Dpkg).unwrap().len(), 1);
}

#[test]
fn every_place_that_a_part_is_read_from_is_named_before() {
    let named = RefCell::new(Vec::new());
    let note = |place: Place<'_>| named.borrow_mut().push(format!("{place:?}"));
    fim_scan::lists::collect(&machine(), ListPart::Systemd, &note).unwrap();
    fim_scan::lists::collect(&machine(), ListPart::Init, &note).unwrap();
    let named = named.into_inner();
    for place in [
        Place::Names("/etc/systemd/system"),
        Place::Names("/etc/systemd/system/multi-user.target.wants"),
        Place::Names("/etc/systemd/system/web.service.d"),
        Place::Entry("/etc/systemd/system/web.service.d/10-evil.conf"),
        Place::Entry("/usr/lib/systemd/system/web.service"),
        Place::Names("/run/systemd/generator.late"),
        Place::Names("/sys/fs/cgroup/system.slice"),
        Place::Entry("/sys/fs/cgroup/system.slice/web.service/cgroup.events"),
        Place::Names("/etc/init.d"),
    ] {
        assert!(named.contains(&format!("{place:?}")), "{place:?} of {named:#?}");
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// A registry in which a service of that name has these values; numbers are as text.
fn with_service(tree: &MemoryTree, name: &str, values: &[(&str, &str)]) {
    for (value, data) in values {
        let key = format!(r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\{name}");
        match data.parse::<u32>() {
            Ok(number) => tree.value(&key, value, 4, number.to_le_bytes()),
            Err(_) => tree.value(&key, value, 2, wide(data)),
        };
    }
}

fn services(tree: &MemoryTree) -> Vec<String> {
    let listed = collect(tree, ListPart::Services).unwrap();
    let told = listed.iter().map(|listed| match listed {
        Listed::Service(service) => format!(
            "{} | {} | {} | {} | {} | {}",
            service.name,
            service.display_name.as_deref().unwrap_or("-"),
            service.state.map_or("-", fim_core::DaemonState::name),
            service.startup.map_or("-", fim_core::StartupType::name),
            service.account.as_deref().unwrap_or("-"),
            service.path.as_deref().unwrap_or("-"),
        ),
        Listed::Daemon(_) | Listed::Software(_) => panic!("something else among the services"),
    });
    told.collect()
}

fn registry_with_services() -> MemoryTree {
    let tree = MemoryTree::registry();
    let shared = r"%SystemRoot%\system32\svchost.exe -k netsvcs";
    with_service(&tree, "Spooler", &[("Type", "16"), ("Start", "2"), ("ImagePath", r"C:\spoolsv.exe")]);
    with_service(&tree, "Schedule", &[("Type", "32"), ("Start", "3"), ("ImagePath", shared)]);
    with_service(
        &tree,
        "Schedule",
        &[("ObjectName", r"NT AUTHORITY\LocalService"), ("DisplayName", "@x,-1")],
    );
    with_service(&tree, r"Schedule\Parameters", &[("ServiceDll", r"C:\evil.dll")]);
    with_service(&tree, "disk", &[("Type", "1"), ("Start", "0")]);
    with_service(&tree, "template", &[("Type", "96"), ("Start", "4"), ("ImagePath", "x")]);
    with_service(&tree, "template_3ab4f", &[("Type", "224"), ("Start", "2"), ("ImagePath", "x")]);
    with_service(&tree, ".NET counters", &[("First Counter", "7")]);
    with_service(&tree, "hidden", &[("Type", "16"), ("Start", "9")]);
    tree
}

#[test]
fn services_and_drivers_are_told_as_the_registry_has_them_and_their_manager_runs_them() {
    let tree = registry_with_services();
    let status = |name: &str, display_name: &str, is_running| ServiceStatus {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        is_running,
    };
    tree.manages([status("SPOOLER", "Print Spooler", true), status("schedule", "Tasks", false)]);
    assert_eq!(
        services(&tree),
        [
            r"Schedule | Tasks | Stopped | Manual | NT AUTHORITY\LocalService | %SystemRoot%\system32\svchost.exe -k netsvcs; C:\evil.dll",
            r"Spooler | Print Spooler | Running | Auto | LocalSystem | C:\spoolsv.exe",
            "disk | - | - | Boot | - | -",
            "hidden | - | - | - | LocalSystem | -",
            "template | - | - | Disabled | LocalSystem | x",
        ]
    );
}

#[test]
fn without_a_manager_it_is_unknown_which_services_run() {
    assert!(services(&registry_with_services()).iter().all(|told| told.contains(" | - | ")));
    assert!(services(&MemoryTree::registry()).is_empty());
}

#[test]
fn what_is_kept_from_us_of_a_service_is_not_known_and_a_service_that_is_fails_the_list() {
    let tree = registry_with_services();
    let key = "/HKEY_LOCAL_MACHINE/SYSTEM/CurrentControlSet/Services/Schedule";
    tree.hide(format!("{key}/Parameters:ServiceDll"), TreeError::PermissionDenied);
    assert!(services(&tree)[0].ends_with(r"LocalService | -"), "{:?}", services(&tree));
    tree.hide(format!("{key}:Type"), TreeError::PermissionDenied);
    let error = collect(&tree, ListPart::Services).unwrap_err();
    assert!(error.path.ends_with(r"Services\Schedule:Type"), "{error}");
}

#[test]
fn programs_of_both_views_and_updates_are_software() {
    let tree = MemoryTree::registry();
    let put = |key: &str, values: &[(&str, &str)]| {
        for (name, data) in values {
            let key = format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\{key}");
            tree.value(&key, name, 1, wide(data));
        }
    };
    let own = r"Microsoft\Windows\CurrentVersion\Uninstall";
    let other = format!(r"WOW6432Node\{own}");
    put(&format!(r"{own}\{{1}}"), &[("DisplayName", "Editor"), ("DisplayVersion", "2"), ("Publisher", "P")]);
    put(&format!(r"{own}\{{2}}"), &[("DisplayName", "Editor"), ("DisplayVersion", "1"), ("Publisher", "P")]);
    put(&format!(r"{own}\{{3}}"), &[("DisplayVersion", "7")]);
    put(&format!(r"{own}\KB1"), &[("DisplayName", "Fix"), ("ParentKeyName", "{1}")]);
    put(&format!(r"{other}\{{1}}"), &[("DisplayName", "Editor"), ("Comments", "old")]);
    let packages =
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";
    for (package, state) in [
        ("Package_for_KB5005112~31bf3856ad364e35~amd64~~19041.1.2.3", 0x70_u32),
        ("Package_for_KB6~31bf3856ad364e35~amd64~~1.2", 0x50),
        ("Package_1_for_KB5005112~31bf3856ad364e35~amd64~~19041.1.2.3", 0x70),
        ("Package_for_", 0x70),
    ] {
        tree.value(&format!(r"{packages}\{package}"), "CurrentState", 4, state.to_le_bytes());
    }
    let told = collect(&tree, ListPart::Programs).unwrap().into_iter().map(|listed| match listed {
        Listed::Software(software) => format!(
            "{} {} {} {} {}",
            software.software_type.name(),
            software.name,
            software.architecture.as_deref().unwrap_or("-"),
            software.version.as_deref().unwrap_or("-"),
            software.description.as_deref().unwrap_or("-"),
        ),
        Listed::Daemon(_) | Listed::Service(_) => panic!("something else among the software"),
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "Application Editor x64 1, 2 -",
            "Application Editor x86 - old",
            "Update Fix x64 - -",
            "Update KB5005112 amd64 19041.1.2.3 -",
        ]
    );
}
