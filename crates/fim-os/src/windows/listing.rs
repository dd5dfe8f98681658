//! The entries of a directory and the streams of a file as the system packs them (MS-FSCC 2.4.22 and 2.4.49,
//! `FILE_ID_BOTH_DIR_INFO` and `FILE_STREAM_INFO`).

use fim_core::EntityKind;
use fim_core::windows::{from_wide, is_link_tag};

/// One name in a directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    /// The name as WTF-8.
    pub(super) name: Vec<u8>,
    /// What it is, as far as the entry tells.
    pub(super) kind: Option<EntityKind>,
}

/// The entries that the bytes hold; one that does not fit into them ends the list.
pub(super) fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let at = rest.take()?;
        let length = usize::try_from(u32_at(at, NAME_LENGTH)?).ok()?;
        let name = at.get(NAME..)?.get(..length)?;
        let entry = Entry {
            name: from_wide(name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit))),
            kind: kind(u32_at(at, ATTRIBUTES)?, u32_at(at, TAG)?),
        };
        rest = match usize::try_from(u32_at(at, NEXT)?).ok()? {
            0 => None,
            next => at.get(next..),
        };
        Some(entry)
    })
}

/// The names of the alternate data streams that the bytes hold, without the stream that is the file's content; one that
/// does not fit into them ends the list. A stream of another type than data has that behind its name.
pub(super) fn streams(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = Some(bytes);
    let all = std::iter::from_fn(move || {
        let at = rest.take()?;
        let length = usize::try_from(u32_at(at, STREAM_NAME_LENGTH)?).ok()?;
        let name = at.get(STREAM_NAME..)?.get(..length)?;
        rest = match usize::try_from(u32_at(at, NEXT)?).ok()? {
            0 => None,
            next => at.get(next..),
        };
        Some(from_wide(name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit))))
    });
    all.filter_map(|name| {
        let name = name.strip_prefix(b":").unwrap_or(&name);
        let name = name.strip_suffix(b":$DATA").unwrap_or(name);
        (!name.is_empty()).then(|| name.to_vec())
    })
}

/// What a file is by its attributes and, if it is a reparse point, its tag. A tag of 0 is one that the file system did
/// not tell.
pub(super) fn kind(attributes: u32, tag: u32) -> Option<EntityKind> {
    let is_reparse_point = attributes & REPARSE_POINT != 0;
    match (is_reparse_point, tag) {
        (true, 0) => None,
        (true, tag) if is_link_tag(tag) => Some(EntityKind::Symlink),
        _ if attributes & DIRECTORY != 0 => Some(EntityKind::Directory),
        _ => Some(EntityKind::File),
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|chunk| u32::from_le_bytes(*chunk))
}

// Where things are in an entry. The place of the size of extended attributes has the tag of a reparse point.
const NEXT: usize = 0;
const ATTRIBUTES: usize = 56;
const NAME_LENGTH: usize = 60;
const TAG: usize = 64;
const NAME: usize = 104;

// The same of a stream.
const STREAM_NAME_LENGTH: usize = 4;
const STREAM_NAME: usize = 24;

const DIRECTORY: u32 = 0x10;
const REPARSE_POINT: u32 = 0x400;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, attributes: u32, tag: u32, next: u32) -> Vec<u8> {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut bytes = vec![0; NAME];
        for (at, number) in
            [(NEXT, next), (ATTRIBUTES, attributes), (NAME_LENGTH, name.len() as u32), (TAG, tag)]
        {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes.extend(name);
        bytes
    }

    #[test]
    fn entries_are_told_with_what_they_are() {
        let mut bytes = entry("a ", 0x20, 0, 112);
        bytes.resize(112, 0);
        bytes.extend(entry("dir", DIRECTORY, 0, 112));
        bytes.resize(224, 0);
        bytes.extend(entry("link", DIRECTORY | REPARSE_POINT, 0xa000_0003, 112));
        bytes.resize(336, 0);
        bytes.extend(entry("zip", REPARSE_POINT, 0x8000_0017, 0));
        let found: Vec<_> = entries(&bytes).map(|entry| (entry.name, entry.kind)).collect();
        let kinds =
            [EntityKind::File, EntityKind::Directory, EntityKind::Symlink, EntityKind::File].map(Some);
        assert_eq!(
            found.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>(),
            [&b"a "[..], b"dir", b"link", b"zip"]
        );
        assert_eq!(found.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), kinds);
        assert_eq!(kind(REPARSE_POINT, 0), None, "it has to be looked at");
    }

    #[test]
    fn streams_are_told_by_their_own_names() {
        let stream = |name: &str, next: u32| {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let mut bytes = vec![0; STREAM_NAME];
            bytes[..4].copy_from_slice(&next.to_le_bytes());
            bytes[4..8].copy_from_slice(&(name.len() as u32).to_le_bytes());
            bytes.extend(name);
            bytes.resize(bytes.len().max(next as usize), 0);
            bytes
        };
        let all = [stream("::$DATA", 40), stream(":hidden.exe:$DATA", 64), stream(":i:$INDEX_ALLOCATION", 0)]
            .concat();
        let found: Vec<_> = streams(&all).collect();
        assert_eq!(found, [&b"hidden.exe"[..], b"i:$INDEX_ALLOCATION"]);
        assert_eq!(streams(&all[..60]).count(), 0, "what is cut off is none");
    }

    proptest! {
        #[test]
        fn any_bytes_are_entries_or_none(bytes: Vec<u8>, next in 0_u32..300, length in 0_u32..300) {
            prop_assert!(entries(&bytes).count() <= bytes.len());
            let mut near = entry("name", 0x10, 0, next);
            near[NAME_LENGTH..NAME_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
            near.extend(&bytes);
            prop_assert!(entries(&near).count() <= near.len());
            prop_assert!(streams(&near).count() <= near.len());
            prop_assert!(streams(&bytes).count() <= bytes.len());
        }
    }
}
