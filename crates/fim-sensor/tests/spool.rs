//! The spool on a disk that loses power, and a server that stores what it acknowledges.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeMap;
use std::path::Path;

use fim_core::{Gap, GapCause, GapScope, Timestamp};
use fim_log::{Disk as _, LogOptions, SegmentLog};
use fim_sensor::{BatchLimits, Outgoing, Spool, SpoolError};
use fim_testkit::{Fault, FaultyDisk, Survives};
use fim_wire::Report;
use proptest::prelude::*;

const OPTIONS: LogOptions = LogOptions { segment_bytes: 400, max_bytes: 6000 };
const LIMITS: BatchLimits = BatchLimits { reports: 4, bytes: 1000 };
const DIR: &str = "/data/spool";

/// One step of a workload.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Puts a report into the spool.
    Append,
    Sync,
    /// Sends the next batch; the answer comes.
    Deliver,
    /// Sends the next batch; the server has it, but the answer is lost.
    DeliverUnheard,
    /// Notes that the state contains everything durable.
    Contain,
    Reopen,
}

/// A server that stores a batch unless it has one of that epoch with that sequence or a higher one.
#[derive(Clone, Debug, Default)]
struct Server {
    highest: BTreeMap<[u8; 16], u64>,
    stored: Vec<String>,
}

impl Server {
    fn take(&mut self, batch: &Outgoing) {
        let highest = self.highest.entry(batch.epoch).or_default();
        if batch.sequence > *highest {
            *highest = batch.sequence;
            self.stored.extend(batch.reports.iter().map(name));
        }
    }
}

fn report(number: usize) -> Report {
    Report::Gap(Gap {
        scope: GapScope::Everything,
        start: Timestamp(number as i64),
        end: Some(Timestamp(number as i64 + 1)),
        cause: GapCause::Unreadable,
        detail: format!("report {number}"),
    })
}

fn name(report: &Report) -> String {
    match report {
        Report::Gap(gap) => gap.detail.clone(),
        Report::Change(event) => event.rule.clone(),
        other @ (Report::Listed(_) | Report::Inventory(_)) => panic!("{other:?}"),
    }
}

fn open(disk: &FaultyDisk) -> Option<Spool<FaultyDisk>> {
    Spool::open(disk.clone(), DIR, OPTIONS, Timestamp(0)).ok()
}

/// Does the steps until the power is lost. Says how many reports were taken and how many of them were synced.
fn run(disk: &FaultyDisk, steps: &[Step], server: &mut Server) -> (usize, usize) {
    let (mut taken, mut synced) = (0, 0);
    let Some(mut spool) = open(disk) else { return (taken, synced) };
    for step in steps {
        let goes_on = match step {
            Step::Append => {
                let appended = spool.append(&report(taken), Timestamp(0));
                taken += usize::from(appended.is_ok());
                appended.is_ok()
            }
            Step::Sync => {
                let is_synced = spool.sync().is_ok();
                synced = if is_synced { taken } else { synced };
                is_synced
            }
            Step::Deliver | Step::DeliverUnheard => match spool.next_batch(LIMITS, Timestamp(0)) {
                Ok(Some(batch)) => {
                    server.take(&batch);
                    if matches!(step, Step::Deliver) {
                        spool.acknowledge();
                    }
                    true
                }
                Ok(None) => true,
                Err(_) => false,
            },
            Step::Contain => {
                spool.contained_through(spool.last_durable());
                true
            }
            Step::Reopen => match open(disk) {
                Some(reopened) => {
                    spool = reopened;
                    synced = taken;
                    true
                }
                None => false,
            },
        };
        if !goes_on {
            break;
        }
    }
    (taken, synced)
}

fn deliver_everything(disk: &FaultyDisk, server: &mut Server) {
    let mut spool = open(disk).unwrap();
    assert!(!spool.has_lost_records(), "what was acknowledged is missed");
    while let Some(batch) = spool.next_batch(LIMITS, Timestamp(0)).unwrap() {
        server.take(&batch);
        spool.acknowledge();
    }
    assert_eq!(spool.unsent(), 0);
}

