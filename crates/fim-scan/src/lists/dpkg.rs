//! Debian's packages: `/var/lib/dpkg/status` (deb-control(5)), and the files of images that are made without dpkg.

use fim_core::{PackageManager, Software, SoftwareType};

use super::CollectError;
use super::files::Files;
use crate::tree::FileTree;

/// The packages that are installed.
pub(super) fn read<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Software>, CollectError> {
    let status = files.read(STATUS)?;
    let mut packages = parse(status.as_deref().unwrap_or_default());
    for name in files.names(PARTS)? {
        if !name.name.ends_with(".md5sums") {
            let part = files.read(&format!("{PARTS}/{}", name.name))?.unwrap_or_default();
            packages.extend(parse(&part));
        }
    }
    if status.is_none() && packages.is_empty() && files.exists(FOLDER)? {
        return Err(CollectError::missing(STATUS));
    }
    Ok(packages)
}

/// The packages of a status file whose files are on the disk, in whatever state their installation is.
fn parse(status: &[u8]) -> Vec<Software> {
    let text = String::from_utf8_lossy(status);
    let mut packages = Vec::new();
    let mut paragraph = Paragraph::default();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            packages.extend(std::mem::take(&mut paragraph).into_package());
        } else if !line.starts_with([' ', '\t']) {
            paragraph.take_in(line);
        }
    }
    packages
}

#[derive(Default)]
struct Paragraph<'t> {
    name: Option<&'t str>,
    status: Option<&'t str>,
    version: Option<&'t str>,
    architecture: Option<&'t str>,
    maintainer: Option<&'t str>,
    description: Option<&'t str>,
}

impl<'t> Paragraph<'t> {
    fn take_in(&mut self, line: &'t str) {
        let Some((field, value)) = line.split_once(':') else { return };
        let value = Some(value.trim());
        // Names of fields are the same in any case.
        match field.to_ascii_lowercase().as_str() {
            "package" => self.name = value,
            "status" => self.status = value,
            "version" => self.version = value,
            "architecture" => self.architecture = value,
            "maintainer" => self.maintainer = value,
            "description" => self.description = value,
            _ => {}
        }
    }

    fn into_package(self) -> Option<Software> {
        let name = self.name.filter(|name| !name.is_empty())?;
        // The last word is the state: of those that are not installed at most the configuration is left.
        let state = self.status.and_then(|status| status.rsplit(' ').next());
        if matches!(state, Some("not-installed" | "config-files")) {
            return None;
        }
        Some(Software {
            manager: PackageManager::Dpkg,
            name: name.to_owned(),
            architecture: self.architecture.map(str::to_owned),
            software_type: SoftwareType::Package,
            version: self.version.map(str::to_owned),
            publisher: self.maintainer.map(str::to_owned),
            description: self.description.map(str::to_owned),
        })
    }
}

const FOLDER: &str = "/var/lib/dpkg";
const STATUS: &str = "/var/lib/dpkg/status";

/// Images that are made without dpkg have a file a package there.
const PARTS: &str = "/var/lib/dpkg/status.d";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packages_are_read_with_what_is_published_of_them() {
        let packages = parse(
            b"Package: bash\nStatus: install ok installed\nEssential: yes\nMaintainer: Matthias <doko@debian.org>\n\
              Architecture: amd64\nVersion: 5.2.15-2+b8\nDescription: GNU Bourne Again SHell\n Bash is: a shell\n\n\n\
              Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
              Package: half\nStatus: install reinstreq half-installed\nVersion: 2\n",
        );
        let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["bash", "half"], "what is half installed has files on the disk");
        assert_eq!(packages[0].version.as_deref(), Some("5.2.15-2+b8"));
        assert_eq!(packages[0].architecture.as_deref(), Some("amd64"));
        assert_eq!(packages[0].publisher.as_deref(), Some("Matthias <doko@debian.org>"));
        assert_eq!(packages[0].description.as_deref(), Some("GNU Bourne Again SHell"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(status in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&status);
        }

        #[test]
        fn no_text_of_fields_makes_it_panic(status in "((Package|Status|Version|x)?:?[ a-z\\n]{0,9}){0,20}") {
            let _ = parse(status.as_bytes());
        }
    }
}
