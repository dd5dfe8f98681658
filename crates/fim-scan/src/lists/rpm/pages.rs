//! The pages of a database of SQLite as the last finished write left them, while others may go on writing.
//!
//! Nothing is locked and nothing is made beside the database, as SQLite itself would: rpm is never held up. Whoever reads
//! compares the database's times before and after instead, and asks whether the log is the same.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::header::damaged;
use crate::lists::files::OpenFile;
use crate::tree::{FileTree, TreeError};

/// A database with the log of what was written to it last, both open.
pub(super) struct Pages<'d, 't, T: FileTree> {
    database: &'d OpenFile<'t, T>,
    log: Option<Log<'t, T>>,
    page_bytes: usize,
    usable_bytes: usize,
    count: u64,
    /// How many were read.
    read: Cell<u64>,
}

/// The log that SQLite calls the write-ahead log: pages that are newer than those of the database.
struct Log<'t, T: FileTree> {
    file: OpenFile<'t, T>,
    /// What differs once the log was begun anew.
    head: [u8; LOG_HEAD_BYTES],
    /// Where the newest version of each page is.
    frames: BTreeMap<u32, u64>,
    page_bytes: usize,
    /// How many pages the database has after the last write.
    count: u32,
}

impl<'d, 't, T: FileTree> Pages<'d, 't, T> {
    /// The database as it is now; nothing if a write to it is not finished.
    pub(super) fn open(
        database: &'d OpenFile<'t, T>,
        log: Option<OpenFile<'t, T>>,
        journal: Option<OpenFile<'t, T>>,
    ) -> Result<Option<Self>, TreeError> {
        if let Some(journal) = journal
            && is_hot(&journal)?
        {
            return Ok(None);
        }
        let log = log.map(Log::open).transpose()?.flatten();
        let mut head = [0; HEAD_BYTES];
        let first = log.as_ref().and_then(|log| log.frames.get(&1).map(|at| (&log.file, *at)));
        let (file, at) = first.unwrap_or((database, 0));
        if !file.fill(at, &mut head)? {
            return Err(damaged("it ends early"));
        }
        let (page_bytes, usable_bytes) = sizes(&head)?;
        if log.as_ref().is_some_and(|log| log.page_bytes != page_bytes) {
            return Err(damaged("the pages of its log have another size"));
        }
        let pages = database.stamp()?.size_bytes.unwrap_or_default() / page_bytes as u64;
        let count = log.as_ref().map_or(0, |log| u64::from(log.count)).max(pages);
        // What other programs write does not say how many pages there are.
        if head[24..28] == head[92..96] && u64::from(number(&head, 28)) > count {
            return Err(damaged("it ends early"));
        }
        Ok(Some(Self { database, log, page_bytes, usable_bytes, count, read: Cell::new(0) }))
    }

    /// The page of that number, counted from 1.
    pub(super) fn page(&self, number: u32) -> Result<Vec<u8>, TreeError> {
        if number == 0 || u64::from(number) > self.count {
            return Err(damaged(&format!("it has no page {number}")));
        }
        // Each is of one row or one table, and is wanted once; the first is of the schema, too.
        let read = self.read.get().saturating_add(1);
        self.read.set(read);
        if read > self.count.saturating_add(1) {
            return Err(damaged("its pages lead to each other without end"));
        }
        let mut page = vec![0; self.page_bytes];
        let newest = self.log.as_ref().and_then(|log| log.frames.get(&number).map(|at| (&log.file, *at)));
        let (file, at) = newest.unwrap_or((self.database, u64::from(number - 1) * self.page_bytes as u64));
        if !file.fill(at, &mut page)? {
            return Err(damaged(&format!("it ends before page {number}")));
        }
        page.truncate(self.usable_bytes);
        Ok(page)
    }

    /// How many bytes of a page there are to be read.
    pub(super) fn usable_bytes(&self) -> usize {
        self.usable_bytes
    }

    /// True if the log was not begun anew, which writes over what was read of it. What is only added to it is of a later
    /// write, and was not read.
    pub(super) fn has_same_log(&self) -> Result<bool, TreeError> {
        let Some(log) = &self.log else { return Ok(true) };
        let mut head = [0; LOG_HEAD_BYTES];
        Ok(log.file.fill(0, &mut head)? && head == log.head)
    }
}

