//! The live tree on a real file system. What the system lacks is skipped with a word on stderr.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use fim_core::{Acl, Entity, EntityKind, EntityPath, FileFlags, Observation, Unreadable};
use fim_os::LiveTree;
use fim_scan::{FileTree as _, KeepOut, Scan, ScanOptions, digest_of};
use fim_testkit::{Below, SilentMount};

fn entity_path(path: &Path) -> EntityPath {
    EntityPath::unix(path.as_os_str().as_bytes())
}

fn observe_with(path: &Path, follows: bool) -> Vec<Observation> {
    let plan = Arc::new(Below { root: entity_path(path), follows });
    let tree = Arc::new(LiveTree::new());
    Scan::start(tree, plan, ScanOptions::default(), Arc::default()).unwrap().collect()
}

/// What is present below a directory, the directory itself left out.
fn observe(path: &Path) -> Vec<Entity> {
    let present = |observation| match observation {
        Observation::Present(entity) => *entity,
        other => panic!("{other:?}"),
    };
    observe_with(path, false).into_iter().map(present).skip(1).collect()
}

fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let done = Command::new(program).args(arguments).arg(path).output();
    done.is_ok_and(|output| output.status.success())
}

#[test]
fn a_file_is_described_as_the_system_does() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "content").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4751)).unwrap();
    fs::hard_link(&path, directory.path().join("other")).unwrap();
    let seen = observe(directory.path());
    assert_eq!(seen.len(), 2);
    let (entity, metadata) = (&seen[0], fs::metadata(&path).unwrap());
    use std::os::unix::fs::MetadataExt as _;
    assert_eq!(entity.kind, EntityKind::File);
    assert_eq!(entity.digest, Some(digest_of(b"content")));
    let attributes = &entity.attributes;
    assert_eq!(attributes.size_bytes, Some(7));
    assert_eq!(attributes.mode, Some(0o4751));
    assert_eq!(attributes.owner.as_ref().map(|owner| owner.id.clone()), Some(metadata.uid().into()));
    assert_eq!(attributes.group.as_ref().map(|group| group.id.clone()), Some(metadata.gid().into()));
    assert_eq!(attributes.inode, Some(metadata.ino()));
    assert_eq!(attributes.device, Some(metadata.dev()));
    assert_eq!(attributes.links, Some(2));
    let nanos = |seconds: i64, nanos: i64| Some(seconds * 1_000_000_000 + nanos);
    assert_eq!(attributes.modified.map(|time| time.0), nanos(metadata.mtime(), metadata.mtime_nsec()));
    assert_eq!(attributes.changed.map(|time| time.0), nanos(metadata.ctime(), metadata.ctime_nsec()));
    assert_eq!(attributes.acl, Some(Acl::default()));
    assert_eq!(seen[1].attributes.inode, attributes.inode);
}

