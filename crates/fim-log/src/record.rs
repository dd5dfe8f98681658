//! Records as bytes: writing one, and finding those in a segment that may be torn or damaged.
//!
//! A segment is a header and records. A record is, in little endian, the payload's length (u32), a CRC-32 of all
//! that follows it and of the length (u32), the sequence number (u64), the number of the last record known to be
//! durable when this one was written (u64), and the payload. The durable number tells damage from a torn tail: a
//! broken record that a later one knew as durable was whole once.

use std::ops::RangeInclusive;

/// The first bytes of a segment; the digits are the format's version.
pub(crate) const HEADER: &[u8; 8] = b"SFLOG001";

/// The format's version that [`HEADER`] names.
pub(crate) const FORMAT: u32 = 1;

/// The bytes of a record before its payload.
pub(crate) const RECORD_OVERHEAD: usize = 24;

/// The greatest payload in bytes.
pub(crate) const MAX_PAYLOAD: usize = 256 << 20;

/// Where a whole record lies in its segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Located {
    pub sequence: u64,
    pub payload: std::ops::Range<usize>,
}

/// What was found in a segment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct SegmentScan {
    pub records: Vec<Located>,
    /// Sequence numbers that lie between whole records, or before one, and could not be read.
    pub damaged: Vec<RangeInclusive<u64>>,
    /// The bytes up to the end of the last whole record; the header's length if there is none.
    pub whole_bytes: usize,
}

/// Whether the end of a segment may be torn, or all of it was durable once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tail {
    /// The last segment: records at its end may never have been synced.
    MayBeTorn,
    /// An earlier segment: it was synced before the next one was started.
    WasDurable,
}

/// The format's version that a segment's header names; nothing if it is no whole header.
pub(crate) fn format_of(header: &[u8]) -> Option<u32> {
    let digits = header.strip_prefix(b"SFLOG")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Appends the record's bytes to `out`.
pub(crate) fn encode(sequence: u64, durable: u64, payload: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let crc = checksum(length, &sequence.to_le_bytes(), &durable.to_le_bytes(), payload);
    out.reserve(RECORD_OVERHEAD + payload.len());
    out.extend_from_slice(&length);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&durable.to_le_bytes());
    out.extend_from_slice(payload);
}

/// Finds the whole records of a segment whose first record should have the number `first`.
///
/// Never fails: bytes that are no record are passed over, and what must have been in them is told as damaged, unless
/// they are a torn tail.
pub(crate) fn scan(bytes: &[u8], first: u64, tail: Tail) -> SegmentScan {
    let mut found = SegmentScan { whole_bytes: HEADER.len().min(bytes.len()), ..SegmentScan::default() };
    let mut expected = first;
    let mut at = HEADER.len();
    while let Some((record, durable, end)) = next_record(bytes, at, expected) {
        if record.sequence > expected {
            if tail == Tail::MayBeTorn && durable < expected {
                // The missing records were never known to be durable. Nothing after them counts: a log has no holes.
                break;
            }
            found.damaged.push(expected..=record.sequence - 1);
        }
        expected = record.sequence.saturating_add(1);
        at = end;
        found.whole_bytes = end;
        found.records.push(record);
    }
    found
}

/// The next whole record at `from` or after it whose number is `expected` or higher, what it knew as durable, and
/// where it ends.
fn next_record(bytes: &[u8], from: usize, expected: u64) -> Option<(Located, u64, usize)> {
    (from..bytes.len().saturating_sub(RECORD_OVERHEAD - 1)).find_map(|at| record_at(bytes, at, expected))
}

fn record_at(bytes: &[u8], at: usize, expected: u64) -> Option<(Located, u64, usize)> {
    let head = bytes.get(at..at + RECORD_OVERHEAD)?;
    let (length, rest) = head.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let (durable, _) = rest.split_first_chunk::<8>()?;
    let start = at + RECORD_OVERHEAD;
    let end = start.checked_add(u32::from_le_bytes(*length) as usize)?;
    let number = u64::from_le_bytes(*sequence);
    let known = u64::from_le_bytes(*durable);
    // Every record takes at least its overhead, so a number further ahead than that cannot be in this segment.
    let furthest = expected.saturating_add((at / RECORD_OVERHEAD) as u64);
    if number < expected || number > furthest || known >= number {
        return None;
    }
    let payload = bytes.get(start..end)?;
    if checksum(*length, sequence, durable, payload) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((Located { sequence: number, payload: start..end }, known, end))
}

