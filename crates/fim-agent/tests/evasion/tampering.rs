//! Ways to keep the agent from seeing, or to change what it remembers.

use std::fs;
use std::time::Duration;

use fim_core::{GapCause, GapScope};

use crate::stage::{Stage, covers, entity, let_pass, now};

#[test]
fn what_is_changed_while_the_agent_is_killed_is_told_with_the_gap() {
    let Some(mut stage) = Stage::everywhere() else { return };
    for place in &stage.places {
        fs::write(place.watched.join("file"), "before").unwrap();
    }
    stage.start();
    stage.kill();
    let killed = now();
    for place in &stage.places {
        fs::write(place.watched.join("file"), "behind its back").unwrap();
        fs::write(place.watched.join("came"), "x").unwrap();
    }
    stage.launch();
    for place in &stage.places {
        stage.record(&place.watched.join("file"));
        stage.record(&place.watched.join("came"));
    }
    let path = stage.own().watched.join("file");
    stage.gap("a gap without the agent", |gap| {
        gap.cause == GapCause::AgentStopped && gap.end.is_some() && covers(gap, &path, killed)
    });
}

#[test]
fn what_is_changed_while_the_agent_is_held_is_told_with_the_gap() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let path = stage.own().watched.join("file");
    fs::write(&path, "before").unwrap();
    stage.start();
    stage.suspend();
    let held = now();
    fs::write(&path, "behind its back").unwrap();
    // A machine that is busy may hold it for some seconds without a word.
    let_pass(Duration::from_secs(11));
    stage.signal("-CONT");
    stage.record(&path);
    stage.gap("a gap of the stretch", |gap| {
        gap.cause == GapCause::AgentSuspended && gap.end.is_some() && covers(gap, &path, held)
    });
}

#[test]
fn a_state_that_somebody_edited_is_a_gap_and_no_baseline_to_go_by() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let path = stage.own().watched.join("file");
    fs::write(&path, "before").unwrap();
    stage.start();
    stage.kill();
    let killed = now();
    let folder = stage.data_dir().join("state");
    let mut edited = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let state = entry.unwrap().path();
        let is_state = state.file_name().unwrap().to_str().unwrap().starts_with("state-");
        if is_state && let Ok(mut bytes) = fs::read(&state) {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&state, bytes).unwrap();
            edited += 1;
        }
    }
    assert_eq!(edited, 1, "{:?}", fs::read_dir(&folder).unwrap().collect::<Vec<_>>());
    stage.launch();
    let gap =
        stage.gap("a gap of the lost state", |gap| gap.cause == GapCause::StateLost && gap.end.is_some());
    assert_eq!(gap.scope, GapScope::Everything);
    assert!(covers(&gap, &path, killed), "{gap:?}");
}

#[test]
fn a_folder_that_is_hidden_behind_a_link_and_put_back_is_told() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let path = stage.own().watched.join("folder");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "before").unwrap();
    stage.start();
    fs::rename(&path, stage.own().outside.join("kept")).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let record = stage.record(&path);
    assert_eq!(*record.change.key.path(), entity(&path));
    fs::remove_file(&path).unwrap();
    fs::write(stage.own().outside.join("kept/file"), "after, and longer").unwrap();
    fs::rename(stage.own().outside.join("kept"), &path).unwrap();
    stage.record_that(&path.join("file"), |event| {
        event.change.after.as_ref().is_some_and(|after| after.attributes.size_bytes == Some(17))
    });
}
