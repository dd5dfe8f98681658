//! The spool: reports that wait on the disk until the server has them.
//!
//! It is also the write-ahead log of the state: a record goes only when the server has acknowledged it *and* the
//! state file contains what it says. Records are grouped into batches once: what a batch holds is written down before
//! it is sent, so that the same sequence number never names two different batches, and the server can tell a repeat.

mod ledger;

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use fim_core::{Gap, GapCause, GapScope, Timestamp, error_chain};
use fim_log::{
    AppendError, Disk, LogOptions, OpenLogError, ReadError, RemoveError, SegmentLog, SyncError,
    create_dir_all, replace_file,
};
use fim_wire::{Report, WireError, decode_report, encode_report};
use thiserror::Error;

use ledger::Ledger;
pub use ledger::LedgerError;

/// Reports on the disk, in the order in which they were made.
pub struct Spool<D: Disk> {
    disk: D,
    dir: PathBuf,
    log: SegmentLog<D>,
    ledger: Ledger,
    /// True if the ledger on the disk is an older one.
    is_ledger_stale: bool,
    /// The state file contains what records up to this one say.
    contained: u64,
    /// When the last report of the batch in flight was made.
    in_flight_made: Option<Timestamp>,
}

/// How much a batch may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BatchLimits {
    /// The most reports.
    pub reports: usize,
    /// The most bytes of encoded reports, unless a single one has more.
    pub bytes: usize,
}

/// A batch to be sent: always the same reports under the same epoch and sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// The spool's epoch; sequences of different epochs have nothing to do with each other.
    pub epoch: [u8; 16],
    /// The number of the last record in it.
    pub sequence: u64,
    /// The reports.
    pub reports: Vec<Report>,
}

/// Records that cannot be read any more, first and last.
type Damaged = RangeInclusive<u64>;

