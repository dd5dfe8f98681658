//! The live tree on a real file system of Windows. What the system lacks is skipped with a word on stderr.

#![cfg(windows)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::{MetadataExt as _, OpenOptionsExt as _, symlink_dir, symlink_file};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fim_core::windows::without_prefix;
use fim_core::{Entity, EntityKind, EntityPath, FileFlags, Observation, PrincipalId, Timestamp, Unreadable};
use fim_os::LiveTree;
use fim_scan::{FileTree as _, Scan, ScanOptions, TreeError, digest_of};
use fim_testkit::{Below, skip};

fn entity_path(path: &Path) -> EntityPath {
    EntityPath::windows(without_prefix(path.as_os_str().as_encoded_bytes()))
}

/// A folder whose path may be as long as the system allows, and whose names are taken as they are.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let verbatim = PathBuf::from(format!(r"\\?\{}", home.path().display()));
    (home, verbatim)
}

fn observe(path: &Path, follows: bool) -> Vec<Observation> {
    let plan = Arc::new(Below { root: entity_path(path), follows });
    let scan = Scan::start(Arc::new(LiveTree::new()), plan, ScanOptions::default(), Arc::default());
    scan.unwrap().collect()
}

/// What is below a folder, without the folder.
fn entities(path: &Path) -> Vec<Entity> {
    let seen = observe(path, false).into_iter().skip(1);
    seen.map(|observation| match observation {
        Observation::Present(entity) => *entity,
        other => panic!("{other:?}"),
    })
    .collect()
}

fn names(entities: &[Entity]) -> Vec<String> {
    entities
        .iter()
        .map(|entity| String::from_utf8_lossy(entity.key.path().file_name().unwrap()).into_owned())
        .collect()
}

#[test]
fn a_file_is_told_with_all_that_the_system_has_of_it() {
    let (_home, folder) = folder();
    let path = folder.join("a.ini");
    let written = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_700);
    let mut file =
        OpenOptions::new().write(true).create_new(true).attributes(HIDDEN | SYSTEM).open(&path).unwrap();
    file.write_all(b"content").unwrap();
    file.set_modified(written).unwrap();
    drop(file);
    fs::hard_link(&path, folder.join("b.ini")).unwrap();
    let found = entities(&folder);
    assert_eq!(names(&found), ["a.ini", "b.ini"]);
    let [one, other] = &found[..] else { panic!("{found:?}") };
    let attributes = &one.attributes;
    assert_eq!((one.kind, attributes.size_bytes, attributes.links), (EntityKind::File, Some(7), Some(2)));
    assert_eq!(one.digest, Some(digest_of(b"content")));
    assert_eq!(attributes.modified, Some(Timestamp(1_700_000_000_123_456_700)));
    assert!(attributes.created >= attributes.modified, "{attributes:?}");
    assert!(attributes.changed >= attributes.created, "nobody has set it: {attributes:?}");
    let flags = attributes.flags.unwrap();
    assert!(flags.contains(FileFlags::HIDDEN) && !flags.contains(FileFlags::READ_ONLY), "{flags:?}");
    assert!(attributes.inode.is_some_and(|inode| inode != 0) && attributes.device.is_some());
    assert_eq!((attributes.inode, attributes.device), (other.attributes.inode, other.attributes.device));
    assert_eq!((attributes.mode, attributes.mount_id), (None, None), "Windows has none");
    let owner = attributes.owner.as_ref().unwrap();
    assert!(matches!(&owner.id, PrincipalId::Sid(sid) if sid.as_str().starts_with("S-1-5-")), "{owner:?}");
    let acl = &attributes.acl.as_ref().unwrap().0;
    assert!(acl.starts_with("D:") && acl.contains("(A;"), "{acl}");
}

#[test]
fn read_only_is_a_mark_that_comes_and_goes() {
    let (_home, folder) = folder();
    let path = folder.join("a");
    fs::write(&path, "").unwrap();
    let is_marked = || entities(&folder)[0].attributes.flags.unwrap().contains(FileFlags::READ_ONLY);
    let set = |read_only| {
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(read_only);
        fs::set_permissions(&path, permissions).unwrap();
    };
    assert!(!is_marked());
    set(true);
    assert!(is_marked());
    set(false);
    assert!(!is_marked());
}