#[test]
fn names_of_any_bytes_are_opened_and_read() {
    let directory = tempfile::tempdir().unwrap();
    for name in [&b"new\nline"[..], b"\xff\xfe", b" ", b"-rf"] {
        fs::write(directory.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let seen = observe(directory.path());
    let names: Vec<&[u8]> = seen.iter().map(|entity| entity.key.path().file_name().unwrap()).collect();
    assert_eq!(names, [&b" "[..], b"-rf", b"new\nline", b"\xff\xfe"]);
    assert!(seen.iter().zip(names).all(|(entity, name)| entity.digest == Some(digest_of(name))));
}

#[test]
fn pipes_and_sockets_are_seen_without_waiting_for_anybody() {
    let directory = tempfile::tempdir().unwrap();
    if !run("mkfifo", &[], &directory.path().join("pipe")) {
        return fim_testkit::skip("mkfifo is not there");
    }
    let _listener = UnixListener::bind(directory.path().join("socket")).unwrap();
    let kinds: Vec<EntityKind> = observe(directory.path()).iter().map(|entity| entity.kind).collect();
    assert_eq!(kinds, [EntityKind::Fifo, EntityKind::Socket]);
}

#[test]
fn devices_show_their_numbers() {
    let seen = observe_with(Path::new("/dev/null"), false);
    let [Observation::Present(entity)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(entity.kind, EntityKind::CharDevice);
    assert_eq!(entity.attributes.target.as_deref(), Some(&b"1:3"[..]));
    assert_eq!(entity.digest, None);
}

#[test]
fn links_are_described_as_such_or_followed() {
    let directory = tempfile::tempdir().unwrap();
    let (links, real) = (directory.path().join("links"), directory.path().join("real"));
    fs::create_dir_all(&real).unwrap();
    fs::create_dir_all(&links).unwrap();
    fs::write(real.join("file"), "content").unwrap();
    symlink("../real/file", links.join("a-file")).unwrap();
    symlink(&real, links.join("b-directory")).unwrap();
    symlink("nowhere", links.join("c-dangling")).unwrap();
    symlink("d-round", links.join("d-round")).unwrap();
    let seen = observe(&links);
    assert!(seen.iter().all(|entity| entity.kind == EntityKind::Symlink && entity.digest.is_none()));
    assert_eq!(seen[0].attributes.target.as_deref(), Some(&b"../real/file"[..]));
    let followed = observe_with(&links, true);
    let lines: Vec<String> = followed
        .iter()
        .map(|observation| match observation {
            Observation::Present(entity) => {
                let name = String::from_utf8_lossy(entity.key.path().file_name().unwrap()).into_owned();
                format!("{name} {:?} {}", entity.kind, entity.digest.is_some())
            }
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "links Directory false",
            "a-file Symlink true",
            "b-directory Symlink false",
            "file File true",
            "c-dangling Symlink false",
            "d-round Symlink false",
        ]
    );
}

#[test]
fn extended_attributes_are_read_with_their_values() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let long = "x".repeat(2000);
    let set = |name: &str, value: &[u8]| {
        rustix::fs::setxattr(&path, name, value, rustix::fs::XattrFlags::empty()).is_ok()
    };
    if !set("user.b", b"two") || !set("user.a", long.as_bytes()) {
        return fim_testkit::skip("this file system has no extended attributes for users");
    }
    let seen = observe(directory.path());
    let xattrs = seen[0].attributes.xattrs.as_ref().unwrap();
    let pairs: Vec<(&[u8], &[u8])> = xattrs.iter().map(|xattr| (&xattr.name[..], &xattr.value[..])).collect();
    assert_eq!(pairs, [(&b"user.a"[..], long.as_bytes()), (b"user.b", b"two")]);
}

#[test]
fn marks_of_chattr_and_the_mount_are_seen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "").unwrap();
    let before = observe(directory.path());
    assert!(before[0].attributes.mount_id.is_some(), "the kernel tells the mount since Linux 5.8");
    if before[0].attributes.flags.is_none() || !run("chattr", &["+a"], &path) {
        return fim_testkit::skip("chattr is not there, or this file system or user may not set marks");
    }
    let after = observe(directory.path());
    assert!(run("chattr", &["-a"], &path));
    assert_eq!(before[0].attributes.flags, Some(FileFlags::default()));
    assert_eq!(after[0].attributes.flags, Some(FileFlags::APPEND_ONLY));
}

#[test]
fn access_control_lists_read_as_getfacl_shows_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("directory");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
    if !run("setfacl", &["-m", "u:4242:r-x,d:g:root:rwx"], &path) {
        return fim_testkit::skip("setfacl is not there, or the file system has no access control lists");
    }
    let seen = observe(directory.path());
    let expected = "user::rwx\nuser:4242:r-x\ngroup::r-x\nmask::r-x\nother::---\n\
                    default:user::rwx\ndefault:group::r-x\ndefault:group:root:rwx\ndefault:mask::rwx\n\
                    default:other::---";
    assert_eq!(seen[0].attributes.acl, Some(Acl(expected.to_owned())));
}

#[test]
fn reading_leaves_no_trace_in_the_access_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "content").unwrap();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_times(fs::FileTimes::new().set_accessed(long_ago)).unwrap();
    drop(file);
    assert_eq!(observe(directory.path()).len(), 1);
    assert_eq!(fs::metadata(&path).unwrap().accessed().unwrap(), long_ago);
}

#[test]
fn what_the_system_refuses_is_unreadable_and_still_described() {
    let directory = tempfile::tempdir().unwrap();
    let (closed, file) = (directory.path().join("closed"), directory.path().join("file"));
    fs::create_dir(&closed).unwrap();
    fs::write(&file, "x").unwrap();
    for path in [&closed, &file] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
    }
    if fs::read(&file).is_ok() {
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        return fim_testkit::skip("the superuser is refused nothing");
    }
    let seen = observe_with(directory.path(), false);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    for observation in &seen[1..] {
        let Observation::Unreadable { partial: Some(partial), why, .. } = observation else {
            panic!("{observation:?}")
        };
        assert_eq!(*why, Unreadable::PermissionDenied);
        assert_eq!(partial.attributes.mode, Some(0));
    }
}

#[test]
fn proc_is_kept_out_of_and_an_ordinary_directory_is_not() {
    let tree = LiveTree::new();
    let proc = tree.open_root(&EntityPath::unix("/proc")).unwrap();
    assert_eq!(tree.keep_out(&proc), Some(KeepOut::NothingStored("proc")));
    let directory = tempfile::tempdir().unwrap();
    let ordinary = tree.open_root(&entity_path(directory.path())).unwrap();
    assert_eq!(tree.keep_out(&ordinary), None);
}

