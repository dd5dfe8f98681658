//! The log on a disk that loses power, tears writes, fails and fills up, against a model of what was promised.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::path::Path;

use fim_log::{AppendError, Disk, LogOptions, OpenLogError, RealDisk, Recovery, SegmentLog, replace_file};
use fim_testkit::{Fault, FaultyDisk, Survives};
use proptest::prelude::*;

/// One step of a workload.
#[derive(Clone, Copy, Debug)]
enum Step {
    Append(usize),
    Sync,
    RemoveThrough(u64),
    Reopen,
}

/// What the log has promised so far.
#[derive(Clone, Debug, Default)]
struct Promised {
    /// Payloads by number, from 1.
    appended: Vec<Vec<u8>>,
    /// Records up to this one were synced.
    synced: usize,
    /// Records up to this one may have been removed.
    removed: u64,
}

const OPTIONS: LogOptions = LogOptions { segment_bytes: 120, max_bytes: 2000 };
const DIR: &str = "/data/log";

/// A payload that shows its number and is different for each record ever appended.
fn payload(number: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| (number * 31 + at * 7) as u8).collect()
}

/// Does the steps until one fails; true if none did.
fn run(disk: &FaultyDisk, steps: &[Step], promised: &mut Promised) -> bool {
    let Ok((mut log, _)) = SegmentLog::open(disk.clone(), DIR, OPTIONS) else { return false };
    for &step in steps {
        let is_done = match step {
            Step::Append(length) => {
                let record = payload(promised.appended.len(), length);
                match log.append(&record) {
                    Ok(number) => {
                        promised.appended.push(record);
                        assert_eq!(number, promised.appended.len() as u64);
                        true
                    }
                    Err(AppendError::Full { .. }) => true,
                    Err(_) => false,
                }
            }
            Step::Sync => {
                let is_synced = log.sync().is_ok();
                if is_synced {
                    promised.synced = promised.appended.len();
                }
                is_synced
            }
            Step::RemoveThrough(back) => {
                let through = (promised.synced as u64).saturating_sub(back);
                promised.removed = promised.removed.max(through);
                log.remove_through(through).is_ok()
            }
            Step::Reopen => match SegmentLog::open(disk.clone(), DIR, OPTIONS) {
                Ok((reopened, recovery)) => {
                    log = reopened;
                    promised.synced = promised.appended.len();
                    assert!(recovery.damaged.is_empty());
                    true
                }
                Err(_) => false,
            },
        };
        if !is_done {
            return false;
        }
    }
    true
}

/// Opens the log after a crash and holds it to what was promised.
fn check(disk: &FaultyDisk, promised: &Promised, context: &str) {
    let (mut log, recovery) = SegmentLog::open(disk.clone(), DIR, OPTIONS).unwrap();
    assert!(recovery.damaged.is_empty(), "{context}: {recovery:?}");
    let last = log.last_sequence();
    assert!(last >= promised.synced as u64, "{context}: synced {} but has {last}", promised.synced);
    assert!(log.first_sequence() <= promised.removed + 1, "{context}: removed too much");
    let records: Vec<(u64, Vec<u8>)> = log.read_from(1).collect::<Result<_, _>>().unwrap();
    let numbers: Vec<u64> = records.iter().map(|record| record.0).collect();
    assert_eq!(numbers, (log.first_sequence()..=last).collect::<Vec<_>>(), "{context}: holes");
    for (number, bytes) in &records {
        let index = usize::try_from(*number - 1).unwrap();
        // The append that was cut off may be there whole: it is the one after those that were answered.
        if let Some(expected) = promised.appended.get(index) {
            assert_eq!(bytes, expected, "{context}: record {number}");
        } else {
            assert_eq!(index, promised.appended.len(), "{context}: record {number} was never appended");
        }
    }
    if log.bytes() + 100 < OPTIONS.max_bytes {
        assert_eq!(log.append(b"after").unwrap(), last + 1, "{context}: numbers go on");
        log.sync().unwrap();
    }
}

