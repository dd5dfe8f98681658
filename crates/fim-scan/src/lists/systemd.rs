//! The services of systemd, by the files that it reads itself (`systemd.unit(5)`) and the control groups that it makes.

use std::collections::{BTreeMap, BTreeSet};

use fim_core::{Controller, Daemon, DaemonState, EntityKind, RunLevels, StartupType};

use super::CollectError;
use super::files::Files;
use super::unit_file::UnitFile;
use crate::tree::FileTree;

/// The services.
pub(super) fn daemons<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Daemon>, CollectError> {
    let units = Units::read(files)?;
    let running = running(files)?;
    let mut names: BTreeSet<String> =
        units.files.keys().filter(|name| !name.ends_with('@')).cloned().collect();
    // Instances of templates have no file of their own: they are there if something starts them, or they run.
    let instances = units.wanted.keys().chain(running.iter().flatten());
    names.extend(
        instances.filter(|name| template_of(name).is_some_and(|of| units.files.contains_key(&of))).cloned(),
    );
    let mut daemons = Vec::new();
    for name in names {
        daemons.extend(units.daemon(files, &name, running.as_ref())?);
    }
    Ok(daemons)
}

/// What the directories of units hold. Names are without `.service`; those of templates end in `@`.
#[derive(Default)]
pub(super) struct Units {
    /// Each unit's file: the one in the first directory that has one.
    files: BTreeMap<String, String>,
    /// What units are started with: targets, mostly.
    wanted: BTreeMap<String, BTreeSet<String>>,
    /// The drop-ins of each unit by their file names, which order them.
    drop_ins: BTreeMap<String, BTreeMap<String, String>>,
}

impl Units {
    /// Reads which units there are, and nothing of what is in them.
    pub(super) fn read<T: FileTree>(files: &Files<'_, T>) -> Result<Self, CollectError> {
        let mut units = Self::default();
        for directory in DIRECTORIES {
            units.take_in(files, directory)?;
        }
        Ok(units)
    }

    /// True if there is a service of that name, and it is not only another one for a service.
    pub(super) fn has<T: FileTree>(&self, files: &Files<'_, T>, name: &str) -> Result<bool, CollectError> {
        let Some(path) = self.files.get(name) else { return Ok(false) };
        Ok(!files.link(path)?.is_some_and(|target| is_alias(name, &target)))
    }

    fn take_in<T: FileTree>(&mut self, files: &Files<'_, T>, directory: &str) -> Result<(), CollectError> {
        for entry in files.names(directory)? {
            let path = format!("{directory}/{}", entry.name);
            if let Some(unit) = entry.name.strip_suffix(".service") {
                self.files.entry(unit.to_owned()).or_insert(path);
            } else if let Some(unit) = entry.name.strip_suffix(".service.d") {
                for part in files.names(&path)?.into_iter().filter(|part| part.name.ends_with(".conf")) {
                    let place = format!("{path}/{}", part.name);
                    self.drop_ins.entry(unit.to_owned()).or_default().entry(part.name).or_insert(place);
                }
            } else if let Some((by, "wants" | "requires")) = entry.name.rsplit_once('.') {
                for wanted in files.names(&path)? {
                    if let Some(unit) = wanted.name.strip_suffix(".service") {
                        self.wanted.entry(unit.to_owned()).or_default().insert(by.to_owned());
                    }
                }
            }
        }
        Ok(())
    }

    /// The service of that name; nothing if the name is only another one for a service.
    fn daemon<T: FileTree>(
        &self,
        files: &Files<'_, T>,
        name: &str,
        running: Option<&BTreeSet<String>>,
    ) -> Result<Option<Daemon>, CollectError> {
        let template = template_of(name);
        let own = self.files.get(name);
        let Some(path) = own.or_else(|| self.files.get(template.as_ref()?)) else { return Ok(None) };
        let target = files.link(path)?;
        if own.is_some() && target.as_deref().is_some_and(|target| is_alias(name, target)) {
            return Ok(None);
        }
        let content = files.read(path)?.unwrap_or_default();
        let mut unit = UnitFile::default();
        unit.take_in(&content);
        for dropped_into in template.iter().map(String::as_str).chain([name]) {
            for part in self.drop_ins.get(dropped_into).into_iter().flat_map(BTreeMap::values) {
                unit.take_in(&files.read(part)?.unwrap_or_default());
            }
        }
        let is_masked = content.is_empty() || target.as_deref() == Some("/dev/null");
        let wanted_by = self.wanted.get(name).filter(|_| !is_masked);
        let account = if unit.has_dynamic_user { "dynamic" } else { "root" };
        Ok(Some(Daemon {
            name: name.to_owned(),
            display_name: unit.description,
            state: running.map(|running| state(running.contains(name))),
            startup: Some(match (is_masked, wanted_by) {
                (true, _) => StartupType::Disabled,
                (false, Some(_)) => StartupType::Auto,
                (false, None) => StartupType::Manual,
            }),
            path: (!unit.commands.is_empty()).then(|| unit.commands.join("; ")),
            account: (!is_masked).then(|| unit.user.unwrap_or_else(|| account.to_owned())),
            run_levels: Some(run_levels(wanted_by.into_iter().flatten())),
            controller: Some(Controller::Systemd),
        }))
    }
}