impl<'t, T: FileTree> Log<'t, T> {
    /// Reads which pages are in the log, up to the last write that was finished; nothing if there is none.
    fn open(file: OpenFile<'t, T>) -> Result<Option<Self>, TreeError> {
        let mut head = [0; LOG_HEAD_BYTES];
        if !file.fill(0, &mut head)? {
            return Ok(None);
        }
        let Some(mut checksum) = Checksum::of_log(&head) else { return Ok(None) };
        let page_bytes = usize::try_from(number(&head, 8)).unwrap_or(usize::MAX);
        if !is_page_size(page_bytes) {
            return Err(damaged("its log has pages of no size"));
        }
        let (mut frames, mut unfinished, mut count) = (BTreeMap::new(), BTreeMap::new(), None);
        let mut frame = vec![0; FRAME_HEAD_BYTES + page_bytes];
        let mut at = LOG_HEAD_BYTES as u64;
        while file.fill(at, &mut frame)? && checksum.continues(&head, &frame) {
            unfinished.insert(number(&frame, 0), at + FRAME_HEAD_BYTES as u64);
            let pages = number(&frame, 4);
            if pages > 0 {
                frames.append(&mut unfinished);
                count = Some(pages);
            }
            at += frame.len() as u64;
            if at > MOST_LOG_BYTES {
                return Err(TreeError::Failed(format!("its log has more than {MOST_LOG_BYTES} bytes")));
            }
        }
        Ok(count.map(|count| Self { file, head, frames, page_bytes, count }))
    }
}

/// The sum that goes on from frame to frame of a log; where it does not, what follows is of an earlier use of the file,
/// or was not written to its end.
struct Checksum {
    is_big_endian: bool,
    sums: (u32, u32),
}

impl Checksum {
    fn of_log(head: &[u8; LOG_HEAD_BYTES]) -> Option<Self> {
        let is_big_endian = match number(head, 0) {
            LOG_LITTLE_ENDIAN => false,
            LOG_BIG_ENDIAN => true,
            _ => return None,
        };
        let mut checksum = Self { is_big_endian, sums: (0, 0) };
        checksum.add(&head[..24]);
        (checksum.sums == (number(head, 24), number(head, 28))).then_some(checksum)
    }

    fn continues(&mut self, head: &[u8], frame: &[u8]) -> bool {
        if frame[8..16] != head[16..24] {
            return false;
        }
        self.add(&frame[..8]);
        self.add(&frame[FRAME_HEAD_BYTES..]);
        self.sums == (number(frame, 16), number(frame, 20))
    }

    fn add(&mut self, bytes: &[u8]) {
        let word = |word: &[u8; 4]| match self.is_big_endian {
            true => u32::from_be_bytes(*word),
            false => u32::from_le_bytes(*word),
        };
        let (mut first, mut second) = self.sums;
        for pair in bytes.as_chunks::<4>().0.as_chunks::<2>().0 {
            first = first.wrapping_add(word(&pair[0])).wrapping_add(second);
            second = second.wrapping_add(word(&pair[1])).wrapping_add(first);
        }
        self.sums = (first, second);
    }
}

/// The size of a page, and how much of it is used.
fn sizes(head: &[u8; HEAD_BYTES]) -> Result<(usize, usize), TreeError> {
    if !head.starts_with(MAGIC) {
        return Err(damaged("it is no database of SQLite"));
    }
    if head[19] > 2 || number(head, 56) > 1 {
        return Err(TreeError::Failed("it is written in a way that is not known".to_owned()));
    }
    let page_bytes = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 1 << 16,
        bytes => usize::from(bytes),
    };
    let usable_bytes = page_bytes.saturating_sub(usize::from(head[20]));
    if !is_page_size(page_bytes) || usable_bytes < LEAST_USABLE_BYTES {
        return Err(damaged("its pages have no size"));
    }
    Ok((page_bytes, usable_bytes))
}

fn is_page_size(bytes: usize) -> bool {
    bytes.is_power_of_two() && (512..=1 << 16).contains(&bytes)
}

/// True if a journal holds what a write that was not finished has to be taken back with.
fn is_hot<T: FileTree>(journal: &OpenFile<'_, T>) -> Result<bool, TreeError> {
    let mut begin = [0; 1];
    Ok(journal.fill(0, &mut begin)? && begin != [0])
}

/// A number of a head that is there as a whole.
fn number(bytes: &[u8], at: usize) -> u32 {
    super::number_at(bytes, at).unwrap_or(0)
}

const MAGIC: &[u8] = b"SQLite format 3\0";
const HEAD_BYTES: usize = 100;
const LEAST_USABLE_BYTES: usize = 480;
const LOG_LITTLE_ENDIAN: u32 = 0x377f_0682;
const LOG_BIG_ENDIAN: u32 = 0x377f_0683;
const LOG_HEAD_BYTES: usize = 32;
const FRAME_HEAD_BYTES: usize = 24;
/// SQLite puts a log into its database at some megabytes; only a reader that does not end keeps it from that.
const MOST_LOG_BYTES: u64 = 1 << 30;
