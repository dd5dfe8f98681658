//! Programs that bring what they need with them: snaps and flatpaks, by the links that say which is current.

use fim_core::{EntityKind, PackageManager, Software, SoftwareType};

use super::CollectError;
use super::files::Files;
use crate::tree::FileTree;

/// The snaps that are installed.
pub(super) fn snaps<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Software>, CollectError> {
    let mut found = Vec::new();
    for folder in ["/snap", "/var/lib/snapd/snap"] {
        for name in files.names(folder)?.into_iter().filter(|name| name.kind == Some(EntityKind::Directory)) {
            let here = format!("{folder}/{}", name.name);
            let Some(revision) = files.link(&format!("{here}/current"))? else { continue };
            let about = files.read(&format!("{here}/current/meta/snap.yaml"))?.unwrap_or_default();
            let version = yaml_value(&about, "version").map(|version| format!("{version} (rev {revision})"));
            found.push(Software {
                version: version.or(Some(format!("rev {revision}"))),
                description: yaml_value(&about, "summary"),
                ..application(PackageManager::Snap, name.name)
            });
        }
        if !found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// The flatpaks that are installed for everybody.
pub(super) fn flatpaks<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Software>, CollectError> {
    let folder = "/var/lib/flatpak/app";
    let mut found = Vec::new();
    for name in files.names(folder)? {
        let here = format!("{folder}/{}", name.name);
        // `current` leads to ARCHITECTURE/BRANCH, and `active` there to the commit.
        let Some(current) = files.link(&format!("{here}/current"))? else { continue };
        let commit = files.link(&format!("{here}/current/active"))?.unwrap_or_default();
        let (architecture, branch) = current.split_once('/').unwrap_or(("", &current));
        let short: String = commit.chars().take(COMMIT_CHARACTERS).collect();
        found.push(Software {
            architecture: (!architecture.is_empty()).then(|| architecture.to_owned()),
            version: Some(if short.is_empty() { branch.to_owned() } else { format!("{branch} ({short})") }),
            ..application(PackageManager::Flatpak, name.name)
        });
    }
    Ok(found)
}

fn application(manager: PackageManager, name: String) -> Software {
    Software {
        manager,
        name,
        architecture: None,
        software_type: SoftwareType::Application,
        version: None,
        publisher: None,
        description: None,
    }
}

/// The value of a key that stands on a line of its own at the top of a YAML text, without its quotes.
fn yaml_value(text: &[u8], key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?.trim();
    let plain = ['"', '\''].iter().find_map(|&quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Some(plain.unwrap_or(value)).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// As many as flatpak itself shows.
const COMMIT_CHARACTERS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_without_its_quotes() {
        let text = b"name: x\nversion: '4.1'\nsummary: a: b\n  version: no\n";
        assert_eq!(yaml_value(text, "version").as_deref(), Some("4.1"));
        assert_eq!(yaml_value(text, "summary").as_deref(), Some("a: b"));
        assert_eq!(yaml_value(text, "type"), None);
    }
}
