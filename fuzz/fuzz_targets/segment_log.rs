//! A segment as a disk may have changed it: the log opens or says why not, and goes on taking records.

#![no_main]
#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a target tells of a finding")]

use std::path::Path;

use fim_log::{Disk, DiskFile, LogOptions, SegmentLog};
use fim_testkit::FaultyDisk;
use libfuzzer_sys::fuzz_target;

const DIRECTORY: &str = "/log";

fuzz_target!(|input: (&[u8], Vec<Vec<u8>>)| {
    let (damage, payloads) = input;
    let disk = FaultyDisk::new();
    let Ok(mut log) = SegmentLog::open(disk.clone(), DIRECTORY, LogOptions::default()).map(|(log, _)| log)
    else {
        panic!("an empty directory is a log");
    };
    for payload in &payloads {
        log.append(payload).expect("there is room");
    }
    log.sync().expect("the disk works");
    let intact = log.last_sequence();
    drop(log);
    let names = disk.list(Path::new(DIRECTORY)).expect("the directory is there");
    let last = Path::new(DIRECTORY).join(names.iter().max().expect("a log has a segment"));
    disk.open_append(&last).and_then(|mut file| file.append(damage)).expect("the disk works");
    let Ok((mut log, _)) = SegmentLog::open(disk, DIRECTORY, LogOptions::default()) else { return };
    // Bytes behind the last record hide none of the records before them.
    assert!(log.last_sequence() >= intact);
    for (record, payload) in log.read_from(1).zip(&payloads) {
        assert_eq!(&record.expect("the record is whole").1, payload);
    }
    let next = log.append(b"next").expect("there is room");
    assert_eq!(next, log.last_sequence());
});
