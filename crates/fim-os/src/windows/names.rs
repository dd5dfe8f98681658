//! Names as they are stored, whatever a person writes for them.
#![expect(unsafe_code, reason = "the system fills a structure")]

use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::Storage::FileSystem::{FindClose, FindFirstFileW, WIN32_FIND_DATAW};

/// The path with each name as it is stored: in its own case, and long where it is a short one of eight and three letters.
/// Links stay what they are. What is not there stays as it is written.
pub fn as_stored(path: &Path) -> PathBuf {
    let Ok(absolute) = std::path::absolute(path) else { return path.to_owned() };
    let mut stored = PathBuf::new();
    for part in absolute.components() {
        match part {
            // The letter of a drive is stored nowhere; it is told in upper case.
            Component::Prefix(prefix) => stored.push(prefix.as_os_str().to_ascii_uppercase()),
            Component::Normal(written) => {
                let name = stored_name(&stored.join(written));
                stored.push(name.as_deref().unwrap_or(written));
            }
            Component::RootDir | Component::CurDir | Component::ParentDir => stored.push(part),
        }
    }
    stored
}

/// The name of what is at a path, as its directory has it.
fn stored_name(path: &Path) -> Option<OsString> {
    let mut wide: Vec<u16> = path.as_os_str().encode_wide().collect();
    // A name is never a pattern, and behind the prefix the path may be of any length and is taken as it is.
    if wide.contains(&ASTERISK) || wide.iter().skip(PREFIX.len()).any(|&unit| unit == QUESTION_MARK) {
        return None;
    }
    if wide.get(1) == Some(&COLON) {
        wide.splice(0..0, PREFIX);
    }
    wide.push(0);
    let mut found = WIN32_FIND_DATAW::default();
    // SAFETY: the path ends in 0, and the call fills the structure that it is given.
    let handle = unsafe { FindFirstFileW(wide.as_ptr(), &raw mut found) };
    if handle == INVALID_HANDLE_VALUE {
        return None;
    }
    // SAFETY: the handle was opened by the call above, and is closed once.
    unsafe { FindClose(handle) };
    let name = found.cFileName.split(|&unit| unit == 0).next().unwrap_or_default();
    (!name.is_empty()).then(|| OsString::from_wide(name))
}

/// `\\?\`.
const PREFIX: [u16; 4] = [b'\\' as u16, b'\\' as u16, QUESTION_MARK, b'\\' as u16];
const COLON: u16 = b':' as u16;
const ASTERISK: u16 = b'*' as u16;
const QUESTION_MARK: u16 = b'?' as u16;
