//! A state that is read is the state that was written, or says what is wrong with it.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

use fim_core::{
    Acl, Digest, Entity, EntityKey, EntityKind, EntityPath, FileAttributes, FileFlags, Observation,
    Principal, RegistryAttributes, Timestamp, Xattr,
};
use fim_log::{Disk, RealDisk};
use fim_testkit::{Fault, FaultyDisk, Survives};
use proptest::prelude::*;

use super::*;

fn entity(path: &[u8]) -> Entity {
    Entity {
        key: EntityKey::File(EntityPath::unix(path)),
        kind: EntityKind::File,
        attributes: FileAttributes::default(),
        digest: None,
    }
}

fn full_entity(path: &[u8]) -> Entity {
    let attributes = FileAttributes {
        size_bytes: Some(u64::MAX),
        mode: Some(0o7777),
        owner: Some(Principal { id: u32::MAX.into(), name: None }),
        group: Some(Principal { id: 0.into(), name: Some("root".to_owned()) }),
        modified: Some(Timestamp(i64::MIN)),
        changed: Some(Timestamp(i64::MAX)),
        created: Some(Timestamp(0)),
        inode: Some(1 << 40),
        device: Some(127),
        links: Some(128),
        acl: Some(Acl("user::rw-\ngroup::r--".to_owned())),
        xattrs: Some(vec![Xattr { name: b"user.x".to_vec(), value: vec![0, 255] }]),
        target: Some(b"../\xff".to_vec()),
        flags: Some(FileFlags::IMMUTABLE.with(FileFlags::VERITY)),
        registry: Some(RegistryAttributes::Value { value_type: 0x1234, data: Some(vec![0, 255]) }),
        mount_id: Some(u64::MAX),
    };
    Entity { kind: EntityKind::Symlink, attributes, digest: Some(Digest([7; 32])), ..entity(path) }
}

fn written(entities: &[Entity]) -> Vec<u8> {
    let disk = FaultyDisk::new();
    let path = Path::new("/state");
    let mut writer = StateWriter::create(&disk, path, b"about it").unwrap();
    entities.iter().for_each(|entity| writer.push(entity).unwrap());
    assert_eq!(writer.finish().unwrap(), entities.len() as u64);
    disk.read(path).unwrap()
}

fn read(bytes: &[u8]) -> Result<Vec<Entity>, ReadStateError> {
    StateReader::new(Cursor::new(bytes), Path::new("state"))?.collect()
}

fn many(count: usize) -> Vec<Entity> {
    (0..count).map(|number| full_entity(format!("/dir/{number:06}").as_bytes())).collect()
}

#[test]
fn what_is_written_is_read() {
    let entities = [entity(b"/"), entity(b"/a\n\xff"), full_entity(b"/a\n\xff/b"), full_entity(b"/c")];
    assert_eq!(read(&written(&entities)).unwrap(), entities);
}

#[test]
fn nothing_is_a_state_too() {
    assert_eq!(read(&written(&[])).unwrap(), []);
}

#[test]
fn many_blocks_are_read_in_order() {
    let entities = many(5000);
    let bytes = written(&entities);
    assert_eq!(read(&bytes).unwrap(), entities);
}

#[test]
fn metadata_comes_back_as_it_is() {
    let bytes = written(&[]);
    let reader = StateReader::new(Cursor::new(&bytes), Path::new("state")).unwrap();
    assert_eq!(reader.metadata(), b"about it");
}

#[test]
fn entities_out_of_order_are_refused() {
    let disk = FaultyDisk::new();
    let mut writer = StateWriter::create(&disk, Path::new("/state"), b"").unwrap();
    writer.push(&entity(b"/b")).unwrap();
    for path in [b"/a", b"/b"] {
        assert!(matches!(writer.push(&entity(path)), Err(WriteStateError::OutOfOrder { .. })));
    }
}

#[test]
fn any_single_damaged_byte_is_noticed() {
    let bytes = written(&many(3));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(read(&damaged).is_err(), "byte {at}");
    }
}

