//! What the system tells of a folder that it watches (`FILE_NOTIFY_INFORMATION`).

use super::from_wide;

/// What happened to a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FolderAct {
    /// It came.
    Came,
    /// It went.
    Went,
    /// What it stands for was changed.
    Changed,
    /// It is another name from now on; the notice of that one follows.
    BecameAnother,
    /// Another name became this one.
    WasAnother,
    /// An alternate data stream, which is named behind a colon, came, went or was changed.
    Stream,
}

/// One notice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderNotice {
    /// What happened.
    pub act: FolderAct,
    /// The name, relative to the folder, in WTF-8; with separators where it is further below.
    pub name: Vec<u8>,
}

/// The notices in a buffer that the system filled; where one of them is not understood, nothing, since it may be of
/// anything.
pub fn folder_notices(bytes: &[u8]) -> Option<Vec<FolderNotice>> {
    let mut notices = Vec::new();
    let mut rest = bytes;
    loop {
        let (next, act, length) = (number(rest, 0)?, number(rest, 4)?, number(rest, 8)?);
        let name = rest.get(12..)?.get(..length)?;
        let units = name.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        notices.push(FolderNotice { act: act_of(act)?, name: from_wide(units) });
        if next == 0 {
            return Some(notices);
        }
        // Each begins behind the one before, so that there is an end.
        rest = rest.get(next.max(12)..)?;
    }
}

/// The numbers of `winnt.h`.
fn act_of(number: usize) -> Option<FolderAct> {
    match number {
        1 => Some(FolderAct::Came),
        2 => Some(FolderAct::Went),
        3 => Some(FolderAct::Changed),
        4 => Some(FolderAct::BecameAnother),
        5 => Some(FolderAct::WasAnother),
        6..=8 => Some(FolderAct::Stream),
        _ => None,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 4] = *bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}