/// The services that have a process, if the system is one that systemd runs on now.
///
/// systemd keeps a control group for each, named as the unit is, and the kernel says whether anything is in it. A
/// service that left nothing running, though it counts as active, is told as stopped, as the published collector does.
fn running<T: FileTree>(files: &Files<'_, T>) -> Result<Option<BTreeSet<String>>, CollectError> {
    if !files.exists("/run/systemd/system")? {
        return Ok(None);
    }
    let mut running = BTreeSet::new();
    // The second is where it is if both versions of control groups are mounted, the third with the first version alone.
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
    let mut slices: Vec<String> = roots.map(str::to_owned).into();
    while let Some(slice) = slices.pop() {
        for entry in files.names(&slice)?.into_iter().filter(|entry| entry.kind != Some(EntityKind::File)) {
            let here = format!("{slice}/{}", entry.name);
            if let Some(service) = entry.name.strip_suffix(".service") {
                if is_populated(files, &here)? {
                    running.insert(service.to_owned());
                }
            } else if entry.name.ends_with(".slice") && slices.len() < MOST_SLICES {
                slices.push(here);
            }
        }
    }
    Ok(Some(running))
}

fn is_populated<T: FileTree>(files: &Files<'_, T>, group: &str) -> Result<bool, CollectError> {
    match files.read(&format!("{group}/cgroup.events"))? {
        Some(events) => Ok(events.split(|&byte| byte == b'\n').any(|line| line == b"populated 1")),
        // The first version of control groups has no such file.
        None => {
            Ok(files.read(&format!("{group}/cgroup.procs"))?.is_some_and(|processes| !processes.is_empty()))
        }
    }
}

fn state(is_running: bool) -> DaemonState {
    if is_running { DaemonState::Running } else { DaemonState::Stopped }
}

/// The template that an instance is made from: `getty@` for `getty@tty1`.
fn template_of(name: &str) -> Option<String> {
    let (template, instance) = name.split_once('@')?;
    (!instance.is_empty()).then(|| format!("{template}@"))
}

/// True if a link of that name makes it another name of the service whose file it leads to.
fn is_alias(name: &str, target: &str) -> bool {
    let file_name = target.rsplit('/').next().unwrap_or(target);
    let unit = file_name.strip_suffix(".service");
    unit.is_some_and(|unit| unit != name && template_of(name).as_deref() != Some(unit))
}

/// The run levels that targets stand for (`runlevel(8)`): the graphical one starts all that the one for many users does.
fn run_levels<'n>(targets: impl Iterator<Item = &'n String>) -> RunLevels {
    let levels = |levels: &[u8]| levels.iter().fold(RunLevels::default(), |set, &level| set.with(level));
    targets.fold(RunLevels::default(), |all, target| {
        all.and(match target.as_str() {
            "poweroff.target" | "runlevel0.target" => levels(&[0]),
            "rescue.target" | "runlevel1.target" => levels(&[1]),
            "multi-user.target" => levels(&[2, 3, 4, 5]),
            "runlevel2.target" => levels(&[2]),
            "runlevel3.target" => levels(&[3]),
            "runlevel4.target" => levels(&[4]),
            "graphical.target" | "runlevel5.target" => levels(&[5]),
            "reboot.target" | "runlevel6.target" => levels(&[6]),
            "sysinit.target" | "basic.target" | "default.target" => levels(&[1, 2, 3, 4, 5]),
            _ => RunLevels::default(),
        })
    })
}

/// Where units are looked for, the first that has one wins (`systemd.unit(5)`).
const DIRECTORIES: [&str; 13] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// A system has some ten; more are made up by somebody.
const MOST_SLICES: usize = 1000;
