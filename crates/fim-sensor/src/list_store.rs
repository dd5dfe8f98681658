//! What is kept of the lists on the disk, replaced as a whole whenever it differs.
//!
//! ```text
//! file = magic (8) format (u32) spool sequence (u64) time of the last inventory (i64, the least if there was none)
//!        plain length of the lists (u32) lists, compressed with zstd; crc32 of all before it (u32)
//! ```
//!
//! Numbers are little endian. The reports of lists after the spool sequence are folded over what is read.

use std::io;
use std::path::{Path, PathBuf};

use fim_core::{ListMemory, Timestamp};
use fim_log::{Disk, replace_file};
use fim_wire::{decode_lists, encode_lists};
use thiserror::Error;

use crate::time::rfc3339;

/// The file that keeps the lists.
#[derive(Debug)]
pub(crate) struct ListStore<D: Disk> {
    disk: D,
    path: PathBuf,
    /// The file contains what the spool's records up to this one say of lists.
    durable_sequence: u64,
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    pub spool_sequence: u64,
    /// When the last inventory was complete.
    pub inventory: Option<Timestamp>,
    pub lists: Vec<ListMemory>,
}

/// Why the lists could not be kept. What was kept before still is.
#[derive(Debug, Error)]
#[error("cannot write {}", path.display())]
pub(crate) struct KeepListsError {
    path: PathBuf,
    source: io::Error,
}

impl<D: Disk> ListStore<D> {
    /// Reads what is kept in `dir`. If it cannot be read it is moved aside, and the text says what was found: nothing is
    /// known of the lists then. That nothing is there is a loss too, but for `is_first`, the first start of all.
    pub fn open(disk: D, dir: &Path, is_first: bool, now: Timestamp) -> (Self, Kept, Option<String>) {
        let path = dir.join(NAME);
        let missing = || format!("{} is missing, though the agent ran here before", path.display());
        let (kept, damage) = match disk.read(&path).map(|bytes| decode(&bytes)) {
            Ok(Ok(kept)) => (kept, None),
            Ok(Err(why)) => (Kept::default(), Some(format!("{} is damaged: {why}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (Kept::default(), (!is_first).then(missing))
            }
            Err(error) => (Kept::default(), Some(format!("cannot read {}: {error}", path.display()))),
        };
        if damage.is_some() {
            let aside = dir.join(format!("damaged-{}-{NAME}", rfc3339(now).replace(':', "")));
            // If it cannot be moved it is replaced by the next that is kept.
            let _ = disk.rename(&path, &aside);
        }
        (Self { disk, path, durable_sequence: kept.spool_sequence }, kept, damage)
    }

    /// Puts this in the place of what was kept.
    pub fn keep(&mut self, kept: &Kept) -> Result<(), KeepListsError> {
        let failed = |source| KeepListsError { path: self.path.clone(), source };
        replace_file(&self.disk, &self.path, &encode(kept).map_err(failed)?).map_err(failed)?;
        self.durable_sequence = kept.spool_sequence;
        Ok(())
    }

    /// The file contains what the spool's records up to this one say of lists.
    pub fn durable_sequence(&self) -> u64 {
        self.durable_sequence
    }
}

fn encode(kept: &Kept) -> io::Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&kept.spool_sequence.to_le_bytes());
    bytes.extend_from_slice(&kept.inventory.map_or(i64::MIN, |time| time.0).to_le_bytes());
    let plain = encode_lists(&kept.lists);
    let length = u32::try_from(plain.len()).map_err(io::Error::other)?;
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&zstd::bulk::compress(&plain, COMPRESSION_LEVEL)?);
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Kept, String> {
    let short = || "it ends too soon".to_owned();
    let (content, crc) = bytes.split_last_chunk::<4>().ok_or_else(short)?;
    let rest = content.strip_prefix(MAGIC).ok_or("it does not begin as it should")?;
    if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
        return Err("its checksum is wrong".to_owned());
    }
    let (format, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    if !(OLDEST_FORMAT..=FORMAT).contains(&u32::from_le_bytes(*format)) {
        return Err("another version wrote it".to_owned());
    }
    let (sequence, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (inventory, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let inventory = i64::from_le_bytes(*inventory);
    let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MOST_BYTES {
        return Err("it claims a length that no lists have".to_owned());
    }
    let lists = zstd::bulk::decompress(rest, length).map_err(|error| error.to_string())?;
    Ok(Kept {
        spool_sequence: u64::from_le_bytes(*sequence),
        inventory: (inventory != i64::MIN).then_some(Timestamp(inventory)),
        lists: decode_lists(&lists).map_err(|error| error.to_string())?,
    })
}

const NAME: &str = "lists";
const MAGIC: &[u8] = b"SFLISTS\n";
const FORMAT: u32 = 2;
/// It has lists whole, not in parts, which is seen in them.
const OLDEST_FORMAT: u32 = 1;
const COMPRESSION_LEVEL: i32 = 1;
/// Some hundred thousand entities; a file that claims more is damaged.
const MOST_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use fim_core::{Daemon, ListKind, ListPart, Listed, PartMemory};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read_as_they_were_kept() {
        let daemon = Listed::Daemon(Daemon { name: "ssh".to_owned(), ..Daemon::default() });
        let part = PartMemory {
            part: ListPart::Systemd,
            entities: Some(vec![daemon]),
            collected: Some(Timestamp(1)),
            unreadable: None,
        };
        let list = ListMemory { kind: ListKind::Daemons, parts: vec![part], unreadable: None, pending: None };
        for inventory in [None, Some(Timestamp(-5))] {
            let kept = Kept { spool_sequence: 9, inventory, lists: vec![list.clone()] };
            assert_eq!(decode(&encode(&kept).unwrap()), Ok(kept));
        }
    }

    #[test]
    fn lists_that_an_earlier_version_kept_whole_are_read() {
        // A list of software with a package of dpkg, collected at 7.
        let plain = b"\xa1\x00\x81\xa3\x00\x01\x01\x81\xa1\x01\xa3\x00\x00\x01\x61a\x03\x01\x02\x07";
        let mut bytes = [MAGIC, &1_u32.to_le_bytes(), &9_u64.to_le_bytes(), &5_i64.to_le_bytes()].concat();
        bytes.extend(u32::try_from(plain.len()).unwrap().to_le_bytes());
        bytes.extend(zstd::bulk::compress(plain, COMPRESSION_LEVEL).unwrap());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        let kept = decode(&bytes).unwrap();
        assert_eq!((kept.spool_sequence, kept.inventory), (9, Some(Timestamp(5))));
        let dpkg = &kept.lists[0].parts[0];
        assert_eq!((dpkg.part, dpkg.collected), (ListPart::Dpkg, Some(Timestamp(7))));
        assert_eq!(dpkg.entities.as_ref().map(Vec::len), Some(1));
    }

    proptest! {
        #[test]
        fn decoding_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode(&bytes);
            let content = [MAGIC, &FORMAT.to_le_bytes(), &bytes].concat();
            let crc = crc32fast::hash(&content).to_le_bytes();
            let _ = decode(&[&content[..], &crc].concat());
        }
    }
}