fn crash_everywhere(steps: &[Step], seeds: u64) {
    let whole = FaultyDisk::new();
    let mut promised = Promised::default();
    assert!(run(&whole, steps, &mut promised));
    for operation in 0..=whole.operations() {
        let any = (0..seeds).map(|seed| Survives::Any(seed + operation * 131));
        for survives in [Survives::Nothing, Survives::Everything].into_iter().chain(any) {
            let disk = FaultyDisk::new();
            disk.fail_at(operation, Fault::PowerLoss);
            let mut promised = Promised::default();
            run(&disk, steps, &mut promised);
            disk.lose_power(survives);
            check(&disk, &promised, &format!("power lost at operation {operation}, {survives:?}"));
        }
    }
}

fn scripted() -> Vec<Step> {
    use Step::{Append, RemoveThrough, Reopen, Sync};
    vec![
        Append(10),
        Append(0),
        Sync,
        Append(33),
        Append(40),
        Append(17),
        Sync,
        RemoveThrough(3),
        Append(150),
        Append(5),
        Sync,
        Reopen,
        Append(60),
        Sync,
        RemoveThrough(0),
        Append(1),
        Append(70),
        Append(80),
        Sync,
        RemoveThrough(1),
        Reopen,
        RemoveThrough(0),
        Reopen,
        Append(9),
        Sync,
    ]
}

#[test]
fn a_power_loss_at_any_operation_keeps_what_was_synced_in_order_once() {
    crash_everywhere(&scripted(), 40);
}

#[test]
fn a_second_power_loss_during_recovery_keeps_it_too() {
    let steps = scripted();
    for first in 0..60 {
        for second in 0..6 {
            let disk = FaultyDisk::new();
            disk.fail_at(first, Fault::PowerLoss);
            let mut promised = Promised::default();
            run(&disk, &steps, &mut promised);
            disk.lose_power(Survives::Any(first * 17 + second));
            disk.fail_at(disk.operations() + second, Fault::PowerLoss);
            // The record that was cut off may have become durable by being seen.
            let _ = SegmentLog::open(disk.clone(), DIR, OPTIONS);
            disk.lose_power(Survives::Any(first + second * 29));
            check(&disk, &promised, &format!("power lost at {first}, then {second} into recovery"));
        }
    }
}

#[test]
fn an_operation_that_fails_leaves_a_log_that_goes_on() {
    let whole = FaultyDisk::new();
    run(&whole, &scripted(), &mut Promised::default());
    for operation in 0..whole.operations() {
        for fault in [Fault::NoSpace, Fault::Broken] {
            let disk = FaultyDisk::new();
            let Ok((mut log, _)) = SegmentLog::open(disk.clone(), DIR, OPTIONS) else { continue };
            disk.fail_at(operation, fault);
            let mut promised = Promised::default();
            for number in 0..12 {
                let record = payload(number, 20 + number * 37 % 60);
                if let Ok(sequence) = log.append(&record) {
                    promised.appended.push(record);
                    assert_eq!(sequence, promised.appended.len() as u64);
                }
                if number % 3 == 2 && log.sync().is_ok() {
                    promised.synced = promised.appended.len();
                }
                if number == 8 {
                    promised.removed = 4;
                    let _ = log.remove_through(4);
                }
            }
            if operation % 2 == 0 {
                log.sync().unwrap();
                promised.synced = promised.appended.len();
            }
            drop(log);
            let survives = if operation % 4 < 2 { Survives::Any(operation) } else { Survives::Nothing };
            disk.lose_power(survives);
            check(&disk, &promised, &format!("{fault:?} at operation {operation}, {survives:?}"));
        }
    }
}

#[test]
fn a_full_disk_is_an_answer_and_the_log_goes_on_once_there_is_space() {
    let disk = FaultyDisk::new();
    let (mut log, _) = SegmentLog::open(disk.clone(), DIR, OPTIONS).unwrap();
    disk.set_capacity(Some(70));
    assert_eq!(log.append(&payload(0, 20)).unwrap(), 1);
    assert!(matches!(log.append(&payload(1, 20)), Err(AppendError::DiskFull { .. })));
    log.sync().unwrap();
    disk.set_capacity(None);
    assert_eq!(log.append(&payload(1, 20)).unwrap(), 2);
    log.sync().unwrap();
    let records: Vec<_> = log.read_from(1).map(Result::unwrap).collect();
    assert_eq!(records, [(1, payload(0, 20)), (2, payload(1, 20))]);
}

