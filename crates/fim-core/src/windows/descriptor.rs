//! Security descriptors (MS-DTYP 2.4.6) as text in the security descriptor definition language (MS-DTYP 2.5.1).

use std::fmt::Write as _;

use super::Sid;

/// What a security descriptor in self-relative form says of who owns a thing and who may do what with it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SecurityDescriptor {
    /// The owner, if there is one.
    pub owner: Option<Sid>,
    /// The primary group, if there is one.
    pub group: Option<Sid>,
    /// Who may do what: `D:PAI(A;;FA;;;SY)(A;;0x1200a9;;;BU)`. Empty if there is no list, `D:NO_ACCESS_CONTROL` if
    /// the list is one that lets everybody do everything.
    pub dacl: String,
}

/// Why bytes are not a security descriptor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DescriptorError {
    /// It is one of another revision, or in the form that holds addresses.
    #[error("the security descriptor is not one of revision 1 in self-relative form")]
    NotSelfRelative,
    /// It names a part of itself that it does not have.
    #[error("the security descriptor has no {part} at byte {at_byte}, where it says that it has")]
    NoPart {
        /// What should be there.
        part: &'static str,
        /// Where, from 0.
        at_byte: usize,
    },
}

impl SecurityDescriptor {
    /// Reads a descriptor. Entries of kinds that are not known are told by their bytes, so that every difference
    /// shows.
    ///
    /// # Errors
    ///
    /// Says what is missing in the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorError> {
        let control = u16_at(bytes, 2).ok_or(DescriptorError::NotSelfRelative)?;
        if bytes.len() < HEADER_BYTES || bytes[0] != 1 || control & SELF_RELATIVE == 0 {
            return Err(DescriptorError::NotSelfRelative);
        }
        let sid = |at: usize, part: &'static str| match offset_at(bytes, at) {
            0 => Ok(None),
            at_byte => {
                let taken = bytes.get(at_byte..).and_then(Sid::take);
                taken.map(|(sid, _)| Some(sid)).ok_or(DescriptorError::NoPart { part, at_byte })
            }
        };
        Ok(Self { owner: sid(4, "owner")?, group: sid(8, "group")?, dacl: dacl(bytes, control)? })
    }
}

fn dacl(bytes: &[u8], control: u16) -> Result<String, DescriptorError> {
    if control & DACL_PRESENT == 0 {
        return Ok(String::new());
    }
    let flags = DACL_FLAGS.iter().filter(|(bit, _)| control & bit != 0).map(|(_, letters)| *letters);
    let mut text = format!("D:{}", flags.collect::<String>());
    match offset_at(bytes, 16) {
        0 => text.push_str("NO_ACCESS_CONTROL"),
        at_byte => {
            let missing = DescriptorError::NoPart { part: "access control list", at_byte };
            write_entries(&mut text, bytes.get(at_byte..).ok_or(missing)?).ok_or(missing)?;
        }
    }
    Ok(text)
}

/// Writes the entries of an access control list; nothing if the list is longer than its bytes.
fn write_entries(text: &mut String, bytes: &[u8]) -> Option<()> {
    let list = bytes.get(..usize::from(u16_at(bytes, 2)?))?;
    let count = u16_at(list, 4)?;
    let mut rest = list.get(8..)?;
    for _ in 0..count {
        let entry = rest.get(..usize::from(u16_at(rest, 2)?)).filter(|entry| entry.len() >= 4)?;
        rest = &rest[entry.len()..];
        text.push('(');
        if write_entry(text, entry).is_none() {
            write_unknown(text, entry);
        }
        text.push(')');
    }
    Some(())
}

/// Writes an entry of a known shape: `A;OICI;FA;;;SY`. Nothing is written of any other.
fn write_entry(text: &mut String, entry: &[u8]) -> Option<()> {
    let &(_, letters, shape) = ENTRIES.iter().find(|(number, ..)| *number == entry[0])?;
    let (mask, mut rest) = entry.get(4..)?.split_first_chunk::<4>()?;
    let mut guids = [String::new(), String::new()];
    if shape == Shape::Object {
        let (present, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        for (bit, guid) in guids.iter_mut().enumerate() {
            if u32::from_le_bytes(*present) >> bit & 1 == 1 {
                let (bytes, after) = rest.split_first_chunk::<16>()?;
                (*guid, rest) = (guid_text(bytes), after);
            }
        }
    }
    let (sid, length) = Sid::take(rest)?;
    let rights = rights_text(u32::from_le_bytes(*mask));
    let [object, inherited] = guids;
    let who = sid.letters().unwrap_or(sid.as_str());
    let flags = flags_text(entry[1]);
    // Writing to a string cannot fail.
    let _ = write!(text, "{letters};{flags};{rights};{object};{inherited};{who}");
    let condition = &rest[length..];
    if !condition.is_empty() {
        let _ = write!(text, ";{}", hex(condition));
    }
    Some(())
}

fn write_unknown(text: &mut String, entry: &[u8]) {
    let _ = write!(text, "{:#04x};{};{}", entry[0], flags_text(entry[1]), hex(&entry[4..]));
}

fn flags_text(flags: u8) -> String {
    (0..).zip(ENTRY_FLAGS).filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, letters)| letters).collect()
}

