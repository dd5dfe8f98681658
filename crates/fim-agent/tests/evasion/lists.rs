//! Daemons and software: told the moment they change, and one package manager's whatever becomes of another's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use fim_core::{
    ChangeCategory, ChangeEvent, ChangeSource, DaemonState, GapCause, GapScope, ListKind, ListPart, Listed,
    StartupType,
};
use fim_wire::Report;

use crate::stage::{Deed, Stage, run};

/// A stage whose agent sees a folder of ours as `/var/lib` and another as `/run`, where a package of dpkg and a unit of
/// systemd are. Lists are compared once an hour.
fn stage() -> Option<Stage> {
    let mut stage = Stage::on(&[])?;
    let root = stage.path("root");
    for folder in ["info", "updates", "triggers", "parts"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(folder)).unwrap();
    }
    fs::create_dir_all(root.join("run/systemd/system")).unwrap();
    fs::write(root.join("var/lib/dpkg/status"), PACKAGE).unwrap();
    fs::write(unit(&stage), "[Service]\nExecStart=/usr/bin/steadfast-test\n").unwrap();
    stage.show_as(root.join("var/lib"), "/var/lib");
    stage.show_as(root.join("run"), "/run");
    Some(stage)
}

/// Starts the agent, and waits until it has something to compare lists with.
fn start(stage: &mut Stage) {
    stage.start();
    for kind in [ListKind::Daemons, ListKind::Software] {
        stage.gap("the end of a first baseline", |gap| {
            gap.scope == GapScope::List(kind) && gap.cause == GapCause::BaselinePending && gap.end.is_some()
        });
    }
}

/// The first change of a daemon or software of that name that is as wanted, once it is told.
fn change(
    stage: &Stage,
    name: &str,
    is_wanted: impl Fn(&ChangeEvent<Listed>) -> bool,
) -> ChangeEvent<Listed> {
    let wanted = |report: &Report| match report {
        Report::Listed(event) => (event.change.key.name() == name && is_wanted(event)).then(|| event.clone()),
        Report::Change(_) | Report::Gap(_) | Report::Inventory(_) => None,
    };
    stage.wait_for(&format!("a change of {name}"), |seen| {
        seen.reports.iter().any(|one| wanted(one).is_some())
    });
    let told = stage.server.ledger().reports.iter().find_map(wanted);
    told.unwrap()
}

/// Holds that a change of that kind is told the moment it is made: the next comparison is an hour away.
fn hold_noticed(stage: &Stage, name: &str, category: ChangeCategory) -> Listed {
    let event = change(stage, name, |event| event.change.category() == Some(category));
    assert_eq!(event.source, ChangeSource::RealTime, "{event:#?}");
    event.change.after.or(event.change.before).unwrap()
}

/// The file of the unit that there is.
fn unit(stage: &Stage) -> PathBuf {
    stage.path("root").join(format!("run/systemd/system/{}.service", daemon()))
}

/// The unit's name, which no other test has.
fn daemon() -> String {
    format!("steadfast-test-{}", std::process::id())
}

#[test]
fn a_package_that_is_installed_and_removed_is_told_at_once() {
    let Some(mut stage) = stage() else { return };
    let package = stage.path("package");
    fs::create_dir_all(package.join("DEBIAN")).unwrap();
    let control =
        "Package: steadfast-test\nVersion: 1.2\nArchitecture: all\nMaintainer: x\nDescription: test\n";
    fs::write(package.join("DEBIAN/control"), control).unwrap();
    if let Err(why) = Deed::of(Command::new("dpkg-deb").arg("--build").arg(&package)) {
        return fim_testkit::skip(&format!("dpkg cannot be tried here: {why}"));
    }
    start(&mut stage);
    let dpkg = || {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("--root").arg(stage.path("root"));
        dpkg
    };
    run(dpkg().arg("--install").arg(stage.path("package.deb"))).unwrap();
    let Listed::Software(software) = hold_noticed(&stage, "steadfast-test", ChangeCategory::Added) else {
        panic!("it is no software");
    };
    assert_eq!(software.version.as_deref(), Some("1.2"));
    run(dpkg().args(["--purge", "steadfast-test"])).unwrap();
    hold_noticed(&stage, "steadfast-test", ChangeCategory::Removed);
}

#[test]
fn a_unit_that_comes_or_is_to_start_with_the_machine_or_runs_another_program_is_told_at_once() {
    let Some(mut stage) = stage() else { return };
    start(&mut stage);
    let units = stage.path("root/run/systemd/system");
    let other = format!("{}-other", daemon());
    fs::write(units.join(format!("{other}.service")), "[Service]\nExecStart=/opt/x\n").unwrap();
    hold_noticed(&stage, &other, ChangeCategory::Added);
    // The folder of what a target wants comes with it.
    let wants = units.join("multi-user.target.wants");
    fs::create_dir(&wants).unwrap();
    std::os::unix::fs::symlink(unit(&stage), wants.join(unit(&stage).file_name().unwrap())).unwrap();
    let is_enabled = |event: &ChangeEvent<Listed>| matches!(&event.change.after, Some(Listed::Daemon(after)) if after.startup == Some(StartupType::Auto));
    assert_eq!(change(&stage, &daemon(), is_enabled).source, ChangeSource::RealTime);
    let drop_ins = units.join(format!("{}.service.d", daemon()));
    fs::create_dir(&drop_ins).unwrap();
    fs::write(drop_ins.join("x.conf"), "[Service]\nExecStart=\nExecStart=/opt/evil\n").unwrap();
    let is_evil = |event: &ChangeEvent<Listed>| matches!(&event.change.after, Some(Listed::Daemon(after)) if after.path.as_deref() == Some("/opt/evil"));
    assert_eq!(change(&stage, &daemon(), is_evil).source, ChangeSource::RealTime);
    fs::remove_file(units.join(format!("{other}.service"))).unwrap();
    hold_noticed(&stage, &other, ChangeCategory::Removed);
}