#[test]
fn a_state_that_breaks_off_anywhere_is_noticed() {
    let bytes = written(&many(3));
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn damage_in_a_later_block_leaves_what_came_before_and_is_named() {
    let entities = many(5000);
    let mut bytes = written(&entities);
    let at = bytes.len() - 1000;
    bytes[at] ^= 1;
    let mut reader = StateReader::new(Cursor::new(&bytes), Path::new("/var/lib/state")).unwrap();
    let whole = reader.by_ref().take_while(Result::is_ok).count();
    assert!(whole > 0 && whole < entities.len());
    let error = read(&bytes).unwrap_err();
    assert!(error.is_damage());
    let ReadStateError::Damaged { at_byte, what, .. } = error else { panic!("{error}") };
    assert!(at_byte > 0 && at_byte <= at as u64);
    assert_eq!(what, "a block fails its checksum");
    assert!(reader.next().is_none(), "a reader ends after an error");
}

#[test]
fn something_behind_the_end_is_noticed() {
    let mut bytes = written(&[]);
    bytes.push(0);
    assert!(matches!(read(&bytes), Err(ReadStateError::Damaged { .. })));
}

#[test]
fn another_file_is_not_a_state_and_a_newer_one_says_so() {
    assert!(matches!(read(b""), Err(ReadStateError::NotAState { .. })));
    assert!(matches!(read(b"root:x:0:0:root:/root:/bin/bash\n"), Err(ReadStateError::NotAState { .. })));
    let mut newer = written(&[]);
    newer[8] = 3;
    let error = read(&newer).unwrap_err();
    assert!(matches!(error, ReadStateError::Newer { found: 3, known: 2, .. }));
    assert!(!error.is_damage());
}

#[test]
fn a_state_of_an_earlier_format_says_so_and_what_to_do() {
    let mut older = written(&[]);
    older[8] = 1;
    let error = read(&older).unwrap_err();
    assert!(matches!(error, ReadStateError::Older { found: 1, known: 2, .. }));
    assert!(error.to_string().contains("take a new baseline"), "{error}");
}

#[test]
fn a_state_that_is_not_finished_leaves_the_one_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let write = |entities: &[Entity], finishes: bool| {
        let mut writer = StateWriter::create(&RealDisk, &path, b"").unwrap();
        entities.iter().for_each(|entity| writer.push(entity).unwrap());
        if finishes {
            writer.finish().unwrap();
        }
    };
    write(&many(1), true);
    write(&many(2), false);
    let kept: Vec<Entity> = StateReader::open(&path).unwrap().map(Result::unwrap).collect();
    assert_eq!(kept, many(1));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn at_every_fault_and_power_loss_the_old_or_the_new_state_is_there_whole() {
    let path = Path::new("/state");
    let (old, new) = (many(1), many(1500));
    let write = |disk: &FaultyDisk, entities: &[Entity]| -> Result<u64, WriteStateError> {
        let mut writer = StateWriter::create(disk, path, b"")?;
        for entity in entities {
            writer.push(entity)?;
        }
        writer.finish()
    };
    let operations = {
        let disk = FaultyDisk::new();
        write(&disk, &old).unwrap();
        let before = disk.operations();
        write(&disk, &new).unwrap();
        disk.operations() - before
    };
    let survivals = [Survives::Nothing, Survives::Everything, Survives::Any(1), Survives::Any(2)];
    for operation in 0..operations {
        for fault in [Fault::PowerLoss, Fault::NoSpace, Fault::Broken] {
            for survives in survivals {
                let disk = FaultyDisk::new();
                write(&disk, &old).unwrap();
                disk.fail_at(disk.operations() + operation, fault);
                let outcome = write(&disk, &new);
                disk.lose_power(survives);
                let found = read(&disk.read(path).unwrap()).unwrap();
                assert!(found == old || found == new, "operation {operation}, {fault:?}, {survives:?}");
                if outcome.is_ok() {
                    assert_eq!(found, new, "what was finished is there");
                }
            }
        }
    }
}

/// What one line of a merge says: which side had the path.
fn pairs(before: &[&str], seen: &[&str]) -> (Vec<String>, Vec<String>) {
    let before: Vec<Result<Entity, ()>> = before.iter().map(|path| Ok(entity(path.as_bytes()))).collect();
    let seen = seen.iter().map(|path| Observation::Present(Box::new(entity(path.as_bytes()))));
    let mut pairs = Pairs::new(before.into_iter(), seen);
    let lines = pairs
        .by_ref()
        .map(|pair| match pair.unwrap() {
            Pair { before: Some(before), seen: Some(_) } => format!("={}", before.key.path()),
            Pair { before: Some(before), seen: None } => format!("-{}", before.key.path()),
            Pair { before: None, seen: Some(Observation::Present(seen)) } => format!("+{}", seen.key.path()),
            other => format!("{other:?}"),
        })
        .collect();
    (lines, pairs.into_rest().map(|rest| rest.unwrap().key.path().to_string()).collect())
}

#[test]
fn a_merge_pairs_what_is_on_both_sides_and_keeps_the_order() {
    let (lines, rest) = pairs(&["/a", "/a/b", "/c", "/e", "/f"], &["/a", "/a/c", "/c", "/d"]);
    assert_eq!(lines, ["=/a", "-/a/b", "+/a/c", "=/c", "+/d"]);
    assert_eq!(rest, ["/e", "/f"]);
}

#[test]
fn without_observations_everything_is_left() {
    assert_eq!(pairs(&["/a", "/b"], &[]), (vec![], vec!["/a".to_owned(), "/b".to_owned()]));
}

#[test]
fn without_a_state_everything_is_new() {
    assert_eq!(pairs(&[], &["/a", "/b"]), (vec!["+/a".to_owned(), "+/b".to_owned()], vec![]));
}

prop_compose! {
    fn any_attributes()(
        numbers in prop::collection::vec(prop::option::of(any::<u64>()), 4),
        times in prop::collection::vec(prop::option::of(any::<i64>()), 3),
        mode in prop::option::of(any::<u16>()),
        principals in prop::collection::vec(prop::option::of((any::<u32>(), prop::option::of("[a-zé]{1,9}"))), 2),
        acl in prop::option::of("[a-z:\n]{0,20}"),
        xattrs in prop::option::of(prop::collection::vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 0..3)),
        target in prop::option::of(any::<Vec<u8>>()),
        registry in prop::option::of((any::<u32>(), prop::option::of(any::<Vec<u8>>()))),
    ) -> FileAttributes {
        let principal = |at: usize| principals[at].clone().map(|(id, name)| Principal { id: id.into(), name });
        FileAttributes {
            size_bytes: numbers[0],
            inode: numbers[1],
            device: numbers[2],
            links: numbers[3],
            mode,
            owner: principal(0),
            group: principal(1),
            modified: times[0].map(Timestamp),
            changed: times[1].map(Timestamp),
            created: times[2].map(Timestamp),
            acl: acl.map(Acl),
            xattrs: xattrs.map(|all| all.into_iter().map(|(name, value)| Xattr { name, value }).collect()),
            target,
            flags: mode.map(FileFlags::from_bits),
            registry: registry.map(|(value_type, data)| RegistryAttributes::Value { value_type, data }),
            mount_id: numbers[3],
        }
    }
}

