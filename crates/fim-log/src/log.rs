//! The log: numbered records in segments of a directory.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::record::{self, HEADER, MAX_PAYLOAD, RECORD_OVERHEAD, Tail};
use crate::{AppendError, Disk, DiskFile, OpenLogError, ReadError, RemoveError, SyncError, create_dir_all};

/// How large a log and its segments may grow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LogOptions {
    /// A record that would make a segment longer than this goes to a new one. Space is given back by whole segments,
    /// so at most a quarter of `max_bytes` is used.
    pub segment_bytes: u64,
    /// The bound of the whole log on the disk; [`SegmentLog::append`] answers [`AppendError::Full`] instead of
    /// passing it.
    pub max_bytes: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { segment_bytes: 4 << 20, max_bytes: 256 << 20 }
    }
}

/// What was found when a log was opened.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Recovery {
    /// How many records the log has.
    pub records: u64,
    /// How many bytes were cut off the end because no whole record was in them: what a crash leaves of records that
    /// were never synced.
    pub torn_bytes: u64,
    /// The numbers of records that were durable once and cannot be read any more, in order. The same are told at
    /// each opening until their segment is removed.
    pub damaged: Vec<RangeInclusive<u64>>,
}

/// An append-only log of records, numbered from 1 without holes, in segment files of one directory.
///
/// One process at a time may have a directory open; the owner of the directory sees to that.
#[derive(Debug)]
pub struct SegmentLog<D: Disk> {
    disk: D,
    dir: PathBuf,
    options: LogOptions,
    /// Oldest first; the last one is written to. There is always one.
    segments: VecDeque<Segment>,
    active: D::File,
    /// The last record that is durable.
    synced: u64,
    /// How many bytes of the active segment are durable.
    synced_bytes: u64,
    /// What was appended to the active segment after that. A sync that failed may have made the system forget the
    /// bytes while it shows them still, so they are kept here and written again.
    unsynced: Vec<u8>,
    /// True if the active segment's bytes after `synced_bytes` may be others than `unsynced`.
    is_in_doubt: bool,
    /// True if the active segment must take no more records, because its successor may exist by name.
    must_rotate: bool,
    damaged: Vec<RangeInclusive<u64>>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    first: u64,
    /// One less than `first` if the segment has no records.
    last: u64,
    bytes: u64,
}

impl<D: Disk> SegmentLog<D> {
    /// Opens the log in `dir`, or starts one. All records it then has are durable.
    ///
    /// A torn tail is cut off. Damage before the tail is told in [`Recovery::damaged`] and passed over by readers.
    pub fn open(
        disk: D,
        dir: impl Into<PathBuf>,
        options: LogOptions,
    ) -> Result<(Self, Recovery), OpenLogError> {
        let dir = dir.into();
        let options =
            LogOptions { segment_bytes: options.segment_bytes.min(options.max_bytes / 4), ..options };
        let firsts = prepare_dir(&disk, &dir)
            .map_err(|source| OpenLogError::Directory { dir: dir.clone(), source })?;
        let mut recovery = Recovery::default();
        let mut segments = VecDeque::with_capacity(firsts.len() + 1);
        let mut next = firsts.first().copied().unwrap_or(1);
        for (index, &first) in firsts.iter().enumerate() {
            let tail = if index + 1 == firsts.len() { Tail::MayBeTorn } else { Tail::WasDurable };
            if first > next {
                recovery.damaged.push(next..=first - 1);
            }
            let segment = recover_segment(&disk, &dir, first, first.max(next), tail, &mut recovery)?;
            next = segment.last.saturating_add(1).max(first);
            segments.push_back(segment);
        }
        let active_first = segments.back().map_or(next, |segment: &Segment| segment.first);
        let path = segment_path(&dir, active_first);
        let in_dir = |source| OpenLogError::Write { path: path.clone(), source };
        let active = if let Some(last) = segments.back_mut() {
            let mut file = disk.open_append(&path).map_err(in_dir)?;
            if last.bytes == 0 {
                file.append(HEADER).map_err(in_dir)?;
                last.bytes = HEADER.len() as u64;
            }
            // After a crash of the program alone the tail is whole but only in the system's cache.
            file.sync().map_err(in_dir)?;
            disk.sync_dir(&dir).map_err(in_dir)?;
            file
        } else {
            segments.push_back(Segment::empty(next));
            start_segment(&disk, &dir, next).map_err(in_dir)?
        };
        let synced_bytes = segments.back().map_or(0, |segment| segment.bytes);
        let log = Self {
            disk,
            dir,
            options,
            segments,
            active,
            synced: next - 1,
            synced_bytes,
            unsynced: Vec::new(),
            is_in_doubt: false,
            must_rotate: false,
            damaged: recovery.damaged.clone(),
        };
        Ok((log, recovery))
    }

