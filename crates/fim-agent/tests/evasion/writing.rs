//! Ways to change content.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use fim_core::Aspect;
use rustix::fs::{FallocateFlags, Mode, OFlags, RenameFlags};

use crate::acts::{self, Mapping};
use crate::stage::{BEFORE, Case, Deed, Stage, Technique, nothing};

fn open(case: &Case) -> io::Result<File> {
    File::options().read(true).write(true).open(case.file())
}

/// A file that is not monitored, with other content.
fn source(case: &Case) -> io::Result<File> {
    let path = case.outside.join("source");
    // As large as a block, or nothing could be shared.
    fs::write(&path, [b'x'; 4096])?;
    File::open(path)
}

/// That rings are forbidden on the machine, by `kernel.io_uring_disabled` or a filter of system calls, is no failure.
fn unless_forbidden(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::PermissionDenied { io::ErrorKind::Unsupported.into() } else { error }
}

#[test]
fn what_is_written_by_any_system_call_is_told() {
    let Some(stage) = Stage::everywhere() else { return };
    stage.perform(&[
        Technique {
            name: "write",
            prepare: nothing,
            act: |case| fs::write(case.file(), "after").and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "write in place without creating",
            prepare: nothing,
            act: |case| open(case)?.write_all_at(b"X", 9).and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "truncate",
            prepare: nothing,
            act: |case| open(case)?.set_len(7).and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "punch a hole",
            prepare: nothing,
            act: |case| {
                let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
                rustix::fs::fallocate(open(case)?, punch, 0, 16)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "copy_file_range",
            prepare: nothing,
            act: |case| {
                rustix::fs::copy_file_range(source(case)?, None, open(case)?, None, 16)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "sendfile",
            prepare: nothing,
            act: |case| {
                rustix::fs::sendfile(open(case)?, source(case)?, None, 16)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "splice",
            prepare: nothing,
            act: |case| {
                let (reader, mut writer) = io::pipe()?;
                writer.write_all(b"spliced")?;
                acts::splice_from(&reader, &open(case)?, 7)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "io_uring",
            prepare: nothing,
            act: |case| {
                acts::write_by_ring(&open(case)?, b"by a ring").map_err(unless_forbidden)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "share the blocks of another file",
            prepare: nothing,
            act: |case| {
                rustix::fs::ioctl_ficlone(open(case)?, source(case)?)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "write and stay open",
            prepare: nothing,
            act: |case| {
                let mut file = open(case)?;
                file.write_all(b"AFTER")?;
                Deed::keeping(file)
            },
            told: &["file"],
        },
        Technique {
            name: "link a file without a name",
            prepare: nothing,
            act: |case| {
                let mode = Mode::from_raw_mode(0o644);
                let file = rustix::fs::openat(
                    rustix::fs::CWD,
                    &case.watched,
                    OFlags::TMPFILE | OFlags::WRONLY,
                    mode,
                )?;
                rustix::io::write(&file, b"from nowhere")?;
                let flags = rustix::fs::AtFlags::EMPTY_PATH;
                rustix::fs::linkat(&file, "", rustix::fs::CWD, case.watched.join("came"), flags)?;
                Deed::ours()
            },
            told: &["came"],
        },
        Technique {
            name: "rename over",
            prepare: |case| fs::write(case.outside.join("new"), "new"),
            act: |case| fs::rename(case.outside.join("new"), case.file()).and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "exchange with a file outside",
            prepare: |case| fs::write(case.outside.join("evil"), "evil"),
            act: |case| {
                let (evil, cwd) = (case.outside.join("evil"), rustix::fs::CWD);
                rustix::fs::renameat_with(cwd, evil, cwd, case.file(), RenameFlags::EXCHANGE)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "move out",
            prepare: nothing,
            act: |case| fs::rename(case.file(), case.outside.join("gone")).and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "write and put the time back",
            prepare: nothing,
            act: |case| {
                let file = open(case)?;
                let before = file.metadata()?.modified()?;
                file.write_all_at(b"X", 0)?;
                file.set_modified(before)?;
                Deed::ours()
            },
            told: &["file"],
        },
        Technique {
            name: "store through a mapping and unmap",
            prepare: nothing,
            act: |case| {
                let file = open(case)?;
                let mut mapping = Mapping::of(&file, BEFORE.len())?;
                mapping.store(b"through a mapping");
                drop(mapping);
                Deed::ours()
            },
            told: &["file"],
        },
    ]);
}

#[test]
fn what_is_changed_and_put_back_at_once_is_told() {
    let Some(stage) = Stage::everywhere() else { return };
    let stage = stage.perform(&[Technique {
        name: "change and put back with its time",
        prepare: nothing,
        act: |case| {
            let mut file = open(case)?;
            let before = file.metadata()?.modified()?;
            let mut content = Vec::new();
            file.read_to_end(&mut content)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(b"EVIL")?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&content)?;
            file.set_modified(before)?;
            Deed::ours()
        },
        told: &["file"],
    }]);
    let record = stage.record(&stage.own().case("change and put back with its time").file());
    assert!(record.change.fields.contains(Aspect::Changed), "{record:#?}");
}

#[test]
fn what_is_written_through_a_handle_from_long_before_is_told() {
    let Some(mut stage) = Stage::everywhere() else { return };
    let mut held = Vec::new();
    for place in &stage.places {
        fs::write(place.watched.join("file"), BEFORE).unwrap();
        held.push(File::options().write(true).open(place.watched.join("file")).unwrap());
    }
    stage.start();
    for round in 1..3_u8 {
        // The second one comes after the content of the first was read.
        for file in &held {
            file.write_all_at(&[b'0' + round], 0).unwrap();
        }
        for place in stage.places.iter().filter(|place| place.is_noticed) {
            let path = place.watched.join("file");
            stage.wait_for("a record of each write", |seen| {
                let told = seen
                    .reports
                    .iter()
                    .filter(|report| crate::support::path_of(report) == path.to_str().unwrap());
                told.count() == usize::from(round)
            });
        }
    }
}

#[test]
fn a_large_file_with_the_same_size_and_time_is_told_with_the_gap_until_it_was_read() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let path = stage.own().watched.join("large");
    File::create(&path).unwrap().set_len(65 << 20).unwrap();
    stage.start();
    let file = File::options().write(true).open(&path).unwrap();
    let before = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"evil", 40 << 20).unwrap();
    file.set_modified(before).unwrap();
    let record = stage.record_that(&path, |event| event.change.fields.contains(Aspect::Content));
    assert!(record.change.before.unwrap().digest != record.change.after.unwrap().digest);
    let scope = fim_core::GapScope::Within(crate::stage::entity(&path));
    stage.gap("a gap until it was read", |gap| gap.scope == scope && gap.end.is_some());
}