fn checksum(length: [u8; 4], sequence: &[u8; 8], durable: &[u8; 8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(sequence);
    hasher.update(durable);
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(records: &[(u64, u64, &[u8])]) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        for (sequence, durable, payload) in records {
            encode(*sequence, *durable, payload, &mut bytes);
        }
        bytes
    }

    fn numbers(found: &SegmentScan) -> Vec<u64> {
        found.records.iter().map(|record| record.sequence).collect()
    }

    #[test]
    fn what_was_encoded_is_found() {
        let bytes = segment(&[(5, 0, b"five"), (6, 5, b""), (7, 5, b"seven")]);
        let found = scan(&bytes, 5, Tail::MayBeTorn);
        assert_eq!(numbers(&found), [5, 6, 7]);
        assert_eq!(&bytes[found.records[2].payload.clone()], b"seven");
        assert_eq!(found.whole_bytes, bytes.len());
        assert!(found.damaged.is_empty());
    }

    #[test]
    fn a_tail_torn_at_any_byte_leaves_the_records_before_it() {
        let bytes = segment(&[(1, 0, b"one"), (2, 1, b"two")]);
        let first_ends = scan(&bytes, 1, Tail::MayBeTorn).records[0].payload.end;
        for length in 0..bytes.len() {
            let found = scan(&bytes[..length], 1, Tail::MayBeTorn);
            assert_eq!(found.records.len(), usize::from(length >= first_ends), "torn at {length}");
            assert!(found.damaged.is_empty());
        }
    }

    #[test]
    fn damage_to_what_was_durable_is_told_and_passed_over() {
        let mut bytes = segment(&[(1, 0, b"one"), (2, 1, b"two"), (3, 2, b"three")]);
        let second = scan(&bytes, 1, Tail::MayBeTorn).records[1].payload.clone();
        bytes[second.start] ^= 1;
        let found = scan(&bytes, 1, Tail::MayBeTorn);
        assert_eq!(numbers(&found), [1, 3]);
        assert_eq!(found.damaged, [2..=2]);
    }

    #[test]
    fn a_hole_in_what_was_never_durable_is_a_torn_tail() {
        let mut bytes = segment(&[(1, 0, b"one"), (2, 1, b"two"), (3, 1, b"three")]);
        let second = scan(&bytes, 1, Tail::MayBeTorn).records[1].payload.clone();
        bytes[second.start] ^= 1;
        let found = scan(&bytes, 1, Tail::MayBeTorn);
        assert_eq!(numbers(&found), [1]);
        assert!(found.damaged.is_empty());
        assert_eq!(scan(&bytes, 1, Tail::WasDurable).damaged, [2..=2]);
    }

    proptest::proptest! {
        #[test]
        fn scanning_any_bytes_never_panics(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
            first in proptest::prelude::any::<u64>(),
        ) {
            scan(&bytes, first, Tail::MayBeTorn);
            scan(&bytes, first, Tail::WasDurable);
        }

        #[test]
        fn one_flipped_byte_never_changes_a_payload(
            payloads in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40), 1..8),
            at in proptest::prelude::any::<proptest::sample::Index>(),
            flip in 1_u8..,
        ) {
            let mut bytes = HEADER.to_vec();
            for (sequence, payload) in (1..).zip(&payloads) {
                encode(sequence, sequence - 1, payload, &mut bytes);
            }
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            for record in scan(&bytes, 1, Tail::MayBeTorn).records {
                let index = usize::try_from(record.sequence - 1).unwrap();
                proptest::prop_assert_eq!(&bytes[record.payload], &payloads[index][..]);
            }
        }
    }
}