    /// Adds a record and returns its number. It is durable after the next [`Self::sync`] that succeeds.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError> {
        let record_bytes = (RECORD_OVERHEAD + payload.len()) as u64;
        let header_bytes = HEADER.len() as u64;
        let max_bytes = self.options.max_bytes;
        if payload.len() > MAX_PAYLOAD || record_bytes + header_bytes > max_bytes {
            let bound = max_bytes.saturating_sub(header_bytes + RECORD_OVERHEAD as u64);
            let max = usize::try_from(bound).unwrap_or(usize::MAX).min(MAX_PAYLOAD);
            return Err(AppendError::TooLarge { len: payload.len(), max });
        }
        let active = self.active_segment();
        let rotates = self.must_rotate
            || active.last >= active.first && active.bytes + record_bytes > self.options.segment_bytes;
        let added_bytes = record_bytes + if rotates { header_bytes } else { 0 };
        if self.bytes() + added_bytes > max_bytes {
            return Err(AppendError::Full { max_bytes });
        }
        if rotates {
            self.sync().map_err(|SyncError { path, source }| append_error(path, source))?;
            let path = segment_path(&self.dir, self.last_sequence() + 1);
            self.rotate().map_err(|source| append_error(path, source))?;
        }
        let path = self.active_path();
        self.settle().map_err(|source| append_error(path.clone(), source))?;
        let sequence = self.last_sequence() + 1;
        let kept = self.unsynced.len();
        record::encode(sequence, self.synced, payload, &mut self.unsynced);
        if let Err(source) = self.active.append(&self.unsynced[kept..]) {
            self.unsynced.truncate(kept);
            // Part of the record may have been written; the next operation cuts it off before it does anything else.
            self.is_in_doubt = true;
            return Err(append_error(path, source));
        }
        let active = self.active_segment_mut();
        active.last = sequence;
        active.bytes += record_bytes;
        Ok(sequence)
    }

    /// Makes all records appended so far durable.
    ///
    /// After an error they are kept, and the next call writes them again.
    pub fn sync(&mut self) -> Result<(), SyncError> {
        if self.synced == self.last_sequence() && !self.is_in_doubt {
            return Ok(());
        }
        let synced = self.settle().and_then(|()| self.active.sync());
        if let Err(source) = synced {
            self.is_in_doubt = true;
            return Err(SyncError { path: self.active_path(), source });
        }
        self.synced = self.last_sequence();
        self.synced_bytes = self.active_segment().bytes;
        self.unsynced.clear();
        Ok(())
    }

    /// The durable records from `sequence` on, in order. Records that were damaged when the log was opened are
    /// passed over; one that became so later is told as an error, and the reader goes on after it.
    pub fn read_from(&self, sequence: u64) -> Records<'_, D> {
        let segment = self.segments.partition_point(|segment| segment.last < sequence);
        Records { log: self, segment, next: sequence, ready: VecDeque::new(), bytes: Vec::new() }
    }

    /// Removes records up to `sequence`, as far as whole segments hold nothing later; never a record that is not
    /// durable. Numbers go on where they were even if no record is left.
    pub fn remove_through(&mut self, sequence: u64) -> Result<(), RemoveError> {
        let sequence = sequence.min(self.synced);
        let active = *self.active_segment();
        let is_worth_it = active.bytes >= self.options.segment_bytes / 2;
        if active.last >= active.first && active.last <= sequence && is_worth_it {
            // The next segment's name keeps the numbers going, so it must be there before the last record goes.
            let path = segment_path(&self.dir, self.last_sequence() + 1);
            self.rotate().map_err(|source| RemoveError::Start { path, source })?;
        }
        while self.segments.len() > 1
            && let Some(oldest) = self.segments.front().copied().filter(|oldest| oldest.last <= sequence)
        {
            let path = segment_path(&self.dir, oldest.first);
            let removed = match self.disk.remove(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            };
            // One at a time: were a later removal durable before an earlier one, a crash would show a hole.
            removed
                .and_then(|()| self.disk.sync_dir(&self.dir))
                .map_err(|source| RemoveError::Remove { path, source })?;
            self.segments.pop_front();
        }
        Ok(())
    }

    /// The number of the oldest record kept, or of the next one if there is none.
    pub fn first_sequence(&self) -> u64 {
        self.segments.front().map_or(1, |segment| segment.first)
    }

    /// The number of the last record appended; 0 if there never was one.
    pub fn last_sequence(&self) -> u64 {
        self.active_segment().last
    }

    /// The number of the last record that is durable; 0 if there never was one.
    pub fn synced_sequence(&self) -> u64 {
        self.synced
    }

    /// The bound of the whole log on the disk in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.options.max_bytes
    }

    /// The log's length on the disk in bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The bounds that the log works by.
    pub fn options(&self) -> LogOptions {
        self.options
    }

    /// Writes the bytes after the last sync again, if the disk may have others.
    fn settle(&mut self) -> io::Result<()> {
        if self.is_in_doubt {
            self.disk.truncate(&self.active_path(), self.synced_bytes)?;
            self.active.append(&self.unsynced)?;
            self.is_in_doubt = false;
        }
        Ok(())
    }

    /// Starts the next segment. Everything in the active one must be durable.
    fn rotate(&mut self) -> io::Result<()> {
        self.must_rotate = true;
        let first = self.last_sequence() + 1;
        self.active = start_segment(&self.disk, &self.dir, first)?;
        self.must_rotate = false;
        self.segments.push_back(Segment::empty(first));
        self.synced_bytes = HEADER.len() as u64;
        self.unsynced.clear();
        Ok(())
    }

    fn active_path(&self) -> PathBuf {
        segment_path(&self.dir, self.active_segment().first)
    }

    #[expect(clippy::expect_used, reason = "`open` makes a segment and `remove_through` leaves the last one")]
    fn active_segment(&self) -> &Segment {
        self.segments.back().expect("a log has a segment")
    }

    #[expect(clippy::expect_used, reason = "`open` makes a segment and `remove_through` leaves the last one")]
    fn active_segment_mut(&mut self) -> &mut Segment {
        self.segments.back_mut().expect("a log has a segment")
    }

    /// True if all these records were already told to be damaged.
    fn is_known_damage(&self, first: u64, last: u64) -> bool {
        self.damaged.iter().any(|range| *range.start() <= first && last <= *range.end())
    }
}