#[test]
fn names_that_usual_programs_cannot_spell_are_seen_and_read() {
    let (_home, folder) = folder();
    let alone = PathBuf::from(std::ffi::OsString::from_wide(&[0x61, 0xd800, 0x62]));
    let mut made = Vec::new();
    for name in [Path::new("dot."), Path::new("space "), Path::new("nul"), Path::new("ünïcode"), &alone] {
        match fs::write(folder.join(name), "x") {
            Ok(()) => made.push(name.as_os_str().as_encoded_bytes().to_vec()),
            Err(error) => skip(&format!("this system does not make {name:?}: {error}")),
        }
    }
    made.sort();
    let found = entities(&folder);
    let seen: Vec<_> = found.iter().map(|entity| entity.key.path().file_name().unwrap().to_vec()).collect();
    assert_eq!(seen, made);
    assert!(found.iter().all(|entity| entity.digest == Some(digest_of(b"x"))), "{found:?}");
}

#[test]
fn a_path_longer_than_usual_programs_take_is_walked() {
    let (_home, folder) = folder();
    let mut path = folder.clone();
    for depth in 0..12 {
        path.push(format!("{depth:060}"));
        fs::create_dir(&path).unwrap();
    }
    fs::write(path.join("deep"), "x").unwrap();
    let found = entities(&folder);
    assert_eq!(found.len(), 13);
    let deep = found.last().unwrap();
    assert!(deep.key.path().as_bytes().len() > 700);
    assert_eq!(deep.digest, Some(digest_of(b"x")));
}

#[test]
fn a_folder_of_many_names_is_listed_whole_and_in_order() {
    let (_home, folder) = folder();
    for number in 0..500 {
        fs::write(folder.join(format!("{number:0100}")), "").unwrap();
    }
    let found = names(&entities(&folder));
    assert_eq!(found, (0..500).map(|number| format!("{number:0100}")).collect::<Vec<_>>());
}

#[test]
fn a_file_that_somebody_has_to_himself_is_unreadable_and_described_all_the_same() {
    let (_home, folder) = folder();
    let path = folder.join("locked");
    fs::write(&path, "secret").unwrap();
    let holder = OpenOptions::new().read(true).write(true).share_mode(0).open(&path).unwrap();
    let seen = observe(&folder, false);
    let Some(Observation::Unreadable { why, partial, .. }) = seen.get(1) else { panic!("{seen:?}") };
    assert_eq!(*why, Unreadable::Locked);
    assert_eq!(partial.as_ref().unwrap().attributes.size_bytes, Some(6));
    drop(holder);
    assert_eq!(entities(&folder)[0].digest, Some(digest_of(b"secret")));
}

