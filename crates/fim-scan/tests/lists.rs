//! The lists of a system, from the files that it keeps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fim_core::{Daemon, ListKind, Listed, RunLevels};
use fim_scan::TreeError;
use fim_scan::lists::collect;
use fim_testkit::MemoryTree;

fn daemons(tree: &MemoryTree) -> Vec<Daemon> {
    let listed = collect(tree, ListKind::Daemons).unwrap();
    let daemon = |listed| match listed {
        Listed::Daemon(daemon) => daemon,
        Listed::Software(_) => panic!("software among the daemons"),
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
    let listed = collect(&tree, ListKind::Software).unwrap();
    let told = |listed: &Listed| match listed {
        Listed::Software(software) => format!(
            "{:?} {} {} {}",
            software.manager,
            software.name,
            software.architecture.as_deref().unwrap_or("-"),
            software.version.as_deref().unwrap_or("-")
        ),
        Listed::Daemon(_) => panic!("a daemon among the software"),
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
fn a_list_of_which_a_part_cannot_be_read_is_none() {
    let tree = MemoryTree::new();
    tree.file("/var/lib/dpkg/status", "Package: a\n");
    tree.refuse("/var/lib/dpkg/status", TreeError::PermissionDenied);
    let error = collect(&tree, ListKind::Software).unwrap_err();
    assert_eq!(error.to_string(), "cannot read /var/lib/dpkg/status: permission denied");
}
