//! Reparse points (MS-FSCC 2.1.2): what a name leads to instead of what is there.

use std::fmt::Write as _;

use super::from_wide;

/// True if what carries the tag stands for something elsewhere: a symbolic link, a junction, a mounted volume. Others
/// say how what is there is stored: compressed, deduplicated, in a cloud.
pub fn is_link_tag(tag: u32) -> bool {
    tag & NAME_SURROGATE != 0
}

/// Where a link leads, as stored, from its reparse data: `\??\C:\elsewhere`, or a path from where the link is. A link
/// of a kind that is not known is told by its tag and its bytes. Nothing if the bytes are no reparse data.
pub fn link_target(data: &[u8]) -> Option<Vec<u8>> {
    let tag = u32::from_le_bytes(*data.first_chunk()?);
    let length = usize::from(u16_at(data, 4)?);
    let body = data.get(8..8 + length)?;
    match tag {
        SYMLINK => names(body, 12),
        MOUNT_POINT => names(body, 8),
        LINUX_SYMLINK => body.get(4..).map(<[u8]>::to_vec),
        _ => {
            let mut text = format!("{tag:#x}:");
            for byte in body {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
            }
            Some(text.into_bytes())
        }
    }
}

/// The name that the system follows. The other name is shown to people, and anybody may write anything into it.
fn names(body: &[u8], names_at: usize) -> Option<Vec<u8>> {
    let (start, length) = (usize::from(u16_at(body, 0)?), usize::from(u16_at(body, 2)?));
    let name = body.get(names_at..)?.get(start..start + length)?;
    Some(from_wide(name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit))))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|chunk| u16::from_le_bytes(*chunk))
}

const NAME_SURROGATE: u32 = 0x2000_0000;
const SYMLINK: u32 = 0xa000_000c;
const MOUNT_POINT: u32 = 0xa000_0003;
const LINUX_SYMLINK: u32 = 0xa000_001d;