impl Segment {
    fn empty(first: u64) -> Self {
        Self { first, last: first - 1, bytes: HEADER.len() as u64 }
    }
}

/// The durable records of a log, in order; see [`SegmentLog::read_from`].
///
/// One segment at a time is in memory.
pub struct Records<'log, D: Disk> {
    log: &'log SegmentLog<D>,
    /// The index of the segment to load next.
    segment: usize,
    next: u64,
    /// What the loaded segment still has to give.
    ready: VecDeque<Result<record::Located, ReadError>>,
    bytes: Vec<u8>,
}

impl<D: Disk> Iterator for Records<'_, D> {
    type Item = Result<(u64, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            let segment = *self.log.segments.get(self.segment)?;
            self.segment += 1;
            self.load(segment);
        }
        let item = self.ready.pop_front()?;
        Some(item.map(|record| (record.sequence, self.bytes[record.payload].to_vec())))
    }
}

impl<D: Disk> Records<'_, D> {
    fn load(&mut self, segment: Segment) {
        let last = segment.last.min(self.log.synced);
        if last < self.next.max(segment.first) {
            return;
        }
        let path = segment_path(&self.log.dir, segment.first);
        match self.log.disk.read(&path) {
            Ok(bytes) => self.bytes = bytes,
            Err(source) => {
                self.ready.push_back(Err(ReadError::Read { path, source }));
                self.next = last + 1;
                return;
            }
        }
        let durable = usize::try_from(segment.bytes).unwrap_or(usize::MAX).min(self.bytes.len());
        let found = record::scan(&self.bytes[..durable], segment.first, Tail::WasDurable);
        let mut expected = self.next.max(segment.first);
        for record in found.records {
            if record.sequence < expected || record.sequence > last {
                continue;
            }
            self.report_missing(&path, expected, record.sequence - 1);
            expected = record.sequence + 1;
            self.ready.push_back(Ok(record));
        }
        self.report_missing(&path, expected, last);
        self.next = last + 1;
    }

    fn report_missing(&mut self, path: &Path, first: u64, last: u64) {
        if first <= last && !self.log.is_known_damage(first, last) {
            self.ready.push_back(Err(ReadError::Damaged { path: path.to_owned(), first, last }));
        }
    }
}

