//! What is installed on Windows: what can be removed in its settings, in both views of the registry, and updates.
//!
//! What hides itself from those settings (`SystemComponent`) is told all the same. What users install for themselves is
//! in their own hives, which come and go with them, and is left out.

use fim_core::{PackageManager, Software, SoftwareType};

use super::CollectError;
use super::registry::{Key, shown};
use super::side_by_side::SideBySide;
use crate::tree::FileTree;

/// Reads all software.
pub(super) fn read<T: FileTree>(tree: &T) -> Result<Vec<Software>, CollectError> {
    let mut found = SideBySide::default();
    for (path, architecture) in PROGRAMS {
        let Some(key) = Key::open(tree, path)? else { continue };
        for name in key.names()? {
            if let Some(program) = program(&key, &name, architecture)? {
                found.add(program);
            }
        }
    }
    if let Some(key) = Key::open(tree, UPDATES)? {
        for name in key.names()? {
            if let Some(update) = update(&shown(&name))
                && key.number(&name, "CurrentState")? == Some(INSTALLED)
            {
                found.add(update);
            }
        }
    }
    Ok(found.software())
}

/// The program whose key is of that name; nothing if it tells no name for people.
fn program<T: FileTree>(
    key: &Key<'_, T>,
    name: &[u8],
    architecture: &str,
) -> Result<Option<Software>, CollectError> {
    let Some(display_name) = key.text(name, "DisplayName")? else { return Ok(None) };
    let is_update = key.text(name, "ParentKeyName")?.is_some() || key.text(name, "ReleaseType")?.is_some();
    Ok(Some(Software {
        manager: PackageManager::Windows,
        name: display_name,
        architecture: Some(architecture.to_owned()),
        software_type: if is_update { SoftwareType::Update } else { SoftwareType::Application },
        version: key.text(name, "DisplayVersion")?,
        publisher: key.text(name, "Publisher")?,
        description: key.text(name, "Comments")?,
    }))
}

/// The update that a package of the system is, by its name: `Package_for_KB5005112~31bf3856ad364e35~amd64~~19041.1.1.0`.
fn update(package: &str) -> Option<Software> {
    let mut parts = package.strip_prefix("Package_for_")?.split('~');
    let name = parts.next().filter(|name| !name.is_empty())?;
    let (_token, architecture, _language) = (parts.next()?, parts.next()?, parts.next()?);
    let version = parts.next()?;
    Some(Software {
        manager: PackageManager::Windows,
        name: name.to_owned(),
        architecture: Some(architecture.to_owned()).filter(|architecture| !architecture.is_empty()),
        software_type: SoftwareType::Update,
        version: Some(version.to_owned()).filter(|version| !version.is_empty()),
        publisher: None,
        description: None,
    })
}

/// Where programs leave how they can be removed, and for which processor: that is the view that they see.
const PROGRAMS: [(&str, &str); 2] = [
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall", "x64"),
    (r"HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall", "x86"),
];
const UPDATES: &str =
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages";
/// The state of a package that is installed, and neither waits for a restart nor is replaced by a later one.
const INSTALLED: u32 = 0x70;
