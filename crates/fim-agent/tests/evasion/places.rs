//! Ways to put something else in the place of what is watched.

use std::fs;
use std::path::Path;
use std::process::Command;

use fim_core::{ChangeCategory, GapCause, GapScope};
use fim_testkit::SilentMount;

use crate::stage::{Stage, covers, entity, now, run};

#[test]
fn a_folder_that_is_put_in_the_place_of_a_watched_one_is_watched() {
    let Some(mut stage) = Stage::everywhere() else { return };
    for place in &stage.places {
        fs::create_dir(place.watched.join("folder")).unwrap();
        fs::write(place.watched.join("folder/file"), "before").unwrap();
        fs::create_dir(place.outside.join("another")).unwrap();
        fs::write(place.outside.join("another/file"), "another").unwrap();
    }
    stage.start();
    for place in stage.places.iter().filter(|place| place.is_noticed) {
        let folder = place.watched.join("folder");
        fs::rename(&folder, place.outside.join("away")).unwrap();
        fs::rename(place.outside.join("another"), &folder).unwrap();
        // Of what came with a folder nobody is told to have done it, or who moved that.
        let record = stage.record(&folder.join("file"));
        let is_ours = record.who.actors.iter().all(|actor| actor.process_id == std::process::id());
        assert!(is_ours, "{}: {record:#?}", place.name);
        fs::write(folder.join("later"), "x").unwrap();
        let record = stage.record(&folder.join("later"));
        assert_eq!(record.who.actors[0].process_id, std::process::id(), "{}: {record:#?}", place.name);
        assert_eq!(record.change.category(), Some(ChangeCategory::Added), "{}", place.name);
    }
}

#[test]
fn the_very_folder_of_a_rule_may_be_replaced_and_is_watched_again() {
    let Some(mut stage) = Stage::on(&["tmpfs", "ext4", "xfs", "btrfs"]) else { return };
    for place in &stage.places {
        fs::write(place.watched.join("file"), "before").unwrap();
    }
    stage.start();
    for place in &stage.places {
        fs::rename(&place.watched, place.outside.join("away")).unwrap();
        fs::create_dir(&place.watched).unwrap();
        fs::write(place.watched.join("file"), "evil!!").unwrap();
        stage.record(&place.watched.join("file"));
        // What is done to the old one from now on is nobody's business.
        fs::write(place.outside.join("away/file"), "elsewhere").unwrap();
        fs::write(place.watched.join("later"), "x").unwrap();
        let record = stage.record(&place.watched.join("later"));
        assert_eq!(record.who.actors[0].process_id, std::process::id(), "{}: {record:#?}", place.name);
    }
}

#[test]
fn what_is_made_in_a_new_folder_at_once_is_told_with_who_made_it() {
    let Some(mut stage) = Stage::on(&["tmpfs", "ext4", "xfs", "btrfs"]) else { return };
    stage.start();
    for place in &stage.places {
        for number in 0..20 {
            let folder = place.watched.join(format!("{number}/b/c"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("f"), "x").unwrap();
        }
    }
    for place in &stage.places {
        for number in 0..20 {
            let record = stage.record(&place.watched.join(format!("{number}/b/c/f")));
            assert_eq!(record.who.actors[0].process_id, std::process::id(), "{}: {record:#?}", place.name);
        }
    }
}

fn mount(options: &[&str], point: &Path) {
    run(Command::new("mount").args(options).arg(point)).unwrap();
}

fn unmount(point: &Path) {
    run(Command::new("umount").arg(point)).unwrap();
}

#[test]
fn what_is_mounted_over_a_place_is_a_gap_from_the_mount_on_and_what_is_there_is_told() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let folder = stage.own().watched.join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("real"), "real").unwrap();
    let file = stage.own().watched.join("file");
    fs::write(&file, "real").unwrap();
    let foreign = stage.own().outside.join("foreign");
    fs::write(&foreign, "foreign").unwrap();
    stage.start();

    let before = now();
    mount(&["-t", "tmpfs", "none"], &folder);
    fs::write(folder.join("evil"), "evil").unwrap();
    let mounted = now();
    stage.record(&folder.join("evil"));
    let is_it = |scope: &Path| GapScope::Within(entity(scope));
    let gap = stage.gap("a gap of the folder", |gap| {
        gap.cause == GapCause::MountsChanged && gap.scope == is_it(&folder) && gap.end.is_some()
    });
    assert!(gap.start <= mounted && gap.end.unwrap() >= before, "{gap:?}");
    unmount(&folder);

    // One file, by another of the same file system.
    mount(&["--bind", foreign.to_str().unwrap()], &file);
    let gap = stage.gap("a gap of the file", |gap| gap.scope == is_it(&file));
    assert_eq!(gap.cause, GapCause::MountsChanged);
    let record = stage.record(&file);
    assert_eq!(record.change.after.unwrap().attributes.size_bytes, Some(7));
    // What is written at the source is seen at the place.
    fs::write(&foreign, "foreign, longer").unwrap();
    stage.record_that(&file, |event| {
        event.change.after.as_ref().is_some_and(|after| after.attributes.size_bytes == Some(15))
    });
    unmount(&file);
}

#[test]
fn a_file_system_that_never_answers_is_a_gap_of_its_place_and_the_others_are_watched_and_scanned() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let own = stage.own().watched.clone();
    let silent = own.join("silent");
    fs::create_dir(&silent).unwrap();
    fs::write(own.join("behind"), "before").unwrap();
    stage.start();
    let _mount = match SilentMount::over(&silent) {
        Ok(mount) => mount,
        Err(why) => return fim_testkit::skip(&why),
    };
    stage
        .gap("a gap of the place", |gap| gap.scope == GapScope::Within(entity(&silent)) && gap.end.is_none());
    fs::write(own.join("zoo"), "noticed").unwrap();
    stage.hold_noticed(stage.own(), &own.join("zoo"), std::process::id());
    // It ends, though the place comes before others in path order.
    stage.scan();
}

#[test]
fn what_is_mounted_for_an_instant_is_a_gap() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let folder = stage.own().watched.join("folder");
    fs::create_dir(&folder).unwrap();
    stage.start();
    let before = now();
    mount(&["-t", "tmpfs", "none"], &folder);
    fs::write(folder.join("evil"), "evil").unwrap();
    unmount(&folder);
    // Between the two, in which nobody could have looked.
    let gap = stage.gap("a gap that takes the folder in", |gap| {
        gap.cause == GapCause::MountsChanged && covers(gap, &folder, gap.start) && gap.end.is_some()
    });
    assert!(gap.start <= now() && gap.end.unwrap() >= before, "{gap:?}");
}

#[test]
fn a_view_that_others_do_not_share_changes_nothing_that_they_see() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let folder = stage.own().watched.join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("real"), "real").unwrap();
    stage.start();
    let script = "mount -t tmpfs none \"$1\"; echo evil > \"$1/evil\"";
    run(Command::new("unshare").args(["-m", "sh", "-e", "-c", script, "sh"]).arg(&folder)).unwrap();
    fs::write(stage.own().watched.join("mark"), "x").unwrap();
    stage.record(&stage.own().watched.join("mark"));
    // The known limitation: what only another mount namespace sees is not told, and nothing is made up of it.
    assert!(stage.told(&folder.join("evil")).is_empty());
    assert_eq!(fs::read_to_string(folder.join("real")).unwrap(), "real");
}
