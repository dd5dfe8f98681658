//! What the kernel really tells of what happens in a folder. Each way to change something ends in a hint with the
//! right path, and with the right process where that still runs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod losses;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{Actor, EntityPath, GapCause, GapScope, Hint, Notice, PathStyle, Rule, RuleSet, WhoUnknown};
use fim_os::PROVIDERS;
use fim_scan::{Unwatched, Watcher};
use fim_testkit::SilentMount;
use rustix::fs::{CWD, Mode, OFlags};

/// A folder that is watched.
struct Watched {
    folder: tempfile::TempDir,
    watcher: Box<dyn Watcher>,
}

impl Watched {
    /// One by each provider that works here; what does not is said.
    fn by_each_provider() -> impl Iterator<Item = Self> {
        PROVIDERS.into_iter().filter_map(Self::by_provider)
    }

    /// One by that provider; nothing where it does not work, which is said.
    fn by_provider(provider: &str) -> Option<Self> {
        let choice = fim_os::best_watcher(provider);
        let tells_as_much = choice.refused.is_empty();
        let works = choice.watcher.filter(|watcher| watcher.provider() == provider);
        if works.is_none() && tells_as_much {
            fim_testkit::skip(&format!("{provider} cannot be used here, and what can tells as much"));
        } else if works.is_none() {
            let why = choice
                .refused
                .iter()
                .find(|refused| refused.provider == provider)
                .map(|refused| &*refused.why);
            let why = why.unwrap_or_default();
            // Any other refusal is a mistake of ours.
            let is_ours = !FORBIDDEN.iter().any(|forbidden| why.contains(forbidden));
            assert!(!is_ours, "{provider}: {why}");
            fim_testkit::skip(&format!("{provider} cannot be used here: {why}"));
        }
        works.map(Self::by)
    }

    /// One by the best provider that works here of those who are told of processes by the kernel.
    fn told_of_processes() -> Option<Self> {
        BY_FILE_SYSTEM[..2].iter().find_map(|provider| Self::by_provider(provider))
    }

    fn by(watcher: Box<dyn Watcher>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let mut watched = Self { folder, watcher };
        assert_eq!(watched.watch("in"), []);
        watched
    }

