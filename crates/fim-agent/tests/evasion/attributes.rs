//! Ways to change what a thing is or may do, and not its content.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::Command;

use fim_core::Aspect;
use rustix::fs::{CWD, FileType, IFlags, Mode, XattrFlags};

use crate::stage::{Case, Deed, Stage, Technique, nothing, run};

fn set(case: &Case, name: &str, value: &[u8]) -> std::io::Result<()> {
    Ok(rustix::fs::setxattr(case.file(), name, value, XattrFlags::empty())?)
}

fn mark(case: &Case, wanted: IFlags) -> std::io::Result<()> {
    let file = File::open(case.file())?;
    let flags = rustix::fs::ioctl_getflags(&file)?;
    Ok(rustix::fs::ioctl_setflags(&file, flags | wanted)?)
}

#[test]
fn attributes_that_grant_something_are_told() {
    let Some(stage) = Stage::everywhere() else { return };
    stage.perform(&[
        Technique {
            name: "set the user id bit",
            prepare: nothing,
            act: |case| {
                fs::set_permissions(case.file(), Permissions::from_mode(0o4755)).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "change the owner",
            prepare: nothing,
            act: |case| std::os::unix::fs::chown(case.file(), Some(65534), None).and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "set an extended attribute",
            prepare: nothing,
            act: |case| set(case, "user.hidden", b"payload").and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "grant a capability",
            prepare: nothing,
            // All rights of `CAP_SETUID`, as `setcap cap_setuid+ep` writes them.
            act: |case| {
                let mut capability = [0; 20];
                capability[..8].copy_from_slice(&[1, 0, 0, 2, 0x80, 0, 0, 0]);
                set(case, "security.capability", &capability).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "grant rights by a list",
            prepare: nothing,
            act: |case| Deed::of(Command::new("setfacl").args(["-m", "u:65534:rw"]).arg(case.file())),
            told: &["file"],
        },
        Technique {
            name: "set the time back",
            prepare: nothing,
            act: |case| {
                File::options().write(true).open(case.file())?.set_modified(std::time::UNIX_EPOCH)?;
                Deed::ours()
            },
            told: &["file"],
        },
    ]);
}

#[test]
fn marks_of_chattr_are_told_in_real_time_where_the_kernel_tells_of_inodes_else_by_the_next_scan() {
    let Some(stage) = Stage::everywhere() else { return };
    let mut stage = stage.perform(&[Technique {
        name: "mark",
        prepare: nothing,
        act: |case| mark(case, IFlags::NODUMP).and_then(|()| Deed::ours()),
        told: &[],
    }]);
    let hears_of_inodes = stage.hears_of_inodes();
    for place in stage.places.iter().filter(|place| hears_of_inodes && place.has_plain_numbers) {
        stage.hold_noticed(place, &place.case("mark").file(), std::process::id());
    }
    stage.scan();
    for place in stage.places.iter().filter(|place| place.is_noticed) {
        let record = stage.record(&place.case("mark").file());
        assert!(record.change.fields.contains(Aspect::Flags), "{}: {record:#?}", place.name);
    }
}

#[test]
fn what_is_no_file_is_told_when_it_comes_and_when_it_is_turned() {
    let Some(stage) = Stage::everywhere() else { return };
    stage.perform(&[
        Technique {
            name: "drop a pipe",
            prepare: nothing,
            act: |case| {
                rustix::fs::mknodat(
                    CWD,
                    case.watched.join("pipe"),
                    FileType::Fifo,
                    Mode::from_raw_mode(0o666),
                    0,
                )?;
                Deed::ours()
            },
            told: &["pipe"],
        },
        Technique {
            name: "drop a device",
            prepare: nothing,
            act: |case| {
                let (kind, mode) = (FileType::CharacterDevice, Mode::from_raw_mode(0o666));
                rustix::fs::mknodat(CWD, case.watched.join("mem"), kind, mode, rustix::fs::makedev(1, 1))?;
                Deed::ours()
            },
            told: &["mem"],
        },
        Technique {
            name: "drop a socket",
            prepare: nothing,
            act: |case| {
                // Its path may have a hundred bytes only.
                let folder = File::open(&case.watched)?;
                let path = format!("/proc/self/fd/{}/socket", std::os::fd::AsRawFd::as_raw_fd(&folder));
                UnixListener::bind(path).and_then(Deed::keeping)
            },
            told: &["socket"],
        },
        Technique {
            name: "turn a link",
            prepare: |case| std::os::unix::fs::symlink("/etc/hostname", case.watched.join("link")),
            act: |case| {
                std::os::unix::fs::symlink("/etc/shadow", case.outside.join("link"))?;
                fs::rename(case.outside.join("link"), case.watched.join("link")).and_then(|()| Deed::ours())
            },
            told: &["link"],
        },
        Technique {
            name: "put a folder in the place of a file",
            prepare: nothing,
            act: |case| {
                fs::remove_file(case.file())?;
                fs::create_dir(case.file())?;
                fs::write(case.file().join("in it"), "x").and_then(|()| Deed::ours())
            },
            told: &["file", "file/in it"],
        },
        Technique {
            name: "put a link to a folder in the place of a folder",
            prepare: |case| fs::create_dir(case.watched.join("folder")),
            act: |case| {
                fs::remove_dir(case.watched.join("folder"))?;
                std::os::unix::fs::symlink(&case.outside, case.watched.join("folder"))
                    .and_then(|()| Deed::ours())
            },
            told: &["folder"],
        },
    ]);
}

#[test]
fn the_immutable_mark_keeps_nothing_from_being_told() {
    let Some(stage) = Stage::on(&["tmpfs", "ext4", "xfs", "btrfs"]) else { return };
    let stage = stage.perform(&[Technique {
        name: "write and mark as immutable",
        prepare: nothing,
        act: |case| {
            fs::write(case.file(), "evil")?;
            mark(case, IFlags::IMMUTABLE).and_then(|()| Deed::ours())
        },
        told: &["file"],
    }]);
    for place in &stage.places {
        // Or the folder could not be removed.
        let _ = run(Command::new("chattr").arg("-i").arg(place.case("write and mark as immutable").file()));
    }
}