/// Why a spool could not be opened.
#[derive(Debug, Error)]
pub enum OpenSpoolError {
    /// Its log could not be opened.
    #[error("cannot open the spool")]
    Log(#[source] OpenLogError),
    /// Its ledger could not be read.
    #[error("cannot read the spool's ledger {}", path.display())]
    ReadLedger {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Its ledger could not be written.
    #[error("cannot start the spool")]
    Ledger(#[source] LedgerError),
}

/// Why a report was not taken. It is not in the spool then.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// There is no room: the bound is reached or the disk is full. A gap is recorded once there is room again.
    #[error("the spool is full")]
    Full(#[source] AppendError),
    /// The disk answered with an error, or the report is too large. The first is a gap as that of a full spool is.
    #[error("cannot keep a report")]
    Append(#[source] AppendError),
}

/// Why the next batch could not be made.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The records could not be read.
    #[error("cannot read the spool")]
    Read(#[source] ReadError),
    /// What the batch holds could not be written down.
    #[error("cannot prepare a batch")]
    Ledger(#[source] LedgerError),
    /// A report could not be set aside.
    #[error("cannot set a report aside in {}", path.display())]
    SetAside {
        /// The file that it was to go to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The gap that tells of a report that was set aside could not be kept.
    #[error("cannot tell of a report that was set aside")]
    Tell(#[source] SpoolError),
    /// The same could not be made durable.
    #[error("cannot tell of a report that was set aside")]
    Sync(#[source] SyncError),
}

impl<D: Disk + Clone> Spool<D> {
    /// Opens the spool in `dir`, or starts one. Damage that was found is told by a gap in the spool itself.
    pub fn open(
        disk: D,
        dir: impl Into<PathBuf>,
        options: LogOptions,
        now: Timestamp,
    ) -> Result<Self, OpenSpoolError> {
        let dir = dir.into();
        let (log, recovery) =
            SegmentLog::open(disk.clone(), dir.join("log"), options).map_err(OpenSpoolError::Log)?;
        let kept = Ledger::read(&disk, &dir)?;
        let ledger = Ledger::after_start(kept.clone(), &log);
        let is_ledger_stale = kept.as_ref() != Some(&ledger);
        let mut spool = Self { disk, dir, log, ledger, is_ledger_stale, contained: 0, in_flight_made: None };
        spool.tell_damage(&recovery.damaged, now);
        spool.keep_ledger().map_err(OpenSpoolError::Ledger)?;
        Ok(spool)
    }

    /// Takes a report; it is durable after [`Self::sync`].
    pub fn append(&mut self, report: &Report, now: Timestamp) -> Result<u64, SpoolError> {
        if let Some(since) = self.ledger.full_since {
            let why = self.ledger.refused_why.as_deref().unwrap_or("the spool or the disk was full");
            let full = Gap {
                scope: GapScope::Everything,
                start: Timestamp(since.min(now.0)),
                end: Some(now),
                cause: GapCause::SpoolFull,
                detail: format!(
                    "reports were not kept because {why}; changes in this time are reported as the difference between \
                     its start and its end"
                ),
            };
            self.push(&Report::Gap(full), now)?;
            (self.ledger.full_since, self.ledger.refused_why) = (None, None);
            self.is_ledger_stale = true;
        }
        self.push(report, now)
    }

    /// Lets the gap of reports that are refused begin no later than this, if any are: what was refused may have happened
    /// before.
    pub fn refused_since(&mut self, since: Timestamp) {
        if let Some(known) = self.ledger.full_since.filter(|&known| since.0 < known) {
            self.ledger.full_since = Some(since.0.min(known));
            self.is_ledger_stale = true;
        }
    }

    /// Makes all reports taken so far durable; only then are they sent.
    pub fn sync(&mut self) -> Result<(), SyncError> {
        self.log.sync()?;
        if self.is_ledger_stale
            && let Err(error) = self.keep_ledger()
        {
            // Nothing depends on it: at worst a gap is told twice or an acknowledged batch is sent again.
            tracing::warn!(%error, "cannot keep the spool's ledger");
        }
        Ok(())
    }

    /// The batch that should be sent next: the one sent last if it was not acknowledged, else new reports, if any.
    pub fn next_batch(
        &mut self,
        limits: BatchLimits,
        now: Timestamp,
    ) -> Result<Option<Outgoing>, BatchError> {
        loop {
            if self.ledger.in_flight.is_none() {
                let mut damaged = Vec::new();
                let extent = self.choose_extent(limits, &mut damaged)?;
                if self.tell_damage(&damaged, now) {
                    continue;
                }
                let Some(extent) = extent else { return Ok(None) };
                self.set_extent(extent)?;
            }
            let Some((first, last)) = self.ledger.in_flight else { return Ok(None) };
            let mut damaged = Vec::new();
            let read = self.read_extent(first, last, &mut damaged)?;
            self.tell_damage(&damaged, now);
            match read {
                Ok(reports) => {
                    self.in_flight_made = reports.last().map(time_of);
                    let epoch = self.ledger.epoch.into_bytes();
                    return Ok(Some(Outgoing { epoch, sequence: last, reports }));
                }
                Err(sequence) if sequence > first => self.set_extent((first, sequence - 1))?,
                Err(sequence) => {
                    self.set_extent((first, sequence))?;
                    self.set_aside("this version of the agent does not understand it", now)?;
                }
            }
        }
    }

    /// Notes that the server has the batch that was sent last, and forgets what is not needed any more.
    pub fn acknowledge(&mut self) {
        let Some((_, last)) = self.ledger.in_flight.take() else { return };
        self.ledger.acknowledged = last;
        let made = self.in_flight_made.take().map(|made| made.0);
        self.ledger.acknowledged_made = made.or(self.ledger.acknowledged_made);
        self.is_ledger_stale = true;
        if self.unsent() == 0
            && let Err(error) = self.keep_ledger()
        {
            tracing::warn!(%error, "cannot keep the spool's ledger");
        }
        self.release();
    }

    /// Makes the batch in flight half as large, because the server refused it whole; false if it has one record.
    pub fn split(&mut self) -> Result<bool, BatchError> {
        match self.ledger.in_flight {
            Some((first, last)) if first < last => {
                self.set_extent((first, first + (last - first) / 2))?;
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    /// Takes the single report in flight out of the queue, because the server will never take it: it is kept in the
    /// folder `rejected`, and a gap tells of it.
    pub fn set_aside(&mut self, why: &str, now: Timestamp) -> Result<(), BatchError> {
        let Some((first, last)) = self.ledger.in_flight else { return Ok(()) };
        for record in self.log.read_from(first) {
            let (sequence, bytes) = match record {
                Ok(record) => record,
                Err(ReadError::Damaged { .. }) => continue,
                Err(error @ ReadError::Read { .. }) => return Err(BatchError::Read(error)),
            };
            if sequence > last {
                break;
            }
            let path = self.keep_rejected(sequence, &bytes)?;
            let decoded = decode_report(&bytes);
            let made_after = self.made_before(sequence).unwrap_or(now);
            tracing::error!(path = %path.display(), why, "a report was set aside");
            if let Some(gap) = rejection_gap(&decoded, why, &path, (made_after, now)) {
                self.append(&Report::Gap(gap), now).map_err(BatchError::Tell)?;
                self.log.sync().map_err(BatchError::Sync)?;
            }
            break;
        }
        self.acknowledge();
        Ok(())
    }

    /// Notes that the state file contains what records up to `sequence` say.
    pub fn contained_through(&mut self, sequence: u64) {
        self.contained = self.contained.max(sequence);
        self.release();
    }

    /// The durable reports after the record `sequence`, in order; those that are damaged are left out.
    pub fn reports_after(&self, sequence: u64) -> impl Iterator<Item = (u64, Report)> {
        self.log.read_from(sequence + 1).filter_map(|record| {
            let (sequence, bytes) = record.ok()?;
            Some((sequence, decode_report(&bytes).ok()?))
        })
    }

    /// True if records are missing that the server may not have. The owner tells it by a gap, which must be durable
    /// before [`Self::forget_lost_records`].
    pub fn has_lost_records(&self) -> bool {
        self.ledger.has_lost_records
    }

    /// Notes that the missing records have been told.
    pub fn forget_lost_records(&mut self) {
        if std::mem::take(&mut self.ledger.has_lost_records)
            && let Err(error) = self.keep_ledger()
        {
            self.is_ledger_stale = true;
            tracing::warn!(%error, "cannot keep the spool's ledger");
        }
    }

    /// True if something is remembered that the disk does not have yet; [`Self::sync`] puts it there.
    pub fn is_ledger_stale(&self) -> bool {
        self.is_ledger_stale
    }

    /// When the newest durable report was made.
    pub fn newest(&self) -> Option<Timestamp> {
        let last = self.last_durable().checked_sub(1)?;
        self.reports_after(last).last().map(|(_, report)| time_of(&report))
    }

    /// The number of the last durable record; what a state file written now contains.
    pub fn last_durable(&self) -> u64 {
        self.log.synced_sequence()
    }

    /// How many durable records the server does not have.
    pub fn unsent(&self) -> u64 {
        self.log.synced_sequence().saturating_sub(self.ledger.acknowledged)
    }

    /// True if what can be told again later may be put in without taking the room that changes may need.
    pub fn has_room_to_spare(&self) -> bool {
        self.bytes() < self.log.max_bytes() / 2
    }

    /// The length on the disk in bytes.
    pub fn bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// Since when the spool has been full.
    pub fn full_since(&self) -> Option<Timestamp> {
        self.ledger.full_since.map(Timestamp)
    }

    /// When the oldest report that the server does not have was made.
    pub fn oldest_unsent(&self) -> Option<Timestamp> {
        if self.unsent() == 0 {
            return None;
        }
        self.reports_after(self.ledger.acknowledged).next().map(|(_, report)| time_of(&report))
    }

    fn push(&mut self, report: &Report, now: Timestamp) -> Result<u64, SpoolError> {
        match self.log.append(&encode_report(report)) {
            Ok(sequence) => Ok(sequence),
            Err(error @ (AppendError::Full { .. } | AppendError::DiskFull { .. })) => {
                self.refuse(now, None);
                Err(SpoolError::Full(error))
            }
            Err(error @ AppendError::Write { .. }) => {
                self.refuse(now, Some(error_chain(&error)));
                Err(SpoolError::Append(error))
            }
            Err(error @ AppendError::TooLarge { .. }) => Err(SpoolError::Append(error)),
        }
    }

    /// Notes since when reports are refused, and why.
    fn refuse(&mut self, now: Timestamp, why: Option<String>) {
        if self.ledger.full_since.is_none() {
            (self.ledger.full_since, self.ledger.refused_why) = (Some(now.0), why);
            self.is_ledger_stale = true;
        }
    }

    /// The first and last of the records that a new batch would hold, and those before and among them that are damaged.
    fn choose_extent(
        &mut self,
        limits: BatchLimits,
        damaged: &mut Vec<Damaged>,
    ) -> Result<Option<(u64, u64)>, BatchError> {
        let mut extent = None;
        let (mut reports, mut bytes) = (0, 0);
        for record in self.log.read_from(self.ledger.acknowledged + 1) {
            let (sequence, payload) = match record {
                Ok(record) => record,
                Err(ReadError::Damaged { first, last, .. }) => {
                    damaged.push(first..=last);
                    continue;
                }
                Err(error @ ReadError::Read { .. }) => return Err(BatchError::Read(error)),
            };
            reports += 1;
            bytes += payload.len();
            let first = match extent {
                None => sequence,
                Some(_) if reports > limits.reports || bytes > limits.bytes => break,
                Some((first, _)) => first,
            };
            extent = Some((first, sequence));
        }
        Ok(extent)
    }

    fn set_extent(&mut self, extent: (u64, u64)) -> Result<(), BatchError> {
        if self.ledger.in_flight != Some(extent) {
            self.ledger.in_flight = Some(extent);
            self.is_ledger_stale = true;
        }
        if self.is_ledger_stale {
            self.keep_ledger().map_err(BatchError::Ledger)?;
        }
        Ok(())
    }

    /// The reports of those records, or the number of the first one that cannot be decoded; and those that are damaged.
    fn read_extent(
        &self,
        first: u64,
        last: u64,
        damaged: &mut Vec<Damaged>,
    ) -> Result<Result<Vec<Report>, u64>, BatchError> {
        let mut reports = Vec::new();
        for record in self.log.read_from(first) {
            match record {
                Ok((sequence, _)) if sequence > last => break,
                Ok((sequence, bytes)) => match decode_report(&bytes) {
                    Ok(report) => reports.push(report),
                    Err(_) => return Ok(Err(sequence)),
                },
                Err(ReadError::Damaged { first, .. }) if first > last => break,
                Err(ReadError::Damaged { first, last, .. }) => damaged.push(first..=last),
                Err(error @ ReadError::Read { .. }) => return Err(BatchError::Read(error)),
            }
        }
        Ok(Ok(reports))
    }

    fn keep_rejected(&self, sequence: u64, bytes: &[u8]) -> Result<PathBuf, BatchError> {
        let dir = self.dir.join("rejected");
        let path = dir.join(format!("{}-{sequence:020}.cbor", self.ledger.epoch.simple()));
        let kept = create_dir_all(&self.disk, &dir).and_then(|()| replace_file(&self.disk, &path, bytes));
        kept.map_err(|source| BatchError::SetAside { path: path.clone(), source })?;
        Ok(path)
    }

    fn release(&mut self) {
        let through = self.ledger.acknowledged.min(self.contained);
        match self.log.remove_through(through) {
            Ok(()) => {}
            Err(error @ (RemoveError::Remove { .. } | RemoveError::Start { .. })) => {
                // They are tried again with the next acknowledgement; until then they take space.
                tracing::warn!(%error, "cannot give back the spool's space");
            }
        }
    }

    /// Puts a gap into the spool for each stretch of records that became unreadable before the server had them; true if
    /// there was any to tell. If it is refused, the gap of what was refused begins that early.
    fn tell_damage(&mut self, damaged: &[Damaged], now: Timestamp) -> bool {
        let known = self.ledger.acknowledged.max(self.ledger.damage_reported);
        let told: Vec<_> = damaged.iter().filter(|range| *range.end() > known).cloned().collect();
        if told.is_empty() {
            return false;
        }
        for range in told {
            let after = self.reports_after(*range.end()).next();
            let start = self.made_before(*range.start()).unwrap_or(now).min(now);
            let gap = Gap {
                scope: GapScope::Everything,
                start,
                end: Some(after.map_or(now, |(_, report)| time_of(&report).min(now))),
                cause: GapCause::SpoolDamaged,
                detail: format!(
                    "{} records of the spool are damaged and were not sent",
                    range.end() - range.start() + 1
                ),
            };
            if let Err(error) = self.append(&Report::Gap(gap), now) {
                tracing::error!(%error, "cannot tell that the spool is damaged");
                self.refused_since(start);
            }
            self.ledger.damage_reported = *range.end();
            self.is_ledger_stale = true;
        }
        if let Err(error) = self.log.sync() {
            tracing::error!(%error, "cannot tell that the spool is damaged");
        }
        true
    }

    /// When the last report before that record was made, as far as one is known.
    fn made_before(&self, sequence: u64) -> Option<Timestamp> {
        let before = self.reports_after(0).take_while(|(other, _)| *other < sequence).last();
        before.map(|(_, report)| time_of(&report)).or(self.ledger.acknowledged_made.map(Timestamp))
    }

    fn keep_ledger(&mut self) -> Result<(), LedgerError> {
        self.ledger.keep(&self.disk, &self.dir)?;
        self.is_ledger_stale = false;
        Ok(())
    }
}

/// The gap that tells of a report set aside, which was made after the first of the moments, and is now; nothing if that
/// report was itself such a gap.
fn rejection_gap(
    decoded: &Result<Report, WireError>,
    why: &str,
    path: &Path,
    (made_after, now): (Timestamp, Timestamp),
) -> Option<Gap> {
    let (scope, start) = match decoded {
        Ok(Report::Change(event)) => (GapScope::Within(event.change.key.path().clone()), event.observed),
        Ok(Report::Gap(gap)) if gap.cause == GapCause::ReportRejected => return None,
        Ok(Report::Gap(gap)) => (gap.scope.clone(), gap.start),
        Ok(Report::Listed(event)) => (GapScope::List(event.change.key.list()), event.observed),
        // The next inventory tells it again; nothing was missed meanwhile.
        Ok(Report::Inventory(_)) => return None,
        // It may be about anything that happened since the report before.
        Err(_) => (GapScope::Everything, made_after),
    };
    Some(Gap {
        scope,
        start: start.min(now),
        end: Some(now),
        cause: GapCause::ReportRejected,
        detail: format!("a report was set aside in {}: {why}", path.display()),
    })
}

/// When a report was made.
fn time_of(report: &Report) -> Timestamp {
    match report {
        Report::Change(event) => event.observed,
        Report::Gap(gap) => gap.end.unwrap_or(gap.start),
        Report::Listed(event) => event.observed,
        Report::Inventory(inventory) => inventory.observed,
    }
}