/// Cuts the power at every operation of the workload; afterwards the server must have all that was synced, once and
/// in order.
fn crash_everywhere(steps: &[Step], seeds: u64) {
    let whole = FaultyDisk::new();
    run(&whole, steps, &mut Server::default());
    for operation in 0..=whole.operations() {
        let any = (0..seeds).map(|seed| Survives::Any(seed * 977 + operation));
        for survives in [Survives::Nothing, Survives::Everything].into_iter().chain(any) {
            let context = format!("power lost at operation {operation}, {survives:?}");
            let disk = FaultyDisk::new();
            disk.fail_at(operation, Fault::PowerLoss);
            let mut server = Server::default();
            let (taken, synced) = run(&disk, steps, &mut server);
            disk.lose_power(survives);
            deliver_everything(&disk, &mut server);
            let expected: Vec<String> =
                (0..server.stored.len()).map(|number| format!("report {number}")).collect();
            assert_eq!(server.stored, expected, "{context}: lost, repeated or out of order");
            assert!(server.stored.len() >= synced, "{context}: lost {synced}");
            // The report whose append was cut off may have got through.
            assert!(server.stored.len() <= taken + 1, "{context}: more than {taken}");
        }
    }
}

#[test]
fn whatever_is_synced_reaches_the_server_once_through_a_crash_at_any_operation() {
    use Step::{Append, Contain, Deliver, DeliverUnheard, Reopen, Sync};
    let steps = [
        Append,
        Append,
        Sync,
        Deliver,
        Append,
        Append,
        Append,
        Append,
        Append,
        Append,
        Sync,
        DeliverUnheard,
        Append,
        Sync,
        Deliver,
        Contain,
        Deliver,
        DeliverUnheard,
        Reopen,
        Append,
        Append,
        Sync,
        Deliver,
        Deliver,
        Contain,
        Append,
        Append,
        Append,
        Append,
        Append,
        Append,
        Append,
        Append,
        Sync,
        Deliver,
        Contain,
        Deliver,
        Contain,
        Append,
        Sync,
    ];
    crash_everywhere(&steps, 12);
}

#[test]
fn a_batch_is_the_same_however_often_it_is_asked_for() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    for number in 0..3 {
        spool.append(&report(number), Timestamp(0)).unwrap();
    }
    spool.sync().unwrap();
    let first = spool.next_batch(LIMITS, Timestamp(0)).unwrap().unwrap();
    spool.append(&report(3), Timestamp(0)).unwrap();
    spool.sync().unwrap();
    assert_eq!(spool.next_batch(LIMITS, Timestamp(0)).unwrap().unwrap(), first);
    drop(spool);
    disk.lose_power(Survives::Nothing);
    assert_eq!(open(&disk).unwrap().next_batch(LIMITS, Timestamp(0)).unwrap().unwrap(), first);
}

#[test]
fn reports_stay_until_the_state_contains_them() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    for number in 0..20 {
        spool.append(&report(number), Timestamp(0)).unwrap();
    }
    spool.sync().unwrap();
    while spool.next_batch(LIMITS, Timestamp(0)).unwrap().is_some() {
        spool.acknowledge();
    }
    assert_eq!(spool.reports_after(0).count(), 20);
    spool.contained_through(15);
    assert!(spool.reports_after(0).count() < 20);
    assert_eq!(spool.reports_after(15).count(), 5);
}

#[test]
fn a_report_that_nobody_understands_is_a_gap_since_the_one_before_it() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    spool.append(&report(5), Timestamp(6)).unwrap();
    spool.sync().unwrap();
    spool.contained_through(spool.last_durable());
    while spool.next_batch(LIMITS, Timestamp(7)).unwrap().is_some() {
        spool.acknowledge();
    }
    drop(spool);
    let (mut log, _) = SegmentLog::open(disk.clone(), format!("{DIR}/log"), OPTIONS).unwrap();
    log.append(b"what a later version says").unwrap();
    log.sync().unwrap();
    drop(log);
    let mut spool = open(&disk).unwrap();
    let batch = spool.next_batch(LIMITS, Timestamp(50)).unwrap().unwrap();
    let [Report::Gap(gap)] = batch.reports.as_slice() else { panic!("{:?}", batch.reports) };
    assert_eq!((gap.cause, &gap.scope), (GapCause::ReportRejected, &GapScope::Everything));
    assert_eq!((gap.start, gap.end), (Timestamp(6), Some(Timestamp(50))), "{gap:?}");
}