#[test]
fn a_service_that_starts_and_ends_is_told_at_once() {
    let Some(mut stage) = stage() else { return };
    let Some(group) = ControlGroup::root() else {
        return fim_testkit::skip("no control groups of the second version are mounted");
    };
    start(&mut stage);
    let group = match ControlGroup::make(&group.join(format!("{}.service", daemon()))) {
        Ok(group) => group,
        Err(why) => return fim_testkit::skip(&format!("no control group can be made here: {why}")),
    };
    let is = |state: DaemonState| move |event: &ChangeEvent<Listed>| matches!(&event.change.after, Some(Listed::Daemon(after)) if after.state == Some(state));
    for _ in 0..2 {
        let before = stage.server.ledger().reports.len();
        let is_new = |state| {
            let is_it = is(state);
            stage.wait_for("a service's state", |seen| {
                seen.reports[before..].iter().any(|report| matches!(report, Report::Listed(event) if event.change.key.name() == daemon() && event.source == ChangeSource::RealTime && is_it(event)))
            });
        };
        let process = group.start();
        is_new(DaemonState::Running);
        end(process);
        is_new(DaemonState::Stopped);
    }
}

#[test]
fn a_database_of_rpm_that_is_none_hides_no_package_of_dpkg() {
    let Some(mut stage) = stage() else { return };
    start(&mut stage);
    let library = stage.path("root/var/lib");
    for name in ["Packages.db", "rpmdb.sqlite"] {
        fs::create_dir_all(library.join("rpm")).unwrap();
        fs::write(library.join("rpm").join(name), "").unwrap();
        let of_rpm = GapScope::Part(ListPart::Rpm);
        let before = stage.server.ledger().reports.len();
        if name == "Packages.db" {
            stage.gap("a gap of rpm", |gap| gap.scope == of_rpm && gap.cause == GapCause::Unreadable);
        }
        let package = format!("came-with-{}", name.replace('.', "-").to_lowercase());
        let more = format!("{PACKAGE}Package: {package}\nStatus: install ok installed\nVersion: 1\n\n");
        fs::write(library.join("dpkg/new"), more).unwrap();
        fs::rename(library.join("dpkg/new"), library.join("dpkg/status")).unwrap();
        hold_noticed(&stage, &package, ChangeCategory::Added);
        let seen = stage.server.ledger();
        let gaps = seen.reports[before..].iter().filter_map(|report| match report {
            Report::Gap(gap) => Some(gap.scope.clone()),
            Report::Change(_) | Report::Listed(_) | Report::Inventory(_) => None,
        });
        assert!(gaps.into_iter().all(|scope| scope == of_rpm), "nothing else is a gap");
    }
}

#[test]
fn a_database_of_packages_that_is_taken_away_is_a_gap_of_it_and_no_removal_of_all_packages() {
    let Some(mut stage) = stage() else { return };
    start(&mut stage);
    let (status, away) = (stage.path("root/var/lib/dpkg/status"), stage.path("root/var/lib/dpkg/away"));
    fs::rename(&status, &away).unwrap();
    let of_dpkg = GapScope::Part(ListPart::Dpkg);
    stage.gap("a gap of dpkg", |gap| gap.scope == of_dpkg && gap.end.is_none());
    fs::write(&away, PACKAGE.replace("Version: 1", "Version: 2")).unwrap();
    fs::rename(&away, &status).unwrap();
    stage.gap("the end of it", |gap| gap.scope == of_dpkg && gap.end.is_some());
    let Listed::Software(software) = hold_noticed(&stage, "before", ChangeCategory::Modified) else {
        panic!("it is no software");
    };
    assert_eq!(software.version.as_deref(), Some("2"));
    let seen = stage.server.ledger();
    let is_removal =
        |report: &Report| matches!(report, Report::Listed(event) if event.change.after.is_none());
    assert!(!seen.reports.iter().any(is_removal));
}

/// A control group, which goes with it.
struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Where those of the second version are.
    fn root() -> Option<PathBuf> {
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
        roots.into_iter().find(|root| root.join("cgroup.controllers").exists())
    }

    fn make(path: &Path) -> std::io::Result<Self> {
        fs::create_dir(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Starts a process in it.
    fn start(&self) -> Child {
        let process = Command::new("sleep").arg("1000").spawn().unwrap();
        fs::write(self.0.join("cgroup.procs"), process.id().to_string()).unwrap();
        process
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        let _ = fs::remove_dir(&self.0);
    }
}

fn end(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

const PACKAGE: &str = "Package: before\nStatus: install ok installed\nVersion: 1\n\n";
