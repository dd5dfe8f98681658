//! The ingest log against a disk that forgets, at every operation.

use std::collections::BTreeSet;

use fim_log::LogOptions;
use fim_store::schema;
use fim_store::{Appended, IngestLog, IngestRecord, Marks};
use fim_testkit::{Fault, FaultyDisk, Survives};

use crate::support::{COVERAGE, WORKSPACE, gaps, origin};

/// Small, so that the script fills several segments.
const OPTIONS: LogOptions = LogOptions { segment_bytes: 1_500, max_bytes: 1 << 20 };

/// What may be believed after any part of the script.
#[derive(Clone, Debug, Default)]
struct Model {
    /// Answered with success.
    acknowledged: BTreeSet<u64>,
    /// Handed to the log, whatever it said.
    tried: BTreeSet<u64>,
    /// What a finished flush has recorded.
    flushed: u64,
    marks: Marks,
    /// The batches up to `flushed`: in tables.
    in_tables: BTreeSet<u64>,
}

fn record(batch: u64) -> Vec<u8> {
    let tables = vec![(schema::table(COVERAGE).unwrap(), gaps(batch, 1))];
    IngestRecord { workspace: WORKSPACE, origin: Some(origin(batch)), tables }.encode().unwrap()
}

/// Groups of batches, some delivered twice, with a flush after every second group. Stops at the first failure.
fn run(disk: &FaultyDisk, model: &mut Model) -> Option<()> {
    let (mut log, _) = IngestLog::open(disk.clone(), "/log", OPTIONS, 0, Marks::default()).ok()?;
    let groups: [&[u64]; 6] = [&[1, 2], &[2, 3, 4], &[5], &[4, 6, 7], &[8, 8], &[9]];
    for (index, group) in groups.into_iter().enumerate() {
        for &batch in group {
            model.tried.insert(batch);
            log.append(WORKSPACE, Some(origin(batch)), &record(batch)).ok()?;
        }
        log.sync().ok()?;
        model.acknowledged.extend(group);
        if index % 2 == 1 {
            model.flushed = log.last_position();
            model.marks = log.marks().clone();
            model.in_tables.clone_from(&model.acknowledged);
            log.release(model.flushed).ok()?;
        }
    }
    Some(())
}

fn check_after_restart(disk: &FaultyDisk, model: &Model, context: &str) {
    let opened = IngestLog::open(disk.clone(), "/log", OPTIONS, model.flushed, model.marks.clone());
    let (mut log, replay) = opened.unwrap_or_else(|error| panic!("{context}: {error:?}"));
    assert_eq!(replay.lost, [], "{context}");
    let mut seen = model.in_tables.clone();
    let mut last = model.flushed;
    for (position, record) in &replay.records {
        assert!(*position > last, "{context}: positions only grow");
        last = *position;
        let batch = record.origin.unwrap().sequence;
        assert!(seen.insert(batch), "{context}: batch {batch} is there twice");
        assert!(model.tried.contains(&batch), "{context}: batch {batch} was never delivered");
    }
    assert!(
        seen.is_superset(&model.acknowledged),
        "{context}: {seen:?} lacks some of {:?}",
        model.acknowledged
    );
    for &batch in &seen {
        let again = log.append(WORKSPACE, Some(origin(batch)), &record(batch)).unwrap();
        assert_eq!(again, Appended::Duplicate, "{context}: batch {batch}");
    }
    let next = log.append(WORKSPACE, Some(origin(100)), &record(100)).unwrap();
    assert_eq!(next, Appended::At(last + 1), "{context}: positions go on");
    log.sync().unwrap_or_else(|error| panic!("{context}: {error:?}"));
}

#[test]
fn after_a_power_loss_at_any_operation_each_acknowledged_batch_is_there_once() {
    let whole = FaultyDisk::new();
    run(&whole, &mut Model::default()).expect("the script passes on a good disk");
    for operation in 0..whole.operations() {
        for survives in [Survives::Nothing, Survives::Everything, Survives::Any(1), Survives::Any(operation)]
        {
            let disk = FaultyDisk::new();
            disk.fail_at(operation, Fault::PowerLoss);
            let mut model = Model::default();
            assert!(run(&disk, &mut model).is_none(), "operation {operation} was not reached");
            disk.lose_power(survives);
            check_after_restart(&disk, &model, &format!("operation {operation}, {survives:?} survives"));
        }
    }
}

#[test]
fn after_a_fault_of_the_disk_the_next_sync_makes_good() {
    let whole = FaultyDisk::new();
    run(&whole, &mut Model::default()).expect("the script passes on a good disk");
    for operation in 0..whole.operations() {
        for fault in [Fault::Broken, Fault::NoSpace] {
            let disk = FaultyDisk::new();
            disk.fail_at(operation, fault);
            let mut model = Model::default();
            // A fault that the log could put right by itself is as good as none.
            let _ = run(&disk, &mut model);
            disk.lose_power(Survives::Nothing);
            check_after_restart(&disk, &model, &format!("operation {operation}, {fault:?}"));
        }
    }
}

#[test]
fn a_batch_whose_sync_failed_is_durable_after_the_next_one() {
    let disk = FaultyDisk::new();
    let (mut log, _) = IngestLog::open(disk.clone(), "/log", OPTIONS, 0, Marks::default()).unwrap();
    log.append(WORKSPACE, Some(origin(1)), &record(1)).unwrap();
    // Whether the log writes at append or at sync, one of the next operations is its sync.
    disk.fail_at(disk.operations(), Fault::Broken);
    assert!(log.sync().is_err());
    let again = log.append(WORKSPACE, Some(origin(1)), &record(1)).unwrap();
    assert_eq!(again, Appended::Duplicate, "it is in the log already");
    log.sync().unwrap();
    disk.lose_power(Survives::Nothing);
    let (_, replay) = IngestLog::open(disk, "/log", OPTIONS, 0, Marks::default()).unwrap();
    assert_eq!(replay.records.len(), 1);
}
