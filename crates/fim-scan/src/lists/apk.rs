//! Alpine's packages: the file `installed` of apk, whose lines begin with a letter for the field.

use fim_core::{PackageManager, Software, SoftwareType};

use super::CollectError;
use super::files::Files;
use crate::tree::FileTree;

/// The packages that are installed.
pub(super) fn read<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Software>, CollectError> {
    for folder in FOLDERS {
        if let Some(installed) = files.read(&format!("{folder}/{INSTALLED}"))? {
            return Ok(parse(&installed));
        }
    }
    for folder in FOLDERS {
        if files.exists(folder)? {
            return Err(CollectError::missing(&format!("{folder}/{INSTALLED}")));
        }
    }
    Ok(Vec::new())
}

fn parse(installed: &[u8]) -> Vec<Software> {
    let text = String::from_utf8_lossy(installed);
    let mut packages = Vec::new();
    let mut package: Option<Software> = None;
    for line in text.lines() {
        let Some((field, value)) = line.split_once(':') else {
            packages.extend(package.take());
            continue;
        };
        let value = value.to_owned();
        match (field, &mut package) {
            ("P", _) => packages.extend(package.replace(named(value))),
            ("V", Some(package)) => package.version = Some(value),
            ("A", Some(package)) => package.architecture = Some(value),
            ("T", Some(package)) => package.description = Some(value),
            ("m", Some(package)) => package.publisher = Some(value),
            _ => {}
        }
    }
    packages.extend(package);
    packages
}

fn named(name: String) -> Software {
    Software {
        manager: PackageManager::Apk,
        name,
        architecture: None,
        software_type: SoftwareType::Package,
        version: None,
        publisher: None,
        description: None,
    }
}

const FOLDERS: [&str; 2] = ["/lib/apk/db", "/usr/lib/apk/db"];
const INSTALLED: &str = "installed";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn packages_are_read_with_what_is_published_of_them() {
        // The field of the checksum comes first in some versions and second in others.
        let packages = parse(
            b"C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nT:the musl c library: fast\nm:Timo <t@x.org>\nF:lib\nR:ld.so\n\n\
              P:busybox\nV:1.36.1-r2\n",
        );
        assert_eq!(packages.len(), 2);
        assert_eq!(packages[0].version.as_deref(), Some("1.2.5-r0"));
        assert_eq!(packages[0].description.as_deref(), Some("the musl c library: fast"));
        assert_eq!(packages[1].name, "busybox");
        assert_eq!(packages[1].publisher, None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(installed in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&installed);
        }
    }
}
