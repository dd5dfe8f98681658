//! What the kernel really tells of files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::error::Error;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use fim_bpf::{FileEvents, FileRecord, KernelTypes, StartError};

/// Nothing where this process has no right to it, or the kernel has no such tracepoints, which is said.
fn started() -> Option<FileEvents> {
    let error: StartError = match KernelTypes::read().and_then(|types| FileEvents::start(&types)) {
        Ok(events) => return Some(events),
        Err(error) => error,
    };
    let causes = std::iter::successors(Some(&error as &dyn Error), |&error| error.source());
    let text: Vec<String> = causes.map(ToString::to_string).collect();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let numbers: Vec<u32> = release.split('.').take(2).filter_map(|number| number.parse().ok()).collect();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    assert!(!is_root || numbers < vec![6, 13], "{text:?}");
    fim_testkit::skip(&format!("the kernel does not tell of files here: {text:?}"));
    None
}

#[test]
fn a_file_whose_rights_are_set_is_told_by_number_with_the_process() {
    let Some(mut events) = started() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    let other = tempfile::tempdir().unwrap();
    let inode = file.as_file().metadata().unwrap().ino();
    let folder = fs::metadata(other.path()).unwrap().ino();
    let end = Instant::now() + Duration::from_secs(10);
    let mut told = Vec::new();
    // What comes soon after the file was made is not told again.
    while !told.iter().any(|record: &FileRecord| record.inode == inode && record.device != (0, 0)) {
        assert!(Instant::now() < end, "{told:?}");
        fs::set_permissions(other.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        told.clear();
        events.take(|record| {
            if record.process == std::process::id() {
                told.push(record);
            }
        });
    }
    assert!(!told.iter().any(|record| record.inode == folder), "{told:?}");
    assert_eq!(events.take_lost(), 0);
}
