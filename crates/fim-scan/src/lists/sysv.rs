//! The scripts of System V init that no unit of systemd stands for.

use std::collections::BTreeMap;

use fim_core::{Controller, Daemon, DaemonState, EntityKind, RunLevels, StartupType};

use super::CollectError;
use super::files::Files;
use super::systemd::Units;
use crate::tree::FileTree;

/// The daemons that only have a script.
pub(super) fn daemons<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Daemon>, CollectError> {
    let mut scripts = files.names(SCRIPTS)?;
    scripts.retain(|entry| {
        let is_script =
            entry.kind != Some(EntityKind::Directory) && !NO_DAEMONS.contains(&entry.name.as_str());
        is_script && !entry.name.contains('.')
    });
    if scripts.is_empty() {
        return Ok(Vec::new());
    }
    let (units, started) = (Units::read(files)?, started_scripts(files)?);
    let mut daemons = Vec::new();
    for entry in scripts {
        if units.has(files, &entry.name)? {
            continue;
        }
        let path = format!("{SCRIPTS}/{}", entry.name);
        let script = files.read(&path)?.unwrap_or_default();
        let levels = started.get(&entry.name).copied();
        let daemon = Daemon {
            name: entry.name.clone(),
            display_name: described(&script),
            state: state(files, &entry.name)?,
            startup: Some(if levels.is_some() { StartupType::Auto } else { StartupType::Manual }),
            path: Some(path),
            account: None,
            run_levels: Some(levels.unwrap_or_default()),
            controller: Some(Controller::Init),
        };
        daemons.push(daemon);
    }
    Ok(daemons)
}

/// In which run levels each script is started: it has a link `SNNname` in the level's directory.
fn started_scripts<T: FileTree>(files: &Files<'_, T>) -> Result<BTreeMap<String, RunLevels>, CollectError> {
    let mut started: BTreeMap<String, RunLevels> = BTreeMap::new();
    let levels = (0..=6).map(|level| (level.to_string(), RunLevels::default().with(level)));
    // What is started with the machine, in whatever level.
    let early = ("S".to_owned(), RunLevels::default().with(1).with(2).with(3).with(4).with(5));
    for (name, set) in levels.chain([early]) {
        for folder in [format!("/etc/rc{name}.d"), format!("/etc/rc.d/rc{name}.d")] {
            for link in files.names(&folder)? {
                if let Some(script) = started_script(&link.name) {
                    let all = started.entry(script.to_owned()).or_default();
                    *all = all.and(set);
                }
            }
        }
    }
    Ok(started)
}

fn started_script(link: &str) -> Option<&str> {
    let (number, script) = link.strip_prefix('S')?.split_at_checked(2)?;
    (number.bytes().all(|byte| byte.is_ascii_digit()) && !script.is_empty()).then_some(script)
}

/// Whether the process whose number the daemon left is alive; unknown where it left none, or there are no processes to
/// be seen.
fn state<T: FileTree>(files: &Files<'_, T>, name: &str) -> Result<Option<DaemonState>, CollectError> {
    let Some(content) = files.read(&format!("/run/{name}.pid"))? else { return Ok(None) };
    let text = String::from_utf8_lossy(&content);
    let number = text.trim();
    if number.is_empty() || number.len() > 10 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    if !files.exists("/proc/1")? {
        return Ok(None);
    }
    let is_alive = files.exists(&format!("/proc/{number}"))?;
    Ok(Some(if is_alive { DaemonState::Running } else { DaemonState::Stopped }))
}

/// What the script says of itself in the header that the Linux Standard Base describes.
fn described(script: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(script);
    let line = text.lines().find_map(|line| line.strip_prefix("# Short-Description:"))?;
    Some(line.trim().to_owned()).filter(|text| !text.is_empty())
}

const SCRIPTS: &str = "/etc/init.d";

/// What stands beside the scripts and starts no daemon.
const NO_DAEMONS: [&str; 8] = ["README", "skeleton", "functions", "rc", "rcS", "halt", "killall", "single"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_link_names_the_script_that_it_starts() {
        assert_eq!(started_script("S01cron"), Some("cron"));
        for other in ["K01cron", "S1cron", "S01", "README", "Sé1"] {
            assert_eq!(started_script(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(script in prop::collection::vec(any::<u8>(), 0..80), link in "\\PC{0,8}") {
            let _ = described(&script);
            let _ = started_script(&link);
        }
    }
}
