//! Ways to hide who did it, or to be too much to be told.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::process::Command;

use fim_core::GapCause;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::stage::{Stage, covers, now};

#[test]
fn a_program_without_a_file_is_named() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    stage.start();
    let program = memfd_create("update", MemfdFlags::empty()).unwrap();
    rustix::io::write(&program, &[]).unwrap();
    fs::copy("/bin/sh", format!("/proc/self/fd/{}", program.as_raw_fd())).unwrap();
    let path = stage.own().watched.join("file");
    let mut child = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()))
        .arg("-c")
        .arg(format!("echo x > {}", path.display()))
        .spawn()
        .unwrap();
    assert!(child.wait().unwrap().success());
    let record = stage.record(&path);
    let actor = &record.who.actors[0];
    assert_eq!(actor.process_id, child.id());
    let executable = actor.executable.as_ref().unwrap().to_string();
    assert!(executable.contains("memfd:update"), "{executable}");
}

#[test]
fn a_process_that_has_ended_is_named_with_what_started_it() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    stage.start();
    let folder = stage.own().watched.clone();
    let mut numbers = Vec::new();
    for number in 0..50 {
        let script = format!("echo x > {}/{number}", folder.display());
        let mut child = Command::new("sh").args(["-c", &script]).spawn().unwrap();
        numbers.push(child.id());
        assert!(child.wait().unwrap().success());
    }
    for (number, process) in numbers.into_iter().enumerate() {
        let record = stage.record(&folder.join(number.to_string()));
        let actors: Vec<u32> = record.who.actors.iter().map(|actor| actor.process_id).collect();
        assert_eq!((actors, record.who.unknown), (vec![process], None), "{number}");
        assert_eq!(record.who.actors[0].parents[0].process_id, std::process::id());
    }
}

#[test]
fn in_a_flood_that_is_more_than_the_kernel_keeps_nothing_is_lost_and_the_stretch_is_a_gap() {
    // What the kernel keeps of notices for somebody who does not read them (fanotify(7)).
    let kept = fs::read_to_string("/proc/sys/fs/fanotify/max_queued_events").unwrap_or_default();
    let kept: usize = kept.trim().parse().unwrap_or(16_384);
    if kept > 50_000 {
        fim_testkit::skip(&format!("this kernel keeps {kept} notices, which are too many for a flood"));
        return;
    }
    let Some(mut stage) = Stage::on(&[]) else { return };
    stage.start();
    let folder = stage.own().watched.clone();
    stage.suspend();
    let begun = now();
    let flood = kept + kept / 4;
    for number in 0..flood {
        fs::write(folder.join(format!("flood-{number:05}")), "x").unwrap();
    }
    fs::write(folder.join("the-one-that-matters"), "evil").unwrap();
    let ended = now();
    stage.signal("-CONT");
    // A directory that could not be opened in the flood is a shorter gap of its own.
    let gap = stage.gap("a gap since before the flood", |gap| {
        gap.cause == GapCause::NoticesLost && gap.end.is_some() && gap.start <= begun
    });
    assert!(covers(&gap, &folder, ended), "{gap:?} does not cover {ended:?}");
    stage.record(&folder.join("the-one-that-matters"));
    stage.record(&folder.join(format!("flood-{:05}", flood - 1)));
}

#[test]
fn a_library_that_hides_names_from_programs_hides_nothing_from_the_agent() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    let source = stage.path("hide.c");
    fs::write(&source, HIDE).unwrap();
    let library = stage.path("hide.so");
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    if !compiled.is_ok_and(|status| status.success()) {
        fim_testkit::skip("there is no compiler for C here");
        return;
    }
    stage.preload = Some(library.clone());
    stage.start();
    let folder = stage.own().watched.join("folder");
    fs::create_dir(&folder).unwrap();
    let hidden = folder.join("rootkit-hidden");
    fs::write(&hidden, "x").unwrap();
    let listed = Command::new("ls").arg(&folder).env("LD_PRELOAD", &library).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "", "the library does not hide");
    stage.record(&hidden);
    fs::write(&hidden, "y").unwrap();
    stage.scan();
    stage.record_that(&hidden, |event| event.change.before.is_some());
}

/// A library as rootkits of user space are: programs that list a folder do not see some names.
const HIDE: &str = r#"
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <string.h>
struct dirent *readdir(DIR *folder) {
    struct dirent *(*real)(DIR *) = dlsym(RTLD_NEXT, "readdir"), *entry;
    while ((entry = real(folder)) && strncmp(entry->d_name, "rootkit", 7) == 0) {}
    return entry;
}
struct dirent64 *readdir64(DIR *folder) {
    struct dirent64 *(*real)(DIR *) = dlsym(RTLD_NEXT, "readdir64"), *entry;
    while ((entry = real(folder)) && strncmp(entry->d_name, "rootkit", 7) == 0) {}
    return entry;
}
"#;