    /// Has a place watched in the place of the one before. Gives what cannot be.
    fn watch(&mut self, name: &str) -> Vec<Unwatched> {
        let place = self.path(name);
        let rule = Rule { recurse: true, ..Rule::new("in", "Custom", place.to_str().unwrap()) };
        let plan = RuleSet::new(vec![rule], PathStyle::Unix).unwrap().scan_plan();
        let canary = entity(&self.path("canary"));
        self.watcher.watch(&Arc::new(plan), &canary);
        self.watcher.unwatched().to_vec()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The hints that come until there is one about a mark that is made now.
    fn hints(&mut self) -> Vec<Hint> {
        let mark = self.path("canary");
        fs::write(&mark, "x").unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        let mut hints = Vec::new();
        let is_mark = |hint: &Hint| {
            !matches!(hint.notice, Notice::Lost(_)) && names(&hint.notice).contains(&entity(&mark))
        };
        while !hints.iter().any(is_mark) {
            assert!(Instant::now() < end, "nothing is heard: {hints:?}");
            self.watcher.wait(Duration::from_millis(50), &mut hints).unwrap();
        }
        hints.retain(|hint| !is_mark(hint));
        hints
    }

    /// What the next hints are about.
    fn told(&mut self) -> BTreeSet<EntityPath> {
        self.hints().iter().flat_map(|hint| names(&hint.notice)).collect()
    }

    /// What the hints after `act` are about, below the folder.
    fn names_after(&mut self, act: impl FnOnce(&Path)) -> BTreeSet<String> {
        self.hints();
        act(self.folder.path());
        let folder = entity(self.folder.path());
        let hints = self.hints();
        let paths = hints.iter().flat_map(|hint| names(&hint.notice));
        // Something may be said of the folder itself, too.
        let below = |path: &EntityPath| {
            let name = path.as_bytes().strip_prefix(folder.as_bytes())?.strip_prefix(b"/")?;
            Some(String::from_utf8_lossy(name).into_owned())
        };
        paths.filter_map(|path| below(&path)).collect()
    }
}

/// Makes a file system of btrfs and mounts it; nothing where that does not work, which is said.
fn btrfs(folder: &Path) -> Option<Mounted> {
    let disk = folder.join("disk");
    fs::File::create(&disk).unwrap().set_len(256 << 20).unwrap();
    let place = folder.join("mounted");
    fs::create_dir(&place).unwrap();
    let run = |program: &str, arguments: &[&Path]| {
        let output = std::process::Command::new(program).args(arguments).output();
        let why = match output {
            Ok(output) if output.status.success() => return true,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        fim_testkit::skip(&format!("btrfs cannot be tried here: {program}: {why}"));
        false
    };
    let is_made = run("mkfs.btrfs", &[Path::new("-q"), &disk])
        && run("mount", &[Path::new("-o"), Path::new("loop"), &disk, &place]);
    is_made.then_some(Mounted(place))
}

/// Something that is mounted until this is dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// The providers that notice what changes on whole file systems. The first two are told of processes by the kernel.
const BY_FILE_SYSTEM: [&str; 3] = ["fanotify+fentry", "fanotify+ebpf", "fanotify"];

/// Why a machine may refuse a provider.
const FORBIDDEN: [&str; 4] =
    ["not permitted", "denied", "does not describe its types", "namespace of its own"];

fn entity(path: &Path) -> EntityPath {
    EntityPath::unix(path.as_os_str().as_encoded_bytes())
}

fn names(notice: &Notice) -> Vec<EntityPath> {
    match notice {
        Notice::Touched(path)
        | Notice::Created { path, .. }
        | Notice::Removed { path, .. }
        | Notice::Below(path) => vec![path.clone()],
        Notice::Moved { from, to, .. } => vec![from.clone(), to.clone()],
        Notice::TouchedFile(_)
        | Notice::TouchedByNumber { .. }
        | Notice::ContentRead(_)
        | Notice::Lost(_) => panic!("{notice:?}"),
    }
}

#[test]
fn every_way_to_change_a_file_is_noticed_under_its_name() {
    for mut watched in Watched::by_each_provider() {
        type Way = (&'static str, fn(&Path));
        let ways: [Way; 10] = [
            ("write", |file| fs::write(file, "written").unwrap()),
            ("write in place", |file| {
                fs::OpenOptions::new().write(true).open(file).unwrap().write_all_at(b"x", 3).unwrap();
            }),
            ("truncate", |file| fs::File::options().write(true).open(file).unwrap().set_len(1).unwrap()),
            ("chmod", |file| fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap()),
            ("set the time back", |file| {
                let file = fs::File::options().write(true).open(file).unwrap();
                file.set_modified(std::time::UNIX_EPOCH).unwrap();
            }),
            ("copy over", |file| {
                fs::write(file.with_extension("other"), "other").unwrap();
                fs::copy(file.with_extension("other"), file).unwrap();
            }),
            ("rename over", |file| {
                fs::write(file.with_extension("new"), "new").unwrap();
                fs::rename(file.with_extension("new"), file).unwrap();
            }),
            ("remove", |file| fs::remove_file(file).unwrap()),
            ("link", |file| fs::hard_link(file, file.with_extension("link")).unwrap()),
            ("symlink", |file| {
                fs::remove_file(file).unwrap();
                std::os::unix::fs::symlink("/etc/passwd", file).unwrap();
            }),
        ];
        for (way, act) in ways {
            let file = watched.path("in/file");
            let _ = fs::remove_file(&file);
            fs::write(&file, "before").unwrap();
            let names = watched.names_after(|_| act(&file));
            let is_told = names.contains("in/file") || (way == "link" && names.contains("in/file.link"));
            assert!(is_told, "{way}: {names:?}");
        }
    }
}

#[test]
fn what_is_written_to_a_file_that_stays_open_is_noticed() {
    for mut watched in Watched::by_each_provider() {
        fs::write(watched.path("in/log"), "one").unwrap();
        let mut open = fs::File::options().append(true).open(watched.path("in/log")).unwrap();
        let names = watched.names_after(|_| {
            open.write_all(b"two").unwrap();
        });
        assert!(names.contains("in/log"), "{names:?}");
        open.rewind().unwrap();
    }
}

#[test]
fn what_is_made_in_a_new_directory_at_once_is_noticed() {
    for mut watched in Watched::by_each_provider() {
        watched.hints();
        for number in 0..100 {
            let deep = watched.path(&format!("in/{number}/b/c"));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("f"), "x").unwrap();
        }
        let hints = watched.hints();
        // A directory that came is looked at with all that is in it by then.
        let is_told = |path: &EntityPath| {
            hints.iter().any(|hint| match &hint.notice {
                Notice::Created { path: came, is_directory: true } => path.is_within(came),
                notice => names(notice).contains(path),
            })
        };
        for number in 0..100 {
            for part in ["", "/b", "/b/c", "/b/c/f"] {
                assert!(is_told(&entity(&watched.path(&format!("in/{number}{part}")))), "{number}{part}");
            }
        }
        // And from then on it is watched itself.
        for number in 0..100 {
            let names = format!("in/{number}/b/c/f");
            fs::write(watched.path(&names), "y").unwrap();
        }
        let told: BTreeSet<EntityPath> =
            watched.hints().iter().flat_map(|hint| names(&hint.notice)).collect();
        for number in 0..100 {
            assert!(told.contains(&entity(&watched.path(&format!("in/{number}/b/c/f")))), "{number}");
        }
    }
}

#[test]
fn a_move_is_one_notice_with_both_names() {
    for mut watched in Watched::by_each_provider() {
        fs::create_dir(watched.path("in/d")).unwrap();
        watched.hints();
        fs::rename(watched.path("in/d"), watched.path("in/e")).unwrap();
        let (from, to) = (entity(&watched.path("in/d")), entity(&watched.path("in/e")));
        let moved = Notice::Moved { from, to, is_directory: true };
        let hints = watched.hints();
        assert!(hints.iter().any(|hint| hint.notice == moved), "{hints:?}");
        // Where the directory was must not be remembered.
        let names = watched.names_after(|folder| fs::write(folder.join("in/e/f"), "x").unwrap());
        assert!(names.contains("in/e/f"), "{names:?}");
    }
}

#[test]
fn names_of_any_bytes_are_noticed_as_they_are() {
    use std::os::unix::ffi::OsStrExt;
    for mut watched in Watched::by_each_provider() {
        let name = std::ffi::OsStr::from_bytes(b"a\n\xff\x1b[2J");
        watched.hints();
        let path = watched.path("in").join(name);
        fs::write(&path, "x").unwrap();
        let hints = watched.hints();
        assert!(hints.iter().any(|hint| names(&hint.notice).contains(&entity(&path))), "{hints:?}");
    }
}

#[test]
fn a_process_that_runs_is_named_and_one_that_has_ended_is_not_made_up() {
    let Some(mut watched) = Watched::by_provider("fanotify") else { return };
    watched.hints();
    let file = watched.path("in/own");
    fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o644).open(&file).unwrap();
    let own = watched.hints();
    let named = own.iter().filter(|hint| names(&hint.notice).contains(&entity(&file)));
    for hint in named {
        let actor = hint.by.as_ref().unwrap();
        assert_eq!(actor.process_id, std::process::id());
        assert!(actor.executable.is_some() && actor.command_line.is_some());
    }
    let file = watched.path("in/ended");
    let script = format!("echo x > {}", file.display());
    assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
    for hint in watched.hints().iter().filter(|hint| names(&hint.notice).contains(&entity(&file))) {
        match &hint.by {
            Ok(actor) => assert!(actor.command_line.as_ref().unwrap().contains("echo x"), "{actor:?}"),
            Err(why) => assert_eq!(*why, WhoUnknown::Ended),
        }
    }
}

/// What processes were named for a place.
fn actors_of(hints: &[Hint], path: &Path) -> Vec<Result<Arc<Actor>, WhoUnknown>> {
    let named = hints.iter().filter(|hint| names(&hint.notice).contains(&entity(path)));
    named.map(|hint| hint.by.clone()).collect()
}

#[test]
fn of_400_processes_that_live_for_milliseconds_each_is_named() {
    let Some(mut watched) = Watched::told_of_processes() else { return };
    watched.hints();
    let files: Vec<PathBuf> = (0..400).map(|number| watched.path(&format!("in/{number}"))).collect();
    let mut numbers = Vec::new();
    for file in &files {
        let script = format!("echo x > {}", file.display());
        let mut writer = std::process::Command::new("sh").args(["-c", &script]).spawn().unwrap();
        numbers.push(writer.id());
        assert!(writer.wait().unwrap().success());
    }
    let hints = watched.hints();
    for (file, number) in files.iter().zip(numbers) {
        let actors = actors_of(&hints, file);
        assert!(!actors.is_empty(), "{file:?}");
        for actor in actors {
            let actor = actor.unwrap();
            assert_eq!(actor.process_id, number);
            assert_eq!(actor.command_line, Some(format!("sh -c echo x > {}", file.display())));
            assert_eq!(actor.parents[0].process_id, std::process::id());
            assert_eq!(actor.user.as_ref().map(|user| user.id.clone()), Some(0.into()));
            assert!(actor.executable.as_ref().is_some_and(|path| path.as_bytes().starts_with(b"/")));
            assert!(actor.started_nanos.is_some());
        }
    }
}

#[test]
fn a_process_that_became_another_program_is_told_with_what_it_was() {
    let Some(mut watched) = Watched::told_of_processes() else { return };
    watched.hints();
    let file = watched.path("in/disguised");
    let script = format!("echo evil > {}; exec true", file.display());
    let mut writer = std::process::Command::new("sh").args(["-c", &script]).spawn().unwrap();
    assert!(writer.wait().unwrap().success());
    let hints = watched.hints();
    let actors = actors_of(&hints, &file);
    assert!(!actors.is_empty());
    for actor in actors {
        let actor = actor.unwrap();
        assert_eq!(actor.process_id, writer.id());
        if actor.command_line.as_deref() == Some("true") {
            let before = &actor.parents[0];
            assert_eq!((before.process_id, before.name.as_str()), (writer.id(), "sh"));
        }
    }
}

#[test]
fn who_has_ended_has_the_rights_that_it_had_throughout_or_none_are_told() {
    let Some(mut watched) = Watched::told_of_processes() else { return };
    watched.hints();
    let file = watched.path("in/by-nobody");
    fs::write(&file, "x").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(watched.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    watched.hints();
    let script = format!("echo x > {}", file.display());
    let setpriv = ["--reuid", "65534", "--clear-groups", "sh", "-c", &script];
    let ran = std::process::Command::new("setpriv").args(setpriv).status();
    if !ran.is_ok_and(|status| status.success()) {
        fim_testkit::skip("setpriv cannot become another user here");
        return;
    }
    for actor in actors_of(&watched.hints(), &file) {
        assert_eq!(actor.unwrap().user.as_ref().map(|user| user.id.clone()), Some(65534.into()));
    }
}

#[test]
fn what_is_in_a_directory_that_came_from_elsewhere_is_noticed() {
    for mut watched in Watched::by_each_provider() {
        fs::create_dir_all(watched.path("elsewhere/b")).unwrap();
        watched.hints();
        fs::rename(watched.path("elsewhere"), watched.path("in/came")).unwrap();
        watched.hints();
        let names = watched.names_after(|folder| fs::write(folder.join("in/came/b/f"), "x").unwrap());
        assert!(names.contains("in/came/b/f"), "{names:?}");
        fs::rename(watched.path("in/came"), watched.path("elsewhere")).unwrap();
        let names = watched.names_after(|folder| fs::write(folder.join("elsewhere/b/f"), "y").unwrap());
        assert!(!names.contains("in/came/b/f"), "{names:?}");
    }
}

#[test]
fn what_is_removed_and_made_again_is_still_noticed() {
    for mut watched in Watched::by_each_provider() {
        fs::create_dir(watched.path("in/d")).unwrap();
        watched.hints();
        fs::remove_dir_all(watched.path("in")).unwrap();
        fs::create_dir_all(watched.path("in/d")).unwrap();
        watched.hints();
        let names = watched.names_after(|folder| fs::write(folder.join("in/d/f"), "x").unwrap());
        assert!(names.contains("in/d/f"), "{names:?}");
    }
}

#[test]
fn what_changes_at_a_path_too_long_to_be_told_is_told_below_the_nearest_and_as_a_loss() {
    for provider in BY_FILE_SYSTEM {
        let Some(mut watched) = Watched::by_provider(provider) else { continue };
        let name = "d".repeat(250);
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut deepest = rustix::fs::openat(CWD, watched.path("in"), flags, Mode::empty()).unwrap();
        let mut nearest = watched.path("in");
        for _ in 0..20 {
            rustix::fs::mkdirat(&deepest, &name, Mode::RWXU).unwrap();
            deepest = rustix::fs::openat(&deepest, &name, flags, Mode::empty()).unwrap();
            if nearest.as_os_str().len() + 1 + name.len() < 4096 {
                nearest.push(&name);
            }
        }
        let create = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&deepest, "deep.conf", create, Mode::RUSR | Mode::WUSR).unwrap();
        watched.hints();
        // What is told is remembered, and told again.
        for content in [&b"two"[..], b"one"] {
            rustix::io::pwrite(&file, content, 0).unwrap();
            let hints = watched.hints();
            let below = hints.iter().find(|hint| hint.notice == Notice::Below(entity(&nearest)));
            let actor = below.unwrap().by.as_ref().unwrap();
            assert_eq!(actor.process_id, std::process::id());
            let is_lost = |hint: &Hint| match &hint.notice {
                Notice::Lost(loss) => {
                    loss.scope == GapScope::Within(entity(&nearest)) && loss.cause == GapCause::NoticesLost
                }
                _ => false,
            };
            assert!(hints.iter().any(is_lost));
        }
    }
}

#[test]
fn a_disk_of_btrfs_is_watched_or_named_as_not_watched() {
    let Some(mut watched) = Watched::by_provider("fanotify") else { return };
    let Some(mounted) = btrfs(watched.folder.path()) else { return };
    assert_eq!(watched.watch("mounted"), []);
    let names = watched.names_after(|folder| fs::write(folder.join("mounted/f"), "x").unwrap());
    assert!(names.contains("mounted/f"), "{names:?}");

    let mut make = std::process::Command::new("btrfs");
    make.args(["subvolume", "create"]).arg(mounted.0.join("part"));
    assert!(make.output().unwrap().status.success());
    let names = watched.names_after(|folder| fs::write(folder.join("mounted/part/f"), "x").unwrap());
    assert!(names.contains("mounted/part/f"), "{names:?}");

    // Of a part alone that is mounted the kernel takes no mark.
    let disk = watched.path("disk");
    drop(mounted);
    let mut mount = std::process::Command::new("mount");
    let place = watched.path("mounted");
    mount.args(["-o", "loop,subvol=part"]).arg(disk).arg(&place);
    assert!(mount.output().unwrap().status.success());
    let _mounted = Mounted(place.clone());
    let unwatched = watched.watch("mounted");
    assert!(unwatched.iter().any(|unwatched| unwatched.path == entity(&place)), "{unwatched:?}");
}

#[test]
fn a_file_system_that_may_not_answer_is_named_as_not_watched_and_not_asked() {
    for mut watched in Watched::by_each_provider() {
        let place = watched.path("in/silent");
        fs::create_dir(&place).unwrap();
        let silent = match SilentMount::over(&place) {
            Ok(silent) => silent,
            Err(why) => return fim_testkit::skip(&why),
        };
        let (tell, told) = std::sync::mpsc::channel();
        let asking = std::thread::spawn(move || {
            let unwatched = watched.watch("in");
            let _ = tell.send((watched, unwatched));
        });
        let answer = told.recv_timeout(Duration::from_secs(30));
        drop(silent);
        asking.join().unwrap();
        let (mut watched, unwatched) = answer.expect("who watches waits for the file system");
        let [place] = &unwatched[..] else { panic!("{unwatched:?}") };
        assert_eq!(place.path, entity(&watched.path("in/silent")));
        assert!(place.why.contains("fuse file system may hang"), "{}", place.why);
        let names = watched.names_after(|folder| fs::write(folder.join("in/f"), "x").unwrap());
        assert!(names.contains("in/f"), "{names:?}");
        assert_eq!(watched.watcher.unwatched(), [], "it is named no more once it is gone");
    }
}

#[test]
fn whoever_changes_many_files_uses_up_no_descriptors_of_the_agent() {
    const AGAIN: &str = "STEADFAST_TEST_WITH_FEW_FILES";
    // The limit is the process's, so this is a process of its own.
    if std::env::var_os(AGAIN).is_none() {
        let own = std::env::current_exe().unwrap();
        let name = "whoever_changes_many_files_uses_up_no_descriptors_of_the_agent";
        let mut again = std::process::Command::new("sh");
        again.args(["-c", "ulimit -S -n 200; exec \"$0\" \"$@\""]).arg(own);
        let output = again.args(["--exact", name, "--nocapture"]).env(AGAIN, "yes").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    for provider in BY_FILE_SYSTEM {
        let Some(mut watched) = Watched::by_provider(provider) else { continue };
        watched.hints();
        for number in 0..3000 {
            fs::write(watched.path(&format!("in/{number}")), "x").unwrap();
        }
        let hints = watched.hints();
        assert!(hints.len() >= 3000, "{}", hints.len());
        let unknown: Vec<_> = hints.iter().filter_map(|hint| hint.by.as_ref().err()).collect();
        assert!(unknown.is_empty(), "{} of {}: {:?}", unknown.len(), hints.len(), unknown[0]);
    }
    let limit = || rustix::process::getrlimit(rustix::process::Resource::Nofile);
    assert_eq!(limit().current, Some(200));
    fim_os::raise_open_files();
    assert_eq!(limit().current, limit().maximum);
}

#[test]
fn whoever_names_a_program_in_a_view_of_his_own_is_told_as_that() {
    for provider in BY_FILE_SYSTEM {
        let Some(mut watched) = Watched::by_provider(provider) else { continue };
        let tool = watched.path("tool");
        fs::copy("/bin/sh", &tool).unwrap();
        for (view, is_own) in [("mount --bind $0 /usr/bin/env; /usr/bin/env", true), ("/bin/sh", false)] {
            let file = watched.path("in/disguised");
            fs::write(&file, "x").unwrap();
            watched.hints();
            // The writer waits to be asked, so that both providers can.
            let script = format!("{view} -c 'echo x > {}; read end'", file.display());
            let mut writer = std::process::Command::new("unshare")
                .args(["-m", "sh", "-c", &script])
                .arg(&tool)
                .stdin(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            while fs::read(&file).unwrap() != b"x\n" {
                assert!(writer.try_wait().unwrap().is_none(), "a view of its own cannot be made here");
                std::thread::yield_now();
            }
            let hints = watched.hints();
            drop(writer.stdin.take());
            writer.wait().unwrap();
            let actors = actors_of(&hints, &file);
            assert!(!actors.is_empty());
            for actor in actors {
                let actor = actor.unwrap();
                assert_eq!(actor.has_own_view, is_own, "{actor:?}");
            }
        }
    }
}