#[test]
fn nothing_is_asked_of_a_file_system_that_may_hang() {
    let directory = tempfile::tempdir().unwrap();
    let (silent, link) = (directory.path().join("silent"), directory.path().join("to-silent"));
    fs::create_dir(&silent).unwrap();
    symlink(silent.join("file"), &link).unwrap();
    fs::write(directory.path().join("zoo"), "x").unwrap();
    let _mount = match SilentMount::over(&silent) {
        Ok(mount) => mount,
        Err(why) => return fim_testkit::skip(&why),
    };
    // Whoever asks waits until the test is ended.
    let seen = observe_with(directory.path(), true);
    let [_, Observation::Unreadable { key, why, .. }, Observation::Unreadable { key: by_link, .. }, last] =
        &seen[..]
    else {
        panic!("{seen:?}")
    };
    assert_eq!((key.path(), by_link.path()), (&entity_path(&silent), &entity_path(&link)));
    assert!(why.to_string().starts_with("fuse file systems, which may not answer"), "{why}");
    assert!(matches!(last, Observation::Present(_)), "{last:?}");
}

#[test]
fn files_that_the_kernel_makes_up_are_read_to_their_end() {
    let seen = observe_with(Path::new("/proc/version"), false);
    let [Observation::Present(entity)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(entity.digest, Some(digest_of(&fs::read("/proc/version").unwrap())));
}

#[test]
fn a_sparse_file_is_hashed_as_what_it_reads_as() {
    let directory = tempfile::tempdir().unwrap();
    let size = 9 << 20;
    // Data at the start, at the end, on both sides of where a stretch and a mebibyte end, and nowhere.
    let layouts: [&[u64]; 5] =
        [&[], &[0], &[size - 1], &[65_535, 1 << 20, (3 << 20) - 1], &[70_000, 5 << 20]];
    for (number, layout) in layouts.into_iter().enumerate() {
        let file = fs::File::create(directory.path().join(format!("sparse-{number}"))).unwrap();
        file.set_len(size).unwrap();
        for &at in layout {
            file.write_all_at(b"x", at).unwrap();
        }
    }
    let seen = observe(directory.path());
    assert_eq!(seen.len(), layouts.len());
    for entity in seen {
        let content = fs::read(OsStr::from_bytes(entity.key.path().as_bytes())).unwrap();
        assert_eq!(entity.digest, Some(digest_of(&content)), "{}", entity.key.path());
    }
}

#[test]
fn a_link_that_is_turned_to_a_pipe_after_it_was_judged_leads_to_what_was_judged() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("judged")).unwrap();
    fs::write(path("judged/file"), "judged").unwrap();
    fs::create_dir(path("other")).unwrap();
    assert!(run("mkfifo", &[], &path("pipe")), "mkfifo is of coreutils");
    symlink("judged/file", path("to-file")).unwrap();
    symlink("judged", path("to-directory")).unwrap();
    let tree = LiveTree::new();
    let open = tree.open_root(&entity_path(directory.path())).unwrap();
    let file = tree.resolve(&open, b"to-file").unwrap();
    let judged = tree.resolve(&open, b"to-directory").unwrap();
    assert_eq!((file.look.kind, judged.look.kind), (EntityKind::File, EntityKind::Directory));
    assert_eq!(file.path, entity_path(&path("judged/file").canonicalize().unwrap()));
    for (link, target) in [("to-file", "pipe"), ("to-directory", "other")] {
        fs::remove_file(path(link)).unwrap();
        symlink(target, path(link)).unwrap();
    }
    let opened = tree.open_reached(&file.reached).unwrap();
    let mut content = [0; 10];
    assert_eq!(tree.read_at(&opened, 0, &mut content).unwrap(), 6);
    assert_eq!(&content[..6], b"judged");
    let entered = tree.enter_reached(&judged.reached).unwrap();
    assert_eq!(tree.list(&entered).unwrap().get(0), Some((&b"file"[..], Some(EntityKind::File))));
    // What is judged now is a pipe, which is never opened.
    assert_eq!(tree.resolve(&open, b"to-file").unwrap().look.kind, EntityKind::Fifo);
}

#[test]
fn the_same_directory_can_be_listed_twice() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let tree = LiveTree::new();
    let open = tree.open_root(&entity_path(directory.path())).unwrap();
    let first = tree.list(&open).unwrap();
    assert_eq!(first.get(0), Some((&b"file"[..], Some(EntityKind::File))));
    assert_eq!(tree.list(&open).unwrap(), first);
}
