//! What the kernel really tells of files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::error::Error;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fim_bpf::{FileEvents, FileHooks, FileRecord, KernelTypes, StartError};
use tempfile::{NamedTempFile, TempDir};

/// Nothing where this process has no right to it, or the kernel has no such tracepoints, which is said.
fn started() -> Option<FileEvents> {
    let error: StartError =
        match KernelTypes::read().and_then(|types| FileEvents::start(FileHooks::Times, &types)) {
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

/// What is told of this process until it is told that it set the file's rights.
fn told_until_rights_are_set(events: &mut FileEvents, file: &NamedTempFile) -> Vec<FileRecord> {
    let inode = inode(file.path());
    let end = Instant::now() + Duration::from_secs(10);
    let mut told = Vec::new();
    // What comes soon after the same was told is not told again.
    while !told.iter().any(|record: &FileRecord| record.inode == inode && record.device != (0, 0)) {
        assert!(Instant::now() < end, "{told:?}");
        fs::set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
        events.take(|record| {
            if record.process == std::process::id() {
                told.push(record);
            }
        });
    }
    assert_eq!(events.take_lost(), 0);
    told
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

#[test]
fn a_file_whose_rights_are_set_is_told_by_number_with_the_process() {
    let Some(mut events) = started() else { return };
    let file = NamedTempFile::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let told = told_until_rights_are_set(&mut events, &file);
    assert!(!told.iter().any(|record| record.inode == inode(folder.path())), "{told:?}");
}

#[test]
fn whoever_lets_go_of_a_removed_file_last_is_not_told_as_who_changed_it() {
    let Some(mut events) = started() else { return };
    let other = NamedTempFile::new().unwrap();
    for _ in 0..10 {
        let file = NamedTempFile::new().unwrap();
        fs::write(file.path(), "content that is taken away").unwrap();
        let (inode, reader) = (inode(file.path()), File::open(file.path()).unwrap());
        file.close().unwrap();
        told_until_rights_are_set(&mut events, &other);
        drop(reader);
        let told = told_until_rights_are_set(&mut events, &other);
        assert!(!told.iter().any(|record| record.inode == inode), "{told:?}");
    }
}

#[test]
fn whoever_reads_a_file_from_the_disk_first_is_not_told_as_who_changed_it() {
    let Some(mut events) = started() else { return };
    let Some(disk) = Disk::make() else { return };
    fs::write(disk.file(), "content").unwrap();
    // Nothing of it is in memory then.
    disk.unmount();
    disk.mount();
    let other = NamedTempFile::new().unwrap();
    told_until_rights_are_set(&mut events, &other);
    let (inode, device) = (inode(&disk.file()), fs::metadata(disk.file()).unwrap().dev());
    let is_of_the_file = |record: &FileRecord| {
        let (major, minor) = record.device;
        record.inode == inode && u64::from(major << 8 | minor) == device
    };
    assert_eq!(fs::read(disk.file()).unwrap(), b"content");
    let told = told_until_rights_are_set(&mut events, &other);
    assert!(!told.iter().any(is_of_the_file), "{told:?}");
    fs::write(disk.file(), "other content").unwrap();
    let told = told_until_rights_are_set(&mut events, &other);
    assert!(told.iter().any(is_of_the_file), "{told:?}");
}

/// A small disk of its own, mounted as long as this lives.
struct Disk(TempDir);

impl Disk {
    /// Nothing where the machine does not allow it, which is said.
    fn make() -> Option<Self> {
        let disk = Self(tempfile::tempdir().unwrap());
        File::create(disk.image()).unwrap().set_len(4 << 20).unwrap();
        fs::create_dir(disk.place()).unwrap();
        let is_made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(disk.image()).status();
        if is_made.is_ok_and(|status| status.success()) && disk.mount() {
            return Some(disk);
        }
        fim_testkit::skip("no disk of ext4 can be made and mounted here");
        None
    }

    fn mount(&self) -> bool {
        let status = Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.place()).status();
        status.unwrap().success()
    }

    fn unmount(&self) {
        assert!(Command::new("umount").arg(self.place()).status().unwrap().success());
    }

    fn image(&self) -> PathBuf {
        self.0.path().join("image")
    }

    fn place(&self) -> PathBuf {
        self.0.path().join("place")
    }

    fn file(&self) -> PathBuf {
        self.place().join("file")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.place()).status().ok();
    }
}