#[test]
fn a_refused_batch_is_halved_until_the_bad_report_is_set_aside_with_a_gap() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    for number in 0..7 {
        spool.append(&report(number), Timestamp(0)).unwrap();
    }
    spool.sync().unwrap();
    let mut stored = Vec::new();
    let limits = BatchLimits { reports: 100, bytes: 100_000 };
    while let Some(batch) = spool.next_batch(limits, Timestamp(50)).unwrap() {
        let names: Vec<String> = batch.reports.iter().map(name).collect();
        if !names.contains(&"report 3".to_owned()) {
            stored.extend(names);
            spool.acknowledge();
        } else if !spool.split().unwrap() {
            spool.set_aside("the server refused it (status 400)", Timestamp(50)).unwrap();
        }
    }
    let gap = stored.pop().unwrap();
    assert_eq!(stored, [0, 1, 2, 4, 5, 6].map(|number| format!("report {number}")));
    assert!(gap.contains("set aside") && gap.contains("status 400"), "{gap}");
    let rejected = disk.list(Path::new("/data/spool/rejected")).unwrap();
    assert_eq!(rejected.len(), 1);
    let kept = disk.read(&Path::new("/data/spool/rejected").join(&rejected[0])).unwrap();
    assert_eq!(name(&fim_wire::decode_report(&kept).unwrap()), "report 3");
}

#[test]
fn a_gap_about_a_refused_report_is_not_told_by_another_gap() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    spool.append(&report(0), Timestamp(0)).unwrap();
    spool.sync().unwrap();
    let mut refused = 0;
    while spool.next_batch(LIMITS, Timestamp(9)).unwrap().is_some() {
        refused += 1;
        spool.set_aside("the server refuses everything", Timestamp(9)).unwrap();
    }
    assert_eq!(refused, 2);
}

#[test]
fn a_full_spool_says_so_and_tells_the_gap_once_there_is_room() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    let mut taken = 0;
    let full = loop {
        match spool.append(&report(taken), Timestamp(1000 + taken as i64)) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, SpoolError::Full(_)), "{full}");
    assert_eq!(spool.full_since(), Some(Timestamp(1000 + taken as i64)));
    spool.sync().unwrap();
    drop(spool);
    let mut spool = open(&disk).unwrap();
    let mut server = Server::default();
    while let Some(batch) = spool.next_batch(LIMITS, Timestamp(0)).unwrap() {
        server.take(&batch);
        spool.acknowledge();
    }
    spool.contained_through(spool.last_durable());
    spool.append(&report(taken), Timestamp(9000)).unwrap();
    spool.sync().unwrap();
    assert_eq!(spool.full_since(), None);
    let reports: Vec<Report> = spool.next_batch(LIMITS, Timestamp(0)).unwrap().unwrap().reports;
    let Report::Gap(gap) = &reports[0] else { panic!("no gap") };
    assert_eq!(
        (gap.cause, gap.start, gap.end),
        (GapCause::SpoolFull, Timestamp(1000 + taken as i64), Some(Timestamp(9000)))
    );
    assert_eq!(name(&reports[1]), format!("report {taken}"));
}

#[test]
fn damage_is_told_by_a_gap_once_and_the_rest_arrives() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    for number in 0..20 {
        spool.append(&report(number), Timestamp(0)).unwrap();
        spool.sync().unwrap();
    }
    drop(spool);
    disk.damage(&Path::new(DIR).join("log/00000000000000000001.log"), 60);
    for _ in 0..2 {
        drop(open(&disk).unwrap());
    }
    let mut server = Server::default();
    deliver_everything(&disk, &mut server);
    let gaps: Vec<&String> = server.stored.iter().filter(|name| name.contains("damaged")).collect();
    assert_eq!(gaps, ["1 records of the spool are damaged and were not sent"]);
    assert_eq!(server.stored.len(), 20);
}