/// The rights as the system writes them: one name for all of them, else the names of each if all have one, else the
/// number.
fn rights_text(mask: u32) -> String {
    if let Some((_, name)) = RIGHTS_TOGETHER.iter().find(|(together, _)| *together == mask) {
        return (*name).to_owned();
    }
    let named = RIGHTS.iter().fold(0, |named, (bit, _)| named | bit);
    if mask == 0 || mask & !named != 0 {
        return format!("{mask:#x}");
    }
    RIGHTS.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect()
}

/// The rights that [`rights_text`] has written; nothing if it is none of its texts.
pub(super) fn mask_of(rights: &str) -> Option<u32> {
    if let Some((together, _)) = RIGHTS_TOGETHER.iter().find(|(_, name)| *name == rights) {
        return Some(*together);
    }
    if let Some(digits) = rights.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).ok();
    }
    rights.as_bytes().chunks(2).try_fold(0, |mask, letters| {
        let (bit, _) = RIGHTS.iter().find(|(_, name)| name.as_bytes() == letters)?;
        Some(mask | bit)
    })
}

fn guid_text(bytes: &[u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
    let first = u32::from_le_bytes([a, b, c, d]);
    let (second, third) = (u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h]));
    let tail: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (fourth, fifth) = tail.split_at(4);
    format!("{first:08x}-{second:04x}-{third:04x}-{fourth}-{fifth}")
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|chunk| u16::from_le_bytes(*chunk))
}

/// A place in the descriptor that its header names; 0, which is the header itself, means that there is none.
fn offset_at(bytes: &[u8], at: usize) -> usize {
    let offset = bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|chunk| u32::from_le_bytes(*chunk));
    offset.and_then(|offset| usize::try_from(offset).ok()).unwrap_or(0)
}

/// What follows the rights in an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// Whom it is for.
    Plain,
    /// Which objects it is of, and whom it is for.
    Object,
}

const HEADER_BYTES: usize = 20;
const SELF_RELATIVE: u16 = 0x8000;
const DACL_PRESENT: u16 = 0x0004;

/// Protected from what is inherited; to be inherited again; inherited automatically.
const DACL_FLAGS: [(u16, &str); 3] = [(0x1000, "P"), (0x0100, "AR"), (0x0400, "AI")];

/// The kinds of entries that a discretionary list may have (MS-DTYP 2.4.4.1).
const ENTRIES: [(u8, &str, Shape); 7] = [
    (0x00, "A", Shape::Plain),
    (0x01, "D", Shape::Plain),
    (0x05, "OA", Shape::Object),
    (0x06, "OD", Shape::Object),
    (0x09, "XA", Shape::Plain),
    (0x0a, "XD", Shape::Plain),
    (0x0b, "ZA", Shape::Object),
];

/// The flags of an entry from the lowest bit on.
const ENTRY_FLAGS: [&str; 8] = ["OI", "CI", "NP", "IO", "ID", "CR", "SA", "FA"];

/// Rights of files and of registry keys that have a name together.
const RIGHTS_TOGETHER: [(u32, &str); 7] = [
    (0x001f_01ff, "FA"),
    (0x0012_0089, "FR"),
    (0x0012_0116, "FW"),
    (0x0012_00a0, "FX"),
    (0x000f_003f, "KA"),
    (0x0002_0019, "KR"),
    (0x0002_0006, "KW"),
];

const RIGHTS: [(u32, &str); 17] = [
    (1, "CC"),
    (1 << 1, "DC"),
    (1 << 2, "LC"),
    (1 << 3, "SW"),
    (1 << 4, "RP"),
    (1 << 5, "WP"),
    (1 << 6, "DT"),
    (1 << 7, "LO"),
    (1 << 8, "CR"),
    (1 << 16, "SD"),
    (1 << 17, "RC"),
    (1 << 18, "WD"),
    (1 << 19, "WO"),
    (1 << 28, "GA"),
    (1 << 29, "GX"),
    (1 << 30, "GW"),
    (1 << 31, "GR"),
];
