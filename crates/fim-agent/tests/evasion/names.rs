//! Ways to reach a file by another name than the one that is monitored, and names that are hard to tell.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use fim_core::{Aspect, ChangeSource};
use rustix::fs::{Mode, OFlags};

use crate::acts::{self, Mapping};
use crate::stage::{BEFORE, Case, Deed, Place, Stage, Technique, entity, nothing, run};

/// Runs a script of the shell with the monitored file as `$1` and a folder that is not monitored as `$2`.
fn script(case: &Case, isolated: &[&str], text: &str) -> io::Result<Deed> {
    let mut command = Command::new(isolated[0]);
    command.args(&isolated[1..]).args(["sh", "-e", "-c", text, "sh"]).arg(case.file()).arg(&case.outside);
    Deed::of(&mut command)
}

fn link_outside(case: &Case) -> io::Result<()> {
    fs::hard_link(case.file(), case.outside.join("other"))
}

#[test]
fn what_is_written_by_another_way_to_the_file_is_told() {
    let Some(stage) = Stage::everywhere() else { return };
    stage.perform(&[
        Technique {
            name: "write by its handle",
            prepare: nothing,
            act: |case| acts::open_by_handle(&case.file())?.write_all_at(b"X", 0).and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "write through the root of a process",
            prepare: nothing,
            act: |case| {
                let path = format!("/proc/self/root{}", case.file().display());
                fs::write(path, "after").and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "open again what is open for reading",
            prepare: nothing,
            act: |case| {
                let file = File::open(case.file())?;
                let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
                fs::write(path, "after").and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "write through a mount of the folder elsewhere",
            prepare: nothing,
            act: |case| {
                let text = "mkdir \"$2/m\"; mount --bind \"${1%/*}\" \"$2/m\"; echo evil > \"$2/m/file\"";
                script(case, &["unshare", "-m"], text)
            },
            told: &["file"],
        },
        Technique {
            name: "write from a container's mounts",
            prepare: nothing,
            act: |case| script(case, &["unshare", "-m", "-u", "-i"], "echo evil > \"$1\""),
            told: &["file"],
        },
        Technique {
            name: "write through a link outside",
            prepare: |case| std::os::unix::fs::symlink(case.file(), case.outside.join("link")),
            act: |case| fs::write(case.outside.join("link"), "after").and_then(|()| Deed::ours()),
            told: &["file"],
        },
    ]);
}

#[test]
fn what_is_written_under_a_name_outside_is_told_under_the_monitored_one() {
    let Some(stage) = Stage::everywhere() else { return };
    let stage = stage.perform(&[
        Technique {
            name: "write under another name",
            prepare: link_outside,
            act: |case| fs::write(case.outside.join("other"), "after").and_then(|()| Deed::ours()),
            told: &["file"],
        },
        Technique {
            name: "make another name and write under it",
            prepare: nothing,
            act: |case| {
                link_outside(case)?;
                fs::write(case.outside.join("other"), "after").and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "write by a handle that has another name",
            prepare: link_outside,
            act: |case| {
                let file = acts::open_by_handle(&case.outside.join("other"))?;
                file.write_all_at(b"X", 0).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "change the rights under another name",
            prepare: link_outside,
            act: |case| {
                let rights = std::os::unix::fs::PermissionsExt::from_mode(0o4777);
                fs::set_permissions(case.outside.join("other"), rights).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "write under one of two monitored names",
            prepare: |case| fs::hard_link(case.file(), case.watched.join("twin")),
            act: |case| fs::write(case.file(), "after").and_then(|()| Deed::ours()),
            told: &["file", "twin"],
        },
    ]);
    let own = stage.own().case("make another name and write under it");
    let record = stage.record_that(&own.file(), |event| event.change.fields.contains(Aspect::Content));
    assert!(record.change.fields.contains(Aspect::Links), "{record:#?}");
}

/// A further monitored name of the file, which goes again.
fn passing_name(case: &Case) -> io::Result<PathBuf> {
    let name = case.watched.join("passing");
    fs::hard_link(case.file(), &name)?;
    Ok(name)
}

#[test]
fn what_is_done_under_a_monitored_name_that_goes_again_is_told_under_the_one_that_stays() {
    let Some(stage) = Stage::everywhere() else { return };
    stage.perform(&[
        Technique {
            name: "write under a name that goes again",
            prepare: nothing,
            act: |case| {
                let name = passing_name(case)?;
                fs::write(&name, "after")?;
                fs::remove_file(name).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "change the rights under a name that goes again",
            prepare: nothing,
            act: |case| {
                let name = passing_name(case)?;
                fs::set_permissions(&name, std::os::unix::fs::PermissionsExt::from_mode(0o4777))?;
                fs::remove_file(name).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
        Technique {
            name: "write through what was opened under a name that went",
            prepare: nothing,
            act: |case| {
                let name = passing_name(case)?;
                let file = File::options().write(true).open(&name)?;
                fs::remove_file(name)?;
                file.write_all_at(b"X", 0)?;
                Deed::keeping(file)
            },
            told: &["file"],
        },
        Technique {
            name: "write under a name that moves out again",
            prepare: nothing,
            act: |case| {
                let name = passing_name(case)?;
                fs::write(&name, "after")?;
                fs::rename(name, case.outside.join("passed")).and_then(|()| Deed::ours())
            },
            told: &["file"],
        },
    ]);
}

#[test]
fn what_is_written_through_a_file_that_had_no_name_at_first_is_told_under_the_one_that_it_has() {
    let Some(mut stage) = Stage::everywhere() else { return };
    let linked = |place: &Place| place.watched.join("linked");
    let mut files = Vec::new();
    for (number, place) in stage.places.iter().enumerate() {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let Ok(opened) = rustix::fs::open(&place.watched, flags, Mode::from_raw_mode(0o644)) else {
            fim_testkit::skip(&format!("{} has no files without a name", place.name));
            continue;
        };
        let file = File::from(opened);
        file.write_all_at(BEFORE, 0).unwrap();
        let proc = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        let cwd = rustix::fs::CWD;
        rustix::fs::linkat(cwd, proc, cwd, linked(place), rustix::fs::AtFlags::SYMLINK_FOLLOW).unwrap();
        files.push((number, file));
    }
    assert!(!files.is_empty(), "it was tried nowhere");
    stage.start();
    for (_, file) in &files {
        file.write_all_at(b"X", 0).unwrap();
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o4755)).unwrap();
    }
    let places = || files.iter().map(|(number, _)| &stage.places[*number]);
    for place in places().filter(|place| place.is_noticed) {
        stage.hold_noticed(place, &linked(place), std::process::id());
        for aspect in [Aspect::Content, Aspect::Mode] {
            stage.record_that(&linked(place), |event| event.change.fields.contains(aspect));
        }
    }
}

/// A mapping of a file on each place, from before anybody watched; the files are closed.
fn mapped_files(stage: &Stage) -> Vec<Mapping> {
    let mapped = |place: &Place| {
        let path = place.watched.join("file");
        fs::write(&path, BEFORE).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        Mapping::of(&file, BEFORE.len()).unwrap()
    };
    stage.places.iter().map(mapped).collect()
}

#[test]
fn what_is_stored_through_a_mapping_is_told_though_another_name_comes_and_goes_at_once() {
    let Some(mut stage) = Stage::everywhere() else { return };
    let mut mappings = mapped_files(&stage);
    stage.start();
    for (place, mapping) in stage.places.iter().zip(&mut mappings) {
        mapping.store(b"through a mapping");
        let name = place.watched.join("passing");
        fs::hard_link(place.watched.join("file"), &name).unwrap();
        fs::remove_file(name).unwrap();
    }
    for place in stage.places.iter().filter(|place| place.is_noticed) {
        let path = place.watched.join("file");
        stage.hold_noticed(place, &path, std::process::id());
        stage.record_that(&path, |event| event.change.fields.contains(Aspect::Content));
    }
}

#[test]
fn what_is_changed_under_a_name_that_a_rule_leaves_out_is_told_under_the_one_that_it_names() {
    type Act = fn(&Path) -> io::Result<()>;
    let acts: [(&str, Act); 2] = [
        ("write", |path| fs::write(path, "after")),
        ("rights", |path| fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o4777))),
    ];
    let Some(mut stage) = Stage::everywhere() else { return };
    let mut links = Vec::new();
    for (number, place) in stage.places.iter().enumerate() {
        fs::create_dir_all(place.named.join("deep/further")).unwrap();
        fs::create_dir(place.named.join("lower")).unwrap();
        for (doing, act) in acts {
            for (monitored, other) in [
                (place.watched.join(doing), place.watched.join(doing).with_extension("left-out")),
                (
                    place.named.join(doing).with_extension("conf"),
                    place.named.join(doing).with_extension("log"),
                ),
                (
                    place.named.join(doing).with_extension("low.conf"),
                    place.named.join("lower").join(doing).with_extension("low.conf"),
                ),
                (
                    place.named.join("deep/further").join(doing).with_extension("conf"),
                    place.named.join("deep/further").join(doing).with_extension("log"),
                ),
            ] {
                fs::write(&monitored, BEFORE).unwrap();
                fs::hard_link(&monitored, &other).unwrap();
                links.push((number, monitored, other, act));
            }
        }
    }
    stage.start();
    for (_, _, other, act) in &links {
        act(other).unwrap();
    }
    for (number, monitored, ..) in links.iter().filter(|(number, ..)| stage.places[*number].is_noticed) {
        stage.hold_noticed(&stage.places[*number], monitored, std::process::id());
    }
    stage.scan();
    for (_, monitored, other, _) in &links {
        stage.record(monitored);
        assert_eq!(stage.told(other), [], "{}", other.display());
    }
}

#[test]
fn whoever_is_given_the_number_of_a_file_that_is_gone_is_not_named_for_that() {
    type Act = fn(&Path) -> io::Result<()>;
    let acts: [(&str, Act); 2] = [
        ("removed", |path| fs::remove_file(path)),
        ("replaced", |path| {
            let new = path.with_extension("new");
            fs::write(&new, "new").and_then(|()| fs::rename(new, path))
        }),
    ];
    let Some(mut stage) = Stage::on(&["ext4"]) else { return };
    let file = |place: &Place, doing: &str| place.named.join(doing).with_extension("conf");
    for place in &stage.places {
        for (doing, _) in acts {
            fs::write(file(place, doing), BEFORE).unwrap();
        }
    }
    stage.start();
    for place in &stage.places {
        for (doing, act) in acts {
            let path = file(place, doing);
            let number = fs::metadata(&path).unwrap().ino();
            act(&path).unwrap();
            // As ext4 does, with the first number of the directory's group that is free.
            let innocent = place.named.join(doing).with_extension("innocent");
            let other =
                Deed::of(Command::new("sh").args(["-c", "echo x > \"$1\"", "sh"]).arg(&innocent)).unwrap();
            let is_reused = fs::metadata(&innocent).unwrap().ino() == number;
            if !is_reused {
                assert!(place.name != "ext4", "{} has another number", innocent.display());
                fim_testkit::skip(&format!("{} did not give the number to the next file", place.name));
            }
            assert!(other.by != std::process::id());
        }
    }
    for place in &stage.places {
        for (doing, _) in acts {
            stage.hold_noticed(place, &file(place, doing), std::process::id());
        }
    }
}

#[test]
fn what_is_stored_through_a_mapping_that_stays_is_told_in_real_time_where_the_kernel_tells_of_inodes() {
    let Some(mut stage) = Stage::everywhere() else { return };
    let mut mappings = mapped_files(&stage);
    stage.start();
    for mapping in &mut mappings {
        mapping.store(b"through a mapping");
    }
    let hears_of_inodes = stage.hears_of_inodes();
    for place in stage.places.iter().filter(|place| hears_of_inodes && place.has_plain_numbers) {
        stage.hold_noticed(place, &place.watched.join("file"), std::process::id());
    }
    stage.scan();
    for place in &stage.places {
        let record = stage.record(&place.watched.join("file"));
        assert!(record.change.fields.contains(Aspect::Content), "{}: {record:#?}", place.name);
    }
}

#[test]
fn what_is_stored_through_a_mapping_just_after_somebody_else_touched_the_file_names_both() {
    let Some(mut stage) = Stage::everywhere() else { return };
    let file = |place: &Place| place.watched.join("file");
    let mut mappings = mapped_files(&stage);
    stage.start();
    let mut others = Vec::new();
    for (place, mapping) in stage.places.iter().zip(&mut mappings) {
        let other = Deed::of(Command::new("chmod").arg("0640").arg(file(place))).unwrap();
        mapping.store(b"through a mapping");
        others.push(other.by);
    }
    if !stage.hears_of_inodes() {
        return;
    }
    let both = stage.places.iter().zip(others).filter(|(place, _)| place.has_plain_numbers);
    for (place, other) in both {
        let record = stage.record_that(&file(place), |event| event.change.fields.contains(Aspect::Content));
        let mut actors: Vec<u32> = record.who.actors.iter().map(|actor| actor.process_id).collect();
        let mut expected = [other, std::process::id()];
        actors.sort_unstable();
        expected.sort_unstable();
        assert_eq!(actors, expected, "on {}: {record:#?}", place.name);
        assert_eq!(record.who.unknown, None, "on {}: {record:#?}", place.name);
    }
}

#[test]
fn names_of_any_bytes_are_told_as_they_are() {
    let Some(mut stage) = Stage::everywhere() else { return };
    let name = OsStr::from_bytes(b"a\n\xff\x1b[2J");
    stage.start();
    for place in &stage.places {
        fs::write(place.watched.join(name), "x").unwrap();
    }
    for place in stage.places.iter().filter(|place| place.is_noticed) {
        let record = stage.record(&place.watched.join(name));
        assert_eq!(*record.change.key.path(), entity(&place.watched.join(name)));
        assert_eq!(record.source, ChangeSource::RealTime);
    }
}

#[test]
fn what_is_written_through_a_merged_overlay_is_told_of_its_layer_where_the_kernel_tells_of_inodes() {
    let Some(mut stage) = Stage::on(&["tmpfs", "ext4", "xfs"]) else { return };
    let mut merged = Vec::new();
    for place in &stage.places {
        match Merged::over(place) {
            Ok(made) => merged.push((place.name, made)),
            Err(why) => fim_testkit::skip(&format!("no overlay can be mounted on {}: {why}", place.name)),
        }
    }
    stage.start();
    for (_, merged) in &merged {
        let mut file = File::options().write(true).open(merged.point.join("file")).unwrap();
        file.write_all(b"written through the overlay").unwrap();
    }
    if stage.hears_of_inodes() {
        for (name, merged) in &merged {
            let place = stage.places.iter().find(|place| place.name == *name).unwrap();
            stage.hold_noticed(place, &merged.layer.join("file"), std::process::id());
        }
    }
    stage.scan();
    for (name, merged) in &merged {
        let record = stage.record(&merged.layer.join("file"));
        assert!(record.change.fields.contains(Aspect::Content), "{name}: {record:#?}");
    }
}

/// An overlay whose upper layer is monitored, with a file in it. It is mounted as long as this lives.
struct Merged {
    layer: PathBuf,
    point: PathBuf,
}

impl Merged {
    fn over(place: &Place) -> io::Result<Self> {
        let layer = place.watched.join("layer");
        let [lower, work, point] = ["lower", "work", "merged"].map(|name| place.outside.join(name));
        [&layer, &lower, &work, &point].into_iter().try_for_each(fs::create_dir)?;
        fs::write(layer.join("file"), BEFORE)?;
        let layers = [("lowerdir", &lower), ("upperdir", &layer), ("workdir", &work)];
        let options = layers.map(|(option, folder)| format!("{option}={}", folder.display())).join(",");
        run(Command::new("mount").args(["-t", "overlay", "none", "-o", &options]).arg(&point))?;
        Ok(Self { layer, point })
    }
}

impl Drop for Merged {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.point).status();
    }
}

/// Makes folders in each other, each relative to the one before, so that the whole path may be longer than any call
/// takes. Gives the last one and its path.
fn folders_in_each_other(top: &Path, count: usize) -> (File, PathBuf) {
    let (mut folder, mut path) = (File::open(top).unwrap(), top.to_owned());
    let name = "d".repeat(200);
    for _ in 0..count {
        rustix::fs::mkdirat(&folder, &name, Mode::from_raw_mode(0o755)).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        folder = rustix::fs::openat(&folder, &name, flags, Mode::empty()).unwrap().into();
        path.push(&name);
    }
    (folder, path)
}

#[test]
fn what_lies_deeper_than_a_path_can_name_is_told() {
    let Some(mut stage) = Stage::on(&["tmpfs"]) else { return };
    let mut deep = Vec::new();
    for place in &stage.places {
        deep.push(folders_in_each_other(&place.watched, 30));
    }
    stage.start();
    for (folder, path) in &deep {
        assert!(path.as_os_str().len() > 4096);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let mut file =
            File::from(rustix::fs::openat(folder, "evil", flags, Mode::from_raw_mode(0o644)).unwrap());
        file.write_all(b"deep").unwrap();
    }
    for (_, path) in &deep {
        let record = stage.record(&path.join("evil"));
        assert_eq!(record.source, ChangeSource::RealTime);
        assert!(record.who.actors.iter().any(|actor| actor.process_id == std::process::id()), "{record:#?}");
    }
}