#[test]
fn a_file_that_is_written_and_may_be_deleted_by_others_is_read() {
    let (_home, folder) = folder();
    let path = folder.join("log");
    let writer = File::create(&path).unwrap();
    (&writer).write_all(b"line").unwrap();
    assert_eq!(entities(&folder)[0].digest, Some(digest_of(b"line")));
    fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_of_another_kind_or_missing_is_told_so() {
    let (_home, folder) = folder();
    fs::create_dir(folder.join("dir")).unwrap();
    fs::write(folder.join("file"), "").unwrap();
    let tree = LiveTree::new();
    let root = tree.open_root(&entity_path(&folder)).unwrap();
    assert_eq!(tree.enter(&root, b"file").unwrap_err(), TreeError::NotThat);
    assert_eq!(tree.open_file(&root, b"dir").unwrap_err(), TreeError::NotThat);
    assert_eq!(tree.open_file(&root, b"none").unwrap_err(), TreeError::NotFound);
    assert_eq!(tree.look(&root, b"none").unwrap_err(), TreeError::NotFound);
    assert_eq!(tree.look(&root, b"\xff").unwrap_err(), TreeError::NotFound);
    assert_eq!(tree.open_root(&entity_path(&folder.join(r"none\none"))).unwrap_err(), TreeError::NotFound);
    assert_eq!(tree.open_root(&EntityPath::unix("/etc")).unwrap_err(), TreeError::NotFound);
    let upper = tree.look(&root, b"FILE").unwrap();
    assert_eq!(upper.kind, EntityKind::File, "case does not matter");
}

#[test]
fn a_whole_drive_is_a_place_that_a_walk_can_start_from() {
    let tree = LiveTree::new();
    for top in [r"C:\", "C:"] {
        let root = tree.open_root(&EntityPath::windows(top)).unwrap();
        assert_eq!(tree.describe_directory(&root).unwrap().kind, EntityKind::Directory);
        let listing = tree.list(&root).unwrap();
        let names = (0..listing.len()).map(|at| listing.get(at).unwrap().0.to_ascii_lowercase());
        assert!(names.into_iter().any(|name| name == b"windows"), "{top}");
    }
    assert_eq!(tree.keep_out(&tree.open_root(&EntityPath::windows(r"C:\")).unwrap()), None);
}

#[test]
fn links_are_entities_with_a_target_and_lead_on_where_they_are_followed() {
    let (_home, folder) = folder();
    fs::create_dir(folder.join("real")).unwrap();
    fs::write(folder.join(r"real\file"), "x").unwrap();
    fs::create_dir(folder.join("links")).unwrap();
    let made = symlink_dir(folder.join("real"), folder.join(r"links\dir"))
        .and_then(|()| symlink_file(r"..\real\file", folder.join(r"links\file")));
    let is_link = |name: &str| {
        let found = fs::symlink_metadata(folder.join("links").join(name));
        found.is_ok_and(|found| found.file_attributes() & REPARSE_POINT != 0)
    };
    if made.is_err() || !is_link("dir") || !is_link("file") {
        return skip("this system makes no symbolic links, or does not show them");
    }
    let found = entities(&folder.join("links"));
    assert_eq!(names(&found), ["dir", "file"]);
    assert!(found.iter().all(|entity| entity.kind == EntityKind::Symlink));
    assert_eq!(found[1].attributes.target.as_deref(), Some(&br"..\real\file"[..]));
    let followed = observe(&folder.join("links"), true);
    let paths: Vec<String> = followed.iter().map(|seen| seen.path().to_string()).collect();
    assert!(paths.iter().any(|path| path.ends_with(r"links\dir\file")), "{paths:?}");
}

#[test]
fn an_alternate_data_stream_is_an_entity_of_its_own_with_its_content() {
    let (_home, folder) = folder();
    fs::create_dir(folder.join("dir")).unwrap();
    fs::write(folder.join("a.txt"), "content").unwrap();
    for name in ["a.txt:hidden", "dir:also"] {
        if let Err(error) = fs::write(folder.join(name), name) {
            return skip(&format!("the file system has no alternate data streams: {error}"));
        }
    }
    let tree = LiveTree::new();
    let root = tree.open_root(&entity_path(&folder)).unwrap();
    let stream = tree.open_file(&root, b"a.txt:hidden").unwrap();
    let look = tree.describe_file(&stream).unwrap();
    assert_eq!(
        (look.kind, look.attributes.size_bytes, &look.attributes.owner),
        (EntityKind::File, Some(12), &None)
    );
    let mut content = [0; 64];
    assert_eq!(tree.read_at(&stream, 0, &mut content), Ok(12));
    assert_eq!(&content[..12], b"a.txt:hidden");
    if tree.streams(&root, b"a.txt").unwrap().is_empty() {
        return skip("this system does not list alternate data streams");
    }
    let found = entities(&folder);
    assert_eq!(names(&found), ["a.txt", "a.txt:hidden", "dir", "dir:also"]);
    assert_eq!(found[1].digest, Some(digest_of(b"a.txt:hidden")));
}

const HIDDEN: u32 = 2;
const SYSTEM: u32 = 4;
const REPARSE_POINT: u32 = 0x400;
