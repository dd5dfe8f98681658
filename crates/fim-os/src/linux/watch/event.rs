//! The kernel's fanotify events, from bytes (`linux/fanotify.h`).

/// One event.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Event<'b> {
    /// What happened: bits of [`mask`].
    pub mask: u64,
    /// The process that did it.
    pub pid: i32,
    /// A handle of that process.
    pub handle: ProcessHandle,
    /// The directory and the name in it that the event is about.
    pub name: Option<Name<'b>>,
    /// For a rename: what it was called and what it is called.
    pub old_name: Option<Name<'b>>,
    pub new_name: Option<Name<'b>>,
    /// The object itself.
    pub object: Option<Handle<'b>>,
}

/// What an event has as a handle of the process behind it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum ProcessHandle {
    /// A descriptor of it, which is the reader's.
    Open(i32),
    /// None: it had ended.
    #[default]
    Ended,
    /// None: the reader has too many files open, or the system lacked memory.
    Refused,
}

/// A name in a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Name<'b> {
    pub directory: Handle<'b>,
    /// The name; `.` for the directory itself.
    pub name: &'b [u8],
}

/// A file system and the handle of something in it, as `name_to_handle_at(2)` makes it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Handle<'b> {
    pub file_system: [u8; 8],
    /// The handle with its header: length, type, bytes.
    pub handle: &'b [u8],
}

/// The bits of what happened.
pub(super) mod mask {
    pub(crate) const MODIFY: u64 = 0x2;
    pub(crate) const ATTRIB: u64 = 0x4;
    pub(crate) const CLOSE_WRITE: u64 = 0x8;
    pub(crate) const CREATE: u64 = 0x100;
    pub(crate) const DELETE: u64 = 0x200;
    pub(crate) const OVERFLOW: u64 = 0x4000;
    pub(crate) const RENAME: u64 = 0x1000_0000;
    pub(crate) const ON_DIRECTORY: u64 = 0x4000_0000;
}

/// Splits off the next event. `None` at the end, and at bytes that are no event.
pub(super) fn next<'b>(bytes: &mut &'b [u8]) -> Option<Event<'b>> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let metadata = usize::from(u16_at(bytes, 6)?);
    if *bytes.get(4)? != VERSION || length < metadata || metadata < METADATA_BYTES {
        return None;
    }
    let (event, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let mut parsed = Event {
        mask: u64::from_ne_bytes(event.get(8..16)?.try_into().ok()?),
        pid: i32_at(event, 20)?,
        ..Event::default()
    };
    let mut records = &event[metadata..];
    while let Some(length) = u16_at(records, 2).map(usize::from).filter(|&length| length >= 4) {
        let Some((record, rest)) = records.split_at_checked(length) else { break };
        records = rest;
        take_record(record, &mut parsed);
    }
    Some(parsed)
}

fn take_record<'b>(record: &'b [u8], event: &mut Event<'b>) {
    match record[0] {
        INFO_FID => event.object = handle(record).map(|(handle, _)| handle),
        INFO_DFID_NAME => event.name = name(record),
        INFO_DFID => {
            event.name = handle(record).map(|(directory, _)| Name { directory, name: b"." });
        }
        INFO_PIDFD => {
            event.handle = match i32_at(record, 4) {
                Some(fd) if fd >= 0 => ProcessHandle::Open(fd),
                None | Some(NO_PIDFD) => ProcessHandle::Ended,
                Some(_) => ProcessHandle::Refused,
            };
        }
        INFO_OLD_DFID_NAME => event.old_name = name(record),
        INFO_NEW_DFID_NAME => event.new_name = name(record),
        _ => {}
    }
}

fn name(record: &[u8]) -> Option<Name<'_>> {
    let (directory, rest) = handle(record)?;
    let name = rest.split(|&byte| byte == 0).next()?;
    (!name.is_empty()).then_some(Name { directory, name })
}

/// The handle in a record, and what is behind it.
fn handle(record: &[u8]) -> Option<(Handle<'_>, &[u8])> {
    let file_system = record.get(4..12)?.try_into().ok()?;
    let bytes = usize::try_from(u32_at(record, 12)?).ok()?;
    let (handle, rest) = record.get(12..)?.split_at_checked(bytes.checked_add(HANDLE_HEADER_BYTES)?)?;
    Some((Handle { file_system, handle }, rest))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn i32_at(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

const VERSION: u8 = 3;
const METADATA_BYTES: usize = 24;
pub(super) const HANDLE_HEADER_BYTES: usize = 8;

/// `FAN_NOPIDFD`; whatever else is below zero says that a handle could not be made (`FAN_EPIDFD`).
const NO_PIDFD: i32 = -1;

/// What an event takes at least, with a handle of the process and a name.
pub(super) const LEAST_EVENT_BYTES: usize = 64;

const INFO_FID: u8 = 1;
const INFO_DFID_NAME: u8 = 2;
const INFO_DFID: u8 = 3;
const INFO_PIDFD: u8 = 4;
const INFO_OLD_DFID_NAME: u8 = 10;
const INFO_NEW_DFID_NAME: u8 = 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_read_with_its_directory() {
        let mut info = vec![INFO_DFID_NAME, 0, 0, 0];
        info.extend([7; 8]);
        info.extend(4_u32.to_ne_bytes());
        info.extend(1_i32.to_ne_bytes());
        info.extend([9; 4]);
        info.extend(b"hosts\0\0\0");
        let length = u16::try_from(info.len()).unwrap();
        info[2..4].copy_from_slice(&length.to_ne_bytes());
        let mut bytes = event(mask::CREATE, &info);
        bytes.extend(event(mask::OVERFLOW, &[]));
        let mut rest = &bytes[..];
        let first = next(&mut rest).unwrap();
        let name = first.name.unwrap();
        assert_eq!((first.mask, first.pid, name.name), (mask::CREATE, 42, &b"hosts"[..]));
        assert_eq!(name.directory.file_system, [7; 8]);
        assert_eq!(name.directory.handle.len(), HANDLE_HEADER_BYTES + 4);
        assert_eq!(next(&mut rest).map(|event| event.mask), Some(mask::OVERFLOW));
        assert_eq!(next(&mut rest), None);
    }

    #[test]
    fn a_process_that_had_ended_is_told_apart_from_one_that_no_handle_could_be_made_of() {
        let handle_of = |told: i32| {
            let mut info = vec![INFO_PIDFD, 0, 8, 0];
            info.extend(told.to_ne_bytes());
            let bytes = event(mask::MODIFY, &info);
            next(&mut &bytes[..]).unwrap().handle
        };
        assert_eq!(handle_of(7), ProcessHandle::Open(7));
        assert_eq!(handle_of(-1), ProcessHandle::Ended);
        assert_eq!(handle_of(-2), ProcessHandle::Refused);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200), length in 0_u32..120) {
            if bytes.len() >= METADATA_BYTES {
                bytes[..4].copy_from_slice(&length.to_ne_bytes());
                bytes[4] = VERSION;
                bytes[6..8].copy_from_slice(&24_u16.to_ne_bytes());
            }
            let mut rest = &bytes[..];
            while next(&mut rest).is_some() {}
        }
    }

    fn event(mask: u64, info: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(METADATA_BYTES + info.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend([VERSION, 0]);
        bytes.extend(24_u16.to_ne_bytes());
        bytes.extend(mask.to_ne_bytes());
        bytes.extend((-1_i32).to_ne_bytes());
        bytes.extend(42_i32.to_ne_bytes());
        bytes.extend(info);
        bytes
    }
}