/// Makes the directory, and returns the first numbers of the segments in it, in order.
fn prepare_dir<D: Disk>(disk: &D, dir: &Path) -> io::Result<Vec<u64>> {
    create_dir_all(disk, dir)?;
    let mut firsts: Vec<u64> = disk.list(dir)?.iter().filter_map(|name| first_of(name)).collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Reads a segment, cuts off its torn tail, and adds what was found to `recovery`. A segment without a record and
/// without a whole header is left with no bytes.
fn recover_segment<D: Disk>(
    disk: &D,
    dir: &Path,
    first: u64,
    expected: u64,
    tail: Tail,
    recovery: &mut Recovery,
) -> Result<Segment, OpenLogError> {
    let path = segment_path(dir, first);
    let bytes = disk.read(&path).map_err(|source| OpenLogError::Read { path: path.clone(), source })?;
    let header = bytes.get(..HEADER.len());
    if header.and_then(record::format_of).is_some_and(|format| format > record::FORMAT) {
        return Err(OpenLogError::Newer { path });
    }
    let found = record::scan(&bytes, expected, tail);
    recovery.records += found.records.len() as u64;
    recovery.damaged.extend(found.damaged);
    let last = found.records.last().map_or(expected - 1, |record| record.sequence);
    let mut length = bytes.len();
    if tail == Tail::MayBeTorn {
        let is_headless = found.records.is_empty() && header != Some(HEADER);
        length = if is_headless { 0 } else { found.whole_bytes };
        if length < bytes.len() {
            recovery.torn_bytes += (bytes.len() - length) as u64;
            disk.truncate(&path, length as u64).map_err(|source| OpenLogError::Write { path, source })?;
        }
    }
    Ok(Segment { first, last, bytes: length as u64 })
}

/// Makes a segment that has its header and a durable name.
fn start_segment<D: Disk>(disk: &D, dir: &Path, first: u64) -> io::Result<D::File> {
    let path = segment_path(dir, first);
    let mut file = disk.open_append(&path)?;
    if !file.is_empty()? {
        // Left by an attempt that failed half-way; it cannot hold a record.
        disk.truncate(&path, 0)?;
    }
    file.append(HEADER)?;
    file.sync()?;
    disk.sync_dir(dir)?;
    Ok(file)
}

fn append_error(path: PathBuf, source: io::Error) -> AppendError {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => AppendError::DiskFull { path, source },
        _ => AppendError::Write { path, source },
    }
}

/// Segments are named by the number of their first record, in twenty digits so that names sort as numbers.
fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.log"))
}

fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".log").filter(|digits| digits.len() == 20)?;
    digits.parse().ok().filter(|&first| first > 0)
}
