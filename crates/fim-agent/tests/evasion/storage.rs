//! Ways to change a file below its file system.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fim_core::{Aspect, ChangeSource, GapCause, GapScope};
use rustix::fs::Advice;

use crate::stage::{Stage, entity, run};

const NEEDLE: &[u8] = b"a needle that is found on the disk once, and below the file system it can be another";

/// Puts other bytes in the place of the needle, wherever it lies on the disk.
fn overwrite(disk: &Path) {
    let mut file = File::options().read(true).write(true).open(disk).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    let places: Vec<usize> = memchr(&bytes);
    assert!(!places.is_empty(), "the file is not on the disk yet");
    for place in places {
        file.write_all_at(b"EVIL", place as u64).unwrap();
    }
    file.sync_all().unwrap();
}

/// Where the needle lies. It begins a block.
fn memchr(bytes: &[u8]) -> Vec<usize> {
    bytes
        .chunks(512)
        .enumerate()
        .filter(|(_, block)| block.starts_with(NEEDLE))
        .map(|(number, _)| 512 * number)
        .collect()
}

/// A stage with a file system of ext4, where it is mounted, and the device that it is on.
fn stage() -> Option<(Stage, PathBuf, PathBuf)> {
    let stage = Stage::on(&["ext4"])?;
    let place = stage.places.iter().find(|place| place.name == "ext4")?;
    let watched = place.watched.clone();
    fs::write(watched.join("file"), NEEDLE).unwrap();
    run(&mut Command::new("sync")).unwrap();
    let said = Command::new("findmnt").args(["-n", "-o", "SOURCE"]).arg(stage.path("ext4")).output().unwrap();
    let device = PathBuf::from(String::from_utf8(said.stdout).unwrap().trim());
    Some((stage, watched, device))
}

#[test]
fn what_is_written_to_the_disk_below_the_file_system_is_told_by_the_next_scan_that_reads_it() {
    let Some((mut stage, watched, device)) = stage() else { return };
    stage.start();
    overwrite(&device);
    let path = watched.join("file");
    let file = File::open(&path).unwrap();
    let before = file.metadata().unwrap();
    // What the kernel keeps of the file in memory is what everybody reads until it is let go.
    rustix::fs::fadvise(&file, 0, None, Advice::DontNeed).unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"EVIL"));
    assert_eq!(before.modified().unwrap(), fs::metadata(&path).unwrap().modified().unwrap());
    stage.scan();
    let record = stage.record(&path);
    assert_eq!(record.source, ChangeSource::Scan);
    assert!(record.change.fields.contains(Aspect::Content), "{record:#?}");
}

#[test]
fn a_disk_that_is_edited_while_it_is_not_mounted_is_told_with_the_gap() {
    let Some((mut stage, watched, _)) = stage() else { return };
    stage.start();
    let (point, image) = (stage.path("ext4"), stage.path("ext4.image"));
    run(Command::new("umount").arg(&point)).unwrap();
    let is_it = |scope: &GapScope| match scope {
        GapScope::Everything => true,
        GapScope::Within(path) => entity(&watched).is_within(path),
        GapScope::List(_) | GapScope::Part(_) => false,
    };
    stage.gap("a gap of what is not there", |gap| gap.cause == GapCause::MountsChanged && is_it(&gap.scope));
    overwrite(&image);
    run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&point)).unwrap();
    let record = stage.record_that(&watched.join("file"), |event| event.change.after.is_some());
    let digest = |entity: Option<fim_core::Entity>| entity.and_then(|entity| entity.digest);
    if record.change.before.is_some() {
        assert_ne!(digest(record.change.before), digest(record.change.after));
    }
}