#[test]
fn damage_that_comes_while_the_spool_is_open_is_told_once_before_it_is_passed_over() {
    for is_in_flight in [false, true] {
        let disk = FaultyDisk::new();
        let mut spool = open(&disk).unwrap();
        for number in 0..20 {
            spool.append(&report(number), Timestamp(0)).unwrap();
            spool.sync().unwrap();
        }
        if is_in_flight {
            spool.next_batch(LIMITS, Timestamp(50)).unwrap().unwrap();
        }
        disk.damage(&Path::new(DIR).join("log/00000000000000000001.log"), 60);
        let mut server = Server::default();
        while let Some(batch) = spool.next_batch(LIMITS, Timestamp(50)).unwrap() {
            server.take(&batch);
            spool.acknowledge();
            spool.contained_through(spool.last_durable());
        }
        drop(spool);
        deliver_everything(&disk, &mut server);
        let gaps: Vec<&String> = server.stored.iter().filter(|name| name.contains("damaged")).collect();
        assert_eq!(
            gaps,
            ["1 records of the spool are damaged and were not sent"],
            "in flight: {is_in_flight}"
        );
        assert_eq!(server.stored.len(), 20);
    }
}

#[test]
fn a_disk_that_refuses_a_report_is_a_gap_with_the_reason() {
    let disk = FaultyDisk::new();
    let mut spool = open(&disk).unwrap();
    disk.fail_at(disk.operations(), Fault::Broken);
    let refused = spool.append(&report(0), Timestamp(1000)).unwrap_err();
    assert!(matches!(refused, SpoolError::Append(_)), "{refused}");
    assert_eq!(spool.full_since(), Some(Timestamp(1000)));
    spool.refused_since(Timestamp(990));
    spool.refused_since(Timestamp(995));
    spool.append(&report(1), Timestamp(2000)).unwrap();
    spool.sync().unwrap();
    let reports = spool.next_batch(LIMITS, Timestamp(2000)).unwrap().unwrap().reports;
    let Report::Gap(gap) = &reports[0] else { panic!("no gap") };
    assert_eq!((gap.cause, gap.start, gap.end), (GapCause::SpoolFull, Timestamp(990), Some(Timestamp(2000))));
    assert!(gap.detail.contains("cannot write the log's segment"), "{}", gap.detail);
    assert_eq!(name(&reports[1]), "report 1");
    assert_eq!(spool.full_since(), None);
}

#[test]
fn records_lost_after_they_were_sent_start_a_new_epoch() {
    let disk = FaultyDisk::new();
    let mut server = Server::default();
    let mut spool = open(&disk).unwrap();
    for number in 0..3 {
        spool.append(&report(number), Timestamp(0)).unwrap();
    }
    spool.sync().unwrap();
    server.take(&spool.next_batch(LIMITS, Timestamp(0)).unwrap().unwrap());
    spool.acknowledge();
    drop(spool);
    for path in disk.paths() {
        if path.extension().is_some_and(|extension| extension == "log") {
            disk.remove(&path).unwrap();
        }
    }
    let mut spool = open(&disk).unwrap();
    assert!(spool.has_lost_records());
    drop(spool);
    spool = open(&disk).unwrap();
    assert!(spool.has_lost_records(), "until it has been told");
    spool.forget_lost_records();
    spool.append(&report(3), Timestamp(0)).unwrap();
    spool.sync().unwrap();
    drop(spool);
    deliver_everything(&disk, &mut server);
    assert_eq!(server.stored, [0, 1, 2, 3].map(|number| format!("report {number}")));
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Append),
        3 => Just(Step::Sync),
        2 => Just(Step::Deliver),
        2 => Just(Step::DeliverUnheard),
        1 => Just(Step::Contain),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_workload_reaches_the_server_once_through_a_crash_at_any_operation(
        steps in proptest::collection::vec(step(), 1..30),
    ) {
        crash_everywhere(&steps, 3);
    }
}