#[test]
fn a_log_at_its_bound_says_so_and_takes_records_again_after_removal() {
    let disk = FaultyDisk::new();
    let (mut log, _) =
        SegmentLog::open(disk, DIR, LogOptions { segment_bytes: 4096, max_bytes: 400 }).unwrap();
    let mut last = 0;
    loop {
        match log.append(&payload(0, 10)) {
            Ok(number) => last = number,
            Err(AppendError::Full { max_bytes }) => break assert_eq!(max_bytes, 400),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(log.bytes() <= 400);
    log.sync().unwrap();
    log.remove_through(last).unwrap();
    assert_eq!(log.append(&payload(0, 10)).unwrap(), last + 1);
    assert!(matches!(log.append(&payload(0, 400)), Err(AppendError::TooLarge { max: 368, .. })));
}

#[test]
fn damage_before_the_tail_is_told_once_open_and_passed_over() {
    let disk = FaultyDisk::new();
    let (mut log, _) = SegmentLog::open(disk.clone(), DIR, OPTIONS).unwrap();
    for number in 0..9 {
        log.append(&payload(number, 20)).unwrap();
        log.sync().unwrap();
    }
    let first = Path::new(DIR).join("00000000000000000001.log");
    disk.damage(&first, 8 + 44 + 30);
    let read: Vec<_> = log.read_from(1).collect();
    assert!(read[1].as_ref().unwrap_err().to_string().starts_with("records 2 to 2"));
    assert_eq!(read.iter().filter_map(|item| item.as_ref().ok().map(|item| item.0)).count(), 8);
    let (log, recovery) = SegmentLog::open(disk, DIR, OPTIONS).unwrap();
    assert_eq!(recovery, Recovery { records: 8, torn_bytes: 0, damaged: vec![2..=2] });
    let numbers: Vec<u64> = log.read_from(1).map(|item| item.unwrap().0).collect();
    assert_eq!(numbers, [1, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_lost_segment_is_damage() {
    let disk = FaultyDisk::new();
    let (mut log, _) = SegmentLog::open(disk.clone(), DIR, OPTIONS).unwrap();
    for number in 0..9 {
        log.append(&payload(number, 20)).unwrap();
    }
    log.sync().unwrap();
    disk.remove(&Path::new(DIR).join("00000000000000000003.log")).unwrap();
    let (log, recovery) = SegmentLog::open(disk, DIR, OPTIONS).unwrap();
    assert_eq!(recovery.damaged, [3..=4]);
    assert_eq!(log.last_sequence(), 9);
}

#[test]
fn a_segment_of_a_newer_format_is_refused() {
    let disk = FaultyDisk::new();
    drop(SegmentLog::open(disk.clone(), DIR, OPTIONS).unwrap());
    let path = Path::new(DIR).join("00000000000000000001.log");
    replace_file(&disk, &path, b"SFLOG002").unwrap();
    assert!(matches!(SegmentLog::open(disk, DIR, OPTIONS), Err(OpenLogError::Newer { .. })));
}

#[test]
fn a_replaced_file_is_whole_after_a_power_loss_at_any_operation() {
    let path = Path::new("/data/meta");
    for operation in 0..20 {
        for seed in 0..20 {
            let disk = FaultyDisk::new();
            replace_file(&disk, path, b"the old content").unwrap();
            disk.fail_at(disk.operations() + operation, Fault::PowerLoss);
            let is_replaced = replace_file(&disk, path, b"a newer content").is_ok();
            disk.lose_power(Survives::Any(seed * 7 + operation));
            let content = disk.read(path).unwrap();
            assert!(content == b"a newer content" || !is_replaced && content == b"the old content");
        }
    }
}

#[test]
fn the_real_disk_keeps_a_log_to_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/log");
    let (mut log, _) = SegmentLog::open(RealDisk, &path, OPTIONS).unwrap();
    for number in 0..9 {
        log.append(&payload(number, 20)).unwrap();
    }
    log.sync().unwrap();
    log.remove_through(4).unwrap();
    drop(log);
    let (log, recovery) = SegmentLog::open(RealDisk, &path, OPTIONS).unwrap();
    assert_eq!((log.first_sequence(), log.last_sequence(), recovery.torn_bytes), (5, 9, 0));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("00000000000000000005.log")), 0o600);
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0_usize..90).prop_map(Step::Append),
        3 => Just(Step::Sync),
        1 => (0_u64..6).prop_map(Step::RemoveThrough),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_workload_survives_a_power_loss_at_any_operation(
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        crash_everywhere(&steps, 4);
    }
}