prop_compose! {
    fn any_entity()(
        path in prop::collection::vec(any::<u8>(), 0..40),
        kind in prop::sample::select(vec![
            EntityKind::File, EntityKind::Directory, EntityKind::Symlink, EntityKind::BlockDevice,
            EntityKind::CharDevice, EntityKind::Fifo, EntityKind::Socket,
        ]),
        attributes in any_attributes(),
        digest in prop::option::of(any::<[u8; 32]>()),
        is_windows in any::<bool>(),
    ) -> Entity {
        let path = if is_windows { EntityPath::windows(path) } else { EntityPath::unix(path) };
        Entity { key: EntityKey::File(path), kind, attributes, digest: digest.map(Digest) }
    }
}

proptest! {
    #[test]
    fn any_entities_are_read_as_they_were_written(entities in prop::collection::vec(any_entity(), 0..4)) {
        let by_path: BTreeMap<_, _> =
            entities.into_iter().map(|entity| (entity.key.path().clone(), entity)).collect();
        let entities: Vec<Entity> = by_path.into_values().collect();
        prop_assert_eq!(read(&written(&entities)).unwrap(), entities);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(mut bytes in any::<Vec<u8>>(), keeps_magic in any::<bool>()) {
        if keeps_magic {
            bytes.splice(..0, written(&[])[..HEADER_BYTES + 8].to_vec());
        }
        let _ = read(&bytes);
    }

    #[test]
    fn no_change_to_a_state_makes_a_reader_panic_or_believe_it(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..5),
    ) {
        let whole = many(40);
        let mut bytes = written(&whole);
        for (at, flip) in changes {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        if let Ok(read) = read(&bytes) {
            prop_assert_eq!(read, whole);
        }
    }
}
